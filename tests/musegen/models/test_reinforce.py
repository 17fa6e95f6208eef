"""Tuning by policy gradient learns what a judge likes, and can be killed at any moment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from musegen.errors import TrainingError
from musegen.models.cards import DataCard, WeightsError
from musegen.models.judged import Judgement
from musegen.models.note_lstm import NoteLSTM
from musegen.models.reinforce import ReinforceSettings, drawn_together, train_reinforced
from musegen.models.roll_models import load_frame_model, train_frame_model, train_to_folder
from musegen.models.roll_networks import NetworkModel
from musegen.models.rolls import Roll

CHORDS = ((48, 60, 64, 67), (53, 60, 65, 69), (55, 59, 62, 67), (57, 60, 64))
ROLLS = tuple(Roll(str(k), tuple(CHORDS[(k + t) % 4] for t in range(6 + k))) for k in range(7))
TRAIN, VALID = ROLLS[:5], ROLLS[5:]
DATA = DataCard("drawn", "none", "standard", {}, {})
TINY = ReinforceSettings(
    epochs=2,
    warm_up=1,
    batch=2,
    hidden=6,
    embedding=4,
    inner=6,
    passage=5,
    precision="float32",
    tuning=2,
    steps=2,
    pieces=4,
    frames=3,
    tuning_rate=0.01,
)


def _full(roll: Roll) -> Judgement:
    """A judge to whom every note is an error."""
    findings = np.zeros((len(roll.frames), 3), np.int64)
    findings[:, 0] = [len(frame) for frame in roll.frames]
    return Judgement(findings, 0.5)


class KilledError(Exception):
    """A training was killed."""


def _trained(settings: ReinforceSettings = TINY, **more: Any) -> Any:
    return train_reinforced(TRAIN, VALID, settings, seed=0, judge=_full, **more)


def test_what_the_judge_dislikes_is_written_less() -> None:
    """Told that notes are errors, the network writes fewer of them, and leaves its prior."""
    long = replace(TINY, tuning=5, steps=4, tuning_rate=0.1, strength=0.01)
    history = [each for each in _trained(long).history if "reward" in each]
    assert history[-1]["findings"] < 0.7 * history[0]["findings"]
    assert history[-1]["reward"] > history[0]["reward"]
    assert history[-1]["divergence"] > history[0]["divergence"]


def test_a_high_price_of_leaving_keeps_it_near_the_prior() -> None:
    """The dearer the KL, the less of it there is."""
    cheap, dear = (
        _trained(replace(TINY, tuning=3, strength=strength)).history[-1]["divergence"]
        for strength in (0.0, 100.0)
    )
    assert dear < cheap


def test_it_begins_at_the_prior(tmp_path: Path) -> None:
    """Pieces of the first step are drawn from the prior itself: no divergence."""
    once = replace(TINY, tuning=1, steps=1)
    trained = _trained(once)
    assert trained.history[-1]["divergence"] == 0.0
    prior = train_frame_model("lstm", TRAIN, VALID, _lstm_settings(), seed=0).model
    assert trained.history[-2]["valid"] == pytest.approx(prior_nats(prior))


def prior_nats(model: Any) -> float:
    """Nats a frame of the validation rolls."""
    return float(-np.concatenate(model.frame_log_probs(VALID)).mean())


def _lstm_settings() -> Any:
    from musegen.models.note_lstm import NoteLSTMSettings

    names = list(NoteLSTMSettings.__dataclass_fields__)
    return NoteLSTMSettings(**{name: getattr(TINY, name) for name in names})


@pytest.mark.parametrize("stop_at", [2, 3])
def test_a_killed_training_goes_on_to_the_same_bytes(stop_at: int, tmp_path: Path) -> None:
    """Killed while the prior learns or while it is tuned, it ends as if nothing had been."""
    whole, file, told = _trained(), tmp_path / "checkpoint", [0]

    def stop(_: dict[str, Any]) -> None:
        told[0] += 1
        if told[0] == stop_at:
            raise KilledError

    with pytest.raises(KilledError):
        _trained(progress=stop, checkpoint=file)
    found = _trained(checkpoint=file)
    assert found.history == whole.history
    for name, array in whole.model.tensors().items():
        assert found.model.tensors()[name].tobytes() == array.tobytes()


def test_a_stored_prior_gives_the_same_as_one_trained_here(tmp_path: Path) -> None:
    """The file of an LSTM with the same settings and seed is the same prior."""
    splits = {"train": TRAIN, "valid": VALID}
    train_to_folder("lstm", splits, DATA, tmp_path, _lstm_settings(), seed=0)
    stored = replace(TINY, prior=str(tmp_path / "lstm.safetensors"))
    found, whole = _trained(stored).model.tensors(), _trained().model.tensors()
    assert all(found[name].tobytes() == whole[name].tobytes() for name in whole)
    others = tuple(roll.transposed(5) for roll in VALID)
    with pytest.raises(WeightsError, match="was trained on other data: its card says"):
        train_reinforced(TRAIN, others, stored, seed=0, judge=_full)


def test_it_goes_through_the_door_of_all_models(tmp_path: Path) -> None:
    """It is trained to a folder, measured exactly, and read back."""
    splits = {"train": TRAIN, "valid": VALID}
    card = train_to_folder(
        "lstm-reinforce", splits, DATA, tmp_path, TINY, seed=0, judging=lambda _: _full
    )
    stored = load_frame_model(tmp_path / "lstm-reinforce.safetensors")
    assert card.metrics[0].exact
    assert prior_nats(stored.model) == pytest.approx(card.metrics[0].value)
    with pytest.raises(TrainingError, match="is trained by a judge of its pieces, got none"):
        train_frame_model("lstm-reinforce", TRAIN, VALID, TINY, seed=0)


@pytest.mark.parametrize(("field", "value"), [("pieces", 1), ("discount", 1.5)])
def test_settings_that_cannot_be_are_refused(field: str, value: Any) -> None:
    """The line names the setting, what came and what is allowed."""
    with pytest.raises(TrainingError, match=f"setting {field} must be"):
        _trained(replace(TINY, **{field: value}))


def test_a_loss_that_is_no_number_is_refused() -> None:
    """A rate out of all reason ends in one line that says what may help."""
    with pytest.raises(TrainingError, match="gives no probabilities any more; a lower tuning_rate"):
        _trained(replace(TINY, tuning=1, steps=5, tuning_rate=1e30))


def test_pieces_drawn_together_are_those_drawn_alone() -> None:
    """A piece does not depend on what is drawn beside it."""
    import torch

    network = NoteLSTM(TINY)
    weights = network.begin(np.random.default_rng(0), TRAIN)
    tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
    found = drawn_together(network, tensors, count=3, length=4, seeds=(7,))
    model = NetworkModel("lstm", network, weights)
    for number, roll in enumerate(found):
        assert roll.frames == model.sample(4, np.random.default_rng([7, number])).frames
