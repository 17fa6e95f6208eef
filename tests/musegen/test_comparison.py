"""Two analyses side by side: shares of the time, where they differ, and how the other one ranks."""

from __future__ import annotations

from fractions import Fraction
from math import isnan
from pathlib import Path

import pytest

from musegen.analysis.analyse import analyse, hear
from musegen.analysis.comparison import (
    CadencePair,
    HumanLabel,
    Ranks,
    Tally,
    compare,
    compared,
    f1,
)
from musegen.errors import ScoreError
from musegen.io.analysis_text import romantext
from musegen.io.comparison_text import comparison_lines, comparison_record
from musegen.io.romantext_reading import parse_romantext, read_romantext
from musegen.score import ChordLabel, Metre, Note, Part, Score
from theory_kb.chords import read_chord
from theory_kb.pitch import Key, Pitch

C, G = Key.parse("C major"), Key.parse("G major")
HEAD = "Composer: x\nTitle: y\nAnalyst: z\nTime Signature: 4/4\n\n"


def human(onset: int, length: int, key: Key, symbol: str) -> HumanLabel:
    """What a person writes."""
    chord = read_chord(key.mode, symbol)
    return HumanLabel(Fraction(onset), Fraction(length), key, symbol, chord.index)


def ours(onset: int, length: int, key: Key, symbol: str) -> ChordLabel:
    """What a program writes."""
    return ChordLabel(Fraction(onset), Fraction(length), key, symbol)


def block(*chords: str) -> Score:
    """A chord a beat, each given from soprano to bass."""
    rows = [text.split() for text in chords]
    parts = tuple(
        Part(
            f"V{voice}",
            tuple(
                Note(Fraction(beat), Fraction(1), Pitch.parse(row[voice]))
                for beat, row in enumerate(rows)
            ),
        )
        for voice in range(4)
    )
    return Score("blocks", C, parts, (Metre(4, 4),))


def test_shares_are_of_the_time_that_the_given_analysis_covers() -> None:
    """Four beats agree, two in the numeral alone, one in the root alone; what is beyond counts not."""
    truth = [human(0, 4, C, "I"), human(4, 2, C, "V6"), human(6, 1, C, "V")]
    said = [ours(0, 4, C, "I"), ours(4, 2, C, "V"), ours(6, 3, G, "I")]
    tally = Tally()
    compare(truth, said, tally)
    assert tally.beats == 7
    assert tally.share("key") == pytest.approx(6 / 7)
    assert tally.share("root") == 1
    assert tally.share("numeral") == pytest.approx(6 / 7)
    assert tally.share("full") == pytest.approx(4 / 7)
    told = [(int(each.onset), each.theirs[1], each.ours[1]) for each in tally.differences]
    assert told == [
        (4, "V6", "V"),
        (6, "V", "I"),
    ]
    assert tally.classes["V"] == [3.0, 2.0]


def test_a_cadential_six_four_is_a_tonic_six_four() -> None:
    """RomanText has one sign for both."""
    tally = Tally()
    compare([human(0, 1, C, "I64")], [ours(0, 1, C, "cad64")], tally)
    assert tally.share("full") == 1


def test_the_best_reading_ranks_first_and_an_absurd_one_far_below() -> None:
    """Ranks follow the posterior; what is no reading that is weighed has none."""
    heard = hear(block("G4 E4 C4 C3", "A4 F4 C4 F3", "G4 D4 B3 G3", "G4 E4 C4 C3"), key=C)
    ranks = Ranks(heard.found, heard.chances)
    whole = Fraction(0), Fraction(1)
    assert ranks.of(human(0, 1, C, "I"), *whole) == 1
    absurd = ranks.of(human(0, 1, C, "viio7/V"), *whole)
    assert absurd is not None
    assert absurd > 5
    assert ranks.of(HumanLabel(*whole, C, "?", None), *whole) is None
    assert ranks.of(human(0, 1, Key.parse("Gb major"), "I"), *whole) is None


def test_cadences_are_counted_by_kind() -> None:
    """Two of three true ones are found, one of them in another key; one more is said."""
    pairs = [
        CadencePair(Fraction(4), "cad-pac", "cad-pac", in_key=True),
        CadencePair(Fraction(8), "cad-hc", "cad-hc", in_key=False),
        CadencePair(Fraction(12), "cad-hc", None, in_key=True),
        CadencePair(Fraction(16), None, "cad-plagal", in_key=True),
    ]
    assert f1(pairs) == pytest.approx(2 * 2 / 6)
    assert f1(pairs, in_key=True) == pytest.approx(2 * 1 / 6)
    assert isnan(f1([]))


