"""Loops over lattices, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["backward_costs", "forward_alive"]


@njit(cache=True, nogil=True)
def backward_costs(indptr, successors, costs, unary, after):  # type: ignore[no-untyped-def]
    """Cheapest cost to go from each candidate: own cost, the move, and the rest (N,)."""
    best = np.full(len(unary), np.inf)
    for i in range(len(unary)):
        if unary[i] == np.inf:
            continue
        for k in range(indptr[i], indptr[i + 1]):
            cost = costs[k] + after[successors[k]]
            if cost < best[i]:
                best[i] = cost
        best[i] += unary[i]
    return best


@njit(cache=True, nogil=True)
def forward_alive(indptr, successors, before, unary):  # type: ignore[no-untyped-def]
    """Which candidates are reached from a live one before (M,)."""
    alive = np.zeros(len(unary), np.bool_)
    for i in range(len(before)):
        if before[i]:
            for k in range(indptr[i], indptr[i + 1]):
                alive[successors[k]] = unary[successors[k]] < np.inf
    return alive
