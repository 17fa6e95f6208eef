"""All models of a piece as one scorer of the beam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from musegen.constraints import Problem
from musegen.models.protocol import Candidates, FloatArray, IntArray, SlotModel, State
from musegen.proposals import candidates_for_models, features

__all__ = ["ModelScorer", "path_log_scores"]


@dataclass(frozen=True, slots=True)
class ModelScorer:
    """Weighted sum of the models' log-scores, over the candidates of a problem."""

    models: Mapping[str, SlotModel]
    weights: Mapping[str, float]
    slots: tuple[Candidates, ...]
    features: IntArray  # (T, F)

    @classmethod
    def of(
        cls, problem: Problem, models: Mapping[str, SlotModel], weights: Mapping[str, float]
    ) -> ModelScorer:
        """The scorer of a problem's candidates."""
        plan = problem.plan
        slots = tuple(candidates_for_models(problem, place) for place in range(len(plan.slots)))
        rows = np.stack([features(slot, plan.home) for slot in plan.slots])
        return cls(models, weights, slots, rows)

    def start(self) -> tuple[State, ...]:
        """States of one hypothesis before the first slot, one a model."""
        return tuple(model.start(self.features) for model in self.models.values())

    def scores(self, slot: int, state: Sequence[State], candidates: IntArray) -> FloatArray:
        """Weighted log-scores (B, U) of the candidates of a slot."""
        chosen = subset(self.slots[slot], candidates)
        terms = [
            self.weights[name] * model.log_scores(one, chosen)
            for (name, model), one in zip(self.models.items(), state, strict=True)
        ]
        total: FloatArray = np.sum(terms, axis=0)
        return total

    def advance(
        self, slot: int, state: Sequence[State], parents: IntArray, chosen: IntArray
    ) -> tuple[State, ...]:
        """States of the new hypotheses."""
        return tuple(
            model.advance(one, self.slots[slot], parents, chosen)
            for model, one in zip(self.models.values(), state, strict=True)
        )


def subset(candidates: Candidates, chosen: IntArray) -> Candidates:
    """Some of the candidates of a slot."""
    return Candidates(candidates.notes[chosen], candidates.chords[chosen], candidates.features)


def path_log_scores(scorer: ModelScorer, path: IntArray) -> dict[str, FloatArray]:
    """Each model's log-score (T,) of the candidates on a path, unweighted, in nats."""
    found: dict[str, FloatArray] = {}
    root = np.zeros(1, np.int64)
    for name, model in scorer.models.items():
        state = model.start(scorer.features)
        values = np.empty(len(path))
        for place, choice in enumerate(path):
            candidates = scorer.slots[place]
            values[place] = model.log_scores(state, candidates)[0, choice]
            state = model.advance(state, candidates, root, np.array([choice]))
        found[name] = values
    return found
