"""Which candidate may follow which from slot to slot, and at what cost.

The chords decide first: the graph's grades of progressions, pivots between keys, cadences at the
ends of phrases. That says for each pair of chords what going on costs at least, and which pairs
are out; the pair rules of the style add to it, voicing by voicing. Where each slot has one chord
all pairs are judged at once; where a slot has many, pairs are judged when the search asks for
them, in the order of those bounds (`musegen.search.lazy`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from musegen.models.protocol import BoolArray, FloatArray, IntArray
from musegen.plan.plan import ANY, COMMON, CONDITIONAL, Harmony, Slot
from musegen.search.lazy import LazyPairTable
from musegen.sounding import put
from theory_kb.chords import Chord, set_harmony, vocabulary
from theory_kb.key_relations import pivots
from theory_kb.moment import Moments, blank_moments
from theory_kb.pitch import Key, Pitch
from theory_kb.query import grade_table
from theory_kb.rule_sets import RuleSet, pair_costs
from theory_kb.rules.phrase import cadence_kind

if TYPE_CHECKING:
    from musegen.candidates import SlotCandidates

__all__ = [
    "GRADE_COST",
    "PIVOT_COST",
    "PairRules",
    "Turn",
    "least_costs",
    "link",
    "links",
    "pairs_of",
    "ruled",
]

STAY_COST = 1.2  # nats for a beat on which nothing moves
HAND_COST = 0.06  # nats a semitone that a voice of the right hand moves
REPEAT_COST = 0.5  # nats for a beat on which the soprano repeats its note
GRADE_COST = (5.0, 2.5, 0.7, 0.0)  # nats by grade: none, conditional, common, normative
PIVOT_COST = 0.8  # nats for changing the key, so that it happens once
NORMATIVE = 3
FORBIDDEN = -1  # grade of what may not stand even where all may
VOICES = 4
MIDDLE = 4  # octave of a soprano


@dataclass(frozen=True, slots=True)
class PairRules:
    """The rules on pairs of a style: all, and those on what sounds and on the chords apart."""

    both: RuleSet
    surface: RuleSet
    harmonic: RuleSet


@dataclass(frozen=True, slots=True)
class Turn:
    """What decides of the chords of two slots, beside the slots themselves."""

    goal: Key  # of the phrase
    least_grade: int  # of the progressions that may stand anywhere
    chords_given: bool
    finals: frozenset[str] | None = None  # where the piece ends: kinds of cadence that close it


# --- chords ---------------------------------------------------------------------------------


@cache
def _reading(harmony: Harmony, key: Key) -> Chord | None:
    """The same spelled chord as a diatonic chord of another key, if it is a pivot."""
    shift = harmony.key.tonic.fifths - key.tonic.fifths
    members = tuple(place + shift for place in harmony.chord.members[:3])
    triads = {pivot.after.members[:3] for pivot in pivots(harmony.key, key)}
    if members not in triads:
        return None
    wanted = tuple(place + shift for place in harmony.chord.members)
    for each in vocabulary():
        same = each.mode == key.mode and each.members == wanted
        if same and each.inversion == harmony.chord.inversion and not each.cadential:
            return each
    return None


def link(before: Harmony, after: Harmony) -> tuple[int, Chord | None]:
    """Grade of a progression (3 normative, 2 common, 1 conditional, 0 none) and the pivot reading.

    Inside a key the graph's grade; from one key to another the grade of the pivot's second
    reading, if `before` is a chord of both.
    """
    grades, _ = links((before,), (after,))
    pivot = None if before.key == after.key else _reading(before, after.key)
    return int(grades[0, 0]), pivot


def links(before: Sequence[Harmony], after: Sequence[Harmony]) -> tuple[IntArray, BoolArray]:
    """Grades of all progressions (A, B), and whether a pivot makes them."""
    graded = len(vocabulary())  # what figures spell beyond that has no grade
    grades = np.zeros((len(before), len(after)), np.int64)
    by_pivot = np.zeros(grades.shape, np.bool_)
    chords = np.array([each.chord.index for each in after])
    for first, second in product(_by_key(before).items(), _by_key(after).items()):
        (here, rows), (there, columns) = first, second
        heard: list[Chord | None] = [before[row].chord for row in rows]
        if here != there:
            heard = [_reading(before[row], there) for row in rows]
        known = [
            (row, each.index)
            for row, each in zip(rows, heard, strict=True)
            if each and each.index < graded
        ]
        columns = [column for column in columns if chords[column] < graded]
        if known and columns:
            places, indices = (np.array(each) for each in zip(*known, strict=True))
            block = np.ix_(places, np.array(columns))
            grades[block] = grade_table()[np.ix_(indices, chords[columns])]
            by_pivot[block] = here != there
    return grades, by_pivot


def _by_key(harmonies: Sequence[Harmony]) -> dict[Key, list[int]]:
    """Places of the chords of each key."""
    found: dict[Key, list[int]] = {}
    for place, harmony in enumerate(harmonies):
        found.setdefault(harmony.key, []).append(place)
    return found


@cache
def _cadences(before: Harmony, after: Harmony) -> frozenset[str]:
    """Kinds of cadence that two chords can make at the end of a phrase, by what the soprano sings."""
    moments = blank_moments(2, VOICES)
    for row, harmony in enumerate((before, after)):
        set_harmony(moments[row : row + 1], harmony.chord, harmony.key)
    kinds = [cadence_kind(moments[0], moments[1])]
    tonic = Pitch.of(after.key.tonic, MIDDLE)
    put(moments[1:], 0, tonic, struck=True)
    kinds.append(cadence_kind(moments[0], moments[1]))
    return frozenset(kind for kind in kinds if kind is not None)


def _ends(before: Harmony, after: Harmony, finals: frozenset[str]) -> bool:
    """Whether two chords may end a piece; of a standing dominant what led to it decides."""
    dominants = all(each.chord.function == "D" for each in (before, after))
    return dominants or bool(_cadences(before, after) & finals)


def least_costs(before: Slot, after: Slot, turn: Turn) -> FloatArray:
    """What going from chord to chord costs at least (A, B); inf where it is out.

    What stood already goes on as it did. A phrase turns only to its goal's key. Chords with no common way on may take a conditional one.
    """
    if before.stands and after.stands:
        return np.zeros((len(before.harmonies), len(after.harmonies)))
    least = turn.least_grade
    grades, by_pivot = links(before.harmonies, after.harmonies)
    if after.opens:
        grades[:] = NORMATIVE
    elif least > ANY:
        grades[_turns_away(before.harmonies, after.harmonies, turn.goal)] = 0
    if after.closes and not after.opens and least < COMMON and not turn.chords_given:
        for i, j in product(range(len(before.harmonies)), range(len(after.harmonies))):
            if not _cadences(before.harmonies[i], after.harmonies[j]):
                grades[i, j] = FORBIDDEN
    if turn.finals is not None and not after.opens:
        for i, j in product(range(len(before.harmonies)), range(len(after.harmonies))):
            if not _ends(before.harmonies[i], after.harmonies[j], turn.finals):
                grades[i, j] = FORBIDDEN
    dull = np.all(grades < COMMON, axis=1, keepdims=True)
    gate = ((grades >= least) | (dull & (grades >= CONDITIONAL))) & (grades > FORBIDDEN)
    steps = np.array(GRADE_COST)[np.maximum(grades, 0)]
    return np.where(gate, np.where(by_pivot, PIVOT_COST, 0.0) + steps, np.inf)


def _turns_away(before: Sequence[Harmony], after: Sequence[Harmony], goal: Key) -> BoolArray:
    """Which progressions (A, B) lead into another key than the goal's."""
    names = {key: name for name, key in enumerate(dict.fromkeys(each.key for each in after))}
    here = np.array([names.get(each.key, -1) for each in before])
    there = np.array([names[each.key] for each in after])
    away: BoolArray = (here[:, None] != there) & (there != names.get(goal, -1))
    return away


