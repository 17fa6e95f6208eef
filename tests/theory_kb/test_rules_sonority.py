"""Exceptions and limits of the rules on spacing, chord content, doubling and hands."""

from __future__ import annotations

import pytest

from theory_kb.rules.examples import findings
from theory_kb.rules.records import rule

ORDER = "S: C5 C5 C5 C5 C5 C5 | A: G4 G4 G4 G4 G4 G4"

SPARED = [  # rule, what is not flagged, why
    ("range-extended", "devices: sixteen-foot | S: C5 | A: G4 | T: E4 | B: C2", "organ below"),
    ("voice-crossing", "invertible: 8 | S: C4 | B: E4", "invertible counterpoint"),
    ("unison-adjacent", "with: opening_allowed=1 | marks: o | S: C4 | A: C4", "first sonority"),
    ("unison-adjacent", "marks: e | S: C4 | A: C4", "end of a phrase"),
    ("unison-adjacent", "species: S=2 | upbeat: 1 | S: C4 | A: C4", "weak beat of species 2"),
    ("voice-count", "silences: A 0-1 | S: C5 | A: - | B: C3", "written rest"),
    ("voice-count", "devices: divisi | S: C5 | A: - | B: C3", "declared division"),
    ("voice-count", "doublings: A B | S: C5 | A: - | B: C3", "declared doubling"),
    ("voice-count", "species: S=2 | marks: o | S: - | B: C3", "species 2 begins with a rest"),
    ("omit-third", "key: C major | chords: I | S: G4 | B: C3", "two voices"),
    (
        "omit-third",
        "key: C major | chords: I | final: C | marks: o | S: C5 | A: G4 | B: C3",
        "modal",
    ),
    (
        "omit-third",
        "key: C major | chords: I _ | time: 1/2 1/2 | S: C5 E5 | A: G4 _ | B: C3 _",
        "the third comes later",
    ),
    (
        "omit-third",
        "key: C major | chords: I | S: C5 | A: F4 | T: G3 | B: C3",
        "a fourth holds its place",
    ),
    ("omit-dim-fifth", "key: C major | chords: V | S: B4 | A: G4 | B: G3", "a perfect fifth"),
    ("spacing-two-voice", "S: F5 F5 E5 | B: C4 C4 C4", "two notes only"),
    ("spacing-upper", "key: C major | chords: I | S: E5 | A: D4 | T: G3 | B: C3", "non-chord tone"),
    ("voice-crossing-long", f"{ORDER} | T: E4 D4 C4 D4 E4 D4 | B: F4 E4 E4 E4 E4 C3", "four"),
    ("voice-crossing-soprano", "S: C5 | A: E5 | T: G4 | B: C3", "the alto alone crosses"),
    (
        "omit-root",
        "key: C major | chords: V _ | time: 1/2 1/2 | S: D5 G5 | A: B4 _ | B: D4 _",
        "the root comes later",
    ),
    (
        "incomplete-dominant-and-tonic",
        "key: C major | chords: V7 I | marks: . ef | S: B4 C5 | A: F4 E4 | T: G3 C4 | B: G2 C3",
        "I triples its root at the close",
    ),
    (
        "chord-unclassified",
        "key: C major | chords: I ? _ | time: 1 1 1 | S: C5 _ B4 | A: E4 D4 _ | T: G3 G3 _ | B: C3 B2 _",
        "a note held into the chord leaves by step",
    ),
    (
        "chord-unclassified",
        "with: extended=1 | key: C major | chords: I ? | S: E5 D5 | A: C5 C5 | B: G3 G3",
        "lead sheets know suspended chords",
    ),
    (
        "double-leading-tone",
        "key: C major | chords: V _ | time: 1/2 1/2 | S: B4 D5 | A: G4 _ | T: B3 _ | B: G3 _",
        "arpeggio within a beat",
    ),
    (
        "double-leading-tone",
        "key: C major | chords: IV viio iii | S: C5 B4 B4 | A: A4 F4 G4 | T: F4 D4 E4 | B: F3 B2 E3",
        "falling fifths",
    ),
    (
        "double-leading-tone",
        "key: C major | chords: iii | S: B4 | A: G4 | T: B3 | B: E3",
        "degree 7 of iii",
    ),
    (
        "double-chromatic",
        "key: C minor | chords: N6 | S: Db5 | A: Ab4 | T: F4 | B: F3",
        "bass of a Neapolitan sixth",
    ),
    (
        "double-chromatic",
        "key: C major | chords: bVI | S: Ab4 | A: Eb4 | T: C4 | B: Ab3",
        "borrowed root",
    ),
    (
        "double-root-position",
        "key: C minor | chords: V VI | S: B4 C5 | A: G4 Eb4 | T: D4 C4 | B: G3 Ab3",
        "submediant after V",
    ),
    (
        "double-root-position",
        "key: C major | chords: ii | S: F5 | A: A4 | T: F4 | B: D3",
        "strong degree",
    ),
    (
        "double-root-position",
        "key: C major | chords: ii6 I | S: D5 E5 | A: A4 G4 | T: D4 E4 | B: F3 C3",
        "step against the bass",
    ),
    (
        "double-first-inversion",
        "key: C major | chords: IV6 | S: A4 | A: F4 | T: C4 | B: A3",
        "no tendency",
    ),
    (
        "double-second-inversion",
        (
            "key: C major | chords: I V64 _ I6 | time: 1 1/2 1/2 1 "
            "| S: E5 G5 _ C5 | A: C5 B4 G4 C5 | T: G4 B3 _ G4 | B: C3 D3 _ E3"
        ),
        "passing in a florid texture",
    ),
    (
        "double-deceptive-third",
        "key: C major | chords: V vi | S: D5 C5 | A: B4 A4 | T: G4 E4 | B: G3 A3",
        "an inner leading tone falls to 6",
    ),
    (
        "triple-root-final",
        "key: C major | chords: I | marks: e | S: C5 | A: E4 | T: C4 | B: C3",
        "tonic of a cadence",
    ),
    ("texture-hand-span", "hands: 3 | S: D5 | A: G4 | T: C4 | B: C3", "a ninth"),
    ("texture-hand-unplayable", "hands: 3 | S: E5 | A: G4 | T: C4 | B: C3", "a tenth"),
    ("spacing-keyboard-hand", "hands: 2 | S: E5 | A: G4 | T: C4 | B: C3", "two voices a hand"),
    ("spacing-two-voice-twelfth", "S: G5 | B: C4", "a twelfth"),
    ("spacing-largest-gap-low", "S: C5 | A: C4 | B: C3", "two gaps of one size"),
]

