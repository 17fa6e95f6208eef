"""A bank as an Anki package: a note a question, with pictures and sounds.

A package is an archive of an SQLite collection (schema 11), a table of media and the media under
numbers. It is written here rather than with genanki 0.13, whose archives hold the time of writing.
A note is known by the name of its question without the version of the kind, and is dated by that version:
a later package takes the place of what was imported, and what the student has learned stays.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from importlib import resources
from typing import Any

from musegen.io.quizzes.packing import number_of, zipped
from musegen.io.quizzes.question import Field, Question, Quiz, html_text, stem_html, why_html

__all__ = ["FIELDS", "write_anki"]

FIELDS = ("Name", "Question", "Hints", "Answer", "Why")
DATE = 1_577_836_800  # seconds: the first day of 2020, from which versions count up
LIBRARY = 3_040_000  # written as the version of SQLite, whichever it was
SEPARATOR = "\x1f"  # of the fields of a note
MODEL = number_of("musegen exercise note 1", 40)  # rises when the fields change
FRONT = '<div class="question">{{Question}}</div>{{#Hints}}<details><summary>?</summary>{{Hints}}</details>{{/Hints}}'
BACK = '{{FrontSide}}<hr id="answer"><div class="answer">{{Answer}}</div><div class="why">{{Why}}</div>'
STYLE = (
    ".card { font-family: sans-serif; font-size: 20px; text-align: center; }\n"
    ".card ol, .card ul { display: inline-block; text-align: left; }\n"
    ".card img { max-width: 100%; background: white; }\n"
    ".why { font-size: 16px; margin-top: 1em; }\n"
)


def write_anki(quiz: Quiz) -> bytes:
    """The package of one deck."""
    media = [each for question in quiz.questions for each in question.files if each.kind != "file"]
    numbers = {str(number): each.name for number, each in enumerate(media)}
    files = {
        "collection.anki2": _collection(quiz),
        "media": json.dumps(numbers, ensure_ascii=False).encode(),
    }
    return zipped(files | {str(number): each.data for number, each in enumerate(media)})


def _collection(quiz: Quiz) -> bytes:
    """The collection as a file; SQLite's own version, which stands in it, is always the same."""
    schema = (resources.files("musegen.io.quizzes") / "anki_collection.sql").read_text("utf-8")
    deck = number_of(f"deck {quiz.title}", 40)
    texts = (json.dumps(each, ensure_ascii=False) for each in _settings(quiz.title, deck))
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(schema)
        head = (1, DATE, DATE * 1000, DATE * 1000, 11, 0, 0, 0)
        database.execute("INSERT INTO col VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", (*head, *texts))
        for place, question in enumerate(quiz.questions):
            _insert(database, question, deck, place)
        database.commit()
        data = database.serialize()
    return data[:96] + LIBRARY.to_bytes(4, "big") + data[100:]


def _insert(database: sqlite3.Connection, question: Question, deck: int, place: int) -> None:
    note = number_of(f"note {question.series}")
    changed = DATE + question.version
    cells = _cells(question)
    tags = "".join(f" {'_'.join(tag.split())}" for tag in question.tags) + " "
    sum_of_first = hashlib.sha1(cells[0].encode(), usedforsecurity=False).hexdigest()[:8]
    row = (
        *(note, question.series, MODEL, changed, -1, tags),
        *(SEPARATOR.join(cells), cells[0], int(sum_of_first, 16), 0, ""),
    )
    database.execute("INSERT INTO notes VALUES (?,?,?,?,?,?,?,?,?,?,?)", row)
    card = (number_of(f"card {question.series}"), note, deck, 0, changed, -1, 0, 0, place)
    card_row = (*card, 0, 0, 0, 0, 0, 0, 0, 0, "")
    database.execute("INSERT INTO cards VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", card_row)


# --- fields ---------------------------------------------------------------------------------


