"""Exceptions and limits of the rules on tendency tones, altered notes and six-fours."""

from __future__ import annotations

import pytest

from theory_kb.rules.examples import findings
from theory_kb.rules.records import rule

C = "key: C major"
MINOR = "key: C minor"

SPARED = [  # rule, what is not flagged, why
    ("leading-tone-outer", f"{C} | chords: V V7 | S: B4 G4 | A: G4 F4 | B: G3 G3", "V goes on"),
    (
        "leading-tone-outer",
        f"{C} | chords: V _ I | time: 1/2 1/2 1 | S: B4 G4 G4 | A: D4 _ E4 | B: G3 _ C3",
        "V is re-voiced, its last notes count",
    ),
    (
        "leading-tone-outer",
        f"{C} | chords: I V6 vi I64 | S: C5 B4 A4 G4 | A: E4 D4 E4 E4 | B: G3 B2 C3 G3",
        "1-7-6-5",
    ),
    (
        "leading-tone-outer",
        f"{C} | chords: V6 IV6 | S: D5 C5 | A: G4 F4 | B: B3 A3",
        "bass of V6 to a passing IV6",
    ),
    (
        "leading-tone-inner",
        f"{C} | chords: V I | S: G5 G5 | A: D5 C5 | T: B3 E4 | B: G3 C3",
        "a fourth up in the tenor",
    ),
    (
        "leading-tone-inner",
        f"{C} | chords: V I | S: D5 C5 | A: B4 G4 | T: G4 E4 | B: G3 C3",
        "a third down under 2-1",
    ),
    (
        "leading-tone-deceptive",
        f"{C} | chords: V vi | S: D5 C5 | A: B4 A4 | T: G4 E4 | B: G3 A3",
        "inner voice of a major key",
    ),
    (
        "seventh-resolves-down",
        f"{C} | chords: I V43 I6 | S: C5 B4 C5 | A: E4 F4 G4 | T: G3 G3 G3 | B: C3 D3 E3",
        "tenths with the bass",
    ),
    (
        "seventh-resolves-down",
        f"{C} | chords: V7 V65 | S: F5 D5 | A: D5 F5 | T: B4 G4 | B: G3 B3",
        "another voice takes it over",
    ),
    (
        "seventh-resolves-down",
        f"{C} | chords: ii65 cad64 | S: D5 E5 | A: C5 C5 | T: A4 G4 | B: F3 G3",
        "the six-four holds it",
    ),
    (
        "seventh-approach",
        f"{C} | chords: IV ii65 | S: A4 D5 | A: F4 C5 | T: C4 A4 | B: F3 F3",
        "the function is one",
    ),
    ("seventh-approach", f"{C} | chords: I V7 | S: C5 F5 | A: E4 D4 | B: C3 G3", "leap up into V7"),
    (
        "tritone-resolution",
        f"{C} | chords: viio6 I6 | S: D5 C5 | A: F4 G4 | T: B3 C4 | B: D3 E3",
        "inner degree 4 of viio6",
    ),
    (
        "tritone-resolution",
        f"with: outer_only=1 | {C} | chords: V65 I | S: D5 C5 | A: F4 G4 | B: B2 C3",
        "not both outer",
    ),
    (
        "applied-leading-tone",
        "key: G major | chords: V7/V V7 | S: C#5 C5 | A: G4 F#4 | T: E4 D4 | B: A2 D3",
        "falls into the seventh of V7",
    ),
    (
        "viio7-resolution",
        f"{MINOR} | chords: viio7 V65 | S: Ab4 G4 | A: F4 F4 | T: D4 D4 | B: B2 B2",
        "the dominant lasts",
    ),
    ("half-dim-fifths", f"{C} | chords: viiø7 I | S: A4 E4 | A: D4 C4 | B: B2 C3", "no fifths"),
    ("le-resolves-down", f"{MINOR} | chords: iv VI | S: Ab4 Ab4 | A: F4 Eb4 | B: F3 Ab3", "held"),
    ("le-resolves-down", f"{MINOR} | chords: iv6 IV6 | S: F4 F4 | B: Ab3 A3", "chromatic bass"),
    ("le-resolves-down", f"{MINOR} | chords: VI iv | S: Ab4 C5 | B: Ab3 F3", "root of VI"),
    (
        "neapolitan-flat2",
        f"{MINOR} | chords: N6 viio7/V | S: Db5 Eb5 | A: Ab4 A4 | B: F3 F#3",
        "viio7 of V between",
    ),
    ("neapolitan-flat2", f"{MINOR} | chords: N6 V | S: Db5 B4 | A: Ab4 G4 | B: F3 G3", "d3 down"),
    (
        "augmented-sixth-resolves",
        f"{MINOR} | chords: It6 V7 | S: F#5 F5 | A: C5 B4 | T: C4 D4 | B: Ab3 G3",
        "chromatic fall into the seventh",
    ),
    (
        "augmented-sixth-resolves",
        f"{MINOR} | chords: It V | S: C5 B4 | A: Ab4 G4 | B: F#3 G3",
        "diminished third",
    ),
    (
        "german-sixth-fifths",
        (
            "devices: late-style | key: A minor | chords: Ger65 V "
            "| S: A4 G#4 | A: D#4 E4 | T: C4 B3 | B: F2 E2"
        ),
        "inner voices in a late style",
    ),
    (
        "raised-six-seven-minor",
        f"{MINOR} | chords: i V6 IV6 V | S: G4 D4 C4 B3 | B: C4 B3 A3 G3",
        "descending bass",
    ),
    (
        "raised-six-seven-minor",
        f"final: C | {MINOR} | chords: i _ _ | S: G4 A4 G4 | B: C3 _ _",
        "a declared mode",
    ),
    (
        "raised-six-seven-minor",
        f"{MINOR} | chords: i V/V V | S: G4 A4 G4 | B: C3 D3 G3",
        "an applied chord",
    ),
    (
        "chromatic-direction",
        f"{C} | chords: I V7/V V7 | S: E5 F#5 F5 | A: C5 C5 B4 | B: C3 D3 G3",
        "back to the diatonic form",
    ),
    (
        "chromatic-direction",
        f"{C} | chords: V7/V _ | S: F#5 D5 | A: A4 F#4 | B: D3 _",
        "another voice takes it",
    ),
    (
        "unresolved-at-boundary",
        f"{C} | chords: V vi | marks: e b | S: B4 E5 | A: D4 C4 | B: G3 A3",
        "half cadence",
    ),
    (
        "consecutive-six-four",
        f"devices: chromatic-parallel | {C} | chords: I64 bVI64 | S: C5 B4 | A: E4 Eb4 | B: G3 Gb3",
        "glide by semitone",
    ),
    (
        "cadential-six-four-metre",
        f"{C} | metre: 3/4 | upbeat: 2 | chords: cad64 V | S: E5 D5 | A: C5 B4 | B: G3 G3",
        "beats two and three",
    ),
    (
        "six-four-approach",
        f"{C} | chords: I6 I64 | S: C5 C5 | A: G4 E4 | B: E3 G3",
        "another position of the triad",
    ),
    (
        "arpeggiated-six-four",
        f"{C} | chords: I I64 ii6 | S: E5 E5 D5 | A: C5 C5 A4 | B: C3 G2 F2",
        "the root came before",
    ),
]

