"""Beam search over a lattice, with models to propose and long rules to look back.

The first-order costs come with an exact cost to go, so that the beam never walks into a place it
cannot leave. Rules that look further back are asked for each expansion. Where they leave nothing,
the search goes back to what it cut before (limited discrepancy, Harvey and Ginsberg 1995) until a
path is found or its patience ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from musegen.search.errors import DeadEndError
from musegen.search.lattice import BoolArray, FloatArray, IntArray, Lattice
from musegen.search.optimum import first_order_optimum
from musegen.search.reachability import alive, costs_to_go

__all__ = ["BeamResult", "LookBack", "SlotScorer", "Terms", "beam_gap", "beam_search"]

PATIENCE = 200  # times the search goes back before it gives up
POOL = 8  # expansions kept for going back, in multiples of the width


class SlotScorer(Protocol):
    """What the models say, as one."""

    def start(self) -> Any:
        """State of one hypothesis before the first slot."""

    def scores(self, slot: int, state: Any, candidates: IntArray) -> FloatArray:
        """Weighted natural-log scores (B, U) of candidates of a slot."""

    def advance(self, slot: int, state: Any, parents: IntArray, chosen: IntArray) -> Any:
        """States of new hypotheses: parents (B',) and chosen candidates (B',)."""


class LookBack(Protocol):
    """Rules that look further back than one slot."""

    def costs(
        self, slot: int, paths: IntArray, parents: IntArray, candidates: IntArray
    ) -> FloatArray:
        """Cost (K,) of expanding paths[parents] (K,) by candidates (K,); inf = forbidden."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a path is worth, apart."""

    rules: float  # first-order costs: own and of neighbours
    look_back: float  # costs of rules that look further back
    models: float  # weighted log-scores

    @property
    def score(self) -> float:
        """Total, higher is better."""
        return self.models - self.rules - self.look_back


@dataclass(frozen=True, slots=True)
class BeamResult:
    """Complete paths, best first."""

    paths: tuple[IntArray, ...]  # (T,) each
    terms: tuple[Terms, ...]
    discrepancies: int  # times the search had to go back


@dataclass(frozen=True, slots=True)
class _Beam:
    """B hypotheses after some slots."""

    paths: IntArray  # (B, t)
    terms: FloatArray  # (B, 3): rules, look_back, models
    noise: FloatArray  # (B,)
    state: Any


@dataclass(frozen=True, slots=True)
class _Expansions:
    """Children of a beam, best first."""

    parents: IntArray
    candidates: IntArray
    terms: FloatArray  # (K, 3)
    noise: FloatArray  # (K,)

    def take(self, begin: int, end: int) -> _Expansions:
        rows = slice(begin, end)
        return _Expansions(self.parents[rows], self.candidates[rows], self.terms[rows],
                           self.noise[rows])

    def __len__(self) -> int:
        return len(self.parents)


def beam_search(
    lattice: Lattice, *, scorer: SlotScorer | None = None, look_back: LookBack | None = None,
    width: int = 32, rng: np.random.Generator | None = None, temperature: float = 0.0,
    guide: float = 1.0, top: int = 1, patience: int = PATIENCE,
) -> BeamResult:
    """Find good complete paths.

    Args:
        lattice: candidates and first-order costs.
        scorer: what models propose; None leaves the costs alone.
        look_back: rules that look further back; None if there are none.
        width: hypotheses kept.
        rng: draws the noise; needed with a temperature.
        temperature: weight of Gumbel noise on each expansion; it decides what is kept, not what
            a path is said to be worth.
        guide: weight of the exact first-order cost to go in the choice of what is kept.
        top: how many paths to return.
        patience: how often to go back before giving up.

    Raises:
        InfeasibleError: no complete path under the first-order rules.
        DeadEndError: the long rules left none within the patience.
    """
    walk = _Walk(lattice, scorer, look_back, width, rng, temperature, guide, alive(lattice),
                 costs_to_go(lattice))
    stack: list[tuple[_Beam, _Expansions]] = []
    beam = walk.start()
    discrepancies = 0
    slot = 0
    while slot < len(lattice.unary):
        grown = walk.grow(slot, beam)
        stack.append((beam, grown))
        while len(stack[-1][1]) == 0:
            stack.pop()
            discrepancies += 1
            if not stack or discrepancies > patience:
                raise DeadEndError(slot, discrepancies)
        beam, grown = stack[-1]
        slot = len(stack) - 1
        stack[-1] = (beam, grown.take(width, width * POOL))
        beam = walk.advance(slot, beam, grown.take(0, width))
        slot += 1
    best = np.argsort(-(beam.terms @ SIGNS + beam.noise), kind="stable")[:top]
    return BeamResult(
        tuple(beam.paths[row] for row in best),
        tuple(Terms(*(float(value) for value in beam.terms[row])) for row in best),
        discrepancies,
    )


