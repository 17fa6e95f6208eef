"""Read scores of the corpora through music21 into `musegen.score.Score`.

Pitches stay spelled, tied chains become one note, fermatas and the upbeat are kept, repeats are
not expanded. The key is estimated, because the encodings' own mode marks are not reliable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from musegen.analysis.key import estimate_key
from musegen.errors import ScoreError
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Pitch

__all__ = [
    "SECOND_SUFFIX",
    "VOICE_NAMES",
    "Progress",
    "Reading",
    "piece_name",
    "read_all",
    "read_score",
    "read_voices",
]

Progress = Callable[[int, int], None]  # done, total

VOICE_NAMES = ("Soprano", "Alto", "Tenor", "Bass")
SECOND_SUFFIX = ".krn"  # three pieces come in a second encoding
FINEST = 96  # a quarter note is divided no further than this
CREDIT = "J. S. Bach"


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of one file: a score, or the reason why there is none."""

    name: str
    score: Score | None
    problem: str | None = None
    remarks: tuple[str, ...] = ()  # what was left out of the score


def read_all(paths: Sequence[Path], *, progress: Progress | None = None) -> tuple[Reading, ...]:
    """Read files one after another; what cannot be used comes back with its reason."""
    readings = []
    for done, path in enumerate(paths):
        if progress is not None:
            progress(done, len(paths))
        try:
            score, remarks = _read(path)
            readings.append(Reading(piece_name(path), score, None, remarks))
        except ScoreError as error:
            readings.append(Reading(piece_name(path), None, error.problem))
    if progress is not None:
        progress(len(paths), len(paths))
    return tuple(readings)


def piece_name(path: Path) -> str:
    """Name of a file's piece: without suffix, but a Humdrum file keeps it beside its MusicXML."""
    return path.name if path.suffix == SECOND_SUFFIX else path.stem


def read_score(path: Path) -> Score:
    """Read one four-part file.

    Raises:
        ScoreError: the file has not four parts, changes its metre, or has chords in a part.
    """
    return _read(path)[0]


def _read(path: Path) -> tuple[Score, tuple[str, ...]]:
    from music21 import converter

    stream: Any = converter.parse(path, forceSource=True, storePickle=False)
    if len(stream.parts) != len(VOICE_NAMES):
        raise ScoreError(path.stem, f"{len(stream.parts)} parts instead of four")
    metre, upbeat = _metre(stream.parts[0], path.stem)
    read = [
        _part(part, name, path.stem) for part, name in zip(stream.parts, VOICE_NAMES, strict=True)
    ]
    parts = tuple(part for part, _ in read)
    graces = sum(count for _, count in read)
    key = estimate_key(parts, _signature(stream.parts[0]))
    score = Score(_title(path.stem), key, parts, (metre,), upbeat, credit=CREDIT)
    return score, (f"grace notes left out: {graces}",) if graces else ()


def read_voices(path: Path) -> Score:
    """Read the four singers of one file as they are encoded; instruments are left out.

    The metre may change; bars are not checked against it. A phrase ends where a note with a fermata
    is released, in whatever voice.

    Raises:
        ScoreError: there is not one soprano, alto, tenor and bass, or a part has chords.
    """
    from music21 import converter

    stream: Any = converter.parse(path, forceSource=True, storePickle=False)
    singers = _singers(list(stream.parts), path.stem)
    parts = tuple(
        _part(part, name, path.stem)[0] for part, name in zip(singers, VOICE_NAMES, strict=True)
    )
    bars = list(singers[0].getElementsByClass("Measure"))
    metres = _metres(singers[0], path.stem)
    length = _fraction(bars[0].highestTime)
    ends = {note.end for part in parts for note in part.notes if note.fermata}
    return Score(
        _title(path.stem),
        estimate_key(parts, _signature(singers[0])),
        parts,
        metres,
        length if length < metres[0].bar else Fraction(0),
        phrase_ends=tuple(sorted(ends)),
        credit=CREDIT,
    )


def _singers(parts: list[Any], name: str) -> list[Any]:
    """Soprano, alto, tenor and bass; a part doubled by instruments names its singer first."""
    named = [str(part.partName).split()[0] for part in parts]
    if set(named) == {"None"} and len(parts) == len(VOICE_NAMES):
        return parts
    if any(named.count(voice) != 1 for voice in VOICE_NAMES):
        raise ScoreError(name, "not one soprano, alto, tenor and bass")
    return [parts[named.index(voice)] for voice in VOICE_NAMES]


def _metres(part: Any, name: str) -> tuple[Metre, ...]:
    """Each change of metre of a part."""
    found: list[Metre] = []
    for each in part.recurse().getElementsByClass("TimeSignature"):
        onset = _fraction(each.getOffsetInHierarchy(part))
        if not found or (each.numerator, each.denominator) != (found[-1].beats, found[-1].unit):
            found.append(Metre(each.numerator, each.denominator, onset))
    if not found or found[0].onset:
        raise ScoreError(name, "no metre at the start")
    return tuple(found)


def _title(stem: str) -> str:
    return stem.replace("bwv", "BWV ")


def _metre(part: Any, name: str) -> tuple[Metre, Fraction]:
    """The metre and the length of the upbeat."""
    signatures = part.recurse().getElementsByClass("TimeSignature")
    found = list(dict.fromkeys((each.numerator, each.denominator) for each in signatures))
    if len(found) != 1:
        names = ", ".join(f"{beats}/{unit}" for beats, unit in found) or "none"
        raise ScoreError(name, f"mixed metre ({names})")
    metre = Metre(*found[0])
    bars = list(part.getElementsByClass("Measure"))
    length = _fraction(bars[0].highestTime)
    upbeat = length if length < metre.bar else Fraction(0)
    for bar in bars[1:]:
        full = _fraction(bar.highestTime) >= metre.bar
        if full and (_fraction(bar.offset) - upbeat) % metre.bar:
            raise ScoreError(name, f"bars do not fill the metre ({metre}) before bar {bar.number}")
    return metre, upbeat


def _signature(part: Any) -> int:
    signatures = part.recurse().getElementsByClass("KeySignature")
    return signatures[-1].sharps if signatures else 0


def _fraction(value: Any) -> Fraction:
    return Fraction(value).limit_denominator(FINEST)


def _part(part: Any, voice: str, name: str) -> tuple[Part, int]:
    """Notes of a part with ties joined, and how many grace notes it had."""
    notes: list[Note] = []
    graces, open_tie = 0, False
    for element in part.flatten().notes:
        if element.duration.isGrace:
            graces += 1
            continue
        if element.isChord:
            raise ScoreError(name, f"a chord in the {voice.lower()} part")
        note = _note(element)
        last = notes[-1] if notes else None
        joined = open_tie and last is not None and last.end == note.onset
        if last is not None and note.onset < last.end:
            raise ScoreError(name, f"overlapping notes in the {voice.lower()} part")
        if joined and last is not None and last.pitch == note.pitch:
            fermata = last.fermata or note.fermata
            notes[-1] = Note(last.onset, last.duration + note.duration, last.pitch, fermata)
        else:
            notes.append(note)
        open_tie = element.tie is not None and element.tie.type in ("start", "continue")
    return Part(voice, tuple(notes)), graces


def _note(element: Any) -> Note:
    pitch = element.pitch
    spelled = Pitch(pitch.diatonicNoteNum - 1, round(pitch.ps))
    fermata = any(type(mark).__name__ == "Fermata" for mark in element.expressions)
    return Note(_fraction(element.offset), _fraction(element.quarterLength), spelled, fermata)
