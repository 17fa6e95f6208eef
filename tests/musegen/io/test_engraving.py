from __future__ import annotations

import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from musegen.errors import ScoreError
from musegen.io.engraving import engrave, to_png
from musegen.io.musicxml import write_musicxml
from musegen.score import ChordLabel, Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch

ROOT = Path(__file__).resolve().parents[3]
KEY = Key.parse("A minor")
VOICES = {
    "Soprano": "C5 D5 B4 A4",
    "Alto": "E4 F4 E4 E4",
    "Tenor": "A3 A3 G#3 C4",
    "Bass": "A3 D3 E3 A2",
}
NUMERALS = ("i", "iv", "V7", "viio65")


def chorale(bars: int = 2) -> Score:
    """Four voices in quarter notes, a numeral a beat."""
    parts = tuple(
        Part(
            name,
            tuple(
                Note(Fraction(4 * bar + beat), Fraction(1), Pitch.parse(text))
                for bar in range(bars)
                for beat, text in enumerate(line.split())
            ),
        )
        for name, line in VOICES.items()
    )
    chords = tuple(
        ChordLabel(Fraction(beat), Fraction(1), KEY, NUMERALS[beat % 4]) for beat in range(4 * bars)
    )
    return Score("Study", KEY, parts, (Metre(4, 4),), chords=chords)


def pages_of(score: Score) -> tuple[str, ...]:
    """The engraved score."""
    return engrave(write_musicxml(score))


def texts(page: str) -> str:
    """All letters of a page."""
    return "".join(ET.fromstring(page).itertext())


def test_every_note_has_its_id_in_the_picture() -> None:
    """The explanation finds each note by the id that the MusicXML gave it."""
    (page,) = pages_of(chorale())
    groups = re.findall(r'<g id="(p\dn\d+)" class="note"', page)
    assert sorted(groups) == sorted(f"p{part}n{n}" for part in range(4) for n in range(8))


def test_tied_pieces_have_ids_of_their_own() -> None:
    """A note over the bar line is two in the picture, the second with a number after its id."""
    line = (Note(Fraction(0), Fraction(6), Pitch.parse("C4")),)
    (page,) = pages_of(Score("x", Key.parse("C"), (Part("a", line),), (Metre(4, 4),)))
    assert re.findall(r'<g id="(p\dn[\d-]+)" class="note"', page) == ["p0n0", "p0n0-1"]


def test_roman_numerals_stand_below_with_raised_figures() -> None:
    """The key is named once; figures are set apart, two of them one above the other."""
    (page,) = pages_of(chorale(1))
    read = re.sub(r"\s+", "", texts(page))
    assert "a:i" in read
    assert "iv" in read
    assert "vii°65" in read
    runs = [
        each
        for each in ET.fromstring(page).iter()
        if each.text in ("6", "5") and "dy" in each.attrib
    ]
    assert [float(each.attrib["dy"]) < 0 for each in runs] == [True, False]


def test_title_is_text_whatever_it_holds() -> None:
    """Markup in title, subtitle and credit stays harmless and is shown."""
    evil = "<script>alert(1)</script> & \"'"
    (page,) = pages_of(replace(chorale(), title=evil, subtitle=f"2 {evil}", credit=f"3 {evil}"))
    assert "<script" not in page
    head = next(each for each in ET.fromstring(page).iter() if each.get("class") == "head")
    assert [each.text for each in head] == [evil, f"2 {evil}", f"3 {evil}"]
    assert ET.fromstring(page).get("aria-label") == evil


def test_picture_loads_nothing() -> None:
    """Addresses are names of namespaces; references stay within the page."""
    (page,) = pages_of(chorale())
    assert set(re.findall(r"https?://[^\"'\s)]+", page)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert all(each.startswith("#") for each in re.findall(r'href="([^"]*)"', page))
    assert "@import" not in page
    assert "url(" not in page


def test_long_scores_take_several_pages_and_lose_no_bar() -> None:
    """Bars are spread over the pages in order; the title stands on the first alone."""
    pages = pages_of(chorale(60))
    bars = [page.count('class="measure"') for page in pages]
    assert len(pages) > 1
    assert sum(bars) == 60
    assert ["Study" in texts(page) for page in pages] == [True] + [False] * (len(pages) - 1)


def test_no_last_system_is_left_nearly_empty() -> None:
    """Bars are shared out so that the last system has at least half as many as the fullest."""
    for length in (5, 6, 7, 9, 11):
        trees = [ET.fromstring(page) for page in pages_of(chorale(length))]
        counts = [
            sum("measure" in (each.get("class") or "").split() for each in system.iter())
            for tree in trees
            for system in tree.iter()
            if (system.get("class") or "") == "system"
        ]
        assert sum(counts) == length
        assert counts[-1] * 2 >= max(counts), (length, counts)


def test_bytes_are_the_same_in_another_process() -> None:
    """Same file, same picture: no date, no random id."""
    code = (
        "import sys, importlib.util as u;"
        f"s = u.spec_from_file_location('t', {__file__!r}); m = u.module_from_spec(s);"
        "s.loader.exec_module(m);"
        "page, = m.pages_of(m.chorale());"
        "sys.stdout.buffer.write(page.encode() + m.to_png(page))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT)
    (page,) = pages_of(chorale())
    assert run.stdout == page.encode() + to_png(page)


def test_png_shows_ink_on_white_in_a_sane_size() -> None:
    """A picture of the shape of the page, a thousand or two pixels wide, neither blank nor black."""
    (page,) = pages_of(chorale(8))
    data = to_png(page)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    box = [float(each) for each in ET.fromstring(page).attrib["viewBox"].split()]
    assert 1000 <= width <= 2000
    assert abs(height / width - box[3] / box[2]) < 0.01
    from io import BytesIO

    import matplotlib.image

    pixels = matplotlib.image.imread(BytesIO(data), format="png")[..., :3].mean(axis=2)
    assert pixels[0, 0] == 1.0
    assert 0.01 < (pixels < 0.5).mean() < 0.2


@pytest.mark.parametrize("data", [b"", b"<a/>", b"<score-partwise/>", b"hello", b"<a>\xff</a>"])
def test_what_is_no_score_is_refused(data: bytes) -> None:
    """Rubbish is refused, not drawn."""
    with pytest.raises(ScoreError, match=r"^MusicXML: "):
        engrave(data)


@pytest.mark.parametrize(("metre", "drawn"), [(Metre(2, 2), 1), (Metre(4, 4), 0)])
def test_a_half_note_of_the_tempo_is_drawn(metre: Metre, drawn: int) -> None:
    """No font that comes along has the sign: in 2/2 it is a shape, and no sign without a shape."""
    (page,) = pages_of(replace(chorale(), metres=(metre,)))
    assert page.count('class="half-note"') == drawn
    assert not re.search("[\ue000-\uf8ff\U0001d15e]", texts(page))
    assert ("♩" in texts(page)) == (not drawn)
