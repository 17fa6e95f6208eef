"""Figures of a thorough bass: what they ask for, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory_kb.catalogue import catalogue
from theory_kb.chords import chord, vocabulary
from theory_kb.pitch import Key, PitchClass
from theory_kb.thoroughbass import (
    FigureError,
    Figures,
    completed,
    figures_of,
    readings,
    scale_tone,
    tones,
)

TONICS = range(-7, 8)
KEYS = [
    Key(PitchClass(fifths + shift), mode)
    for fifths in TONICS
    for mode, shift in (("major", 0), ("minor", 3))
]


def notes(key: str, bass: str, text: str) -> set[str]:
    """Names of the notes that figures ask for over a bass."""
    full = completed(Figures.parse(text).written)
    found = tones(full, PitchClass.parse(bass), Key.parse(key).signature)
    return {note.name for note in found.values()}


@pytest.mark.parametrize(
    ("key", "bass", "text", "wanted"),
    [
        ("C major", "C", "", "C E G"),
        ("C major", "C", "5", "C E G"),
        ("C major", "C", "8", "C E G"),
        ("C major", "E", "6", "E G C"),
        ("C major", "E", "6/3", "E G C"),
        ("C major", "G", "6/4", "G C E"),
        ("C major", "G", "7", "G B D F"),
        ("C major", "B", "6/5", "B D F G"),
        ("C major", "D", "4/3", "D F G B"),
        ("C major", "D", "643", "D F G B"),
        ("C major", "F", "4/2", "F G B D"),
        ("C major", "F", "2", "F G B D"),
        ("C major", "F", "4+", "F G B D"),
        ("G major", "C", "4+", "C D F# A"),
        ("C major", "C", "4+", "C D F# A"),
        ("C major", "C", "9", "C D E G"),
        ("C major", "G", "4", "G C D"),
        ("C major", "C", "9/7", "C D B E G"),
        ("C major", "C", "7/4/2", "C D F B"),
        ("C major", "F", "5/2", "F C G"),
        ("D minor", "A", "#", "A C# E"),
        ("D minor", "A", "7/#", "A C# E G"),
        ("D minor", "C#", "6/5", "C# E G A"),
        ("D minor", "E", "#6/4/3", "E G A C#"),
        ("D minor", "E", "6+/4/3", "E G A C#"),
        ("D minor", "E", "6\\/4/3", "E G A C#"),
        ("C minor", "G", "n", "G B D"),
        ("C minor", "G", "#", "G B D"),  # as old prints write a natural
        ("E major", "B", "b", "B D F#"),
        ("C minor", "Ab", "#6", "Ab C F#"),
    ],
)
def test_each_figure_asks_for_its_notes(key: str, bass: str, text: str, wanted: str) -> None:
    """The figures of the textbooks, with what goes without saying."""
    assert notes(key, bass, text) == set(wanted.split())


def test_the_figures_of_the_facts_say_the_same() -> None:
    """The table of figures and the reading of figures agree on every chord figure."""
    stands = {
        name: each["intervals"]
        for name, each in catalogue()["figure"].items()
        if each["position"] != "none"
    }
    assert len(stands) > 12
    for name, intervals in stands.items():
        wanted = {1 if number == 8 else number for number in intervals} | {1}
        full = completed(Figures.parse(name).written)
        assert {1 if number == 8 else number for number in full} | {1} == wanted, name


@given(key=st.sampled_from(KEYS), index=st.integers(0, len(vocabulary()) - 1))
def test_a_chord_is_read_from_its_own_figures(key: Key, index: int) -> None:
    """Numeral to figures to numeral, for every chord of the vocabulary in every key."""
    each = vocabulary()[index]
    if each.mode != key.mode:
        each = next(other for other in vocabulary() if other.mode == key.mode)
    bass = key.tonic.transposed(each.bass)
    try:
        figures = figures_of(each, key)
        above = tones(completed(figures.written), bass, key.signature)
    except FigureError:
        spelled = [key.tonic.transposed(member).alteration for member in each.members]
        assert max(map(abs, spelled)) > 2
        return
    assert Figures.parse(figures.text) == figures
    assert (key, each) in readings(bass, above.values(), [key])


@given(letter=st.integers(0, 6), signature=st.integers(-7, 7))
def test_a_signature_has_each_letter_once(letter: int, signature: int) -> None:
    """Seven neighbours on the line of fifths, one a letter."""
    note = scale_tone(letter, signature)
    assert note.letter == letter
    assert signature - 1 <= note.fifths <= signature + 5


def test_inversions_have_the_figures_of_the_book() -> None:
    """V7 in its four positions, and what minor adds."""
    major, minor = Key.parse("C major"), Key.parse("D minor")
    symbols = ("V7", "V65", "V43", "V42")
    found = [figures_of(chord("major", symbol), major).text for symbol in symbols]
    assert found == ["7", "6/5", "4/3", "4/2"]
    assert figures_of(chord("minor", "V"), minor).text == "#"
    assert figures_of(chord("minor", "V43"), minor).text == "#6/4/3"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("H", "cannot be read"),
        ("6/", "cannot be read"),
        ("0.5", "cannot be read"),
        ("6/6", "same note"),
        ("9/2", "same note"),
        ("#6#", "two signs"),
        ("7/6/5/4/3/2", "at most 5"),
    ],
)
def test_figures_that_are_none_are_refused(text: str, words: str) -> None:
    """What came, and what is allowed."""
    with pytest.raises(FigureError, match=words):
        Figures.parse(text)


def test_a_note_with_three_sharps_is_refused() -> None:
    """A raised seventh over B# in C sharp major would be A triple sharp."""
    with pytest.raises(FigureError, match="at most 2"):
        tones({7: "##", 6: "+"}, PitchClass.parse("A##"), 14)
