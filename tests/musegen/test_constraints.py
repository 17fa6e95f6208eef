"""The bridge: what is shared between places, and chords that may follow one another."""

from dataclasses import fields, replace
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.candidates import DEAR, View, as_seen, candidates_of, rules_of
from musegen.constraints import build_problem, forget
from musegen.errors import InfeasibleError
from musegen.plan.chord_text import read_chords
from musegen.plan.plan import (
    ANY,
    COMMON,
    CONDITIONAL,
    Figured,
    Given,
    Harmony,
    Plan,
    Slot,
    Stood,
)
from musegen.plan.setting import plan_around, plan_of_chords
from musegen.score import Metre, Note, Part, Score
from musegen.search.lattice import PairTable
from musegen.search.lazy import LazyPairTable
from musegen.search.optimum import count_solutions, first_order_optimum
from musegen.search.reachability import alive
from musegen.tasks.harmonise import harmonise
from musegen.tasks.writing import Options
from musegen.transitions import PIVOT_COST, Turn, least_costs, link
from theory_kb.check import load_style
from theory_kb.chords import chord, vocabulary
from theory_kb.moment import Moments
from theory_kb.pitch import Key, Pitch
from theory_kb.rule_sets import costs, pair_costs, rule_set

SLOT = Slot(Fraction(4), Fraction(1), 2, 0, 4, 1, 3, 2, (), repeats=1)
UNSEEN: dict[str, Any] = {
    "onset": Fraction(9),
    "bar": 7,
    "phrase": 5,
    "to_end": 8,
    "from_start": 9,
    "repeats": 3,
}
C, G, D_MINOR = Key.parse("C major"), Key.parse("G major"), Key.parse("D minor")
GRADES = {0: 5.0, 1: 2.5, 2: 0.7, 3: 0.0}


def line(*names: str) -> tuple[Note, ...]:
    """Quarter notes, the last with a fermata."""
    notes = [
        Note(Fraction(place), Fraction(1), Pitch.parse(name)) for place, name in enumerate(names)
    ]
    return (*notes[:-1], replace(notes[-1], fermata=True))


def tune(names: str) -> Score:
    """A soprano in quarter notes, one phrase, in C major."""
    return Score("", C, (Part("Soprano", line(*names.split())),), (Metre(4, 4),))


def free_plan() -> Plan:
    """Eight notes to be harmonised."""
    score = tune("C5 D5 E5 F5 E5 D5 D5 C5")
    return plan_around(score, {0: score.parts[0].notes}, name="x")


# --- what places share ----------------------------------------------------------------------


@pytest.mark.parametrize("name", [each.name for each in fields(Slot)])
def test_only_what_no_rule_sees_is_left_out_of_what_is_shared(name: str) -> None:
    """A change of any field makes another key, but for those that say where a slot stands."""
    changed: dict[str, Any] = {
        "duration": Fraction(2),
        "position": 5040,
        "strength": 1,
        "harmonies": (Harmony(C, chord("major", "V")),),
        "soprano": (1, 3),
        "given": (Given(Pitch.parse("C5")), None, None, None),
        "figured": Figured(Pitch.parse("C3")),
        "stood": Stood(Harmony(C, chord("major", "I")), (Given(Pitch.parse("C5")),)),
        "silent": frozenset({1}),
    }
    values: dict[str, Any] = {name: {**UNSEEN, **changed}[name]}
    other = replace(SLOT, **values)
    assert (as_seen(other) == as_seen(SLOT)) == (name in UNSEEN)


@pytest.mark.parametrize("changes", [{"from_start": 0}, {"to_end": 0}])
def test_where_phrases_begin_and_end_is_seen(changes: dict[str, Any]) -> None:
    """The first and the last slot of a phrase are places of their own."""
    assert as_seen(replace(SLOT, **changes)) != as_seen(SLOT)


def test_the_first_phrase_has_no_boundary_before_it() -> None:
    """A phrase that opens the piece is another than one that follows."""
    first = replace(SLOT, from_start=0, phrase=0)
    assert as_seen(first) != as_seen(replace(first, phrase=1))
    assert as_seen(replace(first, phrase=2)) == as_seen(replace(first, phrase=1))


