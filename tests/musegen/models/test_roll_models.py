from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from musegen.errors import StoredFileError, TrainingError, UnknownNameError
from musegen.models.cards import DataCard, WeightsError, card_path
from musegen.models.judged import Judgement
from musegen.models.roll_models import (
    ROLL_MODELS,
    default_settings,
    load_frame_model,
    roll_metric,
    save_frame_model,
    train_frame_model,
)
from musegen.models.roll_product import NoteProduct
from musegen.models.roll_tensors import ngram_from
from musegen.models.roll_training import TrainedRolls
from musegen.models.rolls import Roll, check_rolls, negative_log_likelihood

CHORDS = ((48, 60, 64, 67), (53, 60, 65, 69), (55, 59, 62, 67), (57, 60, 64), ())
ROLLS = tuple(
    Roll(f"cycle {k}", tuple(CHORDS[(k + t * t) % 5] for t in range(8 + k % 3))) for k in range(6)
)
TRAIN, VALID = ROLLS[:4], ROLLS[4:]
DATA = DataCard("cycle", "none", "first four", {"train": 4}, {"train": 36}, "0" * 64)

NETWORK: dict[str, Any] = {
    "epochs": 3,
    "warm_up": 1,
    "batch": 2,
    "precision": "float32",
    "shift": 2,
}
BOLTZMANN = {"hidden": 5, "units": 7, "embedding": 6, "temperatures": 20, "runs": 2}
SMALL: dict[str, dict[str, Any]] = {
    "ngram": {"transpositions": 1, "rounds": 3},
    "hmm": {"states": 3, "passes": 2, "starts": 1},
    "hmm-ar": {"states": 3, "passes": 2, "starts": 1},
    "hmm-factorial": {"states": 3, "second": 2, "passes": 2, "starts": 1},
    "hmm-serial": {"states": 3, "passes": 2, "starts": 1},
    "rbm": {"hidden": 6, "epochs": 2, "batch": 8},
    "lstm": NETWORK | {"hidden": 8, "embedding": 6, "inner": 8, "layers": 2},
    "ngram-lstm": NETWORK
    | {"hidden": 8, "embedding": 6, "inner": 8, "transpositions": 1, "rounds": 3},
    "lstm-reinforce": NETWORK
    | {"hidden": 8, "embedding": 6, "inner": 8, "tuning": 1, "steps": 2, "pieces": 2, "frames": 4},
    "lstm-sigmoid": NETWORK | {"hidden": 8, "embedding": 6},
    "transformer": NETWORK | {"width": 8, "heads": 2, "blocks": 2, "inner": 8},
    "rnn-rbm": NETWORK | BOLTZMANN,
    "lstm-rbm": NETWORK | BOLTZMANN,
    "lstm-nade": NETWORK | {"hidden": 8, "embedding": 6, "inner": 8},
}
NETWORKS = sorted(name for name in SMALL if "precision" in SMALL[name])


def small(name: str) -> Any:
    """Settings of a row, small enough for a test."""
    return replace(default_settings(name), **SMALL[name])


def judge(roll: Roll) -> Judgement:
    """Every frame of fewer notes than four is a remark."""
    few = [[0, 0, int(len(frame) < 4)] for frame in roll.frames]
    return Judgement(np.array(few), 0.5)


def train(name: str) -> TrainedRolls:
    """A small model of a row."""
    return train_frame_model(name, TRAIN, VALID, small(name), seed=1, judging=lambda _: judge)


_TRAINED: dict[str, TrainedRolls] = {}


def trained(name: str) -> TrainedRolls:
    """A small model of a row, trained once."""
    if name not in _TRAINED:
        _TRAINED[name] = train(name)
    return _TRAINED[name]


def test_every_row_is_tried_here() -> None:
    """The small settings name the rows of the table, no more and no less."""
    assert set(SMALL) == set(ROLL_MODELS)


@pytest.mark.parametrize("name", SMALL)
def test_a_stored_model_says_the_same(name: str, tmp_path: Path) -> None:
    """Log-probabilities, samples, card and history survive the disk to the last bit."""
    path = tmp_path / f"{name}.safetensors"
    kept = trained(name)
    assert kept.model.name == name
    metric = roll_metric(kept.model, VALID, "valid")
    card = save_frame_model(path, name, kept, DATA, [metric])
    stored = load_frame_model(path)
    for one, other in zip(
        kept.model.frame_log_probs(VALID), stored.model.frame_log_probs(VALID), strict=True
    ):
        assert one.tolist() == other.tolist()
    drawn = [model.sample(5, np.random.default_rng(3)) for model in (kept.model, stored.model)]
    assert drawn[0] == drawn[1]
    assert stored.card.metrics == card.metrics == (metric,)
    assert stored.card.data == DATA
    assert stored.history == kept.history
    assert stored.seconds == kept.seconds


