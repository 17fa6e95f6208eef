"""Roman numerals as RomanText and books write them, and the chords of the knowledge base.

`V6/5/IV`, `viio7/ii`, `I6/4`, `It6`: what other programs and analysts write is read here, a dialect
of the labels of `theory_kb.roman`, and what this program says is written so that they can read it
(Tymoczko et al., RomanText, 2019).
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from theory_kb.chords import Chord, every_chord, figures
from theory_kb.pitch import Key
from theory_kb.roman import Figure, find_chord, plain_label, take_apart

__all__ = [
    "chord_of_figure",
    "chord_of_function",
    "chord_symbol",
    "chords_of_symbol",
    "figure_of_chord",
    "functional_symbol",
    "read_figure",
]

BRACKETS = re.compile(r"\[[^\]]*\]|\(.*?\)")  # added and missing tones
FLATS = re.compile(r"^[b#-]+")
LATE_SIGN = re.compile(r"^([^\d/]+)(\d+)([oø+])(?=/|$)")  # viio7 as vii7o
ONLY_HERE = {"5": "53", "9": "7"}  # digits that only analysts write
ONE_FIGURE = re.compile(r"^(\D+)([59])(?=/|$)")
TARGET_FIGURES = re.compile(r"(?<=[^\d/])[\d/]+$")  # V/V7 says how the target sounds
IN_MINOR = {  # how analysts write numerals of a minor key, without figures: stem and sign here
    "bIII": ("III", ""),
    "bVI": ("VI", ""),
    "bVII": ("VII", ""),
    "#viio": ("vii", "o"),
    "viiø/iv": ("vii", "o"),
}


def read_figure(text: str) -> Figure | None:
    """Take a figure apart; None if it is no Roman numeral."""
    plain = plain_label(BRACKETS.sub("", text))
    plain = FLATS.sub(lambda match: match[0].replace("-", "b"), plain)
    plain = LATE_SIGN.sub(r"\1\3\2", plain)
    plain = ONE_FIGURE.sub(lambda match: match[1] + ONLY_HERE[match[2]], plain)
    figure = take_apart(plain)
    return figure and replace(figure, target=TARGET_FIGURES.sub("", figure.target))


def chord_of_figure(mode: str, text: str) -> Chord | None:
    """The chord that a figure means in a mode, None if it is none that is known."""
    figure = read_figure(text)
    if figure is None:
        return None
    if mode == "minor" and figure.name in IN_MINOR:
        stem, sign = IN_MINOR[figure.name]
        figure = replace(figure, stem=stem, sign=sign)
    other = replace(figure, target=figure.target.swapcase())  # V7/II for V7/ii
    return find_chord(mode, figure) or find_chord(mode, other)


STROKES = {"65": "6/5", "43": "4/3", "42": "4/2", "64": "6/4"}


def figure_of_chord(chord: Chord) -> str:
    """A chord as RomanText writes it: `V6/5/IV`, `It6`, `I6/4` for the cadential six-four."""
    if chord.cadential:
        return ("I" if chord.mode == "major" else "i") + "6/4"
    stem, slash, target = chord.numeral.partition("/")
    digits = figures(chord)
    stem = stem.removesuffix("7") if chord.seventh is not None else stem
    digits = STROKES.get(digits, digits)
    if chord.origin == "augmented-sixth":  # without figures it is read over the lowered sixth
        digits = digits or "5/3"
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
