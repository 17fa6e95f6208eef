"""The rules count what an independent count found in Bach's settings, to the unit."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path

import pytest

from benchmarks.calibration import (
    PLAIN,
    Conventions,
    Counts,
    count,
    different,
    expected_counts,
    names,
    table,
)
from corpora.settings import load_settings
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch

VARIABLE = "MUSEGEN_CALIBRATION"


def score(*lines: str, fermatas: tuple[int, ...] = ()) -> Score:
    """A score in quarter notes; `-` is a rest, a fermata is on every voice of a column."""
    parts: list[Part] = []
    for line in lines:
        notes = [
            Note(Fraction(place), Fraction(1), Pitch.parse(name), place in fermatas)
            for place, name in enumerate(line.split())
            if name != "-"
        ]
        parts.append(Part(f"part {len(parts)}", tuple(notes)))
    ends = tuple(Fraction(place + 1) for place in fermatas)
    return Score("t", Key.parse("C major"), tuple(parts), (Metre(4, 4),), phrase_ends=ends)


def counted(*lines: str, fermatas: tuple[int, ...] = (), plain: bool = False) -> Counts:
    """What is counted in a four-voice score, silent voices added below."""
    whole = score(*lines, fermatas=fermatas)
    parts = (*whole.parts, *(Part("-", ()) for _ in range(4 - len(lines))))
    return count([("piece", whole.with_parts(parts))], PLAIN if plain else Conventions())


@pytest.mark.slow
@pytest.mark.skipif(VARIABLE not in os.environ, reason=f"{VARIABLE} names no file of counts")
def test_every_count_of_the_chorales_is_met_to_the_unit() -> None:
    """Parallel, contrary, unequal, direct, crossing, spacing and melodic rules, pair by pair."""
    expected = expected_counts(Path(os.environ[VARIABLE]))
    assert len(expected) > 150
    counts = count(load_settings(), Conventions())
    assert not different(counts, expected), "\n".join(table(counts, expected))


def test_fifths_inside_and_across_a_phrase_end_are_told_apart() -> None:
    """C-G to D-A is parallel; over the release of a fermata it is counted by itself."""
    inside = counted("G4 A4", "C4 D4").numbers
    across = counted("G4 A4", "C4 D4", fermatas=(0,)).numbers
    for numbers, values in ((inside, (1, 0)), (across, (0, 1))):
        found = tuple(
            numbers[f"parallel-fifth.{name}"] for name in ("by_pair.SA", "across_fermata")
        )
        assert found == values
    assert inside["parallel-fifth.by_level.beat_to_beat"] == 1


def test_a_rest_parts_two_notes() -> None:
    """Fifths with a rest between them are no move, unless the plain definition is asked for."""
    voices = ("G4 - A4", "C4 - D4", "E3 F3 E3")
    assert counted(*voices).numbers["size.both_voice_moves_within_phrase"] == 0
    assert counted(*voices).numbers["parallel-fifth.count"] == 0
    hidden = ("G4 - A4", "C4 - D4")  # no slice begins with the rest
    assert counted(*hidden).numbers["parallel-fifth.count"] == 0
    assert counted(*hidden, plain=True).numbers["parallel-fifth.count"] == 1


def test_a_diminished_fifth_that_opens_is_unequal_not_direct() -> None:
    """B-F to C-G counts once; by the plain definitions a leaping soprano is direct as well."""
    voices = ("F4 C5", "-  -", "-  -", "B3 F4")
    for plain, direct in ((False, 0), (True, 1)):
        numbers = counted(*voices, plain=plain).numbers
        assert numbers["unequal-fifth-dim-perfect.by_pair.SB"] == 1
        assert numbers["direct-fifth-outer.by_pair.SB"] == direct


def test_fifths_of_two_octave_leaps() -> None:
    """G over C an octave lower is parallel in the count, and excused by the rule."""
    voices = ("G4 G3", "C4 C3")
    assert counted(*voices).numbers["parallel-fifth.count"] == 1
    assert counted(*voices, plain=True).numbers["parallel-fifth.count"] == 0
    octaves = counted("C5 C4", "C4 C3").numbers
    assert octaves["parallel-octave.count"] == 0
    assert octaves["parallel-octave.same_pitch_class_octave_leaps_excluded"] == 1


def test_crossings_last_from_slice_to_slice() -> None:
    """Two slices of crossing are one episode, and a silent slice between does not end it."""
    voices = ("C4 C4 - C4 G4", "E4 E4 E4 E4 E4", "C3 C3 C3 C3 C3", "C2 C2 C2 C2 C2")
    numbers = counted(*voices).numbers
    assert numbers["voice-crossing.SA.verticalities"] == 3
    assert numbers["voice-crossing.SA.episodes"] == 1
    assert counted(*voices, plain=True).numbers["voice-crossing.SA.episodes"] == 2


def test_two_leaps_count_for_their_span() -> None:
    """C-F-B spans a seventh, C-F-C an octave; a note repeated over a fermata does not part them."""
    assert counted("C4 F4 B4").numbers["leaps-consecutive-same.S"] == 1
    assert counted("C4 F4 C5").numbers["leaps-consecutive-same.S"] == 0
    assert counted("C4 G4 C5").numbers["leaps-consecutive-same.S"] == 0
    repeated = ("C4 F4 F4 B4",)
    assert counted(*repeated, fermatas=(1,)).numbers["leaps-consecutive-same.S"] == 1
    assert counted(*repeated, fermatas=(1,), plain=True).numbers["leaps-consecutive-same.S"] == 0


def test_melodic_intervals_by_their_spelling() -> None:
    """F-G# is an augmented second, F-Ab none."""
    numbers = counted("F4 G#4 D5 C6").numbers
    assert numbers["mel-augmented.S.A2"] == numbers["mel-augmented.S"] == 1
    assert numbers["mel-diminished.S.d5"] == 1
    assert numbers["mel-seventh.S.m7"] == 1
    assert counted("F4 Ab4").numbers["mel-augmented.S"] == 0


def test_the_table_names_the_places_that_differ(tmp_path: Path) -> None:
    """Each number stands beside the expected one; a difference is named by file and bar."""
    file = tmp_path / "counts.json"
    entries = {"size": {"notes": 4}, "rules": {"parallel-fifth": {"count": 0}}}
    file.write_text(json.dumps({"music21_corpus": entries}), encoding="utf-8")
    expected = expected_counts(file)
    assert expected == {"size.notes": 4, "parallel-fifth.count": 0}
    lines = list(table(counted("G4 A4", "C4 D4"), expected))
    assert lines[-2:] == ["    + piece bar 1 beat 2 SA", "2 numbers, 1 differ"]


def test_each_number_has_one_place_in_the_file() -> None:
    """No number is held against two entries of one name."""
    entries = [entry for _, entry in names()]
    assert len(entries) == len(set(entries))
