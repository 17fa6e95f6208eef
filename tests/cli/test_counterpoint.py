"""The command `musegen counterpoint`."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

import cli


def call(arguments: list[str]) -> int:
    """Exit code of the command line, run in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["musegen", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
    return int(left.value.code or 0)


def test_a_counterpoint_is_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """All files of the piece are there, and the table says how to check it."""
    asked = ["counterpoint", "D4 F4 E4 D4", "--species", "4", "--below", "--no-audio", "--json"]
    assert call([*asked, "--out", str(tmp_path)]) == 0
    table = json.loads(capfd.readouterr().out)
    assert table["mode"] == "D dorian"
    assert table["check it with"] == (
        "--style fux2 --cantus 'Cantus firmus' --mode dorian --species Counterpoint=4"
    )
    names = {path.name for path in Path(table["folder"]).iterdir()}
    assert {"score.musicxml", "score.mid", "score.png", "explanation.html"} <= names


DECLARED = {"sp-mode", "sp3v-species-mix"}  # ask for the mode, and for what is combined
OWN_STYLE = """name = "mine"
extends = "fux2"
"""


@pytest.mark.parametrize(
    "options",
    [
        ["--species", "3"],
        ["--species", "2,4", "--voices", "3"],
        pytest.param(
            ["--species", "1,3", "--voices", "3", "--cantus-voice", "middle"],
            marks=pytest.mark.slow,
        ),
        ["--mode", "minor", "--below"],
        ["--style", "own style.toml", "--species", "2"],
    ],
    ids=" ".join,
)
def test_the_line_that_checks_it_says_what_the_task_was_told(
    tmp_path: Path,
    options: list[str],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Run as it is printed, no rule lacks what it needs and no error is found."""
    monkeypatch.chdir(tmp_path)
    Path("own style.toml").write_text(OWN_STYLE, encoding="utf-8")
    asked = ["counterpoint", "D4 F4 E4 D4", *options, "--no-audio", "--json", "--out", "out"]
    assert call(asked) == 0
    table = json.loads(capfd.readouterr().out)
    told = shlex.split(table["check it with"])
    assert call(["check", f"{table['folder']}/score.musicxml", *told, "--json"]) == 0
    (report,) = json.loads(capfd.readouterr().out)["pieces"]
    assert {each["rule"] for each in report["skipped"]}.isdisjoint(DECLARED)
    assert {each["rule"] for each in report["findings"]}.isdisjoint(DECLARED)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--species", "x"], "--species"),
        (["--above", "--cantus-voice", "top"], "--cantus-voice"),
        (["--cantus-voice", "soprano"], "bass, top, middle"),
        (["--voices", "5"], "2 or 3"),
    ],
)
def test_wrong_options_are_refused(
    tmp_path: Path, options: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """One line says what is allowed; no folder is made."""
    out = tmp_path / "out"
    assert call(["counterpoint", "fux-dorian", *options, "--out", str(out)]) == 2
    message = capfd.readouterr().err
    assert said in message
    assert message.count("\n") == 1
    assert not out.exists()


def test_json_says_that_there_is_no_counterpoint(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Two voices above a cantus as high as this find no place: an object, and no folder."""
    asked = ["counterpoint", "G5 A5 G5 A5 G5 F5 G5", "--voices", "3", "--no-audio", "--json"]
    assert call([*asked, "--out", str(tmp_path / "out")]) == 2
    said = capfd.readouterr()
    assert json.loads(said.out)["error"] in said.err
    assert not (tmp_path / "out").exists()
