"""Rules on the succession of chords: every exception, by one-line examples."""

from __future__ import annotations

import pytest

from theory_kb.chords import every_chord, vocabulary
from theory_kb.facts import load_facts
from theory_kb.query import may_follow
from theory_kb.rules.examples import findings, read_piece
from theory_kb.rules.records import rule
from theory_kb.rules.succession import succession
from theory_kb.rules.syntax import LICENCES

LOW = "S: C5 {s} | B: C3 {b}"

# rule, what it shows, example, whether the rule speaks
CASES = [
    (
        "syntax-forbidden",
        "across a phrase boundary",
        "key: C major | chords: V ii | marks: e b | S: B4 A4 | B: G3 D3",
        False,
    ),
    (
        "syntax-forbidden",
        "into another key",
        "key: C major | chords: V d:i | S: B4 A4 | B: G3 D3",
        False,
    ),
    (
        "syntax-forbidden",
        "inside a sequence",
        "key: C major | chords: I V ii vi iii | S: E5 D5 F5 E5 G5 | B: C3 G3 D3 A3 E3",
        False,
    ),
    (
        "syntax-forbidden",
        "the same steps without a copy in any voice",
        "key: C major | chords: V ii V6 vi iii | S: G4 D5 G4 E5 B4 | B: G3 D3 B2 A2 E3",
        True,
    ),
    (
        "syntax-forbidden",
        "a passing chord without weight",
        "key: C major | chords: V ii6 V65 I | time: 1 1/2 1 1 | S: D5 D5 D5 E5 | B: G3 A3 B3 C4",
        False,
    ),
    (
        "syntax-forbidden",
        "a passing chord as long as the others",
        "key: C major | chords: V ii6 V65 I | S: D5 D5 D5 E5 | B: G3 A3 B3 C4",
        True,
    ),
    (
        "syntax-forbidden",
        "a short chord over a bass that leaps",
        "key: C major | chords: V ii V65 I | time: 1 1/2 1 1 | S: D5 D5 D5 E5 | B: G3 D3 B2 C3",
        True,
    ),
    (
        "syntax-weak",
        "iii over a bass that leaps",
        "key: C major | chords: iii V6 | S: G4 G4 | B: E3 B2",
        True,
    ),
    ("syntax-weak", "from iii6", "key: C major | chords: iii6 V | S: G4 G4 | B: G3 G3", False),
    (
        "syntax-weak",
        "viio on the way to I",
        "key: C major | chords: vi viio6 I | S: C5 B4 C5 | B: A3 D3 C3",
        False,
    ),
    (
        "syntax-weak",
        "minor dominant inside a phrase",
        "key: A minor | chords: v i V | S: G4 A4 G#4 | B: E3 A2 E3",
        False,
    ),
    (
        "syntax-weak",
        "raised sixth that falls",
        "key: A minor | chords: IV iv | S: F#4 F4 | B: D3 D3",
        False,
    ),
    (
        "syntax-weak",
        "subtonic that misses the mediant",
        "key: A minor | chords: i VII V | S: A4 G4 G#4 | B: A3 G3 E3",
        True,
    ),
    (
        "syntax-weak",
        "subtonic before the mediant",
        "key: A minor | chords: i VII III | S: A4 G4 G4 | B: A3 G3 C3",
        False,
    ),
    (
        "syntax-dominant-to-subdominant",
        "across a boundary",
        "key: C major | chords: I V IV | marks: . e b | S: C5 B4 C5 | B: C3 G3 F3",
        False,
    ),
    (
        "syntax-dominant-to-subdominant",
        "V opens the phrase",
        "key: C major | chords: V IV I | marks: o . . | S: B4 C5 C5 | B: G3 F3 C3",
        False,
    ),
    (
        "syntax-dominant-to-subdominant",
        "declared blues",
        "key: C major | chords: I V IV | devices: blues | S: C5 B4 C5 | B: C3 G3 F3",
        False,
    ),
    (
        "syntax-dominant-to-supertonic",
        "across a boundary",
        "key: C major | chords: V ii | marks: e b | S: B4 A4 | B: G3 D3",
        False,
    ),
    (
        "syntax-mediant-to-tonic",
        "I6",
        "key: C major | chords: iii I6 | S: G4 G4 | B: E3 E3",
        False,
    ),
    (
        "syntax-mediant-to-dominant",
        "bass by step",
        "key: C major | chords: iii V43 | S: G4 G4 | B: E3 D3",
        False,
    ),
    (
        "syntax-mediant-to-dominant",
        "from iii6",
        "key: C major | chords: iii6 V | S: G4 G4 | B: G3 G3",
        False,
    ),
    (
        "syntax-viio-root-position",
        "inside a sequence",
        "key: C major | chords: I IV viio iii | S: E5 F5 D5 E5 | A: G4 C5 F4 B4 | B: C3 F3 B2 E3",
        False,
    ),
    (
        "syntax-supertonic-to-tonic",
        "cadential six-four",
        "key: C major | chords: ii6 cad64 | S: D5 E5 | B: F3 G3",
        False,
    ),
    (
        "syntax-supertonic-to-tonic",
        "passing I6",
        "key: C major | chords: ii I6 | S: D5 C5 | B: D3 E3",
        False,
    ),
    (
        "syntax-supertonic-to-tonic",
        "plagal close",
        "key: C major | chords: ii65 I | marks: . ef | S: C5 C5 | B: F3 C3",
        False,
    ),
    (
        "syntax-function-cycle",
        "applied dominant",
        "key: C major | chords: V7/ii ii | S: C#5 D5 | B: A3 D3",
        False,
    ),
    (
        "syntax-function-cycle",
        "inverted predominant",
        "key: C major | chords: V IV6 | S: B4 C5 | B: G3 A3",
        False,
    ),
    (
        "syntax-opening",
        "dominant on the downbeat",
        "key: C major | chords: V I | marks: o e | S: B4 C5 | B: G3 C3",
        True,
    ),
    (
        "syntax-closing",
        "open on V7, which another rule tells",
        "key: C major | chords: I V7 | marks: . ef | S: E5 F5 | B: C3 G3",
        False,
    ),
    (
        "syntax-applied",
        "another dominant of the target",
        "key: C major | chords: V7/V viio7/V V | S: C5 C5 B4 | B: D3 F#3 G3",
        False,
    ),
    (
        "syntax-applied",
        "cadential six-four",
        "key: C major | chords: V7/V cad64 | S: F#4 E4 | B: D3 G3",
        False,
    ),
    (
        "syntax-applied",
        "deceptive turn",
        "key: C major | chords: V7/vi IV | S: G#4 A4 | B: E3 F3",
        False,
    ),
    (
        "syntax-applied",
        "chain of dominants",
        "key: C major | chords: V7/ii V7/V V | S: C#5 C5 B4 | B: A3 D3 G3",
        False,
    ),
    (
        "syntax-applied",
        "the target is the tonic of a new key",
        "key: C major | chords: V7/V G:I | S: F#4 G4 | B: D3 G3",
        False,
    ),
    (
        "syntax-minor-dominant",
        "falling tetrachord",
        "key: A minor | chords: i v6 iv6 V | marks: . . . ef | S: E4 E4 D4 E4 | B: A3 G3 F3 E3",
        False,
    ),
    (
        "syntax-minor-dominant",
        "inside a phrase",
        "key: A minor | chords: v i V | marks: . . ef | S: G4 A4 G#4 | B: E3 A2 E3",
        False,
    ),
    (
        "syntax-minor-dominant",
        "declared modal",
        "key: A minor | chords: v i | devices: modal | S: G4 A4 | B: E3 A2",
        False,
    ),
    (
        "syntax-subtonic-minor",
        "another dominant of the mediant",
        "key: A minor | chords: VII V65/III III | S: D5 D5 C5 | B: G3 B3 C4",
        False,
    ),
    (
        "syntax-mixture",
        "Picardy close",
        "key: A minor | chords: V I | marks: . ef | S: G#4 A4 | A: E4 C#4 | B: E3 A2",
        False,
    ),
    (
        "syntax-neapolitan",
        "viio7 of V between",
        "key: A minor | chords: N6 viio7/V V | S: F5 F#5 E5 | B: D3 D#3 E3",
        False,
    ),
    (
        "syntax-neapolitan",
        "cadential six-four",
        "key: A minor | chords: N6 cad64 | S: Bb4 A4 | B: D3 E3",
        False,
    ),
    (
        "syntax-augmented-sixth",
        "German to cadential six-four",
        "key: C major | chords: Ger65 cad64 | S: F#5 G5 | A: Eb5 E5 | B: Ab3 G3",
        False,
    ),
    (
        "syntax-augmented-sixth",
        "one sixth turns into another",
        "key: C major | chords: Ger65 Fr43 V | S: F#5 F#5 G5 | A: Eb5 D5 D5 | B: Ab3 Ab3 G3",
        False,
    ),
    (
        "syntax-augmented-sixth",
        "common-tone chord over a held tonic",
        "key: C major | chords: Ger43 I | S: F#5 G5 | A: Ab4 G4 | B: C3 C3",
        False,
    ),
    (
        "syntax-augmented-sixth",
        "the same without the held tonic",
        "key: C major | chords: Ger65 I | S: F#5 G5 | A: Eb4 E4 | B: Ab3 C3",
        True,
    ),
    (
        "six-four-as-tonic",
        "cadential six-four that goes on",
        "key: C major | chords: cad64 V | marks: . ef | S: E5 D5 | B: G3 G3",
        False,
    ),
    (
        "syntax-lament",
        "VII in place of v6",
        "key: A minor | chords: i VII iv6 V | S: C5 B4 A4 G#4 | B: A3 G3 F3 E3",
        True,
    ),
    (
        "syntax-repeat-weak-strong",
        "the same chord inside the bar",
        (
            "key: C major | chords: I _ _ _ IV IV V V I _ | metre: 2/4 "
            "| S: C5 C5 C5 C5 C5 C5 B4 B4 C5 C5 | B: C3 C3 C3 C3 F3 F3 G3 G3 C3 C3"
        ),
        False,
    ),
]

