"""Kinds of cadences, and the formulas that they close with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from theory_kb.errors import UnknownNameError
from theory_kb.facts import load_facts

__all__ = [
    "CadenceFormula",
    "cadence_formulas",
    "cadence_kinds",
    "cadence_name",
    "cadence_of_home",
    "cadence_share",
    "cadence_strength",
    "further_cadences",
]


@dataclass(frozen=True, slots=True)
class CadenceFormula:
    """Chords and soprano degrees with which a phrase may close."""

    id: str
    kind: str
    chords: tuple[str, ...]  # symbols, the last one the arrival
    soprano: tuple[tuple[int, ...], ...]  # scale degrees of the last chords
    strength: int
    count: int  # phrases of the training chorales that close so
    source: str


def cadence_kinds() -> tuple[str, ...]:
    """Ids of the cadence kinds that a phrase can be planned with."""
    return tuple(load_facts().cadences["kinds"])


def further_cadences() -> tuple[str, ...]:
    """Ids of the kinds that are told in a score but not planned, and of the modifiers."""
    return tuple(load_facts().cadences["further"])


def cadence_strength(kind: str) -> int:
    """How strongly a cadence kind closes, 0 to 10. Raises UnknownNameError."""
    return int(_known_kind(kind)["strength"])


def cadence_share(kind: str) -> float:
    """Per cent of the phrases of Bach's chorales that close so."""
    return float(_kind(kind)["share"])


def cadence_of_home(kind: str) -> bool:
    """Whether a cadence kind closes only in a key that is settled before it. Raises UnknownNameError.

    A plagal cadence has no dominant: in a new key it sounds as tonic and dominant of the old one
    (Caplin, Classical Form, ch. 2).
    """
    return bool(_kind(kind).get("of_home", False))


def cadence_name(kind: str) -> str:
    """Printed name of any cadence kind. Raises UnknownNameError."""
    return str(_known_kind(kind)["name"])


def _known_kind(kind: str) -> Mapping[str, Any]:
    further: Mapping[str, Mapping[str, Any]] = load_facts().cadences["further"]
    return further[kind] if kind in further else _kind(kind)


def _kind(kind: str) -> Mapping[str, Any]:
    kinds: Mapping[str, Mapping[str, Any]] = load_facts().cadences["kinds"]
    if kind not in kinds:
        raise UnknownNameError("cadence kind", kind, kinds)
    return kinds[kind]


@cache
def cadence_formulas(kind: str, mode: str) -> tuple[CadenceFormula, ...]:
    """Formulas of a cadence kind in a mode; empty if the kind has none there."""
    strength = _kind(kind)["strength"]
    return tuple(
        CadenceFormula(
            each["id"],
            kind,
            tuple(each[mode]),
            tuple(map(tuple, each["soprano"])),
            strength,
            each["count"][mode],
            each["source"],
        )
        for each in load_facts().cadences["formula"]
        if each["kind"] == kind and mode in each
    )
