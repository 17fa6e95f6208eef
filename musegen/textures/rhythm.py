"""How a tune fills its bars: patterns of note values as folk songs and dances have them.

The patterns were counted by metre (`corpora.count_rhythms`), and with them which of four bars share
one; a draw weighs them by their count, by how dense the tune shall be, and by the cells of its dance.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import resources
from math import exp
from typing import Any

import numpy as np

from musegen.errors import StoredFileError
from theory_kb.catalogue import catalogue
from theory_kb.metre import beat_ticks
from theory_kb.moment import TICKS

__all__ = ["Pattern", "TuneRhythm", "cells_of", "draw_bar", "draw_pattern", "draw_plan", "patterns"]

Pattern = tuple[Fraction, ...]  # note values of a bar, in quarter notes
FILE = "rhythms.json"
SHARPNESS = 1.6  # how strictly a density is kept to
FLATTENED = 0.75  # power of the counts: the commonest pattern is not the only one
FEWEST = 2  # notes of a bar
FAVOUR = 4.0  # weight of a pattern that has a cell of the dance
EVEN_PLAN = "abac"  # of metres in which none was counted


@dataclass(frozen=True, slots=True)
class TuneRhythm:
    """How dense and how fine a tune is, and what dance it is."""

    metre: str
    density: float  # notes a quarter note
    shortest: Fraction  # quarter notes
    cells: tuple[Pattern, ...] = ()  # that the tune likes to have


@cache
def _record() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    file = resources.files("musegen") / "weights" / FILE
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        tables: Mapping[str, Mapping[str, Mapping[str, Any]]]
        tables = {"counts": record["counts"], "plans": record["plans"]}
    except (OSError, ValueError, KeyError) as error:
        raise StoredFileError(str(file), f"not a table of rhythm counts ({error})") from error
    return tables


@cache
def patterns(metre: str, kind: str = "inner") -> tuple[tuple[Pattern, int], ...]:
    """The patterns of a metre with their counts, commonest first; beats alone where none is known."""
    table = _record()["counts"].get(metre, {}).get(kind, {})
    found = tuple(
        (tuple(Fraction(value) for value in text.split()), count) for text, count in table.items()
    )
    if found:
        return found
    beats, unit = (int(part) for part in metre.split("/"))
    return (((Fraction(4, unit),) * beats, 1),)


@cache
def cells_of(names: tuple[str, ...], metre: str) -> tuple[Pattern, ...]:
    """The rhythm facts of these names that are in a metre."""
    facts = [catalogue()["rhythm"][name] for name in names]
    return tuple(
        tuple(Fraction(value) for value in fact["durations"])
        for fact in facts
        if fact["metre"] == metre
    )


def draw_pattern(
    metre: str,
    *,
    rng: np.random.Generator,
    density: float = 1.0,
    shortest: Fraction = Fraction(1, 4),
) -> Pattern:
    """A pattern of a bar.

    Args:
        metre: such as `3/4`.
        rng: draws.
        density: notes a quarter note that the tune shall have on the average.
        shortest: note value, in quarter notes.
    """
    return draw_bar(TuneRhythm(metre, density, shortest), rng=rng)


def draw_bar(
    rhythm: TuneRhythm, *, rng: np.random.Generator, other_than: Collection[Pattern] = ()
) -> Pattern:
    """A pattern of a bar of a tune.

    Args:
        rhythm: of the tune.
        rng: draws.
        other_than: patterns that it shall not be, while there are others.
    """
    beats, unit = (int(part) for part in rhythm.metre.split("/"))
    bar = Fraction(4 * beats, unit)
    beat = Fraction(beat_ticks(beats, unit), TICKS)
    fit = [
        each
        for each in patterns(rhythm.metre)
        if len(each[0]) >= FEWEST and min(each[0]) >= rhythm.shortest
    ] or list(patterns(rhythm.metre))
    chosen = [each for each in fit if each[0] not in other_than] or fit
    weights = [
        count**FLATTENED
        * exp(-SHARPNESS * (len(pattern) / float(bar) - rhythm.density) ** 2)
        * (FAVOUR if any(_has(pattern, cell, beat) for cell in rhythm.cells) else 1.0)
        for pattern, count in chosen
    ]
    total = sum(weights)
    place = int(rng.choice(len(chosen), p=[each / total for each in weights]))
    return chosen[place][0]


def _has(pattern: Pattern, cell: Pattern, beat: Fraction) -> bool:
    """Whether a cell stands in a pattern, from a beat on."""
    time = Fraction(0)
    for place, value in enumerate(pattern):
        if time % beat == 0 and pattern[place : place + len(cell)] == cell:
            return True
        time += value
    return False


def draw_plan(metre: str, bars: int, *, rng: np.random.Generator) -> str:
    """Which of so many bars share a pattern, a letter a bar: `abac`; over and over after four."""
    known: Mapping[str, int] = _record()["plans"].get(metre) or {EVEN_PLAN: 1}
    weights = np.array(list(known.values()), float) ** FLATTENED
    plan = list(known)[int(rng.choice(len(known), p=weights / weights.sum()))]
    return "".join(plan[place % len(plan)] for place in range(bars))
