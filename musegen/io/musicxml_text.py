"""The text of a MusicXML file, element by element, with the bytes where each begins and ends.

For editing a file in place: expat tells where in the bytes every element stands, whatever the
encoding, so that what is not rewritten can be copied as it is.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from xml.parsers import expat

from musegen.errors import ScoreError
from musegen.io.limits import brief

__all__ = ["Child", "Line", "Measure", "MusicXmlText", "Place", "parse_text"]

DEEPEST = 64  # elements within elements
MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
ASIDE = "#"  # tag of a comment or processing instruction

Line = tuple[int, int, str]  # part, staff, voice


@dataclass(slots=True)
class Child:
    """An element of a measure and its bytes."""

    element: ET.Element
    start: int
    end: int = 0
    inner: list[Child] = field(default_factory=list)  # its own children, of a note only

    @property
    def tag(self) -> str:
        """The name of the element."""
        return str(self.element.tag)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a note of the file stands in time, and what is in force there."""

    child: Child
    line: Line
    onset: Fraction  # quarter notes from the start of the piece
    duration: Fraction  # quarter notes, 0 of a grace note
    divisions: Fraction

    @property
    def end(self) -> Fraction:
        """Release in quarter notes."""
        return self.onset + self.duration

    def has(self, tag: str) -> bool:
        """Whether the note has such a child."""
        return self.child.element.find(tag) is not None


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of a part: what it holds, when it comes."""

    part: int
    onset: Fraction  # quarter notes
    length: Fraction  # quarter notes
    children: tuple[Child, ...]
    notes: tuple[Place, ...]  # rests, chords, grace and cue notes too, in the order of the file
    fifths: int  # of the key signature


@dataclass(frozen=True, slots=True)
class MusicXmlText:
    """A file as bytes, and where its measures stand in them."""

    data: bytes
    encoding: str
    measures: tuple[tuple[Measure, ...], ...]  # of each part

    def text(self, start: int, end: int) -> str:
        """Some of the bytes as text."""
        return self.data[start:end].decode(self.encoding)

    def notes(self) -> Iterator[Place]:
        """The notes of the file."""
        return (note for part in self.measures for measure in part for note in measure.notes)


class _Scanner:
    """Builds the parts from expat's events; an element ends where the next event begins."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.encoding = ""
        self.parts: list[list[Child]] = []
        self.path: list[Child] = []
        self.open: list[Child] = []  # elements whose last byte is not known yet
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.data
        self.parser.CommentHandler = self.aside
        self.parser.ProcessingInstructionHandler = self.aside
        self.parser.StartCdataSectionHandler = self.mark
        self.parser.EndCdataSectionHandler = self.mark
        self.parser.XmlDeclHandler = self.declaration
        self.parser.EntityDeclHandler = self.refuse

    def mark(self) -> int:
        """Where the present event begins, which is where what was before it ends."""
        index = int(self.parser.CurrentByteIndex)
        for child in self.open:
            child.end = index
        self.open.clear()
        return index

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        child = Child(ET.Element(tag, attributes), self.mark())
        if len(self.path) >= DEEPEST:
            raise ScoreError(self.name, f"nests elements deeper than {DEEPEST}")
        if self.path:
            self.path[-1].element.append(child.element)
            self.path[-1].inner.append(child)
        self.path.append(child)

    def end(self, tag: str) -> None:
        self.mark()
        child = self.path.pop()
        self.open.append(child)
        if len(self.path) == 1 and tag == "part":
            self.parts.append([each for each in child.inner if each.tag == "measure"])

    def data(self, text: str) -> None:
        self.mark()
        if self.path:
            last = self.path[-1].element
            last.text = (last.text or "") + text if not len(last) else last.text

    def aside(self, *_: str) -> None:
        index = self.mark()
        if self.path:
            child = Child(ET.Element(ASIDE), index)
            self.path[-1].inner.append(child)
            self.open.append(child)

    def declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        self.encoding = encoding or ""

    def refuse(self, *_: object) -> None:
        raise ScoreError(self.name, "declares an entity; entities are not read")


def parse_text(data: bytes, name: str) -> MusicXmlText:
    """Where the measures and notes of a file stand.

    Args:
        data: of a `score-partwise` file.
        name: how a refusal calls it.

    Raises:
        ScoreError: no well-formed XML, or numbers that are none.
    """
    scanner = _Scanner(name)
    try:
        scanner.parser.Parse(data, True)
        encoding = MARKS.get(data[:2]) or scanner.encoding or "utf-8"
        "".encode(encoding)
        measures = _timed(scanner.parts)
    except (expat.ExpatError, ValueError, LookupError, ZeroDivisionError) as error:
        raise ScoreError(name, f"cannot be edited in place: {brief(error)}") from error
    return MusicXmlText(data, encoding, measures)


# --- time -----------------------------------------------------------------------------------


@dataclass(slots=True)
class _State:
    """What is in force in a part."""

    part: int
    divisions: Fraction = Fraction(1)
    fifths: int = 0


def _timed(parts: list[list[Child]]) -> tuple[tuple[Measure, ...], ...]:
    """Measures with their onsets; one lasts as long as its longest part."""
    states = [_State(number) for number in range(len(parts))]
    found: list[list[Measure]] = [[] for _ in parts]
    onset = Fraction(0)
    for place in range(max(map(len, parts), default=0)):
        here = [
            _measure(part[place], state, onset)
            for part, state in zip(parts, states, strict=True)
            if place < len(part)
        ]
        length = max((measure.length for measure in here), default=Fraction(0))
        for measure in here:
            found[measure.part].append(measure)
        onset += length
    return tuple(map(tuple, found))


def _measure(element: Child, state: _State, onset: Fraction) -> Measure:
    cursor = reached = last = Fraction(0)
    notes = []
    for child in element.inner:
        if child.tag == "attributes":
            _attributes(child.element, state)
        length = _length(child.element, state)
        if child.tag == "backup":
            cursor -= length
        elif child.tag == "forward":
            cursor += length
        elif child.tag == "note":
            chord = child.element.find("chord") is not None
            begin = last if chord else cursor
            line = (state.part, *_staff_and_voice(child.element))
            notes.append(Place(child, line, onset + begin, length, state.divisions))
            last, cursor = begin, cursor if chord else cursor + length
        reached = max(reached, cursor)
    children = tuple(element.inner)
    return Measure(state.part, onset, reached, children, tuple(notes), state.fifths)


def _attributes(element: ET.Element, state: _State) -> None:
    divisions, fifths = element.findtext("divisions"), element.findtext("key/fifths")
    if divisions is not None:
        state.divisions = Fraction(divisions.strip())
    if fifths is not None:
        state.fifths = int(float(fifths))


def _length(element: ET.Element, state: _State) -> Fraction:
    if element.find("grace") is not None:
        return Fraction(0)
    return Fraction((element.findtext("duration") or "0").strip()) / state.divisions


def _staff_and_voice(element: ET.Element) -> tuple[int, str]:
    staff = int(float(element.findtext("staff", "1")))
    return staff, element.findtext("voice", "1").strip()
