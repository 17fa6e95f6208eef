"""A sheet to write on: what is given stands there, and nothing else."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from musegen.io.musicxml import DOCTYPE, write_musicxml
from musegen.io.xml_tree import parse_xml
from musegen.score import Score

__all__ = ["hide_rests", "hide_tempo", "write_blank"]


def write_blank(score: Score) -> bytes:
    """A score as MusicXML, its rests not shown: where a voice is silent the student writes.

    Raises:
        ScoreError: a duration is finer than notation can write.
    """
    root = parse_xml(write_musicxml(score), "MusicXML")
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


def _hide_tempo(root: ET.Element) -> None:
    for measure in root.iter("measure"):
        for direction in measure.findall("direction"):
            if direction.find("direction-type/metronome") is not None:
                measure.remove(direction)


def _written(root: ET.Element) -> bytes:
    ET.indent(root, " ")
    return (DOCTYPE + ET.tostring(root, encoding="unicode") + "\n").encode()