OVER_THE_BAR = (
    "key: C major | chords: I _ _ _ IV V I _ | metre: 2/4 {more} "
    "| S: C5 C5 C5 C5 C5 B4 C5 C5 | B: C3 C3 C3 C3 F3 G3 C3 C3"
)


@pytest.mark.parametrize(("name", "shows", "example", "speaks"), CASES)
def test_exceptions_of_syntax(name: str, shows: str, example: str, speaks: bool) -> None:
    """A rule keeps silent in its exceptions, and speaks beside them."""
    assert bool(findings(rule(name), example)) == speaks, shows


LATE = (
    "key: C major | {metre} | chords: I _ _ _ _ IV _ V _ | time: {time} "
    "| S: C5 C5 C5 C5 C5 C5 C5 B4 B4 | B: C3 C3 C3 C3 C3 F3 F3 G3 G3"
)


@pytest.mark.parametrize(
    ("more", "speaks"),
    [
        ("metre: 2/2", True),
        ("metre: 2/2 | tempo: 120", False),
        ("metre: 2/2 | tempo: 100", True),
        ("metre: 2/2 | with: free_bars=4", False),
        ("metre: 2/2 | marks: . . . . . . ef ef ef", False),
        ("metre: 2/2 | marks: . . . . . e b . .", False),
    ],
)
def test_harmonic_syncopation(more: str, speaks: bool) -> None:
    """IV from the weak half of the third bar over the bar line; not when fast, early or under a fermata."""
    example = LATE.format(metre=more, time="1 1 1 1 1 1 1 1 1")
    assert bool(findings(rule("syntax-repeat-weak-strong"), example)) == speaks


