"""Local keys and chords: textbook progressions, twins by trying everything, laws, odd input."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.analysis.analyse import analyse
from musegen.analysis.decoding import (
    Segment,
    entered,
    first_scores,
    forward_pass,
    last_scores,
    starts_of,
    step_scores,
    trace,
)
from musegen.analysis.features import path_features
from musegen.analysis.harmony import candidate_keys, label_chords, shipped
from musegen.analysis.inference import best_readings, posterior
from musegen.analysis.parameters import Parameters
from musegen.analysis.states import keys_around, space
from musegen.analysis.surface import surface
from musegen.analysis.weighing import Tables, segment_scores, tables
from musegen.encoding import transposed
from musegen.errors import ScoreError
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Interval, Key, Pitch

HALF = Fraction(1, 2)


def block(key: str, *chords: str, phrase_ends: tuple[int, ...] = ()) -> Score:
    """A chord a beat, each given from soprano to bass."""
    rows = [text.split() for text in chords]
    parts = tuple(
        Part(
            f"Voice {voice}",
            tuple(
                Note(Fraction(beat), Fraction(1), Pitch.parse(row[voice]))
                for beat, row in enumerate(rows)
            ),
        )
        for voice in range(len(rows[0]))
    )
    ends = tuple(Fraction(end) for end in phrase_ends)
    return Score("blocks", Key.parse(key), parts, (Metre(4, 4),), phrase_ends=ends)


def numerals(score: Score) -> list[str]:
    """The chords of the analysis, in the key that the score declares."""
    found = analyse(score, key=score.key)
    assert {each.key for each in found.chords} == {score.key}
    return [each.numeral for each in found.chords]


CADENCE = ("G4 E4 C4 C3", "A4 F4 C4 F3", "G4 D4 B3 G3", "G4 E4 C4 C3")


# --- by the book ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "chords", "expected"),
    [
        ("C major", CADENCE, "I IV V I"),
        ("C major", ("C5 G4 C4 E3", "C5 A4 D4 F3", "B4 F4 D4 G3", "C5 E4 C4 C3"), "I6 ii65 V7 I"),
        ("A minor", ("C5 A4 E4 A3", "B4 F4 B3 D3", "B4 G#4 E4 E3", "A4 A4 E4 A2"), "i iio6 V i"),
        ("A minor", ("C5 A4 E4 A3", "A4 F4 D4 D3", "B4 G#4 E4 E3", "A4 E4 C#4 A3"), "i iv V I"),
        ("C major", (CADENCE[0], "A4 F#4 D4 D3", "G4 D4 B3 G3", CADENCE[0]), "I V/V V I"),
        (
            "C major",
            (CADENCE[0], "G4 E4 C4 Bb3", "A4 F4 C4 A3", "G4 E4 C4 G3", "G4 D4 B3 G3", CADENCE[0]),
            "I V42/IV IV6 cad64 V I",
        ),
        ("A minor", ("C5 A4 E4 A3", "C5 A4 D#4 F3", "B4 G#4 E4 E3", "C5 A4 E4 A3"), "i It6 V i"),
        ("C minor", ("G4 Eb4 C4 C3", "F#4 D4 C4 Ab3", "G4 D4 B3 G3", "G4 Eb4 C4 C3"), "i Fr43 V i"),
        (
            "C minor",
            ("G4 Eb4 C4 C3", "F#4 Eb4 C4 Ab3", "G4 Eb4 C4 G3", "G4 D4 B3 G3", "G4 Eb4 C4 C3"),
            "i Ger65 cad64 V i",
        ),
        ("Db major", ("Ab4 F4 Db4 Db3", "Gb4 Eb4 C4 Ab3", "F4 Db4 Ab3 Db3"), "I V7 I"),
        ("C major", (CADENCE[0], "Ab4 F4 C4 F3", "G4 D4 B3 G3", CADENCE[0]), "I iv V I"),
    ],
)
def test_progressions_by_the_book(key: str, chords: tuple[str, ...], expected: str) -> None:
    """Inversions, applied chords, mixture, augmented sixths, cadential six-four."""
    assert numerals(block(key, *chords)) == expected.split()


def test_a_neapolitan_after_the_submediant_is_a_likely_reading() -> None:
    """VI and N6 are I and IV6 of the submediant too; N6 is among the readings that are told."""
    rows = ("G4 Eb4 C4 C3", "Ab4 Eb4 C4 Ab3", "Ab4 F4 Db4 F3", "G4 D4 B3 G3", "G4 Eb4 C4 C3")
    third = analyse(block("C minor", *rows)).chords[2]
    readings = [(third.key, third.numeral)] + [(each.key, each.numeral) for each in third.others]
    assert (Key.parse("C minor"), "N6") in readings[:2]


def test_a_modulation_is_heard_with_its_pivot() -> None:
    """C major, a phrase that closes in G, and back: the keys, and a chord that both have."""
    score = block(
        "C major", *CADENCE, "A4 E4 C4 A3", "A4 F#4 D4 D3", "C5 F#4 D4 D3", "B4 G4 D4 G3",
        "A4 F#4 D4 D3", "B4 G4 D4 G3", "F4 D4 B3 G3", *CADENCE, *CADENCE,
        phrase_ends=(4, 10, 19),
    )  # fmt: skip
    found = analyse(score)
    assert [each.key.name for each in found.keys] == ["C major", "G major", "C major"]
    assert found.keys[1].pivot is not None
    assert found.keys[1].pivot[0] in ("I", "vi")


def test_passing_notes_are_no_sevenths() -> None:
    """V with a passing F on the half beat stays V or becomes V7 there, nothing else."""
    score = block("C major", *CADENCE)
    tenor = score.parts[2]
    passing = (
        *tenor.notes[:2],
        Note(Fraction(2), HALF, Pitch.parse("G3")),
        Note(Fraction(5, 2), HALF, Pitch.parse("F3")),
        Note(Fraction(3), Fraction(1), Pitch.parse("E3")),
    )
    parts = (*score.parts[:2], Part("Tenor", passing), score.parts[3])
    found = analyse(score.with_parts(parts), key=score.key)
    at_two = [each.numeral for each in found.chords if 2 <= each.onset < 3]
    assert at_two in (["V"], ["V", "V7"])


def test_alberti_figures_are_one_chord() -> None:
    """C-G-E-G under a held melody is a tonic in root position, not three inversions."""
    figures = "C3 G3 E3 G3 " * 2 + "D3 G3 F3 G3 " + "C3 G3 E3 G3 " * 2
    low = tuple(
        Note(Fraction(place, 2), HALF, Pitch.parse(name))
        for place, name in enumerate(figures.split())
    )
    high = tuple(
        Note(Fraction(2 * place), Fraction(2), Pitch.parse(name))
        for place, name in enumerate(["C5", "E5", "D5", "C5", "C5"])
    )
    score = Score("alberti", Key.parse("C"), (Part("R", high), Part("L", low)), (Metre(2, 4),))
    found = analyse(score, key=Key.parse("C major"))
    assert [each.numeral for each in found.chords] == ["I", "V43", "I"]


# --- laws -----------------------------------------------------------------------------------


@given(name=st.sampled_from(["M2", "-M2", "m3", "P4", "-m3", "A1"]))
@settings(max_examples=6)
def test_an_analysis_moves_with_the_music(name: str) -> None:
    """A transposed piece has the same numerals, with the same probabilities, in moved keys."""
    score = block("C major", *CADENCE, "D4 C4 F#3 D3", "D4 B3 G3 G2", *CADENCE)
    by = Interval.parse(name)
    here, there = analyse(score), analyse(transposed(score, by))
    assert [each.numeral for each in there.chords] == [each.numeral for each in here.chords]
    chances = [each.probability for each in here.chords]
    assert [each.probability for each in there.chords] == pytest.approx(chances, abs=1e-6)


def test_labels_cover_the_piece_and_part_at_phrase_ends() -> None:
    """Each label begins where the one before ends; one chord over a phrase end is two labels."""
    labels = label_chords(block("C major", *CADENCE))
    assert labels[0].onset == 0
    assert all(one.onset + one.duration == other.onset for one, other in pairwise(labels))
    same = ("G4 E4 C4 C3",) * 4
    parted = label_chords(block("C major", *same, phrase_ends=(2, 4)))
    assert [(int(label.onset), int(label.duration)) for label in parted] == [(0, 2), (2, 2)]


# --- against trying everything --------------------------------------------------------------


def small(seed: int) -> Tables:
    """Three chords of random tones in two keys, with random weights."""
    rng = np.random.default_rng(seed)
    names = ["C4", "D4", "E4", "F4", "G4", "A4", "B4", "F#4"]
    rows = [" ".join(rng.choice(names, 3)) for _ in range(3)]
    start = Parameters.start()
    weights = start.weights * rng.uniform(0.2, 1.8, len(start.weights))
    known = Parameters(weights, start.chords, start.steps)
    score = block("C major", *rows, phrase_ends=(2,) if seed % 2 else ())
    home = score.key
    return tables(surface(score), space(home, (home, Key.parse("G major")), composed=True), known)


def naive(t: Tables, keep: int) -> list[tuple[float, tuple[Segment, ...]]]:
    """The best readings by extending the best of every state, step by step, without a shortcut."""
    count, size = len(t.surface.beats), t.space.size
    best: list[list[list[tuple[float, tuple[Segment, ...]]]]] = [
        [[] for _ in range(size)] for _ in range(count + 1)
    ]
    for end in range(1, count + 1):
        starts = starts_of(t.surface, end)
        scores = segment_scores(t, starts, end)
        for row, start in enumerate(starts.tolist()):
            for state in range(size):
                here = Segment(start, end, state)
                if start == 0:
                    found = [(float(first_scores(t)[state] + scores[row, state]), (here,))]
                else:
                    ways = step_scores(t, start, state)
                    found = [
                        (score + float(ways[before] + scores[row, state]), (*path, here))
                        for before in range(size)
                        for score, path in best[start][before]
                    ]
                joined = best[end][state] + found
                best[end][state] = sorted(joined, key=lambda each: -each[0])[:keep]
    ends = [
        (score + float(last_scores(t)[state]), path)
        for state in range(size)
        for score, path in best[count][state]
    ]
    return sorted(ends, key=lambda each: -each[0])[:keep]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_the_best_readings_are_the_best_of_all(seed: int) -> None:
    """The search finds the scores of the twin that takes no shortcut, the best first."""
    t = small(seed)
    found = best_readings(t, forward_pass(t), 4)
    twin = naive(t, 4)
    assert [each.score for each in found] == pytest.approx([score for score, _ in twin])
    assert len({each.path for each in found}) == 4


@pytest.mark.parametrize("seed", range(6))
def test_the_score_of_a_path_is_that_of_its_features(seed: int) -> None:
    """Weights times features is what the search maximised: learning moves the right numbers."""
    t = small(seed)
    forward = forward_pass(t)
    path = trace(t, forward)
    best = float((forward.ended[-1] + last_scores(t)).max())
    known = Parameters(t.weights, {}, {})
    assert path_features(t, known, path) @ t.weights == pytest.approx(best)


@pytest.mark.parametrize("seed", range(4))
def test_entering_a_state_is_worth_the_best_way_into_it(seed: int) -> None:
    """Ways are looked for key by key, through sounds that agree; the twin tries every state before."""
    t = small(seed)
    ended = np.random.default_rng(seed).normal(scale=3, size=t.space.size)
    for at in (1, 2):
        twin = [(ended + step_scores(t, at, state)).max() for state in range(t.space.size)]
        assert entered(t, ended, at) == pytest.approx(twin)


@pytest.mark.parametrize("seed", range(4))
def test_probabilities_sum_to_one_and_sharpen_to_the_best_path(seed: int) -> None:
    """Forward-backward gives a distribution in each span; cold enough, the best path has it all."""
    t = small(seed)
    chances = posterior(t, 1.0)
    assert chances.sum(axis=1) == pytest.approx(np.ones(len(chances)))
    cold = posterior(t, 0.02)
    first, second = best_readings(t, forward_pass(t), 2)
    if first.score - second.score > 0.5:
        for segment in first.path:
            assert cold[segment.start : segment.end, segment.state].min() > 0.99


# --- odd input ------------------------------------------------------------------------------


def test_a_piece_without_notes() -> None:
    """Labels there are none; an analysis is refused in one line that says why."""
    empty = Score("empty", Key.parse("C"), (), (Metre(4, 4),))
    assert label_chords(empty) == ()
    with pytest.raises(ScoreError, match="no notes"):
        analyse(empty)


def test_an_unknown_metre_is_analysed_all_the_same() -> None:
    """Beats are then the written units."""
    score = Score("odd", Key.parse("C"), block("C major", *CADENCE).parts, (Metre(11, 4),))
    assert [each.numeral for each in label_chords(score)] == ["I", "IV", "V", "I"]


def test_one_part_is_said_to_imply_its_chords() -> None:
    """A scale has an analysis, and a remark."""
    found = analyse(block("C major", "C4", "D4", "E4", "F4", "G4", "G4", "C4"))
    assert found.chords[-1].numeral == "I"
    assert any("one part" in each for each in found.remarks)


def test_twenty_parts_are_analysed() -> None:
    """More parts than the rules hold: the remark says whose non-chord tones are told."""
    row = " ".join(["G5", "E5", "C5", "G4", "E4", "C4", "G3", "E3", "C3", "C2"] * 2)
    found = analyse(block("C major", row, row))
    assert [each.numeral for each in found.chords] == ["I"]
    assert any("20 parts" in each for each in found.remarks)


def test_clusters_are_said_to_be_doubtful() -> None:
    """No reading of chromatic clusters is likely, and the analysis says so."""
    rows = ("C4 Db4 D4 Eb4 E4 F4", "F#4 G4 Ab4 A4 Bb4 B4") * 3
    found = analyse(block("C major", *rows))
    assert found.confidence < 0.5
    assert any("no reading is likely" in each for each in found.remarks)


def test_the_keys_weighed_hold_home_and_its_neighbours() -> None:
    """Home comes first; a far key is weighed only if some stretch fits it."""
    near = surface(block("C major", *CADENCE))
    keys = candidate_keys(near, shipped())
    assert keys[0] == Key.parse("C major")
    assert {Key.parse("G major"), Key.parse("A minor")} <= set(keys)
    assert Key.parse("F# major") not in keys
    assert keys_around(Key.parse("C major"), 0) == (Key.parse("C major"), Key.parse("A minor"))
