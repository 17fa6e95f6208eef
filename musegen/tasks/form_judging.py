"""What is asked of a form while it is drawn: that no rule is broken as it is played, likeness and contrast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from musegen.errors import InfeasibleError
from musegen.motive import similarity
from musegen.plan.layout import Layout
from musegen.slices import piece
from musegen.tasks.writing import Draft
from musegen.textures.working import SAME, Statement
from musegen.unfolding import played_order, unfolded
from theory_kb.check import Style, check
from theory_kb.moment import TICKS

__all__ = ["refuse_errors", "refuse_joints", "resemblance", "too_alike", "too_strange"]

MOST_ALIKE = 0.49  # similarity of what contrasts
LEAST_ALIKE = 0.9  # similarity of what returns


def refuse_errors(draft: Draft) -> None:
    """Where a template states its chords, the search only reports what they break; other notes may not.

    Raises:
        InfeasibleError: the checker found an error; names the place.
    """
    for finding in draft.report.findings:
        if finding.severity == "E":
            slots = enumerate(draft.plan.slots)
            slot = max(place for place, each in slots if each.onset * TICKS <= finding.onset)
            where = f"bar {finding.bar}, beat {finding.beat:g}"
            raise InfeasibleError(slot, f"{where}: {finding.message} ({finding.rule})")


def refuse_joints(layout: Layout, draft: Draft, style: Style) -> None:
    """Where there are endings, what is played after a jump must keep the rules too.

    Raises:
        InfeasibleError: the checker found an error in the score as it is played; names the place.
    """
    if not layout.endings:
        return
    written = replace(draft.score, repeats=layout.repeats, endings=layout.endings)
    time = Fraction(0)
    begins = []  # of each stretch: when it is heard, where it is written
    for start, end in played_order(written):
        begins.append((time, start))
        time += end - start
    for finding in check(piece(unfolded(written)), style).findings:
        if finding.severity == "E":
            start = max(begin for begin in begins if begin[0] * TICKS <= finding.onset)[1]
            slot = next(n for n, each in enumerate(draft.plan.slots) if each.onset >= start)
            bar, _ = written.bar_and_beat(start)
            raise InfeasibleError(
                slot, f"the jump to bar {bar}: {finding.message} ({finding.rule})"
            )


def too_alike(known: Mapping[str, Statement], made: Sequence[Statement]) -> float:
    """How much a new beginning is too like the themes before it."""
    first = made[0]
    if first.unit.section.theme in known or "." in first.unit.section.theme:
        return 0.0
    heads = [each for name, each in known.items() if "." not in name]
    most = max((similarity(first.motive(), each.motive()) for each in heads), default=0.0)
    return max(0.0, most - MOST_ALIKE)


def too_strange(known: Mapping[str, Statement], made: Sequence[Statement]) -> float:
    """How much what returns is too little like the first of its theme, in all."""
    first = dict(known)
    for each in made:
        first.setdefault(each.unit.section.theme, each)
    found = [
        similarity(each.motive(), first[each.unit.section.theme].motive())
        for each in made
        if SAME & set(each.unit.section.relations)
    ]
    return sum(max(0.0, LEAST_ALIKE - each) for each in found)


def resemblance(
    statements: Sequence[Statement], known: Mapping[str, Statement]
) -> dict[str, float]:
    """How like the beginning of each unit is to the first of its theme."""
    return {
        each.unit.section.id: round(
            similarity(each.motive(), known[each.unit.section.theme].motive()), 3
        )
        for each in statements
        if known[each.unit.section.theme] is not each
    }
