"""Walking a lattice: hypotheses, their ways on, and what decides which are kept.

The first-order costs come with an exact cost to go, so that nobody walks into a place that cannot
be left, and is guided to where the rest is cheap. Rules that look further back are asked only
about what may still be chosen: they can but make a way dearer, so what already ranks below the
beam need not be judged. With a temperature, Gumbel noise on every step makes the choice a draw
(perturb and maximise, Papandreou and Yuille 2011).

Hypotheses stand in lexicographic order of their paths, and every choice that is a tie falls to the
earlier one: no result depends on how a sort treats equals.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypedDict

import numpy as np

from musegen.search.errors import SearchInputError
from musegen.search.lattice import BoolArray, FloatArray, IntArray, Lattice
from musegen.search.protocols import LookBack, SlotScorer, State

__all__ = [
    "Beam",
    "Expansions",
    "Settings",
    "Terms",
    "Walk",
    "likeliest",
    "terms",
    "total",
]

RULES, LOOK_BACK, MODELS, NOISE = range(4)  # columns of what a hypothesis has gathered so far


class Terms(TypedDict):
    """What makes up the score of a path: costs are negative, so that the terms add up to it."""

    rules: float  # first-order costs, of its candidates and of its pairs
    look_back: float  # costs of rules that look further back
    models: float  # weighted natural-log scores


# --- what does not change while the search walks --------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to walk.

    Raises:
        SearchInputError: a number out of its range.
    """

    width: int = 32  # hypotheses kept
    temperature: float = 0.0  # weight of the noise
    guide: float = 1.0  # weight of the cost to go
    top: int = 1  # paths wanted
    patience: int | None = None  # times to go back before giving up; None: for ever
    pool: int | None = None  # ways on kept for going back, in widths; None: all
    top_k: int | None = None  # ways on that a draw chooses among; None: all
    top_p: float = 1.0  # share of probability that a draw chooses among

    def __post_init__(self) -> None:
        """Check ranges."""
        for name, least in (("width", 1), ("top", 1), ("patience", 0), ("pool", 1), ("top_k", 1)):
            value: int | None = getattr(self, name)
            if value is not None and value < least:
                none = ", or None" if name in ("patience", "pool", "top_k") else ""
                raise SearchInputError(name, value, f"{least} or more{none}")
        for name in ("temperature", "guide"):
            weight: float = getattr(self, name)
            if not 0 <= weight < np.inf:
                raise SearchInputError(name, weight, "0 or more, and finite")
        if not 0 < self.top_p <= 1:
            raise SearchInputError("top_p", self.top_p, "above 0 and at most 1")
        if self.narrow and (self.width > 1 or self.temperature == 0):
            raise SearchInputError(
                "width and temperature with top_k or top_p",
                (self.width, self.temperature),
                "1 and above 0: they narrow a draw",
            )

    @property
    def narrow(self) -> bool:
        """Whether a draw leaves out what is unlikely."""
        return self.top_k is not None or self.top_p < 1


