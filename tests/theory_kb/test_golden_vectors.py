"""Vectors that any checker of part-writing must judge alike: pairs, melodic steps, small phrases."""

from __future__ import annotations

import pytest

from theory_kb.check import Finding, Style, check, load_style
from theory_kb.rules.examples import read_piece
from theory_kb.rules.phrase import cadence_kind, phrase_cadences
from theory_kb.rules.records import rules

ANY_PAIR = (
    "direct-perfect-any"  # of species counterpoint: it forbids what textbooks of harmony allow
)
PAIR_RULES = [name for name, each in rules().items() if each.family == "pair" and name != ANY_PAIR]
MELODIC_RULES = [name for name in rules() if name.startswith("mel-")]

PAIRS = [  # upper, lower, what is reported
    ("C5 D5", "F3 G3", "parallel-fifth"),
    ("B4 C5", "E4 F4", "parallel-fifth"),
    ("E4 F4", "A3 Bb3", "parallel-fifth"),
    ("C5 D5", "C4 D4", "parallel-octave"),
    ("D4 C4", "D4 C4", "parallel-unison"),
    ("A4 A3", "A3 A2", None),
    ("D5 A4", "G3 D4", "contrary-fifth"),
    ("G4 C5", "G3 C3", "contrary-octave"),
    ("G4 F4", "C4 B3", "unequal-fifth-perfect-dim"),
    ("F4 G4", "B3 C4", "unequal-fifth-dim-perfect"),
    ("C5 G5", "E3 G3", "direct-octave-outer"),
    ("F5 G5", "E3 G3", None),
    ("G5 E5", "B4 A4", "direct-fifth-outer"),
    ("E5 D5", "C3 G2", None),
    ("F#4 G4", "Bb3 C4", None),
    ("B3 C4", "E4 F4", "voice-crossing"),
    ("C5 E5", "G4 D5", "voice-overlap"),
    ("C5 C5", "F3 G3", None),
    ("D5 C5", "B3 C4", None),
    ("A4 G#4", "F3 E3", None),
]

MELODIES = [  # two notes, what is reported
    ("Ab4 B4", "mel-augmented"),
    ("B4 Ab4", "mel-augmented"),
    ("G#4 F4", "mel-augmented"),
    ("F4 B4", "mel-augmented"),
    ("B3 F4", "mel-diminished"),
    ("C4 C#4", "mel-chromatic-step"),
    ("F#4 Eb5", "mel-diminished"),
    ("C4 B4", "mel-seventh"),
    ("F4 G#4", "mel-augmented"),
    ("F4 Ab4", None),
]


def only(names: list[str], **params: dict[str, float]) -> Style:
    """A style in which just these rules hold, each a warning."""
    severities = {name: "W" if name in names else "-" for name in rules()}
    values = {name: {**each.params, **params.get(name, {})} for name, each in rules().items()}
    return Style("only", "", severities, values, {})


def found(text: str, style: Style) -> tuple[Finding, ...]:
    """What a style finds in a written example."""
    return check(read_piece(text), style).findings


def grave(text: str, style: str) -> set[str]:
    """Errors and warnings of a built-in style in a written example."""
    return {each.rule for each in found(text, load_style(style)) if each.severity in "EW"}


@pytest.mark.parametrize(("upper", "lower", "expected"), PAIRS)
def test_pair(upper: str, lower: str, expected: str | None) -> None:
    """Two voices make one report: the first of what they break."""
    findings = found(f"S: {upper} | B: {lower}", only(PAIR_RULES))
    assert {each.rule for each in findings} == ({expected} if expected else set())


def test_parallel_unison_is_an_overlap_too() -> None:
    """Unisons in parallel motion carry the overlap as an attached breach."""
    (finding,) = found("S: D4 C4 | B: D4 C4", only(PAIR_RULES))
    assert "voice-overlap" in finding.also


def test_direct_fifth_from_an_augmented_fifth() -> None:
    """An augmented fifth is no fifth: Bb-F# to C-G is not parallel, and is direct by leap only."""
    assert not found("S: F#4 G4 | B: Bb3 C4", only(["parallel-fifth"]))
    assert found("S: E4 G4 | B: Bb3 C4", only(["direct-fifth-outer"]))


@pytest.mark.parametrize(("line", "expected"), MELODIES)
def test_melodic_interval(line: str, expected: str | None) -> None:
    """Spelling decides: F-G# is an augmented second, F-Ab a minor third."""
    style = only(MELODIC_RULES, **{"mel-diminished": {"forbidden": 1.0}})
    findings = found(f"S: {line}", style)
    assert {each.rule for each in findings} == ({expected} if expected else set())


CLOSE = "key: C major | chords: V7 I | S: D5 C5 | A: B4 G4 | T: F4 E4 | B: G3 C3"


