"""Which candidates lie on a complete path: what cannot reach the end is gone before the beam walks."""

from __future__ import annotations

import numpy as np

from musegen.search.errors import InfeasibleError
from musegen.search.kernels import backward_costs, forward_alive
from musegen.search.lattice import BoolArray, FloatArray, Lattice

__all__ = ["alive", "costs_to_go"]


def costs_to_go(lattice: Lattice) -> tuple[FloatArray, ...]:
    """Exact cheapest cost from each candidate to the end, its own included; inf if there is no way."""
    last = lattice.unary[-1]
    costs = [last]
    for unary, table in zip(lattice.unary[-2::-1], lattice.pairs[::-1], strict=True):
        costs.append(
            backward_costs(table.indptr, table.successors, table.costs, unary, costs[-1]))
    return tuple(costs[::-1])


def alive(lattice: Lattice) -> tuple[BoolArray, ...]:
    """Which candidates lie on a complete path, (N,) a slot.

    Raises:
        InfeasibleError: there is no complete path; names the first slot that cannot be passed.
    """
    reached = np.isfinite(lattice.unary[0])
    masks = [reached]
    for place, table in enumerate(lattice.pairs, 1):
        reached = forward_alive(table.indptr, table.successors, reached, lattice.unary[place])
        if not reached.any():
            raise InfeasibleError(place, "no candidate may follow those of the slot before")
        masks.append(reached)
    goes = costs_to_go(lattice)
    return tuple(mask & np.isfinite(cost) for mask, cost in zip(masks, goes, strict=True))
