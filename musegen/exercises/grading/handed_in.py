"""The entry of grading for what comes on a command line: texts by part, or files of any kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from musegen.errors import OptionError, ScoreError
from musegen.exercises.grading.asked import asked_marked
from musegen.exercises.grading.faults import less_changes
from musegen.exercises.grading.grade import grade
from musegen.exercises.grading.imitation import canon_marked, exchange_marked
from musegen.exercises.grading.rubric import load_rubric
from musegen.exercises.grading.score_grader import Marked, grade_file, mark
from musegen.exercises.hand_in import read_hand_in
from musegen.exercises.item import Item
from musegen.io.reading import SUFFIXES

__all__ = ["SCORE_GRADERS", "grade_handed_in"]


def _as_marked(_: Item, marked: Marked) -> Marked:
    return marked


SCORE_GRADERS: Mapping[str, Callable[[Item, Marked], Marked]] = {  # and what they do last
    "grading.score_grader:grade_score": _as_marked,
    "grading.faults:grade_repair": less_changes,
    "grading.imitation:grade_canon": canon_marked,
    "grading.asked:grade_asked": asked_marked,
    "grading.imitation:grade_invertible": exchange_marked,
}


def grade_handed_in(item: Item, answers: tuple[str, ...], rubric: str | None = None) -> Marked:
    """Grade texts, `part=answer` or the answer alone, or a file.

    A file of an item that asks for a score is read by what it holds, whatever it is called; typed
    parts may stand beside it.

    Args:
        item: the exercise.
        answers: as typed.
        rubric: instead of the item's own; a name, or the path of a teacher's file.

    Raises:
        OptionError: a text without its part where there are several, or a second file.
        ScoreError: a file that does not exist, or one of typed answers that cannot be read.
        UnknownNameError: there is no such rubric.
    """
    from musegen.exercises.kinds import kind

    marked = item if rubric is None else replace(item, rubric=rubric)
    finish = SCORE_GRADERS.get(kind(item.id).grader)
    if finish is None or all(part.form != "score" for part in item.ask):
        return Marked(grade(item, read_hand_in(item, answers), rubric))
    load_rubric(marked.rubric)  # a wrong one is refused before anything is read
    files = [each for each in answers if _is_score_file(each)]
    typed = tuple(each for each in answers if each not in files)
    for each in typed:
        if "\n" not in each and each.lower().endswith(SUFFIXES):
            raise ScoreError(each, "does not exist")
    if len(files) > 1:
        raise OptionError("answer", files[1], "the only file; typed parts stand beside it")
    if not files:
        return finish(marked, mark(marked, read_hand_in(item, typed)))
    beside = read_hand_in(item, typed) if typed else {}
    return finish(marked, grade_file(marked, Path(files[0]), beside))


def _is_score_file(text: str) -> bool:
    try:
        path = Path(text)
        return path.is_file() and path.suffix.lower() != ".json"
    except (OSError, ValueError):  # a text that no disk could hold as a name
        return False
