"""A score made ready to be written as MusicXML: its staves, bars, written values and numerals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Literal

from musegen.io.notation import Bar, Piece, bars, pieces
from musegen.io.numerals import shown_numerals
from musegen.score import Score

__all__ = ["LAYOUTS", "Layout", "Mark", "Sheet", "Staff", "sheet_of"]

Layout = Literal["two-staff", "four-staff", "open"]
LAYOUTS: tuple[Layout, ...] = ("two-staff", "four-staff", "open")  # of four voices
CHOIR = 4
MIDDLE_C = 60

Clef = tuple[str, int, int]  # sign, line, octave change
TREBLE, TENOR, BASS = ("G", 2, 0), ("G", 2, -1), ("F", 4, 0)


@dataclass(frozen=True, slots=True)
class Staff:
    """A staff: which parts are written on it, from high to low, with which clef."""

    parts: tuple[int, ...]
    clef: Clef


Mark = tuple[str, str]  # slur and its start or stop, or articulations and the touch


@dataclass(frozen=True, slots=True)
class Sheet:
    """A score made ready to be written."""

    score: Score
    groups: tuple[tuple[Staff, ...], ...]  # staves of each part of the file
    bars: tuple[Bar, ...]
    pieces: tuple[tuple[Piece, ...], ...]  # of each voice
    labels: Mapping[tuple[int, Fraction], str]  # Roman numerals by voice and onset
    divisions: int  # of a quarter note
    marks: Mapping[tuple[int, Fraction], Sequence[Mark]]  # of notes, by voice and onset

    def units(self, duration: Fraction) -> str:
        """A duration as MusicXML counts it."""
        return str(int(duration * self.divisions))


def sheet_of(score: Score, layout: Layout, length: Fraction = Fraction(0)) -> Sheet:
    """Make a score ready to be written, with rests up to a length in quarter notes.

    Raises:
        ScoreError: a duration is finer than notation can write.
    """
    groups = _groups(score, layout)
    within = bars(score, length)
    labels, cuts = _placed_labels(score, groups)
    last = len(score.parts) - 1
    struck = _hand_cuts(score)
    lines = tuple(
        pieces(score, part, within, struck if part < (score.hands or last) else cuts)
        for part in range(len(score.parts))
    )
    times = [time for line in lines for piece in line for time in (piece.onset, piece.duration)]
    times += [time for mark in score.figures for time in (mark.onset, mark.duration)]
    times += [bar.duration for bar in within]
    times += [each.onset for each in score.directions]
    times += [each.onset for each in score.symbols]
    if score.expression is not None:
        times += [each.start for each in score.expression.hairpins]
        times += [time for time, _ in score.expression.tempos]
    divisions = lcm(1, *(time.denominator for time in times))
    return Sheet(score, groups, within, lines, labels, divisions, _marks(score))


def _marks(score: Score) -> Mapping[tuple[int, Fraction], Sequence[Mark]]:
    """What the expression of a score says of single notes; a slur stops before another starts."""
    found: dict[tuple[int, Fraction], list[Mark]] = {}
    if score.expression is not None:
        for slur in score.expression.slurs:
            found.setdefault((slur.part, slur.start), []).append(("slur", "start"))
            found.setdefault((slur.part, slur.end), []).insert(0, ("slur", "stop"))
        for touch in score.expression.touches:
            found.setdefault((touch.part, touch.onset), []).append(("articulations", touch.kind))
    return found


def _hand_cuts(score: Score) -> tuple[Fraction, ...]:
    """Where the notes of a right hand are cut, so that they stand as chords."""
    hand = score.parts[: score.hands or 0]
    return tuple(
        sorted({time for part in hand for note in part.notes for time in (note.onset, note.end)})
    )


def _groups(score: Score, layout: Layout) -> tuple[tuple[Staff, ...], ...]:
    """Parts of the file: each one staff, or the two of a choir or of a player."""
    if score.hands is not None and 0 < score.hands < len(score.parts):
        right, left = range(score.hands), range(score.hands, len(score.parts))
        return ((Staff(tuple(right), TREBLE), Staff(tuple(left), BASS)),)
    if len(score.parts) != CHOIR or layout == "open":
        numbers = range(len(score.parts))
        return tuple((Staff((number,), _clef_for(score, number)),) for number in numbers)
    if layout == "four-staff":
        clefs = (TREBLE, TREBLE, TENOR, BASS)
        return tuple((Staff((number,), clef),) for number, clef in enumerate(clefs))
    return ((Staff((0, 1), TREBLE), Staff((2, 3), BASS)),)


def _clef_for(score: Score, part: int) -> Clef:
    semitones = [note.pitch.semitone for note in score.parts[part].notes]
    high = not semitones or sum(semitones) / len(semitones) >= MIDDLE_C
    return TREBLE if high else BASS


# --- Roman numerals -------------------------------------------------------------------------


def _placed_labels(
    score: Score, groups: Sequence[Sequence[Staff]]
) -> tuple[dict[tuple[int, Fraction], str], tuple[Fraction, ...]]:
    """Roman numerals by voice and onset, and where the lowest voice is cut to carry one.

    A numeral stands at the lowest voice of the lowest staff that has a note there. Where all of
    them hold theirs, the lowest is cut, so that no numeral is lost.
    """
    placed: dict[tuple[int, Fraction], str] = {}
    cuts = []
    bottom = tuple(reversed(groups[-1][-1].parts)) if groups else ()
    onsets = {part: {note.onset for note in score.parts[part].notes} for part in bottom}
    for onset, text in shown_numerals(score).items():
        able = [part for part in bottom if onset in onsets[part]]
        if not able:
            cuts.append(onset)
        placed[(able or bottom)[0], onset] = text
    return placed, tuple(cuts)
