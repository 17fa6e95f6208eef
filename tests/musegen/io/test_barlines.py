from __future__ import annotations

from fractions import Fraction

import pytest

from musegen.errors import ScoreError
from musegen.io.barlines import grid
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch


def counted(
    lines: str, total: int, *signatures: Metre
) -> tuple[list[tuple[int, float]], list[int]]:
    """Bar and beat of each bar line, and onsets of irregular bars."""
    starts = [Fraction(text) for text in lines.split()]
    found = grid(starts, signatures or (Metre(4, 4),), Fraction(total), "here")
    notes = (Note(Fraction(0), Fraction(total), Pitch.parse("C4")),)
    score = Score("", Key.parse("C"), (Part("S", notes),), found.metres, found.upbeat)
    places = [score.bar_and_beat(start) for start in starts]
    return [(bar, float(beat)) for bar, beat in places], [int(each) for each in found.irregular]


@pytest.mark.parametrize(
    ("lines", "total", "bars", "irregular"),
    [
        ("0 4 8", 12, [1, 2, 3], []),
        ("0 1 5", 9, [0, 1, 2], []),  # an upbeat
        ("0 4 7 8", 12, [1, 2, 2, 3], []),  # a repeat sign cuts bar 2
        ("0 4 7 11", 15, [1, 2, 3, 4], [4]),  # bar 2 is a beat short
        ("0 3", 3, [1, 1], []),  # one short bar is no upbeat
    ],
)
def test_bars_are_counted_as_they_are_drawn(
    lines: str, total: int, bars: list[int], irregular: list[int]
) -> None:
    """Upbeats, halves of bars and short bars leave later bar lines on a downbeat."""
    places, found = counted(lines, total)
    assert [bar for bar, _ in places] == bars
    assert found == irregular
    for (bar, beat), before in zip(places[1:], places, strict=False):
        assert beat == 1 or bar == before[0]


def test_bar_too_long_does_not_move_the_next_bar_line() -> None:
    """After a bar of five beats in 4/4 the next one begins on its first beat."""
    places, found = counted("0 4 9 13", 17)
    assert [beat for _, beat in places] == [1, 1, 1, 1]
    assert found == [4]


def test_change_of_metre_begins_a_bar() -> None:
    """Two bars of 4/4 and two of 3/4 are bars 1 to 4, each on its downbeat."""
    places, found = counted("0 4 8 11", 14, Metre(4, 4), Metre(3, 4, Fraction(8)))
    assert places == [(1, 1), (2, 1), (3, 1), (4, 1)]
    assert found == []


def test_bars_are_told_as_long_as_they_are_drawn() -> None:
    """The two halves of a cut bar are one bar of four beats."""
    found = grid([Fraction(each) for each in (0, 4, 7, 8)], (Metre(4, 4),), Fraction(12), "here")
    assert [(int(onset), int(length)) for onset, length in found.bars] == [(0, 4), (4, 4), (8, 4)]


def test_bars_that_never_fill_their_metre_are_refused() -> None:
    """A thousand bars of three quarters in 4/4 are no 4/4."""
    starts = [Fraction(3 * number + 4) for number in range(1000)]
    with pytest.raises(ScoreError, match=r"^here: \d+ changes of metre and bars"):
        grid(starts, (Metre(4, 4),), Fraction(4000), "here")
