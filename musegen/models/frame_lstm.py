"""LSTM over frames of piano-rolls, with keys that are told apart or together.

    x_t = sum of the rows of the keys of frame t-1, and of its place
    s_t = LSTM(s_{t-1}, x_t)

    sigmoid    p(v_t | past) = product over keys of sigmoid(V s_t + b): keys know nothing of each other
    nade       keys from the top down, each given those above it that sound:
               z_k = relu(M s_t + m + sum of rows W_j of sounding keys j > k)
               p(v_k | v_>k, past) = sigmoid(V z_k + U s_t + b)

z changes only where a key sounds, so it is worked out once for each note and not for each key. Both
are exact.

Sources: Boulanger-Lewandowski, Bengio and Vincent, Modeling temporal dependencies in
high-dimensional sequences (2012), RNN and RNN-NADE; Larochelle and Murray, The neural autoregressive
distribution estimator (2011); Bai, Kolter and Koltun (2018), the table of sigmoids.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from musegen.errors import TrainingError
from musegen.models.cards import Tensors
from musegen.models.frame_inputs import (
    PLACE_ROWS,
    encoded_frames,
    frame_inputs,
    key_log_odds,
    noted_frames,
    states_after,
)
from musegen.models.recurrent import Recurrent
from musegen.models.roll_networks import (
    Encoded,
    FitSettings,
    place_log_probs,
    uniform_by_fan_in,
)
from musegen.models.rolls import END, KEYS, LOWEST, SYMBOLS, Frame, Roll
from musegen.models.torch_steps import KEEP, Drop

if TYPE_CHECKING:
    import torch

    Weights = Mapping[str, torch.Tensor]
    Batch = Mapping[str, torch.Tensor]

__all__ = ["FrameLSTM", "FrameLSTMSettings"]

FloatArray = NDArray[np.float64]
AT_ONCE = 32  # frames that are weighed at once, so that memory stays small


@dataclass(frozen=True, slots=True)
class FrameLSTMSettings(FitSettings):
    """How the model is made, and how it learns."""

    output: str = "nade"  # or sigmoid
    hidden: int = 256  # LSTM units a layer
    layers: int = 1
    embedding: int = 128  # size of a row of inputs
    inner: int = 256  # units of z; nade only
    input_dropout: float = 0.2  # of x
    recurrent_dropout: float = 0.2  # of recurrent weights
    dropout: float = 0.4  # of states, and of z


@dataclass(frozen=True, slots=True)
class FrameLSTM:
    """The network, apart from its weights."""

    settings: FrameLSTMSettings
    exact = True

    def __post_init__(self) -> None:
        """See that the output is one of those there are."""
        if self.settings.output not in OUTPUTS:
            got = self.settings.output
            raise TrainingError(f"setting output must be one of {', '.join(OUTPUTS)}, got {got!r}")

    @property
    def _recurrent(self) -> Recurrent:
        of = self.settings
        dropouts = (of.recurrent_dropout, of.dropout)
        return Recurrent("lstm", of.embedding, of.hidden, of.layers, *dropouts)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the weights, by name."""
        of = self.settings
        shapes: dict[str, tuple[int, ...]] = {
            "keys": (KEYS, of.embedding),
            "places": (PLACE_ROWS, of.embedding),
        }
        shapes |= self._recurrent.shapes() | {"out": (KEYS, of.hidden), "out_bias": (KEYS,)}
        if of.output == "nade":
            shapes["context"], shapes["context_bias"] = (of.inner, of.hidden), (of.inner,)
            shapes["chosen"], shapes["inner_out"] = (SYMBOLS, of.inner), (KEYS, of.inner)
        return shapes

    def begin(self, rng: np.random.Generator, train: Sequence[Roll]) -> Tensors:
        """Uniform by fan-in; forget gates open; keys as likely as in the training rolls."""
        first = uniform_by_fan_in(self.shapes(), rng)
        for name in ("keys", "places", "chosen"):
            if name in first:
                first[name] = rng.normal(0, 0.1, first[name].shape)
        self._recurrent.open_gates(first)
        first["out_bias"] = key_log_odds(train)
        return {name: array.astype(np.float32) for name, array in first.items()}

    def encoded(self, roll: Roll, shift: int, *, begin: int = 0) -> Encoded:
        """See `frame_inputs.noted_frames`."""
        return noted_frames(roll, shift, begin=begin)

    def losses(self, weights: Weights, batch: Batch, drop: Drop) -> torch.Tensor:
        """Minus the log-probability of each frame, (n, T)."""
        x = frame_inputs(weights, batch, self.settings.input_dropout, drop)
        s, _ = self._recurrent.states(weights, x, None, drop)
        return OUTPUTS[self.settings.output](weights, s, batch, (self.settings.dropout, drop))

    def log_probs(
        self, weights: Weights, rolls: Sequence[Roll], *, quick: bool = False
    ) -> list[FloatArray]:
        """Natural-log probability of each frame, (T,) a roll."""
        del quick
        return place_log_probs(self, weights, rolls)

    def sample(self, weights: Weights, length: int, rng: np.random.Generator) -> tuple[Frame, ...]:
        """So many frames, drawn one after another."""
        import torch

        frames: list[Frame] = []
        state = None
        for place in range(length):
            encoded = encoded_frames(Roll("", (*frames, ())), 0, begin=place)
            batch = {name: torch.from_numpy(array[None]) for name, array in encoded.items()}
            x = frame_inputs(weights, batch, 0, KEEP)
            s, state = self._recurrent.states(weights, x, state, KEEP)
            frames.append(DRAWN[self.settings.output](weights, s[0, 0], rng))
        return tuple(frames)

    def step(
        self, weights: Weights, before: torch.Tensor, place: int, state: Any
    ) -> tuple[torch.Tensor, Any]:
        """See `frame_inputs.states_after`."""
        return states_after(self._recurrent, weights, before, place, state)

    def frame_logs(
        self, weights: Weights, s: torch.Tensor, frames: Sequence[Frame]
    ) -> torch.Tensor:
        """Natural-log probabilities (B, N) of frames after states (B, H), so many at a time."""
        import torch

        found = []
        for first in range(0, len(frames), AT_ONCE):
            encoded = noted_frames(Roll("", tuple(frames[first : first + AT_ONCE])), 0)
            batch = {name: torch.from_numpy(array) for name, array in encoded.items()}
            found.append(-OUTPUTS[self.settings.output](weights, s[:, None], batch, (0, KEEP)))
        return torch.cat(found, dim=1)


