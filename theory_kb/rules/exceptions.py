"""Exceptions that a style adds to rules: places where a breach is none.

A style says in data where a rule does not apply,

    [[exceptions]]
    rules = ["direct-fifth-outer", "direct-octave-outer"]
    where = { phrase_end = true, voices = ["outer"] }
    why = "a cadence may leap into its last chord"

and a breach is spared where every condition of `where` holds. The conditions are few and closed,
so that one interpreter of them serves kernels and rules on whole pieces, search and checker alike:
the loop that calls the kernels takes the spared voices out of every answer, wherever it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray

from theory_kb.moment import NONE, UNKNOWN

__all__ = [
    "BAR_CONDITIONS",
    "CONDITIONS",
    "PAIR_CONDITIONS",
    "ROLES",
    "Exemption",
    "Flag",
    "Names",
    "Number",
    "exception_table",
    "is_spared",
    "spare",
]

Function = TypeVar("Function", bound=Callable[..., Any])
jitable: Callable[[Function], Function] = register_jitable

ROLES = {  # of voices, as bits: a choir's parts and what they are together
    "soprano": 1,
    "alto": 2,
    "tenor": 4,
    "bass": 8,
    "inner": 6,
    "outer": 9,
    "upper": 7,
}
ALL_ROLES = 15
ANY = -1
ENDLESS = 1 << 40


@dataclass(frozen=True, slots=True)
class Flag:
    """A condition that is true or false."""

    column: int


@dataclass(frozen=True, slots=True)
class Names:
    """A condition of one name, or of a list of names, from a table."""

    column: int
    allowed: Mapping[str, int]
    several: bool


@dataclass(frozen=True, slots=True)
class Number:
    """A condition of a whole number between two."""

    column: int
    lowest: int
    highest: int


# Columns of a row of the table of exceptions.
WHOLE, ALL_OF, SOME_OF, BOUNDARY, PHRASE_END, OPENING, FINAL = range(7)
SAME_CHORD, SAME_HARMONY, MODE, WEAKEST, STRONGEST, FIRST_BAR, LAST_BAR, WIDTH = range(7, 15)

CONDITIONS: Mapping[str, Flag | Names | Number] = {
    "voices": Names(ALL_OF, ROLES, several=True),  # every voice of the breach is one of these
    "some_voice": Names(SOME_OF, ROLES, several=True),  # a voice of the breach is one of these
    "boundary": Flag(BOUNDARY),  # a phrase boundary lies just before
    "phrase_end": Flag(PHRASE_END),  # the last chord of a phrase
    "opening": Flag(OPENING),  # the first chord of a phrase
    "final": Flag(FINAL),  # the last chord of the piece
    "same_chord": Flag(SAME_CHORD),  # the chord, known, is that of the moment before
    "same_harmony": Flag(SAME_HARMONY),  # likewise, in any inversion and with or without seventh
    "mode": Names(MODE, {"major": 0, "minor": 1}, several=False),
    "strength_at_least": Number(WEAKEST, 0, 4),  # of the beat: 4 downbeat, 0 sixteenth
    "strength_at_most": Number(STRONGEST, 0, 4),
    "first_bars": Number(LAST_BAR, 1, 1000),  # of the piece, its upbeat included
    "last_bars": Number(FIRST_BAR, 1, 1000),
}
BAR_CONDITIONS = ("first_bars", "last_bars")  # the search does not see them
PAIR_CONDITIONS = ("same_chord", "same_harmony")  # nothing for rules on one moment


@dataclass(frozen=True, slots=True)
class Exemption:
    """Where some rules do not apply, as a style says it."""

    rules: tuple[str, ...]
    where: Mapping[str, int]  # condition: flag, bits of roles, place in a table, or number
    why: str


def exception_table(exemption: Exemption, *, whole: bool, last_bar: int) -> list[int]:
    """One row of the table that the kernels' loop reads.

    Args:
        exemption: what to write.
        whole: whether the rule reports a chord, whose voices are spared together or not at all.
        last_bar: number of the last bar of the piece.
    """
    row = [ANY] * WIDTH
    row[WHOLE], row[ALL_OF], row[SOME_OF] = int(whole), ALL_ROLES, 0
    row[WEAKEST], row[STRONGEST] = 0, ENDLESS
    row[FIRST_BAR], row[LAST_BAR] = -ENDLESS, ENDLESS
    for name, value in exemption.where.items():
        row[CONDITIONS[name].column] = last_bar - value + 1 if name == "last_bars" else value
    return row


# ------------------------------------------------------------------- plain and compiled alike


@jitable
def _same_chord(before: Any, now: Any) -> int:
    """1 if both chords are one, 0 if they differ, 2 if that is not known."""
    if before["chord"] == UNKNOWN or now["chord"] == UNKNOWN:
        return 2
    return int(before["chord"] == now["chord"] and before["tonic"] == now["tonic"])


@jitable
def _same_harmony(before: Any, now: Any) -> int:
    """1 if both chords have one root, third and fifth, 0 if not, 2 if that is not known."""
    if before["root"] == NONE or now["root"] == NONE:
        return 2
    one_key = before["tonic"] == now["tonic"] and before["root"] == now["root"]
    return int(one_key and before["third"] == now["third"] and before["fifth"] == now["fifth"])


@jitable
def _is(wanted: int, value: int) -> bool:
    return wanted == ANY or value == wanted


@jitable
def _stands(row: Any, before: Any, now: Any) -> bool:
    """Whether the place is one that an exception speaks of."""
    if not (_is(row[BOUNDARY], now["boundary"]) and _is(row[PHRASE_END], now["phrase_end"])):
        return False
    if not (_is(row[OPENING], now["opening"]) and _is(row[FINAL], now["final"])):
        return False
    if not (
        _is(row[SAME_CHORD], _same_chord(before, now))
        and _is(row[SAME_HARMONY], _same_harmony(before, now))
    ):
        return False
    strong = row[WEAKEST] <= now["strength"] and now["strength"] <= row[STRONGEST]
    return (
        _is(row[MODE], now["mode"])
        and strong
        and row[FIRST_BAR] <= now["bar"]
        and now["bar"] <= row[LAST_BAR]
    )


@jitable
def _role(now: Any, voice: int) -> int:
    """Bit of the part that a voice is: soprano, alto, tenor, bass."""
    if voice == now["voices"] - 1:
        return 8 if voice > 0 else 1
    return 1 << min(voice, 2)


@jitable
def _fits(row: Any, roles: int) -> bool:
    """Whether the voices of a breach are those that an exception speaks of."""
    among = row[ALL_OF] == ALL_ROLES or (roles != 0 and roles & ~row[ALL_OF] == 0)
    return among and (row[SOME_OF] == 0 or roles & row[SOME_OF] != 0)


@jitable
def _fitting(row: Any, now: Any, hit: int) -> int:
    """The bits of an answer whose voices an exception speaks of."""
    bits, roles = 0, 0
    for upper in range(now["voices"]):
        for lower in range(upper, now["voices"]):
            bit = 1 << (8 * upper + lower)
            if hit & bit:
                pair = _role(now, upper) | _role(now, lower)
                roles |= pair
                if _fits(row, pair):
                    bits |= bit
    if row[WHOLE] == 1:
        return hit if _fits(row, roles) else 0
    return bits


@jitable
def spare(hit: int, rows: Any, first: int, last: int, before: Any, now: Any) -> int:
    """An answer of a kernel without the voices that rows `first` to `last` spare."""
    for place in range(first, last):
        if _stands(rows[place], before, now):
            hit &= ~_fitting(rows[place], now, hit)
    return hit


def is_spared(
    rows: NDArray[np.int64], before: np.void, now: np.void, voices: Iterable[int]
) -> bool:
    """Whether an offence of a rule on whole pieces stands where a row of exceptions spares it."""
    roles = 0
    for voice in voices:
        roles |= _role(now, voice)
    return any(_stands(row, before, now) and _fits(row, roles) for row in rows)
