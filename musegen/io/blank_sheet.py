"""A sheet to write on: what is given stands there, and nothing else."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from copy import deepcopy
from fractions import Fraction

from musegen.io.musicxml import DOCTYPE, write_musicxml
from musegen.io.xml_tree import parse_xml
from musegen.score import Score

__all__ = ["hide_rests", "hide_tempo", "write_blank"]


def write_blank(score: Score, length: Fraction = Fraction(0)) -> bytes:
    """A score as MusicXML, its rests not shown: where a voice is silent the student writes.

    Args:
        score: what is given.
        length: quarter notes that there is room for, if that is longer than what is given.

    Raises:
        ScoreError: a duration is finer than notation can write.
    """
    root = parse_xml(write_musicxml(score, length=length), "MusicXML")
    if length > score.duration:
        _make_room(root)
    _hide_rests(root)
    _hide_tempo(root)
    return _written(root)


def hide_rests(musicxml: str) -> str:
    """Our own MusicXML, its rests not shown."""
    root = parse_xml(musicxml, "MusicXML")
    _hide_rests(root)
    return _written(root).decode()


def hide_tempo(musicxml: str) -> str:
    """Our own MusicXML without its metronome mark, for music that is played in another tempo."""
    root = parse_xml(musicxml, "MusicXML")
    _hide_tempo(root)
    return _written(root).decode()


def _hide_rests(root: ET.Element) -> None:
    for note in root.iter("note"):
        if note.find("rest") is not None:
            note.set("print-object", "no")


def _make_room(root: ET.Element) -> None:
    """Cut rests into quarter notes, so that an empty bar is drawn as wide as a full one.

    What stands under them is set as words of its own: engravers draw no syllable under a rest.
    """
    quarter = int(root.findtext(".//divisions", "1"))
    for measure in root.iter("measure"):
        for note in measure.findall("note"):
            for lyric in note.findall("lyric"):
                note.remove(lyric)
                words = _words(lyric.findtext("text", ""), note.findtext("staff", "1"))
                measure.insert(list(measure).index(note), words)
            if note.find("rest") is not None:
                _cut(measure, note, quarter)


def _words(text: str, staff: str) -> ET.Element:
    direction = ET.Element("direction", placement="below")
    holder = ET.SubElement(direction, "direction-type")
    ET.SubElement(holder, "words", {"font-style": "normal", "font-size": "9"}).text = text
    ET.SubElement(direction, "staff").text = staff
    return direction


def _cut(measure: ET.Element, rest: ET.Element, quarter: int) -> None:
    """A rest as quarter rests; one that they do not fill is left as it is.

    Args:
        measure: that it stands in.
        rest: is the first of them afterwards.
        quarter: duration of a quarter note.
    """
    length, kind, symbol = rest.find("duration"), rest.find("type"), rest.find("rest")
    if length is None or kind is None or symbol is None or int(length.text or 0) % quarter:
        return
    count = int(length.text or 0) // quarter
    length.text, kind.text = str(quarter), "quarter"
    symbol.attrib.pop("measure", None)
    for dot in rest.findall("dot"):
        rest.remove(dot)
    place = list(measure).index(rest)
    for number in range(1, count):
        measure.insert(place + number, deepcopy(rest))


def _hide_tempo(root: ET.Element) -> None:
    for measure in root.iter("measure"):
        for direction in measure.findall("direction"):
            if direction.find("direction-type/metronome") is not None:
                measure.remove(direction)


def _written(root: ET.Element) -> bytes:
    ET.indent(root, " ")
    return (DOCTYPE + ET.tostring(root, encoding="unicode") + "\n").encode()
