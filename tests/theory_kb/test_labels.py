from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory_kb.chord_symbols import ChordSymbol, chord_qualities, symbol_suffix
from theory_kb.chords import Chord, every_chord, read_chord
from theory_kb.errors import MusegenError, UnknownNameError
from theory_kb.labels import find_label, functional_label, label, read_label, read_view
from theory_kb.pitch import PitchClass
from theory_kb.scales import scale_names, spell_scale


@pytest.mark.parametrize(
    ("mode", "roman", "functional"),
    [
        ("major", "I6", "T6"),
        ("major", "ii65", "SII56"),
        ("major", "vi", "TSVI"),
        ("major", "V43", "D34"),
        ("major", "V42", "D2"),
        ("major", "cad64", "K46"),
        ("major", "V65/V", "DD56"),
        ("major", "viio7/V", "DDVII7"),
        ("major", "V7/ii", "D7/SII"),
        ("minor", "i", "t"),
        ("minor", "iiø65", "sII56"),
        ("minor", "VI", "tsVI"),
        ("minor", "viio7", "DVII7"),
        ("minor", "Ger65", "b3DDVII56"),
        ("minor", "Fr43", "b5DD34"),
        ("minor", "It6", "b3DDVII6"),
        ("minor", "N6", "N6"),
    ],
)
def test_one_chord_has_two_views(mode: str, roman: str, functional: str) -> None:
    """The table of the Chinese classroom, both ways."""
    chord = read_chord(mode, roman)
    assert (label(chord, "roman"), label(chord, "functional")) == (roman, functional)
    assert read_label(mode, functional) == chord


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("V6/5", "V65"),
        ("V34", "V43"),
        ("V2", "V42"),
        ("I46", "I64"),
        ("vii°7", "viio7"),
        ("viidim7", "viio7"),
        ("vii07", "viio7"),
        ("vii/o6/5", "viiø65"),
        ("vii7", "viiø7"),
        ("Ger6", "Ger65"),
        ("bII6", "N6"),
        ("Cad64", "cad64"),
        ("K", "cad64"),
        ("V6/4-5/3", "cad64"),
        ("V6-5/4-3", "cad64"),
        ("It", "It6"),
        ("It+6", "It6"),
        ("It53", "It"),
        ("Ger", "Ger65"),
        ("Fr6", "Fr43"),
        ("Sw", "Sw43"),
        ("Sw4/3", "Sw43"),
        ("(D7)->SII", "V7/ii"),
        ("D65", "V65"),
    ],
)
def test_labels_are_read_in_many_spellings(text: str, symbol: str) -> None:
    """Digits in any order, signs of any kind."""
    assert read_label("major", text).symbol == symbol


def test_a_view_reads_its_own_labels_only() -> None:
    """Who is asked for T S D cannot answer in Roman numerals."""
    assert read_view("major", "D56", "functional") == read_view("major", "V65", "roman")
    for text, view in (("V65", "functional"), ("D56", "roman"), ("K46", "roman")):
        with pytest.raises(UnknownNameError):
            read_view("major", text, view)  # type: ignore[arg-type]


def labelled(chord: Chord) -> bool:
    """Whether the school of T S D has a label for a chord."""
    try:
        return bool(functional_label(chord))
    except KeyError:
        return False


@pytest.mark.parametrize("mode", ["major", "minor"])
def test_every_symbol_reads_back(mode: str) -> None:
    """A Roman numeral is read as itself, a functional label as a chord with that label."""
    for chord in every_chord():
        if chord.mode == mode and chord.symbol != "It":  # which stands for its usual position
            assert read_label(mode, chord.symbol) == chord
        if chord.mode == mode and labelled(chord):
            assert functional_label(read_label(mode, functional_label(chord))) == (
                functional_label(chord)
            )


@given(text=st.text(max_size=20), mode=st.sampled_from(["major", "minor"]))
def test_no_text_breaks_the_reading(text: str, mode: str) -> None:
    """Whatever is written, a label is a chord or none."""
    assert find_label(mode, text) is None or find_label(mode, text) in every_chord()


@pytest.mark.parametrize(
    ("text", "tones"),
    [
        ("Cmaj7", "C E G B"),
        ("F#m7b5", "F# A C E"),
        ("Bb7/D", "Bb D F Ab"),
        ("G7#9", "G B D F A#"),
        ("Ebdim7", "Eb Gb Bbb Dbb"),
        ("Asus4", "A D E"),
    ],
)
def test_symbols_of_lead_sheets_are_spelled(text: str, tones: str) -> None:
    """Tones from the root up."""
    symbol = ChordSymbol.parse(text)
    assert " ".join(tone.name for tone in symbol.tones) == tones
    assert ChordSymbol.parse(str(symbol)) == symbol


@given(
    root=st.integers(-6, 8), quality=st.sampled_from(sorted(chord_qualities())),
    bass=st.none() | st.integers(-6, 8),
)  # fmt: skip
def test_symbols_read_back(root: int, quality: str, bass: int | None) -> None:
    """What is written is read as the same chord."""
    low = None if bass is None or bass == root else PitchClass(bass)
    symbol = ChordSymbol(PitchClass(root), quality, low)
    assert ChordSymbol.parse(str(symbol)).tones == symbol.tones
    assert symbol_suffix(quality) in str(symbol)


@pytest.mark.parametrize(
    ("text", "quality"),
    [
        ("CΔ", "maj7"),
        ("CΔ7", "maj7"),
        ("C-Δ7", "minmaj7"),
        ("Cm(maj7)", "minmaj7"),
        ("C7(b9)", "7b9"),
        ("Cm7(♭5)", "m7b5"),
        ("C°7", "dim7"),
    ],
)
def test_signs_of_lead_sheets_are_read(text: str, quality: str) -> None:
    """The triangle is a major seventh; brackets and printed signs say what plain letters do."""
    assert ChordSymbol.parse(text) == ChordSymbol(PitchClass(0), quality)
    assert ChordSymbol.parse(f"B♭{text[1:]}/D") == ChordSymbol(
        PitchClass(-2), quality, PitchClass(2)
    )


def test_an_unknown_suffix_is_refused() -> None:
    """The refusal names what is allowed."""
    with pytest.raises(MusegenError, match="unknown suffix of a chord symbol 'foo'"):
        ChordSymbol.parse("Cfoo")
    with pytest.raises(MusegenError, match="unknown suffix of a chord symbol 'b5'"):
        ChordSymbol.parse("C(b5)")  # not the power chord on Cb


@pytest.mark.parametrize("name", scale_names())
def test_scales_come_home(name: str) -> None:
    """A scale begins and ends on its tonic, rises by the steps of the table and falls by some."""
    from theory_kb.facts import load_facts

    up = spell_scale(PitchClass(2), name)
    assert up[0] == up[-1] == spell_scale(PitchClass(2), name, falling=True)[-1]
    steps = [(b.semitone - a.semitone) % 12 for a, b in pairwise(up)]
    assert steps == load_facts().scales["scales"][name]["steps"]
