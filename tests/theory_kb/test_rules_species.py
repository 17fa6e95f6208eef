"""Species counterpoint: whole exercises, each exception and limit, laws of the species."""

from __future__ import annotations

import shutil
from dataclasses import replace
from fractions import Fraction
from importlib import resources
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory_kb.check import Piece, Report, check, load_style
from theory_kb.errors import FactError, UnknownNameError
from theory_kb.facts import read_facts
from theory_kb.graph import statements
from theory_kb.modes import church_mode, church_mode_names
from theory_kb.moment import MAX_VOICES, Moments, blank_moments
from theory_kb.pitch import Interval, Pitch, PitchClass
from theory_kb.rules.engine import address, run_offences
from theory_kb.rules.examples import findings, read_piece
from theory_kb.rules.records import rule, rules
from theory_kb.rules.species_bars import clashes, dissonant

SPECIES_RULES = [name for name in rules() if name.startswith(("sp-", "sp1", "sp2", "sp3"))]
SPECIES_RULES += [name for name in rules() if name.startswith(("sp4", "sp5"))]
KERNELS = [name for name in SPECIES_RULES if rule(name).group != "piece"]

# -------------------------------------------------------------------------- whole exercises

BEATS = {"w": Fraction(4), "h": Fraction(2), "q": Fraction(1), "e": Fraction(1, 2)}
CANTUS = "D4 F4 E4 D4 G4 F4 A4 G4 F4 E4 D4"
LOW_CANTUS = "D3 F3 E3 D3 G3 F3 A3 G3 F3 E3 D3"
INNER = "A4 A4 G4 F4 D4 D4 E4 E4 F4 G4 A4"

Event = tuple[Fraction, Fraction, str]  # from, to, name or r


def line(text: str, value: str) -> list[Event]:
    """The notes of a line: `D5`, `D5:h`, `-D5` tied to the note before, `r`; bars by `|`."""
    events: list[Event] = []
    time = Fraction(0)
    for token in text.replace("|", " ").split():
        name, _, own = token.partition(":")
        end = time + BEATS[own or value]
        if name.startswith("-"):
            events[-1] = (events[-1][0], end, events[-1][2])
        else:
            events.append((time, end, name))
        time = end
    return events


def exercise(declared: str, **parts: list[Event]) -> str:
    """An exercise as an example in dorian on D, high part first."""
    onsets = sorted({start for events in parts.values() for start, _, _ in events})
    ends = [*onsets[1:], max(end for events in parts.values() for _, end, _ in events)]
    times = " ".join(str(end - onset) for onset, end in zip(onsets, ends, strict=True))
    marks = " ".join(["o", *["."] * (len(onsets) - 2), "ef"])
    segments = [f"mode: dorian | final: D | {declared} | time: {times} | marks: {marks}"]
    for name, events in parts.items():
        columns = [column(events, onset) for onset in onsets]
        segments.append(f"{name}: {' '.join(columns)}")
    return " | ".join(segments)


def column(events: list[Event], onset: Fraction) -> str:
    """What an example shows of a line at a time."""
    start, _, name = next(event for event in events if event[0] <= onset < event[1])
    if name == "r":
        return "-"
    return name if start == onset else "_"


def above(species: int, text: str, value: str) -> str:
    """A counterpoint above the cantus."""
    declared = f"cantus: B | species: S={species}"
    return exercise(declared, S=line(text, value), B=line(CANTUS, "w"))


def below(species: int, text: str, value: str) -> str:
    """A counterpoint below the cantus."""
    declared = f"cantus: S | species: B={species}"
    return exercise(declared, S=line(CANTUS, "w"), B=line(text, value))


def trio(species: int, text: str, value: str) -> str:
    """A counterpoint above a voice in whole notes and the cantus."""
    declared = f"cantus: B | species: S={species} A=1"
    outer = line(text, value)
    return exercise(declared, S=outer, A=line(INNER, "w"), B=line(LOW_CANTUS, "w"))


TWO_VOICES = {
    "first above": above(1, "D5 A4 C5 B4 B4 D5 C5 E5 D5 C#5 D5", "w"),
    "first below": below(1, "D3 A3 G3 B3 G3 A3 F3 G3 D4 C#4 D4", "w"),
    "second above": above(
        2,
        "r D5|C5 A4|B4 C5|B4 A4|B4 C5|D5 E5|F5 E5|G5 E5|D5 A4|B4 C#5|D5:w",
        "h",
    ),
    "third above": above(
        3,
        "D5 E5 C5 D5|C5 D5 C5 B4|C5 B4 C5 B4|D5 E5 F5 E5|D5 E5 F5 G5|D5 C5 B4 A4|"
        "C5 D5 E5 D5|E5 F5 E5 G5|D5 C5 D5 C5|E5 D5 B4 C#5|D5:w",
        "q",
    ),
    "fourth above": above(
        4,
        "r A4|-A4 D5|-D5 C5|-C5 B4|-B4 D5|-D5 C5|-C5 F5|-F5 E5|-E5 D5|-D5 C#5|D5:w",
        "h",
    ),
    "fourth below": below(
        4,
        "r D3|-D3 D4|-D4 C4|-C4 B3|-B3 E4|-E4 D4|-D4 F4|-F4 E4|-E4 D4|-D4 C#4|D4:w",
        "h",
    ),
    "fifth above": above(
        5,
        "r:h D5:h|-D5 C5 B4 A4|G4:h C5:h|-C5:h B4:h|-B4 C5 D5 E5|F5 E5 D5:h|-D5 C5 F5:h|"
        "-F5:h E5:h|-E5 D5:e C5:e D5:h|-D5:h C#5:h|D5:w",
        "q",
    ),
}
THREE_VOICES = {
    "first": trio(1, "D5 C5 C5 B4 B4 A4 C5 B4 D5 C#5 D5", "w"),
    "second": trio(2, "r D5|C5 D5|C5 G4|B4 A4|B4 D5|A4 B4|C5 E5|B4 C5|D5 A4|B4 C#5|D5:w", "h"),
    "third": trio(
        3,
        "D5 E5 F5 D5|C5 D5 F5 D5|C5 B4 A4 G4|A4 B4 C5 D5|B4 C5 D5 B4|A4 G4 A4 B4|"
        "C5 D5 E5 C5|B4 A4 B4 C5|D5 C5 B4 A4|G4 A4 B4 C#5|D5:w",
        "q",
    ),
    "fourth": trio(
        4, "r D5|-D5 C5|-C5 B4|-B4 D5|-D5 B4|-B4 A4|-A4 C5|-C5 B4|A4 D5|-D5 C#5|D5:w", "h"
    ),
    "fifth": trio(
        5,
        "r:h D5:h|-D5 E5 F5 D5|C5:h B4:h|-B4:h D5:h|-D5 C5 B4:h|-B4:h A4:h|-A4 B4 C5:h|"
        "-C5:h B4:h|A4 C5 D5:h|-D5:h C#5:h|D5:w",
        "q",
    ),
}


