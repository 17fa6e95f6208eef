"""Bars of rhythm in a metre: drawn from cells of beats, beamed, filled up with rests.

How rests and beams are grouped is what `musegen.io.notation` writes (Gould, Behind Bars, 2011).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import accumulate

import numpy as np

from musegen.errors import ScoreError
from musegen.exercises.kinds import DiscardError
from musegen.exercises.rhythm_text import TUPLETS, RhythmValue, read_rhythm, rhythm_text, value_of
from musegen.io.notation import Bar, Piece, bars, beam_states, beat, pieces
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch, PitchClass

__all__ = [
    "bar_lines",
    "beam_groups",
    "beams",
    "draw_bar",
    "metre_of",
    "rests_after",
    "rhythm_of",
    "total",
]

Rhythm = tuple[RhythmValue, ...]
MIDDLE = Pitch.parse("B4")
COMPOUND = 3
SIMPLE_CELLS: Mapping[str, int] = {  # by quarter beat, and beats that they take
    "q": 1,
    "h": 2,
    "h.": 3,
    "q. e": 2,
    "e e": 1,
    "s s s s": 1,
    "e. s": 1,
    "e s s": 1,
    "s s e": 1,
    "s e s": 1,
    "e q e": 2,
    "e/3 e/3 e/3": 1,
    "q/3 q/3 q/3": 2,
    "q/3 e/3": 1,
    "s/5 s/5 s/5 s/5 s/5": 1,
    "rq": 1,
    "re e": 1,
    "q.. s": 2,
}
COMPOUND_CELLS: Mapping[str, int] = {  # by dotted quarter beat
    "q.": 1,
    "h.": 2,
    "q e": 1,
    "e q": 1,
    "e e e": 1,
    "e. s e": 1,
    "e s s e": 1,
    "s s s s e": 1,
    "e/2 e/2": 1,
    "e re e": 1,
}


def metre_of(text: str) -> Metre:
    """A metre from `6/8`."""
    beats, unit = text.split("/")
    return Metre(int(beats), int(unit))


def total(values: Sequence[RhythmValue]) -> Fraction:
    """Length in quarter notes."""
    return sum((value.length for value in values), Fraction(0))


GROUPS: Mapping[str, tuple[str, ...]] = {  # uneven metres as the bars that they are made of
    "5/4": ("3/4", "2/4"),
    "7/4": ("4/4", "3/4"),
    "5/8": ("3/8", "1/4"),
    "7/8": ("1/4", "1/4", "3/8"),
}


def _even(metre: Metre) -> tuple[Metre, ...]:
    """The even metres that a metre is made of: mostly itself alone."""
    return tuple(metre_of(name) for name in GROUPS.get(str(metre), (str(metre),)))


def draw_bar(
    metre: Metre, cells: Sequence[str], rng: np.random.Generator, *, beats: int | None = None
) -> Rhythm:
    """A bar of cells; raises DiscardError where none of them fits.

    Args:
        metre: its beat sets the size of the cells.
        cells: keys of the tables of simple or compound cells, whichever fit the metre.
        rng: draws.
        beats: of an incomplete bar; None: a full one.
    """
    if beats is None and len(_even(metre)) > 1:
        return tuple(value for part in _even(metre) for value in draw_bar(part, cells, rng))
    unit = beat(metre)
    compound = unit.numerator % COMPOUND == 0
    table = COMPOUND_CELLS if compound else SIMPLE_CELLS
    scale = unit / (Fraction(3, 2) if compound else Fraction(1))
    count = int(metre.bar / unit) if beats is None else beats
    found: list[RhythmValue] = []
    place = 0
    while place < count:
        fitting = [cell for cell in cells if cell in table and _fits(table[cell], place, count)]
        if not fitting:
            raise DiscardError("no cell fits the bar")
        cell = fitting[int(rng.integers(len(fitting)))]
        found += [_scaled(value, scale) for value in read_rhythm(cell)]
        place += table[cell]
    return tuple(found)


def _fits(beats: int, place: int, count: int) -> bool:
    """A cell of two beats begins on an odd beat of a bar of even beats."""
    return place + beats <= count and (beats == 1 or count % 2 == 1 or place % 2 == 0)


def _scaled(value: RhythmValue, scale: Fraction) -> RhythmValue:
    plain = RhythmValue(value.letter, value.dots).length * scale
    found = value_of(plain)
    if found is None:
        raise DiscardError("no note value for the cell in this metre")
    return RhythmValue(found.letter, found.dots, value.tuplet, value.rest, value.tied)


def _pieces(values: Sequence[RhythmValue]) -> list[Piece]:
    onsets = accumulate((value.length for value in values), initial=Fraction(0))
    return [
        Piece(onset, value.length, None if value.rest else Note(onset, value.length, MIDDLE))
        for onset, value in zip(onsets, values, strict=False)
    ]


def beams(values: Sequence[RhythmValue], metre: Metre) -> list[tuple[str, ...]]:
    """States of the beams of each value of a bar, as `musegen.io.notation` writes them."""
    line = _pieces(values)
    found: dict[Fraction, tuple[str, ...]] = {}
    start = Fraction(0)
    for part in _even(metre):
        bar = Bar(1, start, part.bar, part)
        found |= beam_states([each for each in line if start <= each.onset < bar.end], bar)
        start = bar.end
    return [found.get(piece.onset, ()) for piece in line]


def beam_groups(values: Sequence[RhythmValue], metre: Metre) -> tuple[int, ...]:
    """How many notes each beam of a bar joins, in order; 1 for a note with a flag of its own."""
    groups: list[int] = []
    for value, states in zip(values, beams(values, metre), strict=True):
        if value.rest or value.letter not in "est":
            continue
        if states and states[0] in ("continue", "end"):
            groups[-1] += 1
        else:
            groups.append(1)
    return tuple(groups)


def bar_lines(
    values: Sequence[RhythmValue], metre: Metre, upbeat: Fraction = Fraction(0)
) -> tuple[int, ...]:
    """After how many values bar lines stand, the last one left out.

    Args:
        values: a rhythm without bar lines.
        metre: of all of it.
        upbeat: quarter notes before the first bar line; 0: a full bar.
    """
    ends = list(accumulate(value.length for value in values))
    first = upbeat or metre.bar
    return tuple(
        number
        for number, end in enumerate(ends[:-1], start=1)
        if end >= first and (end - first) % metre.bar == 0
    )


def rests_after(values: Sequence[RhythmValue], metre: Metre, end: Fraction) -> Rhythm:
    """The rests that fill a bar from the end of its values up to a place, as they are grouped."""
    onset = total(values)
    notes = [piece.note for piece in _pieces(values) if piece.note is not None]
    if end < metre.bar:
        notes.append(Note(end, metre.bar - end, MIDDLE))
    key = Key(PitchClass(0), "major")
    score = Score("", key, (Part("", tuple(notes)),), (metre,))
    bar = Bar(1, Fraction(0), metre.bar, metre)
    found = []
    for piece in pieces(score, 0, (bar,)):
        if piece.note is None and onset <= piece.onset < end:
            value = value_of(piece.duration, rest=True)
            if value is None:
                raise DiscardError("a rest that no single sign writes")
            found.append(value)
    return tuple(found)


def rhythm_of(score: Score) -> str:
    """The written values of the first part of a score; tied ones as one where a sign can write it."""
    line = pieces(score, 0, bars(score))
    values = [_written(piece) for piece in line]
    while values and values[-1].rest:
        values.pop()
    return rhythm_text(values)


def _written(piece: Piece) -> RhythmValue:
    """The token of a written note or rest."""
    rest = piece.note is None
    plain = value_of(piece.duration, rest=rest)
    if plain is not None:
        return RhythmValue(plain.letter, plain.dots, 0, rest, piece.tied_to)
    for number, scale in TUPLETS.items():
        inner = value_of(piece.duration / scale)
        if inner is not None and not inner.dots:
            return RhythmValue(inner.letter, 0, number, rest, piece.tied_to)
    raise ScoreError("answer", f"no note value lasts {piece.duration} of a quarter note")
