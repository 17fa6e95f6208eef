"""A species exercise as its bars, one a note of the cantus firmus: what rules on form look at.

Offsets are parts of the bar, so that any note value may stand for the whole note.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, cast

import numpy as np

from theory_kb.moment import NONE, REST
from theory_kb.rules import measure
from theory_kb.rules.piece import LineNote, Piece, line_notes

__all__ = [
    "HALVES",
    "QUARTERS",
    "WHOLE",
    "Bar",
    "Rhythm",
    "bars",
    "bass",
    "beats",
    "clashes",
    "dissonant",
    "interval",
    "notes_of_species",
    "numbers",
    "rhythm",
    "rhythms",
    "voices_of_species",
]

WHOLE = (Fraction(0),)
HALVES = (Fraction(0), Fraction(1, 2))
QUARTERS = tuple(Fraction(beat, 4) for beat in range(4))

# The kernels' own measures, uncompiled: what is dissonant is said once.
between = cast(Any, measure.between).py_func
clash = cast(Any, measure.clash).py_func
answers = cast(Any, measure.answers).py_func


@dataclass(frozen=True, slots=True)
class Bar:
    """One note of the cantus and what sounds with it."""

    start: int  # first surface moment
    stop: int  # first surface moment of the next bar
    ticks: int


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a voice moves in a bar."""

    entry: str  # struck, held or rest: what the voice does at the downbeat
    attacks: tuple[Fraction, ...]  # offsets of its notes, the downbeat included if it is struck

    @property
    def is_struck(self) -> bool:
        """Whether a note begins with the bar."""
        return self.entry == "struck"


def bars(piece: Piece) -> list[Bar]:
    """The bars of an exercise; the last one is as long as the one before unless its end is known."""
    surface, cantus = piece.surface, piece.context.cantus
    assert cantus is not None, "rules on species are skipped where no cantus is declared"
    starts = [int(index) for index in np.flatnonzero(surface["attack"][:, cantus])]
    onsets = [int(surface["onset"][index]) for index in starts]
    lengths = [after - before for before, after in pairwise(onsets)]
    lengths.append(_last_length(piece, onsets, lengths))
    stops = [*starts[1:], len(surface)]
    return [Bar(*each) for each in zip(starts, stops, lengths, strict=False)]


def _last_length(piece: Piece, onsets: Sequence[int], lengths: Sequence[int]) -> int:
    if piece.context.end is not None and onsets:
        return piece.context.end - onsets[-1]
    return lengths[-1] if lengths else piece.beat_ticks


def voices_of_species(piece: Piece, *species: int) -> list[int]:
    """Voices that are declared of one of these species."""
    return sorted(voice for voice, number in piece.context.species.items() if number in species)


def rhythm(piece: Piece, voice: int, bar: Bar) -> Rhythm:
    """How a voice moves in a bar."""
    span = piece.surface[bar.start : bar.stop]
    offsets = span["onset"][span["attack"][:, voice] == 1] - span["onset"][0]
    attacks = tuple(Fraction(int(offset), bar.ticks) for offset in offsets)
    if attacks[:1] == WHOLE:
        return Rhythm("struck", attacks)
    return Rhythm("rest" if span["semitone"][0, voice] == REST else "held", attacks)


def rhythms(piece: Piece, voice: int) -> list[tuple[Bar, Rhythm]]:
    """Every bar with how a voice moves in it."""
    return [(bar, rhythm(piece, voice, bar)) for bar in bars(piece)]


def notes_of_species(piece: Piece, *species: int) -> Iterator[tuple[int, list[LineNote]]]:
    """Each voice of one of these species with its notes."""
    for voice in voices_of_species(piece, *species):
        yield voice, line_notes(piece, voice)


def beats(piece: Piece) -> list[Fraction]:
    """The offset in its bar of each surface moment."""
    surface, found = piece.surface, [Fraction(0)] * len(piece.surface)
    for bar in bars(piece):
        for index in range(bar.start, bar.stop):
            ticks = int(surface["onset"][index] - surface["onset"][bar.start])
            found[index] = Fraction(ticks, bar.ticks)
    return found


class _Record:
    """A moment as kernels see it, its fields as attributes; `np.recarray` takes ten times as long."""

    __slots__ = ("_moment",)

    def __init__(self, moment: np.void) -> None:
        self._moment = moment

    def __getattr__(self, name: str) -> Any:
        return self._moment[name]


def _record(piece: Piece, moment: int) -> Any:
    return _Record(piece.surface[moment])


def interval(piece: Piece, moment: int, voice: int, other: int) -> int:
    """Interval of two voices from the lower-sounding one up, line of fifths; NONE in a rest."""
    if REST in piece.surface["semitone"][moment, [voice, other]]:
        return NONE
    record = _record(piece, moment)
    return int(between(record, voice, record, other))


def clashes(piece: Piece, moment: int, voice: int) -> list[int]:
    """The voices that a voice answers for and is dissonant with at a moment."""
    record = _record(piece, moment)
    return [
        other
        for other in range(len(piece.voices))
        if other != voice and answers(record, voice, other) and clash(record, voice, record, other)
    ]


def dissonant(piece: Piece, moment: int, voice: int) -> bool:
    """Whether a voice is dissonant with a voice it answers for at a moment."""
    return bool(clashes(piece, moment, voice))


def bass(piece: Piece, moment: int) -> int:
    """The lowest-sounding voice at a moment in which something sounds."""
    semitones = piece.surface["semitone"][moment, : len(piece.voices)]
    sounding = [voice for voice, semitone in enumerate(semitones) if semitone != REST]
    return min(sounding, key=lambda voice: (int(semitones[voice]), -voice))


def numbers(piece: Piece, moment: int) -> set[int]:
    """Staff steps of the sounding voices above the lowest one, within the octave."""
    low = bass(piece, moment)
    now = piece.surface[moment]
    return {
        int(now["step"][voice] - now["step"][low]) % 7
        for voice in range(len(piece.voices))
        if now["semitone"][voice] != REST and voice != low
    }
