from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from musegen.io.explanation_html import render_html
from theory_kb.rules.records import rules

EVIL = "<script>alert(1)</script><!-- data -->"
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg"><g id="p0n0" class="note"/>'
    '<g id="p0n1" class="note"/><g id="p1n0" class="note"/></svg>\n'
)


class Page(HTMLParser):
    """What a browser finds in a page: elements with attributes, and the texts of some."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep the text with the element that was opened last."""
        self.texts.append((self.elements[-1][0] if self.elements else "", data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of all elements of a name."""
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, tag: str) -> str:
        """All that stands directly after elements of a name was opened."""
        return "".join(data for name, data in self.texts if name == tag)


def document(word: str = "x") -> dict[str, Any]:
    """A small explanation whose every free text is one word."""
    reason = {"text": word, "source": word}
    note = {
        "part": "Soprano",
        "pitch": "F#4",
        "duration": "1",
        "chord": 0,
        "role": word,
        "reasons": [reason, {"text": "by the book", "source": "KP 7, AS 6"}],
        "rules": ["parallel-fifth", word],
        "alternatives": [
            {"pitch": word, "rejected_by": "rule", "rule": word, "text": word, "score": 0.0}
        ],
        "models": {word: -1.0},
    }
    return {
        "title": word,
        "key": "C major",
        "form": word,
        "style": word,
        "seed": 1,
        "chords": [
            {
                "index": 0,
                "bar": 0,
                "beat": 4.0,
                "onset": "0",
                "key": word,
                "numeral": word,
                "function": word,
                "reasons": [reason],
            }
        ],
        "notes": [
            {**note, "id": "p0n0", "bar": 0, "beat": 4.0},
            {**note, "id": "p0n1", "bar": 1, "beat": 1.0},
            {**note, "id": "p1n0", "bar": 0, "beat": 4.0, "part": "Alto"},
        ],
        "findings": [
            {
                "severity": "W",
                "rule": word,
                "bar": 1,
                "beat": 1.5,
                "voices": ["Soprano", "Alto"],
                "message": word,
                "repair": word,
                "source": "HU",
            }
        ],
        "skipped": [],
    }


def rendered(word: str = "x", audio: str | None = "score.wav") -> str:
    """The page of the small explanation."""
    return render_html(document(word), [SVG], audio, {word: word})


def data_of(text: str) -> Any:
    """The JSON block of a page."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_hostile_texts_are_escaped_everywhere() -> None:
    """Whatever stands in title, reasons, rules or table, the page has its own two scripts only."""
    text = rendered(EVIL)
    page = Page(text)
    assert len(page.all("script")) == 2
    assert "<script>alert" not in text
    assert page.text("title").strip() == EVIL
    assert page.text("h1").strip() == EVIL
    assert data_of(text)["notes"][0]["role"] == EVIL


def test_hostile_names_cannot_leave_an_attribute() -> None:
    """Quotes in the name of the audio file stay in it."""
    (audio,) = Page(rendered(audio='a" onerror="alert(1)')).all("audio")
    assert audio == {"controls": None, "src": 'a" onerror="alert(1)'}


def test_every_place_of_the_page_is_filled() -> None:
    """No mark of the template is left, and the title stands in the heading too."""
    text = rendered()
    assert "<!--" not in text
    assert Page(text).text("h1").strip() == "x"


def test_page_is_self_contained() -> None:
    """No address but names of namespaces, nothing loaded but the audio file beside it."""
    text = rendered()
    assert set(re.findall(r"https?://[^\"'\s<]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert "@import" not in text
    assert "url(" not in text
    page = Page(text)
    assert not page.all("link") + page.all("img") + page.all("iframe")
    loaded = [each["src"] for _, each in page.elements if "src" in each]
    assert loaded == ["score.wav"]


def test_without_audio_there_is_no_player() -> None:
    """No control that plays nothing."""
    assert not Page(rendered(audio=None)).all("audio")


def test_each_note_of_the_explanation_has_its_element() -> None:
    """Ids of the data are ids of the picture, and no id stands twice."""
    text = rendered()
    ids = [each["id"] for _, each in Page(text).elements if "id" in each]
    assert {note["id"] for note in data_of(text)["notes"]} <= set(ids)
    assert len(ids) == len(set(ids))


def test_rules_are_shown_with_their_words() -> None:
    """Beside the id of a rule the page knows its name, its reason and its source."""
    known = data_of(rendered())["rules"]
    assert list(known) == ["parallel-fifth"]
    assert known["parallel-fifth"]["name"] == rules()["parallel-fifth"].name
    assert known["parallel-fifth"]["why"] == rules()["parallel-fifth"].why


def test_sources_are_spelled_out() -> None:
    """Each abbreviation that is cited is explained at the end of the page, others are not."""
    text = rendered()
    sources = data_of(text)["sources"]
    assert sources["KP"] == "Kostka, Payne, Almen: Tonal Harmony, 7th ed."
    assert {"KP", "AS", "HU"} <= set(sources)
    assert "CA" not in sources
    assert f"<td>{sources['KP']}</td>" in text


def test_findings_say_what_to_do_and_point_at_their_notes() -> None:
    """A finding leads to the notes that its voices sound there, held ones too."""
    text = render_html(document("mend it"), [SVG], None, {})
    assert data_of(text)["findings"][0]["notes"] == ["p0n1", "p1n0"]
    buttons = [each["data-notes"] for each in Page(text).all("button")]
    assert "p0n1 p1n0" in buttons
    assert "bar 1, beat 1.5" in text
    assert "<td>warning</td>" in text
    assert "<td>mend it</td>" in text


def test_piece_without_findings_says_so() -> None:
    """An empty table would leave the teacher in doubt."""
    text = render_html({**document(), "findings": []}, [SVG], None, {})
    assert "<p>None.</p>" in text


def test_chords_point_at_their_notes_and_upbeats_are_called_so() -> None:
    """Without a script too, each chord names its place and its reasons."""
    text = rendered()
    assert 'data-notes="p0n0 p0n1 p1n0"' in text
    assert "upbeat, beat 4" in text
    assert "<li>x <cite>x</cite></li>" in text


@pytest.mark.parametrize("word", ["\u2028", "</script>", "\\u003c/script>", "${x}", "\\g<0>"])
def test_odd_letters_survive_in_the_data(word: str) -> None:
    """What goes into the JSON block comes out of it."""
    assert data_of(rendered(word))["title"] == word
