"""What a music example sounds: as plain numbers for a page that plays it, and as a sound file."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from fractions import Fraction

from musegen.exercises.item import Heard
from musegen.io.audio import synthesise_stem
from musegen.io.xml_tree import parse_xml
from theory_kb.pitch import LETTER_SEMITONES, LETTERS

__all__ = ["Sound", "sounds", "stem_audio"]

Sound = tuple[int, float, float]  # MIDI key, onset and duration in quarter notes
SAME = 1e-9  # quarter notes
LEGATO = 0.95  # share of its length that a note sounds


def sounds(musicxml: str) -> list[Sound]:
    """Notes of our own MusicXML in order of time, tied ones as one."""
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
                _add(found, (_key(pitch), float(onset), float(length)), tied=_continues(element))
            if element.find("chord") is None:
                last, time = time, time + length
        latest = max(latest, time)
    return latest


def _continues(note: ET.Element) -> bool:
    """Whether a note is tied to the one before."""
    return any(tie.get("type") == "stop" for tie in note.findall("tie"))


def _add(found: list[Sound], sound: Sound, *, tied: bool) -> None:
    """Add a sound, or lengthen the one that it is tied to."""
    key, onset, length = sound
    for place in reversed(range(len(found) if tied else 0)):
        before, start, held = found[place]
        if before == key and abs(start + held - onset) < SAME:
            found[place] = (key, start, held + length)
            return
    found.append(sound)


def _key(pitch: ET.Element) -> int:
    letter = LETTERS.index(pitch.findtext("step") or "C")
    octave, alter = int(pitch.findtext("octave") or 4), int(pitch.findtext("alter") or 0)
    return 12 * (octave + 1) + LETTER_SEMITONES[letter] + alter


def stem_audio(heard: Heard) -> bytes:
    """What a question plays, as a WAV file."""
    quarter = 60.0 / heard.tempo
    notes = [
        (key, onset * quarter, length * quarter * LEGATO)
        for key, onset, length in sounds(heard.musicxml)
    ]
    return synthesise_stem(notes, heard.timbre)
