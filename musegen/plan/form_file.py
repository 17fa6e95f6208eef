"""Form templates as files: what a file says, what it inherits, what its parameters stand for.

Every field remembers its file and line, so that whatever is wrong later is refused there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any

from musegen.errors import OptionError
from musegen.plan.form_schema import FORM_FIELDS, PARAMETER_FIELDS, Field
from theory_kb.errors import FactError, UnknownNameError

__all__ = ["Record", "Sheet", "form_path", "read_form", "template_names"]

LARGEST = 500_000  # bytes of a template
DEEPEST = 16  # forms that extend one another
BESIDE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.toml")  # a file in the same folder
HEADING = re.compile(r"\s*(\[{1,2})\s*([^\[\]]+?)\s*\]{1,2}\s*(#.*)?")
ASSIGNED = re.compile(r"\s*\"?([A-Za-z0-9_-]+)\"?\s*[=.]")
LINE = re.compile(r"at line (\d+)")
WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True)
class Record:
    """A table of a template: its values, and where each stands."""

    entry: str  # how a refusal calls it
    values: Mapping[str, Any]
    places: Mapping[str, str]  # by field: file and line
    place: str  # of the table itself

    def wrong(self, name: str, problem: str) -> FactError:
        """The refusal of a field."""
        return FactError(self.places.get(name, self.place), f"{self.entry}.{name}", problem)

    def over(self, other: Record) -> Record:
        """This record with the fields of another in place of its own."""
        return Record(
            other.entry,
            {**self.values, **other.values},
            {**self.places, **other.places},
            other.place,
        )

    def with_values(self, values: Mapping[str, Any]) -> Record:
        """The same places with other values."""
        return Record(self.entry, values, self.places, self.place)

    def checked(self, fields: Mapping[str, Field]) -> dict[str, Any]:
        """The values of all fields.

        Raises:
            FactError: a field is missing, unknown, or of a value that is not allowed.
        """
        for name in self.values:
            if name not in fields:
                near = get_close_matches(name, fields, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                problem = f"unknown field {name!r}{hint} (allowed: {', '.join(fields)})"
                raise FactError(self.places.get(name, self.place), self.entry, problem)
        found: dict[str, Any] = {}
        for name, each in fields.items():
            if name not in self.values:
                if each.needed:
                    problem = f"field {name!r} is missing: {each.allowed}"
                    raise FactError(self.place, self.entry, problem)
                found[name] = each.default
                continue
            if not each.check(self.values[name]):
                got = repr(self.values[name])
                shown = got if len(got) <= 80 else f"{got[:77]}..."
                raise self.wrong(name, f"must be {each.allowed}, got {shown}")
            found[name] = self.values[name]
        return found


@dataclass(frozen=True, slots=True)
class Sheet:
    """A template as it is written, inheritance and parameters resolved, values unchecked."""

    name: str  # of the file
    head: Record
    sections: tuple[Record, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)  # values that hold


def _forms() -> Mapping[str, Path]:
    folder = resources.files("theory_kb") / "facts" / "forms"
    with resources.as_file(folder) as path:
        return {file.stem: file for file in sorted(path.glob("*.toml"))}


def template_names() -> tuple[str, ...]:
    """Names of the forms that come with musegen."""
    return tuple(_forms())


def read_form(form: str, settings: Mapping[str, str] | None = None) -> Sheet:
    """A form by name, or by the path of a TOML file of your own.

    Args:
        form: a name of `template_names()`, or a path that ends in `.toml`.
        settings: values of its parameters and of the fields of its head, as text.

    Raises:
        UnknownNameError: no such form.
        FactError: the file cannot be read, extends itself, or says what no template can.
        OptionError: a setting that the form does not have, or a value that it does not take.
    """
    sheet = _read(form_path(form), ())
    declared = {
        name: _parameter(name, table, sheet.head)
        for name, table in _tables(sheet.head.values.get("parameter", {}), sheet.head).items()
    }
    values = {name: each["default"] for name, each in declared.items()}
    head = dict(sheet.head.values)
    technique = sheet.head.values.get("technique", "")
    settable = (*SETTABLE, *OF_TECHNIQUE.get(technique, ()))
    for name, text in (settings or {}).items():
        if name in declared:
            values[name] = _setting(name, text, declared[name])
        elif name in settable:
            head[name] = _head_setting(name, text)
        else:
            raise UnknownNameError(
                "parameter", name, [*declared, *settable, "bars", "key", "metre"]
            )
    kept = tuple(
        each.with_values(_given(each, values)) for each in sheet.sections if _stands(each, values)
    )
    return Sheet(sheet.name, sheet.head.with_values(head), kept, values)


SETTABLE = ("texture", "tempo", "dynamics", "upbeat", "fermatas", "mode")
OF_TECHNIQUE: Mapping[str, tuple[str, ...]] = {
    "canon": ("interval", "strict"),
    "ground": ("ground",),
}
FLAGS = frozenset({"fermatas", "strict"})


def form_path(form: str) -> Path:
    """The file of a form, by its name or its path; raises UnknownNameError."""
    if form.endswith(".toml"):
        return Path(form)
    if form in _forms():
        return _forms()[form]
    raise UnknownNameError("form", form, [*template_names(), "a path to a .toml file"])


# --- inheritance ----------------------------------------------------------------------------


def _read(path: Path, seen: tuple[Path, ...]) -> Sheet:
    """A file with what it extends."""
    own = _parsed(path)
    parent = own.head.values.get("extends", "")
    if not parent:
        return own
    base = _read(_parent(path, parent, own.head, seen), (*seen, path.resolve()))
    sections = {each.values.get("id"): each for each in base.sections}
    for name in own.head.values.get("omit", []):
        if name not in sections:
            raise own.head.wrong("omit", f"{parent} has no section {name!r}")
        del sections[name]
    for each in own.sections:
        name = each.values.get("id")
        sections[name] = sections[name].over(each) if name in sections else each
    head = {key: value for key, value in base.head.values.items() if key != "extends"}
    merged = base.head.with_values(head).over(own.head)
    if "parameter" in head and "parameter" in own.head.values:
        both = {**head["parameter"], **own.head.values["parameter"]}
        merged = merged.with_values({**merged.values, "parameter": both})
    return Sheet(own.name, merged, tuple(sections.values()))


def _parent(path: Path, name: Any, head: Record, seen: tuple[Path, ...]) -> Path:
    if isinstance(name, str) and name in _forms():
        found = _forms()[name]
    elif isinstance(name, str) and BESIDE.fullmatch(name):
        found = path.parent / name
    else:
        allowed = ", ".join((*template_names(), "a .toml file in the same folder"))
        raise head.wrong("extends", f"no form {name!r} (allowed: {allowed})")
    if found.resolve() in (*seen, path.resolve()):
        raise head.wrong("extends", f"{name!r} extends this form in turn")
    if len(seen) >= DEEPEST:
        raise head.wrong("extends", f"at most {DEEPEST} forms may extend one another")
    return found


def _parsed(path: Path) -> Sheet:
    try:
        if path.stat().st_size > LARGEST:
            raise FactError(str(path), "file", f"at most {LARGEST} bytes are read")
        text = path.read_text(encoding="utf-8")
        record = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise _unreadable(path, error) from error
    except RecursionError:
        raise FactError(str(path), "TOML", "tables nested too deeply") from None
    heads, tables = _lines(text, path.name)
    sections = record.pop("section", [])
    head = Record("form", record, heads, path.name)
    if not isinstance(sections, list) or (not sections and "extends" not in record):
        raise head.wrong("section", f"must be {FORM_FIELDS['section'].allowed}")
    if not FORM_FIELDS["section"].check(sections or [{}]):
        raise head.wrong("section", f"must be {FORM_FIELDS['section'].allowed}")
    records = []
    for number, (values, places) in enumerate(
        zip(sections, [*tables, *({} for _ in sections)], strict=False), 1
    ):
        place = places.get("", path.name)
        records.append(Record(f"section {number}", values, places, place))
    return Sheet(path.name, head, _distinct(records))


def _unreadable(path: Path, error: Exception) -> FactError:
    if isinstance(error, tomllib.TOMLDecodeError):
        line = LINE.search(str(error))
        where = path.name if line is None else f"{path.name}:{line[1]}"
        return FactError(where, "TOML", str(error))
    return FactError(str(path), "file", f"cannot be read: {error}")


def _distinct(records: list[Record]) -> tuple[Record, ...]:
    seen: set[object] = set()
    for each in records:
        name = each.values.get("id")
        if isinstance(name, str) and name in seen:
            raise each.wrong("id", f"{name!r} is given twice")
        seen.add(name if isinstance(name, str) else id(each))
    return tuple(records)


def _lines(text: str, file: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Where fields stand: of the head, and of each section, that itself under an empty name."""
    head: dict[str, str] = {}
    tables: list[dict[str, str]] = []
    current = head
    for number, line in enumerate(text.splitlines(), 1):
        heading = HEADING.fullmatch(line)
        place = f"{file}:{number}"
        if heading is None:
            name = ASSIGNED.match(line)
            if name is not None:
                current.setdefault(name[1], place)
        elif (heading[1], heading[2]) == ("[[", "section"):
            current = {"": place}
            tables.append(current)
        else:
            table, _, inner = heading[2].partition(".")
            if table == "section" and tables:
                tables[-1].setdefault(inner.partition(".")[0], place)
            else:
                head.setdefault(table, place)
            current = {}
    return head, tables


