from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from musegen.errors import TrainingError
from musegen.models.frame_rbm import Anneal, FrameRBM, FrameRBMSettings, train_frame_rbm
from musegen.models.frame_rbm_kernels import draw, sparse_products
from musegen.models.rolls import KEYS, LOWEST, Roll, as_matrix

CHORDS = ((60, 64, 67), (60, 65, 69), (59, 62, 67), (57, 60, 64))
ROLLS = tuple(Roll(str(k), tuple(CHORDS[(k + t) % 4] for t in range(25))) for k in range(8))


def _machine(hidden: int, seed: int = 0, anneal: Anneal | None = None) -> FrameRBM:
    """A machine with drawn parameters of some strength."""
    rng = np.random.default_rng(seed)
    return FrameRBM(
        FrameRBMSettings(hidden=hidden),
        rng.normal(0, 0.7, (KEYS, hidden)).astype(np.float32),
        rng.normal(-2, 1, KEYS).astype(np.float32),
        rng.normal(-1, 1, hidden).astype(np.float32),
        np.full(KEYS, -2.0),
        anneal or Anneal(),
    )


def test_log_partition_is_the_sum_over_everything() -> None:
    """With 82 keys held silent, the sum over hidden units equals the sum over the frames left."""
    machine = _machine(5)
    machine.visible[6:] = -200
    frames = np.zeros((64, KEYS), np.float32)
    frames[:, :6] = list(product((0, 1), repeat=6))
    twin = np.logaddexp.reduce(-machine.free_energy(frames))
    assert machine.log_partition() == pytest.approx(twin, abs=1e-5)


@pytest.mark.slow
def test_annealing_encloses_the_exact_value() -> None:
    """At 20 hidden units both estimates are within 0.05 nats of enumeration."""
    machine = _machine(20, anneal=Anneal(temperatures=1500, chains=60))
    exact = machine.log_partition()
    estimate, _ = machine.annealed_log_partition()
    assert estimate == pytest.approx(exact, abs=0.05)
    frames = as_matrix(machine.sample(20, np.random.default_rng(0))).astype(np.float32)
    true = -machine.free_energy(frames).mean() - exact
    bound = machine.reverse_log_probs(frames, chains=20).mean()
    assert bound == pytest.approx(true, abs=0.05)


def test_draws_have_the_probability_they_should() -> None:
    """Units are on as often as their sigmoid says, rare ones included."""
    count = 1 << 17
    odds = np.array([-9.0, -2.0, 0.0, 1.5, 8.0], np.float32)
    streams = np.random.default_rng(0).integers(0, 1 << 64, count, dtype=np.uint64)
    units = np.empty((count, 5), np.float32)
    draw(np.zeros_like(units), odds, np.float32(1), streams, units)
    chance = 1 / (1 + np.exp(-odds.astype(float)))
    spread = np.sqrt(chance * (1 - chance) / count)
    assert (np.abs(units.mean(axis=0) - chance) < 5 * spread + 2**-17).all()


def test_a_stream_is_of_its_chain_alone() -> None:
    """A chain draws the same whatever other chains there are."""
    streams = np.arange(8, dtype=np.uint64)
    together, alone = np.empty((8, 9), np.float32), np.empty((1, 9), np.float32)
    bias = np.zeros(9, np.float32)
    draw(np.zeros_like(together), bias, np.float32(1), streams.copy(), together)
    draw(np.zeros_like(alone), bias, np.float32(1), streams[3:4].copy(), alone)
    assert (together[3] == alone[0]).all()


def test_products_that_skip_silent_keys_are_the_product() -> None:
    """Sums of rows equal the dense product."""
    rng = np.random.default_rng(0)
    units = (rng.random((7, KEYS)) < 0.1).astype(np.float32)
    weights = rng.normal(size=(KEYS, 11)).astype(np.float32)
    out = np.empty((7, 11), np.float32)
    sparse_products(units, weights, out)
    assert out == pytest.approx(units @ weights, abs=1e-5)


@pytest.mark.parametrize("persistent", [True, False])
def test_learning_tells_chords_from_clusters(persistent: bool) -> None:
    """What was learned is likelier than the keys alone would have it, and repeats with its seed."""
    settings = FrameRBMSettings(
        hidden=12, epochs=30, batch=20, sweeps=2, rate=0.5, persistent=persistent
    )
    machines = [train_frame_rbm(ROLLS, settings, seed=1) for _ in range(2)]
    assert (machines[0].weights == machines[1].weights).all()
    assert machines[0].exact
    nats = -np.concatenate(machines[0].frame_log_probs(ROLLS)).mean()
    rates = np.concatenate([as_matrix(roll) for roll in ROLLS]).mean(axis=0).clip(1e-6, 1 - 1e-6)
    alone = -(rates * np.log(rates) + (1 - rates) * np.log1p(-rates)).sum()
    assert nats < alone
    (cluster,) = machines[0].frame_log_probs([Roll("", ((60, 61, 62),))])
    (chord,) = machines[0].frame_log_probs([Roll("", ((60, 64, 67),))])
    assert chord[0] > cluster[0] + 3


def test_samples_are_frames() -> None:
    """The same generator gives the same frames, of keys of the keyboard."""
    machine = _machine(6)
    drawn = [machine.sample(5, np.random.default_rng(0), sweeps=20) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert all(pitch >= LOWEST for frame in drawn[0].frames for pitch in frame)


def test_refusals() -> None:
    """Too many units to sum over, and nothing to learn from."""
    with pytest.raises(TrainingError, match="21 hidden units, at most 20"):
        _machine(21).log_partition()
    with pytest.raises(TrainingError, match="empty"):
        train_frame_rbm((), FrameRBMSettings(), seed=0)


def test_fewer_frames_than_a_batch_are_learned_too() -> None:
    """Three frames move the parameters, and nothing comes out that is no number."""
    settings = FrameRBMSettings(hidden=4, epochs=3, batch=100, sweeps=1)
    told: list[float] = []
    machine = train_frame_rbm(
        (Roll("", CHORDS[:3]),),
        settings,
        seed=0,
        progress=lambda state: told.append(state["difference of rates"]),
    )
    assert np.isfinite(told).all()
    assert np.isfinite(machine.weights).all()
