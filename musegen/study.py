"""Many reports together: how often each rule is broken, over how much music."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from musegen.report import CheckReport, Unreadable
from theory_kb.rules.records import rules

__all__ = ["RuleCount", "Study"]

PER = 1000  # moves that a rate counts by


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How often one rule is broken."""

    rule: str
    name: str
    findings: int
    pieces: int  # with at least one finding
    rate: float  # findings per 1000 moves of two voices, in the pieces where the rule was judged

    def as_json(self) -> dict[str, Any]:
        """The count as plain values."""
        return {
            "rule": self.rule,
            "name": self.name,
            "findings": self.findings,
            "pieces": self.pieces,
            "per_1000_moves": round(self.rate, 3),
        }


@dataclass(slots=True)
class Study:
    """What has been found so far in a number of files."""

    pieces: int = 0
    moves: int = 0
    errors: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    pieces_with: Counter[str] = field(default_factory=Counter)
    moves_skipped: Counter[str] = field(default_factory=Counter)
    unreadable: list[Unreadable] = field(default_factory=list)

    def add(self, outcomes: Iterable[CheckReport | Unreadable]) -> None:
        """Count what came of a file."""
        for each in outcomes:
            if isinstance(each, Unreadable):
                self.unreadable.append(each)
                continue
            self.pieces += 1
            self.moves += each.moves
            self.errors += each.count("E")
            self.findings += each.by_rule
            self.pieces_with.update(each.by_rule.keys())
            self.moves_skipped.update({skipped.rule: each.moves for skipped in each.skipped})

    @property
    def rows(self) -> tuple[RuleCount, ...]:
        """Every rule with a finding, the most frequent first."""
        counted = sorted(self.findings.items(), key=lambda item: (-item[1], item[0]))
        return tuple(
            RuleCount(
                name,
                rules()[name].name,
                count,
                self.pieces_with[name],
                PER * count / max(1, self.moves - self.moves_skipped[name]),
            )
            for name, count in counted
        )

    def as_json(self) -> dict[str, Any]:
        """The study as plain values."""
        return {
            "pieces": self.pieces,
            "moves": self.moves,
            "rules": [row.as_json() for row in self.rows],
            "unreadable": [
                {"file": each.file, "problem": each.problem} for each in self.unreadable
            ],
        }
