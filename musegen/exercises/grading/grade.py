"""The one entry of grading: an answer, its item, and the rubric it is marked by."""

from __future__ import annotations

from dataclasses import replace

from musegen.exercises.grading.graded import Graded
from musegen.exercises.item import Answer, Item
from musegen.exercises.kinds import kind
from musegen.exercises.records import RecordError

__all__ = ["grade"]


def grade(item: Item, answer: Answer, rubric: str | None = None) -> Graded:
    """Grade an answer.

    Args:
        item: the exercise.
        answer: texts by part; what is left out is blank.
        rubric: instead of the item's own; a name, or the path of a teacher's file (TOML).

    Raises:
        RecordError: the answer names a part that the item has not.
        UnknownNameError: the item is of a kind, or the rubric of a name, that is not known.
    """
    parts = [part.id for part in item.ask]
    for name in answer:
        if name not in parts:
            raise RecordError("answer", f"unknown part {name!r} (allowed: {', '.join(parts)})")
    marked = item if rubric is None else replace(item, rubric=rubric)
    return kind(item.id).regrade(marked, answer)
