"""Descriptors: values counted by hand, bounds that hold for anything, and what they do not depend on."""

from __future__ import annotations

import importlib
import sys
from fractions import Fraction
from math import isnan, log2, nan, sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.analysis.analyse import analyse
from musegen.descriptors.descriptor import Material, entropy, mean
from musegen.descriptors.emotion import estimate, levels
from musegen.descriptors.table import DESCRIPTORS, columns, describe, reference
from musegen.descriptors.tension import key_centre, spiral, tension
from musegen.encoding import transposed
from musegen.errors import ScoreError
from musegen.score import Metre, Note, Part, Score
from theory_kb.catalogue import catalogue
from theory_kb.pitch import Interval, Key, Pitch

ROOT = Path(__file__).resolve().parents[2]


def line(name: str, text: str) -> Part:
    """A part from `pitch:quarters` words, `-` a rest."""
    notes, time = [], Fraction(0)
    for word in text.split():
        pitch, _, length = word.partition(":")
        duration = Fraction(length or "1")
        if pitch != "-":
            notes.append(Note(time, duration, Pitch.parse(pitch)))
        time += duration
    return Part(name, tuple(notes))


COMMON = Metre(4, 4)


def made(*texts: str, metre: Metre = COMMON, key: str = "C major") -> Score:
    """A score of some lines, high to low."""
    parts = tuple(line(f"V{place}", text) for place, text in enumerate(texts, 1))
    return Score("made", Key.parse(key), parts, (metre,), tempo=120.0)


TUNE = made("C4 E4 G4:2 G4 F4 E4 - C4:4")
TWO = made("G4:2 F4:2 E4:4", "C4:2 B3:2 C4:2 -:2")


@pytest.mark.parametrize(
    ("score", "column", "value"),
    [
        (TUNE, "note_count", 7),
        (TUNE, "length_quarters", 12),
        (TUNE, "length_bars", 3),
        (TUNE, "pitch_lowest", 60),
        (TUNE, "tune_range", 7),
        (TUNE, "pitch_class_share_0", 5 / 11),
        (TUNE, "pitch_class_share_7", 3 / 11),
        (TUNE, "interval_share_third", 2 / 5),
        (TUNE, "interval_share_unison", 1 / 5),
        (TUNE, "step_share", 2 / 4),
        (TUNE, "interval_rising", 2 / 4),
        (TUNE, "interval_mean", (4 + 3 + 0 + 2 + 1) / 5),
        (TUNE, "duration_mean", 11 / 7),
        (TUNE, "onset_on_downbeat", 3 / 7),
        (TUNE, "density_quarter", 7 / 12),
        (TUNE, "density_second", 7 / 6),
        (TUNE, "polyphony_mean", 1),
        (TUNE, "chromatic_share", 0),
        (TWO, "part_count", 2),
        (TWO, "polyphony_mean", (2 * 6 + 2) / 8),
        (TWO, "dissonance", 2 / 6),  # B and F
        (TWO, "spacing_mean", (7 * 2 + 6 * 2 + 4 * 2) / 6),
        (TWO, "bass_pitch_mean", (60 * 2 + 59 * 2 + 60 * 2 + 64 * 2) / 8),
        (made("C5:2 C5:2", "C4:2 C4:2", "G3:2 G3:2"), "dissonance", 2 / 3),  # fourths above a bass
        (made("C4:3/4 D4:1/4 E4:3/4 F4:1/4 G4:2"), "dotted_share", 2 / 4),
        (made("C4 D4 C4 D4", metre=Metre(3, 4)), "triple_share", 1),
        (made("C4 D4 E4 F4"), "onset_variability", 0),
        (made("C4:1 D4:3 E4:1 F4:3"), "onset_variability", 100),
        (made("C4 D4:2 E4"), "syncopation", 1),  # the second beat held over the stronger third
        (made("C4:1/2 D4 E4 F4 G4:1/2"), "syncopation", None),
        (made("C4 D4 E4 F4"), "syncopation", 0),
    ],
)
def test_values_counted_by_hand(score: Score, column: str, value: float | None) -> None:
    """Each small score has the value that one counts on paper."""
    found = describe(score).values[column]
    if value is None:
        assert found > describe(made("C4 D4:2 E4")).values[column]
    else:
        assert found == pytest.approx(value)


def test_an_arch_is_an_arch() -> None:
    """A tune that rises and falls evenly fits the arch, its mirror image does not."""
    up = made("C4 D4 E4 F4 G4 F4 E4 D4 C4")
    down = made("G4 F4 E4 D4 C4 D4 E4 F4 G4")
    assert describe(up).values["melody_arch"] > 0.9
    assert describe(down).values["melody_arch"] < -0.9
    assert describe(up).values["contour_slope"] == pytest.approx(0, abs=1e-9)
    assert describe(made("C4 D4 E4 F4 G4 A4")).values["contour_slope"] > 5


def test_sums() -> None:
    """Entropy of a fair choice of four is two bits; of nothing there is none."""
    assert entropy([1, 1, 1, 1]) == pytest.approx(2)
    assert entropy([3, 1]) == pytest.approx(0.75 * log2(4 / 3) + 0.25 * 2)
    assert isnan(entropy([]))
    assert isnan(mean([]))


# --- tension --------------------------------------------------------------------------------


