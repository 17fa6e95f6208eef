"""Rules on phrases, themes and forms: what each allows, and where its limits lie."""

from __future__ import annotations

import pytest

from theory_kb.rules.examples import findings, read_piece
from theory_kb.rules.material import Span, bars, halves, head, likeness, motive_share
from theory_kb.rules.records import rule

BARS = "metre: 2/4 | "
SENTENCE = (
    f"{BARS}key: C major | units: presentation 0-8, continuation 8-16 | "
    "chords: I _ _ _ V _ _ _ {chords} | S: C5 D5 E5 C5 B4 C5 D5 B4 {upper} "
    "| B: C3 _ _ _ G3 _ _ _ {lower}"
)
PERIOD = (
    f"{BARS}key: C major | units: antecedent 0-8 A, consequent 8-16 {{name}} | "
    "chords: I _ _ _ IV _ I V I _ _ _ IV _ {close} | "
    "S: C5 D5 E5 C5 F5 E5 E5 D5 {head} F5 E5 {end} | B: C3 _ _ _ F3 _ C3 G3 C3 _ _ _ F3 _ {bass}"
)
CLOSED = {"close": "V I", "end": "D5 C5", "bass": "G3 C3"}
OPEN = {"close": "I V", "end": "E5 D5", "bass": "C3 G3"}
GROUND = "units: ground 0-4, ground {span} | S: C5 _ _ _ _ _ _ _ _ | B: C3 B2 A2 G2 {bass}"
THEMES = (
    "key: C major | units: theme 0-4, variation 4-8 | chords: I _ V I {chords} | "
    "marks: . . . e b . . e | S: C5 E5 D5 C5 E5 G5 B4 C5 | B: C3 _ G3 C3 C3 _ G3 C3"
)

