from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.io.spelling import AROUND, CENTRE, KEY_WEIGHT, KeyStroke, spell_voices
from theory_kb.pitch import Key, Pitch


def strokes(text: str) -> list[KeyStroke]:
    """Quarter notes without spelling, from pitches one after another."""
    return [
        KeyStroke(Fraction(place), Fraction(1), Pitch.parse(name).semitone)
        for place, name in enumerate(text.split())
    ]


def spelled(key: str, *voices: str) -> list[str]:
    """Names of the pitches after their spelling was taken away and guessed again."""
    lines = spell_voices([strokes(voice) for voice in voices], Key.parse(key))
    return [" ".join(pitch.name for pitch in line) for line in lines]


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("C major", "C4 D4 E4 F4 G4 A4 B4 C5"),
        ("D major", "D4 E4 F#4 G4 A4 B4 C#5 D5"),
        ("Ab major", "Ab4 Bb4 C5 Db5 Eb5 F5 G5 Ab5"),
        ("F# major", "F#4 G#4 A#4 B4 C#5 D#5 E#5 F#5"),
        ("A minor", "A4 B4 C5 D5 E5 F#5 G#5 A5"),
        ("C minor", "C5 B4 C5 D5 Eb5 F5 G5 Ab5 G5"),
        ("G# minor", "G#4 F##4 G#4 A#4 B4 C#5 D#5"),
        ("Eb minor", "Eb4 D4 Eb4 F4 Gb4 Ab4 Bb4 Cb5"),
    ],
)
def test_scale_is_spelled_as_its_key_has_it(key: str, line: str) -> None:
    """Scales in major, and in minor with raised sixth and seventh, come back as they were."""
    assert spelled(key, line) == [line]


@pytest.mark.parametrize(
    ("key", "voices"),
    [
        ("C major", ("C5 C5 B4", "G4 A4 G4", "E4 F#4 G4", "C3 D3 G3")),  # V/V
        ("C major", ("G4 G4 A4", "E4 E4 F4", "C4 C#4 D4", "C3 A2 D3")),  # V/ii
        ("C major", ("G4 Ab4 G4", "E4 F4 E4", "C4 C4 C4", "C3 F3 C3")),  # iv of minor
        ("A minor", ("A4 A4 G#4", "E4 F4 E4", "C4 D4 B3", "A3 D3 E3")),  # V of minor
        ("D minor", ("D5 C#5 D5", "A4 G4 F4", "F4 E4 D4", "D3 A2 D3")),  # leading tone
    ],
)
def test_chromatic_chords_of_the_textbook(key: str, voices: tuple[str, ...]) -> None:
    """Applied dominants rise with sharps, a borrowed sixth falls with a flat."""
    assert spelled(key, *voices) == list(voices)


@given(
    semitones=st.lists(st.lists(st.integers(30, 90), max_size=8), min_size=1, max_size=4),
    fifths=st.integers(-7, 7),
    mode=st.sampled_from(["major", "minor"]),
)
def test_running_sums_agree_with_the_plain_mean(
    semitones: list[list[int]], fifths: int, mode: str
) -> None:
    """The spelling nearest to the mean of all neighbours, reckoned one by one, sounds the same."""
    key = next(key for key in map(Key.parse, KEYS[mode]) if key.signature == fifths)
    voices = [
        [KeyStroke(Fraction(n, 2), Fraction(1, 2), s) for n, s in enumerate(line)]
        for line in semitones
    ]
    home = key.tonic.fifths + CENTRE[mode]
    every = [stroke for voice in voices for stroke in voice]

    def nearest(semitone: int, centre: float) -> int:
        same = [f for f in range(-40, 41) if (f * 7 - semitone) % 12 == 0]
        return min(same, key=lambda f: abs(f - centre))

    for voice, line in zip(voices, spell_voices(voices, key), strict=True):
        for stroke, pitch in zip(voice, line, strict=True):
            near = [
                other
                for other in every
                if other is not stroke and abs(other.onset - stroke.onset) <= AROUND
            ]
            total = sum(nearest(each.semitone, home) * 0.5 for each in near)
            centre = (total + home * KEY_WEIGHT) / (0.5 * len(near) + KEY_WEIGHT)
            assert pitch.semitone == stroke.semitone
            distance = abs(pitch.pitch_class.fifths - centre)
            assert distance <= abs(nearest(stroke.semitone, centre) - centre) + 1e-8


KEYS = {
    "major": ["Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#"],
    "minor": ["ab", "eb", "bb", "f", "c", "g", "d", "a", "e", "b", "f#", "c#", "g#", "d#", "a#"],
}
