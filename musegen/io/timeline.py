"""The picture of a form: a timeline of its sections, with keys, cadences, themes and repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Span", "draw_timeline"]

WIDTH = 1200  # of the drawing, beside its margins
MARGIN = 20
ROW_BARS = 64  # bars of a row; a longer form takes several
ROW_HEIGHT = 118
BOX_TOP, BOX_HEIGHT = 30, 44
TITLE = 44
FONT = 'font-family="DejaVu Sans, sans-serif"'
COLOURS = ("#8fb8de", "#f2c57c", "#a5d6a7", "#e8a0a0", "#c5b3e6", "#d9d3a3", "#9fd8d2", "#e3b7d0")
LETTER = 6.2  # width of a letter of the small text


@dataclass(frozen=True, slots=True)
class Span:
    """One section as it is drawn."""

    name: str
    bars: int
    theme: str  # sections of one first letter have one colour
    key: str  # where it stands and goes
    close: str  # how it ends; empty if it runs on
    texture: str
    repeat: str = ""  # sections of one name are played twice
    ending: int = 0  # 1: the first time alone; 2: in its place the second time


def draw_timeline(title: str, spans: Sequence[Span]) -> str:
    """An SVG picture; the same spans give the same text."""
    rows = _rows(spans)
    longest = max(sum(span.bars for span in row) for row in rows)
    scale = WIDTH / longest
    height = TITLE + ROW_HEIGHT * len(rows) + MARGIN
    body = [_text(MARGIN, 28, title, 20)]
    colours = _colours(spans)
    bar = 1
    for number, row in enumerate(rows):
        top = TITLE + number * ROW_HEIGHT
        left = float(MARGIN)
        for span in row:
            body.extend(_box(span, (left, top, span.bars * scale), colours, bar))
            left += span.bars * scale
            bar += span.bars
        body.extend(_repeats(row, top, scale))
    whole = WIDTH + 2 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {height}" '
        f'width="{whole}" height="{height}" {FONT}>\n'
        f'<rect width="{whole}" height="{height}" fill="white"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _rows(spans: Sequence[Span]) -> list[list[Span]]:
    """Sections in rows of about the same number of bars."""
    total = sum(span.bars for span in spans)
    count = -(-total // ROW_BARS)
    rows: list[list[Span]] = [[]]
    filled = 0
    for span in spans:
        repeated = rows[-1] and span.repeat and span.repeat == rows[-1][-1].repeat
        together = repeated or span.ending == 2
        if rows[-1] and not together and filled >= total * len(rows) / count:
            rows.append([])
        rows[-1].append(span)
        filled += span.bars
    return rows


def _colours(spans: Sequence[Span]) -> dict[str, str]:
    letters = dict.fromkeys(span.theme[:1].lower() for span in spans)
    return {letter: COLOURS[place % len(COLOURS)] for place, letter in enumerate(letters)}


def _box(
    span: Span, place: tuple[float, int, float], colours: dict[str, str], bar: int
) -> list[str]:
    left, top, width = place
    fill = colours[span.theme[:1].lower()]
    box = (
        f'<rect x="{left:.1f}" y="{top + BOX_TOP}" width="{width:.1f}" height="{BOX_HEIGHT}" '
        f'fill="{fill}" stroke="#444"/>'
    )
    lines = [
        (top + 14, f"{bar}  {span.ending}." if span.ending else str(bar), 10),
        (top + 26, span.key, 11),
        (top + BOX_TOP + 17, span.name, 11),
        (top + BOX_TOP + 34, f"{span.theme} · {span.bars} · {span.texture}", 10),
    ]
    texts = [_fitted(left + 3, y, text, size, width) for y, text, size in lines]
    close = _text(left + width - 3, top + BOX_TOP + BOX_HEIGHT + 14, span.close, 10, end=True)
    return [box, *texts, *([close] if span.close else [])]


def _repeats(row: Sequence[Span], top: int, scale: float) -> list[str]:
    """Brackets under what is played twice."""
    drawn = []
    bar, begun, name = 0, 0, ""
    y = top + BOX_TOP + BOX_HEIGHT + 22
    for span in [*row, Span("", 0, "", "", "", "")]:
        if span.repeat != name:
            if name:
                left, right = MARGIN + begun * scale + 2, MARGIN + bar * scale - 2
                path = f"M{left:.1f} {y - 4} V{y} H{right:.1f} V{y - 4}"
                drawn.append(f'<path d="{path}" fill="none" stroke="#444"/>')
                drawn.append(_text((left + right) / 2 - 8, y + 12, "×2", 10))
            begun, name = bar, span.repeat
        bar += span.bars
    return drawn


def _fitted(x: float, y: float, text: str, size: int, width: float) -> str:
    """Text that keeps to its box."""
    most = max(1, int((width - 4) / LETTER * 11 / max(size, 11)))
    return _text(x, y, text if len(text) <= most else f"{text[: max(0, most - 1)]}…", size)


def _text(x: float, y: float, text: str, size: int, *, end: bool = False) -> str:
    anchor = ' text-anchor="end"' if end else ""
    return f'<text x="{x:.1f}" y="{y}" font-size="{size}"{anchor}>{escape(text)}</text>'
