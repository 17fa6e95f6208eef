"""What a student hands in, read: notes by part, symbols of chords, and how sure all that is.

An answer is a text: MusicXML, or voices as `voice_text` reads them. A file may also be compressed
MusicXML or MIDI; what it is is told by its bytes, not by its name. Everything that can be wrong with
a submission has a code, so that a teacher can count it:

    E_FORMAT   no format of scores, with what was found instead
    E_ARCHIVE  a damaged archive, or one without a score
    E_ENTITY   XML with entities of its own
    E_XML      XML that is not well formed, or no score
    E_NOTES    notes that no score can hold
    E_SIZE     more bytes or notes than any exercise needs
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from musegen.errors import MusegenError, ScoreError
from musegen.exercises.grading.voice_text import VoiceText, looks_like_voices, read_voices
from musegen.io.limits import brief
from musegen.io.musicxml_text import MusicXmlText, parse_text
from musegen.score import Metre, Part
from theory_kb.pitch import Key

__all__ = ["Submission", "SubmissionError", "read_answer", "read_file"]

LARGEST = 5_000_000  # bytes
MOST_NOTES = 2000
HEAD = 512  # bytes that tell a format
MAGIC = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"RIFF": "a sound file",
    b"ID3": "a sound file",
    b"OggS": "a sound file",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"MSCX": "a MuseScore file",
}
ENTITY, NOT_XML = "declares an entity", "is no XML"
TOO_MANY = "holds more than"


class SubmissionError(MusegenError):
    """A submission that cannot be read."""

    def __init__(self, code: str, problem: str) -> None:
        """Name its code and what is wrong."""
        super().__init__(f"{code}: {problem}")
        self.code, self.problem = code, problem


@dataclass(frozen=True, slots=True)
class Submission:
    """An answer as it was read."""

    parts: tuple[Part, ...]  # high to low as the page has them; empty where nothing was written
    text: VoiceText | None = None  # typed voices, to be put in time by the exercise
    symbols: tuple[tuple[Fraction, str], ...] = ()  # written under or over notes: onset, symbol
    typed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # typed lines of symbols
    spelled: bool = True  # False: keys of a keyboard, spelled by us
    key: Key | None = None
    metre: Metre | None = None
    remarks: tuple[str, ...] = ()  # of the reading


def read_file(path: Path) -> Submission:
    """Read a file by what its bytes say it is.

    Raises:
        SubmissionError: it cannot be read; the code says why.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise SubmissionError("E_FORMAT", f"{path}: {error.strerror or error}") from error
    if size > LARGEST:
        problem = f"{path.name} has {size} bytes, at most {LARGEST} are read"
        raise SubmissionError("E_SIZE", problem)
    if head.startswith(b"MThd"):
        return _performance(path)
    if head.startswith(b"PK"):
        return _archive(path)
    for magic, what in MAGIC.items():
        if head.startswith(magic):
            allowed = "MusicXML, MIDI or voices as text"
            raise SubmissionError("E_FORMAT", f"{path.name} is {what}; {allowed} can be graded")
    return read_answer(_decoded(path), path.name)


def _decoded(path: Path) -> str:
    data = path.read_bytes()
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    if b"\0" in data:
        problem = f"{path.name} is no text and no format of scores that is known"
        raise SubmissionError("E_FORMAT", problem)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _performance(path: Path) -> Submission:
    from musegen.io.midi import read_performance

    try:
        reading = read_performance(path)
    except ScoreError as error:
        if "no note" in error.problem:
            return Submission(())
        raise SubmissionError("E_FORMAT", f"MIDI that cannot be read: {brief(error)}") from error
    metre = reading.score.metre if reading.metre else None
    return _limited(
        Submission(reading.score.parts, spelled=False, metre=metre, remarks=reading.remarks)
    )


def _archive(path: Path) -> Submission:
    from musegen.io.musicxml_reading import score_content

    try:
        content, _ = score_content(path)
    except ScoreError as error:
        code = "E_SIZE" if "larger than" in error.problem else "E_ARCHIVE"
        raise SubmissionError(code, brief(error)) from error
    if not zipfile.is_zipfile(path):
        raise SubmissionError("E_ARCHIVE", f"{path.name} is a damaged or truncated archive")
    return _sheet(content, path.name)


