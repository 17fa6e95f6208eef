from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest

from musegen.errors import ScoreError
from musegen.io.engraving import engrave_small
from musegen.io.examples import CLEFS, Example, ExampleStaff, Sign, example_ids, write_example
from musegen.io.reading import read_piece
from musegen.score import Metre
from theory_kb.pitch import Pitch


def sign(names: str, length: str = "4", **more: object) -> Sign:
    """A note or chord by name, a rest for no name."""
    return Sign(tuple(map(Pitch.parse, names.split())), Fraction(length), **more)  # type: ignore[arg-type]


def one_staff(clef: str, *bars: tuple[Sign, ...], sharps: int = 0, metre: str = "") -> Example:
    """A single staff."""
    beats, _, unit = metre.partition("/")
    counted = Metre(int(beats), int(unit)) if metre else None
    return Example((ExampleStaff(clef, bars),), sharps, counted)


@pytest.mark.parametrize("clef", CLEFS)
def test_notes_are_read_back_in_every_clef(clef: str, tmp_path: Path) -> None:
    """What is written is a score that others read, with the same notes."""
    example = one_staff(clef, (sign("F#4"), sign("Bb3"), sign("C4")), sharps=-2)
    path = tmp_path / "example.musicxml"
    path.write_text(write_example(example), encoding="utf-8")
    notes = [note.pitch.name for part in read_piece(path).parts for note in part.notes]
    assert notes == ["F#4", "Bb3", "C4"]


def test_accidentals_are_shown_against_the_signature() -> None:
    """Under two flats F sharp shows its sign, B flat none, E natural its natural."""
    text = write_example(one_staff("treble", (sign("F#4"), sign("Bb4"), sign("E5")), sharps=-2))
    assert re.findall(r"<accidental>(\w+)</accidental>", text) == ["sharp", "natural"]


def test_ids_are_those_of_the_picture() -> None:
    """Each note or chord has an id that the engraving keeps; a rest has none."""
    example = one_staff("treble", (sign("C5", "1"), sign("", "1"), sign("E4 G4", "2")), metre="4/4")
    assert example_ids(example) == ("n1", "n2")
    picture = engrave_small(write_example(example))
    assert 'id="n1"' in picture
    assert 'id="n2"' in picture


def test_a_tuplet_has_one_bracket() -> None:
    """Three triplet eighths: a bracket that starts and stops, one beam."""
    triplet = tuple(sign("B4", "1/3") for _ in range(3))
    text = write_example(one_staff("treble", (*triplet, sign("B4", "1")), metre="2/4"))
    assert re.findall(r'<tuplet type="(\w+)"', text) == ["start", "stop"]
    assert re.findall(r'<beam number="1">(\w+)</beam>', text) == ["begin", "continue", "end"]


def test_double_dots_are_written() -> None:
    """Seven eighths of a half note are a double-dotted quarter note."""
    text = write_example(one_staff("treble", (sign("B4", "7/4"), sign("B4", "1/4")), metre="2/4"))
    assert "<type>quarter</type><dot/><dot/>" in text


def test_a_length_without_sign_is_refused() -> None:
    """Five eighths need a tie."""
    with pytest.raises(ScoreError, match="no note value lasts 5/2 of a quarter note"):
        write_example(one_staff("treble", (sign("B4", "5/2"),)))


def test_a_bar_that_breaks_off_is_not_closed() -> None:
    """The final bar line stands after a full bar only."""
    full = write_example(one_staff("treble", (sign("B4", "4"),), metre="4/4"))
    broken = write_example(one_staff("treble", (sign("B4", "1"),), metre="4/4"))
    assert ("light-heavy" in full, "light-heavy" in broken) == (True, False)


def test_words_are_escaped() -> None:
    """Figures under a bass may hold any sign."""
    text = write_example(one_staff("bass", (sign("C3", text="<6>&"),)))
    assert "&lt;6&gt;&amp;" in text
