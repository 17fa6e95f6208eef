"""Small music examples as MusicXML: any clef, with or without time signature, chords, words below.

`musegen.io.musicxml` writes pieces; what a question shows is less than a piece: four notes without
metre, a scale, an unbarred rhythm. Ids of notes are `n1`, `n2`, ... over all staves in order, so
that an answer can be told from what was given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm
from xml.sax.saxutils import escape

from musegen.errors import ScoreError
from musegen.io.notation import (
    ACCIDENTALS,
    Bar,
    Piece,
    Value,
    beam_states,
    shown_accidentals,
    value,
)
from musegen.score import Metre, Note
from theory_kb.pitch import LETTERS, Key, Pitch, PitchClass

__all__ = ["CLEFS", "Example", "ExampleStaff", "Sign", "example_ids", "write_example"]

CLEFS = {  # sign, line, octave change
    "treble": ("G", 2, 0),
    "bass": ("F", 4, 0),
    "alto": ("C", 3, 0),
    "tenor": ("C", 4, 0),
    "treble-8": ("G", 2, -1),
}
DOUBLE_DOTTED = Fraction(7, 4)
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<score-partwise version="4.0"><part-list>'


@dataclass(frozen=True, slots=True)
class Sign:
    """A note, chord or rest."""

    pitches: tuple[Pitch, ...]  # low to high; none: a rest
    length: Fraction = Fraction(4)  # quarter notes
    text: str = ""  # under the staff, a line each
    tied: bool = False  # to the next sign
    ornament: str = ""  # MusicXML's name, such as `turn`
    grace: Pitch | None = None  # a small note before it
    slashed: bool = False  # the small note: acciaccatura, else appoggiatura
    beams: tuple[str, ...] | None = None  # states, if not those of the metre
    stem: str = ""  # up or down, if not as engravers set it


@dataclass(frozen=True, slots=True)
class ExampleStaff:
    """A staff: its clef and its bars."""

    clef: str
    bars: tuple[tuple[Sign, ...], ...]


@dataclass(frozen=True, slots=True)
class Example:
    """What is shown."""

    staves: tuple[ExampleStaff, ...]
    sharps: int = 0  # of the key signature, flats negative
    metre: Metre | None = None  # None: no time signature, no beams
    hidden_metre: bool = False  # beams and bars by the metre, but no time signature
    upbeat: bool = False  # whether the first bar is incomplete


def example_ids(example: Example) -> tuple[str, ...]:
    """Ids of the notes, all staves in order; a chord has one, its lowest note's."""
    signs = [sign for staff in example.staves for bar in staff.bars for sign in bar if sign.pitches]
    return tuple(f"n{number}" for number in range(1, len(signs) + 1))


def write_example(example: Example) -> str:
    """The example as MusicXML; the same example gives the same text.

    Raises:
        ScoreError: a length that no note value writes.
    """
    ids = iter(example_ids(example))
    names = [f"P{number}" for number in range(1, len(example.staves) + 1)]
    parts = "".join(
        f'<score-part id="{name}"><part-name print-object="no"/></score-part>' for name in names
    )
    brace = (
        f'<part-group type="start" number="1"><group-symbol>brace</group-symbol></part-group>{parts}'
        '<part-group type="stop" number="1"/>'
        if len(names) > 1
        else parts
    )
    divisions = lcm(
        *(
            sign.length.denominator
            for staff in example.staves
            for bar in staff.bars
            for sign in bar
        ),
        1,
    )
    body = "".join(
        f'<part id="{name}">{"".join(_bars(example, staff, divisions, ids))}</part>'
        for name, staff in zip(names, example.staves, strict=True)
    )
    return f"{HEAD}{brace}</part-list>{body}</score-partwise>"


