"""Exercises on rhythm and metre."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from math import floor

from musegen.exercises.distractors import Wrong, wrong_numbers
from musegen.exercises.item import Draft, Given, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.drafting import Part, Words, draft_of
from musegen.exercises.makers.showing import shown_rhythm
from musegen.exercises.metres import (
    Rhythm,
    bar_lines,
    beam_groups,
    draw_bar,
    metre_of,
    rests_after,
    total,
)
from musegen.exercises.rhythm_text import (
    TUPLETS,
    RhythmValue,
    read_rhythm,
    rhythm_text,
    value_of,
)
from musegen.io.notation import beat
from musegen.score import Metre

__all__ = [
    "answer_rhythm",
    "complete_with_rests",
    "convert_metre",
    "count_values",
    "find_metre",
    "group_beams",
    "measure_tuplet",
    "place_bar_lines",
]

RHYTHM = Text("rhythm", "节奏")


def _bars(work: Work, metre: Metre) -> list[Rhythm]:
    cells = work.params["cells"]
    return [draw_bar(metre, cells, work.rng) for _ in range(work.params["bars"])]


def _barred(bars: Sequence[Rhythm]) -> str:
    return " | ".join(rhythm_text(bar) for bar in bars)


def _flat(bars: Sequence[Rhythm]) -> Rhythm:
    return tuple(value for bar in bars for value in bar)


def _number(value: Fraction) -> str:
    return (
        str(value.numerator) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
    )


def find_metre(work: Work) -> Draft:
    """Bars without time signature: the one that their sum and beams show."""
    names = work.params["metres"]
    name = work.pick(names)
    metre = metre_of(name)
    rivals = [metre_of(other) for other in names if other != name]
    bars = _told_apart(work, metre, [each for each in rivals if each.bar == metre.bar])
    beats = int(metre.bar / beat(metre))
    words: Words = {
        "rhythm": _barred(bars),
        "quarters": _number(metre.bar),
        "beats": str(beats),
        "metre": name,
    }
    wrong = [Wrong(other, "D14") for other in names if other != name]
    wrong += [
        Wrong(f"{metre.beats}/{2 * metre.unit}", "D8"),
        Wrong(f"{beats + 1}/{metre.unit}", "D2"),
    ]
    given = shown_rhythm(_beamed(bars, metre), bars, metre, hidden=True)
    part = Part((name,), "choice", Text("time signature", "拍号"), wrong)
    return draft_of(work, given, part, words)


TRIES = 30


def _told_apart(work: Work, metre: Metre, rivals: Sequence[Metre]) -> list[Rhythm]:
    """Bars whose beams no other metre of the same length shares."""
    for _ in range(TRIES):
        bars = _bars(work, metre)
        if not any(_alike(bars, metre, rival) for rival in rivals):
            return bars
    raise DiscardError("beams that two metres share")


def _alike(bars: Sequence[Rhythm], one: Metre, other: Metre) -> bool:
    return all(beam_groups(bar, one) == beam_groups(bar, other) for bar in bars)


def _beamed(bars: Sequence[Rhythm], metre: Metre) -> str:
    """Bars as text with the sizes of their beams."""
    groups = [" ".join(map(str, beam_groups(bar, metre))) for bar in bars]
    return " | ".join(
        f"{rhythm_text(bar)} (beams {group or 'none'})"
        for bar, group in zip(bars, groups, strict=True)
    )


def place_bar_lines(work: Work) -> Draft:
    """A rhythm without bar lines: after which values they stand."""
    metre = metre_of(work.pick(work.params["metres"]))
    bars = _bars(work, metre)
    upbeat = bool(work.params.get("upbeat"))
    if upbeat:
        count = int(metre.bar / beat(metre))
        bars = [
            draw_bar(metre, work.params["cells"], work.rng, beats=1),
            *bars[:-1],
            draw_bar(metre, work.params["cells"], work.rng, beats=count - 1),
        ]
    values = _flat(bars)
    places = bar_lines(values, metre, total(bars[0]) if upbeat else Fraction(0))
    if not places:
        raise DiscardError("one bar only")
    words: Words = {
        "metre": str(metre),
        "upbeat": Text(
            f", with an upbeat of {total(bars[0])} quarter notes" if upbeat else "",
            f"，弱起 {total(bars[0])} 个四分音符" if upbeat else "",
        ),
        "rhythm": rhythm_text(values),
        "quarters": _number(metre.bar),
        "first": str(places[0]),
        "bars": _barred(bars),
    }
    shifted = " ".join(str(place + 1) for place in places)
    wrong = [Wrong(shifted, "D8")]
    if upbeat:
        wrong.append(Wrong(_without_upbeat(values, metre), "D5", UPBEAT))
    given = shown_rhythm(f"{metre}: {rhythm_text(values)}", [values], None)
    answer = " ".join(map(str, places))
    part = Part((answer,), "number-set", Text("after values", "第几个时值之后"), wrong, len(places))
    return draft_of(work, given, part, words)


UPBEAT = Text("the upbeat was counted as a full bar; the last bar completes it",
              "把弱起当作整小节了；末小节应与弱起合成一小节")  # fmt: skip


def _without_upbeat(values: Rhythm, metre: Metre) -> str:
    """Where bar lines come to stand if the first value is taken for a first beat."""
    places = bar_lines(values, metre)
    return " ".join(map(str, places or [len(values)]))


def complete_with_rests(work: Work) -> Draft:
    """A bar that breaks off: the rests that fill it."""
    metre = metre_of(work.pick(work.params["metres"]))
    cells = work.params["cells"]
    beats = int(work.pick(work.params["filled"][str(metre)]))
    filled = draw_bar(metre, cells, work.rng, beats=beats)
    values = (*filled, *read_rhythm(work.pick(work.params.get("cut", [""]))))
    if not values or total(values) >= metre.bar:
        raise DiscardError("nothing to complete")
    rests = rests_after(values, metre, metre.bar)
    if len(rests) > work.params["most"]:
        raise DiscardError("more rests than the level asks for")
    answer = rhythm_text(rests)
    words: Words = {
        "metre": str(metre),
        "rhythm": rhythm_text(values),
        "first": str(rests[0]),
        "answer": answer,
    }
    wrong = [Wrong(each, "D12", GROUPING) for each in _regrouped(rests)]
    longer = tuple(RhythmValue(each.letter, 1 - min(each.dots, 1), rest=True) for each in rests)
    wrong.append(Wrong(rhythm_text(longer), "D8"))
    whole = value_of(total(rests) * 2, rest=True)
    wrong += [Wrong(str(whole), "D14")] if whole else []
    given = shown_rhythm(f"{metre}: {rhythm_text(values)}", [values], metre)
    part = Part((answer,), "rhythm", Text("rests", "休止符"), wrong, len(rests))
    return draft_of(work, given, part, words)


GROUPING = Text(
    "the sum is right, but the grouping hides the beat", "时值总和正确，但组合掩盖了拍子"
)


def _regrouped(rests: Rhythm) -> list[str]:
    """The same silence in other signs: joined, turned round, cut in halves."""
    found = [rhythm_text(rests[::-1])]
    joined = value_of(total(rests), rest=True)
    if joined is not None:
        found.append(str(joined))
    halves = [value_of(each.length / 2, rest=True) for each in rests]
    if all(halves):
        found.append(" ".join(f"{half} {half}" for half in halves))
    return [each for each in found if each != rhythm_text(rests)]


def group_beams(work: Work) -> Draft:
    """A bar of short notes: how they are beamed."""
    metre = metre_of(work.pick(work.params["metres"]))
    bar = _short_notes(work, metre)
    groups = beam_groups(bar, metre)
    answer = " ".join(map(str, groups))
    ways = [answer, *_halves(bar, metre)]
    words: Words = {
        "metre": str(metre),
        "rhythm": rhythm_text(bar),
        "beat": _number(beat(metre)),
        "first": str(groups[0]),
        "answer": answer,
    }
    wrong = [Wrong(" ".join(map(str, groups[::-1])), "D3"), Wrong(str(sum(groups)), "D14")]
    wrong.append(Wrong(" ".join("1" for _ in range(sum(groups))), "D5"))
    wrong.append(Wrong(" ".join(map(str, (groups[0] + groups[1], *groups[2:]))), "D14", ACROSS))
    given = shown_rhythm(f"{metre}: {rhythm_text(bar)}", [bar], None)
    part = Part(tuple(dict.fromkeys(ways)), "numbers", Text("groups", "各组"), wrong, len(groups))
    return draft_of(work, given, part, words)


def _short_notes(work: Work, metre: Metre) -> Rhythm:
    """A bar with two beams at least."""
    for _ in range(TRIES):
        bar = draw_bar(metre, work.params["cells"], work.rng)
        if len(beam_groups(bar, metre)) > 1:
            return bar
    raise DiscardError("too few short notes")


ACROSS = Text("a beam goes across the beat", "符尾跨越了拍点")


def _halves(bar: Rhythm, metre: Metre) -> list[str]:
    """Plain eighths of a half bar of 4/4, of a bar of 3/4, may share one beam."""
    if any(str(value) != "e" for value in bar) or str(metre) not in ("4/4", "2/4", "3/4"):
        return []
    return ["4 4"] if str(metre) == "4/4" else [str(len(bar))]


# --- rewriting ------------------------------------------------------------------------------


def convert_metre(work: Work) -> Draft:
    """Bars of simple time in compound time, or the other way: the sound stays."""
    source, target = work.pick(work.params["pairs"])
    here, there = metre_of(source), metre_of(target)
    bars = _bars(work, here)
    scale = beat(there) / beat(here)
    converted = [tuple(_rewritten(value, scale) for value in bar) for bar in bars]
    answer = rhythm_text(_flat(converted))
    task = Text(f"Rewrite from {source} in {target}, with the same sound:",
                f"由 {source} 改写为 {target}，音响不变：")  # fmt: skip
    words: Words = {
        "task": task,
        "rhythm": _barred(bars),
        "unit": _number(beat(here)),
        "target": _number(beat(there)),
        "first": str(converted[0][0]),
        "answer": answer,
    }
    wrong = [Wrong(rhythm_text(_flat(bars)), "D14", COPIED)]
    given = shown_rhythm(f"{source}: {_barred(bars)}", bars, here)
    values = _flat(converted)
    part = Part((answer,), "rhythm", RHYTHM, wrong, len(values))
    return draft_of(work, given, part, words)


COPIED = Text("the values were kept: three parts of a beat must change",
              "时值照抄了：一拍的三等分必须改写")  # fmt: skip


def _rewritten(value: RhythmValue, scale: Fraction) -> RhythmValue:
    """A value that lasts `scale` times as long, plain if it can, else of a tuplet."""
    length = value.length * scale
    plain = value_of(length, rest=value.rest)
    if plain is not None and plain.dots < 2:
        return plain
    for number in (3, 2):
        written = value_of(length / TUPLETS[number])
        if written is not None and not written.dots:
            return RhythmValue(written.letter, 0, number, value.rest)
    raise DiscardError("a value without counterpart")


def count_values(work: Work) -> Draft:
    """How many of one value in another."""
    pairs = [
        (large, small)
        for large in map(read_rhythm, work.params["large"])
        for small in map(RhythmValue.parse, work.params["small"])
        if (ratio := total(large) / small.length).denominator == 1 and ratio > 1
    ]
    large, small = work.pick(pairs)
    count = total(large) / small.length
    answer = int(count)
    words: Words = {
        "small": str(small),
        "large": rhythm_text(large),
        "large_quarters": _number(total(large)),
        "small_quarters": _number(small.length),
        "floor": str(floor(count / 2)),
        "answer": str(answer),
    }
    undotted = [RhythmValue(each.letter) for each in large]
    bare = total(undotted) / small.length
    others = [int(bare)] if bare.denominator == 1 and bare != count else []
    wrong = wrong_numbers(answer, others)
    given = shown_rhythm(f"{rhythm_text(large)} : {small}", [large], None)
    return draft_of(
        work, given, Part((str(answer),), "number", Text("number", "个数"), wrong), words
    )


NESTED = re.compile(r"\[(.+)\]/(\d)")


def measure_tuplet(work: Work) -> Draft:
    """A tuplet, or one within another: the plain value that lasts as long."""
    text = work.pick(work.params["groups"])
    nested = NESTED.fullmatch(text)
    inner = read_rhythm(nested[1] if nested else text)
    number = int(nested[2]) if nested else inner[0].tuplet
    scale = TUPLETS[number]
    length = total(inner) * (scale if nested else 1)
    answer = value_of(length)
    if answer is None:
        raise DiscardError("no plain value lasts as long")
    plain = length / scale
    words: Words = {
        "group": text,
        "plain": _number(plain),
        "scale": _number(scale),
        "quarters": _number(length),
        "answer": str(answer),
    }
    double, half, dotted = value_of(length * 2), value_of(length / 2), value_of(length * 3 / 2)
    wrong = [
        Wrong(str(each), op) for each, op in ((double, "D8"), (half, "D2"), (dotted, "D14")) if each
    ]
    given = Given(text) if nested else shown_rhythm(text, [inner], None)
    part = Part((str(answer),), "rhythm", Text("value", "时值"), wrong)
    return draft_of(work, given, part, words)


def answer_rhythm(work: Work) -> Draft:
    """An opening rhythm: one that answers it, judged by its features."""
    metre = metre_of(work.pick(work.params["metres"]))
    cells, count = work.params["cells"], int(work.params["bars"])
    upbeat: Rhythm = ()
    if work.params.get("upbeat"):
        upbeat = draw_bar(metre, cells, work.rng, beats=1)
    last = _last_bar(metre, upbeat)
    bars = _other_bars(work, metre, count, [last])
    fresh = _other_bars(work, metre, 1, [last, *bars])
    before = [upbeat] if upbeat else []
    opening = [*before, *bars]
    if upbeat:
        beats = int(metre.bar / beat(metre)) - 1
        opening[-1] = draw_bar(metre, cells, work.rng, beats=beats)
    model = [*before, bars[0], *([*fresh, bars[1]] if count > 2 else []), last]
    words: Words = {
        "bars": str(count),
        "metre": str(metre),
        "rhythm": _barred(opening),
        "quarters": _number(metre.bar),
        "last": rhythm_text(last),
        "answer": _barred(model),
    }
    given = shown_rhythm(f"{metre}: {_barred(opening)}", opening, metre, upbeat=bool(upbeat))
    part = Part((_barred(model),), "rhythm", RHYTHM, (), 10)
    facts = {
        "metre": str(metre),
        "bars": str(count),
        "opening": _barred(opening),
        "upbeat": str(total(upbeat)),
    }
    return draft_of(work, given, part, words, facts=facts)


def _other_bars(work: Work, metre: Metre, count: int, known: Sequence[Rhythm]) -> list[Rhythm]:
    """Bars that are none of those known."""
    found: list[Rhythm] = []
    for _ in range(TRIES):
        bar = draw_bar(metre, work.params["cells"], work.rng)
        if bar not in known:
            found.append(bar)
        if len(found) == count:
            return found
    raise DiscardError("too few different bars")


def _last_bar(metre: Metre, upbeat: Rhythm) -> Rhythm:
    """A long note that fills what the upbeat leaves of the last bar."""
    note = value_of(metre.bar - total(upbeat))
    if note is None:
        note = value_of(beat(metre) * 2) or value_of(beat(metre))
        assert note is not None  # a beat is a plain or dotted value
        return (note, *rests_after((note,), metre, metre.bar - total(upbeat)))
    return (note,)
