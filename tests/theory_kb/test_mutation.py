"""Mutations: one note moved by a step, and what is noticed."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np

from benchmarks.mutation import Sign, Tally, mutated, mutations, notice, scale_tone, study, table
from musegen.score import ChordLabel, Metre, Note, Part, Score
from theory_kb.check import load_style
from theory_kb.pitch import Key, Pitch

LINES = ("C5 B4 C5", "G4 G4 G4", "E4 D4 E4", "C3 G3 C3")


def score() -> Score:
    """Tonic, dominant, tonic."""
    key = Key.parse("C major")
    parts = tuple(
        Part(
            name,
            tuple(
                Note(Fraction(place), Fraction(1), Pitch.parse(each))
                for place, each in enumerate(line.split())
            ),
        )
        for name, line in zip(("Soprano", "Alto", "Tenor", "Bass"), LINES, strict=True)
    )
    chords = tuple(
        ChordLabel(Fraction(place), Fraction(1), key, symbol)
        for place, symbol in enumerate(("I", "V", "I"))
    )
    return Score("t", key, parts, (Metre(4, 4),), chords=chords, phrase_ends=(Fraction(3),))


def test_a_step_stays_in_the_key() -> None:
    """Above E stands F sharp in G major and F in F major."""
    step = Pitch.parse("E4").step + 1
    assert scale_tone(Key.parse("G major"), step).name == "F#4"
    assert scale_tone(Key.parse("F major"), step).name == "F4"
    assert scale_tone(Key.parse("Bb minor"), Pitch.parse("C4").step).name == "C4"
    assert scale_tone(Key.parse("Bb minor"), Pitch.parse("G4").step).name == "Gb4"


def test_one_note_is_moved_and_no_other() -> None:
    """The leading tone of the soprano goes down to A."""
    other = mutated(score(), 0, 1, -1)
    assert [note.pitch.name for note in other.parts[0].notes] == ["C5", "A4", "C5"]
    assert other.parts[1:] == score().parts[1:]
    assert other.chords == score().chords


def test_one_seed_gives_the_same_mutations() -> None:
    """Random choices come from the generator alone."""
    first, again = (list(mutations(score(), 5, np.random.default_rng(3))) for _ in range(2))
    assert first == again
    assert all(other != score() for _, other in first)


def test_a_new_finding_is_detection_and_an_old_one_is_not() -> None:
    """A lone warning is alone; information does not count as grave."""
    tally = Tally()
    spacing: Sign = ("W", "spacing-upper", 0, (0, 1))
    low: Sign = ("I", "range-core", 0, (0,))
    notice(tally, 0, Counter([spacing, low]))
    notice(tally, 1, Counter([low]))
    assert (tally.detected["E or W"], tally.detected["E, W or I"]) == (1, 2)
    assert tally.alone == {"W spacing-upper": 1}
    assert (tally.by_voice["soprano"], tally.by_voice["alto"]) == (1, 0)


def test_the_study_reports_every_mutation() -> None:
    """Shares are of all mutations; what spoke is named with its severity."""
    tally = study([score()], load_style("strict"), 12, seed=1)
    assert (tally.pieces, tally.mutations) == (1, 12)
    assert 0 < tally.detected["E or W"] <= 12
    lines = list(table(tally))
    assert lines[1] == "mutations                  12"
    assert any(line.startswith(("E ", "W ")) for line in lines)
