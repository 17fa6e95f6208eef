"""Thematic relations: each transformation of the textbook is known again, and nothing else is."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.score import Metre, Note, Part, Score
from musegen.slices import piece
from theory_kb.pitch import Interval, Key, Pitch
from theory_kb.rules.material import Span, Tune, tune_in
from theory_kb.rules.relation import head_of, relation


def tune(text: str) -> Tune:
    """The tune of `pitch:quarters` words."""
    notes, time = [], Fraction(0)
    for word in text.split():
        pitch, _, length = word.partition(":")
        notes.append(Note(time, Fraction(length or "1"), Pitch.parse(pitch)))
        time += Fraction(length or "1")
    score = Score("x", Key.parse("C"), (Part("a", tuple(notes)),), (Metre(4, 4),))
    return tune_in(piece(score), Span(0, len(notes)))


IDEA = "C5 D5:1/2 E5:1/2 G5 E5"


@pytest.mark.parametrize(
    ("other", "kind", "steps", "interval"),
    [
        (IDEA, "repeat", 0, None),
        ("C4 D4:1/2 E4:1/2 G4 E4", "repeat", 0, None),
        ("C5 D5:1/2 E5:1/2 G5 F5", "repeat", 0, None),
        ("D5 E5:1/2 F5:1/2 A5 F5", "sequence", 1, None),
        ("D5 E5:1/2 F#5:1/2 A5 F#5", "sequence", 1, "M2"),
        ("G4 A4:1/2 B4:1/2 D5 B4", "sequence", -3, "-P4"),
        ("C5 B4:1/2 A4:1/2 F4 A4", "invert", 0, None),
        ("E5 G5 E5:1/2 D5:1/2 C5", "retrograde", 0, None),
        ("C5:2 D5 E5 G5:2 E5:2", "augment", 0, None),
        ("C5:1/2 D5:1/4 E5:1/4 G5:1/2 E5:1/2", "diminish", 0, None),
        ("C5 D5:1/2 E5:1/2 A5 F5", "vary", 0, None),
        ("A4:3 B4", "contrast", 0, None),
        ("F5:1/2 A4:1/2 B4:1/2 E5:1/2 D5 G4", "contrast", 0, None),
    ],
)
def test_relations_by_the_book(other: str, kind: str, steps: int, interval: str | None) -> None:
    """Kind, size and whether the interval is exact."""
    found = relation(tune(IDEA), tune(other))
    assert (found.kind, found.steps) == (kind, steps)
    assert found.interval == (Interval.parse(interval) if interval else None)


def test_what_begins_alike_is_varied() -> None:
    """An antecedent and a consequent share their first half, and less than half of the notes."""
    first = tune("C5 E5 G5 E5 F5 A5 G5 F5 E5 G5 D5")
    second = tune("C5 E5 G5 E5 F5 D5 B4 A4 B4 D5 C5")
    assert relation(first, second).kind == "vary"
    assert head_of(first, 4 * 5040).offsets == first.offsets[:4]


names = st.lists(
    st.sampled_from(["C5", "D5", "E5", "F5", "G5", "A5", "Bb4", "F#5"]), min_size=5, max_size=9
)


@given(notes=names, size=st.sampled_from(["m2", "M2", "m3", "P4", "-m3", "-P5", "M6"]))
@settings(max_examples=30)
def test_a_transposed_tune_is_an_exact_sequence(notes: list[str], size: str) -> None:
    """Whatever the tune and the interval, unless the tune itself is on one note."""
    by = Interval.parse(size)
    moved = " ".join((Pitch.parse(each) + by).name for each in notes)
    found = relation(tune(" ".join(notes)), tune(moved))
    assert (found.kind, found.interval, found.share) == ("sequence", by, 1.0)
    assert found.rhythm == 1.0
