"""How a piece and its phrases may close: kinds of cadence, their formulas, the note on top."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from musegen.plan.plan import Slot
from theory_kb.cadences import CadenceFormula, cadence_formulas, cadence_kinds, cadence_of_home
from theory_kb.check import Style, final_cadences
from theory_kb.pitch import Key

__all__ = [
    "PERFECT",
    "Kinds",
    "every_kind",
    "finals_of",
    "formulas",
    "kinds_in",
    "last_note",
    "offered",
]

Kinds = frozenset[str]  # of cadence

DECEPTIVE = "cad-deceptive"
PERFECT: Kinds = frozenset({"cad-pac"})  # its soprano ends on the tonic
SOPRANO = 0
TONIC = 1  # scale degree


@cache
def every_kind() -> Kinds:
    """All kinds of cadence."""
    return frozenset(cadence_kinds())


@cache
def kinds_in(key: Key, home: Key) -> Kinds:
    """Kinds with which a phrase inside a piece may close in a key: in a new one not all of them."""
    return (
        every_kind()
        if key == home
        else frozenset(kind for kind in every_kind() if not cadence_of_home(kind))
    )


@cache
def formulas(key: Key) -> tuple[CadenceFormula, ...]:
    """All formulas of a key's mode, kind after kind."""
    return tuple(
        formula for kind in cadence_kinds() for formula in cadence_formulas(kind, key.mode)
    )


def finals_of(style: Style | None, key: Key) -> Kinds | None:
    """Kinds with which a piece in a key may end; None where no style forbids any."""
    return None if style is None else final_cadences(style, key.mode)


def offered(finals: Kinds | None) -> Kinds:
    """Kinds that are offered for the end: where no style forbids any, all but deceptive ones."""
    return every_kind() - {DECEPTIVE} if finals is None else finals


def last_note(slot: Slot, finals: Kinds | None) -> Slot:
    """The last slot of a piece: where only a perfect cadence closes, a free soprano is on the tonic."""
    bound = bool(slot.given) and slot.given[SOPRANO] is not None
    settled = bound or SOPRANO in slot.silent or finals != PERFECT
    return slot if settled else replace(slot, soprano=(TONIC,))
