"""The records of the rules: what a rule is called, where it holds, what it says and why.

Each lives in `facts/rules/*.toml` under the id of its function. A record is checked when it is
read: an unknown or missing entry, a severity that is none, a parameter that its function does not
take, a rule without a function or a function without a rule stops the load by file and entry.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from theory_kb.errors import FactError, UnknownNameError

__all__ = ["RULE_STYLES", "SEVERITIES", "Rule", "rule", "rules"]

RULE_STYLES = ("strict", "bach", "fux2", "fux3", "kbd", "pop")  # columns of a severity string
SEVERITIES = ("E", "W", "I", "-")  # error, warning, information, off
FOLDER = Path(__file__).parent.parent / "facts" / "rules"

SCOPES = ("N", "V", "M1", "M2", "L3", "H2", "P", "W")
LEVELS = ("surface", "harmonic")
GROUPS = ("unary", "pair", "line", "piece")
REPORTS = ("voice", "pair", "chord")
NEEDS = (
    "voices",
    "key",
    "tonic",
    "harmony",
    "phrase",
    "metre",
    "bar-length",
    "exercise",
    "cantus",
    "species",
    "final",
    "mode",
    "units",
    "entries",
    "canon",
    "invertible",
    "given",
    "answers",
    "vocabulary",
    "syllables",
    "melody",
    "hands",
    "tempo",
    "bars",
    "written",
    "figures",
    "end",
)
TEXTS = ("name", "message", "why", "right", "wrong")
CHOICES = {"scope": SCOPES, "level": LEVELS, "group": GROUPS, "reports": REPORTS}
LISTS = ("needs", "repair", "cites", "exceptions")
REQUIRED = {"id", "severity", "needs", "repair", "cites", *TEXTS, *CHOICES}
OPTIONAL = {"exceptions": [], "params": {}, "family": "", "rank": 0}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as its record states it."""

    id: str  # stable for ever
    name: str
    scope: str  # N note, V sonority, M1 M2 a move of one or two voices, L3 line, H2 chords, P, W
    level: str  # surface or harmonic
    group: str  # unary, pair, line or piece: what its function looks at
    reports: str  # one finding a voice, a pair of voices, or a chord
    needs: tuple[str, ...]  # what must be known of a piece
    params: Mapping[str, float]  # names with defaults, in the order of the kernel's p
    severity: Mapping[str, str]  # style: E, W, I or -
    exceptions: tuple[str, ...]
    message: str  # template
    why: str
    repair: tuple[str, ...]
    cites: tuple[str, ...]
    right: str  # an example it must not flag
    wrong: str  # an example it must flag
    family: str  # rules of one family report one defect once
    rank: int  # the lowest of a family is reported, the others are attached to it


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule by id, in the order of the files; raises FactError."""
    found: dict[str, Rule] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for entry in _entries(path):
            each = _read(path.name, entry)
            if each.id in found:
                raise FactError(path.name, each.id, "this id is already taken")
            found[each.id] = each
    _match_functions(found)
    return MappingProxyType(found)


def rule(name: str) -> Rule:
    """The rule of an id; raises UnknownNameError."""
    if name not in rules():
        raise UnknownNameError("rule", name, rules())
    return rules()[name]


def _entries(path: Path) -> list[dict[str, Any]]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise FactError(path.name, "file", f"not valid TOML: {error}") from error
    if set(content) != {"rule"}:
        raise FactError(path.name, ", ".join(content), "only [[rule]] entries are allowed here")
    entries: list[dict[str, Any]] = content["rule"]
    return entries


def _read(file: str, entry: dict[str, Any]) -> Rule:
    name = str(entry.get("id", "a rule without id"))
    _check_keys(file, name, entry)
    values: dict[str, Any] = {**OPTIONAL, **entry}
    for key in LISTS:
        if not isinstance(values[key], list):
            raise FactError(file, name, f"{key} must be a list")
        values[key] = tuple(values[key])
    for key, allowed in CHOICES.items():
        if values[key] not in allowed:
            problem = f"{key} must be one of {', '.join(allowed)}, got {values[key]!r}"
            raise FactError(file, name, problem)
    strange = set(values["needs"]) - set(NEEDS)
    if strange:
        raise FactError(file, name, f"needs knows {', '.join(NEEDS)}, not {', '.join(strange)}")
    values["severity"] = _severities(file, name, values["severity"])
    values["params"] = MappingProxyType(
        {key: float(value) for key, value in values["params"].items()}
    )
    return Rule(**values)


def _check_keys(file: str, name: str, entry: Mapping[str, Any]) -> None:
    missing = sorted(REQUIRED - set(entry))
    if missing:
        raise FactError(file, name, f"missing {', '.join(missing)}")
    unknown = sorted(set(entry) - REQUIRED - set(OPTIONAL))
    if unknown:
        raise FactError(file, name, f"unknown entry {', '.join(unknown)}")
    for key in TEXTS:
        if not isinstance(entry[key], str) or not entry[key]:
            raise FactError(file, name, f"{key} must be a text")


def _severities(file: str, name: str, text: object) -> Mapping[str, str]:
    letters = str(text).split()
    if len(letters) != len(RULE_STYLES) or not set(letters) <= set(SEVERITIES):
        columns = " ".join(RULE_STYLES)
        raise FactError(file, name, f"severity must be six of E W I - ({columns}), got {text!r}")
    return MappingProxyType(dict(zip(RULE_STYLES, letters, strict=True)))


def _match_functions(found: Mapping[str, Rule]) -> None:
    from theory_kb.rules import functions

    table = functions()
    for name in sorted(set(table) ^ set(found)):
        place = "record" if name in found else "function"
        raise FactError("rules", name, f"has a {place} only; a rule is a record and a function")
    for name, each in found.items():
        piece = name not in functions(piece=False)
        if (each.group == "piece") != piece:
            raise FactError("rules", name, f"group {each.group} does not fit its function")
        if tuple(each.params) != table[name].params:
            expected = ", ".join(table[name].params) or "none"
            raise FactError("rules", name, f"params must be, in this order: {expected}")
