"""The GAN of bars: coverage by hand, the penalty's slope, training that resumes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from musegen.errors import TrainingError
from musegen.models.cards import DataCard, WeightsError
from musegen.models.roll_gan import GANSettings, coverage, load_gan, save_gan, train_gan
from musegen.models.segment_tokens import BAR_KEYS

TINY = GANSettings(steps=2, latent=4, hidden=8, epochs=4, batch=8, critic_steps=2)
CARD = DataCard("toy", "none", "all", {"train": 1}, {"train": 4})


def _bars(count: int = 24) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Bars of two kinds, a low and a high chord."""
    found = np.zeros((count, 2, BAR_KEYS), np.bool_)
    found[::2, :, [10, 14, 17]] = True
    found[1::2, :, [30, 34, 37]] = True
    found[np.arange(count), 0, np.arange(count) % 9] = True
    return found


def test_coverage_by_hand() -> None:
    """Made bars at one of two places of real ones cover that place alone, as densely as they are."""
    real = np.zeros((8, 1, BAR_KEYS), np.bool_)
    for number in range(4):  # four bars one key away from each other's middle, twice
        real[number, 0, number] = True
        real[4 + number, 0, 20:40] = True
        real[4 + number, 0, 40 + number] = True
    density, covered = coverage(real, real, neighbours=3)
    assert density == pytest.approx(4 / 3)
    assert covered == 1.0
    density, covered = coverage(real, real[:4], neighbours=3)
    assert density == pytest.approx(4 / 3)
    assert covered == 0.5
    far = np.ones((5, 1, BAR_KEYS), np.bool_)
    assert coverage(real, far, neighbours=3) == (0.0, 0.0)
    with pytest.raises(TrainingError, match="3 neighbours"):
        coverage(real[:3], real, neighbours=3)


def test_slope_is_the_gradient_by_differences() -> None:
    """The norm that the penalty sees is that of differences of the critic."""
    nets = train_gan(_bars(), replace(TINY, epochs=1), seed=0).nets.double()
    at = torch.from_numpy(np.random.default_rng(0).random((3, 2 * BAR_KEYS)))
    step = 1e-6
    moved = [
        (nets.critic(at + step * unit) - nets.critic(at - step * unit)) / (2 * step)
        for unit in torch.eye(2 * BAR_KEYS, dtype=torch.float64)
    ]
    twin = torch.cat(moved, dim=1).norm(dim=1)
    assert nets.slope(at).detach().numpy() == pytest.approx(twin.detach().numpy(), rel=1e-4)


def test_training_repeats_and_resumes_to_the_same_weights(tmp_path: Path) -> None:
    """Killed after an epoch and begun again, a training ends as one that ran through."""
    bars, path = _bars(), tmp_path / "gan.checkpoint"
    through = train_gan(bars, TINY, seed=5)

    def stop(told: dict[str, Any]) -> None:
        if told["epoch"] == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_gan(bars, TINY, seed=5, progress=stop, checkpoint=path)
    resumed = train_gan(bars, TINY, seed=5, checkpoint=path)
    for name, array in through.tensors().items():
        assert np.array_equal(array, resumed.tensors()[name]), name
    with pytest.raises(WeightsError, match="other settings, seed or data"):
        train_gan(bars, replace(TINY, rate=0.1), seed=5, checkpoint=path)


@pytest.mark.slow
def test_both_kinds_of_bars_are_learnt() -> None:
    """Of two kinds of bars, made ones show both: no mode is left out."""
    settings = GANSettings(steps=2, latent=8, hidden=64, epochs=400, batch=8, rate=1e-3)
    made = train_gan(_bars(), settings, seed=0).sample(100, np.random.default_rng(0))
    low, high = made[:, 1, [10, 14, 17]].all(axis=1), made[:, 1, [30, 34, 37]].all(axis=1)
    assert low.sum() > 15
    assert high.sum() > 15
    assert (low ^ high).sum() > 90


def test_metrics_claim_no_likelihood_and_samples_repeat() -> None:
    """Coverage, density, difference, copies; nothing exact; a seed gives the same bars."""
    bars = _bars()
    model = train_gan(bars, TINY, seed=0)
    metrics = model.metrics(bars, bars[:12], "test")
    assert [metric.name for metric in metrics] == [
        *("coverage", "coverage", "density", "different", "copies")
    ]
    assert not any(metric.exact for metric in metrics)
    assert not any("likelihood" in metric.name for metric in metrics)
    drawn = [model.sample(9, np.random.default_rng(1)) for _ in range(2)]
    assert np.array_equal(drawn[0], drawn[1])
    assert drawn[0].shape == (9, 2, BAR_KEYS)


def test_weights_read_back_and_foreign_ones_are_refused(tmp_path: Path) -> None:
    """The same model again; other settings than the tensors' are told."""
    model, path = train_gan(_bars(), TINY, seed=0), tmp_path / "gan.safetensors"
    save_gan(path, model, CARD, metrics=(), seed=0)
    codes = np.random.default_rng(0).normal(size=(5, 4))
    assert np.array_equal(load_gan(path).made(codes), model.made(codes))
    card = path.with_suffix(".json")
    card.write_text(card.read_text().replace('"hidden": 8', '"hidden": 9'))
    with pytest.raises(WeightsError, match="has shape"):
        load_gan(path)
    card.write_text(card.read_text().replace('"roll-gan"', '"melody-vae"'))
    with pytest.raises(WeightsError, match="expected 'roll-gan'"):
        load_gan(path)


def test_bars_that_cannot_be_are_refused() -> None:
    """Another type or shape, too few, a rate that blows up."""
    bars = _bars()
    wrong: Any
    for wrong in (bars.astype(np.int64), bars[:, :, :9], bars[:0]):
        with pytest.raises(TrainingError, match="bars must be bool"):
            train_gan(wrong, TINY, seed=0)
    with pytest.raises(TrainingError, match="8 at least"):
        train_gan(bars[:4], TINY, seed=0)
    with pytest.raises(TrainingError, match=r"the loss of epoch \d+ is (nan|-?inf)"):
        train_gan(bars, replace(TINY, rate=1e30, epochs=30), seed=0)
