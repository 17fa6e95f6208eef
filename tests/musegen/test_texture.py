from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from musegen.analysis.texture import why_no_chorale
from musegen.io.pieces import Reading
from musegen.io.reading import read_pieces
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch


def score(*lines: str, metre: tuple[int, int] = (4, 4)) -> Score:
    """Parts of words `pitch:duration`, a quarter where nothing is said; `-` rests."""
    parts = []
    for line in lines:
        notes, time = [], Fraction(0)
        for word in line.split():
            name, _, duration = word.partition(":")
            length = Fraction(duration or 1)
            if name != "-":
                notes.append(Note(time, length, Pitch.parse(name)))
            time += length
        parts.append(Part(line[:2], tuple(notes)))
    return Score("", Key.parse("C"), tuple(parts), (Metre(*metre),))


CHORALE = ("C5 D5 E5 C5", "G4 G4 G4 G4", "E4 D4 C4 E4", "C3 B2 C3 C3")


def test_four_voices_that_move_together_are_like_a_chorale() -> None:
    """Four quarters in four voices."""
    assert why_no_chorale(score(*CHORALE)) == ""


@pytest.mark.parametrize(
    ("lines", "metre", "reason"),
    [
        (CHORALE[:3], (4, 4), "it has 3 voices, not four"),
        (CHORALE[:1], (4, 4), "it has 1 voice, not four"),
        ((*CHORALE[:3], "C3 - - C3"), (4, 4), "all four voices sound in 50% of its beats only"),
        (("C5:4", "G4:4", "E4:4", CHORALE[3]), (4, 4), "its voices move together at 25%"),
        (CHORALE, (7, 16), "the metre 7/16 is not known"),
    ],
)
def test_other_textures_are_told_apart_with_a_reason(
    lines: tuple[str, ...], metre: tuple[int, int], reason: str
) -> None:
    """The number of voices, silence, independence and strange metres."""
    assert why_no_chorale(score(*lines, metre=metre)).startswith(reason)


@pytest.mark.parametrize(
    ("name", "like"),
    [("bach/bwv66.6.mxl", True), ("bach/bwv277.krn", True), ("palestrina/Kyrie_00.krn", False)],
)
def test_real_pieces_are_told_apart(name: str, like: bool) -> None:
    """Chorales of Bach are like chorales, counterpoint of Palestrina is not."""
    from music21.common import getCorpusFilePath

    (reading,) = read_pieces(Path(getCorpusFilePath()) / name)
    assert isinstance(reading, Reading)
    assert (why_no_chorale(reading.score) == "") is like
