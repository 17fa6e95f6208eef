"""Rhythms of free voices: patterns of whole bars, beat by beat, as preferences of the search."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from musegen.textures.rhythm import draw_pattern
from musegen.weaving.fabric import PARTS, Free, Pattern

__all__ = ["CALM", "HELD", "RUNNING", "STRUCK", "Bar", "bar_of", "drawn_bar", "liking"]

Bar = tuple[Pattern, ...]  # what is struck in each beat
TRIES = 40
PATTERNS: tuple[Pattern, ...] = (
    (),
    (0,),
    (2,),
    (0, 2),
    (0, 3),
    (0, 2, 3),
    (0, 1, 2),
    (0, 1, 2, 3),
)
OTHER = 1.0  # nats for another pattern than the one that is liked
COUNT = 0.7  # nats for each note more or less

STRUCK = Free((((0,), 0.0),))  # one note, held on
HELD = Free((((), 0.0),))  # nothing new
CALM = Free((((0,), 0.2), ((), 0.0), ((0, 2), 0.9)))
RUNNING = Free((((0, 2), 0.0), ((0, 2, 3), 0.8), ((0, 1, 2, 3), 1.2), ((0,), 1.0), ((2,), 0.8)))


def liking(pattern: Pattern, *, weight: float = 1.0) -> Free:
    """A free voice that would strike so; what else it does costs by how far it is off."""
    return Free(
        tuple(
            (
                each,
                0.0
                if each == pattern
                else weight * (OTHER + COUNT * abs(len(each) - len(pattern))),
            )
            for each in PATTERNS
        )
    )


def bar_of(values: Sequence[Fraction]) -> Bar | None:
    """A bar of note values as what each beat strikes; None if one lies between sixteenths."""
    struck: list[list[int]] = [[] for _ in range(int(sum(values)))]
    time = Fraction(0)
    for value in values:
        part = time * PARTS
        if part.denominator != 1:
            return None
        struck[int(part) // PARTS].append(int(part) % PARTS)
        time += value
    return tuple(tuple(each) for each in struck)


def drawn_bar(metre: str, density: float, *, rng: np.random.Generator) -> Bar:
    """A bar as folk songs and dances have it, struck so often a beat."""
    for _ in range(TRIES):
        found = bar_of(draw_pattern(metre, rng=rng, density=density))
        if found is not None and all(each in PATTERNS for each in found):
            return found
    return ((0,),) * int(metre.partition("/")[0])
