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
from theory_kb.check import check, load_style
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


def errors(figure: dict[str, Any]) -> set[tuple[int, str]]:
    """Bar and rule of each error that the checker finds in a figure."""
    cantus, other = line(figure["cantus_notes"]), line(figure["counterpoint"])
    place = 1 if figure["cantus"] == "lower" else 0
    species = [figure["species"]]
    species.insert(place, 0)
    mode = church_mode(figure["mode"], cantus[-1].pitch.pitch_class)
    exercise = Exercise(
        tuple(note.pitch for note in cantus), mode, place, tuple(species), load_style("fux2")
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
