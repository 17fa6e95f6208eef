"""n-grams over the notes of piano-rolls: many contexts, counted, mixed exactly.

A frame is spelled from its highest note down, then ended. A note's contexts are of three kinds: the
symbols just before it; the notes of its own frame with the frame before, as voices go on; its place
in the frame with the bass before. Short-term chains count the piece itself, so that what returns is
expected. Training rolls are counted in all transpositions within a few semitones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musegen.models.context_mixing import (
    Chain,
    ContextMixture,
    FloatArray,
    HashArray,
    IntArray,
    Mixing,
    Passage,
    ShortTerm,
    count_contexts,
    fit_exponents,
    mixed_hash,
)
from musegen.models.rolls import (
    END,
    LOWEST,
    SYMBOLS,
    Roll,
    Serial,
    check_rolls,
    check_splits,
    drawn_frames,
    frame_sums,
    serial,
    transposed,
)
from musegen.models.training import Progress

__all__ = ["NGram", "NGramSettings", "PieceMemory", "counted_contexts", "passage_of", "train_ngram"]

HISTORY = 9  # symbols that the serial chain looks back
FRAMES = 3  # frames that the other chains look back
NOTHING = -1  # value of a column where there is no such note
FIRST = 99  # value of `last` at the top of a frame

# Columns: s1..s9 symbols before; last, the one before in the frame; frame, all those; position,
# their number; v1..v3 the note of the same place one to three frames before, over1 and under1 its
# neighbours; prev and prev2, the whole frames before; bass1 and bass2 their lowest notes.
SERIAL: Chain = tuple(f"s{back}" for back in range(1, HISTORY + 1))
LONG: tuple[Chain, ...] = (
    SERIAL,
    ("last", "frame", "v1", "under1", "prev", "v2", "prev2"),
    ("v1", "last", "v2", "over1", "under1", "v3"),
    ("position", "last", "bass1", "frame", "v1", "bass2"),
    ("last", "v1", "over1", "frame", "v2", "prev2"),
    ("bass1", "last", "v1", "prev", "prev2", "frame"),
    ("v1", "v2", "v3", "last", "frame"),
)
SHORT: tuple[Chain, ...] = (
    ("last", "frame", "v1", "prev", "prev2"),
    SERIAL,
    ("v1", "last", "over1", "v2", "v3"),
    ("position", "last", "bass1", "v1", "frame"),
)


@dataclass(frozen=True, slots=True)
class NGramSettings:
    """How the model is made."""

    transpositions: int = 6  # semitones up and down by which training rolls are also counted
    long_escape: float = 3.0  # Witten-Bell escape factor of the training data
    short_escape: float = 1.0  # the same, of the piece so far
    rounds: int = 60  # of fitting the exponents, at most

    @property
    def mixing(self) -> Mixing:
        """The contexts and their smoothing."""
        return Mixing(SYMBOLS, LONG, SHORT, self.long_escape, self.short_escape)


@dataclass(frozen=True, slots=True)
class NGram:
    """The model of frames."""

    settings: NGramSettings
    mixture: ContextMixture
    counted: tuple[Roll, ...]  # the rolls whose counts the mixture holds

    @property
    def name(self) -> str:
        """Name in tables and weights."""
        return "ngram"

    @property
    def exact(self) -> bool:
        """Its log-probabilities are exact."""
        return True

    def frame_log_probs(self, rolls: Sequence[Roll]) -> list[FloatArray]:
        """Natural-log probability of each frame given those before it, (T,) a roll."""
        check_rolls(rolls)
        return [
            frame_sums(serial(roll), self.mixture.log_probs(passage_of(roll))) for roll in rolls
        ]

    def symbol_log_probs(self, rolls: Sequence[Roll]) -> list[FloatArray]:
        """Natural-log distribution of each symbol of `rolls.serial`, (N, SYMBOLS) a roll."""
        check_rolls(rolls)
        return [self.mixture.distributions(passage_of(roll)) for roll in rolls]

    def sample(self, length: int, rng: np.random.Generator) -> Roll:
        """A roll of so many frames, drawn note by note."""
        return Roll("sample", drawn_frames(PieceMemory(self).next, length, rng))


class PieceMemory:
    """What an n-gram has counted of a piece that is being written, symbol by symbol."""

    def __init__(self, model: NGram) -> None:
        """Nothing is written yet."""
        self.model = model
        self._memories = [ShortTerm(chain, model.settings.short_escape) for chain in SHORT]
        self._contexts: list[list[int]] = []

    def next(self, frames: Sequence[tuple[int, ...]], notes: Sequence[int]) -> FloatArray:
        """Natural-log distribution (SYMBOLS,) after frames and the first notes of the next.

        To be asked for each symbol in order: it counts the one that came since.
        """
        came = notes[-1] - LOWEST + 1 if notes else END
        for memory, seen in zip(self._memories, self._contexts, strict=False):
            memory.count(seen, came)
        mixture = self.model.mixture
        place = passage_of(Roll("", (*frames[-HISTORY:], tuple(reversed(notes))))).last
        tables, depths = mixture.long_term(place)
        self._contexts = [[int(each[0]) for each in place.hashes(chain)] for chain in SHORT]
        for memory, seen in zip(self._memories, self._contexts, strict=True):
            table, depth = memory.distribution(mixture.base, seen)
            tables.append(table[None])
            depths.append(np.array([depth]))
        logs = mixture.as_logs(np.stack(tables, axis=1), place)
        found = mixture.mixed(logs, np.stack(depths, axis=1), place.beyond(SYMBOLS))
        first: FloatArray = found[0]
        return first


# --- contexts -------------------------------------------------------------------------------


def passage_of(roll: Roll) -> Passage:
    """A roll as symbols with the columns that contexts are made of."""
    symbols = serial(roll)
    grid = _grid(roll)
    row, column = symbols.frame + FRAMES, symbols.position + 1
    columns = _serial_columns(symbols)
    columns["position"] = symbols.position
    columns["last"] = np.where(symbols.position == 0, FIRST, columns["s1"])
    columns["frame"] = _frame_so_far(symbols)
    for back in range(1, FRAMES + 1):
        columns[f"v{back}"] = grid[row - back, column]
    columns["over1"], columns["under1"] = grid[row - 1, column - 1], grid[row - 1, column + 1]
    whole, lowest = _whole_frames(grid), _lowest(grid)
    columns["prev"], columns["prev2"] = whole[row - 1], whole[row - 2]
    columns["bass1"], columns["bass2"] = lowest[row - 1], lowest[row - 2]
    return Passage(symbols.symbols, symbols.limit, columns)


def _grid(roll: Roll) -> IntArray:
    """Symbols (FRAMES + T, W) of each frame, its END included, with a margin of nothing around."""
    width = max(len(frame) for frame in roll.frames) + 4
    grid = np.full((FRAMES + len(roll.frames), width), NOTHING)
    for place, frame in enumerate(roll.frames, FRAMES):
        word = [pitch - LOWEST + 1 for pitch in reversed(frame)] + [END]
        grid[place, 1 : 1 + len(word)] = word
    return grid


def _serial_columns(of: Serial) -> dict[str, IntArray]:
    padded = np.concatenate([np.full(HISTORY, NOTHING), of.symbols])
    size = len(of.symbols)
    return {
        f"s{back}": padded[HISTORY - back : HISTORY - back + size] for back in range(1, HISTORY + 1)
    }


def _frame_so_far(of: Serial) -> IntArray:
    """Hash of the notes of each symbol's frame before it."""
    hashes: HashArray = np.zeros(len(of.symbols), np.uint64)
    for position in range(1, int(of.position.max()) + 1):
        rows = np.flatnonzero(of.position == position)
        hashes[rows] = mixed_hash(hashes[rows - 1], of.symbols[rows - 1])
    return hashes.view(np.int64)


