"""What one free voice may do in one beat: rhythms with their notes, dissonance treated by step.

A note outside the chord is entered and left by step; one that is held into a chord to which it does
not belong falls by step. What a beat leaves open the next one owes (`Debt`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from musegen.weaving.fabric import PARTS, Pattern

__all__ = ["Cells", "Debt", "Ground", "cells"]

LEAPS = (1.1, 0.0, 0.35, 0.7, 0.9, 1.8, np.inf, 2.2)  # nats by staff steps into a note
INNER_LEAPS = (np.inf, 0.0, 0.3, 0.8, 1.1)  # inside a beat
QUICK = 3  # notes of a beat from which they mostly go by step
QUICK_LEAP = 0.9  # nats for a leap among quick notes
ACCENTED = 1.6  # nats for a passing tone that is struck on a beat
SUSPENSION = -0.8  # nats: suspensions are wanted
CENTRE = 0.012  # nats by the square of the distance to the middle of the compass
TURNING = 0.5  # nats for a line that turns inside a beat


class Debt(IntEnum):
    """What a voice owes after a note."""

    NONE = 0
    STEP = 1  # to move by step: it stands outside the chord
    FALL = 2  # to fall by step: it is suspended


@dataclass(frozen=True, slots=True)
class Ground:
    """What a voice stands on: the chord as seen from its steps."""

    members: frozenset[int]  # staff steps within the octave that belong to the chord
    strong: bool  # whether the beat is
    low: int
    high: int


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Candidates of a voice for a beat."""

    steps: NDArray[np.int16]  # (n, PARTS)
    attacks: NDArray[np.int8]  # (n, PARTS)
    debts: NDArray[np.int8]  # (n,) at the end
    costs: NDArray[np.float64]  # (n,) nats


@dataclass(frozen=True, slots=True)
class _Line:
    notes: tuple[int, ...]
    cost: float
    debt: Debt


@lru_cache(maxsize=200_000)
def cells(
    rhythms: tuple[tuple[Pattern, float], ...],
    before: int | None,
    held: bool,
    debt: Debt,
    ground: Ground,
) -> Cells:
    """All that a voice may do, the cheapest first.

    Args:
        rhythms: patterns with their costs.
        before: the step that it sounds, None after a rest.
        held: whether what it sounds belongs to the chord of this beat.
        debt: what it owes.
        ground: chord, beat, compass.
    """
    steps: list[list[int]] = []
    attacks: list[list[int]] = []
    debts: list[int] = []
    costs: list[float] = []
    for pattern, price in rhythms:
        for line in _lines(pattern, before, held, debt, ground):
            steps.append(_spread(pattern, before, line.notes))
            attacks.append([int(part in pattern) for part in range(PARTS)])
            debts.append(line.debt)
            costs.append(price + line.cost)
    order = np.argsort(np.array(costs, np.float64), kind="stable")
    return Cells(
        np.array(steps, np.int16).reshape(-1, PARTS)[order],
        np.array(attacks, np.int8).reshape(-1, PARTS)[order],
        np.array(debts, np.int8)[order],
        np.array(costs, np.float64)[order],
    )


def _spread(pattern: Pattern, before: int | None, notes: tuple[int, ...]) -> list[int]:
    """The step that sounds in each part."""
    found, place = [], 0
    sounding = before if before is not None else notes[0]
    for part in range(PARTS):
        if part in pattern:
            sounding = notes[place]
            place += 1
        found.append(sounding)
    return found


def _lines(
    pattern: Pattern, before: int | None, held: bool, debt: Debt, ground: Ground
) -> Iterator[_Line]:
    if 0 in pattern:
        for first, cost in _firsts(before, debt, ground):
            yield from _rest((first,), len(pattern) - 1, cost, ground)
        return
    if before is None or debt is not Debt.NONE:
        return
    if held:
        if not pattern:
            yield _Line((), 0.0, Debt.NONE)
            return
        for step, cost in _nexts(before, ground, len(pattern)):
            yield from _rest((step,), len(pattern) - 1, cost, ground)
        return
    if not ground.strong or _belongs(before - 1, ground) is False:
        return
    if not pattern:
        yield _Line((), SUSPENSION, Debt.FALL)
    else:
        yield from _rest((before - 1,), len(pattern) - 1, SUSPENSION, ground)


def _belongs(step: int, ground: Ground) -> bool:
    return step % 7 in ground.members


def _firsts(before: int | None, debt: Debt, ground: Ground) -> Iterator[tuple[int, float]]:
    """Notes on the beat with their costs."""
    if before is None:
        for step in range(ground.low, ground.high + 1):
            if _belongs(step, ground):
                yield step, _off_centre(step, ground)
        return
    for step in range(max(ground.low, before - 7), min(ground.high, before + 7) + 1):
        move = step - before
        if (debt is Debt.FALL and move != -1) or (debt is Debt.STEP and abs(move) != 1):
            continue
        cost = LEAPS[abs(move)] + _off_centre(step, ground)
        if not _belongs(step, ground):
            if abs(move) != 1 or ground.strong or debt is not Debt.NONE:
                continue
            cost += ACCENTED
        if np.isfinite(cost):
            yield step, cost


def _off_centre(step: int, ground: Ground) -> float:
    return CENTRE * (step - (ground.low + ground.high) / 2) ** 2


def _nexts(before: int, ground: Ground, count: int) -> Iterator[tuple[int, float]]:
    """Notes inside a beat after one, with their costs."""
    for move in range(-len(INNER_LEAPS) + 1, len(INNER_LEAPS)):
        step = before + move
        if move == 0 or not ground.low <= step <= ground.high:
            continue
        by_step = abs(move) == 1
        if not by_step and not (_belongs(step, ground) and _belongs(before, ground)):
            continue
        yield step, INNER_LEAPS[abs(move)] + (QUICK_LEAP if count >= QUICK and not by_step else 0)


def _rest(notes: tuple[int, ...], left: int, cost: float, ground: Ground) -> Iterator[_Line]:
    """A beat's line continued by so many notes."""
    if left == 0:
        debt = Debt.NONE if _belongs(notes[-1], ground) else Debt.STEP
        yield _Line(notes, cost, debt)
        return
    for step, price in _nexts(notes[-1], ground, len(notes) + left):
        turned = len(notes) > 1 and (step - notes[-1]) * (notes[-1] - notes[-2]) < 0
        yield from _rest((*notes, step), left - 1, cost + price + TURNING * turned, ground)
