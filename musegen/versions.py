"""The versions of a piece in its folder: each is kept whole, one of them is the piece as it stands.

    piece/score.musicxml ...          the version that is current
    piece/versions/1/score.musicxml   the piece as it was composed
    piece/versions/history.json       what each version came from, and by what

A file that is changed by hand becomes a version of its own, so that nothing is lost.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from musegen.errors import OptionError, StoredFileError
from musegen.io.files import PIECE, write_file, write_files

__all__ = ["SCORE", "History", "Version", "add_version", "open_history", "use_version"]

SCORE = "score.musicxml"
FOLDER, RECORD = "versions", "history.json"
COMPOSED, BY_HAND = "as composed", "changed by hand"
LARGEST = 10_000_000  # bytes of a record


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a piece."""

    number: int  # from 1
    parent: int  # the version that it was made from, 0: none
    how: str  # in words
    sha256: str  # of its score
    asked: Mapping[str, Any] = field(default_factory=dict)  # what was asked for, JSON-able
    measures: Mapping[str, Any] = field(default_factory=dict)  # rank, worth, distance, findings


@dataclass(frozen=True, slots=True)
class History:
    """The versions of the piece of a folder."""

    folder: Path
    current: int
    versions: tuple[Version, ...]

    def path(self, number: int) -> Path:
        """The folder of a version.

        Raises:
            OptionError: there is no such version.
        """
        if number not in {each.number for each in self.versions}:
            raise OptionError("version", number, f"from 1 to {len(self.versions)}")
        return self.folder / FOLDER / str(number)


def open_history(folder: Path) -> History:
    """The history of a folder; what stands there and is in no version yet becomes one.

    Raises:
        StoredFileError: no piece is there, or its record is damaged.
        OutputError: the disk refused.
    """
    score = folder / SCORE
    if not score.is_file():
        raise StoredFileError(folder, f"holds no {SCORE}; name a folder that compose wrote")
    record = folder / FOLDER / RECORD
    history = _read(record, folder) if record.exists() else History(folder, 0, ())
    if _sum(score) not in {each.sha256 for each in history.versions}:
        how = BY_HAND if history.versions else COMPOSED
        history = add_version(history, _files(folder), how=how)
        history = _written(replace(history, current=history.versions[-1].number))
    return history


def add_version(
    history: History,
    files: Mapping[str, bytes],
    *,
    how: str,
    asked: Mapping[str, Any] | None = None,
    measures: Mapping[str, Any] | None = None,
) -> History:
    """Keep one more version; the current one stays current."""
    number = len(history.versions) + 1
    write_files(history.folder / FOLDER / str(number), files, force=True)
    digest = hashlib.sha256(files[SCORE]).hexdigest()
    made = Version(number, history.current, how, digest, dict(asked or {}), dict(measures or {}))
    return _written(replace(history, versions=(*history.versions, made)))


def use_version(history: History, number: int) -> History:
    """Make a version the current one: its files stand in the folder of the piece.

    Raises:
        OptionError: there is no such version.
        StoredFileError: its files are not those that were kept.
    """
    path = history.path(number)
    kept = next(each for each in history.versions if each.number == number)
    if not (path / SCORE).is_file() or _sum(path / SCORE) != kept.sha256:
        raise StoredFileError(path, f"{SCORE} is missing or was changed; its record names another")
    files = _files(path)
    for name in _files(history.folder):
        if name not in files:
            (history.folder / name).unlink()
    for name, data in files.items():
        write_file(history.folder / name, data)
    return _written(replace(history, current=number))


def _files(folder: Path) -> dict[str, bytes]:
    """The files of a piece in a folder."""
    return {
        each.name: each.read_bytes()
        for each in sorted(folder.iterdir())
        if each.is_file() and any(fnmatch(each.name, pattern) for pattern in PIECE)
    }


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- the record -----------------------------------------------------------------------------


def _written(history: History) -> History:
    table = {
        "current": history.current,
        "versions": [asdict(each) for each in history.versions],
    }
    text = json.dumps(table, ensure_ascii=False, indent=1) + "\n"
    write_file(history.folder / FOLDER / RECORD, text.encode())
    return history


def _read(record: Path, folder: Path) -> History:
    problem = "is damaged; move the folder versions away to begin a new history"
    if record.stat().st_size > LARGEST:
        raise StoredFileError(record, problem)
    try:
        table = json.loads(record.read_text(encoding="utf-8"))
        versions = tuple(Version(**each) for each in table["versions"])
        current = table["current"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StoredFileError(record, problem) from error
    numbers = [each.number for each in versions]
    if numbers != list(range(1, len(versions) + 1)) or current not in (0, *numbers):
        raise StoredFileError(record, problem)
    return History(folder, current, versions)
