"""n-grams over voices are exact, causal, and know no key."""

from __future__ import annotations

import numpy as np
import pytest

from musegen.errors import TrainingError
from musegen.models.voice_ngram import (
    ALPHABET,
    VoiceNGram,
    VoiceNGramSettings,
    train_voice_ngram,
    voice_passage,
)
from musegen.models.voice_rolls import SILENT, VoiceRoll, check_voice_rolls, nats_a_note


def drawn(count: int, *, seed: int, frames: int = 24) -> list[VoiceRoll]:
    """Four lines by step, held for two frames, with a rest here and there."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        moves = rng.integers(-2, 3, size=(frames // 2, 4))
        pitches = np.repeat(np.array([72, 67, 60, 48]) + np.cumsum(moves, axis=0), 2, axis=0)
        pitches[rng.random(pitches.shape) < 0.03] = SILENT
        found.append(VoiceRoll(f"drawn {number}", pitches))
    return found


@pytest.fixture(scope="module")
def model() -> VoiceNGram:
    """Trained on eight pieces."""
    return train_voice_ngram(drawn(8, seed=0), drawn(3, seed=1), VoiceNGramSettings(rounds=4))


def test_symbols_are_moves_of_each_voice() -> None:
    """Soprano, bass, tenor, alto: from middle C at first, then from their own last pitch."""
    pitches = np.array([[72, 67, 60, 48], [74, 67, SILENT, 47], [74, 65, 62, 47]])
    passage = voice_passage(VoiceRoll("", pitches))
    assert passage.symbols.reshape(3, 4).tolist() == [
        [88 + 12, 88 - 12, 88, 88 + 7],
        [88 + 2, 88 - 1, 0, 88],
        [88, 88, 88 + 2, 88 - 2],
    ]


def test_probabilities_sum_to_one(model: VoiceNGram) -> None:
    """After every history, over all moves and the rest."""
    table = model.mixture.distributions(voice_passage(drawn(1, seed=5)[0]))
    assert table.shape == (24 * 4, ALPHABET)
    assert np.exp(table).sum(axis=1) == pytest.approx(1)


def test_the_future_changes_nothing(model: VoiceNGram) -> None:
    """Other frames from the twelfth on leave the first twelve as they were."""
    (roll,), (other,) = drawn(1, seed=5), drawn(1, seed=6)
    mixed = VoiceRoll("", np.vstack([roll.pitches[:12], other.pitches[12:]]))
    one, two = model.frame_log_probs([roll, mixed])
    assert one[:12] == pytest.approx(two[:12], abs=1e-12)
    assert one[12:] != pytest.approx(two[12:])


def test_a_transposed_piece_is_as_likely(model: VoiceNGram) -> None:
    """From the second frame on: the first is told from middle C."""
    (roll,) = drawn(1, seed=7)
    pitches = np.where(roll.pitches == SILENT, SILENT, roll.pitches + 3)
    one, moved = model.frame_log_probs([roll, VoiceRoll("", pitches)])
    sung = int(np.argmax((roll.pitches != SILENT).all(axis=1))) + 4  # no start left in its past
    assert one[sung:].sum() == pytest.approx(moved[sung:].sum(), rel=0.05)


def test_it_learns_that_notes_are_held(model: VoiceNGram) -> None:
    """Much better than a note drawn evenly from five, and from the whole alphabet."""
    assert nats_a_note(model.frame_log_probs(drawn(4, seed=9)), 4) < np.log(5)


def test_nats_a_note_are_frames_over_voices() -> None:
    """Two frames of 4 and 8 nats in four voices are 1.5 a note."""
    assert nats_a_note([np.array([-4.0]), np.array([-8.0])], 4) == 1.5


@pytest.mark.parametrize(
    ("pitches", "told"),
    [
        (np.zeros((0, 4), np.int64), r"has shape \(0, 4\)"),
        (np.full((2, 4), 120), "frame 0, voice 0: 120 leaves the keyboard"),
    ],
)
def test_what_is_no_roll_of_voices_is_refused(
    pitches: np.ndarray[tuple[int, int], np.dtype[np.int64]], told: str
) -> None:
    """In one line that names the roll."""
    with pytest.raises(TrainingError, match=told):
        check_voice_rolls([VoiceRoll("odd", pitches)])
    with pytest.raises(TrainingError, match="at least one is needed"):
        check_voice_rolls([])
