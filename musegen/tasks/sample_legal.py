"""What a stored model of rolls writes under the hard rules of a style: chorales in plain chords.

A plan is drawn: phrases, keys, cadences, a chord a beat from those that the plan offers.
The model draws frame after frame; a frame is read as one of the slot's chords and voicings that have its
notes, each as likely; and of all that may come so, only what keeps every hard rule is left. What is drawn
has that distribution, as far as the particles go (`musegen.search.particles`): rules forbid, their
milder costs do not count. Rules that see the whole piece are asked of the finished score, and what they
refuse is drawn again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from musegen.constraints import Problem, build_problem
from musegen.errors import InfeasibleError, OptionError
from musegen.models.protocol import FloatArray, IntArray, SlotModel
from musegen.models.roll_proposals import sonorities
from musegen.plan.planner import make_plan
from musegen.plan.template import load_template
from musegen.search.optimum import first_order_optimum
from musegen.search.particles import MOST_PARTICLES, Particles, weighted_paths
from musegen.search.protocols import State
from musegen.search.strategy import Account, Solution
from musegen.search.worth import path_terms
from musegen.tasks.scorer import ModelScorer
from musegen.tasks.writing import Draft, Options, finish, placed
from musegen.threads import one_thread
from theory_kb.check import load_style
from theory_kb.pitch import Key

__all__ = ["PARTICLES", "RUNS", "UnderRules", "legal_draft"]

FORM = "chorale"
PARTICLES = 32  # where nothing is said
RUNS = 4  # sets of particles, for a piece that rules on the whole of it refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderRules:
    """What is to be written, and how closely it follows the model."""

    key: str = "C major"
    metre: str | None = None  # such as "3/4"; None takes the form's first
    style: str = "bach"  # name of a style, or path of a style file
    particles: int = (
        PARTICLES  # the more, the nearer to the model's own distribution under the rules
    )

    def __post_init__(self) -> None:
        """Check the range."""
        if not 1 <= self.particles <= MOST_PARTICLES:
            raise OptionError("--particles", self.particles, f"from 1 to {MOST_PARTICLES}")


def legal_draft(
    model: SlotModel,
    wanted: UnderRules,
    *,
    rng: np.random.Generator,
    seed: int = 0,
) -> Draft:
    """One piece that a model draws under the hard rules, in plain chords.

    Args:
        model: a proposer, such as `musegen.models.roll_proposals.load_proposer` gives.
        wanted: key, style, number of particles.
        rng: draws the plan, the particles and the piece.
        seed: that the piece names.

    Raises:
        UnknownNameError: no such style or metre.
        PitchError: the key is none.
        InfeasibleError: the hard rules leave no piece, or refused all that were drawn.
        DeadEndError: no particle found a way that rules which look further back allow.
    """
    template = load_template(FORM, metre=wanted.metre)
    plan = make_plan(template, Key.parse(wanted.key), rng=rng)
    style = load_style(wanted.style)
    with placed(plan, style):
        problem = build_problem(plan, style, dear=np.inf)
    scorer = ModelScorer.of(problem, {model.name: model}, {model.name: 1.0})
    options = Options(
        seed=seed, style=wanted.style, models=(model.name,), weights=scorer.weights, figures=False
    )
    with one_thread():
        return _first_whole(options, problem, scorer, wanted.particles, rng)


def _first_whole(
    options: Options,
    problem: Problem,
    scorer: ModelScorer,
    particles: int,
    rng: np.random.Generator,
) -> Draft:
    """The first draw that rules on the whole piece allow; those they refuse lose their weight."""
    read = _Read.of(scorer, problem)
    refused: InfeasibleError | None = None
    for _ in range(RUNS):
        found: Particles | None
        with placed(problem.plan, problem.style):
            found = weighted_paths(
                problem.lattice,
                read,
                rng=rng,
                particles=particles,
                look_back=problem.long_rules,
            )
        while found is not None:
            path = found.drawn(rng)
            try:
                return finish(options, problem, scorer, _solution(problem, scorer, path), rng)
            except InfeasibleError as error:
                refused, found = error, _without(found, path)
    assert refused is not None  # every run has one path or more
    raise InfeasibleError(
        refused.slot,
        f"{refused.problem}; so for all of {RUNS} sets of {particles} particles",
        placed=True,
    )


def _without(found: Particles, path: IntArray) -> Particles | None:
    """The others; None if there are none."""
    left = (found.paths != path).any(axis=1)
    if not left.any():
        return None
    return replace(found, paths=found.paths[left], log_weights=found.log_weights[left])


def _solution(problem: Problem, scorer: ModelScorer, path: IntArray) -> Solution:
    found = path_terms(problem.lattice, path, look_back=problem.long_rules, scorer=scorer)
    optimum = first_order_optimum(problem.lattice).cost
    return Solution(path, found, Account(strategy="particles", optimum=optimum, bound=optimum))


@dataclass(frozen=True, slots=True)
class _Read:
    """A scorer of candidates from one of frames: each reading of a frame is as likely as the others."""

    scorer: ModelScorer
    readings: tuple[FloatArray, ...]  # (N,) log of how many candidates have the same notes, a slot

    @classmethod
    def of(cls, scorer: ModelScorer, problem: Problem) -> _Read:
        """Readings among what a slot has left."""
        counts = []
        for candidates, unary in zip(scorer.slots, problem.lattice.unary, strict=True):
            frames = sonorities(candidates.notes)
            there = Counter(
                frame for frame, cost in zip(frames, unary, strict=True) if np.isfinite(cost)
            )
            counts.append(np.log([max(1, there[frame]) for frame in frames]))
        return cls(scorer, tuple(counts))

    def start(self) -> State:
        """As the scorer has it."""
        return self.scorer.start()

    def scores(self, slot: int, state: State, candidates: IntArray) -> FloatArray:
        """Natural-log probabilities (B, U): of the frame, and of this reading of it."""
        found: FloatArray = self.scorer.scores(slot, state, candidates)
        return found - self.readings[slot][candidates]

    def advance(self, slot: int, state: State, parents: IntArray, chosen: IntArray) -> State:
        """As the scorer has it."""
        return self.scorer.advance(slot, state, parents, chosen)
