"""The tutorial "a teacher's day" says what the commands do: each is run, each shown line is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli

PAGE = Path(__file__).resolve().parents[2] / "docs" / "teachers-day.md"
BLOCK = re.compile(
    r"(?:`(?P<file>answers/\S+)`:\n\n)?```(?P<kind>sh|text)\n(?P<text>.*?)```", re.DOTALL
)


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are written as shown, commands run in their order; no line is shown that did not come."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "answers").mkdir()
    came, commands = "", 0
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        if block["file"]:
            (tmp_path / block["file"]).write_text(block["text"], encoding="utf-8")
        elif block["kind"] == "text":
            assert [line for line in block["text"].splitlines() if line not in came] == []
        else:
            came += run(block["text"])
            commands += 1
    assert commands == 5
    assert len(list((tmp_path / "next" / "pw.rn.satb-l2").glob("*.item.json"))) == 10


def run(line: str) -> str:
    """What a command printed, and the texts that it wrote where it stands."""
    words = shlex.split(line)
    assert words[0] == "musegen"
    outcome = CliRunner().invoke(cli.app, words[1:])
    assert outcome.exit_code in (0, 1), outcome.output
    assert not isinstance(outcome.exception, Exception), outcome.exception
    files = [*Path().glob("*.csv"), *Path().glob("*/sheet.html")]
    return outcome.stdout + "".join(path.read_text(encoding="utf-8") for path in files)
