"""Rules on what two hands play."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import REST
from theory_kb.rules.arrays import episodes
from theory_kb.rules.engine import kernel, pair_bit, piece_rule
from theory_kb.rules.measure import sounding
from theory_kb.rules.piece import Offence, Piece

__all__: list[str] = []

Moment = Any  # a MOMENT record as numba sees it


@kernel("widest", "left_voices")
def spacing_keyboard_hand(earlier: Moment, before: Moment, now: Moment, p: Any) -> int:
    """The right hand, as declared or else all but the p[1] lowest voices, spans too much."""
    hand = now.hands if now.hands > 0 else now.voices - int(p[1])
    top, low = -1, -1
    for voice in range(hand):
        if sounding(now, voice):
            if top < 0 or now.semitone[voice] > now.semitone[top]:
                top = voice
            if low < 0 or now.semitone[voice] < now.semitone[low]:
                low = voice
    if top < 0 or now.semitone[top] - now.semitone[low] <= p[0]:
        return 0
    return pair_bit(min(top, low), max(top, low))


def _hands(piece: Piece) -> tuple[range, range]:
    """Voices of the right hand and of the left."""
    right = piece.context.hands
    assert right is not None, "rules on hands that are not declared are skipped"
    return range(right), range(right, len(piece.voices))


def _spans(piece: Piece, hand: range) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Semitones from the lowest to the highest note of a hand, and how many notes it holds."""
    pitches = piece.surface["semitone"][:, hand.start : hand.stop].astype(np.int64)
    sounds = pitches != REST
    highest = np.where(sounds, pitches, -1).max(axis=1)
    lowest = np.where(sounds, pitches, 1 << 20).min(axis=1)
    return np.where(sounds.any(axis=1), highest - lowest, 0), sounds.sum(axis=1)


@piece_rule("widest")
def texture_hand_span(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """One hand spans more than p semitones."""
    for hand in _hands(piece):
        if len(hand):
            span, _ = _spans(piece, hand)
            for index in episodes(span > p["widest"], piece.surface):
                yield Offence(index, tuple(hand))


@piece_rule("widest", "notes")
def texture_hand_unplayable(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """One hand spans more than it can, or holds more notes than it has fingers."""
    for hand in _hands(piece):
        if len(hand):
            span, count = _spans(piece, hand)
            for index in episodes((span > p["widest"]) | (count > p["notes"]), piece.surface):
                yield Offence(index, tuple(hand))
