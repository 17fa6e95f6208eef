"""Why a plan has no solution: what cannot hold together, and the cheapest ways out.

The search says where it found nothing left. From there the fewest slots are taken that no way
leads through; of their given notes, chords, rules and limits the smallest set is sought that
cannot be kept (`musegen.search.conflict`). Then comes what to give up so that the piece goes on:
the cheapest of all, the cheapest that leaves what is given, the cheapest that leaves the rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from musegen.models.protocol import IntArray
from musegen.plan.plan import Harmony, Plan, where
from musegen.search.conflict import (
    Correction,
    LimitReachedError,
    cheapest_corrections,
    smallest_conflict,
)
from musegen.tasks.conflict_text import WORK, named, proof_told, told, ways_told
from musegen.tasks.relaxation import (
    KINDS,
    MOST_WORK,
    Change,
    Constraint,
    Loosened,
    any_chord,
    constraints_between,
)
from theory_kb.check import Style
from theory_kb.chords import spell
from theory_kb.pitch import Pitch, PitchClass

__all__ = ["Conflict", "Explanation", "Relaxation", "explain_conflict", "in_order"]

GIVEN = ("note", "chord", "degree")  # kinds of constraints that the task names
CONSONANT = (0, 3, 4, 7, 8, 9)  # semitones of intervals, octaves left out
NEAR_FIFTHS = range(-3, 9)  # fifths above the tonic of the notes that may stand instead
MIDDLE_OF_KEY = 2  # of a major scale, in fifths above the tonic
OCTAVES = range(1, 7)
FARTHEST = 12  # semitones that a given note may be moved
MOST_PLACES = 8  # further places that are looked for

OTHERS = tuple(kind for kind in KINDS if kind not in GIVEN)
WAYS = ((tuple(KINDS), 2), (OTHERS, 1), (GIVEN, 1))  # kinds that may change, and how many ways out


@dataclass(frozen=True, slots=True)
class Conflict:
    """Constraints that cannot hold together."""

    members: tuple[Constraint, ...]
    proof: str  # `only`, `smallest`, `irreducible` or `cut short`, see `musegen.search.conflict`,
    # with `, long rules` beside the rules on neighbours; or `surfaces`
    first: int  # the slots that no way leads through
    last: int


@dataclass(frozen=True, slots=True)
class Relaxation:
    """What to give up, or to change, so that a solution exists."""

    changes: tuple[Change, ...]
    price: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why there is no solution, and what to do about it."""

    plan: Plan
    style: Style
    conflict: Conflict
    relaxations: tuple[Relaxation, ...]  # the cheapest first; up to the first of `further`
    further: tuple[int, ...]  # slots of other conflicts, apart from this one
    limited: bool = False  # whether the ways out were looked for up to the limit of work

    @property
    def lines(self) -> tuple[str, ...]:
        """The explanation in words, a fact a line."""
        members = told(self.plan, self.style, self.conflict.members)
        lines = [f"these cannot hold together: {members}", *proof_told(self.conflict.proof)]
        lines += ways_told(self.plan, self.style, [each.changes for each in self.relaxations])
        if self.limited:
            lines.append(f"a limit was reached ({WORK}): there may be other, cheaper ways out")
        if self.further:
            unit = self.plan.metre[1]
            places = "; ".join(where(self.plan.slots[slot], unit) for slot in self.further)
            lines.append(f"there is no way on at other places either: {places}")
        return tuple(lines)

    def as_json(self) -> dict[str, Any]:
        """The explanation as values of JSON."""
        return {
            "conflict": {
                "members": [named(self.plan, self.style, each) for each in self.conflict.members],
                "proof": self.conflict.proof,
            },
            "relaxations": [
                {
                    "price": each.price,
                    "changes": [
                        named(self.plan, self.style, one.constraint, to=one.to)
                        for one in each.changes
                    ],
                }
                for each in self.relaxations
            ],
            "further": [
                {
                    "bar": self.plan.slots[slot].bar,
                    "where": where(self.plan.slots[slot], self.plan.metre[1]),
                }
                for slot in self.further
            ],
            "limited": self.limited,
        }


