"""Pairs that are judged when they are asked for.

Where a slot has hundreds of candidates, judging every pair costs far more than any search needs.
Candidates come in kinds (chords), and for each pair of kinds a bound is known below which no pair
of theirs costs: judging can but add. So the cheapest way on from a candidate is found by judging
its successors in ascending order of bound and cost onward, up to the first whose bound is no
better than what was found: exact, by few judgements (branch and bound; Land and Doig 1960). The
bounds make one ranking a kind, which all candidates of the kind share, and those that are still
open are judged together, ever more successors at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from musegen.search.errors import SearchInputError
from musegen.search.kernels import grow
from musegen.search.lattice import BoolArray, FloatArray, IntArray, PairTable

__all__ = ["Judge", "LazyPairTable"]

FIRST = 2  # successors that are judged at once; each further round takes twice as many
BLOCK = 1 << 18  # pairs that are judged at once where all are

Row = tuple[NDArray[np.int32], FloatArray]  # legal successors and their costs


class Judge(Protocol):
    """Says what pairs cost."""

    def __call__(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """Cost (K,) of each pair of candidates (K,) and (K,); inf if it is forbidden.

        It is never below the bound of the two kinds, and the same whenever it is asked.
        """


class LazyPairTable:
    """Legal successors of each candidate of a slot, of which only a bound is known at first.

    It is a `Pairs`: it answers as the `PairTable` of all its pairs would. The three arrays judge
    what is not yet known, once.

    Args:
        before: (N,) kind of each candidate.
        after: (M,) kind of each candidate of the next slot.
        bounds: (kinds, kinds) what a pair of two kinds costs at least; inf if none may follow.
        judge: says what a pair costs.

    Raises:
        SearchInputError: a kind without a bound, or a bound that is NaN or -inf.
    """

    __slots__ = ("_after", "_before", "_bounds", "_judge", "_onward", "_rows", "_table", "judged")

    def __init__(self, before: IntArray, after: IntArray, bounds: FloatArray, judge: Judge) -> None:
        """Check the bounds and note the rest."""
        kinds = tuple(int(each.max(initial=-1)) + 1 for each in (before, after))
        if bounds.ndim != 2 or bounds.shape[0] < kinds[0] or bounds.shape[1] < kinds[1]:
            raise SearchInputError("bounds of kinds", f"shape {bounds.shape}", f"at least {kinds}")
        if np.isnan(bounds).any() or (bounds == -np.inf).any():
            raise SearchInputError("bounds of kinds", "NaN or -inf", "finite, or inf for forbidden")
        self._before, self._after, self._bounds, self._judge = before, after, bounds, judge
        self._rows: dict[int, Row] = {}
        self._table: PairTable | None = None
        self._onward: tuple[FloatArray, FloatArray, FloatArray] | None = None
        self.judged = 0  # pairs so far

    @property
    def shape(self) -> tuple[int, int]:
        """Candidates of the slot and of the next."""
        return len(self._before), len(self._after)

    @property
    def gated(self) -> int:
        """How many pairs are of kinds that may follow one another."""
        before = np.bincount(self._before, minlength=self._bounds.shape[0])
        after = np.bincount(self._after, minlength=self._bounds.shape[1])
        return int(before @ np.isfinite(self._bounds) @ after)

    @property
    def indptr(self) -> IntArray:
        """Row pointers (N + 1,)."""
        return self.table().indptr

    @property
    def successors(self) -> NDArray[np.int32]:
        """Legal successors (nnz,), ascending in each row."""
        return self.table().successors

    @property
    def costs(self) -> FloatArray:
        """Their costs (nnz,)."""
        return self.table().costs

    def table(self) -> PairTable:
        """All legal pairs; they are judged at the first call."""
        if self._table is None:
            known = self._known(np.arange(len(self._before)))
            self._table = _table_of(known, range(len(self._before)))
            self._rows = {}
        return self._table

    def row(self, candidate: int) -> Row:
        """Legal successors of a candidate, and their costs."""
        if self._table is not None:
            return self._table.row(candidate)
        return self._known(np.array([candidate]))[candidate]

    def onward(self, unary: FloatArray, after: FloatArray) -> FloatArray:
        """Cheapest cost of going on from each candidate; see `Pairs`."""
        if self._table is not None:
            return self._table.onward(unary, after)
        if self._onward is not None:
            *asked, found = self._onward
            if np.array_equal(asked[0], unary) and np.array_equal(asked[1], after):
                return found
        found = self._cheapest(np.flatnonzero(unary < np.inf), after)
        self._onward = (unary, after, found)
        return found

    def _cheapest(self, live: IntArray, after: FloatArray) -> FloatArray:
        """Cheapest way on from candidates that live, (N,); inf for others."""
        best = np.full(len(self._before), np.inf)
        order, lows = self._ranking(after)
        start, count = 0, FIRST
        while len(live) and start < order.shape[1]:
            kinds, block = self._before[live], slice(start, start + count)
            asked = lows[kinds, block] < best[live, None]
            rows, columns = np.nonzero(asked)[0], order[kinds, block][asked]
            price = np.full(asked.shape, np.inf)
            price[asked] = self._judged(live[rows], columns) + after[columns]
            best[live] = np.minimum(best[live], price.min(axis=1))
            start, count = start + count, 2 * count
            if start < order.shape[1]:
                live = live[lows[kinds, start] < best[live]]
        return best

    def _ranking(self, after: FloatArray) -> tuple[IntArray, FloatArray]:
        """For each kind the successors (kinds, M) by what they cost at least, and those costs."""
        bounds = self._bounds[:, self._after] + after
        order = np.argsort(bounds, axis=1)
        return order, np.take_along_axis(bounds, order, axis=1)

    def reached(self, before: BoolArray, unary: FloatArray) -> BoolArray:
        """Which candidates of the next slot follow one that is reached; see `Pairs`."""
        if self._table is not None:
            return self._table.reached(before, unary)
        found = np.zeros(len(unary), np.bool_)
        live = np.flatnonzero(unary < np.inf)
        rows = np.flatnonzero(before)
        start, count = 0, FIRST
        while len(live) and start < len(rows):
            block = rows[start : start + count]
            gate = np.isfinite(self._bounds[self._before[block]][:, self._after[live]])
            above, beside = np.nonzero(gate)
            legal = np.isfinite(self._judged(block[above], live[beside]))
            found[live[beside[legal]]] = True
            live = live[~found[live]]
            start, count = start + count, 2 * count
        return found

    def ways(self, after: FloatArray, last: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
        """Ways on of hypotheses that end in some candidates; see `Pairs`."""
        if self._table is not None:
            return self._table.ways(after, last)
        asked, places = np.unique(last, return_inverse=True)
        some = _table_of(self._known(asked), asked.tolist())
        found: tuple[IntArray, IntArray, FloatArray] = grow(
            some.indptr, some.successors, some.costs, after, places
        )
        return found

    def _known(self, rows: IntArray) -> Mapping[int, Row]:
        """What is known once all pairs of some rows are judged, some at a time."""
        known = self._rows
        new = np.array([row for row in rows.tolist() if row not in known], np.int64)
        step = max(1, BLOCK // max(1, len(self._after)))
        for start in range(0, len(new), step):
            known.update(self._rows_of(new[start : start + step]))
        return known

    def _rows_of(self, rows: IntArray) -> Iterable[tuple[int, Row]]:
        gate = np.isfinite(self._bounds)[self._before[rows]][:, self._after]
        above, columns = np.nonzero(gate)
        price = self._judged(rows[above], columns)
        legal = np.isfinite(price)
        ends = np.cumsum(np.bincount(above[legal], minlength=len(rows)))[:-1]
        successors = np.split(columns[legal].astype(np.int32), ends)
        costs = np.split(price[legal], ends)
        return zip(rows.tolist(), zip(successors, costs, strict=True), strict=True)

    def _judged(self, rows: IntArray, columns: IntArray) -> FloatArray:
        self.judged += len(rows)
        return self._judge(rows, columns)


def _table_of(known: Mapping[int, Row], rows: Sequence[int]) -> PairTable:
    """A table of some rows that are known."""
    parts = [known[row] for row in rows]
    indptr = np.cumsum([0, *(len(successors) for successors, _ in parts)])
    none = (np.zeros(0, np.int32), np.zeros(0))  # so that no rows make a table as well
    successors, costs = (np.concatenate(each) for each in zip(none, *parts, strict=True))
    return PairTable(indptr, successors, costs)
