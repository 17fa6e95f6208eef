"""Draws by particles against trying everything: their distribution, their weights, what they refuse."""

from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from musegen.search.errors import DeadEndError, InfeasibleError, SearchInputError
from musegen.search.lattice import FloatArray, IntArray, Lattice, PairTable
from musegen.search.particles import resampled, weighted_paths

seeds = st.integers(0, 2**32 - 1)
Path = tuple[int, ...]
ROOT = np.zeros(1, np.int64)


class Chain:
    """A model with a table a slot: log-probability of each choice after the one before."""

    def __init__(self, rng: np.random.Generator, slots: int, size: int) -> None:
        weights = rng.gamma(0.7, size=(slots, size, size)) + 1e-3
        self.logs = np.log(weights / weights.sum(axis=2, keepdims=True))

    def start(self) -> IntArray:
        """Before anything is chosen, as after choice 0."""
        return ROOT

    def scores(self, slot: int, state: IntArray, candidates: IntArray) -> FloatArray:
        """Rows of the table."""
        found: FloatArray = self.logs[slot][state][:, candidates]
        return found

    def advance(self, slot: int, state: IntArray, parents: IntArray, chosen: IntArray) -> IntArray:
        """What was chosen."""
        return chosen

    def of(self, path: Path) -> float:
        """Log-probability of a path."""
        return float(sum(self.logs[slot, i, j] for slot, (i, j) in enumerate(pairwise((0, *path)))))


class NoMoreThan:
    """A long rule: a choice may stand so often in a path."""

    def __init__(self, most: int) -> None:
        self.most = most

    def costs(
        self, slot: int, paths: IntArray, parents: IntArray, candidates: IntArray
    ) -> FloatArray:
        """inf where it has stood so often; a whole cost elsewhere, which shall not count."""
        before = (paths[parents] == candidates[:, None]).sum(axis=1)
        return np.where(before < self.most, 1.0 * before, np.inf)

    def allows(self, path: Path) -> bool:
        """Whether it has nothing against a path."""
        return max(Counter(path).values()) <= self.most


class World:
    """A small lattice with costs that do not count, a model, a long rule, and all that is legal."""

    def __init__(self, seed: int, *, slots: int = 4, size: int = 3, most: int = 2) -> None:
        rng = np.random.default_rng(seed)
        unary = np.where(rng.random((slots, size)) < 0.9, rng.integers(0, 5, (slots, size)), np.inf)
        pairs = np.where(rng.random((slots - 1, size, size)) < 0.75, 2.0, np.inf)
        self.lattice = Lattice(tuple(unary), tuple(map(table, pairs)))
        self.model, self.rule = Chain(rng, slots, size), NoMoreThan(most)
        self.legal = {
            path: np.exp(self.model.of(path))
            for path in product(range(size), repeat=slots)
            if np.isfinite(unary[np.arange(slots), path]).all()
            and all(np.isfinite(pairs[slot, i, j]) for slot, (i, j) in enumerate(pairwise(path)))
            and self.rule.allows(path)
        }
        self.mass = sum(self.legal.values())


def table(costs: FloatArray) -> PairTable:
    """A pair table of a matrix in which inf forbids."""
    legal = np.isfinite(costs)
    indptr = np.concatenate([[0], np.cumsum(legal.sum(axis=1))])
    return PairTable(indptr.astype(np.int64), np.nonzero(legal)[1].astype(np.int32), costs[legal])


def drawn_once(of: World, rng: np.random.Generator, particles: int) -> Path:
    """One path, from particles of its own."""
    found = weighted_paths(of.lattice, of.model, rng=rng, particles=particles, look_back=of.rule)
    return tuple(found.drawn(rng).tolist())


def assert_distributed(drawn: list[Path], of: World) -> None:
    """As the model has it among the legal paths; rare ones are put together."""
    counts, total = Counter(drawn), len(drawn)
    assert set(counts) <= set(of.legal)
    ranked = sorted(of.legal, key=lambda path: -of.legal[path])
    often = [path for path in ranked if of.legal[path] / of.mass * total >= 5]
    expected = [of.legal[path] / of.mass * total for path in often]
    observed = [counts[path] for path in often]
    if sum(expected) < total:
        expected.append(total - sum(expected))
        observed.append(total - sum(observed))
    assert chisquare(observed, expected).pvalue > 1e-4


def test_with_particles_for_all_the_draw_is_exact() -> None:
    """As enumeration has it, by chi-square; and the mass is the sum over the legal paths."""
    world, rng = World(3), np.random.default_rng(0)
    found = weighted_paths(world.lattice, world.model, rng=rng, particles=200, look_back=world.rule)
    assert found.exact
    assert found.log_mass == pytest.approx(np.log(world.mass))
    assert {tuple(path) for path in found.paths.tolist()} == set(world.legal)
    assert_distributed([tuple(found.drawn(rng).tolist()) for _ in range(2000)], world)


