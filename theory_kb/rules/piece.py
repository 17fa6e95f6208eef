"""A piece as rules see it: note arrays, their phrases, and the notes of each line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from theory_kb.moment import REST, Moments

__all__ = ["LineNote", "Offence", "Piece", "line_notes", "phrase_spans"]


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What is checked."""

    surface: Moments  # every attack of any voice
    harmonic: Moments | None  # one moment a chord span, non-chord tones removed; None if unknown
    voices: tuple[str, ...]  # names, high to low
    beat_ticks: int  # length of a beat


@dataclass(frozen=True, slots=True)
class Offence:
    """A place where a rule on a whole piece is broken."""

    moment: int  # index in the moments of the rule's level
    voices: tuple[int, ...]
    detail: Mapping[str, str] = field(default_factory=dict)  # fields of the message


@dataclass(frozen=True, slots=True)
class LineNote:
    """One note of one voice, as indices of surface moments."""

    start: int
    stop: int  # first moment it no longer sounds in
    step: int
    semitone: int
    ticks: int  # duration


def phrase_spans(moments: Moments) -> list[tuple[int, int]]:
    """First and last-plus-one moment of each phrase."""
    starts = [0, *np.flatnonzero(moments["boundary"][1:] == 1) + 1] if len(moments) else []
    return [(int(a), int(b)) for a, b in zip(starts, [*starts[1:], len(moments)], strict=True)]


def line_notes(
    piece: Piece, voice: int, *, start: int = 0, stop: int | None = None
) -> list[LineNote]:
    """The notes that a voice begins from one surface moment to another; rests are left out."""
    return [note for note in _notes(piece, voice) if start <= note.start < (stop or 1 << 30)]


def _notes(piece: Piece, voice: int) -> Iterator[LineNote]:
    surface = piece.surface
    semitones, attacks = surface["semitone"][:, voice], surface["attack"][:, voice]
    changes = [
        index
        for index in range(len(surface))
        if index == 0 or attacks[index] or semitones[index] != semitones[index - 1]
    ]
    for start, stop in zip(changes, [*changes[1:], len(surface)], strict=True):
        if semitones[start] != REST:
            ticks = _onset(piece, stop) - _onset(piece, start)
            step = int(surface["step"][start, voice])
            yield LineNote(start, stop, step, int(semitones[start]), ticks)


def _onset(piece: Piece, index: int) -> int:
    """Onset of a moment; the last one lasts a beat."""
    onsets = piece.surface["onset"]
    return int(onsets[index] if index < len(onsets) else onsets[-1] + piece.beat_ticks)
