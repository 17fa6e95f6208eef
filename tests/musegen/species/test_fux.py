"""Fux's own exercises in two voices: what our rules call an error in them, figure by figure."""

from __future__ import annotations

import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from musegen.score import Metre, Note, Part, Score
from musegen.species.exercise import METRE, Exercise
from musegen.species.given import Cantus, mode_of
from musegen.tasks.counterpoint import declared
from theory_kb.catalogue import catalogue
from theory_kb.check import Style, check, load_style
from theory_kb.modes import church_mode, church_mode_names
from theory_kb.pitch import Pitch

DATA = Path(__file__).parent / "data" / "fux_two_voices.toml"
FIGURES: dict[str, dict[str, Any]] = tomllib.loads(DATA.read_text(encoding="utf-8"))

# bar and rule; docs/how-to/counterpoint.md says why each differs
FLAGGED = {
    "figure-14": {(5, "outline-tritone")},
    "figure-22": {(8, "sp-fourth-with-bass"), (11, "mel-seventh")},
    "figure-37": {(6, "line-range")},
    "figure-39": {(6, "line-range")},
    "figure-41": {(12, "mel-sixth-species")},
    "figure-42": {(9, "mel-sixth-species")},
    "figure-43": {(7, "spacing-two-voice-twelfth")},
    "figure-57": {(4, "mel-sixth-species")},
    "figure-58": {(10, "sp3-penultimate")},
    "figure-59": {(6, "line-range")},
    "figure-75": {(4, "mel-sixth-species")},
    "figure-78": {(7, "sp4-figures")},
    "figure-86a": {(12, "sp4-preparation")},
}


def line(text: str) -> tuple[Note, ...]:
    """Notes of a line: `D5`, `D5:2`, a rest `r:2`."""
    notes, time = [], Fraction(0)
    for token in text.split():
        name, _, length = token.partition(":")
        duration = Fraction(length or 4)
        if name != "r":
            notes.append(Note(time, duration, Pitch.parse(name)))
        time += duration
    return tuple(notes)


def errors(figure: dict[str, Any], style: Style | None = None) -> set[tuple[int, str]]:
    """Bar and rule of each error that the checker finds in a figure."""
    cantus, other = line(figure["cantus_notes"]), line(figure["counterpoint"])
    place = 1 if figure["cantus"] == "lower" else 0
    species = [figure["species"]]
    species.insert(place, 0)
    mode = church_mode(figure["mode"], cantus[-1].pitch.pitch_class)
    exercise = Exercise(
        tuple(note.pitch for note in cantus),
        mode,
        place,
        tuple(species),
        style or load_style("fux2"),
    )
    lines = [other]
    lines.insert(place, cantus)
    parts = tuple(Part(n, notes) for n, notes in zip(exercise.names, lines, strict=True))
    score = Score("", exercise.key, parts, (Metre(*METRE),))
    report = check(declared(exercise, score), exercise.style)
    return {(each.bar, each.rule) for each in report.findings if each.severity == "E"}


def test_the_edition_is_whole() -> None:
    """All figures of the first part are there, of every species and both positions."""
    assert len(FIGURES) == 44
    kinds = {(figure["species"], figure["cantus"]) for figure in FIGURES.values()}
    assert kinds == {(number, place) for number in range(1, 6) for place in ("lower", "upper")}


@pytest.mark.parametrize("name", FIGURES)
def test_errors_in_fux_are_those_that_are_explained(name: str) -> None:
    """Most of Fux's exercises have no error; what is one by our rules is listed."""
    assert errors(FIGURES[name]) == FLAGGED.get(name, set())


# --- what docs/how-to/counterpoint.md says of them -------------------------------------------


def sung(name: str, bar: int) -> tuple[list[str], list[Note]]:
    """What the counterpoint of a figure begins in a bar, by name, and all that it sings."""
    notes = line(FIGURES[name]["counterpoint"])
    inside = [note.pitch.name for note in notes if 4 * (bar - 1) <= note.onset < 4 * bar]
    return inside, list(notes)


def cantus_at(name: str, bar: int) -> Pitch:
    """The note of the cantus in a bar."""
    return line(FIGURES[name]["cantus_notes"])[bar - 1].pitch


