"""Can a classifier tell generated music from real music? Its area under the ROC curve says how well.

The classifier two-sample test (Lopez-Paz and Oquab 2017): logistic regression with a quadratic
penalty on figures of passages, cross-validated so that no piece is both learnt from and judged. An
area of 0.5 means that it cannot tell them apart, 1 that it always can. The regression is a dozen
lines on scipy; a library for it would be one more dependency for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musegen.comparison.bootstrap import Interval, draws, interval_of
from musegen.errors import TrainingError

__all__ = ["FOLDS", "Examples", "area_under_curve", "classifier_scores", "two_sample_area"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FOLDS = 5
PENALTY = 1.0  # weight of the squared coefficients, in examples
ROUNDS = 500


@dataclass(frozen=True, slots=True)
class Examples:
    """Passages as figures, and the piece that each comes from."""

    figures: FloatArray  # (N, F)
    pieces: IntArray  # (N,) from 0

    @classmethod
    def of(cls, by_piece: Sequence[FloatArray]) -> Examples:
        """Join the passages (n, F) of each piece."""
        lengths = [len(some) for some in by_piece]
        return cls(np.concatenate(by_piece), np.repeat(np.arange(len(by_piece)), lengths))


def area_under_curve(negative: FloatArray, positive: FloatArray) -> float:
    """Chance that a positive example scores above a negative one, ties counting half.

    The Mann-Whitney statistic, by ranks.
    """
    values = np.concatenate([negative, positive])
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[inverse]
    above = ranks[len(negative) :].sum() - len(positive) * (len(positive) + 1) / 2
    return float(above / (len(negative) * len(positive)))


def two_sample_area(real: Examples, generated: Examples, rng: np.random.Generator) -> Interval:
    """Cross-validated area under the curve, generated against real, with its interval by pieces.

    Raises:
        TrainingError: fewer than five pieces of a kind.
    """
    both = (real, generated)
    folds = tuple(_folds(each.pieces, rng) for each in both)
    scores = classifier_scores(both, folds)
    value = _area_within_folds(scores, folds)
    resampled = []
    for _ in range(ROUNDS):
        drawn = [_drawn(each.pieces, of, rng) for each, of in zip(both, folds, strict=True)]
        resampled.append(
            _area_within_folds(
                tuple(some[rows] for some, rows in zip(scores, drawn, strict=True)),
                tuple(some[rows] for some, rows in zip(folds, drawn, strict=True)),
            )
        )
    return interval_of(value, np.array(resampled))


def _drawn(pieces: IntArray, folds: IntArray, rng: np.random.Generator) -> IntArray:
    """Rows of the passages of pieces that are drawn with replacement, as many in each fold."""
    times = np.zeros(int(pieces.max()) + 1, np.int64)
    for fold in range(FOLDS):
        some = np.unique(pieces[folds == fold])
        times[some] = draws(len(some), rng, rounds=1)[0]
    return np.repeat(np.arange(len(pieces)), times[pieces])


def _area_within_folds(scores: Sequence[FloatArray], folds: Sequence[IntArray]) -> float:
    """Mean area of the folds, by their pairs.

    Scores of different folds come from different regressions; to rank them together would make
    equal samples look as if they could be told apart the wrong way round.
    """
    total, pairs = 0.0, 0
    for fold in range(FOLDS):
        some = [each[of == fold] for each, of in zip(scores, folds, strict=True)]
        count = len(some[0]) * len(some[1])
        if count:
            total += count * area_under_curve(some[0], some[1])
            pairs += count
    return total / pairs


def classifier_scores(
    both: tuple[Examples, Examples], by_kind: tuple[IntArray, ...]
) -> tuple[FloatArray, FloatArray]:
    """Log-odds of being generated, of each real and each generated passage, by the other folds.

    Args:
        both: real and generated passages.
        by_kind: fold of each.
    """
    real, generated = both
    figures = np.concatenate([real.figures, generated.figures])
    labels = np.concatenate([np.zeros(len(real.pieces)), np.ones(len(generated.pieces))])
    folds = np.concatenate(by_kind)
    scores = np.empty(len(labels))
    for fold in range(FOLDS):
        held = folds == fold
        scores[held] = _fitted(figures[~held], labels[~held], figures[held])
    return scores[labels == 0], scores[labels == 1]


def _folds(pieces: IntArray, rng: np.random.Generator) -> IntArray:
    """A fold for each passage, the same for all of a piece."""
    count = int(pieces.max()) + 1
    if count < FOLDS:
        raise TrainingError(f"{count} pieces for the two-sample test, at least {FOLDS} are needed")
    return (rng.permutation(count) % FOLDS)[pieces]


def _fitted(figures: FloatArray, labels: FloatArray, others: FloatArray) -> FloatArray:
    """Log-odds of other passages by a regression on some; both kinds weigh the same."""
    from scipy.optimize import minimize

    mean, spread = figures.mean(axis=0), figures.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    inputs = np.column_stack([(figures - mean) / scale, np.ones(len(figures))])
    signs = 2 * labels - 1
    weights = np.where(labels == 1, 0.5 / labels.sum(), 0.5 / (1 - labels).sum()) * len(labels)

    def loss(coefficients: FloatArray) -> tuple[float, FloatArray]:
        margins = signs * (inputs @ coefficients)
        slopes = coefficients * PENALTY
        slopes[-1] = 0  # the intercept is free
        pull = weights * signs / (1 + np.exp(np.clip(margins, -500, 500)))
        value = weights @ np.logaddexp(0, -margins) + PENALTY * (coefficients[:-1] ** 2).sum() / 2
        return float(value), slopes - inputs.T @ pull

    found = minimize(loss, np.zeros(inputs.shape[1]), jac=True, method="L-BFGS-B").x
    scores: FloatArray = np.column_stack([(others - mean) / scale, np.ones(len(others))]) @ found
    return scores
