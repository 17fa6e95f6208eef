"""Rhythms as text: `q e e h. rq e/3`, one token a value.

Letters are b breve, w whole, h half, q quarter, e eighth, s sixteenth, t thirty-second; dots follow,
`r` before makes a rest, `~` after ties on, `/3` makes one of a triplet, `/2` of a duplet, and so on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from musegen.errors import MusegenError

__all__ = ["TUPLETS", "RhythmError", "RhythmValue", "read_rhythm", "rhythm_text", "value_of"]

LETTERS: Mapping[str, Fraction] = {
    "b": Fraction(8),
    "w": Fraction(4),
    "h": Fraction(2),
    "q": Fraction(1),
    "e": Fraction(1, 2),
    "s": Fraction(1, 4),
    "t": Fraction(1, 8),
}
DOTS = (Fraction(1), Fraction(3, 2), Fraction(7, 4))
TUPLETS: Mapping[int, Fraction] = {  # how long one of so many is, by its written value
    2: Fraction(3, 2),
    3: Fraction(2, 3),
    4: Fraction(3, 4),
    5: Fraction(4, 5),
    6: Fraction(4, 6),
    7: Fraction(4, 7),
}
TOKEN = re.compile(r"(r?)([bwhqest])(\.{0,2})(?:/([2-7]))?(~?)")


class RhythmError(MusegenError):
    """A text that is no rhythm."""


@dataclass(frozen=True, slots=True)
class RhythmValue:
    """A written note or rest."""

    letter: str
    dots: int = 0
    tuplet: int = 0  # one of so many; 0: of none
    rest: bool = False
    tied: bool = False  # to the next

    @classmethod
    def parse(cls, text: str) -> RhythmValue:
        """Read a token; raises RhythmError."""
        match = TOKEN.fullmatch(text.strip().lower())
        if match is None:
            raise RhythmError(
                f"a note value is one of b w h q e s t with dots, r before a rest, got {text!r}"
            )
        tuplet = int(match[4]) if match[4] else 0
        return cls(match[2], len(match[3]), tuplet, bool(match[1]), bool(match[5]))

    @property
    def length(self) -> Fraction:
        """Quarter notes."""
        scale = TUPLETS[self.tuplet] if self.tuplet else Fraction(1)
        return LETTERS[self.letter] * DOTS[self.dots] * scale

    def __str__(self) -> str:
        tuplet = f"/{self.tuplet}" if self.tuplet else ""
        return f"{'r' * self.rest}{self.letter}{'.' * self.dots}{tuplet}{'~' * self.tied}"


def read_rhythm(text: str) -> tuple[RhythmValue, ...]:
    """Values of a text, bar lines left out; raises RhythmError."""
    return tuple(map(RhythmValue.parse, text.replace("|", " ").split()))


def rhythm_text(values: Sequence[RhythmValue]) -> str:
    """A rhythm as text."""
    return " ".join(map(str, values))


def value_of(length: Fraction, *, rest: bool = False) -> RhythmValue | None:
    """The plain or dotted value of a length in quarter notes; None if it needs a tie."""
    for letter, plain in LETTERS.items():
        for dots, scale in enumerate(DOTS):
            if plain * scale == length:
                return RhythmValue(letter, dots, rest=rest)
    return None
