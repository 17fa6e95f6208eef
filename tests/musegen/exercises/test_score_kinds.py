"""Kinds of exercise whose answers are scores: made, proved, and graded after Fux."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.errors import FactError, ScoreError, UnknownNameError
from musegen.exercises.grading.rubric import load_rubric, rubric_names
from musegen.exercises.grading.score_grader import grade_score
from musegen.exercises.grading.voice_text import read_voices, timed, write_line
from musegen.exercises.item import Ask, Given, Item, Solutions, Text
from musegen.exercises.kinds import kinds
from musegen.exercises.making import make_item
from musegen.score import Note
from theory_kb.pitch import Pitch

NOTHING = Text("", "")
CANTUS = "D4|F4|E4|D4|G4|F4|A4|G4|F4|E4|D4"
FUX = {  # worked examples 7 and 8: species, and the counterpoint above the cantus
    1: "A4|A4|G4|A4|B4|C5|C5|B4|D5|C#5|D5",
    2: "A4 D5|A4 B4|C5 G4|A4 D5|B4 C5|D5 A4|C5 D5|E5 B4|D5 A4|B4 C#5|D5",
    3: "D4 E4 F4 G4|A4 B4 C5 D5|E5 D5 B4 C5|D5 C5 Bb4 A4|Bb4 C5 D5 E5|F5 F4 A4 B4|"
    "C5 A4 Bb4 C5|Bb4 A4 G4 Bb4|A4 D4 E4 F4|G4 A4 B4 C#5|D5",
    4: "r A4|-A4 D5|-D5 C5|-C5 Bb4|-Bb4 G4|A4 C5|-C5 F5|-F5 E5|-E5 D5|-D5 C#5|D5",
    5: "r2 A4:2|-A4 D4 E4 F4|G4 F4 E4 G4|F4 D4 D5:2|-D5 C5 Bb4 G4|A4 B4 C5:2|-C5:2 F5:2|"
    "-F5 E5:8 D5:8 E5:2|-E5 A4 D5:2|-D5:2 C#5:2|D5",
}
UNITS = {1: 4, 2: 2, 3: 1, 4: 2, 5: 1}


def species_item(species: int) -> Item:
    """Fux's cantus with a counterpoint above it."""
    return Item(
        id=f"cp.sp{species}",
        version=1,
        seed=0,
        level=1,
        lang="en",
        key="D minor",
        given=Given(),
        ask=(Ask("score", "score", "score", NOTHING, 20),),
        prompt=Text("Write a counterpoint.", "写对位。"),
        uniqueness="R",
        solutions=Solutions({"score": (FUX[species],)}),
        hints=(),
        why=NOTHING,
        rubric="fux_strict",
        facts={
            "voices": "Counterpoint Cantus",
            "given": f"Cantus: {CANTUS.replace('|', ':1|')}:1",
            "metre": "4/4",
            "unit": str(UNITS[species]),
            "cantus": "Cantus",
            "species": f"Counterpoint={species}",
            "mode": "dorian",
            "style": "fux2",
        },
    )


@pytest.mark.parametrize("species", FUX)
def test_fux_makes_no_error(species: int) -> None:
    """His own solutions lose nothing that costs two points; what he rarely does is a warning."""
    graded = grade_score(species_item(species), {"score": f"Counterpoint: {FUX[species]}"})
    assert not [each.rule for each in graded.findings if each.severity == "error"]
    assert graded.status == "graded"


def test_crossing_of_third_species_is_only_a_warning() -> None:
    """The voices cross in bar 9 of the third species, which costs half a point and no more."""
    graded = grade_score(species_item(3), {"score": f"Counterpoint: {FUX[3]}"})
    crossing = [each for each in graded.findings if each.rule == "voice-crossing"]
    assert [(each.bar, each.severity) for each in crossing] == [(9, "style")]


def fux_item(voices: str, species: str, style: str, rubric: str) -> Item:
    """Fux's cantus in some voices."""
    facts = {**species_item(1).facts, "voices": voices, "species": species, "style": style}
    return replace(species_item(1), rubric=rubric, facts=facts)


def test_fux_below_his_cantus_makes_no_error() -> None:
    """Worked example 7, fig. 6 as corrected: 8 10 5 6 10 10 10 5 3 3 1."""
    item = fux_item("Cantus Counterpoint", "Counterpoint=1", "fux2", "fux_strict")
    graded = grade_score(item, {"score": "Counterpoint: D3|D3|A3|F3|E3|D3|F3|C4|D4|C#4|D4"})
    assert graded.status == "graded"
    assert not [each.rule for each in graded.findings if each.severity == "error"]


