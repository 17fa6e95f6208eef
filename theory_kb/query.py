"""Questions to the knowledge base.

What may follow what and why, which keys are near and how to reach them, how to close. General
facts are stored as TOML; what holds in a concrete key is derived from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory_kb.chords import Chord, chord, spell, vocabulary
from theory_kb.errors import UnknownNameError
from theory_kb.facts import load_facts
from theory_kb.pitch import Key, Pitch, PitchClass

__all__ = [
    "CadenceFormula",
    "Pivot",
    "Progression",
    "RelatedKey",
    "VoiceRange",
    "cadence_formulas",
    "cadence_kinds",
    "cadence_name",
    "cadence_share",
    "grade_table",
    "may_follow",
    "pivots",
    "related_keys",
    "voice_range",
]

GRADES = {"X": 0, "C": 1, "B": 2, "A": 3}
GRADE_WORDS = {"A": "normative", "B": "common", "C": "conditional", "X": "avoided"}


# --- progressions ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progression:
    """What the knowledge base says of one chord after another, inside a key."""

    before: str  # symbols
    after: str
    mode: str
    grade: str  # A normative, B common, C conditional, X avoided
    share: float | None  # per cent of Bach's continuations, where counted
    text: str
    source: str


def _family(each: Chord) -> str:
    """The name under which facts/progressions.toml speaks of a chord."""
    if each.applied_to is not None:
        return f"D/{each.applied_to}"
    stem = each.numeral.removesuffix("7").rstrip("ø")
    return {"vii": "viio", "ii": "iio" if each.quality == "m7b5" else "ii"}.get(stem, stem)


@cache
def may_follow(before: Chord, after: Chord) -> Progression:
    """Whether `after` may follow `before`, with the reason. Both must be of one mode."""
    grade, share, text, source = _judge(before, after)
    words = GRADE_WORDS[grade]
    counted = f" ({share:g}% in Bach)" if share is not None else ""
    sentence = f"{before.symbol} to {after.symbol} is {words}{counted}"
    return Progression(
        before.symbol,
        after.symbol,
        before.mode,
        grade,
        share,
        f"{sentence}: {text}" if text else sentence,
        source,
    )


def _judge(before: Chord, after: Chord) -> tuple[str, float | None, str, str]:
    table = load_facts().progressions
    book, counts = table["sources"]["textbook"], table["sources"]["counts"]
    if before.mode != after.mode:
        return "X", None, "they belong to different modes", book
    duty = table["duties"].get(before.symbol)
    if duty is not None and after.symbol != before.symbol:
        grade = "A" if after.symbol in duty["to"] else "X"
        return grade, None, duty["text"], duty["source"]
    for test, reason in REFUSALS:
        if test(before, after):
            return "X", None, reason, book
    if _family(before) == _family(after):
        return "B", None, "one harmony goes on in another position", book
    if before.applied_to is not None:
        return (*_applied(before, after), book)
    for grade, facts in table[before.mode].get(_family(before), {}).items():
        if _family(after) in facts:
            return grade, float(facts[_family(after)]), "", counts
    return "X", None, "no progression of the style leads there", book


def _applied(before: Chord, after: Chord) -> tuple[str, float | None, str]:
    if after.numeral.removesuffix("7") == before.applied_to and after.inversion < 2:
        return "A", None, f"an applied dominant resolves to its target {before.applied_to}"
    return "X", None, f"an applied dominant must go to its target {before.applied_to}"


def _loses_seventh(before: Chord, after: Chord) -> bool:
    return (
        _family(before) == _family(after) and before.seventh is not None and after.seventh is None
    )


def _second_inversion(before: Chord, after: Chord) -> bool:
    """An ordinary six-four comes only between neighbours of its bass, or over a held bass."""
    plain = after.inversion == 2 and after.seventh is None and not after.cadential
    return plain and not (_bass_step(before, after) and after.numeral in ("V", "I", "i"))


def _bass_step(before: Chord, after: Chord) -> bool:
    return abs(PitchClass(before.bass).letter - PitchClass(after.bass).letter) in (1, 6)


def _root_leading_tone(before: Chord, after: Chord) -> bool:
    return after.quality == "dim" and after.inversion != 1


def _seventh_held_up(before: Chord, after: Chord) -> bool:
    """A chordal seventh must find its note, or a step below it, in the next chord."""
    if before.seventh is None:
        return False
    letters = {PitchClass(member).letter for member in after.members}
    seventh = PitchClass(before.seventh).letter
    return seventh not in letters and (seventh - 1) % 7 not in letters


def _tonic_to_cadential(before: Chord, after: Chord) -> bool:
    return after.cadential and before.function == "D"


def _inverted_seventh_bass(before: Chord, after: Chord) -> bool:
    """The seventh in the bass is prepared or reached by step."""
    return (
        after.inversion == 3
        and not _bass_step(before, after)
        and (PitchClass(before.bass).letter != PitchClass(after.bass).letter)
    )


REFUSALS = (
    (_loses_seventh, "the seventh would be left before it resolves"),
    (_root_leading_tone, "a diminished triad stands in first inversion"),
    (_second_inversion, "an ordinary six-four needs a bass that moves by step"),
    (_seventh_held_up, "the seventh could not fall by step"),
    (_tonic_to_cadential, "a cadential six-four follows a predominant"),
    (_inverted_seventh_bass, "a seventh in the bass is held or reached by step"),
)


@cache
def grade_table() -> NDArray[np.int8]:
    """Grades of all pairs of the vocabulary, (n, n): 0 avoided or of another mode, 1 C, 2 B, 3 A."""
    chords = vocabulary()
    grades = np.zeros((len(chords), len(chords)), np.int8)
    for before in chords:
        for after in chords:
            if before.mode == after.mode:
                grades[before.index, after.index] = GRADES[_judge(before, after)[0]]
    return grades


# --- keys -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pivot:
    """A triad of two keys."""

    before: Chord
    after: Chord
    text: str
    source: str


PIVOT_ORDER = {("S", "S"): 0, ("T", "S"): 1, ("S", "T"): 2, ("T", "T"): 3}


@cache
def pivots(before: Key, after: Key) -> tuple[Pivot, ...]:
    """Triads diatonic in both keys (minor: natural, with V and viio), smoothest first."""
    here = {spell(each, before): each for each in _diatonic(before.mode)}
    found = [
        Pivot(
            here[tones],
            each,
            f"{each_name(tones)} is {here[tones].symbol} of {before} and {each.symbol} of {after}",
            "KP 18",
        )
        for each in _diatonic(after.mode)
        if (tones := spell(each, after)) in here
    ]
    return tuple(
        sorted(
            found,
            key=lambda pivot: (
                PIVOT_ORDER.get((pivot.before.function, pivot.after.function), 4),
                pivot.after.index,
            ),
        )
    )


def each_name(tones: tuple[PitchClass, ...]) -> str:
    """A chord by its tones, such as C-E-G."""
    return "-".join(tone.name for tone in tones)


@cache
def _diatonic(mode: str) -> tuple[Chord, ...]:
    names = {
        "major": ("I", "ii", "iii", "IV", "V", "vi", "viio"),
        "minor": ("i", "iio6", "III", "iv", "v", "V", "VI", "VII", "viio"),
    }
    return tuple(chord(mode, name) for name in names[mode])


@dataclass(frozen=True, slots=True)
class RelatedKey:
    """A key near home."""

    key: Key
    relation: str  # such as dominant, relative
    distance: int  # fifths between the signatures
    share: float  # per cent of the cadences of Bach's chorales
    source: str


RELATIONS = {
    ("major", 0, "major"): "tonic",
    ("major", 1, "major"): "dominant",
    ("major", -1, "major"): "subdominant",
    ("major", 3, "minor"): "relative",
    ("major", 2, "minor"): "supertonic",
    ("major", 4, "minor"): "mediant",
    ("major", 1, "minor"): "minor dominant",
    ("minor", 0, "minor"): "tonic",
    ("minor", -3, "major"): "relative",
    ("minor", 1, "minor"): "minor dominant",
    ("minor", -1, "minor"): "subdominant",
    ("minor", -2, "major"): "subtonic",
    ("minor", -4, "major"): "submediant",
}


@cache
def related_keys(home: Key) -> tuple[RelatedKey, ...]:
    """Keys in which chorales of this home cadence, the most frequent first; home itself is one."""
    found = []
    for relation in load_facts().key_relations["relation"]:
        if relation["home"] != home.mode:
            continue
        for name, share in relation["keys"].items():
            fifths, mode = name.split()
            key = Key(home.tonic.transposed(int(fifths)), mode)
            found.append(
                RelatedKey(
                    key,
                    RELATIONS[home.mode, int(fifths), mode],
                    abs(key.signature - home.signature),
                    float(share),
                    relation["source"],
                )
            )
    return tuple(sorted(found, key=lambda each: -each.share))


# --- cadences -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CadenceFormula:
    """Chords and soprano degrees with which a phrase may close."""

    id: str
    kind: str
    chords: tuple[str, ...]  # symbols, the last one the arrival
    soprano: tuple[tuple[int, ...], ...]  # scale degrees of the last chords
    strength: int
    source: str


def cadence_kinds() -> tuple[str, ...]:
    """Ids of the cadence kinds."""
    return tuple(load_facts().cadences["kinds"])


def cadence_share(kind: str) -> float:
    """Per cent of the phrases of Bach's chorales that close so."""
    return float(_kind(kind)["share"])


