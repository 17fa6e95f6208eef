"""Intervals cover what they should, and differences are paired."""

from __future__ import annotations

import numpy as np
import pytest

from musegen.comparison.bootstrap import Difference, Interval, paired_difference, ratio_interval


def test_a_ratio_is_all_over_all() -> None:
    """Long pieces weigh more: convention A, not the mean of means."""
    found = ratio_interval(np.array([2.0, 30.0]), np.array([1.0, 10.0]), np.random.default_rng(0))
    assert found.value == pytest.approx(32 / 11)
    assert 2.0 <= found.low <= found.value <= found.high <= 3.0


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    """Of 300 samples of 40 pieces, between 90 and 98 % have the mean within their 95 %."""
    rng, inside = np.random.default_rng(1), 0
    for _ in range(300):
        counts = rng.integers(30, 90, size=40).astype(np.float64)
        sums = counts * rng.normal(5, 1, size=40)
        found = ratio_interval(sums, counts, rng, rounds=300)
        inside += found.low <= 5 <= found.high
    assert 270 <= inside <= 294


def test_pairing_sees_what_single_intervals_hide() -> None:
    """A small constant loss on very different pieces is told, since it is there on each."""
    rng = np.random.default_rng(2)
    counts = np.full(30, 60.0)
    one = counts * rng.normal(5, 2, size=30)
    found = paired_difference(one + 0.1 * counts, one, counts, rng)
    assert found.value == pytest.approx(0.1)
    assert found.low == pytest.approx(found.high)
    assert found.verdict == "worse"
    single = ratio_interval(one, counts, rng)
    assert single.high - single.low > 0.5


@pytest.mark.parametrize(
    ("difference", "verdict"),
    [
        (Difference(0.049, 0.04, 0.06), "no difference"),
        (Difference(-0.049, -0.06, -0.04), "no difference"),
        (Difference(0.2, -0.1, 0.5), "not significant"),
        (Difference(0.2, 0.1, 0.3), "worse"),
        (Difference(-0.2, -0.3, -0.1), "better"),
    ],
)
def test_verdicts(difference: Difference, verdict: str) -> None:
    """Under 0.05 nats it is no difference, however narrow the interval."""
    assert difference.verdict == verdict


def test_pieces_that_count_nothing_leave_no_hole_in_an_interval() -> None:
    """Resamples without any count are left out; the others have the one ratio there is."""
    sums, counts = np.array([3.0, 0.0, 0.0]), np.array([2.0, 0.0, 0.0])
    assert ratio_interval(sums, counts, np.random.default_rng(0)) == Interval(1.5, 1.5, 1.5)
