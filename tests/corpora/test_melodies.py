"""Sopranos as melodies: places, phrases and keys by hand; one melody a tune."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from corpora.melodies import melody_of, one_a_tune, share_of_tune
from musegen.score import Metre, Note, Part, Score
from theory_kb.moment import TICKS
from theory_kb.pitch import Key, Pitch

TUNE = "G4 G4 A4 B4 D5 C5 B4 A4 G4 B4 A4 G4 F#4 G4"


def _score(names: str, *, upbeat: int = 1) -> Score:
    notes = tuple(
        Note(Fraction(place), Fraction(1), Pitch.parse(name), fermata=place == 4)
        for place, name in enumerate(names.split())
    )
    key, metre = Key.parse("G major"), Metre(4, 4)
    return Score("tune", key, (Part("Soprano", notes),), (metre,), Fraction(upbeat))


def test_melody_of_a_part_by_hand() -> None:
    """Pitches, places in the bar after an upbeat, a phrase end at the fermata and at the end."""
    melody = melody_of("tune", _score(TUNE))
    assert melody.pitches[:5].tolist() == [67, 67, 69, 71, 74]
    assert (melody.places[:6] // TICKS).tolist() == [3, 0, 1, 2, 3, 0]
    assert np.flatnonzero(melody.ends).tolist() == [4, 13]
    assert (melody.tonic, melody.minor) == (7, False)


def test_one_a_tune_keeps_the_first_in_any_key_and_with_passing_notes() -> None:
    """A transposed and ornamented setting is the same tune, a tune backwards is another."""
    first = melody_of("first", _score(TUNE))
    higher = replace(first, name="higher", pitches=first.pitches + 2)
    passing = replace(
        higher,
        name="passing",
        pitches=np.insert(higher.pitches, 4, higher.pitches[3] + 1),
        onsets=np.insert(first.onsets, 4, first.onsets[3] + TICKS // 2),
    )
    other = replace(first, name="other", pitches=first.pitches[::-1].copy())
    assert share_of_tune(first, passing) == 1.0
    kept = one_a_tune([first, higher, passing, other])
    assert [each.name for each in kept] == ["first", "other"]
