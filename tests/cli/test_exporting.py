from __future__ import annotations

from pathlib import Path
from typing import Any

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


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two terms and two intervals, in Chinese."""
    out = str(tmp_path_factory.mktemp("papers") / "week")
    words = ("make", "--mix", "rud.terms,int.name", "--count", "4", "--lang", "zh", "--quiet")
    assert run(*words, "--out", out).exit_code == 0
    return out


def test_a_paper_is_exported(paper: str, tmp_path: Path) -> None:
    """A file with all questions; a format without pictures leaves some out and names them."""
    done = run("export", paper, "--format", "moodle", "--out", str(tmp_path / "bank.xml"))
    assert done.stdout == f"{tmp_path / 'bank.xml'}: 4 questions\n"
    assert "音程" in (tmp_path / "bank.xml").read_text(encoding="utf-8")
    words = ("export", paper, "--format", "gift", "--out", str(tmp_path / "bank.gift"))
    left = run(*words, "--skip-unfit").stdout.splitlines()
    assert left[0] == f"{tmp_path / 'bank.gift'}: 2 questions; hints are not in it"
    assert left[1].startswith("left out: int.name-l1-s0-v1-zh: gift cannot hold a picture")
    assert run(*words, "--skip-unfit", "--force", "--quiet").output == ""


def test_wrong_requests_are_refused(paper: str, tmp_path: Path) -> None:
    """One line each, and nothing is written."""
    there = tmp_path / "there.xml"
    there.write_text("mine", encoding="utf-8")
    cases = (
        (
            (paper, "--format", "word", "--out", str(tmp_path / "x")),
            "unknown format of an export 'word'",
        ),
        ((paper, "--format", "moodle", "--out", str(there)), r"there\.xml: exists; give --force"),
        ((paper, "--format", "gift", "--out", str(tmp_path / "x")), "2 of 4 do not fit"),
        (
            (str(there), "--format", "csv", "--out", str(tmp_path / "x")),
            r"there\.xml: is no JSON: line 1",
        ),
        (("none", "--format", "csv", "--out", str(tmp_path / "x")), "none: cannot be read"),
        (
            (paper, "--format", "csv", "--lang", "fr", "--out", str(tmp_path / "x")),
            "--lang must be en or zh",
        ),
    )
    for words, said in cases:
        with pytest.raises(MusegenError, match=said):
            run("export", *words)
    assert there.read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "x").exists()
