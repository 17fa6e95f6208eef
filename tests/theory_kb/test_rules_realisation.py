"""Rules on chords that were asked for, and the parameters with which graders ask other rules."""

from __future__ import annotations

import pytest

from theory_kb.rules.examples import findings
from theory_kb.rules.records import rule


@pytest.mark.parametrize(
    ("name", "example", "said"),
    [
        (
            "chord-foreign-tone",
            "key: A minor | chords: V | S: B4 | A: Ab4 | T: E4 | B: E3",
            "A Ab4 is no note of V (E G# B).",
        ),
        (
            "chord-wrong-bass",
            "key: F major | chords: ii6 | S: D5 | A: G4 | T: Bb3 | B: G2",
            "B G2 puts another inversion under ii6, which has Bb in the bass.",
        ),
        (
            "chord-too-thin",
            "key: C major | chords: V7 | S: F4 | A: - | T: B3 | B: G3",
            "Of V7 only F4 B3 G3 sound; 4 voices are needed.",
        ),
    ],
)
def test_what_a_chord_must_hold_is_named(name: str, example: str, said: str) -> None:
    """The message names the note and what was asked for."""
    (found,) = findings(rule(name), example)
    assert found.message == said


@pytest.mark.parametrize(
    ("name", "freed", "example"),
    [
        (
            "leading-tone-outer",
            "submediant_free=1",
            "key: G major | chords: I V6 vi | S: B4 D5 E5 | A: G4 A4 G4 | T: D4 D4 B3 | B: G3 F#3 E3",
        ),
        (
            "unequal-fifth-upper",
            "falling_free=1",
            "S: Bb4 A4 | A: E4 D4 | B: G3 D3",
        ),
        (
            "seventh-approach",
            "smallest_down=3",
            "key: C major | chords: IV V7 | S: A4 F4 | A: F4 D4 | T: C4 B3 | B: F3 G3",
        ),
        (
            "seventh-approach",
            "upward_free=1",
            "key: C major | chords: I ii7 | S: G4 C5 | A: E4 F4 | T: C4 A3 | B: C3 D3",
        ),
        (
            "mel-large-leap",
            "widest=7",
            "S: C4 A4 | B: C3 C3",
        ),
    ],
)
def test_a_parameter_frees_what_graders_let_pass(name: str, freed: str, example: str) -> None:
    """The same example is a breach by itself, and none with the parameter."""
    assert findings(rule(name), example)
    assert not findings(rule(name), f"{example} | with: {freed}")


def test_a_displaced_line_is_a_leap_where_graders_say_so() -> None:
    """Within one dominant a bass may leap a seventh; an examiner counts it all the same."""
    example = "key: D major | chords: V V42 | S: E4 C#5 | A: C#4 A4 | T: A3 E4 | B: A2 G3"
    assert not findings(rule("mel-seventh"), example)
    assert findings(rule("mel-seventh"), f"{example} | with: displaced_free=0")


def test_a_tone_that_the_chord_gets_later_is_none_outside_it() -> None:
    """A suspension that resolves within the chord has its chord tone."""
    example = (
        "key: C major | chords: I V _ | time: 1 1 1 | S: C5 C5 B4 | A: G4 G4 G4 | T: E4 D4 D4 | "
        "B: C4 G3 G3"
    )
    assert not findings(rule("chord-foreign-tone"), example)
