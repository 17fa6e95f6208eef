"""What a search of one fabric knows before it begins: chords as options, and what they lead to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from musegen.plan.plan import Harmony
from musegen.weaving.fabric import PARTS, Fabric
from musegen.weaving.hypotheses import Beam, Floats
from musegen.weaving.options import Option, follow_costs, options_of
from theory_kb.metre import beat_strength
from theory_kb.moment import TICKS

__all__ = ["PART_TICKS", "Setting"]

PART_TICKS = TICKS // PARTS


class Setting:
    """A fabric with its options.

    Attributes:
        fabric: what is asked for.
        voices: how many.
        options: every chord with each of its scales.
        places: the options of each chord.
        heard: (options,) number of the chord of each.
        classes: (options, 12) whether a pitch class belongs to the chord.
        ahead: for each beat what its chords cost and lead to.
    """

    def __init__(self, fabric: Fabric) -> None:
        """Work out the options."""
        self.fabric = fabric
        self.voices = len(fabric.voices)
        self.options: list[Option] = []
        self.places: dict[Harmony, list[int]] = {}
        for harmony in dict.fromkeys(each for beat in fabric.harmonies for each in beat):
            found = options_of(harmony)
            self.places[harmony] = list(range(len(self.options), len(self.options) + len(found)))
            self.options += found
        self.ahead = _look_ahead(fabric)
        self.classes = np.zeros((len(self.options), 12), bool)
        for place, option in enumerate(self.options):
            self.classes[place, list(option.classes)] = True
        names = {harmony: number for number, harmony in enumerate(self.places)}
        self.heard = np.array([names[option.harmony] for option in self.options])

    def chords(self, beam: Beam, row: int, beat: int) -> list[tuple[int, float]]:
        """Options of a beat with their cost after a hypothesis, counted to the end of the piece."""
        after = self.fabric.harmonies[beat]
        least = self.ahead[beat].least
        price = least.copy()
        if beat:
            before = self.options[int(beam.options[row, -1])].harmony
            came = self.fabric.harmonies[beat - 1].index(before)
            price += self.ahead[beat].follow[came] - self.ahead[beat - 1].least[came]
        return [
            (place, float(price[column]))
            for column, each in enumerate(after)
            if np.isfinite(price[column])
            for place in self.places[each]
        ]

    def strength(self, beat: int, part: int) -> int:
        """Strength of a place, 4 = downbeat."""
        place = beat % self.fabric.per_bar
        return beat_strength(*self.fabric.metre, place * TICKS + part * PART_TICKS)


@dataclass(frozen=True, slots=True, eq=False)
class _Ahead:
    """The chords of a beat as seen from both sides."""

    follow: Floats  # (chords of the beat before, chords of this one) nats
    least: (
        Floats  # (chords,) what chords alone cost from here to the end; inf where none leads there
    )


def _look_ahead(fabric: Fabric) -> list[_Ahead]:
    """For each beat what its chords cost, and what they lead to: no chord is a dead end."""
    known: dict[tuple[tuple[Harmony, ...], tuple[Harmony, ...], int], Floats] = {}
    follow: list[Floats] = [np.zeros((1, len(fabric.harmonies[0])))]
    for beat in range(1, fabric.beats):
        before, after = fabric.harmonies[beat - 1], fabric.harmonies[beat]
        if beat in fabric.breaks:
            follow.append(np.zeros((len(before), len(after))))
            continue
        place = (beat % fabric.per_bar) * TICKS
        key = (before, after, beat_strength(*fabric.metre, place))
        if key not in known:
            known[key] = follow_costs(before, after, strength=key[2])
        follow.append(known[key])
    least = [np.zeros(len(fabric.harmonies[-1]))]
    for table in reversed(follow[1:]):
        least.append((table + least[-1]).min(axis=1))
    return [_Ahead(*pair) for pair in zip(follow, reversed(least), strict=True)]
