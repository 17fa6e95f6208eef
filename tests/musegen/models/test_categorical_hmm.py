"""Batched Baum-Welch over symbols: a book's example, hmmlearn, enumeration, sequences of any length."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hmmlearn.hmm import CategoricalHMM as Peer

from musegen.errors import TrainingError
from musegen.models.categorical_hmm import CategoricalHMM, Learner, drawn, learned

LENGTHS = (7, 1, 12, 12, 3, 20)


def _sequences(symbols: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, symbols, length) for length in LENGTHS]


def _peer(model: CategoricalHMM, **settings: object) -> Peer:
    states, symbols = model.emission.shape
    peer = Peer(states, init_params="", implementation="scaling", tol=-np.inf, **settings)
    peer.n_features = symbols
    peer.startprob_, peer.transmat_ = model.start.copy(), model.matrix.copy()
    peer.emissionprob_ = model.emission.copy()
    return peer


def test_the_ice_creams_of_eisner() -> None:
    """Three ice creams, one, three: 0.0268562 and hot, cold, hot (Jurafsky and Martin, appendix A)."""
    model = CategoricalHMM(
        np.array([0.8, 0.2]),  # hot, cold
        np.array([[0.6, 0.4], [0.5, 0.5]]),
        np.array([[0.2, 0.4, 0.4], [0.5, 0.4, 0.1]]),  # 1, 2 or 3 ice creams
    )
    seen = np.array([2, 0, 2])
    joint = {
        path: model.start[path[0]]
        * np.prod([model.matrix[pair] for pair in pairwise(path)])
        * np.prod([model.emission[state, symbol] for state, symbol in zip(path, seen, strict=True)])
        for path in product((0, 1), repeat=3)
    }
    assert np.exp(model.log_likelihood([seen])) == pytest.approx(sum(joint.values()))
    assert tuple(model.decode([seen])[0]) == max(joint, key=lambda path: joint[path]) == (0, 1, 0)


def test_one_pass_equals_hmmlearn() -> None:
    """Parameters agree to float32's rounding, the likelihood to 1e-8 relative, in one pass and ten."""
    model, sequences = drawn(5, 11, np.random.default_rng(3)), _sequences(11)
    joined = np.concatenate(sequences)[:, None]
    for passes in (1, 10):
        ours = learned(model, sequences, passes=passes)
        peer = _peer(model, n_iter=passes).fit(joined, LENGTHS)
        assert ours.start == pytest.approx(peer.startprob_, abs=1e-5)
        assert ours.matrix == pytest.approx(peer.transmat_, abs=1e-5)
        assert ours.emission == pytest.approx(peer.emissionprob_, abs=1e-5)
    reference = _peer(model).score(joined, LENGTHS)
    assert model.log_likelihood(sequences) == pytest.approx(reference, rel=1e-12)
    assert Learner(sequences, 5, 11).step(model)[1] == pytest.approx(reference, rel=1e-7)


def test_decoding_equals_hmmlearn() -> None:
    """The likeliest states of each sequence, whatever the lengths."""
    model, sequences = drawn(6, 9, np.random.default_rng(4)), _sequences(9)
    _, states = _peer(model).decode(np.concatenate(sequences)[:, None], LENGTHS)
    assert np.array_equal(np.concatenate(model.decode(sequences)), states)


def test_likelihood_never_falls_and_rows_stay_distributions() -> None:
    """Baum-Welch climbs; room left over from a pass does not leak into the next."""
    told: list[float] = []
    sequences = _sequences(4)
    model = learned(
        drawn(3, 4, np.random.default_rng(0)),
        sequences,
        passes=25,
        progress=lambda _, nats: told.append(nats),
    )
    assert all(after >= before - 1e-4 for before, after in pairwise(told))
    for table in (model.start, model.matrix, model.emission):
        assert table.sum(axis=-1) == pytest.approx(np.ones(table.shape[:-1]))


def test_a_state_that_is_never_met_stays_as_it_was() -> None:
    """Nothing is expected of it, so there is nothing to learn, and nothing to divide by."""
    model = CategoricalHMM(np.array([1.0, 0.0]), np.eye(2), np.array([[0.5, 0.5], [0.9, 0.1]]))
    after = learned(model, [np.array([0, 1, 1])], passes=2)
    assert after.emission[1].tolist() == [0.9, 0.1]
    assert after.matrix.tolist() == np.eye(2).tolist()


@pytest.mark.parametrize("sequences", [[], [np.array([], np.int64)], [np.array([0, 5])]])
def test_sequences_that_cannot_be_are_refused(sequences: list[np.ndarray]) -> None:
    """No sequence, an empty one, a symbol that is none."""
    with pytest.raises(TrainingError, match="at least one"):
        learned(drawn(2, 5, np.random.default_rng(0)), sequences, passes=1)
