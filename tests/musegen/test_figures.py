"""Roman numerals as RomanText writes them, and lead-sheet symbols."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.analysis.figures import (
    chord_of_figure,
    chord_of_function,
    chord_symbol,
    chords_of_symbol,
    figure_of_chord,
    functional_symbol,
    read_figure,
)
from theory_kb.chords import Chord, chord, every_chord, read_chord
from theory_kb.labels import find_label
from theory_kb.pitch import Key
from theory_kb.roman import find_roman, plain_label


@pytest.mark.parametrize(
    ("mode", "text", "symbol"),
    [
        ("major", "I", "I"),
        ("major", "V6/5/IV", "V65/IV"),
        ("major", "V2", "V42"),
        ("major", "I6/4", "I64"),
        ("major", "Cad64", "cad64"),
        ("minor", "ii/o6/5", "iiø65"),
        ("minor", "iiø6/5", "iiø65"),
        ("minor", "viio7", "viio7"),
        ("minor", "vii°6", "viio6"),
        ("minor", "bII6", "N6"),
        ("minor", "It6", "It6"),
        ("minor", "It", "It6"),
        ("minor", "It+6", "It6"),
        ("minor", "It5/3", "It"),
        ("minor", "Fr", "Fr43"),
        ("major", "Sw4/3", "Sw43"),
        ("major", "Sw6", "Sw43"),
        ("major", "vii6", "viio6"),
        ("minor", "bVI6", "VI6"),
        ("minor", "#viio7", "viio7"),
        ("minor", "ii6/5", "iiø65"),
        ("major", "V9", "V7"),
        ("major", "V5", "V"),
        ("major", "V7/V7", "V7/V"),
        ("minor", "V7/IV", "V7/iv"),
        ("major", "-VI", "bVI"),
        ("minor", "vii7o", "viio7"),
        ("major", "Ger65", "Ger65"),
        ("major", "V[no3]", "V"),
        ("minor", "viio7/V", "viio7/V"),
    ],
)
def test_what_analysts_write_is_a_chord_of_the_knowledge_base(
    mode: str, text: str, symbol: str
) -> None:
    """Figures with and without strokes, half-diminished signs, other names."""
    found = chord_of_figure(mode, text)
    assert found is not None
    assert found.symbol == symbol


@pytest.mark.parametrize("text", ["", "X", "H7", "var", "V/", "I4", "ii6/V", "Fr5/3", "Gero65"])
def test_what_is_no_numeral_is_no_chord(text: str) -> None:
    """Nothing is guessed."""
    assert chord_of_figure("major", text) is None
    assert read_figure(text) is None or chord_of_figure("major", text) is None


def test_figures_read_back() -> None:
    """A chord's figure means a chord of the same tones over the same bass."""
    for one in every_chord():
        back = chord_of_figure(one.mode, figure_of_chord(one))
        assert back is not None
        assert (back.members, back.inversion) == (one.members, one.inversion)


STEMS = (
    "I",
    "i",
    "ii",
    "iii",
    "IV",
    "V",
    "v",
    "vi",
    "vii",
    "bII",
    "bVI",
    "N",
    "It",
    "Ger",
    "Fr",
    "Sw",
)
SIGNS = ("", "o", "ø", "/o", "+")
DIGITS = ("", "6", "53", "64", "6/4", "7", "65", "5/6", "43", "4/3", "42", "2", "4", "77")
TARGETS = ("", "/V", "/ii", "/iv", "/VI")


def test_analysts_and_students_are_read_alike() -> None:
    """Where a text is a Roman numeral of the knowledge base, no dialect reads it otherwise."""
    read = 0
    for mode, *parts in product(("major", "minor"), STEMS, SIGNS, DIGITS, TARGETS):
        text = "".join(parts)
        chord = find_roman(mode, plain_label(text))
        if chord is not None:
            assert chord_of_figure(mode, text) == find_label(mode, text) == chord
            read += 1
    assert read > 600


@given(text=st.text(st.sampled_from("IViv7654320b#-oø+/[]()VNGerFtSw"), max_size=9))
def test_no_text_breaks_a_dialect(text: str) -> None:
    """Whatever is written is read as one chord by all, or is the dialect's own, or none."""
    for mode in ("major", "minor"):
        chord = find_roman(mode, plain_label(text))
        found = chord_of_figure(mode, text)
        assert found == chord if chord is not None else found is None or found.mode == mode


@pytest.mark.parametrize(
    ("key", "symbol", "text"),
    [
        ("C major", "ii65", "Dm7/F"),
        ("C major", "V42/IV", "C7/Bb"),
        ("A minor", "viio7", "G#dim7"),
        ("F# minor", "N6", "G/B"),
    ],
)
def test_lead_sheet_symbols(key: str, symbol: str, text: str) -> None:
    """Root, quality and bass, spelled."""
    home = Key.parse(key)
    assert chord_symbol(chord(home.mode, symbol), home) == text


@pytest.mark.parametrize(
    ("mode", "symbol", "shown"),
    [
        ("major", "I", "T"),
        ("major", "V65", "D65"),
        ("major", "ii65", "S(ii)65"),
        ("major", "vi", "T(vi)"),
        ("minor", "iv6", "s6"),
        ("minor", "i", "t"),
        ("minor", "N6", "S(N)6"),
        ("minor", "Ger65", "S(Ger)65"),
        ("major", "iv", "s"),
        ("major", "bVI", "T(bVI)"),
        ("major", "cad64", "K64"),
        ("major", "V64", "D64"),
        ("major", "V7/ii", "(D7)ii"),
        ("minor", "viio7/V", "(D(viio)7)V"),
    ],
)
def test_functional_symbols_by_the_book(mode: str, symbol: str, shown: str) -> None:
    """Applied chords, mixture, Neapolitan, augmented sixth, cadential six-four."""
    assert functional_symbol(read_chord(mode, symbol)) == shown


def test_every_chord_comes_back_from_its_functional_symbol() -> None:
    """No two chords of a mode share one."""
    for each in every_chord():
        assert chord_of_function(each.mode, functional_symbol(each)) == each
    assert chord_of_function("major", "Q7") is None


@pytest.mark.parametrize("name", ["C major", "A minor", "F# major", "Eb minor"])
def test_every_chord_comes_back_from_its_lead_sheet_symbol(name: str) -> None:
    """What a symbol means in a key sounds as the chord did, spelling and bass included."""
    key = Key.parse(name)
    for each in every_chord():
        if each.mode == key.mode:
            back = chords_of_symbol(chord_symbol(each, key), key)
            assert each in back
            assert {(set_of(other), other.bass) for other in back} == {(set_of(each), each.bass)}
    assert chords_of_symbol("H13", key) == ()


def set_of(each: Chord) -> frozenset[int]:
    """Tones of a chord."""
    return frozenset(each.members)
