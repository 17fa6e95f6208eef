"""What pieces are like: histograms by piece, and how a set of pieces compares with a corpus.

After Yang and Lerch, On the evaluation of generative models in music (2020): for each feature, the
distances within the corpus and those from each generated piece to the corpus are two samples; their
kernel densities overlap by an area from 0 to 1 and have a Kullback-Leibler divergence. Generated
music that is as varied as the corpus and as near to it has an area near 1. Beside it stands the
overlap of the pooled histograms themselves, which says where the mass lies but not how pieces vary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from musegen.comparison.bootstrap import Interval, draws, interval_of
from musegen.models.rolls import Roll, as_matrix

__all__ = [
    "FEATURES",
    "PASSAGE",
    "Likeness",
    "Reference",
    "histogram_overlap",
    "likeness",
    "passages",
    "vectors",
]

FloatArray = NDArray[np.float64]

OCTAVE = 12
MOST_NOTES = 8  # of a frame; more count as so many
LONGEST = 8  # frames of a note; longer ones count as so long
POINTS = 256  # at which densities are evaluated
ROUNDS = 500
LEAST_DENSITY = 1e-9
PASSAGE = 16  # frames of the passages that a classifier sees


def _normalised(counts: FloatArray) -> FloatArray:
    total = counts.sum()
    return counts / total if total else counts


def _histogram(values: Sequence[int], size: int) -> FloatArray:
    counts = np.bincount(np.asarray(values, np.int64), minlength=size).astype(np.float64)
    return _normalised(counts)


def _pitch_classes(roll: Roll) -> FloatArray:
    return _histogram([pitch % OCTAVE for frame in roll.frames for pitch in frame], OCTAVE)


def _steps(roll: Roll, place: int) -> FloatArray:
    """Intervals between successive frames' notes at a place, an octave or more as an octave."""
    line = [frame[place] for frame in roll.frames if frame]
    moves = [after - before for before, after in pairwise(line)]
    return _histogram([min(max(move, -OCTAVE), OCTAVE) + OCTAVE for move in moves], 2 * OCTAVE + 1)


def _top_steps(roll: Roll) -> FloatArray:
    return _steps(roll, -1)


def _bass_steps(roll: Roll) -> FloatArray:
    return _steps(roll, 0)


def _over_bass(roll: Roll) -> FloatArray:
    found = [(pitch - frame[0]) % OCTAVE for frame in roll.frames for pitch in frame[1:]]
    return _histogram(found, OCTAVE)


def _notes_at_once(roll: Roll) -> FloatArray:
    return _histogram([min(len(frame), MOST_NOTES) for frame in roll.frames], MOST_NOTES + 1)


def _lengths(roll: Roll) -> FloatArray:
    """Frames for which a key goes on sounding; a repeated note counts as a held one."""
    edges = np.diff(np.pad(as_matrix(roll).astype(np.int8), ((1, 1), (0, 0))), axis=0).T
    found = np.nonzero(edges == -1)[1] - np.nonzero(edges == 1)[1]
    return _histogram(np.minimum(found, LONGEST).tolist(), LONGEST + 1)


def _chords(roll: Roll) -> FloatArray:
    """Which pitch classes stand over the bass, as a set."""
    found = [
        sum({1 << (pitch - frame[0]) % OCTAVE for pitch in frame}) for frame in roll.frames if frame
    ]
    return _histogram(found, 1 << OCTAVE)


def _top_classes(roll: Roll) -> FloatArray:
    line = [frame[-1] % OCTAVE for frame in roll.frames if frame]
    return _histogram([OCTAVE * one + other for one, other in pairwise(line)], OCTAVE * OCTAVE)


FEATURES: Mapping[str, Callable[[Roll], FloatArray]] = {
    "pitch classes": _pitch_classes,
    "intervals of the top line": _top_steps,
    "intervals of the bass": _bass_steps,
    "successions of pitch classes, top line": _top_classes,
    "intervals over the bass": _over_bass,
    "notes at once": _notes_at_once,
    "lengths of notes": _lengths,
    "chords over the bass": _chords,
}
WIDE = (
    "chords over the bass",
    "successions of pitch classes, top line",
)  # too many for a classifier


def vectors(rolls: Sequence[Roll], feature: str) -> FloatArray:
    """Histograms of a feature, (P, F)."""
    return np.stack([FEATURES[feature](roll) for roll in rolls])