@dataclass(frozen=True, slots=True)
class Walk:
    """A lattice and all that judges ways through it."""

    lattice: Lattice
    onward: tuple[FloatArray, ...]  # cost to go of each candidate, its own left out
    scorer: SlotScorer | None
    look_back: LookBack | None
    settings: Settings
    rng: np.random.Generator | None

    def __post_init__(self) -> None:
        """Check that noise can be drawn."""
        if self.settings.temperature > 0 and self.rng is None:
            raise SearchInputError("rng", None, "a np.random.Generator where there is temperature")

    def start(self) -> Beam:
        """One hypothesis before the first slot."""
        state = None if self.scorer is None else self.scorer.start()
        return Beam(np.zeros((1, 0), np.int64), np.zeros((1, 4)), state)

    def by_costs_alone(self) -> Walk:
        """The same walk without models and without noise."""
        settings = replace(self.settings, guide=1.0, temperature=0.0, top_k=None, top_p=1.0)
        return replace(self, scorer=None, settings=settings)

    def expand(self, beam: Beam) -> Expansions:
        """All ways on from a beam that can reach the end, not yet judged by the long rules."""
        slot = beam.slot
        parents, candidates, steps = self._ways_on(beam)
        sums = beam.sums[parents]
        sums[:, RULES] -= steps + self.lattice.unary[slot][candidates]
        if self.scorer is not None:
            sums[:, MODELS] += self._model_scores(beam, parents, candidates)
        if self.settings.temperature > 0 and self.rng is not None:
            sums[:, NOISE] += self.settings.temperature * self.rng.gumbel(size=len(parents))
        keys = total(sums) + sums[:, NOISE]
        keys -= self.settings.guide * self.onward[slot][candidates]
        possible, none = np.flatnonzero(np.isfinite(keys)), np.zeros(0, np.int64)
        waiting, ready = (none, possible) if self.look_back is None else (possible, none)
        ways = Expansions(beam, parents, candidates, sums, keys, waiting, ready, self.look_back)
        if self.settings.narrow:
            ways.narrow(self.settings)
        return ways

    def _ways_on(self, beam: Beam) -> tuple[IntArray, IntArray, FloatArray]:
        ahead = self.lattice.unary[beam.slot] + self.onward[beam.slot]
        if beam.slot == 0:
            first = np.flatnonzero(np.isfinite(ahead))
            return np.zeros_like(first), first, np.zeros(len(first))
        return self.lattice.pairs[beam.slot - 1].ways(
            ahead, np.ascontiguousarray(beam.paths[:, -1])
        )

    def _model_scores(self, beam: Beam, parents: IntArray, candidates: IntArray) -> FloatArray:
        """Scores (K,) of ways on; the scorer is asked once, for every candidate that any takes."""
        assert self.scorer is not None  # asked only where there is one
        asked = np.zeros(len(self.lattice.unary[beam.slot]), np.bool_)
        asked[candidates] = True
        union = np.flatnonzero(asked)
        scores = self.scorer.scores(beam.slot, beam.state, union)
        if scores.shape != (len(beam.paths), len(union)):
            raise SearchInputError(
                f"scores of slot {beam.slot}",
                f"shape {scores.shape}",
                f"of shape {(len(beam.paths), len(union))}, hypotheses by candidates",
            )
        if np.isnan(scores).any() or (scores == np.inf).any():
            raise SearchInputError(
                f"scores of slot {beam.slot}", "NaN or inf", "finite, or -inf to forbid"
            )
        places = np.cumsum(asked) - 1
        found: FloatArray = scores[parents, places[candidates]]
        return found

    def advance(self, ways: Expansions, rows: IntArray) -> Beam:
        """The beam that takes some of the ways on."""
        parents, candidates = ways.parents[rows], ways.candidates[rows]
        state = ways.beam.state
        if self.scorer is not None:
            state = self.scorer.advance(ways.beam.slot, state, parents, candidates)
        return Beam(ways.paths(rows), ways.sums[rows], state)


# --- hypotheses and their ways on -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Beam:
    """B hypotheses in lexicographic order."""

    paths: IntArray  # (B, t)
    sums: FloatArray  # (B, 4): rules, look_back, models, noise; higher is better
    state: State

    @property
    def slot(self) -> int:
        """The slot that is next."""
        return int(self.paths.shape[1])


