"""Themes of eight bars and more, built of ideas as theory describes them: which they are.

Units are two bars long: an idea that comes again has the same notes, a fragment comes again a step
lower, a close is a long note over its cadence. Source: Caplin, Classical Form (1998), ch. 3 to 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from musegen.exercises.distractors import Wrong
from musegen.exercises.grading.composition import CLAUSES, PART, grade_theme
from musegen.exercises.grading.voice_text import write_line
from musegen.exercises.item import Ask, Draft, Item, Solutions, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.drafting import Part, Words, draft_of, draw_key, filled
from musegen.exercises.makers.hearing import barred
from musegen.exercises.makers.showing import shown, shown_begun
from musegen.exercises.makers.tunes import TuneFrame, frame_of, tune_over
from musegen.exercises.metres import draw_bar, metre_of
from musegen.exercises.names import key_text
from musegen.io.examples import Example, ExampleStaff, Sign
from musegen.io.notation import beat
from musegen.score import Metre, Note
from theory_kb.pitch import Key

__all__ = ["Theme", "built_theme", "continue_theme", "name_theme"]

THEMES: Mapping[str, Text] = {
    "period-parallel": Text("parallel period", "平行乐段"),
    "period-contrasting": Text("contrasting period", "对比乐段"),
    "sentence": Text("sentence", "乐句式（句型）"),
    "hybrid-1": Text("hybrid: antecedent + continuation", "混合式：前句 + 延续"),
    "hybrid-3": Text("hybrid: compound basic idea + continuation", "混合式：复合乐思 + 延续"),
    "hybrid-4": Text("hybrid: compound basic idea + consequent", "混合式：复合乐思 + 后句"),
}
PLANS: Mapping[str, tuple[str, ...]] = {  # units of two bars; `|` begins the second half
    "period-parallel": ("a", "half", "|", "a", "full"),
    "period-contrasting": ("a", "half", "|", "d", "full"),
    "sentence": ("a", "a", "|", "f", "full"),
    "hybrid-1": ("a", "half", "|", "f", "full"),
    "hybrid-3": ("a", "b", "|", "f", "full"),
    "hybrid-4": ("a", "b", "|", "a", "full"),
}
EXPANDED: Mapping[str, tuple[str, ...]] = {  # an extra unit before the close of either half
    "period-parallel": ("a", "b", "half", "|", "a", "full"),
    "period-contrasting": ("a", "half", "|", "d", "evaded", "full"),
    "sentence": ("a", "a", "|", "f", "evaded", "full"),
    "hybrid-1": ("a", "half", "|", "f", "evaded", "full"),
    "hybrid-4": ("a", "b", "|", "a", "evaded", "full"),
}
HARMONY: Mapping[str, tuple[str, str]] = {  # of each unit, a chord a bar, in major and minor
    "a": ("I I", "i i"),
    "b": ("IV I", "iv i"),
    "d": ("vi IV", "VI iv"),
    "f": ("vi V", "VI V"),
    "half": ("ii V", "iv V"),
    "evaded": ("V vi", "V VI"),
    "full": ("V I", "V i"),
}
CLOSED = ("half", "evaded", "full")
MIDDLE: Mapping[str, Text] = {
    "hc": Text("half cadence", "半终止"),
    "none": Text("no cadence", "无终止"),
}
BARS = 2  # of a unit
MOST_LEAPS = 5
Rhythm = list[tuple[Fraction, Fraction]]


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme that was drawn."""

    name: str
    frame: TuneFrame
    notes: tuple[Note, ...]
    second: int  # bar in which the second half begins
    middle: str  # how the first half closes
    roman: tuple[str, ...]  # a chord a bar


