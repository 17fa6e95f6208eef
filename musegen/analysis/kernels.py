"""Loops of the analysis, compiled. Callers check the shapes."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["viterbi_keys"]


@njit(cache=True)
def viterbi_keys(
    emission: NDArray[np.float64],
    transition: NDArray[np.float64],
    chord: NDArray[np.int64],
    first: NDArray[np.int64],
    group: NDArray[np.int64],
    groups: int,
    weight: NDArray[np.float64],
    stay: NDArray[np.float64],
    pivot: NDArray[np.float64],
    jump: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Best path of states (key, chord): dense inside a key, through pivots between keys.

    Before each step a state may be read as the same chord of another key (its group) at the price
    `pivot[t]`; besides, any state may be entered from the best of all at the price `jump[t]`.

    Args:
        emission: (T, S) log scores, -inf where a state is left out.
        transition: (C, C) log scores of chord after chord, none above 0.
        chord: (S,) chord of each state.
        first: (K + 1,) first state of each key.
        group: (S,) states that sound the same share a group.
        groups: number of groups.
        weight: (T,) share of the transition score that counts at step t.
        stay: (T,) score of going on with the same chord, added; none above 0.
        pivot: (T,) price of a pivot before step t.
        jump: (T,) price of a leap between keys before step t.

    Returns:
        (T,) states.
    """
    length, states = emission.shape
    keys = len(first) - 1
    score = emission[0].copy()
    back = np.zeros((length, states), np.int64)
    best_of_group = np.zeros(groups, np.int64)
    source = np.zeros(states, np.int64)
    read = np.zeros(states)
    for t in range(1, length):
        best_of_group[:] = -1
        best = 0
        for s in range(states):
            g = group[s]
            if best_of_group[g] < 0 or score[s] > score[best_of_group[g]]:
                best_of_group[g] = s
            if score[s] > score[best]:
                best = s
        for s in range(states):
            other = best_of_group[group[s]]
            read[s], source[s] = score[s], s
            if score[other] - pivot[t] > read[s]:
                read[s], source[s] = score[other] - pivot[t], other
        fresh = np.full(states, -np.inf)
        leap = score[best] - jump[t]
        for k in range(keys):
            for s in range(first[k], first[k + 1]):
                if emission[t, s] == -np.inf:
                    continue
                top, origin = leap, best
                for r in range(first[k], first[k + 1]):
                    if read[r] <= top:
                        continue
                    value = read[r] + weight[t] * transition[chord[r], chord[s]]
                    if chord[r] == chord[s]:
                        value += stay[t]
                    if value > top:
                        top, origin = value, source[r]
                fresh[s] = top + emission[t, s]
                back[t, s] = origin
        score = fresh
    path = np.zeros(length, np.int64)
    path[length - 1] = np.argmax(score)
    for t in range(length - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return path
