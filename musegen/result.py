"""What composing gives back: the score, the findings, the explanation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from musegen.candidates import DEAR
from musegen.explain import explanation
from musegen.plan.plan import ANY, CONDITIONAL
from musegen.provenance import origin
from musegen.score import Score
from musegen.tasks.compose import Request
from musegen.tasks.writing import Draft
from musegen.textures.expression import expressed
from musegen.written import Written
from theory_kb.cadences import cadence_name
from theory_kb.check import Finding

__all__ = ["Composition"]

PROGRESSIONS = {CONDITIONAL: "common ones did not suffice", ANY: "any, rarer ones did not suffice"}


@dataclass(frozen=True)
class Composition(Written):
    """A composed piece.

    Attributes:
        draft: every decision on the way, for those who want to look inside.
        expression: whether it is marked and played with expression.
        program: General MIDI instrument of its expression, from 0; None: a choir.
    """

    draft: Draft
    expression: bool = False
    program: int | None = None

    @classmethod
    def of(cls, draft: Draft) -> Composition:
        """The result of a finished draft."""
        return cls(draft)

    @cached_property
    def score(self) -> Score:
        """The score: parts, chords, cadences."""
        written = self.draft.score
        return expressed(written, program=self.program) if self.expression else written

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the checker says of the score, by the rules that composed it."""
        return self.draft.report.findings

    @cached_property
    def explanation(self) -> dict[str, Any]:
        """For each chord and each note, why it stands there; JSON-able."""
        return explanation(self.draft)

    @cached_property
    def provenance(self) -> Mapping[str, Any]:
        """Version, request, weights and what they learnt from."""
        options = self.draft.options
        task = "compose" if isinstance(options, Request) else "write"
        return origin(options, key=self.score.key.name, task=task)

    @property
    def summary(self) -> Mapping[str, str]:
        """The short table: what was composed, and what it cost."""
        draft = self.draft
        logs = ", ".join(f"{name} {values.sum():.1f}" for name, values in draft.log_scores.items())
        return {
            "title": self.score.title,
            "form": draft.plan.name,
            "key": self._key(),
            "phrases": "; ".join(self._phrases()),
            **self._progressions(),
            "bars": str(draft.plan.bars),
            "findings": self.counts,
            "log-probability (nats)": logs or "no model",
            "search": _search(draft),
            "first-order cost": f"{draft.cost:.2f}, optimum {draft.optimum:.2f}, "
            f"gap {max(draft.cost - draft.optimum, 0.0):.2f}",
            "cost with long rules": _proof(draft),
            **_stages(draft),
            "surface redraws": str(draft.redraws),
            "seed": str(draft.options.seed),
        }

    def _key(self) -> str:
        """The key, and whose word it is where that is not the score's."""
        stated = self.draft.plan.stated
        found = "" if stated is None else f" (that of the notes; the score says {stated})"
        return f"{self.score.key}{found}"

    def _progressions(self) -> Mapping[str, str]:
        """Said only where the given notes asked for more than common progressions."""
        plan = self.draft.plan
        loose = plan.least_grade in PROGRESSIONS and not plan.chords_given
        return {"progressions": PROGRESSIONS[plan.least_grade]} if loose else {}

    def _phrases(self) -> Iterator[str]:
        closes = {cadence.onset: cadence for cadence in self.score.cadences}
        for phrase in self.draft.plan.phrases:
            close = closes.get(self.draft.plan.slots[phrase.last].onset)
            how = "no cadence" if close is None else f"{cadence_name(close.kind)} in {close.key}"
            yield f"{phrase.name}: {how}"


# --- how it was searched --------------------------------------------------------------------


def _search(draft: Draft) -> str:
    """Strategy and what it was told."""
    options, account = draft.options, draft.search.account
    told = {
        "beam": f"beam of width {options.width}",
        "exact": "exact, by costs alone",
        "sample": _sample(draft),
    }[account.strategy]
    if account.steps:
        told = account.steps[-1].stage
    return f"{told}, found by the complete search" if account.completed else told


def _sample(draft: Draft) -> str:
    """What a draw was drawn from."""
    options = draft.options
    if not draft.scorer.models:
        even = draft.search.account.uniform
        return "one of all solutions, each equally likely" if even else "a draw, not uniform"
    likely = "" if options.top_k is None else f", top-k {options.top_k}"
    likely += "" if options.top_p == 1 else f", top-p {options.top_p:g}"
    return f"sample of the models{likely}"


def _proof(draft: Draft) -> str:
    """Cost, and how far it may be above what is possible among the voicings that were offered."""
    found = draft.search
    if not found.proved:
        return f"{found.cost:.2f}, none below {found.account.bound:.2f}, gap {found.gap:.2f}"
    among = (
        "" if draft.problem.whole else f" of voicings within {DEAR:g} nats of their chord's best"
    )
    return f"{found.cost:.2f}, proved: no solution{among} costs less"


def _stages(draft: Draft) -> Mapping[str, str]:
    """Said only under a time limit."""
    limit, account = draft.options.time_limit, draft.search.account
    if limit is None:
        return {}
    ended = "stopped at the time limit" if account.stopped else "ended before the time limit"
    stages = "; ".join(f"{step.stage}: gap {step.gap:.2f}" for step in account.steps)
    return {"time limit": f"{ended} of {limit:g} s{f' ({stages})' if stages else ''}"}
