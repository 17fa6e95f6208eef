"""Forward, backward and Viterbi recursions for many sequences at a time.

Sequences stand side by side, the longest first, so that a step in time is one matrix product over
those that still go on: the recursion runs at the speed of BLAS, in the floating type of its input
(float32 to learn, float64 to tell a likelihood). Rabiner 1989, scaled form.

A transition is anything that moves probabilities a step on, a step back, and counts expected moves:
one matrix, or one for each of several chains that run side by side (Ghahramani and Jordan 1997).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Batch",
    "Dense",
    "Expected",
    "Factorial",
    "Transition",
    "batch_of",
    "forward_log_likelihoods",
    "posteriors",
    "viterbi",
]

Real = NDArray[Any]  # float32 or float64
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Batch:
    """Where the frames of sequences stand, time by time."""

    order: IntArray  # (B,) sequences, the longest first
    active: IntArray  # (T,) how many of them have a frame at each time
    rows: tuple[IntArray, ...]  # (active[t],) a time: rows of the joined frames

    @property
    def size(self) -> int:
        """Frames of all sequences together."""
        return int(self.active.sum())


def batch_of(lengths: Sequence[int]) -> Batch:
    """The batch of sequences of these lengths, whose frames are joined one after another."""
    sizes = np.asarray(lengths)
    order = np.argsort(-sizes, kind="stable")
    starts = (np.cumsum(sizes) - sizes)[order]
    active = np.array([int((sizes > time).sum()) for time in range(int(sizes.max()))])
    return Batch(order, active, tuple(starts[:count] + time for time, count in enumerate(active)))


class Transition(Protocol):
    """How states follow each other."""

    @property
    def start(self) -> Real:
        """Probability of each state at the first frame, (S,)."""

    def ahead(self, before: Real) -> Real:
        """Probabilities (n, S) one step on."""

    def back(self, after: Real) -> Real:
        """Sums (n, S) over what follows, weighted by the way there."""


@dataclass(frozen=True, slots=True)
class Dense:
    """One chain."""

    start: Real  # (S,)
    matrix: Real  # (S, S): from row to column

    def ahead(self, before: Real) -> Real:
        """Probabilities one step on."""
        return before @ self.matrix

    def back(self, after: Real) -> Real:
        """Sums over what follows."""
        return after @ self.matrix.T


@dataclass(frozen=True, slots=True)
class Factorial:
    """Two chains that move on their own; state (i, j) is number i times the second's size plus j."""

    first: Dense
    second: Dense

    @property
    def shape(self) -> tuple[int, int]:
        """States of each chain."""
        return len(self.first.start), len(self.second.start)

    @property
    def start(self) -> Real:
        """Probability of each pair of states at the first frame."""
        pairs: Real = np.outer(self.first.start, self.second.start).ravel()
        return pairs

    def ahead(self, before: Real) -> Real:
        """Probabilities one step on: each chain by its own matrix."""
        return self._moved(before, self.first.matrix.T, self.second.matrix)

    def back(self, after: Real) -> Real:
        """Sums over what follows."""
        return self._moved(after, self.first.matrix, self.second.matrix.T)

    def _moved(self, values: Real, left: Real, right: Real) -> Real:
        pairs = values.reshape(len(values), *self.shape)
        moved: Real = np.matmul(np.matmul(left, pairs), right).reshape(len(values), -1)
        return moved


# --- evaluate -------------------------------------------------------------------------------


def _scaled(log_likelihoods: Real) -> tuple[Real, Real]:
    """Likelihoods (N, S) whose largest is 1 in each frame, and the logs that were taken out."""
    top = log_likelihoods.max(axis=1)
    return np.exp(log_likelihoods - top[:, None]), top


