"""Melodies and bars on a grid: by hand, and there and back."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from musegen.encoding import token
from musegen.models.protocol import REST_TOKEN
from musegen.models.segment_tokens import HOLD
from musegen.score import Metre, Note, Part, Score
from musegen.segments import bar_matrix, bar_score, segment_of, segment_score
from theory_kb.pitch import Key, Pitch

EIGHTH = Fraction(1, 2)
KEY = Key.parse("E minor")


def _part(name: str, *notes: tuple[str, str, str]) -> Part:
    return Part(
        name,
        tuple(
            Note(Fraction(on), Fraction(length), Pitch.parse(pitch)) for on, length, pitch in notes
        ),
    )


def test_segment_by_hand_and_back() -> None:
    """A held note goes on, one that began before begins, a rest is a rest; spelling comes back."""
    part = _part("S", ("0", "3/2", "E5"), ("3/2", "1/2", "D#5"), ("5/2", "3/2", "E5"))
    found = segment_of(part, KEY, start=Fraction(1), steps=6, grid=EIGHTH)
    assert found is not None
    high, low = token(Pitch.parse("E5"), KEY), token(Pitch.parse("D#5"), KEY)
    assert found.tolist() == [high, low, REST_TOKEN, high, HOLD, HOLD]
    score = segment_score("back", found, KEY, grid=EIGHTH)
    assert [
        (str(note.onset), str(note.duration), note.pitch.name) for note in score.parts[0].notes
    ] == [
        ("0", "1/2", "E5"),
        ("1/2", "1/2", "D#5"),
        ("3/2", "3/2", "E5"),
    ]


def test_notes_off_the_grid_give_no_segment() -> None:
    """Sixteenths do not fit a grid of eighths; outside the window they do not matter."""
    part = _part("S", ("0", "1", "E5"), ("1", "1/4", "F#5"), ("5/4", "3/4", "G5"))
    assert segment_of(part, KEY, start=Fraction(0), steps=4, grid=EIGHTH) is None
    assert segment_of(part, KEY, start=Fraction(0), steps=2, grid=EIGHTH) is not None


def test_bar_by_hand_and_back() -> None:
    """Keys that sound at each step; the score of a bar has the same matrix."""
    score = Score(
        "bar",
        KEY,
        (
            _part("S", ("0", "1", "B4"), ("1", "1", "G4")),
            _part("B", ("0", "1/2", "E3"), ("1/2", "3/2", "F#3")),
        ),
        (Metre(2, 4),),
    )
    found = bar_matrix(score, KEY, start=Fraction(0), steps=4, grid=EIGHTH)
    assert found is not None
    assert found.sum(axis=1).tolist() == [2, 2, 2, 2]
    back = bar_score("back", found, KEY, grid=EIGHTH)
    assert [note.pitch.name for part in back.parts for note in part.notes] == [
        *("B4", "G4", "E3", "F#3")
    ]
    again = bar_matrix(back, KEY, start=Fraction(0), steps=4, grid=EIGHTH)
    assert again is not None
    assert np.array_equal(found, again)


def test_bars_that_do_not_fit_give_none() -> None:
    """Silence, or a key beyond the matrix."""
    silent = Score("silent", KEY, (Part("S", ()),), (Metre(2, 4),))
    high = Score("high", KEY, (_part("S", ("0", "2", "G#6")),), (Metre(2, 4),))
    for score in (silent, high):
        assert bar_matrix(score, KEY, start=Fraction(0), steps=4, grid=EIGHTH) is None
