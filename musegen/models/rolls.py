"""The seam of models of piano-rolls: frames of pitches in, natural-log probabilities out.

A frame is the set of pitches that sound in it, in ascending order; a roll is a sequence of frames.
A model of frames says how likely each frame is given those before it. What is summed and divided,
and whether the first frame counts, is a convention that must be named with every figure:

    A   all frames of all rolls over the number of frames, the first frame scored
        (Boulanger-Lewandowski, Bengio and Vincent 2012, table 1)
    B   the first frame of each roll not scored (Bai, Kolter and Koltun 2018)
    C   mean of each roll's mean (Gan et al. 2015)

Models that are exact write a frame as symbols, one note after another from the top down, then an
end: so the chain rule gives the probability of the whole set, and masks keep the notes descending.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from musegen.errors import TrainingError

__all__ = [
    "CONVENTIONS",
    "END",
    "HIGHEST",
    "LOWEST",
    "SYMBOLS",
    "Ask",
    "Frame",
    "FrameModel",
    "FrameSampler",
    "Roll",
    "Serial",
    "as_matrix",
    "check_rolls",
    "check_splits",
    "drawn_frames",
    "frame_sums",
    "frames_of",
    "negative_log_likelihood",
    "serial",
    "transposed",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

LOWEST, HIGHEST = 21, 108  # MIDI numbers of the keyboard's ends
KEYS = HIGHEST - LOWEST + 1
END = 0  # symbol that ends a frame; pitch p is symbol p - LOWEST + 1
SYMBOLS = KEYS + 1

Frame = tuple[int, ...]  # MIDI numbers, ascending
Ask = Callable[[Sequence[Frame], Sequence[int]], FloatArray]


@dataclass(frozen=True, slots=True)
class Roll:
    """One piece as frames."""

    name: str
    frames: tuple[Frame, ...]

    def transposed(self, semitones: int) -> Roll:
        """The same piece, so many semitones higher.

        Raises:
            TrainingError: a note would leave the keyboard.
        """
        moved = tuple(tuple(pitch + semitones for pitch in frame) for frame in self.frames)
        found = Roll(self.name, moved)
        check_rolls([found])
        return found

    @property
    def compass(self) -> tuple[int, int]:
        """The lowest and the highest pitch; the middle of the keyboard twice if it is silent."""
        pitches = [pitch for frame in self.frames for pitch in frame]
        return (min(pitches), max(pitches)) if pitches else (60, 60)


class FrameModel(Protocol):
    """A model of piano-rolls."""

    @property
    def name(self) -> str:
        """Name in tables and weights, such as `ngram`."""

    @property
    def exact(self) -> bool:
        """Whether its log-probabilities are exact; else they are a bound or an estimate."""

    def frame_log_probs(self, rolls: Sequence[Roll]) -> list[FloatArray]:
        """Natural-log probability of each frame given those before it, (T,) a roll."""


class FrameSampler(FrameModel, Protocol):
    """A model that also draws rolls."""

    def sample(self, length: int, rng: np.random.Generator) -> Roll:
        """A roll of so many frames, drawn from the model."""


def check_rolls(rolls: Sequence[Roll]) -> None:
    """See that every frame is a set of pitches of the keyboard, in ascending order.

    Raises:
        TrainingError: names the roll, the frame and what came.
    """
    for roll in rolls:
        if not roll.frames:
            raise TrainingError(f"roll {roll.name!r} has no frames, at least one is needed")
        for place, frame in enumerate(roll.frames):
            if any(after <= before for before, after in pairwise(frame)):
                raise TrainingError(f"roll {roll.name!r}, frame {place}: {frame} does not ascend")
            if frame and not (frame[0] >= LOWEST and frame[-1] <= HIGHEST):
                raise TrainingError(
                    f"roll {roll.name!r}, frame {place}: {frame} leaves the keyboard, "
                    f"pitches from {LOWEST} to {HIGHEST} are allowed"
                )


def check_splits(train: Sequence[Roll], valid: Sequence[Roll]) -> None:
    """See that there is something to learn and to choose by.

    Raises:
        TrainingError: a split is empty, or a roll is none.
    """
    for name, rolls in (("training", train), ("validation", valid)):
        if not rolls:
            raise TrainingError(f"the {name} split is empty, at least one roll is needed")
        check_rolls(rolls)


def transposed(rolls: Sequence[Roll], reach: int) -> list[Roll]:
    """Each roll in every transposition within so many semitones that stays on the keyboard."""
    return [
        roll.transposed(shift)
        for roll in rolls
        for shift in range(-reach, reach + 1)
        if roll.compass[0] + shift >= LOWEST and roll.compass[1] + shift <= HIGHEST
    ]


def as_matrix(roll: Roll) -> BoolArray:
    """The roll as a matrix (T, 88), True where a key sounds."""
    matrix = np.zeros((len(roll.frames), KEYS), np.bool_)
    for place, frame in enumerate(roll.frames):
        matrix[place, [pitch - LOWEST for pitch in frame]] = True
    return matrix


# --- frames as symbols ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Serial:
    """A roll as symbols: the notes of each frame from the top down, then END."""

    symbols: IntArray  # (N,)
    frame: IntArray  # (N,) the frame that each symbol belongs to
    position: IntArray  # (N,) symbols of that frame before it
    limit: IntArray  # (N,) symbols from here on cannot stand here: notes descend


def serial(roll: Roll) -> Serial:
    """A roll as symbols."""
    words = [[pitch - LOWEST + 1 for pitch in reversed(frame)] + [END] for frame in roll.frames]
    lengths = np.array([len(word) for word in words])
    symbols = np.concatenate([np.array(word, np.int64) for word in words])
    starts = np.cumsum(lengths) - lengths
    position = np.arange(len(symbols)) - np.repeat(starts, lengths)
    before = np.concatenate([[END], symbols[:-1]])
    limit = np.where(position == 0, SYMBOLS, before)
    return Serial(symbols, np.repeat(np.arange(len(words)), lengths), position, limit)


def frames_of(symbols: Sequence[int]) -> tuple[Frame, ...]:
    """The frames that symbols spell; what follows the last END is left out."""
    frames: list[Frame] = []
    notes: list[int] = []
    for symbol in symbols:
        if symbol == END:
            frames.append(tuple(reversed(notes)))
            notes = []
        else:
            notes.append(int(symbol) + LOWEST - 1)
    return tuple(frames)


def drawn_frames(ask: Ask, length: int, rng: np.random.Generator) -> tuple[Frame, ...]:
    """So many frames, drawn symbol by symbol.

    Args:
        ask: gives natural-log probabilities (SYMBOLS,) of what follows some frames and the first
            notes of the next, from the top down; asked once for each symbol, in order.
        length: frames.
        rng: draws.
    """
    frames: list[Frame] = []
    notes: list[int] = []
    while len(frames) < length:
        chances = np.exp(ask(frames, notes))
        symbol = int(rng.choice(SYMBOLS, p=chances / chances.sum()))
        if symbol != END:
            notes.append(symbol + LOWEST - 1)
            continue
        frames.append(tuple(reversed(notes)))
        notes = []
    return tuple(frames)


def frame_sums(of: Serial, log_probs: FloatArray) -> FloatArray:
    """Log-probabilities of symbols (N,) added up by frame, (T,)."""
    sums: FloatArray = np.bincount(of.frame, weights=log_probs).astype(np.float64)
    return sums


# --- figures --------------------------------------------------------------------------------


def _all_frames(values: Sequence[FloatArray]) -> float:
    return float(-np.concatenate(list(values)).mean())


def _without_first(values: Sequence[FloatArray]) -> float:
    return float(-np.concatenate([each[1:] for each in values]).mean())


def _mean_of_means(values: Sequence[FloatArray]) -> float:
    return float(-np.mean([each.mean() for each in values]))


CONVENTIONS: Mapping[str, Callable[[Sequence[FloatArray]], float]] = {
    "A": _all_frames,
    "B": _without_first,
    "C": _mean_of_means,
}


def negative_log_likelihood(log_probs: Sequence[FloatArray], *, convention: str = "A") -> float:
    """Nats per frame of the log-probabilities (T,) of some rolls, in a convention."""
    return CONVENTIONS[convention](log_probs)
