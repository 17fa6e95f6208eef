"""MusicXML 4.0 out, written by ourselves so that the same score gives the same bytes.

Four voices go on two staves as a choir reads them, soprano and alto above with stems apart, tenor
and bass below; other scores get a staff a part. Notes carry ids (`p0n12` = first part, note 12)
by which the explanation page finds them. Durations are split so that the beat stays visible.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm

from musegen.score import ChordLabel, Metre, Note, Score
from theory_kb.metre import beat_ticks
from theory_kb.moment import TICKS
from theory_kb.pitch import LETTER_FIFTHS, Key

__all__ = ["numeral_text", "write_musicxml"]

TYPES = {
    Fraction(4): "whole", Fraction(2): "half", Fraction(1): "quarter", Fraction(1, 2): "eighth",
    Fraction(1, 4): "16th", Fraction(1, 8): "32nd", Fraction(1, 16): "64th",
}
WRITABLE = sorted({*TYPES, *(length * Fraction(3, 2) for length in TYPES)}, reverse=True)
BEAMS = {"eighth": 1, "16th": 2, "32nd": 3, "64th": 4}
ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
LETTERS = "CDEFGAB"
CHOIR = 4
DOCTYPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A written note or rest: a part of a sounding note that fits the notation."""

    onset: Fraction
    duration: Fraction
    note: Note | None  # None: rest
    id: str = ""
    tied_from: bool = False
    tied_to: bool = False


@dataclass(frozen=True, slots=True)
class _Bar:
    number: int
    onset: Fraction
    duration: Fraction
    metre: Metre


@dataclass(frozen=True, slots=True)
class _Staff:
    """A staff: which parts are written on it, with which clef."""

    parts: tuple[int, ...]
    clef: tuple[str, int, int]  # sign, line, octave change


TREBLE, TENOR, BASS = ("G", 2, 0), ("G", 2, -1), ("F", 4, 0)


def write_musicxml(score: Score, *, staves: int = 2) -> bytes:
    """The score as MusicXML 4.0.

    Args:
        score: what to write.
        staves: 2 writes four voices on two staves, 4 on four; other scores get a staff a part.
    """
    root = ET.Element("score-partwise", version="4.0")
    _header(root, score)
    divisions = _divisions(score)
    groups = _groups(score, staves)
    names = ET.SubElement(root, "part-list")
    for number, group in enumerate(groups, 1):
        part = ET.SubElement(names, "score-part", id=f"P{number}")
        choir = len(group) > 1
        ET.SubElement(part, "part-name").text = "Choir" if choir else _name(score, group[0])
        _instrument(part, number)
    for number, group in enumerate(groups, 1):
        part = ET.SubElement(root, "part", id=f"P{number}")
        _write_part(part, score, group, divisions, first=number == 1, last=number == len(groups))
    ET.indent(root, " ")
    body: str = ET.tostring(root, encoding="unicode")
    return (DOCTYPE + body + "\n").encode()


def _name(score: Score, staff: _Staff) -> str:
    return score.parts[staff.parts[0]].name


def _instrument(part: ET.Element, number: int) -> None:
    instrument = ET.SubElement(part, "score-instrument", id=f"P{number}-I1")
    ET.SubElement(instrument, "instrument-name").text = "Choir Aahs"
    midi = ET.SubElement(part, "midi-instrument", id=f"P{number}-I1")
    ET.SubElement(midi, "midi-channel").text = str(number)
    ET.SubElement(midi, "midi-program").text = "53"


def _header(root: ET.Element, score: Score) -> None:
    work = ET.SubElement(root, "work")
    ET.SubElement(work, "work-title").text = score.title
    identification = ET.SubElement(root, "identification")
    if score.credit:
        ET.SubElement(identification, "creator", type="composer").text = score.credit
    encoding = ET.SubElement(identification, "encoding")
    ET.SubElement(encoding, "software").text = "musegen"
    for element in ("accidental", "beam", "stem"):
        ET.SubElement(encoding, "supports", element=element, type="yes")


def _groups(score: Score, staves: int) -> list[tuple[_Staff, ...]]:
    """Parts of the file: each one staff, or the choir's two."""
    if len(score.parts) != CHOIR:
        return [(_Staff((number,), _clef_for(score, number)),) for number in range(len(score.parts))]
    if staves == CHOIR:
        clefs = (TREBLE, TREBLE, TENOR, BASS)
        return [(_Staff((number,), clef),) for number, clef in enumerate(clefs)]
    return [(_Staff((0, 1), TREBLE), _Staff((2, 3), BASS))]


