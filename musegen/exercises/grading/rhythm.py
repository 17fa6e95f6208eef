"""Grading of an answering rhythm by its features: bars filled, strong end, motive, something new.

Ten points: four that the bars are full, two that it ends long on a strong beat, two that a share of
the motive comes again, two that something is new. What is a motive is a bar; the share of it that
should return follows Caplin, Classical Form (1998), ch. 3, on basic and contrasting ideas.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from musegen.exercises.grading.graded import Clause, Graded
from musegen.exercises.grading.plain import plain
from musegen.exercises.item import Answer, Item, Text
from musegen.exercises.metres import metre_of, total
from musegen.exercises.rhythm_text import RhythmError, RhythmValue, read_rhythm
from theory_kb.metre import beat_strength
from theory_kb.moment import TICKS

__all__ = ["grade_rhythm"]

PART = "answer"
FULL, STRONG, MOTIVE, FRESH = Fraction(4), Fraction(2), Fraction(2), Fraction(2)
LEAST, MOST = Fraction(1, 5), Fraction(4, 5)  # share of the answer's time that is of the opening
LONG = Fraction(1)  # quarter notes of a last note, at least


def grade_rhythm(item: Item, answer: Answer) -> Graded:
    """Grade the answering rhythm of an item."""
    text = plain(answer.get(PART, ""))
    most = Fraction(item.points)
    if not text:
        return Graded("blank", Fraction(0), most)
    try:
        values = read_rhythm(text)
    except RhythmError as error:
        note = Text(str(error), f"节奏无法识别：{error}")
        return Graded("refused", Fraction(0), most, notes=(note,))
    bars = _cut(values, item)
    clauses = (_sums(bars, item), _close(values, item), *_material(bars, item))
    return Graded("graded", sum((each.got for each in clauses), Fraction(0)), most, clauses)


def _lengths(item: Item) -> list[Fraction]:
    """Lengths of the bars that are wanted, the upbeat among them."""
    bar, upbeat = metre_of(item.facts["metre"]).bar, Fraction(item.facts["upbeat"])
    count = int(item.facts["bars"])
    lengths = [bar] * count
    return [upbeat, *lengths[:-1], bar - upbeat] if upbeat else lengths


def _cut(values: Sequence[RhythmValue], item: Item) -> list[tuple[RhythmValue, ...]]:
    """Values by bar; one that goes over a bar line stays in the bar where it begins."""
    ends: list[Fraction] = []
    time = Fraction(0)
    for length in _lengths(item):
        ends.append((ends[-1] if ends else Fraction(0)) + length)
    bars: list[list[RhythmValue]] = [[] for _ in ends]
    for value in values:
        place = next((at for at, end in enumerate(ends) if time < end), len(ends) - 1)
        bars[place].append(value)
        time += value.length
    return [tuple(bar) for bar in bars]


def _sums(bars: Sequence[tuple[RhythmValue, ...]], item: Item) -> Clause:
    lengths = _lengths(item)
    wrong = [
        number
        for number, (bar, length) in enumerate(zip(bars, lengths, strict=True), 1)
        if total(bar) != length
    ]
    got = FULL * (len(lengths) - len(wrong)) / len(lengths)
    said = None
    if wrong:
        names = ", ".join(map(str, wrong))
        said = Text(f"bars that are not full or too full: {names}", f"时值不符的小节：{names}")
    return Clause("metre_sum", PART, "", got, FULL, said)


def _close(values: Sequence[RhythmValue], item: Item) -> Clause:
    """The last note begins on a strong beat and is a quarter note or longer."""
    metre = metre_of(item.facts["metre"])
    notes = [place for place, value in enumerate(values) if not value.rest]
    said = Text("end with a longer note on a strong beat", "应以强拍上的较长音结束")
    if not notes:
        return Clause("strong_end", PART, "", Fraction(0), STRONG, said)
    onset = total(values[: notes[-1]]) - Fraction(item.facts["upbeat"])
    position = int(onset % metre.bar * TICKS)
    strong = beat_strength(metre.beats, metre.unit, position) >= 3
    right = strong and values[notes[-1]].length >= LONG
    return Clause("strong_end", PART, "", STRONG if right else Fraction(0), STRONG,
                  None if right else said)  # fmt: skip


def _material(bars: Sequence[tuple[RhythmValue, ...]], item: Item) -> tuple[Clause, Clause]:
    """How much is of the opening, and whether anything is not."""
    opening = [read_rhythm(bar) for bar in item.facts["opening"].split("|")]
    known = {tuple((value.length, value.rest) for value in bar) for bar in opening}
    taken = [bar for bar in bars if tuple((value.length, value.rest) for value in bar) in known]
    length = sum((total(bar) for bar in bars), Fraction(0))
    share = sum((total(bar) for bar in taken), Fraction(0)) / length
    few = Text("take up a bar of the opening", "应吸收所给节奏的一小节")
    copied = Text("bring something new", "应有新的材料")
    motive = Clause("motive", PART, "", MOTIVE if share >= LEAST else Fraction(0), MOTIVE,
                    None if share >= LEAST else few)  # fmt: skip
    fresh = Clause("variety", PART, "", FRESH if share <= MOST else Fraction(0), FRESH,
                   None if share <= MOST else copied)  # fmt: skip
    return motive, fresh
