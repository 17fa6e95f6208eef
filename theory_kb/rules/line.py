"""Rules on a single line: its intervals and what follows its leaps."""

from __future__ import annotations

from typing import Any

from theory_kb.moment import NONE, REST
from theory_kb.rules.engine import helper, kernel, voice_bit
from theory_kb.rules.measure import (
    direction,
    is_chord_tone,
    melodic,
    moves,
    outer,
    pitch_class,
    same_harmony,
    staff_steps,
)

__all__: list[str] = []

Moment = Any  # a MOMENT record as numba sees it

# ------------------------------------------------------------------------- melodic intervals


@helper
def steps_in_phrase(before: Moment, now: Moment, voice: int) -> int:
    """Staff steps of a move inside a phrase, without direction; -1 where there is none."""
    if now.boundary or not moves(before, now, voice):
        return -1
    return abs(staff_steps(before, now, voice))


@kernel()
def mel_augmented(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice moves by an augmented interval."""
    bits = 0
    for voice in range(now.voices):
        if steps_in_phrase(before, now, voice) > 0 and melodic(before, now, voice) >= 6:
            bits |= voice_bit(voice)
    return bits


@kernel()
def mel_chromatic_step(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice moves by a chromatic semitone."""
    bits = 0
    for voice in range(now.voices):
        if steps_in_phrase(before, now, voice) == 0:
            bits |= voice_bit(voice)
    return bits


@kernel()
def mel_seventh(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice leaps a minor or major seventh."""
    bits = 0
    for voice in range(now.voices):
        if steps_in_phrase(before, now, voice) == 6:
            fifths = melodic(before, now, voice)
            displaced = outer(now, voice) and now.seventh != NONE and same_harmony(before, now)
            if (fifths == 5 or fifths == -2) and not displaced:
                bits |= voice_bit(voice)
    return bits


@kernel()
def mel_over_octave(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice leaps further than an octave."""
    bits = 0
    for voice in range(now.voices):
        size = abs(now.semitone[voice] - before.semitone[voice])
        steps = steps_in_phrase(before, now, voice)
        if steps > 7 or (steps == 7 and size > 12):
            bits |= voice_bit(voice)
    return bits


@kernel("widest")
def inner_economy(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """An inner voice leaps more than p[0] semitones though it could stay or step."""
    bits = 0
    if now.root == NONE or same_harmony(before, now):
        return bits
    for voice in range(1, now.voices - 1):
        size = abs(now.semitone[voice] - before.semitone[voice])
        if steps_in_phrase(before, now, voice) < 2 or size <= p[0]:
            continue
        place = pitch_class(before, voice) - now.tonic
        near = is_chord_tone(now, place + 2) or is_chord_tone(now, place - 2)
        near = near or is_chord_tone(now, place + 5) or is_chord_tone(now, place - 5)
        if near or is_chord_tone(now, place):
            bits |= voice_bit(voice)
    return bits


# ------------------------------------------------------------------------- after a leap


@helper
def two_moves(earlier: Moment, before: Moment, now: Moment, voice: int) -> bool:
    """Whether a voice moves twice inside one phrase."""
    if now.boundary or earlier.semitone[voice] == REST:
        return False
    return moves(earlier, before, voice) and moves(before, now, voice)


@helper
def triad_apart(first: int, second: int, third: int) -> bool:
    """Whether three pitch classes spell a major or minor triad or part of one."""
    low, high = min(first, second, third), max(first, second, third)
    middle = first + second + third - low - high
    if low in (middle, high) or middle == high:
        return high - low in (0, 1, 3, 4)
    return high - low == 4 and (middle - low == 1 or middle - low == 3)


@helper
def arpeggio(earlier: Moment, before: Moment, now: Moment, voice: int) -> bool:
    """Whether the three notes of a voice spell one triad."""
    return triad_apart(
        pitch_class(earlier, voice), pitch_class(before, voice), pitch_class(now, voice)
    )


@kernel("forbidden")
def mel_diminished(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A diminished leap does not turn back by step; where p[0] is 1, any diminished leap."""
    bits = 0
    for voice in range(now.voices):
        if p[0]:
            if steps_in_phrase(before, now, voice) > 1 and melodic(before, now, voice) <= -6:
                bits |= voice_bit(voice)
        elif two_moves(earlier, before, now, voice) and melodic(earlier, before, voice) <= -6:
            back = -direction(earlier, before, voice)
            spread = voice == now.voices - 1 and same_harmony(before, now)
            if staff_steps(before, now, voice) != back and not spread:
                bits |= voice_bit(voice)
    return bits


@kernel("smallest")
def leap_recovery(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A leap of p[0] staff steps or more is not followed by a turn."""
    bits = 0
    for voice in range(now.voices):
        if not two_moves(earlier, before, now, voice):
            continue
        onward = direction(earlier, before, voice) == direction(before, now, voice)
        if abs(staff_steps(earlier, before, voice)) >= p[0] and onward:
            cadence = voice == now.voices - 1 and (now.phrase_end or now.final)
            if not cadence and not arpeggio(earlier, before, now, voice):
                bits |= voice_bit(voice)
    return bits


@kernel("bass_free")
def leaps_consecutive_same(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two leaps the same way span more than an octave or spell no triad."""
    bits = 0
    for voice in range(now.voices):
        if not two_moves(earlier, before, now, voice) or (p[0] and voice == now.voices - 1):
            continue
        way = direction(earlier, before, voice)
        first = way * staff_steps(earlier, before, voice)
        second = way * staff_steps(before, now, voice)
        if first >= 2 and second >= 2:
            if first + second > 7 or not arpeggio(earlier, before, now, voice):
                bits |= voice_bit(voice)
    return bits
