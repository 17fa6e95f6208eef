"""Stored models write by themselves, through the doors that users have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import cli
from commands.sampling import sample
from corpora import segments
from musegen.errors import MusegenError
from musegen.io.reading import read_piece
from musegen.models.cards import DataCard
from musegen.models.frame_hmm import FrameHMMSettings
from musegen.models.latent_models import LATENT_MODELS, train_latent
from musegen.models.melody_vae import VAESettings, load_vae
from musegen.models.ngram import NGramSettings
from musegen.models.roll_gan import GANSettings
from musegen.models.roll_models import train_to_folder
from musegen.models.rolls import Roll
from musegen.models.segment_tokens import BAR_KEYS, HOLD
from musegen.tasks.check import CheckOptions, check_single

DATA = DataCard("drawn", "none", "standard", {}, {})
RNG = np.random.default_rng(0)
CHORDS = ((48, 60, 64, 67), (53, 60, 65, 69), (55, 59, 62, 67), (57, 60, 64))
ROLLS = [Roll(str(k), tuple(CHORDS[each] for each in RNG.integers(4, size=8))) for k in range(4)]
TUNES = np.where(np.arange(16) % 2, HOLD, RNG.integers(25, 40, size=(40, 16)))
BARS = RNG.random((40, 8, BAR_KEYS)) < 0.07
SMALL: dict[str, Any] = {
    "melody-vae": VAESettings(epochs=2, hidden=8, embedding=4, latent=2, batch=8),
    "roll-gan": GANSettings(epochs=2, hidden=8, latent=4, batch=16),
}


def _splits(arrays: Any) -> dict[str, Any]:
    return {"train": arrays[:20], "valid": arrays[20:30], "test": arrays[30:]}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small model of each kind."""
    folder = tmp_path_factory.mktemp("weights")
    for name, arrays in (("melody-vae", TUNES), ("roll-gan", BARS)):
        train_latent(name, _splits(arrays), DATA, folder, SMALL[name], seed=0)
    splits = {"train": ROLLS[:2], "valid": ROLLS[2:]}
    settings = NGramSettings(transpositions=0, rounds=2)
    train_to_folder("ngram", splits, DATA, folder, settings, seed=0)
    chain = FrameHMMSettings(states=3, passes=2, starts=1)
    train_to_folder("hmm", splits, DATA, folder, chain, seed=0)
    return folder


@pytest.mark.parametrize(("name", "bars"), [("ngram", 2), ("melody-vae", 2), ("roll-gan", 1)])
def test_each_kind_writes_scores(name: str, bars: int, stored: Path, tmp_path: Path) -> None:
    """So many MusicXML and MIDI files, the same bytes for the same seed, others for another."""
    arguments = ["sample", str(stored / f"{name}.safetensors"), "-n", "3", "--length", "8", "-q"]
    for out, seed in (("one", "1"), ("two", "1"), ("other", "2")):
        run = CliRunner().invoke(
            cli.app, [*arguments, "--seed", seed, "--out", str(tmp_path / out)]
        )
        assert run.exit_code == 0, run.output
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == [f"000{number}.{end}" for number in (1, 2, 3) for end in ("mid", "musicxml")]
    one, two, other = (
        [(tmp_path / out / each).read_bytes() for each in names] for out in ("one", "two", "other")
    )
    assert one == two != other
    assert read_piece(tmp_path / "one" / "0001.musicxml").duration <= 4 * bars


def test_rolls_keep_the_rules_of_a_style(stored: Path, tmp_path: Path) -> None:
    """With --style a chorale in the key asked for, without an error; without it, nobody asks."""
    given: dict[str, Any] = {"style": "strict", "particles": 2, "key": "F major", "number": 1}
    sample(stored / "hmm.safetensors", out=tmp_path / "out", quiet=True, **given)
    path = tmp_path / "out" / "0001.musicxml"
    assert str(read_piece(path).key) == "F major"
    report = check_single(path, CheckOptions(style="strict")).report
    assert not [each for each in report.findings if each.severity == "E"]


