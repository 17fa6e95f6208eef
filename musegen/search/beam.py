"""Beam search over a lattice, with models to propose and long rules to look back.

The first-order costs come with an exact cost to go, so that the beam never walks into a place it
cannot leave, and is guided to where the rest is cheap. Rules that look further back are asked
only about what may still be chosen: they can but make a way dearer, so what already ranks below
the beam need not be judged. Where they leave nothing, the search goes back to the latest slot at
which the width cut something off and takes the next best from there, by a whole beam at a time
(limited discrepancy, Harvey and Ginsberg 1995; as beam stack search, Zhou and Hansen 2005), until
a path is found or its patience ends. With a temperature, Gumbel noise on every step makes the
choice a draw (perturb and maximise, Papandreou and Yuille 2011).

Hypotheses stand in lexicographic order of their paths, and every choice that is a tie falls to the
earlier one: no result depends on how a sort treats equals.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypedDict

import numpy as np

from musegen.search.errors import DeadEndError, SearchInputError
from musegen.search.kernels import grow
from musegen.search.lattice import BoolArray, FloatArray, IntArray, Lattice
from musegen.search.optimum import first_order_optimum
from musegen.search.protocols import LookBack, ShouldStop, SlotScorer, State
from musegen.search.reachability import alive, costs_to_go

__all__ = ["BeamResult", "Terms", "beam_gap", "beam_search"]

PATIENCE = 1000  # times the search goes back before it gives up
POOL = 32  # expansions of a slot that are kept for going back, in multiples of the width

LONG_RULES = "rules that look further back than one slot, or models,"
RULES, LOOK_BACK, MODELS, NOISE = range(4)  # columns of what a hypothesis has gathered so far


class Terms(TypedDict):
    """What makes up the score of a path: costs are negative, so that the terms add up to it."""

    rules: float  # first-order costs, of its candidates and of its pairs
    look_back: float  # costs of rules that look further back
    models: float  # weighted natural-log scores


@dataclass(frozen=True, slots=True)
class BeamResult:
    """Complete paths, best first, and what it took to find them."""

    paths: tuple[IntArray, ...]  # (T,) each
    scores: tuple[float, ...]  # one a path, descending, without noise: the sum of its terms
    terms: tuple[Terms, ...]  # one a path
    expanded: int  # ways on that were listed in all slots together
    discrepancies: int  # times the search had to go back
    stopped: int | None  # first slot that the models did not score, None if they scored all

    @property
    def complete(self) -> bool:
        """Whether the search ran to its end without being stopped."""
        return self.stopped is None


def beam_search(  # noqa: PLR0913 - one keyword an option, each with a default
    lattice: Lattice,
    *,
    scorer: SlotScorer | None = None,
    look_back: LookBack | None = None,
    width: int = 32,
    rng: np.random.Generator | None = None,
    temperature: float = 0.0,
    guide: float = 1.0,
    top: int = 1,
    distance: int = 1,
    patience: int = PATIENCE,
    pool: int | None = POOL,
    should_stop: ShouldStop | None = None,
) -> BeamResult:
    """Find good complete paths.

    Args:
        lattice: candidates and first-order costs.
        scorer: what models propose; None leaves the costs alone.
        look_back: rules that look further back; None if there are none.
        width: hypotheses kept.
        rng: draws the noise; needed with a temperature.
        temperature: weight of Gumbel noise on each way on; it decides what is kept, not what a
            path is said to be worth.
        guide: weight of the exact first-order cost to go in the choice of what is kept; 0 leaves
            it out, 1 makes it A*'s.
        top: how many paths to return; fewer if the last slot's ways on hold no more.
        distance: slots in which any two returned paths must differ at least.
        patience: how often to go back before giving up.
        pool: ways on that each slot keeps for going back, in multiples of the width; None keeps
            all, which together with boundless patience makes the search complete.
        should_stop: asked before each slot. Once it says True, the models are asked no more and
            the rest is completed by costs alone, long rules held.

    Returns:
        One path or more.

    Raises:
        InfeasibleError: there is no complete path under the first-order rules.
        DeadEndError: the long rules left none within the patience.
        SearchInputError: an option out of its range, or an answer of the scorer or of the long
            rules that is none.
    """
    options = _Options(width, temperature, guide, top, distance, patience, pool)
    options.check(rng)
    onward = costs_to_go(lattice)
    if not np.isfinite(lattice.unary[0] + onward[0]).any():
        alive(lattice)  # says where
    walk = _Walk(lattice, onward, scorer, look_back, options, rng)
    return _search(walk, should_stop)


def beam_gap(lattice: Lattice, width: int) -> tuple[float, float]:
    """First-order cost that a beam finds without its guide, and the exact optimum.

    Raises:
        InfeasibleError: there is no complete path.
        SearchInputError: a width below 1.
    """
    found = beam_search(lattice, width=width, guide=0.0)
    return -found.terms[0]["rules"], first_order_optimum(lattice).cost


# --- what does not change while the search walks --------------------------------------------


@dataclass(frozen=True, slots=True)
class _Options:
    width: int
    temperature: float
    guide: float
    top: int
    distance: int
    patience: int
    pool: int | None

    def check(self, rng: np.random.Generator | None) -> None:
        for name, least in (("width", 1), ("top", 1), ("distance", 0), ("patience", 0)):
            value: int = getattr(self, name)
            if value < least:
                raise SearchInputError(name, value, f"{least} or more")
        if self.pool is not None and self.pool < 1:
            raise SearchInputError("pool", self.pool, "1 or more, or None")
        for name in ("temperature", "guide"):
            weight: float = getattr(self, name)
            if not 0 <= weight < np.inf:
                raise SearchInputError(name, weight, "0 or more, and finite")
        if self.temperature > 0 and rng is None:
            raise SearchInputError("rng", None, "a np.random.Generator where there is temperature")


@dataclass(frozen=True, slots=True)
class _Walk:
    """A lattice and all that judges ways through it."""

    lattice: Lattice
    onward: tuple[FloatArray, ...]  # cost to go of each candidate, its own left out
    scorer: SlotScorer | None
    look_back: LookBack | None
    options: _Options
    rng: np.random.Generator | None

    def start(self) -> _Beam:
        state = None if self.scorer is None else self.scorer.start()
        return _Beam(np.zeros((1, 0), np.int64), np.zeros((1, 4)), state)

    def by_costs_alone(self) -> _Walk:
        options = replace(self.options, guide=1.0, temperature=0.0)
        return replace(self, scorer=None, options=options)

    def expand(self, beam: _Beam) -> _Expansions:
        """All ways on from a beam that can reach the end, not yet judged by the long rules."""
        slot = beam.slot
        parents, candidates, steps = self._ways_on(beam)
        sums = beam.sums[parents]
        sums[:, RULES] -= steps + self.lattice.unary[slot][candidates]
        if self.scorer is not None:
            sums[:, MODELS] += self._model_scores(beam, parents, candidates)
        if self.options.temperature > 0 and self.rng is not None:
            sums[:, NOISE] += self.options.temperature * self.rng.gumbel(size=len(parents))
        keys = _total(sums) + sums[:, NOISE]
        keys -= self.options.guide * self.onward[slot][candidates]
        possible, none = np.flatnonzero(np.isfinite(keys)), np.zeros(0, np.int64)
        waiting, ready = (none, possible) if self.look_back is None else (possible, none)
        return _Expansions(beam, parents, candidates, sums, keys, waiting, ready, self.look_back)

    def _ways_on(self, beam: _Beam) -> tuple[IntArray, IntArray, FloatArray]:
        ahead = self.lattice.unary[beam.slot] + self.onward[beam.slot]
        if beam.slot == 0:
            first = np.flatnonzero(np.isfinite(ahead))
            return np.zeros_like(first), first, np.zeros(len(first))
        table = self.lattice.pairs[beam.slot - 1]
        last = np.ascontiguousarray(beam.paths[:, -1])
        ways: tuple[IntArray, IntArray, FloatArray] = grow(
            table.indptr, table.successors, table.costs, ahead, last
        )
        return ways

    def _model_scores(self, beam: _Beam, parents: IntArray, candidates: IntArray) -> FloatArray:
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

    def advance(self, ways: _Expansions, rows: IntArray) -> _Beam:
        """The beam that takes some of the ways on."""
        parents, candidates = ways.parents[rows], ways.candidates[rows]
        state = ways.beam.state
        if self.scorer is not None:
            state = self.scorer.advance(ways.beam.slot, state, parents, candidates)
        return _Beam(ways.paths(rows), ways.sums[rows], state)


# --- hypotheses and their ways on -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Beam:
    """B hypotheses in lexicographic order."""

    paths: IntArray  # (B, t)
    sums: FloatArray  # (B, 4): rules, look_back, models, noise; higher is better
    state: State

    @property
    def slot(self) -> int:
        """The slot that is next."""
        return int(self.paths.shape[1])


@dataclass(slots=True)
class _Expansions:
    """Ways on from a beam, given out best first, a beam's width at a time.

    The key of a row that waits is a bound: the long rules, when they are asked, can only lower it.
    """

    beam: _Beam
    parents: IntArray  # (K,) ascending
    candidates: IntArray  # (K,) ascending for each parent
    sums: FloatArray  # (K, 4)
    keys: FloatArray  # (K,) what decides: score, noise and guide
    waiting: IntArray  # rows that the long rules have not judged, ascending
    ready: IntArray  # rows that they have judged legal and that were not given out, ascending
    look_back: LookBack | None

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

    def trim(self, count: int) -> None:
        """Keep the best `count` of what was not given out, and free the rest."""
        waits = np.zeros(len(self.keys), np.bool_)
        waits[self.waiting] = True
        kept = _best(self.keys, np.sort(np.concatenate([self.ready, self.waiting])), count)
        waits = waits[kept]
        self.parents, self.candidates = self.parents[kept], self.candidates[kept]
        self.sums, self.keys = self.sums[kept], self.keys[kept]
        self.ready, self.waiting = np.flatnonzero(~waits), np.flatnonzero(waits)


def _total(sums: FloatArray) -> FloatArray:
    """Scores without noise; the order of the additions is fixed."""
    total: FloatArray = sums[:, MODELS] + sums[:, RULES] + sums[:, LOOK_BACK]
    return total


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


# --- the search itself ----------------------------------------------------------------------


def _search(walk: _Walk, should_stop: ShouldStop | None) -> BeamResult:
    """Walk to the last slot, going back where nothing is left."""
    last = len(walk.lattice.unary) - 1
    track = _Track(walk.options)
    beam = walk.start()
    while True:
        if track.stopped is None and should_stop is not None and should_stop():
            walk, track.stopped = walk.by_costs_alone(), beam.slot
        ways, rows = track.go_on(walk.expand(beam))
        if ways.beam.slot == last:
            return _result(ways, rows, track)
        beam = walk.advance(ways, rows)
        if walk.options.pool is not None:
            ways.trim(walk.options.pool * walk.options.width)


class _Track:
    """The slots that were passed, each with the ways on that were not taken."""

    def __init__(self, options: _Options) -> None:
        self.options = options
        self.open: list[_Expansions] = []
        self.expanded = 0
        self.discrepancies = 0
        self.furthest = 0
        self.stopped: int | None = None

    def go_on(self, ways: _Expansions) -> tuple[_Expansions, IntArray]:
        """The next ways to take: of this slot if there are any, else of the latest that has some."""
        self.open.append(ways)
        self.expanded += len(ways.keys)
        self.furthest = max(self.furthest, ways.beam.slot)
        rows = ways.take(self.options.width)
        if not len(rows):
            self._count_discrepancy()
            rows = self._back_up()
        return self.open[-1], rows

    def _back_up(self) -> IntArray:
        while self.open:
            rows = self.open[-1].take(self.options.width)
            if len(rows):
                if self.stopped is not None:
                    self.stopped = min(self.stopped, len(self.open))
                return rows
            self.open.pop()
        raise DeadEndError(
            self.furthest,
            f"{LONG_RULES} forbid every way on that was kept; went back "
            f"{self.discrepancies - 1} times",
        )

    def _count_discrepancy(self) -> None:
        if self.discrepancies == self.options.patience:
            raise DeadEndError(
                self.furthest,
                f"{LONG_RULES} forbid every way on; gave up after going back "
                f"{self.discrepancies} times, as often as patience allows",
            )
        self.discrepancies += 1


def _result(ways: _Expansions, rows: IntArray, track: _Track) -> BeamResult:
    """The best complete paths that differ enough, in order of their scores."""
    chosen: list[int] = []
    while len(rows) and len(chosen) < track.options.top:
        ranked = rows[np.lexsort((rows, -ways.keys[rows]))]
        chosen = _different(ways, chosen, ranked, track.options)
        rows = ways.take(track.options.width)
    order = np.array(chosen)
    scores = _total(ways.sums[order])
    order = order[np.lexsort((order, -scores))]
    return BeamResult(
        tuple(ways.paths(order)),
        tuple(float(score) for score in _total(ways.sums[order])),
        tuple(_terms(sums) for sums in ways.sums[order]),
        track.expanded,
        track.discrepancies,
        track.stopped,
    )


def _different(
    ways: _Expansions, chosen: list[int], ranked: IntArray, options: _Options
) -> list[int]:
    """Rows chosen so far, and the best of some more that differ from them in enough slots."""
    far = list(chosen)
    for row in ranked.tolist():
        if len(far) == options.top:
            break
        paths = ways.paths(np.array([*far, row]))
        if ((paths[:-1] != paths[-1]).sum(axis=1) >= options.distance).all():
            far.append(row)
    return far


def _terms(sums: FloatArray) -> Terms:
    return Terms(
        rules=float(sums[RULES]), look_back=float(sums[LOOK_BACK]), models=float(sums[MODELS])
    )
