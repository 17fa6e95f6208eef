"""Broken chords: what an accompanying figure holds, and what is no figure."""

from __future__ import annotations

from fractions import Fraction

import pytest

from musegen.analysis.analyse import analyse
from musegen.analysis.figuration import sounding_ends
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch

HALF = Fraction(1, 2)


def line(text: str, duration: Fraction = HALF) -> tuple[Note, ...]:
    """Notes of one length, from the start on; `-` is a rest."""
    return tuple(
        Note(duration * place, duration, Pitch.parse(name))
        for place, name in enumerate(text.split())
        if name != "-"
    )


def two_beats(time: Fraction, duration: Fraction) -> Fraction:
    """Figures of four eighths, from every second quarter."""
    return Fraction(2) if duration == HALF and time % 2 == 0 else Fraction(0)


@pytest.mark.parametrize(
    ("name", "text", "held"),
    [
        ("Alberti bass", "C3 G3 E3 G3 D3 G3 F3 G3 C3 G3 E3 G3", True),
        ("arpeggio up and down", "C3 E3 G3 C4 B3 G3 F3 D3 E3 G3 C4 G3", True),
        ("murky bass", "C3 C4 C3 C4 G2 G3 G2 G3 C3 C4 C3 C4", True),
        ("two figures alone", "C3 G3 E3 G3 D3 G3 F3 G3 C3 D3 E3 F3", False),
        ("a rest between", "C3 G3 E3 G3 D3 G3 F3 G3 - G3 E3 G3 C3 G3 E3 G3", False),
        ("scale", "C3 D3 E3 F3 G3 A3 B3 C4 C3 D3 E3 F3", False),
        ("trill", "C4 D4 C4 D4 C4 D4 C4 D4 C4 D4 C4 D4", False),
        ("repeated notes", "C3 C3 G3 G3 C3 C3 G3 G3 C3 C3 G3 G3", False),
        ("two chords a figure", "G2 G3 E3 A3 F#3 D3 G3 E3 G2 G3 E3 A3", False),
        ("two signs of a letter", "G3 G2 G#3 E3 A3 A2 A#3 F#3 G3 G2 G#3 E3", False),
    ],
)
def test_figures_are_heard_to_their_ends(name: str, text: str, held: bool) -> None:
    """Regular figures of one chord each, three on end; melodies, trills and walking basses are none."""
    notes = line(text)
    ends = sounding_ends(notes, two_beats)
    if held:
        assert ends == [Fraction(2 + 2 * (place // 4)) for place in range(12)], name
    else:
        assert ends == [note.end for note in notes], name


def test_a_figure_that_is_cut_off_is_not_held() -> None:
    """Three figures and a half: the last two notes sound as long as they are."""
    ends = sounding_ends(line("C3 G3 E3 G3 " * 3 + "C3 G3"), two_beats)
    assert ends == [Fraction(2 + 2 * (place // 4)) for place in range(12)] + [Fraction(13, 2), 7]


@pytest.mark.parametrize(
    ("metre", "duration", "low", "high", "expected"),
    [
        # the opening of Mozart's K. 545
        (
            Metre(4, 4),
            HALF,
            "C4 G4 E4 G4 C4 G4 E4 G4 D4 G4 F4 G4 C4 G4 E4 G4",
            "C5:2 E5:1 G5:1 B4:3/2 C5:1/4 D5:1/4 C5:2",
            ["I", "V43", "I"],
        ),
        (Metre(3, 4), HALF, "C3 G3 E3 G3 E3 G3 D3 G3 F3 G3 F3 G3 C3 G3 E3 G3 E3 G3",
         "E5:3 D5:2 B4:1 C5:3", ["I", "V43", "I"]),
        (Metre(6, 8), HALF, "C3 E3 G3 C3 E3 G3 B2 F3 G3 B2 F3 G3 C3 E3 G3 C3 E3 G3",
         "E5:3 D5:3 C5:3", ["I", "V65", "I"]),
        (Metre(2, 4), Fraction(1, 3), "C3 E3 G3 C3 E3 G3 F3 A3 C4 F3 A3 C4 C3 E3 G3 C3 E3 G3",
         "E5:2 F5:2 E5:2", ["I", "IV", "I"]),
    ],
)  # fmt: skip
def test_broken_chords_by_the_book(
    metre: Metre, duration: Fraction, low: str, high: str, expected: list[str]
) -> None:
    """The chord of a figure is that of all its tones, over its lowest note, from its beginning."""
    tune: list[Note] = []
    for word in high.split():
        name, length = word.split(":")
        tune.append(
            Note(tune[-1].end if tune else Fraction(0), Fraction(length), Pitch.parse(name))
        )
    parts = (Part("right", tuple(tune)), Part("left", line(low, duration)))
    found = analyse(Score("figures", Key.parse("C major"), parts, (metre,)), key=Key.parse("C"))
    assert [each.numeral for each in found.chords] == expected
    assert all((each.onset / metre.bar).denominator <= 2 for each in found.chords)
