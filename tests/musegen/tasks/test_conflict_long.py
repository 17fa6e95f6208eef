"""Conflicts of rules that look further back, and of surfaces, against trying everything."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.errors import DeadEndError, InfeasibleError
from musegen.plan.plan import ANY, Plan
from musegen.plan.setting import plan_around
from musegen.score import Metre, Note, Part, Score
from musegen.search.conflict import fewest_of_each
from musegen.tasks.conflict_long import (
    _Asked,
    _deletable,
    explain_dead_end,
    explain_surfaces,
)
from musegen.tasks.conflict_text import LONG
from musegen.tasks.harmonise import harmonise
from musegen.tasks.writing import Options
from theory_kb.check import load_style
from theory_kb.pitch import Key, Pitch

C = Key.parse("C major")
QUICK = Options(models=(), temperature=0.0)
STRICTER = """
name = "no-leap-unrecovered"
description = "A leap must be recovered"
extends = "bach"

[severities]
leap-recovery = "E"
"""


def tune(names: str) -> Score:
    """A soprano of quarter notes in C major."""
    notes = [
        Note(Fraction(place), Fraction(1), Pitch.parse(name))
        for place, name in enumerate(names.split())
    ]
    notes[-1] = replace(notes[-1], fermata=True)
    return Score("", C, (Part("Soprano", tuple(notes)),), (Metre(4, 4),))


@pytest.fixture(name="stricter")
def stricter_style(tmp_path: Path) -> Path:
    """A style in which a leap that is not recovered is an error."""
    path = tmp_path / "stricter.toml"
    path.write_text(STRICTER)
    return path


def around(names: str) -> Plan:
    """The plan of a tune, any progression allowed."""
    score = tune(names)
    return plan_around(score, {0: score.parts[0].notes}, name="x", home=C, least_grade=ANY)


# --- rules that look further back -----------------------------------------------------------

LEAP = "C4 A4 B4 C5 B4 C5"  # up a sixth, and on in the same direction


def test_a_leap_of_the_tune_that_nothing_recovers_is_named_with_its_rule(stricter: Path) -> None:
    """Three notes and the rule, each needed; a note left open is the cheapest way out."""
    with pytest.raises(DeadEndError) as refused:
        harmonise(tune(LEAP), replace(QUICK, style=str(stricter)), key=C)
    assert refused.value.proved
    assert str(refused.value).startswith("bar 1, beat 3: rules that look further back")
    found = refused.value.explanation
    assert found is not None
    assert [(each.kind, each.slots, each.rule) for each in found.conflict.members[:3]] == [
        ("note", (place,), "") for place in range(3)
    ]
    assert [each.rule for each in found.conflict.members[3:]] == ["leap-recovery"]
    assert found.conflict.proof == "only" + LONG
    assert found.lines[2] == "the rules on one chord and on two neighbours are held beside them"
    assert found.lines[3].startswith("the cheapest way out: leave the soprano open instead of C4")


@pytest.mark.parametrize("names", [LEAP, "D5 F4 E4 F4 D4 C4"])
def test_a_conflict_is_the_only_one_that_trying_all_sets_finds(names: str, stricter: Path) -> None:
    """Of all sets of the rule and the notes up to the dead end one is irreducible: that one."""
    plan, style = around(names), load_style(str(stricter))
    found = explain_dead_end(plan, style, 2)
    assert found is not None
    asked = _Asked(plan, style)
    flat = [each for group in _deletable(plan, asked, 2) for each in group]
    assert len(flat) == 4
    sets = [frozenset(each) for size in range(5) for each in combinations(flat, size)]
    impossible = [each for each in sets if not asked(frozenset(flat) - each)]
    least = [each for each in impossible if not any(other < each for other in impossible)]
    assert least == [frozenset(found.conflict.members)]
    cheapest = min(sum(one.price for one in each) for each in sets if asked(each))
    assert found.relaxations[0].price == cheapest


def test_where_long_rules_are_not_at_fault_nothing_is_said(stricter: Path) -> None:
    """A tune that has a solution, or one that neighbours alone forbid, has no such conflict."""
    style = load_style(str(stricter))
    assert explain_dead_end(around("C5 D5 E5 D5 C5"), style, 2) is None


# --- surfaces -------------------------------------------------------------------------------

WEAK = """
name = "strong-cadences"
description = "A cadence arrives on a strong beat"
extends = "bach"

[severities]
cadence-metric = "E"
"""
surfaces = st.lists(
    st.frozensets(st.integers(0, 5), min_size=1, max_size=3), min_size=1, max_size=6
)


@given(sets=surfaces)
def test_the_fewest_rules_of_which_each_surface_breaks_one(sets: list[frozenset[int]]) -> None:
    """No smaller set has a member of each."""
    found = fewest_of_each(sets)
    assert all(found & each for each in sets)
    for smaller in combinations(range(6), len(found) - 1):
        assert not all(set(smaller) & each for each in sets)


def test_a_rule_that_every_surface_breaks_is_named(tmp_path: Path) -> None:
    """A piece that ends on a weak beat: rule and place, and to give it up as the way out."""
    path = tmp_path / "strong.toml"
    path.write_text(WEAK)
    with pytest.raises(InfeasibleError, match="every surface breaks cadence-metric") as refused:
        harmonise(tune("C5 D5 E5 D5 B4 C5"), replace(QUICK, style=str(path)), key=C)
    found = refused.value.explanation
    assert found is not None
    assert [(each.rule, each.slots) for each in found.conflict.members] == [
        ("cadence-metric", (5,))
    ]
    assert found.conflict.proof == "surfaces"
    assert found.as_json()["relaxations"][0]["changes"][0]["rule"] == "cadence-metric"


def test_of_several_surfaces_the_shared_rule_is_named() -> None:
    """Each breaks `parallel-fifth` at the third chord, and something else besides."""
    plan, style = around("C5 D5 E5 D5 C5"), load_style("bach")
    shared = (2, "parallel-fifth")
    broken = [frozenset({shared, (place, "parallel-octave")}) for place in (1, 3)]
    found = explain_surfaces(plan, style, broken)
    assert found is not None
    assert [(each.slots[0], each.rule) for each in found.conflict.members] == [shared]
    assert [len(each.changes) for each in found.relaxations] == [2, 2]
    assert explain_surfaces(plan, style, []) is None
