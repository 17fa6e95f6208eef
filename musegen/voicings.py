"""Every way in which an ensemble can sound a chord, before any rule of a style is asked.

What every voicing keeps to, whatever the style, is said by `Limits`: compass, distance, order of
voices, and that no member but a perfect fifth is missing. Each can be let go, to see whether it
is what stands in the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

import numpy as np

from musegen.models.protocol import BoolArray, IntArray
from musegen.plan.ensemble import Ensemble
from musegen.plan.plan import Harmony, Slot
from musegen.sounding import silence
from theory_kb.chords import Chord, set_harmony, spell
from theory_kb.moment import MEMBER_UNKNOWN, NON_CHORD, REST, Moments, blank_moments, taken
from theory_kb.pitch import Key, Pitch, PitchClass

__all__ = ["LIMITS", "Bound", "Limits", "bound_pitches", "forget_voicings", "voicings"]

OCTAVES = range(1, 7)
RESTING = np.array([[0, REST, MEMBER_UNKNOWN]], np.int64)  # the one choice of a silent voice
WEIGHT = (3, 1, 0, 2)  # members of a chord, those first that colour it most

Bound = tuple[tuple[Pitch, ...], ...]  # for each voice the pitches it is bound to, none if free


@dataclass(frozen=True, slots=True)
class Limits:
    """What every voicing keeps to, whatever the style; each can be let go where no other way is."""

    beyond: frozenset[int] = frozenset()  # voices that may leave their core for the extended range
    upper: bool = True  # neighbouring upper voices near enough
    lower: bool = True  # the lowest two voices near enough
    ordered: bool = True  # no voice above the next higher one
    complete: bool = True  # no member missing but a perfect fifth; else not root and seventh


LIMITS = Limits()


def bound_pitches(slot: Slot, players: Ensemble) -> Bound:
    """The pitches that each voice of a slot is bound to; nothing if none is given."""
    if slot.figured is not None:
        return (*((),) * players.bass, (slot.figured.bass,))
    if not any(slot.given):
        return ()
    return tuple(() if each is None else each.pitches for each in slot.given)


def forget_voicings() -> None:
    """Drop the voicings that are kept from piece to piece."""
    _voicings.cache_clear()


def voicings(
    harmony: Harmony,
    players: Ensemble,
    bound: Bound,
    *,
    limits: Limits = LIMITS,
    pedal: bool,
    silent: frozenset[int] = frozenset(),
) -> Moments:
    """Every voicing of a chord that the players reach, in order and near enough to each other.

    Args:
        harmony: the chord in its key.
        players: who sounds it.
        bound: the pitches of each voice that is given; of them the first that the chord holds.
        limits: what every voicing keeps to.
        pedal: whether a given bass may be none of the chord's notes; the others then sound all of
            them.
        silent: voices that rest; the lowest of the others has the bass.
    """
    return _voicings(harmony.key, harmony.chord, players, bound, limits, pedal, silent)


@lru_cache(maxsize=4096)
def _voicings(
    key: Key,
    chord: Chord,
    players: Ensemble,
    bound: Bound,
    limits: Limits,
    pedal: bool,
    silent: frozenset[int],
) -> Moments:
    members = spell(chord, key)
    heard = [voice for voice in range(players.size) if voice not in silent]
    choices = [
        RESTING
        if voice in silent
        else _bound_choices(members, chord, bound[voice], lowest=voice == heard[-1])
        if bound and bound[voice]
        else _free_choices(
            voice,
            members,
            chord,
            players,
            lowest=voice == heard[-1],
            beyond=voice in limits.beyond,
        )
        for voice in range(players.size)
    ]
    if pedal and not len(choices[-1]):
        choices[-1] = _rows((pitch.step, pitch.semitone, NON_CHORD) for pitch in bound[-1])
    places = np.indices([len(each) for each in choices]).reshape(len(choices), -1)
    grid = np.stack([each[rows] for each, rows in zip(choices, places, strict=True)], axis=1)
    spaced = _spaced(grid[:, :, 1], players, bound, limits, heard)
    kept = grid[spaced & _essential(grid[:, heard, 2], chord, strict=limits.complete)]
    moments = taken(_silent(key, chord, players.size), np.zeros(len(kept), np.int64))
    voices = slice(0, players.size)
    for place, name in enumerate(("step", "semitone", "member")):
        moments[name][:, voices] = kept[:, :, place]
    _with_degrees(moments, kept, chord, key)
    for voice in silent:
        silence(moments, voice)
    return moments


def _with_degrees(moments: Moments, kept: IntArray, chord: Chord, key: Key) -> None:
    """Write the place of each note above the tonic, on the line of fifths, into moments."""
    voices = slice(0, kept.shape[1])
    moments["degree"][:, voices] = np.array(chord.members)[kept[:, :, 2]]
    if (kept[:, :, 2] == NON_CHORD).any():  # a pedal, the same in all of them
        pitch = Pitch(int(kept[0, -1, 0]), int(kept[0, -1, 1]))
        moments["degree"][:, kept.shape[1] - 1] = pitch.pitch_class.fifths - key.tonic.fifths


@lru_cache(maxsize=1024)
def _silent(key: Key, chord: Chord, voices: int) -> Moments:
    """One moment (1,) of a chord that nobody sounds yet."""
    moments = blank_moments(1, voices)
    set_harmony(moments, chord, key)
    return moments


def _spaced(
    semitones: IntArray, players: Ensemble, bound: Bound, limits: Limits, heard: Sequence[int]
) -> BoolArray:
    """Which voicings stand in order, neighbours within their gaps, a hand within its span.

    The distance of two given voices is not ours to choose. Over voices that rest gaps add up.
    """
    sung = semitones[:, heard]
    gaps = sung[:, :-1] - sung[:, 1:]
    allowed = [np.sum(players.gaps[upper:lower], axis=0) for upper, lower in pairwise(heard)]
    least, most = np.array(allowed, np.int64).reshape(-1, 2).T
    near, ordered = gaps <= most, gaps >= least
    near[:, :-1] |= not limits.upper
    near[:, -1:] |= not limits.lower
    given = np.array([bool(bound and bound[voice]) for voice in heard])
    kept: BoolArray = ((near & (ordered | (not limits.ordered))) | (given[:-1] & given[1:])).all(
        axis=1
    )
    if players.span is not None:
        kept &= semitones[:, 0] - semitones[:, players.hands - 1] <= players.span
    return kept


def _bound_choices(
    members: Sequence[PitchClass], chord: Chord, allowed: Sequence[Pitch], *, lowest: bool
) -> IntArray:
    """(step, semitone, member) of the first given pitch that the chord holds, in whatever range."""
    places = {member: place for place, member in enumerate(members)}
    held = [pitch for pitch in allowed if pitch.pitch_class in places]
    return _rows(
        (pitch.step, pitch.semitone, places[pitch.pitch_class])
        for pitch in held[:1]
        if not lowest or places[pitch.pitch_class] == chord.inversion
    )


def _free_choices(
    voice: int,
    members: Sequence[PitchClass],
    chord: Chord,
    players: Ensemble,
    *,
    lowest: bool,
    beyond: bool,
) -> IntArray:
    """(step, semitone, member) of each pitch that a voice can take in its range."""
    places = (chord.inversion,) if lowest else tuple(range(len(members)))
    chosen = tuple(members[place] for place in places)
    return _compass_choices(players, voice, chosen, places, beyond)


@lru_cache(maxsize=4096)
def _compass_choices(
    players: Ensemble,
    voice: int,
    members: tuple[PitchClass, ...],
    places: tuple[int, ...],
    beyond: bool,
) -> IntArray:
    return _rows(
        (step, semitone, place)
        for member, place in zip(members, places, strict=True)
        for step, semitone in _compass(players, voice, member, beyond)
    )


@cache
def _compass(
    players: Ensemble, voice: int, pitch_class: PitchClass, beyond: bool
) -> tuple[tuple[int, int], ...]:
    """Step and semitone of each pitch of a class in the range of a voice, from the lowest."""
    compass = players.compass[voice]
    low = compass.extended_low if beyond else compass.core_low
    high = compass.extended_high if beyond else compass.core_high
    pitches = (Pitch.of(pitch_class, octave) for octave in OCTAVES)
    return tuple(
        (pitch.step, pitch.semitone)
        for pitch in pitches
        if low.semitone <= pitch.semitone <= high.semitone
    )


def _rows(found: Iterable[tuple[int, int, int]]) -> IntArray:
    """Rows of step, semitone and member, (n, 3)."""
    return np.array(list(found), np.int64).reshape(-1, 3)


def _essential(members: IntArray, chord: Chord, *, strict: bool) -> BoolArray:
    """Which voicings sound every member that may not be left out: all but a perfect fifth.

    Where there are fewer voices than members, the fifth or else the root above it gives way; where
    there are fewer still, what colours the chord least. Where that is not held strictly, root and
    seventh may still not be left out.
    """
    here = [(members == place).any(axis=1) for place in range(len(chord.members))]
    crowded = members.shape[1] < len(chord.members)
    may_omit = chord.inversion == 0 and chord.members[2] - chord.members[0] == 1
    spare = (0 if chord.inversion == 2 else 2) if crowded else 2
    needed = [place for place in range(len(here)) if not ((may_omit or crowded) and place == spare)]
    if not strict:
        needed = [place for place in needed if place not in (1, 2)]
    if len(needed) > members.shape[1]:
        first = dict.fromkeys((chord.inversion, *WEIGHT))
        needed = [place for place in first if place < len(here)][: members.shape[1]]
    enough = np.ones(len(members), np.bool_)
    for place in needed:
        enough &= here[place]
    return enough
