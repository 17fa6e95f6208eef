"""RNN-RBM and LSTM-RBM: at each frame a restricted Boltzmann machine whose biases know the past.

    s_t = RNN(s_{t-1}, x_t)                       x_t: keys of frame t-1, and its place
    b_t = b + B s_t,    c_t = c + C s_t
    F_t(v) = -b_t'v - sum_j log(1 + exp(c_tj + (W'v)_j)),    p(v_t | past) ~ exp(-F_t(v_t))

Learning: what is minimised at a frame is F_t(v_t) - F_t(v*), with v* drawn by k Gibbs sweeps from
v_t and held fixed: its gradient is contrastive divergence, and reaches the recurrent weights through
the biases. Likelihoods are exact up to 20 hidden units, else estimated frame by frame by annealed
importance sampling from the keys' rates; that flatters the model on average (`frame_rbm`).

Sources: Boulanger-Lewandowski, Bengio and Vincent, Modeling temporal dependencies in high-dimensional
sequences (2012); Lyu, Wu and Zhu, Polyphonic music modelling with LSTM-RTRBM (2015), LSTM units;
Salakhutdinov and Murray, On the quantitative analysis of deep belief networks (2008).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from musegen.errors import TrainingError
from musegen.models import frame_rbm_kernels as kernels
from musegen.models.cards import Tensors
from musegen.models.frame_inputs import (
    PLACE_ROWS,
    encoded_frames,
    frame_inputs,
    key_log_odds,
    states_after,
)
from musegen.models.frame_rbm import EXACT_UNITS
from musegen.models.recurrent import GATES, Recurrent
from musegen.models.roll_networks import Encoded, FitSettings, side_by_side, uniform_by_fan_in
from musegen.models.rolls import KEYS, LOWEST, Frame, Roll, as_matrix
from musegen.models.torch_steps import KEEP, Drop
from musegen.threads import one_thread

if TYPE_CHECKING:
    import torch

    Weights = Mapping[str, torch.Tensor]
    Batch = Mapping[str, torch.Tensor]

__all__ = ["RNNRBM", "ConditionalRBM", "RNNRBMSettings"]

Real = NDArray[np.float32]
Streams = NDArray[np.uint64]
FloatArray = NDArray[np.float64]
ONE = np.float32(1)
QUICK = (200, 1)  # temperatures and runs that compare epochs


@dataclass(frozen=True, slots=True)
class RNNRBMSettings(FitSettings):
    """How the model is made, how it learns, and how finely likelihoods are estimated."""

    cell: str = "rnn"  # or lstm
    hidden: int = 150  # hidden units of the Boltzmann machine
    units: int = 150  # recurrent units
    embedding: int = 100  # size of a row of inputs
    sweeps: int = 15  # Gibbs sweeps of contrastive divergence
    input_dropout: float = 0.2  # of x
    recurrent_dropout: float = 0.2  # of recurrent weights
    dropout: float = 0.3  # of states
    temperatures: int = 1000  # of annealed importance sampling
    runs: int = 10  # of it, a frame
    precision: str = "float32"  # energies are differences of large sums


@dataclass(frozen=True, slots=True)
class ConditionalRBM:
    """Boltzmann machines that share their weights, one a row, with biases of their own."""

    weights: Real  # W, (88, H)
    visible: Real  # b_t, (n, 88)
    hidden: Real  # c_t, (n, H)
    base: FloatArray  # (88,) log-odds of each key by itself: where annealing starts

    def swept(self, units: Real, streams: Streams, scale: float = 1.0) -> Real:
        """One block Gibbs sweep of frames (n, 88), between the keys alone (0) and the whole (1)."""
        products = np.empty_like(self.hidden)
        kernels.sparse_products(units, self.weights, products)
        products += self.hidden
        silent, factor = np.zeros(len(self.weights.T), np.float32), np.float32(scale)
        kernels.draw(products, silent, factor, streams, products)
        keys: Real = (products @ self.weights.T + self.visible) * factor
        odds = ((1 - scale) * self.base).astype(np.float32)
        kernels.draw(keys, odds, ONE, streams, keys)
        return keys

    def log_weights(self, units: Real, scale: float = 1.0) -> FloatArray:
        """Log of the unnormalised probability (n,) of frames (n, 88) at a temperature."""
        products, found = np.empty_like(self.hidden), np.empty(len(units))
        kernels.sparse_products(units, self.weights, products)
        products += self.hidden
        kernels.free_energies(products, np.zeros(products.shape[1]), scale, found)
        odds = (1 - scale) * self.base + scale * self.visible.astype(np.float64)
        found += (units * odds).sum(axis=1)
        return found

    def log_partitions(self) -> FloatArray:
        """log Z of each row, (n,): the sum over all hidden vectors, exactly.

        Raises:
            TrainingError: more than 20 hidden units.
        """
        count = self.hidden.shape[1]
        if count > EXACT_UNITS:
            problem = f"{count} hidden units, at most {EXACT_UNITS} can be summed over"
            raise TrainingError(problem)
        vectors = ((np.arange(1 << count)[:, None] >> np.arange(count)) & 1).astype(np.float64)
        total = np.full(len(self.visible), -np.inf)
        for some in np.array_split(vectors, max(1, len(vectors) >> 10)):
            onward = some @ self.weights.T.astype(np.float64)
            for row, (visible, hidden) in enumerate(zip(self.visible, self.hidden, strict=True)):
                values = some @ hidden + np.logaddexp(0, onward + visible).sum(axis=1)
                total[row] = np.logaddexp(total[row], np.logaddexp.reduce(values))
        return total

    def annealed_log_partitions(self, temperatures: int, runs: int, seed: int = 0) -> FloatArray:
        """log Z of each row, (n,), by annealed importance sampling: too small on average."""
        rng = np.random.default_rng(seed)
        many = ConditionalRBM(
            self.weights,
            np.repeat(self.visible, runs, axis=0),
            np.repeat(self.hidden, runs, axis=0),
            self.base,
        )
        streams = _streams(rng, len(many.visible))
        units, weights = np.zeros_like(many.visible), np.zeros(len(many.visible))
        kernels.draw(units, self.base.astype(np.float32), ONE, streams, units)
        scales = [float(step) for step in np.linspace(0, 1, temperatures + 1)]
        for before, scale in pairwise(scales):
            weights += many.log_weights(units, scale) - many.log_weights(units, before)
            units = many.swept(units, streams, scale)
        begin = float(np.logaddexp(0, self.base).sum() + self.hidden.shape[1] * np.log(2))
        found: FloatArray = np.logaddexp.reduce(weights.reshape(-1, runs), axis=1)
        return found + (begin - float(np.log(runs)))


def _streams(rng: np.random.Generator, count: int) -> Streams:
    return rng.integers(0, 1 << 64, size=count, dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class RNNRBM:
    """The network, apart from its weights."""

    settings: RNNRBMSettings

    def __post_init__(self) -> None:
        """See that the cell is one of those there are."""
        if self.settings.cell not in GATES:
            got = self.settings.cell
            raise TrainingError(f"setting cell must be one of {', '.join(GATES)}, got {got!r}")

    @property
    def exact(self) -> bool:
        """Whether log Z is a plain sum; else it is estimated."""
        return self.settings.hidden <= EXACT_UNITS

    @property
    def _recurrent(self) -> Recurrent:
        of = self.settings
        dropouts = (of.recurrent_dropout, of.dropout)
        return Recurrent(of.cell, of.embedding, of.units, 1, *dropouts)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the weights, by name."""
        of = self.settings
        return {
            "keys": (KEYS, of.embedding),
            "places": (PLACE_ROWS, of.embedding),
            **self._recurrent.shapes(),
            "W": (KEYS, of.hidden),
            "b": (KEYS,),
            "c": (of.hidden,),
            "B": (KEYS, of.units),
            "C": (of.hidden, of.units),
            "base": (KEYS,),
        }

    def begin(self, rng: np.random.Generator, train: Sequence[Roll]) -> Tensors:
        """Small weights of the machine; keys as likely as in the training rolls."""
        first = uniform_by_fan_in(self.shapes(), rng)
        for name in ("keys", "places"):
            first[name] = rng.normal(0, 0.1, first[name].shape)
        first["W"] = rng.normal(0, 0.01, first["W"].shape)
        first["b"] = first["base"] = key_log_odds(train)
        self._recurrent.open_gates(first)
        return {name: array.astype(np.float32) for name, array in first.items()}

    def encoded(self, roll: Roll, shift: int, *, begin: int = 0) -> Encoded:
        """See `frame_inputs.encoded_frames`."""
        return encoded_frames(roll, shift, begin=begin)

    def losses(self, weights: Weights, batch: Batch, drop: Drop) -> torch.Tensor:
        """F_t(v_t) - F_t(v*) of each frame, (n, T); its gradient is contrastive divergence."""
        import torch

        x = frame_inputs(weights, batch, self.settings.input_dropout, drop)
        s, _ = self._recurrent.states(weights, x, None, drop)
        visible, hidden = _biases(weights, s)
        keys, shape = batch["keys"], batch["keys"].shape
        assert drop.generator is not None  # what is minimised has to be drawn
        drawn = torch.randint(1 << 62, (keys[..., 0].numel(),), generator=drop.generator)
        machine = _machine(weights, visible, hidden)
        units = keys.reshape(-1, KEYS).cpu().numpy()
        streams = drawn.numpy().astype(np.uint64)
        for _ in range(self.settings.sweeps):
            units = machine.swept(units, streams)
        other = torch.from_numpy(units).to(keys.device).reshape(shape)
        here = _free_energy(weights, visible, hidden, keys)
        return here - _free_energy(weights, visible, hidden, other)

    def log_probs(
        self, weights: Weights, rolls: Sequence[Roll], *, quick: bool = False
    ) -> list[FloatArray]:
        """Natural-log probability of each frame, (T,) a roll; an estimate beyond 20 units."""
        of = self.settings
        found = []
        for roll in rolls:
            batch = side_by_side([self.encoded(roll, 0)], weights["W"].device.type)
            x = frame_inputs(weights, batch, 0, KEEP)
            s, _ = self._recurrent.states(weights, x, None, KEEP)
            machine = _machine(weights, *_biases(weights, s))
            with one_thread():
                values = machine.log_weights(batch["keys"][0].cpu().numpy())
                fine = QUICK if quick else (of.temperatures, of.runs)
                logs = machine.log_partitions() if self.exact else None
                values -= machine.annealed_log_partitions(*fine) if logs is None else logs
            found.append(values)
        return found

    def step(
        self, weights: Weights, before: torch.Tensor, place: int, state: Any
    ) -> tuple[torch.Tensor, Any]:
        """See `frame_inputs.states_after`."""
        return states_after(self._recurrent, weights, before, place, state)

    def frame_logs(
        self, weights: Weights, s: torch.Tensor, frames: Sequence[Frame]
    ) -> torch.Tensor:
        """Natural-log probabilities (B, N) of frames after states (B, U), given that one of them comes.

        So no sum over all frames is needed, which differs from one state to the next.
        """
        import torch

        keys = torch.from_numpy(as_matrix(Roll("", tuple(frames))).astype(np.float32))
        visible, hidden = _biases(weights, s[:, None])
        machines = zip(
            visible, hidden, strict=True
        )  # one after another, so that memory stays small
        energies = [_free_energy(weights, b, c, keys) for b, c in machines]
        return torch.log_softmax(-torch.stack(energies).double(), dim=1)

    def sample(self, weights: Weights, length: int, rng: np.random.Generator) -> tuple[Frame, ...]:
        """So many frames, each by a chain that is annealed from the keys alone."""
        import torch

        frames: list[Frame] = []
        state, streams = None, _streams(rng, 1)
        scales = np.linspace(0, 1, self.settings.temperatures + 1)
        for place in range(length):
            encoded = encoded_frames(Roll("", (*frames, ())), 0, begin=place)
            batch = {name: torch.from_numpy(array[None]) for name, array in encoded.items()}
            x = frame_inputs(weights, batch, 0, KEEP)
            s, state = self._recurrent.states(weights, x, state, KEEP)
            machine = _machine(weights, *_biases(weights, s))
            units = np.zeros((1, KEYS), np.float32)
            for scale in scales:
                units = machine.swept(units, streams, float(scale))
            frames.append(tuple((np.flatnonzero(units[0]) + LOWEST).tolist()))
        return tuple(frames)


def _biases(weights: Weights, s: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """b_t (n, T, 88) and c_t (n, T, H)."""
    return weights["b"] + s @ weights["B"].T, weights["c"] + s @ weights["C"].T


def _free_energy(
    weights: Weights, visible: torch.Tensor, hidden: torch.Tensor, keys: torch.Tensor
) -> torch.Tensor:
    from torch.nn import functional

    up = functional.softplus(hidden + keys @ weights["W"]).sum(dim=-1)
    return -(visible * keys).sum(dim=-1) - up


def _machine(weights: Weights, visible: torch.Tensor, hidden: torch.Tensor) -> ConditionalRBM:
    """The machines of all frames as arrays, apart from what torch keeps of them."""
    return ConditionalRBM(
        weights["W"].detach().cpu().numpy(),
        visible.detach().reshape(-1, KEYS).cpu().numpy(),
        hidden.detach().reshape(-1, hidden.shape[-1]).cpu().numpy(),
        weights["base"].detach().cpu().numpy().astype(np.float64),
    )
