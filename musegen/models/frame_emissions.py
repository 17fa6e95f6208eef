"""Emissions of hidden Markov models of piano-rolls: how a state sounds, learns, and is drawn.

bernoulli        each key sounds or not, by the state
autoregressive   each key also by whether it sounded in the frame before
factorial        two chains of states whose log-odds add up (Ghahramani and Jordan 1997)
serial           notes from the top down, each by the state and the note above it, mixed with
what follows the frame before
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from musegen.models.context_mixing import ContextMixture, Mixing, count_contexts
from musegen.models.forward_backward import Batch, batch_of
from musegen.models.ngram import FRAMES, passage_of
from musegen.models.rolls import (
    END,
    KEYS,
    LOWEST,
    SYMBOLS,
    Frame,
    Roll,
    as_matrix,
    serial,
    transposed,
)

__all__ = [
    "Bernoulli",
    "Emission",
    "FactorialBernoulli",
    "Observed",
    "SerialNotes",
    "Teller",
    "observe",
    "told_by_others",
]

Real = NDArray[Any]
FloatArray = NDArray[np.float64]

FLOOR = 1e-6  # least probability of a key that never sounds, so that surprises stay finite
NEWTON_STEPS = 3  # of the factorial emission, an M step
FOLDS = 5  # of the training rolls, so that no roll is told by counts of itself
ORDER_ONE = ("last", "frame", "v1", "under1", "prev")  # the frame before, and no further back
TOLD = Mixing(SYMBOLS, (ORDER_ONE,), (), long_escape=8.0, short_escape=1.0)
TRANSPOSITIONS = 5  # semitones up and down by which rolls are counted for serial emissions


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

    def drawn(
        self,
        state: int,
        before: Sequence[Frame],
        teller: Teller | None,
        rng: np.random.Generator,
    ) -> Frame:
        """A frame of a state after those before it."""


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

    def drawn(
        self,
        state: int,
        before: Sequence[Frame],
        teller: Teller | None,
        rng: np.random.Generator,
    ) -> Frame:
        """Each key by itself."""
        del teller
        last = as_matrix(Roll("", (before[-1] if before else (),)))[0].astype(np.int64)
        kinds = last if len(self.odds) > 1 else np.zeros(KEYS, np.int64)
        return _sounding(self.odds[kinds, state, np.arange(KEYS)], rng)


def _sounding(chances: FloatArray, rng: np.random.Generator) -> Frame:
    """A frame of keys (88,) that sound or not, each by its own chance."""
    return tuple((np.flatnonzero(rng.random(KEYS) < chances) + LOWEST).tolist())


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

    def drawn(
        self,
        state: int,
        before: Sequence[Frame],
        teller: Teller | None,
        rng: np.random.Generator,
    ) -> Frame:
        """Each key by itself, by the pair of states."""
        del before, teller
        return _sounding(1 / (1 + np.exp(-self.logits[state])), rng)

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

    def drawn(
        self,
        state: int,
        before: Sequence[Frame],
        teller: Teller | None,
        rng: np.random.Generator,
    ) -> Frame:
        """Notes from the top down."""
        assert teller is not None  # serial emissions have one
        notes: list[int] = []
        above, share = SYMBOLS, self.share[state]
        while True:
            chances = share * self.tables[state, above] + (1 - share) * teller.next(before, notes)
            symbol = int(rng.choice(SYMBOLS, p=chances / chances.sum()))
            if symbol == END:
                return tuple(reversed(notes))
            notes.append(symbol + LOWEST - 1)
            above = symbol


_CELLS = (SYMBOLS + 1) * SYMBOLS
_BELOW = np.arange(SYMBOLS) < np.maximum(np.arange(SYMBOLS + 1), 1)[:, None]  # notes descend


def _by_frame(values: Real, seen: Observed) -> Real:
    """Sums (N, S) of the rows of each frame; the symbols of a frame lie side by side."""
    starts = np.flatnonzero(seen.values["above"] == SYMBOLS)
    sums: Real = np.add.reduceat(values, starts, axis=0)
    return sums


# --- what emissions see ---------------------------------------------------------------------


def observe(rolls: Sequence[Roll], told: Sequence[FloatArray] | None) -> Observed:
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
    counted: tuple[Roll, ...]  # the rolls whose counts the mixture holds

    @classmethod
    def on(cls, rolls: Sequence[Roll]) -> Teller:
        """Count rolls, in all transpositions within a few semitones."""
        passages = [passage_of(each) for each in transposed(rolls, TRANSPOSITIONS)]
        counted = count_contexts(TOLD, passages)
        return cls(replace(counted, exponents=np.ones(TOLD.shape)), tuple(rolls))

    def next(self, before: Sequence[Frame], notes: Sequence[int]) -> FloatArray:
        """Distribution (S,) of the symbol after some frames and the first notes of the next."""
        frames = (*before[-FRAMES:], tuple(reversed(notes)))
        place = passage_of(Roll("", frames)).last
        logs, depths = self.mixture.experts(place)
        chances: FloatArray = np.exp(self.mixture.mixed(logs, depths, place.beyond(SYMBOLS))[0])
        return chances

    def of(self, rolls: Sequence[Roll]) -> list[FloatArray]:
        """Probability of each symbol of other rolls given the frame before and those above it."""
        return [np.exp(self.mixture.log_probs(passage_of(roll))) for roll in rolls]


def told_by_others(rolls: Sequence[Roll]) -> list[FloatArray]:
    """Probability of each symbol of rolls, each told by the other folds."""
    found: dict[int, FloatArray] = {}
    for fold in range(FOLDS):
        held = range(fold, len(rolls), FOLDS)
        others = [roll for place, roll in enumerate(rolls) if place % FOLDS != fold]
        told = Teller.on(others or rolls).of([rolls[place] for place in held])
        found |= dict(zip(held, told, strict=True))
    return [found[place] for place in range(len(rolls))]
