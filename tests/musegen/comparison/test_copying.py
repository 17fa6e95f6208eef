"""Copied passages, against looking everywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.comparison.copying import (
    Training,
    copied_share,
    longest_overlap,
    near_copies,
    windows,
)
from musegen.models.rolls import Frame, Roll

FRAMES = st.lists(
    st.sets(st.integers(60, 62), max_size=2).map(lambda keys: tuple(sorted(keys))),
    min_size=1,
    max_size=9,
).map(tuple)
C, F, G = (48, 60, 64, 67), (53, 60, 65, 69), (55, 59, 62, 67)


def naive_longest(frames: tuple[Frame, ...], known: list[tuple[Frame, ...]]) -> int:
    """Try every passage against every passage of every piece in every key."""
    best = 0
    for begin in range(len(frames)):
        for end in range(begin + 1, len(frames) + 1):
            for other in known:
                for start in range(len(other) - (end - begin) + 1):
                    rest = other[start : start + end - begin]
                    if any(
                        tuple(tuple(key + by for key in frame) for frame in rest)
                        == frames[begin:end]
                        for by in range(-3, 4)
                    ):
                        best = max(best, end - begin)
    return best


def test_a_cadence_is_found_in_another_key() -> None:
    """F G C of a piece stands in another a tone higher, and no more than that."""
    high = tuple(tuple(key + 2 for key in frame) for frame in (F, G, C))
    training = Training([Roll("train", (C, C, F, G, C))])
    assert longest_overlap(Roll("new", (*high, high[0])), training) == 3
    assert copied_share(Roll("new", (*high, high[0])), training, 3) == pytest.approx(1 / 2)


@given(own=FRAMES, known=st.lists(FRAMES, min_size=1, max_size=2))
def test_longest_overlap_is_that_of_looking_everywhere(
    own: tuple[Frame, ...], known: list[tuple[Frame, ...]]
) -> None:
    """Windows relative to their lowest note find what all transpositions find."""
    training = Training([Roll("", frames) for frames in known])
    assert longest_overlap(Roll("", own), training) == naive_longest(own, known)


@given(own=FRAMES, by=st.integers(-5, 5), length=st.integers(1, 4))
def test_windows_do_not_know_their_key(own: tuple[Frame, ...], by: int, length: int) -> None:
    """A transposed piece has the same windows."""
    moved = tuple(tuple(key + by for key in frame) for frame in own)
    assert windows(Roll("", own), length) == windows(Roll("", moved), length)


def test_a_piece_is_a_copy_of_itself_with_other_inner_voices() -> None:
    """Near copies are told by outer voices; another piece is none."""
    frames = tuple((48 + place % 5, 60, 70 + place * place % 7) for place in range(16))
    inner = tuple((low, 64, high) for low, _, high in frames)
    other = tuple((48 + place % 3, 60, 70 + place % 4) for place in range(16))
    own = [Roll("inner", inner), Roll("other", other), Roll("short", frames[:5])]
    assert near_copies(own, [Roll("frames", frames)]) == (True, False, False)
