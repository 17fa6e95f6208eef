"""The spans of chords: what of the surface a skeleton of one moment a chord would not tell.

A rule on two chords compares how the first is left with how the second is entered. The skeleton
holds each voice's first chord tone of a span; `described` adds its last one, and writes into the
skeleton how each voice comes and goes, which members sound at all, and the roots on either side.
The search knows none of this beforehand: there the fields hold what `blank_moments` puts in them,
and a rule that could be excused by them is not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import NONE, REST, UNSTEPPED, Moments
from theory_kb.rules.context import Context
from theory_kb.rules.piece import Piece, write_declared, write_silences

__all__ = ["described"]

Ints = NDArray[np.int64]
NEVER = 1 << 40


def described(piece: Piece) -> Piece:
    """The piece with what is declared, and what its chords' spans tell, in its moments."""
    if piece.closing is not None or not len(piece.surface):
        return piece
    surface, harmonic = piece.surface, piece.harmonic
    declares = _declares(piece.context)
    if declares:
        surface = _declared(surface, piece)
        write_silences(surface, piece.context)
    if harmonic is None or not len(harmonic):
        return replace(piece, surface=surface)
    harmonic = _declared(harmonic, piece) if declares else harmonic.copy()
    closing = harmonic.copy()
    _write_spans(piece, surface, harmonic, closing)
    _write_neighbours(harmonic, closing)
    return replace(piece, surface=surface, harmonic=harmonic, closing=closing)


def _declares(context: Context) -> bool:
    """Whether anything is declared that moments hold."""
    said = (context.species, context.doublings, context.silences, context.devices, context.hands)
    numbers = (context.cantus, context.invertible, context.final)
    return any(said) or any(each is not None for each in numbers)


def _declared(moments: Moments, piece: Piece) -> Moments:
    copied = moments.copy()
    write_declared(copied, piece.context)
    return copied


def _write_spans(piece: Piece, surface: Moments, harmonic: Moments, closing: Moments) -> None:
    """What sounds between the start of a chord and that of the next."""
    starts = np.searchsorted(surface["onset"], harmonic["onset"])
    stops = np.append(starts[1:], len(surface))
    rows = np.flatnonzero(stops > starts)
    if not len(rows):
        return
    cuts, voices = starts[rows], np.arange(len(piece.voices))
    members = surface["member"][:, : len(voices)]
    tones = np.arange(len(surface))[:, None]
    last = np.maximum.reduceat(np.where(members >= 0, tones, -1), cuts, axis=0)
    _copy_notes(surface, closing, rows, last)
    bits = np.where(members >= 0, 1 << np.maximum(members, 0), 0)
    heard = np.bitwise_or.reduceat(np.bitwise_or.reduce(bits, axis=1), cuts)
    moved = np.zeros(len(surface), bool)
    pitches = surface["semitone"][:, : len(voices)].astype(np.int64)
    moved[1:] = (pitches[1:] != pitches[:-1]).any(axis=1)
    moved[cuts] = False
    florid = np.logical_or.reduceat(moved, cuts)
    brief = _brief(piece, surface, cuts, members, pitches)
    for moments in (harmonic, closing):
        moments["heard"][rows] = heard
        moments["florid"][rows] = florid
        moments["brief"][rows, : len(voices)] = brief


def _copy_notes(surface: Moments, closing: Moments, rows: Ints, last: Ints) -> None:
    """Put the last chord tone of each voice where it has one in place of the first."""
    place, voice = np.nonzero(last >= 0)
    chosen = last[place, voice]
    for name in ("step", "semitone", "degree", "member"):
        closing[name][rows[place], voice] = surface[name][chosen, voice]


def _brief(
    piece: Piece, surface: Moments, cuts: Ints, members: NDArray[Any], pitches: Ints
) -> NDArray[np.bool_]:
    """Which voices leave their first chord tone for another within a beat."""
    places = np.arange(len(surface))[:, None]
    first = np.minimum.reduceat(np.where(members >= 0, places, NEVER), cuts, axis=0)
    sounds = first < NEVER
    at = np.where(sounds, first, 0)
    sizes = np.diff(np.append(cuts, len(surface)))
    columns = np.arange(members.shape[1])
    tone = np.repeat(pitches[at, columns], sizes, axis=0)
    kind = np.repeat(members[at, columns], sizes, axis=0)
    inside = slice(int(cuts[0]), None)
    left = (pitches[inside] != tone) & (members[inside] >= 0) & (members[inside] != kind)
    onsets = surface["onset"].astype(np.int64)
    times = np.where(left, onsets[inside, None], NEVER)
    next_tone = np.minimum.reduceat(times, cuts - cuts[0], axis=0)
    soon: NDArray[np.bool_] = sounds & (next_tone - onsets[at] < piece.beat_ticks)
    return soon


def _write_neighbours(harmonic: Moments, closing: Moments) -> None:
    """How voices and roots come from the chord before and go on to the next."""
    inside = harmonic["boundary"][1:] == 0
    sounds = (harmonic["semitone"][1:] != REST) & (closing["semitone"][:-1] != REST)
    steps = np.clip(harmonic["step"][1:] - closing["step"][:-1], -60, 60)
    steps = np.where(sounds & inside[:, None], steps, UNSTEPPED)
    tonics, roots = harmonic["tonic"].astype(np.int64), harmonic["root"].astype(np.int64)
    known = (roots != NONE) & (tonics != NONE)
    joined = inside & known[1:] & known[:-1]
    shift = tonics[1:] - tonics[:-1]
    for moments in (harmonic, closing):
        moments["entry"][1:], moments["exit"][:-1] = steps, steps
        moments["came_from"][1:] = np.where(joined, roots[:-1] - shift, NONE)
        moments["goes_to"][:-1] = np.where(joined, roots[1:] + shift, NONE)
