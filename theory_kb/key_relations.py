"""Keys that are near one another, and the chords that lead between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from theory_kb.chords import Chord, chord, spell
from theory_kb.facts import load_facts
from theory_kb.pitch import Key, PitchClass

__all__ = [
    "Pivot",
    "RelatedKey",
    "common_triads",
    "pivots",
    "related_keys",
]


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


def common_triads(one: Key, other: Key) -> int:
    """How many consonant triads two keys share."""
    return sum(pivot.before.quality in ("maj", "min") for pivot in pivots(one, other))


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
