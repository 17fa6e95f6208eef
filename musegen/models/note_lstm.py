"""LSTM over the notes of piano-rolls, one after another: an exact chain rule.

    x_i = sum of the rows of its inputs (`note_inputs`)
    s_i = LSTM(s_{i-1}, x_i)                      one layer or more
    z_i = relu(M [s_i ; x_i] + m)
    p(symbol_i | symbols before) = softmax over the symbols that can stand there

Sources: Hochreiter and Schmidhuber, Long short-term memory (1997); Liang et al., Automatic stylistic
composition of Bach chorales with deep LSTM (2017), notes one after another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from musegen.models.cards import Tensors
from musegen.models.note_inputs import (
    INPUT_ROWS,
    begin_heads,
    encoded_roll,
    head_shapes,
    last_batch,
    summed_rows,
    symbol_log_probs,
    symbols_before,
)
from musegen.models.recurrent import Recurrent
from musegen.models.roll_networks import (
    Encoded,
    FitSettings,
    place_log_probs,
    uniform_by_fan_in,
)
from musegen.models.rolls import Ask, Roll, drawn_frames
from musegen.models.torch_steps import KEEP, Drop

if TYPE_CHECKING:
    import torch

    Weights = Mapping[str, torch.Tensor]
    Batch = Mapping[str, torch.Tensor]
    State = tuple[torch.Tensor, torch.Tensor]

__all__ = ["NoteLSTM", "NoteLSTMSettings"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NoteLSTMSettings(FitSettings):
    """How the model is made, and how it learns."""

    hidden: int = 256  # LSTM units a layer
    layers: int = 1
    embedding: int = 128  # size of a row of inputs
    inner: int = 256  # units of z
    input_dropout: float = 0.2  # of x
    recurrent_dropout: float = 0.2  # of recurrent weights
    dropout: float = 0.4  # of states, and of z
    rows_dropout: float = 0.1  # of whole input columns


@dataclass(frozen=True, slots=True)
class NoteLSTM:
    """The network, apart from its weights."""

    settings: NoteLSTMSettings
    exact = True

    @property
    def _recurrent(self) -> Recurrent:
        of = self.settings
        dropouts = (of.recurrent_dropout, of.dropout)
        return Recurrent("lstm", of.embedding, of.hidden, of.layers, *dropouts)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the weights, by name."""
        of = self.settings
        shapes: dict[str, tuple[int, ...]] = {"rows": (INPUT_ROWS, of.embedding)}
        shapes |= self._recurrent.shapes()
        shapes["context"] = (of.inner, of.hidden + of.embedding)
        shapes["context_bias"] = (of.inner,)
        return shapes | head_shapes(of.inner)

    def begin(self, rng: np.random.Generator, _train: Sequence[Roll]) -> Tensors:
        """Uniform by fan-in, rows normal, forget gates open."""
        first = uniform_by_fan_in(self.shapes(), rng)
        first["rows"] = rng.normal(0, 0.1, first["rows"].shape)
        self._recurrent.open_gates(first)
        begin_heads(first)
        return {name: array.astype(np.float32) for name, array in first.items()}

    def encoded(self, roll: Roll, shift: int, *, begin: int = 0) -> Encoded:
        """See `note_inputs.encoded_roll`."""
        return encoded_roll(roll, shift, first=symbols_before(roll, begin))

    def losses(self, weights: Weights, batch: Batch, drop: Drop) -> torch.Tensor:
        """Minus the log-probability of each symbol, (n, N)."""
        logs = self.logs(weights, batch, drop)
        return -logs.gather(-1, batch["symbols"][..., None])[..., 0]

    def logs(self, weights: Weights, batch: Batch, drop: Drop) -> torch.Tensor:
        """Natural-log distribution of each symbol, (n, N, SYMBOLS)."""
        x = self._inputs(weights, batch, drop)
        s, _ = self._recurrent.states(weights, x, None, drop)
        return symbol_log_probs(self._found(weights, s, x, drop), weights, batch)

    def log_probs(
        self, weights: Weights, rolls: Sequence[Roll], *, quick: bool = False
    ) -> list[FloatArray]:
        """Natural-log probability of each frame, (T,) a roll."""
        del quick
        return place_log_probs(self, weights, rolls)

    def sample(
        self, weights: Weights, length: int, rng: np.random.Generator
    ) -> tuple[tuple[int, ...], ...]:
        """So many frames, drawn note by note."""
        return drawn_frames(self.asked(weights), length, rng)

    def asked(self, weights: Weights) -> Ask:
        """What gives the distribution of each symbol of a piece that is being written."""
        state: State | None = None

        def ask(frames: Sequence[tuple[int, ...]], notes: Sequence[int]) -> FloatArray:
            nonlocal state
            logs, state = self.step(weights, last_batch(frames, notes), state)
            found: FloatArray = logs[0].double().numpy()
            return found

        return ask

    def step(
        self, weights: Weights, places: Batch, state: State | None
    ) -> tuple[torch.Tensor, State]:
        """Distributions (n, SYMBOLS) of the one symbol that follows in pieces, and the states then.

        Args:
            weights: by name.
            places: the arrays of one place of each piece, (n, 1, ...).
            state: before it, (layers, n, H) each; None at the beginning.
        """
        x = self._inputs(weights, places, KEEP)
        s, state = self._recurrent.states(weights, x, state, KEEP)
        return symbol_log_probs(self._found(weights, s, x, KEEP), weights, places)[:, 0], state

    def heard(self, weights: Weights, batch: Batch, state: State | None) -> State:
        """States after pieces of as many symbols each, (n, N, ...), that begin in given states."""
        _, after = self._recurrent.states(weights, self._inputs(weights, batch, KEEP), state, KEEP)
        return after

    def _inputs(
        self, weights: Weights, batch: Mapping[str, torch.Tensor], drop: Drop
    ) -> torch.Tensor:
        shares = (self.settings.rows_dropout, self.settings.input_dropout)
        return summed_rows(weights["rows"], batch["inputs"], shares, drop)

    def _found(
        self, weights: Weights, s: torch.Tensor, x: torch.Tensor, drop: Drop
    ) -> torch.Tensor:
        import torch

        z = torch.cat([s, x], dim=-1) @ weights["context"].T + weights["context_bias"]
        z = torch.relu(z)
        return drop(z, self.settings.dropout, z.shape)
