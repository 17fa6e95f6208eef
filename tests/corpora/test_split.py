"""The split and how it is made."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from corpora.catalogue import entry
from corpora.make_split import make_split
from corpora.read import Reading
from corpora.split import SPLITS, check_split_name, likeness, split_of, split_table
from musegen.encoding import transposed
from musegen.errors import FactError, UnknownNameError
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Interval, Key, Pitch

FILE = entry("bach-chorales").split


def tune(seed: int, length: int = 20) -> Score:
    """Two lines in quarter notes that no other seed gives."""
    lines = tuple(
        Part(
            name,
            tuple(
                Note(
                    Fraction(place),
                    Fraction(1),
                    Pitch.parse("CDEFGAB"[place * place * seed % 7] + octave),
                )
                for place in range(length)
            ),
        )
        for name, octave in (("Soprano", "4"), ("Bass", "3"))
    )
    return Score(str(seed), Key.parse("C"), lines, (Metre(4, 4),))


def test_every_four_part_file_is_in_one_split() -> None:
    """368 names, none twice."""
    table = split_table(FILE)
    assert len(table) == entry("bach-chorales").four_part
    assert set(table.values()) == set(SPLITS)


def test_benchmark_pieces_are_not_trained_on() -> None:
    """Two that the benchmark tests on, one that it validates on, one that it trains on."""
    assert split_of("bwv393", FILE) == "test"
    assert split_of("bwv361", FILE) == "test"
    assert split_of("bwv188.6", FILE) == "valid"
    assert split_of("bwv360", FILE) == "train"


def test_both_encodings_of_a_piece_are_in_one_split() -> None:
    """A Humdrum file goes with its MusicXML twin."""
    for name in ("bwv277", "bwv281", "bwv366"):
        assert split_of(name, FILE) == split_of(f"{name}.krn", FILE)


def test_unknown_names_are_refused() -> None:
    """A piece in no split, a split that does not exist."""
    with pytest.raises(FactError, match=r"bwv9999.*in no split"):
        split_of("bwv9999", FILE)
    with pytest.raises(UnknownNameError, match="held_out"):
        check_split_name("dev")


def test_a_transposed_piece_is_like_itself() -> None:
    """Likeness knows no key; other notes are not alike."""
    one = tune(1)
    assert likeness(one, transposed(one, Interval.parse("M2"))) == 1
    assert likeness(one, tune(3)) < 0.3
    assert likeness(one, tune(1, length=4)) == 0


def test_a_split_is_made_from_a_map_and_from_likeness() -> None:
    """Mapped, faintly mapped, second-best and copied pieces are out of training."""
    names = {"valid-one": 1, "test-one": 2, "second": 3, "plain": 5}
    readings = [Reading(name, tune(seed)) for name, seed in names.items()]
    copy = replace(tune(2), title="copy")
    readings += [
        Reading("copy-of-test", copy),
        Reading("valid-one.krn", tune(1)),
        Reading("orchestra", None, "9 parts instead of four"),
    ]
    row = {"file": "", "score": 0.0, "second": "", "second_score": 0.0}
    mapping = {
        "valid": [row | {"file": "valid-one.mxl", "score": 0.35}],
        "test": [
            row
            | {"file": "test-one.mxl", "score": 1.0, "second": "second.mxl", "second_score": 0.3},
            row | {"file": "plain.mxl", "score": 0.29},
        ],
    }
    made = make_split(mapping, readings)
    assert made["splits"] == {
        "train": ["plain"],
        "valid": ["valid-one", "valid-one.krn"],
        "test": ["test-one"],
        "held_out": ["second", "copy-of-test"],
    }
    reasons = made["reasons"]
    assert isinstance(reasons, dict)
    assert reasons["copy-of-test"] == "like test-one: 1.00"
