"""What a descriptor is, and the score as descriptors see it: what sounds at every time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import nan

import numpy as np
from numpy.typing import NDArray

from musegen.analysis.result import Analysis
from musegen.score import Note, Part, Score
from theory_kb.pitch import Key

__all__ = ["Descriptor", "Material", "entropy", "mean", "share"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

MISSING = -(10**6)  # semitone and place of a part that rests


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A number, or a row of numbers, that is measured of a score."""

    name: str
    level: str  # low or high
    unit: str
    low: float  # bounds of its values
    high: float
    text: str  # what it is
    source: str
    measure: Callable[[Material], float | Sequence[float]] | None  # None: made of the others
    parts: tuple[str, ...] = ()  # endings of the names of the columns; none for a single number

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its columns in a table."""
        return tuple(f"{self.name}_{part}" for part in self.parts) or (self.name,)


@dataclass(frozen=True)
class Material:
    """A score with at least one note, its analysis, and what sounds when.

    Time is cut into n slices at every beginning and end of a note of the p parts.
    """

    analysis: Analysis
    tempo: float  # quarter notes a minute, nan where the file names none

    @property
    def score(self) -> Score:
        """The score, with its chords."""
        return self.analysis.score

    @property
    def home(self) -> Key:
        """Home key."""
        return self.analysis.home

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The parts that have notes, high to low."""
        return tuple(part for part in self.score.parts if part.notes)

    @cached_property
    def tune(self) -> tuple[Note, ...]:
        """The notes of the highest part."""
        return self.parts[0].notes

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """All notes, part by part."""
        return tuple(note for part in self.parts for note in part.notes)

    @cached_property
    def semitones(self) -> FloatArray:
        """(notes,) MIDI numbers."""
        return np.array([note.pitch.semitone for note in self.notes], float)

    @cached_property
    def durations(self) -> FloatArray:
        """(notes,) in quarter notes."""
        return np.array([float(note.duration) for note in self.notes])

    @cached_property
    def onsets(self) -> tuple[Fraction, ...]:
        """Times at which some note begins, each once."""
        return tuple(sorted({note.onset for note in self.notes}))

    @cached_property
    def length(self) -> float:
        """From the first note to the end, in quarter notes."""
        return float(self.score.duration - self.onsets[0])

    @cached_property
    def times(self) -> FloatArray:
        """(n + 1,) starts of the slices in quarter notes, and the end."""
        points = {point for note in self.notes for point in (note.onset, note.end)}
        return np.array([float(point) for point in sorted(points)])

    @cached_property
    def lengths(self) -> FloatArray:
        """(n,) lengths of the slices in quarter notes."""
        return np.diff(self.times)

    @cached_property
    def _sounding(self) -> tuple[IntArray, IntArray]:
        rows = [_in_slices(part.notes, self.times) for part in self.parts]
        return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])

    @property
    def heights(self) -> IntArray:
        """(p, n) semitone of each part in each slice, MISSING in a rest."""
        return self._sounding[0]

    @property
    def fifths(self) -> IntArray:
        """(p, n) place on the line of fifths of each part in each slice, MISSING in a rest."""
        return self._sounding[1]

    @cached_property
    def sounds(self) -> BoolArray:
        """(p, n) whether each part sounds."""
        found: BoolArray = self.heights != MISSING
        return found

    @cached_property
    def lowest(self) -> IntArray:
        """(n,) part of the lowest note; meaningless in silence."""
        heights = np.where(self.sounds, self.heights, -MISSING)
        found: IntArray = heights.argmin(axis=0)
        return found


def _in_slices(notes: Sequence[Note], times: FloatArray) -> tuple[IntArray, IntArray]:
    begins = np.array([float(note.onset) for note in notes])
    ends = np.array([float(note.end) for note in notes])
    place = np.searchsorted(begins, times[:-1], side="right") - 1
    sounds = (place >= 0) & (ends[place] > times[:-1])
    heights = np.array([note.pitch.semitone for note in notes])[place]
    fifths = np.array([note.pitch.pitch_class.fifths for note in notes])[place]
    return np.where(sounds, heights, MISSING), np.where(sounds, fifths, MISSING)


# --- sums -----------------------------------------------------------------------------------


def mean(
    values: Sequence[float] | FloatArray | IntArray, weights: FloatArray | None = None
) -> float:
    """Mean, nan of nothing."""
    array = np.asarray(values, float)
    total = len(array) if weights is None else float(np.sum(weights))
    return float(np.average(array, weights=weights)) if total else nan


def share(which: Sequence[bool] | BoolArray, weights: FloatArray | None = None) -> float:
    """Share of the true ones, nan of nothing."""
    return mean(np.asarray(which, float), weights)


def entropy(weights: Sequence[float] | FloatArray) -> float:
    """Entropy of a distribution in bits (Shannon 1948); weights need not sum to one."""
    array = np.asarray(weights, float)
    shares = array[array > 0] / array.sum() if array.sum() else np.array([])
    return float((shares * np.log2(1 / shares)).sum()) if len(shares) else nan
