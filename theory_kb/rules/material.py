"""How alike two stretches of music are, how long they are and how they close.

Likeness is the share, from 0 to 1, of the notes of the longer stretch that the other one has at the
same distance from its start in the same pitch class. Where only the shape counts it is the share of
the moves from note to note that are the same in staff steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from theory_kb.moment import NONE
from theory_kb.rules.context import Unit
from theory_kb.rules.phrase import cadence_kind
from theory_kb.rules.piece import LineNote, Piece, line_notes

__all__ = [
    "RECOGNISABLE",
    "SAME",
    "Span",
    "Tune",
    "bars",
    "cadence_at",
    "chords_in",
    "everyone",
    "halves",
    "head",
    "home_tonic",
    "intervals",
    "likeness",
    "moment_at",
    "motive_share",
    "onset",
    "pitch_class",
    "places",
    "shared",
    "tune",
    "tune_in",
    "units_of",
    "within",
]


RECOGNISABLE = 0.5  # what returns is known again from here on
SAME = 0.8  # what is alike to this share is the same


class Span(NamedTuple):
    """A stretch of surface moments."""

    start: int
    stop: int  # first moment that no longer belongs


def everyone(piece: Piece) -> tuple[int, ...]:
    """All voices."""
    return tuple(range(len(piece.voices)))


def tune(piece: Piece) -> int:
    """The voice that carries the material: the declared tune, or the highest."""
    return piece.context.melody or 0


def onset(piece: Piece, moment: int) -> int:
    """Ticks at which a surface moment begins, or at which the piece ends."""
    onsets = piece.surface["onset"]
    if moment < len(onsets):
        return int(onsets[moment])
    if piece.context.end is not None:
        return piece.context.end
    return int(onsets[-1]) + piece.beat_ticks


def bars(piece: Piece, span: Span | Unit) -> float:
    """Length of a stretch in bars."""
    return (onset(piece, span.stop) - onset(piece, span.start)) / piece.bar_ticks


def moment_at(piece: Piece, ticks: float) -> int:
    """The first surface moment at or after a time."""
    return int(np.searchsorted(piece.surface["onset"], ticks))


def head(piece: Piece, span: Span | Unit, length: float) -> Span:
    """The first so many bars of a stretch, or all of it if it is shorter."""
    stop = moment_at(piece, onset(piece, span.start) + length * piece.bar_ticks)
    return Span(span.start, min(stop, span.stop))


def halves(piece: Piece, span: Span | Unit) -> tuple[Span, Span]:
    """The two halves of a stretch, by time."""
    middle = moment_at(piece, (onset(piece, span.start) + onset(piece, span.stop)) / 2)
    return Span(span.start, middle), Span(middle, span.stop)


def units_of(piece: Piece, *kinds: str) -> Iterator[Unit]:
    """The declared units of some kinds, in time order."""
    chosen = (unit for unit in piece.context.units if unit.kind in kinds)
    yield from sorted(chosen, key=lambda unit: (unit.start, -unit.stop))


def within(piece: Piece, outer: Unit, *kinds: str) -> list[Unit]:
    """The declared units of some kinds that lie inside another."""
    return [
        unit
        for unit in units_of(piece, *kinds)
        if outer.start <= unit.start and unit.stop <= outer.stop and unit is not outer
    ]


# ---------------------------------------------------------------------------------- likeness


class Tune(NamedTuple):
    """The notes that the tune begins in a stretch."""

    offsets: tuple[int, ...]  # ticks from the start of the stretch, or from where it is counted
    notes: tuple[LineNote, ...]


def tune_in(piece: Piece, span: Span | Unit, *, origin: int | None = None) -> Tune:
    """The tune of a stretch; ticks are counted from its start, or from `origin`."""
    notes = tuple(line_notes(piece, tune(piece), start=span.start, stop=span.stop))
    begin = onset(piece, span.start) if origin is None else origin
    return Tune(tuple(onset(piece, note.start) - begin for note in notes), notes)


def places(line: Tune, *, shape: bool = False) -> set[tuple[int, int]]:
    """Distance from the start of each note with its pitch class, or of each move with its interval."""
    if shape:
        return set(zip(line.offsets[1:], intervals(line.notes), strict=True))
    return {(at, pitch_class(note)) for at, note in zip(*line, strict=True)}


def pitch_class(note: LineNote) -> int:
    """The same number for all octaves of a spelled pitch."""
    return 7 * note.semitone - 12 * note.step


def intervals(notes: Sequence[LineNote]) -> list[int]:
    """Staff steps from each note to the next."""
    return [after.step - before.step for before, after in pairwise(notes)]


def shared(one: AbstractSet[Any], other: AbstractSet[Any]) -> float:
    """What two sets have in common as a share of the larger one, 0 to 1."""
    most = max(len(one), len(other))
    return len(one & other) / most if most else 0.0


def likeness(
    piece: Piece, first: Span | Unit, second: Span | Unit, *, shape: bool = False
) -> float:
    """Share of the notes of the tune, or of its moves, that two stretches have in common, 0 to 1."""
    one, other = (places(tune_in(piece, span), shape=shape) for span in (first, second))
    return shared(one, other)


def _steps(piece: Piece, span: Span | Unit) -> list[tuple[int, int]]:
    """Each move of the tune: interval in staff steps and time since the note before."""
    line = tune_in(piece, span)
    times = (after - before for before, after in pairwise(line.offsets))
    return list(zip(intervals(line.notes), times, strict=True))


def motive_share(piece: Piece, span: Span | Unit, idea: Span | Unit) -> float:
    """Share of the moves in a stretch that the idea has too, wherever it has them, 0 to 1."""
    moves, known = _steps(piece, span), set(_steps(piece, idea))
    return sum(move in known for move in moves) / len(moves) if moves else 0.0


# ----------------------------------------------------------------------------------- harmony


def chords_in(piece: Piece, span: Span | Unit) -> Span:
    """The harmonic moments that begin inside a stretch of surface moments."""
    assert piece.harmonic is not None, "rules on an unknown harmony are skipped"
    onsets = piece.harmonic["onset"]
    places = np.searchsorted(onsets, [onset(piece, span.start), onset(piece, span.stop)])
    return Span(int(places[0]), int(places[1]))


def cadence_at(piece: Piece, span: Span | Unit) -> str | None:
    """The kind of cadence that the last two chords of a stretch make, None if they make none."""
    assert piece.harmonic is not None, "rules on an unknown harmony are skipped"
    start, stop = chords_in(piece, span)
    if stop == start:
        return None
    before = piece.harmonic[stop - 2] if stop - start > 1 else None
    return cadence_kind(before, piece.harmonic[stop - 1])


def home_tonic(piece: Piece) -> int:
    """Line of fifths of the first tonic that is known, NONE if there is none."""
    known = piece.surface["tonic"][piece.surface["tonic"] != NONE]
    return int(known[0]) if len(known) else NONE
