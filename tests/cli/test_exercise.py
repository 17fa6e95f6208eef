from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

import cli
from musegen.errors import MusegenError


def run(*words: str) -> Any:
    """The outcome of a command; a refusal is raised as `cli.main` would catch it."""
    outcome = CliRunner().invoke(cli.app, ["exercise", *words])
    if isinstance(outcome.exception, MusegenError):
        raise outcome.exception
    return outcome


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A paper of three intervals."""
    out = tmp_path / "week1"
    words = ("make", "int.name", "--level", "3", "--count", "3", "--seed", "7", "--quiet")
    assert run(*words, "--out", str(out)).exit_code == 0
    return out


def test_a_paper_is_a_folder(folder: Path) -> None:
    """Sheet, key, list, and a record and the music of each item."""
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "int.name-l3-s7-v1.item.json",
        "int.name-l3-s7-v1.musicxml",
        "int.name-l3-s8-v1.item.json",
        "int.name-l3-s8-v1.musicxml",
        "int.name-l3-s9-v1.item.json",
        "int.name-l3-s9-v1.musicxml",
        "items.json",
        "key.html",
        "sheet.html",
    ]


def test_the_same_order_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """Nothing in a folder depends on when or where it was made."""
    again = tmp_path / "again"
    words = ("make", "int.name", "--level", "3", "--count", "3", "--seed", "7", "--quiet")
    run(*words, "--out", str(again))
    for path in folder.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()


def test_a_folder_is_not_overwritten(folder: Path) -> None:
    """What is there is kept without --force, and a strange file always."""
    words = ("make", "int.name", "--out", str(folder))
    with pytest.raises(MusegenError, match="exists; give --force"):
        run(*words)
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(MusegenError, match=r"holds the file notes\.txt"):
        run(*words, "--force")


def test_answers_are_graded(folder: Path) -> None:
    """The model answer exits with 0, a wrong one with 1 and a reason."""
    record = folder / "int.name-l3-s7-v1.item.json"
    model = json.loads(record.read_text(encoding="utf-8"))["solutions"]["accepted"]["answer"][0]
    right = run("grade", model, "--item", str(record))
    assert (right.exit_code, right.output.splitlines()[0]) == (
        0,
        "int.name-l3-s7-v1: graded, 1/1",
    )
    wrong = run("grade", "A13", "--item", str(record), "--json")
    assert (wrong.exit_code, json.loads(wrong.output)["points"]) == (1, 0.0)
    helped = run("grade", model, "--item", str(record), "--hints", "3", "--json")
    outcome = json.loads(helped.output)
    assert (outcome["points"], outcome["hints"], outcome["left"]) == (1.0, 3, 0.6)


def test_items_are_printed_one_a_line() -> None:
    """Without a folder the records go to the standard output, and fit the schema."""
    schema = json.loads(run("schema").output)
    lines = run("make", "rud.terms", "--count", "2").output.splitlines()
    assert len(lines) == 2
    for line in lines:
        jsonschema.validate(json.loads(line), schema)


def test_kinds_are_listed_and_shown() -> None:
    """By family, by syllabus, in either language, as JSON."""
    assert "int.name" in run("list", "--family", "c").output
    assert "rud.terms" not in run("list", "--family", "c").output
    names = [each["id"] for each in json.loads(run("list", "--syllabus", "fux", "--json").output)]
    assert "int.consonance" in names
    assert "识别音程" in run("list", "--lang", "zh").output
    assert "hint 1" in run("show", "int.name").output
    assert json.loads(run("show", "int.name", "--json").output)["example"]["id"] == "int.name"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("make",), "make must be one kind, or --syllabus, or --mix"),
        (("make", "int.name", "--level", "9"), "--level must be from 1 to 5, got 9"),
        (("make", "int.name", "--count", "0"), "--count must be from 1 to 100000, got 0"),
        (("make", "int.name", "--key-range", "8"), "--key-range must be from 0 to 7, got 8"),
        (("make", "int.name", "--form", "essay"), "--form must be choice or text, got 'essay'"),
        (("make", "int.name", "--lang", "fr"), "--lang must be en or zh, got 'fr'"),
        (("list", "--json", "--lang", "fr"), "--lang must be en or zh, got 'fr'"),
        (("make", "int.name", "--format", "doc"), "--format must be one of html, pdf"),
        (("make", "int.name:3"), "unknown kind of exercise 'int.name:3'"),
        (("grade", "m3", "--item", "x", "--hints", "-1"), "--hints must be a whole number from 0"),
        (("list", "--family", "Q"), "--family must be one of A, B, C"),
        (
            ("make", "int.name", "--out", "x", "--format", "doc"),
            "--format must be one of html, pdf",
        ),
        (("show", "int.nam"), "unknown kind of exercise 'int.nam'; did you mean 'int.name'"),
        (("grade", "m3", "--item", "none.json"), r"none\.json: cannot be read"),
    ],
)
def test_wrong_requests_are_refused(words: tuple[str, ...], said: str) -> None:
    """One line that says what came and what is allowed."""
    with pytest.raises(MusegenError, match=said):
        run(*words)


def test_an_answer_that_cannot_be_read_is_exit_code_two(tmp_path: Path) -> None:
    """It is refused with a reason, not marked with silent zeros."""
    assert (
        run("make", "pw.cadence.write", "--count", "1", "--out", str(tmp_path / "x")).exit_code == 0
    )
    (item,) = (tmp_path / "x").glob("*.item.json")
    (tmp_path / "answer.musicxml").write_text("junk")
    refused = run("grade", str(tmp_path / "answer.musicxml"), "--item", str(item))
    assert refused.exit_code == 2
    assert "answer.musicxml is text, not MusicXML" in refused.output
