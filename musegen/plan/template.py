"""Form templates: TOML that a person can read and edit, checked field by field.

A wrong file is refused with its name and line, the entry and what is allowed there; nothing is
guessed. A template may extend another, have parameters, and scale.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import Any

from musegen.errors import OptionError
from musegen.plan.form_file import Record, Sheet, read_form, template_names
from musegen.plan.form_schema import (
    CHORALE,
    FORM_FIELDS,
    MAX_BARS,
    MODES,
    NO_CADENCE,
    ROMANS,
    SECTION_FIELDS,
    TEXT_CADENCES,
)
from theory_kb.errors import FactError, UnknownNameError
from theory_kb.metre import beat_ticks
from theory_kb.moment import TICKS
from theory_kb.pitch import Key, ScaleDegree

__all__ = [
    "MAX_BARS",
    "Section",
    "Template",
    "beats_of_bar",
    "each_metre",
    "load_template",
    "phrase_groups",
    "relative_key",
    "template_names",
]

SHORTEST = 3  # beats of a phrase before its last chord: an opening and a cadence formula
UNIT = 4  # bars of a usual phrase
LONGEST_UNIT = 6  # bars that are still one phrase
WEAK = ("cad-hc", "cad-iac-soprano")  # with which inner phrases close where nothing is said
OPEN = frozenset({"fragment", "develop", "liquidate"})  # relations of sections that run on
SAME = frozenset({"repeat", "return"})  # relations of units that take up their theme as it was
PERFECT = "cad-pac"


@dataclass(frozen=True, slots=True)
class Section:
    """A unit of a form in one metre."""

    id: str
    name: str
    bars: int  # full bars, upbeat and arrival included
    hold: int  # beats that the last chord lasts
    theme: str  # units of one theme share their material
    returns: int  # beats at the head that repeat the first unit of that theme, 0 = none
    keys: Mapping[str, tuple[str, ...]]  # by mode: where it closes, Roman numerals of the home key
    close: tuple[str, ...]  # cadence kinds, or ("none",)
    start: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # where it begins, if stated
    relations: tuple[str, ...] = ()  # what it does with its theme, as the facts name it
    phrases: tuple[int, ...] = ()  # bars of its phrases
    inner: tuple[str, ...] = ()  # cadence kinds with which they close, but the last
    harmony: Mapping[str, str] = field(default_factory=dict)  # by mode: chords that are stated
    texture: str = ""  # that of the form, if empty
    dynamics: str = ""  # goes on from before, if empty
    tempo: float = 0.0  # quarter notes a minute from here on; goes on from before, if 0
    chords: int = 0  # a bar, if stated
    repeat: str = ""  # sections of one name are played twice
    ending: int = 0  # of what is repeated: 1 is played the first time alone, 2 in its place then
    words: str = ""  # for singers or readers, above its first bar
    part: str = ""  # id of the section that it is a phrase of

    @property
    def ends_phrase(self) -> bool:
        """Whether the unit closes with a cadence."""
        return self.close != (NO_CADENCE,)


@dataclass(frozen=True)
class Template:
    """A form in one metre: its sections in order."""

    id: str
    name: str
    description: str
    texture: str
    metre: str  # such as `4/4`
    upbeat: int  # beats before the first full bar
    tempo: float  # quarter notes a minute
    fermatas: bool
    sources: tuple[str, ...]
    sections: tuple[Section, ...]
    mode: str = ""  # of the home key, if it is always the same
    dynamics: str = "mf"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    metres: tuple[str, ...] = ()  # in which the form can be had
    technique: str = ""  # by which it is written, a key of `TECHNIQUES`; else a tune above chords
    interval: str = "-P8"  # of a canon, from leader to follower
    strict: bool = False  # whether a canon at another interval than the octave is exact
    ground: str = ""  # name of a stored one
    rhythms: tuple[str, ...] = ()  # names of rhythm facts that the tune likes to have

    @property
    def bars(self) -> int:
        """Bars of the whole piece, repeats not counted."""
        return sum(section.bars for section in self.sections)

    @cached_property
    def units(self) -> tuple[Section, ...]:
        """The sections, those of several phrases phrase by phrase."""
        return tuple(unit for each in self.sections for unit in _units(each))


def load_template(
    form: str, *, metre: str | None = None, settings: Mapping[str, str] | None = None
) -> Template:
    """Read and check a form by name, or by the path of a TOML file of your own.

    Args:
        form: a name of `template_names()`, or a path that ends in `.toml`.
        metre: one of the template's metres; None takes its first.
        settings: as text by name: values of the form's parameters, of fields of its head, and
            `bars`, to which all sections are scaled alike.

    Raises:
        UnknownNameError: no such form, metre or parameter.
        FactError: a field is missing, unknown, or of a value that is not allowed.
        OptionError: a setting that is not allowed, or bars that the form does not scale to.
    """
    given = dict(settings or {})
    bars = given.pop("bars", None)
    made = _template(read_form(form, given), metre)
    return made if bars is None else _scaled(made, bars)


def each_metre(form: str, *, settings: Mapping[str, str] | None = None) -> Iterator[Template]:
    """A form in each of its metres; arguments and errors as `load_template`."""
    first = load_template(form, settings=settings)
    yield first
    for metre in first.metres[1:]:
        yield load_template(form, metre=metre, settings=settings)


def _template(sheet: Sheet, metre: str | None) -> Template:
    head = sheet.head.with_values({**sheet.head.values, "section": [{}]}).checked(FORM_FIELDS)
    if metre is not None and metre not in head["metres"]:
        raise UnknownNameError(f"metre of form {head['id']!r}", metre, head["metres"])
    chosen = metre or head["metres"][0]
    if not sheet.sections:
        raise sheet.head.wrong("section", "no section is left to play")
    per_bar = beats_of_bar(chosen)
    units = tuple(_section(each, chosen, head["mode"]) for each in sheet.sections)
    made = Template(
        head["id"],
        head["name"],
        head["description"],
        head["texture"],
        chosen,
        head["upbeat"],
        float(head["tempo"]),
        head["fermatas"],
        tuple(head["sources"]),
        units,
        head["mode"],
        head["dynamics"],
        sheet.parameters,
        tuple(head["metres"]),
        head["technique"],
        head["interval"],
        head["strict"],
        head["ground"],
        tuple(head["rhythms"]),
    )
    _check_whole(made, sheet)
    _check_lengths(made, sheet, per_bar)
    return made


def _check_whole(made: Template, sheet: Sheet) -> None:
    """What no section shows alone."""
    if made.bars > MAX_BARS:
        raise _of(sheet.sections[-1], "bars", f"sum must be at most {MAX_BARS}, got {made.bars}")
    if not made.sections[-1].ends_phrase:
        raise _of(sheet.sections[-1], "close", "the last unit needs a cadence")
    runs = [name for name, _ in groupby(each.repeat for each in made.sections) if name]
    for section, record in zip(made.sections, sheet.sections, strict=True):
        if section.repeat and runs.count(section.repeat) > 1:
            raise record.wrong("repeat", f"sections of {section.repeat!r} must stand together")
    _check_endings(made, sheet)


def _check_endings(made: Template, sheet: Sheet) -> None:
    """A first ending closes what is repeated after something else; the second follows at once."""
    around = (None, *made.sections, None)
    rows = zip(around, made.sections, around[2:], sheet.sections, strict=False)
    for before, section, after, record in rows:
        if section.ending and (made.texture == CHORALE or made.technique):
            raise record.wrong("ending", "only a tune above chords has endings")
        if section.ending == 1:
            if not section.repeat or before is None or before.repeat != section.repeat:
                raise record.wrong("ending", "1 must come last of several sections of one repeat")
            if after is None or after.ending != 2:
                raise record.wrong("ending", "1 must be followed by the section with ending 2")
        if section.ending == 2 and (section.repeat or before is None or before.ending != 1):
            raise record.wrong("ending", "2 must follow ending 1 at once, outside the repeat")


def _of(record: Record, name: str, problem: str) -> FactError:
    """The refusal of a section as a part of the whole, by its id."""
    return FactError(
        record.places.get(name, record.place), f"section {record.values['id']}.{name}", problem
    )


def beats_of_bar(metre: str) -> int:
    """How many beats a bar of a metre such as `6/8` has: two."""
    beats, unit = map(int, metre.split("/"))
    return 4 * TICKS * beats // unit // beat_ticks(beats, unit)


def phrase_groups(sections: Sequence[Section]) -> tuple[tuple[Section, ...], ...]:
    """The units of each phrase: a phrase goes on to the next unit that closes."""
    groups: list[tuple[Section, ...]] = []
    run: list[Section] = []
    for section in sections:
        run.append(section)
        if section.ends_phrase:
            groups.append(tuple(run))
            run = []
    return tuple(groups)


def _check_lengths(made: Template, sheet: Sheet, per_bar: int) -> None:
    if made.upbeat >= per_bar:
        raise sheet.head.wrong("upbeat", f"must be less than a bar of {per_bar}, got {made.upbeat}")
    records = {each.values.get("id"): each for each in sheet.sections}
    for group in phrase_groups(made.units):
        beats = sum(unit.bars for unit in group) * per_bar - group[-1].hold
        if beats < SHORTEST:
            problem = f"must leave {SHORTEST} beats or more before the held chord, leaves {beats}"
            raise _of(records[group[-1].part or group[-1].id], "hold", problem)


def _section(record: Record, metre: str, mode: str) -> Section:
    by_metre = {name: _of_metre(record, name, metre) for name in record.values}
    values = record.with_values(by_metre).checked(SECTION_FIELDS)
    modes = (mode,) if mode else MODES
    for name in ("key", "from", "harmony"):
        missing = [each for each in modes if values[name] and each not in values[name]]
        if missing:
            raise record.wrong(name, f"says nothing of {missing[0]}")
    _check_phrases(record, values)
    close = tuple(values["close"])
    if set(close) & set(TEXT_CADENCES) and not values["harmony"]:
        raise record.wrong("close", f"{close[0]!r} needs a harmony that is stated")
    return Section(
        values["id"],
        values["name"],
        values["bars"],
        values["hold"] or _usual_hold(close, beats_of_bar(metre)),
        values["theme"],
        values["returns"],
        {each: tuple(values["key"][each]) for each in values["key"]},
        close,
        {each: tuple(values["from"][each]) for each in values["from"]},
        tuple(values["relation"]),
        tuple(values["phrases"]),
        tuple(values["inner"]),
        dict(values["harmony"]),
        values["texture"],
        values["dynamics"],
        float(values["tempo"]),
        values["chords"],
        values["repeat"],
        values["ending"],
        values["words"],
    )


def _check_phrases(record: Record, values: Mapping[str, Any]) -> None:
    stated = values["phrases"]
    if stated and sum(stated) != values["bars"]:
        raise record.wrong("phrases", f"must add up to {values['bars']} bars, got {sum(stated)}")


def _usual_hold(close: Sequence[str], per_bar: int) -> int:
    """Beats of a last chord where nothing is said: a bar at a full close, else a beat less."""
    if close == (NO_CADENCE,):
        return 1
    return per_bar if PERFECT in close or per_bar < 3 else per_bar - 1


def _of_metre(record: Record, name: str, metre: str) -> Any:
    """The value for this metre, where a field lists one for each metre."""
    value = record.values[name]
    if not isinstance(value, dict) or set(value) <= set(MODES):
        return value
    if metre not in value:
        raise record.wrong(name, f"has no value for metre {metre}")
    return value[metre]


# --- phrases of a section -------------------------------------------------------------------


def _units(section: Section) -> tuple[Section, ...]:
    """The phrases of a section: as stated, else of four bars, what is left over with the last."""
    lengths = section.phrases or _usual_phrases(section.bars)
    if len(lengths) == 1:
        return (section,)
    weak = section.inner or _usual_inner(section)
    units = []
    for number, bars in enumerate(lengths, 1):
        last = number == len(lengths)
        returned = section.returns if number == 1 else 0
        units.append(
            replace(
                section,
                id=f"{section.id}.{number}",
                name=f"{section.name}, phrase {number}",
                bars=bars,
                hold=section.hold,
                theme=section.theme if number == 1 else f"{section.theme}.{number}",
                returns=returned,
                close=section.close if last else weak,
                keys=section.keys if last else section.start or section.keys,
                start=section.start if number == 1 or section.start else {},
                words=section.words if number == 1 else "",
                part=section.id,
                phrases=(),
            )
        )
    return tuple(units)


def _usual_phrases(bars: int) -> tuple[int, ...]:
    if bars <= LONGEST_UNIT:
        return (bars,)
    count, rest = divmod(bars, UNIT)
    if rest == 0:
        return (UNIT,) * count
    return (*(UNIT,) * (count - 1), UNIT + rest) if rest <= 2 else (*(UNIT,) * count, rest)


def _usual_inner(section: Section) -> tuple[str, ...]:
    if not section.ends_phrase or set(section.relations) & OPEN:
        return (NO_CADENCE,)
    return WEAK


# --- keys and length ------------------------------------------------------------------------


def relative_key(home: Key, roman: str) -> Key:
    """The key on a degree of the home key: `V` is major, `vi` minor, `bVI` on the lowered sixth.

    Degrees of a minor home key count on natural minor: `VI` in D minor is B flat major.
    """
    bare = roman.lstrip("b#")
    alteration = roman.count("#") - roman.count("b")
    tonic = home.degree(ScaleDegree(ROMANS[bare.upper()], alteration))
    return Key(tonic, "major" if bare.isupper() else "minor")


def _scaled(made: Template, text: str) -> Template:
    """The same form in so many bars: all sections longer or shorter by one factor."""
    if not text.isdecimal() or not 1 <= len(text) <= 4 or not 1 <= int(text) <= MAX_BARS:
        raise OptionError("bars", text, f"a whole number from 1 to {MAX_BARS}")
    wanted = int(text)

    def scaled(bars: int) -> int:
        whole, rest = divmod(bars * wanted, made.bars)
        if rest or not whole:
            raise OptionError("bars", wanted, f"one of {', '.join(map(str, _lengths(made)))}")
        return whole

    sections = tuple(
        replace(each, bars=scaled(each.bars), phrases=tuple(map(scaled, each.phrases)))
        for each in made.sections
    )
    longer = replace(made, sections=sections)
    per_bar = beats_of_bar(made.metre)
    for group in phrase_groups(longer.units):
        if sum(unit.bars for unit in group) * per_bar - group[-1].hold < SHORTEST:
            raise OptionError("bars", wanted, "so many that each phrase has room for its cadence")
    return longer


def _lengths(made: Template) -> list[int]:
    """Lengths to which a form scales."""
    parts = [bars for each in made.sections for bars in (each.bars, *each.phrases)]
    return [
        total
        for total in range(1, MAX_BARS + 1)
        if all(bars * total % made.bars == 0 and bars * total >= made.bars for bars in parts)
    ]
