"""How a tune fills its bars: patterns of note values as folk songs and dances have them.

The patterns were counted by metre (`corpora.count_rhythms`); a draw weighs them by their count and by
how dense the tune shall be.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from importlib import resources
from math import exp

import numpy as np

from musegen.errors import StoredFileError

__all__ = ["Pattern", "draw_pattern", "patterns"]

Pattern = tuple[Fraction, ...]  # note values of a bar, in quarter notes
FILE = "rhythms.json"
SHARPNESS = 1.6  # how strictly a density is kept to
FLATTENED = 0.75  # power of the counts: the commonest pattern is not the only one


@cache
def _counts() -> Mapping[str, Mapping[str, Mapping[str, int]]]:
    file = resources.files("musegen") / "weights" / FILE
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        counts: Mapping[str, Mapping[str, Mapping[str, int]]] = record["counts"]
    except (OSError, ValueError, KeyError) as error:
        raise StoredFileError(str(file), f"not a table of rhythm counts ({error})") from error
    return counts


@cache
def patterns(metre: str, kind: str = "inner") -> tuple[tuple[Pattern, int], ...]:
    """The patterns of a metre with their counts, commonest first; beats alone where none is known."""
    table = _counts().get(metre, {}).get(kind, {})
    found = tuple(
        (tuple(Fraction(value) for value in text.split()), count) for text, count in table.items()
    )
    if found:
        return found
    beats, unit = (int(part) for part in metre.split("/"))
    return (((Fraction(4, unit),) * beats, 1),)


def draw_pattern(
    metre: str,
    *,
    rng: np.random.Generator,
    density: float = 1.0,
    shortest: Fraction = Fraction(1, 4),
    fewest: int = 2,
) -> Pattern:
    """A pattern of a bar.

    Args:
        metre: such as `3/4`.
        rng: draws.
        density: notes a quarter note that the tune shall have on the average.
        shortest: note value, in quarter notes.
        fewest: notes of the bar.
    """
    beats, unit = (int(part) for part in metre.split("/"))
    bar = Fraction(4 * beats, unit)
    known = [
        each for each in patterns(metre) if len(each[0]) >= fewest and min(each[0]) >= shortest
    ]
    chosen = known or list(patterns(metre))
    weights = [
        count**FLATTENED * exp(-SHARPNESS * (len(pattern) / float(bar) - density) ** 2)
        for pattern, count in chosen
    ]
    total = sum(weights)
    place = int(rng.choice(len(chosen), p=[each / total for each in weights]))
    return chosen[place][0]
