"""Rules on lead sheets: the tune against chords and their tensions, and the bass after a slash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import NON_CHORD, NONE, REST, UNKNOWN
from theory_kb.rules.dissonance import FREE, non_chord_tones
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.piece import LineNote, Offence, Piece, line_notes
from theory_kb.rules.succession import bass, succession

__all__: list[str] = []

Bools = NDArray[np.bool_]

FOURTH, SIXTH = -1, -4  # above the root, on the line of fifths: natural fourth, lowered sixth
MAJOR_THIRD, FIFTH = 4, 1


def _tune(piece: Piece) -> int:
    voice = piece.context.melody
    assert voice is not None, "rules on a tune that is not declared are skipped"
    return voice


@cache
def _tensions() -> tuple[frozenset[int], ...]:
    """Tensions of each chord quality, by its index: places above the root."""
    from theory_kb.chords import QUALITIES
    from theory_kb.facts import load_facts

    facts = load_facts().qualities["qualities"]
    return tuple(frozenset(facts[name].get("tensions", ())) for name in QUALITIES)


def _is_tension(moment: np.void, voice: int) -> bool:
    if moment["quality"] == UNKNOWN:
        return False
    return int(moment["degree"][voice] - moment["root"]) in _tensions()[int(moment["quality"])]


@piece_rule("accent")
def lead_chord_tone_strong(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """On a strong beat the tune has neither a chord tone nor a tension, nor does it lead to one."""
    surface, voice = piece.surface, _tune(piece)
    strong = (surface["strength"] >= p["accent"]) & (surface["attack"][:, voice] == 1)
    outside = strong & (surface["member"][:, voice] == NON_CHORD)
    if not outside.any():
        return
    led = {
        tone.moment for tone in non_chord_tones(piece) if tone.voice == voice and tone.kind != FREE
    }
    for index in np.flatnonzero(outside):
        if int(index) not in led and not _is_tension(surface[index], voice):
            yield Offence(int(index), (voice,))


@piece_rule("beats")
def lead_avoid_note(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The tune stays on a note that lies a minor ninth above a chord tone."""
    voice = _tune(piece)
    for note in line_notes(piece, voice):
        place = _avoided(piece, voice, note, int(p["beats"] * piece.beat_ticks))
        if place is not None:
            yield Offence(place, (voice,))


def _avoided(piece: Piece, voice: int, note: LineNote, least: int) -> int | None:
    """The first moment of a note from which it is long an avoid note of one chord."""
    surface = piece.surface
    end = int(surface["onset"][note.start]) + note.ticks
    for start in range(note.start, note.stop):
        if not _is_avoid_note(surface[start], voice):
            continue
        same = surface["chord"][start : note.stop] == surface["chord"][start]
        changes = np.flatnonzero(~same)
        stop = surface["onset"][start + changes[0]] if len(changes) else end
        if stop - surface["onset"][start] >= least:
            return start
    return None


def _is_avoid_note(moment: np.void, voice: int) -> bool:
    """The natural fourth above a major third, or the lowered sixth above a major triad."""
    if moment["root"] == NONE or moment["semitone"][voice] == REST:
        return False
    root = int(moment["root"])
    place = int(moment["degree"][voice]) - root
    major = moment["third"] - root == MAJOR_THIRD
    return bool(major and (place == FOURTH or (place == SIXTH and moment["fifth"] - root == FIFTH)))


@piece_rule()
def lead_slash_bass(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The bass is no chord tone, and is neither held nor passed through by step."""
    chords = succession(piece)
    moments, low = chords.moments, len(piece.voices) - 1
    foreign = chords.known & (moments["member"][:, low] == NON_CHORD)
    foreign &= moments["semitone"][:, low] != REST
    for index in np.flatnonzero(foreign):
        if not any(_is_near(moments, low, int(index), other) for other in (-1, 1)):
            yield Offence(int(index), bass(piece))


def _is_near(moments: NDArray[np.void], low: int, index: int, other: int) -> bool:
    """Whether the bass is held, repeated or moved by step to or from the neighbouring chord."""
    beside = index + other
    if not 0 <= beside < len(moments) or moments["semitone"][beside, low] == REST:
        return False
    return abs(int(moments["step"][index, low]) - int(moments["step"][beside, low])) <= 1