SIGNS = np.array([-1.0, -1.0, 1.0])  # rules and long rules cost, models give


@dataclass(frozen=True, slots=True)
class _Walk:
    """One search: what does not change while it walks."""

    lattice: Lattice
    scorer: SlotScorer | None
    look_back: LookBack | None
    width: int
    rng: np.random.Generator | None
    temperature: float
    guide: float
    live: tuple[BoolArray, ...]
    goes: tuple[FloatArray, ...]

    def start(self) -> _Beam:
        state = self.scorer.start() if self.scorer else None
        return _Beam(np.zeros((1, 0), np.int64), np.zeros((1, 3)), np.zeros(1), state)

    def grow(self, slot: int, beam: _Beam) -> _Expansions:
        """All legal children of a beam, best first, as many as may be needed."""
        parents, candidates, pair_costs = self._successors(slot, beam)
        terms = beam.terms[parents].copy()
        terms[:, 0] += pair_costs + self.lattice.unary[slot][candidates]
        if self.look_back is not None and len(parents):
            terms[:, 1] += self.look_back.costs(slot, beam.paths, parents, candidates)
        legal = np.isfinite(terms).all(axis=1)
        parents, candidates, terms = parents[legal], candidates[legal], terms[legal]
        if self.scorer is not None and len(parents):
            terms[:, 2] += self._model_scores(slot, beam, parents, candidates)
        noise = beam.noise[parents]
        if self.temperature > 0 and self.rng is not None:
            noise = noise + self.temperature * self.rng.gumbel(size=len(parents))
        ahead = self.goes[slot][candidates] - self.lattice.unary[slot][candidates]
        key = terms @ SIGNS + noise - self.guide * ahead
        order = np.lexsort((candidates, parents, -key))[: self.width * POOL]
        return _Expansions(parents[order], candidates[order], terms[order], noise[order])

    def _successors(self, slot: int, beam: _Beam) -> tuple[IntArray, IntArray, FloatArray]:
        if slot == 0:
            candidates = np.flatnonzero(self.live[0])
            return np.zeros(len(candidates), np.int64), candidates, np.zeros(len(candidates))
        table = self.lattice.pairs[slot - 1]
        last = beam.paths[:, -1]
        begins, counts = table.indptr[last], table.indptr[last + 1] - table.indptr[last]
        parents = np.repeat(np.arange(len(last)), counts)
        firsts = np.repeat(np.cumsum(counts) - counts, counts)
        places = np.repeat(begins, counts) + np.arange(len(parents)) - firsts
        candidates = table.successors[places].astype(np.int64)
        live = self.live[slot][candidates]
        return parents[live], candidates[live], table.costs[places][live]

    def _model_scores(
        self, slot: int, beam: _Beam, parents: IntArray, candidates: IntArray
    ) -> FloatArray:
        assert self.scorer is not None  # asked only where there is one
        union, index = np.unique(candidates, return_inverse=True)
        scores = self.scorer.scores(slot, beam.state, union)
        found: FloatArray = scores[parents, index]
        return found

    def advance(self, slot: int, beam: _Beam, chosen: _Expansions) -> _Beam:
        paths = np.concatenate([beam.paths[chosen.parents], chosen.candidates[:, None]], axis=1)
        state = beam.state
        if self.scorer is not None:
            state = self.scorer.advance(slot, state, chosen.parents, chosen.candidates)
        return _Beam(paths, chosen.terms, chosen.noise, state)


def beam_gap(lattice: Lattice, width: int) -> tuple[float, float]:
    """First-order cost that a beam of this width finds without its guide, and the exact optimum."""
    found = beam_search(lattice, width=width, guide=0.0)
    return found.terms[0].rules, first_order_optimum(lattice).cost
