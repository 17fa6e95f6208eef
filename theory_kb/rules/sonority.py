"""Rules on one sonority: ranges, spacing, order of voices, missing chord members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import LICENCES, NONE, REST
from theory_kb.rules.arrays import episodes, run_lengths
from theory_kb.rules.engine import helper, kernel, pair_bit, piece_rule, voice_bit
from theory_kb.rules.measure import (
    count_voices,
    crossed,
    is_pair_free,
    is_triad,
    sounding,
    tenor_role,
)
from theory_kb.rules.piece import Offence, Piece

__all__: list[str] = []

Moment = Any  # a MOMENT record as numba sees it
Bools = NDArray[np.bool_]

SIXTEEN_FOOT, DIVISI = LICENCES["sixteen-foot"], LICENCES["divisi"]
INVERTIBLE, MODAL = LICENCES["invertible"], LICENCES["modal"]
HEARD_THIRD, HEARD_FIFTH = 2, 4  # bits of `heard`

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
    """A voice leaves its extended range; a bass doubled at sixteen feet may go lower."""
    bits, low = outside(now, p), now.voices - 1
    if now.licences & SIXTEEN_FOOT and low > 0 and now.semitone[low] < p[6]:
        bits &= ~voice_bit(low)
    return bits


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
    if now.licences & INVERTIBLE and now.voices == 2:
        return bits
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            if sounding(now, upper) and sounding(now, lower) and crossed(now, upper, lower):
                bits |= pair_bit(upper, lower)
    return bits


@kernel("opening_allowed")
def unison_adjacent(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Neighbouring voices meet on one pitch inside a phrase."""
    bits = 0
    if now.phrase_end or now.final or (p[0] and now.opening):
        return bits
    for upper in range(now.voices - 1):
        florid = now.species[upper] > 1 or now.species[upper + 1] > 1
        weak = florid and now.position > 0
        met = sounding(now, upper) and now.semitone[upper] == now.semitone[upper + 1]
        if met and not weak:
            bits |= pair_bit(upper, upper + 1)
    return bits


@kernel()
def voice_count(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice of the texture is silent without a declared reason."""
    bits = 0
    if now.licences & DIVISI:
        return bits
    for voice in range(now.voices):
        upbeat = now.opening and now.species[voice] > 1
        meant = now.written_rest[voice] or now.doubles[voice] or upbeat
        if not sounding(now, voice) and not meant:
            bits |= voice_bit(voice)
    return bits


@kernel("widest")
def spacing_two_voice_twelfth(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Neighbouring lines stand more than p[0] semitones, a twelfth, apart."""
    bits = 0
    for upper in range(now.voices - 1):
        if sounding(now, upper) and sounding(now, upper + 1):
            if now.semitone[upper] - now.semitone[upper + 1] > p[0]:
                bits |= pair_bit(upper, upper + 1)
    return bits


# -------------------------------------------------------------------- spacing over some time


def _gaps(piece: Piece) -> tuple[NDArray[np.int64], Bools]:
    """Semitones from each voice down to the next, (n, voices - 1), and where both sound."""
    pitches = piece.surface["semitone"][:, : len(piece.voices)].astype(np.int64)
    sounds = pitches != REST
    return pitches[:, :-1] - pitches[:, 1:], sounds[:, :-1] & sounds[:, 1:]


@piece_rule()
def spacing_largest_gap_low(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The gap between the two lowest voices is smaller than one above it."""
    if len(piece.voices) < 3:
        return
    gaps, both = _gaps(piece)
    narrow = both.all(axis=1) & (gaps[:, -1] < gaps[:, :-1].max(axis=1))
    low = len(piece.voices) - 1
    for index in episodes(narrow, piece.surface):
        yield Offence(index, (low - 1, low))


@piece_rule("widest", "notes")
def spacing_two_voice(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Neighbouring lines stay too far apart for more than so many notes."""
    gaps, both = _gaps(piece)
    wide = both & (gaps > p["widest"])
    for upper in range(len(piece.voices) - 1):
        lengths = run_lengths(wide[:, upper], piece.surface)
        for index in np.flatnonzero(lengths == p["notes"] + 1).tolist():
            yield Offence(index, (upper, upper + 1))


def _crossings(piece: Piece) -> Iterator[tuple[int, int, Bools]]:
    """Each pair of voices and where the lower-named one sounds above the other."""
    pitches = piece.surface["semitone"]
    for upper in range(len(piece.voices) - 1):
        for lower in range(upper + 1, len(piece.voices)):
            above = pitches[:, lower] > pitches[:, upper]
            if above.any():
                yield upper, lower, above & (pitches[:, upper] != REST)


@piece_rule()
def voice_crossing_soprano(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A voice below the alto sounds above the soprano."""
    for upper, lower, crossed_at in _crossings(piece):
        if upper == 0 and lower > 1:
            for index in episodes(crossed_at, piece.surface):
                yield Offence(index, (upper, lower))


@piece_rule("slices")
def voice_crossing_long(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Two voices stay crossed for more than so many attacks."""
    most = int(p["slices"])
    for upper, lower, crossed_at in _crossings(piece):
        lengths = run_lengths(crossed_at, piece.surface)
        for index in np.flatnonzero(lengths == most + 1).tolist():
            yield Offence(index - most, (upper, lower))


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
    if now.third == NONE or now.heard & HEARD_THIRD or not is_complete_texture(now, 3):
        return 0
    if now.opening and now.licences & MODAL and count_voices(now, now.fifth) > 0:
        return 0
    return all_voices(now) if count_voices(now, now.third) == 0 else 0


@kernel()
def omit_dim_fifth(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A diminished chord lacks its fifth."""
    if now.root == NONE or now.fifth - now.root != -6 or now.heard & HEARD_FIFTH:
        return 0
    if not is_complete_texture(now, 3):
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
