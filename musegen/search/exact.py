"""The cheapest paths under first-order costs and long rules together, and the proof.

Without long rules this is dynamic programming. With them, states are unrolled within a limit on
the cost, the exact first-order cost to go for a bound (long rules can but add to it): breadth-first
heuristic search (Zhou and Hansen 2006) with the limit raised as in iterative deepening (Korf 1985)
up to the cost of a path that a beam has found. What a limit left out tells how cheap any other path
could be: where the states become too many, or time ends, that bound is what is proved.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from musegen.search.beam import beam_search, complete_search
from musegen.search.errors import DeadEndError, SearchInputError
from musegen.search.lattice import IntArray, Lattice
from musegen.search.optimum import first_order_optimum
from musegen.search.protocols import LookBack, ShouldStop
from musegen.search.reachability import alive, costs_to_go
from musegen.search.unroll import MOST_STATES, TooManyError, unroll

__all__ = ["Exact", "cheapest_paths", "exact_search"]

FIRST_STEP = 1 / 8  # of the way from the bound to the beam's path: the first limit
LEAST_STEP = 0.25  # by which a limit is raised at least
ROUNDING = 1e-9  # costs that are nearer, relatively, count as equal: sums are rounded


@dataclass(frozen=True, slots=True)
class Exact:
    """The cheapest paths, and what is proved of them."""

    paths: tuple[IntArray, ...]  # (T,) each, cheapest first; equals in lexicographic order
    costs: tuple[float, ...]  # of the lattice and of the long rules
    bound: float  # no path that is not among them costs less; the last one's cost if proved
    proved: bool  # whether these are the cheapest of all; else they are the best that was found
    stopped: bool  # whether it was stopped
    states: int  # of the largest slot that was made


def exact_search(
    lattice: Lattice,
    *,
    look_back: LookBack | None = None,
    top: int = 1,
    width: int = 32,
    most: int = MOST_STATES,
    should_stop: ShouldStop | None = None,
) -> Exact:
    """The `top` cheapest paths.

    Args:
        lattice: candidates and first-order costs.
        look_back: rules that look further back; None if there are none.
        top: how many paths; fewer if there are no more.
        width: of the beam whose path bounds the cost.
        most: states of a slot that are made at most.
        should_stop: asked before each slot.

    Raises:
        InfeasibleError: there is no complete path under the first-order rules.
        DeadEndError: there is none under the long rules: proved; or stopped before it was known.
        SearchInputError: an option out of its range, or an answer of the long rules that is none.
    """
    for name, value in (("top", top), ("most", most)):
        if value < 1:
            raise SearchInputError(name, value, "1 or more")
    onward = costs_to_go(lattice)
    bound = float((lattice.unary[0] + onward[0]).min())
    if not np.isfinite(bound):
        alive(lattice)  # says where
    known = _known(lattice, look_back, width, should_stop)
    limits = _limits(bound, known.costs[0])
    limit, largest = next(limits), 0
    while True:
        try:
            made = unroll(
                lattice,
                onward,
                look_back,
                limit=_rounded(limit),
                most=most,
                should_stop=should_stop,
            )
        except TooManyError:
            stopped = should_stop is not None and should_stop()
            return replace(known, bound=bound, stopped=stopped, states=largest)
        largest = max(largest, *map(len, made.choices), 0)
        found = [] if made.lattice is None else _cheapest(made.lattice, top, made.cut)
        if found:
            paths = tuple(made.path(path) for _, path in found)
            costs = tuple(cost for cost, _ in found)
            known = Exact(paths, costs, costs[-1], proved=True, stopped=False, states=largest)
        if len(found) == top or made.cut == np.inf:
            return known
        known = replace(known, proved=False)
        bound = max(bound, min(made.cut, known.costs[0]))
        while limit < made.cut:
            limit = next(limits)


def _limits(bound: float, known: float) -> Iterator[float]:
    """Rising limits on the cost, in doubled steps, that do not step over the cost that is known."""
    step = max(LEAST_STEP, FIRST_STEP * (known - bound))
    limit = bound
    while True:
        yield limit
        above = limit + step
        limit = known if limit < known < above else above
        step *= 2


def _rounded(limit: float) -> float:
    return limit + ROUNDING * (1 + abs(limit))


def _known(
    lattice: Lattice, look_back: LookBack | None, width: int, should_stop: ShouldStop | None
) -> Exact:
    """A path that is not proved to be the cheapest."""
    try:
        found = beam_search(lattice, look_back=look_back, width=width)
    except DeadEndError:
        found = complete_search(lattice, look_back=look_back, should_stop=should_stop)
    cost = -found.scores[0]
    return Exact(found.paths[:1], (cost,), -np.inf, proved=False, stopped=False, states=0)


def _cheapest(lattice: Lattice, top: int, limit: float) -> list[tuple[float, IntArray]]:
    """Costs and paths of the cheapest, as far as they are within the limit."""
    if top == 1:
        best = first_order_optimum(lattice)
        return [(best.cost, best.path)] if best.cost <= limit else []
    return list(islice(cheapest_paths(lattice, limit=limit), top))


def cheapest_paths(lattice: Lattice, *, limit: float = np.inf) -> Iterator[tuple[float, IntArray]]:
    """First-order costs and complete paths (T,), cheapest first, equals in lexicographic order.

    Best-first (Hart, Nilsson and Raphael 1968) with the exact cost to go, so that what is taken up
    is the beginning of the next cheapest path and nothing else; equal costs by rounding apart.

    Args:
        lattice: candidates and first-order costs.
        limit: ends the list.
    """
    onward = costs_to_go(lattice)
    ahead = [unary + rest for unary, rest in zip(lattice.unary, onward, strict=True)]
    firsts = np.flatnonzero(np.isfinite(ahead[0]) & (ahead[0] <= limit)).tolist()
    heap: list[tuple[float, tuple[int, ...], float]] = [
        (float(ahead[0][first]), (first,), 0.0) for first in firsts
    ]
    heapq.heapify(heap)
    while heap:
        total, path, before = heapq.heappop(heap)
        slot = len(path)
        if slot == len(lattice.unary):
            yield total, np.array(path)
            continue
        spent = before + float(lattice.unary[slot - 1][path[-1]])
        _, follows, steps = lattice.pairs[slot - 1].ways(ahead[slot], np.array(path[-1:]))
        steps += spent
        totals = steps + ahead[slot][follows]
        for place in np.flatnonzero(totals <= limit).tolist():
            entry = (float(totals[place]), (*path, int(follows[place])), float(steps[place]))
            heapq.heappush(heap, entry)
