"""The table of models: names, loading, training to a folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from musegen.encoding import chord_table
from musegen.errors import OutputError, UnknownNameError
from musegen.models.cards import DataCard, WeightsError, load_weights
from musegen.models.protocol import Candidates, ChordTable, SlotSequence
from musegen.models.registry import MODELS, WEIGHTS, load_models, train_model

SMALL: dict[str, dict[str, Any]] = {
    "hmm": {"states": 2, "restarts": 1, "iterations": 3},
    "rbm": {"hidden": 5, "epochs": 2, "divergence_epochs": 1, "distractors": 5},
    "lstm": {"hidden": 5, "embedding": 3, "inner": 4, "epochs": 2, "threads": 1},
}
CHORDS = ChordTable(5, "by hand")
DATA = DataCard("toy", "none", "by hand", {"train": 3}, {"train": 30})


def pieces(count: int, seed: int) -> list[SlotSequence]:
    """Random walks of four voices."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        notes = np.array([45, 38, 30, 20]) + rng.integers(-2, 3, (10, 4))
        places = np.arange(10) % 5
        features = np.stack([np.ones(10), 4 - places % 2, 4 - places, places], 1).astype(np.int64)
        found.append(SlotSequence("toy", notes, rng.integers(0, 5, 10), features))
    return found


def train(name: str, folder: Path) -> None:
    """Train a tiny model into a folder."""
    splits = {"train": pieces(3, 0), "valid": pieces(2, 1), "test": pieces(2, 2)}
    settings = replace(MODELS[name].settings(CHORDS), **SMALL[name])
    train_model(
        name,
        splits,
        DATA,
        chords=CHORDS,
        seed=0,
        folder=folder,
        settings=settings,
    )


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_model_goes_through_the_seam(tmp_path: Path, name: str) -> None:
    """Trained, stored and loaded, it scores finite numbers of the right shape, to the end."""
    train(name, tmp_path)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".safetensors"]
    model = load_models([name], CHORDS, folder=tmp_path)[name]
    assert model.name == name
    piece = pieces(1, 3)[0]
    state = model.start(piece.features)
    for slot in range(len(piece.notes)):
        candidates = Candidates(piece.notes, piece.chords, piece.features[slot])
        scores = model.log_scores(state, candidates)
        assert scores.shape == (1 if slot == 0 else 3, 10)
        assert np.isfinite(scores).all()
        parents = np.zeros(3, np.int64)
        state = model.advance(state, candidates, parents, np.array([0, 5, 5]))


@pytest.mark.parametrize("name", sorted(MODELS))
def test_the_same_seed_gives_the_same_files(tmp_path: Path, name: str) -> None:
    """Two trainings write the same bytes, weights and card."""
    for folder in ("one", "two"):
        train(name, tmp_path / folder)
    for suffix in (".safetensors", ".json"):
        one, two = (
            (tmp_path / folder / f"{name}{suffix}").read_bytes() for folder in ("one", "two")
        )
        assert one == two


def test_the_card_tells_all_splits(tmp_path: Path) -> None:
    """Settings, seed, versions and figures on three splits stand on the card."""
    train("lstm", tmp_path)
    _, card = load_weights(tmp_path / "lstm.safetensors", "lstm")
    assert {metric.split for metric in card.metrics} == {"train", "valid", "test"}
    assert card.settings["hidden"] == 5
    assert set(card.versions) == {"numpy", "torch"}
    assert card.data == DATA


def test_chord_indices_of_another_vocabulary_are_refused(tmp_path: Path) -> None:
    """Weights of the harmony model belong to one chord vocabulary."""
    splits = {"train": pieces(3, 0), "valid": pieces(2, 1)}
    settings = replace(MODELS["hmm"].settings(CHORDS), **SMALL["hmm"], chord_table="another")
    train_model("hmm", splits, DATA, tmp_path, chords=CHORDS, seed=0, settings=settings)
    with pytest.raises(WeightsError, match=r"hmm\.safetensors.*another chord vocabulary"):
        load_models(["hmm"], CHORDS, folder=tmp_path)


def test_an_unknown_model_is_refused(tmp_path: Path) -> None:
    """The refusal lists the models there are."""
    with pytest.raises(UnknownNameError, match=r"'lstn'.*'lstm'.*hmm, lstm, rbm"):
        load_models(["lstn"], CHORDS)
    with pytest.raises(UnknownNameError, match="unknown model"):
        train_model("gpt", {}, DATA, tmp_path, chords=CHORDS, seed=0)


def test_weights_are_not_overwritten_without_force(tmp_path: Path) -> None:
    """The refusal names the file."""
    train("hmm", tmp_path)
    with pytest.raises(OutputError, match=r"hmm\.safetensors.*already"):
        train_model("hmm", {}, DATA, tmp_path, chords=CHORDS, seed=0)


def test_an_interrupt_leaves_the_checkpoint_and_nothing_half_written(tmp_path: Path) -> None:
    """Training goes on from it if asked to, with the same result, and begins anew if not."""

    def stop(report: dict[str, Any]) -> None:
        reports.append(report["epoch"])
        if len(reports) == 1:
            raise KeyboardInterrupt

    reports: list[int] = []
    splits = {"train": pieces(3, 0), "valid": pieces(2, 1), "test": pieces(2, 2)}
    settings = replace(MODELS["lstm"].settings(CHORDS), **SMALL["lstm"])
    with pytest.raises(KeyboardInterrupt):
        train_model(
            "lstm", splits, DATA, tmp_path, chords=CHORDS, seed=0, settings=settings, progress=stop
        )
    assert [path.name for path in tmp_path.iterdir()] == ["lstm.checkpoint"]
    train_model(
        "lstm",
        splits,
        DATA,
        tmp_path,
        chords=CHORDS,
        seed=0,
        settings=settings,
        progress=stop,
        resume=True,
    )
    assert reports == [1, 2]
    train("lstm", tmp_path / "whole")
    whole = (tmp_path / "whole" / "lstm.safetensors").read_bytes()
    assert (tmp_path / "lstm.safetensors").read_bytes() == whole


def test_missing_weights_are_refused(tmp_path: Path) -> None:
    """The refusal names the file."""
    with pytest.raises(WeightsError, match=r"hmm\.json.*cannot be read"):
        load_models(["hmm"], CHORDS, folder=tmp_path)


def test_shipped_weights_load_and_are_small() -> None:
    """All models ship with weights, under 12 MB together, and each card says what it measured."""
    models = load_models(MODELS, chord_table())
    assert list(models) == list(MODELS)
    assert sum(path.stat().st_size for path in WEIGHTS.glob("*.safetensors")) < 12e6
    for name, entry in MODELS.items():
        _, card = load_weights(WEIGHTS / entry.weights, name)
        assert {"train", "valid", "test"} <= {metric.split for metric in card.metrics}
