"""Progressions by bass and root, pivots, and the facts that they rest on."""

from itertools import combinations, pairwise

import pytest

from theory_kb.catalogue import catalogue
from theory_kb.chords import Chord, chord, read_chord, spell, vocabulary
from theory_kb.facts import load_facts
from theory_kb.key_relations import pivots
from theory_kb.pitch import Key, PitchClass
from theory_kb.query import (
    GRADES,
    bass_degrees,
    grade_table,
    may_follow,
    prolongations,
    rule_of_the_octave,
)

TONICS = ("C", "G", "D", "A", "E", "B", "F#", "C#", "F", "Bb", "Eb", "Ab", "Db", "Gb", "Cb")
MAJOR = [Key.parse(f"{tonic} major") for tonic in TONICS]
KEYS = [*MAJOR, *(key.relative for key in MAJOR)]
MODES = ("major", "minor")


def grade(mode: str, before: str, after: str) -> str:
    """The grade of a step by symbols."""
    return may_follow(chord(mode, before), chord(mode, after)).grade


@pytest.mark.parametrize(
    ("mode", "steps", "wanted"),
    [
        ("major", "V-IV6", "B"),
        ("major", "V-IV", "X"),
        ("major", "V7-IV6", "X"),
        ("major", "V7-I6", "C"),
        ("major", "ii42-V65", "A"),
        ("major", "ii42-V", "X"),
        ("major", "V42/IV-IV6", "A"),
        ("major", "V42/IV-IV", "X"),
        ("major", "V65/V-V42", "A"),
        ("major", "V7/vi-IV", "B"),
        ("major", "V7/IV-ii", "B"),
        ("minor", "viio7/V-cad64", "B"),
        ("major", "V-cad64", "X"),
        ("major", "I-IV64", "B"),
        ("major", "IV64-I", "A"),
        ("major", "V-IV64", "X"),
        ("minor", "v6-iv6", "A"),
        ("minor", "iv6-v", "C"),
        ("minor", "V7/III-i", "B"),
        ("minor", "N6-V", "A"),
        ("minor", "i-N6", "B"),
        ("minor", "N6-viio7/V", "B"),
        ("major", "iii-V", "C"),
    ],
)
def test_the_bass_decides(mode: str, steps: str, wanted: str) -> None:
    """Passing IV6, sevenths in the bass, pedal six-fours, deceptive and chromatic steps."""
    before, after = steps.split("-")
    assert grade(mode, before, after) == wanted


@pytest.mark.parametrize(
    "after", [each for each in vocabulary() if each.mode == "major"], ids=lambda each: each.symbol
)
def test_cadential_six_four_has_one_way_on(after: Chord) -> None:
    """From the cadential six-four only V and V7 in root position are licensed."""
    licensed = may_follow(chord("major", "cad64"), after).grade != "X"
    assert licensed == (after.symbol in ("V", "V7", "cad64"))


def test_share_says_whose_continuations_were_counted() -> None:
    """A share of inversions is told from a share of roots, and no share is given uncounted."""
    v65 = may_follow(chord("major", "V65"), chord("major", "I"))
    assert v65.share == 84
    assert "of what follows V65 in Bach" in v65.text
    iv = may_follow(chord("major", "IV"), chord("major", "V43"))
    assert "of what follows IV in any position in Bach" in iv.text
    assert may_follow(chord("minor", "N6"), chord("minor", "cad64")).share is None


def test_conditional_progressions_name_their_condition() -> None:
    """Whatever is conditional by root says under which condition it is right."""
    table = load_facts().progressions
    for mode in MODES:
        for before, grades in table[mode].items():
            for after in grades["C"]:
                assert table["conditions"][mode][before][after], (mode, before, after)
    found = may_follow(chord("major", "iii"), chord("major", "V"))
    assert found.grade == "C"
    assert found.condition in found.text


def test_tables_by_bass_name_chords_of_the_vocabulary() -> None:
    """Positions, special grades and duties speak of chords that exist; shares do not pass 100."""
    table = load_facts().progressions
    symbols = {each.symbol for each in vocabulary()}
    for mode in MODES:
        for before, shares in table["positions"][mode].items():
            assert all(chord(mode, symbol) for symbol in (before, *shares))
            assert sum(shares.values()) <= 101, before  # each is rounded
    named = [symbol for fact in table["special"] for symbol in (*fact["before"], *fact["after"])]
    named += [
        symbol for before, duty in table["duties"].items() for symbol in (before, *duty["to"])
    ]
    assert set(named) <= symbols


def test_counted_continuations_are_licensed() -> None:
    """What Bach often does from a position (5% or more) is never graded as avoided."""
    for mode in MODES:
        for before, shares in load_facts().progressions["positions"][mode].items():
            for after, share in shares.items():
                assert share < 5 or grade(mode, before, after) != "X", (mode, before, after)


def test_phrases_by_the_textbook_are_licensed() -> None:
    """No step of a phrase that Kostka and Payne show by name is graded as avoided."""
    named = catalogue()["progression"].values()
    shown = [each for each in named if each.sources[0].startswith("KP")]
    assert shown
    for each in shown:
        for before, after in pairwise(each["chords"]):
            one, other = (read_chord(each["mode"], symbol) for symbol in (before, after))
            assert may_follow(one, other).grade != "X", (each["chords"], before, after)


def test_table_agrees_with_the_question() -> None:
    """Every cell of the table is the grade of its pair; modes never mix."""
    grades = grade_table()
    chords = vocabulary()
    for before in chords[::7]:
        for after in chords:
            assert grades[before.index, after.index] == GRADES[may_follow(before, after).grade]
            assert before.mode == after.mode or not grades[before.index, after.index]


