"""Styles: which rules hold, how strictly, with which parameters and costs.

A style is one TOML file: `name`, `description`, an optional `extends`, and the tables
`[severities]` (rule = "E", "W", "I" or "-"), `[params.rule]` and `[weights]` (soft cost of one
breach in the search, about nats of model log-probability; W and I are the defaults of their
severity). The built-in styles take their severities from the rules' records; a user's style starts
from the style it extends, or from nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from theory_kb.errors import FactError, UnknownNameError
from theory_kb.rules.records import RULE_STYLES, SEVERITIES, Rule, rules

__all__ = ["Style", "load_style", "style_names"]

FOLDER = Path(__file__).parent.parent / "facts" / "styles"
KEYS = {"name", "description", "extends", "severities", "params", "weights"}
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


def _read(path: Path, seen: tuple[Path, ...]) -> Style:
    content = _content(path)
    base = _base(path, content, (*seen, path.resolve()))
    _check_severities(path.name, content.get("severities", {}))
    return Style(
        content["name"],
        str(content.get("description", "")),
        {**base.severities, **content.get("severities", {})},
        _params(path.name, content.get("params", {}), base),
        {**base.weights, **_weights(path.name, content.get("weights", {}))},
    )


def _content(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FactError(path.name, "file", f"not valid TOML: {error}") from error
    unknown = sorted(set(content) - KEYS)
    if unknown:
        allowed = ", ".join(sorted(KEYS))
        raise FactError(path.name, unknown[0], f"unknown entry (allowed: {allowed})")
    if not isinstance(content.get("name"), str):
        raise FactError(path.name, "name", "a style needs a name")
    for table in ("severities", "params", "weights"):
        if not isinstance(content.get(table, {}), dict):
            raise FactError(path.name, table, "must be a table")
    return content


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
