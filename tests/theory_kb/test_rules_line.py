"""A single line: the exceptions, limits and slow twins of the rules on intervals and shape."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory_kb.check import load_style
from theory_kb.errors import UnknownNameError
from theory_kb.pitch import Interval, Pitch
from theory_kb.rules.examples import ExampleError, findings
from theory_kb.rules.records import rule

QUIET = [  # rule, an exception of its record or what just keeps a limit
    ("mel-augmented", "S: C4 C#4"),
    ("mel-augmented", "marks: . b | S: F4 B4"),
    ("mel-augmented", "with: tune_free=1 | S: F4 B4 | B: C3 C3"),
    ("mel-augmented", "key: C major | chords: IV viio | S: A4 D5 | B: F2 B2"),
    ("mel-chromatic-step", "key: C major | chords: I _ ii | S: C5 C#5 D5 | B: C3 _ D3"),
    ("mel-diminished", "S: F4 B3 C4"),
    ("mel-diminished", "key: C major | chords: V7 _ _ | S: G4 _ _ | B: F3 B2 G2"),
    ("mel-diminished", "key: C minor | chords: viio7 _ _ | S: D5 _ _ | B: B2 Ab3 F3"),
    ("mel-diminished", "S: C#5 Eb5 F5"),
    ("mel-seventh", "key: C major | chords: V7 _ | S: B4 _ | B: G2 F3"),
    ("mel-seventh", "marks: . b | S: C4 B4"),
    ("mel-over-octave", "S: C4 C5"),
    ("mel-sixth-species", "S: E4 C5"),
    ("mel-sixth-species", "with: minor_falling_allowed=1 | S: C5 E4"),
    ("leap-recovery", "S: C4 E4 F4 | B: C3 _ _"),
    ("leap-recovery", "S: C5 _ _ | B: C3 F3 G3"),
    ("leap-recovery", "S: G4 C5 E5 | B: C3 _ _"),
    ("leap-recovery", "marks: . . e | S: C5 _ _ | B: C3 G3 A3"),
    ("leap-recovery", "marks: . b . | S: C4 G4 A4 | B: C3 _ _"),
    ("leap-recovery", "S: C4 G4 D4 | B: C3 _ _"),
    ("leaps-consecutive-same", "S: C4 E4 G4 | B: C3 _ _"),
    ("leaps-consecutive-same", "S: C4 G4 C5 | B: C3 _ _"),
    ("leaps-consecutive-same", "S: C5 _ _ | B: C3 F3 B3"),
    ("leaps-three-same", "S: C4 E4 G4 F4 C5 | B: C3 _ _ _ _"),
    ("leaps-three-same", "S: C5 _ _ _ | B: C3 E3 G3 C4"),
    ("leaps-count", "S: C5 E5 D5 F5 E5 | B: C3 _ _ _ _"),
    ("outline-tritone", "S: C5 B4 A4 G4 F4 G4"),
    ("outline-tritone", "S: C5 B4 C5 D5 E5 F5 E5"),
    ("outline-tritone", "S: F4 G4 A4 B4 C5"),
    ("outline-seventh", "S: C4 E4 G4 C5 B4"),
    ("monotone-run-long", "species: S=3 | S: C4 D4 E4 F4 G4 A4 B4 C5 B4"),
    ("single-climax", "given: S 0 C5 | S: C5 E5 D5 E5 C5"),
    ("single-climax", "S: C5 D5 E5 E5 C5"),
    ("single-climax", "S: C5 E5 D5 E5 B4 D5 C5 D5"),
    ("static-line", "given: S 0 C5 | S: C5 D5 C5 B4 C5 D5 C5 B4"),
    ("repeated-note", "cantus: S | S: C5 C5 C5 D5"),
    ("repeated-note", "species: S=1 | S: C5 C5 D5 E5 | B: C3 _ _ _"),
    ("repeated-note", "species: S=1 | S: C5 C5 C5 D5 | A: G4 _ _ _ | B: C3 _ _ _"),
    ("bass-repeat-over-bar", "key: C major | upbeat: 2 | chords: V I _ | S: B4 C5 _ | B: G3 C3 _"),
    (
        "bass-repeat-over-bar",
        "key: C major | upbeat: 1 | marks: o o | chords: I _ | S: E5 C5 | B: C3 C3",
    ),
    (
        "bass-repeat-over-bar",
        "key: C major | upbeat: 1 | chords: I IV64 | S: E5 F5 | A: G4 A4 | B: C3 C3",
    ),
    ("common-tone", "key: C major | chords: V7 I | S: D5 C5 | A: F4 E4 | T: B3 G3 | B: G2 C3"),
    (
        "mel-span-voice-leading",
        "key: C major | chords: I V6 | S: C5 G5 | A: G4 D5 | T: E4 B4 | B: C3 B3",
    ),
    (
        "mel-span-voice-leading",
        "key: C major | chords: I I6 | S: C5 G5 | A: G4 C5 | T: E4 G4 | B: C3 E3",
    ),
    ("line-begin-end", "final: C | marks: o . f | S: G4 F4 E4"),
    ("line-begin-end", "final: C | S: D5 E5 D5 | marks: e . ."),
    ("line-begin-end", "final: C | cantus: S | marks: o . f | S: D5 E5 D5"),
    ("mel-approach-final", "final: C | marks: . f | given: S 0 G4 | S: G4 C5"),
    (
        "mel-approach-final",
        "final: C | marks: . f | species: S=1 B=1 | S: B4 C5 | A: G4 E4 | B: G3 C3",
    ),
    ("mel-octave-frame", "S: C4 C5 B4"),
    ("mel-octave-frame", "S: E4 C4 C5"),
    ("motive-repeat-cf", "cantus: S | S: C4 D4 E4 F4 G4 A4 B4 C5"),
    ("motive-repeat-cf", "cantus: S | S: D4 F4 E4 G4 D4 F4 E4 C4"),
    ("climax-coincide", "S: C5 D5 E5 D5 | B: A3 B3 C4 B3"),
]


@pytest.mark.parametrize(("name", "example"), QUIET)
def test_exceptions_of_a_line_are_not_flagged(name: str, example: str) -> None:
    """What a record excepts, and what just keeps a limit, is no breach."""
    assert findings(rule(name), example) == ()


LOUD = [  # rule, one step beyond an exception or a limit
    ("mel-augmented", "key: C major | chords: IV viio | S: F4 B4 | B: F2 D3"),
    ("mel-augmented", "with: tune_free=1 | S: C5 C5 | B: F3 B3"),
    (
        "mel-chromatic-step",
        "key: C major | with: passing_allowed=0 | chords: I _ ii | S: C5 C#5 D5 | B: C3 _ D3",
    ),
    ("mel-chromatic-step", "key: C major | chords: V V/vi | S: G4 G#4 | B: G3 E3"),
    ("mel-diminished", "with: forbidden=1 | S: F4 B3 C4"),
    ("mel-diminished", "key: C major | chords: I _ _ | S: G4 _ _ | B: F3 B2 G2"),
    ("mel-seventh", "key: C major | chords: I7 _ | S: E5 _ | B: C3 B3"),
    ("mel-sixth-species", "S: C5 E4"),
    ("mel-sixth-species", "S: A4 C4"),
    ("leap-recovery", "S: C4 F4 G4 | B: C3 _ _"),
    ("leap-recovery", "S: C5 _ _ | B: C3 G3 A3"),
    ("leap-recovery", "with: by_step=1 | S: C4 G4 D4 | B: C3 _ _"),
    ("leaps-consecutive-same", "S: C4 E4 B4 | B: C3 _ _"),
    ("leaps-consecutive-same", "S: C4 G4 E5 | B: C3 _ _"),
    ("leaps-consecutive-same", "with: bass_free=0 | S: C5 _ _ | B: C3 F3 B3"),
    ("leaps-consecutive-same", "S: B3 D4 F4 | B: C3 _ _"),
    ("leaps-three-same", "with: bass_free=0 | S: C5 _ _ _ | B: C3 E3 G3 C4"),
    ("leaps-count", "S: C5 E5 C5 E5 C5 | B: C3 _ _ _ _"),
    ("outline-tritone", "S: C5 B4 C5 D5 E5 F5 D5"),
    ("monotone-run-long", "species: S=1 | S: C4 D4 E4 F4 G4 A4 B4"),
    ("single-climax", "S: E5 D5 C5 D5 C5"),
    ("single-climax", "S: C5 D5 C5 D5 E5"),
    ("repeated-note", "species: S=2 | S: C5 C5 D5 E5 | B: C3 _ _ _"),
    ("repeated-note", "species: S=1 | S: C5 C5 C5 C5 | A: G4 _ _ _ | B: C3 _ _ _"),
    (
        "bass-repeat-over-bar",
        "key: C major | upbeat: 1 | chords: I I6 | S: E5 C5 | A: G4 G4 | B: E3 E3",
    ),
    ("mel-approach-final", "final: C | marks: . f | species: S=1 B=1 | S: B4 C5 | B: G3 C3"),
    ("mel-approach-final", "final: C | marks: . f | given: S 0 E4 | S: E4 C4"),
    ("mel-octave-frame", "S: E4 C4 C5 D5"),
    ("motive-repeat-cf", "cantus: S | S: D4 F4 E4 G4 A4 D4 F4 E4 G4"),
    ("motive-repeat-cf", "cantus: S | S: D4 F4 E4 E4 G4 F4 D4"),
]


@pytest.mark.parametrize(("name", "example"), LOUD)
def test_what_an_exception_of_a_line_does_not_cover_is_flagged(name: str, example: str) -> None:
    """One step beyond an exception or a limit is a breach."""
    assert findings(rule(name), example)


def test_beginnings_and_ends_are_not_guessed() -> None:
    """Without key or final a melody frame cannot be judged."""
    with pytest.raises(ExampleError, match="neither the key nor the final"):
        findings(rule("line-begin-end"), "marks: o . f | S: D5 E5 D5")


def test_leaps_of_the_styles() -> None:
    """Fux turns back after a fourth in every voice, Bach after a sixth, a textbook between."""
    stated = {name: load_style(name).params["leap-recovery"] for name in ("strict", "bach", "fux2")}
    sizes = {name: (p["smallest"], p["smallest_bass"]) for name, p in stated.items()}
    assert sizes == {"strict": (3, 4), "bach": (5, 5), "fux2": (3, 3)}


# -------------------------------------------------------------------------------- slow twins

NAMES = ("C", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "B")
SCALE = [Pitch.parse(name + octave) for octave in "45" for name in NAMES]


def name_of(first: Pitch, second: Pitch) -> str:
    """Name of the interval between two notes, without direction; empty if it has none."""
    low, high = sorted((first, second), key=lambda pitch: (pitch.semitone, pitch.step))
    try:
        return (high - low).name
    except (UnknownNameError, ValueError):
        return ""


def test_sixths_of_counterpoint_equal_their_slow_twin() -> None:
    """On all moves over twenty pitches the kernel says what the textbook's words say."""
    for first, second in product(SCALE, SCALE):
        falls = second.semitone < first.semitone
        name = name_of(first, second)
        expected = name == "M6" or (name == "m6" and falls)
        flagged = findings(rule("mel-sixth-species"), f"S: {first.name} {second.name}")
        assert bool(flagged) == expected, (first.name, second.name)


