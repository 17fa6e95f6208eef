"""What stands above the notes of a score, as MusicXML: dynamics, words, tempos, chord symbols, repeats."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from fractions import Fraction

from musegen.io.notation import Bar, beat, value
from musegen.io.xml_writing import add_element
from musegen.score import ChordSymbol, Direction, Expression, Score
from theory_kb.pitch import PitchClass

__all__ = ["QUALITY_KINDS", "write_barline", "write_directions", "write_symbols"]

LETTERS = "CDEFGAB"
QUALITY_KINDS = {  # id of a chord quality: kind of MusicXML, and how it is printed
    "maj": ("major", ""),
    "min": ("minor", "m"),
    "dim": ("diminished", "dim"),
    "aug": ("augmented", "+"),
    "7": ("dominant", "7"),
    "maj7": ("major-seventh", "maj7"),
    "min7": ("minor-seventh", "m7"),
    "m7b5": ("half-diminished", "m7♭5"),
    "dim7": ("diminished-seventh", "dim7"),
    "minmaj7": ("major-minor", "m(maj7)"),
    "augmaj7": ("augmented", "+maj7"),
    "7b5": ("dominant", "7♭5"),
    "italian": ("Italian", "It6"),
    "german": ("German", "Ger6"),
    "swiss": ("other", "Sw6"),
}


def write_directions(measure: ET.Element, score: Score, bar: Bar, divisions: int) -> None:
    """The directions that begin in a bar, before its notes."""
    for each in score.directions:
        if bar.onset <= each.onset < bar.end:
            _direction(measure, score, each, _offset(each.onset, bar, divisions))
    if score.expression is not None:
        _write_hairpins(measure, score.expression, bar, divisions)
        _write_tempos(measure, score, bar, divisions)


def _write_hairpins(measure: ET.Element, how: Expression, bar: Bar, divisions: int) -> None:
    """Where hairpins begin and stop; those that stop at a bar line belong to the bar before it."""
    ends = [(each.end, 0, "stop") for each in how.hairpins if bar.onset < each.end <= bar.end]
    starts = [
        (each.start, 1, "crescendo" if each.louder else "diminuendo")
        for each in how.hairpins
        if bar.onset <= each.start < bar.end
    ]
    for time, _, kind in sorted([*ends, *starts]):
        direction = add_element(measure, "direction", placement="below")
        add_element(add_element(direction, "direction-type"), "wedge", type=kind)
        offset = _offset(time, bar, divisions)
        if offset:
            add_element(direction, "offset", offset)


def _write_tempos(measure: ET.Element, score: Score, bar: Bar, divisions: int) -> None:
    """Tempos for players, unseen, where none is written."""
    written = {each.onset for each in score.directions if each.kind == "tempo"} | {Fraction(0)}
    assert score.expression is not None, "called where there is one"
    for time, tempo in score.expression.tempos:
        if bar.onset <= time < bar.end and time not in written:
            sound = add_element(measure, "sound", tempo=f"{tempo:g}")
            add_element(sound, "offset", _offset(time, bar, divisions))


def _offset(onset: Fraction, bar: Bar, divisions: int) -> int:
    return int((onset - bar.onset) * divisions)


def _direction(measure: ET.Element, score: Score, each: Direction, offset: int) -> None:
    place = "below" if each.kind == "dynamics" else "above"
    direction = add_element(measure, "direction", placement=place)
    kind = add_element(direction, "direction-type")
    if each.kind == "dynamics":
        add_element(add_element(kind, "dynamics"), each.text)
    elif each.kind == "tempo":
        unit = beat(score.metre_at(each.onset))
        written = value(unit)
        assert written is not None, "metres count in note values"
        metronome = add_element(kind, "metronome")
        add_element(metronome, "beat-unit", written.type)
        for _ in range(written.dots):
            add_element(metronome, "beat-unit-dot")
        add_element(metronome, "per-minute", f"{float(each.text) / float(unit):g}")
    elif each.kind == "section":
        add_element(kind, "words", each.text, **{"font-weight": "bold"})
    else:
        add_element(kind, "words", each.text, **{"font-style": "italic"})
    if offset:
        add_element(direction, "offset", offset)
    if each.kind == "tempo":
        add_element(direction, "sound", tempo=each.text)


def write_symbols(
    measure: ET.Element, symbols: Sequence[ChordSymbol], bar: Bar, divisions: int
) -> None:
    """The chord symbols of a bar, before its notes."""
    for each in symbols:
        if not bar.onset <= each.onset < bar.end:
            continue
        harmony = add_element(measure, "harmony")
        _pitch_class(harmony, "root", each.root)
        kind, text = QUALITY_KINDS[each.quality]
        add_element(harmony, "kind", kind).set("text", text)
        if each.bass is not None and each.bass != each.root:
            _pitch_class(harmony, "bass", each.bass)
        offset = _offset(each.onset, bar, divisions)
        if offset:
            add_element(harmony, "offset", offset)


def _pitch_class(harmony: ET.Element, name: str, each: PitchClass) -> None:
    element = add_element(harmony, name)
    add_element(element, f"{name}-step", LETTERS[each.letter])
    if each.alteration:
        add_element(element, f"{name}-alter", each.alteration)


def write_barline(measure: ET.Element, score: Score, bar: Bar, *, right: bool, last: bool) -> None:
    """The bar line at one side of a bar, where it is more than a line."""
    time = bar.end if right else bar.onset
    side = 1 if right else 0
    turned = any(span[side] == time for span in score.repeats)
    endings = [each for each in score.endings if (each.end if right else each.start) == time]
    if not turned and not endings and not (right and last):
        return
    line = add_element(measure, "barline", location="right" if right else "left")
    if turned or (right and last):
        add_element(line, "bar-style", "light-heavy" if right else "heavy-light")
    for each in endings:
        kind = ("stop" if each.number == 1 else "discontinue") if right else "start"
        add_element(line, "ending", number=str(each.number), type=kind)
    if turned:
        add_element(line, "repeat", direction="backward" if right else "forward")