def test_with_few_particles_draws_are_near() -> None:
    """Twelve particles for some hundred paths: a chi-square of 1000 draws sees no difference."""
    world, rng = World(5, slots=5, size=4), np.random.default_rng(1)
    assert len(world.legal) > 100
    drawn = [drawn_once(world, rng, 12) for _ in range(1000)]
    assert_distributed(drawn, world)


@pytest.mark.parametrize("particles", [2, 5])
def test_the_mass_is_unbiased_for_any_number_of_particles(particles: int) -> None:
    """The mean of its estimates is the sum over the legal paths; what dies counts as nought."""
    world, rng = World(5, slots=5, size=4), np.random.default_rng(2)
    estimates = []
    for _ in range(800):
        try:
            found = weighted_paths(
                world.lattice, world.model, rng=rng, particles=particles, look_back=world.rule
            )
        except DeadEndError:
            estimates.append(0.0)
            continue
        assert not found.exact
        assert len(found.paths) <= particles
        estimates.append(np.exp(found.log_mass))
    error = np.std(estimates) / np.sqrt(len(estimates))
    assert abs(np.mean(estimates) - world.mass) < 4 * error


def test_a_walk_step_by_step_is_something_else() -> None:
    """The rules lead a greedy walk to where the model would hardly be; particles know that."""
    model = Chain(np.random.default_rng(0), 2, 2)
    model.logs[:] = np.log(np.array([[[0.5, 0.5], [0.5, 0.5]], [[0.01, 0.99], [0.99, 0.01]]]))
    lattice = Lattice((np.zeros(2), np.array([0.0, np.inf])), (table(np.zeros((2, 2))),))
    found = weighted_paths(lattice, model, rng=np.random.default_rng(0), particles=4)
    shares = np.exp(found.log_weights - found.log_mass)
    assert found.paths.tolist() == [[0, 0], [1, 0]]
    assert shares == pytest.approx([0.01, 0.99])  # renormalised step by step: a half each
    assert np.exp(found.log_mass) == pytest.approx(0.5)


@settings(max_examples=60)
@given(seed=seeds, particles=st.integers(1, 40))
def test_what_is_drawn_is_legal_and_the_same_again(seed: int, particles: int) -> None:
    """Or there is nothing legal, or too few particles found nothing, and it says which."""
    world = World(seed)

    def draw() -> Path:
        return drawn_once(world, np.random.default_rng(seed), particles)

    refused: InfeasibleError | DeadEndError | None = None
    path: Path = ()
    try:
        path = draw()
    except (InfeasibleError, DeadEndError) as error:
        refused = error
    if refused is None:
        assert path in world.legal
        assert path == draw()
    elif isinstance(refused, DeadEndError) and not refused.proved:
        assert "more particles" in str(refused)
    else:
        assert not world.legal


@settings(max_examples=60)
@given(seed=seeds, count=st.integers(1, 12), spread=st.floats(0, 1000))
def test_resampling_keeps_the_heavy_and_the_sum(seed: int, count: int, spread: float) -> None:
    """At most so many, none twice, weights above the threshold as they were, all together as before."""
    rng = np.random.default_rng(seed)
    logs = -spread * rng.random(12)
    kept, found = resampled(logs, count, rng)
    assert len(kept) == min(count, 12)
    assert len(set(kept.tolist())) == len(kept)
    assert (found >= logs[kept] - 1e-9).all()
    if count < 12:
        same = found > found.min() + 1e-9
        assert found[same] == pytest.approx(logs[kept][same])
    assert np.logaddexp.reduce(found) == pytest.approx(np.logaddexp.reduce(logs))


def test_resampling_expects_each_weight() -> None:
    """The mean weight of each over many draws is its own (Fearnhead and Clifford 2003)."""
    rng = np.random.default_rng(0)
    weights = np.array([0.5, 0.2, 0.1, 0.08, 0.07, 0.05])
    total = np.zeros(6)
    for _ in range(2000):
        kept, logs = resampled(np.log(weights), 3, rng)
        assert 0 in kept
        total[kept] += np.exp(logs)
    assert total / 2000 == pytest.approx(weights, abs=0.02)


@pytest.mark.parametrize("particles", [0, 65_537])
def test_a_number_out_of_its_range_is_refused(particles: int) -> None:
    """In a line that names it."""
    world = World(3)
    with pytest.raises(SearchInputError, match="particles must be from 1 to 65536"):
        weighted_paths(
            world.lattice, world.model, rng=np.random.default_rng(0), particles=particles
        )