def test_sevenths_can_resolve_where_a_step_is_licensed() -> None:
    """In each licensed change of harmony the next chord holds the seventh or its lower neighbour."""
    grades = grade_table()
    for before in (each for each in vocabulary() if each.seventh is not None):
        assert before.seventh is not None
        seventh = PitchClass(before.seventh).letter
        for after in vocabulary():
            if grades[before.index, after.index]:
                letters = {PitchClass(member).letter for member in after.members}
                assert letters & {seventh, (seventh - 1) % 7}, (before.symbol, after.symbol)


def test_every_chord_of_free_use_can_be_reached() -> None:
    """What a composer may use freely follows something, and a tonic can be reached from it."""
    grades = grade_table() > 0
    for mode, tonic in zip(MODES, ("I", "i"), strict=True):
        reached = {chord(mode, tonic).index}
        while fresh := {
            each.index
            for each in vocabulary()
            if each.index not in reached and any(grades[each.index, goal] for goal in reached)
        }:
            reached |= fresh
        for each in (one for one in vocabulary() if one.mode == mode and one.use != "rare"):
            assert grades[:, each.index].any(), each.symbol
            assert each.index in reached, each.symbol


def test_pivot_readings_among_thirty_keys() -> None:
    """Over all pairs 484 readings of consonant triads; a pair has as many both ways."""
    found = [pivot for one, other in combinations(KEYS, 2) for pivot in pivots(one, other)]
    assert sum(pivot.before.quality != "dim" for pivot in found) == 484
    for one, other in pairwise(KEYS):
        assert len(pivots(one, other)) == len(pivots(other, one))


@pytest.mark.parametrize(
    ("home", "counts"),
    [
        (
            "C major",
            {
                "G major": 4,
                "F major": 4,
                "A minor": 6,
                "E minor": 4,
                "D minor": 4,
                "D major": 2,
                "Bb major": 2,
                "G minor": 2,
                "C minor": 1,
                "F minor": 1,
                "Eb major": 0,
                "E major": 0,
                "Ab major": 0,
            },
        ),
        (
            "A minor",
            {"C major": 6, "D minor": 4, "E minor": 4, "F major": 4, "G major": 4, "A major": 1},
        ),
    ],
)
def test_common_triads_of_two_keys(home: str, counts: dict[str, int]) -> None:
    """Near keys share many consonant triads, far ones none."""
    here = Key.parse(home)
    for name, count in counts.items():
        found = [pivot for pivot in pivots(here, Key.parse(name)) if pivot.before.quality != "dim"]
        assert len(found) == count, name


def test_modulation_by_a_predominant_comes_first() -> None:
    """From C to G major the first pivot is A minor, vi that becomes ii."""
    first = pivots(Key.parse("C major"), Key.parse("G major"))[0]
    assert (first.before.symbol, first.after.symbol) == ("vi", "ii")


def test_keys_of_a_triad() -> None:
    """F-A-C is I of F, IV of C, V of B flat, III of d, VI of a, VII of g, and V of b flat minor."""
    wanted = {PitchClass.parse(name) for name in "FAC"}
    found = {
        (key.name, each.numeral)
        for key in KEYS
        for each in vocabulary()
        if each.mode == key.mode
        and each.origin in ("diatonic", "minor-form")
        and each.seventh is None
        and set(spell(each, key)) == wanted
    }
    book = {
        ("F major", "I"),
        ("C major", "IV"),
        ("Bb major", "V"),
        ("D minor", "III"),
        ("A minor", "VI"),
        ("G minor", "VII"),
        ("Bb minor", "V"),
    }
    assert book <= found
    assert found - book == {("C minor", "IV")}  # with the raised sixth


SCALE = {
    ("major", False): (0, 2, 4, -1, 1, 3, 5, 0),
    ("major", True): (0, 5, 3, 1, -1, 4, 2, 0),
    ("minor", False): (0, 2, -3, -1, 1, 3, 5, 0),
    ("minor", True): (0, -2, -4, 1, -1, -3, 2, 0),
}


@pytest.mark.parametrize(("mode", "down"), SCALE)
def test_rule_of_the_octave_walks_the_scale(mode: str, down: bool) -> None:
    """Up with the raised sixth and seventh, down with the lowered ones in minor."""
    chords = rule_of_the_octave(mode, down=down)
    assert tuple(each.bass for each in chords) == SCALE[mode, down]
    avoided = {
        (before.symbol, after.symbol)
        for before, after in pairwise(chords)
        if may_follow(before, after).grade == "X"
    }
    assert avoided <= {("V6", "V43/V")}  # a chord of the falling scale, not of chorales


@pytest.mark.parametrize("mode", MODES)
def test_chords_stand_on_the_degree_they_are_listed_under(mode: str) -> None:
    """The table of bass degrees agrees with the chords' own lowest notes."""
    degrees = bass_degrees(mode)
    assert len({each.place for each in degrees}) == len(degrees) >= 10
    for each in degrees:
        assert all(one.bass == each.place for row in each.chords.values() for one in row), each.name


def test_prolongations_begin_and_end_on_the_tonic() -> None:
    """Each way to prolong leads from I to I, I6 or, deceptively, vi."""
    for name, ways in prolongations().items():
        for chords in ways:
            assert chords[0].numeral == "I", name
            assert chords[-1].numeral in ("I", "vi"), name
