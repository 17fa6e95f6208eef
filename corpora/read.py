"""Read scores of the corpora through music21 into `musegen.score.Score`.

Pitches stay spelled, tied chains become one note, fermatas and the upbeat are kept, repeats are
not expanded. The key is estimated from the signature, the pitch content and the last bass note,
because the encodings' own mode marks are not reliable (Krumhansl, Cognitive Foundations of Musical
Pitch, 1990, ch. 2, for the profiles).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from musegen.errors import ScoreError
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch, PitchClass

__all__ = [
    "SECOND_SUFFIX",
    "VOICE_NAMES",
    "Progress",
    "Reading",
    "estimate_key",
    "piece_name",
    "read_all",
    "read_score",
]

Progress = Callable[[int, int], None]  # done, total

VOICE_NAMES = ("Soprano", "Alto", "Tenor", "Bass")
SECOND_SUFFIX = ".krn"  # three pieces come in a second encoding
FINEST = 96  # a quarter note is divided no further than this
CREDIT = "J. S. Bach"

# Krumhansl-Kessler probe-tone ratings by line of fifths above the tonic, -6 to 6.
PROFILES = {
    "major": (2.52, 2.23, 2.39, 2.33, 2.29, 4.09, 6.35, 5.19, 3.48, 3.66, 4.38, 2.88, 2.52),
    "minor": (2.54, 2.68, 3.98, 5.38, 3.34, 3.53, 6.33, 4.75, 3.52, 2.69, 2.60, 3.17, 2.54),
}
PROFILE_REACH = 6
FINAL_TONIC = 2.0  # worth of a last bass note on the tonic, in units of the profile mean's spread
FINAL_DOMINANT = 0.6  # a minor piece may end on its dominant (Bach: 27 of 169)
FINAL_MODE = 0.5  # a last third that is the mode's own
SIGNATURE_STEP = 1.4  # price of each accidental between the signature and that of the key
OLD_SIGNATURE = 0.5  # price of the old ones: dorian (a flat less), mixolydian (a sharp less)
OLD_SIGNATURES = {"major": -1, "minor": 1}  # signature written minus signature of the key


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


def estimate_key(parts: Sequence[Part], signature: int) -> Key:
    """Estimate key and mode of a piece.

    Candidates are all keys within two accidentals of the signature (old pieces write minor keys
    with one flat less, and end on the dominant at times). Each is judged by the correlation of the
    durations of its pitch classes with the mode's profile, by the last bass note and last third.

    Args:
        parts: high to low.
        signature: sharps, flats negative.
    """
    weights: dict[int, float] = {}
    for part in parts:
        for note in part.notes:
            fifths = note.pitch.pitch_class.fifths
            weights[fifths] = weights.get(fifths, 0.0) + float(note.duration)
    last = [part.notes[-1].pitch.pitch_class.fifths for part in parts if part.notes]
    candidates = [
        Key(PitchClass(sharps + shift), mode)
        for mode, shift in (("major", 0), ("minor", 3))
        for sharps in range(max(signature - 2, -7), min(signature + 2, 7) + 1)
    ]
    return max(candidates, key=lambda key: _key_score(key, signature, weights, last))


def _key_score(key: Key, signature: int, weights: dict[int, float], last: Sequence[int]) -> float:
    tonic, profile = key.tonic.fifths, PROFILES[key.mode]
    reach = range(-PROFILE_REACH, PROFILE_REACH + 1)
    fit = _correlation([weights.get(tonic + place, 0.0) for place in reach], profile)
    bass = last[-1] - tonic if last else None
    difference = signature - key.signature
    old = difference == OLD_SIGNATURES[key.mode]
    score = 4 * fit - (OLD_SIGNATURE if old else SIGNATURE_STEP * abs(difference))
    if bass == 0 and tonic - 1 not in last:
        third = 4 if key.mode == "major" else -3
        score += FINAL_TONIC + FINAL_MODE * (tonic + third in last)
    elif bass == 1 and key.mode == "minor":
        score += FINAL_DOMINANT
    return score


def _correlation(xs: Sequence[float], ys: Sequence[float]) -> float:
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    dx, dy = [x - mean_x for x in xs], [y - mean_y for y in ys]
    scale = (sum(x * x for x in dx) * sum(y * y for y in dy)) ** 0.5
    return sum(x * y for x, y in zip(dx, dy, strict=True)) / scale if scale else 0.0