def name_theme(work: Work) -> Draft:
    """A melody with its chords: its type, how its first half closes, where the second begins.

    Parameters: `themes`, `metres`, `cells`, `expanded` (whether a half is longer than four bars).
    """
    key = draw_key(work, most=3)
    theme = work.settle(lambda: work.settle(lambda: _theme(work, key)))
    words: Words = {
        "key": key_text(key),
        "name": THEMES[theme.name],
        "middle": MIDDLE[theme.middle],
        "second": str(theme.second),
        "bars": str(len(theme.roman)),
    }
    others = [each for each in (*work.params["themes"], *THEMES) if each != theme.name]
    wrong = [Wrong(each, "D13") for each in dict.fromkeys(others)]
    other = next(each for each in MIDDLE if each != theme.middle)
    parts = [
        Part((theme.name,), "choice", Text("theme", "主题类型"), wrong, labels=THEMES, form="choice"),
        Part((theme.middle,), "choice", Text("close of the first half", "前半终止"),
             [Wrong(other, "D13")], id="middle", options=tuple(MIDDLE), labels=MIDDLE, form="choice"),
        Part((str(theme.second),), "number", Text("bar of the second half", "后半起始小节"),
             [Wrong(str(theme.second + shift), "D8") for shift in (-1, 1)], id="second", form="text"),
    ]  # fmt: skip
    text = f"{key}: {' '.join(str(note.pitch) for note in theme.notes)} ({' '.join(theme.roman)})"
    given = shown(text, _example(theme, key))
    return draft_of(work, given, parts, words, key=key, kg=(f"form:{theme.name}",))


def _theme(work: Work, key: Key) -> Theme:
    """A theme of the level."""
    name = work.pick(work.params["themes"])
    plan = (EXPANDED if work.params.get("expanded") else PLANS)[name]
    return built_theme(work, name, plan, (key, key))


def built_theme(work: Work, name: str, plan: Sequence[str], keys: tuple[Key, Key]) -> Theme:
    """A theme of some units; the last one stands in the second of two keys."""
    units = [each for each in plan if each != "|"]
    metre = metre_of(work.pick(work.params["metres"]))
    home = [keys[0]] * (len(units) - 1)
    keyed = [
        (key, symbol)
        for unit, key in zip(units, [*home, keys[1]], strict=True)
        for symbol in HARMONY[unit][key.mode == "minor"].split()
    ]
    roman = tuple(symbol for _, symbol in keyed)
    frame = frame_of(keyed, metre.bar, metre)
    rhythm, spans = _rhythm(work, metre, units)
    first = tune_over(frame, rhythm, work.rng)
    notes = tune_over(frame, rhythm, work.rng, pinned=_pinned(units, spans, first))
    _check(units, spans, notes)
    half = plan.index("|")
    middle = "hc" if units[half - 1] == "half" else "none"
    return Theme(name, frame, notes, BARS * half + 1, middle, roman)


# --- a theme to be continued ----------------------------------------------------------------


def continue_theme(work: Work) -> Draft:
    """The opening of a theme: the rest of it.

    Parameters: `plans` (rows of units, `|` after what is given), `goal` (V where it closes there),
    `metres`, `cells`.
    """
    key = draw_key(work, most=3)
    return work.settle(lambda: work.settle(lambda: _continuation(work, key)))


def _continuation(work: Work, key: Key) -> Draft:
    """A theme to be continued whose own continuation loses no point."""
    plan = work.pick(work.params["plans"]).split()
    goal = Key(key.tonic.transposed(1), key.mode) if work.params.get("goal") == "V" else key
    theme = built_theme(work, "", plan, (key, goal))
    metre = theme.frame.metre
    opening = tuple(note for note in theme.notes if note.onset < metre.bar * (theme.second - 1))
    line, bars = write_line(theme.notes, metre.bar), len(theme.roman)
    words: Words = {
        "key": key_text(key),
        "goal": key_text(goal),
        "bars": str(bars),
        "metre": str(metre),
        "half": HALF_CLOSE if "half" in plan else Text("", ""),
        "chords": " ".join(theme.roman),
        "next": " ".join(str(n.pitch) for n in theme.notes[len(opening) : len(opening) + 3]),
        "answer": line,
    }
    given = f"Melody: {write_line(opening, metre.bar)}"
    page = Example((), key.signature, metre)
    units = [each for each in plan if each != "|"]
    kind, label = work.kind, Text("melody", "旋律")
    draft = Draft(
        key=key.name,
        given=shown_begun(f"{key}, {metre}: {given}", [("treble", opening)], metre.bar * bars, page),
        ask=(Ask(PART, "score", "score", label, MOST_POINTS, voices=("Melody",)),),
        prompt=filled(kind.instruction, words),
        uniqueness="R",
        solutions=Solutions({PART: (f"Melody: {line}",)}),
        hints=tuple(filled(hint, words) for hint in kind.hints),
        why=filled(kind.why, words),
        rubric=kind.rubric,
        kg=("form:period-parallel",),
        facts={
            "opening": given, "metre": str(metre), "bars": str(bars), "goal": goal.name,
            "half": str(BARS * (units.index("half") + 1) if "half" in units else 0),
        },
    )  # fmt: skip
    item = Item.of(draft, id=kind.id, version=kind.version, seed=0, level=work.level, lang="en")
    if not grade_theme(item, item.solutions.model).full:
        raise DiscardError("a continuation that leaves something to be wished")
    return draft


