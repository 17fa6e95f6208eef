from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.errors import ScoreError
from musegen.io.lines import CHOIR, Staff, Written, join_ties, named_parts, separate, staff_lines
from musegen.score import Note
from theory_kb.pitch import Pitch


def note(name: str, onset: float, duration: float = 1, *, fermata: bool = False) -> Note:
    """A note by its name."""
    return Note(Fraction(onset), Fraction(duration), Pitch.parse(name), fermata)


def names(line: tuple[Note, ...]) -> str:
    """The pitches of a line."""
    return " ".join(each.pitch.name for each in line)


def test_chords_of_one_hand_become_voices_from_the_top() -> None:
    """Three notes struck together, three times, are three lines in order of pitch."""
    chords = ["E5 C5 G4", "D5 B4 G4", "E5 C5 G4"]
    notes = [note(name, place) for place, chord in enumerate(chords) for name in chord.split()]
    assert [names(line) for line in separate(notes, "here")] == ["E5 D5 E5", "C5 B4 C5", "G4 G4 G4"]


def test_single_note_joins_the_line_it_lies_nearest_to() -> None:
    """After an octave a lone low note goes on with the lower line."""
    notes = [note("C5", 0), note("C4", 0), note("D4", 1), note("C5", 2), note("E4", 2)]
    assert [names(line) for line in separate(notes, "here")] == ["C5 C5", "C4 D4 E4"]


def test_held_note_keeps_its_line() -> None:
    """What is struck above a note that still sounds is another line above it."""
    notes = [note("C4", 0, 4), note("E4", 1), note("F4", 2)]
    assert [names(line) for line in separate(notes, "here")] == ["E4 F4", "C4"]


@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.integers(1, 4), st.integers(40, 80)),
        min_size=1,
        max_size=20,
    )
)
def test_separating_keeps_each_note_once_in_as_few_lines_as_it_takes(
    events: list[tuple[int, int, int]],
) -> None:
    """Lines hold all notes, none overlaps within a line, and some moment needs every line."""
    notes = [
        Note(Fraction(onset), Fraction(length), Pitch(key * 7 // 12, key))
        for onset, length, key in events
    ]
    most = max(sum(one.onset <= time < one.end for one in notes) for time in range(12))
    if most > 8:
        with pytest.raises(ScoreError, match="notes at once, at most 8"):
            separate(notes, "here")
        return
    lines = separate(notes, "here")
    assert sorted(map(str, (each for line in lines for each in line))) == sorted(map(str, notes))
    assert len(lines) == most
    for line in lines:
        assert all(before.end <= after.onset for before, after in pairwise(line))


def test_voices_of_a_staff_stay_as_they_are_unless_one_has_chords() -> None:
    """Crossing layers keep their notes; with a chord among them the notes are set apart anew."""
    upper, lower = [note("C4", 0), note("D4", 1)], [note("E4", 0), note("F4", 1)]
    assert [names(line) for line in staff_lines([upper, lower], "x")] == ["C4 D4", "E4 F4"]
    chord = [note("C4", 0), note("G3", 0), note("D4", 1)]
    assert len(staff_lines([chord, lower], "x")) == 3


def test_tied_chain_is_one_note_with_its_fermata() -> None:
    """Three tied heads of one pitch sound once, and a fermata on any of them counts."""
    heads = [
        Written(note("C4", 0), tied=True, place="line 1"),
        Written(note("C4", 1), tied=True, place="line 2"),
        Written(note("C4", 2, fermata=True), tied=False, place="line 3"),
    ]
    notes, hanging = join_ties(heads)
    assert notes == (note("C4", 0, 3, fermata=True),)
    assert hanging == ()


@pytest.mark.parametrize("after", [note("D4", 1), note("C4", 2)])
def test_tie_that_leads_nowhere_is_told_by_its_place(after: Note) -> None:
    """A tie to another pitch, or over a gap, joins nothing and is remarked on."""
    heads = [Written(note("C4", 0), tied=True, place="line 7"), Written(after, False, "line 8")]
    notes, hanging = join_ties(heads)
    assert len(notes) == 2
    assert hanging == ("line 7: a tie from C4 leads to no note",)


def test_four_voices_on_two_staves_are_a_choir() -> None:
    """Shared staves of four voices have the names of a choir, single staves their own."""
    line = (note("C4", 0),)
    shared = named_parts([Staff("Organ", (line, line)), Staff("Organ", (line, line))])
    assert tuple(part.name for part in shared) == CHOIR
    alone = named_parts([Staff("Flute", (line,)), Staff("", (line,)), Staff("Viol", (line,) * 3)])
    assert [part.name for part in alone] == [
        "Flute",
        "Part 2",
        "Viol, voice 1",
        "Viol, voice 2",
        "Viol, voice 3",
    ]
