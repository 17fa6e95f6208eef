from __future__ import annotations

from fractions import Fraction

import pytest

from musegen.exercises.makers.chords import from_bass, names_of
from musegen.exercises.makers.chromatic import pivot_places
from musegen.exercises.makers.embellishment import Context, kinds_of
from musegen.exercises.makers.music import Phrase
from musegen.exercises.metres import bar_lines, beam_groups, metre_of, rests_after
from musegen.exercises.rhythm_text import read_rhythm, rhythm_text
from musegen.score import Metre, Score
from theory_kb.chords import chord, read_chord
from theory_kb.pitch import Interval, Key, Pitch, PitchClass, inverted_number
from theory_kb.scales import spell_scale


@pytest.mark.parametrize(
    ("lower", "upper", "name"),
    [
        ("F4", "B4", "A4"),
        ("B3", "F4", "d5"),
        ("D4", "Bb4", "m6"),
        ("G#3", "F4", "d7"),
        ("Eb4", "F#4", "A2"),
        ("C4", "E5", "M10"),
        ("Cb4", "G#4", "AA5"),
        ("A3", "Fb4", "d6"),
        ("F##4", "D#5", "m6"),
    ],
)
def test_intervals_are_named_by_letters_first(lower: str, upper: str, name: str) -> None:
    """Worked example 1: number by letters, quality by semitones."""
    assert (Pitch.parse(upper) - Pitch.parse(lower)).name == name


def test_a_chromatic_semitone_down_is_an_augmented_unison() -> None:
    """E4 down to Eb4 is no diminished unison."""
    interval = Pitch.parse("Eb4") - Pitch.parse("E4")
    assert (interval.quality, interval.number) == ("A", 1)


@pytest.mark.parametrize(("one", "other"), [("A4", "d5"), ("m6", "M3"), ("d7", "A2")])
def test_inversions_are_pairs(one: str, other: str) -> None:
    """An interval and its inversion make an octave, and their numbers add to nine."""
    assert Interval.parse(one) + Interval.parse(other) == Interval.parse("P8")
    assert inverted_number(Interval.parse(one).number) == Interval.parse(other).number


def test_melodic_and_harmonic_minor_are_spelled_by_degree() -> None:
    """Worked example 2: F double sharp in G sharp minor, A natural in B flat minor."""
    g_sharp, b_flat = PitchClass.parse("G#"), PitchClass.parse("Bb")
    assert names_of(spell_scale(g_sharp, "melodic-minor")) == "G# A# B C# D# E# F## G#"
    down = spell_scale(g_sharp, "melodic-minor", falling=True)
    assert names_of(down) == "G# F# E D# C# B A# G#"
    assert names_of(spell_scale(b_flat, "harmonic-minor")) == "Bb C Db Eb F Gb A Bb"
    assert (Key.parse("G# minor").signature, Key.parse("Bb minor").signature) == (5, -5)


STREAM = "q e e e e q. q e e e e s s s s e h."


def test_bar_lines_of_a_compound_stream() -> None:
    """Worked example 3: bar lines after the values 5, 8 and 16; beams of three and three."""
    values, metre = read_rhythm(STREAM), metre_of("6/8")
    assert bar_lines(values, metre) == (5, 8, 16)
    assert beam_groups(values[:5], metre) == (1, 3)
    assert beam_groups(values[8:16], metre) == (3, 5)


@pytest.mark.parametrize(
    ("metre", "begun", "rests"),
    [("4/4", "q", "rq rh"), ("3/4", "q", "rq rq"), ("6/8", "q e", "rq.")],
)
def test_rests_show_the_beat(metre: str, begun: str, rests: str) -> None:
    """Worked example 3: no half rest hides the second beat of 3/4."""
    bar = metre_of(metre)
    assert rhythm_text(rests_after(read_rhythm(begun), bar, bar.bar)) == rests


@pytest.mark.parametrize(
    ("key", "symbol", "notes"),
    [
        ("F# minor", "N6", "B D G"),
        ("F# minor", "It6", "D F# B#"),
        ("F# minor", "Fr43", "D F# G# B#"),
        ("F# minor", "Ger65", "D F# A B#"),
        ("Bb major", "N6", "Eb Gb Cb"),
        ("Bb major", "It6", "Gb Bb E"),
        ("Bb major", "Fr43", "Gb Bb C E"),
        ("Bb major", "Ger65", "Gb Bb Db E"),
        ("Bb major", "Sw43", "Gb Bb C# E"),
    ],
)
def test_chromatic_chords_are_spelled_from_the_bass(key: str, symbol: str, notes: str) -> None:
    """Worked example 10: the raised fourth degree is no lowered fifth."""
    home = Key.parse(key)
    assert names_of(from_bass(read_chord(home.mode, symbol), home)) == notes


def _phrase(rows: list[tuple[str, str]]) -> Phrase:
    chords, keys = [], []
    for name, symbols in rows:
        key = Key.parse(name)
        for symbol in symbols.split():
            chords.append(chord(key.mode, symbol))
            keys.append(key)
    return Phrase(keys[0], tuple(chords), tuple(keys), Score("", keys[0], (), (Metre(4, 4),)))


def test_every_pivot_of_a_modulation_is_found() -> None:
    """Worked example 11: chord 4 as vi and ii, and chord 3 as I and IV."""
    phrase = _phrase([("C major", "I V6 I vi"), ("G major", "V65 I ii6 cad64 V7 I")])
    key, target = Key.parse("C major"), Key.parse("G major")
    places = pivot_places(phrase, key, target)
    readings = [(phrase.symbols_in(key)[at], phrase.symbols_in(target)[at]) for at in places]
    assert [place + 1 for place in places] == [3, 4]
    assert readings == [("I", "IV"), ("vi", "ii")]


ALL_KINDS = (
    "nct-passing",
    "nct-neighbor",
    "nct-suspension",
    "nct-retardation",
    "nct-appoggiatura",
    "nct-escape",
    "nct-anticipation",
    "nct-pedal",
    "nct-incomplete-neighbor",
    "nct-chromatic-passing",
)


@pytest.mark.parametrize(
    ("notes", "accented", "held", "kind"),
    [
        ("E5 D5 C5", False, False, "nct-passing"),
        ("C5 D5 C5", False, False, "nct-neighbor"),
        ("C5 C5 B4", True, True, "nct-suspension"),
        ("D5 C5 C5", False, False, "nct-anticipation"),
        ("C5 G5 F5", True, False, "nct-appoggiatura"),
        ("D5 E5 C5", False, False, "nct-escape"),
    ],
)
def test_non_chord_tones_are_told_by_approach_and_departure(
    notes: str, accented: bool, held: bool, kind: str
) -> None:
    """Worked example 12: each tone is of one kind, by the table of the knowledge base."""
    before, note, after = map(Pitch.parse, notes.split())
    assert kinds_of(Context(before, note, after, accented, held), ALL_KINDS) == [kind]


def test_lengths_of_tuplets_are_exact() -> None:
    """Three triplet eighths last a quarter note, two duplet eighths a dotted one."""
    assert sum(value.length for value in read_rhythm("e/3 e/3 e/3")) == 1
    assert sum(value.length for value in read_rhythm("e/2 e/2")) == Fraction(3, 2)