def test_fux_in_three_voices_is_touched_by_style_alone() -> None:
    """Worked example 7, fig. 101: a fourth of upper voices is free, outer direct motion a warning."""
    item = fux_item("Cantus Middle Low", "Middle=1 Low=1", "fux3", "fux_three")
    graded = grade_score(
        item,
        {
            "score": "Middle: F3|A3|C4|A3|B3|D4|C4|E4|D4|C#4|D4\n"
            "Low: D3|D3|A3|F3|E3|D3|F3|C3|D3|A3|D3"
        },
    )
    assert not [each.rule for each in graded.findings if each.severity == "error"]
    direct = [each for each in graded.findings if each.rule == "direct-perfect-any"]
    assert [(each.bar, each.severity, each.voices) for each in direct] == [
        (8, "style", ("Cantus", "Low")),
        (11, "style", ("Cantus", "Low")),
    ]
    assert not [f for f in graded.findings if f.bar == 4 and "fourth" in f.said.en]


def test_parallel_fifths_in_first_species_cost_two() -> None:
    """A planted fifth after a fifth is an error in its bar."""
    wrong = FUX[1].replace("A4|A4|G4", "A4|C5|B4")
    graded = grade_score(species_item(1), {"score": f"Counterpoint: {wrong}"})
    assert ("parallel-fifth", 3) in [(each.rule, each.bar) for each in graded.findings]


@pytest.mark.parametrize("name", ["pw.rn.satb", "harm.bass.rn", "err.satb.find", "cp.cantus"])
def test_the_same_seed_gives_the_same_item(name: str) -> None:
    """What models and searches draw comes from the seed alone."""
    assert make_item(name, 2, 1).item.to_json() == make_item(name, 2, 1).item.to_json()


def test_a_counterpoint_is_made_with_its_count() -> None:
    """First species against a short cantus: the number of ways is exact and the model is full."""
    made = make_item("cp.sp1", 1, 0).item
    assert made.solutions.count is not None
    assert made.solutions.count > 100
    assert kinds()["cp.sp1"].regrade(made, made.solutions.model).full


# --- rubrics --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", rubric_names())
def test_rubrics_load(name: str) -> None:
    """Each rubric of the house names known rules, and sections in both languages."""
    found = load_rubric(name)
    assert found.id == name
    assert all(section.title.zh for section in found.sections)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id = 1", "id must be"),
        ('id = "x"\nsections = []', "missing"),
        ('id = "x"\nextends = "nothing"', "no rubric 'nothing'"),
        ("id = [", "not valid TOML"),
        (
            (
                'id = "x"\nextends = "ap6"\n[[sections]]\nid = "y"\ntitle = { en = "a", zh = "b" }\n'
                'unit = "chord"\nzero = ["parallel-fifthss"]'
            ),
            "unknown rule 'parallel-fifthss'",
        ),
        ('id = "x"\nextends = "ap6"\n[rules.params]\nmel-seventh = { wide = 1 }', "no 'wide'"),
    ],
)
def test_wrong_rubrics_are_refused_by_entry(text: str, said: str, tmp_path: Path) -> None:
    """A teacher's file that cannot be read says file, entry and what is allowed."""
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(FactError) as refusal:
        load_rubric(str(path))
    assert said in str(refusal.value) or "field" in str(refusal.value)


def test_unknown_rubric_names_those_that_are_known() -> None:
    """A name that is none is refused."""
    with pytest.raises(UnknownNameError):
        load_rubric("ap99")


# --- voices as text -------------------------------------------------------------------------


def test_species_notation_is_read() -> None:
    """Ties join, a note alone in its bar fills it, a rest is time without a note."""
    line = read_voices(f"x: {FUX[4]}").voices["x"]
    notes = timed(line, Fraction(2), Fraction(4))
    assert [(str(pitch), onset, length) for pitch, onset, length in notes[:2]] == [
        ("A4", Fraction(2), Fraction(4)),
        ("D5", Fraction(6), Fraction(4)),
    ]
    assert notes[-1][1:] == (Fraction(40), Fraction(4))


@pytest.mark.parametrize("text", ["C5 D5", "S: C5:3", "S: C5 x", "a\nS: C5", "S: C5\nS: D5"])
def test_voices_that_cannot_be_read_are_refused(text: str) -> None:
    """The refusal is one line."""
    with pytest.raises(ScoreError) as refusal:
        read_voices(text)
    assert "\n" not in str(refusal.value)


@given(st.lists(st.tuples(st.integers(40, 80), st.integers(1, 24), st.integers(0, 8)), max_size=12))
def test_lines_are_read_as_they_were_written(drawn: list[tuple[int, int, int]]) -> None:
    """Writing a line and reading it gives the same notes, whatever their lengths in eighths."""
    time, notes = Fraction(0), []
    for step, (semitone, length, rest) in enumerate(drawn):
        time += Fraction(rest, 2)
        pitch = Pitch(semitone * 7 // 12 - 7 + step % 2, semitone)
        if abs(pitch.alteration) > 1:
            pitch = Pitch.parse("C5" if step % 2 else "D4")
        notes.append(Note(time, Fraction(length, 2), pitch))
        time += Fraction(length, 2)
    if not notes:
        return
    tokens = read_voices(f"x: {write_line(notes, Fraction(4))}").voices["x"]
    found = timed(tokens, Fraction(1), Fraction(4))
    assert [(p, o, d) for p, o, d in found] == [(n.pitch, n.onset, n.duration) for n in notes]
