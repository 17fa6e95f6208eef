"""What grading answers: points with the clause that gave or took each, findings, sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal

from musegen.exercises.item import Text

__all__ = ["Clause", "Finding", "Graded", "Status"]

Status = Literal["graded", "partial", "blank", "refused"]


@dataclass(frozen=True, slots=True)
class Clause:
    """One step of the marking: what was looked at, and what it gave."""

    id: str  # clause of the rubric, or reader of the part
    part: str  # of the item
    place: str  # such as `3` for the third slot; empty where the part has one
    got: Fraction  # points
    most: Fraction
    said: Text | None = None  # why points were lost; None where none were


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect of an answer that is a score."""

    rule: str  # id in the knowledge base, or of a clause of the marking
    severity: str  # error, style or info
    bar: int
    beat: float  # from 1
    slot: int  # of the exercise, from 1; 0 where there are none
    voices: tuple[str, ...]  # high to low
    notes: tuple[str, ...]  # spelled
    said: Text  # where, what, why, how
    cause: int | None = None  # index of the finding that it follows from
    evidence: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Graded:
    """The outcome."""

    status: Status  # blank: nothing was answered; refused: it cannot be read, see notes
    points: Fraction
    most: Fraction
    clauses: tuple[Clause, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[Text, ...] = ()  # about the answer as a whole, and what could not be read

    @property
    def full(self) -> bool:
        """Whether every point was given."""
        return self.status == "graded" and self.points == self.most

    def as_json(self) -> dict[str, Any]:
        """The outcome as plain values, points as decimals."""
        from musegen.exercises.records import record_values

        values: dict[str, Any] = record_values(self)
        return values

    def in_part(self, share: Fraction) -> Graded:
        """The grade of an answer of which only a share, 0 to 1, is there.

        What is not there makes no error, and earns nothing.
        """
        if share >= 1:
            return self
        said = Text(f"{float(share):.0%} of it is written", f"只完成了 {float(share):.0%}")
        clauses = tuple(replace(each, got=each.got * share, said=said) for each in self.clauses)
        return replace(self, points=self.points * share, clauses=clauses)

    def with_clauses(self, clauses: Sequence[Clause]) -> Graded:
        """With further clauses."""
        return replace(
            self,
            points=self.points + sum((each.got for each in clauses), Fraction(0)),
            most=self.most + sum((each.most for each in clauses), Fraction(0)),
            clauses=(*self.clauses, *clauses),
        )
