"""The sonority model against enumeration of hidden units and of free voices."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.models.cards import DataCard, WeightsError
from musegen.models.protocol import FEATURE_SIZES, VOCABULARY, VOICES, Candidates, SlotSequence
from musegen.models.rbm import RBM, RBMSettings, Slots, load_rbm, slots_of, train_rbm
from musegen.models.training import Trained, save_trained

HIDDEN = 6
UNITS = VOICES * VOCABULARY
TINY = RBMSettings(hidden=8, epochs=4, divergence_epochs=2, sweeps=1, batch=16, distractors=7)


def random_rbm(seed: int, size: float = 0.7) -> RBM:
    """A machine with so few hidden units that all their states can be listed."""
    rng = np.random.default_rng(seed)
    shapes = [
        (UNITS, HIDDEN),
        (UNITS,),
        (HIDDEN,),
        (UNITS, UNITS),
        (UNITS, HIDDEN),
        (sum(FEATURE_SIZES), UNITS),
        (sum(FEATURE_SIZES), HIDDEN),
    ]
    arrays = [rng.normal(0, size, shape).astype(np.float32) for shape in shapes]
    return RBM(RBMSettings(hidden=HIDDEN), *arrays)


def random_slots(seed: int, count: int) -> Slots:
    """Slots of random notes and features."""
    rng = np.random.default_rng(seed)
    features = rng.integers(0, FEATURE_SIZES, (count, len(FEATURE_SIZES)))
    notes = rng.integers(0, VOCABULARY, (2, count, VOICES))
    return Slots(notes[0], notes[1], features)


def biases(model: RBM, slots: Slots, row: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """b and c of one condition, written out with one-hot vectors."""
    before, known = np.zeros(UNITS), np.zeros(sum(FEATURE_SIZES))
    for voice, token in enumerate(slots.previous[row]):
        if token >= 0:
            before[voice * VOCABULARY + token] = 1
    for offset, value in zip(np.cumsum([0, *FEATURE_SIZES]), slots.features[row], strict=False):
        known[offset + value] = 1
    visible = (
        model.visible_bias
        + before @ model.previous_visible.astype(float)
        + known @ model.feature_visible
    )
    hidden = (
        model.hidden_bias
        + before @ model.previous_hidden.astype(float)
        + known @ model.feature_hidden
    )
    return visible, hidden


def energy_sum(model: RBM, slots: Slots, row: int, notes: np.ndarray[Any, Any]) -> float:
    """log sum over all hidden states of exp(-E)."""
    visible, hidden = biases(model, slots, row)
    on = np.zeros(UNITS)
    on[np.arange(VOICES) * VOCABULARY + notes] = 1
    terms = [
        visible @ on + h @ (hidden + on @ model.weights)
        for h in map(np.array, product([0.0, 1.0], repeat=HIDDEN))
    ]
    return float(np.logaddexp.reduce(terms))


@pytest.mark.parametrize("size", [0.1, 0.7, 5.0])
def test_free_energy_equals_the_sum_over_hidden_states(size: float) -> None:
    """F = -log sum_h exp(-E) by enumeration, for small and for huge weights."""
    model, slots = random_rbm(0, size), random_slots(1, 5)
    slots.previous[2] = -1
    found = model.free_energy(slots.notes, slots.previous, slots.features)
    for row, column in product(range(5), range(5)):
        expected = -energy_sum(model, slots, row, slots.notes[column])
        assert found[row, column] == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_conditionals_equal_normalised_free_energies() -> None:
    """P(note | other voices) is the softmax of -F over that voice's notes."""
    model, slots = random_rbm(2), random_slots(3, 2)
    found = model.conditionals(slots)
    for row, voice in product(range(2), range(VOICES)):
        choices = np.tile(slots.notes[row], (VOCABULARY, 1))
        choices[:, voice] = np.arange(VOCABULARY)
        scores = -model.free_energy(choices, slots.previous[[row]], slots.features[[row]])[0]
        assert found[row, voice] == pytest.approx(scores - np.logaddexp.reduce(scores), abs=1e-9)


