"""What is done to the elements of a MusicXML file before music21 understands them.

Numbers that no music has are refused by their bar, chords are written as voices, what is not read is
taken out, and each note gets a number, by which it is found again in what music21 made.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass

from musegen.errors import ScoreError
from musegen.io.limits import LONGEST, MOST_NOTES, brief
from musegen.io.musicxml_cleaning import take_out_ornaments

__all__ = ["QUARTER_TONE", "Place", "number_in", "number_notes"]

UNREAD = (
    "harmony",
    "direction",
    "figured-bass",
    "print",
    "sound",
    "listening",
    "bookmark",
    "barline",
)
NUMBERS: Mapping[str, tuple[float, float]] = {  # bounds of what music21 reckons with
    "divisions": (1e-6, 1_000_000),
    "fifths": (-7, 7),
    "octave": (-1, 10),
    "alter": (-3, 3),
    "staff": (1, 99),
    "staves": (1, 99),
    "diatonic": (-99, 99),
    "chromatic": (-99, 99),
    "octave-change": (-9, 9),
    "actual-notes": (1, 999),
    "normal-notes": (1, 999),
}
TEXTS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "step": (re.compile(r"[A-G]"), "a letter from A to G"),
    "beats": (re.compile(r"[1-9]\d?( *\+ *[1-9]\d?)*"), "a number from 1 to 99 or a sum of such"),
    "beat-type": (re.compile(r"1|2|4|8|16|32|64"), "1, 2, 4, 8, 16, 32 or 64"),
}
MOVES = ("note", "backup", "forward")  # what has a duration
PITCH = ("pitch/step", "pitch/octave", "duration")  # what a sounding note must have
QUARTER_TONE = "lies between the keys; quarter tones are not read, allowed are whole semitones"
UNPITCHED = "a note without pitch; take its part out"
NO_CHORD = "a note of a chord that has no first note"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a note of the file belongs."""

    part: int
    staff: int
    voice: str
    fermata: bool
    chord: bool  # one of several notes at once


def number_notes(root: ET.Element, name: str, remarks: list[str] | None) -> list[Place]:
    """Give each note its number as a lyric, and say where it belongs; take out what is not read.

    Args:
        root: of the file; it is changed.
        name: of the file, for refusals.
        remarks: takes what was left out; None refuses it.

    Raises:
        ScoreError: no note, too many, or what a score cannot hold; the message names the bar.
    """
    places: list[Place] = []
    for part, element in enumerate(root.findall("part")):
        divisions = 1.0
        for count, measure in enumerate(element.findall("measure"), 1):
            where = f"{name}, bar {brief(measure.get('number', count), 20)}"
            for child in [child for child in measure if child.tag in UNREAD]:
                measure.remove(child)
            divisions = _check_numbers(measure, divisions, where)
            take_out_ornaments(measure, where, remarks)
            chords = _spread_chords(measure, where)
            for note in measure.findall("note"):
                _check(note, where)
                if note.find("rest") is None:
                    _number(note, len(places))
                    places.append(_place(note, part, chord=note in chords))
    if not places:
        raise ScoreError(name, "holds no note")
    if len(places) > MOST_NOTES:
        raise ScoreError(name, f"holds {len(places)} notes, at most {MOST_NOTES} are read")
    return places


def _check_numbers(measure: ET.Element, divisions: float, where: str) -> float:
    """Refuse numbers that no music has; gives the divisions of a quarter note from here on."""
    for element in measure.iter():
        text = (element.text or "").strip()
        if element.tag in NUMBERS:
            _within(text, element.tag, NUMBERS[element.tag], where)
        elif element.tag in TEXTS and not TEXTS[element.tag][0].fullmatch(text):
            got, allowed = brief(repr(text), 40), TEXTS[element.tag][1]
            raise ScoreError(where, f"{element.tag} must be {allowed}, got {got}")
        elif element.tag in MOVES:
            _check_duration(element, divisions, where)
        if element.tag == "divisions":
            divisions = float(text)
    return divisions


def _check_duration(element: ET.Element, divisions: float, where: str) -> None:
    duration = element.findtext("duration")
    if duration is not None:
        longest = LONGEST * divisions
        _within(duration.strip(), "duration", (0, longest), where)
        if element.tag == "note" and float(duration) == 0:
            raise ScoreError(where, "a note or rest lasts no time; give it a length")


def _within(text: str, name: str, bounds: tuple[float, float], where: str) -> None:
    number = number_in(text, where, name)
    if not bounds[0] <= number <= bounds[1]:
        allowed = f"from {bounds[0]:.12g} to {bounds[1]:.12g}"
        raise ScoreError(where, f"{name} must be {allowed}, got {brief(text, 40)}")


def _spread_chords(measure: ET.Element, where: str) -> set[ET.Element]:
    """Write the notes of a chord one after another in voices of their own, each from its onset.

    Returns:
        Notes of chords.
    """
    found: set[ET.Element] = set()
    first: ET.Element | None = None
    number = 1
    for child in list(measure):
        if child.tag in ("backup", "forward"):
            first = None
        if child.tag != "note":
            continue
        mark = child.find("chord")
        if mark is None:
            first, number = child, 1
            continue
        if first is None:
            raise ScoreError(where, NO_CHORD)
        number += 1
        _place_above(measure, first, child, number)
        child.remove(mark)
        found |= {first, child}
    return found


def _place_above(measure: ET.Element, first: ET.Element, note: ET.Element, number: int) -> None:
    """Go back by the length of a chord before a note of it, and give it a voice."""
    length = first.findtext("duration", "0")
    back = ET.Element("backup")
    ET.SubElement(back, "duration").text = length
    measure.insert(list(measure).index(note), back)
    duration, voice = note.find("duration"), note.find("voice")
    if duration is not None:
        duration.text = length
    if voice is None:
        voice = ET.SubElement(note, "voice")
    voice.text = f"{first.findtext('voice', '1')}.{number}"


def _check(note: ET.Element, where: str) -> None:
    if note.find("unpitched") is not None:
        raise ScoreError(where, UNPITCHED)
    alter = note.findtext("pitch/alter", "0").strip()
    if float(alter) % 1:
        sign = f"{note.findtext('pitch/step')} altered by {brief(alter, 20)}"
        raise ScoreError(where, f"{sign} {QUARTER_TONE}")
    missing = [] if note.find("rest") is not None else [x for x in PITCH if note.find(x) is None]
    if missing:
        raise ScoreError(where, f"a note without {missing[0]}; write it or take the note out")


def _number(note: ET.Element, number: int) -> None:
    for lyric in note.findall("lyric"):
        note.remove(lyric)
    ET.SubElement(ET.SubElement(note, "lyric", number="1"), "text").text = str(number)


def _place(note: ET.Element, part: int, *, chord: bool) -> Place:
    hidden = (text.text for text in note.iterfind("notations/other-notation"))
    fermata = note.find("notations/fermata") is not None or "fermata" in hidden
    staff = int(float(note.findtext("staff", "1")))
    voice = brief(note.findtext("voice", "1").partition(".")[0], 20)
    return Place(part, staff, voice, fermata, chord)


def number_in(text: str, where: str, what: str) -> float:
    """A finite number; raises ScoreError."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ScoreError(where, f"{what} must be a number, got {brief(repr(text), 40)}")
    return number
