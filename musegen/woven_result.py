"""What composing by imitation or over a ground gives back: score, findings, explanation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from musegen.io.musicxml import write_musicxml
from musegen.score import ChordLabel, Note, Score
from musegen.tasks.compose_woven import STYLE, WovenWork
from musegen.weaving.design import Mark
from musegen.written import Written
from theory_kb.cadences import cadence_name
from theory_kb.check import Finding
from theory_kb.chords import read_chord, spell

__all__ = ["WovenPiece"]

MEMBERS = ("root", "third", "fifth", "seventh")
TAUGHT = {"ground": "DP", "variation": "DP"}  # sources of marks; the others are Prout's
PROUT = "PR"
DETERMINED = frozenset({"subject", "answer", "countersubject", "imitation", "ground"})


@dataclass(frozen=True)
class WovenPiece(Written):
    """A canon, round, invention, fugue, chaconne or passacaglia.

    Attributes:
        work: every decision on the way, for those who want to look inside.
    """

    work: WovenWork

    @property
    def score(self) -> Score:
        """The score."""
        return self.work.score

    @cached_property
    def musicxml(self) -> bytes:
        """The score as MusicXML, a staff a voice: lines that are alike in weight."""
        return write_musicxml(self.score, layout="open")

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Version, template, parameters, theme, seed."""
        return self.work.provenance

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the checker says, by the rules of imitation, its entries declared."""
        return self.work.report.findings

    @cached_property
    def explanation(self) -> Mapping[str, Any]:
        """Chords, notes with what they belong to, statements in order."""
        score = self.score
        return {
            "title": score.title,
            "key": score.key.name,
            "form": self.work.request.form,
            "style": STYLE,
            "seed": self.work.request.seed,
            "chords": [self._chord(place, label) for place, label in enumerate(score.chords)],
            "notes": list(self._notes()),
            "findings": [self._finding(each) for each in self.findings],
            "skipped": [
                {"rule": each.rule, "reason": each.reason} for each in self.work.report.skipped
            ],
            "statements": self._statements(),
            "choices": list(self.work.choices),
            "provenance": dict(self.work.provenance),
        }

    def _chord(self, place: int, label: ChordLabel) -> dict[str, Any]:
        bar, beat = self.score.bar_and_beat(label.onset)
        found = read_chord(label.key.mode, label.numeral)
        tones = ", ".join(map(str, spell(found, label.key)))
        text = f"{label.numeral} of {label.key} is {tones}"
        return {
            "index": place,
            "bar": bar,
            "beat": float(beat),
            "onset": str(label.onset),
            "key": label.key.name,
            "numeral": label.numeral,
            "function": found.function,
            "reasons": [{"text": text, "source": found.source}],
        }

    def _notes(self) -> Iterator[dict[str, Any]]:
        for voice, part in enumerate(self.score.parts):
            for number, note in enumerate(part.notes):
                yield self._note(voice, number, note)

    def _note(self, voice: int, number: int, note: Note) -> dict[str, Any]:
        bar, beat = self.score.bar_and_beat(note.onset)
        place = max(at for at, label in enumerate(self.score.chords) if label.onset <= note.onset)
        mark = self._mark_of(voice, note.onset)
        role = self._role(place, note)
        reasons = [role]
        if mark is not None:
            first, _ = self.score.bar_and_beat(Fraction(mark.beat))
            text = f"{mark.words}, from bar {first}"
            reasons.append({"text": text, "source": TAUGHT.get(mark.kind, PROUT)})
        return {
            "id": f"p{voice}n{number}",
            "part": self.score.parts[voice].name,
            "bar": bar,
            "beat": float(beat),
            "onset": str(note.onset),
            "duration": str(note.duration),
            "pitch": note.pitch.name,
            "chord": place,
            "role": reasons[0]["text"].partition(" of ")[0],
            "reasons": reasons,
            "alternatives": [],
            "rules": [],
            "models": {},
        }

    def _role(self, place: int, note: Note) -> dict[str, str]:
        label = self.score.chords[place]
        found = read_chord(label.key.mode, label.numeral)
        members = [each.fifths for each in spell(found, label.key)]
        fifths = note.pitch.pitch_class.fifths
        if fifths in members:
            name = MEMBERS[members.index(fifths)]
            return {"text": f"{name} of {label.numeral} in {label.key}", "source": found.source}
        return {"text": f"outside {label.numeral}: entered and left by step", "source": "KP 11"}

    def _mark_of(self, voice: int, onset: Fraction) -> Mark | None:
        """What a note is a part of; a strict statement counts before a variation."""
        inside = [
            mark
            for mark in self.work.design.marks
            if mark.voice == voice and mark.beat <= onset < mark.beat + mark.beats
        ]
        inside.sort(key=lambda mark: (mark.kind not in DETERMINED, mark.beats))
        return inside[0] if inside else None

    def _finding(self, finding: Finding) -> dict[str, Any]:
        return {
            "severity": finding.severity,
            "rule": finding.rule,
            "bar": finding.bar,
            "beat": finding.beat,
            "voices": [self.score.parts[voice].name for voice in finding.voices],
            "message": finding.message,
            "repair": finding.repair,
            "source": finding.source,
        }

    def _statements(self) -> list[dict[str, Any]]:
        """Who has what, where."""
        found = []
        for mark in sorted(self.work.design.marks, key=lambda each: (each.beat, each.voice)):
            bar, beat = self.score.bar_and_beat(Fraction(mark.beat))
            found.append(
                {
                    "bar": bar,
                    "beat": float(beat),
                    "voice": self.score.parts[mark.voice].name,
                    "kind": mark.kind,
                    "beats": mark.beats,
                    "words": mark.words,
                }
            )
        return found

    @property
    def summary(self) -> Mapping[str, str]:
        """The short table: what was composed."""
        score, template = self.score, self.work.layout.template
        closes = "; ".join(
            f"bar {score.bar_and_beat(each.onset)[0]}: {cadence_name(each.kind)} in {each.key}"
            for each in score.cadences
        )
        told = [each for each in self._statements() if each["kind"] in DETERMINED]
        return {
            "title": score.title,
            "form": template.name,
            "key": str(score.key),
            "metre": template.metre,
            "tempo": f"{score.tempo:g} quarter notes a minute",
            "bars": str(template.bars),
            "closes": closes,
            "statements": "; ".join(
                f"bar {each['bar']} {each['voice']}: {each['words']}" for each in told
            ),
            **({"emotion": "; ".join(self.work.choices)} if self.work.choices else {}),
            "findings": self.counts,
            "woven anew": str(self.work.attempts),
            "seed": str(self.work.request.seed),
        }
