"""A bank as GIFT, the plain text that Moodle and others read.

The format has texts only: no picture, no sound, no file, no hint, no tags, and one field a question, unless
it is a table of places to match. What cannot be said so is refused, see `musegen.io.quizzes.formats`.
Signs of the format stand after a backslash (`question/format/gift/format.php` of Moodle).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from musegen.io.quizzes.moodle import moodle_share, option_shares
from musegen.io.quizzes.question import Question, Quiz, Shape, html_text

__all__ = ["write_gift"]

SIGNS = re.compile(r"[\\~=#{}:]")


def write_gift(quiz: Quiz) -> bytes:
    """The bank under a category of its title."""
    title = " ".join(quiz.title.replace("/", "//").split())
    blocks = [f"$CATEGORY: $course$/top/{title}"]
    blocks += (_question(question) for question in quiz.questions)
    return ("\n\n".join(blocks) + "\n").encode()


def _question(question: Question) -> str:
    lines = [f"// {question.name}", f"::{_said(question.title)} ({_said(question.name)})::[html]"]
    lines[-1] += _html(question.stem) + "{" + MARKS.get(question.shape, "")
    lines += [f"\t{line}" for line in WRITERS[question.shape](question)]
    if question.why:
        lines.append(f"\t####{_html(question.why)}")
    return "\n".join([*lines, "}"])


def _said(text: str) -> str:
    """A text in one line in which nothing is a sign of the format."""
    return SIGNS.sub(r"\\\g<0>", " ".join(text.split()))


def _html(text: str) -> str:
    return _said(html_text(text))


def _plain(text: str) -> str:
    """A typed answer: never marked up, and a bracket at its head names no format."""
    said = _said(text)
    return f"[plain]{said}" if said.startswith("[") else said


def _feedback(text: str) -> str:
    return f"#{_html(text)}" if text else ""


def _options(question: Question) -> Iterator[str]:
    for each in question.fields[0].answers:
        mark = "=" if each.share == 1 else f"~%{moodle_share(each.share)}%"
        yield f"{mark}[html]{_html(each.text)}{_feedback(each.said)}"


def _several(question: Question) -> Iterator[str]:
    """Options of which several hold: each right one is a part, and a wrong one takes it away."""
    field = question.fields[0]
    for each, share in zip(field.answers, option_shares(field), strict=True):
        yield f"~%{moodle_share(share)}%[html]{_html(each.text)}{_feedback(each.said)}"


def _typed(question: Question) -> Iterator[str]:
    for each in question.fields[0].answers:
        yield f"=%{moodle_share(each.share)}%{_plain(each.text)}{_feedback(each.said)}"


def _pairs(question: Question) -> Iterator[str]:
    for field in question.fields:
        yield f"=[html]{_html(field.label)} -> {_said(field.model)}"
    models = {field.model for field in question.fields}
    for each in question.fields[0].answers:
        if each.text not in models:
            yield f"= -> {_said(each.text)}"


def _nothing(_: Question) -> Iterator[str]:
    return iter(())


MARKS: dict[Shape, str] = {"number": "#"}
WRITERS: dict[Shape, Callable[[Question], Iterator[str]]] = {
    "choice": _options,
    "multiple": _several,
    "text": _typed,
    "number": _typed,
    "match": _pairs,
    "essay": _nothing,
}
