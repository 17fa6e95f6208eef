"""Rules on what a chord doubles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import NONE, UNSTEPPED
from theory_kb.rules.arrays import skeleton
from theory_kb.rules.engine import helper, kernel, pair_bit, piece_rule
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
from theory_kb.rules.piece import Offence, Piece

__all__: list[str] = []

Moment = Any  # a MOMENT record as numba sees it
Bools = NDArray[np.bool_]
ROOT, THIRD, FIFTH, SEVENTH = range(4)
MEMBER_NAMES = ("root", "third", "fifth", "seventh")


@helper
def doubled(now: Moment, place: int) -> int:
    """Bits of the voices that share a pitch class, 0 if fewer than two do."""
    return voices_with(now, place) if count_voices(now, place) > 1 else 0


@kernel()
def double_leading_tone(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """Two voices sound the leading tone of the key in a dominant chord."""
    if now.leading != 5 or is_falling_link(now):
        return 0
    lasting = 0
    for voice in range(now.voices):
        if sounding(now, voice) and relative(now, voice) == 5 and not now.brief[voice]:
            lasting += 1
    return doubled(now, 5) if lasting > 1 else 0


@helper
def is_falling_link(now: Moment) -> bool:
    """Whether this is the root-position viio between IV and iii of falling fifths."""
    diminished = now.root == now.leading and now.inversion == 0
    return diminished and now.came_from == -1 and now.goes_to == 4


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


@helper
def is_third_free(now: Moment) -> bool:
    """Whether the third may be doubled: of a minor triad on 2, 3 or 6, and of vi after V.

    Where the chord before is not known, the submediant is taken as one after V.
    """
    if is_minor(now) and is_strong_degree(now.third):
        return True
    submediant = now.root == (3 if now.mode == 0 else -4)
    return submediant and now.came_from in (1, NONE)


@helper
def enters_smoothly(now: Moment, place: int) -> bool:
    """Whether a voice above the bass comes to a note by step against the bass."""
    bass = now.entry[now.voices - 1]
    if bass == UNSTEPPED:
        return False
    for voice in range(now.voices - 1):
        step = now.entry[voice]
        if abs(step) == 1 and step * bass < 0 and relative(now, voice) == place:
            return True
    return False


@kernel()
def double_root_position(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A triad in root position doubles its third or fifth rather than its root."""
    if not is_triad(now) or now.inversion != 0 or not (is_major(now) or is_minor(now)):
        return 0
    roots, bits = count_voices(now, now.root), 0
    thirds = count_voices(now, now.third) > roots and not is_third_free(now)
    if thirds and not enters_smoothly(now, now.third):
        bits |= doubled(now, now.third)
    if count_voices(now, now.fifth) > roots and not enters_smoothly(now, now.fifth):
        bits |= doubled(now, now.fifth)
    return bits


@kernel()
def double_first_inversion(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A triad in first inversion doubles a tendency tone; any other member is free."""
    if not is_triad(now) or now.inversion != 1:
        return 0
    bits = doubled(now, now.leading) if now.leading != NONE else 0
    for voice in range(now.voices - 1):
        if sounding(now, voice) and is_tendency(now, relative(now, voice)):
            bits |= doubled(now, relative(now, voice))
    return bits


@kernel()
def double_second_inversion(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """A six-four chord doubles something else than its bass."""
    if not is_triad(now) or now.inversion != 2 or count_voices(now, now.fifth) > 1:
        return 0
    into, out = now.entry[now.voices - 1], now.exit[now.voices - 1]
    if now.florid and abs(into) == 1 and into == out:
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


# --------------------------------------------------------------------- particular chords


def _voices_on(piece: Piece, index: int, place: int) -> tuple[int, ...]:
    """The voices of a chord that sound a place above the tonic."""
    degrees = skeleton(piece).degree[index]
    return tuple(np.flatnonzero(degrees == place).tolist())


def _doubled_members(piece: Piece, chosen: Bools, members: tuple[int, ...]) -> Iterator[Offence]:
    """An offence for each chosen chord that sounds one of some members twice."""
    chords = skeleton(piece)
    for index in np.flatnonzero(chosen).tolist():
        for member in members:
            if chords.counts[index, member] > 1:
                place = int(chords.moments[MEMBER_NAMES[member]][index])
                yield Offence(index, _voices_on(piece, index, place))


@piece_rule()
def double_augmented(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """An augmented triad doubles its fifth, which is the raised note."""
    moments = skeleton(piece).moments
    raised = (moments["fifth"] - moments["root"] == 8) & (moments["seventh"] == NONE)
    yield from _doubled_members(piece, raised & (moments["root"] != NONE), (FIFTH,))


@piece_rule()
def double_diminished_fifth(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A diminished triad doubles its fifth."""
    moments = skeleton(piece).moments
    triad = (moments["fifth"] - moments["root"] == -6) & (moments["seventh"] == NONE)
    minor_third = moments["third"] - moments["root"] == -3
    yield from _doubled_members(piece, triad & minor_third, (FIFTH,))


@piece_rule()
def double_seventh_chord_root(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A seventh chord of four voices without its fifth doubles third or seventh."""
    chords = skeleton(piece)
    moments, counts = chords.moments, chords.counts
    placed = (moments["seventh"] != NONE) & (moments["inversion"] == 0)
    without_fifth = (counts[:, FIFTH] == 0) & (chords.sounding == 4) & chords.pure
    yield from _doubled_members(piece, placed & without_fifth, (THIRD, SEVENTH))


@piece_rule()
def double_neapolitan(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A Neapolitan sixth doubles its root or its fifth instead of its bass."""
    moments = skeleton(piece).moments
    sixth = (moments["root"] == -5) & (moments["inversion"] == 1) & (moments["seventh"] == NONE)
    yield from _doubled_members(piece, sixth & (moments["leading"] == NONE), (ROOT, FIFTH))


@piece_rule()
def double_italian_sixth(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """An Italian sixth doubles its raised fourth or its lowered sixth degree."""
    moments = skeleton(piece).moments
    italian = (moments["root"] == 6) & (moments["third"] == -4) & (moments["seventh"] == NONE)
    yield from _doubled_members(piece, italian, (ROOT, THIRD))


@piece_rule()
def triple_root_final(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A triad of at most four voices triples its root before the last tonic of a phrase."""
    chords = skeleton(piece)
    moments = chords.moments
    closing = (moments["phrase_end"] | moments["final"]).astype(bool) & (moments["root"] == 0)
    tripled = (chords.counts[:, ROOT] > 2) & (chords.sounding <= 4) & (moments["seventh"] == NONE)
    for index in np.flatnonzero(tripled & ~closing).tolist():
        yield Offence(index, _voices_on(piece, index, int(moments["root"][index])))
