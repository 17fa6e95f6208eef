"""Worked example 12: a melody taken down, well and badly."""

from __future__ import annotations

from fractions import Fraction

import pytest

from musegen.exercises.grading.dictation import (
    Melody,
    harmonic_dictation,
    melodic_dictation,
    round_half_even_up,
)
from musegen.exercises.grading.rubric import load_rubric
from musegen.score import Note
from theory_kb.pitch import Interval, Pitch

SEGMENT = Fraction(2)
AP1, AP3 = load_rubric("ap1").melody, load_rubric("ap3")
BAR = (Fraction(4),) * 4
REFERENCE = "G4 A4 B4 D5 C5:.5 B4:.5 A4 B4:2 D5:1.5 C5:.5 B4 A4 F#4 A4 G4:2"


def melody(text: str, bars: tuple[Fraction, ...] = BAR) -> Melody:
    """Notes with their lengths in beats, one where nothing is said."""
    time, notes = Fraction(0), []
    for word in text.split():
        name, _, length = word.partition(":")
        notes.append(Note(time, Fraction(length or "1"), Pitch.parse(name)))
        time += notes[-1].duration
    return Melody(tuple(notes), bars)


def points(answer: Melody) -> Fraction:
    """What an answer to the reference gets."""
    assert AP1 is not None
    return melodic_dictation(melody(REFERENCE), answer, SEGMENT, AP1)


def test_perfect_answers() -> None:
    """All of it is nine; with wrong bar lines eight."""
    assert points(melody(REFERENCE)) == 9
    assert points(melody(REFERENCE, (Fraction(3), Fraction(5), Fraction(4), Fraction(4)))) == 8


def test_three_segments_wrong() -> None:
    """Submission A: five segments are right, and one point more."""
    answer = "G4 A4 B4 D5 C5 A4 B4:2 D5:1.5 C5:.5 B4 G4 F4 A4 G4:2"
    assert points(melody(answer)) == 6


def test_pitches_without_rhythm_and_the_reverse() -> None:
    """Submission B has all pitches and no rhythm: four; C the rhythm a third too high: two."""
    pitches = [word.partition(":")[0] for word in REFERENCE.split()]
    assert points(melody(" ".join(f"{name}:3" for name in pitches))) == 4
    high = melody(REFERENCE)
    third = Interval.parse("M3")
    moved = tuple(Note(n.onset, n.duration, n.pitch + third) for n in high.notes)
    assert points(Melody(moved, BAR)) == 2


def test_a_shift_of_a_segment_costs_nothing() -> None:
    """A melody that begins half a bar late has its segments, though not all can be right."""
    late = tuple(Note(n.onset + 2, n.duration, n.pitch) for n in melody(REFERENCE).notes)
    assert points(Melody(late, BAR)) == 9


def test_nothing_is_nothing() -> None:
    """An empty page has no points."""
    assert points(Melody((), BAR)) == 0


@pytest.mark.parametrize(
    ("raw", "whole"),
    [("1/2", 1), ("3/2", 2), ("5/2", 2), ("7/2", 3), ("1/4", 0), ("3/4", 1), ("5/4", 1)],
)
def test_rounding_of_the_other_guides(raw: str, whole: int) -> None:
    """Halves go up below two and down above, quarters to the nearest."""
    assert round_half_even_up(Fraction(raw)) == whole


def test_harmonic_dictation() -> None:
    """Bass in another octave is right, soprano not; a numeral alone is half; a sign before it none."""
    played = [
        (Pitch.parse(upper), Pitch.parse(lower), symbol)
        for upper, lower, symbol in (
            ("E5", "C3", "I"),
            ("D5", "B2", "V6"),
            ("C5", "A2", "vi"),
            ("B4", "G2", "V7"),
        )
    ]
    assert harmonic_dictation(played, played, "major", AP3) == 12
    written = [
        (Pitch.parse("E5"), Pitch.parse("C2"), "i"),
        (Pitch.parse("D4"), Pitch.parse("B2"), "V"),
        (None, None, "bvi"),
        (Pitch.parse("B4"), Pitch.parse("G2"), "V7"),
    ]
    assert harmonic_dictation(played, written, "major", AP3) == 8
