"""What a check says of a score: numbered findings with their place, and what was not judged.

And what can be said of a single place of it: what sounds there, and why a rule speaks or is silent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from musegen.score import Score

__all__ = [
    "SEVERITIES",
    "CheckReport",
    "Excused",
    "Explanation",
    "Place",
    "PlacedFinding",
    "SkippedRule",
    "Sounding",
    "Unreadable",
]

SEVERITIES = {"E": "error", "W": "warning", "I": "remark"}  # gravest first


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a score as a reader counts it."""

    bar: int  # an upbeat is bar 0
    beat: float  # from 1; a dotted beat in compound metres

    def __str__(self) -> str:
        bar = f"bar {self.bar}" if self.bar else "upbeat"
        return f"{bar}, beat {round(self.beat, 3):g}"


@dataclass(frozen=True, slots=True)
class PlacedFinding:
    """One defect, with its place in the score and the notes it speaks of."""

    number: int  # in the whole report, from 1, whatever is left out of it
    rule: str
    severity: str  # E, W or I
    place: Place
    onset: Fraction  # quarter notes from the start
    voices: tuple[str, ...]  # names, high to low
    message: str
    repair: str
    source: str
    also: tuple[str, ...]  # rules that the same notes break as well
    notes: tuple[str, ...]  # ids of the notes, as in the MusicXML that musegen writes

    def as_json(self) -> dict[str, Any]:
        """The finding as plain values."""
        return {
            "number": self.number,
            "rule": self.rule,
            "severity": self.severity,
            "bar": self.place.bar,
            "beat": round(self.place.beat, 6),
            "onset": str(self.onset),
            "voices": list(self.voices),
            "message": self.message,
            "repair": self.repair,
            "source": self.source,
            "also": list(self.also),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class SkippedRule:
    """A rule that could not be judged."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file, or a piece of one, that could not be checked."""

    file: str
    problem: str


@dataclass(frozen=True)
class CheckReport:
    """What the rules of a style say of one piece."""

    file: str  # path as it was given
    name: str  # of the piece: the file's, with a number where it holds several
    score: Score
    style: str
    findings: tuple[PlacedFinding, ...]  # in order of time
    skipped: tuple[SkippedRule, ...]
    judged: int  # rules that were judged
    moves: int  # steps at which two voices both go on to another note, over all pairs of voices
    harmony: str  # how the harmony is known, or why it is not
    remarks: tuple[str, ...]  # of the reading: what was left out, what was taken for granted

    def count(self, severity: str) -> int:
        """How many findings have a severity, E, W or I."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def counts(self) -> str:
        """How many errors, warnings and remarks there are, in words."""
        return ", ".join(
            f"{self.count(mark)} {word}{'' if self.count(mark) == 1 else 's'}"
            for mark, word in SEVERITIES.items()
        )

    @cached_property
    def by_rule(self) -> Counter[str]:
        """How many findings each rule has."""
        return Counter(finding.rule for finding in self.findings)

    @cached_property
    def skipped_by_reason(self) -> dict[str, tuple[str, ...]]:
        """Rules that were not judged, by the reason why."""
        found: dict[str, list[str]] = {}
        for each in self.skipped:
            found.setdefault(each.reason, []).append(each.rule)
        return {reason: tuple(rules) for reason, rules in found.items()}

    def only(self, *, severity: str = "I", rules: Collection[str] = ()) -> CheckReport:
        """The same report with some of its findings; they keep their numbers.

        Args:
            severity: the least grave that is kept: E, W or I.
            rules: ids of rules that are kept, all if there are none.
        """
        grave = tuple(SEVERITIES)[: tuple(SEVERITIES).index(severity) + 1]
        kept = tuple(
            finding
            for finding in self.findings
            if finding.severity in grave
            and (not rules or finding.rule in rules or not set(finding.also).isdisjoint(rules))
        )
        return replace(self, findings=kept)

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        return {
            "file": self.file,
            "name": self.name,
            "title": self.score.title,
            "key": self.score.key.name,
            "metre": str(self.score.metre),
            "voices": [part.name for part in self.score.parts],
            "style": self.style,
            "harmony": self.harmony,
            "findings": [finding.as_json() for finding in self.findings],
            "counts": {word: self.count(mark) for mark, word in SEVERITIES.items()},
            "rules_judged": self.judged,
            "moves": self.moves,
            "skipped": [{"rule": each.rule, "reason": each.reason} for each in self.skipped],
            "remarks": list(self.remarks),
        }

    def _repr_html_(self) -> str:
        """The engraved score with its findings, for notebooks."""
        from musegen.io.findings_html import render_fragment

        return render_fragment(self)


# --- a place --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sounding:
    """What one voice does at a place."""

    voice: str
    pitch: str  # empty in a rest
    struck: bool  # begins here
    interval: str  # above the lowest note, empty for itself and for a rest
    role: str  # chord tone or kind of non-chord tone, empty where the harmony is not known


@dataclass(frozen=True, slots=True)
class Excused:
    """A rule that an exception kept silent."""

    rule: str
    by: str  # the exception
    message: str  # what it would have said


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that can be said of a place."""

    place: Place
    notes: tuple[Sounding, ...]
    chord: str  # empty if it is not known
    key: str
    findings: tuple[PlacedFinding, ...]
    kept: tuple[str, ...]  # rules that were judged and say nothing here
    excused: tuple[Excused, ...]
    licences: tuple[tuple[str, str], ...]  # rule and message

    def as_json(self) -> dict[str, Any]:
        """The explanation as plain values."""
        return {
            "bar": self.place.bar,
            "beat": round(self.place.beat, 6),
            "notes": [
                {
                    "voice": each.voice,
                    "pitch": each.pitch,
                    "struck": each.struck,
                    "interval": each.interval,
                    "role": each.role,
                }
                for each in self.notes
            ],
            "chord": self.chord,
            "key": self.key,
            "findings": [finding.as_json() for finding in self.findings],
            "kept": list(self.kept),
            "excused": [
                {"rule": each.rule, "by": each.by, "message": each.message} for each in self.excused
            ],
            "licences": [{"rule": rule, "message": text} for rule, text in self.licences],
        }