@pytest.mark.parametrize("style", ["strict", "bach", "kbd"])
def test_frustrated_leading_tone_under_a_falling_soprano(style: str) -> None:
    """The alto's leading tone may fall to 5 when the soprano goes 2-1 into an octave by step."""
    assert grave(CLOSE, style) == set()


def test_leading_tone_of_the_soprano_must_rise() -> None:
    """The same close with B4-G4 in the soprano is an error."""
    text = "key: C major | chords: V7 I | S: B4 G4 | A: G4 G4 | T: F4 E4 | B: G3 C3"
    assert "leading-tone-outer" in grave(text, "strict")


def test_third_inversion_to_root_position() -> None:
    """V42 with F in the bass does not go to I in root position."""
    text = "key: C major | chords: V42 I | S: D5 C5 | A: B4 C5 | T: G4 E4 | B: F3 C3"
    (finding,) = found(text, only(["dominant-third-inversion"]))
    assert load_style("strict").severities[finding.rule] == "E"
    assert finding.voices == (3,)


def test_deceptive_leading_tone_with_an_augmented_second() -> None:
    """In minor B-Ab over V-VI is one finding, as grave as the augmented second it carries."""
    text = "key: C minor | chords: V VI | S: B4 Ab4 | A: G4 Eb4 | T: D4 C4 | B: G3 Ab3"
    names = ["leading-tone-deceptive", "mel-augmented"]
    (finding,) = found(text, only(names))
    assert (finding.rule, finding.also) == ("leading-tone-deceptive", ("mel-augmented",))
    strict = [each for each in found(text, load_style("strict")) if each.rule == finding.rule]
    assert strict[0].severity == "E"


def test_seventh_held_through_the_cadential_six_four() -> None:
    """The seventh of ii65 stays as the fourth of the six-four and falls with it."""
    text = (
        "key: C major | chords: ii65 cad64 V7 I | strength: 2 4 2 3 "
        "| S: D4 E4 D4 C4 | A: C4 C4 B3 C4 | T: A3 G3 F3 E3 | B: F2 G2 G2 C3"
    )
    assert grave(text, "bach") == set()
    assert not {rule for rule in grave(text, "strict") if "seventh" in rule or "six" in rule}


def test_applied_leading_tone() -> None:
    """C# rises to D, or falls to C as V becomes V7; in two voices it is doubled."""
    rise = "key: G major | chords: V7/V V | S: C#5 D5 | A: G4 F#4 | T: E4 D4 | B: A2 D3"
    drop = "key: G major | chords: V7/V V7 | S: C#5 C5 | A: G4 F#4 | T: E4 D4 | B: A2 D3"
    twice = "key: G major | chords: V7/V V | S: C#5 D5 | A: G4 F#4 | T: C#4 D4 | B: A2 D3"
    names = ["applied-leading-tone", "applied-seventh", "double-chromatic"]
    assert found(rise, only(names)) == found(drop, only(names)) == ()
    assert [each.rule for each in found(twice, only(names))] == ["double-chromatic"]


def test_viio6_in_tenths_with_the_bass() -> None:
    """Degree 4 of viio6 may rise in tenths with the bass, although a diminished fifth opens."""
    text = "key: C major | chords: viio6 I6 | S: D5 C5 | A: F4 G4 | T: B3 C4 | B: D3 E3"
    names = ["unequal-fifth-upper", "unequal-fifth-bass", "tritone-resolution"]
    assert found(text, only(names)) == ()
    leaping = "key: C major | chords: viio6 I | S: D5 E5 | A: F4 G4 | T: B3 C4 | B: D3 C3"
    assert [each.rule for each in found(leaping, only(names))] == ["unequal-fifth-upper"]


def test_german_sixth_into_the_dominant() -> None:
    """F-C to E-B in parallel is reported as the fifths of the German sixth, and not twice."""
    text = "key: A minor | chords: Ger65 V | S: A4 G#4 | A: D#4 E4 | T: C4 B3 | B: F2 E2"
    names = ["german-sixth-fifths", "parallel-fifth"]
    assert [each.rule for each in found(text, only(names))] == ["german-sixth-fifths"]
    assert load_style("strict").severities["german-sixth-fifths"] == "W"


def test_fourth_degree_of_viio6_in_the_soprano() -> None:
    """In the soprano degree 4 is to fall; in the tenor it may rise in tenths with the bass."""
    inner = "key: C major | chords: viio6 I6 | S: D5 C5 | A: B4 C5 | T: F4 G4 | B: D3 E3"
    outer = "key: C major | chords: viio6 I6 | S: F5 G5 | A: D5 C5 | T: B4 C5 | B: D3 E3"
    names = ["viio6-fourth-degree"]
    assert found(inner, only(names)) == ()
    (finding,) = found(outer, only(names))
    assert load_style("strict").severities[finding.rule] == "I"