@pytest.mark.parametrize("free", [(0,), (1, 3)])
def test_gibbs_marginals_are_the_exact_ones(free: tuple[int, ...]) -> None:
    """Many chains with clamped voices end in the exact distribution of the free ones."""
    model, chains = random_rbm(4, 0.5), 4000
    one = random_slots(5, 1)
    choices = np.tile(one.notes[0], (VOCABULARY ** len(free), 1))
    choices[:, free] = list(product(range(VOCABULARY), repeat=len(free)))
    scores = -model.free_energy(choices, one.previous, one.features)[0]
    exact = np.bincount(
        choices[:, free[0]], np.exp(scores - np.logaddexp.reduce(scores)), minlength=VOCABULARY
    )
    many = Slots(
        *(np.repeat(part, chains, axis=0) for part in (one.notes, one.previous, one.features))
    )
    mask = np.isin(np.arange(VOICES), free)
    drawn = model.gibbs_infill(many, mask, sweeps=40, rng=np.random.default_rng(0))
    assert (drawn[:, ~mask] == one.notes[0, ~mask]).all()
    shares = np.bincount(drawn[:, free[0]], minlength=VOCABULARY) / chains
    assert np.abs(shares - exact).sum() / 2 < 0.06
    assert np.abs(shares - exact).max() < 0.03


def test_a_chain_does_not_depend_on_its_batch() -> None:
    """Each chain draws from its own stream: alone or among others, the same notes."""
    model, slots = random_rbm(6), random_slots(7, 3)
    together = model.gibbs_infill(slots, np.ones(4, bool), sweeps=5, rng=np.random.default_rng(1))
    first = Slots(slots.notes[:1], slots.previous[:1], slots.features[:1])
    alone = model.gibbs_infill(first, np.ones(4, bool), sweeps=5, rng=np.random.default_rng(1))
    assert alone[0].tolist() == together[0].tolist()


def test_annealing_agrees_with_the_exact_partition_function() -> None:
    """log Z by annealed importance sampling within 0.05 nats of the sum over hidden states."""
    model, slots = random_rbm(8, 0.4), random_slots(9, 2)
    found = model.log_partition_estimate(
        slots.previous, slots.features, temperatures=300, chains=100, rng=np.random.default_rng(0)
    )
    for row in range(2):
        visible, hidden = biases(model, slots, row)
        terms = []
        for h in map(np.array, product([0.0, 1.0], repeat=HIDDEN)):
            groups = (visible + model.weights @ h).reshape(VOICES, VOCABULARY)
            terms.append(hidden @ h + np.logaddexp.reduce(groups, axis=1).sum())
        assert found[row] == pytest.approx(np.logaddexp.reduce(terms), abs=0.05)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 30))
def test_scores_are_normalised_over_the_candidates(seed: int, count: int) -> None:
    """The shares of the candidates sum to one for each hypothesis, whatever their order."""
    model, slots = random_rbm(10), random_slots(seed, count)
    candidates = Candidates(slots.notes, np.full(count, -1), slots.features[0])
    state = model.start(slots.features)
    state = model.advance(state, candidates, np.zeros(2, np.int64), np.array([0, count - 1]))
    if state.slot == len(slots.features):
        state = replace(state, slot=0)
    scores = model.log_scores(state, candidates)
    assert np.exp(scores).sum(axis=1) == pytest.approx(1.0)
    turned = model.log_scores(state, replace(candidates, notes=candidates.notes[::-1]))
    assert turned == pytest.approx(scores[:, ::-1], abs=1e-9)