def explain_conflict(plan: Plan, style: Style) -> Explanation | None:
    """Why no candidates of a plan's slots can follow one another under the hard rules of a style.

    Args:
        plan: what was to be written.
        style: whose hard rules hold.

    Returns:
        None if there is a way through after all: then what looks further back than one slot, or
        the surface, was in the way.
    """
    loose = Loosened(plan, style)
    end = len(plan.slots) - 1
    dead = loose.dead_end(0, end)
    if dead is None:
        return None
    first = _narrowed(loose, dead)
    conflict = _conflict(loose, first, dead)
    further = tuple(_further(loose, dead, end))
    goal = further[0] - 1 if further else end
    through = _Through(loose, first, dead, max(goal, dead))
    relaxations = tuple(_relaxations(through))
    return Explanation(plan, style, conflict, relaxations, further, through.limited)


def _narrowed(loose: Loosened, last: int) -> int:
    """The latest slot from which no way leads to one that cannot be reached from the start."""
    step, open_at = 1, last + 1  # from `open_at` a way leads, from `dead` none
    dead = last
    while dead and loose.dead_end(dead, last) is None:
        open_at, dead, step = dead, max(0, dead - step), 2 * step
    while open_at - dead > 1:
        middle = (dead + open_at) // 2
        if loose.dead_end(middle, last) is None:
            open_at = middle
        else:
            dead = middle
    return dead


def _further(loose: Loosened, dead: int, end: int) -> Iterator[int]:
    """Slots that cannot be reached from the dead end before, each anew."""
    for _ in range(MOST_PLACES):
        start = dead if loose.dead_end(dead, dead) is None else dead + 1
        following = loose.dead_end(start, end) if start <= end else None
        if following is None:
            return
        yield following
        dead = following


def _conflict(loose: Loosened, first: int, last: int) -> Conflict:
    groups = constraints_between(loose.plan, loose.style, first, last)
    flat = [each for group in groups for each in group]
    numbers = {each: number for number, each in enumerate(flat)}
    most = loose.work + MOST_WORK

    def possible(kept: frozenset[int]) -> bool:
        if loose.work > most:
            raise LimitReachedError
        changes = frozenset(Change(each) for each in flat if numbers[each] not in kept)
        return loose.dead_end(first, last, changes) is None

    core = smallest_conflict([[numbers[each] for each in group] for group in groups], possible)
    members = tuple(flat[number] for number in sorted(core.members, reverse=True))
    proof = "cut short" if loose.undecided else core.proof
    return Conflict(in_order(members), proof, first, last)


def in_order(members: Sequence[Constraint]) -> tuple[Constraint, ...]:
    """What is given first, then rules and limits; each by place and voice."""
    return tuple(
        sorted(
            members, key=lambda each: (each.kind not in GIVEN, each.slots, each.voice, each.rule)
        )
    )


# --- ways out -------------------------------------------------------------------------------


class _Through:
    """Whether a changed plan leads from the start to a goal beyond some slots."""

    def __init__(self, loose: Loosened, first: int, last: int, goal: int) -> None:
        self.loose, self.first, self.last, self.goal = loose, first, last, goal
        self.limited = False  # whether a search of ways out came to its limit
        self.most = 0  # work of the search that is under way
        self.forward: list[IntArray] = []
        for place in range(last):
            self.forward.append(
                loose.reached(place, self.forward[-1], frozenset())
                if place
                else loose.all_at(0, frozenset())
            )
        self.backward: dict[int, IntArray] = {}
        for place in range(goal, last, -1):
            onward = self.backward.get(place + 1)
            self.backward[place] = (
                loose.all_at(place, frozenset()) if onward is None else loose.leading(place, onward)
            )

    def begin(self) -> None:
        """Another search may do as much work as each."""
        self.most = self.loose.work + MOST_WORK

    def __call__(self, changes: frozenset[Change]) -> bool:
        """Whether there is a way.

        Raises:
            LimitReachedError: the search that is under way has done its work.
        """
        if self.loose.work > self.most:
            self.limited = True
            raise LimitReachedError
        touched = [place for each in changes for place in each.constraint.slots]
        first = max(0, min([self.first, *touched]) - 1)
        last = min(max([self.last, *touched]) + 1, self.goal)
        start = self.loose.all_at(0, changes) if not first else self.forward[first]
        goal = self.backward.get(last) if last > self.last and last not in touched else None
        return self.loose.onward(first, last, start, changes, goal) is None


