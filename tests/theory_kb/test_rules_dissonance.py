"""Non-chord tones: every kind, and the exceptions and limits of the rules on them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory_kb.check import Style, check
from theory_kb.moment import NON_CHORD, REST
from theory_kb.pitch import Interval, Pitch
from theory_kb.rules.dissonance import FREE, non_chord_tones
from theory_kb.rules.examples import findings, read_piece
from theory_kb.rules.records import rule, rules

# ------------------------------------------------------------------------------------- kinds

STRUCK = [  # soprano over C in I; the second note is dissonant; strength of its place; kind
    ("E5 D5 C5", 1, "nct-passing"),
    ("C5 D5 E5", 1, "nct-passing"),
    ("E5 D5 C5", 4, "nct-accented-passing"),
    ("E5 F5 E5", 1, "nct-neighbor"),
    ("E5 F5 E5", 4, "nct-neighbor"),
    ("G4 F#4 G4", 1, "nct-neighbor"),
    ("C5 F5 E5", 1, "nct-incomplete-neighbor"),
    ("- D5 E5", 1, "nct-incomplete-neighbor"),
    ("C5 F5 E5", 4, "nct-appoggiatura"),
    ("- F5 E5", 4, "nct-appoggiatura"),
    ("C5 D5 G4", 1, "nct-escape"),
    ("C5 D5 G4", 4, FREE),
    ("C5 D5 G5", 1, FREE),
    ("E5 Eb5 D5", 1, "nct-chromatic-passing"),
    ("E5 Eb5 D5", 4, "nct-accented-passing"),
    ("C5 C#5 E5", 1, FREE),
    ("G5 D5 G5", 1, FREE),
    ("C5 D5 -", 1, FREE),
    ("Ab4 B4 C5", 1, "nct-incomplete-neighbor"),
]


@pytest.mark.parametrize(("line", "strength", "kind"), STRUCK)
def test_approach_departure_and_accent_tell_the_kind(line: str, strength: int, kind: str) -> None:
    """A struck dissonance is told by how it is reached and left, and by its place."""
    piece = read_piece(
        f"key: C major | chords: I _ _ | strength: 2 {strength} 2 | S: {line} | B: C3 _ _"
    )
    kinds = [tone.kind for tone in non_chord_tones(piece) if tone.moment == 1]
    assert kinds == [kind]


HELD = [  # voices over a change of chord, kind of the dissonance at its second moment
    ("chords: I V _ | S: C5 _ B4 | B: C3 G3 _", "nct-suspension"),
    ("chords: I V _ | S: C5 C5 B4 | B: C3 G3 _", "nct-suspension"),
    ("chords: V I _ | S: D5 _ C5 | B: G3 C3 _", "nct-suspension"),
    ("chords: V I _ | S: B4 _ C5 | B: G3 C3 _", "nct-retardation"),
    ("chords: I V6 _ | S: G4 G4 G4 | B: C3 _ B2", "nct-bass-suspension"),
    ("chords: I V6 V | S: C5 _ B4 | B: C3 B2 G2", "nct-change-of-bass"),
    ("chords: I V V | S: C5 _ B4 | B: C3 G3 G2", "nct-suspension"),
    ("chords: I V I | S: C5 _ _ | B: C3 G3 C3", "nct-pedal"),
    ("chords: I V I | S: E5 D5 E5 | B: C3 _ _", "nct-pedal"),
    (
        "chords: I V _ _ | strength: 2 4 1 2 | S: C5 _ D5 B4 | B: C3 G3 _ _",
        "nct-suspension-ornamented",
    ),
    (
        "chords: I V _ _ | strength: 2 4 1 2 | S: C5 _ A4 B4 | B: C3 G3 _ _",
        "nct-suspension-ornamented",
    ),
    ("chords: I V _ _ | strength: 2 4 1 4 | S: C5 _ G5 B4 | B: C3 G3 _ _", FREE),
    ("chords: I V _ _ | strength: 2 4 1 2 | S: C5 _ F5 B4 | B: C3 G3 _ _", FREE),
    ("chords: I V _ | S: C5 _ G4 | B: C3 G3 _", FREE),
    ("chords: I V _ | S: C5 _ - | B: C3 G3 _", FREE),
]


@pytest.mark.parametrize(("parts", "kind"), HELD)
def test_a_held_dissonance_is_told_by_how_it_goes_on(parts: str, kind: str) -> None:
    """A note that a new chord makes dissonant is a suspension, a retardation or a pedal."""
    piece = read_piece(f"key: C major | upbeat: 1 | {parts}")
    assert [tone.kind for tone in non_chord_tones(piece) if tone.moment == 1] == [kind]


FIGURES = [  # a figure of several notes over I, kinds of its dissonances
    ("E5 D5 C5 B4 C5", "2 1 2 1 2", ["nct-passing", "nct-neighbor"]),
    ("G4 A4 B4 C5", "3 1 2 3", ["nct-passing", "nct-passing"]),
    ("C5 B4 G4 A4 B4", "4 2 3 2 4", ["nct-cambiata", "nct-passing"]),
    ("C5 D5 F5 E5 D5", "4 2 3 2 4", ["nct-cambiata", "nct-appoggiatura"]),
    ("C5 B4 G4 A4 C5", "4 2 3 2 4", [FREE, FREE]),
    ("E5 F5 D5 E5", "4 2 3 2", ["nct-double-neighbor", "nct-double-neighbor"]),
    ("E5 D5 F5 E5", "4 2 3 2", ["nct-double-neighbor", "nct-double-neighbor"]),
    ("E5 F5 D5 E5", "2 3 4 2", [FREE, "nct-appoggiatura"]),
    ("C5 D5 D5 E5", "4 1 2 3", ["nct-passing"]),
]


@pytest.mark.parametrize(("line", "strength", "kinds"), FIGURES)
def test_figures_of_several_notes(line: str, strength: str, kinds: list[str]) -> None:
    """Two passing notes fill a fourth; cambiata and double neighbour are known by their shape."""
    count = len(line.split())
    held = " ".join(["_"] * (count - 1))
    piece = read_piece(
        f"key: C major | chords: I {held} | strength: {strength} | S: {line} | B: C3 {held}"
    )
    assert [tone.kind for tone in non_chord_tones(piece)][: len(kinds)] == kinds


def test_an_anticipation_belongs_to_the_next_chord() -> None:
    """A weak note that the next chord contains is one; a repeated dissonance is none."""
    known = read_piece("key: C major | chords: V _ I | strength: 4 1 4 | S: D5 C5 C5 | B: G3 _ C3")
    assert [tone.kind for tone in non_chord_tones(known)] == ["nct-anticipation"]
    tied = read_piece("key: C major | chords: V _ I | strength: 4 1 4 | S: D5 C5 _ | B: G3 _ C3")
    assert [tone.kind for tone in non_chord_tones(tied)] == ["nct-anticipation"]
    accented = read_piece(
        "key: C major | chords: V _ I | strength: 2 4 2 | S: D5 C5 C5 | B: G3 _ C3"
    )
    assert [tone.kind for tone in non_chord_tones(accented)] == [FREE]


def test_every_kind_of_the_table_is_known() -> None:
    """The sixteen kinds, and the accented passing tone, each have a case above."""
    named = {kind for _, _, kind in STRUCK} | {kind for _, kind in HELD}
    named |= {kind for _, _, kinds in FIGURES for kind in kinds} | {"nct-anticipation"}
    assert len(named) == 17


def test_a_phrase_end_cuts_the_line() -> None:
    """What stands beyond a phrase end neither approaches nor resolves a dissonance."""
    piece = read_piece(
        "key: C major | chords: I _ _ | strength: 4 1 2 | marks: . . b | S: E5 D5 C5 | B: C3 _ _"
    )
    assert [tone.kind for tone in non_chord_tones(piece)] == [FREE]


NOTES = ["B4", "C5", "D5", "E5", "F5", "F#5", "G5", "_", "-"]


@given(
    line=st.lists(st.sampled_from(NOTES), min_size=3, max_size=9),
    shift=st.sampled_from([("D major", "M2"), ("Eb major", "m3"), ("F# major", "A4")]),
    chords=st.sampled_from(["I _ V", "I IV V", "V _ _", "viio6 _ I"]),
)
def test_kinds_are_the_same_in_every_key(
    line: list[str], shift: tuple[str, str], chords: str
) -> None:
    """Each dissonance has one kind, whatever the key; none is left out, none is found twice."""
    line = ["C5", *line]
    count = len(line)
    symbols = [*chords.split(), *["_"] * count][:count]
    key, interval = shift
    moved = [name if name in "_-" else transposed(name, interval) for name in line]
    kinds = []
    for where, notes in (("C major", line), (key, moved)):
        text = f"key: {where} | chords: {' '.join(symbols)} | S: {' '.join(notes)}"
        piece = read_piece(text)
        tones = non_chord_tones(piece)
        kinds.append([(tone.moment, tone.stop, tone.kind) for tone in tones])
        covered = [moment for tone in tones for moment in range(tone.moment, tone.stop)]
        sounds = piece.surface["semitone"][:, 0] != REST
        dissonant = sounds & (piece.surface["member"][:, 0] == NON_CHORD)
        assert covered == np.flatnonzero(dissonant).tolist()
    assert kinds[0] == kinds[1]


def transposed(name: str, interval: str) -> str:
    """Name of a pitch so much higher."""
    return (Pitch.parse(name) + Interval.parse(interval)).name


# ------------------------------------------------------------------------------------- rules

QUIET = [  # rule, an exception of its record
    ("nct-simultaneous", "chords: I _ _ | S: E5 F5 G5 | A: C5 D5 E5 | B: C3 _ _"),
    ("nct-simultaneous", "chords: I _ _ | S: G5 F5 E5 | A: G4 A4 C5 | B: C3 _ _"),
    (
        "escape-direction",
        "chords: I _ _ _ _ | strength: 4 2 3 2 4 | S: C5 B4 G4 A4 B4 | B: C3 _ _ _ _",
    ),
    ("nct-accented-unprepared", "chords: I _ _ | strength: 2 1 2 | S: C5 F5 E5 | B: C3 _ _"),
    ("pedal-ends-dissonant", "chords: I IV V _ | S: E5 F5 D5 _ | B: C3 _ _ B2"),
    ("pedal-ends-dissonant", "chords: I V _ | S: E5 D5 _ | B: C3 _ E3"),
    ("suspension-preparation", "chords: V7 I _ | S: F5 _ E5 | B: G3 C3 _"),
    ("suspension-resolution", "chords: I V I | S: C5 _ _ | B: C3 G3 C3"),
    ("suspension-resolution", "chords: I V _ | S: C5 C5 B4 | B: C3 G3 _"),
    ("suspension-resolution", "chords: I V _ _ | strength: 2 4 1 2 | S: C5 _ D5 B4 | B: C3 G3 _ _"),
    ("suspension-resolution", "chords: V I _ | S: B4 _ C5 | B: G3 C3 _"),
    (
        "suspension-rhythm",
        "species: S=2 | strength: 1 4 2 | time: 1/2 1 1 | chords: I V _ | S: C5 _ B4 | B: C3 G3 _",
    ),
    ("suspension-figure", "chords: V I _ | S: D4 _ C4 | B: G3 C4 _"),
    ("suspension-figure", "chords: I V42 _ | S: C5 _ B4 | A: G4 _ _ | B: E3 F3 _"),
    ("suspension-note-doubled", "chords: V I _ | S: D5 _ C5 | A: B4 G4 G4 | B: G3 C3 _"),
    (
        "suspension-note-doubled",
        "chords: I V _ | S: C5 _ B4 | A: A4 B4 C5 | T: E4 D4 _ | B: C3 G3 _",
    ),
    ("suspension-chain", "chords: I V _ IV _ | S: C5 _ B4 _ A4 | B: C3 G3 _ F3 _"),
    ("anticipation-long", "chords: V _ I | time: 1/2 1/2 1 | S: D5 C5 C5 | B: G3 _ C3"),
    ("nct-obscures", "chords: I _ _ | time: 1 1 1/2 | S: E5 D5 C5 | B: C3 _ _"),
]


@pytest.mark.parametrize(("name", "example"), QUIET)
def test_exceptions_are_not_flagged(name: str, example: str) -> None:
    """What a record excepts, and what just keeps a limit, is no breach."""
    assert findings(rule(name), f"key: C major | upbeat: 1 | {example}") == ()


LOUD = [  # rule, a breach just beyond an exception or a limit
    ("nct-simultaneous", "chords: I _ _ | S: G5 F5 E5 | A: C5 B4 C5 | B: C3 _ _"),
    ("nct-accented-unprepared", "chords: I _ _ | strength: 1 4 2 | S: - F5 E5 | B: C3 _ _"),
    ("suspension-resolution", "chords: I V6 _ | S: C5 _ D5 | B: C3 B2 _"),
    ("suspension-resolution", "chords: V I _ | S: D5 _ E5 | B: G3 C3 _"),
    (
        "suspension-rhythm",
        "species: S=4 | strength: 1 4 2 | time: 1/2 1 1 | chords: I V _ | S: C5 _ B4 | B: C3 G3 _",
    ),
    ("suspension-rhythm", "with: shortest=1.5 | chords: I V _ | S: C5 _ B4 | B: C3 G3 _"),
    ("suspension-figure", "with: rare_allowed=0 | chords: V I _ | S: D4 _ C4 | B: G3 C4 _"),
    ("suspension-figure", "chords: I V6 _ | S: G4 B4 B4 | B: C3 _ B2"),
    ("suspension-note-doubled", "chords: V I _ | S: D4 _ C4 | B: G3 C4 _"),
    ("suspension-note-doubled", "chords: V I6 _ | S: D5 _ C5 | A: B4 C5 _ | B: G3 E3 _"),
    ("suspension-metre", "strength: 2 2 2 | chords: I V _ | S: C5 _ B4 | B: C3 G3 _"),
    (
        "anticipation-long",
        "chords: V _ I | strength: 4 1 4 | time: 1/2 3/4 1 | S: D5 C5 C5 | B: G3 _ C3",
    ),
    ("nct-obscures", "chords: I _ _ | time: 1/2 3/4 1/2 | S: E5 D5 C5 | B: C3 _ _"),
    ("pedal-ends-dissonant", "chords: I IV V I | S: E5 F5 D5 E5 | B: C3 _ _ E3"),
]


@pytest.mark.parametrize(("name", "example"), LOUD)
def test_what_an_exception_does_not_cover_is_flagged(name: str, example: str) -> None:
    """One step beyond an exception or a limit is a breach."""
    assert findings(rule(name), f"key: C major | upbeat: 1 | {example}")


def together(*names: str) -> Style:
    """A style of these rules only, all of them errors."""
    severities = {each: "E" if each in names else "-" for each in rules()}
    return Style("some", "", severities, {n: r.params for n, r in rules().items()}, {})


PRECEDENCE = [  # what is reported, what is attached, the notes
    (
        "nct-unclassified",
        "nct-accented-unprepared",
        "chords: I _ _ | strength: 1 4 2 | S: C5 F5 C5 | B: C3 _ _",
    ),
    (
        "nct-unclassified",
        "escape-direction",
        "chords: I _ _ | strength: 4 1 2 | S: C5 D5 G5 | B: C3 _ _",
    ),
    ("nct-unclassified", "suspension-resolution", "chords: I V _ | S: C5 _ G4 | B: C3 G3 _"),
]


@pytest.mark.parametrize(("owner", "attached", "example"), PRECEDENCE)
def test_an_unclassified_dissonance_is_reported_before_its_approach_or_departure(
    owner: str, attached: str, example: str
) -> None:
    """One defect, one report: the wrong move is attached to the dissonance without a kind."""
    piece = read_piece(f"key: C major | upbeat: 1 | {example}")
    found = check(piece, together(owner, attached)).findings
    assert [(each.rule, each.also) for each in found] == [(owner, (attached,))]


def test_every_rule_on_dissonance_ranks_below_the_unclassified_one() -> None:
    """The family of dissonances is led by the rule on those without a kind."""
    family = [each for each in rules().values() if each.family == "dissonance"]
    assert min(family, key=lambda each: each.rank).id == "nct-unclassified"
    assert len({each.rank for each in family if each.rank == 1}) == 1
