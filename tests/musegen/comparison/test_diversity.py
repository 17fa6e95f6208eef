"""Diversity by hand, and as a law."""

from __future__ import annotations

import pytest

from musegen.comparison.diversity import distinct_share, shared_share
from musegen.models.rolls import Roll

C, D, G = (48, 64), (50, 66), (55, 70)  # C and D are a third, transposed; G is none


def test_by_hand() -> None:
    """Two of three passages of two frames are the same, one of them transposed."""
    first, second = Roll("first", (C, C, G)), Roll("second", (D, D))
    assert distinct_share([first, second], 2) == pytest.approx(2 / 3)
    assert shared_share([first, second], 2) == pytest.approx((1 / 2 + 1) / 2)


def test_what_a_piece_repeats_by_itself_is_not_shared() -> None:
    """One held chord is not distinct, but no other piece has it."""
    held, other = Roll("held", (C,) * 9), Roll("other", (G,) * 9)
    assert distinct_share([held], 1) == pytest.approx(1 / 9)
    assert shared_share([held, other], 1) == 0
    assert shared_share([held, held], 4) == 1


def test_pieces_that_are_too_short_have_no_passages() -> None:
    """Nothing is told of them, rather than 0."""
    short = [Roll("short", (C,)), Roll("shorter", (G,))]
    assert distinct_share(short, 2) is None
    assert shared_share(short, 2) is None
