"""Hypotheses of the weaver: lines so far, and what a beat may add to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import Moments, joined, taken

__all__ = ["Beam", "Chords", "Floats", "Grown", "Judged", "Shorts", "Stands", "Ways", "scattered"]

Shorts = NDArray[np.int16]
Floats = NDArray[np.float64]
Stands = Mapping[tuple[int, int], NDArray[np.int8]]
"""For the copy of a voice at a beat to come: what it owes after it by options and debts before."""


@dataclass(frozen=True, slots=True, eq=False)
class Chords:
    """The chord that each of some hypotheses is in, as the rules on chords see it."""

    came: Moments  # (P,) the chord before, each voice on the last of its tones there
    entered: Moments  # (P,) each voice on the first of its tones so far, else on its first note
    left: Moments  # (P,) each voice on the last of its tones so far

    def taken(self, rows: NDArray[np.int64]) -> Chords:
        """Some of them."""
        return Chords(*(taken(each, rows) for each in (self.came, self.entered, self.left)))

    def joined(self, more: Chords) -> Chords:
        """These and others."""
        return Chords(
            joined([self.came, more.came]),
            joined([self.entered, more.entered]),
            joined([self.left, more.left]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Beam:
    """Hypotheses (P) up to a beat."""

    steps: Shorts  # (P, voices, parts so far)
    semitones: Shorts
    attacks: NDArray[np.int8]
    options: NDArray[np.int32]  # (P, beats so far)
    debts: NDArray[np.int8]  # (P, voices)
    last: Moments  # (P,) the last moment
    left: Moments  # (P,) what each voice left before the note of that moment
    chords: Chords  # (P,) the last chord
    stands: Stands  # (P, n, debts) each
    costs: Floats  # (P,)


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """Hypotheses with a chord that the next beat may have (P), hypotheses in order."""

    rows: NDArray[np.int64]  # hypotheses
    options: NDArray[np.int32]
    costs: Floats  # nats

    def taken(self, rows: NDArray[np.int64]) -> Ways:
        """Some of them."""
        return Ways(self.rows[rows], self.options[rows], self.costs[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Grown:
    """Continuations (K) of hypotheses by a beat."""

    parent: NDArray[np.int64]
    options: NDArray[np.int32]
    steps: Shorts  # (K, voices, PARTS)
    semitones: Shorts
    attacks: NDArray[np.int8]
    debts: NDArray[np.int8]
    costs: Floats

    def taken(self, rows: NDArray[np.int64]) -> Grown:
        """Some of them."""
        return Grown(*(each[rows] for each in self._columns()))

    def joined(self, more: Grown) -> Grown:
        """These and others."""
        both = zip(self._columns(), more._columns(), strict=True)
        return Grown(*(np.concatenate(each) for each in both))

    def _columns(self) -> tuple[NDArray[Any], ...]:
        return tuple(getattr(self, name) for name in self.__slots__)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Continuations (K) that break no rule."""

    found: Grown
    last: Moments  # (K,) as of a beam
    left: Moments
    chords: Chords
    stands: Stands  # of all copies to come
    costs: Floats

    def taken(self, rows: NDArray[np.int64]) -> Judged:
        """Some of them."""
        return Judged(
            self.found.taken(rows),
            taken(self.last, rows),
            taken(self.left, rows),
            self.chords.taken(rows),
            {which: each[rows] for which, each in self.stands.items()},
            self.costs[rows],
        )

    def joined(self, more: Judged) -> Judged:
        """These and others."""
        return Judged(
            self.found.joined(more.found),
            joined([self.last, more.last]),
            joined([self.left, more.left]),
            self.chords.joined(more.chords),
            {
                which: np.concatenate([each, more.stands[which]])
                for which, each in self.stands.items()
            },
            np.concatenate([self.costs, more.costs]),
        )

    def grown(self, beam: Beam) -> Beam:
        """The hypotheses that they make of those of a beam."""
        found, parent = self.found, self.found.parent
        return Beam(
            np.concatenate([beam.steps[parent], found.steps], axis=2),
            np.concatenate([beam.semitones[parent], found.semitones], axis=2),
            np.concatenate([beam.attacks[parent], found.attacks], axis=2),
            np.concatenate([beam.options[parent], found.options[:, np.newaxis]], axis=1),
            found.debts,
            self.last,
            self.left,
            self.chords,
            self.stands,
            self.costs,
        )


def scattered(into: Moments, rows: NDArray[np.int64], made: Moments) -> Moments:
    """Moments with some of them replaced."""
    if len(rows) == len(into):
        return made
    source = np.arange(len(into))
    source[rows] = len(into) + np.arange(len(rows))
    return taken(joined([into, made]), source)
