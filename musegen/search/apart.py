"""Solutions that differ: what is too near to those that were found is forbidden by a long rule.

How far two paths are apart is the sum over slots of how far their candidates are: by default 1
where they are not the same. What stays too near even if all later slots add the most that they can
is forbidden at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from musegen.search.lattice import FloatArray, IntArray, Lattice
from musegen.search.memory import states
from musegen.search.optimum import first_order_optimum
from musegen.search.protocols import LookBack, Measure

__all__ = ["Apart", "apart", "led_apart", "slots_apart"]

REWARDS = (0.0, *(0.1 * 1.5**step for step in range(12)))  # of each unit of distance, in turn


def slots_apart(lattice: Lattice) -> Measure:
    """1 for every candidate but the chosen one: a distance is the number of slots that differ."""

    def measure(slot: int, chosen: int) -> IntArray:
        differs: IntArray = (np.arange(len(lattice.unary[slot])) != chosen).astype(np.int64)
        return differs

    return measure


def apart(
    lattice: Lattice,
    look_back: LookBack | None,
    paths: Sequence[IntArray],
    distance: int,
    measure: Measure,
) -> Apart:
    """The long rules, and that a path keeps its distance from each of those found.

    Args:
        lattice: where they lie.
        look_back: the other long rules; None if there are none.
        paths: (T,) each, found so far.
        distance: at which a path must be from each of them.
        measure: how far each candidate of a slot is from a chosen one.
    """
    far = np.zeros((len(paths), len(lattice.unary), max(map(len, lattice.unary))), np.int64)
    for row, path in enumerate(paths):
        for slot, chosen in enumerate(path.tolist()):
            far[row, slot, : len(lattice.unary[slot])] = measure(slot, chosen)
    return Apart(look_back, far, _most_ahead(lattice, far), distance)


def _most_ahead(lattice: Lattice, far: IntArray) -> IntArray:
    """The most that the slots after each (P, T) can add, whatever may follow what."""
    most = [
        far[:, slot, : len(unary)][:, unary < np.inf].max(axis=1, initial=0)
        for slot, unary in enumerate(lattice.unary)
    ]
    heaped = np.cumsum(np.stack(most[::-1], axis=1), axis=1)[:, ::-1]
    ahead: IntArray = np.concatenate([heaped[:, 1:], np.zeros((len(far), 1), np.int64)], axis=1)
    return ahead


def led_apart(lattice: Lattice, rules: Apart) -> Iterator[Lattice]:
    """The lattice with ever greater rewards on what differs, for beams that would differ too late.

    A beam keeps what is good, which is what is near, until the distance forbids all of it. With
    a reward (a multiplier, as in Lagrangian relaxation; Everett 1963) the exact cost to go knows
    that it pays to differ. The first is the least at which the cheapest path keeps its distance.
    """
    far = rules.far.sum(axis=0)
    kept = False
    for reward in REWARDS:
        rewarded = (
            cost - reward * far[slot, : len(cost)] for slot, cost in enumerate(lattice.unary)
        )
        led = Lattice(tuple(rewarded), lattice.pairs)
        kept = kept or rules.keeps(first_order_optimum(led).path)
        if kept:
            yield led


@dataclass(frozen=True, slots=True)
class Apart:
    """Long rules, and a distance to be kept from some paths."""

    look_back: LookBack | None
    far: IntArray  # (P, T, N): how far a candidate is from the one that a path chose in its slot
    ahead: IntArray  # (P, T): the most that the slots after one can add
    distance: int

    def costs(
        self, slot: int, paths: IntArray, parents: IntArray, candidates: IntArray
    ) -> FloatArray:
        """Costs (K,) of the rules; inf where the distance can no longer be reached."""
        here = self.far[:, slot, candidates] + self.ahead[:, slot, None]
        near = (self._so_far(paths)[:, parents] + here < self.distance).any(axis=0)
        if self.look_back is None:
            return np.where(near, np.inf, 0.0)
        return np.where(near, np.inf, self.look_back.costs(slot, paths, parents, candidates))

    def states(self, paths: IntArray, *, hard: bool) -> IntArray:
        """What the rules remember, and the distances so far, as far as they matter."""
        known = states(self.look_back, paths, hard=hard)
        so_far = np.minimum(self._so_far(paths), self.distance).T
        return np.concatenate([known, so_far], axis=1)

    def keeps(self, path: IntArray) -> bool:
        """Whether a complete path (T,) is far enough from all."""
        return bool((self._so_far(path[None, :]) >= self.distance).all())

    def _so_far(self, paths: IntArray) -> IntArray:
        """Distance (P, B) of beginnings (B, t) from each path."""
        if not paths.shape[1]:
            return np.zeros((len(self.far), len(paths)), np.int64)
        found: IntArray = self.far[:, np.arange(paths.shape[1])[None, :], paths].sum(axis=2)
        return found
