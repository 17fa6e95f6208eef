"""What a paper is handed out as: files by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from musegen.errors import OptionError
from musegen.exercises.item import Lang
from musegen.exercises.papers import Paper
from musegen.exercises.playing import stem_audio
from musegen.exercises.records import record_values
from musegen.exercises.sheet_html import render_sheet
from musegen.exercises.sheet_pages import render_pages, render_pdf

__all__ = ["FORMATS", "OWN", "check_formats", "paper_files"]

OWN = (
    "sheet*",
    "key*",
    "items.json",
    "*.item.json",
    "*.musicxml",
    "*.wav",
)  # names of files of a paper
NO_FONT = "en: the pages have no Chinese font; print the HTML page"


def check_formats(formats: Sequence[str], lang: Lang) -> None:
    """Refuse early what could not be handed out.

    Raises:
        OptionError: a format that does not exist, or pages of a paper in Chinese.
    """
    for name in formats:
        if name not in FORMATS:
            raise OptionError("--format", name, f"one of {', '.join(FORMATS)}")
        if name in PRINTED and lang != "en":
            raise OptionError(f"--lang with {name}", lang, NO_FONT)


def paper_files(paper: Paper, formats: Sequence[str]) -> dict[str, bytes]:
    """Files of a paper by name.

    Args:
        paper: its items.
        formats: keys of `FORMATS`.

    Raises:
        OptionError: see `check_formats`.
    """
    check_formats(formats, paper.lang)
    return {name: data for each in formats for name, data in FORMATS[each](paper)}


Files = Iterator[tuple[str, bytes]]


def _html(paper: Paper) -> Files:
    yield "sheet.html", render_sheet(paper, key=False).encode()
    yield "key.html", render_sheet(paper, key=True).encode()


def _pdf(paper: Paper) -> Files:
    yield "sheet.pdf", render_pdf(paper, key=False)
    yield "key.pdf", render_pdf(paper, key=True)


def _png(paper: Paper) -> Files:
    for name, key in (("sheet", False), ("key", True)):
        for number, page in enumerate(render_pages(paper, key=key), start=1):
            yield f"{name}-{number}.png", page


def _musicxml(paper: Paper) -> Files:
    for item in paper.items:
        if item.given.musicxml:
            yield f"{item.name}.musicxml", item.given.musicxml.encode()


def _audio(paper: Paper) -> Files:
    for item in paper.items:
        if item.given.heard is not None:
            yield f"{item.name}.wav", stem_audio(item.given.heard)


def _json(paper: Paper) -> Files:
    for item in paper.items:
        yield f"{item.name}.item.json", item.to_json().encode()
    record = {
        "title": paper.title,
        "lang": paper.lang,
        "points": paper.points,
        "items": [item.name for item in paper.items],
        "discarded": record_values(paper.discarded),
    }
    yield "items.json", (json.dumps(record, ensure_ascii=False, indent=1) + "\n").encode()


FORMATS: Mapping[str, Callable[[Paper], Files]] = {
    "html": _html,
    "pdf": _pdf,
    "png": _png,
    "musicxml": _musicxml,
    "audio": _audio,
    "json": _json,
}
PRINTED = ("pdf", "png")
