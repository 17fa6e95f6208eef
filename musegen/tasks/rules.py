"""The catalogue of rules: which there are, and all that one of them says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import fill
from typing import Any

from theory_kb.check import load_style
from theory_kb.errors import UnknownNameError
from theory_kb.facts import load_facts
from theory_kb.rules.records import (
    LEVELS,
    NEEDS,
    RULE_STYLES,
    SCOPES,
    SEVERITIES,
    Rule,
    rule,
    rules,
)

__all__ = ["SCOPE_NAMES", "RuleFilter", "cited", "rule_lines", "rule_record", "select_rules"]

SCOPE_NAMES = {
    "N": "a note",
    "V": "a sonority",
    "M1": "a move of one voice",
    "M2": "a move of two voices",
    "L3": "a line of three notes and more",
    "H2": "two chords",
    "P": "a phrase",
    "W": "the whole piece",
}
WIDTH = 100


@dataclass(frozen=True, slots=True)
class RuleFilter:
    """Which rules are wanted; what is None or empty does not matter."""

    style: str | None = None  # those that are on in it
    scope: str | None = None
    level: str | None = None
    severity: str | None = None  # in the style, else in any
    needs: str | None = None
    search: str = ""  # words in its id, name, message, reason, sources


def select_rules(wanted: RuleFilter) -> tuple[Rule, ...]:
    """Rules that fit a filter, in order of their files.

    Raises:
        UnknownNameError: a style, scope, level, severity or need that there is not.
    """
    for kind, name, allowed in (
        ("scope", wanted.scope, SCOPES),
        ("level of rules", wanted.level, LEVELS),
        ("severity", wanted.severity, SEVERITIES),
        ("need", wanted.needs, NEEDS),
    ):
        if name is not None and name not in allowed:
            raise UnknownNameError(kind, name, allowed)
    severities = load_style(wanted.style).severities if wanted.style is not None else None
    words = wanted.search.lower().split()
    return tuple(
        each
        for each in rules().values()
        if wanted.scope in (None, each.scope)
        and wanted.level in (None, each.level)
        and (wanted.needs is None or wanted.needs in each.needs)
        and _is_severe(each, wanted.severity, severities[each.id] if severities else None)
        and all(word in _text(each) for word in words)
    )


def _is_severe(each: Rule, wanted: str | None, in_style: str | None) -> bool:
    if in_style is None:
        return wanted is None or wanted in each.severity.values()
    return in_style == wanted if wanted is not None else in_style != "-"


def _text(each: Rule) -> str:
    words = (each.id, each.name, each.message, each.why, *each.exceptions, *each.cites)
    return " ".join(words).lower()


def rule_record(name: str) -> dict[str, Any]:
    """All fields of a rule as plain values; raises UnknownNameError."""
    each = rule(name)
    return {
        "id": each.id,
        "name": each.name,
        "scope": each.scope,
        "level": each.level,
        "group": each.group,
        "reports": each.reports,
        "needs": list(each.needs),
        "params": dict(each.params),
        "severity": dict(each.severity),
        "exceptions": list(each.exceptions),
        "message": each.message,
        "why": each.why,
        "repair": list(each.repair),
        "cites": list(each.cites),
        "family": each.family,
        "right": each.right,
        "wrong": each.wrong,
    }


def cited(each: Rule) -> list[tuple[str, str]]:
    """Each place that a rule cites, with author and title of the source."""
    table = load_facts().sources["sources"]
    found = []
    for cite in each.cites:
        entry = table.get(cite.split()[0])
        found.append((cite, f"{entry['author']}: {entry['title']}" if entry else ""))
    return found


def rule_lines(name: str) -> Iterator[str]:
    """A rule in words; raises UnknownNameError."""
    each = rule(name)
    yield f"{each.id}: {each.name}"
    yield _filled("why", f"{each.why}.")
    yield _filled("says", each.message)
    yield _filled("looks at", f"{SCOPE_NAMES[each.scope]}, {each.level} level")
    yield _filled("needs", ", ".join(each.needs) or "nothing")
    severities = (f"{style} {each.severity[style]}" for style in RULE_STYLES)
    yield _filled("severity", ", ".join(severities))
    for exception in each.exceptions:
        yield _filled("except", exception)
    for param, value in each.params.items():
        yield _filled("parameter", f"{param} = {value:g}")
    yield _filled("to mend it", "; or ".join(each.repair))
    for cite, title in cited(each):
        yield _filled("source", f"{cite} ({title})" if title else cite)
    yield _filled("right", each.right)
    yield _filled("wrong", each.wrong)


def _filled(head: str, text: str) -> str:
    indent = f"  {head + ':':<12}"
    return fill(text, WIDTH, initial_indent=indent, subsequent_indent=" " * len(indent))
