"""The command that analyses, as it is typed."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from music21 import converter, roman
from typer.testing import CliRunner

import cli
from musegen.errors import MusegenError
from musegen.io.musicxml import write_musicxml
from musegen.io.reading import read_piece
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """I IV V I in G major with an upbeat, a chord a beat."""
    rows = ["B4 D4 D4 G3", "B4 D4 D4 G3", "C5 E4 C4 C3", "A4 F#4 D4 D3", "B4 G4 D4 G2"]
    parts = tuple(
        Part(
            f"V{voice}",
            tuple(
                Note(Fraction(beat), Fraction(1), Pitch.parse(row.split()[voice]))
                for beat, row in enumerate(rows)
            ),
        )
        for voice in range(4)
    )
    score = Score("Four chords", Key.parse("G major"), parts, (Metre(4, 4),), upbeat=Fraction(1))
    path = tmp_path / "four.musicxml"
    path.write_bytes(write_musicxml(score))
    return path


def run(*words: str) -> Any:
    """The result of a command that is not refused."""
    return CliRunner().invoke(cli.app, ["analyse", *words], catch_exceptions=False)


def test_it_prints_keys_chords_cadences_and_reasons(file: Path) -> None:
    """The text names the chords in order, the cadence and what sounds."""
    text = run(str(file)).stdout
    assert "G major" in text
    assert "perfect authentic" in text or "imperfect authentic" in text
    assert "D F# A sound" in text
    assert text.index(" IV ") < text.index(" V ")


@pytest.mark.parametrize(("notation", "shown"), [("function", " S "), ("lead", " C ")])
def test_other_notations(file: Path, notation: str, shown: str) -> None:
    """Functions and lead-sheet symbols in place of numerals."""
    assert shown in run(str(file), "--notation", notation).stdout


def test_json_holds_what_the_text_says(file: Path) -> None:
    """Chords with place, spelling, probability and further readings."""
    (record,) = json.loads(run(str(file), "--json").stdout)
    assert [each["numeral"] for each in record["chords"]] == ["I", "IV", "V", "I"]
    assert record["chords"][0]["bar"] == 0
    assert all(0 < each["probability"] <= 1 for each in record["chords"])
    assert record["cadences"][-1]["clauses"]["the last chord is the tonic"] is True


def test_romantext_is_read_by_music21(file: Path, tmp_path: Path) -> None:
    """Numerals, keys and places come back."""
    path = tmp_path / "four.rntxt"
    run(str(file), "--romantext", str(path), "-q")
    stream: Any = converter.parse(path, format="romantext", forceSource=True)
    found = list(stream.recurse().getElementsByClass(roman.RomanNumeral))
    figures = [name for name, _ in groupby(each.figure for each in found)]
    assert figures == ["I", "IV", "V", "I"]  # music21 writes a chord again where a bar begins
    assert {each.key.name for each in found} == {"G major"}


def test_the_score_and_the_page_carry_the_numerals(file: Path, tmp_path: Path) -> None:
    """MusicXML that reads back as the same notes; a page with keys, curves and tables."""
    score, page = tmp_path / "out.musicxml", tmp_path / "out.html"
    run(str(file), "--annotated", str(score), "--html", str(page), "-q")
    assert read_piece(score).parts == read_piece(file).parts
    text = page.read_text(encoding="utf-8")
    assert "<svg" in text
    assert "tension and density" in text
    assert text.count("<polyline") >= 4
    assert ">a</text>" in text  # the letter of its one phrase
    assert "<script" not in text
    again = run(str(file), "--annotated", str(score), "--html", str(page), "-q", "--force")
    assert again.exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--notation", "tonic"), "roman, function, lead"),
        (("--readings", "0"), "from 1 to 50"),
        (("--key", "H minor"), "H"),
        (("--romantext", "four.musicxml"), "another file than the score"),
    ],
)
def test_what_cannot_be_done_is_refused(
    file: Path, words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line that names the option and what it takes; nothing is written."""
    monkeypatch.chdir(file.parent)
    before = file.read_bytes()
    with pytest.raises(MusegenError, match=said):
        run(str(file), *words)
    assert file.read_bytes() == before


def test_a_score_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Exit code 2, the file named."""
    path = tmp_path / "broken.musicxml"
    path.write_text("no score")
    result = run(str(path))
    assert result.exit_code == 2
    assert "broken.musicxml" in result.stderr


def test_a_given_analysis_is_held_against_ours(file: Path, tmp_path: Path) -> None:
    """Our own RomanText agrees wholly, in text and in JSON; with several scores it is refused."""
    given = tmp_path / "four.rntxt"
    run(str(file), "--romantext", str(given), "-q")
    text = run(str(file), "--against", str(given)).stdout
    assert "against four.rntxt: per cent of 5 quarter notes" in text
    assert "full                100.0" in text
    (record,) = json.loads(run(str(file), "--against", str(given), "--json").stdout)
    assert record["against"]["differences"] == []
    with pytest.raises(MusegenError, match="--against"):
        run(str(file), str(file), "--against", str(given))


def test_a_table_over_a_folder(file: Path, tmp_path: Path) -> None:
    """One row, said in one line; options of a single score are refused beside it."""
    table = tmp_path / "out.csv"
    assert "1 pieces" in run(str(file.parent), "--table", str(table)).stdout
    assert table.read_text(encoding="utf-8").count("\n") == 2
    with pytest.raises(MusegenError, match="--romantext must be left out with --table"):
        run(str(file), "--table", str(table), "--romantext", "x.rntxt", "--force")