def test_a_style_of_ones_own_allows_the_falling_sixth(tmp_path: Path) -> None:
    """With one parameter the four figures that fall by a minor sixth have no error."""
    path = tmp_path / "own.toml"
    table = "[params.mel-sixth-species]\nminor_falling_allowed = 1\n"
    path.write_text(f'name = "own"\nextends = "fux2"\n{table}')
    named = [name for name, found in FLAGGED.items() if "mel-sixth-species" in dict(found).values()]
    assert len(named) == 4
    for name in named:
        assert errors(FIGURES[name], load_style(str(path))) == set(), name
    assert sung("figure-42", 9)[0] == sung("figure-57", 4)[0][:2] == ["C5", "E4"]


@pytest.mark.parametrize(("name", "steps"), [("37", 10), ("39", 11), ("59", 11)])
def test_lower_voices_run_beyond_a_tenth(name: str, steps: int) -> None:
    """To an eleventh (10 staff steps) or a twelfth (11)."""
    _, notes = sung(f"figure-{name}", 1)
    heights = [note.pitch.step for note in notes]
    assert max(heights) - min(heights) == steps


def test_the_voices_of_figure_43_stand_a_thirteenth_apart_for_a_note() -> None:
    """Bar 7: A2 under F4, and no other note is as far from the cantus."""
    _, notes = sung("figure-43", 7)
    apart = [
        cantus_at("figure-43", 1 + int(note.onset // 4)).step - note.pitch.step for note in notes
    ]
    assert sorted(apart)[-2:][1] == 12 > sorted(apart)[-2]
    assert sung("figure-43", 7)[0] == ["D3", "A2"]


def test_figure_14_outlines_a_diminished_fifth_and_leaps_back() -> None:
    """E3 F3 A3 Bb3, then down a third."""
    names = [note.pitch.name for note in sung("figure-14", 1)[1]]
    assert names[1:6] == ["E3", "F3", "A3", "Bb3", "G3"]


def test_figure_22_has_no_error_an_octave_higher() -> None:
    """From bar 6 to 10, where the edition dives below the cantus."""
    notes = FIGURES["figure-22"]["counterpoint"].split()
    assert notes[5:10] == ["C4", "A3", "B3", "B3", "A3"]
    higher = " ".join([*notes[:5], "C5", "A4", "B4", "B4", "A4", *notes[10:]])
    assert errors({**FIGURES["figure-22"], "counterpoint": higher}) == set()


def test_figure_58_reaches_its_last_quarter_by_a_fourth() -> None:
    """A3-D4 before the final E4."""
    assert [note.pitch.name for note in sung("figure-58", 10)[1]][-3:] == ["A3", "D4", "E4"]


def test_figure_78_resolves_a_second_to_the_unison_with_crossed_voices() -> None:
    """Bar 7: G3 is held above the upper cantus F3, and falls to it."""
    (now,), notes = sung("figure-78", 7)
    held = next(note for note in notes if note.onset < 24 < note.end)
    assert (held.pitch.name, cantus_at("figure-78", 7).name, now) == ("G3", "F3", "F3")


def test_figure_86a_strikes_its_suspension_again() -> None:
    """Bar 12 begins with the pitch that bar 11 ends with, not tied to it."""
    before, now = sung("figure-86a", 11)[0], sung("figure-86a", 12)[0]
    assert before[-1] == now[0]


def test_three_voices_may_stand_further_apart() -> None:
    """The rules on the distance of two lines are off in the style of three."""
    for name in ("spacing-two-voice", "spacing-two-voice-twelfth"):
        assert load_style("fux3").severities[name] == "-" != load_style("fux2").severities[name]


# --- cantus firmi ---------------------------------------------------------------------------


def test_stored_cantus_firmi_are_in_their_modes() -> None:
    """Each belongs to its mode, which is also the one that is found from its notes alone."""
    stored = catalogue()["cantus-firmus"]
    assert len(stored) >= 12
    for name, entry in stored.items():
        assert entry["mode"] in church_mode_names()
        pitches = tuple(Pitch.parse(each) for each in entry["notes"].split())
        mode, _ = mode_of(Cantus(name, pitches), None)
        assert mode.name == entry["mode"], name
        assert mode_of(Cantus(name, pitches), entry["mode"])[0] == mode


def test_stored_cantus_firmi_are_those_of_fux() -> None:
    """Every cantus of the figures is stored, at some octave; figure 42 lacks a note."""
    stored = {
        tuple(Pitch.parse(each).pitch_class for each in entry["notes"].split())
        for entry in catalogue()["cantus-firmus"].values()
    }
    for name, figure in FIGURES.items():
        cantus = tuple(note.pitch.pitch_class for note in line(figure["cantus_notes"]))
        assert (cantus in stored) == (name != "figure-42"), name