KEPT = [  # rule, example that it lets pass
    ("phrase-length", f"{BARS}marks: . . . e | S: C5 D5 E5 C5"),
    ("phrase-length", f"{BARS}units: extension 4-6 | marks: . . . . . e | S: C5 D5 E5 F5 D5 C5"),
    ("phrase-length", f"{BARS}upbeat: 1 | marks: . . . e | S: G4 C5 D5 C5 | B: C3 C3 C3 C3"),
    (
        "phrase-one-cadence",
        "key: C major | chords: I V I | marks: . . ef | S: E5 D5 C5 | B: C3 G3 C3",
    ),
    (
        "phrase-one-cadence",
        "key: C major | chords: ii6 iii | devices: loop | marks: . ef | S: D5 B4 | B: F3 E3",
    ),
    ("basic-idea-length", f"{BARS}devices: real-bar-half | units: basic-idea 0-2 | S: C5 D5 E5"),
    (
        "basic-idea-length",
        f"{BARS}devices: real-bar-double | units: basic-idea 0-8 | S: {'C5 ' * 9}",
    ),
    (
        "sentence-continuation",  # an imperfect close
        SENTENCE.format(
            chords="I _ IV _ I6 ii6 V I",
            upper="E5 G5 F5 A5 G5 F5 D5 E5",
            lower="C3 _ F3 _ E3 F3 G3 C3",
        ),
    ),
    ("period-consequent", PERIOD.format(name="B", head="G5 E5 C5 D5", **CLOSED)),
    ("period-parallel-identity", PERIOD.format(name="B", head="G5 E5 C5 D5", **CLOSED)),
    ("period-parallel-identity", PERIOD.format(name="", head="G5 E5 C5 D5", **CLOSED)),
    (
        "fragmentation-monotone",
        f"{BARS}units: basic-idea 0-4, continuation 4-8, fragment 4-6 | S: C5 D5 E5 C5 D5 E5 D5 C5",
    ),
    (
        "hypermetre",
        f"{BARS}units: elision 5-6 | marks: . . . . . e b . | S: C5 D5 E5 F5 D5 C5 E5 D5",
    ),
    (
        "theme-return",
        f"{BARS}units: theme 0-4 A, return 4-8 A | S: C5 D5 E5 D5 C6 D6 E6 D6",  # in the octave
    ),
    (
        "contrast-middle",  # other texture
        (
            "key: C major | units: theme 0-4 A, contrasting-middle 4-8 B | chords: I _ V I I _ V I | "
            "time: 1 1 1 1 1/2 1/2 1/2 1/2 | S: C5 E5 D5 C5 C5 E5 D5 C5 | B: C3 _ G3 C3 C3 _ G3 C3"
        ),
    ),
    (
        "recap-tonic",  # in the exposition it may be elsewhere
        (
            "key: C major | units: recapitulation 0-2, subordinate-theme 2-4 | chords: I _ G:V I | "
            "S: C5 E5 A4 G4 | B: C3 _ D3 G3"
        ),
    ),
    (
        "coda-after-cadence",  # it may begin on another chord than the tonic
        (
            "key: C major | units: codetta 3-5 | chords: I V I IV I | "
            "S: E5 D5 C5 F5 E5 | B: C3 G3 C3 F3 C3"
        ),
    ),
    ("variation-frame", f"devices: free-variation | {THEMES.format(chords='I _ V vi')}"),
    ("ground-constant", GROUND.format(span="4-8", bass="C2 B2 A2 G2 C3")),
    (
        "ground-constant",
        f"devices: ground-transposed | {GROUND.format(span='4-8', bass='F3 E3 D3 C3 C3')}",
    ),
    (
        "ground-constant",
        (
            "devices: ground-ornamented | units: ground 0-4, ground 4-9 | time: 1 1 1 1 1/2 1/2 1 1 1 "
            "| S: C5 _ _ _ _ _ _ _ _ | B: C3 B2 A2 G2 C3 D3 B2 A2 G2"
        ),
    ),
]
BROKEN = [  # rule, example that it flags, what the sentence says
    ("phrase-length", f"{BARS}marks: . . . . . e | S: C5 D5 E5 F5 D5 C5", "3 bars"),
    (
        "phrase-one-cadence",
        (
            "key: C major | chords: V I V I | marks: . e . ef | S: B4 C5 B4 C5 | A: G4 G4 G4 G4 | "
            "T: D4 E4 D4 E4 | B: G3 C3 G3 C3"
        ),
        "2 cadences",
    ),
    ("basic-idea-length", f"{BARS}units: basic-idea 0-3 | S: C5 D5 E5 C5", "1.5 bars, not 2"),
    (
        "sentence-presentation",
        (
            f"{BARS}key: C major | units: presentation 0-8 | chords: IV _ _ _ V _ _ _ | "
            "S: C5 D5 E5 C5 C5 D5 E5 C5 | B: F3 _ _ _ G3 _ _ _"
        ),
        "prolong the tonic",
    ),
    (
        "sentence-presentation",
        (
            f"{BARS}key: C major | units: presentation 0-8 | chords: I _ _ _ I _ V I | "
            "marks: . . . . . . . e | S: C5 D5 E5 C5 C5 D5 E5 C5 | B: C3 _ _ _ C3 _ G3 C3"
        ),
        "ends with a cadence",
    ),
    (
        "sentence-continuation",
        SENTENCE.format(
            chords="I _ _ _ _ _ V I",
            upper="E5 _ _ _ C5 D5 E5 C5",
            lower="C3 _ _ _ _ _ G3 C3",
        ).replace("I _ _ _ V _ _ _ I", "I V I V I V I V I"),
        "goes on as the theme began",
    ),
    (
        "period-antecedent",
        (
            f"{BARS}key: C major | units: antecedent 0-8 | chords: I _ _ _ IV _ I V | "
            "S: C5 D5 E5 C5 C5 D5 E5 C5 | B: C3 _ _ _ F3 _ C3 G3"
        ),
        "no contrasting idea",
    ),
    (
        "period-consequent",
        PERIOD.format(name="A", head="G4 F4 F4 A4", **CLOSED).replace("F5 E5 D5 C5", "A4 B4 D5 C5"),
        "does not begin with the basic idea",
    ),
    ("period-consequent", PERIOD.format(name="A", head="C5 D5 E5 C5", **OPEN), "no perfect"),
    (
        "period-parallel-identity",
        PERIOD.format(name="B", head="C5 D5 E5 C5", **CLOSED),
        "100 per cent, too much for a contrasting",
    ),
    (
        "fragmentation-monotone",
        (
            f"{BARS}units: basic-idea 0-4, continuation 4-12, fragment 4-8, fragment 8-12 | "
            "S: C5 D5 E5 C5 D5 E5 D5 C5 D5 E5 D5 C5"
        ),
        "2, 2, 2 bars",
    ),
    (
        "ground-constant",
        GROUND.format(span="4-8", bass="F3 E3 D3 C3 C3"),
        "does not state the ground",
    ),
    (
        "ground-constant",
        (
            "units: ground 0-4, ground 4-9 | time: 1 1 1 1 1/2 1/2 1 1 1 | S: C5 _ _ _ _ _ _ _ _ "
            "| B: C3 B2 A2 G2 C3 D3 B2 A2 G2"
        ),
        "does not state the ground",
    ),
    ("variation-frame", THEMES.format(chords="I _ V vi").replace("G3 C3", "G3 A3"), "cadences"),
    ("variation-frame", THEMES.format(chords="I _ G:V I"), "plan of keys"),
    (
        "variation-frame",
        THEMES.format(chords="I _ V I").replace("4-8", "4-7"),
        "number of bars",
    ),
    (
        "retransition",  # a minor dominant is none
        "key: C minor | units: contrasting-middle 0-2 | chords: i v | S: C5 Bb4 | B: C3 G3",
        "not on the dominant",
    ),
]


