"""Conflicts and corrections beside brute force."""

from collections.abc import Callable
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.search.conflict import (
    Core,
    LimitReachedError,
    cheapest_corrections,
    smallest_conflict,
)
from musegen.search.errors import SearchInputError

COUNT = 7
Sets = frozenset[frozenset[int]]


def oracle_of(conflicts: Sets) -> Callable[[frozenset[int]], bool]:
    """The monotone oracle under which exactly the sets above some conflict cannot be kept."""
    return lambda kept: not any(conflict <= kept for conflict in conflicts)


def subsets(count: int) -> list[frozenset[int]]:
    """Every subset, small ones first."""
    return [
        frozenset(each) for size in range(count + 1) for each in combinations(range(count), size)
    ]


some_conflicts = st.frozensets(
    st.frozensets(st.integers(0, COUNT - 1), min_size=1, max_size=4), min_size=1, max_size=5
)
some_prices = st.lists(st.integers(1, 9).map(float), min_size=COUNT, max_size=COUNT)


def halves(cut: int) -> list[list[int]]:
    """All constraints in two groups."""
    return [list(range(cut)), list(range(cut, COUNT))]


def test_two_octaves_and_the_rule_against_them() -> None:
    """The textbook case: two notes and a rule; the third note has nothing to do with it."""
    core = smallest_conflict([[3], [2], [0, 1]], oracle_of(frozenset({frozenset({0, 1, 2})})))
    assert core.members == {0, 1, 2}
    assert core.proof == "only"


@given(some_conflicts, st.integers(0, COUNT))
def test_the_conflict_is_infeasible_and_none_is_smaller(conflicts: Sets, cut: int) -> None:
    """It cannot be kept, each of its parts can, and brute force finds none with fewer members."""
    oracle = oracle_of(conflicts)
    core = smallest_conflict(halves(cut), oracle)
    assert not oracle(core.members)
    assert all(oracle(core.members - {each}) for each in core.members)
    assert len(core.members) == min(len(each) for each in subsets(COUNT) if not oracle(each))
    minimal = [
        each
        for each in subsets(COUNT)
        if not oracle(each) and all(oracle(each - {one}) for one in each)
    ]
    assert (core.proof == "only") == (len(minimal) == 1)


@given(some_conflicts, st.integers(0, COUNT), st.integers(1, 30))
def test_a_limit_is_kept_and_what_is_said_is_true(conflicts: Sets, cut: int, limit: int) -> None:
    """However early it ends, the set is a conflict, and its proof claims no more than it has."""
    asked: list[frozenset[int]] = []
    oracle = oracle_of(conflicts)

    def counted(kept: frozenset[int]) -> bool:
        asked.append(kept)
        return oracle(kept)

    core = smallest_conflict(halves(cut), counted, limit=limit)
    assert len(asked) == core.asked <= limit
    assert not oracle(core.members)
    if core.proof != "cut short":
        assert all(oracle(core.members - {each}) for each in core.members)
    if core.proof in ("only", "smallest"):
        assert len(core.members) == min(len(each) for each in subsets(COUNT) if not oracle(each))


@given(some_conflicts, some_prices, st.frozensets(st.integers(0, COUNT - 1), max_size=3))
def test_corrections_are_the_cheapest_in_order(
    conflicts: Sets, prices: list[float], hard: frozenset[int]
) -> None:
    """All irreducible corrections without what is hard, by price, as brute force lists them."""
    oracle = oracle_of(conflicts)
    free = [each for each in range(COUNT) if each not in hard]
    found = cheapest_corrections([free], prices, oracle, hard=hard, top=1000, limit=10_000)
    possible = [
        each
        for each in subsets(COUNT)
        if not each & hard and oracle(frozenset(range(COUNT)) - each)
    ]
    minimal = {each for each in possible if not any(other < each for other in possible)}
    assert {each.members for each in found} == minimal
    assert [each.price for each in found] == sorted(
        sum(prices[one] for one in each) for each in minimal
    )


def test_nothing_to_give_up_where_only_the_hard_conflict() -> None:
    """A conflict of what may not be given up has no correction."""
    assert (
        cheapest_corrections([[0]], [1.0, 1.0], oracle_of(frozenset({frozenset({1})})), hard=[1])
        == ()
    )


def test_early_ends_return_what_is_proven() -> None:
    """A limit of corrections cuts the list, never its order."""
    conflicts = frozenset(frozenset({each, each + 1}) for each in (0, 2, 4))
    everything = cheapest_corrections([range(6)], [1.0] * 6, oracle_of(conflicts), top=99)
    few = cheapest_corrections([range(6)], [1.0] * 6, oracle_of(conflicts), top=99, limit=16)
    assert len(few) < len(everything)
    assert few == everything[: len(few)]


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: smallest_conflict([[0, 1]], lambda kept: True), "can be kept"),
        (lambda: smallest_conflict([[0], [0]], lambda kept: False), "named twice"),
        (lambda: cheapest_corrections([[0]], [0.0], lambda kept: True), "above 0"),
    ],
)
def test_what_is_no_question_is_refused(ask: Callable[[], Core], words: str) -> None:
    """A set that can be kept, constraints named twice, prices of nothing."""
    with pytest.raises(SearchInputError, match=words):
        ask()


def test_an_oracle_may_end_the_search_by_itself() -> None:
    """What is known when its work is done is returned, and no more is claimed."""
    asked = 0

    def tired(kept: frozenset[int]) -> bool:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise LimitReachedError
        return False

    assert smallest_conflict([[0, 1], [2]], tired) == Core(frozenset({0, 1, 2}), "cut short", 2)
    assert cheapest_corrections([[0, 1], [2]], [1.0] * 3, tired) == ()
