"""Hypotheses of the weaver: lines so far, and what a beat may add to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import Moments, joined, taken

__all__ = ["Beam", "Chords", "Floats", "Grown", "Shorts", "gathered", "kept", "more", "scattered"]

Shorts = NDArray[np.int16]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Chords:
    """The chord that each of some hypotheses is in, as the rules on chords see it."""

    came: Moments  # (P,) the chord before, each voice on the last of its tones there
    entered: Moments  # (P,) each voice on the first of its tones so far, else on its first note
    left: Moments  # (P,) each voice on the last of its tones so far

    def taken(self, rows: NDArray[np.int64]) -> Chords:
        """Some of them."""
        return Chords(*(taken(each, rows) for each in (self.came, self.entered, self.left)))


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
    costs: Floats  # (P,)


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
        return Grown(
            self.parent[rows],
            self.options[rows],
            self.steps[rows],
            self.semitones[rows],
            self.attacks[rows],
            self.debts[rows],
            self.costs[rows],
        )


def gathered(drafts: Sequence[Grown]) -> Grown:
    """All continuations as one."""
    return Grown(
        np.concatenate([each.parent for each in drafts]),
        np.concatenate([each.options for each in drafts]),
        np.concatenate([each.steps for each in drafts]),
        np.concatenate([each.semitones for each in drafts]),
        np.concatenate([each.attacks for each in drafts]),
        np.concatenate([each.debts for each in drafts]),
        np.concatenate([each.costs for each in drafts]),
    )


def kept(
    found: Grown, before: Moments, left: Moments, total: Floats, rows: NDArray[np.int64]
) -> tuple[Grown, Moments, Moments, Floats]:
    """Some of the continuations with what goes with them."""
    return found.taken(rows), taken(before, rows), taken(left, rows), total[rows]


_Kind = TypeVar("_Kind", bound=np.generic)


def more(
    before: NDArray[_Kind],
    added: NDArray[_Kind],
    parent: NDArray[np.int64],
    order: NDArray[np.int64],
) -> NDArray[_Kind]:
    """Lines (P, voices, parts) of hypotheses with what a beat added to those that are kept."""
    grown: NDArray[_Kind] = np.concatenate([before[parent[order]], added[order]], axis=2)
    return grown


def scattered(into: Moments, rows: NDArray[np.int64], made: Moments) -> Moments:
    """Moments with some of them replaced."""
    if len(rows) == len(into):
        return made
    source = np.arange(len(into))
    source[rows] = len(into) + np.arange(len(rows))
    return taken(joined([into, made]), source)
