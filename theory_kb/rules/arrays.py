"""Whole pieces as arrays: what rules on pieces share, so that each costs a few array operations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import NON_CHORD, NONE, REST, Moments
from theory_kb.rules.piece import Piece

__all__ = [
    "MEMBERS",
    "PairMotion",
    "Skeleton",
    "episodes",
    "next_pitch",
    "pair_motion",
    "relative_degrees",
    "run_lengths",
    "skeleton",
    "surface_pitches",
]

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
MEMBERS = ("root", "third", "fifth", "seventh")
FIFTHS_OF_STEP, SEMITONES_OF_OCTAVE = 7, 12


def episodes(flags: Bools, moments: Moments) -> list[int]:
    """Indices where something begins to hold; a phrase boundary begins it anew."""
    begins = flags.copy()
    begins[1:] &= ~(flags[:-1] & (moments["boundary"][1:] == 0))
    return np.flatnonzero(begins).tolist()


def run_lengths(flags: Bools, moments: Moments) -> Ints:
    """How many moments in a row something has held, each included; a boundary begins anew."""
    lengths = np.zeros(len(flags), np.int64)
    boundary = moments["boundary"]
    for index in np.flatnonzero(flags).tolist():
        goes_on = index > 0 and not boundary[index]
        lengths[index] = 1 + (lengths[index - 1] if goes_on else 0)
    return lengths


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """One row a chord: how often each member sounds."""

    moments: Moments
    closing: Moments  # as each chord is left
    degree: Ints  # (n, voices) fifths above the tonic, NONE where a voice rests
    counts: Ints  # (n, 4) voices on root, third, fifth, seventh
    sounding: Ints  # (n,) voices that sound
    pure: Bools  # (n,) no voice holds a non-chord tone all through
    joined: Bools  # (n,) follows the chord before in its phrase and key


@lru_cache(maxsize=4)
def skeleton(piece: Piece) -> Skeleton:
    """The chords of a piece whose harmony is known."""
    moments, closing = piece.harmonic, piece.closing
    assert moments is not None, "rules on an unknown harmony are skipped"
    assert closing is not None, "a known harmony is described before it is judged"
    voices = len(piece.voices)
    degree = moments["degree"][:, :voices].astype(np.int64)
    places = np.stack([moments[name] for name in MEMBERS], axis=1).astype(np.int64)
    same = degree[:, :, None] == places[:, None, :]
    counts = (same & (places != NONE)[:, None, :]).sum(axis=1)
    joined = np.zeros(len(moments), bool)
    tonics, known = moments["tonic"], moments["root"] != NONE
    joined[1:] = (moments["boundary"][1:] == 0) & (tonics[1:] == tonics[:-1])
    joined[1:] &= known[1:] & known[:-1]
    return Skeleton(
        moments,
        closing,
        degree,
        counts,
        (moments["semitone"][:, :voices] != REST).sum(axis=1),
        (moments["member"][:, :voices] != NON_CHORD).all(axis=1),
        joined,
    )


@dataclass(frozen=True, slots=True, eq=False)
class PairMotion:
    """Two voices of the surface: their interval at each moment, and how both move into it."""

    upper: int
    lower: int
    steps: Ints  # staff steps from the lower-sounding to the higher-sounding note
    fifths: Ints  # the same interval on the line of fifths: 0 octave, 1 fifth, -6 diminished fifth
    sounding: Bools
    motion: Ints  # 1 both rise, -1 both fall, 0 anything else, from the moment before
    perfect: Ints  # perfect class: 8, 5, or 0


@lru_cache(maxsize=4)
def surface_pitches(piece: Piece) -> tuple[Ints, Ints]:
    """Diatonic steps and semitones of the surface, (n, voices) each."""
    voices, surface = len(piece.voices), piece.surface
    return (
        surface["step"][:, :voices].astype(np.int64),
        surface["semitone"][:, :voices].astype(np.int64),
    )


@lru_cache(maxsize=4)
def relative_degrees(piece: Piece) -> Ints:
    """Places of the surface's notes above the local tonic, (n, voices)."""
    degrees: Ints = piece.surface["degree"][:, : len(piece.voices)].astype(np.int64)
    return degrees


@lru_cache(maxsize=4)
def pair_motion(piece: Piece) -> tuple[PairMotion, ...]:
    """Every pair of voices, high to low."""
    steps, pitches = surface_pitches(piece)
    sounds = pitches != REST
    ways = np.zeros_like(pitches)
    ways[1:] = np.sign(pitches[1:] - pitches[:-1])
    ways[1:] *= sounds[1:] & sounds[:-1] & (piece.surface["boundary"][1:] == 0)[:, None]
    return tuple(_pairs(pitches, steps, sounds, ways))


def _pairs(pitches: Ints, steps: Ints, sounds: Bools, ways: Ints) -> Iterator[PairMotion]:
    for upper, lower in combinations(range(pitches.shape[1]), 2):
        semitones = pitches[:, upper] - pitches[:, lower]
        staff = steps[:, upper] - steps[:, lower]
        sign = np.where(semitones < 0, -1, 1)
        fifths = sign * (FIFTHS_OF_STEP * semitones - SEMITONES_OF_OCTAVE * staff)
        together = np.where(ways[:, upper] == ways[:, lower], ways[:, upper], 0)
        both = sounds[:, upper] & sounds[:, lower]
        perfect = 8 * (both & (fifths == 0)) + 5 * (both & (fifths == 1))
        yield PairMotion(upper, lower, sign * staff, fifths, both, together, perfect)


@lru_cache(maxsize=4)
def next_pitch(piece: Piece) -> Ints:
    """Where each voice next has another pitch, (n, voices); -1 for a rest or a phrase end first."""
    surface, voices = piece.surface, len(piece.voices)
    pitches, boundary = surface["semitone"][:, :voices], surface["boundary"] != 0
    count = len(surface)
    places = np.full(pitches.shape, count, np.int64)
    changes = (pitches[1:] != pitches[:-1]) | boundary[1:, None]
    places[:-1] = np.where(changes, np.arange(1, count)[:, None], count)
    ahead = np.minimum.accumulate(places[::-1], axis=0)[::-1]
    at = np.minimum(ahead, count - 1)
    lost = (ahead == count) | boundary[at] | (pitches[at, np.arange(voices)] == REST)
    return np.where(lost, -1, ahead)
