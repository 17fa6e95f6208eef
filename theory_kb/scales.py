"""Scales spelled on any tonic, up and down, by facts/scales.toml.

A scale of seven notes takes each letter once. Others are spelled by the degrees that the table
gives, or by the degrees of the major scale that their semitones are (KP 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import accumulate
from typing import Any

from theory_kb.errors import UnknownNameError
from theory_kb.facts import load_facts
from theory_kb.pitch import LETTER_SEMITONES, MAJOR_DEGREES, PitchClass

__all__ = ["scale_degrees", "scale_names", "spell_scale"]

DIATONIC = 7  # notes of a scale that takes each letter once
DEGREES: Mapping[int, str] = {  # of semitones above the tonic, where the table gives none
    0: "1", 1: "b2", 2: "2", 3: "b3", 4: "3", 5: "4", 6: "b5", 7: "5", 8: "b6", 9: "6", 10: "b7",
    11: "7",
}  # fmt: skip
FALLING: Mapping[str, str] = {"melodic-minor": "natural-minor"}  # another scale on the way down
CHROMATIC_DOWN = ("1", "7", "b7", "6", "b6", "5", "#4", "4", "3", "b3", "2", "b2")


def scale_names() -> tuple[str, ...]:
    """Names of all scales."""
    return tuple(load_facts().scales["scales"])


@cache
def scale_degrees(name: str, *, falling: bool = False) -> tuple[str, ...]:
    """Degrees of a scale from the tonic, `b3` a major scale's third lowered; raises UnknownNameError.

    Args:
        name: of the scale.
        falling: from the upper tonic down.
    """
    table: Mapping[str, Any] = load_facts().scales["scales"]
    if name not in table:
        raise UnknownNameError("scale", name, table)
    if falling and name == "chromatic":
        return CHROMATIC_DOWN
    if falling:
        rising = scale_degrees(FALLING.get(name, name))
        return (rising[0], *rising[:0:-1])
    return _rising(table[name])


def _rising(fact: Mapping[str, Any]) -> tuple[str, ...]:
    if "degrees" in fact:
        return tuple(fact["degrees"])
    semitones = [0, *accumulate(fact["steps"][:-1])]
    if len(semitones) != DIATONIC:
        return tuple(DEGREES[each] for each in semitones)
    return tuple(
        _altered(number, each - LETTER_SEMITONES[number - 1])
        for number, each in enumerate(semitones, start=1)
    )


def _altered(number: int, change: int) -> str:
    return ("#" * change if change > 0 else "b" * -change) + str(number)


def spell_scale(tonic: PitchClass, name: str, *, falling: bool = False) -> tuple[PitchClass, ...]:
    """A scale from tonic to tonic, both included; raises UnknownNameError."""
    degrees = (*scale_degrees(name, falling=falling), "1")
    return tuple(tonic.transposed(_place(degree)) for degree in degrees)


def _place(degree: str) -> int:
    """Fifths of a degree above the tonic."""
    number = int(degree.lstrip("#b"))
    sign = degree.count("#") - degree.count("b")
    return MAJOR_DEGREES[number - 1] + 7 * sign
