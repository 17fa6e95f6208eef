"""Hidden Markov models of piano-rolls, with emissions of four kinds on one recursion.

    bernoulli        each key sounds or not, by the state
    autoregressive   each key also by whether it sounded in the frame before
    factorial        two chains of states whose log-odds add up (Ghahramani and Jordan 1997)
    serial           notes from the top down, each by the state and the note above it, mixed with
                     what follows the frame before (an autoregressive HMM whose keys hang together)

Learning is Baum-Welch from several starts; emissions are smoothed towards what does not depend on
the state, and what is kept is the start and the pass that held-out rolls like best. All
likelihoods are exact sums over the states.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from musegen.errors import TrainingError
from musegen.models.context_mixing import ContextMixture, Mixing, count_contexts
from musegen.models.forward_backward import (
    Batch,
    Dense,
    Expected,
    Factorial,
    Transition,
    batch_of,
    forward_log_likelihoods,
    posteriors,
    viterbi,
)
from musegen.models.ngram import passage_of
from musegen.models.rolls import KEYS, SYMBOLS, Roll, as_matrix, check_rolls, serial, transposed
from musegen.models.training import Progress
from musegen.threads import one_thread

__all__ = [
    "EMISSIONS",
    "Emission",
    "FrameHMM",
    "FrameHMMSettings",
    "Observed",
    "SerialNotes",
    "Teller",
    "train_frame_hmm",
]

Real = NDArray[Any]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FLOOR = 1e-6  # least probability of a key that never sounds, so that surprises stay finite
SHARE = 0.1  # of a state's start, the transition's and the emission's, that is drawn at random
NEWTON_STEPS = 3  # of the factorial emission, an M step
FOLDS = 5  # of the training rolls, so that no roll is told by counts of itself
ORDER_ONE = ("last", "frame", "v1", "under1", "prev")  # the frame before, and no further back
TOLD = Mixing(SYMBOLS, (ORDER_ONE,), (), long_escape=8.0, short_escape=1.0)
TRANSPOSITIONS = 5  # semitones up and down by which rolls are counted for serial emissions


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


# --- emissions ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Observed:
    """Rolls as an emission sees them."""

    batch: Batch
    values: Mapping[str, NDArray[Any]]

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.batch.size


class Emission(Protocol):
    """How states sound."""

    def log_likelihoods(self, seen: Observed) -> Real:
        """Natural-log probability (N, S) of each frame in each state."""

    def learned(self, seen: Observed, states: Real, smoothing: float) -> Emission:
        """The M step: the same kind of emission, refitted to posteriors (N, S)."""


@dataclass(frozen=True, slots=True)
class Bernoulli:
    """Each key by the state alone, or by the state and its own value before."""

    odds: FloatArray  # (C, S, 88) probabilities that a key sounds, by its class C

    def log_likelihoods(self, seen: Observed) -> Real:
        """Two matrix products a class of keys."""
        total: Real = np.zeros(1)
        for place, name in enumerate(_classes(len(self.odds))):
            on, off = np.log(self.odds[place]), np.log1p(-self.odds[place])
            here, sounding = seen.values[name], seen.values["on"]
            total = total + here * sounding @ (on - off).T.astype(here.dtype)
            total = total + here @ off.T.astype(here.dtype)
        return total

    def learned(self, seen: Observed, states: Real, smoothing: float) -> Bernoulli:
        """Expected counts, smoothed towards all states together."""
        odds = []
        for name in _classes(len(self.odds)):
            here, sounding = seen.values[name], seen.values["on"]
            counts, sums = states.T @ (here * sounding), states.T @ here
            general = (counts.sum(axis=0) + FLOOR) / (sums.sum(axis=0) + 1)
            odds.append((counts + smoothing * general) / (sums + smoothing))
        return Bernoulli(np.clip(np.stack(odds).astype(np.float64), FLOOR, 1 - FLOOR))


def _classes(count: int) -> tuple[str, ...]:
    """Classes of keys: all alike, or those that were silent and those that sounded before."""
    return ("any",) if count == 1 else ("was off", "was on")


@dataclass(frozen=True, slots=True)
class FactorialBernoulli:
    """Log-odds of each key: one part a state of each chain."""

    first: FloatArray  # (S1, 88)
    second: FloatArray  # (S2, 88)

    @property
    def logits(self) -> FloatArray:
        """Log-odds of each pair of states, (S1 S2, 88)."""
        pairs: FloatArray = (self.first[:, None] + self.second[None]).reshape(-1, KEYS)
        return pairs

    def log_likelihoods(self, seen: Observed) -> Real:
        """log p = x l - log(1 + e^l), added up over keys."""
        logits, on = self.logits, seen.values["on"]
        silent = np.logaddexp(0, logits).sum(axis=1)
        total: Real = on @ logits.T.astype(on.dtype) - silent.astype(on.dtype)
        return total

    def learned(self, seen: Observed, states: Real, smoothing: float) -> FactorialBernoulli:
        """A few damped Newton steps of each chain in turn.

        Smoothing draws the first chain's log-odds towards their mean, the second's towards 0.
        """
        sums = states.sum(axis=0, dtype=np.float64).reshape(len(self.first), len(self.second), 1)
        counts = (states.T @ seen.values["on"]).astype(np.float64).reshape(*sums.shape[:2], KEYS)
        found = self
        for _ in range(NEWTON_STEPS):
            for chain, axis in (("first", 1), ("second", 0)):
                found = found._stepped(chain, axis, sums, counts, smoothing)
        return found

    def _stepped(
        self, chain: str, axis: int, sums: FloatArray, counts: FloatArray, smoothing: float
    ) -> FactorialBernoulli:
        chance = 1 / (1 + np.exp(-self.logits.reshape(counts.shape)))
        part: FloatArray = getattr(self, chain)
        centre = part.mean(axis=0) if chain == "first" else 0.0
        slope = (counts - sums * chance).sum(axis=axis) - smoothing * (part - centre)
        bend = (sums * chance * (1 - chance)).sum(axis=axis) + smoothing
        step = np.clip(slope / bend, -1, 1)
        moved = np.clip(part + step, -14, 14)
        return replace(self, **{chain: moved})


@dataclass(frozen=True, slots=True)
class SerialNotes:
    """Notes from the top down: by the state and the note above, or by the frame before."""

    tables: FloatArray  # (S, 90, 89): symbol after the one above it in the frame, 89 = none
    share: FloatArray  # (S,) how far the state is heeded

    def log_likelihoods(self, seen: Observed) -> Real:
        """Sums over the symbols of each frame."""
        above, symbols = seen.values["above"], seen.values["symbols"]
        told = seen.values["told"][:, None]
        chances = self.share * self.tables[:, above, symbols].T + (1 - self.share) * told
        return _by_frame(np.log(chances), seen)

    def learned(self, seen: Observed, states: Real, smoothing: float) -> SerialNotes:
        """EM of a mixture: how often the state, and not the frame before, told a note."""
        above, symbols = seen.values["above"], seen.values["symbols"]
        own = self.share * self.tables[:, above, symbols].T
        heeded = states[seen.values["frame"]] * own
        heeded /= own + (1 - self.share) * seen.values["told"][:, None]
        cells = above * SYMBOLS + symbols
        counts = np.stack(
            [np.bincount(cells, weights=each, minlength=_CELLS) for each in heeded.T]
        ).reshape(-1, SYMBOLS + 1, SYMBOLS)
        general = counts.sum(axis=0) + FLOOR * _BELOW
        general /= general.sum(axis=1, keepdims=True)
        tables = counts + smoothing * general
        tables /= tables.sum(axis=2, keepdims=True)
        total = states[seen.values["frame"]].sum(axis=0)
        share = (heeded.sum(axis=0) + 1) / (total + 2)
        return SerialNotes(tables, share)


_CELLS = (SYMBOLS + 1) * SYMBOLS
_BELOW = np.arange(SYMBOLS) < np.maximum(np.arange(SYMBOLS + 1), 1)[:, None]  # notes descend


def _by_frame(values: Real, seen: Observed) -> Real:
    """Sums (N, S) of the rows of each frame; the symbols of a frame lie side by side."""
    starts = np.flatnonzero(seen.values["above"] == SYMBOLS)
    sums: Real = np.add.reduceat(values, starts, axis=0)
    return sums


# --- what emissions see ---------------------------------------------------------------------


def _observed(rolls: Sequence[Roll], told: Sequence[FloatArray] | None) -> Observed:
    """Rolls as arrays; `told` (by roll) is what the frame before says of each symbol."""
    on = np.concatenate([as_matrix(roll) for roll in rolls]).astype(np.float32)
    firsts = np.cumsum([0, *(len(roll.frames) for roll in rolls[:-1])])
    before = np.vstack([np.zeros((1, KEYS), np.float32), on[:-1]])
    before[firsts] = 0
    spelled = [serial(roll) for roll in rolls]
    frames = zip(spelled, firsts, strict=True)
    values: dict[str, NDArray[Any]] = {
        "on": on,
        "any": np.ones_like(on),
        "was on": before,
        "was off": 1 - before,
        "symbols": np.concatenate([each.symbols for each in spelled]),
        "above": np.concatenate([each.limit for each in spelled]),
        "frame": np.concatenate([each.frame + first for each, first in frames]),
    }
    if told is not None:
        values["told"] = np.concatenate(told)
    return Observed(batch_of([len(roll.frames) for roll in rolls]), values)


@dataclass(frozen=True, slots=True)
class Teller:
    """What follows the frame before: one chain of contexts, counted on rolls."""

    mixture: ContextMixture

    @classmethod
    def on(cls, rolls: Sequence[Roll]) -> Teller:
        """Count rolls, in all transpositions within a few semitones."""
        passages = [passage_of(each) for each in transposed(rolls, TRANSPOSITIONS)]
        counted = count_contexts(TOLD, passages)
        return cls(replace(counted, exponents=np.ones(TOLD.shape)))

    def of(self, rolls: Sequence[Roll]) -> list[FloatArray]:
        """Probability of each symbol of other rolls given the frame before and those above it."""
        return [np.exp(self.mixture.log_probs(passage_of(roll))) for roll in rolls]


def _told_by_others(rolls: Sequence[Roll]) -> list[FloatArray]:
    """Probability of each symbol of rolls, each told by the other folds."""
    found: dict[int, FloatArray] = {}
    for fold in range(FOLDS):
        held = range(fold, len(rolls), FOLDS)
        others = [roll for place, roll in enumerate(rolls) if place % FOLDS != fold]
        told = Teller.on(others or rolls).of([rolls[place] for place in held])
        found |= dict(zip(held, told, strict=True))
    return [found[place] for place in range(len(rolls))]


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
        return f"hmm-{self.settings.emission}"

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

    def observed(self, rolls: Sequence[Roll]) -> Observed:
        """Rolls as its emission sees them."""
        check_rolls(rolls)
        return _observed(rolls, None if self.teller is None else self.teller.of(rolls))


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
    for name, rolls in (("training", train), ("validation", valid)):
        if not rolls:
            raise TrainingError(f"the {name} split is empty, at least one roll is needed")
        check_rolls(rolls)
    teller = Teller.on(train) if settings.emission == "serial" else None
    seen = _observed(train, None if teller is None else _told_by_others(train))
    held_out = _observed(valid, None if teller is None else teller.of(valid))
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
