"""The further facts of theory_kb/facts, read by their schema and checked entry by entry.

A missing or unknown field, a value of the wrong kind, a missing source, an id given twice or a
reference that leads nowhere stops the load, and is named by file and entry.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Any

from theory_kb.errors import FactError, UnknownNameError
from theory_kb.facts import Facts, load_facts
from theory_kb.schema import FORMS, KINDS, Field, Kind

__all__ = ["Catalogue", "Entry", "catalogue", "check_rule_names", "entry", "read_catalogue"]

LINE = re.compile(r"at line (\d+)")
NUMERALS = "numerals_more"  # of its own shape, read by theory_kb.numerals


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact."""

    kind: str
    id: str
    values: Mapping[str, Any]
    sources: tuple[str, ...]  # keys of sources.toml with a chapter after them

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def get(self, name: str, default: Any = None) -> Any:
        """A value, or the default where the entry says nothing."""
        return self.values.get(name, default)


Catalogue = Mapping[str, Mapping[str, Entry]]  # kind: id: entry


@cache
def catalogue() -> Catalogue:
    """Every further fact by kind and id; raises FactError."""
    with resources.as_file(resources.files("theory_kb") / "facts") as folder:
        return read_catalogue(folder, load_facts())


def entry(kind: str, name: str) -> Entry:
    """One fact; raises UnknownNameError."""
    table = catalogue()[kind]
    if name not in table:
        raise UnknownNameError(kind.replace("-", " "), name, table)
    return table[name]


def read_catalogue(folder: Path, facts: Facts) -> Catalogue:
    """Read and check the further facts of a folder.

    Raises:
        FactError: names the file and the entry that is wrong.
    """
    found: dict[str, Mapping[str, Entry]] = {}
    for file, kinds in groupby(KINDS, key=lambda kind: kind.file):
        found |= _read_file(folder / f"{file}.toml", tuple(kinds))
    _check_references(found, facts)
    return MappingProxyType(found)


def _read_file(path: Path, kinds: tuple[Kind, ...]) -> dict[str, Mapping[str, Entry]]:
    content = _content(path)
    unknown = sorted(set(content) - {kind.name for kind in kinds})
    if unknown:
        allowed = ", ".join(kind.name for kind in kinds)
        raise FactError(path.name, unknown[0], f"unknown table (allowed: {allowed})")
    return {kind.name: _entries(path.name, kind, content.get(kind.name)) for kind in kinds}


def _content(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text)
    except OSError as error:
        raise FactError(path.name, "file", f"cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise FactError(path.name, _entry_at(text, str(error)), str(error)) from error


def _entry_at(text: str, problem: str) -> str:
    """What stands at the line that a TOML error names."""
    line = LINE.search(problem)
    if line is None:
        return "TOML"
    return text.splitlines()[int(line[1]) - 1].partition("=")[0].strip() or "TOML"


def _entries(file: str, kind: Kind, table: Any) -> Mapping[str, Entry]:
    if not isinstance(table, list if kind.listed else dict):
        raise FactError(
            file, kind.name, "must be a list of tables" if kind.listed else "must be a table"
        )
    found: dict[str, Entry] = {}
    for name, record in _named(file, kind, table):
        if name in found:
            raise FactError(file, name, "this id is given twice")
        found[name] = _entry(file, kind, name, record)
    return MappingProxyType(found)


def _named(file: str, kind: Kind, table: Any) -> Iterator[tuple[str, Any]]:
    if not kind.listed:
        yield from table.items()
        return
    for number, record in enumerate(table, 1):
        parts = [record.get(name) for name in kind.listed]
        if not all(isinstance(part, str) for part in parts):
            raise FactError(file, f"{kind.name} {number}", f"needs {' and '.join(kind.listed)}")
        yield "/".join(parts), record


def _entry(file: str, kind: Kind, name: str, record: Any) -> Entry:
    if not isinstance(record, dict):
        raise FactError(file, name, f"must be a table, got {record!r}")
    values = dict(record)
    sources = _sources(file, name, values)
    for key in values:
        if key not in kind.fields:
            allowed = ", ".join((*kind.fields, "source"))
            raise FactError(file, name, f"unknown field {key!r} (allowed: {allowed})")
    for key, field in kind.fields.items():
        if key in values:
            _check_field(file, f"{name}.{key}", field, values[key])
        elif field.needed:
            raise FactError(file, name, f"field {key!r} is missing: {FORMS[field.form]}")
    return Entry(kind.name, name, MappingProxyType(values), sources)


def _sources(file: str, name: str, values: dict[str, Any]) -> tuple[str, ...]:
    found = values.pop("sources", None) or [values.pop("source", values.get("by"))]
    if not _texts(found) or not all(found):
        raise FactError(
            file, name, "needs a source: a key of sources.toml, with a chapter if known"
        )
    return tuple(found)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return _whole(value) or isinstance(value, float)


def _list_of(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(check, value))


CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "whole": _whole,
    "number": _number,
    "flag": lambda value: isinstance(value, bool),
    "texts": _texts,
    "wholes": _list_of(_whole),
    "numbers": _list_of(_number),
    "table": lambda value: isinstance(value, dict) and all(map(_texts, value.values())),
}


