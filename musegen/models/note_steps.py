"""Models over notes asked frame by frame, for several hypotheses and many frames at once.

The frames that may come make a tree of beginnings, from the top down: frames that begin with the same notes
share what is said of them. A model tells the distribution of what follows each beginning, after each
hypothesis; a frame's probability is the product along its branch, its end included. What a model remembers
of each hypothesis is its frames, and of a recurrent one its states before the next frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from musegen.models.beginnings import Beginnings
from musegen.models.ngram import NGram
from musegen.models.note_inputs import encoded_ahead
from musegen.models.note_lstm import NoteLSTM
from musegen.models.note_transformer import NoteTransformer
from musegen.models.roll_networks import Encoded, NetworkModel, side_by_side
from musegen.models.roll_product import NoteProduct
from musegen.models.rolls import SYMBOLS, Frame, Roll
from musegen.models.torch_steps import deterministic

if TYPE_CHECKING:
    import torch

__all__ = ["NoteSteps", "Teller", "teller_of"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Histories = tuple[tuple[Frame, ...], ...]  # frames of each of B hypotheses
ROWS_AT_ONCE = 4096  # places that a network is asked about at once


class Teller(Protocol):
    """A model over notes that keeps what it needs of each hypothesis."""

    def start(self) -> Any:
        """What it knows of one hypothesis (B = 1) before the first frame."""

    def tables(self, known: Any, histories: Histories, beginnings: Beginnings) -> FloatArray:
        """Natural-log distributions (B, M, SYMBOLS) of what follows each beginning."""

    def advance(
        self, known: Any, histories: Histories, parents: IntArray, frames: Sequence[Frame]
    ) -> Any:
        """What it knows of new hypotheses: old ones (B',) and the frame that came to each."""


@dataclass(frozen=True, slots=True)
class NoteSteps:
    """A model over notes as `roll_proposals.FrameSteps`; state: frames, and what the model knows."""

    teller: Teller

    def start(self) -> tuple[Histories, Any]:
        """Nothing has come."""
        return ((),), self.teller.start()

    def log_scores(self, state: tuple[Histories, Any], frames: Sequence[Frame]) -> FloatArray:
        """Natural-log probabilities (B, N)."""
        histories, known = state
        beginnings = Beginnings.of(frames)
        return beginnings.log_probs(self.teller.tables(known, histories, beginnings))

    def advance(
        self, state: tuple[Histories, Any], parents: IntArray, frames: Sequence[Frame]
    ) -> tuple[Histories, Any]:
        """After the frames that came."""
        histories, known = state
        after = tuple(
            (*histories[parent], frame)
            for parent, frame in zip(parents.tolist(), frames, strict=True)
        )
        return after, self.teller.advance(known, histories, parents, frames)


# --- the models -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _NGramTeller:
    model: NGram

    def start(self) -> None:
        """The frames say it all."""

    def tables(self, known: None, histories: Histories, beginnings: Beginnings) -> FloatArray:
        del known
        return self.model.ahead(histories, beginnings)

    def advance(
        self, known: None, histories: Histories, parents: IntArray, frames: Sequence[Frame]
    ) -> None:
        """Nor is more known after."""


@dataclass(frozen=True)
class _LSTMTeller:
    """Known: the layers' states after the end of the last frame, (layers, B, H) each, or None."""

    network: NoteLSTM
    weights: Mapping[str, NDArray[np.float32]]

    def start(self) -> None:
        """No state yet."""

    def tables(self, known: Any, histories: Histories, beginnings: Beginnings) -> FloatArray:
        import torch

        encoded = encoded_ahead(histories, beginnings)
        shape = (len(histories), len(beginnings.words))
        found, states = np.empty((*shape, SYMBOLS)), known
        with deterministic(self.network.settings.threads), torch.no_grad():
            for number, level in enumerate(beginnings.levels):
                if number:
                    above = beginnings.levels[number - 1]
                    states = _chosen(
                        states, shape[0], np.searchsorted(above, beginnings.parent[level])
                    )
                rows = (np.arange(shape[0])[:, None] * shape[1] + level).ravel()
                logs, states = self._asked(encoded, rows, states)
                found[:, level] = logs.reshape(shape[0], len(level), SYMBOLS)
        return found

    def _asked(self, encoded: Encoded, rows: IntArray, states: Any) -> tuple[FloatArray, Any]:
        """Distributions (R, SYMBOLS) at rows, and the states there, so many at a time."""
        import torch

        logs, after = [], []
        for first in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[first : first + ROWS_AT_ONCE]
            places = {name: torch.from_numpy(each[some][:, None]) for name, each in encoded.items()}
            here = None
            if states is not None:
                here = tuple(each[:, first : first + ROWS_AT_ONCE] for each in states)
            told, then = self.network.step(self._tensors, places, here)
            logs.append(told.double().numpy())
            after.append(then)
        joined = tuple(torch.cat([each[k] for each in after], dim=1) for k in (0, 1))
        return np.concatenate(logs), joined

    def advance(
        self, known: Any, histories: Histories, parents: IntArray, frames: Sequence[Frame]
    ) -> Any:
        """Each piece goes through its frame, those of as many notes side by side."""
        import torch

        sizes = np.array([len(frame) for frame in frames])
        layers, width = self.network.settings.layers, self.network.settings.hidden
        after = tuple(torch.zeros(layers, len(frames), width) for _ in range(2))
        with deterministic(self.network.settings.threads), torch.no_grad():
            for size in np.unique(sizes):
                rows = np.flatnonzero(sizes == size)
                encoded = [
                    self.network.encoded(
                        Roll("", (*histories[parents[row]], frames[row])),
                        0,
                        begin=len(histories[parents[row]]),
                    )
                    for row in rows.tolist()
                ]
                before = None
                if known is not None:
                    before = tuple(each[:, parents[rows]] for each in known)
                then = self.network.heard(self._tensors, side_by_side(encoded, "cpu"), before)
                for whole, part in zip(after, then, strict=True):
                    whole[:, rows] = part
        return after

    @cached_property
    def _tensors(self) -> dict[str, torch.Tensor]:
        import torch

        return {name: torch.from_numpy(array.copy()) for name, array in self.weights.items()}


def _chosen(states: Any, pieces: int, places: IntArray) -> Any:
    """States (layers, B x P, H) at some of the P places of each piece, (layers, B x Q, H)."""
    found = []
    for each in states:
        apart = each.reshape(each.shape[0], pieces, -1, each.shape[-1])
        found.append(apart[:, :, places].reshape(each.shape[0], -1, each.shape[-1]))
    return tuple(found)


@dataclass(frozen=True)
class _TransformerTeller:
    """Attention reads the whole piece anew for each frame, and all beginnings beside each other."""

    network: NoteTransformer
    weights: Mapping[str, NDArray[np.float32]]

    def start(self) -> None:
        """The frames say it all."""

    def tables(self, known: None, histories: Histories, beginnings: Beginnings) -> FloatArray:
        import torch

        del known
        encoded = encoded_ahead(histories, beginnings)
        size, found = len(beginnings.words), []
        among = torch.from_numpy(beginnings.ancestry)
        lengths = torch.from_numpy(beginnings.lengths)
        with deterministic(self.network.settings.threads), torch.no_grad():
            for number, frames in enumerate(histories):
                rows = slice(number * size, (number + 1) * size)
                places = {
                    name: torch.from_numpy(each[rows][None]) for name, each in encoded.items()
                }
                heard = None
                if frames:
                    whole = self.network.encoded(Roll("", frames), 0)
                    heard = side_by_side([whole], "cpu")
                logs = self.network.branching(self._tensors, heard, places, (among, lengths))
                found.append(logs[0].double().numpy())
        return np.stack(found)

    def advance(
        self, known: None, histories: Histories, parents: IntArray, frames: Sequence[Frame]
    ) -> None:
        """Nor is more known after."""

    @cached_property
    def _tensors(self) -> dict[str, torch.Tensor]:
        import torch

        return {name: torch.from_numpy(array.copy()) for name, array in self.weights.items()}


@dataclass(frozen=True, slots=True)
class _ProductTeller:
    """Known: what the LSTM knows."""

    model: NoteProduct
    ngram: _NGramTeller
    lstm: _LSTMTeller

    def start(self) -> Any:
        return self.lstm.start()

    def tables(self, known: Any, histories: Histories, beginnings: Beginnings) -> FloatArray:
        said = [
            teller.tables(what, histories, beginnings).reshape(-1, SYMBOLS)
            for teller, what in ((self.ngram, None), (self.lstm, known))
        ]
        lengths = np.tile(beginnings.lengths, len(histories))
        shape = (len(histories), len(beginnings.words), SYMBOLS)
        return self.model.mixed(said[0], said[1], lengths).reshape(shape)

    def advance(
        self, known: Any, histories: Histories, parents: IntArray, frames: Sequence[Frame]
    ) -> Any:
        return self.lstm.advance(known, histories, parents, frames)


def teller_of(model: NGram | NetworkModel | NoteProduct) -> Teller | None:
    """What tells of a model over notes; None of a network over frames."""
    if isinstance(model, NGram):
        return _NGramTeller(model)
    if isinstance(model, NoteProduct):
        lstm = _network_teller(model.lstm)
        assert isinstance(lstm, _LSTMTeller)  # a product has one
        return _ProductTeller(model, _NGramTeller(model.ngram), lstm)
    return _network_teller(model)


def _network_teller(model: NetworkModel) -> _LSTMTeller | _TransformerTeller | None:
    if isinstance(model.network, NoteLSTM):
        return _LSTMTeller(model.network, model.weights)
    if isinstance(model.network, NoteTransformer):
        return _TransformerTeller(model.network, model.weights)
    return None
