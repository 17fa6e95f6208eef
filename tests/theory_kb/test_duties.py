"""Duties that collide: which holds longest, which rules cannot always both be kept, what gives way."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from theory_kb.catalogue import Entry, catalogue, check_rule_names
from theory_kb.duties import conflicts, duties, gives_way
from theory_kb.errors import FactError, UnknownNameError
from theory_kb.graph import knowledge_graph
from theory_kb.pitch import inverted_number
from theory_kb.rules.records import rules


def test_duties_stand_in_one_order() -> None:
    """Eleven duties, from octaves to taste, each with a source and rules that exist."""
    assert [each.rank for each in duties()] == list(range(1, 12))
    assert duties()[0].rules == ("parallel-octave", "parallel-unison")
    assert all(each.source and each.text for each in duties())
    named = [name for each in duties() for name in each.rules]
    assert len(named) == len(set(named))
    assert set(named) <= set(rules())


def test_known_conflicts() -> None:
    """Seven pairs of rules, one of each gives way; strict and bach differ at the close."""
    assert len(conflicts()) == 7
    assert all(each.gives in each.rules and each.source for each in conflicts())
    close = conflicts("leading-tone-inner")[0]
    assert close.order["strict"][-1] == close.order["bach"][0] == "the inner leading tone"
    assert conflicts("bar-sum") == ()
    with pytest.raises(UnknownNameError, match="did you mean 'parallel-fifth'"):
        conflicts("paralel-fifth")


@pytest.mark.parametrize(
    ("first", "second", "weaker"),
    [
        ("parallel-octave", "parallel-fifth", "parallel-fifth"),
        ("spacing-upper", "double-root-position", "spacing-upper"),
        ("leading-tone-outer", "voice-crossing", "voice-crossing"),
        ("syntax-sequence-broken", "double-leading-tone", "double-leading-tone"),
        ("cadence-pac-third", "leading-tone-inner", "leading-tone-inner"),
        ("parallel-octave", "parallel-unison", None),  # one duty
        ("parallel-octave", "bar-sum", None),  # nothing is known
    ],
)
def test_which_of_two_duties_gives_way(first: str, second: str, weaker: str | None) -> None:
    """A known conflict decides, else the ranks; either order of asking has one answer."""
    assert gives_way(first, second) == gives_way(second, first) == weaker


def test_duties_and_conflicts_are_in_the_graph() -> None:
    """What the facts say can be walked: rule to duty, rule to rule."""
    graph = knowledge_graph()
    assert graph.has_edge(("rule", "parallel-fifth"), ("duty", "fifths-apart"))
    for each in conflicts():
        first, second = (("rule", name) for name in each.rules)
        assert graph.has_edge(first, second)


@pytest.mark.parametrize(
    ("kind", "change"),
    [("duty", {"rules": ["no-such"]}), ("rule-conflict", {"gives": "no-such"})],
)
def test_a_rule_that_does_not_exist_is_named(kind: str, change: dict[str, Any]) -> None:
    """The file, the entry and the name that is no rule."""
    found = dict(catalogue())
    name, each = next(iter(found[kind].items()))
    wrong: Entry = replace(each, values={**each.values, **change})
    found[kind] = MappingProxyType({**found[kind], name: wrong})
    with pytest.raises(FactError, match=rf"conflicts\.toml: {name}: 'no-such' is no rule"):
        check_rule_names(found, rules())


TABLES = {  # what an interval becomes, from a unison on
    8: [8, 7, 6, 5, 4, 3, 2, 1],
    10: [10, 9, 8, 7, 6, 5, 4, 3],
    12: [12, 11, 10, 9, 8, 7, 6, 5],
}


@pytest.mark.parametrize("at", TABLES)
def test_inversion_of_intervals(at: int) -> None:
    """The tables of double counterpoint; inverting twice gives the interval again."""
    came = [inverted_number(number, at=at) for number in range(1, 9)]
    assert came == TABLES[at]
    assert [inverted_number(each, at=at) for each in came] == list(range(1, 9))


def test_inversions_that_do_not_exist_are_refused() -> None:
    """Nine is no interval of inversion, and a ninth does not fit into an octave."""
    with pytest.raises(UnknownNameError, match="interval of inversion '9'"):
        inverted_number(3, at=9)
    with pytest.raises(UnknownNameError, match="unknown interval '9'"):
        inverted_number(9)
