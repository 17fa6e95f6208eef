"""Rules on chords that were asked for: their notes, their bass, their voices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from theory_kb.moment import NON_CHORD, NONE, REST, Moments
from theory_kb.pitch import Pitch, PitchClass
from theory_kb.rules.arrays import MEMBERS, skeleton
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.piece import Offence, Piece

__all__: list[str] = []


def _name(moment: np.void, member: str) -> str:
    """A member of a chord, spelled in its key."""
    return PitchClass(int(moment["tonic"]) + int(moment[member])).name


def _members(moment: np.void) -> str:
    return " ".join(_name(moment, each) for each in MEMBERS if moment[each] != NONE)


def _note(moments: Moments, index: int, voice: int) -> str:
    moment = moments[index]
    return Pitch(int(moment["step"][voice]), int(moment["semitone"][voice])).name


@piece_rule()
def chord_foreign_tone(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A voice sounds no note of the chord as long as it lasts."""
    moments = skeleton(piece).moments
    foreign = moments["member"][:, : len(piece.voices)] == NON_CHORD
    foreign &= (moments["root"] != NONE)[:, None]
    foreign &= moments["semitone"][:, : len(piece.voices)] != REST
    for index, voice in zip(*(each.tolist() for each in np.nonzero(foreign)), strict=True):
        detail = {
            "note": _note(moments, index, voice),
            "expected": _members(moments[index]),
        }
        yield Offence(index, (voice,), detail)


@piece_rule()
def chord_wrong_bass(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The lowest note is another member of the chord than its inversion has in the bass."""
    moments = skeleton(piece).moments
    for index in np.flatnonzero(moments["inversion"] >= 0).tolist():
        pitches = moments["semitone"][index, : len(piece.voices)]
        sounding = np.flatnonzero(pitches != REST)
        if not len(sounding):
            continue
        voice = int(sounding[::-1][np.argmin(pitches[sounding[::-1]])])
        member = int(moments["member"][index, voice])
        inversion = int(moments["inversion"][index])
        if member not in (NON_CHORD, inversion):
            detail = {
                "note": _note(moments, index, voice),
                "expected": _name(moments[index], MEMBERS[inversion]),
            }
            yield Offence(index, (voice,), detail)


@piece_rule("triad", "seventh")
def chord_too_thin(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Fewer voices sound than the chord needs."""
    chords = skeleton(piece)
    for index in np.flatnonzero(chords.moments["root"] != NONE).tolist():
        seventh = chords.moments["seventh"][index] != NONE
        fewest = min(int(p["seventh" if seventh else "triad"]), len(piece.voices))
        if chords.sounding[index] < fewest:
            voices = tuple(range(len(piece.voices)))
            yield Offence(index, voices, {"fewest": str(fewest)})