# --- voicings -------------------------------------------------------------------------------


def pairs_of(
    before: SlotCandidates,
    after: SlotCandidates,
    bounds: FloatArray,
    rules: PairRules,
    *,
    joins: BoolArray | None = None,
) -> LazyPairTable:
    """What may follow what, judged when it is asked for.

    Args:
        before: the candidates of a slot.
        after: those of the next.
        bounds: what going on costs at least, chords by chords (A, B); inf where it is out.
        rules: that judge the voicings.
        joins: which voicings (N, M) join which where a bass is figured; None: all.
    """

    def judge(rows: IntArray, columns: IntArray) -> FloatArray:
        cost = ruled(before, after, rows, columns, rules)
        cost += bounds[before.harmony[rows], after.harmony[columns]]
        cost += _moved(before.moments, after.moments, rows, columns)
        return cost if joins is None else np.where(joins[rows, columns], cost, np.inf)

    return LazyPairTable(before.harmony, after.harmony, bounds, judge)


def _moved(before: Moments, after: Moments, rows: IntArray, columns: IntArray) -> FloatArray:
    """Cost (K,) of repeated soprano notes, of beats on which nothing moves, of a hand's way."""
    voices = slice(0, int(before["voices"].max(initial=0)))
    held = before["semitone"][rows, voices] == after["semitone"][columns, voices]
    cost: FloatArray = STAY_COST * held.all(axis=1) + REPEAT_COST * held[:, 0]
    hand = int(before["hands"].max(initial=0))  # a choir's voices are free to go their ways
    if hand:
        way = after["semitone"][columns, :hand].astype(np.int64) - before["semitone"][rows, :hand]
        cost += HAND_COST * np.abs(way).sum(axis=1)
    return cost


def ruled(
    before: SlotCandidates,
    after: SlotCandidates,
    rows: IntArray,
    columns: IntArray,
    rules: PairRules,
) -> FloatArray:
    """Cost of the rules on pairs (K,); where given voices move, the surface is as it sounds."""
    if before.heard is None and after.heard is None:
        return pair_costs(rules.both, before.moments, after.moments, rows, columns)
    cost = pair_costs(rules.surface, before.last, after.first, rows, columns)
    legal = np.isfinite(cost)
    cost[legal] += pair_costs(
        rules.harmonic, before.left, after.moments, rows[legal], columns[legal]
    )
    return cost
