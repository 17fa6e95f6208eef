"""A pattern of single notes that a piece must hold; where it rests, the voices are free."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from musegen.errors import ScoreError
from musegen.plan.chord_text import read_chords
from musegen.plan.given_notes import pattern_lines, with_notes
from musegen.plan.plan import Plan
from musegen.plan.setting import plan_of_chords
from musegen.score import Metre, Note, Part, Score
from musegen.tasks.compose import Request, draft
from musegen.tasks.harmonise import harmonise
from musegen.tasks.realise import realise
from musegen.tasks.writing import Options
from theory_kb.pitch import Key, Pitch

QUICK = Options(models=(), temperature=0.0)
CHORDS = "C major: I V6 I IV V I"


def note(onset: str, length: str, name: str) -> Note:
    """A note in quarter notes from the start."""
    return Note(Fraction(onset), Fraction(length), Pitch.parse(name))


def pattern(**lines: tuple[Note, ...]) -> Score:
    """A score of some voices' notes."""
    parts = tuple(Part(name.capitalize(), notes) for name, notes in lines.items())
    return Score("Pattern", Key.parse("C major"), parts, (Metre(4, 4),))


def plan() -> Plan:
    """Six chords."""
    return plan_of_chords(read_chords(CHORDS), metre=Metre(4, 4))


def test_chords_are_realised_around_single_notes() -> None:
    """An alto's two notes stand where they are given; the alto goes on before and after."""
    notes = (note("1", "1/2", "D4"), note("3/2", "1/2", "G4"), note("3", "1", "A4"))
    (made,) = realise(CHORDS, QUICK, pattern=pattern(alto=notes))
    assert set(notes) <= set(made.score.parts[1].notes)
    assert made.score.parts[1].notes[0].onset == 0
    assert sum(each.duration for each in made.score.parts[1].notes) == 6
    assert not made.report.count("E")


def test_a_tune_and_single_notes_of_other_voices_are_given() -> None:
    """A soprano is harmonised with a bass note that must be there."""
    tune = pattern(
        soprano=tuple(
            note(str(at), "1", name)
            for at, name in enumerate(["G4", "A4", "B4", "C5", "D5", "C5", "B4", "C5"])
        )
    )
    must = note("3", "1", "A3")
    (made,) = harmonise(tune, QUICK, pattern=pattern(bass=(must,)))
    assert made.score.parts[0].notes == tune.parts[0].notes
    assert must in made.score.parts[3].notes


@pytest.mark.slow
def test_a_piece_is_composed_around_a_motif() -> None:
    """The form's piece begins with the given soprano, in the pattern's key."""
    motif = tuple(note(at, "1", name) for at, name in (("1", "C5"), ("2", "D5"), ("3", "E5")))
    given = replace(pattern(soprano=motif), upbeat=Fraction(1))
    made = draft(Request(models=(), seed=1, metre="4/4"), pattern=given)
    assert made.score.key == Key.parse("C major")
    assert set(motif) <= set(made.score.parts[0].notes)
    assert not made.report.count("E")


def test_parts_of_a_pattern_are_named() -> None:
    """Four parts are the choir; fewer are named after their voices, else refused."""
    one = (note("0", "1", "C4"),)
    assert pattern_lines(pattern(alto=one)) == {1: one}
    four = pattern(a=one, b=one, c=one, d=one)
    assert set(pattern_lines(four)) == {0, 1, 2, 3}
    with pytest.raises(ScoreError, match=r"'Viola'.*soprano, alto, tenor, bass"):
        pattern_lines(pattern(viola=one))


@pytest.mark.parametrize(
    ("notes", "problem"),
    [
        ((note("1/2", "1/2", "G4"),), "bar 1, beat 1, alto: the pattern rests within the beat"),
        ((note("5", "3", "G4"),), "lasts 8 quarter notes, the piece 6"),
        ((note("0", "1", "F#4"),), "bar 1, beat 1: no chord .* holds F#4"),
    ],
)
def test_what_no_plan_can_hold_is_refused(notes: tuple[Note, ...], problem: str) -> None:
    """Half a beat, a note after the end, a note outside every chord: each with its place."""
    with pytest.raises(ScoreError, match=problem):
        with_notes(plan(), {1: notes})


def test_a_voice_is_given_once() -> None:
    """A tune cannot be given and patterned."""
    full = with_notes(plan(), {1: (note("0", "1", "G4"),)})
    with pytest.raises(ScoreError, match="alto: is given already"):
        with_notes(full, {1: (note("1", "1", "G4"),)})
