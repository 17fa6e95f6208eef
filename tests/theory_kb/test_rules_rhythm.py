"""Chorales, hymns, rhythm and metre: the exceptions and limits of their rules."""

from __future__ import annotations

import pytest

from theory_kb.check import load_style
from theory_kb.rules.examples import ExampleError, findings
from theory_kb.rules.records import rule

QUIET = [  # rule, an exception of its record or what just keeps a limit
    ("chorale-eighth-flow", "S: C5 D5 E5 F5 E5 | B: C3 B2 C3 F3 G3"),
    ("chorale-eighth-flow", "marks: . . . b . . | S: C5 D5 E5 F5 E5 D5 | B: C3 B2 C3 F3 G3 G3"),
    (
        "chorale-crotchet-chords",
        "key: C major | marks: . ef | time: 1 4 | chords: V I | S: D5 C5 | B: G3 C3",
    ),
    (
        "chorale-crotchet-chords",
        "key: C major | marks: . . . ef | chords: I _ I6 V | S: E5 C5 G5 D5 | B: C3 C3 E3 G3",
    ),
    (
        "chorale-start-upbeat",
        "key: C major | upbeat: 1 | marks: o ef | chords: vi I | S: E5 E5 | B: A3 C3",
    ),
    ("chorale-start-upbeat", "key: C major | marks: o ef | chords: IV I | S: F5 E5 | B: F3 C3"),
    ("chorale-bass-line", "S: C5 _ _ _ | B: C3 C4 B3 A3"),
    ("chorale-final-minor", "key: C major | chords: V I | marks: . ef | S: B4 C5 | B: G3 C3"),
    (
        "chorale-close-inner",
        "key: C major | chords: V I | marks: . ef | S: B4 G4 | A: D4 E4 | B: G3 C3",
    ),
    ("hymn-homophony", "syllables: + . - | S: C5 D5 E5 | A: G4 _ G4 | B: C3 - C3"),
    ("bar-sum", "upbeat: 1 | bars: 1 4 3 | S: C5 D5 E5 F5 E5 D5 C5 D5"),
    ("bar-sum", "bars: 4 3 1 4 | S: C5 D5 E5 F5 E5 D5 C5 D5 C5 D5 E5 C5"),
    ("metre-notation", "written: S 0 1, S 1 2, S 3 1 | S: C5 D5 E5 F5"),
    ("metre-notation", "written: S 0 1/2, S 1/2 1, S 3/2 1/2, S 2 2 | S: C5 D5 E5 F5"),
    ("metre-notation", "written: S 0 3, S 3 1 | S: C5 D5 E5 F5"),
    ("metre-notation", "metre: 3/4 | written: S 0 1, S 1 2 | S: C5 D5 E5"),
    ("syncopation-resolve", "marks: . e . . . . . | time: 1 2 1 1 1 1 1 | S: C5 D5 E5 F5 E5 D5 C5"),
    ("hemiola", "metre: 3/4 | time: 3 3 3 | marks: . . ef | S: E5 D5 C5 | B: C3 G3 C3"),
    (
        "hemiola",
        "metre: 3/4 | time: 2 1 1 2 3 3 3 | marks: . . . . . . ef | S: E5 D5 _ B4 C5 D5 C5 | B: C3 F3 _ G3 C3 G3 C3",
    ),
    ("anacrusis-balance", "time: 1 1 1 | S: G4 C5 E5"),
    ("cadence-slowing", "S: C5 D5 E5 F5 C5 D5 E5 F5 C5 D5 E5 F5"),
    ("rhythm-monotony", "metre: 2/4 | species: S=3 | S: C5 D5 E5 F5 E5 D5 E5 F5"),
    ("rhythm-monotony", "metre: 2/4 | species: S=5 | S: C5 D5 E5 F5"),
    ("cross-motive-contrast", "units: basic-idea 0-3 | time: 1 1/2 1 | S: C5 D5 E5"),
    ("cross-motive-contrast", "units: theme 0-4 | S: C5 D5 E5 F5"),
    ("lyric-stress", "syllables: + + | S: C5 D5"),
    ("lyric-stress", "syllables: - + - | upbeat: 1 | S: C5 D5 E5"),
    (
        "polyrhythm-limits",
        "devices: cross-rhythm | time: 1/5 2/15 1/15 1/5 1/15 2/15 1/5 1 | S: C5 D5 _ E5 F5 _ G5 C5 | B: C3 _ D3 _ _ E3 _ C3",
    ),
    (
        "polyrhythm-limits",
        "time: 1/4 1/12 1/6 1/6 1/12 1/4 1 | S: C5 D5 _ E5 _ F5 C5 | B: C3 _ D3 _ E3 _ C3",
    ),
    (
        "tempo-density",
        "tempo: 120 | time: 1/4 1/4 1/4 1/4 1/4 1/4 1/4 1/4 1 | S: C5 D5 E5 F5 G5 F5 E5 D5 C5",
    ),
    ("rest-inside-phrase", "S: C5 D5 E5 | B: - B2 -"),
    ("rest-inside-phrase", "marks: . . b | S: C5 D5 E5 | B: C3 - C3"),
]


