"""MusicXML 4.0: our own writer, so that the same score gives the same bytes; reading by music21.

Four voices go on two staves as a choir reads them, soprano and alto above with stems apart, tenor
and bass below, or on four; two hands get two staves, their chords on one stem; other scores get a staff a
part. Figures of a thorough bass stand under its notes. Notes carry ids (`p0n12` = first
part, note 12) by which the explanation page finds them.

Roman numerals are lyrics of the lowest staff: notation programs, Verovio and music21 all show
them there. The other way, `<harmony>` with `<function>`, was tried: Verovio leaves the function
out, and music21 cannot open a file whose function is not a figure that it knows, such as `d: i6`.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from fractions import Fraction

from musegen.errors import OptionError
from musegen.io.directions import write_barline, write_directions, write_symbols
from musegen.io.musicxml_bars import write_bar
from musegen.io.musicxml_reading import read_musicxml
from musegen.io.musicxml_sheet import LAYOUTS, Layout, Sheet, Staff, sheet_of
from musegen.io.notation import Bar, beat, value
from musegen.io.xml_writing import add_element
from musegen.score import Metre, Score

__all__ = ["LAYOUTS", "Layout", "read_musicxml", "write_musicxml"]

CHOIR_SOUND = ("Choir", "Choir Aahs", 53)  # name, instrument, MIDI program from 1
KEYBOARD_SOUND = ("Keyboard", "Harpsichord", 7)
PIANO_STAVES = "Piano"
DOCTYPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
)


def write_musicxml(
    score: Score, *, layout: Layout = "two-staff", length: Fraction = Fraction(0)
) -> bytes:
    """The score as MusicXML 4.0; the same score gives the same bytes.

    Args:
        score: what to write.
        layout: staves of four voices, `open` with clefs by their compass; other scores get a staff a part.
        length: quarter notes that are written, with rests where nothing sounds, if the score is shorter.

    Raises:
        OptionError: the layout is none of `LAYOUTS`.
        ScoreError: a duration is finer than notation can write.
    """
    if layout not in LAYOUTS:
        raise OptionError("layout", layout, " or ".join(LAYOUTS))
    sheet = sheet_of(score, layout, length)
    root = ET.Element("score-partwise", version="4.0")
    _header(root, score)
    _part_list(root, sheet)
    for number in range(len(sheet.groups)):
        _write_part(ET.SubElement(root, "part", id=f"P{number + 1}"), sheet, number)
    ET.indent(root, " ")
    body = ET.tostring(root, encoding="unicode")
    return (DOCTYPE + body + "\n").encode()


# --- header ---------------------------------------------------------------------------------


def _header(root: ET.Element, score: Score) -> None:
    add_element(add_element(root, "work"), "work-title", score.title)
    if score.subtitle:
        add_element(root, "movement-title", score.subtitle)
    identification = add_element(root, "identification")
    if score.credit:
        add_element(identification, "creator", score.credit, type="composer")
    encoding = add_element(identification, "encoding")
    add_element(encoding, "software", "musegen")
    for element in ("accidental", "beam", "stem"):
        add_element(encoding, "supports", element=element, type="yes")


def _part_list(root: ET.Element, sheet: Sheet) -> None:
    names = add_element(root, "part-list")
    several = len(sheet.groups) > 1
    if several:
        group = add_element(names, "part-group", type="start", number="1")
        add_element(group, "group-symbol", "bracket")
        add_element(group, "group-barline", "no")
    for number, staves in enumerate(sheet.groups, 1):
        part = add_element(names, "score-part", id=f"P{number}")
        alone = len(staves) == 1
        player, sound, program = _sound_of(sheet.score)
        add_element(
            part, "part-name", sheet.score.parts[staves[0].parts[0]].name if alone else player
        )
        instrument = add_element(part, "score-instrument", id=f"P{number}-I1")
        add_element(instrument, "instrument-name", sound)
        midi = add_element(part, "midi-instrument", id=f"P{number}-I1")
        add_element(midi, "midi-channel", min(number, 9))  # channel 10 is percussion
        add_element(midi, "midi-program", program)
    if several:
        add_element(names, "part-group", type="stop", number="1")


def _sound_of(score: Score) -> tuple[str, str, int]:
    """Name of the players, instrument, and its MIDI program counted from 1."""
    usual = CHOIR_SOUND if score.hands is None else KEYBOARD_SOUND
    if score.expression is None:
        return usual
    import pretty_midi

    program = score.expression.program
    player = usual[0] if score.hands is None else PIANO_STAVES
    return player, pretty_midi.program_to_instrument_name(program), program + 1


# --- bars ---------------------------------------------------------------------------------


def _write_part(part: ET.Element, sheet: Sheet, number: int) -> None:
    for bar in sheet.bars:
        implicit = {"implicit": "yes"} if bar.number == 0 else {}
        measure = add_element(part, "measure", number=str(bar.number), **implicit)
        if bar is sheet.bars[0]:
            _attributes(measure, sheet, sheet.groups[number])
            if number == 0:
                _tempo(measure, sheet.score)
        elif _new_metre(sheet.score, bar):
            _time(add_element(measure, "attributes"), bar.metre)
        write_barline(measure, sheet.score, bar, right=False, last=False)
        if number == 0:
            write_directions(measure, sheet.score, bar, sheet.divisions)
            write_symbols(measure, sheet.score.symbols, bar, sheet.divisions)
        write_bar(measure, sheet, sheet.groups[number], bar)
        write_barline(measure, sheet.score, bar, right=True, last=bar is sheet.bars[-1])


def _new_metre(score: Score, bar: Bar) -> bool:
    """Whether another metre begins with a bar; the same one again only counts bars anew."""
    before = [each for each in score.metres if each.onset < bar.onset]
    return bool(before) and bar.metre.onset == bar.onset and str(bar.metre) != str(before[-1])


def _attributes(measure: ET.Element, sheet: Sheet, staves: Sequence[Staff]) -> None:
    attributes = add_element(measure, "attributes")
    add_element(attributes, "divisions", sheet.divisions)
    key = add_element(attributes, "key")
    add_element(key, "fifths", sheet.score.key.signature)
    add_element(key, "mode", sheet.score.key.mode)
    _time(attributes, sheet.score.metre)
    several = len(staves) > 1
    if several:
        add_element(attributes, "staves", len(staves))
    for number, staff in enumerate(staves, 1):
        clef = add_element(attributes, "clef", **({"number": str(number)} if several else {}))
        sign, line, change = staff.clef
        add_element(clef, "sign", sign)
        add_element(clef, "line", line)
        if change:
            add_element(clef, "clef-octave-change", change)


def _time(attributes: ET.Element, metre: Metre) -> None:
    time = add_element(attributes, "time")
    add_element(time, "beats", metre.beats)
    add_element(time, "beat-type", metre.unit)


def _tempo(measure: ET.Element, score: Score) -> None:
    """The metronome mark of a beat, and the tempo in quarter notes a minute for players."""
    direction = add_element(measure, "direction", placement="above")
    metronome = add_element(add_element(direction, "direction-type"), "metronome")
    unit = beat(score.metre)
    written = value(unit)
    assert written is not None  # metres count in note values
    add_element(metronome, "beat-unit", written.type)
    for _ in range(written.dots):
        add_element(metronome, "beat-unit-dot")
    add_element(metronome, "per-minute", f"{score.tempo / float(unit):g}")
    add_element(direction, "sound", tempo=f"{score.tempo:g}")