def errors(report: Report) -> list[str]:
    """Rules that are broken as errors, with the bar."""
    return [f"{each.rule} in bar {each.bar}" for each in report.findings if each.severity == "E"]


@pytest.mark.parametrize("name", TWO_VOICES)
def test_a_right_exercise_of_two_voices_has_no_error(name: str) -> None:
    """An exercise written by the rules of its species passes all rules of the style."""
    assert errors(check(read_piece(TWO_VOICES[name]), load_style("fux2"))) == []


@pytest.mark.parametrize("name", THREE_VOICES)
def test_a_right_exercise_of_three_voices_has_no_error(name: str) -> None:
    """The same with a third voice."""
    assert errors(check(read_piece(THREE_VOICES[name]), load_style("fux3"))) == []


SLIPS = [  # exercise, what is changed to what, rules of the style that say so as errors
    ("first above", "B4 B4 D5 C5", "B4 A4 D5 C5", {"sp1-consonant", "sp-consonance-strong"}),
    ("first above", "C#5 D5", "C5 D5", {"sp-close-contrary"}),
    ("first below", "D3 A3", "A3 A3", {"sp-start"}),
    ("second above", "D5 C5 A4 B4", "D5 C5 G4 B4", {"sp2-upbeat-dissonance"}),
    ("third above", "C5 D5 E5 D5 E5", "C5 B4 D5 D5 E5", {"sp3-dissonance", "sp3-repeat"}),
]


def rules_of(report: Report) -> set[str]:
    """Rules that are broken as errors, those attached to others too."""
    found = [each for each in report.findings if each.severity == "E"]
    return {each.rule for each in found} | {name for each in found for name in each.also}


@pytest.mark.parametrize(("name", "old", "new", "expected"), SLIPS)
def test_one_slip_in_a_right_exercise_is_named(
    name: str, old: str, new: str, expected: set[str]
) -> None:
    """Changing a note of a right exercise breaks the rules that the change is made for."""
    text = TWO_VOICES[name]
    head, part, tail = text.partition("S: " if "above" in name else "B: ")
    counterpoint, bar, rest = tail.partition(" | ")
    changed = replaced(counterpoint, old.split(), new.split())
    report = check(read_piece(head + part + changed + bar + rest), load_style("fux2"))
    assert expected <= rules_of(report)


def replaced(columns: str, old: list[str], new: list[str]) -> str:
    """Columns of a part with one stretch of notes exchanged."""
    tokens = columns.split()
    starts = [i for i in range(len(tokens)) if tokens[i : i + len(old)] == old]
    assert starts, f"{old} is not in {columns}"
    place = starts[-1] if old[-1] == "D5" and len(old) == 2 else starts[0]
    return " ".join([*tokens[:place], *new, *tokens[place + len(old) :]])


def test_a_clash_of_one_note_is_reported_once() -> None:
    """Rules that say the same of one downbeat make one finding."""
    text = "cantus: B | species: S=1 | marks: o . f | S: A4 B4 A4 | B: D4 A4 D4"
    found = check(read_piece(text), load_style("fux2")).findings
    clashing = [each for each in found if each.rule in ("sp1-consonant", "sp-consonance-strong")]
    assert [each.rule for each in clashing] == ["sp-consonance-strong"]
    assert "sp1-consonant" in clashing[0].also


# ------------------------------------------------------------------ exceptions and limits

S1, S2, S3 = (f"cantus: B | species: S={species}" for species in (1, 2, 3))
S4, S5 = (f"cantus: B | species: S={species}" for species in (4, 5))
TWO_ABOVE = "cantus: B | species: S=1 A=1"
HALVES, QUARTERS = "time: 2 2 2 2", "time: 1 1 1 1 4"

