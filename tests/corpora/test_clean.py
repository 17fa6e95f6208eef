"""What is used and what is not."""

from __future__ import annotations

from fractions import Fraction

from corpora.clean import clean, known_slips
from corpora.read import Reading
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch


def score(*pitches: str, rest: int = 0) -> Score:
    """A one-line piece, its last note after a rest of so many quarter notes."""
    notes = [
        Note(
            Fraction(place + (rest if place == len(pitches) - 1 else 0)),
            Fraction(1),
            Pitch.parse(name),
        )
        for place, name in enumerate(pitches)
    ]
    return Score("piece", Key.parse("C"), (Part("Soprano", tuple(notes)),), (Metre(4, 4),))


def test_every_reading_is_kept_or_reported() -> None:
    """Nothing is dropped silently: kept and dropped names make up all."""
    readings = (
        Reading("a", score("C4", "D4")),
        Reading("b", None, "5 parts instead of four"),
        Reading("c", score("C4", "D4")),
        Reading("d", score("C4", "E4", rest=9)),
        Reading("e", score("E4")),
        Reading("f", score("F4"), None, ("grace notes left out: 1",)),
        Reading("a.krn", score("G4")),
        Reading("g", Score("g", Key.parse("C"), (Part("Alto", ()),), (Metre(4, 4),))),
    )
    kept, report = clean(readings, {"e": 3, "f": 1})
    assert [name for name, _ in kept] == ["a", "f"]
    reasons = {each.name: each.reason for each in report if not each.kept}
    assert reasons == {
        "b": "5 parts instead of four",
        "c": "the same notes as a",
        "d": "the soprano rests for 9 quarter notes",
        "e": "known slips of the encoding: 3",
        "a.krn": "another encoding of a",
        "g": "the alto is silent",
    }
    remarks = [each.reason for each in report if each.kept]
    assert remarks == ["grace notes left out: 1", "known slips of the encoding: 1"]


def test_the_worst_encodings_are_known() -> None:
    """BWV 268 has five slips, more than any other."""
    slips = known_slips("bach_slips.json")
    assert max(slips, key=lambda name: slips[name]) == "bwv268"
    assert slips["bwv268"] == 5