# --- parameters -----------------------------------------------------------------------------


def _tables(found: Any, head: Record) -> Mapping[str, Any]:
    if not FORM_FIELDS["parameter"].check(found):
        raise head.wrong("parameter", f"must be {FORM_FIELDS['parameter'].allowed}")
    return dict(found)


def _parameter(name: str, table: Any, head: Record) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise head.wrong("parameter", f"{name} must be a table, got {table!r}")
    place = head.places.get("parameter", head.place)
    found = Record(f"parameter {name}", table, {}, place).checked(PARAMETER_FIELDS)
    if found["allowed"] and found["default"] not in found["allowed"]:
        raise head.wrong("parameter", f"the default of {name} is not among those allowed")
    return found


def _setting(name: str, text: str, parameter: Mapping[str, Any]) -> Any:
    default, allowed = parameter["default"], parameter["allowed"]
    value: Any = text
    if isinstance(default, bool):
        value = WORDS.get(text.lower())
        if value is None:
            raise OptionError(f"parameter {name}", text, "true or false")
    elif isinstance(default, int | float):
        value = _number(name, text)
    if allowed and value not in allowed:
        raise OptionError(f"parameter {name}", text, f"one of {', '.join(map(str, allowed))}")
    return value


def _number(name: str, text: str) -> int | float:
    try:
        return int(text) if re.fullmatch(r"[+-]?\d{1,9}", text) else float(text)
    except ValueError:
        raise OptionError(f"parameter {name}", text, "a number") from None


