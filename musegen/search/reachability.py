"""Which candidates lie on a complete path: what cannot reach the end is gone before the beam walks."""

from __future__ import annotations

import numpy as np

from musegen.search.errors import InfeasibleError
from musegen.search.lattice import BoolArray, FloatArray, Lattice, Pairs, PairTable

__all__ = ["alive", "costs_to_go", "prune"]


def costs_to_go(lattice: Lattice) -> tuple[FloatArray, ...]:
    """Exact cheapest first-order cost from each candidate to the end, (N,) a slot.

    The candidate's own cost is left out, so that the last slot has zeros; inf where there is no
    way, or where the candidate is removed. Never above the cost of any way on: an admissible
    heuristic (Hart, Nilsson and Raphael 1968).
    """
    costs = [np.where(lattice.unary[-1] < np.inf, 0.0, np.inf)]
    for slot in range(len(lattice.pairs) - 1, -1, -1):
        after = lattice.unary[slot + 1] + costs[-1]
        costs.append(lattice.pairs[slot].onward(lattice.unary[slot], after))
    return tuple(reversed(costs))


def alive(lattice: Lattice) -> tuple[BoolArray, ...]:
    """Which candidates lie on a complete path, (N,) a slot.

    Raises:
        InfeasibleError: there is no complete path; names the first slot that cannot be reached
            from the start and the last one that cannot reach the end.
    """
    reached = _reached(lattice)
    leads = [np.isfinite(cost) for cost in costs_to_go(lattice)]
    if not (reached[-1] & leads[-1]).any():
        left = min(slot for slot, mask in enumerate(reached) if not mask.any())
        right = max(slot for slot, mask in enumerate(leads) if not mask.any())
        raise InfeasibleError(left, _problem(lattice, left, right), from_right=right)
    return tuple(forth & back for forth, back in zip(reached, leads, strict=True))


def _reached(lattice: Lattice) -> list[BoolArray]:
    """Which candidates can be reached from the start, (N,) a slot."""
    masks = [lattice.unary[0] < np.inf]
    for table, unary in zip(lattice.pairs, lattice.unary[1:], strict=True):
        masks.append(table.reached(masks[-1], unary))
    return masks


def _problem(lattice: Lattice, left: int, right: int) -> str:
    count = int((lattice.unary[left] < np.inf).sum())
    if not count:
        return f"none of {len(lattice.unary[left])} candidates is left; it needs one"
    return (
        f"none of {count} candidates may follow any that is reached at slot {left - 1}; "
        f"from the end, nothing leads on at slot {right}"
    )


def prune(lattice: Lattice) -> Lattice:
    """The same lattice without what lies on no complete path; indices stay.

    Dead candidates cost inf, and every pair that is left lies on a complete path.

    Raises:
        InfeasibleError: there is no complete path.
    """
    masks = alive(lattice)
    unary = tuple(
        np.where(mask, cost, np.inf) for mask, cost in zip(masks, lattice.unary, strict=True)
    )
    pairs = zip(lattice.pairs, masks, masks[1:], strict=False)
    return Lattice(unary, tuple(_pruned(table, before, after) for table, before, after in pairs))


def _pruned(table: Pairs, before: BoolArray, after: BoolArray) -> PairTable:
    kept = np.repeat(before, np.diff(table.indptr)) & after[table.successors]
    indptr = np.concatenate([[0], np.cumsum(kept)])[table.indptr]
    return PairTable(indptr, table.successors[kept], table.costs[kept])
