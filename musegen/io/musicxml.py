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

import re
import xml.etree.ElementTree as ET
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Literal

from musegen.errors import OptionError
from musegen.io.directions import write_barline, write_directions, write_symbols
from musegen.io.figured_bass import add_figures
from musegen.io.musicxml_reading import read_musicxml
from musegen.io.notation import (
    ACCIDENTALS,
    Bar,
    Piece,
    bars,
    beam_states,
    beat,
    pieces,
    shown_accidentals,
    value,
)
from musegen.io.numerals import shown_numerals
from musegen.score import Metre, Note, Score

__all__ = ["LAYOUTS", "Layout", "read_musicxml", "write_musicxml"]

Layout = Literal["two-staff", "four-staff", "open"]
LAYOUTS: tuple[Layout, ...] = ("two-staff", "four-staff", "open")  # of four voices
LETTERS = "CDEFGAB"
CHOIR = 4
CHOIR_SOUND = ("Choir", "Choir Aahs", 53)  # name, instrument, MIDI program from 1
KEYBOARD_SOUND = ("Keyboard", "Harpsichord", 7)
PIANO_STAVES = "Piano"
MIDDLE_C = 60
HIDDEN_FERMATA = "fermata"  # text of the note of a fermata that its staff shows at another voice
DOCTYPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
)
UNWRITABLE = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")  # XML 1.0, 2.2

Clef = tuple[str, int, int]  # sign, line, octave change
TREBLE, TENOR, BASS = ("G", 2, 0), ("G", 2, -1), ("F", 4, 0)


@dataclass(frozen=True, slots=True)
class _Staff:
    """A staff: which parts are written on it, from high to low, with which clef."""

    parts: tuple[int, ...]
    clef: Clef


