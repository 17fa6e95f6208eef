"""The command `musegen counterpoint`."""

from __future__ import annotations

import json
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
    assert "--cantus 'Cantus firmus' --species 'Counterpoint=4'" in table["check it with"]
    names = {path.name for path in Path(table["folder"]).iterdir()}
    assert {"score.musicxml", "score.mid", "score.png", "explanation.html"} <= names


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
