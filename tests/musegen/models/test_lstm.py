"""The note model: the numpy path against torch, the chain rule, resumable training."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.models import lstm
from musegen.models.cards import DataCard, WeightsError
from musegen.models.lstm import LSTM, LSTMSettings, NoteState, load_lstm, looking_ahead, train_lstm
from musegen.models.protocol import (
    FEATURE_SIZES,
    REST_TOKEN,
    VOCABULARY,
    VOICES,
    Candidates,
    SlotSequence,
)
from musegen.models.torch_steps import KEEP
from musegen.models.training import Trained, save_trained

TINY = LSTMSettings(
    hidden=8, embedding=4, inner=6, lookahead=1, epochs=4, batch=2, warm_up=1, threads=1, shift=1
)


def random_lstm(seed: int) -> LSTM:
    """An untrained model with weights of some size."""
    rng = np.random.default_rng(seed)
    shapes = lstm._shapes(TINY)
    weights = {name: rng.normal(0, 0.7, shape).astype(np.float32) for name, shape in shapes.items()}
    return LSTM(TINY, weights)


def random_piece(seed: int, slots: int = 9) -> SlotSequence:
    """Random notes and features."""
    rng = np.random.default_rng(seed)
    features = rng.integers(0, FEATURE_SIZES, (slots, len(FEATURE_SIZES)))
    notes = rng.integers(0, VOCABULARY, (slots, VOICES))
    return SlotSequence("toy", notes, np.full(slots, -1), features)


def slot(piece: SlotSequence, place: int, notes: np.ndarray[Any, Any]) -> Candidates:
    """Candidates of a slot."""
    return Candidates(notes, np.full(len(notes), -1), piece.features[place])


def after(model: LSTM, piece: SlotSequence, slots: int) -> NoteState:
    """The state after so many slots of a piece."""
    state = model.start(piece.features)
    for place in range(slots):
        state = model.advance(
            state, slot(piece, place, piece.notes[place : place + 1]), np.array([0]), np.array([0])
        )
    return state


def test_numpy_equals_torch() -> None:
    """The composing path gives torch's log-likelihood slot by slot, to 1e-4."""
    model, pieces = random_lstm(0), [random_piece(1), random_piece(2, slots=5)]
    import torch

    weights = {name: torch.from_numpy(array) for name, array in model.weights.items()}
    losses = lstm._losses(weights, lstm._batch(pieces, TINY), TINY, KEEP).numpy()
    for row, piece in enumerate(pieces):
        ours = -model.log_probabilities(piece).sum(axis=1)
        assert ours == pytest.approx(losses[row, : len(ours)], abs=1e-4)
        assert (losses[row, len(ours) :] == 0).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 40), kinds=st.integers(1, 8))
def test_shared_prefixes_change_nothing(seed: int, count: int, kinds: int) -> None:
    """Scores of many candidates at once equal those of each alone, and the sum of their notes."""
    model, piece = random_lstm(3), random_piece(4)
    rng = np.random.default_rng(seed)
    notes = rng.integers(0, kinds, (count, VOICES))
    state = after(model, piece, 3)
    state = model.advance(
        state, slot(piece, 3, notes), np.zeros(2, np.int64), rng.integers(0, count, 2)
    )
    scores = model.log_scores(state, slot(piece, 4, notes))
    parts = model.note_log_probs(state, slot(piece, 4, notes))
    assert parts.sum(axis=2) == pytest.approx(scores, abs=1e-10)
    for place in range(count):
        alone = model.log_scores(state, slot(piece, 4, notes[place : place + 1]))
        assert alone[:, 0] == pytest.approx(scores[:, place], abs=1e-10)


