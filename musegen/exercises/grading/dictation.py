"""Dictation as the College Board marks it: an answer beside what was played.

Melody (questions 1 and 2): a point for each segment that is right in pitch and rhythm, one more if any
is; a segment may be shifted by at most a segment, none overlap, their order stays. Below four points the
better of two other guides holds: half a point for each segment right in pitch, or a quarter for each
right in rhythm. Harmony (questions 3 and 4): a point for each pitch of soprano and bass, whose octave is
free in the bass, and a point for each chord symbol, half where only its numeral is right.

Source: scoring guidelines of 2006, 2019, 2021 and 2022.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from musegen.score import Note
from theory_kb.errors import MusegenError
from theory_kb.labels import read_label
from theory_kb.pitch import Pitch

__all__ = ["Melody", "harmonic_dictation", "melodic_dictation", "round_half_even_up"]

HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)
SEGMENTS = 8
FEW = 4  # points below which the other guides are tried
MOST_OF_24 = {Fraction(47, 2): Fraction(23)}  # 23 1/2 counts as 23


@dataclass(frozen=True, slots=True)
class Melody:
    """A melody in time, and how long its bars are as they are written."""

    notes: tuple[Note, ...]
    bars: tuple[Fraction, ...] = ()  # quarter notes of each; empty: as they should be


def melodic_dictation(reference: Melody, answer: Melody, segment: Fraction) -> Fraction:
    """Points of nine.

    Args:
        reference: what was played; it has eight segments.
        answer: what was written.
        segment: length of one, in quarter notes: two beats, or half a bar of three.
    """
    right = _matched(reference, answer, segment, _same_notes)
    regular = Fraction(right + (1 if right else 0))
    if right == SEGMENTS and answer.bars and set(answer.bars) - set(reference.bars):
        regular -= 1
    if regular >= FEW:
        return regular
    pitches = HALF * _in_order(reference, answer, segment)
    rhythms = QUARTER * _matched(reference, answer, segment, _same_rhythm)
    return max(regular, round_half_even_up(max(pitches, rhythms)))


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
    reference: Melody, answer: Melody, segment: Fraction, same: Callable[[Window, Window], bool]
) -> int:
    """Most segments that can be found in the answer, in order, each shifted by one at most."""
    step = Fraction(1, 2)
    shifts = [step * n for n in range(-int(segment / step), int(segment / step) + 1)]
    best: dict[Fraction, int] = {-segment: 0}  # end of the last window used: segments found
    for number in range(SEGMENTS):
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


def _in_order(reference: Melody, answer: Melody, segment: Fraction) -> int:
    """Segments whose pitches stand in the answer one after the other, in the order of the piece."""
    written = [note.pitch for note in answer.notes]
    found, place = 0, 0
    for number in range(SEGMENTS):
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
) -> Fraction:
    """Points of 24 for eight chords after the given first one.

    Args:
        reference: soprano, bass and symbol of each chord.
        answer: the same as written; None and an empty symbol where nothing is.
        mode: of the key, major or minor.
    """
    total = Fraction(0)
    for (soprano, bass, symbol), (upper, lower, written) in zip(reference, answer, strict=False):
        total += upper == soprano
        total += lower is not None and lower.pitch_class == bass.pitch_class
        total += _symbol(symbol, written, mode)
    if total in MOST_OF_24:
        return MOST_OF_24[total]
    return Fraction(-(-total.numerator // total.denominator))


def _symbol(right: str, written: str, mode: str) -> Fraction:
    """A symbol: whole, its numeral alone, or nothing; capitals do not matter, a sign before does."""
    if not written or written[0] in "#b":
        return Fraction(0)
    wanted = read_label(mode, right)
    for way in (written, written.upper(), written.lower()):
        try:
            found = read_label(mode, way)
        except MusegenError:
            continue
        if found.symbol == wanted.symbol:
            return Fraction(1)
        if found.numeral == wanted.numeral:
            return HALF
    return Fraction(0)
