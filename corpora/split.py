"""The split: which pieces models learn from, are chosen by, and are judged by.

`data/bach_split.json` is made by `make_split.py` and committed: training pieces are none of those
that the standard JSB benchmark validates or tests on, and no near copies of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

from musegen.errors import FactError, UnknownNameError
from musegen.score import Note, Score

__all__ = ["SPLITS", "check_split_name", "likeness", "split_of", "split_table"]

SPLITS = ("train", "valid", "test", "held_out")
GRAM = 8  # quarter notes of an n-gram of soprano and bass


def check_split_name(name: str) -> None:
    """Raise UnknownNameError unless this is a split."""
    if name not in SPLITS:
        raise UnknownNameError("split", name, SPLITS)


@cache
def split_table(file: str) -> Mapping[str, str]:
    """The split of each piece, from a data file of the catalogue."""
    text = (resources.files("corpora") / "data" / file).read_text(encoding="utf-8")
    lists = json.loads(text)["splits"]
    table: dict[str, str] = {}
    for split in SPLITS:
        for name in lists[split]:
            if name in table:
                raise FactError(file, name, f"both in {table[name]} and in {split}")
            table[name] = split
    return table


def split_of(name: str, file: str) -> str:
    """The split of a piece; raises FactError if the data file does not know it."""
    table = split_table(file)
    if name not in table:
        raise FactError(file, name, "in no split; make the split again with corpora/make_split.py")
    return table[name]


def likeness(reference: Score, candidate: Score) -> float:
    """Share of soprano and bass n-grams that two pieces have in common, in whatever key.

    An n-gram is what sounds on eight successive quarter notes; the share is taken of the shorter
    piece, 0 to 1.
    """
    one, other = _grams(reference), _grams(candidate)
    smaller = min(len(one), len(other))
    return len(one & other) / smaller if smaller else 0.0


@cache
def _grams(score: Score) -> frozenset[tuple[int, ...]]:
    quarters = int(score.duration)
    outer = [_sounding(score.parts[place].notes, quarters) for place in (0, -1)]
    grams = set()
    for start in range(quarters - GRAM + 1):
        run = [pitch for line in outer for pitch in line[start : start + GRAM]]
        if None not in run:
            grams.add(tuple(pitch - run[0] for pitch in run))  # type: ignore[operator]
    return frozenset(grams)


def _sounding(notes: Sequence[Note], quarters: int) -> list[int | None]:
    line: list[int | None] = [None] * quarters
    for note in notes:
        first = -int(-note.onset // 1)
        for quarter in range(first, min(quarters, -int(-note.end // 1))):
            line[quarter] = note.pitch.semitone
    return line
