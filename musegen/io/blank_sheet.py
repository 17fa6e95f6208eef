"""A sheet to write on: what is given stands there, and nothing else."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from musegen.io.musicxml import DOCTYPE, write_musicxml
from musegen.io.xml_tree import parse_xml
from musegen.score import Score

__all__ = ["write_blank"]


def write_blank(score: Score) -> bytes:
    """A score as MusicXML, its rests not shown: where a voice is silent the student writes.

    Raises:
        ScoreError: a duration is finer than notation can write.
    """
    root = parse_xml(write_musicxml(score), "MusicXML")
    for note in root.iter("note"):
        if note.find("rest") is not None:
            note.set("print-object", "no")
    for measure in root.iter("measure"):
        for direction in measure.findall("direction"):
            if direction.find("direction-type/metronome") is not None:
                measure.remove(direction)
    ET.indent(root, " ")
    return (DOCTYPE + ET.tostring(root, encoding="unicode") + "\n").encode()
