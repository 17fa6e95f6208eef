"""Product of an n-gram and an LSTM over the same notes: exact, and better than either.

    p(symbol | past) ~ p_ngram(symbol | past)^a p_lstm(symbol | past)^b

normalised over the symbols that can stand there; the exponents a and b depend on how many notes of
the frame stand above, and are fitted on the validation rolls (Hinton, Training products of experts
by minimizing contrastive divergence, 2002; Klakow 1998, log-linear interpolation). The n-gram knows
long contexts to the letter, the LSTM what they have in common.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from musegen.models.cards import Tensors, check_shapes
from musegen.models.context_mixing import Told, fit_powers, product_of_powers
from musegen.models.ngram import NGram, NGramSettings, PieceMemory, train_ngram
from musegen.models.note_lstm import NoteLSTM, NoteLSTMSettings
from musegen.models.roll_networks import NetworkModel
from musegen.models.roll_tensors import ngram_from, ngram_tensors
from musegen.models.roll_training import TrainedRolls, train_network
from musegen.models.rolls import Frame, Roll, drawn_frames, frame_sums, serial
from musegen.models.training import Progress
from musegen.threads import one_thread

__all__ = ["NoteProduct", "NoteProductSettings", "load_note_product", "train_note_product"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
PLACES = 5  # numbers of notes above that are told apart
START = 0.5  # exponents before they are fitted
LSTM, NGRAM = "lstm.", "ngram."  # before the names of tensors


@dataclass(frozen=True, slots=True)
class NoteProductSettings(NoteLSTMSettings):
    """How the LSTM is made and learns, and how the n-gram counts."""

    transpositions: int = 6  # semitones up and down by which training rolls are also counted
    long_escape: float = 3.0  # Witten-Bell escape factor of the training data
    short_escape: float = 1.0  # the same, of the piece so far
    rounds: int = 60  # of fitting exponents, at most

    @property
    def ngram(self) -> NGramSettings:
        """Those of the n-gram."""
        return NGramSettings(self.transpositions, self.long_escape, self.short_escape, self.rounds)


@dataclass(frozen=True, slots=True)
class NoteProduct:
    """The model of frames."""

    ngram: NGram
    lstm: NetworkModel
    exponents: FloatArray  # (2, PLACES) of the n-gram and of the LSTM

    @property
    def name(self) -> str:
        """Name in tables and weights."""
        return "ngram-lstm"

    @property
    def exact(self) -> bool:
        """Its log-probabilities are exact."""
        return True

    def frame_log_probs(self, rolls: Sequence[Roll]) -> list[FloatArray]:
        """Natural-log probability of each frame given those before it, (T,) a roll."""
        found = []
        for roll, logs in zip(rolls, self.symbol_log_probs(rolls), strict=True):
            spelled = serial(roll)
            found.append(frame_sums(spelled, logs[np.arange(len(logs)), spelled.symbols]))
        return found

    def symbol_log_probs(self, rolls: Sequence[Roll]) -> list[FloatArray]:
        """Natural-log distribution of each symbol, (N, SYMBOLS) a roll; -inf where none can stand."""
        told = _told(self.ngram, self.lstm, rolls)
        return [_mixed(self.exponents, each) for each in told]

    def mixed(self, ngram: FloatArray, lstm: FloatArray, place: IntArray) -> FloatArray:
        """The product of what both say (N, SYMBOLS) at places (N,) of their frames."""
        return _mixed(self.exponents, _side_by_side(ngram, lstm, place))

    def sample(self, length: int, rng: np.random.Generator) -> Roll:
        """A roll of so many frames, drawn note by note."""
        memory, ask_lstm = PieceMemory(self.ngram), self.lstm.asked()

        def ask(frames: Sequence[Frame], notes: Sequence[int]) -> FloatArray:
            said = (memory.next(frames, notes), ask_lstm(frames, notes))
            found: FloatArray = self.mixed(said[0][None], said[1][None], np.array([len(notes)]))[0]
            return found

        return Roll("sample", drawn_frames(ask, length, rng))

    def tensors(self) -> Tensors:
        """Those of both, and the exponents."""
        named = [(NGRAM, ngram_tensors(self.ngram)), (LSTM, self.lstm.tensors())]
        found = {mark + name: array for mark, some in named for name, array in some.items()}
        return found | {"exponents": self.exponents}


def _side_by_side(ngram: FloatArray, lstm: FloatArray, place: IntArray) -> Told:
    """What both say (N, SYMBOLS) at places (N,) of their frames; what came is left open."""
    beyond = np.isneginf(ngram)
    logs = np.stack([np.where(beyond, 0, each) for each in (ngram, lstm)], axis=1)
    cells = np.repeat(np.minimum(place, PLACES - 1)[:, None], 2, axis=1)
    return Told(logs, cells, np.zeros(len(ngram), np.int64), beyond)


def _told(ngram: NGram, lstm: NetworkModel, rolls: Sequence[Roll]) -> list[Told]:
    """What both say of rolls, and what came."""
    said = lstm.symbol_log_probs(rolls)
    assert said is not None  # it is a network over notes
    found = []
    for roll, one, other in zip(rolls, ngram.symbol_log_probs(rolls), said, strict=True):
        spelled = serial(roll)
        told = _side_by_side(one, other, spelled.position)
        found.append(replace(told, symbols=spelled.symbols))
    return found


def _mixed(exponents: FloatArray, told: Told) -> FloatArray:
    return product_of_powers(exponents, told.logs, told.cells, told.beyond)


def train_note_product(
    train: Sequence[Roll],
    valid: Sequence[Roll],
    settings: NoteProductSettings,
    *,
    seed: int,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
) -> TrainedRolls:
    """Train the LSTM, count the n-gram, fit the exponents.

    Args:
        train: rolls to learn.
        valid: rolls that choose the LSTM's epoch, and that all exponents are fitted on.
        settings: of both.
        seed: of the LSTM.
        progress: told of the LSTM's epochs.
        checkpoint: file that the LSTM goes on from.

    Raises:
        TrainingError: see `train_network`.
        WeightsError: the checkpoint is damaged or of another training.
    """
    trained = train_network(
        "lstm",
        NoteLSTM,
        (train, valid),
        settings,
        seed=seed,
        progress=progress,
        checkpoint=checkpoint,
    )
    begin = time.perf_counter()
    lstm = trained.model
    assert isinstance(lstm, NetworkModel)
    with one_thread():
        ngram = train_ngram(train, valid, settings.ngram)
        start = np.full((2, PLACES), START)
        exponents = fit_powers(_told(ngram, lstm, valid), start, rounds=settings.rounds)
    seconds = trained.seconds + time.perf_counter() - begin
    return replace(trained, model=NoteProduct(ngram, lstm, exponents), seconds=seconds)


def load_note_product(settings: NoteProductSettings, tensors: Tensors, path: Path) -> NoteProduct:
    """The model.

    Raises:
        WeightsError: a tensor is missing, unknown, or of another shape, type or alphabet.
    """
    network, parts = (
        NoteLSTM(settings),
        {
            mark: {
                name.removeprefix(mark): array
                for name, array in tensors.items()
                if name.startswith(mark)
            }
            for mark in (NGRAM, LSTM)
        },
    )
    rest = {name: each for name, each in tensors.items() if not name.startswith((NGRAM, LSTM))}
    check_shapes(path, rest, {"exponents": ((2, PLACES), "float64")})
    shapes = network.shapes()
    check_shapes(path, parts[LSTM], {name: (shapes[name], "float32") for name in shapes})
    lstm = NetworkModel("lstm", network, parts[LSTM])
    return NoteProduct(ngram_from(settings.ngram, parts[NGRAM], path), lstm, rest["exponents"])
