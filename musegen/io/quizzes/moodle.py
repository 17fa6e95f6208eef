"""A bank as Moodle XML: pictures, sounds, feedback, hints, partial marks and the teacher's notes in one file.

There is no schema; the reader of Moodle (`question/format/xml/format.php`) says what is read. Shares
of a mark must be among Moodle's own (`GRADES`), else the import stops: a share is rounded down.
Several fields in one question become a cloze (`question/type/multianswer/questiontype.php`), whose own
signs stand as entities in answers.
"""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import lcm

from musegen.io.quizzes.packing import XML, decimal
from musegen.io.quizzes.question import (
    Answer,
    Field,
    Media,
    Question,
    Quiz,
    Shape,
    html_text,
    stem_html,
    why_html,
)

__all__ = ["GRADES", "moodle_share", "option_shares", "write_moodle"]

GRADES = tuple(
    sorted(
        {Fraction(1, n) for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20)}
        | {Fraction(n, 20) for n in (14, 15, 16, 12, 8, 6, 18)}
        | {Fraction(5, 6), Fraction(2, 3), Fraction(0)}
    )
)
PENALTY = "0.2"  # of a further try, as a step of the ladder of hints costs
CLOZE = re.compile(r'[~#{}/"\\=%*&<>]')


def write_moodle(quiz: Quiz) -> bytes:
    """The bank under a category of its title."""
    root = ET.Element("quiz")
    category = ET.SubElement(root, "question", {"type": "category"})
    place = quiz.title.replace("/", "//")  # one stroke parts a category from those in it
    _text(category, "category", f"$course$/top/{place}")
    for question in quiz.questions:
        name, write = WRITERS[question.shape]
        element = ET.SubElement(root, "question", {"type": name})
        write(element, question)
        _last(element, question)
    ET.indent(root, " ")
    return f"{XML}{ET.tostring(root, encoding='unicode')}\n".encode()


# --- what all questions have ----------------------------------------------------------------


def _text(parent: ET.Element, tag: str, text: str) -> ET.Element:
    element = ET.SubElement(parent, tag)
    ET.SubElement(element, "text").text = text
    return element


def _html(parent: ET.Element, tag: str, html: str) -> ET.Element:
    element = _text(parent, tag, html)
    element.set("format", "html")
    return element


def _said(parent: ET.Element, tag: str, text: str) -> ET.Element:
    return _html(parent, tag, f"<p>{html_text(text)}</p>" if text else "")


def _url(media: Media) -> str:
    return f"@@PLUGINFILE@@/{media.name}"


def _head(element: ET.Element, question: Question, html: str = "") -> None:
    """Name, stem with its files, what is said afterwards, marks."""
    _text(element, "name", f"{question.title} ({question.name})")
    stem = _html(element, "questiontext", html or stem_html(question, _url))
    _files(stem, question.media)
    _files(_html(element, "generalfeedback", why_html(question, _url)), question.shown)
    values = {
        "defaultgrade": decimal(question.points),
        "penalty": PENALTY,
        "hidden": "0",
        "idnumber": question.name,
    }
    for tag, value in values.items():
        ET.SubElement(element, tag).text = value


def _files(parent: ET.Element, media: Sequence[Media]) -> None:
    for each in media:
        place = {"name": each.name, "path": "/", "encoding": "base64"}
        ET.SubElement(parent, "file", place).text = base64.b64encode(each.data).decode()


def _last(element: ET.Element, question: Question) -> None:
    if question.shape not in ("essay", "upload"):  # such a question has one try
        for hint in question.hints:
            _said(element, "hint", hint)
    tags = ET.SubElement(element, "tags")
    for tag in question.tags:
        _text(tags, "tag", tag)


def moodle_share(share: Fraction) -> str:
    """The largest mark of Moodle's list that is not above a share, in percent."""
    sign, size = ("-", -share) if share < 0 else ("", share)
    return sign + decimal(max(each for each in GRADES if each <= size) * 100)


def _answer(element: ET.Element, answer: Answer, share: Fraction, text: str) -> ET.Element:
    found = _text(element, "answer", text)
    found.set("fraction", moodle_share(share))
    _said(found, "feedback", answer.said)
    return found


# --- sorts of question ----------------------------------------------------------------------


def _multichoice(element: ET.Element, question: Question) -> None:
    _head(element, question)
    field = question.fields[0]
    single = field.form == "choice"
    values = {
        "single": str(single).lower(),
        "shuffleanswers": "true",
        "answernumbering": "abc",
        "showstandardinstruction": "0",
    }
    for tag, value in values.items():
        ET.SubElement(element, tag).text = value
    for tag in ("correctfeedback", "partiallycorrectfeedback", "incorrectfeedback"):
        _said(element, tag, "")
    for answer, share in zip(field.answers, option_shares(field), strict=True):
        _answer(element, answer, share, html_text(answer.text)).set("format", "html")


