"""Models of rolls propose sonorities: the same probabilities as over whole rolls."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from musegen.comparison.judging import rule_judge
from musegen.encoding import chord_table
from musegen.errors import TrainingError
from musegen.models.cards import DataCard, WeightsError
from musegen.models.protocol import LOWEST, REST_TOKEN, Candidates
from musegen.models.registry import load_proposers
from musegen.models.roll_models import default_settings, train_frame_model, train_to_folder
from musegen.models.roll_proposals import PROPOSE, RollProposer, proposer_of
from musegen.models.rolls import Roll
from musegen.tasks.compose import Request, draft

CHORDS = ((48, 60, 64, 67), (53, 60, 65, 69), (55, 59, 62, 67), (57, 60, 64), (48, 52, 55, 60))
RNG = np.random.default_rng(0)
ROLLS = [Roll(str(k), tuple(CHORDS[each] for each in RNG.integers(5, size=9))) for k in range(6)]
NETWORK = {"epochs": 2, "warm_up": 1, "batch": 2, "hidden": 8, "embedding": 6, "inner": 8}
NOTES = NETWORK | {"precision": "float32"}
SMALL: dict[str, dict[str, Any]] = {
    "ngram": {"transpositions": 1, "rounds": 2},
    "lstm": NOTES | {"layers": 2},
    "ngram-lstm": NOTES,
    "lstm-reinforce": NOTES | {"tuning": 1, "steps": 1, "pieces": 2, "frames": 4},
    "transformer": {
        "epochs": 2,
        "warm_up": 1,
        "batch": 2,
        "width": 16,
        "heads": 2,
        "blocks": 2,
        "inner": 8,
        "passage": 3,
        "precision": "float32",
    },
    "rnn-rbm": {"epochs": 2, "warm_up": 1, "batch": 2, "hidden": 6, "units": 5, "embedding": 4},
    "lstm-rbm": {"epochs": 2, "warm_up": 1, "batch": 2, "hidden": 6, "units": 5, "embedding": 4},
    "hmm": {"states": 3, "passes": 2, "starts": 1},
    "hmm-factorial": {"states": 3, "second": 2, "passes": 2, "starts": 1},
    "rbm": {"hidden": 6, "epochs": 2, "batch": 8},
    "lstm-sigmoid": NETWORK | {"precision": "float32"},
    "lstm-nade": NETWORK | {"precision": "float32"},
}
_MADE: dict[str, RollProposer] = {}


def proposer(name: str) -> RollProposer:
    """A small model, trained once."""
    if name not in _MADE:
        settings = replace(default_settings(name), **SMALL[name])
        judging = rule_judge if name == "lstm-reinforce" else None
        made = train_frame_model(name, ROLLS[:4], ROLLS[4:], settings, seed=0, judging=judging)
        model = made.model
        _MADE[name] = proposer_of(model)
    return _MADE[name]


def candidates(frames: Any) -> Candidates:
    """Frames of up to four notes as candidates; fewer notes leave voices silent."""
    rows = []
    for frame in frames:
        notes = [pitch - 60 - LOWEST for pitch in reversed(frame)]
        rows.append(notes + [REST_TOKEN] * (4 - len(notes)))
    return Candidates(np.array(rows), np.full(len(rows), -1), np.zeros(4, np.int64))


def test_the_names_are_those_that_propose() -> None:
    """Each is tried here."""
    assert set(SMALL) == set(PROPOSE)


def told(of: RollProposer, histories: Any) -> Any:
    """What the model says of each chord after each history, from whole rolls, (B, N)."""
    rolls = [Roll("", (*history, chord)) for history in histories for chord in CHORDS]
    found = [logs[-1] for logs in of.model.frame_log_probs(rolls)]
    return np.array(found).reshape(len(histories), len(CHORDS))


@pytest.mark.parametrize("name", PROPOSE)
def test_scores_are_those_of_whole_rolls(name: str) -> None:
    """Two hypotheses at once, slot by slot; a Boltzmann machine's up to what it cannot know.

    Of one over single frames that is a constant; of one that knows the past, given that one of
    these comes.
    """
    of, every = proposer(name), candidates(CHORDS)
    paths = np.array([[0, 1, 2, 0, 4], [3, 3, 1, 4, 2]])
    state = of.start(np.zeros((5, 4), np.int64))
    rows = np.zeros(2, np.int64)
    for place, chosen in enumerate(paths.T):
        scores = of.log_scores(state, every)
        histories = [tuple(CHORDS[each] for each in path[:place]) for path in paths]
        expected = told(of, histories)[: len(scores)]
        if name == "rbm":
            expected = expected + (scores - expected)[0, 0]
        if name in ("rnn-rbm", "lstm-rbm"):
            expected = expected - np.logaddexp.reduce(expected, axis=1, keepdims=True)
        assert scores == pytest.approx(expected, abs=2e-4)
        state = of.advance(state, every, rows, chosen)
        rows = np.arange(2)


@pytest.mark.parametrize("name", PROPOSE)
def test_hypotheses_can_change_places(name: str) -> None:
    """New hypotheses are told by their parents, in whatever order, and two may have the same."""
    of, every = proposer(name), candidates(CHORDS)
    state = of.start(np.zeros((5, 4), np.int64))
    both = of.advance(state, every, np.array([0, 0]), np.array([1, 2]))
    crossed = of.advance(both, every, np.array([1, 0, 1]), np.array([0, 0, 0]))
    straight = of.advance(both, every, np.array([0, 1]), np.array([0, 0]))
    expected = of.log_scores(straight, every)[[1, 0, 1]]
    assert of.log_scores(crossed, every) == pytest.approx(expected, abs=1e-5)


def test_the_same_notes_have_the_same_score() -> None:
    """Which voice sings what, and a unison, is not for a model of rolls."""
    notes = np.array([[37, 30, 30, 18], [37, 37, 30, 18], [37, REST_TOKEN, 30, 18]])
    every = Candidates(notes, np.full(3, -1), np.zeros(4, np.int64))
    scores = proposer("lstm-nade").log_scores(
        proposer("lstm-nade").start(np.zeros((1, 4), np.int64)), every
    )
    assert len(set(scores[0].tolist())) == 1


def test_a_piece_is_composed_with_a_stored_model(tmp_path: Path) -> None:
    """By path beside shipped models: same bytes again, and its scores stand in the draft."""
    data = DataCard("drawn", "none", "standard", {}, {})
    settings = replace(default_settings("lstm-nade"), **SMALL["lstm-nade"])
    splits = {"train": ROLLS[:4], "valid": ROLLS[4:]}
    train_to_folder("lstm-nade", splits, data, tmp_path, settings, seed=0)
    path = str(tmp_path / "lstm-nade.safetensors")
    request = Request(key="D minor", seed=1, models=("hmm", path), weights={path: 0.5}, width=4)
    one, two = draft(request), draft(request)
    assert one.score == two.score
    assert np.isfinite(one.log_scores[path]).all()


def test_what_does_not_propose_is_refused(tmp_path: Path) -> None:
    """The line names the file, what it holds, and what can."""
    settings = replace(default_settings("hmm-serial"), **SMALL["hmm"])
    splits, data = {"train": ROLLS[:4], "valid": ROLLS[4:]}, DataCard("d", "n", "s", {}, {})
    train_to_folder("hmm-serial", splits, data, tmp_path, settings, seed=0)
    with pytest.raises(WeightsError, match="'hmm-serial' does not propose; ngram, hmm, hmm-fact"):
        load_proposers([str(tmp_path / "hmm-serial.safetensors")], chord_table())
    with pytest.raises(WeightsError, match="cannot be read"):
        load_proposers([str(tmp_path / "none.safetensors")], chord_table())
    ar = replace(default_settings("hmm-ar"), **SMALL["hmm"])
    model = train_frame_model("hmm-ar", ROLLS[:4], ROLLS[4:], ar, seed=0).model
    with pytest.raises(TrainingError, match="'hmm-ar' does not propose"):
        proposer_of(model)