def histogram_overlap(one: FloatArray, other: FloatArray) -> float:
    """Common area of the mean histograms of two sets of pieces (P, F), 0 to 1."""
    common = np.minimum(_normalised(one.mean(axis=0)), _normalised(other.mean(axis=0)))
    return float(common.sum())


# --- densities of distances -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reference:
    """A corpus by one feature: its histograms, and the distances within it."""

    vectors: FloatArray  # (M, F)
    inside: FloatArray  # distances of all pairs of different pieces

    @classmethod
    def of(cls, found: FloatArray) -> Reference:
        """From histograms (M, F) of two pieces or more."""
        upper = np.triu_indices(len(found), 1)
        return cls(found, _distances(found, found)[upper])


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like a corpus a set of pieces is, by one feature."""

    area: Interval  # overlapping area of densities of distances, 0 to 1
    divergence: Interval  # Kullback-Leibler divergence of the same, nats
    overlap: Interval  # common area of the mean histograms, 0 to 1


def likeness(found: FloatArray, corpus: Reference, rng: np.random.Generator) -> Likeness:
    """Compare pieces with a corpus; intervals by resampling the pieces.

    Args:
        found: histograms (P, F) of the pieces.
        corpus: what they are compared with.
        rng: of the resampling.
    """
    outside = _distances(found, corpus.vectors)
    grid = _grid(corpus.inside, outside)
    inside = _density(corpus.inside[None], grid)[0]
    rows = _density(outside, grid)
    times = draws(len(found), rng, rounds=ROUNDS) / len(found)
    densities = np.vstack([rows.mean(axis=0), times @ rows])
    step = grid[1] - grid[0]
    areas = np.minimum(densities, inside).sum(axis=1) * step
    logs = np.log(np.maximum(inside, LEAST_DENSITY)) - np.log(np.maximum(densities, LEAST_DENSITY))
    divergences = (inside * logs).sum(axis=1) * step
    middle = _normalised(corpus.vectors.mean(axis=0))
    means = np.vstack([found.mean(axis=0), times @ found])
    means /= np.maximum(means.sum(axis=1, keepdims=True), LEAST_DENSITY)
    overlaps = np.minimum(means, middle).sum(axis=1)
    return Likeness(
        *(interval_of(values[0], values[1:]) for values in (areas, divergences, overlaps))
    )


def _distances(one: FloatArray, other: FloatArray) -> FloatArray:
    """Euclidean distances (P, M)."""
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    found: FloatArray = np.sqrt(np.maximum(squares, 0.0))
    return found


def _grid(inside: FloatArray, outside: FloatArray) -> FloatArray:
    reach = 3 * max(_bandwidth(inside), _bandwidth(outside))
    low = min(float(inside.min()), float(outside.min()))
    high = max(float(inside.max()), float(outside.max()))
    return np.linspace(low - reach, high + reach, POINTS)


def _bandwidth(values: FloatArray) -> float:
    """Scott's rule; a sample without spread gets a narrow kernel."""
    width: float = float(values.std()) / float(values.size) ** 0.2
    return max(width, 1e-3)


def _density(values: FloatArray, grid: FloatArray) -> FloatArray:
    """Kernel density (P, G) of each row of values (P, M), all with the bandwidth of the whole.

    Values are counted in the cells of the grid and the counts smoothed, for speed.
    """
    width, step = _bandwidth(values), grid[1] - grid[0]
    cells = np.rint((values - grid[0]) / step).astype(np.int64)
    rows = np.arange(len(values))[:, None]
    counts = np.zeros((len(values), len(grid)))
    np.add.at(counts, (np.broadcast_to(rows, cells.shape), cells), 1 / values.shape[1])
    kernel = np.exp(-(((grid[:, None] - grid) / width) ** 2) / 2)
    kernel /= kernel.sum(axis=1, keepdims=True) * step
    smoothed: FloatArray = counts @ kernel
    return smoothed


# --- for a classifier -----------------------------------------------------------------------


def passages(roll: Roll) -> FloatArray:
    """Figures (n, F) of the passages of 16 frames of a piece; a shorter piece is one passage."""
    count = max(1, len(roll.frames) // PASSAGE)
    parts = [
        Roll(roll.name, roll.frames[place * PASSAGE : (place + 1) * PASSAGE])
        for place in range(count)
    ]
    names = [name for name in FEATURES if name not in WIDE]
    return np.stack([np.concatenate([FEATURES[name](part) for name in names]) for part in parts])