# --- outputs --------------------------------------------------------------------------------


Loss = Callable[["Weights", "torch.Tensor", "Batch", tuple[float, Drop]], "torch.Tensor"]
Draw = Callable[["Weights", "torch.Tensor", np.random.Generator], Frame]


def _sigmoid_loss(
    weights: Weights, s: torch.Tensor, batch: Batch, _dropout: tuple[float, Drop]
) -> torch.Tensor:
    """Sums over keys of log(1 + exp(-l)) where they sound, of log(1 + exp(l)) where not."""
    from torch.nn import functional

    odds = (s @ weights["out"].T).float() + weights["out_bias"]
    return functional.softplus((1 - 2 * batch["keys"]) * odds).sum(dim=-1)


def _sigmoid_draw(weights: Weights, s: torch.Tensor, rng: np.random.Generator) -> Frame:
    odds = (s @ weights["out"].T + weights["out_bias"]).double().cpu().numpy()
    return tuple((np.flatnonzero(rng.random(KEYS) < _sigmoid(odds)) + LOWEST).tolist())


def _nade_odds(
    weights: Weights, s: torch.Tensor, above: torch.Tensor, dropout: tuple[float, Drop]
) -> torch.Tensor:
    """Log-odds (..., P, 88) of each key, given sums (..., P, U) of the rows of notes above."""
    share, drop = dropout
    z = (s @ weights["context"].T + weights["context_bias"])[..., None, :] + above
    z = drop(z.relu(), share, z.shape)
    direct = (s @ weights["out"].T)[..., None, :]
    return (z @ weights["inner_out"].T + direct).float() + weights["out_bias"]


def _nade_loss(
    weights: Weights, s: torch.Tensor, batch: Batch, dropout: tuple[float, Drop]
) -> torch.Tensor:
    """Each note ends a run of silent keys below the note above; END a run to the lowest key."""
    import torch
    from torch.nn import functional

    notes, limits = batch["notes"][..., None], batch["limits"][..., None]
    rows = functional.embedding(batch["notes"], weights["chosen"]) * (notes > END)
    above = rows.cumsum(dim=-2) - rows
    odds = _nade_odds(weights, s, above, dropout)
    symbols = torch.arange(1, SYMBOLS, device=s.device)
    silent = (symbols > notes) & (symbols < limits)
    sounding = (symbols == notes) & (limits > 0)
    losses = functional.softplus(odds) * silent + functional.softplus(-odds) * sounding
    return losses.sum(dim=(-1, -2))


def _nade_draw(weights: Weights, s: torch.Tensor, rng: np.random.Generator) -> Frame:
    """From the top down: the highest key below the last note that sounds, till none does."""
    above = s.new_zeros(weights["chosen"].shape[-1])
    notes: list[int] = []
    limit = KEYS
    while True:
        odds = _nade_odds(weights, s, above[None], (0, KEEP))[0, :limit].double().cpu().numpy()
        sounding = np.flatnonzero(rng.random(limit) < _sigmoid(odds))
        if not len(sounding):
            return tuple(reversed(notes))
        limit = int(sounding[-1])
        notes.append(limit + LOWEST)
        above = above + weights["chosen"][limit + 1]


def _sigmoid(x: FloatArray) -> FloatArray:
    half: FloatArray = 0.5 * (np.tanh(0.5 * x) + 1)
    return half


OUTPUTS: Mapping[str, Loss] = {"nade": _nade_loss, "sigmoid": _sigmoid_loss}
DRAWN: Mapping[str, Draw] = {"nade": _nade_draw, "sigmoid": _sigmoid_draw}
