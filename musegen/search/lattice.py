"""What the search sees: candidates with costs, and which may follow which at what cost.

Nothing here knows of music: a slot has N candidates with one cost each, and a table says for each
candidate which of the next slot may follow. A complete path takes one candidate a slot, each
following the one before by its table; its first-order cost is the sum of all costs on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from musegen.search.errors import SearchInputError
from musegen.search.kernels import backward_costs, first_fault, forward_alive, grow

__all__ = ["BoolArray", "FloatArray", "IntArray", "Lattice", "PairTable", "Pairs"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Pairs(Protocol):
    """What may follow what: a table, or something that becomes one if it must.

    What a search asks often it asks by the methods, which need not know all pairs; the three
    arrays are those of `PairTable` and know them all.
    """

    @property
    def indptr(self) -> IntArray:
        """Row pointers (N + 1,)."""

    @property
    def successors(self) -> NDArray[np.int32]:
        """Legal successors (nnz,), ascending in each row."""

    @property
    def costs(self) -> FloatArray:
        """Their costs (nnz,)."""

    @property
    def shape(self) -> tuple[int, int]:
        """Candidates of the slot, and how many of the next are spoken of at least."""

    def row(self, candidate: int) -> tuple[NDArray[np.int32], FloatArray]:
        """Legal successors (K,) of a candidate, ascending, and their costs (K,)."""

    def onward(self, unary: FloatArray, after: FloatArray) -> FloatArray:
        """Cheapest cost of going on from each candidate, its own left out: (N,), inf if removed.

        Args:
            unary: (N,) cost of each candidate; inf is removed.
            after: (M,) cost of each candidate of the next slot with all that follows it.
        """

    def reached(self, before: BoolArray, unary: FloatArray) -> BoolArray:
        """Which candidates (M,) of the next slot follow one that is reached, `before` (N,)."""

    def ways(self, after: FloatArray, last: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
        """Ways on of hypotheses that end in candidates `last` (B,), if they reach the end.

        Args:
            after: (M,) cost of each candidate of the next slot with all that follows it; what
                costs inf is left out.
            last: (B,) candidates of this slot.

        Returns:
            Parents (K,), candidates (K,) and pair costs (K,), in ascending order of parent, then
            candidate.
        """


@dataclass(frozen=True, slots=True)
class PairTable:
    """Legal successors of each candidate of a slot, as compressed rows.

    Raises:
        SearchInputError: the arrays do not make a table; names the one, its shape and what is
            allowed.
    """

    indptr: IntArray  # (N + 1,): row i is successors[indptr[i]:indptr[i + 1]]
    successors: NDArray[np.int32]  # (nnz,), ascending in each row
    costs: FloatArray  # (nnz,), finite: a pair that is forbidden is left out

    def __post_init__(self) -> None:
        """Check shapes, types and order."""
        _check_array("indptr of a pair table", self.indptr, np.int64)
        _check_array("successors of a pair table", self.successors, np.int32)
        _check_array("costs of a pair table", self.costs, np.float64)
        self._check_rows()
        self._check_values()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, and the least number of candidates that its successors are of."""
        return len(self.indptr) - 1, int(self.successors.max(initial=-1)) + 1

    def row(self, candidate: int) -> tuple[NDArray[np.int32], FloatArray]:
        """Legal successors of a candidate, and their costs."""
        row = slice(self.indptr[candidate], self.indptr[candidate + 1])
        return self.successors[row], self.costs[row]

    def onward(self, unary: FloatArray, after: FloatArray) -> FloatArray:
        """Cheapest cost of going on from each candidate; see `Pairs`."""
        costs: FloatArray = backward_costs(self.indptr, self.successors, self.costs, unary, after)
        return costs

    def reached(self, before: BoolArray, unary: FloatArray) -> BoolArray:
        """Which candidates of the next slot follow one that is reached; see `Pairs`."""
        found: BoolArray = forward_alive(self.indptr, self.successors, before, unary)
        return found

    def ways(self, after: FloatArray, last: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
        """Ways on of hypotheses that end in some candidates; see `Pairs`."""
        found: tuple[IntArray, IntArray, FloatArray] = grow(
            self.indptr, self.successors, self.costs, after, last
        )
        return found

    def _check_rows(self) -> None:
        size = len(self.successors)
        if len(self.costs) != size:
            raise SearchInputError(
                "costs of a pair table", f"shape {self.costs.shape}", f"of shape ({size},)"
            )
        ends = len(self.indptr) and (self.indptr[0], self.indptr[-1]) == (0, size)
        if not ends or (np.diff(self.indptr) < 0).any():
            raise SearchInputError(
                "indptr of a pair table",
                f"{self.indptr[:1].tolist()}...{self.indptr[-1:].tolist()}, "
                f"shape {self.indptr.shape}",
                f"ascending from 0 to the number of successors, {size}",
            )

    def _check_values(self) -> None:
        place = first_fault(self.indptr, self.successors, self.costs)
        if place < 0:
            return
        row = int(np.searchsorted(self.indptr, place, side="right")) - 1
        raise SearchInputError(
            f"row {row} of a pair table",
            f"successor {self.successors[place]} at cost {self.costs[place]}",
            "of successors from 0, each above the one before, at finite costs",
        )


@dataclass(frozen=True, slots=True)
class Lattice:
    """Slots of candidates and the tables between neighbouring slots.

    Raises:
        SearchInputError: slots and tables do not fit; names the slot or table and both shapes.
    """

    unary: tuple[FloatArray, ...]  # (N,) a slot: cost of each candidate; inf = removed
    pairs: tuple[Pairs, ...]  # from each slot to the next, one fewer than slots

    def __post_init__(self) -> None:
        """Check that the tables fit the slots."""
        if not self.unary:
            raise SearchInputError("a lattice", "none", "of one slot or more")
        if len(self.pairs) != len(self.unary) - 1:
            raise SearchInputError(
                f"pair tables of {len(self.unary)} slots",
                len(self.pairs),
                f"{len(self.unary) - 1} in number",
            )
        for slot, costs in enumerate(self.unary):
            _check_array(f"unary costs of slot {slot}", costs, np.float64)
        if not (np.concatenate(self.unary) > -np.inf).all():
            self._refuse_costs()
        for place in range(len(self.pairs)):
            self._check_pairs(place)

    def _refuse_costs(self) -> None:
        faulty = (slot for slot, costs in enumerate(self.unary) if not (costs > -np.inf).all())
        what = f"unary costs of slot {next(faulty)}"
        raise SearchInputError(what, "NaN or -inf", "finite, or inf for removed")

    def _check_pairs(self, place: int) -> None:
        before, after, table = self.unary[place], self.unary[place + 1], self.pairs[place]
        rows, reach = table.shape
        if rows != len(before):
            raise SearchInputError(
                f"pair table {place}",
                f"{rows} rows",
                f"of {len(before)} rows, one a candidate of slot {place}",
            )
        if reach > len(after):
            raise SearchInputError(
                f"successors of pair table {place}",
                reach - 1,
                f"below {len(after)}, the number of candidates of slot {place + 1}",
            )


def _check_array(what: str, array: NDArray[np.generic], dtype: type[np.generic]) -> None:
    if array.ndim != 1 or array.dtype != dtype:
        raise SearchInputError(
            what, f"{array.dtype} of shape {array.shape}", f"{np.dtype(dtype)} of one dimension"
        )