# ------------------------------------------------------------------------------------ sequences

FIFTHS = "key: C major | chords: I IV viio iii vi ii | S: E5 F5 D5 E5 C5 D5 | B: C3 F3 B2 E3 A2 D3"


def test_descending_fifths_are_a_sequence() -> None:
    """Two chords, two copies, each a step lower, that is six up."""
    (found,) = succession(read_piece(FIFTHS)).sequences
    assert (found.start, found.stop, found.unit, found.shift) == (0, 6, 2, 6)
    assert found.statements == 3


def test_a_sequence_ends_with_its_phrase() -> None:
    """A phrase that repeats another a step higher is no sequence of chords."""
    again = "key: C major | chords: I V ii vi | marks: . e b e | S: E5 D5 F5 E5 | B: C3 G3 D3 A3"
    assert succession(read_piece(again)).sequences == ()
    assert succession(read_piece(again.replace("e b e", ". . e"))).sequences != ()


def test_a_cadential_turn_is_no_sequence() -> None:
    """I-IV-V-I rises by a fourth twice in the bass, but nothing above it is copied."""
    turn = "key: C major | chords: I IV V I | S: E5 F5 D5 E5 | A: G4 A4 G4 G4 | B: C3 F3 G3 C3"
    assert succession(read_piece(turn)).sequences == ()


