"""What rules on whole lines would say of a beginning if it ended here, as a guide of the search.

A line that has reached its highest note twice, or has no suspension yet, may still mend it; so these
rules charge nothing before the end (`musegen.species.judge`). For the choice of what to keep, though,
a beginning counts as worse by what is wrong so far, and gets that back as soon as it is mended, at
the last slot in any case. So no complete path gains or loses by it: potential-based shaping (Ng,
Harada and Russell, Policy invariance under reward transformations, 1999).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from musegen.search.lattice import FloatArray, IntArray
from musegen.species.judge import LineJudge

__all__ = ["Foresight", "Outlook"]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What B hypotheses have chosen, and what was held against them at the downbeat before."""

    paths: IntArray  # (B, t)
    held: FloatArray  # (B,) nats


@dataclass(frozen=True)
class Foresight:
    """A `SlotScorer` that says the same of all candidates after a hypothesis."""

    judge: LineJudge

    def start(self) -> Outlook:
        """Nothing chosen, nothing held against it."""
        return Outlook(np.zeros((1, 0), np.int64), np.zeros(1))

    def scores(self, slot: int, state: Outlook, candidates: IntArray) -> FloatArray:
        """What is newly wrong, negative, or mended; (B, U)."""
        change = state.held - self._held(slot, state)
        return np.repeat(change[:, None], len(candidates), axis=1)

    def advance(self, slot: int, state: Outlook, parents: IntArray, chosen: IntArray) -> Outlook:
        """The hypotheses that go on."""
        paths = np.concatenate([state.paths[parents], chosen[:, None]], axis=1)
        return Outlook(paths, self._held(slot, state)[parents])

    def _held(self, slot: int, state: Outlook) -> FloatArray:
        """What is held against each hypothesis once the slot before was a downbeat, (B,)."""
        slots = self.judge.problem.slots
        if slot == len(slots) - 1:
            return np.zeros(len(state.paths))
        if slot == 0 or slots[slot - 1].time.offset:
            return state.held
        return np.array([self.judge.provisional(path) for path in state.paths])
