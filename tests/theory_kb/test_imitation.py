"""Answers of subjects, canons and parts that change places: the textbook's, and their laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory_kb.imitation import (
    ImitationError,
    exchanged,
    fugue_answer,
    fugue_answers,
    imitated,
    inverted_interval,
    mirrored,
    moved_in_key,
)
from theory_kb.pitch import Interval, Key, Pitch
from theory_kb.rules.examples import findings
from theory_kb.rules.records import rule

SHARPS = st.integers(-4, 4)
KEYS = st.builds(
    lambda sharps, mode: Key(Key.parse("C").tonic.transposed(sharps), mode),
    SHARPS,
    st.sampled_from(["major", "minor"]),
)
STEPS = st.lists(st.integers(28, 40), min_size=3, max_size=9)


def pitches(text: str) -> tuple[Pitch, ...]:
    """Names of notes as pitches."""
    return tuple(Pitch.parse(name) for name in text.split())


def names(line: tuple[Pitch, ...]) -> str:
    """The other way round."""
    return " ".join(pitch.name for pitch in line)


@pytest.mark.parametrize(
    ("subject", "key", "answer", "kind"),
    [
        ("D4 A4 F4 D4 C#4 D4 E4 F4", "D minor", "A4 D5 C5 A4 G#4 A4 B4 C5", "tonal"),  # BWV 1080
        ("C4 D4 E4 F4 G4 F4 E4", "C major", "G4 A4 B4 C5 D5 C5 B4", "real"),  # BWV 846
        ("G4 E4 C4 D4", "C major", "C5 B4 G4 A4", "tonal"),
        ("C4 E4 G4 C5", "C major", "G4 B4 C5 G5", "tonal"),
        ("G4 G4 E4 C4", "C major", "C5 C5 B4 G4", "tonal"),
        ("C4 D4 E4 F4 F#4 G4", "C major", "G4 A4 B4 C5 B4 C5", "tonal"),  # to the dominant
    ],
)
def test_answers_of_the_textbook(subject: str, key: str, answer: str, kind: str) -> None:
    """The Art of Fugue is answered tonally, the first fugue of the Clavier really."""
    found = fugue_answer(pitches(subject), Key.parse(key))
    assert (names(found.pitches), found.kind) == (answer, kind)


def test_an_answer_below_is_an_octave_lower() -> None:
    """A fourth below instead of a fifth above, and it mutates at the same notes."""
    subject, key = pitches("D4 A4 F4 D4"), Key.parse("D minor")
    above, below = (fugue_answer(subject, key, below=each) for each in (False, True))
    assert names(below.pitches) == "A3 D4 C4 A3"
    assert above.mutations == below.mutations == ("", "head", "", "")


@given(KEYS, STEPS)
def test_the_rule_holds_every_answer_right(key: Key, steps: list[int]) -> None:
    """What is written here is what `fugue-tonal-answer` accepts, for any subject of the key."""
    subject = [moved_in_key(Pitch.of(key.tonic, 4), key, step - 34) for step in steps]
    reply = fugue_answer(subject, key).pitches
    count = len(subject)
    text = (
        f"key: {key.name} | chords: {'I' if key.mode == 'major' else 'i'} {'_ ' * (2 * count - 1)}"
        f"| entries: subject S 0-{count}, answer A {count}-{2 * count}"
        f"| S: {' '.join(p.name for p in subject)} {'C5 ' * count}"
        f"| A: {'- ' * count} {' '.join(p.name for p in reply)}"
    )
    assert findings(rule("fugue-tonal-answer"), text) == ()


def test_answers_that_may_go_either_way() -> None:
    """5-6-5-1: 6 may stay near 5 or go to the dominant, both are right and the nearer comes first."""
    found = fugue_answers(pitches("G4 A4 G4 C4"), Key.parse("C major"))
    assert [names(each) for each in found] == ["C5 D5 C5 G4", "C5 E5 C5 G4"]
    assert fugue_answers(pitches("C4 D4 E4 F4"), Key.parse("C major")) == (pitches("G4 A4 B4 C5"),)


def test_a_subject_that_modulates_may_turn_at_several_places() -> None:
    """Next to 1 or 5 before the leading tone of the dominant, never before the 4 of home."""
    found = fugue_answers(pitches("C4 D4 E4 F4 G4 A4 F#4 G4"), Key.parse("C major"))
    assert names(found[0]) == "G4 A4 B4 C5 D5 D5 B4 C5"
    assert "G4 A4 B4 C5 C5 D5 B4 C5" in [names(each) for each in found]
    assert all(names(each).startswith("G4 A4 B4 C5") for each in found)


def test_diatonic_and_strict_canon_differ_by_accidentals() -> None:
    """A fifth above within C major F answers B; exactly it would be F sharp."""
    line, key = pitches("C4 B3 G4"), Key.parse("C major")
    assert names(imitated(line, key, 4)) == "G4 F4 D5"
    assert names(imitated(line, key, 4, exact=Interval.parse("P5"))) == "G4 F#4 D5"


@given(KEYS, STEPS, st.integers(-9, 9))
def test_moving_within_a_key_goes_back(key: Key, steps: list[int], by: int) -> None:
    """Up and down again is where one was, accidentals and all; octaves are exact."""
    line = tuple(Pitch(step, Pitch.of(key.tonic, 4).semitone + step - 28) for step in steps)
    assert imitated(imitated(line, key, by), key, -by) == line
    assert imitated(line, key, 7) == tuple(pitch + Interval(7, 12) for pitch in line)


@given(KEYS, STEPS)
def test_a_mirror_turned_twice_is_the_line(key: Key, steps: list[int]) -> None:
    """The axis stays, and every step is as far from it on the other side."""
    axis = Pitch.of(key.tonic, 4)
    line = tuple(moved_in_key(axis, key, step - 34) for step in steps)
    turned = mirrored(line, key, axis)
    assert mirrored(turned, key, axis) == line
    assert [2 * axis.step - each.step for each in line] == [each.step for each in turned]


TABLES = {  # Prout, Double Counterpoint and Canon, II to IV
    8: {1: 8, 2: 7, 3: 6, 4: 5, 5: 4, 6: 3, 7: 2, 8: 1},
    10: {1: 10, 2: 9, 3: 8, 4: 7, 5: 6, 6: 5, 7: 4, 8: 3, 9: 2, 10: 1},
    12: {1: 12, 2: 11, 3: 10, 4: 9, 5: 8, 6: 7, 7: 6, 8: 5, 9: 4, 10: 3, 11: 2, 12: 1},
}


@pytest.mark.parametrize("at", TABLES)
def test_intervals_after_inversion(at: int) -> None:
    """The tables of the textbook; beyond them the parts cross."""
    assert {number: inverted_interval(number, at) for number in TABLES[at]} == TABLES[at]
    assert inverted_interval(at + 1, at) == -2
    assert all(
        inverted_interval(inverted_interval(number, at), at) == number for number in range(1, 20)
    )


@given(KEYS, STEPS, st.sampled_from([8, 10, 12]))
def test_exchanged_parts_form_the_inverted_intervals(key: Key, steps: list[int], at: int) -> None:
    """The table holds for every pair of notes."""
    lower = tuple(moved_in_key(Pitch.of(key.tonic, 3), key, step - 34) for step in steps)
    upper = tuple(
        moved_in_key(pitch, key, step % 6) for pitch, step in zip(lower, steps, strict=True)
    )
    high, low = exchanged(upper, lower, key, at)
    for before, after in zip(
        zip(upper, lower, strict=True), zip(high, low, strict=True), strict=True
    ):
        number = before[0].step - before[1].step + 1
        assert after[0].step - after[1].step + 1 == inverted_interval(number, at)


def test_refusals_say_what_is_allowed() -> None:
    """No subject, no place of turning, no interval of inversion, no interval 0."""
    key = Key.parse("C major")
    with pytest.raises(ImitationError, match="one note or more"):
        fugue_answer((), key)
    with pytest.raises(ImitationError, match="from 0 to 2, got 3"):
        fugue_answer(pitches("C4 G4"), key, turn=3)
    with pytest.raises(ImitationError, match="one of 8, 10, 12, got 9"):
        inverted_interval(3, 9)
    with pytest.raises(ImitationError, match="numbered from 1"):
        inverted_interval(0, 8)


@pytest.mark.parametrize(("close", "found"), [("", 1), (" close=4", 0)])
def test_a_free_close_may_chance_on_the_leader(close: str, found: int) -> None:
    """Where the ending is declared, a note in it that is the leader's by chance claims nothing."""
    text = f"canon: S A -P8 2{close} | S: C5 D5 E5 F5 G5 E5 | A: - - C4 D4 G4 F4"
    assert len(findings(rule("canon-strict"), text)) == found
