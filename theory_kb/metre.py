"""Metres: how long a beat is, and how strong each place of a bar."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

from theory_kb.errors import UnknownNameError
from theory_kb.facts import load_facts
from theory_kb.moment import TICKS

__all__ = ["OFF_BEAT", "beat_strength", "beat_ticks", "is_known", "metre_names"]

OFF_BEAT = 1  # strength of an eighth between beats
DIVISION = 0  # of anything shorter


@cache
def _metres() -> dict[str, dict[str, Any]]:
    return dict(load_facts().metres["metres"])


def metre_names() -> tuple[str, ...]:
    """Metres that are known, such as `4/4`."""
    return tuple(_metres())


def is_known(beats: int, unit: int) -> bool:
    """Whether a metre stands in the table."""
    return f"{beats}/{unit}" in _metres()


@cache
def _metre(beats: int, unit: int) -> tuple[int, tuple[int, ...]]:
    name = f"{beats}/{unit}"
    if name not in _metres():
        raise UnknownNameError("metre", name, metre_names())
    fact = _metres()[name]
    return int(Fraction(fact["beat"]) * TICKS), tuple(fact["strengths"])


def beat_ticks(beats: int, unit: int) -> int:
    """Length of a beat in ticks; a dotted beat in compound metres. Raises UnknownNameError."""
    return _metre(beats, unit)[0]


def beat_strength(beats: int, unit: int, position: int) -> int:
    """Strength of a place so many ticks into the bar, 4 = downbeat, 0 = sixteenth."""
    beat, strengths = _metre(beats, unit)
    if position % beat == 0:
        return strengths[position // beat % len(strengths)]
    return OFF_BEAT if position % (TICKS // 2) == 0 else DIVISION
