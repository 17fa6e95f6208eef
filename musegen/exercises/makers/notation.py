"""Bars with faults of notation: planted one by one, and found again by a scan of every bar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from musegen.exercises.item import Draft, Item, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.drafting import Part, Words, draft_of
from musegen.exercises.makers.showing import shown
from musegen.exercises.metres import beam_groups, beams, metre_of, rests_after, total
from musegen.exercises.rhythm_text import RhythmValue, read_rhythm, rhythm_text
from musegen.io.examples import Example, ExampleStaff, Sign
from musegen.score import Metre
from theory_kb.pitch import Pitch

__all__ = ["find_faults", "prove_faults"]

HIGH, LOW = Pitch.parse("D5"), Pitch.parse("G4")  # stems go down and up
FAULTS: Mapping[str, Text] = {
    "sum": Text("sum", "拍数"),
    "rest": Text("rest", "休止符"),
    "beam": Text("beam", "符尾"),
    "stem": Text("stem", "符干"),
}
REASONS: Mapping[str, Text] = {
    "sum": Text("the values do not fill the bar", "时值与小节不符"),
    "rest": Text("the rests hide a beat", "休止符掩盖了拍点"),
    "beam": Text("the beams do not show the beats", "符尾未显示拍子"),
    "stem": Text("a stem goes the wrong way", "符干方向错误"),
}
BARS: Mapping[str, tuple[str, ...]] = {  # bars that hold notes for every fault, by metre
    "2/4": ("q e e", "e e q", "q q"),
    "3/4": ("q q e e", "q e e q", "e e q q", "q q q"),
    "4/4": ("q e e q q", "e e e e q q", "q q e e q", "q q q q"),
    "6/8": ("q. e e e", "e e e q.", "q. q.", "q e q e"),
}
RUNS: Mapping[str, tuple[str, tuple[int, ...]]] = {  # a bar of eighths, and how not to beam it
    "2/4": ("e e e e", (1, 3)),
    "3/4": ("e e e e e e", (3, 3)),
    "4/4": ("e e e e q q", (1, 3)),
    "6/8": ("e e e e e e", (2, 2, 2)),
}
RESTS: Mapping[str, tuple[str, str]] = {  # a bar that breaks off, and how not to fill it
    "2/4": ("e", "rq re"),
    "3/4": ("q", "rh"),
    "4/4": ("q", "rh rq"),
    "6/8": ("q e", "rq re"),
}


@dataclass(frozen=True, slots=True)
class _Bar:
    """A bar as it is written."""

    values: tuple[RhythmValue, ...]
    groups: tuple[int, ...]  # notes that each beam joins
    low: tuple[bool, ...]  # by value: whether the note lies below the middle line
    up: tuple[bool, ...]  # by value: whether the stem goes up

    @property
    def text(self) -> str:
        """The bar in words: values, beams, heights with stems."""
        groups = " ".join(map(str, self.groups)) or "none"
        stems = " ".join(
            f"{'low' if low else 'high'}-{'up' if up else 'down'}"
            for low, up in zip(self.low, self.up, strict=True)
        )
        return f"{rhythm_text(self.values)}; beams {groups}; stems {stems}"

    @classmethod
    def parse(cls, text: str) -> _Bar:
        """A bar from its words."""
        values, groups, stems = text.split("; ")
        sizes = groups.removeprefix("beams ")
        heights = [each.split("-") for each in stems.removeprefix("stems ").split()]
        return cls(
            read_rhythm(values),
            () if sizes == "none" else tuple(map(int, sizes.split())),
            tuple(height == "low" for height, _ in heights),
            tuple(way == "up" for _, way in heights),
        )


def _faults(bar: _Bar, metre: Metre) -> list[str]:
    """What is wrong in a bar, by a scan that knows nothing of what was planted."""
    found = []
    if total(bar.values) != metre.bar:
        found.append("sum")
    elif bar.groups != beam_groups(bar.values, metre):
        found.append("beam")
    sounding = tuple(value for value in bar.values if not value.rest)
    rests = tuple(value for value in bar.values if value.rest)
    if (
        rests
        and total(bar.values) == metre.bar
        and rests != rests_after(sounding, metre, metre.bar)
    ):
        found.append("rest")
    sounds = [not value.rest for value in bar.values]
    if any(low != up for low, up, here in zip(bar.low, bar.up, sounds, strict=True) if here):
        found.append("stem")
    return found


# --- planting -------------------------------------------------------------------------------


def _clean(work: Work, text: str, metre: Metre) -> _Bar:
    values = read_rhythm(text)
    beamed = bool(work.rng.integers(2))  # notes of one beam have one stem direction
    low = tuple(beamed if each.letter in "es" else bool(work.rng.integers(2)) for each in values)
    return _Bar(values, beam_groups(values, metre), low, low)


def _plant_sum(work: Work, bar: _Bar, metre: Metre) -> _Bar:
    longer = RhythmValue(bar.values[-1].letter, 1 - bar.values[-1].dots)
    values = (*bar.values[:-1], longer)
    return replace(bar, values=values, groups=beam_groups(values, metre))


def _plant_stem(work: Work, bar: _Bar, metre: Metre) -> _Bar:
    alone = [at for at, each in enumerate(bar.values) if each.letter not in "es" and not each.rest]
    if not alone:
        raise DiscardError("no note with a stem of its own")
    place = int(work.pick(alone))
    return replace(bar, up=tuple(up != (at == place) for at, up in enumerate(bar.up)))


def _plant_beam(work: Work, bar: _Bar, metre: Metre) -> _Bar:
    text, groups = RUNS[str(metre)]
    return replace(_clean(work, text, metre), groups=groups)


def _plant_rest(work: Work, bar: _Bar, metre: Metre) -> _Bar:
    begun, rests = RESTS[str(metre)]
    return _clean(work, f"{begun} {rests}", metre)


PLANTERS: Mapping[str, Callable[[Work, _Bar, Metre], _Bar]] = {
    "sum": _plant_sum,
    "rest": _plant_rest,
    "beam": _plant_beam,
    "stem": _plant_stem,
}


def find_faults(work: Work) -> Draft:
    """Bars with planted faults: which, and what."""
    metre = metre_of(work.pick(work.params["metres"]))
    count = int(work.params["bars"])
    bars = [_clean(work, work.pick(BARS[str(metre)]), metre) for _ in range(count)]
    places = sorted(int(place) for place in work.rng.permutation(count)[: work.params["count"]])
    kinds = [str(work.pick(work.params["faults"])) for _ in places]
    for place, kind in zip(places, kinds, strict=True):
        bars[place] = PLANTERS[kind](work, bars[place], metre)
    if [kind for bar in bars for kind in _faults(bar, metre)] != kinds:
        raise DiscardError("a fault that was not planted")
    numbers = " ".join(str(place + 1) for place in places)
    told = [(place + 1, REASONS[kind]) for place, kind in zip(places, kinds, strict=True)]
    words: Words = {
        "metre": str(metre),
        "bar": str(places[0] + 1),
        "fault": REASONS[kinds[0]],
        "reasons": Text(
            " ".join(f"Bar {number}: {text.en}." for number, text in told),
            "".join(f"第 {number} 小节：{text.zh}。" for number, text in told),
        ),
    }
    text = " | ".join(bar.text for bar in bars)
    parts = (
        Part((numbers,), "number-set", Text("bars", "小节"), (), len(places), id="bars"),
        Part((" ".join(kinds),), "words", Text("faults", "错误"), (), len(places), id="faults",
             labels=FAULTS),
    )  # fmt: skip
    facts = {"metre": str(metre), "bars": text}
    return draft_of(
        work, shown(f"{metre}: {text}", _example(bars, metre)), parts, words, facts=facts
    )


def _example(bars: list[_Bar], metre: Metre) -> Example:
    written = []
    for bar in bars:
        states = _states(bar, metre)
        written.append(
            tuple(
                Sign(
                    () if value.rest else (LOW if low else HIGH,),
                    value.length,
                    beams=state,
                    stem="up" if up else "down",
                )
                for value, low, up, state in zip(bar.values, bar.low, bar.up, states, strict=True)
            )
        )
    return Example((ExampleStaff("treble", tuple(written)),), 0, metre)


def _states(bar: _Bar, metre: Metre) -> list[tuple[str, ...]]:
    """Beams as they are written; those of eighths where the groups are not the metre's."""
    if bar.groups == beam_groups(bar.values, metre):
        return beams(bar.values, metre)
    found: list[tuple[str, ...]] = []
    sizes = iter(bar.groups)
    left = size = 0
    for value in bar.values:
        if value.letter != "e" or value.rest:
            found.append(())
            continue
        if not left:
            left = size = next(sizes)
        place = size - left
        left -= 1
        if size == 1:
            found.append(())
        else:
            found.append(("begin",) if not place else ("end",) if not left else ("continue",))
    return found


def prove_faults(item: Item) -> list[str]:
    """Whether a scan of the bars finds what was planted and nothing else."""
    metre = metre_of(item.facts["metre"])
    bars = [_Bar.parse(text) for text in item.facts["bars"].split(" | ")]
    found = [(place, kind) for place, bar in enumerate(bars, 1) for kind in _faults(bar, metre)]
    numbers = item.solutions.model["bars"].split()
    planted = [
        (int(number), kind)
        for number, kind in zip(numbers, item.solutions.model["faults"].split(), strict=True)
    ]
    return [] if found == planted else ["planted faults and the scan differ"]
