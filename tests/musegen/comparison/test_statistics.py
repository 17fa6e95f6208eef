"""Histograms of known music, and overlaps of known distributions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import gaussian_kde, norm

from musegen.comparison.statistics import (
    FEATURES,
    Reference,
    histogram_overlap,
    likeness,
    passages,
    vectors,
)
from musegen.comparison.statistics import _density as density
from musegen.comparison.statistics import _grid as grid
from musegen.models.rolls import Roll

CADENCE = Roll("I IV V I", ((48, 60, 64, 67), (53, 60, 65, 69), (55, 59, 62, 67), (48, 60, 64, 67)))


def test_what_a_cadence_is_like() -> None:
    """I IV V I: the bass goes up a fourth, up a tone, down a fifth; C and G are held for two frames."""
    steps = FEATURES["intervals of the bass"](CADENCE)
    assert {place - 12: value for place, value in enumerate(steps) if value} == pytest.approx(
        {5: 1 / 3, 2: 1 / 3, -7: 1 / 3}
    )
    assert FEATURES["notes at once"](CADENCE)[4] == 1
    lengths = FEATURES["lengths of notes"](CADENCE)
    assert lengths[2] == pytest.approx(2 / 14)
    assert lengths[1] == pytest.approx(12 / 14)
    triad = 1 << 0 | 1 << 4 | 1 << 7
    assert FEATURES["chords over the bass"](CADENCE)[triad] == 1


@pytest.mark.parametrize("feature", FEATURES)
def test_histograms_are_shares(feature: str) -> None:
    """Each sums to one, or to zero where there is nothing to count."""
    silence = Roll("silence", ((), ()))
    sums = vectors([CADENCE, silence], feature).sum(axis=1)
    assert sums[0] == pytest.approx(1)
    assert sums[1] == pytest.approx(0) or feature == "notes at once"


def test_passages_are_cut_by_sixteen_frames() -> None:
    """A piece of 40 frames is two passages, one of 4 is one; all have as many figures."""
    long = Roll("long", CADENCE.frames * 10)
    assert passages(long).shape == (2, passages(CADENCE).shape[1])
    assert len(passages(CADENCE)) == 1


def test_density_is_that_of_scipy() -> None:
    """Smoothed counts on the grid are within 1 % of the sum of kernels."""
    values = np.random.default_rng(0).normal(size=300)
    points = grid(values, values)
    expected = gaussian_kde(values)(points)
    assert density(values[None], points)[0] == pytest.approx(expected, abs=0.01 * expected.max())


def test_area_of_two_normals() -> None:
    """Distances spread like two normals a standard deviation apart overlap by 2 Phi(-1/2)."""
    rng = np.random.default_rng(3)
    one, other = rng.normal(10, 1, 4000), rng.normal(11, 1, 4000)
    points = grid(one, other)
    both = [density(each[None], points)[0] for each in (one, other)]
    area = np.minimum(*both).sum() * (points[1] - points[0])
    assert area == pytest.approx(2 * norm.cdf(-0.5), abs=0.03)


def dirichlet(
    count: int, centre: list[float], seed: int
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Histograms around a centre."""
    return np.random.default_rng(seed).dirichlet(20 * np.array(centre), size=count)


def test_a_sample_of_the_corpus_is_like_it_and_another_is_not() -> None:
    """Area near 1 and divergence near 0 for more of the same; the reverse for other music."""
    reference = Reference.of(dirichlet(60, [0.5, 0.3, 0.2], seed=0))
    rng = np.random.default_rng(0)
    same = likeness(dirichlet(40, [0.5, 0.3, 0.2], seed=1), reference, rng)
    other = likeness(dirichlet(40, [0.05, 0.05, 0.9], seed=2), reference, rng)
    assert same.area.value > 0.93
    assert same.divergence.value < 0.05
    assert same.overlap.value > 0.95
    assert other.area.high < 0.3 < same.area.low
    assert other.divergence.low > 1
    assert other.overlap.value == pytest.approx(0.3, abs=0.05)


def test_pieces_all_alike_are_not_like_a_varied_corpus() -> None:
    """A model that always writes the mean piece has the right histogram and the wrong variety."""
    varied = dirichlet(60, [0.4, 0.3, 0.3], seed=0)
    mean = np.repeat(varied.mean(axis=0)[None], 20, axis=0)
    found = likeness(mean, Reference.of(varied), np.random.default_rng(0))
    assert found.overlap.value == pytest.approx(1)
    assert found.area.value < 0.8


def test_overlap_of_histograms() -> None:
    """Half of the mass in common is one half."""
    assert histogram_overlap(np.array([[0.5, 0.5, 0]]), np.array([[0, 0.5, 0.5]])) == 0.5
