"""Voices as plain text: what a student types who has no notation program.

    S: C5 D5 | E5 F5
    B: F3 Bb2 | C3 D3
    R: I IV V vi

A line has the name of a voice, a colon and its notes with their octave (C4 is middle C), one a
chord where the exercise has chords. `r` is a rest, `-` before a note ties it to the one before,
`:2` after it makes it a half note and `:8` an eighth (`:4.` is dotted), `r2` is a half rest. Bar lines
are optional. Voices may also stand in one line, `S: C5 D5 | B: F3 Bb2`. Lines that are named `R`,
`RN` or `F` hold Roman numerals or functional symbols.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from musegen.errors import ScoreError
from musegen.score import Note
from theory_kb.pitch import Pitch

__all__ = [
    "LABELS",
    "Token",
    "VoiceText",
    "looks_like_voices",
    "read_voices",
    "timed",
    "write_line",
]

HEAD = re.compile(r"(?:^|[|;\n])[ \t]*([A-Za-z][A-Za-z0-9 ]{0,19}?)[ \t]*:(?!\d)")
TOKEN = re.compile(
    r"(?P<tie>-?)(?P<pitch>[A-Ga-g](?:#{1,2}|x|b{1,2}|♯|♭)?-?\d)(?::(?P<value>\d{1,2})(?P<dot>\.?))?"
    r"|(?P<rest>r)(?P<rest_value>\d{1,2})?(?P<rest_dot>\.?)"
)
LABELS = ("R", "RN", "F")  # names of lines that hold symbols of chords
VALUES = (1, 2, 4, 8, 16, 32)
MOST_LINES, MOST_TOKENS = 32, 2000
SHOWN = 24  # characters of a token in a refusal


@dataclass(frozen=True, slots=True)
class Token:
    """A note or rest as it was typed."""

    pitch: Pitch | None  # None: a rest
    length: Fraction | None  # quarter notes; None: as long as the exercise has it
    tied: bool  # to the note before
    bar: int  # of its line, from 0


@dataclass(frozen=True, slots=True)
class VoiceText:
    """What was typed."""

    voices: Mapping[str, tuple[Token, ...]]  # by name, in the order of the text
    labels: Mapping[str, tuple[str, ...]]  # symbols of chords, by the name of their line


def looks_like_voices(text: str) -> bool:
    """Whether a text has a line of a voice."""
    return HEAD.search(text) is not None


def read_voices(text: str, name: str = "answer") -> VoiceText:
    """Read voices from text.

    Args:
        text: see the module.
        name: how a refusal calls it.

    Raises:
        ScoreError: no voice, a voice twice, or a token that is no note; names voice and token.
    """
    heads = list(HEAD.finditer(text))
    if not heads or len(heads) > MOST_LINES:
        raise ScoreError(name, f"must be lines such as 'S: C5 D5', from 1 to {MOST_LINES} of them")
    before = text[: heads[0].start()].strip()
    if before:
        raise ScoreError(name, f"{before[:SHOWN]!r} stands before the first voice")
    voices: dict[str, tuple[Token, ...]] = {}
    labels: dict[str, tuple[str, ...]] = {}
    ends = [*(head.start() for head in heads[1:]), len(text)]
    for head, end in zip(heads, ends, strict=True):
        title, content = " ".join(head[1].split()), text[head.end() : end]
        if title in voices or title in labels:
            raise ScoreError(f"{name}, voice {title}", "stands there twice")
        if title.upper() in LABELS:
            labels[title] = tuple(content.replace("|", " ").split())
        else:
            voices[title] = tuple(_tokens(content, f"{name}, voice {title}"))
    return VoiceText(voices, labels)


def _tokens(text: str, where: str) -> Iterator[Token]:
    count = 0
    for bar, content in enumerate(text.strip().strip("|").split("|")):
        for word in content.split():
            count += 1
            match = TOKEN.fullmatch(word)
            place = f"{where}, bar {bar + 1}, token {count}"
            if match is None:
                allowed = "must be a note such as C5, Bb3:2, -D4 or a rest r"
                raise ScoreError(place, f"{allowed}, got {word[:SHOWN]!r}")
            if count > MOST_TOKENS:
                raise ScoreError(where, f"holds more than {MOST_TOKENS} notes")
            yield _token(match, bar, place)


def _token(match: re.Match[str], bar: int, place: str) -> Token:
    value = match["value"] or match["rest_value"]
    dot = match["dot"] or match["rest_dot"]
    if value is not None and int(value) not in VALUES:
        allowed = ", ".join(map(str, VALUES))
        raise ScoreError(place, f"a note value must be one of {allowed}, got {value}")
    length = None if value is None else Fraction(4, int(value)) * (Fraction(3, 2) if dot else 1)
    if match["rest"]:
        return Token(None, length, tied=False, bar=bar)
    name = match["pitch"]
    return Token(Pitch.parse(name[0].upper() + name[1:]), length, bool(match["tie"]), bar)


def timed(
    tokens: Sequence[Token], unit: Fraction, bar: Fraction
) -> tuple[tuple[Pitch, Fraction, Fraction], ...]:
    """Notes of a line that has bars: pitch, onset and length in quarter notes, ties joined.

    Args:
        tokens: of one voice.
        unit: length of a note that states none; one that is alone in its bar fills it.
        bar: length of a bar.
    """
    alone = {number for number in {each.bar for each in tokens} if _count(tokens, number) == 1}
    found: list[tuple[Pitch, Fraction, Fraction]] = []
    time = Fraction(0)
    for token in tokens:
        length = token.length or (bar if token.bar in alone else unit)
        if token.pitch is not None:
            if token.tied and found and found[-1][0] == token.pitch:
                pitch, onset, held = found.pop()
                found.append((pitch, onset, held + length))
            else:
                found.append((token.pitch, time, length))
        time += length
    return tuple(found)


def _count(tokens: Sequence[Token], bar: int) -> int:
    return sum(each.bar == bar for each in tokens)


# --- and back -------------------------------------------------------------------------------


def write_line(notes: Sequence[Note], bar: Fraction) -> str:
    """A line in the plain notation, every value stated, cut at the bar lines and tied over them.

    Args:
        notes: of one voice; silence between them is written as rests.
        bar: length of a bar, in quarter notes.

    Raises:
        ScoreError: a value that the notation has not.
    """
    words: list[str] = []
    time = Fraction(0)
    for note in notes:
        words += _written("r", time, note.onset, bar)
        words += _written(note.pitch.name, note.onset, note.end, bar)
        time = note.end
    return " ".join(words).replace(" |", "|").replace("| ", "|").strip("|")


def _written(name: str, start: Fraction, end: Fraction, bar: Fraction) -> Iterator[str]:
    tied = False
    while start < end:
        line = (start // bar + 1) * bar
        for value, dot, length in _values(min(end, line) - start):
            sign = f"r{value}{dot}" if name == "r" else f"{'-' if tied else ''}{name}:{value}{dot}"
            yield sign
            start += length
            tied = True
        if start == line:
            yield "|"


def _values(length: Fraction) -> Iterator[tuple[int, str, Fraction]]:
    """A length as values of the notation, the longest first."""
    while length > 0:
        fitting = ((v, d, s) for v in VALUES for d, s in _dotted(v) if s <= length)
        found = max(fitting, key=lambda each: each[2], default=None)
        if found is None:
            raise ScoreError("voice", f"a value of {length} quarter notes cannot be written")
        yield found
        length -= found[2]


def _dotted(value: int) -> Iterator[tuple[str, Fraction]]:
    yield "", Fraction(4, value)
    yield ".", Fraction(6, value)
