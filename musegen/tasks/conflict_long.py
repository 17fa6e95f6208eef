"""Why a plan has no solution where neighbours could follow one another: long rules, or the surface.

Rules that look further back are deleted one after another, and given notes with them, while a
complete search still finds nothing; what is left cannot hold together beside the rules on
neighbours. Of surfaces it is known what each that was drawn breaks: the fewest rules of which each
surface breaks one are what stands in the way of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from musegen.constraints import build_problem
from musegen.plan.plan import Plan
from musegen.search.beam import complete_search
from musegen.search.conflict import cheapest_corrections, fewest_of_each, smallest_conflict
from musegen.search.errors import DeadEndError, InfeasibleError
from musegen.tasks.conflict import Conflict, Explanation, Relaxation, in_order
from musegen.tasks.conflict_text import LONG
from musegen.tasks.relaxation import KINDS, Change, Constraint, Loosened, constraints_between
from theory_kb.check import Style
from theory_kb.rule_sets import without

__all__ = ["MOST_ASKED", "MOST_LISTED", "explain_dead_end", "explain_surfaces"]

MOST_ASKED = 100  # questions for a conflict, and for the ways out
MOST_LISTED = 1_000_000  # ways on that a search lists for one question
WAYS = 2  # ways out that are named
DELETED = (
    "rule",
    "chord",
    "note",
)  # kinds of constraints that are let go, what matters least first


def explain_dead_end(plan: Plan, style: Style, slot: int) -> Explanation | None:
    """What cannot hold together with rules that look further back than one slot.

    The rules on one and on two neighbouring slots are kept in any case.

    Args:
        plan: what was to be written.
        style: whose hard rules hold.
        slot: the furthest that was reached.

    Returns:
        None if what can be let go is not at fault, or no answer is known within the limits.
    """
    asked = _Asked(plan, style)
    groups = _deletable(plan, asked, slot)
    flat = [each for group in groups for each in group]
    numbers = [[flat.index(each) for each in group] for group in groups]

    def possible(kept: frozenset[int]) -> bool:
        return asked(frozenset(each for number, each in enumerate(flat) if number not in kept))

    if possible(frozenset(range(len(flat)))) or not possible(frozenset()):
        return None
    core = smallest_conflict(numbers, possible, limit=MOST_ASKED)
    members = in_order([flat[number] for number in core.members])
    proof = "cut short" if asked.undecided else core.proof
    prices = [each.price for each in flat]
    ways = cheapest_corrections(numbers, prices, possible, top=WAYS, limit=MOST_ASKED)
    relaxations = tuple(
        Relaxation(tuple(Change(flat[number]) for number in sorted(each.members)), each.price)
        for each in ways
    )
    conflict = Conflict(members, proof + LONG, 0, slot)
    return Explanation(plan, style, conflict, relaxations, (), len(ways) < 1)


def _deletable(plan: Plan, asked: _Asked, slot: int) -> list[list[Constraint]]:
    """Long rules, and what is given in the phrase of a slot up to it."""
    first = plan.phrases[plan.slots[slot].phrase].first
    here = [each for group in constraints_between(plan, asked.style, first, slot) for each in group]
    long_rules = [
        Constraint("rule", tuple(range(len(plan.slots))), rule=name) for name in asked.long_rules
    ]
    given = [
        [each for each in here if each.kind == kind]
        for kind in DELETED[1:]
        if kind != "chord" or plan.chords_given
    ]
    return [long_rules, *given]


class _Asked:
    """Whether a plan has a solution without some constraints."""

    def __init__(self, plan: Plan, style: Style) -> None:
        self.plan, self.style = plan, style
        self.loose = Loosened(plan, style)
        self.undecided = False  # whether a search came to its limit; then nothing is impossible
        rules = build_problem(plan, style, dear=np.inf).long_rules.rules
        self.long_rules = rules.ids[: rules.hard]

    def __call__(self, gone: frozenset[Constraint]) -> bool:
        changes = frozenset(Change(each) for each in gone if each.kind != "rule")
        dropped = frozenset(each.rule for each in gone if each.kind == "rule")
        plan = self.loose.changed_plan(changes)
        try:
            problem = build_problem(plan, self.style, dear=np.inf)
            rules = problem.long_rules
            kept = replace(rules, rules=without(rules.rules, dropped, soft=True))
            complete_search(problem.lattice, look_back=kept, most=MOST_LISTED)
        except InfeasibleError:
            return False
        except DeadEndError as error:
            self.undecided |= not error.proved
            return not error.proved
        return True


# --- surfaces -------------------------------------------------------------------------------


def explain_surfaces(
    plan: Plan, style: Style, broken: Sequence[frozenset[tuple[int, str]]]
) -> Explanation | None:
    """What stands in the way of all surfaces that were drawn.

    Args:
        plan: what was to be written.
        style: whose rules are broken.
        broken: of each surface the slots and ids of the rules that it breaks.

    Returns:
        The fewest rules of which each surface breaks one, and as ways out the rules that one
        surface breaks, the fewest first; None if nothing is known of surfaces.
    """
    if not broken:
        return None
    names = sorted({each for one in broken for each in one})
    numbers = {each: number for number, each in enumerate(names)}
    sets = [frozenset(numbers[each] for each in one) for one in broken]
    found = fewest_of_each(sets)
    ways = sorted(set(broken), key=lambda one: (len(one), sorted(one)))[:WAYS]
    relaxations = tuple(
        Relaxation(tuple(Change(_rule(*each)) for each in sorted(way)), len(way) * KINDS["rule"])
        for way in ways
    )
    members = tuple(_rule(*names[number]) for number in sorted(found))
    slots = [slot for each in members for slot in each.slots]
    conflict = Conflict(members, "surfaces", min(slots), max(slots))
    return Explanation(plan, style, conflict, relaxations, (), limited=False)


def _rule(slot: int, name: str) -> Constraint:
    return Constraint("rule", (slot,), rule=name)
