"""Facts: the TOML files of theory_kb/facts, read once and checked.

A wrong fact stops the load with its file and entry: a source that does not exist, a reference that
leads nowhere, a value of the wrong kind. What is general is stored; what holds in a concrete key
is derived elsewhere.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from theory_kb.errors import FactError

__all__ = ["Facts", "load_facts", "read_facts"]

Table = Mapping[str, Any]
MODES = ("major", "minor")
FILES = (
    "sources",
    "scales",
    "qualities",
    "numerals",
    "progressions",
    "cadences",
    "metres",
    "ranges",
    "key_relations",
    "modes",
    "bass_degrees",
)
USES = ("common", "occasional", "rare")
GRADES = ("A", "B", "C")
NATURALS = tuple("ABCDEFG")


@dataclass(frozen=True, slots=True)
class Facts:
    """All stored facts, one table a file."""

    sources: Table
    scales: Table
    qualities: Table
    numerals: Table
    progressions: Table
    cadences: Table
    metres: Table
    ranges: Table
    key_relations: Table
    modes: Table
    bass_degrees: Table


@cache
def load_facts() -> Facts:
    """The facts of the house; raises FactError if one is wrong."""
    with resources.as_file(resources.files("theory_kb") / "facts") as folder:
        return read_facts(folder)


def read_facts(folder: Path) -> Facts:
    """Read and check the facts of a folder.

    Raises:
        FactError: names the file and the entry that is wrong.
    """
    facts = Facts(*(_read(folder / f"{name}.toml") for name in FILES))
    for name in FILES:
        for entry, source in _cited(getattr(facts, name), ""):
            if source.split()[0] not in facts.sources["sources"]:
                raise FactError(f"{name}.toml", entry, f"source {source!r} is not in sources.toml")
    _check_numerals(facts)
    _check_progressions(facts)
    _check_cadences(facts)
    _check_modes(facts)
    return facts


def _read(path: Path) -> Table:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FactError(path.name, "file", f"cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise FactError(path.name, "TOML", str(error)) from error


def _cited(value: Any, entry: str) -> Iterator[tuple[str, str]]:
    """Every source in a table, with the entry that cites it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "source" and isinstance(inner, str):
                yield entry, inner
            else:
                yield from _cited(inner, f"{entry}.{name}".lstrip("."))
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            yield from _cited(inner, f"{entry} {number}")


def _check_numerals(facts: Facts) -> None:
    qualities = facts.qualities["qualities"]
    functions = facts.scales["functions"]
    further = facts.numerals["further"]
    for mode in MODES:
        entries = {
            **{f"{mode}.{name}": fact for name, fact in facts.numerals[mode].items()},
            **{f"further.{mode}.{name}": fact for name, fact in further[mode].items()},
        }
        for entry, fact in entries.items():
            for field, allowed in (("quality", qualities), ("function", functions), ("use", USES)):
                if fact.get(field) not in allowed:
                    raise FactError(
                        "numerals.toml",
                        entry,
                        f"{field} must be one of {', '.join(allowed)}, got {fact.get(field)!r}",
                    )
            if not isinstance(fact.get("root"), int) or "source" not in fact:
                raise FactError("numerals.toml", entry, "needs a root in fifths and a source")


def _check_progressions(facts: Facts) -> None:
    table = facts.progressions
    for mode in MODES:
        for before, grades in table[mode].items():
            _check_grades(facts, mode, before, grades)
        for name in ("deceptive", "lowered"):
            for target, turns in table[name][mode].items():
                for value in turns.values():
                    _check_share(facts, f"{name}.{mode}.{target}", value)
        for before, shares in table["positions"][mode].items():
            for value in shares.values():
                _check_share(facts, f"positions.{mode}.{before}", value)
    for number, fact in enumerate(table["special"], 1):
        if fact.get("grade") not in (*GRADES, "X"):
            raise FactError(
                "progressions.toml",
                f"special {number}",
                f"grade must be one of {', '.join(GRADES)}, X, got {fact.get('grade')!r}",
            )


def _check_grades(facts: Facts, mode: str, before: str, grades: Table) -> None:
    entry = f"{mode}.{before}"
    for grade, shares in grades.items():
        if grade not in GRADES:
            raise FactError(
                "progressions.toml",
                entry,
                f"grade must be one of {', '.join(GRADES)}, got {grade!r}",
            )
        for after, value in ((before, 0), *shares.items()):
            if not _is_known(after, facts.numerals, mode):
                raise FactError(
                    "progressions.toml", entry, f"{after!r} is no numeral of numerals.toml"
                )
            _check_share(facts, entry, value)


def _check_share(facts: Facts, entry: str, value: Any) -> None:
    """A per cent that was counted, or the source that says so where nothing was."""
    if isinstance(value, str):
        if value.split()[0] not in facts.sources["sources"]:
            raise FactError("progressions.toml", entry, f"source {value!r} is not in sources.toml")
    elif not isinstance(value, int | float) or not 0 <= value <= 100:
        raise FactError(
            "progressions.toml",
            entry,
            f"must be a per cent from 0 to 100 or a source, got {value!r}",
        )


def _is_known(family: str, numerals: Table, mode: str) -> bool:
    stem, _, target = family.partition("/")
    if target:
        tables = (numerals["applied"], numerals["further"]["applied"])
        return stem == "D" and any(target in table[mode]["targets"] for table in tables)
    further = numerals["further"][mode]
    return family in numerals[mode] or family in further or f"{family}7" in further


def _check_cadences(facts: Facts) -> None:
    seen: set[str] = set()
    for formula in facts.cadences["formula"]:
        name = formula.get("id", "?")
        if name in seen:
            raise FactError("cadences.toml", name, "this id is given twice")
        seen.add(name)
        if formula.get("kind") not in facts.cadences["kinds"]:
            raise FactError(
                "cadences.toml",
                name,
                f"kind must be one of "
                f"{', '.join(facts.cadences['kinds'])}, got {formula.get('kind')!r}",
            )
        counts = formula.get("count", {})
        for mode in (mode for mode in MODES if mode in formula):
            if not isinstance(counts.get(mode), int) or counts[mode] < 0:
                raise FactError(
                    "cadences.toml",
                    name,
                    f"count.{mode} must be a whole number, got {counts.get(mode)!r}",
                )


MODE_FIELDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "final": (lambda value: value in NATURALS, "a letter A to G"),
    "reciting": (lambda value: value in NATURALS, "a letter A to G"),
    "raised": (lambda value: isinstance(value, bool), "true or false"),
    "lowest": (lambda value: value in (0, -3), "0 or -3"),
    "source": (lambda value: isinstance(value, str), "a key of sources.toml"),
}


def _check_modes(facts: Facts) -> None:
    for name, fact in facts.modes["modes"].items():
        if fact.get("scale") not in facts.scales["scales"]:
            problem = f"scale must be one of scales.toml, got {fact.get('scale')!r}"
            raise FactError("modes.toml", name, problem)
        for field, (fits, allowed) in MODE_FIELDS.items():
            if not fits(fact.get(field)):
                problem = f"{field} must be {allowed}, got {fact.get(field)!r}"
                raise FactError("modes.toml", name, problem)
