"""MusicXML in: checked by us, understood by music21, which knows the dialects of other programs.

The file is parsed with entities refused and with limits, so that a hostile one costs nothing.
Chords are set apart as voices. What a score here cannot hold (grace notes, cue notes) is refused by
its bar, or left out with a remark where remarks are asked for, so that no note is dropped unseen;
notes without pitch are always refused. Each note travels through music21 with a
number, by which its voice and its fermata are found again: music21 numbers voices anew.
"""

from __future__ import annotations

import gc
import warnings
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from musegen.errors import ScoreError
from musegen.io.barlines import Grid, grid
from musegen.io.limits import (
    BROKEN,
    brief,
    checked_metre,
    checked_parts,
    checked_tempo,
)
from musegen.io.lines import Staff, Written, join_ties, named_parts, staff_lines
from musegen.io.musicxml_cleaning import take_out_percussion
from musegen.io.musicxml_preparing import QUARTER_TONE, Place, number_in, number_notes
from musegen.io.pieces import TEMPO, TONICS, Reading
from musegen.io.xml_tree import parse_xml
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch, PitchClass

__all__ = [
    "LARGEST",
    "file_root",
    "read_musicxml",
    "read_sheet",
    "read_sheet_text",
    "score_content",
]

LARGEST = 20_000_000  # bytes of a file, and of what an archive holds
MOST_ENTRIES = 100  # files in an archive
CONTAINER = "META-INF/container.xml"
LETTERS = "CDEFGAB"
LETTER_SEMITONES = (0, 2, 4, 5, 7, 9, 11)
QUARTERS = {"whole": 4.0, "half": 2.0, "quarter": 1.0, "eighth": 0.5, "16th": 0.25}


@dataclass(frozen=True, slots=True)
class _Sounding:
    """A written note as music21 understood it."""

    place: Place
    note: Note
    tied: bool  # to the next


def read_musicxml(path: str | Path) -> Score:
    """Read a MusicXML file, plain or compressed (`.mxl`).

    Each voice of each staff becomes a part, from the top of the page down, and a voice with chords
    as many parts as they need; tied chains become one note; repeats are not expanded. Pitches are
    those that sound. A key without mode is minor if the lowest part ends on the minor tonic.
    Harmony and phrases are not read.

    Raises:
        ScoreError: the file cannot be read, is too large, declares entities, or holds what a score
            here cannot: the message names the bar.
    """
    return _read(Path(path), None).score


def read_sheet(path: str | Path) -> Reading:
    """Read a MusicXML file with what it does not say, and remarks on what was left out.

    Raises:
        ScoreError: as `read_musicxml`, but grace notes, cue notes, and parts of percussion beside
            others are no reason.
    """
    return _read(Path(path), [])


def file_root(path: Path) -> ET.Element:
    """The elements of a MusicXML file as they stand; raises ScoreError."""
    return parse_xml(score_content(path)[0], path.name)


def read_sheet_text(text: bytes | str, name: str) -> Reading:
    """Read the text of a MusicXML file as `read_sheet` reads the file.

    Args:
        text: of an uncompressed file.
        name: how a refusal calls it.

    Raises:
        ScoreError: as `read_sheet`.
    """
    if len(text) > LARGEST:
        raise ScoreError(name, f"is larger than {LARGEST} bytes")
    return _understand(parse_xml(text, name), Path(name), [])


def _read(path: Path, remarks: list[str] | None) -> Reading:
    return _understand(file_root(path), path, remarks)


def _understand(root: ET.Element, path: Path, remarks: list[str] | None) -> Reading:
    if root.tag != "score-partwise":
        raise ScoreError(path.name, f"must hold score-partwise, got {brief(root.tag, 40)}")
    tempo = _tempo(root, path.name)
    if remarks is not None:
        remarks += take_out_percussion(root)
    places = number_notes(root, path.name, remarks)
    reading = _reading(root, places, _understood(root, path.name), path)
    return replace(
        reading,
        score=replace(reading.score, tempo=tempo or TEMPO),
        tempo=tempo is not None,
        remarks=(*(remarks or ()), *reading.remarks),
    )


# --- bytes ----------------------------------------------------------------------------------


