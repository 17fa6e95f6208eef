"""A piece of which some notes were written anew, and the files of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from musegen.errors import ScoreError
from musegen.explain import explanation
from musegen.io.musicxml import write_musicxml
from musegen.io.musicxml_editing import edited_file
from musegen.provenance import file_sum, origin
from musegen.result import Composition
from musegen.score import Score
from musegen.tasks.writing import Draft, new_errors
from musegen.written import Written
from theory_kb.check import Finding

__all__ = ["Rewritten"]

EDITED = {".musicxml": "score.musicxml", ".xml": "score.musicxml", ".mxl": "score.mxl"}


@dataclass(frozen=True)
class Rewritten(Written):
    """A piece out of a file, with other notes in a window.

    Attributes:
        draft: every decision on the way; its plan is the window, its score the whole piece.
        before: the piece as the file has it.
        source: the file.
    """

    draft: Draft
    before: Score
    source: Path

    @property
    def score(self) -> Score:
        """The piece with its new notes."""
        return self.draft.score

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the checker says of the piece as far as it was judged, old faults too."""
        return self.draft.report.findings

    @cached_property
    def explanation(self) -> Mapping[str, Any]:
        """For each new chord and note, why it stands there; JSON-able."""
        return explanation(self.draft)

    @cached_property
    def provenance(self) -> Mapping[str, Any]:
        """How the new notes were written, and the file that the others come from."""
        source = {"source": self.source.name, "source_sha256": file_sum(self.source)}
        made = origin(self.draft.options, key=self.score.key.name, task="rewrite")
        return made | source

    @property
    def span(self) -> tuple[Fraction, Fraction]:
        """Quarter notes within which something was written anew."""
        slots = [slot for slot in self.draft.plan.slots if slot.free]
        return slots[0].onset, slots[-1].onset + slots[-1].duration

    @cached_property
    def notation(self) -> tuple[str, bytes, str]:
        """Name and bytes of the score file, and why it is not the source's own text, if so.

        Of MusicXML it is the source with other notes; of other formats, and where the text cannot
        be edited, MusicXML of the whole piece.
        """
        name = EDITED.get(self.source.suffix.lower())
        if name is None:
            return "score.musicxml", self._written(), f"{self.source.suffix} is not edited in place"
        try:
            return name, edited_file(self.source, self.before, self.score, self.span), ""
        except ScoreError as error:
            return "score.musicxml", self._written(), str(error)

    def _written(self) -> bytes:
        return write_musicxml(replace(self.score, chords=(), cadences=()))

    @property
    def summary(self) -> Mapping[str, str]:
        """The short table: what was written anew, and what it cost."""
        table = dict(Composition.of(self.draft).summary)
        plan, (_, _, why) = self.draft.plan, self.notation
        first, last = (
            self.score.bar_and_beat(slot.onset)[0]
            for slot in (
                next(slot for slot in plan.slots if slot.free),
                next(slot for slot in reversed(plan.slots) if slot.free),
            )
        )
        new = new_errors(plan, self.draft.report)
        dropped = ("form", "phrases", "bars", "findings", "progressions")
        return {
            "title": table["title"],
            "rewritten": f"bars {first} to {last}, {self._changed()}",
            "chords": self._chords(),
            "new errors": str(len(new)),
            "findings": f"{table['findings']} in {self._seen()}",
            "file": f"MusicXML of the whole piece: {why}" if why else "every other byte as it was",
            **{name: text for name, text in table.items() if name not in (*dropped, "title")},
        }

    def _seen(self) -> str:
        """What of the piece was judged."""
        plan = self.draft.plan
        if plan.frame is None or plan.frame.score.parts == self.before.parts:
            return "the whole piece"
        onsets = [part.notes[0].onset for part in plan.frame.score.parts]
        first, _ = self.score.bar_and_beat(min(onsets))
        last, _ = self.score.bar_and_beat(plan.frame.score.duration)
        return f"bars {first} to {last}"

    def _changed(self) -> str:
        """How many notes of each voice are other than before."""
        counts = []
        for old, new in zip(self.before.parts, self.score.parts, strict=True):
            known = {(note.onset, note.duration, note.pitch) for note in old.notes}
            other = [
                each for each in new.notes if (each.onset, each.duration, each.pitch) not in known
            ]
            if other:
                counts.append(f"{len(other)} in the {new.name.lower()}")
        return f"other notes: {', '.join(counts) or 'none'}"

    def _chords(self) -> str:
        """On how many beats the chord is another one."""
        slots = [slot for slot in self.draft.plan.slots if slot.free]
        named = {each.onset: (each.key, each.numeral) for each in self.score.chords}
        other = [
            slot
            for slot in slots
            if slot.stood is not None
            and named.get(slot.onset) != (slot.stood.harmony.key, slot.stood.harmony.chord.symbol)
        ]
        return f"{len(other)} of {len(slots)} other than before"

    def files(self, *, audio: bool = True) -> dict[str, bytes]:
        """All files of the piece by name."""
        name, notation, _ = self.notation
        files = super().files(audio=audio)
        del files["score.musicxml"]
        return {name: notation, **files}
