"""Spelled pitch: textbook examples first, then laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory_kb.pitch import Interval, Key, Pitch, PitchClass, PitchError, ScaleDegree

pitches = st.builds(
    lambda letter, alteration, octave: Pitch.parse(f"{letter}{alteration}{octave}"),
    st.sampled_from("CDEFGAB"),
    st.sampled_from(["bb", "b", "", "#", "##"]),
    st.integers(0, 8),
)
intervals = st.builds(lambda one, other: other - one, pitches, pitches)


@pytest.mark.parametrize(
    ("low", "high", "name"),
    [
        ("F#4", "Eb5", "d7"),
        ("F#4", "D#5", "M6"),
        ("C4", "G4", "P5"),
        ("C4", "C4", "P1"),
        ("Ab4", "B4", "A2"),
        ("F4", "Ab4", "m3"),
        ("F4", "B4", "A4"),
        ("B3", "F4", "d5"),
        ("C4", "C#4", "A1"),
        ("C4", "B4", "M7"),
        ("B4", "Ab4", "-A2"),
        ("E4", "Fb4", "d2"),
    ],
)
def test_intervals_keep_their_spelling(low: str, high: str, name: str) -> None:
    """Enharmonic notes make different intervals, as every textbook has them."""
    assert (Pitch.parse(high) - Pitch.parse(low)).name == name
    assert Interval.parse(name) == Pitch.parse(high) - Pitch.parse(low)


def test_middle_c() -> None:
    """C4 is MIDI 60, diatonic step 28; B3 lies just below, B#3 sounds the same."""
    assert Pitch.parse("C4") == Pitch(28, 60)
    assert Pitch.parse("B3") == Pitch(27, 59)
    assert Pitch.parse("B#3").semitone == 60
    assert Pitch.parse("B#3") != Pitch.parse("C4")


@pytest.mark.parametrize(
    ("text", "name", "signature"),
    [
        ("D minor", "D minor", -1),
        ("d", "D minor", -1),
        ("Bb", "Bb major", -2),
        ("F#m", "F# minor", 3),
        ("C# major", "C# major", 7),
        ("a", "A minor", 0),
        ("e- minor", "Eb minor", -6),
    ],
)
def test_keys_as_people_write_them(text: str, name: str, signature: int) -> None:
    """Long and short names of keys are read alike, with their signatures."""
    assert Key.parse(text).name == name
    assert Key.parse(text).signature == signature


@pytest.mark.parametrize("text", ["H", "D minr", "", "G# major", "4", "Cb minor"])
def test_no_key_is_refused_with_an_example(text: str) -> None:
    """What is no key, or needs more than seven accidentals, is refused and told how."""
    with pytest.raises(PitchError, match="key must look like"):
        Key.parse(text)


def test_degrees_of_minor() -> None:
    """D minor: sixth Bb, raised sixth B, seventh C, leading tone C#."""
    key = Key.parse("D minor")
    assert key.degree(ScaleDegree(6)).name == "Bb"
    assert key.degree(ScaleDegree(6, 1)).name == "B"
    assert key.degree(ScaleDegree(7)).name == "C"
    assert key.leading_tone.name == "C#"
    assert key.relative == Key.parse("F major")
    assert key.parallel == Key.parse("D major")


@given(pitch=pitches, one=intervals, other=intervals)
def test_intervals_add(pitch: Pitch, one: Interval, other: Interval) -> None:
    """Pitches and intervals add up in any order, and subtract back."""
    assert one + other == other + one
    assert (pitch + one) + other == pitch + (one + other)
    assert (pitch + one) - pitch == one
    assert one + (-one) == Interval(0, 0)


@given(pitch=pitches)
def test_names_are_read_back(pitch: Pitch) -> None:
    """The printed name of a pitch is read as the same pitch."""
    assert Pitch.parse(pitch.name) == pitch
    assert Pitch.of(pitch.pitch_class, pitch.octave) == pitch


@given(fifths=st.integers(-15, 19))
def test_line_of_fifths(fifths: int) -> None:
    """A place on the line of fifths is seven semitones and four letters a step from its neighbour."""
    here, there = PitchClass(fifths), PitchClass(fifths + 1)
    assert (there.semitone - here.semitone) % 12 == 7
    assert (there.letter - here.letter) % 7 == 4
    assert PitchClass.parse(here.name) == here
