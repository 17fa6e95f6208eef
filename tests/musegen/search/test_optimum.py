"""What is exact, against trying everything."""

from itertools import pairwise, product
from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.search.errors import InfeasibleError
from musegen.search.kernels import backward_limbs
from musegen.search.lattice import FloatArray, IntArray, Lattice, PairTable
from musegen.search.optimum import (
    count_solutions,
    first_order_optimum,
    sample_uniform,
    solution_weights,
)

seeds = st.integers(0, 2**32 - 1)
CHI_SQUARE_999 = {11: 31.26}  # by degrees of freedom, 0.1 % above it; NIST handbook 1.3.6.7.4


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


def free_lattice(slots: int, size: int) -> Lattice:
    """Anything may follow anything: size^slots paths."""
    return Lattice((np.zeros(size),) * slots, (table(np.zeros((size, size))),) * (slots - 1))


def log_probability(lattice: Lattice, weights: tuple[FloatArray, ...], path: IntArray) -> float:
    """Natural log of the probability that the sampler draws a path."""
    total = log(weights[0][path[0]] / weights[0].sum())
    for slot, pairs in enumerate(lattice.pairs, 1):
        row = pairs.successors[pairs.indptr[path[slot - 1]] : pairs.indptr[path[slot - 1] + 1]]
        total += log(weights[slot][path[slot]] / weights[slot][row].sum())
    return total


def test_optimum_of_three_slots_by_hand() -> None:
    """0 to 1 to 0 costs 1 + 2 + 0 + 1 + 1 = 5, less than any other way."""
    lattice = Lattice(
        (np.array([1.0, 5.0]), np.array([9.0, 0.0]), np.array([1.0, 8.0])),
        (table(np.array([[0.0, 2.0], [0.0, 0.0]])), table(np.array([[0.0, 0.0], [1.0, 0.0]]))),
    )
    best = first_order_optimum(lattice)
    assert best.cost == 5.0
    assert best.path.tolist() == [0, 1, 0]


def test_fibonacci_counts_the_words_without_two_ones() -> None:
    """Binary words of 10 letters with no two ones running are F(12) = 144 (Lucas 1891)."""
    golden = table(np.array([[0.0, 0.0], [0.0, np.inf]]))
    assert count_solutions(Lattice((np.zeros(2),) * 10, (golden,) * 9)) == 144


@given(seed=seeds)
def test_optimum_is_the_cheapest_of_all_paths(seed: int) -> None:
    """Trying everything finds nothing cheaper; of equals the first by its indices is given."""
    lattice, paths = random_lattice(seed)
    if not paths:
        with pytest.raises(InfeasibleError):
            first_order_optimum(lattice)
        return
    cost, path = min((cost, path) for path, cost in paths.items())
    best = first_order_optimum(lattice)
    assert best.cost == cost
    assert tuple(best.path.tolist()) == path


@given(seed=seeds)
def test_count_is_the_number_of_all_paths(seed: int) -> None:
    """As many as trying everything finds, none among them."""
    lattice, paths = random_lattice(seed)
    assert count_solutions(lattice) == len(paths)


@pytest.mark.parametrize(("slots", "size"), [(1, 4), (80, 4), (40, 33), (70, 137)])
def test_count_is_exact_beyond_floats(slots: int, size: int) -> None:
    """Free choice makes size^slots paths, to the last digit."""
    assert count_solutions(free_lattice(slots, size)) == size**slots


@given(numbers=st.lists(st.integers(0, 2**96 - 1), min_size=1, max_size=6))
def test_limbs_add_like_whole_numbers(numbers: list[int]) -> None:
    """Carries run through every limb; a candidate that is removed counts nothing."""
    limbs = np.array([[n >> (32 * k) & 0xFFFFFFFF for k in range(3)] for n in numbers], np.uint64)
    row = np.arange(len(numbers), dtype=np.int32)
    unary = np.array([0.0, np.inf])
    indptr = np.array([0, len(numbers), 2 * len(numbers)])
    sums = backward_limbs(indptr, np.concatenate([row, row]), unary, limbs)
    assert sum(int(limb) << (32 * k) for k, limb in enumerate(sums[0])) == sum(numbers)
    assert not sums[1].any()


@given(seed=seeds)
def test_every_path_is_drawn_with_the_same_probability(seed: int) -> None:
    """The product of the sampler's choices is one over the count, to a billionth."""
    lattice, paths = random_lattice(seed)
    if not paths:
        with pytest.raises(InfeasibleError):
            solution_weights(lattice)
        return
    weights = solution_weights(lattice)
    for path in paths:
        probability = exp(log_probability(lattice, weights, np.array(path)))
        assert probability * len(paths) == pytest.approx(1.0, abs=1e-9)


def test_sampling_stays_exact_where_counts_overflow_floats() -> None:
    """About 10^600 paths: the log-probability of one drawn is minus the log of the exact count."""
    rng = np.random.default_rng(7)
    matrix = np.where(rng.random((30, 30)) < 0.7, 0.0, np.inf)
    lattice = Lattice((np.zeros(30),) * 450, (table(matrix),) * 449)
    count = count_solutions(lattice)
    assert count > 10**500
    path = sample_uniform(lattice, rng)
    found = log_probability(lattice, solution_weights(lattice), path)
    assert found == pytest.approx(-log(count), rel=1e-12)


def test_uniform_sampling_is_uniform() -> None:
    """Twelve solutions, 12,000 draws: chi-square with 11 degrees of freedom stays in its bounds."""
    lattice = Lattice(
        (np.zeros(3), np.array([0.0, np.inf, 0.0]), np.zeros(3)),
        (
            table(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, np.inf], [np.inf, 0.0, 0.0]])),
            table(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])),
        ),
    )
    assert count_solutions(lattice) == 12
    rng = np.random.default_rng(0)
    weights = solution_weights(lattice)
    counts: dict[tuple[int, ...], int] = {}
    for _ in range(12_000):
        path = tuple(sample_uniform(lattice, rng, weights=weights).tolist())
        counts[path] = counts.get(path, 0) + 1
    assert len(counts) == 12
    assert sum((n - 1000) ** 2 / 1000 for n in counts.values()) < CHI_SQUARE_999[11]


@given(seed=seeds)
def test_drawn_paths_are_solutions_and_seeds_repeat(seed: int) -> None:
    """What is drawn is one of all paths; the same seed draws the same."""
    lattice, paths = random_lattice(seed)
    if paths:
        drawn = [
            tuple(sample_uniform(lattice, np.random.default_rng(seed)).tolist()) for _ in range(2)
        ]
        assert drawn[0] == drawn[1]
        assert drawn[0] in paths


def test_sampling_from_nothing_is_refused() -> None:
    """No path, no draw: the refusal names the slot."""
    lattice = Lattice((np.zeros(1), np.zeros(1)), (table(np.full((1, 1), np.inf)),))
    assert count_solutions(lattice) == 0
    with pytest.raises(InfeasibleError, match="slot 1"):
        sample_uniform(lattice, np.random.default_rng(0))
