"""What composing by a form gives back: the score as it is played, the findings, the explanation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from musegen.explain import explanation
from musegen.plan.form_schema import TECHNIQUES
from musegen.plan.template import Template
from musegen.score import Score
from musegen.slices import piece
from musegen.tasks.compose_form import FormWork
from musegen.written import Written
from theory_kb.cadences import cadence_name
from theory_kb.check import Finding, Report, check, load_style

__all__ = ["FormPiece"]

TUNE = 0  # the part whose notes the search chose one by one


@dataclass(frozen=True)
class FormPiece(Written):
    """A piece composed by a form.

    Attributes:
        work: every decision on the way, for those who want to look inside.
    """

    work: FormWork

    @property
    def score(self) -> Score:
        """The score as it is played."""
        return self.work.score

    @cached_property
    def report(self) -> Report:
        """What the checker says of what is played, by the rules of accompanied tunes."""
        return check(piece(self.score), load_style(self.work.surface_style))

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Version, template, parameters, seed, and what its rhythms were counted on."""
        return self.work.provenance

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Findings of the surface, and of the voices that it is made of."""
        return (*self.report.findings, *self.work.drawn.draft.report.findings)

    @cached_property
    def explanation(self) -> Mapping[str, Any]:
        """Chords and notes of the tune with their reasons; sections, themes, what emotion chose."""
        whole = explanation(self.work.drawn.draft)
        return {
            **whole,
            "title": self.score.title,
            "form": self.work.request.form,
            "notes": [note for note in whole["notes"] if note["part"] == TUNE],
            "sections": self._sections(),
            "choices": list(self.work.choices),
            "provenance": dict(self.work.provenance),
        }

    def _sections(self) -> list[dict[str, Any]]:
        """Each phrase with its place, keys, close, theme and how like the first of its theme it is."""
        drawn = self.work.drawn
        found = []
        for phrase in drawn.layout.phrases:
            for unit in phrase.units:
                section = unit.section
                found.append(
                    {
                        "id": section.id,
                        "bar": unit.bar + 1,
                        "bars": section.bars,
                        "from": unit.start.name,
                        "to": unit.end.name,
                        "close": phrase.kind if unit.closes else "none",
                        "theme": section.theme,
                        "relations": list(section.relations),
                        "similarity": drawn.resemblance.get(section.id),
                    }
                )
        return found

    @property
    def summary(self) -> Mapping[str, str]:
        """The short table: what was composed."""
        drawn, template = self.work.drawn, self.work.drawn.layout.template
        returns = [
            drawn.resemblance[unit.id]
            for unit in template.units
            if unit.id in drawn.resemblance and set(unit.relations) & {"repeat", "return"}
        ]
        closes = "; ".join(
            f"bar {phrase.first_bar + phrase.bars}: {cadence_name(phrase.kind)} in "
            f"{phrase.units[-1].end}"
            for phrase in drawn.layout.phrases
        )
        return {
            "title": self.score.title,
            "form": template.name,
            "key": str(self.score.key),
            "metre": template.metre,
            "tempo": f"{self.score.tempo:g} quarter notes a minute",
            "bars": str(template.bars),
            "closes": closes,
            "returns": f"similarity {min(returns):.2f} or more" if returns else "none",
            **({"emotion": "; ".join(self.work.choices)} if self.work.choices else {}),
            **_not_written(template),
            "findings": self.counts,
            "themes drawn anew": str(drawn.redraws),
            "seed": str(self.work.request.seed),
        }


def _not_written(template: Template) -> Mapping[str, str]:
    """What the form needs and the piece has not: it is a tune above a bass in the form's plan."""
    if not template.technique:
        return {}
    return {"not written": f"{template.technique} ({TECHNIQUES[template.technique]})"}
