"""Numerals to voicing to analysis is no change: in all keys, inversions and voicings, key given or not."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.analysis.analyse import analyse
from musegen.score import Metre, Note, Part, Score
from theory_kb.chords import Chord, read_chord, spell
from theory_kb.pitch import Key, Pitch, PitchClass

PROGRESSIONS = {
    "major": (
        "I ii6 V7 I",
        "I IV V I",
        "I V6 I V43 I6 ii65 V7 I",
        "I V42 I6 ii65 V7 vi IV V I",
        "I viio6 I6 IV V I",
        "I vi ii V65 I",
        "I ii42 V65 I",
        "I IV6 V65 I",
        "I V64 I6 IV V7 I",
        "I viiø65 I6 ii6 V I",
        "I viiø43 I6 IV V I",
        "I vi7 ii7 V7 I",
        "I iii IV V I",
        "I IV64 I V I",
        "I6 ii6 cad64 V7 I",
        # applied chords
        "I V7/V V7 I",
        "I V65/V V I",
        "I V43/V V7 I",
        "I V42/V V6 I",
        "I viio7/V V I",
        "I viio65/V V6 I",
        "I V7/vi vi ii6 V I",
        "I V65/ii ii V7 I",
        "I viio6/ii ii6 V7 I",
        "I V7/IV IV V I",
        "I V42/IV IV6 cad64 V I",
        # mixture, Neapolitan, augmented sixths and fifths
        "I iv V I",
        "I iiø65 V I",
        "I viio7 I V7 I",
        "I N6 V7 I",
        "I It6 V I",
        "I IV Ger65 cad64 V I",
        "I Fr43 V I",
        "I V+ I IV V I",
    ),
    "minor": (
        "i iio6 V7 i",
        "i iv V i",
        "i V6 i V43 i6 iiø65 V i",
        "i V42 i6 iiø65 V7 VI iv V i",
        "i viio6 i6 iv V i",
        "i VI iio6 V65 i",
        "i iiø42 V65 i",
        "i iiø7 V7 i",
        "i iv7 V i",
        "i VI7 iiø65 V i",
        "i III VI iio6 V i",
        "i VII6 III6 iv V i",
        "i v6 iv6 V i",
        "i viio7 i V7 i",
        "i viio65 i6 V7 i",
        "i viio43 i6 V7 i",
        "i viio42 cad64 V i",
        "i VI iv V I",
        # applied chords
        "i V7/V V7 i",
        "i V65/V V i",
        "i viio7/V V i",
        "i V7/iv iv V i",
        "i V65/iv iv V i",
        # Neapolitan, augmented sixths and fifths
        "i N6 V i",
        "i N6 cad64 V7 i",
        "i N6 viio7/V V i",
        "i N V6 i",
        "i It6 V i",
        "i Ger65 cad64 V i",
        "i Fr43 V i",
        "i V+ i iv V i",
    ),
}
MAJOR_KEYS = tuple(Key(PitchClass(fifths), "major") for fifths in range(-7, 8))
KEYS = (*MAJOR_KEYS, *(key.relative for key in MAJOR_KEYS))


def doubled(chord: Chord) -> int:
    """The member that four voices have twice in a triad (KP 5 and 21)."""
    if chord.cadential:
        return 2
    return 1 if chord.numeral == "N" else 0


def voicing(chord: Chord, key: Key, order: tuple[int, ...], bass: int) -> list[Pitch]:
    """The bass in its octave, the other members in some order, each above the last."""
    tones = spell(chord, key)
    members = [*range(len(tones)), doubled(chord)][:4]
    members.remove(chord.inversion)
    pitches = [Pitch.of(tones[chord.inversion], bass)]
    for place in order:
        tone, octave = tones[members[place]], pitches[-1].octave
        pitch = Pitch.of(tone, octave)
        pitches.append(pitch if pitch > pitches[-1] else Pitch.of(tone, octave + 1))
    return pitches


@st.composite
def voiced(draw: st.DrawFn, key: Key, symbols: tuple[str, ...]) -> Score:
    """A chord a beat for four voices, each in a voicing of its own."""
    parts: list[list[Note]] = [[], [], [], []]
    for beat, symbol in enumerate(symbols):
        order = tuple(draw(st.permutations(range(3))))
        pitches = voicing(read_chord(key.mode, symbol), key, order, draw(st.integers(2, 3)))
        for part, pitch in zip(parts, reversed(pitches), strict=True):
            part.append(Note(Fraction(beat), Fraction(1), pitch))
    made = tuple(Part(f"V{place}", tuple(notes)) for place, notes in enumerate(parts, 1))
    return Score("voiced", key, made, (Metre(4, 4),))


def read_back(score: Score, key: Key | None = None) -> list[tuple[Key, str]]:
    """Keys and numerals of the analysis."""
    return [(each.key, each.numeral) for each in analyse(score, key=key, readings=1).chords]


@given(data=st.data(), key=st.sampled_from(KEYS), told=st.booleans())
@settings(max_examples=50)
def test_progressions_by_the_book_come_back(data: st.DataObject, key: Key, told: bool) -> None:
    """Every numeral in the home key, whether that is told or has to be found."""
    symbols = tuple(data.draw(st.sampled_from(PROGRESSIONS[key.mode])).split())
    score = data.draw(voiced(key, symbols))
    wanted = [(key, read_chord(key.mode, symbol).symbol) for symbol in symbols]
    assert read_back(score, key if told else None) == wanted


@given(data=st.data(), key=st.sampled_from(MAJOR_KEYS[4:-1]))
@settings(max_examples=8)
def test_a_german_sixth_and_a_dominant_seventh_sound_alike(data: st.DataObject, key: Key) -> None:
    """The same keys of a piano: by its spelling one leads to the dominant, one to the key above."""
    minor = Key(key.tonic, "minor")
    above = Key(PitchClass(key.tonic.fifths - 5), "major")
    sixth = data.draw(voiced(minor, ("i", "Ger65", "cad64", "V", "i")))
    seventh = data.draw(voiced(above, ("I", "V7", "I", "V7", "I")))
    assert read_back(sixth)[1] == (minor, "Ger65")
    assert read_back(seventh)[1] == (above, "V7")


@given(data=st.data(), key=st.sampled_from(KEYS[15:]), turn=st.integers(0, 3))
@settings(max_examples=12)
def test_a_diminished_seventh_is_of_the_key_it_resolves_to(
    data: st.DataObject, key: Key, turn: int
) -> None:
    """Each inversion, with nothing before it: the four keys of one sound are told apart."""
    first, then = (("viio7", "i"), ("viio65", "i6"), ("viio43", "i6"), ("viio42", "cad64"))[turn]
    score = data.draw(voiced(key, (first, then, "V7", "i")))
    assert read_back(score)[0] == (key, first)
