"""The report of a class as a record, and what it leads to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from musegen.errors import MusegenError, OptionError
from musegen.exercises.grading.class_record import ClassRecord, HardPlace, Trouble, class_record
from musegen.exercises.grading.class_report import ClassReport, grade_class, hand_ins
from musegen.exercises.grading.score_grader import mark
from musegen.exercises.item import Item, Text
from musegen.exercises.making import make_item
from musegen.exercises.next_set import next_set
from theory_kb.questions_score import exercised_rules
from theory_kb.rules.records import rules
from theory_kb.rules.styles import load_style

NOBODY = ClassRecord("int.name-l3-s7-v1", "int.name", 3, 7, 0.0, 0, (), (), (), ())


def classed(item: Item, folder: Path, answers: dict[str, str]) -> ClassRecord:
    """The record of a class that handed in some texts."""
    for student, text in answers.items():
        (folder / f"{student}.txt").write_text(text, encoding="utf-8")
    return class_record(ClassReport(item, grade_class(item, hand_ins(folder, item))))


def test_a_record_says_who_erred_how_and_where(tmp_path: Path) -> None:
    """Two of three break a rule in part-writing; the record is read back as it was written."""
    item = make_item("pw.connect", 1, 0).item
    model = item.solutions.model["score"]
    wrong = item.distractors[0]
    record = classed(item, tmp_path, {"anna": model, "ben": wrong.value, "chen": wrong.value})
    assert (record.kind, record.level, record.seed, record.marked) == ("pw.connect", 1, 0, 3)
    assert wrong.misconception in {each.id for each in record.rules if each.students == 2}
    assert [each.student for each in record.students] == ["anna", "ben", "chen"]
    assert record.students[0].errors == ()
    assert ClassRecord.from_json(record.to_json()) == record


def test_a_belief_behind_a_typed_answer_is_counted(tmp_path: Path) -> None:
    """Who gives a known wrong answer believes what the record says."""
    item = make_item("int.name", 3, 7).item
    wrong = item.distractors[0]
    record = classed(item, tmp_path, {"anna": wrong.value, "ben": item.solutions.model["answer"]})
    assert [(each.id, each.students) for each in record.misconceptions] == [(wrong.op, 1)]


def test_a_record_that_is_none_is_refused() -> None:
    """With its place, what came and what is allowed."""
    with pytest.raises(MusegenError, match="report: field 'item' is missing"):
        ClassRecord.from_json("{}")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"level": 9}, r"report\.level: must be from 1 to 5, got 9"),
        ({"mean": 7.5}, r"report\.mean: must be from 0 to 1, got 7\.5"),
        ({"marked": 3}, r"report\.marked: must be from 0 to 0, got 3"),
    ],
)
def test_a_record_out_of_range_is_refused(changed: dict[str, Any], said: str) -> None:
    """A report that was edited by hand cannot make nonsense of the proposals."""
    with pytest.raises(MusegenError, match=said):
        ClassRecord.from_json(replace(NOBODY, **changed).to_json())


# --- what follows ---------------------------------------------------------------------------


def broke(
    rule: str, students: int, of: int, kind: str = "pw.connect", level: int = 1
) -> ClassRecord:
    """A class of which some broke one rule."""
    trouble = Trouble(rule, Text(rules()[rule].name, ""), students, students)
    return replace(
        NOBODY, kind=kind, level=level, mean=0.7, marked=of, rules=(trouble,) if students else ()
    )


def test_a_broken_rule_leads_to_items_that_exercise_it() -> None:
    """Every reason given holds for the very item that the command makes."""
    found = next_set([broke("parallel-fifth", 3, 4)], most=2, seed=5)
    best = found.proposals[0]
    (served,) = best.serves
    assert (served.need, served.weight) == ("rule:parallel-fifth", 0.75)
    assert f"make {best.kind} --level {best.level} --count 10 --seed 5 " in best.command
    item = make_item(best.kind, best.level, 5).item
    observed = mark(item, item.solutions.model).observed
    assert observed is not None
    assert "parallel-fifth" in exercised_rules(observed.piece, load_style("strict"))


def test_a_rare_error_is_not_the_class_s() -> None:
    """One of ten asks for nothing; the mean decides."""
    found = next_set([broke("parallel-fifth", 1, 10, "pw.rn.satb", 3)], most=1)
    assert [each.need for each in found.proposals[0].serves] == ["level:pw.rn.satb 3"]


@pytest.mark.parametrize(("mean", "level"), [(0.95, 4), (0.7, 3), (0.4, 2)])
def test_without_a_known_error_the_mean_decides(mean: float, level: int) -> None:
    """Mastered: a level up; weak: a level down."""
    found = next_set([replace(NOBODY, mean=mean, marked=8)], most=1, count=4)
    assert (found.proposals[0].kind, found.proposals[0].level) == ("int.name", level)
    assert found.proposals[0].command == (
        f"musegen exercise make int.name --level {level} --count 4 --seed 107 "
        f"--out next/int.name-l{level}"
    )


def test_a_chord_that_fails_is_spelled_first() -> None:
    """A class that cannot realise V gets it by itself."""
    hard = HardPlace("chords", "3", 0.25, "chord:major V")
    record = replace(NOBODY, kind="pw.rn.satb", level=1, mean=0.7, marked=4, places=(hard,))
    found = next_set([record], most=1)
    assert [each.how for each in found.proposals[0].serves] == ["held"]
    assert found.left == ()


def test_what_nothing_serves_is_left_and_said() -> None:
    """A rule that no kind near watches is not passed over in silence."""
    record = broke("unfinished", 4, 4)
    found = next_set([record], most=3)
    served = {each.need for proposal in found.proposals for each in proposal.serves}
    assert served | {need.id for need in found.left} == {"rule:unfinished"}


@pytest.mark.parametrize(("words", "said"), [({"most": 0}, "--most"), ({"seed": -1}, "--seed")])
def test_wrong_numbers_are_refused(words: dict[str, int], said: str) -> None:
    """In one line that names the option."""
    with pytest.raises(OptionError, match=said):
        next_set([replace(NOBODY, marked=1)], **words)  # type: ignore[arg-type]


def test_asking_for_some_rules_gives_the_same_of_them() -> None:
    """The quick question agrees with the whole one."""
    item = make_item("pw.connect", 2, 1).item
    observed = mark(item, item.solutions.model).observed
    assert observed is not None
    strict = load_style("strict")
    some = ("parallel-fifth", "seventh-resolves-down", "mel-augmented", "voice-crossing")
    whole = exercised_rules(observed.piece, strict)
    assert exercised_rules(observed.piece, strict, some) & set(some) >= whole & set(some)