def test_the_last_voice_sums_out() -> None:
    """Over all notes of the voice predicted last, P(slot) sums to P(the other three)."""
    model, piece = random_lstm(5), random_piece(6)
    last = TINY.order[-1]
    notes = np.tile(piece.notes[2], (VOCABULARY, 1))
    notes[:, last] = np.arange(VOCABULARY)
    state = after(model, piece, 2)
    parts = model.note_log_probs(state, slot(piece, 2, notes))[0]
    others = parts.sum(axis=1) - parts[:, last]
    assert np.logaddexp.reduce(parts[:, last]) == pytest.approx(0, abs=1e-10)
    whole = np.logaddexp.reduce(model.log_scores(state, slot(piece, 2, notes))[0])
    assert whole == pytest.approx(others[0], abs=1e-10)


def test_only_the_past_counts() -> None:
    """Changing notes from slot 5 on leaves the log-probabilities of slots 0 to 4 as they are."""
    model, piece = random_lstm(7), random_piece(8)
    notes = piece.notes.copy()
    notes[5:] = (notes[5:] + 17) % VOCABULARY
    before, changed = (
        model.log_probabilities(replace(piece, notes=each)) for each in (piece.notes, notes)
    )
    assert (before[:5] == changed[:5]).all()
    assert (before[5:] != changed[5:]).any()


def test_a_slot_looks_ahead_no_further_than_it_says() -> None:
    """Features of the next slot count, those of the one after do not yet."""
    rows = looking_ahead(random_piece(9).features, 1)
    assert rows.shape == (9, 2 * sum(FEATURE_SIZES))
    assert (rows.sum(axis=1) == [8] * 8 + [4]).all()
    model, piece = random_lstm(10), random_piece(11)
    features = piece.features.copy()
    features[6:] = (features[6:] + 1) % np.array(FEATURE_SIZES)
    before, changed = (
        model.log_probabilities(replace(piece, features=each))
        for each in (piece.features, features)
    )
    assert (before[:5] == changed[:5]).all()
    assert (before[5] != changed[5]).any()


def test_hypotheses_do_not_mix() -> None:
    """Each hypothesis of a batch goes on as if it were alone; old states stay as they were."""
    model, piece = random_lstm(12), random_piece(13)
    choices = slot(piece, 1, random_piece(14).notes)
    state = after(model, piece, 1)
    memory = state.memory.copy()
    batch = model.advance(state, choices, np.zeros(3, np.int64), np.array([4, 0, 4]))
    scores = model.log_scores(batch, slot(piece, 2, choices.notes))
    assert (state.memory == memory).all()
    assert scores[0] == pytest.approx(scores[2], abs=1e-12)
    alone = model.advance(state, choices, np.array([0]), np.array([0]))
    assert model.log_scores(alone, slot(piece, 2, choices.notes))[0] == pytest.approx(
        scores[1], abs=1e-12
    )


def pieces(count: int, seed: int) -> list[SlotSequence]:
    """Two sonorities in turn, with one free voice; lengths differ."""
    rng = np.random.default_rng(seed)
    found = []
    for index in range(count):
        slots = 8 + index
        notes = np.array([[45, 38, 30, 20], [47, 40, 28, 23]])[np.arange(slots) % 2]
        notes[:, 1] += rng.integers(0, 2, slots)
        notes[0, 2] = REST_TOKEN
        places = np.arange(slots) % 4
        features = np.stack([np.zeros(slots), 4 - places % 3, 3 - places, places], axis=1)
        found.append(SlotSequence("toy", notes, np.full(slots, -1), features.astype(np.int64)))
    return found


@pytest.fixture(scope="module")
def trained() -> Trained:
    """A model of toy data."""
    return train_lstm(pieces(4, 0), pieces(2, 1), TINY, seed=0)


def test_training_lowers_the_loss_and_measures_it_exactly(trained: Trained) -> None:
    """The card's figures are exact, per slot and per note."""
    assert trained.history[-1]["valid"] < trained.history[0]["valid"]
    assert all(metric.exact for metric in trained.metrics)
    per_slot, per_note = (metric.value for metric in trained.metrics[-2:])
    assert per_slot == pytest.approx(4 * per_note)
    assert per_slot == pytest.approx(min(each["valid"] for each in trained.history), abs=1e-4)


