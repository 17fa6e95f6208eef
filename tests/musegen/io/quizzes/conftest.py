"""Banks of questions to write: one of every shape, and any that hypothesis thinks of."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser

import pytest
from hypothesis import strategies as st

from musegen.io.quizzes.question import Answer, Field, Media, Question, Quiz

TEXTS = st.text(
    st.sampled_from("aBcF#b &<>~=%{}\"'\\/:*[]@-1.5\n音程；é𝄪|,;?+_$`!"), min_size=1, max_size=12
).filter(lambda text: text == text.strip())
SHARES = st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1, 3), Fraction(3, 8)])
LINES = TEXTS.map(lambda text: " ".join(text.split()))


def png() -> bytes:
    """A picture of one point."""
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0\0")),
    )
    chunks = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in (*parts, (b"IEND", b""))
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def field(form: str, number: int, answers: tuple[Answer, ...], points: int = 1) -> Field:
    """A field whose model is the first right answer."""
    right = [each.text for each in answers if each.share == 1]
    return Field(
        id=f"answer{number}",
        label=f"label {number}",
        form=form,  # type: ignore[arg-type]
        points=Fraction(points),
        answers=answers,
        model=right[0] if right else "S: C5 D5\nB: C3 G3",
    )


@st.composite
def answers_of(draw: st.DrawFn, right: int = 1) -> tuple[Answer, ...]:
    """Right answers first, then wrong ones, no two alike but for their case."""
    texts = draw(
        st.lists(LINES, min_size=right + 1, max_size=5, unique_by=lambda text: text.casefold())
    )
    said = draw(st.lists(TEXTS | st.just(""), min_size=len(texts), max_size=len(texts)))
    shares = [Fraction(1) if place < right else draw(SHARES) for place in range(len(texts))]
    return tuple(map(Answer, texts, shares, said))


@st.composite
def questions(draw: st.DrawFn, number: int) -> Question:
    """A question of any shape."""
    shape = draw(
        st.sampled_from(
            ["choice", "multiple", "text", "number", "match", "gaps", "essay", "upload"]
        )
    )
    fields: tuple[Field, ...]
    if shape == "match":
        options = draw(answers_of())
        fields = tuple(
            field(
                "choice",
                place,
                tuple(Answer(o.text, Fraction(i == right)) for i, o in enumerate(options)),
            )
            for place, right in enumerate(
                draw(st.lists(st.integers(0, len(options) - 1), min_size=2, max_size=4))
            )
        )
    elif shape == "gaps":
        fields = tuple(
            field("text", place, draw(answers_of()), draw(st.integers(1, 3)))
            for place in range(draw(st.integers(2, 3)))
        )
    elif shape == "number":
        values = draw(st.lists(st.integers(-9, 99), min_size=1, max_size=3, unique=True))
        fields = (
            field(
                "number", 0, tuple(Answer(str(v), Fraction(not i)) for i, v in enumerate(values))
            ),
        )
    elif shape == "multiple":
        answers = draw(answers_of(2))
        fields = (
            field("multiple", 0, tuple(Answer(a.text, Fraction(a.share == 1)) for a in answers)),
        )
    else:
        fields = (field(shape, 0, () if shape in ("essay", "upload") else draw(answers_of())),)
    picture = Media(f"q{number}.png", "picture", "image/png", png(), draw(TEXTS), 1, 1)
    sound = Media(f"q{number}.wav", "sound", "audio/wav", b"RIFF", draw(TEXTS))
    return Question(
        name=f"int.name-l1-s{number}-v1-en",
        series=f"int.name-l1-s{number}-en",
        title=draw(LINES),
        lang="en",
        version=1,
        stem=draw(TEXTS),
        fields=fields,
        given=draw(TEXTS),
        media=draw(st.sampled_from([(), (picture,), (sound,), (picture, sound)])),
        hints=tuple(draw(st.lists(TEXTS, max_size=2))),
        why=draw(TEXTS | st.just("")),
        shown=draw(st.sampled_from([(), (replace(picture, name=f"q{number}-heard.png"),)])),
        marking=draw(TEXTS | st.just("")),
        tags=("int.name", "level-1"),
    )


@st.composite
def any_quizzes(draw: st.DrawFn) -> Quiz:
    """One to three questions."""
    count = draw(st.integers(1, 3))
    return Quiz(draw(LINES), "en", tuple(draw(questions(number)) for number in range(count)))


@pytest.fixture(scope="session")
def quizzes() -> st.SearchStrategy[Quiz]:
    """Banks whose texts hold the signs of every format."""
    return any_quizzes()


class _Plain(HTMLParser):
    """The text of a page, a break as a new line; what stands in `src` and `href` apart."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.text += "\n"
        self.links += [value for name, value in attrs if name in ("src", "href") and value]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="session")
def plain_html() -> Callable[[str], tuple[str, list[str]]]:
    """A reader of HTML: its text and its links."""

    def read(html: str) -> tuple[str, list[str]]:
        reader = _Plain()
        reader.feed(html)
        reader.close()
        return reader.text, reader.links

    return read
