"""What frames that may come begin with: a tree of notes from the top down, shared by models over notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musegen.models.rolls import END, LOWEST, Frame

__all__ = ["Beginnings"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Beginnings:
    """Beginnings of frames, each once: the empty one, then the others by their length."""

    words: tuple[tuple[int, ...], ...]  # (M) symbols of `rolls.serial`, without their ends
    parent: IntArray  # (M,) the beginning that is one symbol shorter; 0 of the empty one
    frame: IntArray  # (N,) the beginning that is the whole of each frame

    @classmethod
    def of(cls, frames: Sequence[Frame]) -> Beginnings:
        """Those of some frames."""
        spelled = [tuple(pitch - LOWEST + 1 for pitch in reversed(frame)) for frame in frames]
        every = {word[:length] for word in spelled for length in range(len(word) + 1)}
        words = tuple(sorted(every, key=lambda word: (len(word), word)))
        place = {word: number for number, word in enumerate(words)}
        parent = np.array([place[word[:-1]] for word in words])
        return cls(words, parent, np.array([place[word] for word in spelled]))

    @property
    def lengths(self) -> IntArray:
        """Symbols of each, (M,)."""
        return np.array([len(word) for word in self.words])

    @property
    def levels(self) -> list[IntArray]:
        """Numbers of the beginnings of each length, from none on."""
        lengths = self.lengths
        return [np.flatnonzero(lengths == length) for length in range(int(lengths.max()) + 1)]

    @property
    def steps(self) -> tuple[IntArray, IntArray, BoolArray]:
        """What came in each, symbol by symbol: after which beginning, and which, (M, P) each.

        The last array says where there is one: beginnings are shorter than P.
        """
        shape = (len(self.words), int(self.lengths.max()))
        after, symbols = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for level in self.levels[1:]:
            parent, place = self.parent[level], len(self.words[level[0]]) - 1
            after[level], symbols[level] = after[parent], symbols[parent]
            after[level, place] = parent
            symbols[level, place] = [self.words[each][-1] for each in level.tolist()]
        return after, symbols, np.arange(shape[1]) < self.lengths[:, None]

    @property
    def ancestry(self) -> BoolArray:
        """Which beginnings (M, M) each one goes on from, itself included."""
        found = np.eye(len(self.words), dtype=np.bool_)
        for level in self.levels[1:]:
            found[level] |= found[self.parent[level]]
        return found

    def log_probs(self, tables: FloatArray) -> FloatArray:
        """Natural-log probabilities (B, N) of the frames.

        Args:
            tables: (B, M, SYMBOLS) natural-log distributions of what follows each beginning.
        """
        so_far = np.zeros(tables.shape[:2])
        for level in self.levels[1:]:
            parent, last = self.parent[level], [self.words[each][-1] for each in level.tolist()]
            so_far[:, level] = so_far[:, parent] + tables[:, parent, last]
        found: FloatArray = so_far[:, self.frame] + tables[:, self.frame, END]
        return found
