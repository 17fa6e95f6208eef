"""Short phrases in four parts for exercises: chords by the grammar of the graph, voices by search.

A phrase is a walk through the chords that may follow one another (`theory_kb.query`), ended by a
cadence formula, and set in four parts by the task that realises chords, under the rules of a style:
what a student is shown breaks none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from musegen.errors import DeadEndError, InfeasibleError
from musegen.exercises.item import Given
from musegen.exercises.kinds import DiscardError
from musegen.io.musicxml import write_musicxml
from musegen.score import Score
from musegen.tasks.realise import realise
from musegen.tasks.writing import Options
from theory_kb.cadences import cadence_formulas
from theory_kb.chords import Chord, chord, spell, vocabulary
from theory_kb.key_relations import pivots
from theory_kb.pitch import Key
from theory_kb.query import may_follow

__all__ = ["Phrase", "draw_modulation", "draw_phrase", "set_chords", "walk_to"]

STYLE = "bach"
MODELS = ("rbm",)  # sonorities as Bach's: without it the rules alone leave leaping voices
GRADES = ("A", "B")  # of successions that a shown phrase may use
OPENINGS = {"major": ("I",), "minor": ("i",)}


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase in four parts."""

    key: Key  # that it begins in
    chords: tuple[Chord, ...]
    keys: tuple[Key, ...]  # of each chord
    score: Score

    @property
    def symbols(self) -> tuple[str, ...]:
        """Roman numerals with figures."""
        return tuple(each.symbol for each in self.chords)

    def symbols_in(self, key: Key) -> tuple[str, ...]:
        """Labels in one key; those of chords that it has not stay as they are."""
        found = []
        for each, own in zip(self.chords, self.keys, strict=True):
            tones = {tone.fifths for tone in spell(each, own)}
            bass = own.tonic.fifths + each.bass
            ways = [
                other.symbol
                for other in vocabulary()
                if other.mode == key.mode
                and {tone.fifths for tone in spell(other, key)} == tones
                and key.tonic.fifths + other.bass == bass
                and other.cadential == each.cadential
            ]
            found.append(ways[0] if ways and own != key else each.symbol)
        return tuple(found)

    def given(self, text: str) -> Given:
        """The phrase without its labels."""
        bare = replace(self.score, chords=(), figures=(), cadences=(), title="", subtitle="")
        names = tuple(
            f"p{part}n{number}"
            for part, line in enumerate(bare.parts)
            for number in range(len(line.notes))
        )
        return Given(text, write_musicxml(bare).decode(), names)

    def notes_text(self) -> str:
        """Voices as rows of names."""
        rows = zip("SATB", self.score.parts, strict=True)
        return " | ".join(
            f"{name}: {' '.join(note.pitch.name for note in part.notes)}" for name, part in rows
        )


def set_chords(
    rows: Sequence[tuple[Key, Sequence[str]]], *, seed: int, figures: bool = False
) -> Score:
    """Chords of one key after another, set in four parts, a chord a beat, the last two beats long.

    Raises:
        DiscardError: the rules leave no setting.
    """
    text = " | ".join(f"{key}: {' '.join(symbols)}" for key, symbols in rows)
    options = Options(models=MODELS, temperature=0, seed=seed, style=STYLE, figures=figures)
    try:
        (draft,) = realise(f"{text}*2", options)
    except (InfeasibleError, DeadEndError):
        raise DiscardError("chords without a setting") from None
    return draft.score


