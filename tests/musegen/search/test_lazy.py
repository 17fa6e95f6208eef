"""Pairs that are judged on demand, against the table of all of them."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.search.beam import beam_search
from musegen.search.errors import InfeasibleError, SearchInputError
from musegen.search.lattice import FloatArray, IntArray, Lattice, PairTable
from musegen.search.lazy import LazyPairTable
from musegen.search.optimum import count_solutions, first_order_optimum, sample_uniform
from musegen.search.reachability import alive, costs_to_go

seeds = st.integers(0, 2**32 - 1)


@dataclass
class Matrix:
    """Judges by a matrix and counts what it is asked."""

    costs: FloatArray
    asked: list[tuple[int, int]] = field(default_factory=list)

    def __call__(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """Costs of some pairs."""
        self.asked.extend(zip(rows.tolist(), columns.tolist(), strict=True))
        return self.costs[rows, columns]


def eager(costs: FloatArray) -> PairTable:
    """The table of a matrix in which inf forbids."""
    legal = np.isfinite(costs)
    indptr = np.concatenate([[0], np.cumsum(legal.sum(axis=1))])
    return PairTable(indptr.astype(np.int64), np.nonzero(legal)[1].astype(np.int32), costs[legal])


def twins(seed: int, *, most: int = 9) -> tuple[Lattice, Lattice]:
    """One small random lattice twice: pairs all known, and pairs judged on demand.

    Kinds, bounds and what judging adds are random; fractions make sums round.
    """
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, most, rng.integers(2, 6))
    kinds = [rng.integers(0, 3, size) for size in sizes]
    unary = [np.where(rng.random(size) < 0.85, rng.random(size), np.inf) for size in sizes]
    tables, lazies = [], []
    for before, after in pairwise(kinds):
        bounds = np.where(rng.random((3, 3)) < 0.8, rng.integers(0, 4, (3, 3)) / 3, np.inf)
        least = bounds[before][:, after]
        added = np.where(rng.random(least.shape) < 0.6, rng.integers(0, 5, least.shape) / 7, np.inf)
        tables.append(eager(least + added))
        lazies.append(LazyPairTable(before, after, bounds, Matrix(least + added)))
    return Lattice(tuple(unary), tuple(tables)), Lattice(tuple(unary), tuple(lazies))


def test_a_way_on_by_hand() -> None:
    """Two kinds: the bound 5 of the second is never judged once the first gives 1 + 2."""
    judge = Matrix(np.array([[2.0, 3.0, 5.0, 5.0]]))
    bounds = np.array([[1.0, 5.0]])
    table = LazyPairTable(np.zeros(1, np.int64), np.array([0, 0, 1, 1]), bounds, judge)
    assert table.onward(np.zeros(1), np.ones(4)).tolist() == [3.0]
    assert judge.asked == [(0, 0), (0, 1)]
    assert table.judged == 2
    assert table.row(0)[0].tolist() == [0, 1, 2, 3]


@given(seed=seeds)
def test_costs_to_go_are_those_of_the_table(seed: int) -> None:
    """To the last bit, before and after all pairs are known."""
    known, lazy = twins(seed)
    expected = [cost.tolist() for cost in costs_to_go(known)]
    assert [cost.tolist() for cost in costs_to_go(lazy)] == expected
    assert all(len(pairs.indptr) for pairs in lazy.pairs)
    assert [cost.tolist() for cost in costs_to_go(lazy)] == expected


@given(seed=seeds)
def test_optimum_and_places_of_failure_are_those_of_the_table(seed: int) -> None:
    """The same path of the same cost, or the same refusal."""
    known, lazy = twins(seed)
    if not count_solutions(known):
        refusals = []
        for lattice in (known, lazy):
            with pytest.raises(InfeasibleError) as caught:
                first_order_optimum(lattice)
            refusals.append(str(caught.value))
        assert refusals[0] == refusals[1]
        return
    expected, found = first_order_optimum(known), first_order_optimum(lazy)
    assert (found.cost, found.path.tolist()) == (expected.cost, expected.path.tolist())
    masks = zip(alive(known), alive(lazy), strict=True)
    assert all(one.tolist() == other.tolist() for one, other in masks)


@given(seed=seeds, width=st.integers(1, 4))
def test_beam_finds_what_it_finds_in_the_table(seed: int, width: int) -> None:
    """Warm or cold, with the same seed the same paths and scores: ways on come in one order."""
    known, lazy = twins(seed)
    found: list[object] = []
    for lattice in (known, lazy):
        rng = np.random.default_rng(seed)
        try:
            made = beam_search(lattice, width=width, rng=rng, temperature=0.5, top=3)
        except InfeasibleError:
            found.append(None)
        else:
            found.append((made.scores, [path.tolist() for path in made.paths]))
    assert found[0] == found[1]


@given(seed=seeds)
def test_table_count_and_draw_are_those_of_the_table(seed: int) -> None:
    """What needs all pairs judges them all, each once, and knows the same."""
    known, lazy = twins(seed)
    for one, other in zip(known.pairs, lazy.pairs, strict=True):
        assert one.indptr.tolist() == other.indptr.tolist()
        assert one.successors.tolist() == other.successors.tolist()
        assert one.costs.tolist() == other.costs.tolist()
    assert count_solutions(known) == count_solutions(lazy)
    if count_solutions(known):
        drawn = [sample_uniform(each, np.random.default_rng(seed)) for each in (known, lazy)]
        assert drawn[0].tolist() == drawn[1].tolist()


@given(seed=seeds)
def test_what_is_reached_is_that_of_the_table(seed: int) -> None:
    """Forward as well."""
    known, lazy = twins(seed)
    before = np.random.default_rng(seed).random(len(known.unary[0])) < 0.5
    expected = known.pairs[0].reached(before, known.unary[1])
    assert lazy.pairs[0].reached(before, known.unary[1]).tolist() == expected.tolist()


@given(seed=seeds)
def test_few_pairs_are_judged_where_bounds_are_tight(seed: int) -> None:
    """Where judging adds less than bounds differ, some of 200 x 200 pairs decide, not all."""
    rng = np.random.default_rng(seed)
    kinds, after = rng.integers(0, 40, 200), 10 * rng.random(200)
    bounds = rng.integers(0, 40, (40, 40)) / 4
    judge = Matrix(bounds[kinds][:, kinds] + 0.5 * rng.random((200, 200)))
    table = LazyPairTable(kinds, kinds, bounds, judge)
    onward = table.onward(np.zeros(200), after)
    assert onward.tolist() == (judge.costs + after).min(axis=1).tolist()
    assert table.judged == len(judge.asked) == len(set(judge.asked)) < 0.2 * 200 * 200


def test_rows_are_judged_once() -> None:
    """What the beam asks twice is remembered; what nobody asks stays unknown."""
    judge = Matrix(np.ones((50, 30)))
    zeros = np.zeros(50, np.int64)
    table = LazyPairTable(zeros, np.zeros(30, np.int64), np.zeros((1, 1)), judge)
    for _ in range(2):
        parents, candidates, costs = table.ways(np.zeros(30), np.array([7, 3, 7]))
        assert parents.tolist() == [0] * 30 + [1] * 30 + [2] * 30
        assert candidates.tolist() == [*range(30)] * 3
        assert costs.tolist() == [1.0] * 90
    assert sorted(judge.asked) == [(row, column) for row in (3, 7) for column in range(30)]


def test_nothing_to_judge_is_a_table() -> None:
    """No candidates, no pairs."""
    none = np.zeros(0, np.int64)
    table = LazyPairTable(none, none, np.zeros((0, 0)), Matrix(np.zeros((0, 0))))
    assert table.shape == (0, 0)
    assert table.indptr.tolist() == [0]
    assert len(table.ways(np.zeros(0), none)[0]) == 0


@pytest.mark.parametrize(
    "bounds", [np.zeros((1, 2)), np.zeros((2, 1)), np.array([[0.0, np.nan], [0.0, 0.0]])]
)
def test_bounds_that_are_none_are_refused(bounds: FloatArray) -> None:
    """Each kind needs a bound, and it is a number."""
    kinds = np.array([0, 1])
    with pytest.raises(SearchInputError, match="bounds of kinds"):
        LazyPairTable(kinds, kinds, bounds, Matrix(np.zeros((2, 2))))
