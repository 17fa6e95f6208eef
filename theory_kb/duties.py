"""What a composer owes, and what gives way where two rules cannot both be kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from theory_kb.catalogue import Catalogue, catalogue, check_rule_names
from theory_kb.errors import FactError

__all__ = [
    "Conflict",
    "Duty",
    "conflicts",
    "duties",
    "gives_way",
]


@dataclass(frozen=True, slots=True)
class Duty:
    """What a composer owes, by how long it holds when duties collide."""

    rank: int  # 1 holds longest
    id: str
    text: str
    rules: tuple[str, ...]  # ids of the rules that state it
    source: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two rules that cannot always both be kept."""

    rules: tuple[str, str]
    gives: str  # the one that gives way
    text: str
    order: Mapping[str, tuple[str, ...]]  # style: what is given up, the first thing first
    source: str


@cache
def duties() -> tuple[Duty, ...]:
    """Every duty, the one that holds longest first.

    Raises:
        FactError: a duty or a conflict names a rule that does not exist.
    """
    found = [
        Duty(each["rank"], each.id, each["text"], tuple(each["rules"]), ", ".join(each.sources))
        for each in _checked()["duty"].values()
    ]
    return tuple(sorted(found, key=lambda each: each.rank))


@cache
def _checked() -> Catalogue:
    from theory_kb.rules.records import rules

    found = catalogue()
    check_rule_names(found, rules())
    return found


def conflicts(rule: str = "") -> tuple[Conflict, ...]:
    """The known conflicts of a rule with others, or all; raises UnknownNameError."""
    from theory_kb.rules.records import rule as known

    name = known(rule).id if rule else ""
    return tuple(each for each in _conflicts() if name in ("", *each.rules))


@cache
def _conflicts() -> tuple[Conflict, ...]:
    from theory_kb.rules.styles import style_names

    for each in _checked()["rule-conflict"].values():
        for style in set(each.get("order", ())) - set(style_names()):
            problem = f"no style {style!r} (allowed: {', '.join(style_names())})"
            raise FactError("conflicts.toml", each.id, problem)
    return tuple(
        Conflict(
            (each["first"], each["second"]),
            each["gives"],
            each["text"],
            {style: tuple(steps) for style, steps in each.get("order", {}).items()},
            ", ".join(each.sources),
        )
        for each in _checked()["rule-conflict"].values()
    )


def gives_way(first: str, second: str) -> str | None:
    """Which of two rules gives way where both cannot be kept, None if nothing is known of it.

    A known conflict of the two decides; else the ranks of the duties that they state.

    Raises:
        UnknownNameError: there is no such rule.
    """
    pair = {first, second}
    for each in (*conflicts(first), *conflicts(second)):
        if set(each.rules) == pair:
            return each.gives
    ranks = {name: duty.rank for duty in duties() for name in duty.rules}
    if not pair <= set(ranks) or ranks[first] == ranks[second]:
        return None
    return max(pair, key=lambda name: ranks[name])
