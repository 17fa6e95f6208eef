"""A bank as a table for spreadsheets: a row a field, texts only.

Pictures cannot stand in a table; what they show stands there in words. A sound has none.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO

from musegen.io.quizzes.packing import decimal
from musegen.io.quizzes.question import Field, Question, Quiz

__all__ = ["COLUMNS", "write_csv"]

COLUMNS = (
    "name",
    "title",
    "language",
    "question",
    "given",
    "field",
    "label",
    "form",
    "points",
    "options",
    "answer",
    "accepted",
    "wrong",
    "hints",
    "why",
    "marking",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(quiz: Quiz) -> bytes:
    """The table, in UTF-8 with the mark that spreadsheets want for it.

    `options`, `accepted` and `hints` have one a line, `wrong` and partly right ones `answer: percent,
    feedback`. A text that a spreadsheet would take for a formula stands after an apostrophe.
    """
    target = StringIO()
    rows = csv.writer(target, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    for question in quiz.questions:
        for field in question.fields:
            rows.writerow([_safe(cell) for cell in _cells(question, field)])
    return b"\xef\xbb\xbf" + target.getvalue().encode()


def _cells(question: Question, field: Field) -> Iterator[str]:
    chosen = field.form in ("choice", "multiple")
    yield from (question.name, question.title, question.lang, question.stem, question.given)
    yield from (field.id, field.label, field.form, decimal(field.points))
    yield "\n".join(each.text for each in field.answers) if chosen else ""
    yield field.model
    yield "\n".join(each.text for each in field.right)
    yield "\n".join(
        f"{each.text}: {decimal(each.share * 100)} %, {each.said}"
        for each in field.answers
        if each.share < 1
    )
    yield "\n".join(question.hints)
    yield question.why
    yield question.marking


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