CASES = [  # rule, example, whether it is flagged
    ("sp-cf-form", f"given: B 0 D4 | {S1} | S: A4 A4 | B: D4 F4", False),
    ("sp-cf-form", "cantus: B | B: D4 F4 E4 D4 G4 F4 E4 D4", False),
    ("sp-cf-form", "cantus: B | B: D4 F4 E4 D4 F4 E4 D4", True),
    ("sp-cf-form", "cantus: B | B: D4 F4 E4 D4 G4 F4 G4 E4 D4", True),
    ("sp-cf-form", "cantus: B | B: D4 F4 E4 D4 G4 F4 A4 F4 E4 C#4 D4", False),
    ("sp-cf-form", "cantus: B | B: D4 F4 E4 D4 G4 F4 B4 G4 F4 E4 D4", True),
    ("sp-cf-form", "cantus: B | B: D4 F4 D4 G4 E4 A4 G4 F4 E4 D4", True),
    ("sp-cf-form", "cantus: B | time: 1 1 1 2 | B: D4 F4 E4 D4 G4 F4 E4 D4", True),
    ("sp-cf-form", "cantus: B | final: E | B: D4 F4 E4 D4 G4 F4 E4 D4", True),
    ("sp-start", f"{S1} | S: D4 | B: D4", False),
    ("sp-start", f"{S1} | S: D5 | B: D4", False),
    ("sp-start", "cantus: S | species: B=1 | S: A4 | B: D4", True),
    ("sp-start", "cantus: S | species: B=1 | S: D4 | B: D3", False),
    ("sp-start", f"{HALVES} | {S2} | S: - A4 B4 C5 | B: D4 _ G4 _", False),
    ("sp-start", f"{HALVES} | {S2} | S: - B4 A4 C5 | B: D4 _ F4 _", True),
    ("sp-start", f"{TWO_ABOVE} | S: A4 | A: F4 | B: D4", False),
    ("sp-start", f"{TWO_ABOVE} | S: F5 | A: F4 | B: D4", True),
    (
        "sp-start",
        (f"{HALVES} | cantus: B | species: S=3 A=4 | S: A4 G4 F4 E4 | A: - A4 _ G4 | B: D4 _ F4 _"),
        False,
    ),
    ("sp-end", f"{TWO_ABOVE} | marks: . f | S: C#5 D5 | A: G4 F#4 | B: E4 D4", False),
    ("sp-end", f"{TWO_ABOVE} | marks: . f | S: C#5 D5 | A: G4 A4 | B: E4 D4", False),
    ("sp-end", f"{TWO_ABOVE} | marks: . f | S: C#5 D5 | A: G4 B4 | B: E4 D4", True),
    ("sp-end", "cantus: S | species: A=1 B=1 | marks: f | S: D5 | A: A4 | B: G3", True),
    ("sp-close-contrary", f"{S1} | marks: . f | S: D5 E5 | B: F4 E4", False),
    ("sp-close-contrary", f"{S1} | marks: . f | S: D#5 E5 | B: F4 E4", True),
    ("sp-close-contrary", "cantus: S | species: B=1 | marks: . f | S: E4 D4 | B: C#4 D4", False),
    ("sp-close-contrary", f"{S1} | marks: . f | S: G4 D5 | B: E4 D4", True),
    ("sp-close-contrary", f"{S1} | marks: . f | S: E5 D5 | B: A4 D4", False),
    ("sp-close-contrary", f"{TWO_ABOVE} | marks: . f | S: C#5 D5 | A: G4 A4 | B: E4 D4", False),
    ("sp-mode", f"mode: aeolian | final: A | {S1} | S: F#5 G#5 A5 | B: B4 B4 A4", True),
    (
        "sp-mode",
        (f"{QUARTERS} | mode: aeolian | final: A | {S3} | S: D5 E5 F#5 G#5 A5 | B: B4 _ _ _ A4"),
        False,
    ),
    ("sp-mode", f"mode: phrygian | final: E | {S1} | S: D#5 E5 | B: F4 E4", True),
    ("sp-mode", f"mode: dorian | final: D | {S1} | S: A4 F#5 | B: E4 D4", False),
    ("sp-mode", f"mode: dorian | final: D | {S1} | S: C#5 C5 D5 | B: E4 E4 D4", True),
    ("sp-mode", f"mode: dorian | final: G | {S1} | S: Bb4 Eb5 F#4 G4 | B: G4 G4 A4 G4", False),
    ("sp-mode", "mode: dorian | final: D | given: B 0 D4 | cantus: B | B: D4 F#4 E4 D4", False),
    ("sp-consonance-strong", f"{HALVES} | {S4} | S: - C5 _ B4 | B: E4 _ D4 _", False),
    ("sp-fourth-with-bass", f"{HALVES} | {S4} | S: - G4 _ F4 | B: E4 _ D4 _", False),
    ("sp-tritone-vertical", f"{TWO_ABOVE} | S: F5 | A: B4 | B: D4", False),
    ("sp-tritone-vertical", f"{TWO_ABOVE} | S: D5 | A: F4 | B: B3", True),
    ("sp-motion-to-perfect", f"{S1} | S: E5 D5 | B: C4 D4", False),
    ("sp-motion-to-perfect", f"{TWO_ABOVE} | S: C5 G5 | A: E4 D4 | B: A3 C4", False),
    ("sp-motion-to-perfect", f"{TWO_ABOVE} | S: D5 G5 | A: E4 E4 | B: B3 C4", False),
    ("sp-motion-to-perfect", f"{TWO_ABOVE} | S: B4 G5 | A: E4 E4 | B: G3 C4", True),
    ("sp-imperfect-majority", f"{S1} | S: A4 C5 G4 D5 | B: D4 F4 E4 D4", False),
    ("sp1-repeat", f"{S1} | with: most=0 | S: A4 A4 | B: D4 F4", True),
    ("sp1-skips-together", f"{S1} | S: A4 C5 | B: D4 E4", False),
    ("sp1-consonant", f"{TWO_ABOVE} | S: C5 | A: G4 | B: E4", False),
    ("sp2-values", f"time: 2 2 4 4 | {S2} | S: - A4 C#5 D5 | B: D4 _ E4 D4", False),
    ("sp2-values", f"time: 2 2 2 2 2 2 | {S2} | S: - A4 A4 B4 C5 D5 | B: D4 _ F4 _ D4 _", True),
    ("sp2-values", f"time: 2 2 2 2 4 | {S2} | S: - D5 _ C#5 D5 | B: D4 _ E4 _ D4", True),
    (
        "sp2-values",
        (
            "time: 2 2 2 2 4 | cantus: B | species: S=2 A=1 | S: - D5 _ C#5 D5 "
            "| A: A4 _ G4 _ A4 | B: D4 _ E4 _ D4"
        ),
        False,
    ),
    ("sp2-upbeat-dissonance", f"time: 2 2 4 | {S2} | S: E4 F4 C5 | B: C4 _ A3", True),
    ("sp2-upbeat-dissonance", f"time: 2 2 4 | {S2} | S: - D4 E4 | B: C4 _ C4", True),
    ("sp2-upbeat-dissonance", f"time: 2 2 4 | {S5} | S: E4 F4 E4 | B: C4 _ A3", True),
    (
        "sp2-upbeat-dissonance",
        f"time: 1 1 1 1 4 | {S5} | S: E4 F4 E4 D4 E4 | B: C4 _ _ _ C4",
        False,
    ),
    ("sp2-leap-size", f"time: 2 2 4 | {S2} | S: A4 F4 C5 | B: D4 _ A3", False),
    ("sp2-downbeats", f"time: 2 2 4 | {S2} | S: A4 C#5 B4 | B: D4 _ E4", False),
    ("sp2-downbeats", f"time: 2 2 4 | {S2} | S: A4 C5 B4 | B: D4 _ G4", False),
    ("sp2-penultimate", f"time: 4 4 | marks: . f | {S2} | S: C#5 D5 | B: E4 D4", False),
    (
        "sp2-penultimate",
        ("time: 2 2 4 | marks: . . f | cantus: S | species: B=2 | S: F4 _ E4 | B: A3 D4 E4"),
        False,
    ),
    (
        "sp2-penultimate",
        ("time: 2 2 4 | marks: . . f | cantus: S | species: B=2 | S: E4 _ D4 | B: C4 C#4 D4"),
        True,
    ),
    ("sp2-penultimate", f"time: 2 2 4 | marks: . . f | {S2} | S: E5 E5 D5 | B: C#4 _ D4", False),
    (
        "sp2-penultimate",
        (
            "time: 2 2 2 2 4 | marks: . . . . f | cantus: B | species: S=2 A=1 "
            "| S: - D5 _ C#5 D5 | A: A4 _ G4 _ A4 | B: F4 _ E4 _ D4"
        ),
        False,
    ),
    (
        "sp2-penultimate",
        (
            "time: 2 2 4 | marks: . . f | cantus: B | species: S=2 A=1 "
            "| S: G5 E5 A4 | A: C#5 _ D5 | B: E4 _ D4"
        ),
        False,
    ),
    ("sp2-outline", f"time: 2 2 4 | {S2} | S: F4 A4 C5 | B: D4 _ A4", False),
    ("sp3-values", f"time: 1 1 1 1 4 | {S3} | S: - - B4 C#5 D5 | B: E4 _ _ _ D4", False),
    ("sp3-values", f"time: 1 1 1 1 2 2 | {S3} | S: G4 A4 B4 C#5 D5 A4 | B: E4 _ _ _ D4 _", True),
    ("sp3-dissonance", f"{QUARTERS} | {S3} | S: D5 C5 A4 B4 C5 | B: D4 _ _ _ E4", False),
    ("sp3-dissonance", f"{QUARTERS} | {S3} | S: D5 C5 A4 F4 G4 | B: D4 _ _ _ E4", True),
    ("sp3-dissonance", f"{QUARTERS} | {S3} | S: D5 E5 C5 D5 E5 | B: D4 _ _ _ C4", False),
    ("sp3-dissonance", f"{QUARTERS} | {S3} | S: D5 E5 C5 B4 A4 | B: D4 _ _ _ C4", True),
    ("sp3-dissonance", f"{QUARTERS} | {S3} | S: D5 E5 D5 F5 A5 | B: D4 _ _ _ F4", False),
    ("sp3-dissonance", f"{QUARTERS} | {S3} | S: F4 G4 A4 G4 C5 | B: D4 _ _ _ A3", True),
    ("sp3-dissonance", f"{QUARTERS} | {S3} | S: A4 F4 E4 F4 A4 | B: D4 _ _ _ D4", True),
    ("sp3-dissonance", f"time: 1/2 1/2 1 2 | {S5} | S: F4 E4 F4 A4 | B: D4 _ _ _", False),
    ("sp3-five-in-a-row", f"{QUARTERS} | {S3} | S: B4 A4 G4 F4 G4 | B: D4 _ _ _ C4", False),
    ("sp3-cambiata", f"{QUARTERS} | {S3} | S: D5 C5 A4 B4 A4 | B: D4 _ _ _ F4", False),
    ("sp3-double-neighbor", f"{QUARTERS} | {S3} | S: D5 E5 C5 D5 C5 | B: D4 _ _ _ A4", False),
    ("sp3-parallel-window", f"{QUARTERS} | {S3} | S: F4 D5 C5 B4 E5 | B: D4 _ _ _ E4", True),
    ("sp3-parallel-window", f"{QUARTERS} | {S3} | S: D5 C5 B4 A4 E5 | B: D4 _ _ _ E4", False),
    ("sp3-leap-from-strong", f"{QUARTERS} | {S3} | S: D5 B4 D5 B4 G4 | B: G4 _ _ _ E4", False),
    ("sp3-leap-from-strong", f"{QUARTERS} | {S3} | S: D5 D4 E4 F4 G4 | B: G3 _ _ _ E3", False),
    ("sp3-leap-from-strong", f"{QUARTERS} | {S3} | S: D5 F4 E4 F4 G4 | B: G3 _ _ _ E3", True),
    (
        "sp3-penultimate",
        (
            "time: 1 1 1 1 4 | marks: . . . . f | cantus: S | species: B=3 "
            "| S: E4 _ _ _ D4 | B: C4 A3 B3 C#4 D4"
        ),
        False,
    ),
    ("sp4-values", f"time: 2 2 2 2 4 | {S4} | S: - A4 B4 C#5 D5 | B: D4 _ E4 _ D4", False),
    ("sp4-values", f"time: 2 2 4 4 | {S4} | S: - A4 C#5 D5 | B: D4 _ E4 D4", True),
    ("sp4-preparation", f"{HALVES} | {S4} | S: - A4 G4 E4 | B: D4 _ E4 _", False),
    ("sp4-preparation", f"{HALVES} | {S4} | S: - A4 D5 C5 | B: D4 _ E4 _", True),
    ("sp4-preparation", f"time: 2 2 2 2 4 | {S4} | S: - D5 C5 B4 A4 | B: D4 _ E4 _ F4", False),
    ("sp4-preparation", f"time: 2 2 2 2 4 | {S4} | S: - D5 C5 F5 A4 | B: D4 _ E4 _ F4", True),
    ("sp4-preparation", f"time: 2 2 2 2 4 | {S4} | S: - D5 C5 D5 E5 | B: D4 _ E4 _ C4", False),
    ("sp4-preparation", f"time: 1 1 2 | {S5} | S: E5 D5 C5 | B: A4 D4 _", False),
    ("sp4-preparation", f"time: 1 1 2 | {S5} | S: E5 C5 B4 | B: A4 D4 _", True),
    ("sp4-resolution", f"{HALVES} | {S4} | S: - C5 _ E5 | B: E4 _ A4 _", False),
    ("sp4-resolution", f"time: 2 2 4 4 | {S4} | S: - C5 _ _ | B: E4 _ D4 G4", True),
    ("sp4-resolution", f"time: 2 2 1 1 2 | {S5} | S: - E5 _ A4 D5 | B: G4 _ F4 _ _", False),
    ("sp4-resolution", f"time: 2 2 1 1 2 | {S5} | S: - E5 _ A4 C5 | B: G4 _ F4 _ _", True),
    ("sp4-resolution", f"time: 2 2 1 1 2 | {S5} | S: - E5 _ D5 D5 | B: G4 _ F4 _ _", False),
    (
        "sp4-resolution",
        f"time: 2 2 1 1/2 1/2 2 | {S5} | S: - E5 _ D5 C5 D5 | B: G4 _ F4 _ _ _",
        False,
    ),
    ("sp4-resolution", f"time: 2 2 1 1 2 | {S5} | S: - E5 _ F5 D5 | B: G4 _ F4 _ _", True),
    ("sp4-figures", f"{HALVES} | {S4} | S: - G4 _ F4 | B: E4 _ D4 _", False),
    ("sp4-figures", f"{HALVES} | {S4} | S: - E5 _ D5 | B: E4 _ D4 _", False),
    ("sp4-figures", f"{HALVES} | {S4} | S: - E4 _ D4 | B: E4 _ D4 _", True),
    ("sp4-figures", f"{HALVES} | {S4} | S: - C5 _ B4 | B: E4 _ A4 _", False),
    ("sp4-figures", f"{HALVES} | cantus: S | species: B=4 | S: D5 _ C5 _ | B: - G4 _ F4", False),
    ("sp4-parallel", f"{HALVES} | {S4} | S: - C5 _ B4 | B: F4 _ B3 _", False),
    ("sp4-chain", f"{HALVES} | {S4} | with: most=0 | S: - C5 _ B4 | B: E4 _ D4 _", True),
    (
        "sp4-penultimate",
        (
            "time: 2 2 2 2 4 | marks: . . . . f | cantus: S | species: B=4 "
            "| S: F4 _ E4 _ D4 | B: - D4 _ C#4 D4"
        ),
        False,
    ),
    (
        "sp4-penultimate",
        (f"time: 2 2 2 2 4 | marks: . . . . f | {S4} | S: - D5 _ D5 E5 | B: F4 _ E4 _ E4"),
        False,
    ),
    (
        "sp5-values",
        (f"time: 2 2 1/2 1/2 1 2 4 | {S5} | S: - D5 C5 D5 E5 D5 D5 | B: F4 _ E4 _ _ _ D4"),
        True,
    ),
    (
        "sp5-values",
        (f"time: 2 2 1 1/2 1/2 2 4 | {S5} | S: - D5 _ C5 A4 B4 D5 | B: F4 _ E4 _ _ _ D4"),
        True,
    ),
    ("sp5-values", f"time: 2 2 1 2 1 4 | {S5} | S: - D5 C5 B4 C5 D5 | B: F4 _ E4 _ _ D4", True),
    ("sp5-values", f"time: 1 3 2 2 4 | {S5} | S: - D5 C5 C#5 D5 | B: F4 _ E4 _ D4", True),
    ("sp5-values", f"time: 2 2 2 2 2 2 | {S5} | S: - D5 _ C#5 D5 A4 | B: F4 _ E4 _ D4 _", True),
    (
        "sp5-variety",
        (
            "time: 1 1 1 1 1 1 1 1 4 | with: quarters=1 | "
            f"{S5} | S: A4 B4 C5 D5 C5 B4 A4 G4 F4 | B: D4 _ _ _ F4 _ _ _ D4"
        ),
        True,
    ),
    ("sp5-tie-length", f"time: 2 2 2 2 | {S5} | S: - D5 _ C5 | B: F4 _ E4 _", False),
    ("sp5-tie-length", f"time: 2 2 3 1 4 | {S5} | S: - D5 _ C#5 D5 | B: F4 _ E4 _ D4", True),
    (
        "sp5-ornamental-resolution",
        f"time: 2 2 1 1 2 | {S5} | S: - E5 _ D5 D5 | B: G4 _ F4 _ _",
        True,
    ),
    (
        "sp5-ornamental-resolution",
        f"time: 2 2 1 1/2 1/2 2 | {S5} | S: - E5 _ D5 C5 D5 | B: G4 _ F4 _ _ _",
        True,
    ),
    (
        "sp5-penultimate",
        (
            "time: 2 2 1 1 2 4 | marks: . . . . . f | cantus: S | species: B=5 "
            "| S: F4 _ E4 _ _ D4 | B: - D4 _ A3 C#4 D4"
        ),
        False,
    ),
    ("sp3v-triad", f"{TWO_ABOVE} | S: A4 A4 A4 | A: F4 F4 F4 | B: D4 F4 D4", False),
    (
        "sp3v-triad",
        (
            "time: 2 2 2 2 2 2 | cantus: B | species: S=2 A=1 | S: - A4 F5 A4 F4 D4 "
            "| A: F4 _ C5 _ F4 _ | B: D4 _ F4 _ D4 _"
        ),
        False,
    ),
    (
        "sp3v-bass-consonance",
        (
            "time: 2 2 2 2 | cantus: B | species: S=4 A=1 | S: - C5 _ B4 "
            "| A: G4 _ F4 _ | B: E4 _ D4 _"
        ),
        False,
    ),
    ("sp3v-bass-consonance", "cantus: S | species: A=1 B=1 | S: A4 | A: E4 | B: D4", True),
    ("sp3v-upper-fourth", f"{TWO_ABOVE} | S: F5 | A: B4 | B: G4", False),
    ("sp3v-hidden", f"{TWO_ABOVE} | S: B4 G5 | A: E4 E4 | B: G3 C4", False),
    ("sp3v-hidden", f"{TWO_ABOVE} | S: C5 D5 | A: A4 A4 | B: F4 G4", False),
    ("sp3v-six-three-row", f"{TWO_ABOVE} | S: C5 D5 | A: G4 B4 | B: E4 G4", False),
    ("sp3v-three-same-way", f"{S1} | S: C5 D5 | B: E4 F4", False),
    ("sp3v-last-third", f"marks: f | {TWO_ABOVE} | S: D5 | A: F#4 | B: D4", False),
    (
        "sp3v-species-mix",
        (
            "time: 2 2 | devices: combined-species | cantus: B | species: S=2 A=2 "
            "| S: A4 B4 | A: F4 E4 | B: D4 _"
        ),
        False,
    ),
    (
        "sp3v-species-mix",
        "time: 2 2 | cantus: B | species: S=1 | S: A4 _ | A: F4 E4 | B: D4 _",
        True,
    ),
    (
        "sp3v-suspension-support",
        (
            "time: 2 2 2 2 | cantus: B | species: S=4 A=1 | S: - G4 _ F4 "
            "| A: C4 _ A4 _ | B: E4 _ D4 _"
        ),
        False,
    ),
    (
        "sp3v-suspension-support",
        (
            "time: 2 2 2 2 | cantus: B | species: S=4 A=1 | S: - G4 _ F4 "
            "| A: C4 _ B4 _ | B: E4 _ D4 _"
        ),
        True,
    ),
    (
        "sp3v-suspension-support",
        (
            "time: 2 2 2 2 | cantus: B | species: S=4 A=1 | S: - E5 _ D5 "
            "| A: G4 _ F4 _ | B: E4 _ D4 _"
        ),
        False,
    ),
    (
        "sp3v-suspension-support",
        (
            "time: 2 2 2 2 | cantus: B | species: S=4 A=1 | S: - B4 _ A4 "
            "| A: G4 _ C5 _ | B: E4 _ E4 _"
        ),
        False,
    ),
]


