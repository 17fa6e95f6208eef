"""A written piece, whatever task wrote it: its files, and how they are kept."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from musegen.io.audio import synthesise
from musegen.io.engraving import engrave, to_png
from musegen.io.explanation_html import render_html
from musegen.io.files import PIECE, check_target, write_files
from musegen.io.midi import write_midi
from musegen.io.musicxml import write_musicxml
from musegen.originality import Overlap, overlap
from musegen.score import Score
from theory_kb.check import Finding

__all__ = ["Written"]

SEVERITIES = {"E": "error", "W": "warning", "I": "remark"}


class Written(ABC):
    """What a task gives back: the score, the findings, the explanation, and how to keep them."""

    @property
    @abstractmethod
    def score(self) -> Score:
        """The score."""

    @property
    @abstractmethod
    def findings(self) -> tuple[Finding, ...]:
        """What the checker says of the score, by the rules that wrote it."""

    @property
    @abstractmethod
    def explanation(self) -> Mapping[str, Any]:
        """For each note, why it stands there; JSON-able."""

    @property
    @abstractmethod
    def summary(self) -> Mapping[str, str]:
        """The short table: what was written, and what it cost."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Where it comes from: all that is needed to make it again; empty if that is not known."""
        return {}

    @cached_property
    def overlap(self) -> Overlap:
        """What the score has in common, verbatim, with the music that the models learnt from."""
        return overlap(self.score)

    @property
    def counts(self) -> str:
        """How many findings of each severity, in words."""
        found = Counter(finding.severity for finding in self.findings)
        return ", ".join(
            f"{found[mark]} {word}{'' if found[mark] == 1 else 's'}"
            for mark, word in SEVERITIES.items()
        )

    @cached_property
    def musicxml(self) -> bytes:
        """The score as MusicXML."""
        return write_musicxml(self.score)

    @cached_property
    def svg_pages(self) -> tuple[str, ...]:
        """The engraved score, one SVG a page."""
        return engrave(self.musicxml)

    def files(self, *, audio: bool = True) -> dict[str, bytes]:
        """All files of the piece by name."""
        midi = write_midi(self.score)
        html = render_html(
            self.explanation, self.svg_pages, "score.wav" if audio else None, self.summary
        )
        record = json.dumps(self.explanation, ensure_ascii=False, indent=1, sort_keys=True)
        origin = dict(self.provenance) and {**self.provenance, "overlap": self.overlap.as_json()}
        source = json.dumps(origin, ensure_ascii=False, indent=1)
        return {
            "score.musicxml": self.musicxml,
            "score.mid": midi,
            **self._pictures(),
            "explanation.json": record.encode(),
            "explanation.html": html.encode(),
            **({"provenance.json": f"{source}\n".encode()} if origin else {}),
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
