"""Labels of chords as people write them: Roman numerals and T S D are two views of one chord.

Digits of a figure may come in any order (`V65`, `D56`, `V6/5`), accidentals and the signs of
diminished chords in any usual spelling, the cadential six-four by any of its names. A label is
read into the chord that it means, Roman numerals by `theory_kb.roman`; a chord is written in either
view. Sources: Kostka and Payne (2018), ch. 6; Sposobin et al., Harmony (Chinese edition), as in
facts/functional_labels.toml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from tomllib import loads
from typing import Literal

from theory_kb.chords import Chord, every_chord, read_chord
from theory_kb.errors import UnknownNameError
from theory_kb.roman import FIGURES, find_roman, plain_label

__all__ = [
    "View",
    "find_label",
    "functional_label",
    "label",
    "read_label",
    "read_view",
    "roman_label",
]

View = Literal["roman", "functional"]
CADENTIAL = re.compile(r"k(?:64|46)?", re.IGNORECASE)  # by its functional names


@dataclass(frozen=True, slots=True)
class _Functional:
    """The tables of functional labels."""

    stems: Mapping[str, Mapping[str, str]]  # by mode: numeral without figures to label
    fixed: Mapping[str, str]
    aliases: Mapping[str, str]


@cache
def _tables() -> _Functional:
    text = (resources.files("theory_kb") / "facts" / "functional_labels.toml").read_text("utf-8")
    table = loads(text)
    return _Functional(
        {mode: table[mode] for mode in ("major", "minor")}, table["fixed"], table["aliases"]
    )


# --- writing --------------------------------------------------------------------------------


def label(chord: Chord, view: View) -> str:
    """A chord in one of the views."""
    return roman_label(chord) if view == "roman" else functional_label(chord)


def roman_label(chord: Chord) -> str:
    """A Roman numeral as most books print it: `I64` of a cadence stays `cad64`."""
    return chord.symbol


def functional_label(chord: Chord) -> str:
    """The label of T S D: `D56`, `K46`, `DD7`, `D7/SII`, `sII6`; KeyError where the school has none."""
    tables = _tables()
    if chord.cadential:
        return tables.fixed["cad64"]
    stem, _, target = chord.numeral.partition("/")
    digits = _rising(chord)
    if target and target != "V":
        return f"{_stem(stem, 'major')}{digits}/{_target(target, chord.mode)}"
    name = f"{stem.rstrip('7').replace('ø', 'o')}/V" if target else stem
    fixed = tables.fixed.get(name) or tables.fixed.get(stem.rstrip("7"))
    return (fixed or _stem(stem, chord.mode)) + digits


def _rising(chord: Chord) -> str:
    """Figures of an inversion with the digits rising."""
    if len(chord.members) > 3:
        return ("7", "56", "34", "2")[chord.inversion]
    return ("", "6", "46")[chord.inversion]


def _stem(stem: str, mode: str) -> str:
    table = _tables().stems[mode]
    whole = table.get(stem)
    if whole is not None:
        return whole.rstrip("7")
    return table[stem.rstrip("7").replace("ø", "o")]


def _target(target: str, mode: str) -> str:
    return _tables().stems[mode][target]


@cache
def _by_functional(mode: str) -> Mapping[str, Chord]:
    """Chords of a mode by their functional label; where two share one, the commoner stays."""
    found: dict[str, Chord] = {}
    for each in every_chord():
        if each.mode == mode:
            for name in _functional_names(each):
                found.setdefault(name, each)
    return found


def _functional_names(chord: Chord) -> Iterator[str]:
    try:
        yield functional_label(chord)
    except KeyError:  # chords that the school has no label of its own for
        return


# --- reading --------------------------------------------------------------------------------


def find_label(mode: str, text: str) -> Chord | None:
    """The chord that a label means in a mode, written in either view; None if it is no label."""
    plain = plain_label(text)
    return find_roman(mode, plain) or _find_functional(mode, plain)


def read_label(mode: str, text: str) -> Chord:
    """The chord that a label means in a mode, written in either view.

    Raises:
        UnknownNameError: it is no label of a chord that is known.
    """
    found = find_label(mode, text)
    if found is None:
        names = [each.symbol for each in every_chord() if each.mode == mode]
        raise UnknownNameError(f"chord of a {mode} key", text, names)
    return found


def read_view(mode: str, text: str, view: View) -> Chord:
    """The chord that a label means, written in one view and no other; raises UnknownNameError."""
    find = find_roman if view == "roman" else _find_functional
    found = find(mode, plain_label(text))
    if found is None:
        raise UnknownNameError(f"{view} label of a {mode} key", text, ())
    return found


FUNCTIONAL = re.compile(
    r"(?P<open>\()?(?P<stem>[b#]?\d?[A-Za-z]+)(?P<figures>\d*)(?(open)\))"
    r"(?:(?:/|->|→)(?P<target>[A-Za-z]+))?"
)


def _find_functional(mode: str, text: str) -> Chord | None:
    if CADENTIAL.fullmatch(text):
        return read_chord(mode, "cad64")
    match = FUNCTIONAL.fullmatch(text)
    if match is None:
        return None
    figures = FIGURES.get("".join(sorted(match["figures"])))
    if figures is None:
        return None
    stem = _tables().aliases.get(match["stem"], match["stem"])
    digits = "2" if figures == "42" else "".join(sorted(figures))
    name = stem + digits + (f"/{match['target']}" if match["target"] else "")
    table = _by_functional(mode)
    if name in table:
        return table[name]
    folded = [each for key, each in table.items() if key.casefold() == name.casefold()]
    return folded[0] if folded else None
