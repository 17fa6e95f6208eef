"""Why there is no solution: textbook conflicts, proven by trying, and the ways out taken."""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from musegen.errors import InfeasibleError
from musegen.plan.chord_text import read_chords
from musegen.plan.plan import ANY, Plan
from musegen.plan.setting import plan_around, plan_of_chords
from musegen.score import Metre, Note, Part, Score
from musegen.tasks.conflict import Explanation, explain_conflict
from musegen.tasks.relaxation import Change, Constraint, Loosened, constraints_between
from musegen.tasks.writing import Options, write
from theory_kb.check import load_style
from theory_kb.pitch import Key, Pitch


def line(*names: str) -> tuple[Note, ...]:
    """Quarter notes."""
    return tuple(
        Note(Fraction(place), Fraction(1), Pitch.parse(name)) for place, name in enumerate(names)
    )


def around(**voices: tuple[Note, ...]) -> Plan:
    """A plan in C major around given voices."""
    names = ("soprano", "alto", "tenor", "bass")
    parts = tuple(Part(name, voices[name]) for name in names if name in voices)
    score = Score("T", Key.parse("C major"), parts, (Metre(4, 4),))
    given = {names.index(part.name): part.notes for part in parts}
    return plan_around(score, given, name="H", least_grade=ANY)


OCTAVES = around(
    soprano=line("C5", "D5", "C5", "D5", "C5"), bass=line("C3", "D3", "E3", "G3", "C3")
)
SEVENTH = plan_of_chords(read_chords("C: V42 I"), metre=Metre(4, 4))
BACH = load_style("bach")


def explained(plan: Plan) -> Explanation:
    """The explanation of a plan that has no solution."""
    found = explain_conflict(plan, BACH)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def octaves() -> Explanation:
    """Given octaves in parallel."""
    return explained(OCTAVES)


@pytest.fixture(scope="module")
def seventh() -> Explanation:
    """A third inversion of the dominant seventh that goes to a root position."""
    return explained(SEVENTH)


def test_given_octaves_name_four_notes_and_the_rule(octaves: Explanation) -> None:
    """No one of the four notes and the rule can be left out."""
    assert [(each.kind, each.voice, each.slots) for each in octaves.conflict.members] == [
        ("note", 0, (0,)),
        ("note", 3, (0,)),
        ("note", 0, (1,)),
        ("note", 3, (1,)),
        ("rule", -1, (1,)),
    ]
    assert octaves.conflict.members[-1].rule == "parallel-octave"
    assert octaves.conflict.proof == "only"
    assert octaves.lines[0] == (
        "these cannot hold together: soprano C5 at bar 1, beat 1; bass C3 at bar 1, beat 1; "
        "soprano D5 at bar 1, beat 2; bass D3 at bar 1, beat 2; "
        'rule parallel-octave ("Parallel octaves", E) at bar 1, beat 2'
    )


def test_a_seventh_in_the_bass_must_fall(seventh: Explanation) -> None:
    """V42 to I: both chords and the rule on the seventh; V42 to I6 or V7 to I are the ways out."""
    kinds = [(each.kind, each.rule) for each in seventh.conflict.members]
    assert kinds == [("chord", ""), ("chord", ""), ("rule", "seventh-resolves-down")]
    words = " ".join(seventh.lines)
    assert "put I6 of C major at bar 1, beat 2 in place of I of C major" in words
    assert "give up rule seventh-resolves-down" in words


def test_a_note_in_no_chord_stands_alone() -> None:
    """Fb5 in C major is in no chord: it is the conflict, and E5 the nearest way out."""
    found = explained(around(soprano=line("C5", "Fb5", "C5", "D5", "C5")))
    assert [each.kind for each in found.conflict.members] == ["note"]
    assert "move the soprano's Fb5 at bar 1, beat 2 to E5" in found.lines[2]