@pytest.mark.parametrize("style", ["bach", "strict"])
@given(seed=st.integers(0, 2**32 - 1))
def test_no_rule_of_the_search_sees_time_but_bars_apart(style: str, seed: int) -> None:
    """Pairs of voicings that are moved together by some bars and ticks cost the same."""
    rng = np.random.default_rng(seed)
    before, after = _voicings(rng), _voicings(rng)
    after["bar"] += rng.integers(0, 2)
    rows, columns = (rng.integers(0, len(each), 50) for each in (before, after))
    for group in ("pair", "unary"):
        rules = rule_set(load_style(style), group)
        here = pair_costs(rules, before, after, rows, columns)
        moved = before.copy(), after.copy()
        for moments in moved:
            moments["bar"] += 17
            moments["onset"] += 9999
        assert pair_costs(rules, *moved, rows, columns).tolist() == here.tolist()


def _voicings(rng: np.random.Generator) -> Moments:
    symbols = ["I", "V7", "ii6", "vi", "viio6"]
    plan = plan_of_chords(read_chords(f"C major: {symbols[rng.integers(5)]} I"), metre=Metre(4, 4))
    found: Moments = build_problem(plan, load_style("bach")).slots[0].moments.copy()
    found["strength"] = rng.integers(0, 5)
    return found


def test_tables_are_shared_between_places_and_calls_that_look_alike() -> None:
    """I V I V ...: from the second bar on the same moves have the same tables, call by call."""
    plan = plan_of_chords(read_chords("C major: " + "I V I V " * 4), metre=Metre(4, 4))
    first, second = (build_problem(plan, load_style("strict")).lattice.pairs for _ in range(2))
    assert first[4] is first[8] is second[4]
    assert first[4] is not first[6]  # strong beat to weak, but from another place in the bar
    assert first[3] is not first[5]  # over the bar line
    other = build_problem(plan, load_style("bach")).lattice.pairs
    assert other[4] is not first[4]


def test_a_move_over_the_bar_line_is_another_in_every_metre() -> None:
    """In 2/4 a bass that stays costs over the bar line and not inside the bar."""
    plan = plan_of_chords(read_chords("C major: I I I I"), metre=Metre(2, 4))
    problem = build_problem(plan, load_style("strict"))
    for place, over in enumerate((False, True, False)):
        rules = rule_set(problem.style, "pair")
        before, after = problem.slots[place].moments, problem.slots[place + 1].moments
        assert (before["bar"][0] != after["bar"][0]) == over
        table = problem.lattice.pairs[place]
        rows = np.repeat(np.arange(len(before)), np.diff(table.indptr))
        judged = pair_costs(rules, before, after, rows, table.successors.astype(np.int64))
        assert (table.costs >= judged).all()
        assert np.isfinite(judged).all()


# --- pairs on demand ------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["bach", "strict"])
def test_a_tune_has_the_optimum_of_all_its_pairs(style: str) -> None:
    """Few pairs are judged; the tables of all of them have the same optimum."""
    forget()
    lattice = build_problem(free_plan(), load_style(style)).lattice
    lazy = first_order_optimum(lattice)
    tables = [each for each in lattice.pairs if isinstance(each, LazyPairTable)]
    sizes = sum(each.shape[0] * each.shape[1] for each in tables)
    assert tables
    assert sum(each.judged for each in tables) < 0.5 * sizes
    known = replace(
        lattice, pairs=tuple(PairTable(p.indptr, p.successors, p.costs) for p in lattice.pairs)
    )
    found = first_order_optimum(known)
    assert (found.cost, found.path.tolist()) == (lazy.cost, lazy.path.tolist())
    assert count_solutions(known) == count_solutions(lattice) > 0


# --- chords ---------------------------------------------------------------------------------


def test_progressions_by_hand() -> None:
    """V to I is normative, V to IV is not; vi of C is the pivot ii of G before D7."""
    assert link(Harmony(C, chord("major", "V")), Harmony(C, chord("major", "I"))) == (3, None)
    assert link(Harmony(C, chord("major", "V")), Harmony(C, chord("major", "IV")))[0] < COMMON
    grade, pivot = link(Harmony(C, chord("major", "vi")), Harmony(G, chord("major", "V")))
    assert pivot is not None
    assert (grade, pivot.symbol) == (3, "ii")
    assert link(Harmony(C, chord("major", "IV")), Harmony(G, chord("major", "V"))) == (0, None)


