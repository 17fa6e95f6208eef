"""Rules that grade an exercise: partial credit, figures, given notes, gaps, spelling, vocabulary."""

from __future__ import annotations

from dataclasses import replace

import pytest

from theory_kb.check import check, load_style
from theory_kb.rules.context import Answer
from theory_kb.rules.examples import findings, read_piece
from theory_kb.rules.grading import full_figures, label_credit
from theory_kb.rules.records import rule

CREDITS = [  # mode, written, right, per cent
    ("major", "V65", "V65", 100),
    ("major", "V7", "V65", 70),  # inversion
    ("major", "V", "V7", 80),  # quality
    ("major", "V6", "V7", 50),  # quality and inversion
    ("major", "viio6", "V65", 30),  # root and quality
    ("major", "IV", "V", 50),  # quality and inversion are right, the root is not
    ("major", "V/V", "II", 0),  # II is no chord here
    ("major", "sausage", "V", 0),
    ("minor", "i", "i", 100),
]


@pytest.mark.parametrize(("mode", "came", "allowed", "per_cent"), CREDITS)
def test_partial_credit(mode: str, came: str, allowed: str, per_cent: float) -> None:
    """Root half, quality a fifth, inversion three tenths."""
    assert label_credit(mode, came, allowed) == per_cent


def test_the_best_reading_counts() -> None:
    """Where a place admits several readings, a label earns what it earns against the nearest."""
    text = rule("label-wrong").wrong.replace("V7 V65", "V7 viio6;V65")
    assert ["70 per cent" in each.message for each in findings(rule("label-wrong"), text)] == [True]


SAME = [("", "53"), ("", "5/3"), ("6", "63"), ("6", "6/3"), ("64", "6 4"), ("7", "7/5/3")]
SAME += [
    ("65", "6/5/3"),
    ("43", "643"),
    ("2", "4/2"),
    ("42", "6/4/2"),
    ("#", "5/#3"),
    ("♯6", "#63"),
]
SAME += [("9", "953"), ("7#", "7/5/#"), ("54", "5/4"), ("4+", "6/4+/2"), ("4", "5/4")]
DIFFERENT = [
    ("6", "64"),
    ("7", "65"),
    ("65", "43"),
    ("43", "42"),
    ("", "6"),
    ("#", "b"),
    ("6", "#6"),
]


@pytest.mark.parametrize(("short", "full"), SAME)
def test_figures_leave_out_what_is_understood(short: str, full: str) -> None:
    """A short figure is the full one."""
    assert full_figures(short) == full_figures(full)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_other_figures_are_other_notes(one: str, other: str) -> None:
    """Figures of other inversions and with other signs differ."""
    assert full_figures(one) != full_figures(other)


GIVEN = "given: B 0 C3, B 2 D3 | {upper} | B: {bass}"
CASES = [  # rule, example, whether it is kept
    ("given-altered", GIVEN.format(upper="S: C5 _ D5 _", bass="C3 _ D3 _"), True),
    ("given-altered", GIVEN.format(upper="S: C5 _ D5 _", bass="C3 _ D4 _"), False),  # the octave
    ("given-altered", GIVEN.format(upper="S: C5 _ D5 _", bass="C3 _ Ebb3 _"), False),  # spelling
    ("given-altered", GIVEN.format(upper="S: C5 _ D5 _", bass="C3 D3 _ _"), False),  # too early
    ("given-altered", GIVEN.format(upper="S: C5 _ D5 _", bass="C3 _ - D3"), False),  # too late
    ("unfinished", GIVEN.format(upper="S: - C5 - D5", bass="C3 _ D3 _"), True),  # half rests
    ("unfinished", GIVEN.format(upper="S: C5 - - -", bass="C3 _ D3 _"), False),
    ("unfinished", "answers: roman 0 V V | S: C5", True),
    ("notation-spelling", "key: C major | chords: V V | S: F#5 G5 | B: G3 G3", True),  # no member
    ("notation-spelling", "key: C major | chords: V V | S: Cb5 G5 | B: G3 G3", False),
    ("notation-spelling", "key: C major | chords: ? V | S: Cb5 G5 | B: G3 G3", True),
    (
        "style-vocabulary",
        "key: C major | vocabulary: I | chords: I _ _ | S: E5 D5 C5 | B: C4 _ _",
        True,
    ),
    (
        "style-vocabulary",
        "key: C major | vocabulary: I nct-neighbor | chords: I _ _ | S: E5 D5 C5 | B: C4 _ _",
        False,
    ),
    (
        "style-vocabulary",
        "key: C major | vocabulary: I nct-passing | chords: I _ _ | S: E5 D5 C5 | B: C4 _ _",
        True,
    ),
]


@pytest.mark.parametrize(("name", "example", "kept"), CASES)
def test_what_grading_allows(name: str, example: str, *, kept: bool) -> None:
    """Rests of florid species, chromatic notes and untaught kinds of figures are told apart."""
    assert (findings(rule(name), example) == ()) == kept


def test_an_empty_label_is_missing_and_not_wrong() -> None:
    """What was not written is unfinished; it is not graded twice."""
    piece = read_piece("key: C major | chords: I | S: E5 | B: C4")
    context = replace(piece.context, answers=(Answer("roman", 0, "", ("I",)),))
    report = check(replace(piece, context=context), load_style("strict"))
    rules_broken = {each.rule for each in report.findings}
    assert "unfinished" in rules_broken
    assert "label-wrong" not in rules_broken


def test_a_piece_that_is_no_exercise_is_not_graded() -> None:
    """Rules of grading are skipped, and said to be, where nothing is given or asked."""
    report = check(read_piece("S: C5 - | B: C4 D4"), load_style("strict"))
    reasons = {each.rule: each.reason for each in report.skipped}
    assert reasons["unfinished"] == "this is no exercise"
    assert reasons["given-altered"] == "nothing is given"
    assert reasons["key-wrong"] == "no labels were written"
