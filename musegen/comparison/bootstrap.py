"""Confidence by resampling whole pieces, because the frames of a piece are not independent.

Percentile intervals of the bootstrap (Efron and Tibshirani 1993, ch. 13). Differences are paired:
both models are judged on the same drawn pieces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LEAST_DIFFERENCE",
    "LEVEL",
    "Difference",
    "Interval",
    "draws",
    "interval_of",
    "paired_difference",
    "ratio_interval",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LEVEL = 0.95
ROUNDS = 2000
LEAST_DIFFERENCE = 0.05  # nats a frame; below it is the spread of seeds and starts


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """How much worse one model is than another, nats a frame."""

    value: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """`no difference`, `not significant`, `worse` or `better`, of the first model."""
        if abs(self.value) < LEAST_DIFFERENCE:
            return "no difference"
        if self.low <= 0 <= self.high:
            return "not significant"
        return "worse" if self.value > 0 else "better"


def draws(pieces: int, rng: np.random.Generator, *, rounds: int = ROUNDS) -> IntArray:
    """How often each piece stands in each resample, (rounds, pieces)."""
    return rng.multinomial(pieces, np.full(pieces, 1 / pieces), size=rounds)


def interval_of(value: float, resampled: FloatArray) -> Interval:
    """A figure and the middle 95 % of its resampled values."""
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(value), float(low), float(high))


def ratio_interval(
    sums: FloatArray, counts: FloatArray, rng: np.random.Generator, *, rounds: int = ROUNDS
) -> Interval:
    """A sum over pieces divided by a count over pieces, such as nats a frame.

    Resamples of nothing but pieces that count nothing have no ratio and are left out.

    Args:
        sums: (P,) by piece.
        counts: (P,) by piece, more than 0 in all.
        rng: of the resampling.
        rounds: number of resamples.
    """
    times = draws(len(sums), rng, rounds=rounds)
    drawn = times @ counts
    some = drawn > 0
    return interval_of(float(sums.sum() / counts.sum()), (times @ sums)[some] / drawn[some])


def paired_difference(
    one: FloatArray,
    other: FloatArray,
    counts: FloatArray,
    rng: np.random.Generator,
    *,
    rounds: int = ROUNDS,
) -> Difference:
    """Difference of two models' ratios on the same pieces.

    Args:
        one: (P,) sums of the first model, by piece.
        other: (P,) the same of the second.
        counts: (P,) frames by piece.
        rng: of the resampling.
        rounds: number of resamples.
    """
    found = ratio_interval(one - other, counts, rng, rounds=rounds)
    return Difference(found.value, found.low, found.high)
