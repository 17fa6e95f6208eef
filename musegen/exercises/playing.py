"""What a music example sounds, as plain numbers, for a page that plays it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from fractions import Fraction

from musegen.io.xml_tree import parse_xml
from theory_kb.pitch import LETTER_SEMITONES, LETTERS

__all__ = ["sounds"]

Sound = tuple[int, float, float]  # MIDI key, onset and duration in quarter notes


def sounds(musicxml: str) -> list[Sound]:
    """Notes of our own MusicXML in order of time; tied ones stay apart."""
    tree = parse_xml(musicxml, "MusicXML")
    found: list[Sound] = []
    for part in tree.findall("part"):
        start, divisions = Fraction(0), 1
        for measure in part.findall("measure"):
            divisions = int(measure.findtext("attributes/divisions") or divisions)
            start = _measure(measure, start, divisions, found)
    return sorted(found, key=lambda each: (each[1], each[0]))


def _measure(measure: ET.Element, start: Fraction, divisions: int, found: list[Sound]) -> Fraction:
    """Add the notes of a measure; where it ends."""
    time = latest = last = start
    for element in measure:
        length = Fraction(int(element.findtext("duration") or 0), divisions)
        if element.tag == "backup":
            time -= length
        elif element.tag == "forward":
            time += length
        elif element.tag == "note":
            onset = last if element.find("chord") is not None else time
            pitch = element.find("pitch")
            if pitch is not None and length:
                found.append((_key(pitch), float(onset), float(length)))
            if element.find("chord") is None:
                last, time = time, time + length
        latest = max(latest, time)
    return latest


def _key(pitch: ET.Element) -> int:
    letter = LETTERS.index(pitch.findtext("step") or "C")
    octave, alter = int(pitch.findtext("octave") or 4), int(pitch.findtext("alter") or 0)
    return 12 * (octave + 1) + LETTER_SEMITONES[letter] + alter
