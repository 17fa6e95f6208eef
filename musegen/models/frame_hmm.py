"""Hidden Markov models of piano-rolls, with four kinds of emission (`frame_emissions`).

Learning is Baum-Welch from several starts; emissions are smoothed towards what does not depend on
the state, and what is kept is the start and the pass that held-out rolls like best. All
likelihoods are exact sums over the states.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musegen.errors import TrainingError
from musegen.models.forward_backward import (
    Dense,
    Expected,
    Factorial,
    Transition,
    forward_log_likelihoods,
    posteriors,
    viterbi,
)
from musegen.models.frame_emissions import (
    Bernoulli,
    Emission,
    FactorialBernoulli,
    Observed,
    SerialNotes,
    Teller,
    observe,
    told_by_others,
)
from musegen.models.rolls import KEYS, SYMBOLS, Frame, Roll, check_rolls, check_splits
from musegen.models.training import Progress
from musegen.threads import one_thread

__all__ = ["EMISSIONS", "FrameHMM", "FrameHMMSettings", "train_frame_hmm"]

Real = NDArray[Any]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

NAMES = {
    "bernoulli": "hmm",
    "autoregressive": "hmm-ar",
    "factorial": "hmm-factorial",
    "serial": "hmm-serial",
}
SHARE = 0.1  # of a state's start, the transition's and the emission's, that is drawn at random


@dataclass(frozen=True, slots=True)
class FrameHMMSettings:
    """How the model is made."""

    emission: str = "bernoulli"
    states: int = 128  # of the first chain
    second: int = 12  # states of the second chain, factorial emissions only
    passes: int = 40  # of Baum-Welch, at most
    starts: int = 3
    smoothing: float = 1.0  # frames by which an emission counts that does not know the state
    sticking: float = 0.1  # frames by which every transition counts beforehand
    patience: int = 5  # passes that held-out rolls may like no better


# --- the model ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FrameHMM:
    """The model of frames."""

    settings: FrameHMMSettings
    transition: Transition
    emission: Emission
    teller: Teller | None  # for serial emissions

    @property
    def name(self) -> str:
        """Name in tables and weights."""
        return NAMES[self.settings.emission]

    @property
    def exact(self) -> bool:
        """Its log-probabilities are exact."""
        return True

    def frame_log_probs(self, rolls: Sequence[Roll]) -> list[FloatArray]:
        """Natural-log probability of each frame given those before it, (T,) a roll."""
        with one_thread():
            seen = self.observed(rolls)
            logs = self.emission.log_likelihoods(seen).astype(np.float64)
            return _split(forward_log_likelihoods(self.transition, logs, seen.batch), rolls)

    def symbol_log_probs(self, rolls: Sequence[Roll]) -> list[FloatArray]:
        """Natural-log distribution of each symbol of `rolls.serial`, (N, SYMBOLS) a roll."""
        from musegen.models.frame_hmm_symbols import symbol_tables

        with one_thread():
            return symbol_tables(self, rolls)

    def decode(self, rolls: Sequence[Roll]) -> list[IntArray]:
        """The likeliest states (T,) of each roll.

        Raises:
            TrainingError: the states are those of two chains.
        """
        if not isinstance(self.transition, Dense):
            raise TrainingError("decoding needs one chain of states, factorial models have two")
        seen = self.observed(rolls)
        start, matrix = self.transition.start, self.transition.matrix
        states = viterbi(start, matrix, self.emission.log_likelihoods(seen), seen.batch)
        return _split(states, rolls)

    def sample(self, length: int, rng: np.random.Generator) -> Roll:
        """A roll of so many frames: states by the transition, frames by their states."""
        frames: list[Frame] = []
        chances = self.transition.start
        for _ in range(length):
            state = int(rng.choice(len(chances), p=chances / chances.sum()))
            frames.append(self.emission.drawn(state, frames, self.teller, rng))
            chances = self.transition.ahead(np.eye(1, len(chances), state))[0]
        return Roll("sample", tuple(frames))

    def observed(self, rolls: Sequence[Roll]) -> Observed:
        """Rolls as its emission sees them."""
        check_rolls(rolls)
        return observe(rolls, None if self.teller is None else self.teller.of(rolls))


def _split(values: NDArray[Any], rolls: Sequence[Roll]) -> list[NDArray[Any]]:
    return np.split(values, np.cumsum([len(roll.frames) for roll in rolls])[:-1])


# --- learning -------------------------------------------------------------------------------


def train_frame_hmm(
    train: Sequence[Roll],
    valid: Sequence[Roll],
    settings: FrameHMMSettings,
    *,
    seed: int,
    progress: Progress | None = None,
) -> FrameHMM:
    """Baum-Welch from several starts; what held-out rolls like best is kept.

    Raises:
        TrainingError: a split is empty, or no such emission.
    """
    if settings.emission not in EMISSIONS:
        allowed = ", ".join(EMISSIONS)
        raise TrainingError(f"emission {settings.emission!r}, allowed are {allowed}")
    check_splits(train, valid)
    teller = Teller.on(train) if settings.emission == "serial" else None
    seen = observe(train, None if teller is None else told_by_others(train))
    held_out = observe(valid, None if teller is None else teller.of(valid))
    best: FrameHMM | None = None
    least = np.inf
    with one_thread():
        for number in range(settings.starts):
            rng = np.random.default_rng([seed, number])
            for nats, model in _passes(settings, teller, seen, held_out, rng):
                if progress is not None:
                    told = {"restart": number, "restarts": settings.starts, "nats a frame": nats}
                    progress(told)
                if nats < least:
                    best, least = model, nats
    assert best is not None  # there is one start or more
    return best


def _passes(
    settings: FrameHMMSettings,
    teller: Teller | None,
    seen: Observed,
    held_out: Observed,
    rng: np.random.Generator,
) -> Iterator[tuple[float, FrameHMM]]:
    """Models after each pass with their nats a held-out frame, until those get no better."""
    transition, emission = EMISSIONS[settings.emission](settings, seen, rng)
    least, waited = np.inf, 0
    for _ in range(settings.passes):
        expected = posteriors(_single(transition), _real(emission, seen), seen.batch)
        emission = emission.learned(seen, expected.states, settings.smoothing)
        transition = _moves(transition, expected, settings.sticking)
        values = forward_log_likelihoods(transition, _real(emission, held_out), held_out.batch)
        nats = -float(values.mean())
        yield nats, FrameHMM(settings, transition, emission, teller)
        waited = 0 if nats < least else waited + 1
        least = min(least, nats)
        if waited == settings.patience:
            return


def _real(emission: Emission, seen: Observed) -> Real:
    return np.ascontiguousarray(emission.log_likelihoods(seen), np.float32)


def _single(transition: Transition) -> Transition:
    """The same transition in single precision."""
    if isinstance(transition, Factorial):
        return Factorial(_dense(transition.first), _dense(transition.second))
    assert isinstance(transition, Dense)
    return _dense(transition)


def _dense(chain: Dense) -> Dense:
    return Dense(chain.start.astype(np.float32), chain.matrix.astype(np.float32))


def _moves(transition: Transition, expected: Expected, sticking: float) -> Transition:
    """The M step of the transition."""
    if isinstance(transition, Dense):
        counts = transition.matrix * (expected.before.T @ expected.after)
        return _chain(expected.first, counts, sticking)
    assert isinstance(transition, Factorial)
    one, two = transition.shape
    before = expected.before.reshape(-1, one, two)
    after = expected.after.reshape(-1, one, two)
    first = expected.first.reshape(one, two)
    beside = before @ transition.second.matrix.astype(before.dtype)
    upper = transition.first.matrix * np.einsum("nij,nkj->ik", beside, after, optimize=True)
    beside = transition.first.matrix.T.astype(before.dtype) @ before
    lower = transition.second.matrix * np.einsum("nij,nik->jk", beside, after, optimize=True)
    return Factorial(
        _chain(first.sum(axis=1), upper, sticking), _chain(first.sum(axis=0), lower, sticking)
    )


def _chain(first: Real, counts: Real, sticking: float) -> Dense:
    start, matrix = first.astype(np.float64) + sticking, counts.astype(np.float64)
    matrix = matrix + sticking / len(matrix)
    return Dense(start / start.sum(), matrix / matrix.sum(axis=1, keepdims=True))


# --- where learning starts ------------------------------------------------------------------


def _random_chain(states: int, rng: np.random.Generator) -> Dense:
    return _chain(np.ones(states), rng.random((states, states)) + 0.5, 0.1)


def _drawn_posteriors(seen: Observed, states: int, rng: np.random.Generator) -> Real:
    """Each frame mostly in the state of the drawn frame that it is most like."""
    on = seen.values["on"]
    centres = on[rng.choice(len(on), states, replace=len(on) < states)]
    distance = on.sum(axis=1)[:, None] + centres.sum(axis=1) - 2 * on @ centres.T
    nearest = (distance + rng.random(distance.shape)).argmin(axis=1)
    share = np.full((len(on), states), SHARE / states, np.float32)
    share[np.arange(len(on)), nearest] += 1 - SHARE
    return share


def _bernoulli_start(
    settings: FrameHMMSettings, seen: Observed, rng: np.random.Generator, *, classes: int
) -> tuple[Transition, Emission]:
    blank = Bernoulli(np.full((classes, settings.states, KEYS), 0.5))
    share = _drawn_posteriors(seen, settings.states, rng)
    return _random_chain(settings.states, rng), blank.learned(seen, share, settings.smoothing)


def _plain_start(
    settings: FrameHMMSettings, seen: Observed, rng: np.random.Generator
) -> tuple[Transition, Emission]:
    return _bernoulli_start(settings, seen, rng, classes=1)


def _autoregressive_start(
    settings: FrameHMMSettings, seen: Observed, rng: np.random.Generator
) -> tuple[Transition, Emission]:
    return _bernoulli_start(settings, seen, rng, classes=2)


def _factorial_start(
    settings: FrameHMMSettings, seen: Observed, rng: np.random.Generator
) -> tuple[Transition, Emission]:
    share = _drawn_posteriors(seen, settings.states, rng)
    sounding = share.T @ seen.values["on"] + 0.05
    odds = (sounding / (share.sum(axis=0)[:, None] + 0.1)).clip(1e-3, 1 - 1e-3)
    second = rng.normal(0, 0.3, (settings.second, KEYS))
    emission = FactorialBernoulli(np.log(odds / (1 - odds)).astype(np.float64), second)
    chains = Factorial(_random_chain(settings.states, rng), _random_chain(settings.second, rng))
    return chains, emission


def _serial_start(
    settings: FrameHMMSettings, seen: Observed, rng: np.random.Generator
) -> tuple[Transition, Emission]:
    flat = np.full((settings.states, SYMBOLS + 1, SYMBOLS), 1 / SYMBOLS)
    blank = SerialNotes(flat, np.full(settings.states, 0.5))
    share = _drawn_posteriors(seen, settings.states, rng)
    return _random_chain(settings.states, rng), blank.learned(seen, share, settings.smoothing)


Start = Callable[[FrameHMMSettings, Observed, np.random.Generator], tuple[Transition, Emission]]
EMISSIONS: Mapping[str, Start] = {
    "bernoulli": _plain_start,
    "autoregressive": _autoregressive_start,
    "factorial": _factorial_start,
    "serial": _serial_start,
}
