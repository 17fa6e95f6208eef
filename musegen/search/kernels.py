"""Loops over pair tables, compiled.

A table is three arrays, compressed rows: row i, the successors of candidate i, is
`successors[indptr[i]:indptr[i + 1]]`, ascending, with `costs` beside it. A unary cost of inf says
that a candidate is removed. Shapes are checked by the caller (`musegen.search.lattice`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from musegen.search.lattice import BoolArray, FloatArray, IntArray

    Successors = NDArray[np.int32]
    Limbs = NDArray[np.uint64]

__all__ = [
    "backward_costs",
    "backward_limbs",
    "backward_weights",
    "first_fault",
    "forward_alive",
    "grow",
]

LIMB_BITS = 32  # of a 64-bit word; the upper half holds carries, so that 2^32 terms can be added
LIMB_MASK = (1 << LIMB_BITS) - 1


@njit(cache=True, nogil=True)
def first_fault(indptr: IntArray, successors: Successors, costs: FloatArray) -> int:
    """Place of the first successor that does not ascend or costs nothing finite, else -1."""
    for i in range(len(indptr) - 1):
        least = 0
        for k in range(indptr[i], indptr[i + 1]):
            if successors[k] < least or not np.isfinite(costs[k]):
                return k
            least = successors[k] + 1
    return -1


@njit(cache=True, nogil=True)
def forward_alive(
    indptr: IntArray, successors: Successors, before: BoolArray, unary: FloatArray
) -> BoolArray:
    """Which candidates follow one that is reached: `before` (N,), `unary` (M,) -> (M,)."""
    alive = np.zeros(len(unary), np.bool_)
    for i in range(len(before)):
        if before[i]:
            for k in range(indptr[i], indptr[i + 1]):
                alive[successors[k]] = True
    for j in range(len(unary)):
        alive[j] &= unary[j] < np.inf
    return alive


@njit(cache=True, nogil=True)
def backward_costs(
    indptr: IntArray,
    successors: Successors,
    costs: FloatArray,
    unary: FloatArray,
    after: FloatArray,
) -> FloatArray:
    """Cheapest cost of going on from each candidate, its own left out: (N,), inf if removed.

    `after` (M,) is the cost of each candidate of the next slot with all that follows it.
    """
    onward = np.full(len(unary), np.inf)
    for i in range(len(unary)):
        if unary[i] < np.inf:
            best = np.inf
            for k in range(indptr[i], indptr[i + 1]):
                cost = costs[k] + after[successors[k]]
                if cost < best:  # min() would keep a NaN, and costs two branches
                    best = cost
            onward[i] = best
    return onward


@njit(cache=True, nogil=True)
def backward_weights(
    indptr: IntArray, successors: Successors, unary: FloatArray, after: FloatArray
) -> FloatArray:
    """Sum of the weights of each candidate's successors (N,), 0 if removed."""
    weights = np.zeros(len(unary))
    for i in range(len(unary)):
        if unary[i] < np.inf:
            total = 0.0
            for k in range(indptr[i], indptr[i + 1]):
                total += after[successors[k]]
            weights[i] = total
    return weights


@njit(cache=True, nogil=True)
def backward_limbs(
    indptr: IntArray, successors: Successors, unary: FloatArray, after: Limbs
) -> Limbs:
    """Exact sums of whole numbers of any size: `after` (M, L) -> (N, L + 1), 0 if removed.

    A number is L limbs of 32 bits, lowest first, each in a 64-bit word.
    """
    length = after.shape[1]
    ways = np.zeros((len(unary), length + 1), np.uint64)
    for i in range(len(unary)):
        if unary[i] < np.inf:
            for k in range(indptr[i], indptr[i + 1]):
                j = successors[k]
                for limb in range(length):
                    ways[i, limb] += after[j, limb]
            carry = np.uint64(0)
            for limb in range(length + 1):
                total = ways[i, limb] + carry
                ways[i, limb] = total & np.uint64(LIMB_MASK)
                carry = total >> np.uint64(LIMB_BITS)
    return ways


@njit(cache=True, nogil=True)
def grow(
    indptr: IntArray,
    successors: Successors,
    costs: FloatArray,
    after: FloatArray,
    last: IntArray,
) -> tuple[Any, Any, Any]:
    """Successors of hypotheses that end in the candidates `last` (B,), if they reach the end.

    `after` (M,) is the cost of each candidate of the next slot with all that follows it; inf is
    left out. Returns parents (K,), candidates (K,) and pair costs (K,), in ascending order of
    parent, then candidate.
    """
    count = 0
    for i in last:
        for k in range(indptr[i], indptr[i + 1]):
            count += after[successors[k]] < np.inf
    parents = np.empty(count, np.int64)
    candidates = np.empty(count, np.int64)
    steps = np.empty(count)
    n = 0
    for b in range(len(last)):
        for k in range(indptr[last[b]], indptr[last[b] + 1]):
            j = successors[k]
            if after[j] < np.inf:
                parents[n], candidates[n], steps[n] = b, j, costs[k]
                n += 1
    return parents, candidates, steps
