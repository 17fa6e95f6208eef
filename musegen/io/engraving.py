"""Engraving: MusicXML to SVG by Verovio, SVG to PNG by resvg; nothing but wheels is needed."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path

from musegen.errors import ScoreError

__all__ = ["engrave", "to_png"]

OPTIONS = {
    "pageWidth": 2100,  # tenths of a millimetre
    "pageHeight": 2970,
    "adjustPageHeight": True,
    "scale": 45,
    "xmlIdSeed": 1,  # ids in the file are then the same in each run
    "header": "auto",
    "footer": "none",
    "breaks": "auto",
    "lyricSize": 4.0,
    "lyricWordSpace": 2.0,
    "spacingStaff": 10,
    "svgViewBox": True,
}
FONTS = ("DejaVuSerif.ttf", "DejaVuSerif-Bold.ttf", "DejaVuSerif-Italic.ttf")
FAMILY = "DejaVu Serif"
WIDTH = 1600  # pixels of a PNG page
# Verovio puts a header's place and size on spans of a text of size 0, which resvg leaves out
HEADER_TEXT = re.compile(
    r'<text font-size="0px">\s*<tspan[^>]*?( x="[^"]*" y="[^"]*" text-anchor="\w+")>'
    r'.*?<tspan( font-size="[^"]*")>([^<]*)</tspan>.*?</text>', re.DOTALL)


def engrave(musicxml: bytes) -> tuple[str, ...]:
    """The score as SVG, one text a page; note ids of the MusicXML are kept.

    Raises:
        ScoreError: Verovio cannot read the file.
    """
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    toolkit.setOptions(OPTIONS)
    if not toolkit.loadData(musicxml.decode()):
        raise ScoreError("MusicXML", "cannot be engraved")
    return tuple(toolkit.renderToSVG(page) for page in range(1, toolkit.getPageCount() + 1))


def to_png(svg: str, *, width: int = WIDTH) -> bytes:
    """One page as PNG, with text in a font that comes with matplotlib, the same on every machine."""
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(
        svg_string=HEADER_TEXT.sub(r"<text\1\2>\3</text>", svg), background="#ffffff", width=width, skip_system_fonts=True,
        font_files=[str(path) for path in _fonts()], font_family=FAMILY, serif_family=FAMILY,
    ))


def _fonts() -> Sequence[Path]:
    """Font files; found without importing matplotlib, which music21 brings along."""
    found = importlib.util.find_spec("matplotlib")
    assert found is not None and found.origin is not None  # a dependency of music21
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
    return [folder / name for name in FONTS]
