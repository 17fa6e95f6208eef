"""Rolls as voices, and what the rules say of them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.comparison.scores import findings, lines, score_of
from musegen.errors import ScoreError
from musegen.models.rolls import Roll

FRAMES = st.lists(
    st.sets(st.integers(40, 80), max_size=7).map(lambda keys: tuple(sorted(keys))),
    min_size=1,
    max_size=6,
).map(tuple)


def test_a_unison_is_sung_by_the_voices_that_move_least() -> None:
    """Three notes for four voices: tenor and alto meet where that is nearest."""
    voices = lines(Roll("", ((48, 55, 60, 64), (48, 57, 64))))
    assert [line[1] for line in voices] == [64, 57, 57, 48]


def test_a_fifth_note_stands_in_a_further_part() -> None:
    """Nothing is dropped."""
    score = score_of(Roll("", ((48, 52, 55, 60, 64), (48, 52, 60, 64))), "five")
    assert [part.name for part in score.parts][-1] == "Further 1"
    assert len(score.parts[-1].notes) == 1


@given(frames=FRAMES)
def test_voices_sing_all_notes_and_no_others(frames: tuple[tuple[int, ...], ...]) -> None:
    """What sounds in the parts is the roll, and the four voices never cross."""
    voices = lines(Roll("", frames))
    for place, frame in enumerate(frames):
        sung = [line[place] for line in voices]
        assert {pitch for pitch in sung if pitch is not None} == set(frame)
        four = [pitch for pitch in sung[:4] if pitch is not None]
        assert all(upper >= lower for upper, lower in pairwise(four))


def test_notes_are_spelled_in_the_key_that_is_found() -> None:
    """i iv V i of C minor has E flat and B natural."""
    frames = ((48, 60, 63, 67), (53, 60, 65, 68), (55, 59, 62, 67), (48, 60, 63, 67))
    score = score_of(Roll("", frames), "minor")
    assert score.key.name == "C minor"
    names = {note.pitch.name[:-1] for part in score.parts for note in part.notes}
    assert names == {"C", "D", "Eb", "F", "G", "Ab", "B"}


def test_parallel_fifths_are_found() -> None:
    """C-G to D-A in bass and tenor; the same bass under a third is no finding of that rule."""
    wrong = findings(score_of(Roll("", ((48, 55, 64, 72), (50, 57, 65, 74))), "wrong"))
    right = findings(score_of(Roll("", ((48, 55, 64, 72), (50, 53, 65, 69))), "right"))
    assert "parallel-fifth" in {rule for rule, _, _ in wrong.by_rule}
    assert "parallel-fifth" not in {rule for rule, _, _ in right.by_rule}
    assert wrong.moves == right.moves == 6


def test_rules_can_be_left_out() -> None:
    """What is left out is not counted."""
    score = score_of(Roll("", ((48, 55, 64, 72), (50, 57, 65, 74))), "wrong")
    found = findings(score, without=("parallel-fifth",))
    assert "parallel-fifth" not in {rule for rule, _, _ in found.by_rule}
    assert found.count("E") < findings(score).count("E")


@pytest.mark.parametrize(
    ("frames", "told"), [(((),), "up to 0"), ((tuple(range(48, 57)),), "up to 9")]
)
def test_what_is_no_score_is_refused(frames: tuple[tuple[int, ...], ...], told: str) -> None:
    """Silence and nine notes at once."""
    with pytest.raises(ScoreError, match=f"{told} notes at once, allowed are 1 to 8"):
        score_of(Roll("", frames), "odd")