def _whole_frames(grid: IntArray) -> IntArray:
    """Hash of each row."""
    hashes: HashArray = np.zeros(len(grid), np.uint64)
    for column in grid.T:
        hashes = np.where(column == NOTHING, hashes, mixed_hash(hashes, column))
    return hashes.view(np.int64)


def _lowest(grid: IntArray) -> IntArray:
    """Lowest note of each row, END where it is silent, NOTHING before the first frame."""
    notes = (grid > END).sum(axis=1)
    found: IntArray = grid[np.arange(len(grid)), np.maximum(notes, 1)]
    return found


# --- training -------------------------------------------------------------------------------


def train_ngram(
    train: Sequence[Roll],
    valid: Sequence[Roll],
    settings: NGramSettings,
    *,
    progress: Progress | None = None,
) -> NGram:
    """Count the training rolls and fit the exponents on the validation rolls.

    Nothing is drawn: the same rolls give the same model.

    Raises:
        TrainingError: a split is empty, or a roll is none.
    """
    check_splits(train, valid)
    counted = counted_contexts(train, settings)

    def tell(round_: int, nats: float) -> None:
        if progress is not None:
            progress({"epoch": round_, "epochs": settings.rounds, "nats a symbol": nats})

    held_out = [passage_of(each) for each in valid]
    mixture = fit_exponents(counted, held_out, progress=tell, rounds=settings.rounds)
    return NGram(settings, mixture, tuple(train))


def counted_contexts(rolls: Sequence[Roll], settings: NGramSettings) -> ContextMixture:
    """Rolls counted in all their transpositions; exponents not yet fitted."""
    passages = [passage_of(each) for each in transposed(rolls, settings.transpositions)]
    return count_contexts(settings.mixing, passages)
