"""Reads the examples of the rules' records, and any other small piece, from one line of text.

    key: C major | chords: V7 I | S: D5 C5 | A: B4 G4 | T: F4 E4 | B: G3 C3

Parts stand high to low, one column a moment; `_` holds the note before, `-` is a rest. Besides
parts there may be

    key        of all columns, or of the first ones
    chords     a symbol a column, `_` where the chord goes on, `?` where it is not known; another key
               from here on stands before the symbol: `G:V7`, `a:iv6`
    time       length of each column in beats, 1 where nothing is said
    metre      such as 3/4; 4/4 where nothing is said
    upbeat     beats before the first full bar
    strength   of each column's beat, where it shall not follow from time and metre
    marks      letters a column: o opening, e phrase end, b boundary just before, f final, . nothing
    with       parameters of the rule, such as smallest=3

and what is declared beside the notes, see `example_context`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from theory_kb.check import Finding, Style, check
from theory_kb.chords import read_chord, set_harmony
from theory_kb.errors import MusegenError
from theory_kb.metre import beat_strength, beat_ticks
from theory_kb.moment import NON_CHORD, TICKS, Moments, blank_moments
from theory_kb.pitch import Key, Pitch
from theory_kb.rules.example_context import CONTEXT_FIELDS, read_context
from theory_kb.rules.piece import Piece, write_declared
from theory_kb.rules.records import Rule, rules

__all__ = ["ExampleError", "findings", "read_piece", "segments"]

FIELDS = ("key", "chords", "time", "metre", "upbeat", "strength", "marks", "with", *CONTEXT_FIELDS)
MARKS = {"o": "opening", "e": "phrase_end", "b": "boundary", "f": "final"}
HARMONY = (
    "degree",
    "member",
    "tonic",
    "mode",
    "root",
    "third",
    "fifth",
    "seventh",
    "leading",
    "target",
    "function",
    "quality",
    "inversion",
    "chord",
    "cadential",
)


class ExampleError(MusegenError):
    """An example that cannot be read."""


def findings(rule: Rule, example: str) -> tuple[Finding, ...]:
    """What one rule alone finds in an example, with the rule's own or the example's parameters.

    Raises ExampleError if the example does not show what the rule needs to know.
    """
    fields = segments(example)
    stated = dict(item.split("=") for item in fields.get("with", "").split())
    params = {**rule.params, **{name: float(value) for name, value in stated.items()}}
    severities = dict.fromkeys(rules(), "-") | {rule.id: "E"}
    alone = Style("one rule", "", severities, {rule.id: params}, {})
    report = check(read_piece(example), alone)
    if report.skipped:
        raise ExampleError(f"{rule.id}: {report.skipped[0].reason}: {example!r}")
    return report.findings


def read_piece(text: str) -> Piece:
    """The piece that an example shows; raises ExampleError."""
    fields = segments(text)
    parts = {name: line.split() for name, line in fields.items() if name not in FIELDS}
    widths = {len(line) for line in parts.values()}
    if len(widths) != 1:
        raise ExampleError(f"parts of an example are equally long, got {sorted(widths)}: {text!r}")
    surface = blank_moments(widths.pop(), len(parts))
    for voice, line in enumerate(parts.values()):
        _write_part(surface, voice, line)
    beat, bar, end = _write_time(surface, fields)
    _write_marks(surface, fields)
    context = read_context(fields, tuple(parts), surface, end)
    write_declared(surface, context)
    harmonic = _write_chords(surface, fields)
    return Piece(surface, harmonic, tuple(parts), beat, bar, context)


def segments(text: str) -> dict[str, str]:
    """The segments of an example by name; raises ExampleError."""
    fields: dict[str, str] = {}
    for segment in text.split("|"):
        name, colon, content = segment.partition(":")
        if not colon:
            raise ExampleError(f"a segment of an example is 'name: ...', got {segment.strip()!r}")
        fields[name.strip()] = content.strip()
    return fields


def _write_part(surface: Moments, voice: int, line: Sequence[str]) -> None:
    for index, token in enumerate(line):
        if token == "_":  # noqa: S105 - a held note
            for name in ("step", "semitone"):
                surface[name][index, voice] = surface[name][index - 1, voice]
        elif token != "-":  # noqa: S105 - a rest
            pitch = Pitch.parse(token)
            surface["step"][index, voice] = pitch.step
            surface["semitone"][index, voice] = pitch.semitone
            surface["attack"][index, voice] = 1


def _write_time(surface: Moments, fields: Mapping[str, str]) -> tuple[int, int, int]:
    """Ticks of a beat, of a bar, and of the whole."""
    beats, unit = (int(number) for number in fields.get("metre", "4/4").split("/"))
    beat = beat_ticks(beats, unit)
    lengths = [Fraction(token) for token in fields.get("time", "").split()]
    lengths += [Fraction(1)] * (len(surface) - len(lengths))
    bar = beats * 4 * TICKS // unit
    time = -int(Fraction(fields.get("upbeat", "0")) * beat)
    first = time
    for index, length in enumerate(lengths):
        surface["onset"][index] = time - first
        surface["bar"][index] = time // bar + 1
        surface["position"][index] = time % bar
        surface["strength"][index] = beat_strength(beats, unit, time % bar)
        time += int(length * beat)
    for index, token in enumerate(fields.get("strength", "").split()):
        surface["strength"][index] = int(token)
    return beat, bar, time - first


def _write_marks(surface: Moments, fields: Mapping[str, str]) -> None:
    for index, token in enumerate(fields.get("marks", "").split()):
        for letter in token.strip("."):
            surface[MARKS[letter]][index] = 1


def _write_chords(surface: Moments, fields: Mapping[str, str]) -> Moments | None:
    """Label the surface; the harmonic moments, one a chord, are returned."""
    if "chords" not in fields:
        return None
    key = Key.parse(fields["key"])
    symbols = fields["chords"].split()
    starts = [index for index, symbol in enumerate(symbols) if symbol != "_"]
    harmonic = surface[starts].copy()
    for place, (start, stop) in enumerate(zip(starts, [*starts[1:], len(surface)], strict=True)):
        turn, _, symbol = symbols[start].rpartition(":")
        key = Key.parse(turn) if turn else key
        if symbol != "?":
            span = surface[start:stop]
            set_harmony(span, read_chord(key.mode, symbol), key)
            _chord_tones(span, harmonic[place : place + 1])
            set_harmony(harmonic[place : place + 1], read_chord(key.mode, symbol), key)
    return harmonic


def _chord_tones(span: Moments, harmonic: Moments) -> None:
    """Put the first chord tone of each voice in a span in place of its non-chord tones."""
    for voice in range(int(span["voices"][0])):
        good = np.flatnonzero(span["member"][:, voice] > NON_CHORD)
        if len(good) and span["member"][0, voice] == NON_CHORD:
            for name in ("step", "semitone"):
                harmonic[name][0, voice] = span[name][good[0], voice]
