from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hmmlearn.hmm import CategoricalHMM

from musegen.errors import TrainingError
from musegen.models.forward_backward import (
    Dense,
    Factorial,
    FloatArray,
    batch_of,
    forward_log_likelihoods,
    posteriors,
    viterbi,
)
from musegen.models.frame_emissions import SerialNotes
from musegen.models.frame_hmm import EMISSIONS, FrameHMMSettings, train_frame_hmm
from musegen.models.rolls import SYMBOLS, Roll

LENGTHS = (3, 1, 4)


def _drawn(states: int, seed: int = 0) -> tuple[Dense, FloatArray]:
    """A chain and the logs of its frames' likelihoods, drawn."""
    rng = np.random.default_rng(seed)
    matrix = rng.dirichlet(np.ones(states), states)
    return Dense(rng.dirichlet(np.ones(states)), matrix), rng.normal(size=(sum(LENGTHS), states))


def _paths(chain: Dense, logs: FloatArray, first: int, length: int) -> dict[tuple[int, ...], float]:
    """Log-probability of each path of states through one sequence, by enumeration."""
    found = {}
    for path in product(range(len(chain.start)), repeat=length):
        value = np.log(chain.start[path[0]])
        value += sum(np.log(chain.matrix[a, b]) for a, b in pairwise(path))
        value += sum(logs[first + time, state] for time, state in enumerate(path))
        found[path] = float(value)
    return found


def test_all_three_problems_by_enumeration() -> None:
    """Likelihood, posteriors and best path of three sequences equal sums over all their paths."""
    chain, logs = _drawn(3)
    batch = batch_of(LENGTHS)
    frames = forward_log_likelihoods(chain, logs, batch)
    expected = posteriors(chain, logs, batch)
    best = viterbi(chain.start, chain.matrix, logs, batch)
    moves = np.zeros((3, 3))
    first = 0
    for length in LENGTHS:
        paths = _paths(chain, logs, first, length)
        total = np.logaddexp.reduce(list(paths.values()))
        assert frames[first : first + length].sum() == pytest.approx(total)
        assert tuple(best[first : first + length]) == max(paths, key=lambda path: paths[path])
        for time in range(length):
            for state in range(3):
                share = [value for path, value in paths.items() if path[time] == state]
                chance = np.exp(np.logaddexp.reduce(share) - total)
                assert expected.states[first + time, state] == pytest.approx(chance)
        for path, value in paths.items():
            for a, b in pairwise(path):
                moves[a, b] += np.exp(value - total)
        first += length
    counted = chain.matrix * (expected.before.T @ expected.after)
    assert counted == pytest.approx(moves)
    assert expected.log_likelihood == pytest.approx(frames.sum())


def test_hmmlearn_agrees() -> None:
    """hmmlearn's likelihood, posteriors and best path of a categorical model are the same."""
    rng = np.random.default_rng(1)
    chain, _ = _drawn(4, seed=1)
    emission = rng.dirichlet(np.ones(6), 4)
    symbols = rng.integers(0, 6, sum(LENGTHS))
    peer = CategoricalHMM(4)
    peer.startprob_, peer.transmat_, peer.emissionprob_ = chain.start, chain.matrix, emission
    logs, batch = np.log(emission[:, symbols].T), batch_of(LENGTHS)
    score, states = peer.score_samples(symbols[:, None], LENGTHS)
    ours = posteriors(chain, logs, batch)
    assert ours.log_likelihood == pytest.approx(score, rel=1e-10)
    assert ours.states == pytest.approx(states, abs=1e-10)
    best = viterbi(chain.start, chain.matrix, logs, batch)
    assert best.tolist() == peer.predict(symbols[:, None], LENGTHS).tolist()


def test_two_chains_are_one_chain_of_pairs() -> None:
    """A factorial transition moves as the Kronecker product of its matrices does."""
    one, _ = _drawn(2, seed=2)
    two, _ = _drawn(3, seed=3)
    both = Factorial(one, two)
    pairs = Dense(np.kron(one.start, two.start), np.kron(one.matrix, two.matrix))
    logs, batch = np.random.default_rng(4).normal(size=(sum(LENGTHS), 6)), batch_of(LENGTHS)
    ours, twin = (posteriors(each, logs, batch) for each in (both, pairs))
    assert ours.log_likelihood == pytest.approx(twin.log_likelihood)
    assert ours.states == pytest.approx(twin.states)


