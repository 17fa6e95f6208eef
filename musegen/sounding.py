"""What sounds in a slot where that is more than its chord: given notes, and figured basses.

A candidate of the search is a chord tone in each voice. Where a figure asks for a suspension, or
the bass passes on under a chord, other notes are heard; rules on the surface judge those.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from musegen.models.protocol import BoolArray
from musegen.plan.plan import Delay, Figured, Given, Slot
from theory_kb.metre import beat_strength
from theory_kb.moment import NON_CHORD, TICKS, Moments, blank_moments, copied
from theory_kb.pitch import Pitch, PitchClass

__all__ = [
    "closing_moments",
    "delayed_pitch",
    "delayed_voice",
    "heard_moments",
    "joins",
    "later",
    "once",
    "put",
    "silence",
    "sounding_at",
    "sounding_moments",
    "spelled",
]

MEMBERS = ("root", "third", "fifth", "seventh")


def put(moments: Moments, voice: int, pitch: Pitch | None, *, struck: bool) -> None:
    """Let a voice sound a pitch, whether its chord holds it or not; None silences it."""
    if pitch is None:
        silence(moments, voice)
        return
    moments["step"][:, voice] = pitch.step
    moments["semitone"][:, voice] = pitch.semitone
    moments["attack"][:, voice] = struck
    degree = pitch.pitch_class.fifths - moments["tonic"].astype(np.int64)
    moments["degree"][:, voice] = degree
    moments["member"][:, voice] = NON_CHORD
    for member, name in enumerate(MEMBERS):
        moments["member"][moments[name] == degree, voice] = member


def silence(moments: Moments, voice: int) -> None:
    """Let a voice rest."""
    blank = blank_moments(1, voice + 1)
    for name in ("step", "semitone", "attack", "degree", "member"):
        moments[name][:, voice] = blank[name][0, voice]


def spelled(moment: np.void) -> tuple[Pitch, ...]:
    """The pitches of a moment, high to low."""
    return tuple(
        Pitch(int(moment["step"][voice]), int(moment["semitone"][voice]))
        for voice in range(int(moment["voices"]))
    )


# --- given notes ----------------------------------------------------------------------------


def heard_moments(moments: Moments, slot: Slot, metre: tuple[int, int]) -> tuple[Moments, ...]:
    """What sounds at each time of a slot, where that is more than its chord; else nothing.

    Args:
        moments: (N,) voicings.
        slot: with its given notes, or its figured bass.
        metre: beats of a bar and the unit of a beat.
    """
    if slot.figured is not None:
        return (sounding_moments(moments, slot),)
    if not any(each and each.ornate for each in slot.given):
        return ()
    return tuple(sounding_at(moments, slot, slot.given, time, metre) for time in slot.times())


def sounding_at(
    moments: Moments,
    slot: Slot,
    given: Sequence[Given | None],
    time: Fraction,
    metre: tuple[int, int],
) -> Moments:
    """What sounds so many quarter notes after the onset of a slot, (N,)."""
    found = later(moments, slot, time, metre) if time else copied(moments)
    for voice, each in enumerate(given):
        if each is not None:
            pitch, struck = each.at(time)
            put(found, voice, pitch, struck=struck)
    return found


def later(moments: Moments, slot: Slot, time: Fraction, metre: tuple[int, int]) -> Moments:
    """Moments so many quarter notes after the onset of their slot, while no voice strikes."""
    found = copied(moments)
    for name in ("boundary", "opening", "attack"):
        found[name] = 0
    for name in ("onset", "position"):
        found[name] += int(time * TICKS)
    strength = beat_strength(*metre, slot.position + int(time * TICKS))
    found["strength"] = min(slot.strength, strength)
    return found


def closing_moments(moments: Moments, slot: Slot) -> Moments | None:
    """Moments with each given voice on the last of its notes that the chord holds.

    None where no given voice has more than one note: the chord is left as it is entered.
    """
    if not any(each and each.moves for each in slot.given):
        return None
    found = copied(moments)
    for voice, each in enumerate(slot.given):
        for pitch in each.pitches if each is not None else ():
            moved = copied(found)
            put(moved, voice, pitch, struck=True)
            held = moved["member"][:, voice] != NON_CHORD
            for name in ("step", "semitone", "attack", "degree", "member"):
                found[name][held, voice] = moved[name][held, voice]
    return found


# --- figured basses -------------------------------------------------------------------------


def delayed_pitch(delay: Delay, tone: Pitch) -> Pitch:
    """What a voice sounds before it reaches a chord tone late: the note a step above."""
    above = Pitch.of(delay.sounding, tone.octave)
    return above if above.step > tone.step else Pitch.of(delay.sounding, tone.octave + 1)


def delayed_voice(moment: np.void, delay: Delay) -> int:
    """The upper voice that has a delayed chord tone."""
    voices = range(int(moment["voices"]) - 1)
    return next(voice for voice in voices if _class(moment, voice) == delay.tone)


def _class(moment: np.void, voice: int) -> PitchClass:
    return Pitch(int(moment["step"][voice]), int(moment["semitone"][voice])).pitch_class


def _has(moments: Moments, tone: PitchClass) -> BoolArray:
    """Which upper voices have a chord tone, (N, voices - 1)."""
    upper = int(moments["voices"][0]) - 1 if len(moments) else 0
    degree = tone.fifths - moments["tonic"].astype(np.int64)
    has: BoolArray = moments["degree"][:, :upper] == degree[:, None]
    return has


def once(moments: Moments, figured: Figured) -> BoolArray:
    """Which voicings have each delayed tone in just one upper voice, so that it is not heard yet."""
    kept = np.ones(len(moments), np.bool_)
    for delay in figured.delays:
        kept &= _has(moments, delay.tone).sum(axis=1) == 1
    return kept


def sounding_moments(moments: Moments, slot: Slot) -> Moments:
    """What voicings sound as in a slot of a figured bass, (N,)."""
    figured, given = slot.figured, slot.given[-1]
    assert figured is not None, "asked only of figured slots"
    assert given is not None, "a figured slot has its bass"
    heard = moments.copy()
    upper = len(slot.given) - 1
    if figured.continues:
        heard["attack"][:, :upper] = 0
        for tone in figured.struck:
            heard["attack"][:, :upper] |= _has(moments, tone).astype(np.int8)
    for delay in figured.delays:
        _delay(heard, moments, delay)
    put(heard, upper, given.first, struck=given.struck)
    return heard


def _delay(heard: Moments, moments: Moments, delay: Delay) -> None:
    rows, voices = np.nonzero(_has(moments, delay.tone))
    for voice in np.unique(voices).tolist():
        chosen = rows[voices == voice]
        for octave in np.unique(moments["step"][chosen, voice] // 7).tolist():
            there = chosen[moments["step"][chosen, voice] // 7 == octave]
            tone = Pitch.of(delay.tone, octave)
            part = heard[there]
            put(part, voice, delayed_pitch(delay, tone), struck=not delay.prepared)
            heard[there] = part


def joins(
    before: Moments, heard: Moments, after: Moments, sounding: Moments, slots: tuple[Slot, Slot]
) -> BoolArray:
    """Which voicings of a figured slot join which of the slot before it.

    Args:
        before: (N,) voicings of the slot before.
        heard: (N,) what they sound as at its end.
        after: (M,) voicings of the slot.
        sounding: (M,) what they sound as.
        slots: both.

    Returns:
        (N, M): a chord that goes on stays as it is, a suspension is held from before, and what
        was delayed is reached by step.
    """
    last, figured = slots[0].figured, slots[1].figured
    legal = np.ones((len(before), len(after)), np.bool_)
    if figured is not None and figured.continues:
        for name in ("chord", "tonic"):
            legal &= before[name][:, None] == after[name][None, :]
        legal &= (before["semitone"][:, None, :] == after["semitone"][None, :, :]).all(axis=2)
        return legal
    for delay in () if figured is None else figured.delays:
        if delay.prepared:
            legal &= _held(heard, after, sounding, delay)
    for delay in () if last is None else last.delays:
        legal &= _resolved(before, heard, sounding, delay)
    return legal


def _held(heard: Moments, after: Moments, sounding: Moments, delay: Delay) -> BoolArray:
    """The voice that has the delayed tone sounds before as it sounds now."""
    has = _has(after, delay.tone)
    upper = has.shape[1]
    same = heard["semitone"][:, None, :upper] == sounding["semitone"][None, :, :upper]
    same &= heard["step"][:, None, :upper] == sounding["step"][None, :, :upper]
    legal: BoolArray = (same | ~has[None]).all(axis=2)
    return legal


def _resolved(before: Moments, heard: Moments, sounding: Moments, delay: Delay) -> BoolArray:
    """The voice that was delayed falls by step."""
    had = _has(before, delay.tone)
    upper = had.shape[1]
    fall = heard["step"][:, None, :upper] - sounding["step"][None, :, :upper]
    legal: BoolArray = ((fall == 1) | ~had[:, None]).all(axis=2)
    return legal