FLAGGED = [  # rule, what is flagged, where the exception ends
    ("range-extended", "devices: sixteen-foot | S: C6 | A: G4 | T: E4 | B: C3", "not the bass"),
    ("voice-crossing", "invertible: 8 | S: C4 | A: E4 | B: C3", "more than two voices"),
    ("unison-adjacent", "marks: o | S: C4 | A: C4", "only where a style allows it"),
    ("unison-adjacent", "species: S=2 | S: C4 | A: C4", "on the downbeat"),
    ("voice-count", "silences: A 0-1 | S: C5 C5 | A: - - | B: C3 C3", "the second rest"),
    ("omit-third", "key: C major | chords: I | marks: o | S: C5 | A: G4 | B: C3", "no mode"),
    ("spacing-two-voice", "S: F5 F5 F5 | B: C4 C4 C4", "three notes"),
    ("voice-crossing-long", f"{ORDER} | T: E4 D4 C4 D4 E4 D4 | B: F4 E4 E4 E4 F4 C3", "five"),
    (
        "incomplete-dominant-and-tonic",
        "key: C major | chords: V7 I | S: B4 C5 | A: F4 E4 | T: G3 C4 | B: G2 C3",
        "inside a phrase",
    ),
    (
        "double-leading-tone",
        "key: C major | chords: V _ | S: B4 D5 | A: G4 _ | T: B3 _ | B: G3 _",
        "a whole beat long",
    ),
    (
        "double-leading-tone",
        "key: C major | chords: I viio I | S: C5 B4 C5 | A: G4 F4 G4 | T: E4 D4 E4 | B: C3 B2 C3",
        "no falling fifths",
    ),
    (
        "double-root-position",
        "key: C minor | chords: i III | S: G4 G4 | A: Eb4 G4 | T: C4 Bb3 | B: C3 Eb3",
        "a major triad on 3",
    ),
    (
        "double-root-position",
        "key: C minor | chords: i VI | S: C5 C5 | A: Eb4 Eb4 | T: C4 C4 | B: C3 Ab2",
        "VI that does not come from V",
    ),
    (
        "double-second-inversion",
        "key: C major | chords: I V64 I6 | S: E5 G5 C5 | A: C5 B4 C5 | T: G4 B3 G4 | B: C3 D3 E3",
        "nothing moves in it",
    ),
    ("texture-hand-span", "hands: 3 | S: Eb5 | A: G4 | T: C4 | B: C3", "more than a ninth"),
    ("texture-hand-unplayable", "hands: 3 | S: F5 | A: G4 | T: C4 | B: C3", "more than a tenth"),
    (
        "texture-hand-unplayable",
        "hands: 6 | S: E5 | A: D5 | T: C5 | X: B4 | Y: A4 | Z: G4 | B: C3",
        "six notes",
    ),
    ("spacing-keyboard-hand", "S: C#5 | A: G4 | T: C4 | B: C3", "all but the bass"),
    ("spacing-two-voice-twelfth", "S: G#5 | B: C4", "more than a twelfth"),
]


@pytest.mark.parametrize(("name", "example", "why"), SPARED)
def test_an_exception_is_spared(name: str, example: str, why: str) -> None:
    """What a rule excuses it does not report."""
    assert findings(rule(name), example) == (), why


@pytest.mark.parametrize(("name", "example", "why"), FLAGGED)
def test_an_exception_has_its_limit(name: str, example: str, why: str) -> None:
    """Just beyond an exception or a limit the rule speaks."""
    assert findings(rule(name), example), why
