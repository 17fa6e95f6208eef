"""Tokens and other versions of a piece."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.encoding import (
    inverted,
    retrograde,
    semitones,
    token,
    tokens,
    tonic_reference,
    transposed,
    transpositions,
)
from musegen.errors import ScoreError
from musegen.models.protocol import REST_TOKEN
from musegen.score import ChordLabel, Metre, Note, Part, Score
from theory_kb.moment import REST
from theory_kb.pitch import Interval, Key, Pitch

KEYS = [
    Key.parse(f"{tonic} {mode}")
    for tonic in ("C", "D", "Eb", "F", "F#", "G", "A", "Bb", "B")
    for mode in ("major", "minor")
]
PITCHES = st.builds(
    Pitch.parse,
    st.sampled_from(
        [
            f"{letter}{sign}{octave}"
            for letter in "CDEFGAB"
            for sign in ("", "#", "b")
            for octave in (3, 4)
        ]
    ),
)


def line(*names: str) -> Part:
    """A soprano in quarter notes."""
    return Part(
        "Soprano",
        tuple(
            Note(Fraction(place), Fraction(1), Pitch.parse(name))
            for place, name in enumerate(names)
        ),
    )


def small_score(*names: str, key: str = "D major") -> Score:
    """One line with one chord."""
    home = Key.parse(key)
    return Score(
        "small",
        home,
        (line(*names),),
        (Metre(4, 4),),
        chords=(ChordLabel(Fraction(0), Fraction(4), home, "I"),),
    )


@pytest.mark.parametrize(
    ("key", "reference"), [("C", 60), ("F", 65), ("F#", 66), ("Gb", 66), ("G", 55), ("B", 59)]
)
def test_the_reference_is_the_tonic_nearest_to_middle_c(key: str, reference: int) -> None:
    """F sharp lies six above, G five below middle C."""
    assert tonic_reference(Key.parse(key)) == reference


def test_the_tonic_at_middle_c_is_token_thirty() -> None:
    """Tokens count semitones from thirty below the reference."""
    assert token(Pitch.parse("C4"), Key.parse("C")) == 30
    assert token(Pitch.parse("A4"), Key.parse("D minor")) == 37


@given(key=st.sampled_from(KEYS), pitches=st.lists(PITCHES, min_size=1, max_size=8))
def test_tokens_come_back_as_the_same_notes(key: Key, pitches: list[Pitch]) -> None:
    """`semitones` is the inverse of `tokens`, rests included."""
    numbers = np.array([pitch.semitone for pitch in pitches] + [REST])
    found = tokens(numbers, key)
    assert found[-1] == REST_TOKEN
    assert (semitones(found, key) == numbers).all()


def test_a_note_out_of_reach_is_refused() -> None:
    """The text names the note and the reach."""
    with pytest.raises(ScoreError, match=r"127.*30 to 90"):
        tokens(np.array([127]), Key.parse("C"))


@given(
    key=st.sampled_from(KEYS),
    pitch=PITCHES,
    interval=st.sampled_from([Interval.parse(name) for name in ("M2", "m3", "-P4", "A1", "-m2")]),
)
def test_tokens_do_not_know_the_key(key: Key, pitch: Pitch, interval: Interval) -> None:
    """A transposed note in the transposed key has the same token up to octaves."""
    score = Score(
        "one", key, (Part("Soprano", (Note(Fraction(0), Fraction(1), pitch),)),), (Metre(4, 4),)
    )
    moved = transposed(score, interval)
    there = token(moved.parts[0].notes[0].pitch, moved.key)
    assert (there - token(pitch, key)) % 12 == 0


def test_transposition_keeps_spelling() -> None:
    """A third up, F sharp becomes A; a semitone up, D major is written as E flat."""
    moved = transposed(small_score("D4", "F#4", "C#5"), Interval.parse("m3"))
    assert [note.pitch.name for note in moved.parts[0].notes] == ["F4", "A4", "E5"]
    assert moved.key == Key.parse("F major") == moved.chords[0].key
    versions = {version.key.name for version in transpositions(small_score("D4", "F#4", "A4"))}
    assert "Eb major" in versions
    assert "D# major" not in versions


def test_transpositions_stay_in_range_and_legible() -> None:
    """The first is the piece itself; none leaves the soprano's range or needs eight accidentals."""
    score = small_score("D4", "A5")
    versions = transpositions(score)
    assert versions[0] == score
    assert all(version.parts[0].notes[1].pitch.semitone <= 81 for version in versions)
    assert all(abs(version.key.signature) <= 7 for version in versions)
    assert len({version.key for version in versions}) == len(versions) > 1


@given(
    names=st.lists(PITCHES, min_size=1, max_size=6),
    interval=st.sampled_from([Interval.parse(name) for name in ("M2", "-m3", "A4")]),
)
def test_transposing_there_and_back_is_nothing(names: list[Pitch], interval: Interval) -> None:
    """An interval and its negative cancel."""
    score = small_score(*[pitch.name for pitch in names])
    assert transposed(transposed(score, interval), -interval) == score


@given(names=st.lists(PITCHES, min_size=1, max_size=6))
def test_inversion_and_retrograde_undo_themselves(names: list[Pitch]) -> None:
    """Twice upside down, or twice backwards, is the line again."""
    part = line(*[pitch.name for pitch in names])
    axis = part.notes[0].pitch
    assert inverted(inverted(part, axis), axis) == part
    assert retrograde(retrograde(part)) == part


def test_inversion_turns_intervals_round() -> None:
    """A rising major third becomes a falling one, spelled."""
    part = inverted(line("C4", "E4", "F4"), Pitch.parse("C4"))
    assert [note.pitch.name for note in part.notes] == ["C4", "Ab3", "G3"]


def test_an_empty_line_stays_empty() -> None:
    """Nothing to turn round."""
    assert retrograde(Part("Alto", ())) == Part("Alto", ())