@pytest.mark.parametrize(("name", "example", "flagged"), CASES)
def test_exceptions_and_limits(name: str, example: str, flagged: bool) -> None:
    """A rule of species speaks where its text says so, and nowhere else."""
    assert bool(findings(rule(name), example)) is flagged


def test_every_rule_with_exceptions_has_a_case() -> None:
    """No exception of a rule of species goes untried."""
    tried = {name for name, _, _ in CASES}
    stated = {name for name in SPECIES_RULES if rule(name).exceptions}
    patterned = {"sp2-weak-patterns", "sp4-tie-majority"}  # have tables of their own
    assert stated - tried - patterned == set()
    assert len(SPECIES_RULES) == 55


WEAK_HALVES = [  # downbeat, weak half, downbeat; whether the pattern is a usual one
    ("A4 B4 C5", True),  # passing
    ("A4 D5 C5", True),  # substitution
    ("A4 C5 D5", True),  # skipped passing tone
    ("A4 B4 A4", True),  # neighbour
    ("A4 C5 B4", True),  # delay
    ("A4 E5 D5", True),  # change of register
    ("A4 C5 E5", True),  # fifth subdivided
    ("A4 E5 A5", True),  # octave subdivided
    ("A4 F4 B4", False),
    ("A4 D5 B4", False),
    ("A4 B4 D4", False),
]


