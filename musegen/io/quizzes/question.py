"""A question as every learning system can be told it: a stem with media, fields to fill in, what is said.

Texts are plain; each writer marks them up as its format asks. A field that is chosen from has its
options as answers; a field that is typed has the spellings that earn points, then the wrong answers
that something is said to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from fractions import Fraction
from html import escape
from typing import Any, Literal

from musegen.errors import MusegenError

__all__ = [
    "SHAPES",
    "Answer",
    "Field",
    "FieldForm",
    "Media",
    "MediaKind",
    "Question",
    "Quiz",
    "QuizError",
    "Shape",
    "check_quiz",
    "html_text",
    "stem_html",
    "why_html",
]

FieldForm = Literal["choice", "multiple", "text", "number", "essay", "upload"]
MediaKind = Literal["picture", "sound", "file"]
Shape = Literal["choice", "multiple", "text", "number", "match", "gaps", "essay", "upload"]
SHAPES: tuple[tuple[Shape, str], ...] = (
    ("choice", "one of several options"),
    ("multiple", "all options that hold"),
    ("text", "one typed answer"),
    ("number", "one number"),
    ("match", "several places, each chosen from the same options"),
    ("gaps", "several places or parts, typed or chosen"),
    ("essay", "a text that rules judge"),
    ("upload", "a score to hand in"),
)
FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class QuizError(MusegenError):
    """A question that cannot be written."""

    def __init__(self, name: str, problem: str) -> None:
        """Name the question and what stands in the way."""
        super().__init__(f"{name}: {problem}")
        self.name, self.problem = name, problem


@dataclass(frozen=True, slots=True)
class Media:
    """A file that belongs to a question."""

    name: str  # of the file, unlike every other of the bank
    kind: MediaKind
    mime: str  # such as `image/png`
    data: bytes
    alt: str = ""  # of a picture: what is said to who cannot see it; else the text of the link
    width: int = 0  # of a picture, pixels of the page; the file has twice as many
    height: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """An option, or a typed answer that something is known about."""

    text: str
    share: Fraction  # of the field's points, 0 to 1
    said: str = ""  # to who gives it


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing to fill in."""

    id: str  # letters and digits, unlike every other of the question
    label: str
    form: FieldForm
    points: Fraction
    answers: tuple[Answer, ...] = ()
    model: str = ""  # the answer that is shown
    case: bool = False  # whether capital and small letters differ, where it is typed

    @property
    def right(self) -> tuple[Answer, ...]:
        """Answers with full marks."""
        return tuple(each for each in self.answers if each.share == 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of a bank."""

    name: str  # unlike every other of the bank; fit for the name of a file
    series: str  # the name without the version of its kind
    title: str
    lang: str
    version: int  # of its kind: a later one takes the place of an earlier
    stem: str
    fields: tuple[Field, ...]
    given: str = ""  # in words what the media show: for whoever marks it, never for the student
    media: tuple[Media, ...] = ()
    hints: tuple[str, ...] = ()
    why: str = ""  # the solution with its reasons, said afterwards
    shown: tuple[Media, ...] = ()  # with the solution, such as what was heard
    marking: str = ""  # how it is marked, for whoever marks it
    tags: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[Media, ...]:
        """All that lies beside it."""
        return self.media + self.shown

    @property
    def points(self) -> Fraction:
        """Most that it gives."""
        return sum((each.points for each in self.fields), Fraction(0))

    @property
    def shape(self) -> Shape:
        """What sort of question it is as a whole."""
        forms = {each.form for each in self.fields}
        for judged in ("upload", "essay"):
            if judged in forms:
                return judged
        if len(self.fields) == 1:
            return self.fields[0].form
        options = {tuple(each.text for each in field.answers) for field in self.fields}
        return "match" if forms == {"choice"} and len(options) == 1 else "gaps"

    @property
    def model(self) -> str:
        """The whole answer that is shown, a line a field where there are several."""
        if len(self.fields) == 1:
            return self.fields[0].model
        return "\n".join(f"{each.label}: {each.model}" for each in self.fields)


@dataclass(frozen=True, slots=True)
class Quiz:
    """A bank of questions."""

    title: str
    lang: str
    questions: tuple[Question, ...]


def check_quiz(quiz: Quiz) -> None:
    """Refuse what no format could hold.

    Raises:
        QuizError: a name that came before, a field whose name no format could hold or that has
            no right answer, or a character that XML has not.
    """
    seen: set[str] = set()
    for question in quiz.questions:
        if question.name in seen:
            raise QuizError(question.name, "comes twice; leave one of them out")
        seen.add(question.name)
        _check_fields(question)
        for text in _texts(question):
            found = NO_XML.search(text)
            if found is not None:
                code = ord(found[0])
                raise QuizError(question.name, f"holds the character U+{code:04X}, no text has it")


def _check_fields(question: Question) -> None:
    names = [field.id for field in question.fields]
    if len(set(names)) < len(names) or not all(map(FIELD_NAME.fullmatch, names)):
        allowed = "letters and digits after a letter, each its own"
        raise QuizError(question.name, f"names of fields must be {allowed}, got {names}")
    for field in question.fields:
        if field.form not in ("essay", "upload") and not field.right:
            raise QuizError(question.name, f"no answer to {field.id!r} is right")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _texts(each)
    elif is_dataclass(value):
        for each in fields(value):
            yield from _texts(getattr(value, each.name))


# --- as HTML --------------------------------------------------------------------------------


def html_text(text: str) -> str:
    """A plain text as HTML, its lines kept."""
    return escape(text).replace("\r\n", "\n").replace("\r", "\n").replace("\n", "<br/>")


def _picture(media: Media, url: str) -> str:
    size = f' width="{media.width}" height="{media.height}"' if media.width else ""
    return f'<p><img src="{escape(url)}" alt="{escape(media.alt)}"{size}/></p>'


def _sound(media: Media, url: str) -> str:
    link = f'<a href="{escape(url)}">{escape(media.alt)}</a>'
    return f'<p><audio controls="controls" src="{escape(url)}">{link}</audio></p>'


def _file(media: Media, url: str) -> str:
    return f'<p><a href="{escape(url)}">{escape(media.alt)}</a></p>'


SHOWN: dict[MediaKind, Callable[[Media, str], str]] = {
    "picture": _picture,
    "sound": _sound,
    "file": _file,
}


def stem_html(question: Question, url: Callable[[Media], str]) -> str:
    """The stem as HTML with its media.

    Args:
        question: what is asked.
        url: where a file will lie.
    """
    return f"<p>{html_text(question.stem)}</p>{_media_html(question.media, url)}"


def why_html(question: Question, url: Callable[[Media], str]) -> str:
    """The solution with its reasons as HTML, and what is shown with it; empty where there is neither."""
    said = f"<p>{html_text(question.why)}</p>" if question.why else ""
    return said + _media_html(question.shown, url)


def _media_html(media: tuple[Media, ...], url: Callable[[Media], str]) -> str:
    return "".join(SHOWN[each.kind](each, url(each)) for each in media)
