"""Moodle XML is read back as Moodle reads it."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from fractions import Fraction
from html import unescape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.io.quizzes.moodle import GRADES, moodle_share, option_shares, write_moodle
from musegen.io.quizzes.packing import decimal
from musegen.io.quizzes.question import Answer, Field, Question, Quiz

Plain = Callable[[str], tuple[str, list[str]]]
TYPES = {
    "multichoice": ("choice", "multiple"),
    "shortanswer": ("text",),
    "numerical": ("number",),
    "matching": ("match",),
    "cloze": ("gaps",),
    "essay": ("essay", "upload"),
}
# as question/type/multianswer/questiontype.php of Moodle has them
ALTERNATIVE = r"(=|%(-?[0-9]+(?:[.,][0-9]*)?)%)?(.+?(?<!\\)(?<!&)(?<!&amp;)(?=[~#}]|$))(#(.*?(?<!\\)(?=[~}]|$)))?"
CLOZE = re.compile(
    rf"\{{([0-9]*):(MULTICHOICE|NUMERICAL|SHORTANSWER_C|SHORTANSWER):({ALTERNATIVE}(?:~{ALTERNATIVE})*)\}}",
    re.DOTALL,
)


def html_of(element: ET.Element, tag: str) -> str:
    """The text of a child, that must be there."""
    found = element.findtext(f"{tag}/text")
    return found or ""


def files_in(element: ET.Element, tag: str) -> dict[str, bytes]:
    """The files of a text."""
    rows = element.findall(f"{tag}/file")
    return {row.get("name") or "": base64.b64decode(row.text or "") for row in rows}


def percent(answer: Answer, share: Fraction | None = None) -> str:
    """A share as the file has it."""
    return moodle_share(answer.share if share is None else share)


def check_cloze(field: Field, blank: re.Match[str], plain: Plain) -> None:
    """A blank says what its field says."""
    assert blank[2] == ("SHORTANSWER_C" if field.case else "SHORTANSWER")
    assert int(blank[1]) == field.points
    ways = list(re.finditer(rf"~?{ALTERNATIVE}", blank[3], re.DOTALL))
    assert [unescape(way[3]).replace("\\*", "*") for way in ways] == [e.text for e in field.answers]
    assert [way[2] for way in ways] == [percent(each) for each in field.answers]
    said = [plain(unescape(way[5] or ""))[0] for way in ways]
    assert said == [each.said for each in field.answers]


def check_answers(element: ET.Element, question: Question, plain: Plain) -> None:
    """Answers, their marks and what is said to them."""
    field = question.fields[0]
    rows = element.findall("answer")
    texts = [row.findtext("text") or "" for row in rows]
    if question.shape in ("choice", "multiple"):
        assert element.findtext("single") == str(question.shape == "choice").lower()
        texts = [plain(text)[0] for text in texts]
    if question.shape == "text":
        texts = [text.replace("\\*", "*") for text in texts]
        assert element.findtext("usecase") == str(int(field.case))
    assert texts == [each.text for each in field.answers]
    wanted = [moodle_share(share) for share in option_shares(field)]
    if question.shape != "multiple":
        wanted = [percent(each) for each in field.answers]
    assert [row.get("fraction") for row in rows] == wanted
    assert [plain(html_of(row, "feedback"))[0] for row in rows] == [e.said for e in field.answers]


def check_pairs(element: ET.Element, question: Question, plain: Plain) -> None:
    """Places with their models, and the options that no place needs."""
    pairs = [
        (plain(row.findtext("text") or "")[0], row.findtext("answer/text"))
        for row in element.findall("subquestion")
    ]
    count = len(question.fields)
    assert pairs[:count] == [(field.label, field.model) for field in question.fields]
    options = {each.text for each in question.fields[0].answers}
    assert {answer for _, answer in pairs} == options
    assert all(label == "" for label, _ in pairs[count:])


def check_question(element: ET.Element, question: Question, plain: Plain) -> None:
    """A question says what was to be said."""
    assert question.shape in TYPES[element.get("type") or ""]
    assert element.findtext("idnumber") == question.name
    stem, links = plain(html_of(element, "questiontext"))
    assert stem.startswith(question.stem)
    assert files_in(element, "questiontext") == {each.name: each.data for each in question.media}
    assert list(dict.fromkeys(links)) == [f"@@PLUGINFILE@@/{each.name}" for each in question.media]
    assert files_in(element, "generalfeedback") == {each.name: each.data for each in question.shown}
    _, shown = plain(html_of(element, "generalfeedback"))
    assert shown == [f"@@PLUGINFILE@@/{each.name}" for each in question.shown]
    assert plain(html_of(element, "generalfeedback"))[0] == question.why
    assert Fraction(element.findtext("defaultgrade") or "") == question.points
    hints = [plain(row.findtext("text") or "")[0] for row in element.findall("hint")]
    assert hints == ([] if question.shape in ("essay", "upload") else list(question.hints))
    assert [row.findtext("text") for row in element.findall("tags/tag")] == list(question.tags)
    if question.shape == "gaps":
        blanks = list(CLOZE.finditer(html_of(element, "questiontext")))
        for field, blank in zip(question.fields, blanks, strict=True):
            check_cloze(field, blank, plain)
    elif question.shape == "match":
        check_pairs(element, question, plain)
    elif question.shape in ("essay", "upload"):
        assert element.findtext("attachments") == str(int(question.shape == "upload"))
        notes = plain(html_of(element, "graderinfo"))[0]
        assert question.marking in notes
        assert question.model in notes
    else:
        check_answers(element, question, plain)


@settings(max_examples=40)
@given(data=st.data())
def test_a_bank_is_read_back(quizzes: Any, plain_html: Plain, data: st.DataObject) -> None:
    """Question by question: stem, media, answers, marks, feedback, hints, teacher's notes."""
    quiz: Quiz = data.draw(quizzes)
    written = write_moodle(quiz)
    assert written == write_moodle(quiz)
    category, *elements = ET.fromstring(written)
    assert category.findtext("category/text") == f"$course$/top/{quiz.title.replace('/', '//')}"
    for element, question in zip(elements, quiz.questions, strict=True):
        check_question(element, question, plain_html)


def test_marks_are_those_that_moodle_has() -> None:
    """Two thirds is written to five places; what Moodle lacks is rounded down."""
    assert moodle_share(Fraction(2, 3)) == "66.66667"
    assert moodle_share(Fraction(3, 8)) == "33.33333"
    assert moodle_share(Fraction(-1, 3)) == "-33.33333"
    assert moodle_share(Fraction(1)) == "100"
    listed = "100 90 83.33333 80 75 70 66.66667 60 50 40 33.33333 30 25 20 16.66667 14.28571 12.5"
    assert {decimal(each * 100) for each in GRADES} == {*listed.split(), "11.11111", "10", "5", "0"}


@pytest.mark.parametrize("sign", list('~#{}/"\\=%*&<>'))
def test_signs_of_a_cloze_stand_as_entities(sign: str) -> None:
    """An answer `F#` is no answer `F` with a comment."""
    from musegen.io.quizzes.moodle import _entities

    assert sign not in _entities(f"F{sign}").replace("&#", "")
    assert unescape(_entities(f"F{sign}")) == f"F{sign}"