@pytest.mark.parametrize(("notes", "usual"), WEAK_HALVES)
def test_weak_half_has_a_task(notes: str, usual: bool) -> None:
    """The eight patterns of the weak half, and what is none, upward and mirrored."""
    mirrored = " ".join(mirror(name) for name in notes.split())
    for line_ in (notes, mirrored):
        example = f"time: 2 2 4 | {S2} | S: {line_} | B: D3 _ D3"
        assert bool(findings(rule("sp2-weak-patterns"), example)) is not usual


def mirror(name: str) -> str:
    """A natural note reflected at A4."""
    step = 2 * Pitch.parse("A4").step - Pitch.parse(name).step
    return f"{'CDEFGAB'[step % 7]}{step // 7}"


@pytest.mark.parametrize(("most", "flagged"), [(0, True), (1, False), (2, False)])
def test_so_many_ties_may_be_broken(most: int, flagged: bool) -> None:
    """The limit itself is still allowed."""
    text = f"time: 2 2 2 2 4 | {S4} | with: most_breaks={most} | S: - A4 B4 C#5 D5"
    found = findings(rule("sp4-tie-majority"), f"{text} | B: D4 _ E4 _ D4")
    assert bool(found) is flagged


# ------------------------------------------------------------------------------------ laws

NUMBERED = [name for name in SPECIES_RULES if name[2].isdigit() and name[2:4] != "3v"]
FLORID_TOO = {  # florid counterpoint moves in the other species and obeys them there
    "sp2-upbeat-dissonance",
    "sp3-dissonance",
    "sp4-preparation",
    "sp4-resolution",
    "sp4-figures",
}


