"""Rules on one sonority: ranges, spacing, order of voices, missing chord members."""

from __future__ import annotations

from typing import Any

from theory_kb.moment import NONE
from theory_kb.rules.engine import helper, kernel, pair_bit, voice_bit
from theory_kb.rules.measure import (
    count_voices,
    crossed,
    is_pair_free,
    is_triad,
    sounding,
    tenor_role,
)

__all__: list[str] = []

Moment = Any  # a MOMENT record as numba sees it

RANGE_PARAMS = (
    "soprano_low",
    "soprano_high",
    "alto_low",
    "alto_high",
    "tenor_low",
    "tenor_high",
    "bass_low",
    "bass_high",
)


@helper
def outside(now: Moment, limits: Any) -> int:
    """Bits of the voices that leave the given limits, two semitone numbers a part."""
    bits = 0
    for voice in range(now.voices):
        part = 2 * tenor_role(now, voice)
        low, high = limits[part], limits[part + 1]
        if sounding(now, voice) and not low <= now.semitone[voice] <= high:
            bits |= voice_bit(voice)
    return bits


@kernel(*RANGE_PARAMS)
def range_extended(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice leaves its extended range."""
    return outside(now, p)


@kernel(*RANGE_PARAMS)
def range_core(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice leaves the range in which it sounds easily."""
    return outside(now, p)


@helper
def wide(now: Moment, upper: int, widest: float) -> int:
    """Bit of a voice and its lower neighbour if they stand too far apart."""
    if is_pair_free(now, upper, upper + 1):
        return 0
    gap = now.semitone[upper] - now.semitone[upper + 1]
    return pair_bit(upper, upper + 1) if gap > widest else 0


@kernel("widest")
def spacing_upper(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Adjacent upper voices stand more than p[0] semitones apart."""
    bits = 0
    for upper in range(now.voices - 2):
        bits |= wide(now, upper, p[0])
    return bits


@kernel("widest")
def spacing_tenor_bass(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The two lowest voices stand more than p[0] semitones apart."""
    return wide(now, now.voices - 2, p[0]) if now.voices > 2 else 0


@kernel("widest")
def spacing_two_octaves(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The two lowest voices stand more than p[0] semitones, two octaves, apart."""
    return wide(now, now.voices - 2, p[0]) if now.voices > 2 else 0


@kernel("low", "narrowest", "very_low", "narrowest_very_low")
def spacing_low_close(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two voices stand close together where that sounds muddy."""
    bits = 0
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            if sounding(now, upper) and sounding(now, lower):
                top = max(now.semitone[upper], now.semitone[lower])
                gap = abs(now.semitone[upper] - now.semitone[lower])
                muddy = lower == now.voices - 1 and top < p[0] and gap < p[1]
                if gap > 0 and (muddy or (top < p[2] and gap < p[3])):
                    bits |= pair_bit(upper, lower)
    return bits


@kernel()
def voice_crossing(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A lower-named voice sounds above a higher-named one."""
    bits = 0
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            if sounding(now, upper) and sounding(now, lower) and crossed(now, upper, lower):
                bits |= pair_bit(upper, lower)
    return bits


@kernel()
def unison_adjacent(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Neighbouring voices meet on one pitch inside a phrase."""
    bits = 0
    if now.opening or now.phrase_end or now.final:
        return bits
    for upper in range(now.voices - 1):
        if sounding(now, upper) and now.semitone[upper] == now.semitone[upper + 1]:
            bits |= pair_bit(upper, upper + 1)
    return bits


@kernel()
def voice_count(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice of the texture is silent."""
    bits = 0
    for voice in range(now.voices):
        if not sounding(now, voice):
            bits |= voice_bit(voice)
    return bits


# ---------------------------------------------------------------------------- chord content


@helper
def all_voices(now: Moment) -> int:
    """Bits of every sounding voice."""
    bits = 0
    for voice in range(now.voices):
        if sounding(now, voice):
            bits |= voice_bit(voice)
    return bits


@helper
def is_complete_texture(now: Moment, fewest: int) -> bool:
    """Whether so many voices sound and none of them holds a non-chord tone."""
    count = 0
    for voice in range(now.voices):
        if sounding(now, voice):
            if now.member[voice] == -1:
                return False
            count += 1
    return count >= fewest


@kernel()
def omit_third(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A chord of three voices or more sounds no third."""
    if now.third == NONE or not is_complete_texture(now, 3):
        return 0
    return all_voices(now) if count_voices(now, now.third) == 0 else 0


@kernel()
def omit_dim_fifth(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A diminished chord lacks its fifth."""
    if now.root == NONE or now.fifth - now.root != -6 or not is_complete_texture(now, 3):
        return 0
    return all_voices(now) if count_voices(now, now.fifth) == 0 else 0


@kernel()
def inverted_incomplete(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """An inverted seventh chord of four voices lacks a member."""
    if now.root == NONE or is_triad(now) or now.inversion < 1 or not is_complete_texture(now, 4):
        return 0
    missing = count_voices(now, now.root) == 0 or count_voices(now, now.third) == 0
    if missing or count_voices(now, now.fifth) == 0 or count_voices(now, now.seventh) == 0:
        return all_voices(now)
    return 0
