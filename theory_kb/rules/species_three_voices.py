"""Rules of species counterpoint in three voices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from theory_kb.moment import REST, UNKNOWN
from theory_kb.rules.context import COMBINED
from theory_kb.rules.engine import helper, kernel, pair_bit, piece_rule, voice_bit
from theory_kb.rules.measure import (
    CONSONANT,
    FREE_ABOVE,
    clash,
    direction,
    is_downbeat,
    is_held,
    is_hidden,
    lowest,
    perfect,
    similar,
    sounding,
    vertical,
)
from theory_kb.rules.piece import Offence, Piece
from theory_kb.rules.species_bars import (
    WHOLE,
    Bar,
    Rhythm,
    bars,
    bass,
    interval,
    numbers,
    rhythms,
)

__all__: list[str] = []

Moment = Any  # a MOMENT record as numba sees it

MINOR_THIRD = -3  # on the line of fifths
SECOND, THIRD, FOURTH, FIFTH, SIXTH, SEVENTH = 1, 2, 3, 4, 5, 6  # staff steps
SIX_THREE = {THIRD, SIXTH}
FEWEST = 3  # voices

# --------------------------------------------------------------------------------- sonority


@kernel()
def sp3v_bass_consonance(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A voice strikes a dissonance with the lowest one on the downbeat."""
    bits = 0
    if now.voices < FEWEST or not is_downbeat(now):
        return bits
    low = lowest(now)
    for voice in range(now.voices):
        if voice == low or now.attack[voice] == 0 or now.attack[low] == 0:
            continue
        judged = voice if now.species[voice] > 0 else low
        if now.species[judged] > 0 and clash(now, voice, now, low):
            bits |= voice_bit(judged)
    return bits


@kernel()
def sp3v_last_third(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The last chord has a minor third."""
    bits = 0
    if now.voices < FEWEST or now.final == 0 or now.cantus == UNKNOWN:
        return bits
    low = lowest(now)
    for voice in range(now.voices):
        if voice != low and sounding(now, voice) and vertical(now, voice, low) == MINOR_THIRD:
            bits |= voice_bit(voice)
    return bits


@helper
def supports(number: int, other: int) -> bool:
    """Whether a voice so many steps above the lowest one goes well with a suspended interval."""
    if number == SECOND:
        return other == THIRD
    if number == SEVENTH:
        return other in (THIRD, FIFTH)
    return number != FOURTH or other == FIFTH


@helper
def is_supported(now: Moment, voice: int, other: int) -> bool:
    """Whether another voice neither doubles a suspension's resolution nor thins the chord."""
    low = lowest(now)
    resolution = (now.step[voice] - 1) % 7
    if voice == low:
        return now.step[other] % 7 != resolution
    number = (now.step[voice] - now.step[low]) % 7
    if other == low:
        return number == SECOND or now.step[low] % 7 != resolution
    above = (now.step[other] - now.step[low]) % 7
    return now.step[other] % 7 != resolution and supports(number, above)


@kernel()
def sp3v_suspension_support(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A suspension over the lowest voice stands in no good chord."""
    bits = 0
    if now.voices < FEWEST or not is_downbeat(now):
        return bits
    low = lowest(now)
    for voice in range(now.voices):
        if now.species[voice] < 4 or not is_held(now, voice):
            continue
        stands = False
        for other in range(now.voices):
            if other != voice and (voice == low or other == low):
                stands = stands or clash(now, voice, now, other)
        for other in range(now.voices):
            if stands and other != voice and sounding(now, other):
                if not is_supported(now, voice, other):
                    bits |= pair_bit(min(voice, other), max(voice, other))
    return bits


# ----------------------------------------------------------------------------------- motion


@kernel()
def sp3v_hidden(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two of three voices go the same way into a perfect consonance, well covered."""
    bits = 0
    for upper in range(now.voices - 1):
        for lower in range(upper + 1, now.voices):
            if now.species[upper] == 0 and now.species[lower] == 0:
                continue
            if similar(before, now, upper, lower) and perfect(now, upper, lower):
                if is_hidden(before, now, upper, lower):
                    bits |= pair_bit(upper, lower)
    return bits


@kernel()
def sp3v_three_same_way(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """All voices move the same way."""
    bits, way = 0, direction(before, now, 0)
    if now.voices < FEWEST or way == 0 or now.boundary or now.cantus == UNKNOWN:
        return 0
    for voice in range(1, now.voices):
        if direction(before, now, voice) != way:
            return 0
        bits |= pair_bit(0, voice)
    return bits


# ------------------------------------------------------------------------------ whole pieces


def _everyone(piece: Piece) -> tuple[int, ...]:
    return tuple(range(len(piece.voices)))


@piece_rule()
def sp3v_triad(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A bar inside the exercise holds no complete triad."""
    if len(piece.voices) < FEWEST:
        return
    for bar in bars(piece)[1:-1]:
        complete = any(_is_complete(piece, moment) for moment in range(bar.start, bar.stop))
        if not complete and not _is_smooth(piece, bar.start):
            yield Offence(bar.start, _everyone(piece))


def _is_complete(piece: Piece, moment: int) -> bool:
    """Whether a third and a fifth or sixth sound above the lowest voice."""
    found = numbers(piece, moment)
    return THIRD in found and bool(found & {FIFTH, SIXTH})


def _is_smooth(piece: Piece, moment: int) -> bool:
    """Whether every voice but the lowest moves by step or stays: the lines explain the chord."""
    low = bass(piece, moment)
    before, now = piece.surface[moment - 1], piece.surface[moment]
    return all(
        REST not in (before["semitone"][voice], now["semitone"][voice])
        and abs(int(now["step"][voice]) - int(before["step"][voice])) <= 1
        for voice in _everyone(piece)
        if voice != low
    )


@piece_rule()
def sp3v_upper_fourth(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Names each fourth or tritone of two upper voices that are consonant with the lowest."""
    for bar in bars(piece):
        low = bass(piece, bar.start)
        uppers = [
            voice
            for voice in _everyone(piece)
            if voice != low and interval(piece, bar.start, voice, low) in CONSONANT
        ]
        for upper, lower in combinations(uppers, 2):
            if interval(piece, bar.start, upper, lower) in FREE_ABOVE:
                yield Offence(bar.start, (upper, lower))


@piece_rule()
def sp3v_six_three_row(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Two sixth chords follow each other in parallel from downbeat to downbeat."""
    for before, now in pairwise(bars(piece)):
        sixths = all(numbers(piece, bar.start) == SIX_THREE for bar in (before, now))
        if sixths and len(piece.voices) >= FEWEST and _one_way(piece, before, now):
            yield Offence(now.start, _everyone(piece))


def _one_way(piece: Piece, before: Bar, now: Bar) -> bool:
    """Whether all voices have moved the same way between two downbeats."""
    semitones = piece.surface["semitone"][:, : len(piece.voices)].astype(int)
    ways = set(np.sign(semitones[now.start] - semitones[before.start]).tolist())
    return len(ways) == 1 and ways != {0}


@piece_rule()
def sp3v_species_mix(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """More than one voice carries a species of shorter notes and nothing declares it."""
    context = piece.context
    if len(piece.voices) < FEWEST or COMBINED in context.devices:
        return
    moving = sorted(voice for voice, species in context.species.items() if species > 1)
    if len(moving) > 1:
        yield Offence(0, tuple(moving))
    for voice in _everyone(piece):
        if voice not in moving and voice != context.cantus:
            for bar, values in rhythms(piece, voice):
                if values != Rhythm("struck", WHOLE):
                    yield Offence(bar.start, (voice,))
                    break
