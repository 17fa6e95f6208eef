"""The harmony model: worked example, enumeration of all state paths, agreement with hmmlearn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from musegen.errors import TrainingError
from musegen.models.cards import DataCard, WeightsError
from musegen.models.hmm import HMM, HMMSettings, load_hmm, place_code, train_hmm
from musegen.models.protocol import Candidates, SlotSequence
from musegen.models.training import Trained, save_trained

SMALL = HMMSettings(states=3, restarts=2, iterations=8, minimum_count=1, chord_count=9)


def piece(rng: np.random.Generator, slots: int = 20) -> SlotSequence:
    """Chords 0, 2, 5 in turn, sometimes broken off by 7."""
    chords = np.array([0, 2, 5])[np.arange(slots) % 3]
    chords[rng.random(slots) < 0.2] = 7
    places = np.arange(slots) % 8
    features = np.stack([np.zeros(slots), np.where(places % 2 == 0, 4, 2), 7 - places, places], 1)
    notes = np.tile([45, 38, 30, 20], (slots, 1))
    return SlotSequence("toy", notes, chords, features.astype(np.int64))


def pieces(count: int, seed: int) -> list[SlotSequence]:
    """A few of them."""
    rng = np.random.default_rng(seed)
    return [piece(rng) for _ in range(count)]


@pytest.fixture(scope="module")
def trained() -> Trained:
    """A model of toy data."""
    return train_hmm(pieces(8, 0), pieces(3, 1), SMALL, seed=0)


def model_of(trained: Trained) -> HMM:
    """The model as its own type."""
    assert isinstance(trained.model, HMM)
    return trained.model


def umbrella() -> HMM:
    """Russell and Norvig's umbrella world: rain or not, umbrella (chord 0) or not (chord 1)."""
    return HMM(
        HMMSettings(states=2, to_end_buckets=1),
        np.array([0, 1]),
        1,
        np.array([0.5, 0.5]),
        np.array([[0.7, 0.3], [0.3, 0.7]]),
        np.array([[0.9, 0.1, 1e-9], [0.2, 0.8, 1e-9]]),
        np.full((2, 2), 0.5),
        np.full((2, 2, 4, 3), 1 / 3),
        1.0,
    )


def walk(model: HMM, chords: Sequence[int], features: np.ndarray[Any, Any]) -> list[float]:
    """P(chord | chords before) one after another through the seam."""
    state, found = model.start(features), []
    for slot, chord in enumerate(chords):
        one = Candidates(np.zeros((1, 4), np.int64), np.array([chord]), features[slot])
        found.append(float(np.exp(model.log_scores(state, one)[0, 0])))
        state = model.advance(state, one, np.array([0]), np.array([0]))
    return found


def test_umbrella_world() -> None:
    """AIMA section 14.2: P(rain | umbrella) = 0.818, after two umbrellas 0.883."""
    model, features = umbrella(), np.zeros((3, 4), np.int64)
    one = Candidates(np.zeros((1, 4), np.int64), np.array([0]), features[0])
    state = model.advance(model.start(features), one, np.array([0]), np.array([0]))
    assert state.predicted[0, 0] == pytest.approx(0.818 * 0.7 + 0.182 * 0.3, abs=1e-3)
    state = model.advance(state, one, np.array([0]), np.array([0]))
    assert state.predicted[0, 0] == pytest.approx(0.883 * 0.7 + 0.117 * 0.3, abs=1e-3)
    assert walk(model, [0, 0], features)[0] == pytest.approx(0.55)


def test_forward_equals_the_sum_over_all_state_paths(trained: Trained) -> None:
    """Enumeration of all paths of a short piece gives the same log-probability."""
    model, short = model_of(trained), piece(np.random.default_rng(5), slots=5)
    symbols, places = model.symbols_of(short.chords), place_code(short.features, SMALL)
    total = 0.0
    for path in product(range(3), repeat=5):
        chance = model.start_probabilities[path[0]]
        for slot, state in enumerate(path):
            chance *= model.emissions[state, symbols[slot]] * model.places[state, places[slot]]
            chance *= model.transitions[state, path[slot + 1]] if slot < 4 else 1.0
        total += chance
    assert model.forward(short) == pytest.approx(np.log(total), abs=1e-10)


def test_forward_equals_hmmlearn(trained: Trained) -> None:
    """The numpy recursion agrees with hmmlearn's own score."""
    from hmmlearn.hmm import CategoricalHMM

    model, one = model_of(trained), piece(np.random.default_rng(6), slots=30)
    joint = (model.emissions[:, :, None] * model.places[:, None, :]).reshape(3, -1)
    theirs = CategoricalHMM(3, n_features=joint.shape[1], implementation="scaling")
    theirs.startprob_, theirs.transmat_ = model.start_probabilities, model.transitions
    theirs.emissionprob_ = joint
    places = place_code(one.features, SMALL)
    observed = model.symbols_of(one.chords) * model.places.shape[1] + places
    assert model.forward(one) == pytest.approx(theirs.score(observed[:, None]), rel=1e-10)


def test_the_filter_is_the_ratio_of_forward_probabilities(trained: Trained) -> None:
    """P(chord n | past, place n) = P(first n with chord) / sum over chords, without the bigram."""
    model = replace(model_of(trained), mixture=1.0)
    one = piece(np.random.default_rng(7), slots=6)
    state = model.start(one.features)
    for slot in range(5):
        single = Candidates(one.notes[:1], one.chords[slot : slot + 1], one.features[slot])
        state = model.advance(state, single, np.array([0]), np.array([0]))
    forward = []
    for chord in [*model.symbols, 8]:
        chords = np.append(one.chords[:5], chord)
        forward.append(model.forward(replace(one, chords=chords)))
    ratio = np.exp(forward) / np.exp(forward).sum()
    assert model.next_symbol(state)[0] == pytest.approx(ratio, rel=1e-9)