def _bars(
    example: Example, staff: ExampleStaff, divisions: int, ids: Iterator[str]
) -> Iterator[str]:
    tied = False
    for place, signs in enumerate(staff.bars):
        number = place + (0 if example.upbeat else 1)
        shown, beams = _looks(example, signs)
        notes = []
        for at, sign in enumerate(signs):
            states = beams[at] if sign.beams is None else sign.beams
            mark = _Mark(next(ids) if sign.pitches else "", shown[at], states, tied)
            notes.append(_sign(sign, divisions, mark, _bracket(signs, at)))
            tied = sign.tied
        head = _attributes(example, staff, divisions) if not place else ""
        last = place == len(staff.bars) - 1
        style = "" if not last else "light-heavy" if _closed(example, staff) else "none"
        line = f'<barline location="right"><bar-style>{style}</bar-style></barline>'
        implicit = ' implicit="yes"' if example.upbeat and not place else ""
        end = line if style else ""
        yield f'<measure number="{number}"{implicit}>{head}{"".join(notes)}{end}</measure>'


def _closed(example: Example, staff: ExampleStaff) -> bool:
    """Whether the last bar is full, so that a final bar line stands after it."""
    if example.metre is None:
        return False
    length = sum((sign.length for sign in staff.bars[-1]), Fraction(0))
    first = sum((sign.length for sign in staff.bars[0]), Fraction(0)) if example.upbeat else 0
    return length + first >= example.metre.bar


def _attributes(example: Example, staff: ExampleStaff, divisions: int) -> str:
    sign, line, octaves = CLEFS[staff.clef]
    change = f"<clef-octave-change>{octaves}</clef-octave-change>" if octaves else ""
    metre = example.metre or _filling(staff.bars[0])
    hidden = "" if example.metre and not example.hidden_metre else ' print-object="no"'
    time = f"<time{hidden}><beats>{metre.beats}</beats><beat-type>{metre.unit}</beat-type></time>"
    return (
        f"<attributes><divisions>{divisions}</divisions><key><fifths>{example.sharps}</fifths></key>"
        f"{time}<clef><sign>{sign}</sign><line>{line}</line>{change}</clef></attributes>"
    )


def _filling(signs: Sequence[Sign]) -> Metre:
    """A metre that a bar without one just fills: readers want a time signature."""
    length = sum((sign.length for sign in signs), Fraction(0))
    for unit in (4, 8, 16, 32):
        beats = length * unit / 4
        if beats.denominator == 1 and beats:
            return Metre(int(beats), unit)
    return Metre(ceil(length) or 1, 4)


@dataclass(frozen=True, slots=True)
class _Mark:
    """How a sign is shown."""

    id: str
    accidentals: frozenset[int]  # of its pitches, by place from the lowest
    beams: tuple[str, ...]
    tied_from: bool


def _looks(
    example: Example, signs: Sequence[Sign]
) -> tuple[list[frozenset[int]], list[tuple[str, ...]]]:
    """Accidentals shown and beams of the signs of a bar."""
    metre = example.metre or Metre(4, 4)
    onsets, time = [], Fraction(0)
    for sign in signs:
        onsets.append(time)
        time += sign.length
    voices: dict[int, list[Piece]] = {}
    for onset, sign in zip(onsets, signs, strict=True):
        for voice, pitch in enumerate(sign.pitches):
            note = Note(onset, sign.length, pitch)
            voices.setdefault(voice, []).append(Piece(onset, sign.length, note))
    key = Key(PitchClass(example.sharps), "major")
    shown = set(shown_accidentals(voices, key))
    accidentals = [
        frozenset(voice for voice in range(len(sign.pitches)) if (voice, onset) in shown)
        for onset, sign in zip(onsets, signs, strict=True)
    ]
    lead = metre.bar - time if example.upbeat and time < metre.bar else Fraction(0)
    bar = Bar(1, Fraction(0), time, metre, lead)
    beams = beam_states(voices.get(0, []), bar) if example.metre else {}
    return accidentals, [beams.get(onset, ()) for onset in onsets]


def _value(length: Fraction) -> Value:
    found = value(length)
    if found is None:
        plain = value(length / DOUBLE_DOTTED)
        found = Value(plain.type, 2, None) if plain and not plain.dots else None
    if found is None:
        raise ScoreError("example", f"no note value lasts {length} of a quarter note")
    return found