MOST_POINTS = sum(points for _, points, _ in CLAUSES.values())
HALF_CLOSE = Text(", with a half cadence in the middle", "，中间半终止")


Spans = list[tuple[range, range]]  # places of the notes of each unit, bar by bar


def _rhythm(work: Work, metre: Metre, units: Sequence[str]) -> tuple[Rhythm, Spans]:
    """A rhythm, alike where units are alike; a close ends long."""
    cells = work.params["cells"]
    bars = {unit: [_bar(work, metre, cells) for _ in range(BARS)] for unit in dict.fromkeys(units)}
    for unit in CLOSED:
        if unit in bars:
            bars[unit][1] = [(Fraction(0), metre.bar)]
    if "f" in bars:
        bars["f"][1] = bars["f"][0]
    if bars.get("d") == bars["a"]:
        raise DiscardError("a contrast that is none")
    found: Rhythm = []
    spans: Spans = []
    for number, unit in enumerate(units):
        places = []
        for at, bar in enumerate(bars[unit]):
            start = metre.bar * (BARS * number + at)
            places.append(range(len(found), len(found) + len(bar)))
            found += [(start + onset, length) for onset, length in bar]
        spans.append((places[0], places[1]))
    return found, spans


def _bar(work: Work, metre: Metre, cells: Sequence[str]) -> Rhythm:
    time, found = Fraction(0), []
    for value in draw_bar(metre, cells, work.rng, beats=int(metre.bar / beat(metre))):
        found.append((time, value.length))
        time += value.length
    if len(found) < BARS:
        raise DiscardError("a bar without an idea")
    return found


def _pinned(units: Sequence[str], spans: Spans, line: Sequence[Note]) -> dict[int, int]:
    """Notes of ideas that come again: those of the first time, a fragment a step lower."""
    found: dict[int, int] = {}
    (model,) = [pair for unit, pair in zip(units, spans, strict=True) if unit == "a"][:1]
    for unit, pair in zip(units, spans, strict=True):
        if unit == "a":
            for bar, own in zip(model, pair, strict=True):
                found |= {
                    here: line[there].pitch.step for there, here in zip(bar, own, strict=True)
                }
        if unit == "f":
            for there, here in zip(pair[0], pair[1], strict=True):
                found[there] = line[there].pitch.step
                found[here] = line[there].pitch.step - 1
    return found


def _check(units: Sequence[str], spans: Spans, line: Sequence[Note]) -> None:
    """Raise DiscardError where what is new repeats what was, or no one would sing it."""
    steps = [note.pitch.step for note in line]
    sizes = [abs(after - before) for before, after in pairwise(steps)]
    if sum(size > 2 for size in sizes) > MOST_LEAPS or sum(not size for size in sizes) * 3 > len(
        sizes
    ):
        raise DiscardError("a theme that no one would sing")
    shapes = {
        unit: tuple(steps[at] for bar in pair for at in bar)
        for unit, pair in zip(units, spans, strict=True)
    }
    if len(set(shapes.values())) < len(shapes) or len(set(shapes["a"])) < BARS + 1:
        raise DiscardError("ideas that are alike")


def _example(theme: Theme, key: Key) -> Example:
    """The melody with its chords under each bar."""
    metre = theme.frame.metre
    bars = tuple(
        tuple(
            Sign((note.pitch,), note.duration, text="" if at else symbol)
            for at, note in enumerate(bar)
        )
        for bar, symbol in zip(barred(theme.notes, metre.bar), theme.roman, strict=True)
    )
    return Example((ExampleStaff("treble", bars),), key.signature, metre)
