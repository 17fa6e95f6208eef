"""Chord symbols of lead sheets: `Cmaj7`, `F#m7b5`, `Bb7/D`, read and written, with their tones.

Source: the qualities of facts/qualities.toml; the ways to write them, Levine, The Jazz Theory Book
(1995), and Kostka and Payne (2018), ch. 23.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from theory_kb.errors import UnknownNameError
from theory_kb.facts import load_facts
from theory_kb.pitch import PitchClass

__all__ = ["ChordSymbol", "chord_qualities", "symbol_suffix"]

SYMBOL = re.compile(r"([A-G](?:##?|bb?)?)([^/]*)(?:/([A-G](?:##?|bb?)?))?")
SUFFIXES: Mapping[str, str] = {
    "": "maj",
    "m": "min",
    "min": "min",
    "-": "min",
    "maj": "maj",
    "M": "maj",
    "dim": "dim",
    "o": "dim",
    "aug": "aug",
    "+": "aug",
    "7": "7",
    "M7": "maj7",
    "maj7": "maj7",
    "m7": "min7",
    "min7": "min7",
    "-7": "min7",
    "m7b5": "m7b5",
    "min7b5": "m7b5",
    "-7b5": "m7b5",
    "ø": "m7b5",
    "ø7": "m7b5",
    "o7": "dim7",
    "dim7": "dim7",
    "mM7": "minmaj7",
    "mmaj7": "minmaj7",
    "minmaj7": "minmaj7",
    "-maj7": "minmaj7",
    "+7": "aug7",
    "aug7": "aug7",
    "7#5": "aug7",
    "+maj7": "augmaj7",
    "maj7#5": "augmaj7",
    "maj9": "maj9",
    "m9": "min9",
    "min9": "min9",
    "sus": "sus4",
    "7sus": "7sus4",
}
SIGNS = str.maketrans({"♭": "b", "♯": "#", "°": "o", "º": "o"})
BRACKETS = str.maketrans("", "", "()")
TRIANGLE = re.compile("Δ7?")  # a major seventh, with or without its figure
NOT_ON_LEAD_SHEETS = ("italian", "german", "swiss", "It6", "Fr6", "Ger6")
PREFERRED: Mapping[str, str] = {  # how a quality is written, where several ways are read
    "maj": "",
    "min": "m",
    "dim": "dim",
    "aug": "+",
    "maj7": "maj7",
    "min7": "m7",
    "m7b5": "m7b5",
    "dim7": "dim7",
    "minmaj7": "mM7",
    "aug7": "7#5",
    "augmaj7": "maj7#5",
}


@cache
def chord_qualities() -> Mapping[str, Mapping[str, Any]]:
    """Qualities of chord symbols by id: their members as fifths above the root, and source."""
    facts = load_facts().qualities
    both = {**facts["qualities"], **facts["extended"]}
    return {name: fact for name, fact in both.items() if name not in NOT_ON_LEAD_SHEETS}


@cache
def _by_suffix() -> Mapping[str, str]:
    own = {fact["suffix"]: name for name, fact in chord_qualities().items()}
    return {**own, **SUFFIXES}


def symbol_suffix(quality: str) -> str:
    """What stands after the root, such as `m7b5`."""
    return PREFERRED.get(quality, str(chord_qualities()[quality]["suffix"]))


@dataclass(frozen=True, slots=True)
class ChordSymbol:
    """A chord of a lead sheet."""

    root: PitchClass
    quality: str  # id in qualities.toml
    bass: PitchClass | None = None  # after the stroke; None: the root

    @classmethod
    def parse(cls, text: str) -> ChordSymbol:
        """Read a symbol; raises UnknownNameError for a suffix that is not known."""
        match = SYMBOL.fullmatch(TRIANGLE.sub("maj7", text.strip().translate(SIGNS)))
        suffix = match[2].translate(BRACKETS) if match else text
        quality = _by_suffix().get(suffix)
        if match is None or quality is None:
            raise UnknownNameError("suffix of a chord symbol", suffix or text, _by_suffix())
        bass = PitchClass.parse(match[3]) if match[3] else None
        root = PitchClass.parse(match[1])
        return cls(root, quality, None if bass == root else bass)

    @property
    def tones(self) -> tuple[PitchClass, ...]:
        """Its pitch classes from the root up."""
        return tuple(map(self.root.transposed, chord_qualities()[self.quality]["members"]))

    @property
    def lowest(self) -> PitchClass:
        """What stands in the bass."""
        return self.bass or self.root

    def __str__(self) -> str:
        stroke = f"/{self.bass}" if self.bass else ""
        return f"{self.root}{symbol_suffix(self.quality)}{stroke}"