def _head_setting(name: str, text: str) -> Any:
    field_ = FORM_FIELDS[name]
    value: Any = WORDS.get(text.lower()) if name in FLAGS else text
    if name in ("tempo", "upbeat"):
        value = _number(name, text)
    if not field_.check(value):
        raise OptionError(name, text, field_.allowed)
    return value


def _stands(section: Record, values: Mapping[str, Any]) -> bool:
    """Whether a section is to be played."""
    if "when" not in section.values:
        return True
    name = section.values["when"]
    if not isinstance(name, str) or not isinstance(values.get(name.removeprefix("!")), bool):
        known = [each for each, value in values.items() if isinstance(value, bool)]
        allowed = f"a parameter that is true or false ({', '.join(known) or 'there is none'})"
        raise section.wrong("when", f"must be {allowed}, got {name!r}")
    wanted = not name.startswith("!")
    return bool(values[name.removeprefix("!")]) is wanted


def _given(section: Record, values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a section, parameters in place of their names."""
    return {
        name: _substituted(section, name, value, values) for name, value in section.values.items()
    }


def _substituted(section: Record, name: str, value: Any, values: Mapping[str, Any]) -> Any:
    if not isinstance(value, str) or not value.startswith("$"):
        return value
    if value[1:] not in values:
        known = ", ".join(values) or "there is none"
        raise section.wrong(name, f"no parameter {value[1:]!r} (allowed: {known})")
    return values[value[1:]]
