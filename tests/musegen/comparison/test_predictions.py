"""Shares of a loss add up to it, and calibration knows honest promises from others."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from musegen.comparison.predictions import (
    SymbolModel,
    calibration,
    loss_by_beat,
    loss_by_rank,
    loss_by_time,
)
from musegen.comparison.roll_set import RollSet
from musegen.models.frame_hmm import FrameHMM, FrameHMMSettings, train_frame_hmm
from musegen.models.frame_rbm import FrameRBMSettings, train_frame_rbm
from musegen.models.ngram import NGram, NGramSettings, train_ngram
from musegen.models.rolls import SYMBOLS, Roll, frame_sums, serial

EMISSIONS = ("bernoulli", "autoregressive", "factorial", "serial")


def hmm(data: RollSet, emission: str) -> FrameHMM:
    """A small model that is trained in no time."""
    settings = FrameHMMSettings(emission=emission, states=3, second=2, passes=2, starts=1)
    return train_frame_hmm(data.splits["train"], data.splits["valid"], settings, seed=0)


def ngram(data: RollSet) -> NGram:
    """The same of the other kind."""
    settings = NGramSettings(transpositions=0, rounds=2)
    return train_ngram(data.splits["train"], data.splits["valid"], settings)


@pytest.mark.parametrize("name", [*EMISSIONS, "ngram"])
def test_symbols_multiply_to_frames(small: RollSet, name: str) -> None:
    """By the chain rule over the notes of a frame a model says what it says of the frame."""
    model = ngram(small) if name == "ngram" else hmm(small, name)
    test = small.splits["test"]
    tables = model.symbol_log_probs(test)
    for roll, table, frames in zip(test, tables, model.frame_log_probs(test), strict=True):
        spelled = serial(roll)
        assert np.exp(table).sum(axis=1) == pytest.approx(1)
        logs = table[np.arange(len(table)), spelled.symbols]
        assert frame_sums(spelled, logs) == pytest.approx(frames, abs=1e-5)


def test_which_models_tell_symbols(small: RollSet) -> None:
    """An n-gram does, a Boltzmann machine does not."""
    assert isinstance(ngram(small), SymbolModel)
    settings = FrameRBMSettings(hidden=2, epochs=1)
    assert not isinstance(train_frame_rbm(small.splits["train"], settings, seed=0), SymbolModel)


def test_ranks_add_up(small: RollSet) -> None:
    """Losses of ranks and ends, by their counts, are the loss of all symbols."""
    test = small.splits["test"]
    model = ngram(small)
    ranks = loss_by_rank(test, model.symbol_log_probs(test))
    total = -sum(float(logs.sum()) for logs in model.frame_log_probs(test))
    assert [each.name for each in ranks] == ["highest", "second", "third", "end of the frame"]
    assert sum(each.nats * each.count for each in ranks) == pytest.approx(total)


def test_beats_and_times_add_up(small: RollSet) -> None:
    """A loss of one nat on the second beat alone, two on the first frame alone."""
    test = small.splits["test"]
    beat = [np.array([-1.0 * (place % 4 == 1) for place in range(20)]) for _ in test]
    beats = loss_by_beat(test, beat, small.beats)
    assert {each.name: each.nats for each in beats} == {
        "beat 1": 0,
        "beat 2": 1,
        "beat 3": 0,
        "beat 4": 0,
    }
    times = loss_by_time([np.array([-2.0, 0, 0, 0, -1]), np.array([-4.0])])
    assert [(each.name, each.nats, each.count) for each in times] == [
        ("first frame", 3, 2),
        ("2 to 3", 0, 2),
        ("4 to 7", 0.5, 2),
    ]


def test_no_beats_without_bar_lines(small: RollSet) -> None:
    """Data without bar lines has no table by beat."""
    assert loss_by_beat(small.splits["test"], [], {}) == ()


def promised(chance: float, count: int) -> NDArray[np.float64]:
    """A model that says of each of some ends of frames that it is as likely, else C."""
    table = np.full((count, SYMBOLS), -np.inf)
    table[:, 0], table[:, 40] = np.log(chance), np.log1p(-chance)
    return table


def test_honest_promises_are_kept() -> None:
    """Of ten frames of which three are silent, 0.3 is right and 0.9 is not."""
    notes = ((60,),) * 7
    roll = Roll("", (*((),) * 3, *notes))
    first = serial(roll).position == 0
    table = np.full((len(first), SYMBOLS), -np.inf)
    table[~first, 0] = 0  # after a note a frame surely ends
    for chance, error in ((0.3, 0.0), (0.9, 0.6)):
        table[first] = promised(chance, 10)
        found = calibration([roll], [table])
        wanted = 20 / 27 * error  # seven promises of the ends of notes are kept
        assert found.error == pytest.approx(wanted, abs=1e-9)
        assert sum(found.counts) == 27
