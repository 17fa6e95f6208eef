"""Where a model loses: by place in the chord, by beat, by time passed; and whether it is sure rightly.

Models that spell frames note by note say how likely each symbol is after those before it. Then the
loss of a frame is a sum over ranks (the highest note, the second, ..., the end of the frame), and a
probability can be held against how often what it promised came (calibration: DeGroot and Fienberg
1983; expected calibration error: Naeini, Cooper and Hauskrecht 2015).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from musegen.models.rolls import END, FrameModel, Roll, Serial, serial

__all__ = [
    "Calibration",
    "Loss",
    "SymbolModel",
    "calibration",
    "loss_by_beat",
    "loss_by_rank",
    "loss_by_time",
]

FloatArray = NDArray[np.float64]

BINS = 15  # of probability, equally wide
RANKS = ("highest", "second", "third", "fourth", "fifth and on")
TIMES = (1, 2, 4, 8, 16, 32, 64)  # frames, first of each class
TIME_NAMES = ("first frame", "2 to 3", "4 to 7", "8 to 15", "16 to 31", "32 to 63", "64 and on")
LEAST_SAID = 1e-3  # smaller promises are left out: nearly all symbols nearly everywhere, and right


@runtime_checkable
class SymbolModel(FrameModel, Protocol):
    """A model of frames that also tells each symbol of `musegen.models.rolls.serial`."""

    def symbol_log_probs(self, rolls: Sequence[Roll]) -> list[FloatArray] | None:
        """Natural-log distribution over the alphabet at each symbol, (N, SYMBOLS) a roll.

        None if the model does not spell frames: one class may hold models of both kinds.
        """


@dataclass(frozen=True, slots=True)
class Loss:
    """A share of the loss."""

    name: str
    nats: float  # mean of one of them
    count: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """Promised and kept probability in classes of like promises."""

    promised: tuple[float, ...]  # mean probability of a class
    kept: tuple[float, ...]  # how often what was promised came
    counts: tuple[int, ...]
    error: float  # mean distance of the two, weighed by counts


def loss_by_rank(rolls: Sequence[Roll], tables: Sequence[FloatArray]) -> tuple[Loss, ...]:
    """Nats of a note by its rank in the frame from the top, and of the end of a frame."""
    spelled = [serial(roll) for roll in rolls]
    symbols = np.concatenate([each.symbols for each in spelled])
    ranks = np.minimum(np.concatenate([each.position for each in spelled]), len(RANKS) - 1)
    nats = -_of_truth(spelled, tables)
    classes = np.where(symbols == END, len(RANKS), ranks)
    return _means((*RANKS, "end of the frame"), classes, nats)


def _of_truth(spelled: Sequence[Serial], tables: Sequence[FloatArray]) -> FloatArray:
    pairs = zip(spelled, tables, strict=True)
    return np.concatenate([table[np.arange(len(table)), each.symbols] for each, table in pairs])


def loss_by_beat(
    rolls: Sequence[Roll], log_probs: Sequence[FloatArray], beats: Mapping[str, Sequence[int]]
) -> tuple[Loss, ...]:
    """Nats of a frame by its beat in the bar; empty where the data has no bar lines."""
    if not beats:
        return ()
    classes = np.concatenate([np.asarray(beats[roll.name]) for roll in rolls]) - 1
    names = tuple(f"beat {beat + 1}" for beat in range(int(classes.max()) + 1))
    return _means(names, classes, -np.concatenate(list(log_probs)))


def loss_by_time(log_probs: Sequence[FloatArray]) -> tuple[Loss, ...]:
    """Nats of a frame by how many came before it in its piece."""
    places = np.concatenate([np.arange(1, len(each) + 1) for each in log_probs])
    classes = np.searchsorted(TIMES, places, side="right") - 1
    return _means(TIME_NAMES, classes, -np.concatenate(list(log_probs)))


def _means(names: Sequence[str], classes: NDArray[np.int64], nats: FloatArray) -> tuple[Loss, ...]:
    counts = np.bincount(classes, minlength=len(names))
    sums = np.bincount(classes, weights=nats, minlength=len(names))
    return tuple(
        Loss(name, float(total / count), int(count))
        for name, total, count in zip(names, sums, counts, strict=True)
        if count
    )


def calibration(rolls: Sequence[Roll], tables: Sequence[FloatArray]) -> Calibration:
    """Hold the probabilities of all symbols, down to a thousandth, against what came."""
    promised, came = [], []
    for roll, table in zip(rolls, tables, strict=True):
        symbols = serial(roll).symbols
        chances = np.exp(table)
        said = chances >= LEAST_SAID
        truth = np.zeros(table.shape, np.bool_)
        truth[np.arange(len(symbols)), symbols] = True
        promised.append(chances[said])
        came.append(truth[said])
    chances, truths = np.concatenate(promised), np.concatenate(came)
    bins = np.minimum((chances * BINS).astype(np.int64), BINS - 1)
    classes = [some for each in range(BINS) if len(some := np.flatnonzero(bins == each))]
    means = [(float(chances[some].mean()), float(truths[some].mean())) for some in classes]
    sizes = [len(some) for some in classes]
    error = sum(abs(a - b) * size for (a, b), size in zip(means, sizes, strict=True)) / len(chances)
    return Calibration(tuple(a for a, _ in means), tuple(b for _, b in means), tuple(sizes), error)
