"""Benchmark data given by path: read whole, checked against the checksum of the known file."""

from __future__ import annotations

import gzip
import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cache
from importlib import resources
from pathlib import Path

from musegen.errors import FactError, StoredFileError, UnknownNameError
from musegen.models.rolls import Roll, check_rolls

__all__ = ["Benchmark", "RollEntry", "benchmark_names", "read_benchmark", "roll_entry"]

FILE = "rolls.toml"
MOST_BYTES = 1 << 26  # of the file; what it unpacks to is known, since its checksum is


@dataclass(frozen=True, slots=True)
class RollEntry:
    """A known data set."""

    name: str
    title: str
    origin: str
    licence: str
    checksum: str  # SHA-256 of the file
    frame: Fraction  # quarter notes
    counts: Mapping[str, int]  # sequences by split
    frames: Mapping[str, int]  # frames by split


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A data set as read."""

    entry: RollEntry
    splits: Mapping[str, tuple[Roll, ...]]  # train, valid, test


@cache
def _entries() -> dict[str, RollEntry]:
    records = tomllib.loads((resources.files("corpora") / FILE).read_text(encoding="utf-8"))
    expected = {field.name for field in fields(RollEntry)} - {"name"}
    for name, record in records.items():
        wrong = expected ^ set(record)
        if wrong:
            raise FactError(FILE, name, f"missing or unknown fields: {', '.join(sorted(wrong))}")
    return {
        name: RollEntry(name=name, **{**record, "frame": Fraction(record["frame"])})
        for name, record in records.items()
    }


def benchmark_names() -> tuple[str, ...]:
    """Names of the known data sets."""
    return tuple(_entries())


def roll_entry(name: str) -> RollEntry:
    """The data set of this name; raises UnknownNameError."""
    if name not in _entries():
        raise UnknownNameError("data set", name, _entries())
    return _entries()[name]


def read_benchmark(name: str, path: Path) -> Benchmark:
    """Read a data set from a file of gzipped JSON.

    Args:
        name: of the data set, such as `jsb-pianoroll`.
        path: where the user keeps the file.

    Raises:
        UnknownNameError: no such data set.
        StoredFileError: the file cannot be read, or is not the known one.
    """
    entry = roll_entry(name)
    content = _read(path)
    found = hashlib.sha256(content).hexdigest()
    if found != entry.checksum:
        raise StoredFileError(
            path,
            f"checksum {found[:12]} is not that of {name} ({entry.checksum[:12]}); "
            "figures from another file could not be compared",
        )
    splits = json.loads(_unpacked(path, content))
    rolls = {split: _rolls(entry, split, sequences) for split, sequences in splits.items()}
    for each in rolls.values():
        check_rolls(each)
    return Benchmark(entry, rolls)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise StoredFileError(path, f"is too long, at most {MOST_BYTES} bytes are allowed")
        return path.read_bytes()
    except OSError as error:
        raise StoredFileError(path, f"cannot be read: {error.strerror}") from error


def _unpacked(path: Path, content: bytes) -> bytes:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError) as error:
        raise StoredFileError(path, f"is no gzip file: {error}") from error


def _rolls(entry: RollEntry, split: str, sequences: list[list[list[int]]]) -> tuple[Roll, ...]:
    return tuple(
        Roll(f"{entry.name}, {split} {number}", tuple(tuple(frame) for frame in sequence))
        for number, sequence in enumerate(sequences)
    )