def _check_field(file: str, place: str, field: Field, value: Any) -> None:
    if not CHECKS[field.form](value):
        raise FactError(file, place, f"must be {FORMS[field.form]}, got {value!r}")
    if field.allowed and value not in field.allowed:
        raise FactError(file, place, f"must be one of {', '.join(field.allowed)}, got {value!r}")


# --- references -----------------------------------------------------------------------------


def _check_references(found: Catalogue, facts: Facts) -> None:
    from theory_kb.numerals import numeral_names

    known: dict[str, set[str]] = {name: set(table) for name, table in found.items()}
    known["cadence"] = {*facts.cadences["kinds"], *facts.cadences["further"]}
    known["scale"] = set(facts.scales["scales"])
    known["metre"] = set(facts.metres["metres"])
    known["function"] = set(facts.scales["functions"])
    known["source"] = set(facts.sources["sources"])
    known["numeral"] = set(numeral_names())
    for kind in KINDS:
        for each in found[kind.name].values():
            _check_entry(kind, each, known)


def _check_entry(kind: Kind, each: Entry, known: Mapping[str, set[str]]) -> None:
    file = f"{kind.file}.toml"
    for source in each.sources:
        if source.split()[0] not in known["source"]:
            raise FactError(file, each.id, f"source {source!r} is not in sources.toml")
    for name, field in kind.fields.items():
        value = each.get(name, ())
        for item in (value,) if isinstance(value, str) else value if field.refers else ():
            if field.refers and item not in known[field.refers]:
                raise FactError(file, f"{each.id}.{name}", f"{item!r} is no {field.refers}")


RULE_FIELDS = {
    "rule-conflict": ("first", "second", "gives"),
    "rule-implication": ("first", "second"),
    "stance": ("rule",),
    "exception-count": ("rule",),
}


def check_rule_names(found: Catalogue, rules: Mapping[str, Any]) -> None:
    """Raise FactError if a fact about rules names one that does not exist."""
    for each, names in _rule_names(found):
        for name in names:
            if name not in rules:
                file = next(kind.file for kind in KINDS if kind.name == each.kind)
                raise FactError(f"{file}.toml", each.id, f"{name!r} is no rule")


def _rule_names(found: Catalogue) -> Iterator[tuple[Entry, Sequence[str]]]:
    yield from ((each, [each.id]) for each in found["norm"].values())
    yield from ((each, each["rules"]) for each in found["duty"].values())
    for kind, fields in RULE_FIELDS.items():
        yield from ((each, [each[field] for field in fields]) for each in found[kind].values())
