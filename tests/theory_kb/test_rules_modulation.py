"""Modulation: the means one by one, confirmation, plan; and the rules on lead sheets."""

from __future__ import annotations

import pytest

from theory_kb.rules.examples import findings, read_piece
from theory_kb.rules.records import rule

C = "key: C major | chords: "

MEANS = [  # what joins the two keys, example, whether mod-no-pivot keeps silent
    ("nothing", C + "IV B:I V | S: C5 B4 A#4 | A: A4 F#4 F#4 | B: F3 B2 F#3", False),
    ("a chord of both keys", C + "vi G:V I | S: C5 A4 B4 | A: A4 F#4 G4 | B: A3 D3 G3", True),
    (
        "a new phrase",
        C + "IV B:I V | marks: e b . | S: C5 B4 A#4 | A: A4 F#4 F#4 | B: F3 B2 F#3",
        True,
    ),
    (
        "the Neapolitan of the new key",
        C + "IV E:I V | S: C5 B4 B4 | A: A4 G#4 F#4 | B: F3 E3 B2",
        True,
    ),
    (
        "a held tone between chords a third apart",
        C + "ii b:i V | S: D5 D5 C#5 | A: A4 B4 A#4 | B: D3 B2 F#3",
        True,
    ),
    (
        "the same chords without the held tone",
        C + "ii b:i V | S: A4 B4 A#4 | A: F4 D4 C#4 | B: D3 B2 F#3",
        False,
    ),
    (
        "a chromatic step to the leading tone",
        C + "I A:V I | S: G4 G#4 A4 | A: E4 E4 E4 | B: C3 E3 A2",
        True,
    ),
    ("change of mode", C + "IV c:i V | S: C5 C5 B4 | A: A4 G4 G4 | B: F3 Eb3 G3", True),
    (
        "a sequence",
        C + "V I D:V I | S: D5 C5 E5 D5 | A: G4 G4 A4 A4 | B: G3 C3 A3 D3",
        True,
    ),
    (
        "a chord spelled anew",
        "key: A minor | chords: viio7 c:viio65 i6 | S: F5 F5 G5 | A: D5 D5 Eb5 | B: G#3 Ab3 G3",
        True,
    ),
    (
        "a single line",
        C + "IV _ B:I V | S: C5 A4 B4 A#4 | A: A4 - F#4 F#4 | B: F3 - B2 F#3",
        True,
    ),
    (
        "a declared step up",
        C + "vi Db:IV I | devices: step-up | S: C5 Bb4 Ab4 | A: A4 Gb4 F4 | B: A3 Gb3 Db3",
        True,
    ),
    (
        "the same step undeclared",
        C + "vi Db:IV I | S: C5 Bb4 Ab4 | A: A4 Gb4 F4 | B: A3 Gb3 Db3",
        False,
    ),
]


@pytest.mark.parametrize(("means", "example", "silent"), MEANS)
def test_means_of_leaving_a_key(means: str, example: str, silent: bool) -> None:
    """Each of the known means excuses a change of key."""
    assert (not findings(rule("mod-no-pivot"), example)) == silent, means


CASES = [
    (
        "mod-pivot-altered",
        "an applied dominant as pivot",
        C + "I V7/V G:I | S: C5 C5 B4 | A: G4 F#4 G4 | B: C3 D3 G2",
        False,
    ),
    (
        "mod-distance",
        "far keys joined by mixture",
        C + "IV E:I V | S: C5 B4 B4 | A: A4 G#4 F#4 | B: F3 E3 B2",
        False,
    ),
    (
        "mod-unconfirmed",
        "a cadence comes in time",
        C + "I vi G:V I V I | marks: . . . . . ef | S: C5 C5 A4 B4 A4 G4 | B: C3 A3 D3 G3 D3 G2",
        False,
    ),
    (
        "mod-unconfirmed",
        "a cadence comes too late",
        C + "I vi G:V I V I | marks: . . . . . ef | with: bars=0 "
        "| S: C5 C5 A4 B4 A4 G4 | B: C3 A3 D3 G3 D3 G2",
        True,
    ),
    (
        "mod-unconfirmed",
        "the way home needs no cadence",
        (
            "home: C major | key: G major | chords: V I C:I vi | marks: . . . ef "
            "| S: A4 B4 C5 C5 | B: D3 G3 C3 A2"
        ),
        False,
    ),
    (
        "mod-duration",
        "a cadence in the new key",
        C + "vi G:V I C:I V | marks: . . e b . | S: C5 A4 B4 C5 B4 | B: A3 D3 G3 C3 G3",
        False,
    ),
    (
        "mod-duration",
        "more chords of confirmation asked for",
        C
        + "vi G:V I C:I V | marks: . . e b . | with: chords=3 | S: C5 A4 B4 C5 B4 | B: A3 D3 G3 C3 G3",
        True,
    ),
    (
        "mod-duration",
        "two bars without a cadence",
        C + "vi G:V I C:I V | time: 1 4 4 1 1 | S: C5 A4 B4 C5 B4 | B: A3 D3 G3 C3 G3",
        False,
    ),
    (
        "mod-first-accidental",
        "after a rest",
        C + "I _ G:V7 I | S: C5 - F#5 G5 | A: G4 G4 C5 B4 | B: C3 C3 D3 G2",
        False,
    ),
    (
        "mod-first-accidental",
        "from the same letter",
        C + "IV G:V7 I | S: F5 F#5 G5 | A: C5 C5 B4 | B: F3 D3 G2",
        False,
    ),
    (
        "mod-return",
        "parallel major",
        "key: A minor | chords: i A:V I | S: A4 G#4 A4 | A: E4 E4 C#4 | B: A3 E3 A2",
        False,
    ),
    (
        "mod-return",
        "declared home",
        "home: C major | key: G major | chords: I C:V I | S: B4 B4 C5 | B: G3 G3 C3",
        False,
    ),
    (
        "mod-plan",
        "minor to its mediant",
        "key: A minor | chords: i C:V I | marks: . . ef | S: A4 B4 C5 | B: A3 G3 C3",
        False,
    ),
    (
        "mod-plan",
        "minor to its subdominant",
        "key: A minor | chords: i d:V i | marks: . . ef | S: A4 C#5 D5 | B: A3 A3 D3",
        True,
    ),
    (
        "mod-plan",
        "no cadence away from home",
        C + "I V I | marks: . . ef | S: C5 B4 C5 | B: C3 G3 C3",
        False,
    ),
    (
        "mod-enharmonic-spelling",
        "a plain non-chord tone",
        C + "vi G:V I | S: C5 B4 B4 | A: A4 F#4 G4 | B: A3 D3 G3",
        False,
    ),
]