def test_chances_of_all_chords_sum_to_one(trained: Trained) -> None:
    """Seen chords, unseen ones and the unknown one share all the mass."""
    model, features = model_of(trained), piece(np.random.default_rng(8)).features
    everything = Candidates(np.zeros((10, 4), np.int64), np.arange(-1, 9), features[0])
    scores = model.log_scores(model.start(features), everything)
    assert np.exp(scores).sum() == pytest.approx(1.0)
    assert np.isfinite(scores).all()


def test_a_batch_is_its_hypotheses_one_by_one(trained: Trained) -> None:
    """Scoring three hypotheses at once equals scoring each alone."""
    model, features = model_of(trained), piece(np.random.default_rng(9)).features
    slot = Candidates(np.zeros((4, 4), np.int64), np.array([0, 2, 5, 7]), features[0])
    state = model.start(features)
    batch = model.advance(state, slot, np.zeros(3, np.int64), np.array([0, 2, 3]))
    scores = model.log_scores(batch, slot)
    for row, chosen in enumerate([0, 2, 3]):
        alone = model.advance(state, slot, np.array([0]), np.array([chosen]))
        assert model.log_scores(alone, slot)[0] == pytest.approx(scores[row], abs=1e-12)


def test_viterbi_is_the_best_of_all_paths(trained: Trained) -> None:
    """hmmlearn's path is the likeliest of all, by enumeration."""
    model, short = model_of(trained), piece(np.random.default_rng(10), slots=5)
    symbols, places = model.symbols_of(short.chords), place_code(short.features, SMALL)

    def chance(path: Sequence[int]) -> float:
        frames = model.emissions[path, symbols] * model.places[path, places]
        steps = model.transitions[path[:-1], path[1:]]
        return float(np.log(model.start_probabilities[path[0]] * frames.prod() * steps.prod()))

    value, states = model.decode(short)
    best = max((list(path) for path in product(range(3), repeat=5)), key=chance)
    assert value == pytest.approx(chance(best))
    assert states.tolist() == best


def test_training_learns_the_progression(trained: Trained) -> None:
    """After 0 comes 2 far more often than 5."""
    model, features = model_of(trained), piece(np.random.default_rng(11)).features
    state = model.start(features)
    slot = Candidates(np.zeros((2, 4), np.int64), np.array([2, 5]), features[0])
    first = Candidates(np.zeros((1, 4), np.int64), np.array([0]), features[0])
    scores = model.log_scores(model.advance(state, first, np.array([0]), np.array([0])), slot)
    assert scores[0, 0] > scores[0, 1] + 1


def test_samples_are_the_same_for_the_same_seed(trained: Trained) -> None:
    """Samples are chords of training or the unknown one."""
    model, features = model_of(trained), piece(np.random.default_rng(12)).features
    one = model.sample(features, rng=np.random.default_rng(3))
    other = model.sample(features, rng=np.random.default_rng(3))
    assert one.tolist() == other.tolist()
    assert set(one.tolist()) <= {-1, 0, 2, 5, 7}


def test_an_interrupted_training_goes_on(tmp_path: Path, trained: Trained) -> None:
    """Stopping after the first restart and going on gives the same model."""

    def stop(report: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "hmm.checkpoint"
    train, valid = pieces(8, 0), pieces(3, 1)
    reports: list[dict[str, Any]] = []
    train_hmm(train, valid, SMALL, seed=0, checkpoint=path, progress=reports.append)
    path.unlink()
    with pytest.raises(KeyboardInterrupt):
        train_hmm(train, valid, SMALL, seed=0, checkpoint=path, progress=stop)
    again = train_hmm(train, valid, SMALL, seed=0, checkpoint=path)
    assert list(again.history) == reports
    for name, array in again.model.tensors().items():
        assert (array == trained.model.tensors()[name]).all()


def test_saving_and_loading_keeps_every_score(tmp_path: Path, trained: Trained) -> None:
    """A loaded model gives the very same log-probability; wrong tables are refused."""
    path, one = tmp_path / "hmm.safetensors", piece(np.random.default_rng(13))
    data = DataCard("toy", "none", "by hand", {"train": 8}, {"train": 160})
    card = save_trained(path, trained, data)
    assert {metric.unit for metric in card.metrics} == {"nats per slot"}
    assert load_hmm(path).log_probability(one) == model_of(trained).log_probability(one)
    broken = replace(model_of(trained), transitions=np.full((3, 3), 0.5))
    save_trained(path, replace(trained, model=broken), data)
    with pytest.raises(WeightsError, match="'transitions' must hold distributions"):
        load_hmm(path)


def test_nothing_to_train_on_is_refused() -> None:
    """An empty split, a misshapen sequence, a token out of range."""
    good = piece(np.random.default_rng(0))
    with pytest.raises(TrainingError, match="validation split is empty"):
        train_hmm([good], [], SMALL, seed=0)
    with pytest.raises(TrainingError, match="shapes"):
        train_hmm([replace(good, chords=good.chords[:3])], [good], SMALL, seed=0)
    with pytest.raises(TrainingError, match=r"0\.\.61"):
        train_hmm([replace(good, notes=good.notes + 60)], [good], SMALL, seed=0)