@pytest.mark.parametrize(("name", "example"), QUIET)
def test_exceptions_of_rhythm_are_not_flagged(name: str, example: str) -> None:
    """What a record excepts, and what just keeps a limit, is no breach."""
    assert findings(rule(name), example) == ()


LOUD = [  # rule, one step beyond an exception or a limit
    (
        "chorale-crotchet-chords",
        "key: C major | with: beats=1 | marks: . . ef | chords: I _ V | S: C5 E5 D5 | B: C3 C3 G3",
    ),
    (
        "chorale-start-upbeat",
        "key: C minor | upbeat: 1 | marks: o ef | chords: iv i | S: F5 Eb5 | B: F3 C3",
    ),
    ("chorale-bass-line", "S: C5 _ _ _ _ | B: C3 C4 G3 C4 B3"),
    ("bar-sum", "bars: 4 3 1 3 4 | S: C5 D5 E5 F5 E5 D5 C5 D5 C5 D5 E5 F5 E5 D5 C5"),
    ("bar-sum", "bars: 5 4 | S: C5 D5 E5 F5 E5 D5 C5 D5 C5"),
    ("metre-notation", "written: S 0 1, S 1 3/2, S 5/2 3/2 | S: C5 D5 E5 F5"),
    ("metre-notation", "written: S 0 1/2, S 1/2 3/2, S 2 2 | S: C5 D5 E5 F5"),
    ("metre-notation", "written: S 0 3, S 3 2 | S: C5 D5 E5 F5"),
    ("anacrusis-balance", "upbeat: 1 | time: 1 4 1 | S: G4 C5 E5"),
    (
        "hemiola",
        "metre: 3/4 | key: C major | chords: I IV _ V I | time: 2 1 1 2 3 | marks: . . . . ef | S: E5 F5 _ D5 C5 | B: C3 _ _ _ _",
    ),
    ("rhythm-monotony", "metre: 2/4 | species: S=5 | S: C5 D5 E5 F5 E5 D5"),
    ("lyric-stress", "syllables: + - | strength: 1 2 | S: C5 D5"),
    (
        "tempo-density",
        "tempo: 121 | time: 1/4 1/4 1/4 1/4 1/4 1/4 1/4 1/4 1 | S: C5 D5 E5 F5 G5 F5 E5 D5 C5",
    ),
    ("rest-inside-phrase", "S: C5 D5 E5 F5 | B: C3 - - C3"),
]


@pytest.mark.parametrize(("name", "example"), LOUD)
def test_what_an_exception_of_rhythm_does_not_cover_is_flagged(name: str, example: str) -> None:
    """One step beyond an exception or a limit is a breach."""
    assert findings(rule(name), example)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("bar-sum", "the bars are not known"),
        ("metre-notation", "the notation is not known"),
        ("lyric-stress", "there is no text"),
        ("tempo-density", "the tempo is not known"),
        ("cross-motive-contrast", "the form is not declared"),
    ],
)
def test_what_is_not_declared_is_not_guessed(name: str, reason: str) -> None:
    """A rule on bars, notation, text, tempo or form is skipped where they are not known."""
    with pytest.raises(ExampleError, match=reason):
        findings(rule(name), "S: C5 D5 E5 F5")


def test_hands_play_faster_than_voices_sing() -> None:
    """The limit of notes a second is twelve at the keyboard and eight for a voice."""
    limits = {name: load_style(name).params["tempo-density"]["most"] for name in ("kbd", "bach")}
    assert limits == {"kbd": 12, "bach": 8}
