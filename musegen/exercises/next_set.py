"""What a class should do next: kinds and levels for the errors that were seen, with the reason.

A need is a rule that was broken, a belief behind wrong answers, or a chord that was not realised. A
kind at a level serves a need if its item has to do with it: the fault is planted there, the item warns
of the belief, it holds the chord, or its model answer exercises the rule, which is competency question
27 of the knowledge base (`musegen kb ask unexercised`). The items asked are the first of those that the
proposed command will make, so what is said of them is so. Kinds are taken one after the other, each time the one
that serves most of what is still open (the greedy cover of Chvátal 1979, weighted by students).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from musegen.errors import OptionError
from musegen.exercises.grading.class_record import ClassRecord
from musegen.exercises.grading.rubric import load_rubric, rubric_style
from musegen.exercises.grading.score_grader import mark
from musegen.exercises.item import LEVELS, Item, Lang, Text
from musegen.exercises.kinds import Kind, kind, kinds
from musegen.exercises.making import MakingError, make_items
from theory_kb.questions_score import exercised_rules

__all__ = ["Need", "NextSet", "Proposal", "Served", "next_set"]

COMMON = 0.2  # share of a class from which on an error is the class's
MASTERED, WEAK = 0.9, 0.6  # mean share of the points: the next level, or the one below
REALISED = 0.75  # share of a chord's points from which on it is no need
PAST = 100  # seeds that the next set begins after the last of this one
SCORE_GRADERS = ("grading.score_grader:grade_score", "grading.faults:grade_repair")
FAULT_GRADER = "grading.faults:grade_faults"
SAMPLE = 6  # items of a set that are looked at
How = Literal["planted", "exercised", "warned", "held", "level"]
REASONS: dict[str, Text] = {
    "planted": Text("planted there to be found", "题中设有此错误"),
    "exercised": Text("the model answer exercises the rule", "参考答案涉及此规则"),
    "warned": Text("likely wrong answers come from it", "常见错误即源于此"),
    "held": Text("the chord is in it", "题中含此和弦"),
    "level": Text("by the mean of the class", "按全班平均分"),
}


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a class has to practise."""

    id: str  # `rule:parallel-fifth`, `belief:D5`, `chord:minor V7`, `level:int.name 3`
    name: Text
    weight: float  # share of the students, or of the points that were lost


@dataclass(frozen=True, slots=True)
class Served:
    """A need that a proposal serves."""

    need: str
    name: Text
    weight: float
    how: How
    reason: Text


@dataclass(frozen=True, slots=True)
class Proposal:
    """A kind at a level, with the command that makes the set."""

    kind: str
    title: Text
    level: int
    serves: tuple[Served, ...]
    command: str


@dataclass(frozen=True, slots=True)
class NextSet:
    """What to do next."""

    proposals: tuple[Proposal, ...]  # the most needed first
    left: tuple[Need, ...]  # needs that nothing near serves


def next_set(
    records: Sequence[ClassRecord],
    *,
    most: int = 5,
    count: int = 10,
    seed: int | None = None,
    lang: Lang = "en",
    told: Callable[[int, int], None] | None = None,
) -> NextSet:
    """Kinds and levels for what went wrong.

    Args:
        records: reports of a class, an item each.
        most: proposals.
        count: items of each.
        seed: of the new items; else well past those of the reports.
        lang: of the sheets that the commands make.
        told: hears how many kinds were looked at, and of how many.

    Raises:
        OptionError: a number out of range.
        UnknownNameError: a report is of a kind that is not known.
    """
    for option, number in (("--most", most), ("--count", count)):
        if number < 1:
            raise OptionError(option, number, "a whole number from 1")
    if seed is not None and seed < 0:
        raise OptionError("--seed", seed, "a whole number from 0")
    for each in records:
        kind(each.kind)
    first = max(each.seed for each in records) + PAST if seed is None else seed
    needs = {need.id: need for need in _needs(records)}
    served: dict[tuple[str, int], list[Served]] = {}
    places = list(dict.fromkeys(_near(records, needs)))
    for done, (name, level) in enumerate(places, 1):
        served[name, level] = _serves(name, level, first, needs)
        if told is not None:
            told(done, len(places))
    proposals = [
        Proposal(
            name, kind(name).title, level, tuple(serves), _command(name, level, count, first, lang)
        )
        for name, level, serves in _cover(served, set(needs), most)
    ]
    reached = {each.need for proposal in proposals for each in proposal.serves}
    return NextSet(tuple(proposals), tuple(n for n in needs.values() if n.id not in reached))


# --- needs ----------------------------------------------------------------------------------


def _needs(records: Sequence[ClassRecord]) -> Iterator[Need]:
    """What the reports call for, the heaviest first."""
    found: dict[str, Need] = {}
    for record in records:
        own = list(_errors(record))
        for need in own or _level_needs(record):
            before = found.get(need.id)
            if before is None or before.weight < need.weight:
                found[need.id] = need
    yield from sorted(found.values(), key=lambda need: (-need.weight, need.id))


def _errors(record: ClassRecord) -> Iterator[Need]:
    if not record.marked:
        return
    for scheme, troubles in (("rule", record.rules), ("belief", record.misconceptions)):
        for each in troubles:
            share = each.students / record.marked
            if share >= COMMON:
                yield Need(f"{scheme}:{each.id}", each.name, round(share, 3))
    for place in record.places:
        if place.chord and place.share < REALISED:
            symbol = place.chord.partition(":")[2]
            yield Need(place.chord, Text(symbol, symbol), round(1 - place.share, 3))