def test_the_spiral_lies_as_chew_laid_it() -> None:
    """A fifth is sqrt(2 + h²), a major third 4h, and both are near; a tritone is far."""
    rise = sqrt(2 / 15)
    points = spiral(np.arange(7.0))
    assert np.linalg.norm(points[1] - points[0]) == pytest.approx(sqrt(2 + rise**2))
    assert np.linalg.norm(points[4] - points[0]) == pytest.approx(4 * rise)
    tritone = np.linalg.norm(points[6] - points[0])
    assert tritone > np.linalg.norm(points[1] - points[0])


def test_relative_keys_are_nearer_than_distant_ones() -> None:
    """The centre of C major lies nearer to A minor and G major than to F sharp major."""
    home = key_centre(Key.parse("C major"))

    def apart(name: str) -> float:
        return float(np.linalg.norm(key_centre(Key.parse(name)) - home))

    assert apart("A minor") < apart("F# minor") < apart("F# major")
    assert apart("G major") < apart("D major") < apart("A major")


def test_the_ribbons_rise_with_dissonance_and_distance() -> None:
    """A diminished seventh chord is wider than a triad, and further from home than the tonic."""
    score = made("G4 Ab4 G4", "E4 F4 E4", "C4 B3 C4", key="C major")
    found = tension(Material(analyse(score, key=Key.parse("C major")), 120.0))
    assert found.diameter[1] > found.diameter[0] == pytest.approx(found.diameter[2])
    assert found.strain[1] > found.strain[0]
    assert found.momentum[0] == 0 < found.momentum[1]
    assert found.times.tolist() == [0, 1, 2]


# --- expression -----------------------------------------------------------------------------


def test_levels_speak_of_known_effects_and_columns() -> None:
    """Each effect is in the knowledge base and each descriptor in the table; bounds are given."""
    for each in levels():
        assert each.effect in catalogue()["effect"]
        assert each.descriptor in columns()
        assert (each.at_least is None) != (each.at_most is None)
        assert each.why


def test_an_estimate_names_its_facts() -> None:
    """Major and fast raise valence and arousal by what the effects say; unknown values say nothing."""
    unknown = dict.fromkeys(columns(), nan)
    told = estimate({**unknown, "major_share": 1.0, "tempo": 130.0})
    assert told.facts == ("mode-major", "tempo-fast")
    major, fast = 3 * 0.9, 3 * 0.95
    assert told.valence == pytest.approx(major * 1 / (2 * (major + fast)))
    assert told.arousal == pytest.approx(fast * 2 / (2 * (major + fast)))
    assert isnan(estimate(unknown).valence)


def test_a_slow_minor_tune_is_sadder_than_a_fast_major_one() -> None:
    """The order that listeners agree on."""
    fast = made("C5 E5 G5 E5 C6:2 G5:2", "C4:4 C4:4")
    slow = Score(
        "slow", Key.parse("A minor"), (line("a", "A3:2 B3:2 C4:4"), line("b", "A2:4 A2:4")),
        (Metre(4, 4),), tempo=50.0,
    )  # fmt: skip
    one, other = describe(fast).values, describe(slow).values
    assert one["emotion_valence"] > other["emotion_valence"]
    assert one["emotion_arousal"] > other["emotion_arousal"]
    assert "tempo-slow" not in describe(slow, tempo_known=False).facts


# --- laws -----------------------------------------------------------------------------------

words = st.lists(
    st.tuples(
        st.sampled_from(["C4", "D4", "Eb4", "F#4", "G4", "A5", "B2", "-"]),
        st.sampled_from(["1/4", "1/3", "1/2", "1", "3/2", "4"]),
    ),
    min_size=1,
    max_size=8,
)


@given(parts=st.lists(words, min_size=1, max_size=4), beats=st.sampled_from([3, 4, 5, 7]))
@settings(max_examples=20)
def test_every_value_lies_within_its_bounds(parts: list[list[tuple[str, str]]], beats: int) -> None:
    """Whatever the score, or the value does not exist; a score without notes is refused."""
    score = made(
        *(" ".join(f"{pitch}:{length}" for pitch, length in part) for part in parts),
        metre=Metre(beats, 4),
    )
    if not any(part.notes for part in score.parts):
        with pytest.raises(ScoreError):
            describe(score)
        return
    told = describe(score)
    assert tuple(told.values) == columns()[:-1]
    for each in DESCRIPTORS:
        for name in each.columns:
            value = told.values[name]
            assert isnan(value) or each.low - 1e-9 <= value <= each.high + 1e-9, (name, value)


def test_transposition_moves_pitches_and_nothing_else() -> None:
    """A third higher, only what speaks of pitch itself is another number."""
    moved = {"pitch_mean", "pitch_lowest", "pitch_highest", "tune_pitch_mean", "bass_pitch_mean"}
    here = describe(TWO).values
    there = describe(transposed(TWO, Interval.parse("m3"))).values
    for name in here:
        if name in moved:
            assert there[name] == pytest.approx(here[name] + 3)
        elif not name.startswith("emotion"):
            assert there[name] == pytest.approx(here[name], nan_ok=True), name


def test_each_descriptor_is_documented() -> None:
    """Unit, bounds, what it is and a source in full; the page says what the table says."""
    names = [name for each in DESCRIPTORS for name in each.columns]
    assert len(set(names)) == len(names)
    for each in DESCRIPTORS:
        assert each.unit
        assert each.text
        assert each.low < each.high
        assert reference(each)
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        make_reference = importlib.import_module("make_reference")
    finally:
        sys.path.pop(0)
    page = (ROOT / "docs" / "reference" / "descriptors.md").read_text(encoding="utf-8")
    assert page == make_reference.descriptors(), "run python docs/make_reference.py"
