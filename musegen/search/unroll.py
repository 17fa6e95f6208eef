"""Long rules made first-order: what they remember of a path becomes part of its candidates.

A state is a candidate with all that the long rules know of the way to it (`memory.states`). Between
states the long rules look at neighbours only, so that optimum, number of solutions and uniform
draw are as exact as without long rules (`musegen.search.optimum`). States can be many: only those are
made through which a path may cost no more than a limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from musegen.search.lattice import BoolArray, FloatArray, IntArray, Lattice, PairTable
from musegen.search.memory import states
from musegen.search.protocols import LookBack, ShouldStop

__all__ = ["MOST_STATES", "TooManyError", "Unrolled", "unroll"]

MOST_STATES = 1 << 16  # of a slot
STEPS = 1 << 22  # most steps between two slots
CHUNK = 1 << 18  # steps that are judged at a time, at most
PACKED = 1 << 62  # codes of states stay below


class TooManyError(Exception):
    """The states are more than are allowed, or the search was stopped; never leaves the search."""


@dataclass(frozen=True, slots=True)
class Unrolled:
    """A lattice of states."""

    lattice: Lattice | None  # None if no path stays within the limit
    choices: tuple[IntArray, ...]  # candidate that each state of a slot stands for
    cut: float  # least that a path may cost which the limit left out; inf if it left none out

    def path(self, chosen: IntArray) -> IntArray:
        """Candidates (T,) of a path of states (T,)."""
        return np.array([slot[state] for slot, state in zip(self.choices, chosen, strict=True)])


@dataclass(frozen=True, slots=True)
class _Steps:
    """Steps from the states of a slot to candidates of the next."""

    parents: IntArray  # (E,) ascending
    candidates: IntArray  # (E,) ascending for each parent
    costs: FloatArray  # (E,) of the pair and of the long rules
    state: IntArray  # (E, M) what is remembered after each


def unroll(
    lattice: Lattice,
    onward: tuple[FloatArray, ...],
    look_back: LookBack | None,
    *,
    limit: float = np.inf,
    most: int = MOST_STATES,
    should_stop: ShouldStop | None = None,
) -> Unrolled:
    """The states through which paths lead that cost no more than a limit.

    Args:
        lattice: candidates and first-order costs.
        onward: `costs_to_go(lattice)`.
        look_back: the long rules; None if there are none.
        limit: every path that costs no more is there, dearer ones may be.
        most: states of a slot.
        should_stop: asked before each slot.

    Raises:
        TooManyError: more states than allowed, or stopped.
    """
    front = _Front(lattice, onward, look_back, limit)
    tables: list[PairTable] = []
    for slot in range(len(lattice.unary)):
        if should_stop is not None and should_stop():
            raise TooManyError
        table = front.advance(slot, most)
        if not len(front.costs):
            return Unrolled(None, (), front.cut)
        tables.append(table)
    unary = [costs[chosen] for costs, chosen in zip(lattice.unary, front.choices, strict=True)]
    unary[0] = unary[0] + tables[0].costs  # of the long rules, on the way into the first slot
    return Unrolled(Lattice(tuple(unary), tuple(tables[1:])), tuple(front.choices), front.cut)


class _Front:
    """The states of the latest slot, each with a path that leads to it and the least that one costs."""

    def __init__(
        self,
        lattice: Lattice,
        onward: tuple[FloatArray, ...],
        look_back: LookBack | None,
        limit: float,
    ) -> None:
        self.lattice, self.onward, self.look_back, self.limit = lattice, onward, look_back, limit
        self.paths = np.zeros((1, 0), np.int64)
        self.costs = np.zeros(1)
        self.choices: list[IntArray] = []
        self.cut = np.inf

    def advance(self, slot: int, most: int) -> PairTable:
        """Go on to the states of a slot; how they follow those of the slot before."""
        steps = _joined(self._steps(slot))
        if len(steps.costs) > STEPS:
            raise TooManyError
        places, successors = _numbered(steps.state)
        if len(places) > most:
            raise TooManyError
        reached = np.full(len(places), np.inf)
        np.minimum.at(
            reached,
            successors,
            self.costs[steps.parents] + steps.costs + self.lattice.unary[slot][steps.candidates],
        )
        counts = np.bincount(steps.parents, minlength=len(self.costs))
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        before = self.paths[steps.parents[places]]
        chosen = steps.candidates[places]
        self.paths = np.concatenate([before, chosen[:, None]], axis=1)
        self.costs = reached
        self.choices.append(chosen)
        return PairTable(indptr, successors.astype(np.int32), steps.costs)

    def _steps(self, slot: int) -> Iterator[_Steps]:
        """All steps within the limit, so many at a time as fit into memory."""
        ahead = self.lattice.unary[slot] + self.onward[slot]
        if slot == 0:
            first = np.flatnonzero(np.isfinite(ahead))
            yield self._judged(slot, np.zeros_like(first), first, np.zeros(len(first)), ahead)
            return
        table, last = self.lattice.pairs[slot - 1], self.paths[:, -1]
        rows = max(1, CHUNK // len(ahead))
        for start in range(0, len(last), rows):
            parents, candidates, steps = table.ways(
                ahead, np.ascontiguousarray(last[start : start + rows])
            )
            yield self._judged(slot, parents + start, candidates, steps, ahead)

    def _judged(
        self,
        slot: int,
        parents: IntArray,
        candidates: IntArray,
        costs: FloatArray,
        ahead: FloatArray,
    ) -> _Steps:
        """Steps with the costs of the long rules, those within the limit."""
        least = self.costs[parents] + costs + ahead[candidates]
        kept = self._within(least)
        parents, candidates = parents[kept], candidates[kept]
        costs, least = costs[kept], least[kept]
        if self.look_back is not None and len(parents):
            rows = slice(parents[0], parents[-1] + 1)
            added = self.look_back.costs(slot, self.paths[rows], parents - parents[0], candidates)
            kept = self._within(least + added)
            parents, candidates = parents[kept], candidates[kept]
            costs = costs[kept] + added[kept]
        paths = np.concatenate([self.paths[parents], candidates[:, None]], axis=1)
        return _Steps(parents, candidates, costs, states(self.look_back, paths))

    def _within(self, least: FloatArray) -> BoolArray:
        """Which costs are within the limit; remembers the least that is not."""
        within = np.isfinite(least) & (least <= self.limit)
        self.cut = min(self.cut, float(least[~within].min(initial=np.inf)))
        return within


def _joined(parts: Iterator[_Steps]) -> _Steps:
    found = list(parts)
    return _Steps(
        np.concatenate([part.parents for part in found]),
        np.concatenate([part.candidates for part in found]),
        np.concatenate([part.costs for part in found]),
        np.concatenate([part.state for part in found]),
    )


def _numbered(rows: IntArray) -> tuple[IntArray, IntArray]:
    """First place of each different row, in ascending order of the rows; and each row's number."""
    codes, span = np.zeros(len(rows), np.int64), 1
    for column in rows.T:
        low, high = int(column.min(initial=0)), int(column.max(initial=0))
        width = high - low + 1
        if span * width >= PACKED:
            known, codes = np.unique(codes, return_inverse=True)
            span = len(known)
        codes, span = codes * width + (column - low), span * width
    _, places, numbers = np.unique(codes, return_index=True, return_inverse=True)
    return places, numbers
