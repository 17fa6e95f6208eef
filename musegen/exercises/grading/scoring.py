"""From what was observed to points: each section of a rubric marks its units, clause by clause."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from musegen.exercises.grading.graded import Clause
from musegen.exercises.grading.observe import Defect, Observed, upper_leaps
from musegen.exercises.grading.rubric import Cap, Rubric, Section
from musegen.exercises.grading.words import named
from musegen.exercises.item import Text

__all__ = ["Marking", "most_points", "rounded_points", "score_sections", "total"]

HALF = Fraction(1, 2)
PER_HALF_PHRASE, PER_PHRASE = 4, 6  # minor errors that count, an egregious one being two
CADENCE_CHORDS = 2


@dataclass(frozen=True, slots=True)
class Marking:
    """What sections look at."""

    rubric: Rubric
    observed: Observed
    part: str  # of the item: the score

    @property
    def count(self) -> int:
        """Slots of the exercise."""
        return len(self.observed.task.slots)

    def charged(self, names: Sequence[str], defect: Defect) -> bool:
        """Whether a defect breaks one of some rules and costs anything."""
        free = defect.cause is not None and self.rubric.policy.consequences == "free"
        if free:
            return False
        return bool(set(names) & {*defect.names, defect.finding.severity})

    def among(self, names: Sequence[str], defects: Sequence[Defect]) -> list[Defect]:
        """Those of some defects that break one of some rules and cost anything."""
        return [each for each in defects if self.charged(names, each)]


def _points(number: float) -> Fraction:
    return Fraction(str(number))


def total(clauses: Sequence[Clause]) -> Fraction:
    """Points of clauses together, never below none."""
    return max(Fraction(0), sum((each.got for each in clauses), Fraction(0)))


def rounded_points(rubric: Rubric, points: Fraction) -> Fraction:
    """Whole points as the rubric reports them: halves go up, but for its exceptions."""
    excepted = rubric.rounding.get(f"{float(points):g}")
    return Fraction(int(points + HALF)) if excepted is None else _points(excepted)


def score_sections(marking: Marking) -> tuple[Clause, ...]:
    """The clauses of all sections that mark the score itself."""
    return tuple(
        clause
        for section in marking.rubric.sections
        if section.unit in UNITS
        for clause in UNITS[section.unit](marking, section)
    )


def most_points(rubric: Rubric, slots: int, phrases: int, labels: int) -> Fraction:
    """Most points that an exercise gives.

    Args:
        rubric: how it is marked.
        slots: chords.
        phrases: of them; a piece without marked ends is one.
        labels: slots of typed answers that sections mark.
    """
    found = Fraction(0)
    for section in rubric.sections:
        first = int(section.after_first)
        units = {"chord": slots - first, "connection": slots - 1, "whole": 1, "label": labels}
        units["heard"] = slots - first
        if section.unit == "phrase":
            found += sum((_points(each) for each in section.awards[-phrases:]), Fraction(0))
        else:
            cadential = CADENCE_CHORDS * phrases if section.unit == "chord" else 0
            extra = _points(section.cadence_factor) - 1
            found += _points(section.award) * (max(units[section.unit], 0) + extra * cadential)
    return found


# --- one unit -------------------------------------------------------------------------------


def _judged(
    marking: Marking, section: Section, defects: Sequence[Defect]
) -> tuple[Fraction, list[Defect]]:
    """Points of a unit, and the defects that took some."""
    award = _points(section.award)
    fatal = marking.among((*section.unrealised, *section.zero), defects)
    if fatal:
        return Fraction(0), fatal
    lesser = marking.among(section.reduced_by, defects)
    if lesser:
        return _points(section.several if len(lesser) > 1 else section.reduced), lesser
    taken, culprits = Fraction(0), []
    for each in section.deduct:
        found = marking.among(each.rules, defects)
        taken += len(found) * _points(each.points)
        culprits += found
    left = max(Fraction(0), award - taken) if award else -taken
    grave = marking.among(section.fundamental, defects)
    if grave:
        left = min(left, _points(section.fundamental_cap))
    return left, [*grave, *(each for each in culprits if each not in grave)]


def _clause(
    marking: Marking, section: Section, place: str, most: Fraction, defects: Sequence[Defect]
) -> Clause:
    got, culprits = _judged(marking, section, defects)
    factor = most / _points(section.award) if section.award else Fraction(1)
    said = named(culprits, marking.observed) if culprits else None
    return Clause(section.id, marking.part, place, got * factor, most, said)


# --- chords and connections -----------------------------------------------------------------


def _chords(marking: Marking, section: Section) -> Iterator[Clause]:
    cadential = _cadential(marking.observed)
    for slot in range(int(section.after_first), marking.count):
        inside = [each for each in marking.observed.defects if each.slot == slot == each.left]
        factor = _points(section.cadence_factor) if slot in cadential else Fraction(1)
        yield _clause(marking, section, str(slot + 1), factor * _points(section.award), inside)


def _cadential(observed: Observed) -> frozenset[int]:
    """Slots of the last two chords of each phrase."""
    slots = observed.task.slots
    ends = [*observed.task.phrase_ends, slots[-1].end] if slots else []
    last = {number for number, slot in enumerate(slots) if slot.end in ends}
    return frozenset(number - back for number in last for back in (0, 1) if number >= back)


def _connections(marking: Marking, section: Section) -> Iterator[Clause]:
    killed = _unrealised(marking)
    clauses = []
    for slot in range(1, marking.count):
        place = f"{slot}-{slot + 1}"
        moving = [each for each in marking.observed.defects if _arrives(each, slot)]
        clause = _clause(marking, section, place, _points(section.award), moving)
        dead = [number for number in (slot - 1, slot) if number in killed]
        if dead:
            clause = replace(clause, got=Fraction(0), said=_killed(dead, clause.said))
        clauses.append(clause)
    yield from clauses
    if section.cap is not None and all(each.got == each.most for each in clauses):
        yield from _capped(marking, section, section.cap)


def _arrives(defect: Defect, slot: int) -> bool:
    """Whether a defect is of the move into a slot; one within the first is of the move out of it."""
    return defect.slot == slot and (
        defect.left != slot or defect.finding.start != defect.finding.onset
    )


def _unrealised(marking: Marking) -> frozenset[int]:
    found = set()
    for section in marking.rubric.sections:
        if section.kills:
            hit = marking.among(section.unrealised, marking.observed.defects)
            found |= {each.slot for each in hit if each.slot >= int(section.after_first)}
    return frozenset(found)


def _killed(slots: Sequence[int], said: Text | None) -> Text:
    numbers = " and ".join(str(slot + 1) for slot in slots)
    chinese = "、".join(str(slot + 1) for slot in slots)
    found = Text(
        f"chord {numbers} not realised: the connection earns nothing",
        f"第 {chinese} 个和弦不成立，此连接不得分",
    )
    return found if said is None else Text(f"{found.en}; {said.en}", f"{found.zh}；{said.zh}")


def _capped(marking: Marking, section: Section, cap: Cap) -> Iterator[Clause]:
    leaps = upper_leaps(marking.observed.task, marking.observed.score)
    least = max(cap.least, -(-cap.least * (marking.count - 1) // cap.per))
    if leaps >= least:
        said = Text(
            f"{leaps} leaps in the upper voices, {least} or more are too many",
            f"上方声部跳进 {leaps} 次，达到 {least} 次即扣分",
        )
        yield Clause(
            f"{section.id}-leaps", marking.part, "", -_points(cap.minus), Fraction(0), said
        )


# --- the whole, and phrases -----------------------------------------------------------------


def _whole(marking: Marking, section: Section) -> Iterator[Clause]:
    yield _clause(marking, section, "", _points(section.award), marking.observed.defects)


def _phrases(marking: Marking, section: Section) -> Iterator[Clause]:
    """Minor and egregious errors by half phrase: an egregious one counts as two minor ones.

    At most four minor ones count in a half and six in a phrase. Two take a point.
    """
    spans = _phrase_slots(marking.observed)
    awards = [_points(each) for each in section.awards][-len(spans) :]
    for number, ((first, last), award) in enumerate(zip(spans, awards, strict=False), 1):
        inside = [each for each in marking.observed.defects if first <= each.slot <= last]
        halves: dict[bool, int] = {False: 0, True: 0}
        culprits = []
        for defect in inside:
            weight = 2 * marking.charged(section.egregious, defect)
            weight = weight or int(marking.charged(section.minor, defect))
            halves[defect.slot > last - CADENCE_CHORDS] += weight
            culprits += [defect] if weight else []
        counted = min(PER_PHRASE, sum(min(PER_HALF_PHRASE, each) for each in halves.values()))
        got = max(Fraction(0), award - counted * HALF)
        said = named(culprits, marking.observed) if culprits else None
        yield Clause(section.id, marking.part, str(number), got, award, said)


def _phrase_slots(observed: Observed) -> list[tuple[int, int]]:
    """First and last slot of each phrase."""
    slots = observed.task.slots
    ends = {*observed.task.phrase_ends, slots[-1].end}
    lasts = [number for number, slot in enumerate(slots) if slot.end in ends]
    return list(zip([0, *(last + 1 for last in lasts)], lasts, strict=False))


UNITS: Mapping[str, Callable[[Marking, Section], Iterator[Clause]]] = {
    "chord": _chords,
    "connection": _connections,
    "whole": _whole,
    "phrase": _phrases,
}