def score_content(path: Path) -> tuple[bytes, str | None]:
    """The bytes of the score, and its name in the archive if it comes out of one.

    Raises:
        ScoreError: the file cannot be read, is too large, or is no archive of a score.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return _unpacked(archive, path.name)
        with path.open("rb") as file:
            return _limited(file.read, path.name), None
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise ScoreError(str(path), f"cannot be read: {brief(reason)}") from error


def _limited(read: Callable[[int], bytes], name: str) -> bytes:
    data = read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ScoreError(name, f"is larger than {LARGEST} bytes")
    return data


def _unpacked(archive: zipfile.ZipFile, name: str) -> tuple[bytes, str]:
    """The score of a compressed file, read no further than the limit, and its name there."""
    entries = archive.namelist()
    if len(entries) > MOST_ENTRIES:
        raise ScoreError(name, f"holds {len(entries)} files, at most {MOST_ENTRIES} are read")
    if CONTAINER not in entries:
        raise ScoreError(name, f"is no compressed MusicXML: {CONTAINER} is missing")
    with archive.open(CONTAINER) as file:
        container = parse_xml(_limited(file.read, name), name)
    paths = [element.get("full-path", "") for element in container.iter("rootfile")]
    if not paths or paths[0] not in entries:
        raise ScoreError(name, f"is no compressed MusicXML: its container names {brief(paths[:1])}")
    with archive.open(paths[0]) as file:
        return _limited(file.read, name), paths[0]


# --- music21 ----------------------------------------------------------------------------------


def _understood(root: ET.Element, name: str) -> Any:
    """The score as music21 reads it, at sounding pitch.

    What music21 raises on a broken file is a refusal of that file.
    """
    from music21 import exceptions21
    from music21.musicxml import xmlToM21

    untyped: Any = xmlToM21
    importer = untyped.MusicXMLImporter()
    importer.xmlText = ET.tostring(root, encoding="unicode")
    try:
        with warnings.catch_warnings(), _uncollected():
            warnings.simplefilter("ignore")  # what music21 warns of, it raises or we count
            importer.parseXMLText()
            importer.stream.toSoundingPitch(inPlace=True)  # a copy costs as much as the parsing
            return importer.stream
    except (exceptions21.Music21Exception, *BROKEN) as error:
        raise ScoreError(name, f"cannot be understood: {brief(error)}") from error


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage: nearly all that music21 makes stays, and looking costs a quarter more."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


# --- after music21 --------------------------------------------------------------------------


def _reading(root: ET.Element, places: Sequence[Place], stream: Any, path: Path) -> Reading:
    sounding = _sounding(stream, places, path.name)
    staves = _staves(root, sounding, path.name)
    parts = checked_parts(named_parts(staves), path.name)
    counted = _metres(stream, parts, path.name)
    one_player = len(root.findall("part")) == 1
    makers = [each.text or "" for each in root.iterfind("identification/creator")]
    title = root.findtext("work/work-title") or root.findtext("movement-title") or path.stem
    subtitle = root.findtext("movement-title") or ""
    key, declared = _key(root, parts, path.name)
    score = Score(
        " ".join(title.split()),
        key,
        parts,
        counted.metres,
        counted.upbeat,
        subtitle="" if subtitle == title else " ".join(subtitle.split()),
        credit=", ".join(" ".join(each.split()) for each in makers if each.strip()),
    )
    return Reading(
        path.stem,
        score,
        key_declared=declared,
        irregular=counted.irregular,
        bars=counted.bars,
        written=tuple(Written(each.note, each.tied, "") for each in sounding),
        hands=len(staves[0].voices) if len(staves) == 2 and one_player else None,
    )


def _sounding(stream: Any, places: Sequence[Place], name: str) -> list[_Sounding]:
    found = []
    for part in stream.parts:
        starts: dict[int, Fraction] = {}  # of bars and voices: asking for each note costs a lot
        for element in part.recurse().notes:
            place = places[int(element.lyric)]
            site = element.activeSite
            if id(site) not in starts:
                starts[id(site)] = _fraction(site.getOffsetInHierarchy(part), name)
            onset = starts[id(site)] + _fraction(site.elementOffset(element), name)
            duration = _fraction(element.quarterLength, name)
            note = Note(onset, duration, _pitch(element.pitch, name), place.fermata)
            tied = element.tie is not None and element.tie.type in ("start", "continue")
            found.append(_Sounding(place, note, tied))
    if len(found) != len(places):
        raise ScoreError(name, f"of {len(places)} notes only {len(found)} could be understood")
    return found


@lru_cache(maxsize=4096)
def _exact(time: float | Fraction) -> Fraction | None:
    """The time that notes can have at most a millionth from another, None if there is none."""
    exact = Fraction(time).limit_denominator(5040)
    return exact if abs(exact - Fraction(time)) <= Fraction(1, 10**6) else None


def _fraction(time: float | Fraction, name: str) -> Fraction:
    exact = _exact(time)
    if exact is None:
        raise ScoreError(name, f"a time of {time} quarter notes is none that notes can have")
    return exact


def _pitch(pitch: Any, name: str) -> Pitch:
    """A pitch of music21, spelled as it is."""
    alteration = pitch.alter
    if alteration != int(alteration):  # by the name of an accidental alone
        raise ScoreError(name, f"{pitch} {QUARTER_TONE}")
    letter, octave = LETTERS.index(pitch.step), pitch.implicitOctave
    semitone = 12 * (octave + 1) + LETTER_SEMITONES[letter] + int(alteration)
    return Pitch(7 * octave + letter, semitone)


def _staves(root: ET.Element, sounding: Sequence[_Sounding], name: str) -> list[Staff]:
    """The staves from the top of the page down, with their voices."""

    def staff(each: _Sounding) -> tuple[int, int]:
        return each.place.part, each.place.staff

    def voice(each: _Sounding) -> tuple[int, str]:
        return int(each.place.voice) if each.place.voice.isdecimal() else 0, each.place.voice

    ordered = sorted(sounding, key=lambda each: (staff(each), voice(each), each.note.onset))
    titles = [part.findtext("part-name") or "" for part in root.iterfind("part-list/score-part")]
    found = []
    for (part, _), inside in groupby(ordered, key=staff):
        voices = [tuple(line) for _, line in groupby(inside, key=voice)]
        title = " ".join(titles[part].split()) if part < len(titles) else ""
        title = brief(title, 40) or f"Part {part + 1}"
        lines = staff_lines([_line(each, name) for each in voices], f"{name}, {title}")
        found.append(Staff(title, lines))
    return found


def _line(voice: Sequence[_Sounding], name: str) -> tuple[Note, ...]:
    """A voice with its tied chains made one; only where it has chords it may overlap."""
    notes = join_ties([Written(each.note, each.tied, "") for each in voice])[0]
    if not any(each.place.chord for each in voice):
        for before, after in pairwise(notes):
            if before.end > after.onset:
                where = f"quarter note {after.onset} from the start"
                problem = f"{before.pitch} and {after.pitch} overlap in a voice, {where}"
                raise ScoreError(name, problem)
    return notes


def _metres(stream: Any, parts: Sequence[Part], name: str) -> Grid:
    """Time signatures, the upbeat, and bars that do not fill their metre."""
    part = stream.parts[0]
    found: list[Metre] = []
    for signature in part.recurse().getElementsByClass("TimeSignature"):
        onset = _fraction(signature.getOffsetInHierarchy(part), name)
        metre = Metre(int(signature.numerator), int(signature.denominator), onset)
        found.append(checked_metre(metre, f"{name}, {onset} quarter notes from the start"))
    if not found or found[0].onset:
        raise ScoreError(name, "has no time signature at its start")
    measures = list(part.getElementsByClass("Measure"))
    lines = [_fraction(each.offset, name) for each in measures]
    if len(measures) == 1 and measures[0].number == 0:
        whole = _fraction(measures[0].highestTime, name)
        return Grid((found[0],), whole if whole < found[0].bar else Fraction(0))
    total = max(each.notes[-1].end for each in parts)
    return grid(lines, found, total, name)


def _key(root: ET.Element, parts: Sequence[Part], name: str) -> tuple[Key, bool]:
    """The key of the first signature, and whether its mode is stated.

    Without mode the last lowest note decides.
    """
    fifths = int(
        number_in(root.findtext("part/measure/attributes/key/fifths", "0"), name, "fifths")
    )
    mode = root.findtext("part/measure/attributes/key/mode", "").strip().lower()
    stated = mode in TONICS
    if not stated:
        last = parts[-1].notes[-1].pitch.pitch_class.fifths
        mode = "minor" if last == fifths + TONICS["minor"][0] else "major"
    shift, nearest = TONICS[mode]
    return Key(PitchClass(fifths + shift), nearest), stated


def _tempo(root: ET.Element, name: str) -> float | None:
    """Quarter notes a minute, as players or the first metronome mark are told; else None."""
    for sound in root.iterfind("part/measure//sound[@tempo]"):
        return checked_tempo(number_in(sound.get("tempo", ""), name, "tempo"), name)
    for mark in root.iterfind("part/measure/direction/direction-type/metronome"):
        unit, count = QUARTERS.get(mark.findtext("beat-unit", "")), mark.findtext("per-minute", "")
        if unit and count.strip().isdecimal():
            dotted = 1.5 if mark.find("beat-unit-dot") is not None else 1
            return checked_tempo(float(count) * unit * dotted, name)
    return None