@pytest.mark.parametrize("least", [ANY, CONDITIONAL, COMMON])
@given(seed=st.integers(0, 2**32 - 1))
def test_least_costs_are_those_of_progressions_one_by_one(least: int, seed: int) -> None:
    """All chords against all at once, and the same pair by pair."""
    rng = np.random.default_rng(seed)
    every = [Harmony(key, each) for key in (C, G, D_MINOR) for each in vocabulary()]
    every = [each for each in every if each.chord.mode == each.key.mode]
    before, after = (
        replace(SLOT, harmonies=tuple(every[place] for place in rng.integers(0, len(every), 9)))
        for _ in range(2)
    )
    goal = (C, G)[rng.integers(2)]
    found = least_costs(before, after, Turn(goal, least, chords_given=False))
    links = {pair: link(*pair) for pair in product(before.harmonies, after.harmonies)}
    grades = {
        (one, other): 0 if one.key != other.key != goal and least > ANY else grade
        for (one, other), (grade, _) in links.items()
    }
    for i, one in enumerate(before.harmonies):
        dull = all(grades[one, other] < COMMON for other in after.harmonies)
        for j, other in enumerate(after.harmonies):
            grade, pivot = grades[one, other], links[one, other][1]
            allowed = grade >= least or (dull and grade >= CONDITIONAL)
            price = PIVOT_COST * (pivot is not None) + GRADES[grade]
            assert found[i, j] == (price if allowed else np.inf)


# --- what costs much ------------------------------------------------------------------------

DEARLY = """
name = "dear-doublings"
description = "Bach's practice, with doublings that cost much"
extends = "bach"

[weights]
double-root-position = 5.0
"""


def test_a_dear_voicing_is_taken_where_no_other_leads_on(tmp_path: Path) -> None:
    """D4-C4 over E3-F3 needs a doubling that costs more than voicings which lead nowhere."""
    path = tmp_path / "dear.toml"
    path.write_text(DEARLY)
    style = load_style(str(path))
    given_lines = {0: line("D4", "C4"), 3: line("E3", "F3")}
    parts = tuple(Part(name, given_lines[voice]) for voice, name in ((0, "Soprano"), (3, "Bass")))
    score = Score("", C, parts, (Metre(4, 4),))
    plan = plan_around(score, given_lines, name="x", least_grade=ANY)
    with pytest.raises(InfeasibleError):
        alive(build_problem(plan, style).lattice)
    assert build_problem(plan, style, dear=np.inf).whole
    assert not build_problem(plan, style).whole
    for strategy in ("beam", "exact"):
        options = Options(style=str(path), models=(), temperature=0.0, strategy=strategy)
        (made,) = harmonise(score, options, voices=("soprano", "bass"))
        assert made.problem.whole
        assert not made.report.count("E")


@pytest.mark.parametrize("dear", [DEAR, np.inf])
def test_candidates_are_kept_apart_by_how_dear_they_may_be(dear: float) -> None:
    """What is kept of a cut slot is not what is kept of a whole one, whichever came first."""
    forget()
    plan, style = free_plan(), load_style("bach")
    whole = candidates_of(
        plan.slots[0], View.of(plan, 0, dear=np.inf), rules_of(style, constrained=True)
    )
    for each in (dear, DEAR, np.inf):
        found = build_problem(plan, style, dear=each).slots[0]
        assert len(found.cost) + found.dear == len(whole.cost)
        assert found.dear == 0 or each == DEAR


def test_the_cut_leaves_out_only_what_costs_more_than_its_chord_must() -> None:
    """Of each chord what is left is what costs less than its cheapest voicing and the limit."""
    plan, style = free_plan(), load_style("bach")
    rules = rules_of(style, constrained=True)
    slot = plan.slots[3]
    whole, cut = (candidates_of(slot, View.of(plan, 3, dear=each), rules) for each in (np.inf, 1.0))
    bare = [costs(rules.unary, each.moments, each.moments, each.moments) for each in (whole, cut)]
    assert cut.dear
    for chord_ in range(len(slot.harmonies)):
        every, left = (
            cost[each.harmony == chord_] for cost, each in zip(bare, (whole, cut), strict=True)
        )
        assert sorted(left) == sorted(every[every < every.min(initial=np.inf) + 1.0])
