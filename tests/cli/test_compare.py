"""Comparing models from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import cli
from musegen.errors import MusegenError

SETTINGS = {
    "ngram": "transpositions = 0\nrounds = 8\n",
    "hmm": "states = 12\npasses = 6\nstarts = 1\n",
    "rbm": "hidden = 12\nepochs = 4\n",
    "lstm": "hidden = 16\nembedding = 16\ninner = 16\nepochs = 2\n",
}


def run(*words: str) -> Any:
    """What a command gives."""
    return CliRunner().invoke(cli.app, list(words))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--data", "jsb"), "unknown data set 'jsb'"),
        (("--data", "jsb-pianoroll"), "--data must be jsb-pianoroll=PATH"),
        (("--data", "builtin=here"), "--data must be builtin without a path"),
        (("--data", "jsb-pianoroll=/nowhere"), "/nowhere: cannot be read"),
        (("--models", "gru"), "unknown model of rolls 'gru'"),
        (("--split", "random"), "unknown split 'random'"),
        (("--config", "/nowhere"), "/nowhere: is no folder of settings"),
        (("--samples", "2"), "--samples must be at least 5, got 2"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    """One line that says what is allowed, and no folder."""
    out = tmp_path / "out"
    found = run("compare", "--out", str(out), *words)
    assert isinstance(found.exception, MusegenError)
    assert told in str(found.exception)
    assert "\n" not in str(found.exception)
    assert not out.exists()


def test_another_file_is_refused_by_its_checksum(tmp_path: Path) -> None:
    """Figures of another file could not be compared."""
    path = tmp_path / "rolls.json.gz"
    path.write_bytes(b"something else")
    found = run("compare", "--data", f"jsb-pianoroll={path}", "--out", str(tmp_path / "out"))
    assert "is not that of jsb-pianoroll" in str(found.exception)


def test_the_built_in_chorales_are_split_by_tune(tmp_path: Path) -> None:
    """Three splits of about the same sizes, each piece once; the file is not overwritten."""
    target = tmp_path / "split.json"
    found = run("corpus", "split", "--by", "tune", "--out", str(target))
    assert found.exit_code == 0
    splits = json.loads(target.read_text(encoding="utf-8"))
    names = [name for some in splits.values() for name in some]
    assert len(set(names)) == len(names) == 345
    assert len(splits["train"]) > len(splits["test"]) > 40
    assert "exists" in str(run("corpus", "split", "--out", str(target)).exception)
    assert "unknown way to split 'date'" in str(run("corpus", "split", "--by", "date").exception)


@pytest.mark.slow
def test_a_whole_comparison_on_what_is_built_in(tmp_path: Path) -> None:
    """Small models of all kinds: trained, judged, reported; a second time nothing is done anew."""
    folder, out = tmp_path / "settings", tmp_path / "out"
    folder.mkdir()
    for name, text in SETTINGS.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    words = ("compare", "--models", ",".join(SETTINGS), "--config", str(folder), "--out", str(out))
    found = run(*words, "--samples", "5", "--legal", "8", "--ruled", "1", "--jobs", "2")
    assert found.exit_code == 0, found.output
    record = json.loads((out / "report.json").read_text(encoding="utf-8"))
    rows = record["tables"]["likelihood-builtin"]["rows"]
    assert rows[0][0] == "ngram"
    assert 4.4 < rows[0][3][0] < 5.2
    drawn = {row[0] for row in record["tables"]["findings"]["rows"]}
    assert {f"{name}, under the rules" for name in SETTINGS} <= drawn
    page = (out / "report.html").read_bytes()
    stamps = {path: path.stat().st_mtime_ns for path in (out / "models").rglob("*")}
    again = run(*words, "--samples", "5", "--legal", "8", "--ruled", "1", "--jobs", "2")
    assert again.exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in (out / "models").rglob("*")} == stamps
    assert (out / "report.html").read_bytes() == page
