"""What an exercise asks of a piece besides its rules: that what was given stays, that figures are played.

An item lists it in `facts`, as `asked`: names of the table `FEATURES` with their points, `kept=4
wanted=6`. The rules are marked first, by the rubric; a feature that measures how much of the work is
done, such as `wanted`, scales what they give: who writes nothing makes no error. An item with the fact
`review` is marked for advice: a teacher has the last word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from musegen.errors import ScoreError
from musegen.exercises.grading.asked_folk import at_home, coloured, in_mode, sounding_well
from musegen.exercises.grading.asked_tones import figured, kept, wanted
from musegen.exercises.grading.asked_writing import (
    closes,
    livelier,
    recalled,
    written,
)
from musegen.exercises.grading.composition import ADVICE
from musegen.exercises.grading.graded import Clause, Graded
from musegen.exercises.grading.score_grader import Marked, mark, score_part
from musegen.exercises.grading.seen import Outcome, Seen
from musegen.exercises.item import Answer, Item

__all__ = ["asked_marked", "asked_points", "grade_asked"]

SEEN = ("graded", "partial")


@dataclass(frozen=True, slots=True)
class _Feature:
    """Something that is asked for."""

    look: Callable[[Seen], Outcome]
    measures: bool = False  # how much of the work is done


FEATURES: Mapping[str, _Feature] = {
    "kept": _Feature(kept),
    "wanted": _Feature(wanted, measures=True),
    "figures": _Feature(figured),
    "written": _Feature(written, measures=True),
    "close": _Feature(closes),
    "theme": _Feature(recalled),
    "variety": _Feature(livelier),
    "mode": _Feature(in_mode),
    "sonorities": _Feature(sounding_well),
    "colour": _Feature(coloured),
    "final": _Feature(at_home),
}


def grade_asked(item: Item, answer: Answer) -> Graded:
    """Grade an answer by its rubric and by what is asked besides.

    Raises:
        as `musegen.exercises.grading.score_grader.grade_score`, and ScoreError for facts that cannot
        be read.
    """
    return asked_marked(item, mark(item, answer)).graded


def asked_marked(item: Item, marked: Marked) -> Marked:
    """A score that was marked by the rules, marked by what is asked besides as well."""
    if marked.observed is None or marked.graded.status not in SEEN:
        return replace(marked, graded=replace(marked.graded, most=Fraction(item.points)))
    seen = Seen(item, marked.observed)
    graded, done, clauses = marked.graded, Fraction(1), []
    for name, points in asked_points(item.facts).items():
        feature = FEATURES[name]
        share, said = feature.look(seen)
        most = Fraction(points)
        clauses.append(
            Clause(name, score_part(item).id, "", most * share, most, said if share < 1 else None)
        )
        done = min(done, share) if feature.measures else done
    graded = graded.with_clauses(clauses).in_part(done)
    if "review" in item.facts:
        graded = replace(graded, notes=(*graded.notes, ADVICE))
    return replace(marked, graded=graded)


def asked_points(facts: Mapping[str, str]) -> dict[str, int]:
    """What an item asks for besides its rules, with the points of each; raises ScoreError."""
    found = {}
    for word in facts.get("asked", "").split():
        name, _, points = word.partition("=")
        if name not in FEATURES or not points.isdecimal():
            allowed = ", ".join(FEATURES)
            raise ScoreError("facts, asked", f"must be such as kept=4, of {allowed}; got {word!r}")
        found[name] = int(points)
    return found