CONSONANT = {"m3", "M3", "P4", "P5", "m6", "M6", "P8", "P1", "m2", "M2"}
TRIADS = [{0, 4, 1}, {0, -3, 1}]  # fifths above the root: major and minor


def spells_triad(notes: list[Pitch]) -> bool:
    """Whether some major or minor triad holds all of some notes."""
    places = {note.pitch_class.fifths for note in notes}
    roots = range(-12, 13)
    return any(places <= {root + tone for tone in triad} for root in roots for triad in TRIADS)


@given(notes=st.lists(st.sampled_from(SCALE), min_size=3, max_size=3))
def test_two_leaps_one_way_equal_their_slow_twin(notes: list[Pitch]) -> None:
    """They keep within an octave, span no dissonance, and spell a triad or have the larger below."""
    moves = [(b.step - a.step, b.semitone - a.semitone) for a, b in pairwise(notes)]
    two_leaps = all(abs(steps) > 1 for steps, _ in moves) and moves[0][0] * moves[1][0] > 0
    way = 1 if moves[0][0] > 0 else -1
    span = Interval(way * (moves[0][0] + moves[1][0]), way * (moves[0][1] + moves[1][1]))
    upward = [abs(steps) for steps, _ in moves][:: 1 if way > 0 else -1]
    dissonant = two_leaps and (span.steps in (6, 8) or span.name not in CONSONANT)
    astray = not spells_triad(notes) and not upward[0] > upward[1]
    expected = two_leaps and (span.steps > 7 or dissonant or astray)
    line = " ".join(note.name for note in notes)
    flagged = findings(rule("leaps-consecutive-same"), f"S: {line} | B: C3 _ _")
    assert bool(flagged) == expected