def option_shares(field: Field) -> Sequence[Fraction]:
    """Shares of answers; of options of which several hold each right one is a part, and a wrong one takes it."""
    if field.form != "multiple":
        return [each.share for each in field.answers]
    part = Fraction(1, max(1, len(field.right)))
    return [part if each.share == 1 else -part for each in field.answers]


def _shortanswer(element: ET.Element, question: Question) -> None:
    _head(element, question)
    field = question.fields[0]
    ET.SubElement(element, "usecase").text = "1" if field.case else "0"
    for answer in field.answers:
        _answer(element, answer, answer.share, _no_wildcard(answer.text))


def _no_wildcard(text: str) -> str:
    """A typed answer as Moodle compares it: a star alone would stand for anything."""
    return text.replace("*", "\\*")


def _numerical(element: ET.Element, question: Question) -> None:
    _head(element, question)
    for answer in question.fields[0].answers:
        found = _answer(element, answer, answer.share, answer.text)
        ET.SubElement(found, "tolerance").text = "0"


def _matching(element: ET.Element, question: Question) -> None:
    """Places in their order beside the options; those that no place needs stand without one."""
    _head(element, question)
    ET.SubElement(element, "shuffleanswers").text = "false"
    for tag in ("correctfeedback", "partiallycorrectfeedback", "incorrectfeedback"):
        _said(element, tag, "")
    for field in question.fields:
        place = _html(element, "subquestion", html_text(field.label))
        _text(place, "answer", field.model)
    models = {field.model for field in question.fields}
    for answer in question.fields[0].answers:
        if answer.text not in models:
            _text(_html(element, "subquestion", ""), "answer", answer.text)


def _essay(element: ET.Element, question: Question) -> None:
    _head(element, question)
    upload = question.shape == "upload"
    values = {
        "responseformat": "editor",
        "responserequired": "0" if upload else "1",
        "responsefieldlines": "10",
        "attachments": "1" if upload else "0",
        "attachmentsrequired": "1" if upload else "0",
    }
    for tag, value in values.items():
        ET.SubElement(element, tag).text = value
    notes = (question.given, question.marking, question.model)
    _said(element, "graderinfo", "\n\n".join(each for each in notes if each))
    _html(element, "responsetemplate", "")


# --- several fields -------------------------------------------------------------------------


def _cloze(element: ET.Element, question: Question) -> None:
    weights = _weights(question.fields)
    rows = "".join(
        f"<p>{_entities(html_text(field.label))}: {_blank(field, weight)}</p>"
        for field, weight in zip(question.fields, weights, strict=True)
    )
    stem = stem_html(question, _url).replace("{", "&#123;")  # no blank but ours
    _head(element, question, stem + rows)


def _weights(fields: Sequence[Field]) -> list[int]:
    """Whole numbers as the points of the fields are to each other."""
    scale = lcm(*(field.points.denominator for field in fields))
    return [int(field.points * scale) for field in fields]


def _blank(field: Field, weight: int) -> str:
    typed = "SHORTANSWER_C" if field.case else "SHORTANSWER"
    sort = {"choice": "MULTICHOICE", "multiple": "MULTIRESPONSE", "number": "NUMERICAL"}
    ways = "~".join(_way(field, answer) for answer in field.answers)
    return f"{{{weight}:{sort.get(field.form, typed)}:{ways}}}"


def _way(field: Field, answer: Answer) -> str:
    text = answer.text if field.form in ("text", "number") else html_text(answer.text)
    if field.form == "text":
        text = _no_wildcard(text)
    said = f"#{_entities(html_text(answer.said))}" if answer.said else ""
    return f"%{moodle_share(answer.share)}%{_entities(text)}{said}"


def _entities(text: str) -> str:
    """A text in which nothing is a sign of a cloze."""
    return CLOZE.sub(lambda match: f"&#{ord(match[0])};", text)


WRITERS: dict[Shape, tuple[str, Callable[[ET.Element, Question], None]]] = {
    "choice": ("multichoice", _multichoice),
    "multiple": ("multichoice", _multichoice),
    "text": ("shortanswer", _shortanswer),
    "number": ("numerical", _numerical),
    "match": ("matching", _matching),
    "gaps": ("cloze", _cloze),
    "essay": ("essay", _essay),
    "upload": ("essay", _essay),
}