def _level_needs(record: ClassRecord) -> Iterator[Need]:
    """Where no error is common: a level up, the same, or a level down, by the mean."""
    step = (record.mean >= MASTERED) - (record.mean < WEAK) if record.marked else 0
    level = min(max(record.level + step, LEVELS[0]), LEVELS[-1])
    title = kind(record.kind).title
    name = Text(
        f"{title.en}: a mean of {record.mean:.0%} at level {record.level}",
        f"{title.zh}：第 {record.level} 级平均 {record.mean:.0%}",
    )
    if not record.marked:
        name = Text(f"{title.en}: no answer could be read", f"{title.zh}：没有可读的答案")
    yield Need(f"level:{record.kind} {level}", name, round(1 - record.mean, 3))


# --- kinds that may serve -------------------------------------------------------------------


def _near(records: Sequence[ClassRecord], needs: Collection[str]) -> Iterator[tuple[str, int]]:
    """Kinds and levels worth a look: the kind itself, its family, faults to find, chords to spell."""
    chords = any(need.startswith("chord:") for need in needs)
    for record in records:
        own = kind(record.kind)
        levels = sorted({max(record.level - 1, LEVELS[0]), record.level})
        if not any(_errors(record)):
            levels.append(min(record.level + 1, LEVELS[-1]))
        yield from ((own.id, level) for level in levels)
        if not any(_errors(record)):
            continue
        for other in kinds().values():
            if other.id != own.id and _related(other, own, chords=chords):
                yield from ((other.id, level) for level in levels)


def _related(other: Kind, own: Kind, *, chords: bool) -> bool:
    if own.grader in SCORE_GRADERS:
        finds = other.grader == FAULT_GRADER and _has_chords(other) == _has_chords(own)
        family = other.family == own.family and other.grader in SCORE_GRADERS
        spells = chords and other.grader not in SCORE_GRADERS and other.family in CHORDAL
        return finds or family or spells
    return other.family == own.family and other.grader == own.grader


CHORDAL = ("E", "F")  # families of chords and of their symbols


def _has_chords(each: Kind) -> bool:
    """Whether a kind is of harmony, not of species counterpoint."""
    return each.family != "J"


def _serves(name: str, level: int, seed: int, needs: dict[str, Need]) -> list[Served]:
    """Needs that the first items of a set have to do with."""
    found: dict[str, How] = {}
    wanted = [need.partition(":")[2] for need in needs if need.startswith("rule:")]
    for item in _sample(name, level, seed):
        found |= dict.fromkeys((f"belief:{e.misconception}" for e in item.distractors), "warned")
        found |= dict.fromkeys(_chords_of(item), "held")
        if wanted and kind(name).grader in SCORE_GRADERS:
            found |= dict.fromkeys((f"rule:{e}" for e in _exercised(item, wanted)), "exercised")
        found |= dict.fromkeys((node for node in item.kg if node.startswith("rule:")), "planted")
        found[f"level:{name} {level}"] = "level"
    return [
        Served(need.id, need.name, need.weight, found[need.id], REASONS[found[need.id]])
        for need in needs.values()
        if need.id in found
    ]


def _sample(name: str, level: int, seed: int) -> Iterator[Item]:
    """The first items of a set, as the command makes them; of scores one, which take long."""
    size = 1 if kind(name).grader in SCORE_GRADERS else SAMPLE
    try:
        yield from (made.item for made in make_items(name, level, seed, size))
    except MakingError:  # this seed gives none, or the level has fewer; what came is looked at
        return


def _chords_of(item: Item) -> Iterator[str]:
    """Chords that an item has to do with, as nodes of one make."""
    for node in item.kg:
        scheme, _, rest = node.partition(":")
        if scheme in ("chord", "numeral"):
            yield f"chord:{rest}"


def _exercised(item: Item, wanted: Iterable[str]) -> frozenset[str]:
    """Of some rules those that the model answer exercises, by the item's own rubric."""
    observed = mark(item, item.solutions.model).observed
    if observed is None:
        return frozenset()
    style = rubric_style(load_rubric(item.rubric), observed.task.style)
    return exercised_rules(observed.piece, style, tuple(wanted))


# --- the choice -----------------------------------------------------------------------------


def _cover(
    served: dict[tuple[str, int], list[Served]], open_needs: set[str], most: int
) -> Iterator[tuple[str, int, list[Served]]]:
    """Kinds in turn, each the one that serves most of what is open; the earlier where alike."""
    left = dict(served)
    for _ in range(most):
        gains = {
            place: sum(each.weight for each in serves if each.need in open_needs)
            for place, serves in left.items()
            if any(each.need in open_needs for each in serves)
        }
        if not gains:
            return
        best = max(gains, key=gains.__getitem__)
        name, level = best
        yield name, level, [each for each in left.pop(best) if each.need in open_needs]
        open_needs -= {each.need for each in served[best]}


def _command(name: str, level: int, count: int, seed: int, lang: Lang) -> str:
    tongue = "" if lang == "en" else f" --lang {lang}"
    return (
        f"musegen exercise make {name} --level {level} --count {count} --seed {seed}{tongue} "
        f"--out next/{name}-l{level}"
    )
