"""The seams of the search: who proposes, and who looks back.

Candidates are named by their index in a slot, hypotheses by their place in the beam. What a
candidate stands for is the business of whoever implements these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from musegen.search.lattice import FloatArray, IntArray

__all__ = ["Clock", "LookBack", "Measure", "ShouldStop", "SlotScorer", "State", "Stateful"]

State = Any  # a scorer's own value for B hypotheses; opaque to the search, never mutated
ShouldStop = Callable[[], bool]  # asked once a slot; True ends the scoring
Clock = Callable[[], float]  # seconds from any time on; the search has none of its own
Measure = Callable[[int, int], IntArray]  # slot, candidate -> how far from it each (N,) is; >= 0


class SlotScorer(Protocol):
    """What the models say, as one: weighted natural logs, higher is better."""

    def start(self) -> State:
        """State of one hypothesis (B = 1) before the first slot."""

    def scores(self, slot: int, state: State, candidates: IntArray) -> FloatArray:
        """Scores (B, U) of the candidates (U,), ascending, after each hypothesis; -inf forbids."""

    def advance(self, slot: int, state: State, parents: IntArray, chosen: IntArray) -> State:
        """State of B' new hypotheses: old ones (B',) and the candidates (B',) they go on with."""


class LookBack(Protocol):
    """Rules that look further back than one slot."""

    def costs(
        self, slot: int, paths: IntArray, parents: IntArray, candidates: IntArray
    ) -> FloatArray:
        """Costs (K,) of going on to candidates (K,) from paths[parents]; inf = forbidden.

        Costs are never negative, so that the search need ask only for what may still be chosen.

        Args:
            slot: of the candidates.
            paths: (B, slot) candidates chosen so far, one row a hypothesis.
            parents: (K,) rows of `paths`.
            candidates: (K,) candidates of the slot.
        """


@runtime_checkable
class Stateful(LookBack, Protocol):
    """Long rules that can tell how much of a path they remember.

    Without it two paths never count as equal, and what is exact or complete takes longer.
    """

    def states(self, paths: IntArray, *, hard: bool) -> IntArray:
        """What the rules remember (B, M) of paths (B, t), t above 0.

        Paths that end in the same candidate and have equal rows cost the same from here on,
        however they go on; with `hard`, the same ways on are forbidden to them.
        """