@dataclass(slots=True)
class Expansions:
    """Ways on from a beam, given out best first, a beam's width at a time.

    The key of a row that waits is a bound: the long rules, when they are asked, can only lower it.
    """

    beam: Beam
    parents: IntArray  # (K,) ascending
    candidates: IntArray  # (K,) ascending for each parent
    sums: FloatArray  # (K, 4)
    keys: FloatArray  # (K,) what decides: score, noise and guide
    waiting: IntArray  # rows that the long rules have not judged, ascending
    ready: IntArray  # rows that they have judged legal and that were not given out, ascending
    look_back: LookBack | None
    trimmed: bool = False  # whether some that were not given out are forgotten

    def paths(self, rows: IntArray) -> IntArray:
        """Paths (R, t + 1) of some rows."""
        before = self.beam.paths[self.parents[rows]]
        return np.concatenate([before, self.candidates[rows, None]], axis=1)

    def take(self, count: int) -> IntArray:
        """Give out the best rows, ascending, as many as asked for or as there are."""
        self._judge_enough(count)
        rows = _best(self.keys, self.ready, count)
        self.ready = _without(self.ready, rows, len(self.keys))
        return rows

    def _judge_enough(self, count: int) -> None:
        """Judge until none that waits can be among the best `count`, ties included."""
        step = 2 * count
        while len(self.waiting):
            bound = self.keys[self.waiting].max()
            if np.count_nonzero(self.keys[self.ready] > bound) >= count:
                return
            rows = _best(self.keys, self.waiting, step)
            self.waiting = _without(self.waiting, rows, len(self.keys))
            self.ready = np.sort(np.concatenate([self.ready, rows[self._judge(rows)]]))
            step *= 2

    def _judge(self, rows: IntArray) -> BoolArray:
        """Charge rows for the long rules; says which are legal."""
        assert self.look_back is not None  # without long rules nothing waits
        slot, paths = self.beam.slot, self.beam.paths
        costs = self.look_back.costs(slot, paths, self.parents[rows], self.candidates[rows])
        if costs.shape != rows.shape or not (costs >= 0).all():
            raise SearchInputError(
                f"look-back costs of slot {slot}",
                f"shape {costs.shape}, least {costs.min(initial=np.inf)}",
                f"0 or more, of shape {rows.shape}",
            )
        self.sums[rows, LOOK_BACK] -= costs
        self.keys[rows] -= costs
        return np.isfinite(costs)

    def allowed(self) -> IntArray:
        """All rows, ascending, that the long rules allow; before any is given out."""
        if len(self.waiting):
            self.ready = self.waiting[self._judge(self.waiting)]
            self.waiting = np.zeros(0, np.int64)
        return self.ready

    def narrow(self, settings: Settings) -> None:
        """Leave to a draw only the likeliest ways, long rules counted in, as they weigh in it."""
        self.allowed()
        likely = (self.keys - self.sums[:, NOISE])[self.ready] / settings.temperature
        self.ready = self.ready[likeliest(likely, settings.top_k, settings.top_p)]

    def trim(self, count: int) -> None:
        """Keep the best `count` of what was not given out, and free the rest."""
        self.trimmed |= len(self.ready) + len(self.waiting) > count
        waits = np.zeros(len(self.keys), np.bool_)
        waits[self.waiting] = True
        kept = _best(self.keys, np.sort(np.concatenate([self.ready, self.waiting])), count)
        waits = waits[kept]
        self.parents, self.candidates = self.parents[kept], self.candidates[kept]
        self.sums, self.keys = self.sums[kept], self.keys[kept]
        self.ready, self.waiting = np.flatnonzero(~waits), np.flatnonzero(waits)


def total(sums: FloatArray) -> FloatArray:
    """Scores (K,) without noise; the order of the additions is fixed."""
    scores: FloatArray = sums[:, MODELS] + sums[:, RULES] + sums[:, LOOK_BACK]
    return scores


def likeliest(logits: FloatArray, top_k: int | None, top_p: float) -> IntArray:
    """Places, ascending, of the `top_k` highest logits, and of these the fewest that hold `top_p`.

    Top-k after Fan, Lewis and Dauphin (2018), the nucleus after Holtzman and others (2020); what
    `top_p` is a share of is the probability that `top_k` leaves. One at least is left of any.
    """
    order = np.lexsort((np.arange(len(logits)), -logits))[:top_k]
    if top_p < 1 and len(order):
        shares = np.exp(logits[order] - logits[order[0]])
        before = np.cumsum(shares) - shares
        order = order[before < top_p * shares.sum()]
    kept: IntArray = np.sort(order)
    return kept


def _best(keys: FloatArray, rows: IntArray, count: int) -> IntArray:
    """The rows with the `count` highest keys, ascending; ties fall to the smaller rows."""
    if len(rows) <= count:
        return rows
    values = keys[rows]
    edge = np.partition(values, len(rows) - count)[len(rows) - count]
    above = values > edge
    at_edge = np.flatnonzero(values == edge)[: count - np.count_nonzero(above)]
    above[at_edge] = True
    best: IntArray = rows[above]
    return best


def _without(rows: IntArray, taken: IntArray, size: int) -> IntArray:
    """Rows below `size` that are not taken, in the same order."""
    gone = np.zeros(size, np.bool_)
    gone[taken] = True
    return rows[~gone[rows]]


def terms(sums: FloatArray) -> Terms:
    """What one hypothesis has gathered, (4,), by name."""
    return Terms(
        rules=float(sums[RULES]), look_back=float(sums[LOOK_BACK]), models=float(sums[MODELS])
    )
