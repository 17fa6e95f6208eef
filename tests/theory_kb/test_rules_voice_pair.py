"""Exceptions of the rules on pairs of voices, slow twins, and which of several is reported."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory_kb.check import Style, check
from theory_kb.moment import Moments, blank_moments
from theory_kb.pitch import Pitch
from theory_kb.rules.arrays import episodes, next_pitch, pair_motion, run_lengths
from theory_kb.rules.engine import address, run_offences
from theory_kb.rules.examples import findings, read_piece
from theory_kb.rules.records import rule, rules

C = "key: C major"

SPARED = [  # rule, what is not flagged, why
    ("parallel-octave", "doublings: B S | S: C5 D5 | B: C4 D4", "declared doubling"),
    ("parallel-unison", "doublings: A S | S: C5 D5 | A: C5 D5", "declared doubling"),
    ("parallel-octave", "S: A4 A3 | B: A3 A2", "octave leap of both"),
    ("parallel-fifth", "S: G4 G3 | B: C4 C3", "octave leap of both"),
    ("parallel-fifth", "S: G4 - A4 | B: C4 C4 D4", "a rest between"),
    ("parallel-fifth", "marks: e b | S: G4 A4 | B: C4 D4", "a phrase end between"),
    (
        "parallel-fifth",
        (
            f"with: anticipation_allowed=1 | {C} | chords: V _ | strength: 3 1 "
            "| S: D5 C5 | A: G4 F4 | B: G3 _"
        ),
        "anticipated tonic over a passing seventh",
    ),
    (
        "contrary-octave",
        f"with: cadence_allowed=1 | {C} | chords: V I | marks: . ef | S: G4 C5 | B: G3 C3",
        "last V-I",
    ),
    (
        "contrary-fifth",
        "with: inner_leaps_allowed=1 | S: A5 A5 | A: D5 A4 | T: G3 D4 | B: C3 C3",
        "two leaps inside",
    ),
    ("direct-octave-outer", "S: F5 G5 | B: E3 G3", "the top voice steps"),
    ("direct-fifth-outer", "S: E5 D5 | B: C3 G2", "the top voice steps"),
    ("direct-fifth-outer", f"{C} | chords: I I64 | S: C5 D6 | B: C3 G3", "one harmony"),
    ("direct-fifth-outer", "S: E5 D5 | B: C5 G4", "horn fifths"),
    ("direct-perfect-any", "S: A5 A5 | A: E5 D5 | T: C4 G3 | B: C3 C3", "inner, one steps"),
    ("unequal-fifth-upper", "S: F4 G4 | A: B3 C4 | B: D3 E3", "tenths with the bass"),
    ("unequal-fifth-dim-perfect", "S: F4 G4 | A: B3 C4 | B: G3 C3", "upper voices"),
    ("unequal-fifth-perfect-dim", "S: G4 F4 E4 | A: C4 B3 C4", "closes to a third"),
    ("voice-overlap", f"{C} | chords: I I6 | S: C5 G5 | B: C4 E4", "one harmony"),
    (
        "voice-overlap",
        "with: inner_allowed=1 | S: C6 C6 | A: C5 E5 | T: G4 D5 | B: C3 C3",
        "inner parts at the keyboard",
    ),
    ("unison-by-leap", "marks: o . | S: C4 F4 | A: C4 B3", "out of the first sonority"),
    ("parallel-dissonance", "S: F5 E5 | A: D5 C5 | B: G4 G4", "one voice is held"),
    ("parallel-fourths-bass", "S: F5 G5 | A: C5 D5 | B: A3 B3", "sixth chords"),
    ("battuta", "upbeat: 1 | marks: . ef | S: E5 D5 | B: C4 D4", "the last cadence"),
    ("battuta", "S: E5 D5 | B: C4 D4", "a weak beat"),
    (
        "beat-fifths",
        f"{C} | chords: I _ _ | time: 1/2 1/2 1 | S: G4 A4 B4 | B: C4 _ E4",
        "the chord stays",
    ),
    (
        "beat-fifths",
        f"{C} | chords: IV _ V | time: 1/2 1/2 1 | S: C5 A4 D5 | B: F3 _ G3",
        "a chord tone parts them",
    ),
    (
        "beat-fifths",
        f"{C} | chords: IV _ V | time: 1/4 3/4 1 | S: C5 E5 D5 | B: F3 _ G3",
        "longer than half a beat",
    ),
    (
        "downbeat-fifths-species",
        "species: S=2 | time: 2 2 2 2 | S: A4 E4 B4 G4 | B: D4 _ E4 _",
        "a leap saves them",
    ),
    (
        "downbeat-fifths-species",
        "species: S=3 | S: A4 C5 D5 C5 B4 C5 D5 B4 | B: D4 _ _ _ E4 _ _ _",
        "a fifth on the first beat is far enough",
    ),
    (
        "afterbeat-fifths",
        (
            "species: S=4 | upbeat: 2 | time: 2 2 2 2 2 "
            "| S: D5 _ C5 _ B4 | A: A4 A4 _ G4 _ | B: F3 F3 _ E3 _"
        ),
        "sixths that fall to fifths in three voices",
    ),
    ("parallel-imperfect-run", "S: E5 D5 C5 | B: C4 B3 A3", "three"),
    (
        "parallel-imperfect-run",
        "S: C5 B4 A4 G4 | A: G4 F4 E4 D4 | B: E4 D4 C4 B3",
        "a passage in sixth chords",
    ),
    (
        "parallel-by-nct",
        f"{C} | chords: I _ | strength: 2 4 | S: G4 A4 | B: C3 D3",
        "an accented note",
    ),
    ("perfect-succession", "S: D5 D5 | B: G3 D4", "one voice stays"),
]

FLAGGED = [  # rule, what is flagged, where the exception ends
    ("parallel-octave", "doublings: A S | S: C5 D5 | A: C4 D4 | B: C3 D3", "another pair"),
    ("contrary-octave", "with: cadence_allowed=1 | S: G4 C5 | B: G3 C3", "no close"),
    (
        "contrary-octave",
        f"with: cadence_allowed=1 | {C} | chords: V I | marks: . ef | S: G5 C5 | B: G3 C4",
        "the bass rises",
    ),
    (
        "contrary-fifth",
        "with: inner_leaps_allowed=1 | S: D5 A4 | B: G3 D4",
        "both outer voices",
    ),
    ("direct-perfect-any", "S: A5 A5 | A: F5 D5 | T: C4 G3 | B: C3 C3", "inner, both leap"),
    ("unequal-fifth-perfect-dim", "S: G4 F4 G4 | A: C4 B3 C4", "opens"),
    (
        "voice-overlap",
        "with: inner_allowed=1 | S: C5 E5 | A: G4 D5 | B: C3 C3",
        "the top part at the keyboard",
    ),
    ("unison-by-leap", "S: C4 F4 | A: C4 B3", "inside"),
    ("battuta", "upbeat: 1 | S: G5 F5 | B: C4 F4", "a leap of a fourth"),
    (
        "downbeat-fifths-species",
        "species: S=2 | time: 2 2 2 2 | S: A4 G4 B4 G4 | B: D4 _ E4 _",
        "no leap",
    ),
    (
        "downbeat-fifths-species",
        "species: S=3 | S: F4 G4 A4 G4 B4 C5 D5 B4 | B: D4 _ _ _ E4 _ _ _",
        "a fifth on the third beat",
    ),
    (
        "downbeat-fifths-species",
        "species: S=3 | S: F4 D5 C5 D5 E5 D5 C5 D5 | B: D4 _ _ _ E4 _ _ _",
        "an octave on the second beat",
    ),
    (
        "afterbeat-fifths",
        "species: S=4 | upbeat: 2 | time: 2 2 2 2 2 | S: D5 _ C5 _ B4 | B: F3 F3 _ E3 _",
        "sixths that fall to fifths in two voices",
    ),
    ("parallel-imperfect-run", "S: E5 D5 C5 B4 | B: C4 B3 A3 G3", "four"),
    ("mi-contra-fa", "S: A4 B4 | B: F4 G4", "two major thirds a tone apart"),
    ("mi-contra-fa", "S: Ab4 B4 | B: F4 G4", "a tritone across"),
    (
        "exposed-perfect",
        "cantus: B | species: S=1 | time: 4 4 4 4 4 | S: A4 A4 B4 A4 D5 | B: D4 F4 E4 F4 D4",
        "more than a third",
    ),
]


@pytest.mark.parametrize(("name", "example", "why"), SPARED)
def test_an_exception_is_spared(name: str, example: str, why: str) -> None:
    """What a rule excuses it does not report."""
    assert findings(rule(name), example) == (), why


@pytest.mark.parametrize(("name", "example", "why"), FLAGGED)
def test_an_exception_has_its_limit(name: str, example: str, why: str) -> None:
    """Just beyond an exception the rule speaks."""
    assert findings(rule(name), example), why


# ---------------------------------------------------------------------------- precedence


def found(text: str, *names: str) -> list[tuple[str, tuple[str, ...]]]:
    """What is reported, with what is attached, where just some rules hold."""
    severities = {name: "W" if name in names else "-" for name in rules()}
    params = {name: each.params for name, each in rules().items()}
    report = check(read_piece(text), Style("some", "", severities, params, {}))
    return [(each.rule, each.also) for each in report.findings]


ORDER: tuple[str, ...] = (
    "voice-crossing",
    "parallel-fifth",
    "contrary-fifth",
    "direct-fifth-outer",
    "unequal-fifth-dim-perfect",
    "voice-overlap",
)


def test_ranks_follow_the_order_of_precedence() -> None:
    """Crossing, parallel, contrary, direct, unequal, overlap: each outranks the next."""
    ranks = [rule(name).rank for name in ORDER]
    assert ranks == sorted(set(ranks))
    assert {rule(name).family for name in ORDER} == {"pair"}
    same = [("contrary-octave", 3), ("direct-perfect-any", 4), ("unequal-fifth-bass", 5)]
    assert all(rule(name).rank == rank for name, rank in same)


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("S: G4 A4 | B: C4 E5", "voice-crossing", "parallel-fifth"),
        ("S: G4 E5 | B: C4 A4", "parallel-fifth", "voice-overlap"),
        ("S: G5 B4 | B: C5 E4", "parallel-fifth", "voice-overlap"),
        ("S: F4 C5 | B: B3 F4", "direct-fifth-outer", "unequal-fifth-dim-perfect"),
        ("S: F4 C5 | B: D4 F4", "direct-fifth-outer", "direct-perfect-any"),
        ("S: F4 C6 | B: B3 F5", "unequal-fifth-dim-perfect", "voice-overlap"),
        ("S: C5 C6 | B: A4 F5", "direct-fifth-outer", "voice-overlap"),
    ],
)
def test_the_first_of_two_breaches_is_reported(text: str, first: str, second: str) -> None:
    """The one that comes first carries the other, whatever the order they were found in."""
    assert found(text, second) == [(second, ())]
    assert found(text, second, first) == [(first, (second,))]


@pytest.mark.parametrize(
    ("text", "doubled", "astray"),
    [
        (
            f"{C} | chords: V I | S: B4 C5 | A: G4 E4 | T: B3 G3 | B: G3 C3",
            "double-leading-tone",
            "leading-tone-inner",
        ),
        (
            f"{C} | chords: V7 I | S: F5 E5 | A: B4 C5 | T: F4 G4 | B: G3 C3",
            "double-chordal-seventh",
            "seventh-resolves-down",
        ),
        (
            f"{C} | chords: V7/V V | S: F#5 G5 | A: C5 B4 | T: F#4 D4 | B: D3 G3",
            "double-chromatic",
            "applied-leading-tone",
        ),
        (
            "key: C minor | chords: viio7 i | S: Ab5 C6 | A: F5 Eb5 | T: Ab4 G4 | B: B3 C4",
            "double-chordal-seventh",
            "viio7-resolution",
        ),
    ],
)
def test_a_doubled_tendency_tone_covers_its_wrong_resolution(
    text: str, doubled: str, astray: str
) -> None:
    """The doubling is the defect, the one of the two that goes astray follows from it."""
    frustrated = {"applied-leading-tone": {"frustrated_allowed": 0.0}}
    severities = {name: "W" if name in (doubled, astray) else "-" for name in rules()}
    params = {name: frustrated.get(name, each.params) for name, each in rules().items()}
    report = check(read_piece(text), Style("two", "", severities, params, {}))
    assert [(each.rule, each.also) for each in report.findings] == [(doubled, (astray,))]
    only = {name: "W" if name == astray else "-" for name in rules()}
    assert check(read_piece(text), Style("one", "", only, params, {})).findings


# ---------------------------------------------------------------------------- slow twins


def moment(chord: tuple[Pitch, ...]) -> Moments:
    """One moment of a sonority whose harmony is not known."""
    moments = blank_moments(1, len(chord))
    for voice, pitch in enumerate(chord):
        moments["step"][0, voice], moments["semitone"][0, voice] = pitch.step, pitch.semitone
    return moments


def way(old: Pitch, new: Pitch) -> int:
    """1 up, -1 down, 0 no motion."""
    return int(np.sign(new.semitone - old.semitone))


def number(one: Pitch, other: Pitch) -> int:
    """Generic number within the octave, 1 for a unison or octave."""
    return abs(one.step - other.step) % 7 + 1


def naive_dissonance(u1: Pitch, u2: Pitch, l1: Pitch, l2: Pitch) -> bool:
    """Second to second or seventh to seventh, both voices the same way."""
    same_way = way(u1, u2) == way(l1, l2) != 0
    return same_way and number(u1, l1) == number(u2, l2) and number(u1, l1) in (2, 7)


def naive_unison(u1: Pitch, u2: Pitch, l1: Pitch, l2: Pitch) -> bool:
    """A voice moves by a third or more from or to a unison."""
    leap = any(way(a, b) != 0 and abs(b.step - a.step) >= 2 for a, b in ((u1, u2), (l1, l2)))
    return leap and (u1.semitone == l1.semitone or u2.semitone == l2.semitone)


def naive_direct(u1: Pitch, u2: Pitch, l1: Pitch, l2: Pitch) -> bool:
    """Both voices the same way into a fifth or octave from something else."""

    def name(one: Pitch, other: Pitch) -> str:
        high, low = (one, other) if one.semitone >= other.semitone else (other, one)
        fifths = 7 * (high.semitone - low.semitone) - 12 * (high.step - low.step)
        return {0: "octave", 1: "fifth"}.get(fifths, "")

    same_way = way(u1, u2) == way(l1, l2) != 0
    return same_way and name(u2, l2) != "" and name(u1, l1) != name(u2, l2)


FEW = [Pitch.parse(name) for name in ["B3", "C4", "D4", "F4", "F#4", "G4", "Bb4", "C5", "G5"]]
TWINS = {
    "parallel-dissonance": naive_dissonance,
    "unison-by-leap": naive_unison,
    "direct-perfect-any": naive_direct,
}


@pytest.mark.parametrize("name", TWINS)
def test_pair_kernel_equals_its_slow_twin(name: str) -> None:
    """On all moves of two voices over nine pitches the kernel says what the words say."""
    pairs = list(product(FEW, FEW))
    single = np.concatenate([moment(pair) for pair in pairs])
    rows, columns = (each.ravel() for each in np.indices((len(pairs), len(pairs))))
    where = np.array([address(name)], np.int64)
    params = np.zeros((1, 1))
    said = run_offences(where, params, single[rows], single[rows], single[columns])[:, 0] != 0
    expected = [
        TWINS[name](pairs[row][0], pairs[column][0], pairs[row][1], pairs[column][1])
        for row, column in zip(rows, columns, strict=True)
    ]
    assert said.tolist() == expected
    assert any(expected)


@given(
    line=st.lists(st.sampled_from(["C4", "D4", "-"]), min_size=1, max_size=9),
    seed=st.integers(0, 1000),
)
def test_next_pitch_equals_looking_ahead(line: list[str], seed: int) -> None:
    """The next other pitch of a voice, unless a rest or the end of the phrase comes first."""
    marks = ["b" if mark else "." for mark in np.random.default_rng(seed).random(len(line)) < 0.2]
    piece = read_piece(f"marks: {' '.join(marks)} | S: {' '.join(line)}")
    expected = []
    for index, token in enumerate(line):
        later = index + 1
        while later < len(line) and marks[later] == "." and line[later] == token:
            later += 1
        lost = later == len(line) or marks[later] == "b" or line[later] == "-"
        expected.append(-1 if lost else later)
    assert next_pitch(piece)[:, 0].tolist() == expected


@given(flags=st.lists(st.booleans(), min_size=1, max_size=12), seed=st.integers(0, 1000))
def test_runs_and_episodes_begin_anew_at_a_boundary(flags: list[bool], seed: int) -> None:
    """A run counts what came before in its phrase; an episode is where a run is one long."""
    moments = blank_moments(len(flags), 2)
    moments["boundary"] = np.random.default_rng(seed).random(len(flags)) < 0.3
    lengths: list[int] = []
    for index, flag in enumerate(flags):
        goes_on = index > 0 and not moments["boundary"][index]
        lengths.append((1 + (lengths[-1] if goes_on else 0)) if flag else 0)
    array = np.array(flags)
    assert run_lengths(array, moments).tolist() == lengths
    assert episodes(array, moments) == [place for place, size in enumerate(lengths) if size == 1]


def test_pairs_know_their_interval_whoever_is_above() -> None:
    """A crossed pair a fourth apart is a fourth; a silent voice makes no interval."""
    (pair,) = pair_motion(read_piece("S: B3 C4 G4 - | B: E4 F4 C4 C4"))
    assert pair.fifths[:3].tolist() == [-1, -1, 1]
    assert pair.perfect.tolist() == [0, 0, 5, 0]
    assert pair.motion.tolist() == [0, 1, 0, 0]