@pytest.mark.parametrize("name", ["octaves", "seventh"])
def test_a_conflict_is_one_and_each_part_is_needed(
    name: str, request: pytest.FixtureRequest
) -> None:
    """With all else let go it cannot be kept; with any one of its members let go too, it can."""
    found: Explanation = request.getfixturevalue(name)
    conflict = found.conflict
    groups = constraints_between(found.plan, BACH, conflict.first, conflict.last)
    others = {each for group in groups for each in group} - set(conflict.members)
    loose = Loosened(found.plan, BACH)

    def possible(given_up: set[Constraint]) -> bool:
        changes = frozenset(Change(each) for each in given_up)
        return loose.dead_end(conflict.first, conflict.last, changes) is None

    assert not possible(others)
    assert all(possible(others | {each}) for each in conflict.members)


@pytest.mark.parametrize("name", ["octaves", "seventh"])
def test_nothing_cheaper_than_the_first_way_out(name: str, request: pytest.FixtureRequest) -> None:
    """Of all sets of one or two constraints that let the piece go on, none is cheaper."""
    found: Explanation = request.getfixturevalue(name)
    last = len(found.plan.slots) - 1
    flat = [each for group in constraints_between(found.plan, BACH, 0, last) for each in group]
    loose = Loosened(found.plan, BACH)
    best = found.relaxations[0].price
    cheaper = [
        each
        for size in (1, 2)
        for each in combinations(flat, size)
        if sum(one.price for one in each) < best
    ]
    assert cheaper
    for each in cheaper:
        assert loose.dead_end(0, last, frozenset(map(Change, each))) is not None


@pytest.mark.parametrize("name", ["octaves", "seventh"])
def test_ways_out_lead_out(name: str, request: pytest.FixtureRequest) -> None:
    """A plan that is changed as a way out says is written, under all the rules of the style."""
    found: Explanation = request.getfixturevalue(name)
    loose = Loosened(found.plan, BACH)
    taken = 0
    for way in found.relaxations:
        if all(each.to is not None for each in way.changes):
            plan = replace(loose.changed_plan(frozenset(way.changes)), lines={})
            made = write(plan, Options(models=(), temperature=0.0), rng=np.random.default_rng(0))
            assert not made.report.count("E")
            taken += 1
    assert taken


def test_the_error_of_a_task_explains_itself() -> None:
    """The refusal names bar and beat; conflict and ways out come when they are asked for."""
    with pytest.raises(InfeasibleError, match=r"^bar 1, beat 2: nothing that may stand") as caught:
        write(OCTAVES, Options(models=()), rng=np.random.default_rng(0))
    assert caught.value.conflict.proof == "only"
    assert [each.rule for each in caught.value.conflict.members][-1] == "parallel-octave"
    assert caught.value.relaxations
    assert InfeasibleError(0, "no reason").conflict is None


def test_what_can_be_written_has_no_conflict() -> None:
    """Nothing is explained where nothing is wrong."""
    assert (
        explain_conflict(plan_of_chords(read_chords("C: I V I"), metre=Metre(4, 4)), BACH) is None
    )


def test_other_places_are_named() -> None:
    """Two faults far apart: the first is explained, the second named by its place."""
    plan = plan_of_chords(read_chords("C: V42 I V I IV V42 I"), metre=Metre(4, 4))
    found = explained(plan)
    assert found.further == (6,)
    assert found.lines[-1] == "there is no way on at other places either: bar 2, beat 3"


def test_json_says_what_the_words_say(octaves: Explanation) -> None:
    """Members and ways out with voice, rule, bar and what could stand instead."""
    values = octaves.as_json()
    assert [each["kind"] for each in values["conflict"]["members"]] == ["note"] * 4 + ["rule"]
    assert values["conflict"]["members"][1]["voice"] == "bass"
    assert values["conflict"]["members"][4]["rule"] == "parallel-octave"
    assert all(way["changes"] for way in values["relaxations"])
