"""A plan with some of its constraints let go, and whether the rest can be kept.

A constraint is let go for good: a given note leaves its voice free, a chord leaves any chord of
the keys, a rule is not asked, a limit of the voicings widens. What is left is judged by the same
kernels that judge every lattice, over all candidates and not only the likely ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from musegen.candidates import SlotCandidates
from musegen.constraints import candidates_at, followed, progressions
from musegen.models.protocol import BoolArray, IntArray
from musegen.plan.plan import Given, Harmony, Plan, Slot
from musegen.plan.setting import chords_at, every_chord
from musegen.voicings import LIMITS, Limits
from theory_kb.check import Style
from theory_kb.pitch import Pitch
from theory_kb.rule_sets import rule_set

__all__ = [
    "KINDS",
    "MOST_PAIRS",
    "MOST_WORK",
    "Change",
    "Constraint",
    "Loosened",
    "any_chord",
    "constraints_between",
]

KINDS = {  # what may stand in the way, what matters least first, and the price of giving it up
    "range": 3.0,
    "spacing-upper": 3.0,
    "spacing-lower": 3.0,
    "crossing": 5.0,
    "complete": 4.0,
    "order": 5.0,
    "rule": 8.0,
    "degree": 4.0,
    "chord": 6.0,
    "note": 6.0,
}
LIMIT_KINDS = ("range", "spacing-upper", "spacing-lower", "crossing", "complete")
MOST_PAIRS = 20_000_000  # of candidates that are judged for one question
MOST_WORK = 120_000_000  # pairs judged for the conflict, and for the ways out of each kind
BUILT = 50_000  # pairs whose judgement takes as long as finding the candidates of a slot
FIRST_CHUNK, CHUNK = 1 << 14, 1 << 18  # pairs judged at a time, at first and later
FEW = 32  # candidates of a slot that are tried first
CADENCE = 2  # last chords of a phrase, whose choice depends on each other's given notes


@dataclass(frozen=True, slots=True, order=True)
class Constraint:
    """Something that has to hold at a place."""

    kind: str  # of KINDS
    slots: tuple[int, ...]  # where it holds; of a rule on a move or an order, where the move ends
    voice: int = -1  # of a note or a range
    rule: str = ""  # its id

    @property
    def price(self) -> float:
        """What giving it up counts."""
        return KINDS[self.kind]


@dataclass(frozen=True, slots=True)
class Change:
    """A constraint that is given up, or met by something else."""

    constraint: Constraint
    to: Pitch | Harmony | None = None  # what stands there instead; None: anything


Changes = frozenset[Change]


# --- what there is to let go ----------------------------------------------------------------


def constraints_between(
    plan: Plan, style: Style, first: int, last: int
) -> tuple[tuple[Constraint, ...], ...]:
    """The constraints of some slots and of the moves between them, in groups of one kind each."""
    places = range(first, last + 1)
    moves = range(first + 1, last + 1)
    found: dict[str, list[Constraint]] = {kind: [] for kind in KINDS}
    free = [voice for voice in range(plan.ensemble.size) if _is_free(plan, places, voice)]
    found["range"] = [Constraint("range", tuple(places), voice) for voice in free]
    for kind in LIMIT_KINDS[1:]:
        found[kind] = [Constraint(kind, tuple(places))] if free else []
    found["order"] = [
        Constraint("order", (place,)) for place in moves if not progressions(place, plan).all()
    ]
    found["rule"] = [
        Constraint("rule", (place,), rule=name)
        for group, where in (("unary", places), ("pair", moves))
        for name in _hard(style, group)
        for place in where
    ]
    found["degree"] = [
        Constraint("degree", (place,)) for place in places if plan.slots[place].soprano
    ]
    found["chord"] = [Constraint("chord", (place,)) for place in places]
    found["note"] = list(dict.fromkeys(note for place in places for note in _notes(plan, place)))
    return tuple(tuple(group) for group in found.values())


def _is_free(plan: Plan, places: Iterable[int], voice: int) -> bool:
    slots = [plan.slots[place] for place in places]
    return any(
        voice not in slot.silent and (not slot.given or slot.given[voice] is None) for slot in slots
    )


def _hard(style: Style, group: str) -> tuple[str, ...]:
    rules = rule_set(style, group, "both")
    return rules.ids[: rules.hard]


def _notes(plan: Plan, place: int) -> list[Constraint]:
    """The given notes of a slot, each with all the slots through which it is held."""
    return [
        Constraint("note", _held(plan, place, voice), voice)
        for voice, each in enumerate(plan.slots[place].given)
        if each is not None
    ]


def _held(plan: Plan, place: int, voice: int) -> tuple[int, ...]:
    first = last = place
    while first and _goes_on(plan, first, voice):
        first -= 1
    while last + 1 < len(plan.slots) and _goes_on(plan, last + 1, voice):
        last += 1
    return tuple(range(first, last + 1))


def _goes_on(plan: Plan, place: int, voice: int) -> bool:
    """Whether a voice holds into a slot what it sounded all through the one before."""
    here, before = plan.slots[place].given[voice], plan.slots[place - 1].given
    held = before[voice] if before else None
    return (
        here is not None
        and held is not None
        and not here.struck
        and not here.moves
        and not held.moves
        and held.first == here.first
    )


# --- the plan without it --------------------------------------------------------------------


class Loosened:
    """Ways through a plan of which some constraints are changed."""

    def __init__(self, plan: Plan, style: Style) -> None:
        """Of a plan in a style, whose hard rules hold."""
        self.plan, self.style = plan, style
        self.undecided = False  # whether a question was too large to be answered for sure
        self.work = 0  # pairs judged for all questions, slots made counted in
        self._plans: dict[Changes, Plan] = {}
        self._slots: dict[tuple[int, Changes], SlotCandidates | None] = {}
        self._orders: dict[tuple[int, Changes], BoolArray] = {}

    def dead_end(self, first: int, last: int, changes: Changes = frozenset()) -> int | None:
        """The first slot of some that no way from the first of them reaches, None if none is."""
        return self.onward(first, last, self.all_at(first, changes), changes)

    def onward(
        self, first: int, last: int, start: IntArray, changes: Changes, goal: IntArray | None = None
    ) -> int | None:
        """The first slot that no way reaches from some candidates of a slot, None if none is.

        Args:
            first: the slot of `start`.
            last: the slot to be reached.
            start: candidates, as indices.
            changes: what is let go.
            goal: candidates of the last slot that count; None: all.
        """
        found = first
        for most in (FEW, None):  # a few candidates show soon that there is a way
            reached = start
            for place in range(first, last + 1):
                if place > first:
                    reached = self.reached(place, _spread(reached, most), changes, most=most)
                if place == last and goal is not None:
                    reached = np.intersect1d(reached, goal)
                found = place
                if not len(reached):
                    break
            if len(reached):
                return None
        return found

    def all_at(self, place: int, changes: Changes) -> IntArray:
        """All candidates of a slot, as indices."""
        candidates = self._candidates(place, changes)
        return np.arange(0 if candidates is None else len(candidates.moments))

    def reached(
        self, place: int, before: IntArray, changes: Changes, *, most: int | None = None
    ) -> IntArray:
        """Which candidates of a slot follow some of the slot before, as indices.

        Where more pairs would have to be judged than `MOST_PAIRS`, all are said to be reached,
        and `undecided` is set: nothing is called impossible that was not shown to be.

        Args:
            place: the slot.
            before: candidates of the slot before, as indices.
            changes: what is let go.
            most: how many candidates to look at, in multiples of itself; None: all.
        """
        everything = self.all_at(place, changes)
        left = _spread(everything, None if most is None else most * most)
        start = judged = 0
        size = FIRST_CHUNK
        while start < len(before) and len(left):
            some = before[start : start + max(1, size // len(left))]
            judged += len(some) * len(left)
            if judged > MOST_PAIRS:
                self.undecided = True
                return everything
            _, columns = self._legal(place, some, left, changes)
            left = np.setdiff1d(left, columns, assume_unique=False)
            start += len(some)
            size = min(2 * size, CHUNK)
        tried = _spread(everything, None if most is None else most * most)
        return np.setdiff1d(tried, left)

    def leading(self, place: int, after: IntArray) -> IntArray:
        """Which candidates of a slot, nothing changed, lead to some of the next, as indices."""
        rows, found = self.all_at(place, frozenset()), np.zeros(0, np.int64)
        start = 0
        while start < len(after) and len(rows):
            columns = after[start : start + max(1, CHUNK // len(rows))]
            legal, _ = self._legal(place + 1, rows, columns, frozenset())
            found = np.union1d(found, legal)
            rows = np.setdiff1d(rows, legal)
            start += len(columns)
        return found

    def _legal(
        self, place: int, rows: IntArray, columns: IntArray, changes: Changes
    ) -> tuple[IntArray, IntArray]:
        """Of some candidates of neighbouring slots, the pairs that may follow one another."""
        before, after = self._candidates(place - 1, changes), self._candidates(place, changes)
        assert before is not None  # there are candidates to ask about
        assert after is not None
        gate = self._order(place, changes)[before.harmony[rows]][:, after.harmony[columns]]
        self.work += gate.size
        firsts, seconds = np.nonzero(gate)
        pairs = rows[firsts], columns[seconds]
        legal = followed(before, after, pairs, self.style, _rules_at(place, changes))
        return pairs[0][legal], pairs[1][legal]

    # --- what a slot holds ------------------------------------------------------------------

    def changed_plan(self, changes: Changes) -> Plan:
        """The plan with its notes, chords, degrees and order of chords as changed."""
        chosen = frozenset(each for each in changes if each.constraint.kind in PLANNED)
        if chosen not in self._plans:
            self._plans[chosen] = _changed(self.plan, chosen)
        return self._plans[chosen]

    def _candidates(self, place: int, changes: Changes) -> SlotCandidates | None:
        here = frozenset(each for each in changes if _touches(self.plan, each.constraint, place))
        if (place, here) not in self._slots:
            self.work += BUILT
            self._slots[place, here] = candidates_at(
                place,
                self.changed_plan(here),
                self.style,
                dropped=_rules_at(place, here),
                limits=_limits(here),
            )
        return self._slots[place, here]

    def _order(self, place: int, changes: Changes) -> BoolArray:
        near = frozenset(
            each
            for each in changes
            if each.constraint.kind in PLANNED
            and (
                _touches(self.plan, each.constraint, place)
                or _touches(self.plan, each.constraint, place - 1)
            )
        )
        if (place, near) not in self._orders:
            plan = self.changed_plan(near)
            free = any(
                each.constraint.kind == "order" and place in each.constraint.slots for each in near
            )
            shape = tuple(len(plan.slots[each].harmonies) for each in (place - 1, place))
            self._orders[place, near] = (
                np.ones(shape, np.bool_) if free else progressions(place, plan)
            )
        return self._orders[place, near]


PLANNED = ("note", "chord", "degree", "order")


def _touches(plan: Plan, constraint: Constraint, place: int) -> bool:
    """Whether a constraint has a say in what a slot holds."""
    if place in constraint.slots:
        return True
    slot = plan.slots[place]
    return (
        constraint.kind == "note"
        and slot.to_end < CADENCE
        and any(
            plan.slots[each].phrase == slot.phrase and plan.slots[each].to_end < CADENCE
            for each in constraint.slots
        )
    )


def _rules_at(place: int, changes: Changes) -> frozenset[str]:
    return frozenset(
        each.constraint.rule
        for each in changes
        if each.constraint.kind == "rule" and place in each.constraint.slots
    )


def _limits(changes: Changes) -> Limits:
    gone = {each.constraint.kind for each in changes}
    if not gone & set(LIMIT_KINDS):
        return LIMITS
    return Limits(
        beyond=frozenset(
            each.constraint.voice for each in changes if each.constraint.kind == "range"
        ),
        upper="spacing-upper" not in gone,
        lower="spacing-lower" not in gone,
        ordered="crossing" not in gone,
        complete="complete" not in gone,
    )


def _changed(plan: Plan, changes: Changes) -> Plan:
    slots = list(plan.slots)
    for each in sorted(changes, key=lambda one: PLANNED.index(one.constraint.kind)):
        for place in each.constraint.slots:
            slots[place] = _changed_slot(plan, slots[place], each)
    loose = replace(plan, slots=tuple(slots))
    if plan.chords_given or not plan.lines:
        return loose
    notes = [each.constraint for each in changes if each.constraint.kind == "note"]
    fixed = {each.constraint.slots for each in changes if each.constraint.kind == "chord"}
    for place, slot in enumerate(slots):
        if (place,) not in fixed and any(_touches(plan, note, place) for note in notes):
            more = (*slot.harmonies, *chords_at(loose, place))
            slots[place] = replace(slot, harmonies=tuple(dict.fromkeys(more)))
    return replace(plan, slots=tuple(slots))


def _changed_slot(plan: Plan, slot: Slot, change: Change) -> Slot:
    kind, to = change.constraint.kind, change.to
    if kind == "note":
        given = list(slot.given)
        old = given[change.constraint.voice]
        assert old is not None  # the constraint is a note of this slot
        given[change.constraint.voice] = (
            Given(to, struck=old.struck) if isinstance(to, Pitch) else None
        )
        changed = replace(slot, given=tuple(given))
        if slot.figured is None or change.constraint.voice < len(given) - 1:
            return changed
        figured = replace(slot.figured, bass=to) if isinstance(to, Pitch) else None
        return replace(changed, figured=figured)
    if kind == "chord":
        chosen = (to,) if isinstance(to, Harmony) else any_chord(plan, slot)
        return replace(slot, harmonies=chosen)
    return replace(slot, soprano=()) if kind == "degree" else slot


def any_chord(plan: Plan, slot: Slot) -> tuple[Harmony, ...]:
    """Every chord that holds what is given at a slot, in the keys of its phrase and of the piece.

    Where chords are given, in the key of the one given there.
    """
    phrase = plan.phrases[slot.phrase]
    here = (phrase.key, phrase.start_key, plan.home)
    keys = [each.key for each in slot.harmonies] if plan.chords_given else here
    more = (one for key in dict.fromkeys(keys) for one in every_chord(key, slot))
    return tuple(dict.fromkeys((*slot.harmonies, *more)))


def _spread(indices: IntArray, most: int | None) -> IntArray:
    """At most so many of some indices, at even distances."""
    if most is None or len(indices) <= most:
        return indices
    return indices[np.linspace(0, len(indices) - 1, most).astype(np.int64)]