@pytest.mark.parametrize("name", NUMBERED)
def test_a_rule_of_a_species_leaves_the_others_alone(name: str) -> None:
    """On its wrong example a rule keeps silent if another species is declared."""
    own = name[2]
    for other in set("12345") - {own} - ({"5"} if name in FLORID_TOO else set()):
        changed = rule(name).wrong.replace(f"S={own}", f"S={other}")
        changed = changed.replace(f"B={own}", f"B={other}")
        assert findings(rule(name), changed) == ()


@pytest.mark.parametrize("name", SPECIES_RULES)
def test_nothing_is_judged_where_nothing_is_declared(name: str) -> None:
    """Without cantus and species a rule of species is skipped, and says why."""
    style = load_style("fux3")
    alone = replace(style, severities={**dict.fromkeys(rules(), "-"), name: "E"})
    report = check(read_piece("S: F5 B4 C5 | A: G4 A4 B4 | B: B3 C4 D4"), alone)
    assert report.findings == ()
    assert [each.rule for each in report.skipped] == [name]


naturals = st.builds(
    lambda octave, letter: Pitch.parse(f"{letter}{octave}"),
    st.integers(3, 5),
    st.sampled_from("CDEFGAB"),
)


def moment_of(chord: list[Pitch]) -> Moments:
    """One moment in which every voice strikes."""
    moments = blank_moments(1, len(chord))
    for voice, pitch in enumerate(chord):
        moments["step"][0, voice], moments["semitone"][0, voice] = pitch.step, pitch.semitone
        moments["attack"][0, voice] = 1
    return moments


