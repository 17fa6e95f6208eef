"""Roman numerals as RomanText writes them, and lead-sheet symbols."""

from __future__ import annotations

import pytest

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
from theory_kb.pitch import Key


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


@pytest.mark.parametrize("text", ["", "X", "H7", "var", "V/", "I4"])
def test_what_is_no_numeral_is_no_chord(text: str) -> None:
    """Nothing is guessed."""
    assert chord_of_figure("major", text) is None
    assert read_figure(text) is None or chord_of_figure("major", text) is None


@pytest.mark.parametrize("place", range(0, len(every_chord()), 7))
def test_figures_read_back(place: int) -> None:
    """A chord's figure means a chord of the same tones over the same bass."""
    one = every_chord()[place]
    back = chord_of_figure(one.mode, figure_of_chord(one))
    assert back is not None
    assert (back.members, back.inversion) == (one.members, one.inversion)


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