_Mark = tuple[str, str]  # slur and its start or stop, or articulations and the touch


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A score made ready to be written."""

    score: Score
    groups: tuple[tuple[_Staff, ...], ...]  # staves of each part of the file
    bars: tuple[Bar, ...]
    pieces: tuple[tuple[Piece, ...], ...]  # of each voice
    labels: Mapping[tuple[int, Fraction], str]  # Roman numerals by voice and onset
    divisions: int  # of a quarter note
    marks: Mapping[tuple[int, Fraction], Sequence[_Mark]]  # of notes, by voice and onset

    def units(self, duration: Fraction) -> str:
        """A duration as MusicXML counts it."""
        return str(int(duration * self.divisions))


@dataclass(frozen=True, slots=True)
class _Voice:
    """What the notes of one voice in one bar share."""

    part: int  # index in the score
    number: str  # within the part of the file
    bar: Bar
    staff: str | None  # number of the staff if its part has several
    stem: str | None
    accidentals: Mapping[tuple[int, Fraction], int]
    fermatas: frozenset[Fraction]  # releases at which the staff's outer voice shows a fermata
    rests: frozenset[tuple[Fraction, Fraction]]  # onset and length of those written above
    upper: bool  # fermatas stand above the staff
    marks: Mapping[tuple[int, Fraction], Sequence[_Mark]]


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
    sheet = _sheet(score, layout, length)
    root = ET.Element("score-partwise", version="4.0")
    _header(root, score)
    _part_list(root, sheet)
    for number in range(len(sheet.groups)):
        _write_part(ET.SubElement(root, "part", id=f"P{number + 1}"), sheet, number)
    ET.indent(root, " ")
    body = ET.tostring(root, encoding="unicode")
    return (DOCTYPE + body + "\n").encode()


def _sheet(score: Score, layout: Layout, length: Fraction = Fraction(0)) -> _Sheet:
    groups = _groups(score, layout)
    within = bars(score, length)
    labels, cuts = _placed_labels(score, groups)
    last = len(score.parts) - 1
    struck = _hand_cuts(score)
    lines = tuple(
        pieces(score, part, within, struck if part < (score.hands or last) else cuts)
        for part in range(len(score.parts))
    )
    times = [time for line in lines for piece in line for time in (piece.onset, piece.duration)]
    times += [time for mark in score.figures for time in (mark.onset, mark.duration)]
    times += [bar.duration for bar in within]
    times += [each.onset for each in score.directions]
    times += [each.onset for each in score.symbols]
    if score.expression is not None:
        times += [each.start for each in score.expression.hairpins]
        times += [time for time, _ in score.expression.tempos]
    divisions = lcm(1, *(time.denominator for time in times))
    return _Sheet(score, groups, within, lines, labels, divisions, _marks(score))


def _marks(score: Score) -> Mapping[tuple[int, Fraction], Sequence[_Mark]]:
    """What the expression of a score says of single notes; a slur stops before another starts."""
    found: dict[tuple[int, Fraction], list[_Mark]] = {}
    if score.expression is not None:
        for slur in score.expression.slurs:
            found.setdefault((slur.part, slur.start), []).append(("slur", "start"))
            found.setdefault((slur.part, slur.end), []).insert(0, ("slur", "stop"))
        for touch in score.expression.touches:
            found.setdefault((touch.part, touch.onset), []).append(("articulations", touch.kind))
    return found


def _hand_cuts(score: Score) -> tuple[Fraction, ...]:
    """Where the notes of a right hand are cut, so that they stand as chords."""
    hand = score.parts[: score.hands or 0]
    return tuple(
        sorted({time for part in hand for note in part.notes for time in (note.onset, note.end)})
    )


def _groups(score: Score, layout: Layout) -> tuple[tuple[_Staff, ...], ...]:
    """Parts of the file: each one staff, or the two of a choir or of a player."""
    if score.hands is not None and 0 < score.hands < len(score.parts):
        right, left = range(score.hands), range(score.hands, len(score.parts))
        return ((_Staff(tuple(right), TREBLE), _Staff(tuple(left), BASS)),)
    if len(score.parts) != CHOIR or layout == "open":
        numbers = range(len(score.parts))
        return tuple((_Staff((number,), _clef_for(score, number)),) for number in numbers)
    if layout == "four-staff":
        clefs = (TREBLE, TREBLE, TENOR, BASS)
        return tuple((_Staff((number,), clef),) for number, clef in enumerate(clefs))
    return ((_Staff((0, 1), TREBLE), _Staff((2, 3), BASS)),)


def _clef_for(score: Score, part: int) -> Clef:
    semitones = [note.pitch.semitone for note in score.parts[part].notes]
    high = not semitones or sum(semitones) / len(semitones) >= MIDDLE_C
    return TREBLE if high else BASS


# --- header ---------------------------------------------------------------------------------


def _add(parent: ET.Element, tag: str, text: object = None, **attributes: str) -> ET.Element:
    """A child element; what XML cannot hold is left out of its text."""
    child = ET.SubElement(parent, tag, attributes)
    if text is not None:
        child.text = UNWRITABLE.sub("", str(text))
    return child


def _header(root: ET.Element, score: Score) -> None:
    _add(_add(root, "work"), "work-title", score.title)
    if score.subtitle:
        _add(root, "movement-title", score.subtitle)
    identification = _add(root, "identification")
    if score.credit:
        _add(identification, "creator", score.credit, type="composer")
    encoding = _add(identification, "encoding")
    _add(encoding, "software", "musegen")
    for element in ("accidental", "beam", "stem"):
        _add(encoding, "supports", element=element, type="yes")


def _part_list(root: ET.Element, sheet: _Sheet) -> None:
    names = _add(root, "part-list")
    several = len(sheet.groups) > 1
    if several:
        group = _add(names, "part-group", type="start", number="1")
        _add(group, "group-symbol", "bracket")
        _add(group, "group-barline", "no")
    for number, staves in enumerate(sheet.groups, 1):
        part = _add(names, "score-part", id=f"P{number}")
        alone = len(staves) == 1
        player, sound, program = _sound_of(sheet.score)
        _add(part, "part-name", sheet.score.parts[staves[0].parts[0]].name if alone else player)
        instrument = _add(part, "score-instrument", id=f"P{number}-I1")
        _add(instrument, "instrument-name", sound)
        midi = _add(part, "midi-instrument", id=f"P{number}-I1")
        _add(midi, "midi-channel", min(number, 9))  # channel 10 is percussion
        _add(midi, "midi-program", program)
    if several:
        _add(names, "part-group", type="stop", number="1")


def _sound_of(score: Score) -> tuple[str, str, int]:
    """Name of the players, instrument, and its MIDI program counted from 1."""
    usual = CHOIR_SOUND if score.hands is None else KEYBOARD_SOUND
    if score.expression is None:
        return usual
    import pretty_midi

    program = score.expression.program
    player = usual[0] if score.hands is None else PIANO_STAVES
    return player, pretty_midi.program_to_instrument_name(program), program + 1


# --- bars -----------------------------------------------------------------------------------


def _write_part(part: ET.Element, sheet: _Sheet, number: int) -> None:
    for bar in sheet.bars:
        implicit = {"implicit": "yes"} if bar.number == 0 else {}
        measure = _add(part, "measure", number=str(bar.number), **implicit)
        if bar is sheet.bars[0]:
            _attributes(measure, sheet, sheet.groups[number])
            if number == 0:
                _tempo(measure, sheet.score)
        elif _new_metre(sheet.score, bar):
            _time(_add(measure, "attributes"), bar.metre)
        write_barline(measure, sheet.score, bar, right=False, last=False)
        if number == 0:
            write_directions(measure, sheet.score, bar, sheet.divisions)
            write_symbols(measure, sheet.score.symbols, bar, sheet.divisions)
        _write_bar(measure, sheet, sheet.groups[number], bar)
        write_barline(measure, sheet.score, bar, right=True, last=bar is sheet.bars[-1])


def _new_metre(score: Score, bar: Bar) -> bool:
    """Whether another metre begins with a bar; the same one again only counts bars anew."""
    before = [each for each in score.metres if each.onset < bar.onset]
    return bool(before) and bar.metre.onset == bar.onset and str(bar.metre) != str(before[-1])


def _attributes(measure: ET.Element, sheet: _Sheet, staves: Sequence[_Staff]) -> None:
    attributes = _add(measure, "attributes")
    _add(attributes, "divisions", sheet.divisions)
    key = _add(attributes, "key")
    _add(key, "fifths", sheet.score.key.signature)
    _add(key, "mode", sheet.score.key.mode)
    _time(attributes, sheet.score.metre)
    several = len(staves) > 1
    if several:
        _add(attributes, "staves", len(staves))
    for number, staff in enumerate(staves, 1):
        clef = _add(attributes, "clef", **({"number": str(number)} if several else {}))
        sign, line, change = staff.clef
        _add(clef, "sign", sign)
        _add(clef, "line", line)
        if change:
            _add(clef, "clef-octave-change", change)


def _time(attributes: ET.Element, metre: Metre) -> None:
    time = _add(attributes, "time")
    _add(time, "beats", metre.beats)
    _add(time, "beat-type", metre.unit)


def _tempo(measure: ET.Element, score: Score) -> None:
    """The metronome mark of a beat, and the tempo in quarter notes a minute for players."""
    direction = _add(measure, "direction", placement="above")
    metronome = _add(_add(direction, "direction-type"), "metronome")
    unit = beat(score.metre)
    written = value(unit)
    assert written is not None  # metres count in note values
    _add(metronome, "beat-unit", written.type)
    for _ in range(written.dots):
        _add(metronome, "beat-unit-dot")
    _add(metronome, "per-minute", f"{score.tempo / float(unit):g}")
    _add(direction, "sound", tempo=f"{score.tempo:g}")


def _write_bar(measure: ET.Element, sheet: _Sheet, staves: Sequence[_Staff], bar: Bar) -> None:
    first = staves[0].parts[0]
    for number, staff in enumerate(staves, 1):
        lines = {part: _in_bar(sheet.pieces[part], bar) for part in staff.parts}
        shown = shown_accidentals(lines, sheet.score.key)
        outer = staff.parts[0] if number == 1 else staff.parts[-1]
        groups = _together(sheet.score, lines)
        for place, group in enumerate(groups):
            if group[0] != first:
                _add(_add(measure, "backup"), "duration", sheet.units(bar.duration))
            voices = [
                _Voice(
                    part,
                    str(group[0] - first + 1),
                    bar,
                    str(number) if len(staves) > 1 else None,
                    ("up", "down")[min(place, 1)] if len(groups) > 1 else None,
                    shown,
                    _fermata_ends(lines[outer]) if part != outer else frozenset(),
                    _hidden(
                        sheet.score, [[lines[part] for part in each] for each in groups], place
                    ),
                    upper=part == staff.parts[0],
                    marks=sheet.marks,
                )
                for part in group
            ]
            _write_hand(measure, sheet, [lines[part] for part in group], voices)


def _together(score: Score, lines: Mapping[int, Sequence[Piece]]) -> list[list[int]]:
    """Parts of a staff that are written on one stem: of a hand, neighbours that move in step."""
    groups: list[list[int]] = []
    for part, line in lines.items():
        if score.hands is not None and groups and _in_step([lines[groups[-1][0]], line]):
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups


def _in_step(lines: Sequence[Sequence[Piece]]) -> bool:
    """Whether the voices of a staff move together throughout, and can be written as chords."""
    shapes = {
        tuple((piece.onset, piece.duration, piece.note is None) for piece in line) for line in lines
    }
    return len(shapes) == 1


def _in_bar(line: Sequence[Piece], bar: Bar) -> list[Piece]:
    begin = bisect_left(line, bar.onset, key=lambda piece: piece.onset)
    end = bisect_left(line, bar.end, lo=begin, key=lambda piece: piece.onset)
    return list(line[begin:end])


def _fermata_ends(line: Sequence[Piece]) -> frozenset[Fraction]:
    return frozenset(
        piece.end for piece in line if piece.note and piece.note.fermata and not piece.tied_to
    )


def _hidden(
    score: Score, groups: Sequence[Sequence[Sequence[Piece]]], place: int
) -> frozenset[tuple[Fraction, Fraction]]:
    """Rests of a voice that are not written: the upper voice has them; of a hand, any voice sounds.

    A hand that is silent altogether shows the rests of its lowest voice.
    """
    if score.hands is None:
        return _rests(groups[0][0]) if place else frozenset()
    others = [line for number, group in enumerate(groups) if number != place for line in group]
    lowest = place == len(groups) - 1
    heard = [piece for line in others for piece in line if piece.note is not None]
    return frozenset(
        (rest.onset, rest.duration)
        for rest in groups[place][0]
        if rest.note is None
        and (
            not lowest or any(piece.onset < rest.end and rest.onset < piece.end for piece in heard)
        )
    )


def _rests(line: Sequence[Piece]) -> frozenset[tuple[Fraction, Fraction]]:
    return frozenset((piece.onset, piece.duration) for piece in line if piece.note is None)


# --- notes ----------------------------------------------------------------------------------


def _write_voice(measure: ET.Element, sheet: _Sheet, line: Sequence[Piece], voice: _Voice) -> None:
    beams = beam_states(line, voice.bar)
    tuplets = _tuplets(line, voice.bar)
    for piece in line:
        label = sheet.labels.get((voice.part, piece.onset))
        if piece.note is None and (piece.onset, piece.duration) in voice.rests and not label:
            _skip(measure, sheet, piece, voice)
            continue
        if voice.part == len(sheet.score.parts) - 1:
            _write_figures(measure, sheet, piece)
        note = _add(measure, "note", **({"id": piece.id} if piece.note else {}))
        _sound(note, sheet, piece, voice)
        _look(note, piece, voice, beams.get(piece.onset, ()))
        _notations(note, piece, voice, tuplets.get(piece.onset, ()))
        _lyric(note, label)


def _write_hand(
    measure: ET.Element,
    sheet: _Sheet,
    lines: Sequence[Sequence[Piece]],
    voices: Sequence[_Voice],
) -> None:
    """Voices that move together, as chords: the highest note first, or one rest for all."""
    if len(lines) == 1:
        _write_voice(measure, sheet, lines[0], voices[0])
        return
    beams, tuplets = beam_states(lines[0], voices[0].bar), _tuplets(lines[0], voices[0].bar)
    for together in zip(*lines, strict=True):
        first = together[0]
        if first.note is None and (first.onset, first.duration) in voices[0].rests:
            _skip(measure, sheet, first, voices[0])
            continue
        for piece, voice in zip(together, voices, strict=True):
            if piece.note is None and piece is not first:
                continue
            note = _add(measure, "note", **({"id": piece.id} if piece.note else {}))
            if piece is not first:
                _add(note, "chord")
            _sound(note, sheet, piece, voice)
            _look(note, piece, voice, beams.get(piece.onset, ()) if piece is first else ())
            _notations(note, piece, voice, tuplets.get(piece.onset, ()) if piece is first else ())
            _lyric(note, sheet.labels.get((voice.part, piece.onset)))


def _write_figures(measure: ET.Element, sheet: _Sheet, piece: Piece) -> None:
    """The figures under a note, one after another from its onset."""
    time = piece.onset
    for mark in sheet.score.figures:
        if piece.onset <= mark.onset < piece.end:
            if time < mark.onset:
                add_figures(measure, "", sheet.units(mark.onset - time))
            time = min(mark.onset + mark.duration, piece.end)
            add_figures(measure, mark.text, sheet.units(time - mark.onset))


def _skip(measure: ET.Element, sheet: _Sheet, piece: Piece, voice: _Voice) -> None:
    """A rest that the upper voice of the staff has too: it is not written twice."""
    forward = _add(measure, "forward")
    _add(forward, "duration", sheet.units(piece.duration))
    _add(forward, "voice", voice.number)
    if voice.staff is not None:
        _add(forward, "staff", voice.staff)


def _sound(note: ET.Element, sheet: _Sheet, piece: Piece, voice: _Voice) -> None:
    """Pitch, duration, ties and voice."""
    if piece.note is None:
        whole = (piece.onset, piece.end) == (voice.bar.onset, voice.bar.end)
        _add(note, "rest", **({"measure": "yes"} if whole else {}))
    else:
        _pitch(note, piece.note)
    _add(note, "duration", sheet.units(piece.duration))
    for tied, kind in ((piece.tied_from, "stop"), (piece.tied_to, "start")):
        if tied:
            _add(note, "tie", type=kind)
    _add(note, "voice", voice.number)


def _pitch(note: ET.Element, sounding: Note) -> None:
    pitch = _add(note, "pitch")
    _add(pitch, "step", LETTERS[sounding.pitch.step % 7])
    if sounding.pitch.alteration:
        _add(pitch, "alter", sounding.pitch.alteration)
    _add(pitch, "octave", sounding.pitch.octave)


def _look(note: ET.Element, piece: Piece, voice: _Voice, beams: Sequence[str]) -> None:
    """Note value, accidental, stem, staff and beams."""
    written = value(piece.duration)
    if written is not None:
        _add(note, "type", written.type)
        for _ in range(written.dots):
            _add(note, "dot")
    shown = voice.accidentals.get((voice.part, piece.onset))
    if shown is not None and piece.note:
        _add(note, "accidental", ACCIDENTALS[shown])
    if written is not None and written.ratio:
        ratio = _add(note, "time-modification")
        _add(ratio, "actual-notes", written.ratio[0])
        _add(ratio, "normal-notes", written.ratio[1])
    if voice.stem and piece.note:
        _add(note, "stem", voice.stem)
    if voice.staff is not None:
        _add(note, "staff", voice.staff)
    for level, state in enumerate(beams, 1):
        _add(note, "beam", state, number=str(level))


def _notations(note: ET.Element, piece: Piece, voice: _Voice, tuplet: Sequence[str]) -> None:
    fermata = piece.note is not None and piece.note.fermata and not piece.tied_to
    marks = _own_marks(piece, voice)
    if not (piece.tied_from or piece.tied_to or fermata or tuplet or marks):
        return
    notations = _add(note, "notations")
    for tied, kind in ((piece.tied_from, "stop"), (piece.tied_to, "start")):
        if tied:
            _add(notations, "tied", type=kind)
    for name, kind in marks:
        if name == "slur":
            _add(notations, "slur", type=kind, number="1")
        else:
            _add(_add(notations, name), kind)
    for kind in tuplet:
        _add(notations, "tuplet", type=kind)
    if fermata and piece.end in voice.fermatas:
        _add(notations, "other-notation", HIDDEN_FERMATA, type="single", **{"print-object": "no"})
    elif fermata:
        _add(notations, "fermata", type="upright" if voice.upper else "inverted")


def _own_marks(piece: Piece, voice: _Voice) -> list[_Mark]:
    """The marks of a note at the written value that shows them: a slur stops at its last, all else at its first."""
    if piece.note is None:
        return []
    last = ("slur", "stop")
    return [
        mark
        for mark in voice.marks.get((voice.part, piece.note.onset), ())
        if (not piece.tied_to if mark == last else not piece.tied_from)
    ]


def _tuplets(line: Sequence[Piece], bar: Bar) -> dict[Fraction, list[str]]:
    """Where the bracket of a tuplet starts and stops: neighbours of one ratio within a beat."""
    found: dict[Fraction, list[str]] = {}
    unit = beat(bar.metre)
    before = None
    for place, piece in enumerate(line):
        written = value(piece.duration)
        ratio = written.ratio if written else None
        group = (bar.position(piece.onset) // unit, ratio) if ratio else None
        if before is not None and group != before:
            found.setdefault(line[place - 1].onset, []).append("stop")
        if group is not None and group != before:
            found.setdefault(piece.onset, []).append("start")
        before = group
    if before is not None:
        found.setdefault(line[-1].onset, []).append("stop")
    return found


def _lyric(note: ET.Element, text: str | None) -> None:
    if text is not None:
        lyric = _add(note, "lyric", number="1")
        _add(lyric, "syllabic", "single")
        _add(lyric, "text", text)


# --- Roman numerals -------------------------------------------------------------------------


def _placed_labels(
    score: Score, groups: Sequence[Sequence[_Staff]]
) -> tuple[dict[tuple[int, Fraction], str], tuple[Fraction, ...]]:
    """Roman numerals by voice and onset, and where the lowest voice is cut to carry one.

    A numeral stands at the lowest voice of the lowest staff that has a note there. Where all of
    them hold theirs, the lowest is cut, so that no numeral is lost.
    """
    placed: dict[tuple[int, Fraction], str] = {}
    cuts = []
    bottom = tuple(reversed(groups[-1][-1].parts)) if groups else ()
    onsets = {part: {note.onset for note in score.parts[part].notes} for part in bottom}
    for onset, text in shown_numerals(score).items():
        able = [part for part in bottom if onset in onsets[part]]
        if not able:
            cuts.append(onset)
        placed[(able or bottom)[0], onset] = text
    return placed, tuple(cuts)