def _clef_for(score: Score, part: int) -> tuple[str, int, int]:
    semitones = [note.pitch.semitone for note in score.parts[part].notes]
    return TREBLE if not semitones or sum(semitones) / len(semitones) >= 60 else BASS


def _divisions(score: Score) -> int:
    times = [time for part in score.parts for note in part.notes
             for time in (note.onset, note.duration)]
    return lcm(2, *(time.denominator for time in times), score.upbeat.denominator)


# --- bars -----------------------------------------------------------------------------------


def _bars(score: Score) -> Iterator[_Bar]:
    onset, number = Fraction(0), 1
    if score.upbeat:
        yield _Bar(0, onset, score.upbeat, score.metre)
        onset = score.upbeat
    while onset < score.duration:
        metre = [each for each in score.metres if each.onset <= onset][-1]
        length = min(metre.bar, score.duration - onset)
        yield _Bar(number, onset, length, metre)
        onset += length
        number += 1


def _write_part(
    part: ET.Element, score: Score, staves: Sequence[_Staff], divisions: int, *, first: bool,
    last: bool,
) -> None:
    labels = _labels(score) if last else {}
    written = {
        voice: _pieces(score, voice, labels if voice == len(score.parts) - 1 else {})
        for staff in staves for voice in staff.parts
    }
    bars = list(_bars(score))
    for bar in bars:
        implicit = {"implicit": "yes"} if bar.number == 0 else {}
        measure = ET.SubElement(part, "measure", number=str(bar.number), **implicit)
        if bar is bars[0]:
            _attributes(measure, score, staves, divisions)
        if bar is bars[0] and first:
            _tempo(measure, score)
        elif bar.metre.onset == bar.onset and bar.onset > 0:
            _time(ET.SubElement(measure, "attributes"), bar.metre)
        _write_bar(measure, score, staves, bar, written, labels, divisions)
        if bar is bars[-1]:
            barline = ET.SubElement(measure, "barline", location="right")
            ET.SubElement(barline, "bar-style").text = "light-heavy"


def _attributes(
    measure: ET.Element, score: Score, staves: Sequence[_Staff], divisions: int
) -> None:
    attributes = ET.SubElement(measure, "attributes")
    ET.SubElement(attributes, "divisions").text = str(divisions)
    key = ET.SubElement(attributes, "key")
    ET.SubElement(key, "fifths").text = str(score.key.signature)
    ET.SubElement(key, "mode").text = score.key.mode
    _time(attributes, score.metre)
    if len(staves) > 1:
        ET.SubElement(attributes, "staves").text = str(len(staves))
    for number, staff in enumerate(staves, 1):
        names = {"number": str(number)} if len(staves) > 1 else {}
        clef = ET.SubElement(attributes, "clef", **names)
        sign, line, change = staff.clef
        ET.SubElement(clef, "sign").text = sign
        ET.SubElement(clef, "line").text = str(line)
        if change:
            ET.SubElement(clef, "clef-octave-change").text = str(change)


def _time(attributes: ET.Element, metre: Metre) -> None:
    time = ET.SubElement(attributes, "time")
    ET.SubElement(time, "beats").text = str(metre.beats)
    ET.SubElement(time, "beat-type").text = str(metre.unit)


def _tempo(measure: ET.Element, score: Score) -> None:
    ET.SubElement(measure, "sound", tempo=f"{score.tempo:g}")


def _write_bar(
    measure: ET.Element, score: Score, staves: Sequence[_Staff], bar: _Bar,
    written: Mapping[int, Sequence[_Piece]], labels: Mapping[Fraction, str], divisions: int,
) -> None:
    first = True
    for number, staff in enumerate(staves, 1):
        here = {voice: [piece for piece in written[voice]
                        if bar.onset <= piece.onset < bar.onset + bar.duration]
                for voice in staff.parts}
        shown = _accidentals(here, score.key)
        for place, voice in enumerate(staff.parts):
            if not first:
                backup = ET.SubElement(measure, "backup")
                ET.SubElement(backup, "duration").text = str(int(bar.duration * divisions))
            first = False
            context = _Context(
                score, bar, divisions, voice + 1, number if len(staves) > 1 else None,
                ("up", "down")[place] if len(staff.parts) > 1 else None, shown,
                labels if voice == len(score.parts) - 1 else {},
                above=place == 0,
                fermatas=len(staff.parts) == 1 or voice in (0, len(score.parts) - 1),
            )
            _write_voice(measure, here[voice], context)