def _forward(transition: Transition, likelihoods: Real, batch: Batch) -> tuple[Real, Real]:
    """Filtered states (N, S), and the scale of each frame (N,)."""
    filtered = np.empty_like(likelihoods)
    scales = np.empty(len(likelihoods), likelihoods.dtype)
    now = np.tile(transition.start.astype(likelihoods.dtype), (batch.active[0], 1))
    for time, rows in enumerate(batch.rows):
        if time:
            now = transition.ahead(now[: len(rows)])
        now = now * likelihoods[rows]
        scale = now.sum(axis=1)
        now /= scale[:, None]
        filtered[rows], scales[rows] = now, scale
    return filtered, scales


def forward_log_likelihoods(
    transition: Transition, log_likelihoods: Real, batch: Batch
) -> FloatArray:
    """Natural-log probability (N,) of each frame given those before it in its sequence.

    Args:
        transition: of the states.
        log_likelihoods: (N, S) of each frame in each state.
        batch: where the sequences lie.
    """
    likelihoods, top = _scaled(log_likelihoods)
    _, scales = _forward(transition, likelihoods, batch)
    found: FloatArray = (np.log(scales) + top).astype(np.float64)
    return found


# --- learn ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Expected:
    """What one pass over the data expects."""

    log_likelihood: float  # nats, all frames together
    states: Real  # (N, S) posterior of each frame
    first: Real  # (S,) expected states of the first frames
    before: Real  # (M, S) filtered states of frames that have a next one
    after: Real  # (M, S) what the next frames weigh; moves are before' after times the matrix


def posteriors(transition: Transition, log_likelihoods: Real, batch: Batch) -> Expected:
    """The E step of Baum-Welch (Baum et al. 1970).

    Args:
        transition: of the states.
        log_likelihoods: (N, S) of each frame in each state.
        batch: where the sequences lie.
    """
    likelihoods, top = _scaled(log_likelihoods)
    filtered, scales = _forward(transition, likelihoods, batch)
    states = np.empty_like(filtered)
    weights = likelihoods / scales[:, None]  # times backward sums: what each frame weighs
    ahead = np.ones((0, filtered.shape[1]), filtered.dtype)
    for rows in reversed(batch.rows):
        onward = np.ones((len(rows), filtered.shape[1]), filtered.dtype)
        if len(ahead):
            onward[: len(ahead)] = transition.back(ahead)
        states[rows] = filtered[rows] * onward
        weights[rows] *= onward
        ahead = weights[rows]
    states /= states.sum(axis=1, keepdims=True)
    nats = float((np.log(scales.astype(np.float64)) + top).sum())
    nexts = np.concatenate([batch.rows[0][:0], *batch.rows[1:]])
    first = states[batch.rows[0]].sum(axis=0)
    return Expected(nats, states, first, filtered[nexts - 1], weights[nexts])


# --- decode ---------------------------------------------------------------------------------


def viterbi(start: FloatArray, matrix: FloatArray, log_likelihoods: Real, batch: Batch) -> IntArray:
    """The likeliest states (N,) of each sequence (Viterbi 1967); ties fall to the lower state.

    Args:
        start: (S,) probabilities.
        matrix: (S, S) probabilities, from row to column.
        log_likelihoods: (N, S) of each frame in each state.
        batch: where the sequences lie.
    """
    with np.errstate(divide="ignore"):
        log_start, log_matrix = np.log(start), np.log(matrix)
    best = log_start + log_likelihoods[batch.rows[0]]
    came: list[IntArray] = []
    ends = np.zeros(len(batch.order), np.int64)
    for time, rows in enumerate(batch.rows):
        if time:
            ends[len(rows) : len(best)] = best[len(rows) :].argmax(axis=1)
            ways = best[: len(rows), :, None] + log_matrix
            came.append(ways.argmax(axis=1))
            best = ways.max(axis=1) + log_likelihoods[rows]
    ends[: len(best)] = best.argmax(axis=1)
    states = np.empty(batch.size, np.int64)
    now = ends[: batch.active[-1]]
    for time in range(len(batch.rows) - 1, -1, -1):
        rows = batch.rows[time]
        now = np.concatenate([now, ends[len(now) : len(rows)]])
        states[rows] = now
        if time:
            now = came[time - 1][np.arange(len(now)), now]
    return states
