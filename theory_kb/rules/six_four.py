"""Rules on six-four chords."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from theory_kb.moment import LICENCES, NONE
from theory_kb.rules.arrays import skeleton
from theory_kb.rules.engine import helper, kernel, piece_rule, voice_bit
from theory_kb.rules.measure import is_triad, relative, same_chord, sounding, staff_steps
from theory_kb.rules.piece import Offence, Piece

__all__: list[str] = []

Moment = Any  # a MOMENT record as numba sees it

CHROMATIC_PARALLEL = LICENCES["chromatic-parallel"]


@helper
def leaves_cadential(before: Moment, now: Moment) -> bool:
    """Whether a cadential six-four is followed, in its phrase, by another known chord."""
    known = before.cadential == 1 and now.root != NONE and now.boundary == 0
    return known and not same_chord(before, now)


@kernel()
def cadential_six_four(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The sixth and fourth of a cadential six-four do not fall by step into V."""
    if not leaves_cadential(before, now):
        return 0
    low = now.voices - 1
    if now.root != 1 or now.inversion != 0 or before.tonic != now.tonic:
        return voice_bit(low)
    bits = 0
    for voice in range(low):
        place = relative(before, voice)
        falls = staff_steps(before, now, voice) == -1
        pulled = place == before.root or place == before.third
        if sounding(before, voice) and sounding(now, voice) and pulled and not falls:
            bits |= voice_bit(voice)
    return bits


@kernel()
def cadential_six_four_metre(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A cadential six-four is not stronger than its resolution."""
    if not leaves_cadential(before, now) or now.cadential:
        return 0
    triple = now.position == 2 * before.position  # beats two and three of a triple bar
    tied = before.strength == now.strength == 2 and triple
    weak = before.strength <= now.strength and not tied
    return voice_bit(now.voices - 1) if weak else 0


@helper
def is_six_four(moment: Moment) -> bool:
    """Whether a triad stands on its fifth."""
    return is_triad(moment) and moment.inversion == 2


@helper
def glides(before: Moment, now: Moment) -> bool:
    """Whether all voices move by one and the same semitone."""
    way = now.semitone[0] - before.semitone[0]
    if abs(way) != 1:
        return False
    for voice in range(now.voices):
        silent = not (sounding(before, voice) and sounding(now, voice))
        if silent or now.semitone[voice] - before.semitone[voice] != way:
            return False
    return True


@kernel()
def consecutive_six_four(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two different six-four chords follow one another."""
    twice = is_six_four(before) and is_six_four(now) and now.boundary == 0
    gliding = now.licences & CHROMATIC_PARALLEL and glides(before, now)
    return voice_bit(now.voices - 1) if twice and not same_chord(before, now) and not gliding else 0


# ------------------------------------------------------------- the types, over three chords


def _is_consonant(now: np.void) -> bool:
    """Whether this is a triad with a perfect fifth that stands on that fifth."""
    triad = now["root"] != NONE and now["seventh"] == NONE and now["inversion"] == 2
    return bool(triad and now["fifth"] - now["root"] == 1 and not now["cadential"])


def _triples(piece: Piece) -> Iterator[tuple[int, np.void, np.void, np.void]]:
    """Each consonant six-four that stands between two known chords of its phrase and key."""
    chords = skeleton(piece)
    moments = chords.moments
    for index in np.flatnonzero(moments["inversion"][1:-1] == 2).tolist():
        place = index + 1
        inside = chords.joined[place] and chords.joined[place + 1]
        if inside and _is_consonant(moments[place]):
            yield place, chords.closing[place - 1], moments[place], moments[place + 1]


def _bass(moment: np.void) -> int:
    return int(moment["step"][int(moment["voices"]) - 1])


def _is_accented(before: np.void, now: np.void, after: np.void) -> bool:
    """Whether a chord is stronger than the one it leads to, or as strong as the one before."""
    return bool(now["strength"] > after["strength"] or now["strength"] > before["strength"])


def _same_triad(one: np.void, other: np.void) -> bool:
    return bool(one["root"] == other["root"] and one["third"] == other["third"])


def _bass_voices(piece: Piece) -> tuple[int, ...]:
    return (len(piece.voices) - 1,)


@piece_rule()
def passing_six_four(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A six-four between two positions of one chord leaps in the bass or is accented."""
    for index, before, now, after in _triples(piece):
        between = _same_triad(before, after) and before["inversion"] != after["inversion"]
        if not between or _same_triad(before, now):
            continue
        into, out = _bass(now) - _bass(before), _bass(after) - _bass(now)
        steps = abs(into) == 1 and into == out
        if not steps or _is_accented(before, now, after):
            yield Offence(index, _bass_voices(piece))


@piece_rule()
def pedal_six_four(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A six-four over a held bass does not move by step and back, or is accented."""
    for index, before, now, after in _triples(piece):
        held = _bass(before) == _bass(now) == _bass(after)
        rooted = before["inversion"] == 0 and _same_triad(before, after)
        if held and rooted and not _same_triad(before, now):
            upper = range(len(piece.voices) - 1)
            stepwise = all(_turns(before, now, after, voice) for voice in upper)
            if not stepwise or _is_accented(before, now, after):
                yield Offence(index, _bass_voices(piece))


def _turns(before: np.void, now: np.void, after: np.void, voice: int) -> bool:
    """Whether a voice stays, or goes up a step and back."""
    first, middle, last = (int(each["step"][voice]) for each in (before, now, after))
    return first == last and middle - first in (0, 1)


@piece_rule()
def arpeggiated_six_four(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A six-four reached or left by arpeggio is strong, or its root is not in the bass nearby."""
    for index, before, now, after in _triples(piece):
        same = [each for each in (before, after) if _same_triad(each, now)]
        moved = any(_bass(each) != _bass(now) for each in same)
        if not moved:
            continue
        rooted = any(each["inversion"] == 0 for each in same)
        if not rooted or now["strength"] > min(before["strength"], after["strength"]):
            yield Offence(index, _bass_voices(piece))


@piece_rule()
def six_four_approach(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The bass leaps from an inversion of another chord into a six-four."""
    chords = skeleton(piece)
    left, moments = chords.closing, chords.moments
    low = len(piece.voices) - 1
    placed = (moments["inversion"] == 2) & (moments["seventh"] == NONE) & chords.joined
    leapt = np.zeros(len(moments), bool)
    leapt[1:] = np.abs(moments["step"][1:, low] - left["step"][:-1, low]) > 1
    for index in np.flatnonzero(placed & leapt).tolist():
        before = left[index - 1]
        if before["inversion"] > 0 and not _same_triad(before, moments[index]):
            yield Offence(index, (low,))