FLAGGED = [  # rule, what is flagged, where the exception ends
    (
        "leading-tone-outer",
        f"{C} | chords: V vi | S: B4 A4 | A: G4 E4 | B: G3 A3",
        "no passing: it did not come from 1",
    ),
    (
        "leading-tone-inner",
        f"{C} | chords: V I | S: G5 G5 | A: B4 E5 | T: D4 C4 | B: G3 C3",
        "a fourth up in the alto",
    ),
    (
        "leading-tone-inner",
        f"{C} | chords: V I | S: G5 G5 | A: B4 G4 | T: D4 E4 | B: G3 C3",
        "the soprano does not fall to 1",
    ),
    (
        "leading-tone-deceptive",
        f"{MINOR} | chords: V VI | S: D5 C5 | A: B4 Ab4 | T: G4 Eb4 | B: G3 Ab3",
        "an augmented second in minor",
    ),
    (
        "seventh-resolves-down",
        f"{C} | chords: V7 V43 I6 | S: B4 B4 C5 | A: F4 F4 G4 | T: G3 G3 G3 | B: G3 D3 E3",
        "the bass did not come from 1",
    ),
    (
        "tritone-resolution",
        f"{C} | chords: viio6 I6 | S: F5 G5 | A: D4 C4 | T: B3 C4 | B: D3 E3",
        "degree 4 in the soprano",
    ),
    (
        "applied-leading-tone",
        "key: G major | chords: V7/V V | S: A4 A4 | A: G4 F#4 | T: C#4 B3 | B: A2 D3",
        "down by step",
    ),
    ("seventh-approach", f"{C} | chords: I ii7 | S: E4 C5 | A: G4 A4 | B: C3 D3", "not a dominant"),
    (
        "german-sixth-fifths",
        (
            "devices: late-style | key: A minor | chords: Ger65 V "
            "| S: C5 B4 | A: D#4 E4 | T: A3 G#3 | B: F2 E2"
        ),
        "outer voices in any style",
    ),
    (
        "raised-six-seven-minor",
        f"{MINOR} | chords: i V6 IV6 V | S: C5 B4 A4 G4 | B: C3 B2 A2 G2",
        "the soprano descends",
    ),
    (
        "raised-six-seven-minor",
        f"{MINOR} | chords: i v i | marks: . . ef | S: C5 Bb4 C5 | B: C3 G3 C3",
        "natural 7 closes",
    ),
    (
        "raised-six-seven-minor",
        f"{MINOR} | chords: V _ | S: B4 Ab4 | B: G3 _",
        "raised 7 falls to lowered 6",
    ),
    (
        "chromatic-direction",
        f"{C} | chords: bVI V | S: Eb5 F5 | A: C5 D5 | B: Ab3 G3",
        "a lowered note goes up",
    ),
    (
        "consecutive-six-four",
        f"{C} | chords: I64 bVI64 | S: C5 B4 | A: E4 Eb4 | B: G3 Gb3",
        "no device declared",
    ),
    (
        "cadential-six-four-metre",
        f"{C} | upbeat: 3 | time: 2 1 | chords: cad64 V | S: E5 D5 | A: C5 B4 | B: G3 G3",
        "beats two and four of a quadruple bar",
    ),
    (
        "passing-six-four",
        f"{C} | chords: I6 V64 I | S: C5 B4 C5 | A: G4 G4 G4 | B: E3 D4 C4",
        "the bass leaps",
    ),
    (
        "pedal-six-four",
        f"{C} | upbeat: 1 | chords: I IV64 I | S: G4 A4 G4 | A: E4 F4 E4 | B: C3 C3 C3",
        "accented",
    ),
    (
        "arpeggiated-six-four",
        f"{C} | chords: I6 I64 ii6 | S: C5 C5 D5 | A: C5 C5 A4 | B: E3 G3 F3",
        "the root is not in the bass",
    ),
]


@pytest.mark.parametrize(("name", "example", "why"), SPARED)
def test_an_exception_is_spared(name: str, example: str, why: str) -> None:
    """What a rule excuses it does not report."""
    assert findings(rule(name), example) == (), why


@pytest.mark.parametrize(("name", "example", "why"), FLAGGED)
def test_an_exception_has_its_limit(name: str, example: str, why: str) -> None:
    """Just beyond an exception the rule speaks."""
    assert findings(rule(name), example), why


def test_german_sixth_fifths_are_reported_by_their_own_rule() -> None:
    """F-C to E-B under Ger65-V is no parallel fifth of the common kind."""
    fifths = "key: A minor | chords: Ger65 V | S: A4 G#4 | A: D#4 E4 | T: C4 B3 | B: F2 E2"
    assert findings(rule("parallel-fifth"), fifths) == ()
    (finding,) = findings(rule("german-sixth-fifths"), fifths)
    assert finding.voices == (2, 3)