def test_a_line_goes_from_one_melody_to_another(stored: Path, tmp_path: Path) -> None:
    """Its ends are what the codes of the two melodies decode to."""
    weights = stored / "melody-vae.safetensors"
    sample(weights, number=2, out=tmp_path / "ends", quiet=True)
    first, last = (tmp_path / "ends" / f"000{number}.musicxml" for number in (1, 2))
    sample(weights, number=3, start=first, to=last, out=tmp_path / "line", quiet=True)
    model = load_vae(weights)
    from musegen.tasks.sample import _beginning

    ends = [_beginning(read_piece(path), 16) for path in (first, last)]
    codes, _ = model.encode(np.stack(ends))
    found = [
        _beginning(read_piece(tmp_path / "line" / f"000{number}.musicxml"), 16) for number in (1, 3)
    ]
    assert np.array_equal(np.stack(found), model.decode(codes))


def test_more_of_an_attribute_adds_its_vector(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a step it is the melody's own code; --less goes the other way."""
    monkeypatch.setattr(segments, "soprano_segments", lambda *_, **__: (TUNES, DATA))
    weights, model = stored / "melody-vae.safetensors", load_vae(stored / "melody-vae.safetensors")
    sample(weights, number=1, out=tmp_path / "tune", quiet=True)
    tune = tmp_path / "tune" / "0001.musicxml"
    from musegen.tasks.sample import Sampling, Toward, _beginning, _segments

    score = read_piece(tune)
    code, _ = model.encode(_beginning(score, 16)[None])
    vector = model.attribute_vector(TUNES, "height")
    for way, sign in (("more", 2.0), ("less", -2.0)):
        given: dict[str, Any] = {way: "height"}
        sample(weights, number=2, start=tune, out=tmp_path / way, quiet=True, **given)
        assert len(list((tmp_path / way).iterdir())) == 4
        toward = Toward(score, "height", TUNES, sign)
        found = _segments(model, Sampling(2, along=toward))
        assert np.array_equal(found, model.decode(code + np.array([[0.0], [sign]]) * vector))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"number": 0}, "-n must be from 1 to 1000"),
        ({"length": 5000}, "--length must be from 1 to 1024"),
        ({"temperature": 0.0}, "--temperature must be"),
        ({"key": "H major"}, "H major"),
        ({"to": Path("x.musicxml")}, "one of them, with --from"),
        ({"start": Path("x.musicxml")}, "one of them, with --from"),
        ({"weights": Path("none.safetensors")}, "none.json: cannot be read"),
        ({"style": "bach"}, "--style must be left out but for models of rolls"),
        ({"particles": 3}, "--particles must be left out without --style"),
        ({"style": "bach", "length": 8}, "--length must be left out with --style"),
    ],
)
def test_what_cannot_be_is_refused(
    options: dict[str, Any], problem: str, stored: Path, tmp_path: Path
) -> None:
    """Each in one line, with nothing written."""
    given: dict[str, Any] = {"weights": stored / "melody-vae.safetensors", "out": tmp_path / "out"}
    with pytest.raises(MusegenError) as refused:
        sample(**(given | options))
    assert problem in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_a_roll_model_knows_no_way_between_melodies(stored: Path, tmp_path: Path) -> None:
    """Lines and attributes are the melody model's."""
    sample(stored / "melody-vae.safetensors", number=1, out=tmp_path / "tune", quiet=True)
    tune = tmp_path / "tune" / "0001.musicxml"
    with pytest.raises(MusegenError, match="left out but for melody-vae"):
        sample(stored / "ngram.safetensors", start=tune, to=tune, out=tmp_path / "out")


@pytest.mark.parametrize("name", LATENT_MODELS)
def test_latent_models_are_trained_by_the_command(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By name or by a file of settings; figures say that they are bounds or no likelihoods."""
    arrays = {"melody-vae": TUNES, "roll-gan": BARS}[name]
    monkeypatch.setattr(segments, "latent_splits", lambda *_, **__: (_splits(arrays), DATA))
    settings = replace(SMALL[name], epochs=1)
    (tmp_path / f"{name}.toml").write_text(
        "\n".join(f"{each} = {getattr(settings, each)}" for each in ("epochs", "hidden", "batch"))
    )
    run = CliRunner().invoke(
        cli.app, ["train", "--config", str(tmp_path / f"{name}.toml"), "--out", str(tmp_path)]
    )
    assert run.exit_code == 0, run.output
    assert {"melody-vae": "bound", "roll-gan": "coverage"}[name] in run.output
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".safetensors", ".toml"]
    with pytest.raises(MusegenError, match="--force replaces it"):
        train_latent(name, _splits(arrays), DATA, tmp_path, settings, seed=0)
