"""Restricted Boltzmann machine over single frames: which keys sound together.

    E(v, h) = -b'v - h'Wv - c'h,      F(v) = -b'v - sum_j log(1 + exp(c_j + (W'v)_j))

Learning: contrastive divergence with k sweeps (Hinton 2002) or persistent chains (Tieleman 2008),
momentum, weight decay, averaged weights; sweeps as in `musegen.models.gibbs`.

No exact likelihood can be had beyond some twenty hidden units. Two estimates enclose it: annealed
importance sampling (Salakhutdinov and Murray 2008) under-estimates log Z on average and so flatters
the model; the reverse chain from each frame (RAISE: Burda, Grosse and Salakhutdinov 2015) bounds the
probability of a frame from below on average.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from musegen.errors import TrainingError
from musegen.models import frame_rbm_kernels as kernels
from musegen.models.gibbs import Machine, swept, visible_products
from musegen.models.rolls import KEYS, LOWEST, Roll, as_matrix, check_rolls
from musegen.models.training import Progress
from musegen.threads import one_thread

__all__ = ["Anneal", "FrameRBM", "FrameRBMSettings", "train_frame_rbm"]

Real = NDArray[np.float32]
Streams = NDArray[np.uint64]
FloatArray = NDArray[np.float64]

ONE = np.float32(1)
EXACT_UNITS = 20  # hidden units up to which log Z is a plain sum


@dataclass(frozen=True, slots=True)
class FrameRBMSettings:
    """How the machine is made."""

    hidden: int = 400
    epochs: int = 150
    batch: int = 100  # frames a step
    sweeps: int = 5  # Gibbs sweeps a step
    persistent: bool = True  # chains go on from step to step; else contrastive divergence
    rate: float = 0.6  # learning rate at first; falls linearly to a hundredth
    momentum: float = 0.5
    decay: float = 1e-4  # weight decay of W
    averaging: float = 0.999  # decay a step of the averaged weights that are kept


@dataclass(frozen=True, slots=True)
class Anneal:
    """How finely likelihoods are estimated."""

    temperatures: int = 2000
    chains: int = 100
    seed: int = 0


@dataclass(frozen=True, slots=True)
class FrameRBM:
    """The machine."""

    settings: FrameRBMSettings
    weights: Real  # W, (88, H)
    visible: Real  # b, (88,)
    hidden: Real  # c, (H,)
    base: FloatArray  # (88,) log-odds of each key by itself: where annealing starts
    anneal: Anneal = Anneal()

    @property
    def name(self) -> str:
        """Name in tables and weights."""
        return "rbm"

    @property
    def exact(self) -> bool:
        """Whether log Z is a plain sum; else it is estimated."""
        return self.settings.hidden <= EXACT_UNITS

    def frame_log_probs(self, rolls: Sequence[Roll]) -> list[FloatArray]:
        """Natural-log probability of each frame, (T,) a roll; an estimate beyond 20 units."""
        check_rolls(rolls)
        with one_thread():
            log_z = self.log_partition() if self.exact else self.annealed_log_partition()[0]
            return [-self.free_energy(_units(roll)) - log_z for roll in rolls]

    def sample(self, length: int, rng: np.random.Generator, *, sweeps: int = 1000) -> Roll:
        """So many frames that know nothing of each other, one chain each."""
        streams = _streams(rng, length)
        units = self._base_units(length, streams)
        for _ in range(sweeps):
            units = self._swept(units, streams, 1.0)
        frames = (tuple((np.flatnonzero(row) + LOWEST).tolist()) for row in units)
        return Roll("sample", tuple(frames))

    # --- energies ---------------------------------------------------------------------------

    def free_energy(self, units: Real) -> FloatArray:
        """F of frames (n, 88) as zeros and ones, (n,)."""
        return -self._log_weight(units, 1.0)

    def log_partition(self) -> float:
        """log Z, the sum over all hidden vectors, exactly.

        Raises:
            TrainingError: more than 20 hidden units.
        """
        count = self.settings.hidden
        if count > EXACT_UNITS:
            problem = f"{count} hidden units, at most {EXACT_UNITS} can be summed over"
            raise TrainingError(problem)
        vectors = (np.arange(1 << count)[:, None] >> np.arange(count)) & 1
        total = -np.inf
        for some in np.array_split(vectors.astype(np.float64), max(1, len(vectors) >> 12)):
            onward = np.logaddexp(0, some @ self.weights.T.astype(np.float64) + self.visible)
            values = some @ self.hidden.astype(np.float64) + onward.sum(axis=1)
            total = np.logaddexp(total, np.logaddexp.reduce(values))
        return float(total)

    def _log_weight(self, units: Real, scale: float) -> FloatArray:
        """Log of the unnormalised probability (n,) between the keys alone (0) and the whole (1)."""
        products, hidden = visible_products(units, self.weights), np.empty(len(units))
        kernels.free_energies(products, self.hidden.astype(np.float64), scale, hidden)
        odds = (1 - scale) * self.base + scale * self.visible
        found: FloatArray = units.astype(np.float64) @ odds + hidden
        return found

    # --- chains -----------------------------------------------------------------------------

    def _swept(self, units: Real, streams: Streams, scale: float) -> Real:
        """One block Gibbs sweep at a temperature."""
        factor = np.float32(scale)
        odds = ((1 - scale) * self.base + scale * self.visible).astype(np.float32)
        return swept(Machine(self.weights, odds, factor * self.hidden, factor), units, streams)

    def _base_units(self, count: int, streams: Streams) -> Real:
        keys = np.zeros((count, KEYS), np.float32)
        kernels.draw(keys, self.base.astype(np.float32), ONE, streams, keys)
        return keys

    def _base_log_partition(self) -> float:
        return float(np.logaddexp(0, self.base).sum() + self.settings.hidden * np.log(2))

    # --- estimates --------------------------------------------------------------------------

    def annealed_log_partition(self) -> tuple[float, float]:
        """log Z by annealed importance sampling, and the standard error of its weights.

        exp of it is unbiased, so log Z is too small on average, and likelihoods too large.
        """
        count = self.anneal.chains
        streams = _streams(np.random.default_rng(self.anneal.seed), count)
        units, weights = self._base_units(count, streams), np.zeros(count)
        for before, scale in pairwise(self._scales()):
            weights += self._log_weight(units, scale) - self._log_weight(units, before)
            units = self._swept(units, streams, scale)
        mean = float(np.logaddexp.reduce(weights) - np.log(count))
        spread = float(np.std(np.exp(weights - mean)) / np.sqrt(count))
        return self._base_log_partition() + mean, spread

    def reverse_log_probs(self, frames: Real, *, chains: int = 10) -> FloatArray:
        """Stochastic lower bounds (n,) of log P of frames (n, 88): annealing, run backwards.

        Each frame starts so many chains that cool down to the keys alone; the mean of their
        weights is an unbiased estimate of what the annealing process gives the frame.
        """
        rng = np.random.default_rng([self.anneal.seed, 1])
        units = np.repeat(frames, chains, axis=0)
        streams = _streams(rng, len(units))
        weights = self._log_weight(units, 1.0) - self._base_log_partition()
        for scale, after in pairwise(reversed(self._scales())):
            units = self._swept(units, streams, scale)
            weights += self._log_weight(units, after) - self._log_weight(units, scale)
        table = weights.reshape(-1, chains)
        found: FloatArray = np.logaddexp.reduce(table, axis=1) - np.log(chains)
        return found

    def _scales(self) -> list[float]:
        """From the keys alone, 0, to the whole machine, 1, in even steps."""
        return [float(step) for step in np.linspace(0, 1, self.anneal.temperatures + 1)]


def _units(roll: Roll) -> Real:
    return as_matrix(roll).astype(np.float32)


def _streams(rng: np.random.Generator, count: int) -> Streams:
    return rng.integers(0, 1 << 64, size=count, dtype=np.uint64)


# --- learning -------------------------------------------------------------------------------


def train_frame_rbm(
    train: Sequence[Roll],
    settings: FrameRBMSettings,
    *,
    seed: int,
    anneal: Anneal | None = None,
    progress: Progress | None = None,
) -> FrameRBM:
    """Learn the frames of rolls, whatever their order.

    Raises:
        TrainingError: there are no rolls.
    """
    if not train:
        raise TrainingError("the training split is empty, at least one roll is needed")
    check_rolls(train)
    frames = np.concatenate([_units(roll) for roll in train])
    rng = np.random.default_rng(seed)
    learner = _Learner(frames, settings, rng)
    with one_thread():
        for epoch in range(settings.epochs):
            error = learner.epoch(epoch)
            if progress is not None:
                told = {"epoch": epoch, "epochs": settings.epochs, "difference of rates": error}
                progress(told)
    weights, visible, hidden = learner.averaged
    return FrameRBM(settings, weights, visible, hidden, learner.base, anneal or Anneal())


class _Learner:
    """Parameters on their way."""

    def __init__(self, frames: Real, settings: FrameRBMSettings, rng: np.random.Generator) -> None:
        self.frames, self.settings, self.rng = frames, settings, rng
        rates = (frames.sum(axis=0, dtype=np.float64) + 0.05) / (len(frames) + 0.1)
        self.base: FloatArray = np.log(rates / (1 - rates))
        shape = (KEYS, settings.hidden)
        self.parameters: list[Real] = [
            rng.normal(0, 0.01, shape).astype(np.float32),
            self.base.astype(np.float32),
            np.full(settings.hidden, -1, np.float32),
        ]
        self.speed: list[Real] = [np.zeros_like(each) for each in self.parameters]
        self.averaged: list[Real] = [each.copy() for each in self.parameters]
        self.streams = _streams(rng, settings.batch)
        self.chains = frames[rng.integers(len(frames), size=settings.batch)]

    def epoch(self, number: int) -> float:
        """One pass over the frames; how far the chains' rates of keys are from the data's."""
        order = self.rng.permutation(len(self.frames))
        share = number / max(1, self.settings.epochs)
        rate = self.settings.rate * max(0.01, 1 - share)
        errors = [self._step(self.frames[some], rate) for some in self._batches(order)]
        return float(np.mean(errors))

    def _batches(self, order: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        size = self.settings.batch
        whole = max(1, len(order) // size)
        yield from (order[start * size : (start + 1) * size] for start in range(whole))

    def _step(self, data: Real, rate: float) -> float:
        weights, visible, hidden = self.parameters
        chains = self.chains if self.settings.persistent else data
        machine = Machine(weights, visible, hidden)
        chains = swept(machine, chains, self.streams, sweeps=self.settings.sweeps)
        if self.settings.persistent:
            self.chains = chains
        up, down = self._hidden_means(data), self._hidden_means(chains)
        slopes = [
            (data.T @ up - chains.T @ down) / np.float32(len(data))
            - np.float32(self.settings.decay) * weights,
            data.mean(axis=0) - chains.mean(axis=0),
            up.mean(axis=0) - down.mean(axis=0),
        ]
        for number, slope in enumerate(slopes):
            self._move(number, np.float32(rate) * slope)
        return float(np.abs(data.mean(axis=0) - chains.mean(axis=0)).sum())

    def _move(self, number: int, by: Real) -> None:
        """Speed, parameter and its running mean, in place."""
        self.speed[number] *= np.float32(self.settings.momentum)
        self.speed[number] += by
        self.parameters[number] += self.speed[number]
        keep = np.float32(self.settings.averaging)
        self.averaged[number] += (ONE - keep) * (self.parameters[number] - self.averaged[number])

    def _hidden_means(self, units: Real) -> Real:
        weights, _, hidden = self.parameters
        means: Real = ONE / (ONE + np.exp(-(units @ weights + hidden)))
        return means
