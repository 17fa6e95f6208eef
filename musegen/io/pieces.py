"""What reading a file gives: the score, and what the file did not say or what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from musegen.io.lines import Written
from musegen.score import Part, Score
from theory_kb.pitch import Key, PitchClass

__all__ = ["TEMPO", "TONICS", "Reading", "home_key", "left_out"]

TEMPO = 72.0  # quarter notes a minute where a file names none
MOST_ACCIDENTALS = 7
TONICS: Mapping[str, tuple[int, str]] = {  # fifths from the tonic of the major key of the same
    "major": (0, "major"),  # signature, and the nearest mode
    "ionian": (0, "major"),
    "mixolydian": (1, "major"),
    "dorian": (2, "minor"),
    "minor": (3, "minor"),
    "aeolian": (3, "minor"),
    "phrygian": (4, "minor"),
    "locrian": (5, "minor"),
    "lydian": (-1, "major"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """A piece of a file."""

    name: str  # of the file without suffix, with a number where it holds several
    score: Score
    remarks: tuple[str, ...] = ()  # what was left out or does not fit, with its place
    metre: bool = True  # False: the file has no time signature, bars are counted as 4/4
    tempo: bool = True  # False: the file has no tempo
    key_declared: bool = True  # False: the key follows from the signature and the last note
    irregular: tuple[Fraction, ...] = ()  # onsets of bars that do not fill their metre
    bars: tuple[tuple[Fraction, Fraction], ...] = ()  # onset and length of each as it is drawn
    written: tuple[Written, ...] = ()  # noteheads, where the file has notation
    hands: int | None = None  # voices on the upper of two staves of one player


def left_out(count: int, what: str) -> str:
    """A remark on what was not read: `2 grace notes left out`."""
    return f"{count} {what}{'' if count == 1 else 's'} left out"


def home_key(
    parts: Sequence[Part], signature: int | None, stated: tuple[str, str, str] | None
) -> tuple[Key, bool]:
    """The key of a piece, and whether the file states it.

    Args:
        parts: high to low.
        signature: sharps, flats negative, if there is a signature.
        stated: letter, `#` or `-` or nothing, and mode, if the file names a key.
    """
    if stated is not None:
        letter, sign, mode = stated
        key = Key(PitchClass.parse(letter + sign), TONICS[mode][1])
        if abs(key.signature) <= MOST_ACCIDENTALS:
            return key, True
    fifths = signature or 0
    last = parts[-1].notes[-1].pitch.pitch_class.fifths
    mode = "minor" if last == fifths + TONICS["minor"][0] else "major"
    return Key(PitchClass(fifths + TONICS[mode][0]), mode), False
