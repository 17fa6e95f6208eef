"""What a lattice may be, and what is said of one that may not."""

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

from musegen.search.errors import SearchInputError
from musegen.search.lattice import Lattice, PairTable
from theory_kb.errors import MusegenError


def table(
    indptr: Any = (0, 2, 3), successors: Any = (0, 2, 1), costs: Any = (0.0, 1.0, 0.5)
) -> PairTable:
    """Two candidates; the first may go on to 0 and 2, the second to 1."""
    return PairTable(
        np.array(indptr, np.int64), np.array(successors, np.int32), np.array(costs, np.float64)
    )


def test_a_lattice_of_two_slots_is_made() -> None:
    """Two slots of two and three candidates with the table between them fit."""
    lattice = Lattice((np.zeros(2), np.array([0.0, np.inf, 1.0])), (table(),))
    assert len(lattice.unary) == 2
    assert lattice.pairs[0].successors.tolist() == [0, 2, 1]


def test_empty_rows_and_empty_tables_are_tables() -> None:
    """A candidate may have no successor, and a table no pair at all."""
    assert table((0, 0, 1), (4,), (0.0,)).successors.tolist() == [4]
    assert table((0, 0, 0), (), ()).costs.shape == (0,)


def test_a_lattice_stays_as_it_is() -> None:
    """Lattices and tables are values."""
    with pytest.raises(FrozenInstanceError):
        table().costs = np.zeros(3)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"costs": (0.0, 1.0)}, r"costs of a pair table .* shape \(3,\), got shape \(2,\)"),
        ({"indptr": (1, 2, 3)}, r"indptr .* from 0 to the number of successors, 3, got \[1\]"),
        ({"indptr": (0, 2, 2)}, r"indptr .* got \[0\]\.\.\.\[2\], shape \(3,\)"),
        ({"indptr": (0, 4, 3)}, "indptr of a pair table must be ascending"),
        ({"indptr": ()}, "indptr of a pair table must be ascending"),
        ({"successors": (2, 0, 1)}, "row 0 .* each above the one before.* got successor 0"),
        ({"successors": (0, 0, 1)}, "row 0 .* got successor 0"),
        ({"successors": (0, 2, -1)}, "row 1 .* from 0, .* got successor -1"),
        ({"costs": (0.0, np.inf, 1.0)}, "row 0 .* at finite costs, got successor 2 at cost inf"),
        ({"costs": (0.0, 0.0, np.nan)}, "row 1 .* at finite costs, got successor 1 at cost nan"),
    ],
)
def test_arrays_that_make_no_table_are_refused(fields: dict[str, Any], said: str) -> None:
    """The refusal names the array or the row, what came and what is allowed."""
    with pytest.raises(SearchInputError, match=said):
        table(**fields)


def test_arrays_of_the_wrong_type_are_refused() -> None:
    """Types and dimensions are part of what kernels rely on."""
    good = table()
    with pytest.raises(SearchInputError, match=r"successors .* int32 of one dimension, got int64"):
        PairTable(good.indptr, good.successors.astype(np.int64), good.costs)
    with pytest.raises(SearchInputError, match=r"costs .* float64 of shape \(3, 1\)"):
        PairTable(good.indptr, good.successors, good.costs[:, None])


@pytest.mark.parametrize(
    ("sizes", "tables", "said"),
    [
        ((), 0, "a lattice must be of one slot or more"),
        ((2, 3), 0, "pair tables of 2 slots must be 1 in number, got 0"),
        ((2, 3), 2, "pair tables of 2 slots must be 1 in number, got 2"),
        ((3, 3), 1, "pair table 0 must be of 3 rows, one a candidate of slot 0, got 2 rows"),
        ((2, 2), 1, "pair table 0 must be below 2, .* of slot 1, got 2"),
    ],
)
def test_tables_that_do_not_fit_are_refused(sizes: tuple[int, ...], tables: int, said: str) -> None:
    """The refusal names the slot or the table, and both sizes."""
    with pytest.raises(SearchInputError, match=said):
        Lattice(tuple(np.zeros(size) for size in sizes), (table(),) * tables)


@pytest.mark.parametrize("cost", [np.nan, -np.inf])
def test_unary_costs_are_numbers(cost: float) -> None:
    """A cost is finite, or inf for what is removed."""
    with pytest.raises(SearchInputError, match="unary costs of slot 1 must be finite"):
        Lattice((np.zeros(2), np.array([0.0, 0.0, cost])), (table(),))


def test_refusals_are_of_the_house() -> None:
    """One base catches them all."""
    with pytest.raises(MusegenError):
        table(costs=())