def pieces(count: int, seed: int) -> list[SlotSequence]:
    """Two sonorities in turn, with one free voice."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        turn = np.arange(12) % 2
        notes = np.array([[45, 38, 30, 20], [47, 40, 28, 23]])[turn]
        notes[:, 1] += rng.integers(0, 2, 12)
        places = np.arange(12) % 4
        features = np.stack([np.zeros(12), 4 - places % 3, 3 - places, places], axis=1)
        found.append(SlotSequence("toy", notes, turn, features.astype(np.int64)))
    return found


@pytest.fixture(scope="module")
def trained() -> Trained:
    """A machine of toy data."""
    return train_rbm(pieces(6, 0), pieces(2, 1), replace(TINY, epochs=30, patience=30), seed=0)


def test_training_learns_what_follows_what(trained: Trained) -> None:
    """The other sonority is likelier than the same again, and loss falls."""
    assert trained.history[-1]["valid"] < trained.history[0]["valid"] - 1
    piece = pieces(1, 2)[0]
    two = Candidates(
        np.array([[45, 38, 30, 20], [47, 40, 28, 23]]), np.array([0, 1]), piece.features[0]
    )
    state = trained.model.start(piece.features)
    after = trained.model.advance(state, two, np.array([0, 0]), np.array([0, 1]))
    scores = trained.model.log_scores(after, two)
    assert scores[0, 1] > scores[0, 0] + 1
    assert scores[1, 0] > scores[1, 1] + 1


def test_metrics_say_what_is_no_likelihood(trained: Trained) -> None:
    """Nothing of this model is called exact."""
    assert not any(metric.exact for metric in trained.metrics)
    assert {metric.split for metric in trained.metrics} == {"train", "valid"}


def test_an_interrupted_training_goes_on(tmp_path: Path) -> None:
    """Stopping after each epoch and going on gives the same weights as never stopping."""

    def stop(report: dict[str, Any]) -> None:
        if report["epoch"] < TINY.epochs:
            raise KeyboardInterrupt

    train, valid, path = pieces(3, 0), pieces(1, 1), tmp_path / "rbm.checkpoint"
    whole = train_rbm(train, valid, TINY, seed=3)
    for _ in range(TINY.epochs - 1):
        with pytest.raises(KeyboardInterrupt):
            train_rbm(train, valid, TINY, seed=3, progress=stop, checkpoint=path)
    parts = train_rbm(train, valid, TINY, seed=3, progress=stop, checkpoint=path)
    assert parts.history == whole.history
    for name, array in whole.model.tensors().items():
        assert (array == parts.model.tensors()[name]).all()


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    """So is one that is no checkpoint."""
    train, valid, path = pieces(2, 0), pieces(1, 1), tmp_path / "rbm.checkpoint"
    train_rbm(train, valid, replace(TINY, epochs=1), seed=0, checkpoint=path)
    with pytest.raises(WeightsError, match="other settings, seed or data"):
        train_rbm(train, valid, replace(TINY, epochs=1), seed=1, checkpoint=path)
    path.write_bytes(b"nonsense")
    with pytest.raises(WeightsError, match="no checkpoint"):
        train_rbm(train, valid, TINY, seed=0, checkpoint=path)


def test_saving_and_loading_keeps_every_score(tmp_path: Path, trained: Trained) -> None:
    """A loaded machine has the very same energies; one with monstrous weights is refused."""
    path, slots = tmp_path / "rbm.safetensors", slots_of(pieces(1, 5))
    data = DataCard("toy", "none", "by hand", {"train": 6}, {"train": 72})
    save_trained(path, trained, data)
    loaded = load_rbm(path)
    assert isinstance(trained.model, RBM)
    before = trained.model.free_energy(slots.notes, slots.previous, slots.features)
    assert (loaded.free_energy(slots.notes, slots.previous, slots.features) == before).all()
    monster = replace(trained.model, weights=trained.model.weights * np.float32(1e6))
    save_trained(path, replace(trained, model=monster), data)
    with pytest.raises(WeightsError, match="activations"):
        load_rbm(path)


def test_tokens_out_of_range_are_refused() -> None:
    """A token beyond the vocabulary is a mistake of the caller, not a read past the end."""
    model, slots = random_rbm(11), random_slots(12, 2)
    with pytest.raises(ValueError, match="tokens"):
        model.free_energy(slots.notes + VOCABULARY, slots.previous, slots.features)
    with pytest.raises(ValueError, match="features"):
        model.free_energy(slots.notes, slots.previous, slots.features + 9)
