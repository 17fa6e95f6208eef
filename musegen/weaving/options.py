"""Chords of a beat as a line sees them: which semitone stands on which staff step, what may follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from musegen.plan.chord_row import progression_costs
from musegen.plan.plan import Harmony
from theory_kb.chords import spell
from theory_kb.pitch import LETTER_SEMITONES, Key, PitchClass, ScaleDegree

__all__ = ["STEPS", "Option", "follow_costs", "options_of"]

STEPS = 80  # staff steps that a table covers
STAY = (0.0, 0.0, 0.1, 0.6, 3.0)  # nats for the same chord, by strength of the beat
CHANGE = (9.9, 2.5, 1.0, 0.3, 0.0)  # nats for another chord, by strength of the beat
HELD = 1.5  # nats for another position of the same chord
INVERTED = (0.0, 0.3, 1.5, 0.9)  # nats by inversion
ABRUPT = 9.0  # nats at most for a change of key
SEVENTH = 0.5  # nats for a seventh


@dataclass(frozen=True, slots=True, eq=False)
class Option:
    """A chord with the scale that its lines move in."""

    harmony: Harmony
    semitones: NDArray[np.int16]  # (STEPS,)
    members: frozenset[int]  # staff steps within the octave
    classes: frozenset[int]  # semitones within the octave of its members
    bass: int  # staff step within the octave


@cache
def options_of(harmony: Harmony) -> tuple[Option, ...]:
    """A chord with each scale that goes with it: in minor the sixth and seventh degree vary."""
    members = spell(harmony.chord, harmony.key)
    letters = {each.letter: each for each in members}
    found = []
    for scale in _scales(harmony.key, letters):
        chosen = {each.letter: each for each in scale} | letters
        table = np.array([_semitone(chosen[step % 7], step) for step in range(STEPS)], np.int16)
        bass = members[harmony.chord.inversion].letter
        classes = frozenset(each.semitone for each in members)
        found.append(Option(harmony, table, frozenset(letters), classes, bass))
    return tuple(found)


def _scales(key: Key, members: dict[int, PitchClass]) -> list[list[PitchClass]]:
    natural = [key.degree(ScaleDegree(number)) for number in range(1, 8)]
    if key.mode == "major":
        return [natural]
    sixth, seventh = (key.degree(ScaleDegree(number, 1)) for number in (6, 7))
    risen = [*natural[:5], sixth, seventh]
    leads = members.get(seventh.letter) == seventh
    falls = any(members.get(each.letter) == each for each in natural[5:])
    if leads:
        return [risen, [*natural[:6], seventh]]
    return [natural] if falls else [natural, risen]


def _semitone(pitch: PitchClass, step: int) -> int:
    return 12 * (step // 7 + 1) + LETTER_SEMITONES[pitch.letter] + pitch.alteration


def follow_costs(
    before: Sequence[Harmony], after: Sequence[Harmony], *, strength: int
) -> NDArray[np.float64]:
    """What going from chord to chord costs (A, B), in nats; inf where it is out.

    Args:
        before: chords of a beat.
        after: chords of the next.
        strength: of that beat.
    """
    settled = len(before) == len(after) == 1
    price = progression_costs(before, after, held=HELD, settled=settled)
    taste = np.array([0.0 if settled else _taste(each) for each in after])
    for row, first in enumerate(before):
        for column, second in enumerate(after):
            same = first == second
            price[row, column] += CHANGE[strength] + taste[column] if not same else 0.0
            if same:
                price[row, column] = STAY[strength]
            elif first.key != second.key:
                price[row, column] = min(price[row, column], ABRUPT)
    return price


def _taste(harmony: Harmony) -> float:
    chord = harmony.chord
    return INVERTED[chord.inversion] + SEVENTH * (chord.seventh is not None)