ROLLS = tuple(
    Roll(
        str(seed),
        tuple(
            tuple(sorted(np.random.default_rng([seed, time]).choice([55, 60, 64, 67], 3, False)))
            for time in range(6)
        ),
    )
    for seed in range(8)
)


@pytest.mark.parametrize("emission", EMISSIONS)
def test_learning_makes_rolls_likelier_and_repeats(emission: str) -> None:
    """The kept model is the best of its passes, and the same seed gives the same figures."""
    settings = FrameHMMSettings(emission=emission, states=3, second=2, passes=4, starts=2)
    told: list[float] = []
    models = [
        train_frame_hmm(
            ROLLS[:6],
            ROLLS[6:],
            settings,
            seed=0,
            progress=lambda state: told.append(state["nats a frame"]),
        )
        for _ in range(2)
    ]
    values = [np.concatenate(model.frame_log_probs(ROLLS[6:])) for model in models]
    assert (values[0] == values[1]).all()
    assert -values[0].mean() == pytest.approx(min(told), rel=1e-5)
    assert min(told) < told[0]
    uniform = 88 * np.log(2)
    assert -values[0].mean() < uniform / 3


@pytest.mark.parametrize("emission", ["bernoulli", "autoregressive", "factorial"])
def test_all_frames_of_few_keys_add_up_to_one(emission: str) -> None:
    """Over all sets of four keys the first frame's probabilities add up to nearly one."""
    settings = FrameHMMSettings(emission=emission, states=2, second=2, passes=2, starts=1)
    model = train_frame_hmm(ROLLS[:6], ROLLS[6:], settings, seed=0)
    keys = (55, 60, 64, 67)
    sets = [
        tuple(key for key, on in zip(keys, mask, strict=True) if on)
        for mask in product((0, 1), repeat=4)
    ]
    total = np.exp(
        np.concatenate(model.frame_log_probs([Roll("", (each,)) for each in sets]))
    ).sum()
    assert 0.8 < total <= 1 + 1e-6


def test_serial_notes_add_up_to_one() -> None:
    """In each state the symbols below a note add up to one, and none stands above it."""
    settings = FrameHMMSettings(emission="serial", states=2, passes=2, starts=1)
    emission = train_frame_hmm(ROLLS[:6], ROLLS[6:], settings, seed=0).emission
    assert isinstance(emission, SerialNotes)
    assert emission.tables.sum(axis=2) == pytest.approx(np.ones((2, SYMBOLS + 1)))
    above, symbol = np.indices((SYMBOLS + 1, SYMBOLS))
    assert not emission.tables[:, (symbol >= above) & (above > 0)].any()


def test_what_comes_later_changes_nothing() -> None:
    """A frame's log-probability is the same whatever follows it."""
    model = train_frame_hmm(ROLLS[:6], ROLLS[6:], FrameHMMSettings(states=3, passes=2), seed=0)
    roll = ROLLS[0]
    other = Roll("", (*roll.frames[:3], (40,), (90, 91)))
    ours, theirs = model.frame_log_probs([roll, other])
    assert ours[:3] == pytest.approx(theirs[:3])


def test_decoding_gives_a_state_a_frame() -> None:
    """Two sounds that alternate are two states."""
    frames = ((60, 64, 67), (55, 59, 62)) * 4
    rolls = (Roll("a", frames), Roll("b", frames))
    model = train_frame_hmm(rolls, rolls, FrameHMMSettings(states=2, starts=4), seed=0)
    (states, _) = model.decode(rolls)
    assert states.tolist() in ([0, 1] * 4, [1, 0] * 4)


def test_refusals() -> None:
    """An unknown emission is named with those that are; two chains have no one path."""
    with pytest.raises(TrainingError, match="'gaussian', allowed are bernoulli"):
        train_frame_hmm(ROLLS, ROLLS, FrameHMMSettings(emission="gaussian"), seed=0)
    settings = FrameHMMSettings(emission="factorial", states=2, second=2, passes=1, starts=1)
    with pytest.raises(TrainingError, match="one chain"):
        train_frame_hmm(ROLLS, ROLLS, settings, seed=0).decode(ROLLS)
