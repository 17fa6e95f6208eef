"""What is exact: the first-order optimum, the number of solutions, one solution drawn uniformly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from musegen.search.lattice import FloatArray, IntArray, Lattice, PairTable
from musegen.search.reachability import alive, costs_to_go

__all__ = ["Optimum", "count_solutions", "first_order_optimum", "sample_uniform"]


@dataclass(frozen=True, slots=True)
class Optimum:
    """The cheapest path of a lattice."""

    cost: float
    path: IntArray  # (T,)


def first_order_optimum(lattice: Lattice) -> Optimum:
    """The cheapest complete path, exactly, by dynamic programming (Bellman 1957).

    Raises:
        InfeasibleError: there is no complete path.
    """
    alive(lattice)
    goes = costs_to_go(lattice)
    path = [int(np.argmin(goes[0]))]
    for place, table in enumerate(lattice.pairs, 1):
        begin, end = table.indptr[path[-1]], table.indptr[path[-1] + 1]
        onward = table.costs[begin:end] + goes[place][table.successors[begin:end]]
        path.append(int(table.successors[begin + int(np.argmin(onward))]))
    return Optimum(float(goes[0].min()), np.array(path))


def count_solutions(lattice: Lattice) -> int:
    """Exact number of complete paths, whatever they cost."""
    return sum(_ways(lattice)[0])


def _ways(lattice: Lattice) -> list[list[int]]:
    """Number of complete paths from each candidate on; Python integers, since floats overflow."""
    ways = [[int(np.isfinite(cost)) for cost in lattice.unary[-1]]]
    for unary, table in zip(lattice.unary[-2::-1], lattice.pairs[::-1], strict=True):
        after = ways[-1]
        ways.append([
            sum(after[j] for j in _row(table, i)) if np.isfinite(cost) else 0
            for i, cost in enumerate(unary)
        ])
    return ways[::-1]


def _row(table: PairTable, i: int) -> list[int]:
    found: list[int] = table.successors[table.indptr[i]:table.indptr[i + 1]].tolist()
    return found


def sample_uniform(lattice: Lattice, *, rng: np.random.Generator) -> IntArray:
    """One complete path, each equally likely: backward counting, then a forward draw.

    Raises:
        InfeasibleError: there is no complete path.
    """
    alive(lattice)
    ways = _ways(lattice)
    choices = list(range(len(ways[0])))
    path: list[int] = []
    for place, counts in enumerate(ways):
        weights = [counts[choice] for choice in choices]
        path.append(choices[_draw(weights, rng)])
        if place < len(lattice.pairs):
            choices = _row(lattice.pairs[place], path[-1])
    return np.array(path)


def _draw(weights: list[int], rng: np.random.Generator) -> int:
    total = sum(weights)
    shares: FloatArray = np.array([weight / total for weight in weights])
    return int(rng.choice(len(weights), p=shares / shares.sum()))