# --- notes ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Context:
    """What the notes of one voice in one bar share."""

    score: Score
    bar: _Bar
    divisions: int
    voice: int
    staff: int | None
    stem: str | None
    accidentals: Mapping[tuple[int, Fraction], int]
    labels: Mapping[Fraction, str]
    above: bool  # fermatas stand above the staff
    fermatas: bool  # on two staves only the outer voices show them


def _pieces(score: Score, part: int, labels: Mapping[Fraction, str]) -> tuple[_Piece, ...]:
    """Notes and rests of a part, split at bars and beats."""
    found: list[_Piece] = []
    time = Fraction(0)
    for number, note in enumerate(score.parts[part].notes):
        if note.onset > time:
            found.extend(_split(score, _Piece(time, note.onset - time, None), ()))
        cuts = [onset for onset in labels if note.onset < onset < note.end]
        piece = _Piece(note.onset, note.duration, note, f"p{part}n{number}")
        found.extend(_split(score, piece, cuts))
        time = note.end
    if time < score.duration:
        found.extend(_split(score, _Piece(time, score.duration - time, None), ()))
    return tuple(found)


def _split(score: Score, piece: _Piece, cuts: Sequence[Fraction]) -> Iterator[_Piece]:
    ends = [piece.onset]
    while ends[-1] < piece.onset + piece.duration:
        ends.append(_next_end(score, ends[-1], piece.onset + piece.duration, cuts))
    last = len(ends) - 2
    for number, (begin, end) in enumerate(zip(ends, ends[1:], strict=False)):
        sounding = piece.note is not None
        yield replace(
            piece, onset=begin, duration=end - begin,
            id=piece.id if number == 0 else f"{piece.id}-{number}",
            tied_from=sounding and number > 0, tied_to=sounding and number < last,
        )


def _next_end(score: Score, begin: Fraction, end: Fraction, cuts: Sequence[Fraction]) -> Fraction:
    """Where the next written value ends: at the bar, at a cut, at the beat if it began off it."""
    bar = next(bar for bar in _bars(score) if bar.onset <= begin < bar.onset + bar.duration)
    end = min(end, bar.onset + bar.duration, *(cut for cut in cuts if cut > begin))
    beat = Fraction(beat_ticks(bar.metre.beats, bar.metre.unit), TICKS)
    shift = beat - bar.duration % beat if bar.number == 0 and bar.duration % beat else 0
    into = (begin - bar.onset + shift) % beat
    if into and begin + beat - into < end:
        return begin + beat - into
    return begin + next(length for length in WRITABLE if length <= end - begin)


def _accidentals(
    voices: Mapping[int, Sequence[_Piece]], key: Key
) -> dict[tuple[int, Fraction], int]:
    """Which notes of a bar on one staff show an accidental: (voice, onset) -> alteration."""
    signature = [_in_signature(letter, key.signature) for letter in range(7)]
    state: dict[int, int] = {}
    shown: dict[tuple[int, Fraction], int] = {}
    events = sorted(((piece.onset, voice, piece) for voice, pieces in voices.items()
                     for piece in pieces if piece.note), key=lambda event: event[:2])
    for onset, voice, piece in events:
        assert piece.note is not None  # rests were left out above
        pitch = piece.note.pitch
        current = state.get(pitch.step, signature[pitch.step % 7])
        if pitch.alteration != current and not piece.tied_from:
            shown[voice, onset] = pitch.alteration
        state[pitch.step] = pitch.alteration
    return shown


def _in_signature(letter: int, sharps: int) -> int:
    """Alteration of a letter under a key signature."""
    place = LETTER_FIFTHS[letter] + 1  # F = 0 ... B = 6: the order of sharps
    if sharps > 0:
        return 1 if place < sharps else 0
    return -1 if 7 - place <= -sharps else 0


def _write_voice(measure: ET.Element, pieces: Sequence[_Piece], context: _Context) -> None:
    beams = _beams(pieces, context)
    for piece in pieces:
        names = {"id": piece.id} if piece.note else {}
        note = ET.SubElement(measure, "note", **names)
        if piece.note is None:
            ET.SubElement(note, "rest")
        else:
            _pitch(note, piece.note)
        ET.SubElement(note, "duration").text = str(int(piece.duration * context.divisions))
        for tied, kind in ((piece.tied_from, "stop"), (piece.tied_to, "start")):
            if tied:
                ET.SubElement(note, "tie", type=kind)
        ET.SubElement(note, "voice").text = str(context.voice)
        name, dots = _type(piece.duration)
        ET.SubElement(note, "type").text = name
        for _ in range(dots):
            ET.SubElement(note, "dot")
        _appearance(note, piece, context, beams.get(piece.onset, ()))


