"""Rules on six-four chords."""

from __future__ import annotations

from typing import Any

from theory_kb.moment import NONE
from theory_kb.rules.engine import helper, kernel, voice_bit
from theory_kb.rules.measure import is_triad, relative, same_chord, sounding, staff_steps

__all__: list[str] = []

Moment = Any  # a MOMENT record as numba sees it


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
    tied = before.strength == now.strength == 2  # beats two and three of a triple bar
    weak = before.strength <= now.strength and not tied
    return voice_bit(now.voices - 1) if weak else 0


@helper
def is_six_four(moment: Moment) -> bool:
    """Whether a triad stands on its fifth."""
    return is_triad(moment) and moment.inversion == 2


@kernel()
def consecutive_six_four(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two different six-four chords follow one another."""
    twice = is_six_four(before) and is_six_four(now) and now.boundary == 0
    return voice_bit(now.voices - 1) if twice and not same_chord(before, now) else 0
