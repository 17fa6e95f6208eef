"""The chords of a piece one after another, as arrays: what the rules on harmony share.

A succession is made once a piece. Its arrays have one entry a chord, (n,); what is said of a pair
of chords stands at the second of them, so that the first entry says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import REST, UNKNOWN, Moments
from theory_kb.rules.piece import Offence, Piece

__all__ = [
    "AVOIDED",
    "CONDITIONAL",
    "Sequence",
    "Succession",
    "all_voices",
    "bass",
    "chord_set",
    "numerals",
    "offences",
    "succession",
]

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

FIELDS = (
    "chord",
    "tonic",
    "mode",
    "root",
    "third",
    "fifth",
    "seventh",
    "inversion",
    "function",
    "leading",
    "target",
    "cadential",
    "boundary",
    "strength",
    "onset",
    "bar",
    "position",
)
AVOIDED, CONDITIONAL = 0, 1  # grades
LONGEST_UNIT = 4  # chords of a sequence's model
SHORT = 0.5  # of the normal harmonic rhythm: a chord no longer than this has no weight of its own


def chord_set(test: Callable[..., bool]) -> Bools:
    """Which chords pass a test, by index; the last entry is for what is not known."""
    from theory_kb.chords import every_chord

    return np.array([*(bool(test(each)) for each in every_chord()), False])


@cache
def numerals(*names: str, inversion: int | None = None) -> Bools:
    """Which chords have one of some numerals, by index; in one inversion or in any."""
    return chord_set(
        lambda each: each.numeral in names and (inversion is None or each.inversion == inversion)
    )


@cache
def _grade(before: int, after: int) -> int:
    from theory_kb.chords import every_chord
    from theory_kb.query import GRADES, may_follow

    return GRADES[may_follow(every_chord()[before], every_chord()[after]).grade]


@dataclass(frozen=True, slots=True)
class Sequence:
    """A model and its copies: chords `start` to `stop`, `unit` chords each."""

    start: int
    stop: int  # first chord that no longer belongs
    unit: int
    shift: int  # staff steps from a statement to the next, 0 to 6

    @property
    def statements(self) -> int:
        """Whole statements, the model included."""
        return (self.stop - self.start) // self.unit


@dataclass(frozen=True, eq=False)
class Succession:
    """The chords of a piece; `moments` is its harmonic level, (n,)."""

    moments: Moments
    columns: Mapping[str, Ints]  # fields of the moments, (n,) each
    end: int  # ticks: where the last chord ends

    def __getitem__(self, name: str) -> Ints:
        return self.columns[name]

    def before(self, name: str) -> Ints:
        """A field of the chord before; the first chord is told itself."""
        return self.earlier(self.columns[name])

    def earlier(self, values: Ints) -> Ints:
        """Values of chords, (n,), each moved to the chord after; the first stays its own."""
        moved = np.empty_like(values)
        moved[:1] = values[:1]
        moved[1:] = values[:-1]
        return moved

    @cached_property
    def known(self) -> Bools:
        """Whether the chord is known."""
        return self["chord"] != UNKNOWN

    @cached_property
    def joined(self) -> Bools:
        """Whether a chord follows another inside one phrase."""
        joined: Bools = self["boundary"] == 0
        joined[:1] = False
        return joined

    @cached_property
    def one_key(self) -> Bools:
        """Whether a chord and the one before are known and of one key."""
        known = self.known & (self.before("chord") != UNKNOWN)
        same: Bools = known & (self["tonic"] == self.before("tonic"))
        return same & (self["mode"] == self.before("mode"))

    @cached_property
    def step(self) -> Bools:
        """Whether one chord goes to another inside a phrase and key."""
        return self.joined & self.one_key & (self["chord"] != self.before("chord"))

    @cached_property
    def grade(self) -> Ints:
        """Grade of each step inside a phrase and key, 0 avoided to 3 normative; -1 elsewhere."""
        found = np.full(len(self.moments), -1, np.int64)
        steps = np.flatnonzero(self.step)
        pairs = zip(self["chord"][steps - 1].tolist(), self["chord"][steps].tolist(), strict=True)
        found[steps] = [_grade(before, now) for before, now in pairs]
        return found

    @cached_property
    def root_letter(self) -> Ints:
        """Letter of each root, 0 to 6."""
        return (self["root"] + self["tonic"]) * 4 % 7

    @cached_property
    def absolute_root(self) -> Ints:
        """Place of each root on the line of fifths, whatever the key."""
        return self["root"] + self["tonic"]

    @cached_property
    def bass_step(self) -> Ints:
        """Staff step of the lowest sounding voice."""
        return _column(self.moments, "step", self._lowest)

    @cached_property
    def _lowest(self) -> Ints:
        count = int(self.moments["voices"].max(initial=1))
        sounding = self.moments["semitone"][:, :count] != REST
        return count - 1 - np.argmax(sounding[:, ::-1], axis=1)

    @cached_property
    def duration(self) -> Ints:
        """Ticks of each chord."""
        return np.diff(np.append(self["onset"], self.end))

    @cached_property
    def normal(self) -> float:
        """The normal harmonic rhythm: median ticks of a chord."""
        return float(np.median(self.duration)) if len(self.duration) else 0.0

    @cached_property
    def passing(self) -> Bools:
        """Whether a chord has no harmonic weight: short, and its bass passes by step."""
        way = np.zeros(len(self.moments) + 1, np.int64)
        way[1:-1] = np.diff(self.bass_step)
        through = (np.abs(way[:-1]) == 1) & (np.abs(way[1:]) == 1)
        inside = self.joined & np.append(self.joined[1:], False)
        return through & inside & (self.duration <= SHORT * self.normal)

    @cached_property
    def weightless(self) -> Bools:
        """Whether a step goes to or from a passing chord."""
        return self.passing | np.append(False, self.passing[:-1])

    @cached_property
    def sequences(self) -> tuple[Sequence, ...]:
        """The harmonic sequences, shortest units first; each is as long as it goes."""
        found = [each for unit in range(1, LONGEST_UNIT + 1) for each in self._sequences(unit)]
        kept: list[Sequence] = []
        for each in found:
            if not any(one.start <= each.start and each.stop <= one.stop for one in kept):
                kept.append(each)
        return tuple(kept)

    def _sequences(self, unit: int) -> list[Sequence]:
        """Stretches where chords, bass and another voice come again, each so many chords later."""
        least = max(unit, 2)  # a unit of one chord needs two copies
        if len(self.moments) < unit + least:
            return []
        shift, alike = self._copied(unit)
        places = np.flatnonzero(alike).tolist()
        breaks = [
            index
            for index, (one, two) in enumerate(pairwise(places), 1)
            if two != one + 1 or shift[two] != shift[one]
        ]
        runs = pairwise([0, *breaks, len(places)])
        return [
            Sequence(places[first], places[last - 1] + 1 + unit, unit, int(shift[places[first]]))
            for first, last in runs
            if last - first >= least
        ]

    def _copied(self, unit: int) -> tuple[Ints, Bools]:
        """Shift of each chord against that a unit later, and whether it is copied there."""
        shift = (self.root_letter[unit:] - self.root_letter[:-unit]) % 7
        alike = self["inversion"][unit:] == self["inversion"][:-unit]
        alike &= self.known[unit:] & self.known[:-unit]
        alike &= (self.bass_step[unit:] - self.bass_step[:-unit]) % 7 == shift
        alike &= self.phrase[unit:] == self.phrase[:-unit]
        alike &= shift != 0
        places, apart = np.flatnonzero(alike), max(unit, 2) - 1
        if not (places[apart:] - places[: max(0, len(places) - apart)] == apart).any():
            return shift, np.zeros_like(alike)  # spares looking at the upper voices
        return shift, alike & (self.copies(unit) == shift[:, None]).any(axis=1)

    def copies(self, unit: int) -> Ints:
        """Staff steps, 0 to 6, from each upper voice to itself a unit later; -1 in a rest."""
        upper = max(1, int(self.moments["voices"].max(initial=1)) - 1)
        steps = self.moments["step"][:, :upper].astype(np.int64)
        sounding = self.moments["semitone"][:, :upper] != REST
        both = sounding[unit:] & sounding[:-unit]
        return np.where(both, (steps[unit:] - steps[:-unit]) % 7, -1)

    @cached_property
    def in_sequence(self) -> Bools:
        """Whether a chord and the one before belong to one sequence."""
        inside = np.zeros(len(self.moments), bool)
        for each in self.sequences:
            inside[each.start + 1 : each.stop] = True
        return inside

    @cached_property
    def phrase(self) -> Ints:
        """Number of each chord's phrase, from 1."""
        return np.cumsum(~self.joined)

    @cached_property
    def phrases(self) -> tuple[tuple[int, int], ...]:
        """First and last-plus-one chord of each phrase."""
        starts = np.flatnonzero(~self.joined).tolist()
        return tuple(pairwise([*starts, len(self.moments)]))

    @cached_property
    def lasts(self) -> Bools:
        """Whether a chord is the last of its phrase."""
        return np.append(~self.joined[1:], True)[: len(self.moments)]


def _column(moments: Moments, name: str, voices: Ints) -> Ints:
    """A field of one voice, another at each moment."""
    rows = np.arange(len(moments))
    found: Ints = moments[name][rows, voices].astype(np.int64)
    return found


@lru_cache(maxsize=2)
def succession(piece: Piece) -> Succession:
    """The succession of a piece whose harmony is known; the last ones made are kept."""
    moments = piece.harmonic
    assert moments is not None, "rules on an unknown harmony are skipped"
    columns = {name: moments[name].astype(np.int64) for name in FIELDS}
    last = int(moments["onset"][-1]) if len(moments) else 0
    end = piece.context.end
    return Succession(moments, columns, last + piece.beat_ticks if end is None else end)


def bass(piece: Piece) -> tuple[int, ...]:
    """The lowest-named voice, for an offence of chords."""
    return (len(piece.voices) - 1,)


def all_voices(piece: Piece) -> tuple[int, ...]:
    """Every voice, for an offence of a whole phrase."""
    return tuple(range(len(piece.voices)))


def offences(piece: Piece, where: Bools) -> list[Offence]:
    """An offence of the bass at each chord that a mask names."""
    if not where.any():
        return []
    return [Offence(int(index), bass(piece)) for index in np.flatnonzero(where)]
