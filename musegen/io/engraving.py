"""Engraving: MusicXML to SVG by Verovio, SVG to PNG by resvg; nothing but wheels is needed.

Verovio sets the music; the title is ours (Verovio knows one line of it), as are the figures of
Roman numerals, one above the other, and a last system that is not left nearly empty. Note ids
of the MusicXML are the ids of the notes in the picture.
"""

from __future__ import annotations

import importlib.util
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from musegen.errors import ScoreError
from musegen.io.xml_tree import parse_xml

__all__ = ["engrave", "engrave_small", "to_png"]

SCALE = 45  # thousandths of a pixel a unit of Verovio's drawing
OPTIONS = {
    "pageWidth": 2100,  # tenths of a millimetre
    "pageHeight": 2970,
    "adjustPageHeight": True,
    "scale": SCALE,
    "xmlIdSeed": 1,  # ids in the file are then the same in each run
    "header": "none",
    "footer": "none",
    "lyricSize": 4.2,
    "lyricWordSpace": 1.6,
    "lyricTopMinMargin": 4.0,
    "minLastJustification": 0.6,
    "spacingStaff": 9,
    "spacingSystem": 8,
    "smuflTextFont": "none",
    "svgViewBox": True,
}
EMPTY = 0.6  # a last system with fewer bars than this share of the others is filled up
FONTS = ("STIXGeneral.ttf", "STIXGeneralItalic.ttf", "STIXGeneralBol.ttf")
FAMILY = "STIXGeneral"  # as wide as Times, with which Verovio reckons; it comes with matplotlib
ZOOM = 1.7  # a full page is then about 1600 pixels wide
VIEWBOX = re.compile(r'viewBox="0 0 (\d+)')

# The head of the first page, in units of the drawing.
MARGIN, TITLE, SUBTITLE, CREDIT = 500, 640, 430, 380
LINE = 1.35  # height of a line of text by its size
FIGURES = re.compile(r"(?<=[A-Za-z°ø+])\d{1,2}(?=/|$)")
FIGURE_SIZE, RAISED, DIGIT = 0.66, 0.42, 0.5  # of the text's size; the last is a digit's width
HALF_NOTE = "\ueca3"  # of a metronome mark; no font that comes along has it
HALF_NOTE_ROOM = "\u2002"  # as wide as what is drawn
SIGN = "480px"  # of a note in the metronome mark, and of a sign beside a figure
PEN = {"fill": "none", "stroke": "currentColor", "stroke-width": "22"}
HEAD = {"rx": "70", "ry": "38"}
SIGNS = str.maketrans(
    {
        "\ueca5": "♩",
        "\ueca7": "♪",
        "\uecb7": ".",  # of a metronome mark
        "\uea63": "♭♭",
        "\uea64": "♭",
        "\uea65": "♮",
        "\uea66": "♯",
        "\uea67": "×",
        "\uea6b": "+",
        "\uea6c": "+",  # of a figured bass, as before
    }
)