@pytest.mark.parametrize(("name", "shows", "example", "speaks"), CASES)
def test_exceptions_of_modulation(name: str, shows: str, example: str, speaks: bool) -> None:
    """A rule keeps silent in its exceptions, and speaks beside them."""
    marked = example if "marks:" in example else example + _plain(example)
    assert bool(findings(rule(name), marked)) == speaks, shows


def _plain(example: str) -> str:
    """A phrase end at the last column."""
    count = len(example.partition("chords: ")[2].partition(" |")[0].split())
    return f" | marks: {' '.join([*['.'] * (count - 1), 'ef'])}"


def test_a_key_is_written_before_a_chord() -> None:
    """From the chord on everything is read in the new key."""
    piece = read_piece(C + "vi G:V I | S: C5 A4 B4 | B: A3 D3 G3")
    assert piece.surface["tonic"].tolist() == [0, 1, 1]
    assert piece.surface["root"].tolist() == [3, 1, 0]


# ----------------------------------------------------------------------------------- lead sheets

LEAD = "key: C major | melody: S | "
LEAD_CASES = [
    ("lead-chord-tone-strong", "ninth", LEAD + "chords: I _ | S: D5 G5 | B: C3 C3", False),
    (
        "lead-chord-tone-strong",
        "raised eleventh",
        LEAD + "chords: I _ | S: F#5 C5 | B: C3 C3",
        False,
    ),
    (
        "lead-chord-tone-strong",
        "eleventh over minor",
        LEAD + "chords: ii7 _ | S: G5 D5 | B: D3 D3",
        False,
    ),
    (
        "lead-chord-tone-strong",
        "altered ninth over V7",
        LEAD + "chords: V7 _ | S: Ab5 D5 | B: G3 G3",
        False,
    ),
    (
        "lead-chord-tone-strong",
        "appoggiatura",
        LEAD + "chords: I _ _ | strength: 2 4 2 | S: C5 F5 E5 | B: C3 _ _",
        False,
    ),
    (
        "lead-chord-tone-strong",
        "weak beat",
        LEAD + "chords: I _ | strength: 4 2 | S: E5 Ab5 | B: C3 C3",
        False,
    ),
    (
        "lead-chord-tone-strong",
        "lower limit",
        LEAD + "chords: I _ | strength: 4 2 | with: accent=2 | S: E5 Ab5 | B: C3 C3",
        True,
    ),
    (
        "lead-avoid-note",
        "half a beat",
        LEAD + "chords: I _ | time: 1/2 1 | S: F5 E5 | B: C3 C3",
        False,
    ),
    ("lead-avoid-note", "a whole beat", LEAD + "chords: I _ | S: F5 E5 | B: C3 C3", True),
    ("lead-avoid-note", "lowered sixth", LEAD + "chords: I _ | S: Ab5 G5 | B: C3 C3", True),
    ("lead-avoid-note", "fourth over minor", LEAD + "chords: ii _ | S: G5 F5 | B: D3 D3", False),
    (
        "lead-avoid-note",
        "the chord changes under it",
        LEAD + "chords: I IV | time: 1/2 1 | S: F5 _ | B: C3 F3",
        False,
    ),
    ("lead-slash-bass", "by step", LEAD + "chords: I V I | S: E5 D5 C5 | B: C3 C3 C3", False),
    ("lead-slash-bass", "passing", LEAD + "chords: I I6 | S: E5 C5 | B: D3 E3", False),
    ("lead-slash-bass", "by leap", LEAD + "chords: I V I | S: E5 D5 C5 | B: C3 E3 C3", True),
]


@pytest.mark.parametrize(("name", "shows", "example", "speaks"), LEAD_CASES)
def test_exceptions_of_lead_sheets(name: str, shows: str, example: str, speaks: bool) -> None:
    """A rule keeps silent in its exceptions, and speaks beside them."""
    assert bool(findings(rule(name), example)) == speaks, shows
