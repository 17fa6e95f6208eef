"""The table is read back cell by cell."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.io.quizzes.csv_table import COLUMNS, write_csv
from musegen.io.quizzes.packing import decimal
from musegen.io.quizzes.question import Quiz


def cell(text: str) -> str:
    """A text as it stands in the table."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


@settings(max_examples=40)
@given(data=st.data())
def test_a_bank_is_read_back(quizzes: Any, data: st.DataObject) -> None:
    """A row a field with all its texts; no cell is a formula."""
    quiz: Quiz = data.draw(quizzes)
    text = write_csv(quiz).decode("utf-8-sig")
    head, *rows = csv.reader(StringIO(text, newline=""))
    assert tuple(head) == COLUMNS
    wanted = [(question, field) for question in quiz.questions for field in question.fields]
    for row, (question, field) in zip(rows, wanted, strict=True):
        found = dict(zip(COLUMNS, row, strict=True))
        assert found["name"] == question.name
        assert found["question"] == cell(question.stem)
        assert found["given"] == cell(question.given)
        assert (found["field"], found["form"]) == (field.id, field.form)
        assert found["points"] == decimal(field.points)
        assert found["answer"] == cell(field.model)
        assert found["accepted"] == cell("\n".join(each.text for each in field.right))
        assert found["hints"] == cell("\n".join(question.hints))
        assert found["why"] == cell(question.why)
        assert found["marking"] == cell(question.marking)
        chosen = field.form in ("choice", "multiple")
        assert found["options"] == cell("\n".join(e.text for e in field.answers) if chosen else "")
        for each in field.answers:
            line = f"{each.text}: {decimal(each.share * 100)} %, {each.said}"
            assert (line in found["wrong"]) == (each.share < 1) or each.said == ""
        assert not any(value.startswith(("=", "+", "-", "@")) for value in row)