def _bracket(signs: Sequence[Sign], at: int) -> str:
    """Start or stop of a tuplet's bracket: a group ends where it fills a plain length."""
    ratios = [_value(sign.length).ratio for sign in signs]
    if ratios[at] is None:
        return ""
    start = at
    while start and ratios[start - 1] == ratios[at]:
        start -= 1
    odd = ratios[at][0]  # type: ignore[index] # it is none of the plain ones
    begins, total = True, Fraction(0)
    for place in range(start, at + 1):
        begins = total == 0
        total += signs[place].length
        if total.denominator % odd:
            total = Fraction(0)
    return "start" if begins else "stop" if total == 0 else ""


def _sign(sign: Sign, divisions: int, mark: _Mark, bracket: str) -> str:
    if not sign.pitches:
        return f"<note><rest/>{_duration(sign, divisions)}</note>"
    notes = [_grace(sign)] if sign.grace else []
    for place, pitch in enumerate(sign.pitches):
        name = f' id="{mark.id}"' if not place else ""
        chord = "<chord/>" if place else ""
        tie = '<tie type="stop"/>' * mark.tied_from + '<tie type="start"/>' * sign.tied
        accidental = (
            f"<accidental>{ACCIDENTALS[pitch.alteration]}</accidental>"
            if place in mark.accidentals
            else ""
        )
        duration, _, kind = _duration(sign, divisions).partition("<type>")
        stem = f"<stem>{sign.stem}</stem>" if sign.stem else ""
        kind, split, ratio = kind.partition("<time-modification>")
        notes.append(
            f"<note{name}>{chord}{_pitch(pitch)}{duration}{tie}<type>{kind}{accidental}"
            f"{split}{ratio}{stem}{_extras(sign, mark, bracket, first=not place)}</note>"
        )
    return "".join(notes)


def _grace(sign: Sign) -> str:
    """The small note before a note."""
    assert sign.grace is not None
    slash = ' slash="yes"' if sign.slashed else ""
    accidental = ACCIDENTALS[sign.grace.alteration]
    shown = f"<accidental>{accidental}</accidental>" if sign.grace.alteration else ""
    return f"<note><grace{slash}/>{_pitch(sign.grace)}<type>eighth</type>{shown}</note>"


def _extras(sign: Sign, mark: _Mark, bracket: str, *, first: bool) -> str:
    """Beams, ties and words of a note."""
    beams = "".join(
        f'<beam number="{number}">{state}</beam>' for number, state in enumerate(mark.beams, 1)
    )
    marks = '<tied type="stop"/>' * mark.tied_from + '<tied type="start"/>' * sign.tied
    marks += f'<tuplet type="{bracket}" bracket="yes"/>' if bracket and first else ""
    if sign.ornament and first:
        marks += f"<ornaments><{sign.ornament}/></ornaments>"
    notations = f"<notations>{marks}</notations>" if marks else ""
    lines = sign.text.split("\n") if sign.text and first else []
    words = "".join(
        f'<lyric number="{number}"><syllabic>single</syllabic><text>{escape(line)}</text></lyric>'
        for number, line in enumerate(lines, start=1)
    )
    return (beams if first else "") + notations + words


def _duration(sign: Sign, divisions: int) -> str:
    written = _value(sign.length)
    ratio = (
        f"<time-modification><actual-notes>{written.ratio[0]}</actual-notes>"
        f"<normal-notes>{written.ratio[1]}</normal-notes></time-modification>"
        if written.ratio
        else ""
    )
    return (
        f"<duration>{int(sign.length * divisions)}</duration><type>{written.type}</type>"
        f"{'<dot/>' * written.dots}{ratio}"
    )


def _pitch(pitch: Pitch) -> str:
    alter = f"<alter>{pitch.alteration}</alter>" if pitch.alteration else ""
    return (
        f"<pitch><step>{LETTERS[pitch.step % 7]}</step>{alter}"
        f"<octave>{pitch.octave}</octave></pitch>"
    )
