"""Reads what an example declares beside its notes; the segments are those of `Context`.

cantus      voice of the cantus firmus: `B`
species     of each counterpoint: `S=2 A=1`
final       of the mode: `D`
mode        church mode: `dorian`
home        the piece's key, where it is not that of the first chord: `C major`
units       `antecedent 0-8 A, consequent 8-16 B`: kind, columns from-to, material
entries     `subject S 0-4, answer A 4-8`: kind, voice, columns
canon       `S A -P5 4 strict`: leader, follower, interval, delay in quarter notes
invertible  8, 10 or 12
given       `S 0 C5, S 1 D5`: voice, column, pitch
answers     `roman 0 V7 V;V7`: kind, column, what came, what is allowed
vocabulary  `I V V7`
syllables   `+ - . +` a sign a column: stressed, unstressed, none
melody      voice of the tune
hands       voices of the right hand
tempo       quarter notes a minute
bars        quarter notes in each bar, from the first
written     `S 0 1 tied, S 1 1`: voice, onset and duration in quarter notes
figures     `0 6, 2 65`: column and figures
devices     declared licences
doublings   `T B, S A`: a voice and the one that it doubles
silences    `A 0-2`: voice and columns of a written rest
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from theory_kb.moment import TICKS, Moments
from theory_kb.pitch import Interval, Key, Pitch, PitchClass
from theory_kb.rules.context import (
    Answer,
    Canon,
    Context,
    Entry,
    GivenNote,
    Silence,
    Syllable,
    Unit,
    WrittenNote,
)

__all__ = ["CONTEXT_FIELDS", "read_context"]


class _Reader:
    """What segments refer to: names of voices, and columns."""

    def __init__(self, voices: Sequence[str], surface: Moments) -> None:
        self.voices = list(voices)
        self.surface = surface

    def voice(self, name: str) -> int:
        return self.voices.index(name)

    def species(self, text: str) -> Mapping[int, int]:
        pairs = (item.split("=") for item in text.split())
        return {self.voice(name): int(number) for name, number in pairs}

    def units(self, text: str) -> tuple[Unit, ...]:
        found = []
        for kind, span, *name in _items(text):
            start, stop = _span(span)
            found.append(Unit(kind, start, stop, *name))
        return tuple(found)

    def entries(self, text: str) -> tuple[Entry, ...]:
        return tuple(
            Entry(kind, self.voice(voice), *_span(span)) for kind, voice, span in _items(text)
        )

    def canon(self, text: str) -> Canon:
        leader, follower, name, delay, *more = text.split()
        closes = [_ticks(each.removeprefix("close=")) for each in more if each[:6] == "close="]
        interval = Interval.parse(name.lstrip("-"))
        sign = -1 if name.startswith("-") else 1
        return Canon(
            self.voice(leader),
            self.voice(follower),
            sign * interval.steps,
            sign * interval.semitones,
            _ticks(delay),
            "strict" in more,
            *closes,
        )

    def given(self, text: str) -> tuple[GivenNote, ...]:
        found = []
        for voice, column, name in _items(text):
            pitch = Pitch.parse(name)
            onset = int(self.surface["onset"][int(column)])
            found.append(GivenNote(self.voice(voice), onset, pitch.step, pitch.semitone))
        return tuple(found)

    def written(self, text: str) -> tuple[WrittenNote, ...]:
        return tuple(
            WrittenNote(self.voice(voice), _ticks(onset), _ticks(length), bool(tied))
            for voice, onset, length, *tied in _items(text)
        )

    def doublings(self, text: str) -> tuple[tuple[int, int], ...]:
        return tuple((self.voice(one), self.voice(other)) for one, other in _items(text))

    def silences(self, text: str) -> tuple[Silence, ...]:
        return tuple(Silence(self.voice(voice), *_span(span)) for voice, span in _items(text))

    def bars(self, text: str) -> tuple[tuple[int, int], ...]:
        first = int(self.surface["bar"][0])
        return tuple((first + place, _ticks(length)) for place, length in enumerate(text.split()))


def _items(text: str) -> list[list[str]]:
    return [item.split() for item in text.split(",")]


def _span(text: str) -> tuple[int, int]:
    start, stop = text.split("-")
    return int(start), int(stop)


def _ticks(text: str) -> int:
    return int(Fraction(text) * TICKS)


def _answers(text: str) -> tuple[Answer, ...]:
    return tuple(
        Answer(kind, int(column), came, tuple(allowed.split(";")))
        for kind, column, came, allowed in _items(text)
    )


def _home(text: str) -> tuple[int, int]:
    key = Key.parse(text)
    return key.tonic.fifths, ("major", "minor").index(key.mode)


def _syllables(text: str) -> tuple[Syllable, ...]:
    signs = enumerate(text.split())
    return tuple(Syllable(column, sign == "+") for column, sign in signs if sign != ".")


def _figures(text: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(column), figures) for column, figures in _items(text))


READERS: Mapping[str, Callable[[_Reader, str], Any]] = {
    "cantus": _Reader.voice,
    "species": _Reader.species,
    "final": lambda _, text: PitchClass.parse(text).fifths,
    "mode": lambda _, text: text,
    "home": lambda _, text: _home(text),
    "units": _Reader.units,
    "entries": _Reader.entries,
    "canon": _Reader.canon,
    "invertible": lambda _, text: int(text),
    "given": _Reader.given,
    "answers": lambda _, text: _answers(text),
    "vocabulary": lambda _, text: frozenset(text.split()),
    "syllables": lambda _, text: _syllables(text),
    "melody": _Reader.voice,
    "hands": lambda _, text: int(text),
    "tempo": lambda _, text: float(text),
    "bars": _Reader.bars,
    "written": _Reader.written,
    "figures": lambda _, text: _figures(text),
    "devices": lambda _, text: frozenset(text.split()),
    "doublings": _Reader.doublings,
    "silences": _Reader.silences,
}
CONTEXT_FIELDS = tuple(READERS)


def read_context(
    fields: Mapping[str, str], voices: Sequence[str], surface: Moments, end: int
) -> Context:
    """The context that an example's segments declare."""
    reader = _Reader(voices, surface)
    said = {name: READERS[name](reader, fields[name]) for name in READERS if name in fields}
    return Context(**said, end=end)
