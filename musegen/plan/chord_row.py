"""Chords of a phrase: a row drawn under the progressions of the knowledge base.

The grades of the graph say what may follow what, the counts of Bach's continuations how likely it is; a
cadence formula closes the row. The row is searched as everything is: candidates, masks, a beam.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import log

import numpy as np

from musegen.plan.plan import COMMON, Harmony, Slot
from musegen.search.beam import beam_search
from musegen.search.lattice import FloatArray, Lattice, PairTable
from musegen.transitions import GRADE_COST, PIVOT_COST, links
from theory_kb.query import may_follow

__all__ = ["RowTaste", "draw_row", "progression_costs"]

INVERTED = (0.0, 0.6, 1.5, 0.9)  # nats by inversion
OCCASIONAL = 1.2  # nats for a chord that is not common
FOREIGN = 1.0  # nats for a chord from outside the key
SEVENTH = 0.8  # nats for a seventh that is no dominant's
HELD = 0.4  # nats for a chord that goes on within a bar
HELD_OVER = 2.5  # nats for a chord that goes on over the bar line
UNSEEN = 1.0  # per cent that a progression counts which was never counted
SHARE = 0.4  # weight of the counts
WIDTH = 48
TURN = 2.0  # how much dearer a change of key is than in a chorale


@dataclass(frozen=True, slots=True)
class RowTaste:
    """How a row is drawn."""

    colour: float = 1.0  # how dear chords from outside the key and sevenths are, as a factor
    temperature: float = 1.0


def draw_row(
    slots: Sequence[Slot], *, rng: np.random.Generator, taste: RowTaste | None = None
) -> tuple[Harmony, ...]:
    """A chord for each slot among those that it allows.

    Args:
        slots: of one phrase, their allowed chords in `harmonies`; where two slots have one chord
            each, they stand whatever the graph says.
        rng: draws.
        taste: how.

    Raises:
        InfeasibleError: no row of common progressions leads through; names the slot.
    """
    how = taste or RowTaste()
    unary = tuple(
        np.array([_taste(each, how) for each in slot.harmonies], dtype=float) for slot in slots
    )
    pairs = tuple(_pairs(before, after) for before, after in pairwise(slots))
    found = beam_search(
        Lattice(unary, pairs), width=WIDTH, rng=rng, temperature=how.temperature
    ).paths[0]
    return tuple(slot.harmonies[place] for slot, place in zip(slots, found, strict=True))


def _taste(each: Harmony, how: RowTaste) -> float:
    chord = each.chord
    cost = INVERTED[chord.inversion]
    if chord.use != "common":
        cost += OCCASIONAL * how.colour
    if chord.origin not in ("diatonic", "minor-form", "cadential"):
        cost += FOREIGN * how.colour
    if chord.seventh is not None and chord.function != "D":
        cost += SEVENTH * how.colour
    return cost


def _pairs(before: Slot, after: Slot) -> PairTable:
    settled = len(before.harmonies) == len(after.harmonies) == 1
    held = HELD_OVER if after.position == 0 else HELD
    return _table(progression_costs(before.harmonies, after.harmonies, held=held, settled=settled))


def progression_costs(
    before: Sequence[Harmony],
    after: Sequence[Harmony],
    *,
    held: float = HELD,
    settled: bool = False,
) -> FloatArray:
    """What going from chord to chord costs, in nats (A, B); inf where it is not common.

    Args:
        before: chords of a slot.
        after: chords of the next.
        held: nats for a chord that goes on.
        settled: nothing is to be chosen: whatever stands there was asked for.
    """
    grades, _ = links(before, after)
    costs: FloatArray = np.full(grades.shape, np.inf)
    for row, first in enumerate(before):
        for column, second in enumerate(after):
            if grades[row, column] < COMMON and not settled:
                continue
            if first.key != second.key:
                costs[row, column] = TURN * PIVOT_COST
            elif first.chord.root == second.chord.root:
                costs[row, column] = held
            else:
                costs[row, column] = GRADE_COST[grades[row, column]] + _rare(first, second)
    return costs


def _table(costs: FloatArray) -> PairTable:
    rows, columns = np.nonzero(np.isfinite(costs))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(costs)))])
    return PairTable(indptr, columns.astype(np.int32), costs[rows, columns])


@cache
def _rare(first: Harmony, second: Harmony) -> float:
    """Negative log of how often the one goes on to the other, in nats."""
    share = may_follow(first.chord, second.chord).share
    return -SHARE * log(max(share or UNSEEN, UNSEEN) / 100)