SMALL = {"adjustPageWidth": True, "breaks": "none", "pageMarginTop": 60, "pageMarginBottom": 30}


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands above the music."""

    title: str
    subtitle: str
    credit: str


def engrave(musicxml: bytes) -> tuple[str, ...]:
    """The score as SVG, one text a page; the same file gives the same texts.

    Raises:
        ScoreError: Verovio cannot read the file.
    """
    tree = parse_xml(musicxml, "MusicXML")
    pages = _pages(musicxml.decode(), {})
    counts = [count for page in pages for count in _bars_a_system(page)]
    if len(counts) == 1:
        pages = _pages(musicxml.decode(), {"adjustPageWidth": True})
    elif counts[-1] < EMPTY * max(counts):
        _break_evenly(tree, len(counts))
        pages = _pages(ET.tostring(tree, encoding="unicode"), {"breaks": "line"})
    _put_head(pages[0], _head(tree))
    return tuple(_finished(page) for page in pages)


def engrave_small(musicxml: str) -> str:
    """A few bars as one SVG no larger than they are, without title.

    Raises:
        ScoreError: Verovio cannot read the file.
    """
    return _finished(_pages(musicxml, SMALL)[0])


def to_png(svg: str, *, zoom: float = ZOOM) -> bytes:
    """One page as PNG, with text in a font that comes with matplotlib, the same on every machine.

    Args:
        svg: a page of `engrave`.
        zoom: pixels of the PNG by one of the SVG.
    """
    import resvg_py

    viewbox = VIEWBOX.search(svg)
    assert viewbox is not None  # a page of ours has one
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            background="#ffffff",
            width=round(float(viewbox[1]) * zoom),
            skip_system_fonts=True,
            font_files=[str(path) for path in _fonts()],
            font_family=FAMILY,
            serif_family=FAMILY,
        )
    )


def _fonts() -> Sequence[Path]:
    """Font files; found without importing matplotlib, which music21 brings along."""
    found = importlib.util.find_spec("matplotlib")
    assert found is not None  # a dependency of musegen
    assert found.origin is not None
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
    return [folder / name for name in FONTS]


# --- pages and systems ----------------------------------------------------------------------


def _pages(musicxml: str, changes: Mapping[str, object]) -> list[ET.Element]:
    """Pages as Verovio draws them, with changes of the options."""
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    # Verovio keeps the place of its fonts by thread, and sets it for the one that imports it alone.
    verovio.setDefaultResourcePath(str(Path(verovio.__path__[0]) / "data"))
    toolkit = verovio.toolkit()
    toolkit.setOptions({**OPTIONS, **changes})
    if not toolkit.loadData(musicxml):
        raise ScoreError("MusicXML", "cannot be engraved")
    numbers = range(1, toolkit.getPageCount() + 1)
    return [parse_xml(toolkit.renderToSVG(number), "SVG") for number in numbers]


def _of_class(page: ET.Element, name: str) -> Iterator[ET.Element]:
    return (group for group in page.iter("g") if group.get("class", "").split()[:1] == [name])


def _bars_a_system(page: ET.Element) -> list[int]:
    return [sum(1 for _ in _of_class(system, "measure")) for system in _of_class(page, "system")]


def _break_evenly(tree: ET.Element, systems: int) -> None:
    """Ask for so many systems of about as many bars."""
    for part in tree.findall("part")[:1]:
        measures = part.findall("measure")
        for number in range(1, systems):
            place = ceil(number * len(measures) / systems)
            measures[place].insert(0, ET.Element("print", {"new-system": "yes"}))


# --- the head of the first page -------------------------------------------------------------


def _head(tree: ET.Element) -> _Head:
    title = tree.findtext("work/work-title") or tree.findtext("movement-title") or ""
    subtitle = tree.findtext("movement-title") or ""
    return _Head(
        title,
        "" if subtitle == title else subtitle,
        tree.findtext("identification/creator") or "",
    )


def _put_head(page: ET.Element, head: _Head) -> None:
    """Make room above the music and write the head there."""
    drawing = next(each for each in page.iter("svg") if each.get("class") == "definition-scale")
    margin = next(_of_class(drawing, "page-margin"))
    width, height = (int(number) for number in drawing.get("viewBox", "").split()[2:])
    group = ET.Element("g", {"class": "head"})
    top = MARGIN / 2
    for text, size, place, anchor, style in (
        (head.title, TITLE, width / 2, "middle", "normal"),
        (head.subtitle, SUBTITLE, width / 2, "middle", "italic"),
        (head.credit, CREDIT, width - MARGIN, "end", "normal"),
    ):
        if text:
            top += size * LINE
            line = {"x": f"{place:g}", "y": f"{top:g}", "text-anchor": anchor}
            line |= {"font-size": f"{size}px", "font-style": style}
            ET.SubElement(group, "text", line).text = text
    added = int(top)
    drawing.insert(0, group)
    drawing.set("viewBox", f"0 0 {width} {height + added}")
    page.set("viewBox", f"0 0 {width * SCALE // 1000} {(height + added) * SCALE // 1000}")
    margin.set("transform", f"translate({MARGIN}, {MARGIN + added})")
    page.set("role", "img")
    page.set("aria-label", head.title)


# --- texts ----------------------------------------------------------------------------------


def _finished(page: ET.Element) -> str:
    for tempo in list(_of_class(page, "tempo")):
        _draw_half_note(tempo)
    for verse in _of_class(page, "verse"):
        for run in verse.iter("tspan"):
            if run.text and run.get("font-size"):
                _set_figures(run)
    for run in page.iter("tspan"):
        if run.get("font-family") == "Leipzig":  # signs of music in a text: their plain likeness
            del run.attrib["font-family"]
            run.set("font-size", SIGN)
            run.text = (run.text or "").translate(SIGNS)
    return ET.tostring(page, encoding="unicode") + "\n"


def _draw_half_note(tempo: ET.Element) -> None:
    """Draw the half note with which a metronome mark begins."""
    text = tempo.find("text")
    run = next((run for run in tempo.iter("tspan") if run.text == HALF_NOTE), None)
    if text is None or run is None:
        return
    run.text = HALF_NOTE_ROOM
    place = f"translate({text.get('x')} {text.get('y')})"
    note = ET.SubElement(tempo, "g", {"class": "half-note", "transform": place, **PEN})
    ET.SubElement(note, "ellipse", {**HEAD, "transform": "translate(78 -50) rotate(-28)"})
    ET.SubElement(note, "path", {"d": "M146 -76 V-370"})


def _set_figures(run: ET.Element) -> None:
    """Raise the figures of a Roman numeral, two of them one above the other."""
    text = run.text or ""
    match = FIGURES.search(text)
    if match is None:
        return
    size = float(run.get("font-size", "0px").removesuffix("px"))
    small = f"{size * FIGURE_SIZE:g}px"
    upper, lower = match[0][0], match[0][1:]
    raised = size * RAISED
    run.text = text[: match.start()]
    ET.SubElement(run, "tspan", {"font-size": small, "dy": f"{-raised:g}"}).text = upper
    back = raised
    if lower:
        drop = size * FIGURE_SIZE
        shift = {"dx": f"{-size * FIGURE_SIZE * DIGIT:g}", "dy": f"{drop:g}"}
        ET.SubElement(run, "tspan", {"font-size": small, **shift}).text = lower
        back -= drop
    if text[match.end() :]:
        ET.SubElement(run, "tspan", {"dy": f"{back:g}"}).text = text[match.end() :]