def test_any_direct_perfect_consonance_of_two_voices() -> None:
    """Two voices may not go the same way into a fifth or octave, though the upper one steps."""
    for upper, lower in (("E5 D5", "C3 G2"), ("F5 G5", "E3 G3"), ("F#4 G4", "Bb3 C4")):
        findings = found(f"S: {upper} | B: {lower}", only(["direct-perfect-any"]))
        assert [each.rule for each in findings] == ["direct-perfect-any"]
    assert not found("S: D5 C5 | B: B3 C4", only(["direct-perfect-any"]))


SPECIES = [  # what is written, the finding or none
    ("time: 2 2 4 | cantus: B | species: S=2 | S: E4 F4 G4 | B: C4 _ E4", None),
    (
        "time: 2 2 4 | cantus: B | species: S=2 | S: E4 F4 E4 | B: C4 _ A3",
        "sp2-upbeat-dissonance",
    ),
    ("time: 2 2 2 2 | cantus: B | species: S=4 | S: - C5 _ B4 | B: E4 _ D4 _", None),
    ("time: 2 2 2 2 | cantus: B | species: S=4 | S: - C5 _ D5 | B: E4 _ D4 _", "sp4-resolution"),
    ("cantus: B | species: S=1 | marks: . f | S: C#5 D5 | B: E4 D4", None),
    ("cantus: B | species: S=1 | marks: . f | S: C5 D5 | B: E4 D4", "sp-close-contrary"),
]


@pytest.mark.parametrize(("text", "expected"), SPECIES)
def test_species(text: str, expected: str | None) -> None:
    """Passing and neighbour, suspension down and up, the close by contrary steps: errors in Fux."""
    names = ["sp2-upbeat-dissonance", "sp4-resolution", "sp-close-contrary"]
    assert {each.rule for each in found(text, only(names))} == ({expected} if expected else set())
    if expected:
        assert expected in grave(text, "fux2")
        assert load_style("fux2").severities[expected] == "E"


CADENCES = [
    ("C major", "I V", "S: E5 D5 | A: G4 G4 | T: C4 B3 | B: C3 G3", "cad-hc"),
    ("A minor", "iv6 V", "S: D5 E5 | A: A4 G#4 | T: D4 B3 | B: F3 E3", "cad-phrygian"),
    ("C major", "V I", "S: D5 E5 | A: G4 G4 | T: B3 C4 | B: G3 C3", "cad-iac-soprano"),
    ("C major", "V7 I", "S: D5 C5 | A: B4 G4 | T: F4 E4 | B: G3 C3", "cad-pac"),
    ("C major", "V6 I", "S: D5 C5 | A: G4 G4 | T: D4 E4 | B: B2 C3", "cad-iac-inverted"),
    ("C major", "viio6 I", "S: B4 C5 | A: F4 E4 | T: D4 C4 | B: D3 C3", "cad-iac-vii"),
    ("C major", "IV I", "S: C5 C5 | A: A4 G4 | T: F4 E4 | B: F3 C3", "cad-plagal"),
    ("C major", "V vi", "S: B4 C5 | A: G4 E4 | T: D4 C4 | B: G3 A3", "cad-deceptive"),
    ("C major", "I ii6", "S: E5 D5 | A: G4 A4 | T: C4 D4 | B: C3 F3", None),
    ("C major", "I V7", "S: E5 D5 | A: G4 F4 | T: C4 B3 | B: C3 G3", None),
]


@pytest.mark.parametrize(("key", "chords", "voices", "kind"), CADENCES)
def test_cadence_kind(key: str, chords: str, voices: str, kind: str | None) -> None:
    """The last two chords and the soprano tell the cadence."""
    piece = read_piece(f"key: {key} | chords: {chords} | {voices}")
    assert phrase_cadences(piece) == [(1, kind)]


def test_a_lone_dominant_is_a_dominant_arrival() -> None:
    """V without a chord that leads to it ends a phrase openly; I alone closes nothing."""
    piece = read_piece("key: C major | chords: V I | S: D5 C5 | A: G4 G4 | T: B3 E4 | B: G3 C3")
    assert piece.harmonic is not None
    assert cadence_kind(None, piece.harmonic[0]) == "cad-dominant-arrival"
    assert cadence_kind(None, piece.harmonic[1]) is None


def test_imperfect_close_of_a_piece() -> None:
    """A piece that ends with 3 in the soprano is an error in strict style, not in chorales."""
    text = "key: C major | chords: V I | S: D5 E5 | A: G4 G4 | T: B3 C4 | B: G3 C3"
    assert "cadence-final" in grave(text, "strict")
    assert "cadence-final" not in grave(text, "bach")