@given(chords=st.lists(st.lists(naturals, min_size=3, max_size=3), min_size=3, max_size=3))
def test_kernels_of_species_are_silent_without_species(chords: list[list[Pitch]]) -> None:
    """What the search compiles for a style of species does nothing to other pieces."""
    moments = [moment_of(chord) for chord in chords]
    for name in KERNELS:
        params = np.array([list(rule(name).params.values()) or [0.0]])
        where = np.array([address(name)], np.int64)
        assert run_offences(where, params, *moments)[0, 0] == 0


def shifted(piece: Piece, interval: Interval) -> Piece:
    """A piece moved by an interval."""
    surface = piece.surface.copy()
    sounds = surface["semitone"] != -1
    surface["step"][sounds] += interval.steps
    surface["semitone"][sounds] += interval.semitones
    return replace(piece, surface=surface)


@pytest.mark.parametrize("shift", ["m2", "A4", "-M3"])
@pytest.mark.parametrize("name", [name for name in SPECIES_RULES if name != "sp-mode"])
def test_rules_of_species_are_the_same_in_every_key(name: str, shift: str) -> None:
    """Transposing a right and a wrong example changes no answer."""
    style = load_style("fux2")
    alone = replace(
        style,
        severities={**dict.fromkeys(rules(), "-"), name: "E"},
        params={each: record.params for each, record in rules().items()},
    )
    for text in (rule(name).right, rule(name).wrong):
        plain = read_piece(text)
        moved = shifted(plain, Interval.parse(shift))
        counts = [len(check(each, alone).findings) for each in (plain, moved)]
        if "with:" not in text:
            assert counts[0] == counts[1] == (0 if text == rule(name).right else counts[0])


CONSONANT = {"P1", "m3", "M3", "P5", "m6", "M6"}
FREE = {"P4", "A4", "d5"}
EVERY = [Pitch.parse(f"{letter}{sign}4") for letter, sign in product("CDEFGAB", ("b", "", "#"))]


