"""Kernels of the hidden Markov recursions: what one step does to rows of states, in one pass.

Sums over states may be added up in any order, so that they vectorise: how they round depends on the
machine, as does the matrix product between the steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["best_paths", "filter_rows", "smooth_rows"]

Real = NDArray[Any]  # float32 or float64
IntArray = NDArray[np.int64]

FOUR = 4  # states that are compared at once, for fewer loads and stores


@njit(cache=True, nogil=True, fastmath={"reassoc", "nsz"})
def filter_rows(predicted: Real, likelihoods: Real, filtered: Real, scales: Real) -> None:
    """Predicted states (n, S) or (1, S) times likelihoods (n, S), normalised; sums to `scales`."""
    for i in range(likelihoods.shape[0]):
        before = predicted[i if predicted.shape[0] > 1 else 0]
        total = filtered.dtype.type(0)
        for s in range(likelihoods.shape[1]):
            filtered[i, s] = before[s] * likelihoods[i, s]
            total += filtered[i, s]
        share = 1 / total
        for s in range(likelihoods.shape[1]):
            filtered[i, s] *= share
        scales[i] = total


@njit(cache=True, nogil=True, fastmath={"reassoc", "nsz"})
def smooth_rows(onward: Real, filtered: Real, scales: Real, weights: Real, states: Real) -> None:
    """One step back.

    `onward` (m, S) are sums over what follows the first m rows, the others end here. `weights` (n, S)
    hold likelihoods and get what each frame weighs to the one before; `states` (n, S) get posteriors.
    """
    for i in range(filtered.shape[0]):
        share = 1 / scales[i]
        if i >= onward.shape[0]:
            for s in range(filtered.shape[1]):
                states[i, s] = filtered[i, s]
                weights[i, s] *= share
            continue
        total = filtered.dtype.type(0)
        for s in range(filtered.shape[1]):
            states[i, s] = filtered[i, s] * onward[i, s]
            total += states[i, s]
            weights[i, s] *= share * onward[i, s]
        whole = 1 / total
        for s in range(filtered.shape[1]):
            states[i, s] *= whole


@njit(cache=True, nogil=True)
def best_paths(
    log_start: Real,
    log_matrix: Real,
    logs: Real,
    starts: IntArray,
    lengths: IntArray,
    out: IntArray,
) -> None:
    """The likeliest states `out` (N,) of sequences of frames `logs` (N, S); ties to the lower state.

    Where a best path came from is looked up on the way back, along that path alone.
    """
    size = logs.shape[1]
    rows = (size + FOUR - 1) // FOUR * FOUR
    ways = np.full((rows, size), -np.inf, logs.dtype)
    ways[:size] = log_matrix
    best = np.full((lengths.max(), rows), -np.inf, logs.dtype)
    for sequence in range(len(starts)):
        start, length = starts[sequence], lengths[sequence]
        for s in range(size):
            best[0, s] = log_start[s] + logs[start, s]
        for time in range(1, length):
            before, here = best[time - 1], best[time]
            here[:size] = -np.inf
            for state in range(0, rows, FOUR):
                one, two = before[state], before[state + 1]
                three, four = before[state + 2], before[state + 3]
                for s in range(size):
                    first = max(one + ways[state, s], two + ways[state + 1, s])
                    second = max(three + ways[state + 2, s], four + ways[state + 3, s])
                    here[s] = max(here[s], first, second)
            for s in range(size):
                here[s] += logs[start + time, s]
        now = best[length - 1].argmax()
        for time in range(length - 1, -1, -1):
            out[start + time] = now
            if time:
                before, came = best[time - 1], 0
                for state in range(1, size):
                    if (
                        before[state] + log_matrix[state, now]
                        > before[came] + log_matrix[came, now]
                    ):
                        came = state
                now = came
