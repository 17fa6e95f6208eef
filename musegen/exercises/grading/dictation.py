"""Dictation as the College Board marks it: an answer beside what was played.

Melody (questions 1 and 2): a point for each segment that is right in pitch and rhythm, one more if any
is; a segment may be shifted by at most a segment, none overlap, their order stays. Below four points the
better of two other guides holds: half a point for each segment right in pitch, or a quarter for each
right in rhythm. Harmony (questions 3 and 4): a point for each pitch of soprano and bass, whose octave is
free in the bass, and a point for each chord symbol, half where only its numeral is right. The points are
those of a rubric.

Source: scoring guidelines of 2006, 2019, 2021 and 2022.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from musegen.exercises.grading.rubric import ChordPoints, MelodyPoints, Rubric
from musegen.exercises.grading.scoring import rounded_points
from musegen.score import Note
from theory_kb.errors import FactError, MusegenError
from theory_kb.labels import read_label
from theory_kb.pitch import Pitch

__all__ = [
    "Melody",
    "MelodyMarks",
    "chord_marks",
    "harmonic_dictation",
    "melodic_dictation",
    "melody_marks",
    "points_for_chords",
    "points_for_melody",
    "round_half_even_up",
]

HALF = Fraction(1, 2)


def _points(number: float) -> Fraction:
    return Fraction(str(number))


def points_for_melody(rubric: Rubric) -> MelodyPoints:
    """What a rubric gives for a melody; raises FactError where it says nothing of one."""
    if rubric.melody is None:
        raise FactError(
            f"rubric {rubric.id}", "melody", "must say what a segment is worth, see ap1"
        )
    return rubric.melody


def points_for_chords(rubric: Rubric) -> ChordPoints:
    """What a rubric gives for chords; raises FactError where it says nothing of them."""
    if rubric.chords is None:
        raise FactError(f"rubric {rubric.id}", "chords", "must say what a chord is worth, see ap3")
    return rubric.chords


@dataclass(frozen=True, slots=True)
class Melody:
    """A melody in time, and how long its bars are as they are written."""

    notes: tuple[Note, ...]
    bars: tuple[Fraction, ...] = ()  # quarter notes of each; empty: as they should be


@dataclass(frozen=True, slots=True)
class MelodyMarks:
    """How a melody that was taken down is marked."""

    right: int  # segments right in pitch and rhythm
    pitches: int  # segments whose pitches stand there in order
    rhythms: int  # segments right in rhythm
    barred: bool  # whether its bars are as they should be
    regular: Fraction  # points by segments
    points: Fraction  # by the best guide


def melodic_dictation(
    reference: Melody, answer: Melody, segment: Fraction, points: MelodyPoints
) -> Fraction:
    """Points of nine; see `melody_marks`."""
    return melody_marks(reference, answer, segment, points).points


def melody_marks(
    reference: Melody, answer: Melody, segment: Fraction, points: MelodyPoints
) -> MelodyMarks:
    """How an answer is marked.

    Args:
        reference: what was played; a note begins in each of its segments.
        answer: what was written.
        segment: length of one, in quarter notes: two beats, or half a bar of three.
        points: of the rubric.
    """
    count = points.segments
    right = _matched(reference, answer, segment, count, _same_notes)
    barred = not (answer.bars and set(answer.bars) - set(reference.bars))
    regular = right * _points(points.each) + (_points(points.any_right) if right else 0)
    if right == count and not barred:
        regular -= _points(points.bar_lines)
    pitches = _in_order(reference, answer, segment, count)
    rhythms = _matched(reference, answer, segment, count, _same_rhythm)
    best = regular
    if regular < _points(points.few):
        other = max(_points(points.pitch) * pitches, _points(points.rhythm) * rhythms)
        best = max(regular, round_half_even_up(other))
    return MelodyMarks(right, pitches, rhythms, barred, regular, best)


def round_half_even_up(points: Fraction) -> Fraction:
    """A half and one and a half go up, two and a half and three and a half down; quarters nearest."""
    whole = points.numerator // points.denominator
    rest = points - whole
    if rest == HALF:
        return Fraction(whole + (whole < 2))
    return Fraction(whole + (rest > HALF))


def _cut(
    notes: Sequence[Note], start: Fraction, length: Fraction
) -> list[tuple[Fraction, Fraction, Pitch]]:
    """The notes that begin in a window: onset from its start, length, pitch."""
    return [
        (note.onset - start, note.duration, note.pitch)
        for note in notes
        if start <= note.onset < start + length
    ]


Window = Sequence[tuple[Fraction, Fraction, Pitch]]


def _same_notes(one: Window, other: Window) -> bool:
    return bool(one) and list(one) == list(other)


def _same_rhythm(one: Window, other: Window) -> bool:
    return bool(one) and [each[:2] for each in one] == [each[:2] for each in other]


def _matched(
    reference: Melody,
    answer: Melody,
    segment: Fraction,
    count: int,
    same: Callable[[Window, Window], bool],
) -> int:
    """Most segments that can be found in the answer, in order, each shifted by one at most."""
    step = Fraction(1, 2)
    shifts = [step * n for n in range(-int(segment / step), int(segment / step) + 1)]
    best: dict[Fraction, int] = {-segment: 0}  # end of the last window used: segments found
    for number in range(count):
        start = segment * number
        wanted = _cut(reference.notes, start, segment)
        grown = dict(best)
        for shift in shifts:
            place = start + shift
            if same(wanted, _cut(answer.notes, place, segment)):
                before = max((n for end, n in best.items() if end <= place), default=None)
                if before is not None:
                    end = place + segment
                    grown[end] = max(grown.get(end, 0), before + 1)
        best = grown
    return max(best.values())


def _in_order(reference: Melody, answer: Melody, segment: Fraction, count: int) -> int:
    """Segments whose pitches stand in the answer one after the other, in the order of the piece."""
    written = [note.pitch for note in answer.notes]
    found, place = 0, 0
    for number in range(count):
        wanted = [pitch for _, _, pitch in _cut(reference.notes, segment * number, segment)]
        for start in range(place, len(written) - len(wanted) + 1):
            if wanted and written[start : start + len(wanted)] == wanted:
                found, place = found + 1, start + len(wanted)
                break
    return found


# --- harmony --------------------------------------------------------------------------------


def harmonic_dictation(
    reference: Sequence[tuple[Pitch, Pitch, str]],
    answer: Sequence[tuple[Pitch | None, Pitch | None, str]],
    mode: str,
    rubric: Rubric,
) -> Fraction:
    """Points of 24 for eight chords after the given first one, as they are rounded.

    Args:
        reference: soprano, bass and symbol of each chord.
        answer: the same as written; None and an empty symbol where nothing is.
        mode: of the key, major or minor.
        rubric: one with points for chords.
    """
    rows = chord_marks(reference, answer, mode, points_for_chords(rubric))
    return rounded_points(rubric, sum((sum(row, Fraction(0)) for row in rows), Fraction(0)))


def chord_marks(
    reference: Sequence[tuple[Pitch, Pitch, str]],
    answer: Sequence[tuple[Pitch | None, Pitch | None, str]],
    mode: str,
    points: ChordPoints,
) -> list[tuple[Fraction, Fraction, Fraction]]:
    """Points for soprano, bass and symbol of each chord; arguments as `harmonic_dictation` has them."""
    none = Fraction(0)
    return [
        (
            _points(points.soprano) if upper == soprano else none,
            _points(points.bass) if lower and lower.pitch_class == bass.pitch_class else none,
            _symbol(symbol, written, mode, points),
        )
        for (soprano, bass, symbol), (upper, lower, written) in zip(reference, answer, strict=False)
    ]


def _symbol(right: str, written: str, mode: str, points: ChordPoints) -> Fraction:
    """A symbol: whole, its numeral alone, or nothing; capitals do not matter, a sign before does."""
    if not written or written[0] in "#b":
        return Fraction(0)
    wanted = read_label(mode, right)
    best = Fraction(0)
    for way in (written, written.upper(), written.lower()):
        try:
            found = read_label(mode, way)
        except MusegenError:
            continue
        if found.symbol == wanted.symbol or (wanted.cadential and way.lower() in CADENTIAL):
            return _points(points.symbol)
        if _roman(found.symbol) in (CADENTIAL_ROMANS if wanted.cadential else (_roman(right),)):
            best = _points(points.numeral)
    return best


CADENTIAL, CADENTIAL_ROMANS = ("i64", "v64"), ("i", "v")  # other names of the six-four
FIGURES = re.compile(r"[^ivx/]")


def _roman(symbol: str) -> str:
    """A symbol's numeral with what it is applied to; quality, figures and capitals left out."""
    return FIGURES.sub("", symbol.lower())
