"""Given voices that cannot be worked with, and what is said of them."""

from dataclasses import replace
from fractions import Fraction

import pytest

from musegen.errors import MusegenError, OptionError, ScoreError
from musegen.plan.given import given_voices
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch

C = Key.parse("C major")


def part(text: str, name: str = "S") -> Part:
    """Quarter notes; a dot is a rest."""
    notes = tuple(
        Note(Fraction(place), Fraction(1), Pitch.parse(each))
        for place, each in enumerate(text.split())
        if each != "."
    )
    return Part(name, notes)


def score(*texts: str, metre: tuple[int, int] = (4, 4)) -> Score:
    """A score of parts."""
    parts = tuple(part(text, f"P{number}") for number, text in enumerate(texts, 1))
    return Score("T", C, parts, (Metre(*metre),))


def test_what_is_in_order_comes_back() -> None:
    """Each voice by its number, its notes as they stood; a common rest is none between voices."""
    both = score("C5 D5 . E5", "C3 G3 . C3")
    assert given_voices(both, ("soprano", "bass")) == {
        0: both.parts[0].notes,
        3: both.parts[1].notes,
    }


@pytest.mark.parametrize(
    ("given", "voices", "error", "words"),
    [
        (score("C5"), "treble", OptionError, "one of soprano, alto, tenor, bass"),
        (score("C5", "E4"), "soprano", OptionError, r"each of 2 parts or lines of chords \(P1, P2\)"),
        (score("C5", "E4"), "soprano,soprano", OptionError, "one for each of 2 parts"),
        (Score("T", C, (), (Metre(4, 4),)), "soprano", OptionError, "0 parts.*none"),
        (score(". ."), "soprano", ScoreError, "^P1: the soprano that is given has no notes"),
        (score("C5 F#3 D6 E6 F6 G6"), "soprano", ScoreError, r"F#3 at bar 1, beat 2, E6 at bar 1, beat 4, F6 at bar 2, beat 1 and 1 more: out of its range, C4 to A5"),
        (score("C5 D5"), "bass", ScoreError, "C5 at bar 1, beat 1.*range, D2 to D4"),
        (score("C5 D5", metre=(5, 8)), "soprano", ScoreError, "bar 1, beat 1: metre 5/8 is not known.*4/4"),
        (
            replace(score("C5 D5 E5 F5 G5"), metres=(Metre(4, 4), Metre(3, 4, Fraction(4)))),
            "soprano",
            ScoreError,
            "bar 2, beat 1: the metre changes from 4/4 to 3/4",
        ),
        (score(" ".join(["C5", "D5"] * 257)), "soprano", ScoreError, "514 beats, at most 512"),
        (score("C5 D5", ". C3"), "soprano,bass", ScoreError, "beat 1: the bass rests while the soprano"),
        (score("C5 D5 E5", "C3 . E3"), "soprano,bass", ScoreError, "beat 2: the bass rests"),
        (score("C5 D5", "C3 D3 E3"), "soprano,bass", ScoreError, "beat 3: the soprano rests while the bass"),
    ],
)  # fmt: skip
def test_what_cannot_be_worked_with_is_refused(
    given: Score, voices: str, error: type[MusegenError], words: str
) -> None:
    """By part, bar and beat, with what is allowed."""
    with pytest.raises(error, match=words) as caught:
        given_voices(given, voices.split(","))
    assert "\n" not in str(caught.value)


def test_a_metre_written_again_is_no_change() -> None:
    """A file may repeat its time signature."""
    again = replace(score("C5 D5 E5 F5 G5"), metres=(Metre(4, 4), Metre(4, 4, Fraction(4))))
    assert given_voices(again, ("soprano",))
