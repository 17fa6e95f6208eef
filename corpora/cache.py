"""The cleaned, labelled corpus on disk: compressed JSON, written whole or not at all.

Scores are stored as integers in ticks and staff steps; loading runs no code of the file.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from platformdirs import user_cache_dir

from corpora.catalogue import Entry
from corpora.clean import Dropped
from musegen.errors import OutputError, StoredFileError
from musegen.io.files import write_file
from musegen.score import Cadence, ChordLabel, Metre, Note, Part, Score
from theory_kb.moment import TICKS
from theory_kb.pitch import Key, Pitch, PitchClass

__all__ = ["READER_VERSION", "cache_path", "load_cache", "save_cache", "settings_path"]

READER_VERSION = 2  # raise it when reading, cleaning or labelling changes its results
FACTS = ("numerals.toml", "qualities.toml", "progressions.toml", "metres.toml")
LARGEST = 64 * 2**20  # bytes of unpacked JSON that are read

Content = tuple[tuple[tuple[str, Score], ...], tuple[Dropped, ...]]


def cache_path(of: Entry) -> Path:
    """Where a corpus is kept; the name tells files, reader and facts of theory apart."""
    digest = hashlib.sha256(f"{of.checksum} {READER_VERSION}".encode())
    for name in (of.slips,):
        digest.update((resources.files("corpora") / "data" / name).read_bytes())
    digest.update((resources.files("musegen") / "weights" / "analysis.json").read_bytes())
    for name in FACTS:
        digest.update((resources.files("theory_kb") / "facts" / name).read_bytes())
    return Path(user_cache_dir("musegen")) / f"{of.name}-{digest.hexdigest()[:16]}.json.gz"


def settings_path(of: Entry) -> Path:
    """Where the settings of a corpus are kept as they are encoded, neither cleaned nor labelled."""
    digest = hashlib.sha256(f"{of.checksum} {READER_VERSION} settings".encode())
    return Path(user_cache_dir("musegen")) / f"{of.name}-settings-{digest.hexdigest()[:16]}.json.gz"


def save_cache(path: Path, content: Content) -> None:
    """Store pieces and report; raises OutputError if the folder cannot be written to."""
    pieces, report = content
    record = {
        "format": "musegen corpus",
        "pieces": [[name, _packed(score)] for name, score in pieces],
        "report": [[each.name, each.reason, each.kept] for each in report],
    }
    text = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(path.parent, f"cannot be made: {error.strerror or error}") from error
    write_file(path, gzip.compress(text.encode(), 6, mtime=0))


def load_cache(path: Path) -> Content:
    """Read what `save_cache` wrote.

    Raises:
        FileNotFoundError: there is none yet.
        StoredFileError: it is damaged.
    """
    try:
        with gzip.open(path) as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise StoredFileError(path, f"more than {LARGEST} bytes unpacked; delete it")
        record = json.loads(data)
        pieces = tuple((str(name), _unpacked(fields)) for name, fields in record["pieces"])
        report = tuple(
            Dropped(str(name), str(why), bool(kept)) for name, why, kept in record["report"]
        )
    except FileNotFoundError:
        raise
    except (
        OSError,
        EOFError,
        ValueError,
        KeyError,
        TypeError,
        LookupError,
        ArithmeticError,
    ) as error:
        raise StoredFileError(path, f"damaged ({type(error).__name__}); delete it") from error
    return pieces, report


def _ticks(time: Fraction) -> int:
    ticks = time * TICKS
    assert ticks.denominator == 1, "the reader rounds to divisors of a tick"
    return ticks.numerator


@cache
def _time(ticks: int) -> Fraction:
    return Fraction(ticks, TICKS)


@cache
def _pitch(step: int, semitone: int) -> Pitch:
    return Pitch(step, semitone)


@cache
def _key(fifths: int, mode: str) -> Key:
    return Key(PitchClass(fifths), mode)


def _packed_key(key: Key) -> list[Any]:
    return [key.tonic.fifths, key.mode]


def _packed(score: Score) -> dict[str, Any]:
    return {
        "title": score.title,
        "credit": score.credit,
        "key": _packed_key(score.key),
        "upbeat": _ticks(score.upbeat),
        "tempo": score.tempo,
        "metres": [[each.beats, each.unit, _ticks(each.onset)] for each in score.metres],
        "parts": [
            [part.name, [number for note in part.notes for number in _packed_note(note)]]
            for part in score.parts
        ],
        "chords": [
            [_ticks(each.onset), _ticks(each.duration), *_packed_key(each.key), each.numeral]
            for each in score.chords
        ],
        "cadences": [
            [_ticks(each.onset), each.kind, *_packed_key(each.key)] for each in score.cadences
        ],
        "phrase_ends": [_ticks(end) for end in score.phrase_ends],
    }


def _packed_note(note: Note) -> tuple[int, int, int, int, int]:
    return (
        _ticks(note.onset),
        _ticks(note.duration),
        note.pitch.step,
        note.pitch.semitone,
        int(note.fermata),
    )


def _unpacked(fields: Mapping[str, Any]) -> Score:
    return Score(
        title=str(fields["title"]),
        key=_key(*fields["key"]),
        parts=tuple(Part(str(name), _unpacked_notes(numbers)) for name, numbers in fields["parts"]),
        metres=tuple(Metre(beats, unit, _time(onset)) for beats, unit, onset in fields["metres"]),
        upbeat=_time(fields["upbeat"]),
        tempo=float(fields["tempo"]),
        chords=tuple(
            ChordLabel(_time(onset), _time(length), _key(fifths, mode), str(numeral))
            for onset, length, fifths, mode, numeral in fields["chords"]
        ),
        cadences=tuple(
            Cadence(_time(onset), str(kind), _key(fifths, mode))
            for onset, kind, fifths, mode in fields["cadences"]
        ),
        phrase_ends=tuple(_time(end) for end in fields["phrase_ends"]),
        credit=str(fields["credit"]),
    )


def _unpacked_notes(numbers: list[int]) -> tuple[Note, ...]:
    rows = (iter(numbers),) * 5
    return tuple(
        Note(_time(onset), _time(length), _pitch(step, semitone), fermata == 1)
        for onset, length, step, semitone, fermata in zip(*rows, strict=True)
    )
