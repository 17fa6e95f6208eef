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

import numpy as np

from musegen.errors import FactError, StoredFileError, UnknownNameError
from musegen.models.cards import DataCard
from musegen.models.rolls import Roll, check_rolls
from musegen.models.voice_rolls import VoiceRoll, check_voice_rolls

__all__ = [
    "Benchmark",
    "RollEntry",
    "VoiceBenchmark",
    "benchmark_names",
    "data_card",
    "read_benchmark",
    "read_voices",
    "roll_entry",
]

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
    voices: int  # of a frame, high to low; 0 where a frame is a set of pitches
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


@dataclass(frozen=True, slots=True)
class VoiceBenchmark:
    """A data set of voices as read."""

    entry: RollEntry
    splits: Mapping[str, tuple[VoiceRoll, ...]]  # train, valid, test


def benchmark_names(*, voices: bool = False) -> tuple[str, ...]:
    """Names of the known data sets whose frames are sets of pitches, or tell voices apart."""
    return tuple(name for name, entry in _entries().items() if bool(entry.voices) == voices)


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
    if name not in benchmark_names():
        raise UnknownNameError("data set", name, benchmark_names())
    entry = roll_entry(name)
    splits = _known(entry, path)
    rolls = {split: _rolls(entry, split, sequences) for split, sequences in splits.items()}
    for each in rolls.values():
        check_rolls(each)
    return Benchmark(entry, rolls)


def read_voices(name: str, path: Path) -> VoiceBenchmark:
    """Read a data set of voices from a file of gzipped JSON; see `read_benchmark`.

    Raises:
        UnknownNameError: no such data set.
        StoredFileError: the file cannot be read, or is not the known one.
    """
    if name not in benchmark_names(voices=True):
        raise UnknownNameError("data set", name, benchmark_names(voices=True))
    entry = roll_entry(name)
    splits = {
        split: tuple(
            VoiceRoll(_roll_name(entry, split, number), np.array(sequence, np.int64))
            for number, sequence in enumerate(sequences)
        )
        for split, sequences in _known(entry, path).items()
    }
    for each in splits.values():
        check_voice_rolls(each)
    return VoiceBenchmark(entry, splits)


def _known(entry: RollEntry, path: Path) -> dict[str, list[list[list[int]]]]:
    """What a file holds, if it is the known one of a data set."""
    content = _read(path)
    found = hashlib.sha256(content).hexdigest()
    if found != entry.checksum:
        raise StoredFileError(
            path,
            f"checksum {found[:12]} is not that of {entry.name} ({entry.checksum[:12]}); "
            "figures from another file could not be compared",
        )
    splits: dict[str, list[list[list[int]]]] = json.loads(_unpacked(path, content))
    return splits


def data_card(entry: RollEntry) -> DataCard:
    """What the card of a model that was trained on a data set says of it."""
    return DataCard(
        name=entry.name,
        licence=entry.licence,
        split=f"the standard split; {entry.origin}",
        sequences=entry.counts,
        slots=entry.frames,
        checksum=entry.checksum,
    )


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
        Roll(_roll_name(entry, split, number), tuple(tuple(frame) for frame in sequence))
        for number, sequence in enumerate(sequences)
    )


def _roll_name(entry: RollEntry, split: str, number: int) -> str:
    return f"{entry.name}, {split} {number}"
