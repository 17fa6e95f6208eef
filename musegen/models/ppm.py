"""Prediction by partial match with contexts of any length, over several viewpoints of a melody.

What followed each context is counted, from the empty one to the longest that occurred before
(PPM*: Cleary and Teahan 1997; Bunton 1997). A distribution is built up from the shortest:

    p_d(s) = (n(c_d, s) + e k(c_d) p_{d-1}(s)) / (n(c_d) + e k(c_d)),       p_{-1} uniform

with n the count, k the number of kinds seen after the context: escape method C of Moffat (1990),
interpolated, where e = 1. A larger e trusts long contexts less; melodies are short, so it pays. The
row ends at the longest context, or, as Cleary and Teahan do, at the shortest *deterministic* one, after
which only one kind was seen. The start of a melody is part of a context.

A long-term memory holds the training melodies and goes on learning note by note (LTM+ of Pearce),
a short-term memory holds the melody so far (STM). Each predicts from each viewpoint; predictions
are combined, first viewpoints inside a memory, then the memories, with weights

    w = (H(p) / H_max)^(-b)         H entropy, b the bias (Pearce 2005, sections 6.2.4 and 7.2)

in an arithmetic or a geometric mean (Pearce, Conklin and Wiggins 2004). All is exact: a distribution
over the candidate pitches sums to one.

Contexts are found by matching: for every place of the memory, how far back it agrees with the
present. So a prediction costs time in proportion to the memory, and no tree is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from musegen.errors import TrainingError, UnknownNameError
from musegen.models.context_mixing import HashArray
from musegen.models.viewpoints import (
    IntArray,
    Melody,
    Viewpoint,
    check_melodies,
    check_viewpoints,
    view_table,
)

__all__ = [
    "MIXTURES",
    "Followed",
    "MelodyPPM",
    "Memory",
    "PPMSettings",
    "Smoothing",
    "combined",
    "interpolated",
    "train_ppm",
]

FloatArray = NDArray[np.float64]

START = np.uint64(0)  # stands before the first note of each melody


@dataclass(frozen=True, slots=True)
class Smoothing:
    """How counts of contexts become a distribution."""

    escape: float = 1.0  # e: 1 is escape method C
    deterministic: bool = True  # the shortest deterministic context is the last; else the longest

    def __post_init__(self) -> None:
        """Refuse what gives no distribution."""
        if not 0 < self.escape < np.inf:
            raise TrainingError(f"an escape factor must be above 0 and finite, got {self.escape}")


@dataclass(frozen=True, slots=True)
class PPMSettings:
    """Which viewpoints predict, and how they are put together."""

    viewpoints: tuple[Viewpoint, ...] = (("pitch",),)
    long: Smoothing = Smoothing(escape=6.0, deterministic=False)  # of the long-term memory
    short: Smoothing = Smoothing(escape=3.0)  # of the short-term memory
    mixture: str = "geometric"
    long_bias: float = 2.0  # b between viewpoints of the long-term memory
    short_bias: float = 2.0  # b between viewpoints of the short-term memory
    bias: float = 2.0  # b between the two memories

    def __post_init__(self) -> None:
        """Refuse unknown names."""
        check_viewpoints(self.viewpoints)
        if self.mixture not in MIXTURES:
            raise UnknownNameError("mixture", self.mixture, MIXTURES)


# --- one memory -----------------------------------------------------------------------------


class Memory:
    """Melodies as one viewpoint shows them, and how far back each place agrees with the present."""

    def __init__(self) -> None:
        """An empty memory."""
        self._values: HashArray = np.zeros(64, np.uint64)
        self._matches: IntArray = np.zeros(65, np.int64)  # a place before each value, one after all
        self._size = 0

    def copy(self) -> Memory:
        """Another memory of the same."""
        twin = Memory()
        twin._values, twin._matches = self._values.copy(), self._matches.copy()
        twin._size = self._size
        return twin

    def begin(self) -> None:
        """A new melody begins."""
        self._append(START)
        after_starts = self._values[: self._size] == START
        self._matches[0] = 0
        self._matches[1 : self._size + 1] = after_starts

    def push(self, value: np.uint64) -> None:
        """The melody goes on with a note that shows this value."""
        matches = self._matches[: self._size].copy()
        same = self._values[: self._size] == value
        self._append(value)
        self._matches[1 : self._size] = np.where(same, matches + 1, 0)
        self._matches[self._size] = 0

    def add(self, values: HashArray) -> None:
        """Remember a whole melody; what comes next must be `begin`."""
        for value in (START, *values):
            self._append(value)

    def _append(self, value: np.uint64) -> None:
        if self._size == len(self._values):
            self._matches = np.concatenate([self._matches, np.zeros(self._size, np.int64)])
            self._values = np.concatenate([self._values, np.zeros_like(self._values)])
        self._values[self._size] = value
        self._size += 1

    def counts(self, kinds: HashArray) -> IntArray:
        """How often each kind (K,) followed the present context, by its length, (D, K).

        Args:
            kinds: distinct values, ascending; what else followed is left out.
        """
        values = self._values[: self._size]
        places = np.minimum(np.searchsorted(kinds, values), len(kinds) - 1)
        rows = np.flatnonzero((kinds[places] == values) & (values != START))
        lengths = self._matches[rows]
        deepest = int(lengths.max(initial=-1)) + 1
        cells = lengths * len(kinds) + places[rows]
        exactly = np.bincount(cells, minlength=deepest * len(kinds)).reshape(deepest, len(kinds))
        at_least: IntArray = exactly[::-1].cumsum(axis=0)[::-1]
        return at_least


def interpolated(counts: IntArray, base: FloatArray, smoothing: Smoothing) -> FloatArray:
    """The distribution (K,) of counts (D, K) by length of context, on top of a base (K,)."""
    found, kinds, totals = base, (counts > 0).sum(axis=1), counts.sum(axis=1)
    last = len(counts)
    if smoothing.deterministic and (kinds == 1).any():
        last = int(np.argmax(kinds == 1)) + 1
    for row, mass, total in zip(counts[:last], smoothing.escape * kinds, totals, strict=False):
        found = (row + mass * found) / (total + mass)
    return found


# --- combination ----------------------------------------------------------------------------


def _arithmetic(weights: FloatArray, tables: FloatArray) -> FloatArray:
    mixed: FloatArray = np.einsum("mn,mns->ns", weights, tables)
    return mixed


def _geometric(weights: FloatArray, tables: FloatArray) -> FloatArray:
    logs = np.einsum("mn,mns->ns", weights, np.log(tables))
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    mixed: FloatArray = powers / powers.sum(axis=1, keepdims=True)
    return mixed


MIXTURES: Mapping[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "arithmetic": _arithmetic,
    "geometric": _geometric,
}


def combined(tables: FloatArray, bias: float, mixture: str = "geometric") -> FloatArray:
    """Distributions (M, N, S) of M experts as one (N, S), those of low entropy weighing more.

    Args:
        tables: positive, each row over S sums to one.
        bias: b; 0 weighs all alike.
        mixture: `arithmetic` or `geometric`.
    """
    entropies = -(tables * np.log(tables)).sum(axis=2) / np.log(tables.shape[2])
    logs = -bias * np.log(entropies)
    weights = np.exp(logs - logs.max(axis=0))
    return MIXTURES[mixture](weights / weights.sum(axis=0), tables)


# --- the model ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Followed:
    """What each memory said of a melody from each viewpoint, and the model that has learnt it."""

    long: FloatArray  # (M, N, S) distributions of the long-term memory
    short: FloatArray  # (M, N, S) of the short-term memory
    after: MelodyPPM


@dataclass(frozen=True, slots=True)
class MelodyPPM:
    """A model of melodies over a set of pitches."""

    settings: PPMSettings
    candidates: IntArray  # (S,) MIDI numbers, ascending
    memories: tuple[Memory, ...]  # long-term, one a viewpoint; never changed

    def follow(self, melody: Melody) -> Followed:
        """Predict a melody note by note, learning it on the way.

        Raises:
            TrainingError: a pitch is none of the candidates.
        """
        check_melodies([melody], self.candidates)
        views = [view_table(melody, each, self.candidates) for each in self.settings.viewpoints]
        walk = _Walk(self)
        places = np.searchsorted(self.candidates, melody.pitches)
        said = []
        for note, place in enumerate(places):
            rows = [view[note] for view in views]
            said.append(walk.predict(rows))
            walk.push(rows, int(place))
        tables = np.stack(said, axis=2)  # (2, M, N, S)
        return Followed(tables[0], tables[1], replace(self, memories=tuple(walk.long)))

    def combine(self, long: FloatArray, short: FloatArray) -> FloatArray:
        """One distribution (N, S) of what the memories said, (M, N, S) each."""
        settings = self.settings
        memories = np.stack(
            [
                combined(long, settings.long_bias, settings.mixture),
                combined(short, settings.short_bias, settings.mixture),
            ]
        )
        return combined(memories, settings.bias, settings.mixture)

    def log_probs(self, melodies: Sequence[Melody]) -> list[FloatArray]:
        """Natural-log probability of each note given all before it, (N,) a melody.

        Rhythm and phrases are given. The long-term memory goes on learning from melody to melody;
        this model stays as it is.
        """
        model, found = self, []
        for melody in melodies:
            followed = model.follow(melody)
            table = self.combine(followed.long, followed.short)
            places = np.searchsorted(self.candidates, melody.pitches)
            found.append(np.log(table[np.arange(len(places)), places]))
            model = followed.after
        return found

    def sample(self, rhythm: Melody, rng: np.random.Generator) -> Melody:
        """A melody of this rhythm, key and phrasing, its pitches drawn from the model."""
        walk, pitches = _Walk(self), np.full(len(rhythm.onsets), self.candidates[0])
        for note in range(len(pitches)):
            so_far = replace(rhythm, pitches=pitches).up_to(note + 1)
            rows = [
                view_table(so_far, each, self.candidates)[note] for each in self.settings.viewpoints
            ]
            long, short = walk.predict(rows)
            chances = self.combine(long[:, None], short[:, None])[0]
            place = min(int(np.searchsorted(chances.cumsum(), rng.random())), len(chances) - 1)
            pitches[note] = self.candidates[place]
            walk.push(rows, place)
        return replace(rhythm, pitches=pitches)


class _Walk:
    """A model on its way through one melody."""

    def __init__(self, model: MelodyPPM) -> None:
        self.settings = model.settings
        self.long = [memory.copy() for memory in model.memories]
        self.short = [Memory() for _ in model.memories]
        for memory in (*self.long, *self.short):
            memory.begin()

    def predict(self, rows: Sequence[HashArray]) -> FloatArray:
        """What each memory says from each viewpoint of values (S,), (2, M, S)."""
        return np.array(
            [
                [
                    _predicted(*each, self.settings.long)
                    for each in zip(self.long, rows, strict=True)
                ],
                [
                    _predicted(*each, self.settings.short)
                    for each in zip(self.short, rows, strict=True)
                ],
            ]
        )

    def push(self, rows: Sequence[HashArray], place: int) -> None:
        """The candidate of this number was the note."""
        for memory, row in zip((*self.long, *self.short), (*rows, *rows), strict=True):
            memory.push(row[place])


def _predicted(memory: Memory, values: HashArray, smoothing: Smoothing) -> FloatArray:
    """A distribution over candidates (S,) that show these values; those that look alike share."""
    kinds, owner, shares = np.unique(values, return_inverse=True, return_counts=True)
    found = interpolated(memory.counts(kinds), shares / len(values), smoothing)
    return found[owner] / shares[owner]


def train_ppm(
    melodies: Sequence[Melody], settings: PPMSettings, *, candidates: IntArray
) -> MelodyPPM:
    """Put melodies into the long-term memory.

    Args:
        melodies: to remember.
        settings: of the model.
        candidates: (S,) MIDI numbers of all pitches that can come, ascending.

    Raises:
        TrainingError: there are no melodies, or one has a pitch that cannot come.
    """
    if not melodies:
        raise TrainingError("the training split is empty, at least one melody is needed")
    check_melodies(melodies, candidates)
    memories = []
    for viewpoint in settings.viewpoints:
        memory = Memory()
        for melody in melodies:
            table = view_table(melody, viewpoint, candidates)
            places = np.searchsorted(candidates, melody.pitches)
            memory.add(table[np.arange(len(places)), places])
        memories.append(memory)
    return MelodyPPM(settings, candidates, tuple(memories))
