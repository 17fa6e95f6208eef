"""Every Roman numeral that is known, beside the vocabulary that the composer chooses from.

`theory_kb.chords.vocabulary` keeps its order and size, since trained weights count on them; what is
only read, judged or asked about stands here. A numeral has no inversion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from theory_kb.chords import MODES, Chord, every_chord, read_chord
from theory_kb.errors import FactError
from theory_kb.facts import load_facts

__all__ = ["Numeral", "numeral_names", "numerals", "read_symbol", "symbol_aliases"]

FILE = "numerals_more.toml"


@dataclass(frozen=True, slots=True)
class Numeral:
    """A Roman numeral of a mode, relative to the tonic."""

    mode: str
    symbol: str
    members: tuple[int, ...]  # fifths above the tonic, from the root
    quality: str
    function: str
    origin: str
    applied_to: str | None
    aliases: tuple[str, ...]  # how books also write it
    source: str

    @property
    def name(self) -> str:
        """Mode and symbol, such as `major V7`."""
        return f"{self.mode} {self.symbol}"


@cache
def numerals() -> tuple[Numeral, ...]:
    """All numerals: those of the chords that are read, then the further ones, each once."""
    found: dict[str, Numeral] = {}
    for each in every_chord():
        found.setdefault(f"{each.mode} {each.numeral}", _of_chord(each))
    for numeral in _more():
        found.setdefault(numeral.name, numeral)
    return tuple(found.values())


@cache
def numeral_names() -> Mapping[str, Numeral]:
    """Numerals by mode and symbol."""
    return {numeral.name: numeral for numeral in numerals()}


def read_symbol(mode: str, text: str) -> Chord:
    """A chord that is known, by its symbol or an alias such as `Ger6`; raises UnknownNameError."""
    return read_chord(mode, _table()["aliases"].get(text, text))


def symbol_aliases() -> Mapping[str, str]:
    """How books also write symbols: alias to the symbol that is used here."""
    aliases: Mapping[str, str] = _table()["aliases"]
    return aliases


@cache
def _table() -> Mapping[str, Any]:
    from importlib import resources
    from tomllib import loads

    text = (resources.files("theory_kb") / "facts" / FILE).read_text(encoding="utf-8")
    table = loads(text)
    facts = load_facts()
    qualities = {**facts.qualities["qualities"], **facts.qualities["extended"]}
    for mode in MODES:
        for name, fact in table[mode].items():
            _check(f"{mode}.{name}", fact, qualities, facts.sources["sources"])
    return table


def _check(
    place: str, fact: Mapping[str, Any], qualities: Mapping[str, Any], sources: Mapping[str, Any]
) -> None:
    fields = {"root", "quality", "function", "origin", "source"}
    if not fields <= set(fact) <= fields | {"alias"}:
        raise FactError(FILE, place, f"needs {', '.join(sorted(fields))}, may have alias")
    if fact["quality"] not in qualities:
        raise FactError(FILE, place, f"{fact['quality']!r} is no quality")
    if fact["source"].split()[0] not in sources:
        raise FactError(FILE, place, f"source {fact['source']!r} is not in sources.toml")


def _of_chord(each: Chord) -> Numeral:
    return Numeral(
        each.mode,
        each.numeral,
        each.members,
        each.quality,
        each.function,
        each.origin,
        each.applied_to,
        _aliases(each.numeral),
        each.source,
    )


def _aliases(symbol: str) -> tuple[str, ...]:
    return tuple(alias for alias, name in _table()["aliases"].items() if name == symbol)


def _members(root: int, quality: str) -> tuple[int, ...]:
    qualities = load_facts().qualities
    offsets = {**qualities["extended"], **qualities["qualities"]}[quality]["members"]
    return tuple(root + offset for offset in offsets)


def _more() -> Iterator[Numeral]:
    for mode in MODES:
        for symbol, fact in _table()[mode].items():
            yield Numeral(
                mode,
                symbol,
                _members(fact["root"], fact["quality"]),
                fact["quality"],
                fact["function"],
                fact["origin"],
                None,
                tuple(fact.get("alias", ())),
                fact["source"],
            )
        yield from _predominants(mode)


def _predominants(mode: str) -> Iterator[Numeral]:
    """The subdominant and the supertonic seventh of each chord that can be tonicised."""
    table = _table()["applied"]
    for target, place in load_facts().numerals["applied"][mode]["targets"].items():
        for stem, (root, quality) in table["minor" if target.islower() else "major"].items():
            yield Numeral(
                mode,
                f"{stem}/{target}",
                _members(place + root, quality),
                quality,
                "S",
                "applied",
                target,
                (),
                table["source"],
            )