@pytest.mark.parametrize(("name", "example"), KEPT)
def test_what_a_rule_of_form_allows(name: str, example: str) -> None:
    """Declared extensions, elisions, free variations and the like are no faults."""
    assert [each.message for each in findings(rule(name), example)] == []


@pytest.mark.parametrize(("name", "example", "words"), BROKEN)
def test_what_a_rule_of_form_forbids(name: str, example: str, words: str) -> None:
    """Each way to miss a form is told by its own words."""
    found = [each.message for each in findings(rule(name), example)]
    assert any(words in message for message in found), found


@pytest.mark.parametrize(("kept", "fails"), [(2, True), (3, False)])
def test_a_return_needs_seven_tenths_of_its_bars(kept: int, fails: bool) -> None:
    """Three notes of four are a return, two are none."""
    notes = ["C5", "D5", "E5", "D5"][:kept] + ["G5"] * (4 - kept)
    text = f"{BARS}units: theme 0-4 A, return 4-8 A | S: C5 D5 E5 D5 {' '.join(notes)}"
    assert bool(findings(rule("theme-return"), text)) == fails


@pytest.mark.parametrize(("kept", "alike"), [(4, True), (3, False)])
def test_parallel_heads_share_four_fifths(kept: int, alike: bool) -> None:
    """Of five notes four may be enough, three are not."""
    notes = ["C5", "D5", "E5", "F5", "G5"][:kept] + ["B4"] * (5 - kept)
    text = (
        "metre: 2/4 | time: 1 1 1/2 1/2 1 1 1 1/2 1/2 1 | "
        f"units: antecedent 0-5 A, consequent 5-10 A | S: C5 D5 E5 F5 G5 {' '.join(notes)}"
    )
    assert (findings(rule("period-parallel-identity"), text) == ()) == alike


# ---------------------------------------------------------------------------------- likeness


def test_likeness_counts_notes_at_one_distance() -> None:
    """A note counts where it has the same place and pitch class, whatever its octave."""
    piece = read_piece("S: C5 D5 E5 F5 C4 D4 E4 G4")
    first, second = Span(0, 4), Span(4, 8)
    assert likeness(piece, first, second) == 0.75
    assert likeness(piece, first, first) == 1.0
    assert likeness(piece, first, Span(4, 4)) == 0.0


def test_likeness_of_shape_is_that_of_intervals() -> None:
    """A transposed copy has the shape of its model and none of its pitch classes."""
    piece = read_piece("S: C5 D5 E5 C5 A4 B4 C5 A4")
    first, second = Span(0, 4), Span(4, 8)
    assert likeness(piece, first, second, shape=True) == 1.0
    assert likeness(piece, first, second) == 0.0


def test_share_of_a_motive_ignores_where_it_stands() -> None:
    """Moves of the idea are known again at any place."""
    piece = read_piece("S: C5 D5 E5 G5 G5 A5 A5 F5")
    assert motive_share(piece, Span(4, 8), Span(0, 4)) == pytest.approx(1 / 3)
    assert motive_share(piece, Span(4, 5), Span(0, 4)) == 0.0


def test_lengths_are_counted_in_bars() -> None:
    """Half and head of a stretch go by time, not by the number of notes."""
    piece = read_piece("metre: 2/4 | time: 1/2 1/2 1 2 | S: C5 D5 E5 C5 | B: C3 _ _ _")
    whole = Span(0, 4)
    assert bars(piece, whole) == 2
    assert halves(piece, whole) == (Span(0, 3), Span(3, 4))
    assert head(piece, whole, 1) == Span(0, 3)
    assert head(piece, whole, 9) == whole
