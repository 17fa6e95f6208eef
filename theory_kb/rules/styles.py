"""Styles: which rules hold, how strictly, with which parameters and costs.

A style is one TOML file: `name`, `description`, an optional `extends`, and the tables
`[severities]` (rule = "E", "W", "I" or "-"), `[params.rule]` and `[weights]` (soft cost of one
breach in the search, about nats of model log-probability; W and I are the defaults of their
severity). `[[exceptions]]` say where rules do not apply, see `exceptions`; those that a rule's own
record states are switched by its parameters. The built-in styles take their severities from the
rules' records; a user's style starts from the style it extends, exceptions included unless
`keep_exceptions` is false, or from nothing. `style_schema` says all this as JSON Schema.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from theory_kb.errors import FactError, UnknownNameError
from theory_kb.rules.exceptions import CONDITIONS, PAIR_CONDITIONS, Exemption, Flag, Names, Number
from theory_kb.rules.records import RULE_STYLES, SEVERITIES, Rule, rules

__all__ = ["Style", "load_style", "style_names", "style_of", "style_schema"]

FOLDER = Path(__file__).parent.parent / "facts" / "styles"
TABLES = ("severities", "params", "weights")
KEYS = {"name", "description", "extends", "keep_exceptions", "exceptions", *TABLES}
EXCEPTION_KEYS = ("rules", "where", "why")
KINDS: tuple[tuple[str, type, str], ...] = (
    ("description", str, "a text"),
    ("extends", str, "the name of a style"),
    ("keep_exceptions", bool, "true or false"),
    ("exceptions", list, "a list of tables, [[exceptions]]"),
    *((table, dict, "a table") for table in TABLES),
)
DEFAULT_WEIGHTS = {"W": 10.0, "I": 1.0}  # where a style says nothing
NO_STYLE = "none"
HUGE = 1e9  # parameters and weights beyond this are mistakes


@dataclass(frozen=True, slots=True, eq=False)
class Style:
    """A set of rules with severities, parameters and costs."""

    name: str
    description: str
    severities: Mapping[str, str]  # rule: E, W, I or -
    params: Mapping[str, Mapping[str, float]]  # rule: parameter: value, all of them
    weights: Mapping[str, float]  # soft cost of a breach: of W and I, and of single rules
    exceptions: tuple[Exemption, ...] = ()  # where rules do not apply, beside what they say

    def cost(self, rule: str) -> float:
        """Soft cost of breaking a rule: its own, or that of its severity; 0 if it is off."""
        return self.weights.get(rule, self.weights.get(self.severities[rule], 0.0))


def style_names() -> tuple[str, ...]:
    """Names of the built-in styles."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def load_style(name: str | Path) -> Style:
    """A built-in style by name, or a user's own by the path of its TOML file.

    Raises:
        UnknownNameError: no built-in style has that name, and no such file exists.
        FactError: the file says something that no style can say; names file and entry.
    """
    if str(name) in style_names():
        return _read(FOLDER / f"{name}.toml", ())
    if not Path(name).is_file():
        raise UnknownNameError("style", str(name), [*style_names(), "the path of a TOML file"])
    return _read(Path(name), ())


def style_of(content: Mapping[str, Any], file: str) -> Style:
    """A style that another file holds as a table, such as a rubric's.

    Args:
        content: what the file of a style holds.
        file: how a refusal calls it.

    Raises:
        FactError: as `load_style`.
    """
    _check_content(file, content)
    parent = content.get("extends", "")
    if parent and parent not in style_names():
        allowed = ", ".join(style_names())
        raise FactError(file, "extends", f"no style {parent!r} (allowed: {allowed})")
    return _changed(file, content, load_style(parent) if parent else _from_records(NO_STYLE))


def _read(path: Path, seen: tuple[Path, ...]) -> Style:
    content = _content(path)
    return _changed(path.name, content, _base(path, content, (*seen, path.resolve())))


def _changed(file: str, content: Mapping[str, Any], base: Style) -> Style:
    """A style with what a file says that differs."""
    _check_severities(file, content.get("severities", {}))
    return Style(
        content["name"],
        str(content.get("description", "")),
        {**base.severities, **content.get("severities", {})},
        _params(file, content.get("params", {}), base),
        {**base.weights, **_weights(file, content.get("weights", {}))},
        (
            *(base.exceptions if content.get("keep_exceptions", True) else ()),
            *_exceptions(file, content.get("exceptions", [])),
        ),
    )


