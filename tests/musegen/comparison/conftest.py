"""Small data sets for the tests of comparisons."""

from __future__ import annotations

import numpy as np
import pytest

from musegen.comparison.roll_set import RollSet
from musegen.models.rolls import Roll


def drawn_rolls(count: int, *, seed: int, frames: int = 20, name: str = "roll") -> tuple[Roll, ...]:
    """Rolls of three notes whose lines go by step, so that there is something to learn."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        lines = [
            start + np.cumsum(rng.integers(-2, 3, size=frames)).clip(-5, 5)
            for start in (48, 60, 72)
        ]
        rows = np.stack(lines, axis=1).tolist()
        found.append(Roll(f"{name} {number}", tuple(tuple(row) for row in rows)))
    return tuple(found)


@pytest.fixture
def small(small_set: RollSet) -> RollSet:
    """The same for each test."""
    return small_set


@pytest.fixture(scope="session")
def small_set() -> RollSet:
    """Eight training pieces, five of the other splits, with beats in fours."""
    splits = {
        split: drawn_rolls(count, seed=place, name=split)
        for place, (split, count) in enumerate((("train", 8), ("valid", 5), ("test", 5)))
    }
    beats = {
        roll.name: tuple(place % 4 + 1 for place in range(len(roll.frames)))
        for rolls in splits.values()
        for roll in rolls
    }
    return RollSet("small", "drawn lines", "none", "0" * 64, splits, beats)
