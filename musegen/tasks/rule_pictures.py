"""The examples of the rules' records as engraved pictures, the notes at fault coloured."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from fractions import Fraction

from musegen.io.engraving import engrave_small
from musegen.io.findings_musicxml import COLOURS, colours
from musegen.io.musicxml import write_musicxml
from musegen.io.pieces import Reading
from musegen.io.xml_tree import parse_xml
from musegen.score import ChordLabel, Metre, Part, Score
from musegen.slices import parts_from_moments
from musegen.tasks.check import judge
from theory_kb.check import Style
from theory_kb.moment import TICKS, Moments
from theory_kb.pitch import Key
from theory_kb.rules.examples import read_piece, segments
from theory_kb.rules.piece import Piece
from theory_kb.rules.records import Rule, rules

__all__ = ["example_picture", "example_score"]

METRICAL = ("metre", "time", "upbeat", "strength", "bars")  # what makes the metre part of a matter
NO_KEY = Key.parse("C major")


def example_score(text: str) -> Score:
    """The score that an example shows; raises ExampleError.

    Without a word on metre or time its columns fill one bar of quarter notes.
    """
    fields, piece = segments(text), read_piece(text)
    surface = piece.surface
    end = Fraction(piece.context.end or 0, TICKS)
    beats, unit = _metre(fields, end)
    late = Fraction(int(surface["position"][0]), TICKS)
    metre = Metre(beats, unit)
    return Score(
        "",
        Key.parse(fields["key"]) if "key" in fields else NO_KEY,
        _with_fermatas(parts_from_moments(surface, end, piece.voices), surface),
        (metre,),
        metre.bar - late if late else Fraction(0),
        chords=_chords(fields, piece, end),
    )


def _metre(fields: dict[str, str], end: Fraction) -> tuple[int, int]:
    if "metre" in fields:
        beats, unit = fields["metre"].split("/")
        return int(beats), int(unit)
    whole = end.denominator == 1 and not any(name in fields for name in METRICAL)
    return (int(end), 4) if whole and 1 <= end <= 12 else (4, 4)


def _with_fermatas(parts: tuple[Part, ...], surface: Moments) -> tuple[Part, ...]:
    """Phrase ends as a reader sees them."""
    ends = {Fraction(int(onset), TICKS) for onset in surface["onset"][surface["phrase_end"] == 1]}
    return tuple(
        replace(
            part,
            notes=tuple(replace(note, fermata=note.onset in ends) for note in part.notes),
        )
        for part in parts
    )


def _chords(fields: dict[str, str], piece: Piece, end: Fraction) -> tuple[ChordLabel, ...]:
    if "chords" not in fields or "key" not in fields:
        return ()
    key = Key.parse(fields["key"])
    onsets = [Fraction(int(onset), TICKS) for onset in piece.surface["onset"]] + [end]
    symbols = fields["chords"].split()
    places = [place for place, symbol in enumerate(symbols) if symbol != "_"]
    return tuple(
        ChordLabel(onsets[place], onsets[stop] - onsets[place], key, symbols[place])
        for place, stop in zip(places, [*places[1:], len(symbols)], strict=True)
        if symbols[place] != "?"
    )


def example_picture(rule: Rule, text: str) -> str:
    """An example as SVG; the notes of what the rule finds in it are coloured.

    Raises:
        ExampleError: the example cannot be read.
        ScoreError: it cannot be written down.
    """
    score, fields = example_score(text), segments(text)
    root = parse_xml(write_musicxml(score), "example")
    for measure in root.iter("measure"):
        for direction in measure.findall("direction"):
            measure.remove(direction)
    if "metre" not in fields:
        for time in root.iter("time"):
            time.set("print-object", "no")
    marked = colours(
        judge(Reading("", score), read_piece(text), _alone(rule, fields), "", "").report
    )
    for note in root.iter("note"):
        severity = marked.get(note.get("id", "").partition("-")[0])
        if severity:
            note.set("color", COLOURS[severity])
    return engrave_small(ET.tostring(root, encoding="unicode"))


def _alone(rule: Rule, fields: dict[str, str]) -> Style:
    """A style of this rule, with the parameters that its example states."""
    stated = dict(item.split("=") for item in fields.get("with", "").split())
    params = {**rule.params, **{name: float(value) for name, value in stated.items()}}
    severities = dict.fromkeys(rules(), "-") | {rule.id: "E"}
    return Style("one rule", "", severities, {rule.id: params}, {})
