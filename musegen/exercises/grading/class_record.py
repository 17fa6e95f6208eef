"""The report of a class as a record: what went wrong, for how many, and where; JSON and back.

It is what `musegen.exercises.next_set` reads to say what the class should do next.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from musegen.exercises.distractors import OPERATORS
from musegen.exercises.grading.class_report import ClassReport, Row
from musegen.exercises.grading.task import Task
from musegen.exercises.grading.words import term
from musegen.exercises.item import LEVELS, Distractor, Item, Text
from musegen.exercises.records import RecordError, read_json, read_record, record_values
from theory_kb.rules.records import rules

__all__ = ["ClassRecord", "HardPlace", "Student", "Trouble", "class_record"]

MOST_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that went wrong."""

    id: str  # of a rule, or of what is believed: a key of `musegen.exercises.distractors.OPERATORS`
    name: Text
    students: int  # who did it
    times: int


@dataclass(frozen=True, slots=True)
class HardPlace:
    """A clause of the marking at one place."""

    clause: str
    place: str  # such as `3` for the third slot
    share: float  # of its points that the class got
    chord: str = (
        ""  # node of the graph, `chord:D minor V7`, where the place is a chord that is named
    )


@dataclass(frozen=True, slots=True)
class Student:
    """One student's outcome."""

    student: str
    status: str
    points: float
    most: float
    errors: tuple[str, ...]  # ids of troubles, each once
    sha256: str  # of what was handed in


@dataclass(frozen=True, slots=True)
class ClassRecord:
    """What a class did with one item."""

    item: str  # its name
    kind: str
    level: int
    seed: int
    mean: float  # share of the points, of those who handed in something that can be read
    marked: int  # students who did
    rules: tuple[Trouble, ...]  # broken, the most common first
    misconceptions: tuple[Trouble, ...]  # behind typed answers and choices
    places: tuple[HardPlace, ...]  # hardest first
    students: tuple[Student, ...]

    def to_json(self) -> str:
        """The record as JSON."""
        return json.dumps(record_values(self), ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str = "report") -> ClassRecord:
        """A record from JSON.

        Raises:
            RecordError: it is no JSON, or a field is missing, unknown, of another type or out of range.
        """
        found = read_record(cls, read_json(text, where), where)
        for name, number, least, most in (
            ("level", found.level, LEVELS[0], LEVELS[-1]),
            ("seed", found.seed, 0, MOST_SEED),
            ("mean", found.mean, 0, 1),
            ("marked", found.marked, 0, len(found.students)),
        ):
            if not least <= number <= most:
                said = f"must be from {least} to {most}, got {number}"
                raise RecordError(f"{where}.{name}", said)
        return found


def class_record(report: ClassReport) -> ClassRecord:
    """The record of a report."""
    item = report.item
    marked = [row for row in report.rows if row.graded.status in ("graded", "partial")]
    nodes = _nodes(item)
    return ClassRecord(
        item.name,
        item.id,
        item.level,
        item.seed,
        round(report.mean, 6),
        len(marked),
        tuple(Trouble(rule, _named(rule), n, times) for rule, n, times in report.by_rule),
        tuple(_misconceptions(report)),
        tuple(
            HardPlace(clause, place, round(share, 6), nodes.get(place, ""))
            for clause, place, share in report.by_clause
        ),
        tuple(_student(item, row) for row in report.rows),
    )


def _nodes(item: Item) -> dict[str, str]:
    """Nodes of the graph by place, where the item names chords slot by slot."""
    if not any(part.form == "score" for part in item.ask):
        return {}
    return {
        str(number): f"chord:{slot.key.mode} {slot.numeral}"
        for number, slot in enumerate(Task.of(item).slots, 1)
        if slot.numeral
    }


def _named(trouble: str) -> Text:
    if trouble in rules():
        return term(trouble)
    return OPERATORS.get(trouble, Text(trouble, trouble))


def _believed(item: Item, row: Row) -> Iterator[Distractor]:
    """The likely errors that a student was told of, each belief once."""
    said = set(row.graded.notes)
    seen = {each.misconception: each for each in item.distractors if each.said in said}
    yield from seen.values()


def _misconceptions(report: ClassReport) -> list[Trouble]:
    counts = Counter(
        each.misconception for row in report.rows for each in _believed(report.item, row)
    )
    return [
        Trouble(name, _named(name), count, count)
        for name, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    ]


def _student(item: Item, row: Row) -> Student:
    broken = [each.rule for each in row.graded.findings if each.severity != "info"]
    believed = [each.misconception for each in _believed(item, row)]
    return Student(
        row.student,
        row.graded.status,
        float(row.graded.points),
        float(row.graded.most),
        tuple(dict.fromkeys((*broken, *believed))),
        row.digest,
    )
