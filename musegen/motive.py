"""Motives: a contour and a rhythm, what can be done with them, and how alike two are.

A motive has no pitch and no key: it is stated by placing it. Contour is counted in staff steps, so
that a motive answered in another key, or led through a scale, stays the same motive.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from musegen.errors import OptionError, ScoreError
from musegen.score import Note, Score
from theory_kb.pitch import Pitch

__all__ = ["Motive", "in_turn", "read_theme", "similarity", "theme_of"]

LEAP = 3  # staff steps by which two moves differ altogether
EVEN = 0.5  # weight of rhythm; the rest is contour's
MOST_NOTES = 200
VALUES = {letter: Fraction(4, 2**place) for place, letter in enumerate("whqest")}
TOKEN = re.compile(
    r"(?P<pitch>[A-G](?:#{1,2}|x|b{1,2})?\d|r)"
    r":(?:(?P<value>[whqest])(?P<dots>\.{0,2})|(?P<quarters>\d{1,2}(?:/[1-9]\d?)?))"
)
EXAMPLE = "notes and lengths such as 'E4:q F4:e G4:e r:h', or quarter notes as in 'E4:3/2'"


@dataclass(frozen=True, slots=True)
class Motive:
    """Durations of n notes in quarter notes, and the n - 1 staff steps between them."""

    durations: tuple[Fraction, ...]
    steps: tuple[int, ...]

    @classmethod
    def of(cls, notes: Sequence[Note]) -> Motive:
        """The motive of some notes; each lasts until the next begins."""
        lengths = [after.onset - note.onset for note, after in pairwise(notes)]
        durations = (*lengths, notes[-1].duration) if notes else ()
        return cls(
            durations, tuple(after.pitch.step - note.pitch.step for note, after in pairwise(notes))
        )

    @property
    def length(self) -> Fraction:
        """Quarter notes."""
        return sum(self.durations, Fraction(0))

    def inverted(self) -> Motive:
        """Each step turned the other way."""
        return Motive(self.durations, tuple(-step for step in self.steps))

    def retrograde(self) -> Motive:
        """From the end to the beginning."""
        return Motive(self.durations[::-1], tuple(-step for step in self.steps[::-1]))

    def augmented(self, factor: Fraction = Fraction(2)) -> Motive:
        """All durations multiplied; by a factor below 1 they are diminished."""
        return Motive(tuple(each * factor for each in self.durations), self.steps)

    def diminished(self) -> Motive:
        """All durations halved."""
        return self.augmented(Fraction(1, 2))

    def fragment(self, length: Fraction) -> Motive:
        """What begins within so many quarter notes; the last note is cut there."""
        kept: list[Fraction] = []
        time = Fraction(0)
        for each in self.durations:
            if time >= length:
                break
            kept.append(min(each, length - time))
            time += each
        return Motive(tuple(kept), self.steps[: max(0, len(kept) - 1)])

    def liquidated(self) -> Motive:
        """Without what is characteristic: notes of one length, each step a step the same way."""
        count = max(1, round(len(self.durations) / 2))
        even = (self.length / count,) * count
        falling = sum(self.steps) <= 0
        return Motive(even, (-1 if falling else 1,) * (count - 1))

    def then(self, other: Motive) -> Motive:
        """Another motive after this one, from its last pitch on."""
        joint = (0,) if self.durations and other.durations else ()
        return Motive((*self.durations, *other.durations), (*self.steps, *joint, *other.steps))

    def repeated(self, length: Fraction) -> Motive:
        """Stated over and over until so many quarter notes are filled; where it begins anew, no step."""
        return in_turn((self,), length)


def in_turn(motives: Sequence[Motive], length: Fraction) -> Motive:
    """Motives one after another, over and over, until so many quarter notes are filled."""
    whole = Motive((), ())
    number = 0
    while whole.length < length:
        whole = whole.then(motives[number % len(motives)].fragment(length - whole.length))
        number += 1
    return whole


def similarity(one: Motive, other: Motive) -> float:
    """How alike two motives are, from 0 to 1 (the same): edit distance over notes.

    A note is compared by its duration and by the step into it (Mongeau & Sankoff 1990, without their
    splitting of notes); octaves and keys do not count. The distance is divided by the longer of both.
    """
    first, second = _tokens(one), _tokens(other)
    if not first or not second:
        return float(not first and not second)
    row = [float(place) for place in range(len(second) + 1)]
    for number, here in enumerate(first, 1):
        before, row[0] = row[0], float(number)
        for place, there in enumerate(second, 1):
            change = before + _difference(here, there)
            before = row[place]
            row[place] = min(change, row[place] + 1, row[place - 1] + 1)
    return max(0.0, 1 - row[-1] / max(len(first), len(second)))


def _tokens(motive: Motive) -> list[tuple[Fraction, int | None]]:
    return list(zip(motive.durations, (None, *motive.steps), strict=True))


def _difference(one: tuple[Fraction, int | None], other: tuple[Fraction, int | None]) -> float:
    rhythm = 1 - float(min(one[0], other[0]) / max(one[0], other[0]))
    if one[1] is None or other[1] is None:
        return rhythm * EVEN
    contour = min(1.0, abs(one[1] - other[1]) / LEAP)
    return EVEN * rhythm + (1 - EVEN) * contour


def read_theme(text: str) -> tuple[Note, ...]:
    """Notes of a theme as text: `E4:q F4:e G4:e.`; w h q e s t with dots, `r` a rest.

    Raises:
        OptionError: a token that is none, no note, or too many.
    """
    notes: list[Note] = []
    time = Fraction(0)
    for token in text.replace("|", " ").split():
        match = TOKEN.fullmatch(token)
        if match is None:
            raise OptionError("theme", token, EXAMPLE)
        length = _length(match)
        if not 0 < length <= 16:
            raise OptionError("length of a note of the theme", token, "up to 16 quarter notes")
        if match["pitch"] != "r":
            notes.append(Note(time, length, Pitch.parse(match["pitch"])))
        time += length
    if not 2 <= len(notes) <= MOST_NOTES:
        raise OptionError("theme", f"{len(notes)} notes", f"2 to {MOST_NOTES} of them: {EXAMPLE}")
    return tuple(notes)


def theme_of(score: Score) -> tuple[Note, ...]:
    """The highest part of a score as a theme, from its first note on.

    Raises:
        ScoreError: the part has too few notes, or too many.
    """
    notes = score.parts[0].notes if score.parts else ()
    if not 2 <= len(notes) <= MOST_NOTES:
        raise ScoreError(score.title, f"a theme has 2 to {MOST_NOTES} notes, not {len(notes)}")
    return tuple(replace(note, onset=note.onset - notes[0].onset) for note in notes)


def _length(match: re.Match[str]) -> Fraction:
    if match["quarters"]:
        return Fraction(match["quarters"])
    return VALUES[match["value"]] * (2 - Fraction(1, 1 << len(match["dots"])))