def test_our_own_romantext_agrees_with_us() -> None:
    """What is written is read back as the same analysis, whatever keys and inversions it has."""
    score = block(
        "G4 E4 C4 C3", "A4 E4 C4 A3", "A4 F#4 D4 D3", "B4 G4 D4 G3", "C5 E4 C4 A3",
        "A4 F#4 C4 D3", "B4 G4 D4 G3", "F4 D4 B3 G3", "G4 E4 C4 C3",
    )  # fmt: skip
    heard = hear(score)
    analysis = analyse(score, heard=heard)
    labels = parse_romantext(romantext(analysis), "own")
    found = compared("own", labels, heard, analysis)
    assert found.tally.share("full") == 1
    assert found.tally.differences == []
    assert found.fit > 0.95
    assert all(pair.theirs == pair.ours for pair in found.cadences)


@pytest.mark.parametrize(
    "text", ["m1 C: I b3 V\nm2 I\n", "m0 b4 C: I\nm1 I b3 V\nm2 I\n", "m0 C: I\nm1 I b3 V\nm2 I\n"]
)
def test_bars_of_a_text_fall_on_those_of_the_score(text: str) -> None:
    """An upbeat may be left out, or written as long as it is or as a whole bar: bar 1 is bar 1."""
    bars = {0: Fraction(0), 1: Fraction(1), 2: Fraction(5)}
    labels = parse_romantext(HEAD + text, "upbeat.rntxt", bars=bars)
    assert [each.onset for each in labels if each.onset >= 1][-3:] == [1, 3, 5]


def test_a_text_of_bars_that_the_score_has_not_is_refused() -> None:
    """Bar 9 of an analysis cannot be laid on a score of two."""
    with pytest.raises(ScoreError, match=r"bar 9: the score has only bars 1 to 2"):
        parse_romantext(f"{HEAD}m9 C: I\n", "x", bars={1: Fraction(0), 2: Fraction(4)})


def test_a_difference_is_told_with_its_place_and_rank() -> None:
    """A given ii6 for IV is the one difference, and a low one."""
    score = block("G4 E4 C4 C3", "A4 F4 C4 F3", "G4 D4 B3 G3", "G4 E4 C4 C3")
    heard = hear(score, key=C)
    analysis = analyse(score, heard=heard)
    labels = parse_romantext(f"{HEAD}m1 C: I b2 ii6 b3 V b4 I\n", "other.rntxt")
    found = compared("other.rntxt", labels, heard, analysis)
    (difference,) = found.tally.differences
    assert (difference.theirs[1], difference.ours[1]) == ("ii6", "IV")
    assert difference.rank is None or difference.rank > 1
    text = list(comparison_lines(found, analysis))
    assert any("bar 1, beat 2" in line and "C major: ii6" in line for line in text)
    record = comparison_record(found)["against"]
    assert record["shares"]["full"] == 0.75
    assert record["differences"][0]["theirs"] == ["C major", "ii6"]
    assert comparison_record(None) == {}


def test_an_analysis_of_something_else_is_said_to_be_so() -> None:
    """Chords that do not fit what sounds are of another piece."""
    score = block("G4 E4 C4 C3", "G4 E4 C4 C3")
    heard = hear(score, key=C)
    labels = parse_romantext(f"{HEAD}m1 Gb: I b2 V\n", "else.rntxt")
    found = compared("else.rntxt", labels, heard, analyse(score, heard=heard))
    assert found.fit < 0.5
    assert any("another version" in line for line in comparison_lines(found, analyse(score)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no bar"),
        ("hello\n", "holds no bar"),
        (f"{HEAD}m1 C: Q b2 V\n", "bar 1"),
        (f"{HEAD}m1 b2\n", "line 6"),
    ],
)
def test_what_is_no_romantext_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    """The refusal names the file."""
    path = tmp_path / "odd.rntxt"
    path.write_text(text)
    with pytest.raises(ScoreError, match=said) as caught:
        read_romantext(path)
    assert str(caught.value).startswith("odd.rntxt")
    assert "\n" not in str(caught.value)
    with pytest.raises(ScoreError, match="cannot be read"):
        read_romantext(tmp_path / "nowhere.rntxt")