def test_an_interrupted_training_goes_on(tmp_path: Path, trained: Trained) -> None:
    """Stopping after each epoch and going on gives the same weights as never stopping."""

    def stop(report: dict[str, Any]) -> None:
        if report["epoch"] < TINY.epochs:
            raise KeyboardInterrupt

    path = tmp_path / "lstm.checkpoint"
    for _ in range(TINY.epochs - 1):
        with pytest.raises(KeyboardInterrupt):
            train_lstm(pieces(4, 0), pieces(2, 1), TINY, seed=0, progress=stop, checkpoint=path)
        assert path.exists()
    parts = train_lstm(pieces(4, 0), pieces(2, 1), TINY, seed=0, progress=stop, checkpoint=path)
    assert parts.history == trained.history
    for name, array in trained.model.tensors().items():
        assert (array == parts.model.tensors()[name]).all()


def test_training_leaves_torch_as_it_was() -> None:
    """Threads, determinism and the global random state are as before."""
    import torch

    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    state = torch.get_rng_state()
    train_lstm(pieces(2, 0), pieces(1, 1), replace(TINY, epochs=1), seed=0)
    assert before == (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled())
    assert torch.equal(state, torch.get_rng_state())


def test_early_stopping_keeps_the_best_epoch() -> None:
    """Training stops after `patience` worse epochs."""
    wild = replace(TINY, epochs=60, patience=2, rate=0.5, warm_up=0)
    trained = train_lstm(pieces(2, 0), pieces(1, 1), wild, seed=0)
    losses = [each["valid"] for each in trained.history]
    assert len(losses) < 60
    assert losses.index(min(losses)) == len(losses) - 3


def test_shifts_keep_rests_and_the_vocabulary() -> None:
    """A shifted piece moves all its notes by the same step and no rest."""
    piece = pieces(1, 0)[0]
    seen = set()
    for seed in range(80):
        moved = lstm._shifted(piece, 2, np.random.default_rng(seed)).notes
        sounding = piece.notes != REST_TOKEN
        assert (moved[~sounding] == REST_TOKEN).all()
        (step,) = set((moved - piece.notes)[sounding].tolist())
        seen.add(step)
    assert seen == {-2, -1, 0, 1, 2}


def test_saving_and_loading_keeps_every_score(tmp_path: Path, trained: Trained) -> None:
    """A loaded model gives the very same numbers; a wrong shape or order is refused."""
    path, piece = tmp_path / "lstm.safetensors", random_piece(15)
    data = DataCard("toy", "none", "by hand", {"train": 4}, {"train": 38})
    save_trained(path, trained, data)
    assert isinstance(trained.model, LSTM)
    loaded = load_lstm(path)
    assert (loaded.log_probabilities(piece) == trained.model.log_probabilities(piece)).all()
    assert loaded.settings == TINY
    wrong = LSTM(replace(TINY, hidden=9), trained.model.weights)
    save_trained(path, replace(trained, model=wrong), data)
    with pytest.raises(WeightsError, match="shape"):
        load_lstm(path)
    save_trained(
        path,
        replace(trained, model=LSTM(replace(TINY, order=(0, 1, 2, 2)), trained.model.weights)),
        data,
    )
    with pytest.raises(WeightsError, match="'order'"):
        load_lstm(path)


def test_composing_does_not_import_torch() -> None:
    """Importing the module and its registry leaves torch and hmmlearn alone."""
    code = (
        "import sys, musegen.models.lstm, musegen.models.hmm, musegen.models.registry\n"
        "print([n for n in ('torch', 'hmmlearn', 'numba', 'sklearn') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_candidates_out_of_range_are_refused() -> None:
    """A token beyond the vocabulary is a mistake of the caller."""
    model, piece = random_lstm(16), random_piece(17)
    with pytest.raises(ValueError, match="tokens"):
        model.log_scores(model.start(piece.features), slot(piece, 0, piece.notes + VOCABULARY))
