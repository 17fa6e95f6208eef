"""Questions about files: scores, example lines, explanation records."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from musegen.errors import MusegenError, OptionError
from musegen.io.musicxml import write_musicxml
from musegen.knowledge import ask_with_files, read_subject
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch

LINE = "key: C major | chords: I V | S: C5 B4 | A: G4 G4 | T: E4 D4 | B: C3 G3 | marks: o ef"


def hymn() -> Score:
    """Three chords for four voices: I, V, I."""
    lines = {
        "Soprano": "C5 B4 C5",
        "Alto": "G4 G4 G4",
        "Tenor": "E4 D4 E4",
        "Bass": "C3 G3 C3",
    }
    parts = tuple(
        Part(
            name,
            tuple(
                Note(Fraction(place), Fraction(1), Pitch.parse(pitch))
                for place, pitch in enumerate(line.split())
            ),
        )
        for name, line in lines.items()
    )
    return Score("Hymn", Key.parse("C major"), parts, (Metre(3, 4, Fraction(0)),))


def test_a_score_file_is_asked_about(tmp_path: Path) -> None:
    """A score without labels is labelled; then its cadence can be told."""
    path = tmp_path / "hymn.musicxml"
    path.write_bytes(write_musicxml(hymn()))
    piece = read_subject(str(path))
    assert piece.voices == ("Soprano", "Alto", "Tenor", "Bass")
    assert piece.harmonic is not None
    found = ask_with_files(
        "why-wrong", {"piece": str(path), "bar": "1", "beat": "2", "voice": "alto"}
    )
    assert "Alto" in found.text or "alto" in found.text


def test_an_example_line_is_asked_about() -> None:
    """The notation of the rules' examples will do."""
    found = ask_with_files("cadence-why", {"piece": LINE, "phrase": "0"})
    assert "cad-hc" in found.text


def test_an_explanation_record_is_asked_about(tmp_path: Path) -> None:
    """The explanation.json of a piece tells why a note was chosen."""
    note = {
        "id": "p0n0",
        "part": "Soprano",
        "bar": 1,
        "beat": 1.0,
        "pitch": "C5",
        "role": "root of I",
        "reasons": [{"text": "root", "source": "KP 7"}],
        "rules": [],
        "alternatives": [],
        "models": {},
    }
    path = tmp_path / "explanation.json"
    path.write_text(json.dumps({"notes": [note]}), encoding="utf-8")
    assert "root of I" in ask_with_files("why-chosen", {"record": str(path), "note": "p0n0"}).text


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "explanation.json"), ("[", "JSON"), ("[]", "explanation record")],
)
def test_a_bad_record_is_refused(tmp_path: Path, content: str | None, words: str) -> None:
    """No file, no JSON, no record: each is named."""
    path = tmp_path / "record.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(OptionError, match=words):
        ask_with_files("why-chosen", {"record": str(path), "note": "p0n0"})


@pytest.mark.parametrize("text", ["no/such.musicxml", "nothing", "key: C major | S: C5 |"])
def test_a_bad_piece_is_refused(text: str) -> None:
    """What is neither a file nor an example line is named."""
    with pytest.raises(MusegenError):
        read_subject(text)
