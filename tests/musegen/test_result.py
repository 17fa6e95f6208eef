from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from musegen.errors import OutputError
from musegen.io.midi import read_midi
from musegen.io.musicxml import read_musicxml
from musegen.result import Composition
from musegen.tasks.compose import Request, draft

FILES = {
    "score.musicxml",
    "score.mid",
    "score.svg",
    "score.png",
    "score.wav",
    "explanation.json",
    "explanation.html",
    "provenance.json",
}


@pytest.fixture(scope="module")
def piece() -> Composition:
    """A short piece without models, for all tests of this module."""
    return Composition.of(
        draft(Request(form="period-parallel", key="E minor", seed=4, models=(), width=8))
    )


def test_all_files_are_there_and_none_is_empty(piece: Composition) -> None:
    """Notation, sound, pictures, explanation; without audio all but the sound."""
    files = piece.files()
    assert set(files) == FILES
    assert all(len(data) > 500 for data in files.values())
    silent = piece.files(audio=False)
    assert set(silent) == FILES - {"score.wav"}
    assert b"<audio" in files["explanation.html"]
    assert b"<audio" not in silent["explanation.html"]


def test_files_are_the_same_each_time(piece: Composition) -> None:
    """A second result of the same draft has the same bytes."""
    assert Composition.of(piece.draft).files() == piece.files()


def test_files_hold_the_piece(tmp_path: Path, piece: Composition) -> None:
    """Read again, MusicXML gives all notes, MIDI all keys at their onsets."""
    folder = piece.save(tmp_path / "piece", audio=False)
    assert read_musicxml(folder / "score.musicxml").parts == piece.score.parts
    for one, other in zip(read_midi(folder / "score.mid").parts, piece.score.parts, strict=True):
        assert [(n.onset, n.pitch.semitone) for n in one.notes] == [
            (n.onset, n.pitch.semitone) for n in other.notes
        ]


def test_explanation_pictures_and_notation_share_their_ids(piece: Composition) -> None:
    """Each explained note stands in the MusicXML, in the picture and in the page."""
    files = piece.files(audio=False)
    explained = {note["id"] for note in json.loads(files["explanation.json"])["notes"]}
    assert explained == {
        f"p{part}n{number}"
        for part, line in enumerate(piece.score.parts)
        for number in range(len(line.notes))
    }
    for name in ("score.musicxml", "score.svg", "explanation.html"):
        assert explained <= set(re.findall(r'id="([^"]+)"', files[name].decode())), name


def test_second_save_is_refused_before_any_work(
    tmp_path: Path, piece: Composition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is there stays; nothing is engraved for nothing."""
    folder = piece.save(tmp_path / "piece", audio=False)
    old = (folder / "score.mid").read_bytes()
    monkeypatch.setattr("musegen.written.write_midi", None)  # would fail if it were called
    with pytest.raises(OutputError, match="exists; give --force"):
        piece.save(folder)
    assert (folder / "score.mid").read_bytes() == old


def test_force_replaces_the_folder(tmp_path: Path, piece: Composition) -> None:
    """A sound of an earlier run does not stay beside a newer score."""
    folder = piece.save(tmp_path / "piece")
    assert {each.name for each in folder.iterdir()} == FILES
    piece.save(folder, audio=False, force=True)
    assert {each.name for each in folder.iterdir()} == FILES - {"score.wav"}


def test_notebook_shows_the_score(piece: Composition) -> None:
    """The rich likeness is the engraved page."""
    shown = piece._repr_html_()
    assert shown.startswith("<svg ")
    assert shown == "".join(piece.svg_pages)


def test_pages_are_numbered_where_there_are_several(piece: Composition) -> None:
    """One page keeps the plain name."""
    several = Composition.of(piece.draft)
    several.__dict__["svg_pages"] = piece.svg_pages * 2
    names = set(several.files(audio=False))
    assert {"score-1.svg", "score-1.png", "score-2.svg", "score-2.png"} <= names
    assert "score.svg" not in names


def test_summary_tells_what_was_composed(piece: Composition) -> None:
    """Each line has a text; without models it says so; the seed is the one asked for."""
    summary = piece.summary
    assert list(summary) == [
        "title",
        "form",
        "key",
        "phrases",
        "bars",
        "findings",
        "log-probability (nats)",
        "search",
        "first-order cost",
        "cost with long rules",
        "surface redraws",
        "seed",
    ]
    assert all(summary.values())
    assert (summary["key"], summary["seed"], summary["search"]) == (
        "E minor",
        "4",
        "beam of width 8",
    )
    assert summary["log-probability (nats)"] == "no model"
    assert summary["bars"] == str(piece.draft.plan.bars)


def test_findings_are_counted_with_the_right_number_of_words(piece: Composition) -> None:
    """One warning, two warnings, no errors."""
    report = piece.draft.report
    one = replace(report.findings[0], severity="W")
    for count, words in ((0, "0 warnings"), (1, "1 warning"), (2, "2 warnings")):
        changed = replace(piece.draft, report=replace(report, findings=(one,) * count))
        assert Composition.of(changed).summary["findings"] == f"0 errors, {words}, 0 remarks"
