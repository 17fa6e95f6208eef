"""Form templates: TOML that a person can read and edit, checked field by field.

A wrong file is refused with its name, the entry and what is allowed there; nothing is guessed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from theory_kb.errors import FactError, UnknownNameError
from theory_kb.metre import beat_ticks, metre_names
from theory_kb.moment import TICKS
from theory_kb.pitch import Key, ScaleDegree
from theory_kb.query import cadence_kinds

__all__ = [
    "MAX_BARS",
    "Section",
    "Template",
    "beats_of_bar",
    "load_template",
    "phrase_groups",
    "relative_key",
    "template_names",
]

SHORTEST = 3  # beats of a phrase before its last chord: an opening and a cadence formula
MAX_BARS = 256  # of a whole piece; more is a slip of the pen
MODES = ("major", "minor")
NO_CADENCE = "none"
ROMANS = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7}


@dataclass(frozen=True, slots=True)
class Section:
    """A unit of a form in one metre."""

    id: str
    name: str
    bars: int  # full bars, upbeat and arrival included
    hold: int  # beats that the last chord lasts
    theme: str  # units of one letter share their head
    returns: int  # beats at the head that repeat the first unit of that theme, 0 = none
    keys: Mapping[str, tuple[str, ...]]  # by mode: Roman numerals of the home key
    close: tuple[str, ...]  # cadence kinds, or ("none",)

    @property
    def ends_phrase(self) -> bool:
        """Whether the unit closes with a cadence."""
        return self.close != (NO_CADENCE,)


@dataclass(frozen=True, slots=True)
class Template:
    """A form in one metre: its units in order."""

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

    @property
    def bars(self) -> int:
        """Bars of the whole piece."""
        return sum(section.bars for section in self.sections)


def _forms() -> Mapping[str, Path]:
    folder = resources.files("theory_kb") / "facts" / "forms"
    with resources.as_file(folder) as path:
        return {file.stem: file for file in sorted(path.glob("*.toml"))}


def template_names() -> tuple[str, ...]:
    """Names of the forms that come with musegen."""
    return tuple(_forms())


def load_template(form: str, *, metre: str | None = None) -> Template:
    """Read and check a form by name, or by the path of a TOML file of your own.

    Args:
        form: a name of `template_names()`, or a path that ends in `.toml`.
        metre: one of the template's metres; None takes its first.

    Raises:
        UnknownNameError: no such form or metre.
        FactError: a field is missing, unknown, or of a value that is not allowed.
    """
    if form.endswith(".toml"):
        path = Path(form)
    elif form in _forms():
        path = _forms()[form]
    else:
        raise UnknownNameError("form", form, [*template_names(), "a path to a .toml file"])
    try:
        record = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise FactError(str(path), "file", f"cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise FactError(str(path), "TOML", str(error)) from error
    return _template(record, path.name, metre)


def _whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _keys(value: Any) -> bool:
    if not isinstance(value, dict) or set(value) != set(MODES):
        return False
    lists = [value[mode] for mode in MODES]
    return all(_texts(texts) and texts and all(_is_roman(t) for t in texts) for texts in lists)


def _metres(value: Any) -> bool:
    return _texts(value) and bool(value) and set(value) <= set(metre_names())


def _is_roman(text: str) -> bool:
    bare = text.lstrip("b#")
    return bare.upper() in ROMANS and bare in (bare.upper(), bare.lower())


def _closes(value: Any) -> bool:
    return _texts(value) and (value == [NO_CADENCE] or (bool(value) and set(value) <= _kinds()))


def _kinds() -> set[str]:
    return set(cadence_kinds())


Check = Callable[[Any], bool]
FIELDS: Mapping[str, tuple[Check, str]] = {
    "id": (lambda v: isinstance(v, str) and bool(v), "a name"),
    "name": (lambda v: isinstance(v, str) and bool(v), "a text"),
    "description": (lambda v: isinstance(v, str), "a text"),
    "texture": (lambda v: v == "chorale", '"chorale"'),
    "metres": (_metres, 'a list of known metres such as ["4/4"]'),
    "upbeat": (lambda v: _whole(v, 0, 11), "beats, a whole number from 0 to 11"),
    "tempo": (lambda v: isinstance(v, int | float) and 20 <= v <= 300, "20 to 300 a minute"),
    "fermatas": (lambda v: isinstance(v, bool), "true or false"),
    "sources": (lambda v: _texts(v) and bool(v), "a list of source keys"),
    "section": (lambda v: isinstance(v, list) and bool(v), "one [[section]] or more"),
}
SECTION_FIELDS: Mapping[str, tuple[Check, str]] = {
    "id": FIELDS["id"],
    "name": FIELDS["name"],
    "bars": (lambda v: _whole(v, 1, MAX_BARS), f"a whole number from 1 to {MAX_BARS}"),
    "hold": (lambda v: _whole(v, 1, 12), "beats, a whole number from 1 to 12"),
    "theme": (lambda v: isinstance(v, str) and len(v) == 1, "one letter"),
    "returns": (lambda v: _whole(v, 0, 64), "beats, a whole number from 0 to 64"),
    "key": (_keys, '{ major = ["I"], minor = ["i"] } with Roman numerals'),
    "close": (_closes, "a list of cadence kinds, or ['none']"),
}
OPTIONAL = {"hold": 1, "returns": 0}


def _checked(
    record: Mapping[str, Any], fields: Mapping[str, tuple[Check, str]], file: str, entry: str
) -> dict[str, Any]:
    for name in record:
        if name not in fields:
            raise FactError(file, entry, f"unknown field {name!r} (allowed: {', '.join(fields)})")
    values = {**{k: v for k, v in OPTIONAL.items() if k in fields}, **record}
    for name, (check, allowed) in fields.items():
        if name not in values:
            raise FactError(file, entry, f"field {name!r} is missing: {allowed}")
        if not check(values[name]):
            raise FactError(file, f"{entry}.{name}", f"must be {allowed}, got {values[name]!r}")
    return values


def _template(record: Mapping[str, Any], file: str, metre: str | None) -> Template:
    sections = record.get("section", [])
    head = _checked(record, FIELDS, file, "form")
    if metre is not None and metre not in head["metres"]:
        raise UnknownNameError(f"metre of form {head['id']!r}", metre, head["metres"])
    chosen = metre or head["metres"][0]
    units = tuple(_section(unit, number, file, chosen) for number, unit in enumerate(sections, 1))
    total = sum(unit.bars for unit in units)
    if total > MAX_BARS:
        raise FactError(file, "section.bars", f"sum must be at most {MAX_BARS}, got {total}")
    if not units[-1].ends_phrase:
        raise FactError(file, f"section {units[-1].id}.close", "the last unit needs a cadence")
    _check_lengths(units, head["upbeat"], beats_of_bar(chosen), file)
    return Template(
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


def _check_lengths(units: Sequence[Section], upbeat: int, per_bar: int, file: str) -> None:
    if upbeat >= per_bar:
        raise FactError(file, "form.upbeat", f"must be less than a bar of {per_bar}, got {upbeat}")
    for group in phrase_groups(units):
        beats = sum(unit.bars for unit in group) * per_bar - group[-1].hold
        if beats < SHORTEST:
            raise FactError(
                file,
                f"section {group[-1].id}.hold",
                f"must leave {SHORTEST} beats or more before the held chord, leaves {beats}",
            )


def _section(record: Any, number: int, file: str, metre: str) -> Section:
    entry = f"section {number}"
    if not isinstance(record, dict):
        raise FactError(file, entry, f"must be a table, got {record!r}")
    by_metre = {
        name: _of_metre(value, metre, file, f"{entry}.{name}") for name, value in record.items()
    }
    values = _checked(by_metre, SECTION_FIELDS, file, entry)
    keys = {mode: tuple(values["key"][mode]) for mode in MODES}
    return Section(
        values["id"],
        values["name"],
        values["bars"],
        values["hold"],
        values["theme"],
        values["returns"],
        keys,
        tuple(values["close"]),
    )


def _of_metre(value: Any, metre: str, file: str, entry: str) -> Any:
    """The value for this metre, where a field lists one for each metre."""
    if not isinstance(value, dict) or set(value) <= set(MODES):
        return value
    if metre not in value:
        raise FactError(file, entry, f"has no value for metre {metre}")
    return value[metre]


def relative_key(home: Key, roman: str) -> Key:
    """The key on a degree of the home key: `V` is major, `vi` minor, `bVI` on the lowered sixth.

    Degrees of a minor home key count on natural minor: `VI` in D minor is B flat major.
    """
    bare = roman.lstrip("b#")
    alteration = roman.count("#") - roman.count("b")
    tonic = home.degree(ScaleDegree(ROMANS[bare.upper()], alteration))
    return Key(tonic, "major" if bare.isupper() else "minor")
