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

from musegen.models.beginnings import Beginnings
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
    Frame,
    Roll,
    Serial,
    check_rolls,
    check_splits,
    drawn_frames,
    frame_sums,
    serial,
    transposed,
)
from musegen.models.short_term import short_term_ahead
from musegen.models.training import Progress

__all__ = [
    "NGram",
    "NGramSettings",
    "PieceMemory",
    "counted_contexts",
    "passage_ahead",
    "passage_of",
    "told_ahead",
    "train_ngram",
]

HISTORY = 9  # symbols that the serial chain looks back
FRAMES = 3  # frames that the other chains look back
NOTHING = -1  # value of a column where there is no such note
AT_ONCE = 512  # places that are told of at once, so that memory stays small
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

    def ahead(self, histories: Sequence[tuple[Frame, ...]], beginnings: Beginnings) -> FloatArray:
        """Natural-log distributions (B, M, SYMBOLS) of what follows; see `passage_ahead`."""
        mixture, places = self.mixture, passage_ahead(histories, beginnings)
        own, found_deep = told_ahead(
            places, histories, beginnings, mixture.base, escape=self.settings.short_escape
        )
        found = []
        for first in range(0, len(places.limit), AT_ONCE):
            rows = slice(first, first + AT_ONCE)
            some = places.some(rows)
            tables, depths = mixture.long_term(some)
            beyond = some.beyond(SYMBOLS)
            short = np.exp(own[rows].astype(np.float64))
            logs = mixture.as_logs(np.concatenate([np.stack(tables, 1), short], 1), some)
            cells = np.concatenate([np.stack(depths, 1), found_deep[rows]], 1)
            found.append(mixture.mixed(logs, cells, beyond))
        return np.concatenate(found).reshape(len(histories), -1, SYMBOLS)

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


def passage_ahead(histories: Sequence[tuple[Frame, ...]], beginnings: Beginnings) -> Passage:
    """The places at which the next frame goes on, as `passage_of` has them, B x M rows.

    Rows are in order of history, then beginning. Nothing is known of what comes there: the symbols
    are all END.

    Args:
        histories: the frames of each of B pieces so far.
        beginnings: what the frame may begin with.
    """
    length, (_, symbols, there) = beginnings.lengths, beginnings.steps
    back = np.full((len(length), HISTORY), NOTHING)  # the beginning's symbols, latest first
    for row, each in enumerate(beginnings.words):
        back[row, : min(len(each), HISTORY)] = each[::-1][:HISTORY]
    hashes: HashArray = np.zeros(len(length), np.uint64)
    for come, longer in zip(symbols.T, there.T, strict=True):
        hashes[longer] = mixed_hash(hashes[longer], come[longer])
    grids, before = _recent(histories, int(length.max()))
    columns = {
        f"s{i}": np.where(length >= i, back[:, i - 1], before[:, np.maximum(i - length, 1) - 1])
        for i in range(1, HISTORY + 1)
    }
    columns["position"] = length
    columns["last"] = np.where(length == 0, FIRST, back[:, 0])
    columns["frame"] = hashes.view(np.int64)
    for frames in range(1, FRAMES + 1):
        columns[f"v{frames}"] = grids[:, -frames, length + 1]
    columns["over1"], columns["under1"] = grids[:, -1, length], grids[:, -1, length + 2]
    whole = np.stack([_whole_frames(grid) for grid in grids])
    lowest = np.stack([_lowest(grid) for grid in grids])
    columns["prev"], columns["prev2"] = whole[:, -1:], whole[:, -2:-1]
    columns["bass1"], columns["bass2"] = lowest[:, -1:], lowest[:, -2:-1]
    shape = (len(histories), len(length))
    flat = {name: np.array(np.broadcast_to(each, shape)).ravel() for name, each in columns.items()}
    limit = np.array(np.broadcast_to(np.where(length == 0, SYMBOLS, back[:, 0]), shape)).ravel()
    return Passage(np.full(limit.shape, END), limit, flat)


def told_ahead(
    ahead: Passage,
    histories: Sequence[tuple[Frame, ...]],
    beginnings: Beginnings,
    base: FloatArray,
    *,
    escape: float = 1.0,
) -> tuple[FloatArray, IntArray]:
    """What each piece's own contexts expect at the places of `passage_ahead`.

    Returns:
        Natural logs (B x M, chains, symbols) of the short-term chains, and the depths that they found.
    """
    size, steps, found = len(beginnings.words), beginnings.steps, []
    for number, frames in enumerate(histories):
        here = ahead.some(slice(number * size, (number + 1) * size))
        written = passage_of(Roll("", frames)) if frames else here.some(slice(0))
        found.append(short_term_ahead(written, here, SHORT, (base, escape), steps=steps))
    return np.concatenate([logs for logs, _ in found]), np.concatenate([deep for _, deep in found])


def _recent(histories: Sequence[tuple[Frame, ...]], widest: int) -> tuple[IntArray, IntArray]:
    """Of each piece the last frames as rows of `_grid` (B, FRAMES, W), and its last symbols (B, HISTORY).

    Symbols are latest first.
    """
    recent = [Roll("", (*frames[-HISTORY:], ())) for frames in histories]
    grids = [_grid(roll)[-FRAMES - 1 : -1] for roll in recent]
    width = max(widest + 3, *(grid.shape[1] for grid in grids))
    wide = np.full((len(grids), FRAMES, width), NOTHING)
    before = np.full((len(grids), HISTORY), NOTHING)
    for row, (roll, grid) in enumerate(zip(recent, grids, strict=True)):
        wide[row, :, : grid.shape[1]] = grid
        symbols = serial(roll).symbols[:-1][::-1][:HISTORY]
        before[row, : len(symbols)] = symbols
    return wide, before


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
