"""Tunes are told by their intervals, and splits by tune share none."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from musegen.comparison.tunes import new_tunes, runs, shared_notes, split_by_tune, top_line, tunes
from musegen.models.rolls import Roll

EIN_FESTE_BURG = (72, 72, 72, 67, 69, 71, 69, 67, 72, 71, 69, 67, 69, 65, 64, 62, 60)
SCALE = tuple(range(60, 75, 1))


def sung(*keys: int, name: str = "") -> Roll:
    """A tune over a held bass."""
    return Roll(name, tuple((40, key) for key in keys))


def test_a_tune_is_itself_in_another_key_and_over_another_bass() -> None:
    """Transposed, with notes repeated otherwise, it is the same; a scale is another."""
    moved = tuple(key - 3 for key in EIN_FESTE_BURG for _ in range(2))
    rolls = [sung(*EIN_FESTE_BURG), sung(*SCALE), Roll("", tuple((45, key) for key in moved))]
    assert tunes(rolls) == (0, 1, 0)
    assert new_tunes(rolls[:1], rolls[1:]) == (True, False)


def test_repeated_notes_count_once() -> None:
    """The top line of the first phrase begins C G A B A G."""
    assert top_line(sung(*EIN_FESTE_BURG))[:6] == (72, 67, 69, 71, 69, 67)
    assert len(runs(sung(*EIN_FESTE_BURG))) == 14 - 8 + 1


def test_shared_notes_are_those_in_known_runs() -> None:
    """A tune that begins with nine known intervals of its fourteen shares nine fourteenths."""
    start = top_line(sung(*EIN_FESTE_BURG))[:10]
    other = sung(*start, 50, 51, 53, 50, 47)
    assert shared_notes([sung(*EIN_FESTE_BURG)], [other]) == 9 / 14
    assert shared_notes([sung(*SCALE)], [other]) == 0


LINES = st.lists(st.sampled_from([60, 62, 64, 65, 67]), min_size=1, max_size=20)


@given(lines=st.lists(LINES, min_size=3, max_size=8), seed=st.integers(0, 3))
def test_no_tune_is_split(lines: list[list[int]], seed: int) -> None:
    """Each piece stands in one split, and pieces of a tune in the same."""
    rolls = [sung(*line, name=str(number)) for number, line in enumerate(lines)]
    given_splits = {"train": rolls[:-2], "valid": rolls[-2:-1], "test": rolls[-1:]}
    found = split_by_tune(given_splits, seed=seed)
    dealt = {roll.name: name for name, some in found.items() for roll in some}
    assert sorted(dealt) == sorted(roll.name for roll in rolls)
    for roll, first in zip(rolls, tunes(rolls), strict=True):
        assert dealt[roll.name] == dealt[rolls[first].name]