def _pitch(note: ET.Element, sounding: Note) -> None:
    pitch = ET.SubElement(note, "pitch")
    ET.SubElement(pitch, "step").text = LETTERS[sounding.pitch.step % 7]
    if sounding.pitch.alteration:
        ET.SubElement(pitch, "alter").text = str(sounding.pitch.alteration)
    ET.SubElement(pitch, "octave").text = str(sounding.pitch.octave)


def _type(duration: Fraction) -> tuple[str, int]:
    if duration in TYPES:
        return TYPES[duration], 0
    return TYPES[duration * Fraction(2, 3)], 1


def _appearance(
    note: ET.Element, piece: _Piece, context: _Context, beams: Sequence[str]
) -> None:
    shown = context.accidentals.get((context.voice - 1, piece.onset))
    if shown is not None and piece.note:
        ET.SubElement(note, "accidental").text = ACCIDENTALS[shown]
    if context.stem and piece.note:
        ET.SubElement(note, "stem").text = context.stem
    if context.staff is not None:
        ET.SubElement(note, "staff").text = str(context.staff)
    for level, state in enumerate(beams, 1):
        ET.SubElement(note, "beam", number=str(level)).text = state
    _notations(note, piece, context)
    if piece.onset in context.labels and piece.note:
        lyric = ET.SubElement(note, "lyric", number="1")
        ET.SubElement(lyric, "syllabic").text = "single"
        ET.SubElement(lyric, "text").text = context.labels[piece.onset]


def _notations(note: ET.Element, piece: _Piece, context: _Context) -> None:
    fermata = (piece.note is not None and piece.note.fermata and not piece.tied_to
               and context.fermatas)
    if not (piece.tied_from or piece.tied_to or fermata):
        return
    notations = ET.SubElement(note, "notations")
    for tied, kind in ((piece.tied_from, "stop"), (piece.tied_to, "start")):
        if tied:
            ET.SubElement(notations, "tied", type=kind)
    if fermata:
        kind = "upright" if context.above else "inverted"
        ET.SubElement(notations, "fermata", type=kind)


def _beams(pieces: Sequence[_Piece], context: _Context) -> dict[Fraction, tuple[str, ...]]:
    """Beams of the short notes of each beat: onset -> state of each level."""
    metre = context.bar.metre
    beat = Fraction(beat_ticks(metre.beats, metre.unit), TICKS)
    shift = metre.bar - context.bar.duration if context.bar.number == 0 else Fraction(0)
    groups: dict[int, list[_Piece]] = {}
    for piece in pieces:
        if piece.note and _type(piece.duration)[0] in BEAMS:
            groups.setdefault(int((piece.onset - context.bar.onset + shift) // beat), []).append(piece)
    found: dict[Fraction, tuple[str, ...]] = {}
    for group in groups.values():
        if len(group) > 1:
            for place, piece in enumerate(group):
                found[piece.onset] = tuple(_beam_states(group, place))
    return found


def _beam_states(group: Sequence[_Piece], place: int) -> Iterator[str]:
    levels = [BEAMS[_type(piece.duration)[0]] for piece in group]
    for level in range(1, levels[place] + 1):
        before = place > 0 and levels[place - 1] >= level
        after = place + 1 < len(levels) and levels[place + 1] >= level
        if before and after:
            yield "continue"
        elif before or after:
            yield "end" if before else "begin"
        else:
            yield "forward hook" if place == 0 else "backward hook"


# --- Roman numerals -------------------------------------------------------------------------


def _labels(score: Score) -> dict[Fraction, str]:
    """Roman numerals by onset: where the chord or the key changes, the key named where it does."""
    found: dict[Fraction, str] = {}
    last: ChordLabel | None = None
    for label in score.chords:
        if last is None or label.key != last.key:
            tonic = label.key.tonic.name
            name = tonic if label.key.mode == "major" else tonic.lower()
            found[label.onset] = f"{name.replace('#', '♯')}: {numeral_text(label.numeral)}"
        elif label.numeral != last.numeral:
            found[label.onset] = numeral_text(label.numeral)
        last = label
    return found


def numeral_text(symbol: str) -> str:
    """A Roman numeral as it is printed: `viio6` as vii°6, `cad64` as Cad64."""
    if symbol.startswith("cad"):
        return symbol.capitalize()
    head, slash, target = symbol.partition("/")
    return head.replace("o", "°") + slash + target
