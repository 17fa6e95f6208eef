"""Any score file: which formats are read, which files of a folder are scores, one call for all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from musegen.errors import ScoreError
from musegen.io.pieces import Reading
from musegen.score import Score

__all__ = ["SUFFIXES", "read_one", "read_piece", "read_pieces", "score_files"]

Read = Callable[[Path], tuple[Reading | ScoreError, ...]]


def _musicxml(path: Path) -> tuple[Reading | ScoreError, ...]:
    from musegen.io.musicxml_reading import read_sheet

    return (read_sheet(path),)


def _midi(path: Path) -> tuple[Reading | ScoreError, ...]:
    from musegen.io.midi import read_performance

    return (read_performance(path),)


def _kern(path: Path) -> tuple[Reading | ScoreError, ...]:
    from musegen.io.kern_reading import read_kern

    return read_kern(path)


def _abc(path: Path) -> tuple[Reading | ScoreError, ...]:
    from musegen.io.abc_reading import read_abc

    return read_abc(path)


FORMATS: Mapping[str, Read] = {
    ".musicxml": _musicxml,
    ".xml": _musicxml,
    ".mxl": _musicxml,
    ".mid": _midi,
    ".midi": _midi,
    ".krn": _kern,
    ".kern": _kern,
    ".abc": _abc,
}
SUFFIXES = tuple(FORMATS)


def read_pieces(path: Path) -> tuple[Reading | ScoreError, ...]:
    """The pieces of a file, by its suffix; where one of several cannot be read, why.

    Raises:
        ScoreError: no format has that suffix, or the file cannot be read as its format.
    """
    read = FORMATS.get(path.suffix.lower())
    if read is None:
        allowed = ", ".join(SUFFIXES)
        raise ScoreError(str(path), f"is none of the formats that are read ({allowed})")
    return read(path)


def read_piece(path: Path) -> Score:
    """The one piece of a file; raises ScoreError as `read_one`."""
    return read_one(path).score


def read_one(path: Path) -> Reading:
    """The one piece of a file, with what the file did not say.

    Raises:
        ScoreError: it cannot be read, or the file holds several.
    """
    pieces = read_pieces(path)
    if len(pieces) != 1:
        raise ScoreError(str(path), f"holds {len(pieces)} pieces, one is needed")
    (piece,) = pieces
    if isinstance(piece, ScoreError):
        raise piece
    return piece


def score_files(paths: Sequence[Path]) -> Iterator[Path]:
    """Files as they are named, and the scores of folders and what lies in them, in order of name.

    Raises:
        ScoreError: a path does not exist, or a folder holds no score.
    """
    for path in paths:
        if path.is_dir():
            found = sorted(_inside(path))
            if not found:
                raise ScoreError(str(path), f"holds no score ({', '.join(SUFFIXES)})")
            yield from found
        elif path.exists():
            yield path
        else:
            raise ScoreError(str(path), "does not exist")


def _inside(folder: Path) -> Iterator[Path]:
    """Scores under a folder; hidden ones and links to folders are passed over."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in FORMATS:
                yield Path(place) / name
