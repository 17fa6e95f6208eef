"""What a search of one fabric knows before it begins: chords as options, and what they lead to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musegen.plan.plan import Harmony
from musegen.weaving.fabric import PARTS, Fabric
from musegen.weaving.hypotheses import Beam, Floats, Ways
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
        members: (options, 7) whether a staff step within the octave does.
        scales: (options, STEPS) which semitone stands on a staff step.
        basses: (options,) staff step within the octave.
        ahead: for each beat what its chords cost and lead to.
        open: for each beat the options that it may have.
        column_of: for each beat the place (options,) of the chord of each among its chords, or -1.
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
        self.members = np.zeros((len(self.options), 7), bool)
        for place, option in enumerate(self.options):
            self.classes[place, list(option.classes)] = True
            self.members[place, list(option.members)] = True
        self.scales = np.stack([option.semitones for option in self.options])
        self.basses = np.array([option.bass for option in self.options])
        names = {harmony: number for number, harmony in enumerate(self.places)}
        self.heard = np.array([names[option.harmony] for option in self.options])
        self.open = [self._open(each) for each in fabric.harmonies]
        self.column_of = [np.full(len(self.options), -1) for _ in self.open]
        for column, each in zip(self.column_of, self.open, strict=True):
            column[each.options] = each.columns

    def _open(self, harmonies: Sequence[Harmony]) -> Open:
        places = [self.places[each] for each in harmonies]
        columns = [column for column, each in enumerate(places) for _ in each]
        return Open(np.array([place for each in places for place in each]), np.array(columns))

    def ways(self, beam: Beam, beat: int) -> Ways:
        """Each hypothesis with each option of a beat that leads to the end.

        The cost is that of the chords, counted to the end of the piece.
        """
        price = np.tile(self.ahead[beat].least, (len(beam.costs), 1))
        if beat:
            came = self.column_of[beat - 1][beam.options[:, -1]]
            price += self.ahead[beat].follow[came]
            price -= self.ahead[beat - 1].least[came, np.newaxis]
        here = self.open[beat]
        rows, places = np.nonzero(np.isfinite(price[:, here.columns]))
        return Ways(rows, here.options[places].astype(np.int32), price[rows, here.columns[places]])

    def changed(self, beam: Beam, ways: Ways) -> NDArray[np.bool_]:
        """Where (P,) another chord begins than the one before."""
        if not beam.options.shape[1]:
            return np.ones(len(ways.rows), bool)
        changed: NDArray[np.bool_] = (
            self.heard[ways.options] != self.heard[beam.options[ways.rows, -1]]
        )
        return changed

    def strength(self, beat: int, part: int) -> int:
        """Strength of a place, 4 = downbeat."""
        place = beat % self.fabric.per_bar
        return beat_strength(*self.fabric.metre, place * TICKS + part * PART_TICKS)


@dataclass(frozen=True, slots=True, eq=False)
class Open:
    """The options of a beat."""

    options: NDArray[np.int64]  # (n,)
    columns: NDArray[np.int64]  # (n,) place of the chord of each among the chords of the beat


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