def read_answer(text: str, name: str = "answer") -> Submission:
    """Read an answer that is a text.

    Args:
        text: MusicXML, or voices.
        name: how a refusal calls it.

    Raises:
        SubmissionError: it cannot be read; the code says why.
    """
    if len(text) > LARGEST:
        problem = f"{name} has {len(text)} characters, at most {LARGEST} are read"
        raise SubmissionError("E_SIZE", problem)
    stripped = text.lstrip("\ufeff \t\r\n")
    if not stripped:
        return Submission(())
    if stripped.startswith("<"):
        return _sheet(_declared_utf8(stripped.encode()), name)
    if not looks_like_voices(text):
        allowed = "MusicXML, MIDI or voices such as 'S: C5 D5'"
        raise SubmissionError("E_FORMAT", f"{name} is text, not {allowed}: {brief(text, 40)!r}")
    try:
        voices = read_voices(text, name)
    except MusegenError as error:
        code = "E_SIZE" if TOO_MANY in str(error) else "E_NOTES"
        raise SubmissionError(code, brief(error)) from error
    return Submission((), text=voices, typed=voices.labels)


def _sheet(content: bytes, name: str) -> Submission:
    from musegen.io.musicxml_reading import read_sheet_text

    try:
        text = parse_text(content, name)
        if not any(place.child.element.find("pitch") is not None for place in text.notes()):
            return _noteless(content, name)
        reading = read_sheet_text(content, name)
    except ScoreError as error:
        raise SubmissionError(_code(error), brief(error)) from error
    score = reading.score
    return _limited(
        Submission(
            score.parts,
            symbols=tuple(_symbols(text)),
            key=score.key,
            metre=score.metre if reading.metre else None,
            remarks=reading.remarks,
        )
    )


def _noteless(content: bytes, name: str) -> Submission:
    """A sheet without a note is blank; another document is none."""
    from musegen.io.xml_tree import parse_xml

    root = parse_xml(content, name)
    if root.tag != "score-partwise":
        raise ScoreError(name, f"must hold score-partwise, got {brief(root.tag, 40)}")
    return Submission(())


def _declared_utf8(content: bytes) -> bytes:
    """A text that was decoded says so: what its first line declares no longer holds."""
    if content.startswith(b"<?xml"):
        end = content.find(b"?>")
        return b'<?xml version="1.0" encoding="UTF-8"' + content[end:] if end > 0 else content
    return content


def _code(error: ScoreError) -> str:
    for mark, code in (
        (ENTITY, "E_ENTITY"),
        (NOT_XML, "E_XML"),
        ("must hold score-partwise", "E_XML"),
        ("cannot be edited in place", "E_XML"),
        ("larger than", "E_SIZE"),
        ("at most", "E_SIZE"),
    ):
        if mark in error.problem:
            return code
    return "E_NOTES"


def _limited(found: Submission) -> Submission:
    count = sum(len(part.notes) for part in found.parts)
    if count > MOST_NOTES:
        raise SubmissionError("E_SIZE", f"holds {count} notes, at most {MOST_NOTES} are read")
    return found


# --- symbols of chords ----------------------------------------------------------------------


def _symbols(text: MusicXmlText) -> Iterator[tuple[Fraction, str]]:
    """What is written as lyrics, chord symbols, figures or words, by onset."""
    found: dict[Fraction, str] = {}
    for place in text.notes():
        words = [each.text or "" for each in place.child.element.iterfind("lyric/text")]
        if words and not place.has("chord"):
            found.setdefault(place.onset, " ".join("".join(words).split()))
    for part in text.measures:
        for measure in part:
            onsets = [place.onset for place in measure.notes]
            starts = [place.child.start for place in measure.notes]
            for child in measure.children:
                word = _word(child.element)
                after = [
                    onset
                    for onset, start in zip(onsets, starts, strict=True)
                    if start > child.start
                ]
                if word:
                    found.setdefault(after[0] if after else measure.onset, word)
    return iter(sorted(found.items()))


WORDS = {"direction": ("direction-type/words",), "harmony": ("function", "numeral/numeral-root")}


def _word(element: ET.Element) -> str:
    """The symbol of a direction or of a `harmony` element; empty for anything else."""
    for path in WORDS.get(element.tag, ()):
        text = element.findtext(path)
        if text and text.strip():
            return " ".join(text.split())
    return ""
