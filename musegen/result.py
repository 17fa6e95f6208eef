"""What composing gives back: the score, the findings, the explanation, and how to keep them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from musegen.explain import explanation
from musegen.io.audio import synthesise
from musegen.io.engraving import engrave, to_png
from musegen.io.explanation_html import render_html
from musegen.io.files import PIECE, check_target, write_files
from musegen.io.midi import write_midi
from musegen.io.musicxml import write_musicxml
from musegen.plan.plan import ANY, CONDITIONAL
from musegen.score import Score
from musegen.tasks.writing import Draft
from theory_kb.check import Finding
from theory_kb.query import cadence_name

__all__ = ["Composition"]

PROGRESSIONS = {CONDITIONAL: "common ones did not suffice", ANY: "any, rarer ones did not suffice"}
SEVERITIES = {"E": "error", "W": "warning", "I": "remark"}


@dataclass(frozen=True)
class Composition:
    """A composed piece.

    Attributes:
        draft: every decision on the way, for those who want to look inside.
    """

    draft: Draft

    @classmethod
    def of(cls, draft: Draft) -> Composition:
        """The result of a finished draft."""
        return cls(draft)

    @property
    def score(self) -> Score:
        """The score: parts, chords, cadences."""
        return self.draft.score

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the checker says of the score, by the rules that composed it."""
        return self.draft.report.findings

    @cached_property
    def explanation(self) -> dict[str, Any]:
        """For each chord and each note, why it stands there; JSON-able."""
        return explanation(self.draft)

    @cached_property
    def musicxml(self) -> bytes:
        """The score as MusicXML."""
        return write_musicxml(self.score)

    @cached_property
    def svg_pages(self) -> tuple[str, ...]:
        """The engraved score, one SVG a page."""
        return engrave(self.musicxml)

    @property
    def summary(self) -> Mapping[str, str]:
        """The short table: what was composed, and what it cost."""
        draft = self.draft
        found = Counter(finding.severity for finding in self.findings)
        counts = ", ".join(
            f"{found[mark]} {word}{'' if found[mark] == 1 else 's'}"
            for mark, word in SEVERITIES.items()
        )
        logs = ", ".join(f"{name} {values.sum():.1f}" for name, values in draft.log_scores.items())
        return {
            "title": self.score.title,
            "form": draft.plan.name,
            "key": self.score.key.name,
            "phrases": "; ".join(self._phrases()),
            **self._progressions(),
            "bars": str(draft.plan.bars),
            "findings": counts,
            "log-probability (nats)": logs or "no model",
            "search width": str(draft.options.width),
            "first-order cost": f"{draft.cost:.2f}, optimum {draft.optimum:.2f}, "
            f"gap {draft.cost - draft.optimum:.2f}",
            "surface redraws": str(draft.redraws),
            "seed": str(draft.options.seed),
        }

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

    def files(self, *, audio: bool = True) -> dict[str, bytes]:
        """All files of the piece by name."""
        midi = write_midi(self.score)
        html = render_html(
            self.explanation, self.svg_pages, "score.wav" if audio else None, self.summary
        )
        record = json.dumps(self.explanation, ensure_ascii=False, indent=1, sort_keys=True)
        return {
            "score.musicxml": self.musicxml,
            "score.mid": midi,
            **self._pictures(),
            "explanation.json": record.encode(),
            "explanation.html": html.encode(),
            **({"score.wav": synthesise(midi)} if audio else {}),
        }

    def _pictures(self) -> dict[str, bytes]:
        """SVG and PNG of each page."""
        pictures = {}
        for number, page in enumerate(self.svg_pages, 1):
            name = "score" if len(self.svg_pages) == 1 else f"score-{number}"
            pictures[f"{name}.svg"] = page.encode()
            pictures[f"{name}.png"] = to_png(page)
        return pictures

    def save(self, folder: str | Path, *, audio: bool = True, force: bool = False) -> Path:
        """Write all files into a new folder, whole or not at all.

        Raises:
            OutputError: the folder exists and `force` is not set, holds other files or folders, or
                cannot be written.
        """
        target = Path(folder)
        check_target(target, force=force, own=PIECE)  # before the work of engraving
        write_files(target, self.files(audio=audio), force=force, own=PIECE)
        return target

    def _repr_html_(self) -> str:
        """The engraved score, for notebooks."""
        return "".join(self.svg_pages)