def _content(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FactError(path.name, "file", f"not valid TOML: {error}") from error
    _check_content(path.name, content)
    return content


def _check_content(file: str, content: Mapping[str, Any]) -> None:
    unknown = sorted(set(content) - KEYS)
    if unknown:
        allowed = ", ".join(sorted(KEYS))
        raise FactError(file, unknown[0], f"unknown entry (allowed: {allowed})")
    if not isinstance(content.get("name"), str):
        raise FactError(file, "name", "a style needs a name")
    for entry, kind, problem in KINDS:
        if entry in content and not isinstance(content[entry], kind):
            raise FactError(file, entry, f"must be {problem}, got {content[entry]!r}")


def _base(path: Path, content: Mapping[str, Any], seen: tuple[Path, ...]) -> Style:
    """The style that this one changes."""
    parent = content.get("extends")
    if parent is None:
        column = path.stem if path.parent == FOLDER and path.stem in RULE_STYLES else NO_STYLE
        return _from_records(column)
    if parent not in style_names():
        allowed = ", ".join(style_names())
        raise FactError(path.name, "extends", f"no style {parent!r} (allowed: {allowed})")
    source = FOLDER / f"{parent}.toml"
    if source.resolve() in seen:
        raise FactError(path.name, "extends", f"{parent!r} extends this style in turn")
    return _read(source, seen)


def _from_records(column: str) -> Style:
    severities = {name: each.severity.get(column, "-") for name, each in rules().items()}
    params = {name: each.params for name, each in rules().items()}
    return Style(column, "", severities, params, DEFAULT_WEIGHTS)


def _known(file: str, table: str, name: str) -> Rule:
    if name not in rules():
        error = UnknownNameError("rule", name, rules())
        raise FactError(file, table, str(error))
    return rules()[name]


def _check_severities(file: str, table: Mapping[str, Any]) -> None:
    for name, level in table.items():
        _known(file, "severities", name)
        if level not in SEVERITIES:
            raise FactError(file, f"severities.{name}", f"must be E, W, I or -, got {level!r}")


def _number(file: str, entry: str, value: object, fits: Callable[[float], bool]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not fits(value):
        raise FactError(file, entry, f"must be a finite number in its range, got {value!r}")
    return float(value)


def _params(file: str, table: Mapping[str, Any], base: Style) -> Mapping[str, Mapping[str, float]]:
    params = dict(base.params)
    for name, values in table.items():
        known = _known(file, "params", name).params
        if not isinstance(values, dict):
            raise FactError(file, f"params.{name}", "must be a table")
        for key, value in values.items():
            if key not in known:
                allowed = ", ".join(known) or "none"
                raise FactError(file, f"params.{name}", f"no {key!r} (allowed: {allowed})")
            number = _number(file, f"params.{name}.{key}", value, lambda number: abs(number) < HUGE)
            params[name] = {**params[name], key: number}
    return params


def _weights(file: str, table: Mapping[str, Any]) -> Mapping[str, float]:
    for name in table:
        if name not in DEFAULT_WEIGHTS:
            _known(file, "weights", name)
    return {
        name: _number(file, f"weights.{name}", value, lambda number: 0 <= number < HUGE)
        for name, value in table.items()
    }


# -------------------------------------------------------------------------------- exceptions


def _exceptions(file: str, entries: Sequence[object]) -> Iterator[Exemption]:
    for number, entry in enumerate(entries, 1):
        yield _exemption(file, f"exceptions {number}", entry)


def _exemption(file: str, place: str, entry: object) -> Exemption:
    if not isinstance(entry, dict):
        raise FactError(file, place, f"must be a table, got {entry!r}")
    for key in sorted(set(entry) ^ set(EXCEPTION_KEYS)):
        problem = "missing" if key in EXCEPTION_KEYS else "unknown"
        raise FactError(file, place, f"{problem} {key} (allowed: {', '.join(EXCEPTION_KEYS)})")
    if not isinstance(entry["why"], str) or not entry["why"]:
        raise FactError(file, f"{place}.why", f"must be a text, got {entry['why']!r}")
    where = _where(file, f"{place}.where", entry["where"])
    names = _texts(file, f"{place}.rules", entry["rules"])
    for name in names:
        looks_back = _known(file, f"{place}.rules", name).group != "unary"
        if not looks_back and set(where) & set(PAIR_CONDITIONS):
            problem = f"{name} looks at one moment: no {' or '.join(PAIR_CONDITIONS)} there"
            raise FactError(file, f"{place}.where", problem)
    return Exemption(names, where, entry["why"])


def _texts(file: str, place: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
        raise FactError(file, place, f"must be a list of names, got {value!r}")
    return tuple(value)


def _where(file: str, place: str, table: object) -> Mapping[str, int]:
    if not isinstance(table, dict) or not table:
        allowed = ", ".join(CONDITIONS)
        raise FactError(file, place, f"must state a condition, got {table!r} (allowed: {allowed})")
    for name in table:
        if name not in CONDITIONS:
            raise FactError(file, place, str(UnknownNameError("condition", name, CONDITIONS)))
    return {name: _condition(file, f"{place}.{name}", name, table[name]) for name in table}


def _condition(file: str, place: str, name: str, value: object) -> int:
    kind = CONDITIONS[name]
    if isinstance(kind, Flag):
        if not isinstance(value, bool):
            raise FactError(file, place, f"must be true or false, got {value!r}")
        return int(value)
    if isinstance(kind, Number):
        low, high = kind.lowest, kind.highest
        wanted = f"must be a whole number from {low} to {high}, got {value!r}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise FactError(file, place, wanted)
        if not float(value).is_integer() or not low <= value <= high:
            raise FactError(file, place, wanted)
        return int(value)
    return _named(file, place, kind, value)


def _named(file: str, place: str, kind: Names, value: object) -> int:
    if not kind.several and not isinstance(value, str):
        raise FactError(file, place, f"must be a name, got {value!r}")
    names = _texts(file, place, value if kind.several else [value])
    bits = 0
    for name in names:
        if name not in kind.allowed:
            raise FactError(file, place, str(UnknownNameError("name", name, kind.allowed)))
        bits |= kind.allowed[name]
    return bits


# ------------------------------------------------------------------------------------ schema


def style_schema() -> dict[str, Any]:
    """The JSON Schema of a style file, built from the rules: what it passes, `load_style` reads.

    A TOML file is judged as the JSON that it amounts to; TOML's `nan` has no JSON and is refused
    by `load_style` alone.
    """
    every = {"type": "string", "enum": list(rules())}
    number = {"type": "number", "exclusiveMinimum": -HUGE, "exclusiveMaximum": HUGE}
    cost = {"type": "number", "minimum": 0, "exclusiveMaximum": HUGE}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Style of musegen: which rules hold, how strictly, with which parameters",
        **_table_of(
            {
                "name": {"type": "string"},
                "description": {"type": "string"},
                "extends": {"enum": list(style_names())},
                "keep_exceptions": {"type": "boolean"},
                "severities": _table_of(
                    {
                        name: {"title": each.name, "enum": list(SEVERITIES)}
                        for name, each in rules().items()
                    }
                ),
                "params": _table_of(
                    {
                        name: _table_of(
                            {
                                key: {**number, "default": value}
                                for key, value in each.params.items()
                            }
                        )
                        for name, each in rules().items()
                    }
                ),
                "weights": _table_of(dict.fromkeys([*DEFAULT_WEIGHTS, *rules()], cost)),
                "exceptions": {"type": "array", "items": _exception_schema(every)},
            },
            "name",
        ),
    }


def _table_of(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    table = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**table, "required": list(required)} if required else table


def _exception_schema(every: Mapping[str, Any]) -> dict[str, Any]:
    conditions = {name: _condition_schema(kind) for name, kind in CONDITIONS.items()}
    looking_back = [name for name, each in rules().items() if each.group != "unary"]
    names = {"type": "array", "items": every, "minItems": 1}
    where = {**_table_of(conditions), "minProperties": 1}
    text = {"type": "string", "minLength": 1}
    narrowed = {"anyOf": [{"required": [name]} for name in PAIR_CONDITIONS]}
    return {
        **_table_of({"rules": names, "where": where, "why": text}, *EXCEPTION_KEYS),
        "if": {"properties": {"where": narrowed}},
        "then": {"properties": {"rules": {"items": {"enum": looking_back}}}},
    }


def _condition_schema(kind: Flag | Names | Number) -> dict[str, Any]:
    if isinstance(kind, Flag):
        return {"type": "boolean"}
    if isinstance(kind, Number):
        return {"type": "integer", "minimum": kind.lowest, "maximum": kind.highest}
    one = {"enum": list(kind.allowed)}
    return {"type": "array", "items": one, "minItems": 1} if kind.several else one
