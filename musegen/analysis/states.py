"""The readings that the analysis weighs: every chord of every key that comes into question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from musegen.analysis.surface import REACH, WIDTH
from theory_kb.chords import Chord, every_chord, vocabulary
from theory_kb.pitch import Key, PitchClass

__all__ = ["Space", "distance", "keys_around", "space"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MAX_SHARPS = 10  # of a key signature, flats too; beyond, nobody writes


def distance(one: Key, other: Key) -> int:
    """Fifths between the signatures."""
    return abs(one.signature - other.signature)


def keys_around(home: Key, reach: int) -> tuple[Key, ...]:
    """Home first, then every key of both modes whose signature is at most `reach` fifths away."""
    found = [
        Key(PitchClass(sharps + shift), mode)
        for mode, shift in (("major", 0), ("minor", 3))
        for sharps in range(home.signature - reach, home.signature + reach + 1)
        if abs(sharps) <= MAX_SHARPS
    ]
    return (home, *sorted((key for key in found if key != home), key=lambda key: _order(home, key)))


def _order(home: Key, key: Key) -> tuple[int, int, str]:
    return distance(home, key), key.tonic.fifths, key.mode


@dataclass(frozen=True, slots=True)
class Space:
    """S states over K keys and C chords of both modes; G kinds of sound."""

    home: Key
    keys: tuple[Key, ...]
    chords: tuple[Chord, ...]
    key: IntArray  # (S,) place in keys
    chord: IntArray  # (S,) place in chords
    first: IntArray  # (K + 1,) first state of each key
    group: IntArray  # (S,) states that sound the same share a group
    members: FloatArray  # (G, WIDTH) 1 where the sound has the tone
    roles: IntArray  # (G, 4) columns of root, third, fifth, seventh; -1 if none
    lowest: IntArray  # (G,) column of the bass
    altered: NDArray[np.bool_]  # (G,) whether the fifth is not perfect
    degree: IntArray  # (K, WIDTH) place above the tonic of each column
    alike: tuple[
        IntArray, IntArray
    ]  # states of the sound of state 0, of state 1, ...; where each begins
    rows: Mapping[str, IntArray]  # of each mode: (keys, chords) its states

    @property
    def size(self) -> int:
        """Number of states."""
        return len(self.key)

    def index(self, key: Key, chord: Chord) -> int | None:
        """The state of a chord in a key, None if it is none."""
        if key not in self.keys or chord not in self.chords:
            return None
        place = self.keys.index(key)
        here = np.arange(self.first[place], self.first[place + 1])
        found = here[self.chord[here] == self.chords.index(chord)]
        return int(found[0]) if len(found) else None


@lru_cache(maxsize=64)
def space(home: Key, keys: tuple[Key, ...], *, composed: bool = False) -> Space:
    """The states of some keys.

    Args:
        home: key of the piece.
        keys: that come into question.
        composed: only with the chords that are composed with, not all that are read.
    """
    chords = vocabulary() if composed else every_chord()
    origin = home.tonic.fifths - REACH
    places = {
        key.mode: [c for c, each in enumerate(chords) if each.mode == key.mode] for key in keys
    }
    sounds: dict[Sound, int] = {}
    group = np.array(
        [
            sounds.setdefault(sound, len(sounds))
            for key in keys
            for sound in _sounds(key, composed=composed)
        ]
    )
    members = np.zeros((len(sounds), WIDTH))
    roles = np.full((len(sounds), 4), -1)
    lowest = np.zeros(len(sounds), np.int64)
    altered = np.zeros(len(sounds), bool)
    for (tones, inversion, _), place in sounds.items():
        columns = [tone - origin for tone in tones]
        members[place, columns] = 1
        roles[place, : len(columns)] = columns
        lowest[place] = columns[inversion]
        altered[place] = columns[2] - columns[0] != 1
    key = np.repeat(np.arange(len(keys)), [len(places[each.mode]) for each in keys])
    degree = np.array([np.arange(WIDTH) + origin - each.tonic.fifths for each in keys])
    first = np.searchsorted(key, np.arange(len(keys) + 1))
    return Space(
        home,
        keys,
        chords,
        key,
        np.concatenate([places[each.mode] for each in keys]),
        first,
        group,
        members,
        roles,
        lowest,
        altered,
        degree,
        _alike(group),
        _rows(keys, first),
    )


Sound = tuple[tuple[int, ...], int, bool]  # line of fifths of the tones, inversion, cadential


@cache
def _sounds(key: Key, *, composed: bool) -> tuple[Sound, ...]:
    """The sounds of the chords of a key, in their order."""
    shift = key.tonic.fifths
    return tuple(
        (tuple(shift + member for member in each.members), each.inversion, each.cadential)
        for each in (vocabulary() if composed else every_chord())
        if each.mode == key.mode
    )


def _alike(group: IntArray) -> tuple[IntArray, IntArray]:
    """For each state in turn the states of its group, one list after another, and their starts."""
    order = np.argsort(group, kind="stable")
    counts = np.bincount(group)
    sizes = counts[group]
    starts = np.cumsum(sizes) - sizes
    within = np.arange(sizes.sum()) - np.repeat(starts, sizes)
    opened = (np.cumsum(counts) - counts)[group]
    return order[np.repeat(opened, sizes) + within], starts


def _rows(keys: Sequence[Key], first: IntArray) -> dict[str, IntArray]:
    """The states of the keys of each mode, a row a key; modes without a key are left out."""
    spans = [np.arange(a, b) for a, b in pairwise(first)]
    return {
        mode: np.array([span for key, span in zip(keys, spans, strict=True) if key.mode == mode])
        for mode in sorted({key.mode for key in keys})
    }