@pytest.mark.parametrize("name", SMALL)
def test_the_same_seed_gives_the_same_files(name: str, tmp_path: Path) -> None:
    """Weights and cards of two trainings are equal byte by byte."""
    again = train(name)
    for place, one in (("one", trained(name)), ("two", again)):
        save_frame_model(tmp_path / place / "model.safetensors", name, one, DATA)
    for file in ("model.safetensors", "model.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


@pytest.mark.parametrize("name", SMALL)
def test_samples_are_rolls_of_the_length_asked_for(name: str) -> None:
    """A drawn roll has so many frames, all on the keyboard and ascending."""
    roll = trained(name).model.sample(7, np.random.default_rng(0))
    check_rolls([roll])
    assert len(roll.frames) == 7


@pytest.mark.parametrize("name", SMALL)
def test_only_the_past_counts(name: str) -> None:
    """Other frames later on change nothing before them; rolls beside a roll change nothing."""
    model = trained(name).model
    frames = VALID[0].frames
    for place in range(1, len(frames)):
        other = Roll("other", (*frames[:place], (50,), (51, 70)))
        here, there = model.frame_log_probs([VALID[0], other])
        assert here[:place] == pytest.approx(there[:place], abs=1e-5)


def test_a_product_is_likelier_than_its_factors_where_it_was_fitted() -> None:
    """Exponents (1, 0) and (0, 1) are among those that could have been found."""
    product = trained("ngram-lstm").model
    assert isinstance(product, NoteProduct)
    nats = [
        negative_log_likelihood(model.frame_log_probs(VALID))
        for model in (product, product.ngram, product.lstm)
    ]
    assert nats[0] < min(nats[1:])


@pytest.mark.parametrize("name", ["ngram", "lstm", "transformer", "ngram-lstm"])
def test_drawn_symbols_have_the_models_own_probability(name: str) -> None:
    """What sampling computes step by step is what the model says of the whole roll."""
    model, logs = trained(name).model, []

    class Recorded:
        def __init__(self) -> None:
            self.rng = np.random.default_rng(5)

        def choice(self, size: int, p: Any) -> int:
            symbol = int(self.rng.choice(size, p=p))
            logs.append(float(np.log(p[symbol])))
            return symbol

    roll = model.sample(6, Recorded())  # type: ignore[arg-type]
    assert sum(logs) == pytest.approx(model.frame_log_probs([roll])[0].sum(), abs=1e-3)


@pytest.mark.parametrize("name", ["ngram", "lstm", "transformer", "ngram-lstm"])
def test_distributions_of_symbols_add_up_to_one(name: str) -> None:
    """At every place what can stand has probability 1 together."""
    model: Any = trained(name).model
    for logs in model.symbol_log_probs(VALID):
        assert np.exp(logs).sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_unknown_names_are_refused() -> None:
    """A name that is not in the table is refused with those that are."""
    with pytest.raises(UnknownNameError, match=r"lstm"):
        train_frame_model("lstn", TRAIN, VALID, seed=0)


@pytest.mark.parametrize("name", SMALL)
def test_nothing_to_train_on_is_refused(name: str) -> None:
    """An empty split is refused by its name."""
    with pytest.raises(TrainingError, match="training split is empty"):
        train_frame_model(name, (), VALID, small(name), seed=0, judging=lambda _: judge)


def stored_ngram(folder: Path, name: str = "ngram") -> Path:
    """A small model on disk."""
    path = folder / "model.safetensors"
    save_frame_model(path, name, trained(name), DATA)
    return path


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    """Truncated weights, a card of another model, a broken log, a missing file: one line each."""
    path = stored_ngram(tmp_path)
    whole, card = path.read_bytes(), card_path(path).read_bytes()
    path.write_bytes(whole[:-9])
    with pytest.raises(WeightsError, match="is damaged"):
        load_frame_model(path)
    path.write_bytes(whole)
    with pytest.raises(WeightsError, match="'rolls-ngram', expected 'rolls-hmm'"):
        load_frame_model(path, "hmm")
    card_path(path).write_bytes(card.replace(b'"rolls-ngram"', b'"lstm"'))
    with pytest.raises(WeightsError, match="kind 'lstm', expected a model of rolls"):
        load_frame_model(path)
    card_path(path).write_bytes(card)
    log = path.with_suffix(".training.json")
    log.write_text("[]")
    with pytest.raises(WeightsError, match="does not tell of a training"):
        load_frame_model(path)
    log.unlink()
    with pytest.raises(StoredFileError, match="cannot be read"):
        load_frame_model(path)


@pytest.mark.parametrize("name", SMALL)
def test_foreign_settings_are_refused(name: str, tmp_path: Path) -> None:
    """Settings that ask for tensors of other shapes are refused, naming a tensor."""
    path = stored_ngram(tmp_path, name)
    card = json.loads(card_path(path).read_text())
    size = {"ngram": "transpositions", "rbm": "hidden"}.get(name, "states")
    size = "hidden" if name in NETWORKS else size
    size = "inner" if name == "transformer" else size
    card["settings"][size] = "many"
    card_path(path).write_text(json.dumps(card))
    with pytest.raises(WeightsError, match=f"setting '{size}' must be int"):
        load_frame_model(path)
    if name == "ngram":
        return  # any number of transpositions can be counted
    card["settings"][size] = 4
    card_path(path).write_text(json.dumps(card))
    with pytest.raises(WeightsError, match="has shape"):
        load_frame_model(path)


@pytest.mark.parametrize(
    ("name", "values", "problem"),
    [
        ("symbols", [5, 9, 0, 0, 0], "does not ascend"),
        ("symbols", [9, 5, 0, 0, 90], "spell no rolls"),
        ("lengths", [2, 3], "spell no rolls"),
        ("lengths", [5, 0], "spell no rolls"),
    ],
)
def test_stored_symbols_that_are_no_rolls_are_refused(
    name: str, values: list[int], problem: str
) -> None:
    """What an n-gram counted is checked like any other rolls."""
    settings = small("ngram")
    tensors = {
        "symbols": np.array([9, 5, 0, 0, 0], np.uint8),
        "lengths": np.array([3, 2]),
        "exponents": np.zeros(settings.mixing.shape),
    }
    tensors[name] = np.array(values, tensors[name].dtype)
    with pytest.raises(WeightsError, match=problem):
        ngram_from(settings, tensors, Path("model.safetensors"))
