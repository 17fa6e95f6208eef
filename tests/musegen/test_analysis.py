"""Local keys and chords."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.analysis.harmony import Weights, label_beats, label_chords, near_keys
from musegen.analysis.kernels import viterbi_keys
from musegen.encoding import transposed
from musegen.errors import UnknownNameError
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Interval, Key, Pitch

HALF = Fraction(1, 2)


def block(key: str, *chords: str, phrase_ends: tuple[int, ...] = ()) -> Score:
    """A chord a beat, each given from soprano to bass."""
    rows = [text.split() for text in chords]
    parts = tuple(
        Part(
            name,
            tuple(
                Note(Fraction(beat), Fraction(1), Pitch.parse(row[voice]))
                for beat, row in enumerate(rows)
            ),
        )
        for voice, name in enumerate(("Soprano", "Alto", "Tenor", "Bass"))
    )
    ends = tuple(Fraction(end) for end in phrase_ends)
    return Score("blocks", Key.parse(key), parts, (Metre(4, 4),), phrase_ends=ends)


def numerals(score: Score) -> list[str]:
    """Labels of the beats."""
    return [label.numeral for label in label_beats(score)]


CADENCE = ("G4 E4 C4 C3", "A4 F4 C4 F3", "G4 D4 B3 G3", "G4 E4 C4 C3")


def test_a_plain_cadence() -> None:
    """I IV V I in C major."""
    assert numerals(block("C major", *CADENCE)) == ["I", "IV", "V", "I"]


def test_inversions_come_from_the_bass() -> None:
    """I6 ii65 V7 I."""
    score = block("C major", "C5 G4 C4 E3", "C5 A4 D4 F3", "B4 F4 D4 G3", "C5 E4 C4 C3")
    assert numerals(score) == ["I6", "ii65", "V7", "I"]


def test_minor_keys_have_a_raised_leading_tone() -> None:
    """i iio6 V i in A minor."""
    score = block("A minor", "C5 A4 E4 A3", "B4 F4 B3 D3", "B4 G#4 E4 E3", "A4 A4 E4 A2")
    assert numerals(score) == ["i", "iio6", "V", "i"]


def test_a_picardy_third_stays_in_the_minor_key() -> None:
    """The last chord is I of A minor, not of A major."""
    score = block("A minor", "C5 A4 E4 A3", "A4 F4 D4 D3", "B4 G#4 E4 E3", "A4 E4 C#4 A2")
    last = label_beats(score)[-1]
    assert (last.key, last.numeral) == (Key.parse("A minor"), "I")


def test_a_modulation_ends_in_the_new_key() -> None:
    """After D7-G at a phrase end the key is G; the next phrase is home in C again."""
    score = block(
        "C major",
        *CADENCE,
        "E4 C4 G3 C3",
        "E4 C4 G3 A2",
        "E4 C4 A3 C3",
        "D4 C4 F#3 D3",
        "D4 B3 G3 G2",
        *CADENCE,
        phrase_ends=(4, 9, 13),
    )
    labels = label_beats(score)
    assert (labels[8].key, labels[8].numeral) == (Key.parse("G major"), "I")
    assert labels[7].numeral == "V7"
    assert labels[-1].key == Key.parse("C major")


def test_passing_notes_are_no_sevenths() -> None:
    """V with a passing F on the half beat stays V."""
    score = block("C major", *CADENCE)
    tenor = score.parts[2]
    passing = (
        *tenor.notes[:2],
        Note(Fraction(2), HALF, Pitch.parse("G3")),
        Note(Fraction(5, 2), HALF, Pitch.parse("F3")),
        Note(Fraction(3), Fraction(1), Pitch.parse("E3")),
    )
    parts = (*score.parts[:2], Part("Tenor", passing), score.parts[3])
    assert numerals(score.with_parts(parts))[2] == "V"


def test_equal_beats_are_joined_but_not_across_a_phrase_end() -> None:
    """Four beats of I are one label, or two if a phrase ends between."""
    same = ("G4 E4 C4 C3",) * 4
    joined = label_chords(block("C major", *same, phrase_ends=(4,)))
    assert [(int(label.onset), int(label.duration)) for label in joined] == [(0, 4)]
    parted = label_chords(block("C major", *same, phrase_ends=(2, 4)))
    assert [(int(label.onset), int(label.duration)) for label in parted] == [(0, 2), (2, 2)]


def test_labels_cover_the_piece_without_gaps() -> None:
    """Each label begins where the one before ends."""
    labels = label_chords(block("C major", *CADENCE))
    assert labels[0].onset == 0
    assert all(one.onset + one.duration == other.onset for one, other in pairwise(labels))


def test_near_keys_are_within_one_accidental() -> None:
    """C major: its relative, both neighbours with theirs, and C minor."""
    names = {key.name for key in near_keys(Key.parse("C major"))}
    assert names == {"C major", "A minor", "G major", "E minor", "F major", "D minor", "C minor"}
    assert Key.parse("A major") not in near_keys(Key.parse("A minor"))


def test_an_unknown_metre_is_refused() -> None:
    """The text names it."""
    score = Score("odd", Key.parse("C"), block("C major", *CADENCE).parts, (Metre(11, 7),))
    with pytest.raises(UnknownNameError, match="11/7"):
        label_beats(score)


def test_a_piece_without_notes_has_no_chords() -> None:
    """Nothing sounds, nothing is labelled."""
    assert label_beats(Score("empty", Key.parse("C"), (), (Metre(4, 4),))) == ()


@given(name=st.sampled_from(["M2", "-M2", "m3", "P4", "-m3"]))
@settings(max_examples=5)
def test_labels_move_with_the_music(name: str) -> None:
    """A transposed piece has the same numerals in transposed keys."""
    score = block("C major", *CADENCE)
    assert numerals(transposed(score, Interval.parse(name))) == numerals(score)


def test_dearer_changes_of_key_keep_the_key() -> None:
    """With prohibitive prices the modulation becomes an applied dominant."""
    score = block(
        "C major", *CADENCE, "D4 C4 F#3 D3", "D4 B3 G3 G2", *CADENCE, phrase_ends=(4, 6, 10)
    )
    prices = Weights(pivot=99, jump=99, pivot_boundary=99, jump_boundary=99)
    assert {label.key for label in label_beats(score, weights=prices)} == {Key.parse("C major")}


# --- the kernel against trying everything ----------------------------------------------------


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_the_path_is_the_best_of_all_paths(seed: int) -> None:
    """Two keys of two chords over four beats: enumeration finds nothing better."""
    rng = np.random.default_rng(seed)
    emission, transition = -rng.exponential(2, (4, 4)), -rng.exponential(2, (3, 3))
    chord = np.array([0, 1, 1, 2])
    first, group = np.array([0, 2, 4]), np.array([0, 1, 0, 2])
    weight, stay = rng.uniform(0, 1, 4), -rng.exponential(1, 4)
    pivot, jump = rng.exponential(1, 4), rng.exponential(3, 4)

    def step(t: int, s: int, r: int) -> float:
        """Best way from state s to state r."""
        ways = [-jump[t]]
        for read in range(4):
            if read // 2 == r // 2 and group[read] == group[s]:
                value = weight[t] * transition[chord[read], chord[r]] - pivot[t] * (read != s)
                ways.append(value + stay[t] * (chord[read] == chord[r]))
        return float(max(ways))

    def value(path: tuple[int, ...]) -> float:
        steps = sum(step(t, path[t - 1], path[t]) for t in range(1, 4))
        return float(steps + sum(emission[t, s] for t, s in enumerate(path)))

    found = viterbi_keys(emission, transition, chord, first, group, 3, weight, stay, pivot, jump)
    best = max(value(path) for path in product(range(4), repeat=4))
    assert value(tuple(found.tolist())) == pytest.approx(best)