def cadence_name(kind: str) -> str:
    """Printed name of a cadence kind."""
    return str(_kind(kind)["name"])


def _kind(kind: str) -> Mapping[str, Any]:
    kinds: Mapping[str, Mapping[str, Any]] = load_facts().cadences["kinds"]
    if kind not in kinds:
        raise UnknownNameError("cadence kind", kind, kinds)
    return kinds[kind]


@cache
def cadence_formulas(kind: str, mode: str) -> tuple[CadenceFormula, ...]:
    """Formulas of a cadence kind in a mode; empty if the kind has none there."""
    strength = _kind(kind)["strength"]
    return tuple(
        CadenceFormula(
            each["id"],
            kind,
            tuple(each[mode]),
            tuple(map(tuple, each["soprano"])),
            strength,
            each["source"],
        )
        for each in load_facts().cadences["formula"]
        if each["kind"] == kind and mode in each
    )


# --- voices ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VoiceRange:
    """How low and high a voice goes."""

    core_low: Pitch
    core_high: Pitch
    extended_low: Pitch
    extended_high: Pitch


@cache
def voice_range(name: str) -> VoiceRange:
    """Range of a voice, such as `alto`. Raises UnknownNameError."""
    voices = load_facts().ranges["voices"]
    if name not in voices:
        raise UnknownNameError("voice", name, voices)
    texts = (*voices[name]["core"], *voices[name]["extended"])
    return VoiceRange(*(Pitch.parse(text) for text in texts))