@cache
def _successors(mode: str, symbol: str, pool: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    """Chords of a pool that may follow, with the share of times that they do."""
    here = chord(mode, symbol)
    found = []
    for other in pool:
        verdict = may_follow(here, chord(mode, other))
        if other != symbol and verdict.grade in GRADES:
            found.append((other, max(verdict.share or 0.0, 1.0)))
    return tuple(found)


def _after(key: Key, through: Sequence[str], end: Sequence[str]) -> tuple[str, ...]:
    """The ending, without a first chord that stands already or that cannot follow."""
    if not through:
        return tuple(end)
    rest = tuple(end[1:] if end[0] == through[-1] else end)
    while rest and not _leads(key.mode, through[-1], rest[0]):
        rest = rest[1:]
    return rest


def walk_to(
    key: Key, end: Sequence[str], pool: Sequence[str], count: int, rng: np.random.Generator
) -> tuple[str, ...]:
    """So many chords from the tonic to an ending; raises DiscardError where there is no way."""
    chosen = [OPENINGS[key.mode][0]]
    middle = tuple(pool)
    count = max(count, len(end) + 1)
    while len(chosen) < count - len(end):
        ways = _successors(key.mode, chosen[-1], middle)
        last = len(chosen) == count - len(end) - 1
        if last:
            ways = tuple(way for way in ways if _leads(key.mode, way[0], end[0]))
        if not ways:
            raise DiscardError("a walk without a way on")
        weights = np.array([weight for _, weight in ways]) ** 0.5
        chosen.append(ways[int(rng.choice(len(ways), p=weights / weights.sum()))][0])
    if len(chosen) == count - len(end) and not _leads(key.mode, chosen[-1], end[0]):
        raise DiscardError("an opening that does not lead to the cadence")
    return (*chosen, *end)


def _leads(mode: str, here: str, there: str) -> bool:
    return here != there and may_follow(chord(mode, here), chord(mode, there)).grade in GRADES


def draw_phrase(
    key: Key,
    pool: Sequence[str],
    count: int,
    rng: np.random.Generator,
    *,
    cadences: Sequence[str] = ("cad-pac",),
    figures: bool = False,
    through: Sequence[str] = (),
) -> Phrase:
    """A phrase in one key.

    Args:
        key: the key.
        pool: symbols that may stand before the cadence.
        count: chords in all.
        rng: draws.
        cadences: kinds it may close with.
        figures: whether the surface is decorated.
        through: symbols that come one after another before the cadence.

    Raises:
        DiscardError: no walk, or no setting.
    """
    formulas = [
        each
        for kind in dict.fromkeys(cadences)
        for each in cadence_formulas(kind, key.mode)
        if all(one in pool or one in CADENTIAL for one in each.chords)
        and len(_after(key, through, each.chords)) >= CLOSING
    ]
    if not formulas:
        raise DiscardError("no formula of the cadence within the chords of the level")
    formula = formulas[int(rng.integers(len(formulas)))]
    end = formula.chords
    for _ in range(TRIES):
        try:
            symbols = walk_to(key, (*through, *_after(key, through, end)), pool, count, rng)
        except DiscardError:
            continue
        break
    else:
        raise DiscardError("no walk to the cadence")
    score = set_chords([(key, symbols)], seed=int(rng.integers(1 << 30)), figures=figures)
    chords = tuple(chord(key.mode, symbol) for symbol in symbols)
    return Phrase(key, chords, (key,) * len(chords), score)


TRIES = 24
CLOSING = 2  # chords of a cadence, at least
CADENTIAL = ("V", "V7", "I", "i", "vi", "VI")


# --- modulation -----------------------------------------------------------------------------

AFTER_PIVOT = {  # what leads from the pivot to the cadence of the new key
    "major": (
        ("V65", "I", "ii6", "V7", "I"),
        ("ii6", "V7", "I"),
        ("V7", "I"),
        ("cad64", "V7", "I"),
    ),
    "minor": (
        ("V65", "i", "iio6", "V7", "i"),
        ("iio6", "V7", "i"),
        ("V7", "i"),
        ("cad64", "V7", "i"),
    ),
}
PIVOT_POOL = {
    "major": ("I", "I6", "ii6", "IV", "V6", "vi", "V"),
    "minor": ("i", "i6", "iio6", "iv", "V6", "VI", "V"),
}
STABLE = ("maj", "min")  # qualities of chords that carry a modulation


def draw_modulation(
    key: Key, target: Key, count: int, rng: np.random.Generator
) -> tuple[Phrase, int]:
    """A phrase that begins in a key and closes in another, and the place of its pivot.

    Args:
        key: that it begins in.
        target: that it closes in.
        count: chords up to the pivot.
        rng: draws.

    Raises:
        DiscardError: no pivot leads there, or no setting.
    """
    ways = [
        (pivot, end)
        for pivot in pivots(key, target)
        if pivot.before.quality in STABLE
        for end in AFTER_PIVOT[target.mode]
        if _leads(target.mode, pivot.after.symbol, end[0])
    ]
    for place in rng.permutation(len(ways)):
        pivot, end = ways[int(place)]
        try:
            opening = walk_to(key, (pivot.before.symbol,), PIVOT_POOL[key.mode], count, rng)
            rows = [(key, opening), (target, end)]
            score = set_chords(rows, seed=int(rng.integers(1 << 30)))
        except DiscardError:
            continue
        chords = [chord(key.mode, symbol) for symbol in opening]
        chords += [chord(target.mode, symbol) for symbol in end]
        keys = (key,) * len(opening) + (target,) * len(end)
        return Phrase(key, tuple(chords), keys, score), len(opening) - 1
    raise DiscardError("no pivot that leads to the other key")
