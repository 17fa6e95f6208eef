"""Roman numerals read: the one parser, for answers of students and for analyses of people.

A text is brought into one spelling, taken apart into a `Figure`, and a figure is looked up among
the chords that are known. A dialect changes the text before or the figure after; what a numeral
means is decided here alone. Digits may stand in any order (`V65`, `V56`, `V6/5`). Sources: Kostka
and Payne (2018), ch. 6; for the doubly augmented 4/3 on the lowered sixth (`Sw43`) ch. 22.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from theory_kb.chords import SEVENTH_FIGURES, TRIAD_FIGURES, Chord, every_chord
from theory_kb.numerals import symbol_aliases

__all__ = ["FIGURES", "Figure", "find_chord", "find_roman", "plain_label", "take_apart"]

FIGURES: Mapping[str, str] = {  # sorted digits to the figures of a symbol
    "": "", "35": "", "6": "6", "36": "6", "46": "64", "7": "7", "357": "7", "56": "65",
    "356": "65", "34": "43", "346": "43", "24": "42", "2": "42", "246": "42",
}  # fmt: skip
AUGMENTED = {"It": "6", "Ger": "65", "Fr": "43", "Sw": "43"}  # with the lowered sixth in the bass
CADENTIAL = re.compile(r"(?:cad(?:64|46)?|c(?:64|46)|v64-(?:53?|5-3)|v6-54-3)", re.IGNORECASE)
ROMAN = re.compile(
    r"(?P<stem>[b#]*(?:[iv]+|[IV]+|N|It|Ger|Fr|Sw|CT))(?P<sign>[oø+]?)(?P<digits>\d*)"
    r"(?:/(?P<target>[^\d/].*))?"
)
SIGNS = str.maketrans(
    {"°": "o", "º": "o", "Ø": "ø", "\u2044": "/", "♭": "b", "♯": "#", "\uff0b": "+"}
)
SMALL = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉", "01234567890123456789")
FIGURE_SLASH = re.compile(r"(?<=\d)/(?=\d)")


@dataclass(frozen=True, slots=True)
class Figure:
    """A Roman numeral taken apart."""

    stem: str  # bVI, vii, It, cad
    sign: str = ""  # o, ø or +
    digits: str = ""  # as a symbol has them: "", 6, 64, 7, 65, 43, 42
    target: str = ""  # of an applied chord

    @property
    def name(self) -> str:
        """Without figures: `viio/V`."""
        return self._with("")

    @property
    def numeral(self) -> str:
        """Without inversion, with a 7 for a seventh chord: `viio7/V`."""
        return self._with("7" if self.digits in SEVENTH_FIGURES else "")

    @property
    def inversion(self) -> int:
        """Member in the bass: 0 root, 1 third, 2 fifth, 3 seventh."""
        table = SEVENTH_FIGURES if self.digits in SEVENTH_FIGURES else TRIAD_FIGURES
        return table.index(self.digits)

    def _with(self, digits: str) -> str:
        return self.stem + self.sign + digits + (f"/{self.target}" if self.target else "")


def plain_label(text: str) -> str:
    """One spelling for what has several: signs, small digits, strokes between figures."""
    plain = text.strip().translate(SIGNS).translate(SMALL).replace("Cad.", "cad")
    plain = plain.replace("/o", "ø")  # as RomanText writes a half-diminished chord
    plain = re.sub(r"dim(?=\d|/|$)", "o", plain)
    plain = re.sub(r"(?<=[vi])[ø/]?o?/7", "ø7", plain)
    plain = FIGURE_SLASH.sub("", plain)
    return re.sub(r"(?<=[iI])0(?=7|6|4|$)", "o", plain)


def take_apart(plain: str) -> Figure | None:
    """The parts of a text that `plain_label` has spelled; None if it is no Roman numeral.

    An augmented sixth stands on the lowered sixth degree unless its figures say otherwise.
    """
    if CADENTIAL.fullmatch(plain):
        return Figure("cad", digits="64")
    match = ROMAN.fullmatch(plain)
    digits = FIGURES.get("".join(sorted(match["digits"]))) if match else None
    if match is None or digits is None:
        return None
    stem, sign = match["stem"], match["sign"]
    if stem in AUGMENTED:
        sign = sign.removesuffix("+")  # It+6 says that the sixth is augmented
        digits = AUGMENTED[stem] if match["digits"] in ("", "6") else digits
    return Figure(stem, sign, digits, match["target"] or "")


def find_chord(mode: str, figure: Figure) -> Chord | None:
    """The chord that a figure means in a mode, None if it is none that is known."""
    table = _by_symbol(mode)
    stroke = f"/{figure.target}" if figure.target else ""
    symbols = (stem + figure.digits + stroke for stem in _stems(figure))
    return next((table[symbol] for symbol in symbols if symbol in table), None)


def find_roman(mode: str, plain: str) -> Chord | None:
    """The chord that a text spelled by `plain_label` means in a mode, None if it is none."""
    figure = take_apart(plain)
    return None if figure is None else find_chord(mode, figure)


def _stems(figure: Figure) -> Iterator[str]:
    """Ways to spell the stem: a diminished sign that was left out is understood."""
    stem, sign = figure.stem, figure.sign
    yield stem + sign
    yield symbol_aliases().get(stem + sign, stem + sign)
    sevenths = figure.digits in SEVENTH_FIGURES
    if not sign and stem in ("vii", "ii"):
        yield from ((stem + "ø", stem + "o") if sevenths else (stem + "o",))
    if sign == "o" and sevenths:
        yield stem + "ø"
    if sign == "ø" and not sevenths:
        yield stem + "o"


@cache
def _by_symbol(mode: str) -> Mapping[str, Chord]:
    return {each.symbol: each for each in every_chord() if each.mode == mode}
