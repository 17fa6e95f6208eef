"""A row of chords as text: `D minor: i iv6 V7*2 i | F major: I IV V I`.

A key stands before its chords, with a colon; `*2` gives a chord two beats; bar lines are for the
reader's eye.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from musegen.errors import OptionError, UnknownNameError
from musegen.plan.plan import Harmony
from theory_kb.chords import chord, vocabulary
from theory_kb.pitch import Key

__all__ = ["read_chords"]

KEY = re.compile(r"([A-Ga-g][#b]*(?:\s+(?:major|minor))?)\s*:")
LONGEST = 64  # beats of a chord
EXAMPLE = "a key and its chords, such as 'D minor: i iv6 V7*2 i'"


def read_chords(text: str) -> tuple[tuple[Harmony, Fraction], ...]:
    """Chords with their lengths in beats.

    Raises:
        OptionError: no key, no chord, or a length that is none.
        PitchError: a key that does not exist.
        UnknownNameError: a chord that is not of the vocabulary; names those alike.
    """
    parts = KEY.split(text)
    if parts[0].strip(" |\n\t") or len(parts) < 3:
        raise OptionError("chords", text, EXAMPLE)
    found = [
        each
        for name, symbols in zip(parts[1::2], parts[2::2], strict=True)
        for each in _read(_key(name), symbols)
    ]
    if not found:
        raise OptionError("chords", text, EXAMPLE)
    return tuple(found)


def _key(name: str) -> Key:
    return Key.parse(" ".join(name.split()))


def _read(key: Key, symbols: str) -> Iterator[tuple[Harmony, Fraction]]:
    for token in symbols.replace("|", " ").split():
        symbol, star, beats = token.partition("*")
        try:
            length = Fraction(beats) if star else Fraction(1)
        except (ValueError, ZeroDivisionError):
            length = Fraction(0)
        if not 0 < length <= LONGEST:
            raise OptionError("length of a chord", token, f"more than 0 and at most {LONGEST}")
        try:
            yield Harmony(key, chord(key.mode, symbol)), length
        except UnknownNameError as error:
            known = [
                each.symbol
                for each in vocabulary()
                if each.mode == key.mode and not each.inversion and each.applied_to is None
            ]
            raise UnknownNameError(f"chord of {key}", symbol, known) from error
