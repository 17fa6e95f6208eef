"""Rubrics: how defects become points, as data.

A rubric is one TOML file: what it is called, the rules of the knowledge base that it asks (as a style
writes them, in `[rules]`), and sections. A section marks units - chords, connections of chords, typed
labels, phrases, or the whole - each worth `award` points:

    unrealised  rules of which one breach takes all of a chord, and with `kills` the connections on
                either side
    zero        rules of which one breach takes all of the unit
    reduced_by  rules of which one breach leaves `reduced`, more than one `several`
    deduct      lists of rules with the points that each breach takes
    fundamental rules of which one breach leaves `fundamental_cap` of the unit at most
    minor, egregious, awards   of phrases, see `musegen.exercises.grading.scoring`

What is taken down by ear is marked by `[melody]` or `[chords]`, see `musegen.exercises.grading.dictation`;
its section only says the title and the most.

A rule is named by its id; E, W and I stand for all that the style of the rubric, or of the exercise,
counts so. `notes` lists rules that are shown and cost nothing. A rubric that `extends` another has its
sections too: one of the same id takes the place of the other's, a new one stands before them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from musegen.errors import FactError, UnknownNameError
from musegen.exercises.item import Text
from musegen.exercises.records import RecordError, read_record
from theory_kb.check import Style
from theory_kb.rules.records import rules
from theory_kb.rules.styles import style_of

__all__ = [
    "Cap",
    "ChordPoints",
    "Deduction",
    "MelodyPoints",
    "Policy",
    "Rubric",
    "Section",
    "Unit",
    "load_rubric",
    "rubric_names",
    "rubric_style",
]

FOLDER = Path(__file__).parent.parent / "rubrics"
Unit = Literal["chord", "connection", "whole", "label", "phrase", "heard"]
SEVERITIES = ("E", "W", "I")
GRAVITY = (*SEVERITIES, "-")  # gravest first


@dataclass(frozen=True, slots=True)
class Deduction:
    """What each breach of some rules takes."""

    rules: tuple[str, ...]
    points: float


@dataclass(frozen=True, slots=True)
class Cap:
    """What a full section loses where something is counted often."""

    measure: Literal["upper-leaps"]  # skips of a third or more in all voices but the lowest
    least: int
    per: int  # connections for which `least` is meant; more of them allow more
    minus: float


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a rubric."""

    id: str
    title: Text
    unit: Unit
    award: float = 0.0  # points of a unit
    part: str = ""  # of the item: the typed answer whose slots are the units
    figures_free: bool = False  # of typed numerals: the numeral alone is marked
    after_first: bool = False  # the first chord is given
    unrealised: tuple[str, ...] = ()
    kills: bool = False  # a chord that is not realised takes the connections on either side
    zero: tuple[str, ...] = ()
    reduced_by: tuple[str, ...] = ()
    reduced: float = 0.0
    several: float = 0.0
    deduct: tuple[Deduction, ...] = ()
    fundamental: tuple[str, ...] = ()
    fundamental_cap: float = 0.0
    cadence_factor: float = 1.0  # by which the last two chords of a phrase count
    cap: Cap | None = None
    minor: tuple[str, ...] = ()
    egregious: tuple[str, ...] = ()
    awards: tuple[float, ...] = ()  # of phrases; where there are fewer phrases, the last ones

    @property
    def named(self) -> Iterator[tuple[str, str]]:
        """Rules that it names, each with the severity of its tier."""
        for name in (*self.unrealised, *self.zero, *self.egregious, *self.fundamental):
            yield name, "E"
        for name in (*self.reduced_by, *self.minor):
            yield name, "W"
        for each in self.deduct:
            for name in each.rules:
                yield name, "W"


@dataclass(frozen=True, slots=True)
class MelodyPoints:
    """What is given for a melody, or a rhythm, that was taken down by ear."""

    segments: int  # that it is cut into
    each: float  # for a segment right in pitch and rhythm
    any_right: float  # besides, if one is
    bar_lines: float  # taken from an answer that is perfect but for them
    few: float = 0.0  # points below which the other guides are tried
    pitch: float = 0.0  # for a segment right in pitch alone
    rhythm: float = 0.0  # for one right in rhythm alone


