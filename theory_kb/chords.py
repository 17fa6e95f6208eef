"""Roman numerals as recipes: the vocabulary of chords of a key, in every key at once.

A chord is stored relative to the local tonic, as places on the line of fifths; `spell` gives its
pitch classes in a concrete key. Source of the recipes: facts/numerals.toml and qualities.toml.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from theory_kb.errors import UnknownNameError
from theory_kb.facts import load_facts
from theory_kb.moment import NON_CHORD, NONE, REST, Moments
from theory_kb.pitch import LETTER_FIFTHS, LETTER_SEMITONES, Key, PitchClass

__all__ = [
    "FUNCTION_CODES",
    "QUALITIES",
    "Chord",
    "chord",
    "every_chord",
    "figures",
    "read_chord",
    "set_harmony",
    "set_members",
    "spell",
    "vocabulary",
]

FUNCTION_CODES: Mapping[str, int] = {"T": 0, "S": 1, "D": 2, "X": 3}
MODES = ("major", "minor")
TRIAD_FIGURES = ("", "6", "64")
SEVENTH_FIGURES = ("7", "65", "43", "42")
MEMBER_FIELDS = ("root", "third", "fifth", "seventh")  # of a moment, in the order of members
LEADING = 5  # fifths from a tonic up to its leading tone


QUALITIES: tuple[str, ...] = (
    "maj",
    "min",
    "dim",
    "aug",
    "7",
    "maj7",
    "min7",
    "m7b5",
    "dim7",
    "minmaj7",
    "augmaj7",
    "7b5",
    "italian",
    "german",
    "swiss",
)


@dataclass(frozen=True, slots=True)
class Chord:
    """A Roman numeral in an inversion, relative to the local tonic."""

    index: int  # place in `vocabulary()`
    mode: str  # of the local key: major or minor
    symbol: str  # with figures: V65, viio6, cad64, V7/V
    numeral: str  # without inversion: V7, viio, V7/V
    inversion: int  # member in the bass: 0 root, 1 third, 2 fifth, 3 seventh
    members: tuple[int, ...]  # fifths above the local tonic: root, third, fifth[, seventh]
    quality: str  # id of a chord quality
    function: str  # T, S, D or X
    origin: str  # diatonic, minor-form, mixture, applied, neapolitan, cadential
    use: str  # common, occasional, rare
    leading: int | None  # fifths above the tonic of the leading tone that it holds, if it does
    target: int | None  # where that leads: the tonic, or the root of the applied target
    applied_to: str | None  # numeral of the target of an applied chord
    source: str

    @property
    def root(self) -> int:
        """Fifths above the tonic."""
        return self.members[0]

    @property
    def seventh(self) -> int | None:
        """Fifths above the tonic of the seventh, if there is one."""
        return self.members[3] if len(self.members) > 3 else None

    @property
    def bass(self) -> int:
        """Fifths above the tonic of the lowest note."""
        return self.members[self.inversion]

    @property
    def cadential(self) -> bool:
        """Whether this is the cadential six-four."""
        return self.origin == "cadential"


@cache
def vocabulary() -> tuple[Chord, ...]:
    """All chords, major first, in a stable order."""
    found: list[Chord] = []
    for mode in MODES:
        for record in (*_plain(mode), *_applied(mode)):
            for inversion in record["inversions"]:
                found.append(_chord(len(found), mode, record, inversion))
    return tuple(found)


@cache
def every_chord() -> tuple[Chord, ...]:
    """The vocabulary, and after it the chords that are read and judged but not composed with."""
    found = list(vocabulary())
    for mode in MODES:
        for record in (*_further(mode), *_applied_further(mode)):
            for inversion in record["inversions"]:
                found.append(_chord(len(found), mode, record, inversion))
    return tuple(found)


def _members(root: int, quality: str) -> tuple[int, ...]:
    offsets = load_facts().qualities["qualities"][quality]["members"]
    return tuple(root + offset for offset in offsets)


def _plain(mode: str) -> Iterator[dict[str, Any]]:
    yield from _records(load_facts().numerals[mode])


def _further(mode: str) -> Iterator[dict[str, Any]]:
    yield from _records(load_facts().numerals["further"][mode])


def _records(facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for numeral, fact in facts.items():
        members = _members(fact["root"], fact["quality"])
        holds = fact["function"] == "D" and LEADING in members
        yield {
            "origin": "diatonic",
            "inversions": range(len(members)),
            "seldom": (2,),
            **fact,
            "numeral": numeral,
            "members": members,
            "leading": LEADING if holds else None,
            "target": 0 if holds else None,
            "applied_to": None,
        }


APPLIED = (
    ("V", 1, "maj"),
    ("V7", 1, "7"),
    ("viio", 5, "dim"),
    ("viio7", 5, "dim7"),
    ("viiø7", 5, "m7b5"),
)


def _applied(mode: str) -> Iterator[dict[str, Any]]:
    for record in _applied_records(load_facts().numerals["applied"][mode]):
        yield {**record, "inversions": (1,)} if record["quality"] == "dim" else record


def _applied_further(mode: str) -> Iterator[dict[str, Any]]:
    """Applied diminished triads in the other positions, and the dominants of further targets."""
    for record in _applied_records(load_facts().numerals["applied"][mode]):
        if record["quality"] == "dim":
            yield {**record, "inversions": (0, 2)}
    yield from _applied_records(load_facts().numerals["further"]["applied"][mode])


def _applied_records(facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for target, place in facts["targets"].items():
        for stem, root, quality in APPLIED:
            if stem == "viiø7" and target[0].islower():
                continue
            members = _members(place + root, quality)
            use = facts["use"][target] if stem in ("V", "V7") else "rare"
            yield {
                "numeral": f"{stem}/{target}",
                "members": members,
                "quality": quality,
                "function": "D",
                "origin": "applied",
                "use": use,
                "source": facts["source"],
                "inversions": range(len(members)),
                "seldom": (2,),
                "leading": place + LEADING,
                "target": place,
                "applied_to": target,
            }


def _chord(index: int, mode: str, record: Mapping[str, Any], inversion: int) -> Chord:
    members: tuple[int, ...] = record["members"]
    use = "rare" if inversion in record["seldom"] else record["use"]
    symbol = _symbol(record["numeral"], len(members), inversion)
    return Chord(
        index,
        mode,
        symbol,
        record["numeral"],
        inversion,
        members,
        record["quality"],
        record["function"],
        record["origin"],
        use,
        record["leading"],
        record["target"],
        record["applied_to"],
        record["source"],
    )


def _symbol(numeral: str, size: int, inversion: int) -> str:
    stem, slash, target = numeral.partition("/")
    if stem == "cad64":
        return numeral
    if size > 3:
        stem = stem.removesuffix("7") + SEVENTH_FIGURES[inversion]
    else:
        stem += TRIAD_FIGURES[inversion]
    return stem + slash + target


@cache
def _by_symbol(mode: str, *, every: bool = False) -> Mapping[str, Chord]:
    chords = every_chord() if every else vocabulary()
    return {each.symbol: each for each in chords if each.mode == mode}


SPELLINGS = str.maketrans({"°": "o", "0": "o"})


def chord(mode: str, symbol: str) -> Chord:
    """A chord of the vocabulary by mode and symbol; raises UnknownNameError."""
    return _named(mode, symbol, _by_symbol(mode))


def read_chord(mode: str, symbol: str) -> Chord:
    """Any chord that is known, by mode and symbol; raises UnknownNameError."""
    return _named(mode, symbol, _by_symbol(mode, every=True))


def _named(mode: str, symbol: str, table: Mapping[str, Chord]) -> Chord:
    found = table.get(symbol) or table.get(symbol.translate(SPELLINGS))
    if found is None:
        raise UnknownNameError(f"chord of a {mode} key", symbol, table)
    return found


def figures(chord: Chord) -> str:
    """Figured-bass figures of an inversion: "", 6, 64, 7, 65, 43 or 42."""
    table = SEVENTH_FIGURES if chord.seventh is not None else TRIAD_FIGURES
    return table[chord.inversion]


def spell(chord: Chord, key: Key) -> tuple[PitchClass, ...]:
    """The pitch classes of a chord in a key: root, third, fifth[, seventh]."""
    return tuple(key.tonic.transposed(member) for member in chord.members)


def set_harmony(moments: Moments, chord: Chord, key: Key) -> None:
    """Write a chord of a key into moments, in place: harmony fields, degree and member of voices."""
    tonic = key.tonic.fifths
    values = {
        "tonic": tonic,
        "mode": MODES.index(key.mode),
        "root": chord.members[0],
        "third": chord.members[1],
        "fifth": chord.members[2],
        "seventh": NONE if chord.seventh is None else chord.seventh,
        "leading": NONE if chord.leading is None else chord.leading,
        "target": NONE if chord.target is None else chord.target,
        "function": FUNCTION_CODES[chord.function],
        "quality": QUALITIES.index(chord.quality),
        "inversion": chord.inversion,
        "chord": chord.index,
        "cadential": chord.cadential,
    }
    for name, value in values.items():
        moments[name] = value
    set_members(moments)


def set_members(moments: Moments) -> None:
    """Write degree and member of each voice by the chord that its moment has, in place."""
    sounding = moments["semitone"] != REST
    degree = np.where(sounding, line_of_fifths(moments) - moments["tonic"][:, np.newaxis], NONE)
    member = np.full(degree.shape, NON_CHORD, np.int8)
    for place, name in enumerate(MEMBER_FIELDS):
        member[sounding & (degree == moments[name][:, np.newaxis])] = place
    moments["degree"] = degree
    moments["member"] = member


def line_of_fifths(moments: Moments) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Place on the line of fifths of each voice (meaningless where it rests)."""
    step = moments["step"].astype(np.int64)
    letter = step % 7
    natural = 12 * (step // 7 + 1) + np.array(LETTER_SEMITONES)[letter]
    alteration = moments["semitone"].astype(np.int64) - natural
    found: np.ndarray[Any, np.dtype[np.int64]] = np.array(LETTER_FIFTHS)[letter] + 7 * alteration
    return found
