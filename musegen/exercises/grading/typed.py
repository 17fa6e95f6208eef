"""Grading of typed answers, choices and numbers: slot by slot, each by the reader of its part."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import zip_longest
from typing import Any

from musegen.exercises.grading.graded import Clause, Graded, Status
from musegen.exercises.grading.plain import plain
from musegen.exercises.grading.readers import READERS, WRONG, Context, Judgement, Reader
from musegen.exercises.item import Answer, Ask, Draft, Item, Text
from theory_kb.errors import MusegenError

__all__ = ["BLANKS", "grade_part", "grade_typed", "read_slots", "same_answer", "slot_texts"]

BETWEEN_WORDS = re.compile(r"\s*[,;|]\s*")
BETWEEN_SLOTS = re.compile(r"[\s,;|]+")
BLANKS = ("?", "-", "_")  # a slot that was left out on purpose
NO_POINTS = Fraction(0)
Marked = tuple[list[Clause], list[Text]]


def grade_typed(item: Item, answer: Answer) -> Graded:
    """Grade all parts of an item whose answers are typed."""
    given = {name: text for name, text in answer.items() if plain(text)}
    clauses: list[Clause] = []
    notes: list[Text] = []
    for part in item.ask:
        found, said = grade_part(item, part, given.get(part.id, ""))
        clauses += found
        notes += said
    status: Status = "graded" if len(given) == len(item.ask) else "partial"
    points = sum((each.got for each in clauses), NO_POINTS)
    return Graded(
        status if given else "blank",
        points,
        Fraction(item.points),
        tuple(clauses),
        notes=tuple(notes),
    )


def grade_part(draft: Draft, part: Ask, text: str) -> Marked:
    """Clauses and notes of one part, by that accepted answer which it comes nearest to."""
    context = Context(draft, part)
    accepted = draft.solutions.accepted[part.id]
    outcomes = [_against(context, key, text) for key in accepted]
    clauses, notes = max(outcomes, key=lambda outcome: sum(each.got for each in outcome[0]))
    if sum(each.got for each in clauses) < part.points:
        notes += _diagnosis(context, text)
    return clauses, notes


def same_answer(draft: Draft, part: Ask, one: str, other: str) -> bool:
    """Whether two answers to a part read alike."""
    if plain(one) == plain(other):
        return True
    context = Context(draft, part)
    reader = READERS[part.reader]
    first, _ = read_slots(context, slot_texts(reader, one))
    second, _ = read_slots(context, slot_texts(reader, other))
    if None in first or None in second or len(first) != len(second):
        return False
    if not reader.ordered:
        return all(any(reader.compare(a, b, context).share == 1 for b in second) for a in first)
    pairs = zip(first, second, strict=True)
    return all(reader.compare(a, b, context).share == 1 for a, b in pairs)


def _diagnosis(context: Context, text: str) -> list[Text]:
    """What is told who gives an answer that a known misconception leads to."""
    if not plain(text):
        return []
    wrong = (each for each in context.draft.distractors if each.part == context.part.id)
    return [
        each.said for each in wrong if same_answer(context.draft, context.part, each.value, text)
    ][:1]


def _against(context: Context, key: str, text: str) -> Marked:
    """Clauses of an answer beside one accepted answer."""
    part = context.part
    reader = READERS[part.reader]
    wanted = [
        [reader.read(way, context) for way in slot.split("=")] for slot in slot_texts(reader, key)
    ]
    answered, notes = read_slots(context, slot_texts(reader, text))
    if not reader.ordered:
        return _unordered(context, [ways[0] for ways in wanted], answered), notes
    most = Fraction(part.points, len(wanted))
    clauses = []
    for place, (ways, value) in enumerate(zip_longest(wanted, answered), start=1):
        if ways is None:
            break
        judged = [WRONG if value is None else reader.compare(way, value, context) for way in ways]
        best = max(judged, key=lambda each: each.share)
        clauses.append(_clause(part, place if len(wanted) > 1 else 0, best, most))
    if len(answered) > len(wanted):
        clauses[-1] = _spoiled(clauses[-1], len(wanted), len(answered))
    return clauses, notes


def _clause(part: Ask, place: int, judged: Judgement, most: Fraction) -> Clause:
    where = str(place) if place else ""
    return Clause(part.reader, part.id, where, judged.share * most, most, judged.said)


def _spoiled(clause: Clause, wanted: int, answered: int) -> Clause:
    """A slot's clause where more was answered than asked: the surplus is not free."""
    said = Text(f"{wanted} asked, {answered} given", f"应填 {wanted} 项，填了 {answered} 项")
    return Clause(clause.id, clause.part, clause.place, NO_POINTS, clause.most, said)


def slot_texts(reader: Reader, text: str) -> list[str]:
    """The slots of a typed answer, parted by spaces, commas, semicolons or bars."""
    clean = plain(text)
    if not clean:
        return []
    if not reader.slots:
        return [clean]
    between = BETWEEN_WORDS if reader.words and BETWEEN_WORDS.search(clean) else BETWEEN_SLOTS
    return [each for each in between.split(clean) if each]


def read_slots(context: Context, slots: Sequence[str]) -> tuple[list[Any], list[Text]]:
    """Values of slots, None where one is left out or cannot be read, and what is said of those."""
    reader = READERS[context.part.reader]
    values: list[Any] = []
    notes = []
    for place, text in enumerate(slots, start=1):
        if text in BLANKS and reader.slots:
            values.append(None)
            continue
        try:
            values.append(reader.read(text, context))
        except MusegenError as error:
            values.append(None)
            notes.append(Text(f"slot {place}: {error}", f"第 {place} 项无法识别：{text}"))
    return values, notes


def _unordered(context: Context, wanted: list[Any], answered: list[Any]) -> list[Clause]:
    """A set: each wanted value once; what is not wanted takes the share of one away."""
    part, reader = context.part, READERS[context.part.reader]
    most = Fraction(part.points, len(wanted))
    left = [value for value in answered if value is not None]
    clauses = []
    for place, right in enumerate(wanted, start=1):
        judged = [reader.compare(right, value, context) for value in left]
        best = max(range(len(left)), key=lambda at: judged[at].share, default=-1)
        if best >= 0 and judged[best].share > 0:
            left.pop(best)
            clauses.append(_clause(part, place, judged[best], most))
        else:
            clauses.append(_clause(part, place, WRONG, most))
    if left:
        surplus = min(len(left) * most, sum((each.got for each in clauses), NO_POINTS))
        said = Text(f"{len(left)} too many", f"多填 {len(left)} 项")
        clauses.append(Clause("surplus", part.id, "", -surplus, NO_POINTS, said))
    return clauses