@dataclass(frozen=True, slots=True)
class ChordPoints:
    """What is given for a chord of a phrase that was taken down by ear."""

    soprano: float
    bass: float  # in any octave
    symbol: float
    numeral: float  # of a symbol, for its numeral alone


@dataclass(frozen=True, slots=True)
class Policy:
    """What becomes of answers that are out of the ordinary."""

    given_changed_cap: float = 0.8  # share of the points, at most, where given notes were changed
    transposed: float = 0.5  # share of the points of an answer that is right in another key
    consequences: Literal["free", "counted"] = "free"  # whether what follows from a defect costs
    shown: int = 5  # errors that practice shows


@dataclass(frozen=True, slots=True, eq=False)
class Rubric:
    """How an answer is marked."""

    id: str
    title: Text
    source: str  # where the marking is taken from
    sections: tuple[Section, ...]
    rules: Mapping[str, Any] = field(default_factory=dict)  # as a style writes them
    notes: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)
    rounding: Mapping[str, float] = field(default_factory=dict)  # halves go up, but for these
    rounded: bool = False  # whole points are reported beside the exact ones
    melody: MelodyPoints | None = None
    chords: ChordPoints | None = None


def rubric_names() -> tuple[str, ...]:
    """Names of the rubrics that musegen brings."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def load_rubric(name: str) -> Rubric:
    """A rubric by name, or a teacher's own by the path of its file.

    Raises:
        UnknownNameError: no rubric has that name, and no such file exists.
        FactError: the file says something that no rubric can say; names file and entry.
    """
    path = FOLDER / f"{name}.toml"
    if name not in rubric_names():
        path = Path(name)
        if not path.is_file():
            raise UnknownNameError("rubric", name, [*rubric_names(), "the path of a TOML file"])
    found = _rubric(path)
    rubric_style(found)  # a wrong rule is refused now, not at the first answer
    return found


def _content(path: Path) -> dict[str, Any]:
    """What a file says, over what it extends."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FactError(path.name, "file", f"not valid TOML: {error}") from error
    parent = content.pop("extends", None)
    if parent is None:
        return content
    if parent not in rubric_names() or path == FOLDER / f"{parent}.toml":
        allowed = ", ".join(rubric_names())
        raise FactError(path.name, "extends", f"no rubric {parent!r} (allowed: {allowed})")
    base = _content(FOLDER / f"{parent}.toml")
    own = content.get("sections", [])
    named = {each.get("id"): each for each in own}
    kept = [named.pop(each["id"], each) for each in base["sections"]]
    new = [each for each in own if each.get("id") in named]
    return {**base, **content, "sections": [*new, *kept]}


def _rubric(path: Path) -> Rubric:
    content = _content(path)
    try:
        found = read_record(Rubric, content, "rubric")
    except RecordError as error:
        raise FactError(path.name, error.where, error.problem) from error
    _check(found, path.name)
    return found


def _check(found: Rubric, file: str) -> None:
    if not found.sections:
        raise FactError(file, "sections", "must be one or more tables, [[sections]]")
    for section in found.sections:
        place = f"sections {section.id}"
        for name in (*(name for name, _ in section.named), *found.notes):
            if name not in rules() and name not in SEVERITIES:
                raise FactError(file, place, str(UnknownNameError("rule", name, rules())))
        if section.unit == "phrase" and not section.awards:
            raise FactError(file, place, "awards must hold the points of phrases")
        if section.award < 0 or any(each.points < 0 for each in section.deduct):
            raise FactError(file, place, "points must not be negative")


@cache
def rubric_style(rubric: Rubric, base: str = "") -> Style:
    """The rules that a rubric asks, with the severities of its tiers.

    Args:
        rubric: its table `rules` says what differs, then its sections name the rules.
        base: style that the exercise names, where the rubric takes whole severities.

    Raises:
        FactError: the table says what no style can say, or there is no such base.
    """
    table = {"name": rubric.id, **rubric.rules, **({"extends": base} if base else {})}
    style = style_of(table, f"rubric {rubric.id}")
    tiers = [each for section in rubric.sections for each in section.named]
    tiers += [(name, "I") for name in rubric.notes]
    severities = dict(style.severities)
    stated = table.get("severities", {})
    for name, severity in tiers:
        if name in severities and name not in stated:
            severities[name] = min(severities[name], severity, key=GRAVITY.index)
    return replace(style, severities=severities)