def test_copies_beyond_the_parameter_are_too_many() -> None:
    """Three copies pass, a fourth does not; the parameter moves the limit."""
    three = "key: C major | chords: I IV viio iii vi ii V I | S: E5 F5 D5 E5 C5 D5 B4 C5 | B: C3 F3 B2 E3 A2 D3 G2 C3"
    length = rule("syntax-sequence-length")
    assert findings(length, three) == ()
    assert findings(length, f"{three} | with: most=2")


@pytest.mark.parametrize(
    ("count", "most", "speaks"), [(6, 6, False), (7, 6, True), (4, 3, True), (3, 3, False)]
)
def test_runs_of_sixth_chords(count: int, most: int, speaks: bool) -> None:
    """More in a row than the parameter allows; fourths between the upper voices."""
    letters = ["C5", "B4", "A4", "G4", "F4", "E4", "D4"]
    middle = ["G4", "F4", "E4", "D4", "C4", "B3", "A3"]
    low = ["E4", "D4", "C4", "B3", "A3", "G3", "F3"]
    voices = " | ".join(
        f"{name}: {' '.join(line[:count])}"
        for name, line in zip("SAB", (letters, middle, low), strict=True)
    )
    found = findings(rule("syntax-six-three-run"), f"{voices} | with: most={most}")
    assert bool(found) == speaks


def test_sevenths_alternate_in_root_position_only() -> None:
    """Inverted, both may be complete."""
    inverted = "key: C major | chords: ii65 V7 | S: D5 D5 | A: C5 B4 | T: A4 F4 | B: F3 G3"
    assert findings(rule("syntax-seventh-chain"), inverted) == ()


@pytest.mark.parametrize(
    ("time", "speaks"),
    [
        ("1 1 1 1 1 1", False),
        ("1 1 4 1 1 1", False),
        ("1 1 5 1 1 1", True),
        ("1 1/8 1 1 1 1", True),
        ("1 1/4 1 1 1 1", False),
        ("1 1 1 1 1/8 1", False),
        ("1 1 1 1 1/16 1", True),
        ("1 1 1 1 1 9", False),
    ],
)
def test_rate_of_change(time: str, speaks: bool) -> None:
    """Four times the median is the limit; at the cadence eight times faster; the last may be held."""
    example = (
        f"key: C major | chords: I IV I6 ii6 V I | time: {time} | marks: . . . . . ef "
        "| S: C5 C5 C5 D5 B4 C5 | B: C3 F3 E3 F3 G3 C3"
    )
    assert bool(findings(rule("syntax-chord-change-rate"), example)) == speaks


# --------------------------------------------------------------------------------------- tables


def test_licences_are_known() -> None:
    """What the facts name as a licence can be tested, of rows that are conditional."""
    table = load_facts().progressions
    named = [
        (mode, before, after, name)
        for mode in ("major", "minor")
        for before, row in table["licences"][mode].items()
        for after, names in row.items()
        for name in names
    ]
    named += [("", "", "", name) for fact in table["special"] for name in fact.get("when", ())]
    assert {name for *_, name in named} <= set(LICENCES)
    for mode, before, after, _ in named:
        assert not mode or after in table[mode][before]["C"], (mode, before, after)


def test_every_known_chord_can_be_judged() -> None:
    """A chord that is only read has a grade with each of its mode."""
    further = every_chord()[len(vocabulary()) :]
    for before in further[::5]:
        for after in every_chord()[::11]:
            if before.mode == after.mode:
                assert may_follow(before, after).grade in "ABCX"