def naive_clash(upper: Pitch, lower: Pitch, third: Pitch | None) -> bool:
    """The textbook's words: what is dissonant, and what a lower voice makes good."""
    interval = upper - lower if upper.semitone >= lower.semitone else lower - upper
    simple = Interval(interval.steps % 7, interval.semitones - 12 * (interval.steps // 7))
    if simple.name in CONSONANT:
        return False
    below = third is not None and third.semitone < min(upper.semitone, lower.semitone)
    return not (simple.name in FREE and below)


@pytest.mark.parametrize("third", [None, "C3", "F4"])
def test_what_is_dissonant_equals_its_slow_twin(third: str | None) -> None:
    """On a downbeat, with no third voice, one below and one between."""
    low = [] if third is None else [Pitch.parse(third)]
    names = ("S", "A", "B")[: 2 + len(low)]
    for upper, lower in product(EVERY, EVERY):
        moments = moment_of([upper, lower, *low])
        moments["species"][:, 0], moments["cantus"] = 2, 1
        piece = Piece(moments, None, names, 1)
        expected = naive_clash(upper, lower, low[0] if low else None)
        assert (1 in clashes(piece, 0, 0)) is expected
        if not low:
            assert dissonant(piece, 0, 0) is expected


def test_kernels_and_rules_on_form_hear_the_same_dissonance() -> None:
    """The compiled measure and the one that rules on whole pieces use give one answer."""
    pairs = list(product(EVERY, EVERY))
    moments = np.concatenate([moment_of(list(pair)) for pair in pairs])
    moments["species"][:, 0], moments["cantus"] = 1, 1
    where = np.array([address("sp1-consonant")], np.int64)
    said = run_offences(where, np.zeros((1, 1)), moments, moments, moments)[:, 0] != 0
    piece = Piece(moments, None, ("S", "B"), 1)
    assert said.tolist() == [dissonant(piece, index, 0) for index in range(len(pairs))]
    assert moments["semitone"].shape == (len(pairs), MAX_VOICES)


# ------------------------------------------------------------------------------------ modes


def test_church_modes_are_spelled_on_their_finals() -> None:
    """Scale, reciting tone, leading tone and the soft note of dorian, and of it on G."""
    dorian, on_g = church_mode("dorian"), church_mode("dorian", PitchClass.parse("G"))
    assert [tone.name for tone in dorian.scale] == ["D", "E", "F", "G", "A", "B", "C"]
    assert [tone.name for tone in on_g.scale] == ["G", "A", "Bb", "C", "D", "E", "F"]
    assert [dorian.reciting.name, on_g.reciting.name] == ["A", "D"]
    assert [dorian.leading_tone.name, on_g.leading_tone.name] == ["C#", "F#"]
    assert [dorian.soft.name, on_g.soft.name] == ["Bb", "Eb"]


@pytest.mark.parametrize("name", church_mode_names())
def test_modes_without_signature_hold_the_natural_notes(name: str) -> None:
    """Each mode on its own final has no accidentals, and B flat as its soft note."""
    mode = church_mode(name)
    assert {tone.name for tone in mode.scale} == set("CDEFGAB")
    assert mode.soft.name == "Bb"
    assert mode.reciting in mode.scale
    assert (mode.lowest == -3) == name.startswith("hypo")


@pytest.mark.parametrize("name", church_mode_names())
def test_a_close_takes_the_leading_tone_of_its_mode(name: str) -> None:
    """The kernels of the close agree with the facts on which seventh degree is raised."""
    mode = church_mode(name)
    second, seventh = mode.scale[1], mode.scale[-1]
    cantus = f"{Pitch.of(second, 3).name} {Pitch.of(mode.final, 3).name}"
    final = Pitch.of(mode.final, 5)
    frame = f"mode: {name} | final: {mode.final} | {S1} | marks: . f | B: {cantus} | S: "
    for tone in {seventh, mode.leading_tone, mode.final.transposed(5)}:
        sound = Pitch.of(tone, 4 if tone.letter > mode.final.letter else 5)
        example = f"{frame}{sound.name} {final.name}"
        right = tone == mode.leading_tone
        assert bool(findings(rule("sp-close-contrary"), example)) is not right
        if right:
            assert findings(rule("sp-end"), example) == ()
            assert findings(rule("sp-mode"), example) == ()


def test_the_graph_knows_the_church_modes() -> None:
    """Each mode stands in the graph with its scale, its final and its reciting tone."""
    said = {(edge.relation, edge.object[1]) for edge in statements(("church-mode", "hypodorian"))}
    assert {("has_scale", "dorian"), ("ends_on", "D"), ("recites_on", "F")} <= said


def test_unknown_modes_are_refused() -> None:
    """A mode that does not exist is answered with those that do."""
    with pytest.raises(UnknownNameError, match="did you mean 'dorian'"):
        church_mode("dorean")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('final = "D"', 'final = "H"', "final must be a letter A to G, got 'H'"),
        ('scale = "dorian"', 'scale = "dorean"', "scale must be one of scales.toml, got 'dorean'"),
        ("raised = true", 'raised = "yes"', "raised must be true or false, got 'yes'"),
        ("lowest = 0", "lowest = 5", "lowest must be 0 or -3, got 5"),
    ],
)
def test_wrong_modes_are_refused(tmp_path: Path, old: str, new: str, problem: str) -> None:
    """A wrong mode stops the load by file, entry and field."""
    with resources.as_file(resources.files("theory_kb") / "facts") as folder:
        shutil.copytree(folder, tmp_path / "facts")
    path = tmp_path / "facts" / "modes.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FactError, match=rf"modes\.toml: dorian: {problem}"):
        read_facts(tmp_path / "facts")


@pytest.mark.parametrize(("resolution", "count"), [("A4", 0), ("G4", 1)])
def test_a_tie_of_the_second_species_resolves_as_in_the_fourth(resolution: str, count: int) -> None:
    """Before the close of three voices a held seventh falls by step, whatever the species."""
    piece = exercise(
        "cantus: A | species: S=2 B=1",
        S=line(f"A4 B4|-B4 {resolution}|F#4:w", "h"),
        A=line("F4 E4 D4", "w"),
        B=line("A3 C#4 D4", "w"),
    )
    assert len(findings(rule("sp4-resolution"), piece)) == count
