"""An Anki package is opened as Anki opens it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.io.quizzes.anki import FIELDS, write_anki
from musegen.io.quizzes.question import Question, Quiz

Plain = Callable[[str], tuple[str, list[str]]]
Row = dict[str, Any]


def opened(package: bytes) -> tuple[sqlite3.Connection, dict[str, bytes]]:
    """The collection, and the media by their names."""
    with zipfile.ZipFile(BytesIO(package)) as archive:
        assert archive.testzip() is None
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        numbers = json.loads(archive.read("media"))
        media = {name: archive.read(number) for number, name in numbers.items()}
        assert set(archive.namelist()) == {"collection.anki2", "media", *numbers}
        database = sqlite3.connect(":memory:")
        database.row_factory = sqlite3.Row
        database.deserialize(archive.read("collection.anki2"))
    return database, media


def check_note(note: sqlite3.Row, question: Question, plain: Plain) -> None:
    """A note holds stem, answers, hints and reasons."""
    cells = dict(zip(FIELDS, note["flds"].split("\x1f"), strict=True))
    assert (note["guid"], cells["Name"]) == (question.series, question.series)
    checksum = int(hashlib.sha1(question.series.encode()).hexdigest()[:8], 16)
    assert note["csum"] == checksum
    assert note["tags"] == " int.name level-1 "
    text, links = plain(cells["Question"])
    assert text.startswith(question.stem)
    assert links == [each.name for each in question.media if each.kind == "picture"]
    for each in question.media:
        assert (f"[sound:{each.name}]" in text) == (each.kind == "sound")
    answer, _ = plain(cells["Answer"])
    for field in question.fields:
        assert f"{field.label}: {field.model}" in answer
        for option in field.answers:
            assert field.form != "choice" or option.text in text
            if option.share < 1 and option.said:
                assert f"{option.text}: {option.said}" in answer
    assert plain(cells["Hints"])[0] == "".join(question.hints)
    assert plain(cells["Why"]) == (question.why, [each.name for each in question.shown])


@settings(max_examples=40)
@given(data=st.data())
def test_a_package_is_read_back(quizzes: Any, plain_html: Plain, data: st.DataObject) -> None:
    """A note and a card a question, media by number, and the same bytes again."""
    quiz: Quiz = data.draw(quizzes)
    package = write_anki(quiz)
    assert package == write_anki(quiz)
    database, media = opened(package)
    with closing(database):
        assert media == {each.name: each.data for q in quiz.questions for each in q.files}
        notes = {row["guid"]: row for row in database.execute("SELECT * FROM notes")}
        cards = {row["nid"]: row for row in database.execute("SELECT * FROM cards")}
        col = database.execute("SELECT * FROM col").fetchone()
        models, decks = json.loads(col["models"]), json.loads(col["decks"])
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    for place, question in enumerate(quiz.questions):
        note = notes[question.series]
        check_note(note, question, plain_html)
        card = cards[note["id"]]
        assert (card["ord"], card["due"]) == (0, place)
        assert decks[str(card["did"])]["name"] == quiz.title
        assert [each["name"] for each in models[str(note["mid"])]["flds"]] == list(FIELDS)
    assert len(notes) == len(cards) == len(quiz.questions)


@settings(max_examples=40)
@given(data=st.data())
def test_a_later_version_takes_the_place_of_a_note(quizzes: Any, data: st.DataObject) -> None:
    """The note keeps its id, and a later version of the kind has a later date."""
    quiz: Quiz = data.draw(quizzes)
    later = replace(quiz, questions=tuple(replace(q, version=2) for q in quiz.questions))
    rows = []
    for bank in (quiz, later):
        database, _ = opened(write_anki(bank))
        with closing(database):
            rows.append(database.execute("SELECT id, guid, mod FROM notes ORDER BY id").fetchall())
    for first, second in zip(*rows, strict=True):
        assert (first["id"], first["guid"]) == (second["id"], second["guid"])
        assert second["mod"] == first["mod"] + 1
