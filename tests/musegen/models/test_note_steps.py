"""Beginnings of frames, and what stands before them: against one roll after another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.models.beginnings import Beginnings
from musegen.models.ngram import SHORT, passage_ahead, passage_of, told_ahead
from musegen.models.rolls import END, LOWEST, SYMBOLS, Frame, Roll
from musegen.models.short_term import short_term_logs

frames = st.lists(st.integers(LOWEST + 30, LOWEST + 36), max_size=4, unique=True).map(
    lambda pitches: tuple(sorted(pitches))
)
histories = st.lists(frames, max_size=12).map(tuple)


def test_frames_share_what_they_begin_with() -> None:
    """Two chords over one soprano: the empty beginning, the soprano, and two of each length more."""
    found = Beginnings.of([(48, 55, 64), (50, 57, 64)])
    top, low = 64 - LOWEST + 1, 55 - LOWEST + 1
    assert [len(word) for word in found.words] == [0, 1, 2, 2, 3, 3]
    assert found.words[1] == (top,)
    assert found.parent.tolist() == [0, 0, 1, 1, 2, 3]
    assert found.words[2] == (top, low)
    after, symbols, there = found.steps
    assert after[4].tolist() == [0, 1, 2]
    assert symbols[4].tolist() == list(found.words[4])
    assert there.sum(axis=1).tolist() == [0, 1, 2, 2, 3, 3]
    assert found.ancestry[4].tolist() == [True, True, True, False, True, False]


@given(some=st.lists(frames, min_size=1, max_size=5))
def test_a_frame_is_as_likely_as_its_symbols_together(some: list[Frame]) -> None:
    """Each in its turn, the end included."""
    found = Beginnings.of(some)
    tables = np.random.default_rng(0).normal(size=(2, len(found.words), SYMBOLS))
    place = {word: number for number, word in enumerate(found.words)}
    expected = np.zeros((2, len(some)))
    for number, frame in enumerate(some):
        word = tuple(pitch - LOWEST + 1 for pitch in reversed(frame))
        for length, symbol in enumerate((*word, END)):
            expected[:, number] += tables[:, place[word[:length]], symbol]
    assert found.log_probs(tables) == pytest.approx(expected)


@settings(max_examples=60)
@given(
    pieces=st.lists(histories, min_size=1, max_size=3),
    some=st.lists(frames, min_size=1, max_size=3),
)
def test_places_ahead_are_those_of_whole_rolls(
    pieces: list[tuple[Frame, ...]], some: list[Frame]
) -> None:
    """Every column, the limit, and what the piece itself expects, as if each frame had come."""
    found = Beginnings.of(some)
    ahead = passage_ahead(pieces, found)
    base = np.full(SYMBOLS, 1 / SYMBOLS)
    logs, depths = told_ahead(ahead, pieces, found, base)
    row = 0
    for history in pieces:
        for word in found.words:
            frame = tuple(symbol + LOWEST - 1 for symbol in reversed(word))
            whole = passage_of(Roll("", (*history, frame)))
            expected, deep = short_term_logs(whole, SHORT, SYMBOLS)
            assert ahead.limit[row] == whole.last.limit[0]
            for name, column in whole.last.columns.items():
                assert ahead.columns[name][row] == column[0], name
            assert depths[row].tolist() == deep[-1].tolist()
            assert logs[row] == pytest.approx(expected[-1], abs=1e-5)
            row += 1
    assert row == len(ahead.limit)
