"""What is exact: the first-order optimum, the number of solutions, one solution drawn uniformly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musegen.search.kernels import LIMB_BITS, backward_limbs, backward_weights
from musegen.search.lattice import FloatArray, IntArray, Lattice
from musegen.search.reachability import alive, costs_to_go

__all__ = [
    "Optimum",
    "count_solutions",
    "first_order_optimum",
    "sample_uniform",
    "solution_weights",
]


@dataclass(frozen=True, slots=True)
class Optimum:
    """The cheapest complete path of a lattice."""

    cost: float  # first-order: of its candidates and of its pairs
    path: IntArray  # (T,) the first one by its indices if several cost the same


def first_order_optimum(lattice: Lattice) -> Optimum:
    """The cheapest complete path, exactly, by dynamic programming (Bellman 1957).

    Raises:
        InfeasibleError: there is no complete path.
    """
    onward = costs_to_go(lattice)
    totals = lattice.unary[0] + onward[0]
    if not np.isfinite(totals).any():
        alive(lattice)  # says where
    path = [int(np.argmin(totals))]
    for slot, table in enumerate(lattice.pairs, 1):
        follows, steps = table.row(path[-1])
        ahead = steps + (lattice.unary[slot][follows] + onward[slot][follows])
        path.append(int(follows[ahead.argmin()]))
    return Optimum(float(totals.min()), np.array(path))


def count_solutions(lattice: Lattice) -> int:
    """Exact number of complete paths, whatever they cost; 0 if there is none.

    Counts soon pass what a float or a machine word holds, so they are summed in limbs.
    """
    ways = (lattice.unary[-1] < np.inf).astype(np.uint64)[:, None]
    for table, unary in zip(reversed(lattice.pairs), lattice.unary[-2::-1], strict=True):
        ways = backward_limbs(table.indptr, table.successors, unary, ways)
        if not ways[:, -1].any():
            ways = np.ascontiguousarray(ways[:, :-1])
    return sum(int(limb) << (LIMB_BITS * place) for place, limb in enumerate(ways.sum(axis=0)))


def solution_weights(lattice: Lattice) -> tuple[FloatArray, ...]:
    """How many complete ways lead on from each candidate, up to one factor a slot, (N,) a slot.

    The largest of a slot is 1, so that nothing overflows; ratios within a slot hold to about
    1e-13.

    Raises:
        InfeasibleError: there is no complete path.
    """
    weights = [(lattice.unary[-1] < np.inf).astype(np.float64)]
    for table, unary in zip(reversed(lattice.pairs), lattice.unary[-2::-1], strict=True):
        sums = backward_weights(table.indptr, table.successors, unary, weights[-1])
        largest = sums.max(initial=0.0)
        weights.append(sums / largest if largest else sums)
    if not weights[-1].any():
        alive(lattice)  # says where
    return tuple(reversed(weights))


def sample_uniform(
    lattice: Lattice, rng: np.random.Generator, *, weights: Sequence[FloatArray] | None = None
) -> IntArray:
    """One complete path (T,), each equally likely: counted backwards, drawn forwards.

    Args:
        lattice: where to draw.
        rng: draws one number a slot.
        weights: `solution_weights(lattice)`, for those who draw often.

    Raises:
        InfeasibleError: there is no complete path.
    """
    ways = solution_weights(lattice) if weights is None else weights
    draws = rng.random(len(ways))
    path = [_pick(ways[0], draws[0])]
    for slot, table in enumerate(lattice.pairs, 1):
        follows, _ = table.row(path[-1])
        path.append(int(follows[_pick(ways[slot][follows], draws[slot])]))
    return np.array(path)


def _pick(weights: FloatArray, draw: float) -> int:
    """Index drawn in proportion to weights by a number of [0, 1)."""
    heaped = weights.cumsum()
    return int(heaped.searchsorted(draw * heaped[-1], side="right"))
