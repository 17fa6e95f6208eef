from __future__ import annotations

import math

import numpy as np
import pytest

from musegen.errors import TrainingError
from musegen.models.context_mixing import Counts, Mixing, Passage, count_contexts, fit_exponents
from musegen.models.ngram import NGram, NGramSettings, passage_of, train_ngram
from musegen.models.rolls import (
    SYMBOLS,
    Roll,
    check_rolls,
    frames_of,
    negative_log_likelihood,
    serial,
)

ROLLS = (
    Roll("a", ((60, 64, 67), (60, 65, 69), (59, 62, 67), (60, 64, 67))),
    Roll("b", ((60, 64), (), (62, 65), (59, 67), (60, 64, 67))),
    Roll("c", ((57, 60, 64), (59, 62, 67), (57, 60, 64))),
)
SMALL = NGramSettings(transpositions=1, rounds=5)


@pytest.fixture(scope="module")
def model() -> NGram:
    """A model of the first two rolls, fitted on the third."""
    return train_ngram(ROLLS[:2], ROLLS[2:], SMALL)


def test_a_roll_is_spelled_from_the_top_down_and_read_back() -> None:
    """A triad is its notes in descending order, then the end."""
    spelled = serial(Roll("", ((60, 64, 67), ())))
    assert spelled.symbols.tolist() == [47, 44, 40, 0, 0]
    assert spelled.limit.tolist() == [SYMBOLS, 47, 44, 40, SYMBOLS]
    assert frames_of(spelled.symbols.tolist()) == ((60, 64, 67), ())


def test_witten_bell_by_hand() -> None:
    """After a context seen three times, twice before 1 and once before 2: counts against escapes."""
    hashes = np.array([7, 7, 7], np.uint64)
    counts = Counts.of(hashes, np.array([1, 1, 2]), 4)
    table = np.full((2, 4), 0.25)
    known = counts.interpolate(table, np.array([7, 8], np.uint64), escape=1.0)
    assert known.tolist() == [0]
    assert table[0] == pytest.approx([2 / 5 / 4, (2 + 2 / 4) / 5, (1 + 2 / 4) / 5, 2 / 5 / 4])
    assert table[1] == pytest.approx([0.25] * 4)


def _twin(history: list[tuple[int, ...]], data: list[tuple[tuple[int, ...], int]]) -> list[float]:
    """Interpolated Witten-Bell over a chain of contexts, straight from the formula."""
    symbols = 3
    base = [0.1 + sum(symbol == other for _, other in data) for symbol in range(symbols)]
    table = [value / sum(base) for value in base]
    for depth in range(1, len(history) + 1):
        after = [symbol for context, symbol in data if context[:depth] == history[depth - 1]]
        if after:
            kinds = len(set(after))
            mass = len(after) + 2.0 * kinds
            table = [
                (after.count(symbol) + 2.0 * kinds * table[symbol]) / mass
                for symbol in range(symbols)
            ]
    return table


def test_a_chain_is_the_formula() -> None:
    """The vectorised counts equal a slow twin on every context of small random data."""
    rng = np.random.default_rng(0)
    one, two, followers = rng.integers(0, 3, (3, 40))
    passage = Passage(followers, np.full(40, 3), {"one": one, "two": two})
    mixture = count_contexts(Mixing(3, (("one", "two"),), (), 2.0, 1.0), [passage])
    logs, _ = mixture.experts(passage)
    data: list[tuple[tuple[int, ...], int]] = [
        ((int(a), int(b)), int(c)) for a, b, c in zip(one, two, followers, strict=True)
    ]
    for place, (context, _) in enumerate(data):
        expected = _twin([context[:1], context], data)
        assert np.exp(logs[place, 0]) == pytest.approx(expected)


def test_probabilities_of_what_can_stand_add_up_to_one(model: NGram) -> None:
    """At each symbol the distribution is whole, and nothing stands above the note before."""
    passage = passage_of(ROLLS[2])
    table = model.mixture.mixed(*model.mixture.experts(passage), passage.beyond(SYMBOLS))
    assert np.exp(table).sum(axis=1) == pytest.approx(np.ones(len(table)))
    assert (table[passage.beyond(SYMBOLS)] == -np.inf).all()


def test_a_frame_knows_nothing_of_later_ones(model: NGram) -> None:
    """Other frames afterwards change no log-probability before them."""
    other = Roll("", (*ROLLS[0].frames[:2], (40,), (41, 90)))
    ours, theirs = model.frame_log_probs([ROLLS[0], other])
    assert ours[:2] == pytest.approx(theirs[:2], abs=1e-12)
    assert ours[2] != pytest.approx(theirs[2])


def test_fitting_makes_held_out_pieces_likelier() -> None:
    """The fitted exponents are never worse than the plain start on what they were fitted on."""
    mixing = SMALL.mixing
    plain = count_contexts(mixing, [passage_of(each) for each in ROLLS[:2]])
    held_out = [passage_of(each) for each in ROLLS[2:]]
    fitted = fit_exponents(plain, held_out, rounds=10)
    before, after = (each.log_probs(held_out[0]).sum() for each in (plain, fitted))
    assert after > before


def test_samples_have_the_models_own_probability(model: NGram) -> None:
    """The same generator gives the same roll, and its first frame is as frequent as it says."""
    assert model.sample(3, np.random.default_rng(1)) == model.sample(3, np.random.default_rng(1))
    rng = np.random.default_rng(2)
    drawn = [model.sample(1, rng).frames[0] for _ in range(400)]
    common = max(set(drawn), key=drawn.count)
    (log_probs,) = model.frame_log_probs([Roll("", (common,))])
    expected = math.exp(log_probs[0])
    spread = math.sqrt(expected * (1 - expected) / len(drawn))
    assert abs(drawn.count(common) / len(drawn) - expected) < 4 * spread


def test_conventions_differ_as_stated() -> None:
    """A divides by all frames, B leaves out the first of each roll, C averages means."""
    values = [np.array([-1.0, -2.0]), np.array([-3.0, -5.0, -7.0])]
    assert negative_log_likelihood(values) == pytest.approx(18 / 5)
    assert negative_log_likelihood(values, convention="B") == pytest.approx(14 / 3)
    assert negative_log_likelihood(values, convention="C") == pytest.approx((1.5 + 5) / 2)


@pytest.mark.parametrize(
    ("roll", "problem"),
    [
        (Roll("x", ()), "has no frames"),
        (Roll("x", ((64, 60),)), "frame 0: (64, 60) does not ascend"),
        (Roll("x", ((60,), (12,))), "frame 1: (12,) leaves the keyboard"),
    ],
)
def test_rolls_that_are_none_are_refused(roll: Roll, problem: str) -> None:
    """The refusal names the roll, the frame and what came."""
    with pytest.raises(TrainingError) as refusal:
        check_rolls([roll])
    assert problem in str(refusal.value)
    assert "'x'" in str(refusal.value)


def test_an_empty_split_is_refused() -> None:
    """Without validation rolls there is nothing to fit the exponents on."""
    with pytest.raises(TrainingError, match="validation split is empty"):
        train_ngram(ROLLS, (), SMALL)
