from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import cli
import corpora.rolls
from commands import training
from corpora.rolls import roll_entry
from musegen.errors import MusegenError
from musegen.models.roll_models import load_frame_model

CHORDS: tuple[list[int], ...] = ([48, 60, 64, 67], [53, 60, 65, 69], [], [55, 59, 62, 67])
SPLITS = {
    split: [[CHORDS[(k + t) % 4] for t in range(6)] for k in range(count)]
    for split, count in (("train", 4), ("valid", 2), ("test", 2))
}
SETTINGS = "epochs = 2\nhidden = 6\nembedding = 4\ninner = 6\nprecision = 'float32'\n"


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with settings and a small file that is known as the data set."""
    content = gzip.compress(json.dumps(SPLITS).encode())
    (tmp_path / "small.json.gz").write_bytes(content)
    (tmp_path / "lstm.toml").write_text(SETTINGS)
    known = replace(roll_entry("jsb-pianoroll"), checksum=hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(corpora.rolls, "_entries", lambda: {"jsb-pianoroll": known})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def train(**options: Any) -> None:
    """The command, with the settings and data of the fixture."""
    known: dict[str, Any] = {
        "config": Path("lstm.toml"),
        "data": "jsb-pianoroll=small.json.gz",
        "out": Path("out"),
    }
    training.train(**(known | options))


def test_a_row_is_trained_and_can_be_repeated(given: Path) -> None:
    """Weights, card and log are written, no checkpoint is left, and a second run is equal."""
    train()
    train(out=given / "again")
    names = sorted(path.name for path in (given / "out").iterdir())
    assert names == ["lstm.json", "lstm.safetensors", "lstm.training.json"]
    for name in names[:2]:
        assert (given / "out" / name).read_bytes() == (given / "again" / name).read_bytes()
    stored = load_frame_model(given / "out" / "lstm.safetensors")
    assert [metric.split for metric in stored.card.metrics] == ["valid", "test"]
    assert stored.card.data.checksum == roll_entry("jsb-pianoroll").checksum
    assert len(stored.history) == 2


def test_weights_that_are_there_are_not_lost(given: Path) -> None:
    """Without --force nothing is trained over."""
    train()
    with pytest.raises(MusegenError, match="--force replaces it"):
        train()
    train(force=True)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"model": "lstm"}, "a model, or --config FILE and no model"),
        ({"config": None, "data": None}, "a model, or --config FILE and no model"),
        ({"data": None}, "--data must be NAME=PATH with --config, and only with it"),
        ({"data": "jsb-pianoroll"}, "--data must be NAME=PATH"),
        ({"data": "jsb=x"}, "unknown data set"),
        ({"data": "jsb-pianoroll=none.gz"}, "none.gz: cannot be read"),
        ({"data": "jsb-pianoroll=lstm.toml"}, "checksum"),
        ({"config": Path("gpt.toml")}, "unknown model of rolls"),
        ({"config": Path("rbm.toml")}, "rbm.toml: cannot be read"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], problem: str, given: Path) -> None:
    """Each in one line, with nothing written."""
    with pytest.raises(MusegenError) as refused:
        train(**options)
    assert problem in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (given / "out").exists()


def test_the_command_line_reads_the_same_options(given: Path) -> None:
    """As typed: the table of figures says that they are exact."""
    arguments = ["train", "--config", "lstm.toml", "--data", "jsb-pianoroll=small.json.gz"]
    run = CliRunner().invoke(cli.app, [*arguments, "--out", str(given / "typed")])
    assert run.exit_code == 0, run.output
    assert "nats per frame, exact" in run.output
