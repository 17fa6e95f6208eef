"""Which pieces share a tune, and a split of a data set that shares none.

The encodings name no hymn, so tunes are told by likeness: the top line of a roll as intervals
between successive different pitches, in whatever key. Two pieces share a tune if a run of twelve
intervals is common to them, or a third of the runs of eight of the shorter one. Runs of eight alone
do not tell tunes apart: scales and closes make them, and chain 319 of the 382 chorales of the JSB
benchmark into one class; by this rule the largest class has 12 pieces.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from musegen.models.rolls import Roll

__all__ = [
    "SHARE",
    "interval_runs",
    "new_tunes",
    "runs",
    "share_in_common",
    "shared_notes",
    "split_by_tune",
    "top_line",
    "tunes",
]

RUN = 8  # intervals of the runs that are counted
LONG_RUN = 12  # intervals of a run that makes a tune alone
SHARE = 0.3  # of the shorter piece's runs

Runs = frozenset[tuple[int, ...]]


def top_line(roll: Roll) -> tuple[int, ...]:
    """The highest pitch of each frame that sounds, a repeated one once."""
    tops = [frame[-1] for frame in roll.frames if frame]
    return tuple(tops[:1] + [after for before, after in pairwise(tops) if after != before])


def runs(roll: Roll, length: int = RUN) -> Runs:
    """All runs of so many successive intervals of the top line."""
    return interval_runs(top_line(roll), length)


def interval_runs(line: Sequence[int], length: int) -> Runs:
    """All runs of so many successive intervals of a line of pitches."""
    intervals = [after - before for before, after in pairwise(line)]
    places = range(len(intervals) - length + 1)
    return frozenset(tuple(intervals[place : place + length]) for place in places)


def share_in_common(one: Runs, other: Runs) -> float:
    """Share of the runs of the shorter of two lines that the other has too; 0 if it has none."""
    return len(one & other) / max(1, min(len(one), len(other)))


def tunes(rolls: Sequence[Roll]) -> tuple[int, ...]:
    """For each roll the number of the first roll that has its tune."""
    short = [runs(roll) for roll in rolls]
    first = list(range(len(rolls)))

    def root(place: int) -> int:
        while first[place] != place:
            place = first[place]
        return place

    for one, other in _common([runs(roll, LONG_RUN) for roll in rolls]):
        _join(first, root(one), root(other))
    for (one, other), common in _common(short).items():
        if common >= SHARE * min(len(short[one]), len(short[other])):
            _join(first, root(one), root(other))
    return tuple(root(place) for place in range(len(rolls)))


def _join(first: list[int], one: int, other: int) -> None:
    first[max(one, other)] = min(one, other)


def _common(found: Sequence[Runs]) -> dict[tuple[int, int], int]:
    """Pairs of pieces that have runs in common, and how many."""
    holders: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for place, some in enumerate(found):
        for run in some:
            holders[run].append(place)
    common: dict[tuple[int, int], int] = defaultdict(int)
    for places in holders.values():
        for later, other in enumerate(places):
            for one in places[:later]:
                common[one, other] += 1
    return common


def new_tunes(train: Sequence[Roll], other: Sequence[Roll]) -> tuple[bool, ...]:
    """Which other pieces have a tune that no training piece has."""
    classes = tunes([*train, *other])
    known = set(classes[: len(train)])
    return tuple(number not in known for number in classes[len(train) :])


def shared_notes(train: Sequence[Roll], other: Sequence[Roll]) -> float:
    """Share of the intervals of other top lines that stand in a run of eight that train has."""
    known = frozenset[tuple[int, ...]]().union(*(runs(roll) for roll in train))
    inside = total = 0
    for roll in other:
        intervals = [after - before for before, after in pairwise(top_line(roll))]
        covered = np.zeros(len(intervals), np.bool_)
        for place in range(len(intervals) - RUN + 1):
            if tuple(intervals[place : place + RUN]) in known:
                covered[place : place + RUN] = True
        inside += int(covered.sum())
        total += len(intervals)
    return inside / total if total else 0.0


def split_by_tune(
    splits: Mapping[str, Sequence[Roll]], *, seed: int = 0
) -> dict[str, tuple[Roll, ...]]:
    """The same pieces and about as many frames in each split, no tune in two splits.

    Args:
        splits: pieces by split.
        seed: of the order in which tunes are dealt out.
    """
    rolls = [roll for some in splits.values() for roll in some]
    wanted = {name: sum(len(roll.frames) for roll in some) for name, some in splits.items()}
    classes: dict[int, list[Roll]] = defaultdict(list)
    for number, roll in zip(tunes(rolls), rolls, strict=True):
        classes[number].append(roll)
    order = np.random.default_rng(seed).permutation(sorted(classes)).tolist()
    dealt: dict[str, list[Roll]] = {name: [] for name in splits}
    filled = dict.fromkeys(splits, 0)
    for number in sorted(order, key=lambda each: -len(classes[each])):
        emptiest = min(splits, key=lambda name: filled[name] / max(1, wanted[name]))
        dealt[emptiest].extend(classes[number])
        filled[emptiest] += sum(len(roll.frames) for roll in classes[number])
    return {name: tuple(some) for name, some in dealt.items()}
