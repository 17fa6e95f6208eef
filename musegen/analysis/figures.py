"""Roman numerals as RomanText and books write them, and the chords of the knowledge base.

`V6/5/IV`, `viio7/ii`, `I6/4`, `It6`: what other programs and analysts write is read here, and what
this program says is written so that they can read it (Tymoczko et al., RomanText, 2019).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from theory_kb.chords import Chord, every_chord, figures
from theory_kb.pitch import Key

__all__ = [
    "Figure",
    "chord_of_figure",
    "chord_of_function",
    "chord_symbol",
    "chords_of_symbol",
    "figure_of_chord",
    "functional_symbol",
    "read_figure",
]

FIGURE = re.compile(
    r"^(?P<stem>[b#♭♯-]*(?:[ivIV]+|N|It|Ger|Fr|Sw|Cad|cad|CT))(?P<sign>[o°ø+]?)"
    r"(?P<digits>(?:\d+(?:/\d+)*)?)(?P<late>[o°ø+]?)(?:/(?P<target>[^\d/].*))?$"
)
DIGITS = {
    "": ("", 0), "5": ("", 0), "53": ("", 0), "6": ("", 1), "63": ("", 1), "64": ("", 2),
    "7": ("7", 0), "753": ("7", 0), "65": ("7", 1), "653": ("7", 1), "43": ("7", 2),
    "643": ("7", 2), "2": ("7", 3), "42": ("7", 3), "642": ("7", 3), "9": ("7", 0),
}  # fmt: skip
NAMES = {"It": {"6": ("It", 1)}, "Ger": {"65": ("Ger7", 1), "6": ("Ger7", 1), "7": ("Ger7", 0)},
         "Fr": {"43": ("Fr7", 2), "6": ("Fr7", 2)}, "Sw": {"43": ("Sw7", 1)}, "N": {}}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """A Roman numeral taken apart."""

    numeral: str  # without inversion, with a 7 for a seventh chord: viio7/V
    inversion: int  # member in the bass
    target: str  # of an applied chord, else empty


def read_figure(text: str) -> Figure | None:
    """Take a figure apart; None if it is no Roman numeral."""
    plain = re.sub(r"\[[^\]]*\]|\(.*?\)", "", text.strip()).replace("/o", "ø")
    plain = re.sub(r"(?<=[ivIV])0", "ø", plain)
    found = FIGURE.match(plain)
    if found is None:
        return None
    digits = found["digits"].replace("/", "")
    sign = (found["sign"] or found["late"]).replace("°", "o")
    target = found["target"] or ""
    named = NAMES.get(found["stem"], {}).get(digits)
    if named is not None:
        numeral, inversion = named
    elif found["stem"] in ("Cad", "cad"):
        numeral, inversion = "cad64", 2
    elif digits in DIGITS:
        seventh, inversion = DIGITS[digits]
        numeral = (
            found["stem"].replace("♭", "b").replace("♯", "#").replace("-", "b") + sign + seventh
        )
    else:
        return None
    target = re.sub(r"[\d/]+$", "", target)
    return Figure(numeral + (f"/{target}" if target else ""), inversion, target)


ALIASES = {"bII": "N", "bVI6": "VI"}
MINOR_ALIASES = {
    "bIII": "III",
    "bVI": "VI",
    "bVII": "VII",
    "#viio": "viio",
    "#viio7": "viio7",
    "viiø7/iv": "viio7/iv",
}


def chord_of_figure(mode: str, text: str) -> Chord | None:
    """The chord that a figure means in a mode, None if it is none that is known."""
    figure = read_figure(text)
    if figure is None:
        return None
    table = _chords(mode)
    for numeral in _spellings(mode, figure.numeral):
        found = table.get((numeral, figure.inversion))
        if found is not None:
            return found
    return None


def _spellings(mode: str, numeral: str) -> tuple[str, ...]:
    """A numeral, and as it is written elsewhere."""
    aliases = {**ALIASES, **(MINOR_ALIASES if mode == "minor" else {})}
    stem, slash, target = numeral.partition("/")
    swapped = target.swapcase() if target else ""
    return (
        numeral,
        aliases.get(numeral, numeral),
        f"{stem}{slash}{swapped}",
        f"{stem.rstrip('o')}ø7",
    )


@cache
def _chords(mode: str) -> dict[tuple[str, int], Chord]:
    found: dict[tuple[str, int], Chord] = {}
    for each in every_chord():
        if each.mode == mode:
            found.setdefault((each.numeral, each.inversion), each)
    return found


def figure_of_chord(chord: Chord) -> str:
    """A chord as RomanText writes it: `V6/5/IV`, `It6`, `I6/4` for the cadential six-four."""
    if chord.cadential:
        return ("I" if chord.mode == "major" else "i") + "6/4"
    stem, slash, target = chord.numeral.partition("/")
    digits = figures(chord)
    stem = stem.removesuffix("7") if chord.seventh is not None else stem
    digits = {"65": "6/5", "43": "4/3", "42": "4/2", "64": "6/4"}.get(digits, digits)
    return f"{stem.replace('ø', '/o')}{digits}{slash}{target}"


SUFFIXES = {
    "maj": "", "min": "m", "dim": "dim", "aug": "+", "7": "7", "maj7": "maj7", "min7": "m7",
    "m7b5": "m7b5", "dim7": "dim7", "minmaj7": "m(maj7)", "augmaj7": "+maj7", "7b5": "7b5",
    "italian": "It6", "german": "Ger6", "swiss": "Sw6",
}  # fmt: skip


def chord_symbol(chord: Chord, key: Key) -> str:
    """A chord as lead sheets write it: `Am7/C`."""
    root, bass = (key.tonic.transposed(place).name for place in (chord.root, chord.bass))
    return f"{root}{SUFFIXES[chord.quality]}{'' if root == bass else '/' + bass}"


@cache
def chords_of_symbol(symbol: str, key: Key) -> tuple[Chord, ...]:
    """The chords of a key that a lead sheet writes so: `C/G` is I64 and the cadential six-four.

    All of them sound alike, spelling and bass included; none is known where the tuple is empty.
    """
    return tuple(
        each
        for each in every_chord()
        if each.mode == key.mode and chord_symbol(each, key) == symbol
    )


PRINCIPAL = {"I": "T", "i": "t", "IV": "S", "iv": "s", "V": "D"}  # stand for their functions


def functional_symbol(chord: Chord) -> str:
    """A chord as its function with figures: `T`, `s6`, `D65`, `S(ii)65`, `(D7)IV`, `K64`.

    I, IV and V stand for their functions, in small letters as minor chords; any other chord is named
    in brackets behind the function that it has in the knowledge base, X for one that passes. The
    cadential six-four is K64; an applied chord stands in brackets before its target.
    """
    if chord.cadential:
        return "K64"
    stem, _, target = chord.numeral.partition("/")
    stem = stem.removesuffix("7")
    sign = PRINCIPAL.get(stem) or f"{chord.function}({stem})"
    text = sign + figures(chord)
    return f"({text}){target}" if target else text


@cache
def _by_function(mode: str) -> dict[str, Chord]:
    found: dict[str, Chord] = {}
    for each in every_chord():
        if each.mode == mode:
            found.setdefault(functional_symbol(each), each)
    return found


def chord_of_function(mode: str, text: str) -> Chord | None:
    """The chord of a mode with such a functional symbol, None if there is none."""
    return _by_function(mode).get(text)