def _relaxations(through: _Through) -> list[Relaxation]:
    """The cheapest ways out of each kind, each once, by price."""
    plan, style = through.loose.plan, through.loose.style
    first, last = max(0, through.first - 1), min(through.last + 1, through.goal)
    groups = [
        [each for each in group if set(each.slots) & set(range(through.first, last + 1))]
        for group in constraints_between(plan, style, first, last)
    ]
    flat = [each for group in groups for each in group]
    numbers = {each: number for number, each in enumerate(flat)}
    found: dict[frozenset[Constraint], Relaxation] = {}
    for kinds, count in WAYS:
        free = [[numbers[each] for each in group if each.kind in kinds] for group in groups]
        through.begin()
        corrections = _corrections(through, flat, free, count)
        through.begin()
        for correction in corrections:
            members = frozenset(flat[number] for number in correction.members)
            if members not in found:
                found[members] = Relaxation(_filled(through, members), correction.price)
    return sorted(found.values(), key=lambda each: each.price)


def _corrections(
    through: _Through, flat: Sequence[Constraint], free: Sequence[Sequence[int]], count: int
) -> tuple[Correction, ...]:
    def possible(kept: frozenset[int]) -> bool:
        return through(
            frozenset(Change(each) for number, each in enumerate(flat) if number not in kept)
        )

    named_free = {number for group in free for number in group}
    hard = [number for number in range(len(flat)) if number not in named_free]
    return cheapest_corrections(free, [each.price for each in flat], possible, hard=hard, top=count)


def _filled(through: _Through, members: frozenset[Constraint]) -> tuple[Change, ...]:
    """What could stand in place of given notes and chords: what is nearest, one after another."""
    changes = [Change(each) for each in in_order(tuple(members))]
    try:
        for place, change in enumerate(changes):
            for to in _nearest(through.loose.plan, change.constraint):
                tried = [*changes[:place], replace(change, to=to), *changes[place + 1 :]]
                if through(frozenset(tried)):
                    changes = tried
                    break
    except LimitReachedError:
        pass  # what is not filled may be anything that works
    return tuple(changes)


def _nearest(plan: Plan, constraint: Constraint) -> list[Pitch] | list[Harmony]:
    if constraint.kind == "note":
        return _pitches_near(plan, constraint)
    return _chords_near(plan, constraint) if constraint.kind == "chord" else []


def _pitches_near(plan: Plan, note: Constraint) -> list[Pitch]:
    """Pitches that a voice can sing instead: consonant with what else is given, near, plain."""
    slot = plan.slots[note.slots[0]]
    given = slot.given[note.voice]
    assert given is not None  # the constraint is a note of this slot
    compass = plan.ensemble.compass[note.voice]
    low, high = compass.extended_low.semitone, compass.extended_high.semitone
    tonic, old = plan.home.tonic.fifths, given.first
    others = [each.first.semitone for each in slot.given if each is not None and each is not given]

    def rank(each: Pitch) -> tuple[bool, int, int]:
        harsh = any(abs(each.semitone - other) % 12 not in CONSONANT for other in others)
        plain = abs(each.pitch_class.fifths - tonic - MIDDLE_OF_KEY)
        return harsh, abs(each.semitone - old.semitone), plain

    near = (
        Pitch.of(PitchClass(tonic + fifths), octave) for fifths in NEAR_FIFTHS for octave in OCTAVES
    )
    fitting = [
        each
        for each in near
        if each != old
        and low <= each.semitone <= high
        and abs(each.semitone - old.semitone) <= FARTHEST
    ]
    return sorted(fitting, key=rank)


def _chords_near(plan: Plan, constraint: Constraint) -> list[Harmony]:
    """Chords that could stand instead, those with the most notes in common first."""
    slot = plan.slots[constraint.slots[0]]
    old = [set(spell(each.chord, each.key)) for each in slot.harmonies]
    others = [each for each in any_chord(plan, slot) if each not in slot.harmonies]

    def apart(each: Harmony) -> tuple[int, int]:
        notes = set(spell(each.chord, each.key))
        return min(len(notes ^ one) for one in old), each.chord.index

    return sorted(others, key=apart)
