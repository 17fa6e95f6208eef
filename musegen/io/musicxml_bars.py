"""The notes of a bar as MusicXML: voices on their staves, the chords of a hand on one stem."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from musegen.io.figured_bass import add_figures
from musegen.io.musicxml_sheet import Mark, Sheet, Staff
from musegen.io.notation import ACCIDENTALS, Bar, Piece, beam_states, beat, shown_accidentals, value
from musegen.io.xml_writing import add_element
from musegen.score import Note, Score

__all__ = ["write_bar"]

LETTERS = "CDEFGAB"
HIDDEN_FERMATA = "fermata"  # text of the note of a fermata that its staff shows at another voice


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
    marks: Mapping[tuple[int, Fraction], Sequence[Mark]]


def write_bar(measure: ET.Element, sheet: Sheet, staves: Sequence[Staff], bar: Bar) -> None:
    """Write the notes and rests of a bar on its staves, one voice after another."""
    first = staves[0].parts[0]
    for number, staff in enumerate(staves, 1):
        lines = {part: _in_bar(sheet.pieces[part], bar) for part in staff.parts}
        shown = shown_accidentals(lines, sheet.score.key)
        outer = staff.parts[0] if number == 1 else staff.parts[-1]
        groups = _together(sheet.score, lines)
        for place, group in enumerate(groups):
            if group[0] != first:
                add_element(add_element(measure, "backup"), "duration", sheet.units(bar.duration))
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


def _write_voice(measure: ET.Element, sheet: Sheet, line: Sequence[Piece], voice: _Voice) -> None:
    beams = beam_states(line, voice.bar)
    tuplets = _tuplets(line, voice.bar)
    for piece in line:
        label = sheet.labels.get((voice.part, piece.onset))
        if piece.note is None and (piece.onset, piece.duration) in voice.rests and not label:
            _skip(measure, sheet, piece, voice)
            continue
        if voice.part == len(sheet.score.parts) - 1:
            _write_figures(measure, sheet, piece)
        note = add_element(measure, "note", **({"id": piece.id} if piece.note else {}))
        _sound(note, sheet, piece, voice)
        _look(note, piece, voice, beams.get(piece.onset, ()))
        _notations(note, piece, voice, tuplets.get(piece.onset, ()))
        _lyric(note, label)


def _write_hand(
    measure: ET.Element,
    sheet: Sheet,
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
            note = add_element(measure, "note", **({"id": piece.id} if piece.note else {}))
            if piece is not first:
                add_element(note, "chord")
            _sound(note, sheet, piece, voice)
            _look(note, piece, voice, beams.get(piece.onset, ()) if piece is first else ())
            _notations(note, piece, voice, tuplets.get(piece.onset, ()) if piece is first else ())
            _lyric(note, sheet.labels.get((voice.part, piece.onset)))


def _write_figures(measure: ET.Element, sheet: Sheet, piece: Piece) -> None:
    """The figures under a note, one after another from its onset."""
    time = piece.onset
    for mark in sheet.score.figures:
        if piece.onset <= mark.onset < piece.end:
            if time < mark.onset:
                add_figures(measure, "", sheet.units(mark.onset - time))
            time = min(mark.onset + mark.duration, piece.end)
            add_figures(measure, mark.text, sheet.units(time - mark.onset))


def _skip(measure: ET.Element, sheet: Sheet, piece: Piece, voice: _Voice) -> None:
    """A rest that the upper voice of the staff has too: it is not written twice."""
    forward = add_element(measure, "forward")
    add_element(forward, "duration", sheet.units(piece.duration))
    add_element(forward, "voice", voice.number)
    if voice.staff is not None:
        add_element(forward, "staff", voice.staff)


def _sound(note: ET.Element, sheet: Sheet, piece: Piece, voice: _Voice) -> None:
    """Pitch, duration, ties and voice."""
    if piece.note is None:
        whole = (piece.onset, piece.end) == (voice.bar.onset, voice.bar.end)
        add_element(note, "rest", **({"measure": "yes"} if whole else {}))
    else:
        _pitch(note, piece.note)
    add_element(note, "duration", sheet.units(piece.duration))
    for tied, kind in ((piece.tied_from, "stop"), (piece.tied_to, "start")):
        if tied:
            add_element(note, "tie", type=kind)
    add_element(note, "voice", voice.number)


def _pitch(note: ET.Element, sounding: Note) -> None:
    pitch = add_element(note, "pitch")
    add_element(pitch, "step", LETTERS[sounding.pitch.step % 7])
    if sounding.pitch.alteration:
        add_element(pitch, "alter", sounding.pitch.alteration)
    add_element(pitch, "octave", sounding.pitch.octave)


def _look(note: ET.Element, piece: Piece, voice: _Voice, beams: Sequence[str]) -> None:
    """Note value, accidental, stem, staff and beams."""
    written = value(piece.duration)
    if written is not None:
        add_element(note, "type", written.type)
        for _ in range(written.dots):
            add_element(note, "dot")
    shown = voice.accidentals.get((voice.part, piece.onset))
    if shown is not None and piece.note:
        add_element(note, "accidental", ACCIDENTALS[shown])
    if written is not None and written.ratio:
        ratio = add_element(note, "time-modification")
        add_element(ratio, "actual-notes", written.ratio[0])
        add_element(ratio, "normal-notes", written.ratio[1])
    if voice.stem and piece.note:
        add_element(note, "stem", voice.stem)
    if voice.staff is not None:
        add_element(note, "staff", voice.staff)
    for level, state in enumerate(beams, 1):
        add_element(note, "beam", state, number=str(level))


def _notations(note: ET.Element, piece: Piece, voice: _Voice, tuplet: Sequence[str]) -> None:
    fermata = piece.note is not None and piece.note.fermata and not piece.tied_to
    marks = _own_marks(piece, voice)
    if not (piece.tied_from or piece.tied_to or fermata or tuplet or marks):
        return
    notations = add_element(note, "notations")
    for tied, kind in ((piece.tied_from, "stop"), (piece.tied_to, "start")):
        if tied:
            add_element(notations, "tied", type=kind)
    for name, kind in marks:
        if name == "slur":
            add_element(notations, "slur", type=kind, number="1")
        else:
            add_element(add_element(notations, name), kind)
    for kind in tuplet:
        add_element(notations, "tuplet", type=kind)
    if fermata and piece.end in voice.fermatas:
        add_element(
            notations, "other-notation", HIDDEN_FERMATA, type="single", **{"print-object": "no"}
        )
    elif fermata:
        add_element(notations, "fermata", type="upright" if voice.upper else "inverted")


def _own_marks(piece: Piece, voice: _Voice) -> list[Mark]:
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
        lyric = add_element(note, "lyric", number="1")
        add_element(lyric, "syllabic", "single")
        add_element(lyric, "text", text)
