"""A score as it is played: what is repeated stands twice, with its first and its second ending."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeVar

from musegen.score import (
    Cadence,
    ChordLabel,
    ChordSymbol,
    Direction,
    Expression,
    FigureMark,
    Hairpin,
    Metre,
    Note,
    Part,
    Score,
    Slur,
    Touch,
)

__all__ = ["played_order", "unfolded"]

Placed = TypeVar("Placed", Cadence, ChordLabel, ChordSymbol, Direction, FigureMark, Touch)
Spanned = TypeVar("Spanned", Hairpin, Slur)


def played_order(score: Score) -> tuple[tuple[Fraction, Fraction], ...]:
    """The stretches of a score in the order in which they are played, in quarter notes."""
    found: list[tuple[Fraction, Fraction]] = []
    time = Fraction(0)
    for start, end in sorted(score.repeats):
        first = [each.start for each in score.endings if each.number == 1]
        again = next((each for each in first if start < each < end), end)
        found += [(time, end), (start, again)]
        time = end
    if time < score.duration:
        found.append((time, score.duration))
    return tuple(found)


def unfolded(score: Score) -> Score:
    """The score with every repeat written out; without repeats the score itself.

    Cadences and phrase ends stand where they are heard; the figures, chords, marks and the
    loudness of a stretch come again with it.
    """
    if not score.repeats:
        return score
    stretches = _stretches(score)
    parts = tuple(
        Part(part.name, tuple(note for each in stretches for note in each.notes(part.notes)))
        for part in score.parts
    )
    return replace(
        score,
        parts=parts,
        metres=_metres(score, stretches),
        chords=_moved(score.chords, stretches),
        cadences=_moved(score.cadences, stretches),
        phrase_ends=tuple(
            end + each.shift
            for each in stretches
            for end in score.phrase_ends
            if each.start < end <= each.end
        ),
        figures=_moved(score.figures, stretches),
        directions=_moved(score.directions, stretches),
        symbols=_moved(score.symbols, stretches),
        repeats=(),
        endings=(),
        expression=_expression(score, stretches) if score.expression else None,
    )


@dataclass(frozen=True, slots=True)
class _Stretch:
    """What is played without a jump."""

    start: Fraction
    end: Fraction
    shift: Fraction  # from where it is written to where it is heard

    def holds(self, time: Fraction) -> bool:
        return self.start <= time < self.end

    def notes(self, line: Iterable[Note]) -> Iterator[Note]:
        for note in line:
            if self.holds(note.onset):
                length = min(note.end, self.end) - note.onset
                yield replace(note, onset=note.onset + self.shift, duration=length)


def _stretches(score: Score) -> list[_Stretch]:
    found = []
    time = Fraction(0)
    for start, end in played_order(score):
        found.append(_Stretch(start, end, time - start))
        time += end - start
    return found


def _moved(marks: Iterable[Placed], stretches: Iterable[_Stretch]) -> tuple[Placed, ...]:
    return tuple(
        replace(mark, onset=mark.onset + each.shift)
        for each in stretches
        for mark in marks
        if each.holds(mark.onset)
    )


def _metres(score: Score, stretches: Iterable[_Stretch]) -> tuple[Metre, ...]:
    """A metre wherever another one is in force than before."""
    found: list[Metre] = []
    for each in stretches:
        here = [score.metre_at(each.start), *(m for m in score.metres if each.holds(m.onset))]
        for metre in here:
            if not found or str(metre) != str(found[-1]):
                found.append(replace(metre, onset=max(metre.onset, each.start) + each.shift))
    return tuple(found)


def _expression(score: Score, stretches: Iterable[_Stretch]) -> Expression:
    how = score.expression
    assert how is not None, "called where there is one"
    stretches = tuple(stretches)
    velocities = tuple(
        tuple(
            velocity
            for each in stretches
            for note, velocity in zip(part.notes, line, strict=True)
            if each.holds(note.onset)
        )
        for part, line in zip(score.parts, how.velocities, strict=True)
    )
    return replace(
        how,
        velocities=velocities,
        tempos=tuple(_tempos(how, stretches)),
        slurs=tuple(_spans(how.slurs, stretches)),
        touches=_moved(how.touches, stretches),
        hairpins=tuple(_spans(how.hairpins, stretches)),
    )


def _tempos(how: Expression, stretches: Iterable[_Stretch]) -> Iterator[tuple[Fraction, float]]:
    for each in stretches:
        before = [tempo for time, tempo in how.tempos if time <= each.start]
        yield each.start + each.shift, before[-1]
        for time, tempo in how.tempos:
            if each.start < time < each.end:
                yield time + each.shift, tempo


def _spans(marks: Iterable[Spanned], stretches: Iterable[_Stretch]) -> Iterator[Spanned]:
    for each in stretches:
        for mark in marks:
            if each.start <= mark.start and mark.end <= each.end:
                yield replace(mark, start=mark.start + each.shift, end=mark.end + each.shift)
