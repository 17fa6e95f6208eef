"""A paper as pages to print: pictures (PNG) and one PDF of them, engraved as the HTML page is.

Text is set in the font that comes with matplotlib, which has no Chinese: a paper in Chinese is
printed from its HTML page.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from time import struct_time

from musegen.exercises.item import Item
from musegen.exercises.kinds import kind
from musegen.exercises.papers import Paper
from musegen.io.engraving import engrave_small, to_png

__all__ = ["render_pages", "render_pdf"]

WIDTH, HEIGHT, MARGIN = 1000, 1414, 70  # of a page, A4, in units of its SVG
ZOOM = 1.65  # pixels a unit: 200 dots an inch
SIZE, LEADING = 19, 1.4  # of text, and of its lines
LETTERS_A_LINE = 96
SCALE = 0.85  # of a picture: a staff is then as high as in a printed score
DPI = WIDTH * ZOOM / (210 / 25.4)
VIEWBOX = re.compile(r'<svg[^>]*?viewBox="0 0 ([\d.]+) ([\d.]+)"')
EPOCH = struct_time((1980, 1, 1, 0, 0, 0, 0, 1, 0))  # of every PDF: no clock is in a file


@dataclass(frozen=True, slots=True)
class _Block:
    """Something that is not broken over pages."""

    height: float
    svg: str  # drawn from its own top


def render_pdf(paper: Paper, *, key: bool) -> bytes:
    """The paper as a PDF; the same paper gives the same bytes."""
    from PIL import Image

    pages = [Image.open(io.BytesIO(page)).convert("L") for page in render_pages(paper, key=key)]
    found = io.BytesIO()
    pages[0].save(
        found, "PDF", save_all=True, append_images=pages[1:], resolution=DPI, title=paper.title,
        creationDate=EPOCH, modDate=EPOCH,
    )  # fmt: skip
    return found.getvalue()


def render_pages(paper: Paper, *, key: bool) -> list[bytes]:
    """The paper as pictures, one a page."""
    blocks = [_head(paper, key=key)]
    blocks += [_item(item, number, key=key) for number, item in enumerate(paper.items, start=1)]
    return [to_png(page, zoom=ZOOM) for page in _pages(blocks)]


def _pages(blocks: Sequence[_Block]) -> Iterator[str]:
    """Pages as SVG, blocks one under the other."""
    drawn: list[str] = []
    top = float(MARGIN)
    for block in blocks:
        if drawn and top + block.height > HEIGHT - MARGIN:
            yield _page(drawn)
            drawn, top = [], float(MARGIN)
        drawn.append(f'<g transform="translate({MARGIN},{top:.1f})">{block.svg}</g>')
        top += block.height
    yield _page(drawn)


def _page(drawn: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}">{"".join(drawn)}</svg>'
    )


def _text(lines: Sequence[str], top: float, *, size: int = SIZE, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return "".join(
        f'<text x="0" y="{top + (number + 1) * size * LEADING:.1f}" font-size="{size}"{weight}>'
        f"{escape(line)}</text>"
        for number, line in enumerate(lines)
    )


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, LETTERS_A_LINE)


def _head(paper: Paper, *, key: bool) -> _Block:
    title = f"{paper.title}: key" if key else paper.title
    below = f"{paper.points} points" if key else f"Name: {'_' * 30}    {paper.points} points"
    svg = _text([title], 0, size=28, bold=True) + _text([below], 46)
    return _Block(110, svg)


def _item(item: Item, number: int, *, key: bool) -> _Block:
    """A question with its picture and room for the answer, or its key."""
    head = f"{number}. {kind(item.id).title.to(item.lang)}  [{item.points}]"
    lines = _wrapped(f"{item.prompt.to(item.lang)}{_played(item)}")
    svg = _text([head], 0, bold=True) + _text(lines, SIZE * LEADING)
    height = (1 + len(lines)) * SIZE * LEADING + 8
    for music in _pictures(item, key=key):
        picture, room = _picture(engrave_small(music), height)
        svg, height = svg + picture, height + room
    answers = [line for part in item.ask for line in _wrapped(_answer(item, part.id, key=key))]
    if key:
        answers += _wrapped(item.why.to(item.lang))
    svg += _text(answers, height)
    return _Block(height + len(answers) * SIZE * LEADING + 26, svg)


def _pictures(item: Item, *, key: bool) -> list[str]:
    """The music to be engraved: what is shown, and in the key what is played."""
    heard = item.given.heard
    found = [item.given.musicxml, heard.musicxml if key and heard else ""]
    return [each for each in found if each]


def _played(item: Item) -> str:
    """How often a question is played."""
    heard = item.given.heard
    if heard is None:
        return ""
    return f" (Played {heard.plays} {'time' if heard.plays == 1 else 'times'}.)"


def _answer(item: Item, name: str, *, key: bool) -> str:
    part = item.part(name)
    label = part.prompt.to(item.lang)
    if key:
        return f"{label}: {part.shown(item.solutions.model[name], item.lang)}"
    if part.options:
        shown = (part.shown(value, item.lang) for value in part.options)
        return "    ".join(
            f"{letter}) {value}" for letter, value in zip("abcdefgh", shown, strict=False)
        )
    return f"{label}: {'_' * 60}"


def _picture(svg: str, top: float) -> tuple[str, float]:
    """A picture within the page, no wider than it, and the height that it takes."""
    match = VIEWBOX.search(svg)
    assert match is not None  # a picture of ours has one
    width, height = float(match[1]), float(match[2])
    scale = min(SCALE, (WIDTH - 2 * MARGIN) / width)
    body = svg.replace("<svg", f'<svg x="0" y="{top:.1f}" width="{width * scale:.1f}" '
                               f'height="{height * scale:.1f}"', 1)  # fmt: skip
    return body, height * scale + 6
