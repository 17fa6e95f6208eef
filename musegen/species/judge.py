"""Rules on whole lines, judged while the search walks, by the checker's own functions.

At each downbeat what has been written so far is laid before the rules as a piece. What they find
counts once nothing that comes later can take it back: it lies before the last note of its voices,
and the rule does not weigh the line as a whole. At the last slot every rule judges the whole piece.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from musegen.search.lattice import BoolArray, FloatArray, IntArray
from musegen.species.constraints import Problem
from musegen.species.endings import excerpt
from theory_kb.check import piece_offences
from theory_kb.moment import Moments
from theory_kb.rules.records import rules

__all__ = ["LineJudge", "sounding_moments"]

WEIGHED_WHOLE = frozenset(  # rules that a line may still come to keep, or that ask for its end
    {
        "climax-coincide",
        "exposed-perfect",
        "leaps-count",
        "line-begin-end",
        "mel-approach-final",
        "motive-repeat-cf",
        "outer-contrary",
        "rest-inside-phrase",
        "single-climax",
        "sp-cf-form",
        "sp-imperfect-majority",
        "sp-mode",
        "sp1-note-values",
        "sp2-values",
        "sp3-values",
        "sp3v-species-mix",
        "sp4-values",
        "sp5-penultimate",
        "sp5-values",
        "sp5-variety",
        "static-line",
        "unfinished",
    }
)
PROVISIONAL = frozenset(  # those of them that a beginning can be compared by
    {"leaps-count", "single-climax", "sp-imperfect-majority", "sp5-variety", "static-line"}
)


def sounding_moments(problem: Problem, path: IntArray) -> Moments:
    """The surface that a path, or its beginning, stands for: what is struck, slot by slot."""
    return LineJudge(problem).surface(path)


@dataclass(frozen=True)
class LineJudge:
    """A `LookBack` over the states of an exercise."""

    problem: Problem
    known: dict[bytes, tuple[float, float]] = field(  # of each beginning
        default_factory=dict, repr=False
    )

    @cached_property
    def _moments(self) -> tuple[Moments, tuple[IntArray, ...], tuple[BoolArray, ...]]:
        """All moments; for each slot, where each state's moment lies and whether it is new there."""
        slots = self.problem.slots
        starts = np.cumsum([0, *(len(slot.moments) for slot in slots)])
        return (
            np.concatenate([slot.moments for slot in slots]),
            tuple(start + slot.moment for start, slot in zip(starts, slots, strict=False)),
            tuple(slot.sounding()["onset"] == slot.time.onset for slot in slots),
        )

    def surface(self, path: IntArray) -> Moments:
        """What a path, or its beginning, strikes."""
        moments, places, new = self._moments
        return moments[[places[slot][state] for slot, state in enumerate(path) if new[slot][state]]]

    def costs(
        self, slot: int, paths: IntArray, parents: IntArray, candidates: IntArray
    ) -> FloatArray:
        """Cost of what rules on whole lines find, (K,); inf where a hard one is broken."""
        slots = self.problem.slots
        last = slot == len(slots) - 1
        if slot == 0 or slots[slot].time.offset:
            return np.zeros(len(candidates))
        before = max(place for place in range(slot) if not slots[place].time.offset)
        found = np.zeros(len(candidates))
        for row, (parent, candidate) in enumerate(zip(parents, candidates, strict=True)):
            path = np.append(paths[parent], candidate)
            charged = self._settled(path[: before + 1])
            total = self._whole(path) if last else self._settled(path)
            found[row] = max(0.0, total - charged)
        return found

    def provisional(self, path: IntArray) -> float:
        """Cost of what is wrong in a beginning, (t,), by rules that it may still come to keep."""
        return self._begun(path)[1]

    def _settled(self, path: IntArray) -> float:
        """Cost of what is wrong in a beginning, whatever follows."""
        return self._begun(path)[0]

    def _begun(self, path: IntArray) -> tuple[float, float]:
        """What is wrong in a beginning: whatever follows, and so far."""
        if len(path) == 1:
            return 0.0, 0.0
        key = path.tobytes()
        if key not in self.known:
            surface, style = self.surface(path), self.problem.exercise.style
            struck = [
                int(np.flatnonzero(surface["attack"][:, voice])[-1])
                if surface["attack"][:, voice].any()
                else -1
                for voice in range(self.problem.exercise.voices)
            ]
            found = [
                name
                for name, moment, voices in self._offences(
                    surface, rules().keys() - WEIGHED_WHOLE | PROVISIONAL
                )
                if moment < min(struck[voice] for voice in voices)
            ]
            self.known[key] = (
                sum(self._price(name) for name in found if name not in WEIGHED_WHOLE),
                sum(style.cost(name) for name in found if name in PROVISIONAL),
            )
        return self.known[key]

    def _whole(self, path: IntArray) -> float:
        surface = self.surface(path)
        return sum(self._price(name) for name, _, _ in self._offences(surface, rules().keys()))

    def _offences(
        self, surface: Moments, names: Container[str]
    ) -> Iterator[tuple[str, int, tuple[int, ...]]]:
        piece = excerpt(self.problem.exercise, surface, int(surface["bar"][-1]))
        for rule, offence in piece_offences(piece, self.problem.exercise.style, names):
            yield rule.id, offence.moment, offence.voices

    def _price(self, name: str) -> float:
        style = self.problem.exercise.style
        return np.inf if style.severities[name] == "E" else style.cost(name)
