"""Cleaning: which readings are used, and for each that is not, why.

Nothing is dropped silently: a piece is kept, kept with a remark, or dropped with a reason.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import resources

from corpora.read import SECOND_SUFFIX, Reading
from musegen.score import Part, Score

__all__ = ["Dropped", "clean", "known_slips"]

LONGEST_REST = Fraction(8)  # quarter notes; a voice that rests longer is not one of four
MOST_SLIPS = 2  # known slips of the encoding; a piece with more is dropped


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file that is not used, or a piece of which something was left out."""

    name: str
    reason: str
    kept: bool = False  # True: the piece is used all the same


def clean(
    readings: Sequence[Reading], slips: Mapping[str, int]
) -> tuple[tuple[tuple[str, Score], ...], tuple[Dropped, ...]]:
    """Choose the readings to use.

    Args:
        readings: in the order of their names; of exact duplicates the first is kept.
        slips: known slips of the encoding, by piece.

    Returns:
        Names and scores of what is kept, and the report.
    """
    kept: list[tuple[str, Score]] = []
    report: list[Dropped] = []
    seen: dict[tuple[Part, ...], str] = {}
    readable = {reading.name for reading in readings if reading.score is not None}
    for reading in readings:
        score = reading.score
        reason = reading.problem or (_fault(score) if score else None)
        other = reading.name.removesuffix(SECOND_SUFFIX)
        if score is not None and reason is None and other != reading.name and other in readable:
            reason = f"another encoding of {other}"
        if score is not None and reason is None and score.parts in seen:
            reason = f"the same notes as {seen[score.parts]}"
        count = slips.get(reading.name, 0)
        if score is not None and reason is None and count > MOST_SLIPS:
            reason = f"known slips of the encoding: {count}"
        if score is None or reason is not None:
            report.append(Dropped(reading.name, reason or "unreadable"))
            continue
        seen[score.parts] = reading.name
        kept.append((reading.name, score))
        remarks = (*reading.remarks, *([f"known slips of the encoding: {count}"] if count else []))
        report.extend(Dropped(reading.name, remark, kept=True) for remark in remarks)
    return tuple(kept), tuple(report)


def _fault(score: Score) -> str | None:
    """What makes four parts no four voices."""
    for part in score.parts:
        if not part.notes:
            return f"the {part.name.lower()} is silent"
        starts = [note.onset for note in part.notes] + [score.duration]
        ends = [Fraction(0)] + [note.end for note in part.notes]
        longest = max(start - end for start, end in zip(starts, ends, strict=True))
        if longest > LONGEST_REST:
            return f"the {part.name.lower()} rests for {longest} quarter notes"
    return None


@cache
def known_slips(file: str) -> Mapping[str, int]:
    """Number of known slips by piece, from a data file of the catalogue."""
    text = (resources.files("corpora") / "data" / file).read_text(encoding="utf-8")
    return {name: len(places) for name, places in json.loads(text)["slips"].items()}
