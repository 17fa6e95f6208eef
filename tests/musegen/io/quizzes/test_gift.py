"""GIFT is read back by the rules of Moodle's reader."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.io.quizzes.formats import FORMATS, unfit
from musegen.io.quizzes.gift import write_gift
from musegen.io.quizzes.moodle import moodle_share, option_shares
from musegen.io.quizzes.question import Question, Quiz

Plain = Callable[[str], tuple[str, list[str]]]
ESCAPES = {sign: f"\ue000{ord(sign):03d};" for sign in ":#={}~"}


def hidden(text: str) -> str:
    """Escaped signs out of the way, as the reader puts them."""
    text = text.replace("\\\\", "\ue001")
    for sign, token in ESCAPES.items():
        text = text.replace(f"\\{sign}", token)
    return text.replace("\ue001", "\\")


def shown(text: str) -> str:
    """A text with its signs, trimmed, its format at the head taken off."""
    text = re.sub(r"^\[(html|plain)\]", "", text.strip())
    for sign, token in ESCAPES.items():
        text = text.replace(token, sign)
    return text.strip()


def one_line(text: str) -> str:
    """A text whose lines run on."""
    return " ".join(text.split())


def answered(row: str) -> tuple[str, str, str]:
    """Mark, text and feedback of an answer."""
    text, _, said = row.strip().partition("#")
    match = re.match(r"%(-*[0-9]{1,2}\.?[0-9]*)%", text)
    return (
        (match[1], shown(text[match.end() :]), shown(said))
        if match
        else ("", shown(text), shown(said))
    )


def check_question(block: str, question: Question, plain: Plain) -> None:
    """A question says what was to be said."""
    lines = [line for line in block.splitlines() if not line.startswith("//")]
    text = hidden("\n".join(lines))
    name = re.match(r"::(.*?)::", text, re.DOTALL)
    assert name is not None
    assert shown(name[1]) == f"{one_line(question.title)} ({question.name})"
    stem, _, rest = text[name.end() :].partition("{")
    assert one_line(plain(shown(stem))[0]) == one_line(question.stem)
    body, _, after = rest.partition("}")
    assert after.strip() == ""
    body, _, why = body.rpartition("####") if "####" in body else (body, "", "")
    assert one_line(plain(shown(why))[0]) == one_line(question.why)
    body = body.strip()
    field = question.fields[0]
    if question.shape == "essay":
        assert body == ""
        return
    if question.shape == "match":
        pairs = [tuple(map(shown, row.split("->"))) for row in body.split("=")[1:]]
        wanted = [(each.label, each.model) for each in question.fields]
        assert [(plain(label)[0], model) for label, model in pairs][: len(wanted)] == wanted
        assert {model for _, model in pairs} == {each.text for each in field.answers}
        return
    if question.shape in ("choice", "multiple"):
        rows = [answered(row) for row in body.replace("=", "~%100%").split("~")[1:]]
        texts = [plain(text)[0] for _, text, _ in rows]
    else:
        assert body.startswith("#") == (question.shape == "number")
        rows = [answered(row) for row in body.lstrip("#").split("=")[1:]]
        texts = [text for _, text, _ in rows]
    assert texts == [one_line(each.text) for each in field.answers]
    shares = (
        option_shares(field) if question.shape == "multiple" else [e.share for e in field.answers]
    )
    assert [mark for mark, _, _ in rows] == [moodle_share(share) for share in shares]
    said = [one_line(plain(said)[0]) for _, _, said in rows]
    assert said == [one_line(each.said) for each in field.answers]


@settings(max_examples=40)
@given(data=st.data())
def test_a_bank_is_read_back(quizzes: Any, plain_html: Plain, data: st.DataObject) -> None:
    """Question by question, whatever signs are in the texts; lines run on."""
    drawn: Quiz = data.draw(quizzes)
    fit = tuple(each for each in drawn.questions if not unfit(FORMATS["gift"], each))
    quiz = replace(drawn, questions=fit)
    category, *blocks = write_gift(quiz).decode().removesuffix("\n").split("\n\n")
    assert category == f"$CATEGORY: $course$/top/{one_line(quiz.title.replace('/', '//'))}"
    for block, question in zip(blocks, quiz.questions, strict=True):
        check_question(block, question, plain_html)


@settings(max_examples=40)
@given(data=st.data())
def test_what_has_a_picture_does_not_fit(quizzes: Any, data: st.DataObject) -> None:
    """A question that cannot be said in texts is refused with the reason."""
    quiz: Quiz = data.draw(quizzes)
    for question in quiz.questions:
        why = unfit(FORMATS["gift"], question)
        assert bool(why) == (question.shape in ("gaps", "upload") or bool(question.media))
        assert not why or why.startswith("gift cannot hold ")
