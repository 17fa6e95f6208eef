"""What lies on a complete path, against trying everything."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.search.errors import InfeasibleError
from musegen.search.lattice import FloatArray, Lattice, PairTable
from musegen.search.reachability import alive, costs_to_go, prune

seeds = st.integers(0, 2**32 - 1)


def table(costs: FloatArray) -> PairTable:
    """A pair table of a matrix in which inf forbids."""
    legal = np.isfinite(costs)
    indptr = np.concatenate([[0], np.cumsum(legal.sum(axis=1))])
    return PairTable(indptr.astype(np.int64), np.nonzero(legal)[1].astype(np.int32), costs[legal])


def random_lattice(seed: int) -> tuple[Lattice, dict[tuple[int, ...], float]]:
    """A small lattice, some candidates removed, and all its complete paths with their costs."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, rng.integers(1, 6))
    unary = [np.where(rng.random(n) < 0.85, rng.integers(0, 9, n), np.inf) for n in sizes]
    matrices = [
        np.where(rng.random((n, m)) < rng.uniform(0.2, 1), rng.integers(0, 9, (n, m)), np.inf)
        for n, m in pairwise(sizes)
    ]
    paths = {}
    for path in product(*(range(n) for n in sizes)):
        cost = sum(costs[at] for costs, at in zip(unary, path, strict=True))
        cost += sum(m[i, j] for m, i, j in zip(matrices, path, path[1:], strict=False))
        if np.isfinite(cost):
            paths[path] = float(cost)
    return Lattice(tuple(unary), tuple(table(matrix) for matrix in matrices)), paths


def chain(*steps: list[tuple[int, int]], size: int = 2) -> Lattice:
    """Slots of free candidates with the pairs named."""
    matrices = []
    for pairs in steps:
        matrix = np.full((size, size), np.inf)
        for i, j in pairs:
            matrix[i, j] = 0.0
        matrices.append(table(matrix))
    return Lattice((np.zeros(size),) * (len(steps) + 1), tuple(matrices))


def test_what_leads_nowhere_and_what_nothing_leads_to_is_dead() -> None:
    """0-0-0 is the only path: 1 of slot 1 leads nowhere, and nothing leads to 1 of slot 2."""
    lattice = chain([(0, 0), (0, 1), (1, 1)], [(0, 0)])
    assert [mask.tolist() for mask in alive(lattice)] == [[True, False]] * 3


def test_cost_to_go_by_hand() -> None:
    """From 0: on to 1 costs 2 + 3, on to 0 costs 1 + 9; the cheaper counts, its own cost does not."""
    lattice = Lattice((np.array([7.0]), np.array([9.0, 3.0])), (table(np.array([[1.0, 2.0]])),))
    assert [costs.tolist() for costs in costs_to_go(lattice)] == [[5.0], [0.0, 0.0]]


@given(seed=seeds)
def test_alive_is_what_lies_on_a_path(seed: int) -> None:
    """A candidate is alive if and only if trying everything finds it on a complete path."""
    lattice, paths = random_lattice(seed)
    if paths:
        for slot, mask in enumerate(alive(lattice)):
            assert set(np.flatnonzero(mask).tolist()) == {path[slot] for path in paths}
    else:
        with pytest.raises(InfeasibleError):
            alive(lattice)


@given(seed=seeds)
def test_cost_to_go_is_the_cheapest_rest(seed: int) -> None:
    """With the cost so far it is the cost of the cheapest path through the candidate."""
    lattice, paths = random_lattice(seed)
    onward = costs_to_go(lattice)
    for first in range(len(lattice.unary[0])):
        cheapest = min((cost for path, cost in paths.items() if path[0] == first), default=np.inf)
        assert lattice.unary[0][first] + onward[0][first] == cheapest


@given(seed=seeds)
def test_pruning_keeps_every_path_and_nothing_else(seed: int) -> None:
    """After pruning each pair lies on a path; liveness and costs to go of the living stay."""
    lattice, paths = random_lattice(seed)
    if not paths:
        with pytest.raises(InfeasibleError):
            prune(lattice)
        return
    pruned = prune(lattice)
    for slot, (mask, unary) in enumerate(zip(alive(lattice), pruned.unary, strict=True)):
        assert np.isfinite(unary).tolist() == mask.tolist()
        assert (unary[mask] == lattice.unary[slot][mask]).all()
    for slot, pairs in enumerate(pruned.pairs):
        rows = np.repeat(np.arange(len(pairs.indptr) - 1), np.diff(pairs.indptr))
        left = set(zip(rows.tolist(), pairs.successors.tolist(), strict=True))
        assert left == {(path[slot], path[slot + 1]) for path in paths}
    for mask, before, after in zip(
        alive(lattice), costs_to_go(lattice), costs_to_go(pruned), strict=True
    ):
        assert (before[mask] == after[mask]).all()


def test_error_says_how_far_one_gets_from_both_ends() -> None:
    """From the left slot 3 cannot be reached; from the right slot 1 leads nowhere."""
    lattice = chain([(0, 0)], [(0, 0), (1, 1)], [(1, 0)], [(0, 0)])
    blocked = Lattice(
        (*lattice.unary[:2], np.array([0.0, np.inf]), *lattice.unary[3:]), lattice.pairs
    )
    with pytest.raises(InfeasibleError) as caught:
        alive(blocked)
    assert (caught.value.slot, caught.value.from_right) == (3, 2)
    assert str(caught.value) == (
        "slot 3: none of 2 candidates may follow any that is reached at slot 2; from the end, "
        "nothing leads on at slot 2"
    )


def test_error_names_a_slot_that_is_empty() -> None:
    """A slot of removed candidates alone is the culprit from both ends."""
    lattice = Lattice((np.zeros(2), np.full(2, np.inf)), (table(np.zeros((2, 2))),))
    with pytest.raises(InfeasibleError, match="slot 1: none of 2 candidates is left") as caught:
        alive(lattice)
    assert (caught.value.slot, caught.value.from_right) == (1, 1)
