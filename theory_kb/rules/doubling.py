"""Rules on what a chord doubles."""

from __future__ import annotations

from typing import Any

from theory_kb.moment import NONE
from theory_kb.rules.engine import helper, kernel, pair_bit
from theory_kb.rules.measure import (
    count_voices,
    direction,
    dominant_of,
    is_diminished,
    is_major,
    is_minor,
    is_tendency,
    is_triad,
    pitch_class,
    relative,
    sounding,
    voices_with,
)

__all__: list[str] = []

Moment = Any  # a MOMENT record as numba sees it


@helper
def doubled(now: Moment, place: int) -> int:
    """Bits of the voices that share a pitch class, 0 if fewer than two do."""
    return voices_with(now, place) if count_voices(now, place) > 1 else 0


@kernel()
def double_leading_tone(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two voices sound the leading tone of the key in a dominant chord."""
    return doubled(now, now.leading) if now.leading == 5 else 0


@kernel()
def double_chordal_seventh(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two voices sound the seventh of a seventh chord."""
    return doubled(now, now.seventh) if now.seventh != NONE else 0


@kernel()
def double_chromatic(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two voices sound an altered note that pulls one way."""
    bits = 0
    for voice in range(now.voices - 1):
        if sounding(now, voice) and is_tendency(now, relative(now, voice)):
            bits |= doubled(now, relative(now, voice))
    return bits


@kernel()
def double_outer_tendency(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The outer voices share a leading tone, a seventh or an altered note."""
    low = now.voices - 1
    if now.root == NONE or low < 1 or not (sounding(now, 0) and sounding(now, low)):
        return 0
    place = relative(now, 0)
    if pitch_class(now, 0) != pitch_class(now, low):
        return 0
    pulls = place == now.leading or place == now.seventh or is_tendency(now, place)
    return pair_bit(0, low) if pulls else 0


@helper
def is_strong_degree(place: int) -> bool:
    """Whether a place above the tonic is degree 1, 4 or 5."""
    return -1 <= place <= 1


@kernel()
def double_root_position(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A triad in root position doubles its third or fifth rather than its root."""
    if not is_triad(now) or now.inversion != 0 or not (is_major(now) or is_minor(now)):
        return 0
    roots, bits = count_voices(now, now.root), 0
    if count_voices(now, now.third) > roots and not is_strong_degree(now.third):
        bits |= doubled(now, now.third)
    if count_voices(now, now.fifth) > roots:
        bits |= doubled(now, now.fifth)
    return bits


@kernel()
def double_first_inversion(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A major triad in first inversion doubles its bass, unless that is degree 1, 4 or 5."""
    if not is_triad(now) or now.inversion != 1 or not is_major(now):
        return 0
    return 0 if is_strong_degree(now.third) else doubled(now, now.third)


@kernel()
def double_second_inversion(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A six-four chord doubles something else than its bass."""
    if not is_triad(now) or now.inversion != 2 or count_voices(now, now.fifth) > 1:
        return 0
    return doubled(now, now.root) | doubled(now, now.third)


@kernel("fifth_allowed")
def double_diminished(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A diminished triad doubles its root, or its fifth where p[0] is 0."""
    if not is_triad(now) or not is_diminished(now):
        return 0
    bits = doubled(now, now.root)
    return bits if p[0] else bits | doubled(now, now.fifth)


@kernel()
def double_deceptive_third(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """After V the submediant does not double its third although the leading tone rises."""
    submediant = 3 if now.mode == 0 else -4
    if not dominant_of(before, now) or before.root != 1 or now.root != submediant:
        return 0
    if before.inversion != 0 or now.inversion != 0 or count_voices(now, now.third) > 1:
        return 0
    for voice in range(now.voices):
        rises = direction(before, now, voice) > 0 and relative(now, voice) == 0
        if rises and relative(before, voice) == 5:
            return doubled(now, now.root) | doubled(now, now.fifth)
    return 0
