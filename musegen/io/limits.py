"""What is believed of a file: numbers within musical bounds, and texts that fit into one line.

A file that a hostile or broken program wrote may hold any number. What lies outside these bounds
is refused by its place before anything is reckoned with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from musegen.errors import ScoreError
from musegen.score import Metre, Part

__all__ = [
    "BROKEN",
    "LONGEST",
    "MOST_NOTES",
    "UNITS",
    "brief",
    "checked_metre",
    "checked_parts",
    "checked_tempo",
    "text_of",
]

LONGEST = 20_000  # quarter notes of a piece: 5000 bars of 4/4
MOST_NOTES = 20_000  # of a piece
SLOWEST, FASTEST = 5.0, 1000.0  # quarter notes a minute
MOST_BEATS = 99  # of a bar
UNITS = (1, 2, 4, 8, 16, 32, 64)  # lower numbers of a time signature
BROKEN = (  # what a library raises on a file that is not as it thinks, besides errors of its own
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
KEYS = range(128)  # of a MIDI keyboard
BRIEF = 120  # letters
UNPRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")


def brief(text: object, length: int = BRIEF) -> str:
    """A text of a stranger in one line, cut where it is long."""
    line = UNPRINTED.sub(" ", str(text)[: 10 * length]).strip()
    return line if len(line) <= length else f"{line[: length - 1]}…"


def text_of(path: Path, largest: int) -> str:
    """The text of a file of at most so many bytes, in UTF-8 or else in Latin-1.

    Raises:
        ScoreError: the file cannot be read, is larger, or is no text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except OSError as error:
        raise ScoreError(str(path), f"cannot be read: {error.strerror or error}") from error
    if len(data) > largest:
        raise ScoreError(path.name, f"is larger than {largest} bytes")
    if b"\0" in data:
        raise ScoreError(path.name, "is no text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def checked_metre(metre: Metre, where: str) -> Metre:
    """A time signature that can be counted; raises ScoreError."""
    if not 1 <= metre.beats <= MOST_BEATS or metre.unit not in UNITS:
        allowed = f"1 to {MOST_BEATS} beats over one of {', '.join(map(str, UNITS))}"
        raise ScoreError(where, f"a time signature must have {allowed}, got {brief(metre, 20)}")
    return metre


def checked_tempo(tempo: float, where: str) -> float:
    """A tempo that can be played; raises ScoreError."""
    if not SLOWEST <= tempo <= FASTEST:
        allowed = f"from {SLOWEST:g} to {FASTEST:g} quarter notes a minute"
        raise ScoreError(where, f"tempo must be {allowed}, got {tempo:g}")
    return tempo


def checked_parts(parts: Sequence[Part], where: str) -> tuple[Part, ...]:
    """Parts of a length that can be worked with, on keys that there are; raises ScoreError."""
    for part in parts:
        for note in part.notes:
            place = f"{where}, {brief(part.name, 40)}"
            if note.end > LONGEST:
                raise ScoreError(place, f"lasts longer than {LONGEST} quarter notes")
            if note.duration <= 0:
                raise ScoreError(place, f"{note.pitch} lasts no time")
            if note.pitch.semitone not in KEYS:
                raise ScoreError(place, f"{note.pitch} is none of the MIDI keys 0 to 127")
    return tuple(parts)
