"""Prediction by partial match: the textbook's counts, a slow twin, laws of distributions."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.errors import TrainingError, UnknownNameError
from musegen.models.ppm import (
    MIXTURES,
    Memory,
    PPMSettings,
    Smoothing,
    combined,
    interpolated,
    train_ppm,
)
from musegen.models.viewpoints import VIEWPOINTS, Melody, view_table

LETTERS = "abcdr"
LINKED = (("interval", "degree"), ("from-tonic", "phrase-end"), ("pitch", "duration"))


def _codes(text: str) -> np.ndarray:
    return np.array([LETTERS.index(letter) + 1 for letter in text], np.uint64)


def _memory(*texts: str) -> Memory:
    """Melodies already over, and the last one as far as it goes."""
    memory = Memory()
    for text in texts[:-1]:
        memory.add(_codes(text))
    memory.begin()
    for value in _codes(texts[-1]):
        memory.push(value)
    return memory


def _melody(pitches: list[int], *, tonic: int = 0, minor: bool = False) -> Melody:
    count = len(pitches)
    ends = np.zeros(count, np.bool_)
    ends[3::4] = True
    return Melody(
        "m",
        np.array(pitches),
        np.arange(count) * 2,
        np.full(count, 2),
        np.arange(count) * 2 % 8,
        ends,
        tonic,
        minor,
    )


def test_counts_of_abracadabra() -> None:
    """Contexts of `abracadabra` count as in Cleary, Teahan and Witten 1995, figure 1."""
    kinds = _codes(LETTERS)
    after_a = _memory("abracadabra").counts(kinds)
    assert after_a[0].tolist() == [5, 2, 1, 1, 2]
    assert after_a[1].tolist() == [0, 2, 1, 1, 0]
    assert after_a[2].tolist() == [0, 0, 1, 0, 0]  # after `ra`
    assert after_a[4].tolist() == [0, 0, 1, 0, 0]  # after `abra`
    assert len(after_a) == 5  # nothing longer came twice
    after_ab = _memory("abracadabra", "ab").counts(kinds)
    assert after_ab[2].tolist() == [0, 0, 0, 0, 2]


def test_interpolated_escape_c_by_hand() -> None:
    """P(b | a) mixes 2 of 4 counts and 3 escapes with P(b), that with a fifth: 7 and 16 in all."""
    counts = _memory("abracadabra").counts(_codes(LETTERS))[:2]
    found = interpolated(counts, np.full(5, 0.2), Smoothing(deterministic=False))
    alone = (2 + 5 * 0.2) / 16
    assert found[1] == pytest.approx((2 + 3 * alone) / 7)


def test_shortest_deterministic_context_ends_the_row() -> None:
    """After `abra` the context `ra` is the shortest with one follower; longer ones add nothing."""
    counts = _memory("abracadabra").counts(_codes(LETTERS))
    base = np.full(5, 0.2)
    whole = interpolated(counts, base, Smoothing(deterministic=True))
    assert whole == pytest.approx(interpolated(counts[:3], base, Smoothing(deterministic=False)))


def _slow_counts(melodies: list[list[int]], kinds: list[int]) -> list[list[int]]:
    """Counts by context length, each context looked up as a tuple."""
    history = [0, *melodies[-1]]
    rows = []
    for length in range(len(history) + 1):
        context = tuple(history[len(history) - length :])
        row = dict.fromkeys(kinds, 0)
        for melody in melodies:
            line = [0, *melody]
            for place in range(max(1, length), len(line)):
                if tuple(line[place - length : place]) == context:
                    row[line[place]] += 1
        if not any(row.values()):
            break
        rows.append(list(row.values()))
    return rows


@given(st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=9), min_size=1, max_size=5))
def test_counts_equal_the_slow_twin(melodies: list[list[int]]) -> None:
    """Matching places gives the counts that a table of all contexts gives."""
    memory = Memory()
    for melody in melodies[:-1]:
        memory.add(np.array(melody, np.uint64))
    memory.begin()
    for value in melodies[-1]:
        memory.push(np.uint64(value))
    kinds = np.array([1, 2, 3], np.uint64)
    assert memory.counts(kinds).tolist() == _slow_counts(melodies, [1, 2, 3])


@given(
    st.lists(st.lists(st.sampled_from([60, 62, 64, 65]), min_size=2, max_size=10), min_size=2),
    st.sampled_from(sorted(MIXTURES)),
    st.floats(0, 5),
)
def test_distributions_sum_to_one_and_are_positive(
    lines: list[list[int]], mixture: str, bias: float
) -> None:
    """Every prediction is a distribution over the candidates that leaves none out."""
    melodies = [_melody(line) for line in lines]
    settings = PPMSettings(LINKED, mixture=mixture, bias=bias, long_bias=bias, short_bias=bias)
    model = train_ppm(melodies[1:], settings, candidates=np.array([60, 62, 64, 65, 67]))
    followed = model.follow(melodies[0])
    table = model.combine(followed.long, followed.short)
    assert (table > 0).all()
    assert table.sum(axis=1) == pytest.approx(np.ones(len(table)))


def test_predictions_do_not_see_what_comes() -> None:
    """Other later notes leave all predictions up to there as they were, from every viewpoint."""
    candidates = np.arange(60, 73)
    settings = PPMSettings(tuple((name,) for name in VIEWPOINTS))
    lines = [60, 62, 64, 65, 67, 65, 64, 62], [60, 62, 64, 65, 72, 71, 70, 69]
    model = train_ppm([_melody(lines[0])], settings, candidates=candidates)
    one, other = (model.follow(_melody(line)) for line in lines)
    for before, after in ((one.long, other.long), (one.short, other.short)):
        assert np.array_equal(before[:, :5], after[:, :5])
        assert not np.array_equal(before[:, 5:], after[:, 5:])


def test_long_term_memory_goes_on_learning_and_the_model_stays() -> None:
    """The second time, a melody is likelier; asked anew, the model says the same as before."""
    melody = _melody([60, 67, 61, 66, 62, 65, 63, 64])
    model = train_ppm([_melody([60, 62, 64, 65])], PPMSettings(), candidates=np.arange(60, 73))
    first, second = model.log_probs([melody, melody])
    assert second.sum() > first.sum()
    assert np.array_equal(model.log_probs([melody])[0], first)


def test_viewpoints_transpose() -> None:
    """A melody in another key looks the same as intervals and as degrees, not as pitches."""
    low = _melody([60, 64, 62, 65, 60], tonic=0)
    high = replace(low, pitches=low.pitches + 3, tonic=3)
    for viewpoint, same in ((("interval", "degree"), True), (("pitch",), False)):
        shown = [
            view_table(each, viewpoint, np.arange(lowest, lowest + 9))
            for each, lowest in ((low, 60), (high, 63))
        ]
        assert np.array_equal(shown[0], shown[1]) == same


def test_combined_weighs_the_surer_expert() -> None:
    """With a bias the expert of low entropy wins; without, both weigh alike; by hand."""
    tables = np.array([[[0.98, 0.02]], [[0.4, 0.6]]])
    assert combined(tables, 0.0, "arithmetic")[0] == pytest.approx([0.69, 0.31])
    plain = np.sqrt([0.98 * 0.4, 0.02 * 0.6])
    assert combined(tables, 0.0)[0] == pytest.approx(plain / plain.sum())
    shares = [float(combined(tables, bias, "arithmetic")[0, 0]) for bias in (0.0, 1.0, 4.0)]
    assert all(before < after for before, after in pairwise(shares))


def test_samples_repeat_and_keep_the_rhythm() -> None:
    """A seed gives one melody; a model of one melody that never turns walks along it."""
    melody = _melody(list(range(60, 72)))
    sharp = PPMSettings((("interval",),), Smoothing(1e-6), Smoothing(1e-6))
    model = train_ppm([melody] * 3, sharp, candidates=np.arange(60, 73))
    drawn = [model.sample(melody, np.random.default_rng(5)) for _ in range(2)]
    assert np.array_equal(drawn[0].pitches, drawn[1].pitches)
    assert (np.diff(drawn[0].pitches) == 1).sum() >= 8
    assert np.array_equal(drawn[0].onsets, melody.onsets)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"pitches": np.array([60, 99, 62, 64])}, "note 2: pitch 99"),
        ({"pitches": np.array([60])}, "one length"),
        ({"onsets": np.array([0, 2, 2, 4])}, "must ascend"),
    ],
)
def test_melodies_that_cannot_be_are_refused(change: dict[str, np.ndarray], text: str) -> None:
    """The refusal names the melody and what is wrong."""
    melody = replace(_melody([60, 62, 64, 65]), **change)  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match=f"'m'.*{text}"):
        train_ppm([melody], PPMSettings(), candidates=np.arange(60, 73))


def test_settings_that_cannot_be_are_refused() -> None:
    """Unknown names, no viewpoint, no escape, no melody, one candidate."""
    with pytest.raises(UnknownNameError, match="viewpoint 'pich'; did you mean 'pitch'"):
        PPMSettings((("pich",),))
    with pytest.raises(UnknownNameError, match="mixture"):
        PPMSettings(mixture="harmonic")
    with pytest.raises(TrainingError, match="at least one viewpoint"):
        PPMSettings(())
    with pytest.raises(TrainingError, match="escape factor"):
        Smoothing(escape=0.0)
    with pytest.raises(TrainingError, match="at least one melody"):
        train_ppm([], PPMSettings(), candidates=np.arange(60, 73))
    with pytest.raises(TrainingError, match="two or more"):
        train_ppm([_melody([60, 60])], PPMSettings(), candidates=np.array([60]))
