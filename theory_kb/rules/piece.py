"""A piece as rules see it: note arrays, their phrases, and the notes of each line.

What many rules ask of a piece is measured once and kept for a few pieces. The arrays of a piece must
not change once it has been checked.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import LICENCES, REST, Moments
from theory_kb.rules.context import UNDECLARED, Context

__all__ = [
    "Line",
    "LineNote",
    "Offence",
    "Piece",
    "line_notes",
    "lines",
    "phrase_spans",
    "write_declared",
    "write_silences",
]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What is checked."""

    surface: Moments  # every attack of any voice
    harmonic: Moments | None  # one moment a chord span, non-chord tones removed; None if unknown
    voices: tuple[str, ...]  # names, high to low
    beat_ticks: int  # length of a beat
    bar_ticks: int = 0  # length of a bar at the start; 0 if unknown
    context: Context = UNDECLARED  # what is declared beside the notes
    closing: Moments | None = None  # the skeleton as each chord is left; `described` writes it


@dataclass(frozen=True, slots=True)
class Offence:
    """A place where a rule on a whole piece is broken."""

    moment: int  # index in the moments of the rule's level
    voices: tuple[int, ...]
    detail: Mapping[str, str] = field(default_factory=dict)  # fields of the message


class LineNote(NamedTuple):
    """One note of one voice, as indices of surface moments."""

    start: int
    stop: int  # first moment it no longer sounds in
    step: int
    semitone: int
    ticks: int  # duration


class Line(NamedTuple):
    """The notes of one voice as arrays, (n,) each: `LineNote` by columns."""

    start: Ints
    stop: Ints
    step: Ints
    semitone: Ints
    ticks: Ints


def write_declared(surface: Moments, context: Context) -> None:
    """Put what a context declares of voices where kernels can see it.

    A voice of a species opens where it enters, though a rest may come before.
    """
    _write_entries(surface, context)
    if context.cantus is not None:
        surface["cantus"] = context.cantus
    for voice, species in context.species.items():
        surface["species"][:, voice] = species
    for voice, other in context.doublings:
        surface["doubles"][:, voice] = 1 + other
    surface["hands"] = context.hands or 0
    surface["licences"] = _licences(context)


def _write_entries(surface: Moments, context: Context) -> None:
    """Mark where voices of a species enter, unless one that is under way strikes there too."""
    struck = surface["attack"] == 1
    entries = {voice: int(struck[:, voice].argmax()) for voice in context.species}
    for place in set(entries.values()):
        if all(entries[voice] == place for voice in entries if struck[place, voice]):
            surface["opening"][place] = 1


def write_silences(surface: Moments, context: Context) -> None:
    """Put the declared rests where kernels can see them."""
    for silence in context.silences:
        surface["written_rest"][silence.start : silence.stop, silence.voice] = 1


def _licences(context: Context) -> int:
    """The bits of all that is declared to be free."""
    declared = set(context.devices)
    if context.invertible is not None:
        declared.add("invertible")
    if context.final is not None:
        declared.add("modal")
    return sum(bit for name, bit in LICENCES.items() if name in declared)


def phrase_spans(moments: Moments) -> list[tuple[int, int]]:
    """First and last-plus-one moment of each phrase."""
    if not len(moments):
        return []
    starts = [0, *(np.flatnonzero(moments["boundary"][1:] == 1) + 1).tolist()]
    return list(zip(starts, [*starts[1:], len(moments)], strict=True))


@lru_cache(maxsize=4)
def lines(piece: Piece) -> tuple[Line, ...]:
    """The notes of every voice as arrays; rests are left out."""
    onsets = np.append(piece.surface["onset"].astype(np.int64), _end(piece))
    return tuple(_line(piece.surface, voice, onsets) for voice in range(len(piece.voices)))


def _line(surface: Moments, voice: int, onsets: Ints) -> Line:
    semitones = surface["semitone"][:, voice].astype(np.int64)
    begins = surface["attack"][:, voice] != 0
    begins[1:] |= semitones[1:] != semitones[:-1]
    begins[:1] = True
    start = np.flatnonzero(begins)
    stop = np.append(start[1:], len(surface))
    sounds = semitones[start] != REST
    start, stop = start[sounds], stop[sounds]
    steps = surface["step"][start, voice].astype(np.int64)
    return Line(start, stop, steps, semitones[start], onsets[stop] - onsets[start])


def _end(piece: Piece) -> int:
    """Onset of what follows the last moment, which lasts a beat where the end is not known."""
    if piece.context.end is not None:
        return piece.context.end
    return int(piece.surface["onset"][-1]) + piece.beat_ticks if len(piece.surface) else 0


@lru_cache(maxsize=4)
def _notes(piece: Piece) -> tuple[tuple[LineNote, ...], ...]:
    """The notes of every voice, one by one."""
    columns = (tuple(column.tolist() for column in line) for line in lines(piece))
    rows = (zip(*each, strict=True) for each in columns)
    # without a call of Python for each note: there are a hundred thousand in the chorales
    return tuple(tuple(map(tuple.__new__, repeat(LineNote), each)) for each in rows)


def line_notes(
    piece: Piece, voice: int, *, start: int = 0, stop: int | None = None
) -> list[LineNote]:
    """The notes that a voice begins from one surface moment to another; rests are left out."""
    notes, starts = _notes(piece)[voice], _starts(piece)[voice]
    first = bisect_left(starts, start) if start else 0
    last = len(notes) if stop is None else bisect_left(starts, stop)
    return list(notes[first:last])


@lru_cache(maxsize=4)
def _starts(piece: Piece) -> tuple[list[int], ...]:
    """Where the notes of every voice begin, to find a phrase's notes by."""
    return tuple(line.start.tolist() for line in lines(piece))
