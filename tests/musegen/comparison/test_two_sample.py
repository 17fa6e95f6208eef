"""The two-sample test: chance on equal samples, certainty on others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from musegen.comparison.two_sample import Examples, area_under_curve, two_sample_area
from musegen.errors import TrainingError

SCORES = st.lists(st.integers(0, 4).map(float), min_size=1, max_size=8).map(np.array)


def examples(*, centre: float, seed: int, pieces: int = 30) -> Examples:
    """Three passages of each piece around a centre, in four figures of which one differs."""
    rng = np.random.default_rng(seed)
    shift = np.array([centre, 0, 0, 0])
    return Examples.of([rng.normal(size=(3, 4)) + shift for _ in range(pieces)])


def test_area_of_a_known_ranking() -> None:
    """Of nine pairs six are in order and one is tied: 6.5 of 9."""
    found = area_under_curve(np.array([1.0, 2.0, 4.0]), np.array([2.0, 3.0, 5.0]))
    assert found == pytest.approx(6.5 / 9)


@given(negative=SCORES, positive=SCORES)
def test_area_counts_pairs(negative: NDArray[np.float64], positive: NDArray[np.float64]) -> None:
    """By ranks or pair by pair, ties counting half, it is the same."""
    pairs = [(high > low) + (high == low) / 2 for low in negative for high in positive]
    assert area_under_curve(negative, positive) == pytest.approx(np.mean(pairs))


def test_equal_samples_cannot_be_told_apart() -> None:
    """Of eight pairs of samples of one distribution the mean is 0.5, most intervals hold it."""
    found = [
        two_sample_area(
            examples(centre=0, seed=2 * number),
            examples(centre=0, seed=2 * number + 1),
            np.random.default_rng(number),
        )
        for number in range(8)
    ]
    assert np.mean([each.value for each in found]) == pytest.approx(0.5, abs=0.05)
    assert sum(each.low < 0.5 < each.high for each in found) >= 6


def test_samples_far_apart_always_can() -> None:
    """Ten standard deviations are an area of 1."""
    found = two_sample_area(
        examples(centre=0, seed=0), examples(centre=10, seed=1), np.random.default_rng(0)
    )
    assert found.value == pytest.approx(1)


def test_one_standard_deviation_gives_the_area_of_two_normals() -> None:
    """Phi(1 / sqrt 2) = 0.76 is what the best classifier reaches."""
    found = two_sample_area(
        examples(centre=0, seed=2, pieces=200),
        examples(centre=1, seed=3, pieces=200),
        np.random.default_rng(0),
    )
    assert found.value == pytest.approx(0.76, abs=0.04)


def test_too_few_pieces_are_refused() -> None:
    """Each fold needs a piece of each kind."""
    with pytest.raises(TrainingError, match="4 pieces for the two-sample test, at least 5"):
        two_sample_area(
            examples(centre=0, seed=0, pieces=4),
            examples(centre=0, seed=1),
            np.random.default_rng(0),
        )