def _cells(question: Question) -> tuple[str, ...]:
    """Fields of a note as HTML, in the order of `FIELDS`."""
    shown = tuple(each for each in question.media if each.kind == "picture")
    stem = stem_html(replace(question, media=shown), lambda media: media.name)
    sounds = "".join(f"[sound:{each.name}]" for each in question.media if each.kind == "sound")
    asked = "".join(_asked(field) for field in question.fields)
    hints = "".join(f"<li>{html_text(hint)}</li>" for hint in question.hints)
    return (
        question.series,
        stem + sounds + asked,
        f"<ol>{hints}</ol>" if hints else "",
        "".join(_answered(field) for field in question.fields),
        why_html(question, lambda media: media.name),
    )


def _asked(field: Field) -> str:
    if field.form not in ("choice", "multiple"):
        return f"<p>{html_text(field.label)}: …</p>"
    options = "".join(f"<li>{html_text(each.text)}</li>" for each in field.answers)
    return f'<p>{html_text(field.label)}</p><ol type="a">{options}</ol>'


def _answered(field: Field) -> str:
    """The right answer, and what is said to wrong ones."""
    wrong = "".join(
        f"<li>{html_text(each.text)}: {html_text(each.said)}</li>"
        for each in field.answers
        if each.share < 1 and each.said
    )
    said = f"<ul>{wrong}</ul>" if wrong else ""
    return f"<p>{html_text(field.label)}: <b>{html_text(field.model)}</b></p>{said}"


# --- the collection's own settings ----------------------------------------------------------


def _settings(title: str, deck: int) -> tuple[Any, ...]:
    """Options, note types, decks, options of decks and tags, as Anki keeps them."""
    options = {
        "activeDecks": [1], "addToCur": True, "collapseTime": 1200, "curDeck": 1,
        "curModel": str(MODEL), "dueCounts": True, "estTimes": True, "newSpread": 0, "nextPos": 1,
        "sortBackwards": False, "sortType": "noteFld", "timeLim": 0,
    }  # fmt: skip
    decks = {"1": _deck("Default", 1), str(deck): _deck(title, deck)}
    return options, {str(MODEL): _model(deck)}, decks, {"1": _deck_options()}, {}


def _deck(title: str, number: int) -> dict[str, Any]:
    today = {each: [0, 0] for each in ("newToday", "revToday", "lrnToday", "timeToday")}
    return {
        "id": number, "name": title, "desc": "", "mod": DATE, "usn": 0, "collapsed": False,
        "conf": 1, "dyn": 0, "extendNew": 10, "extendRev": 50, **today,
    }  # fmt: skip


def _model(deck: int) -> dict[str, Any]:
    """The one note type: a card from question to answer."""
    fields = [
        {"name": name, "ord": place, "font": "Arial", "media": [], "rtl": False, "size": 20,
         "sticky": False}
        for place, name in enumerate(FIELDS)
    ]  # fmt: skip
    card = {"name": "Answer", "ord": 0, "qfmt": FRONT, "afmt": BACK, "bqfmt": "", "bafmt": "",
            "did": None}  # fmt: skip
    return {
        "id": MODEL, "name": "musegen exercise", "type": 0, "mod": DATE, "usn": -1, "sortf": 0,
        "did": deck, "tmpls": [card], "flds": fields, "css": STYLE, "latexPre": "",
        "latexPost": "", "tags": [], "vers": [], "req": [[0, "any", [FIELDS.index("Question")]]],
    }  # fmt: skip


def _deck_options() -> dict[str, Any]:
    return {
        "id": 1, "name": "Default", "mod": 0, "usn": 0, "maxTaken": 60, "autoplay": True,
        "timer": 0, "replayq": True, "dyn": False,
        "new": {"bury": True, "delays": [1, 10], "initialFactor": 2500, "ints": [1, 4, 7],
                "order": 1, "perDay": 20, "separate": True},
        "rev": {"bury": True, "ease4": 1.3, "fuzz": 0.05, "ivlFct": 1, "maxIvl": 36500,
                "minSpace": 1, "perDay": 200},
        "lapse": {"delays": [10], "leechAction": 0, "leechFails": 8, "minInt": 1, "mult": 0},
    }  # fmt: skip
