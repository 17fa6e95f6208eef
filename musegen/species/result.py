"""What a counterpoint task gives back."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

from musegen.score import Score
from musegen.species.explain import explanation
from musegen.tasks.counterpoint import CounterpointDraft
from musegen.written import Written
from theory_kb.check import Finding

__all__ = ["Counterpoint"]


@dataclass(frozen=True)
class Counterpoint(Written):
    """A written counterpoint.

    Attributes:
        draft: every decision on the way, for those who want to look inside.
    """

    draft: CounterpointDraft

    @property
    def score(self) -> Score:
        """The score: the cantus and the voices against it, high to low."""
        return self.draft.score

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the checker says of the score, by the rules that wrote it."""
        return self.draft.report.findings

    @cached_property
    def explanation(self) -> dict[str, Any]:
        """For each bar its intervals, for each note why it stands there; JSON-able."""
        return explanation(self.draft)

    @property
    def summary(self) -> Mapping[str, str]:
        """The short table: what was written, and what it cost."""
        draft, exercise = self.draft, self.draft.exercise
        species = ", ".join(
            f"{exercise.names[voice]} {exercise.species[voice]}" for voice in exercise.free
        )
        return {
            "title": self.score.title,
            "cantus firmus": " ".join(pitch.name for pitch in exercise.cantus),
            "mode": exercise.mode_name,
            "species": species,
            "style": exercise.style.name,
            "bars": str(exercise.bars),
            "findings": self.counts,
            "check it with": self._check,
            "legal so far as rules on three notes go": f"{draft.solutions:,} counterpoints",
            "first-order cost": f"{draft.cost:.2f}, optimum {draft.optimum:.2f}, "
            f"gap {draft.cost - draft.optimum:.2f}",
            "search width": str(draft.options.width),
            "times gone back": str(draft.beam.discrepancies),
            "seed": str(draft.options.seed),
        }

    @property
    def _check(self) -> str:
        """What tells `musegen check` the same as the rules were told."""
        exercise = self.draft.exercise
        options = {
            "--style": self.draft.options.style or exercise.style.name,
            "--cantus": exercise.names[exercise.place],
            "--mode": exercise.mode.name,
        }
        species = [
            ("--species", f"{exercise.names[voice]}={exercise.species[voice]}")
            for voice in exercise.free
        ]
        return shlex.join(chain.from_iterable((*options.items(), *species)))
