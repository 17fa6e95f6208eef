"""The best reading of a surface: a semi-Markov search over chords of any length.

A chord holds for one span or several; what it scores there and what it scores after the one before
are sums of weighted features (Sarawagi and Cohen, Semi-Markov conditional random fields, 2004).
Keys change through a chord that both have, at a price, or without one, at a higher one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musegen.analysis.parameters import number
from musegen.analysis.surface import Surface
from musegen.analysis.weighing import Tables, powers, segment_scores

__all__ = [
    "LONGEST",
    "Forward",
    "Segment",
    "best_path",
    "entered",
    "entered_from",
    "first_scores",
    "forward_pass",
    "last_scores",
    "lateness",
    "scores_to",
    "starts_of",
    "step_scores",
    "trace",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MOST_KEPT = 1 << 24  # segment scores that are kept, 128 MiB
LONGEST = 12  # spans of one chord; what goes on longer is written as repeated


@dataclass(frozen=True, slots=True)
class Segment:
    """A chord over the spans from start to end (left out)."""

    start: int
    end: int
    state: int


def starts_of(surface: Surface, end: int) -> IntArray:
    """From where a chord may hold up to an end: not over a phrase boundary."""
    first = max(end - LONGEST, 0)
    inside = np.flatnonzero(surface.boundary[first + 1 : end])
    if len(inside):
        first += int(inside[-1]) + 1
    return np.arange(first, end)


def scores_to(t: Tables, end: int) -> tuple[IntArray, FloatArray]:
    """The starts of chords that may hold up to an end, and the scores of each state from there.

    They are asked for again and again, and kept unless the piece is too long for that.
    """
    starts = starts_of(t.surface, end)
    if t.extra is not None or len(t.surface.beats) * t.space.size * LONGEST > MOST_KEPT:
        return starts, segment_scores(t, starts, end)
    if end not in t.kept:
        t.kept[end] = segment_scores(t, starts, end)
    return starts, t.kept[end]


@dataclass(frozen=True, slots=True)
class Forward:
    """Best scores of readings up to each place."""

    ended: FloatArray  # (n + 1, S) of those whose last chord ends there
    enter: FloatArray  # (n, S) of those that go on with a chord from there


def forward_pass(t: Tables) -> Forward:
    """The best way to every state at every place."""
    count, size = len(t.surface.beats), t.space.size
    enter = np.zeros((count, size))
    ended = np.zeros((count + 1, size))
    enter[0] = first_scores(t)
    for end in range(1, count + 1):
        starts, segments = scores_to(t, end)
        ended[end] = (segments + enter[starts]).max(axis=0)
        if end < count:
            enter[end] = entered(t, ended[end], end)
    return Forward(ended, enter)


def best_path(t: Tables) -> tuple[Segment, ...]:
    """The reading with the highest score."""
    return trace(t, forward_pass(t))


def trace(t: Tables, forward: Forward) -> tuple[Segment, ...]:
    """The best reading, from its end back to its beginning."""
    end = len(t.surface.beats)
    state = int(np.argmax(forward.ended[end] + last_scores(t)))
    found = [_best_segment(t, forward, end, state)]
    while found[-1].start > 0:
        at = found[-1].start
        state = int(np.argmax(forward.ended[at] + step_scores(t, at, found[-1].state)))
        found.append(_best_segment(t, forward, at, state))
    return tuple(reversed(found))


def _best_segment(t: Tables, forward: Forward, end: int, state: int) -> Segment:
    """The chord that ends there in the best reading up to it; of few, so not in the forward pass."""
    starts, segments = scores_to(t, end)
    best = int(np.argmax(segments[:, state] + forward.enter[starts, state]))
    return Segment(int(starts[best]), end, state)


def first_scores(t: Tables) -> FloatArray:
    """(S,) score of beginning a piece with each state."""
    scores: FloatArray = t.weights[number("first away")] * (t.space.key > 0)
    return scores


def last_scores(t: Tables) -> FloatArray:
    """(S,) score of ending a piece with each state."""
    scores: FloatArray = t.weights[number("final away")] * (t.space.key > 0)
    return scores


def lateness(t: Tables, at: int) -> float:
    """Score of a change of key there for coming in the last chord of a phrase."""
    late = t.surface.closing[at] and not t.surface.boundary[at]
    return float(t.weights[number("modulation late")]) if late else 0.0


def entered(t: Tables, ended: FloatArray, at: int) -> FloatArray:
    """(S,) best score of entering each state there: within its key, through a pivot, by a leap."""
    space, boundary = t.space, int(t.surface.boundary[at])
    late = lateness(t, at)
    source, first = space.alike
    through = np.maximum.reduceat(ended[source] + _crossings(t, boundary, late), first)
    read = np.maximum(ended, through)
    tops = np.maximum.reduceat(ended, space.first[:-1])
    leaps = (tops[:, None] + (t.change[boundary] + late)).max(axis=0) + t.jump[boundary]
    fresh: FloatArray = leaps[space.key]
    for mode, rows in space.rows.items():
        # what cannot win against the leap need not be tried: the result is the same
        here = read[rows]
        hopeful = here + t.widest[boundary][mode] > fresh[rows]
        key, chord = np.nonzero(hopeful)
        if not len(key):
            continue
        inside = here[key, chord][:, None] + t.inner[boundary][mode].take(chord, axis=0)
        opened = np.flatnonzero(np.diff(key, prepend=-1))
        places = rows[key[opened]]
        fresh[places] = np.maximum(np.maximum.reduceat(inside, opened), fresh[places])
    return fresh


def _crossings(t: Tables, boundary: int, late: float) -> FloatArray:
    """Scores of the changes of key between states that sound the same; kept with the tables."""
    if (boundary, late) not in t.crossings:
        space, (source, first) = t.space, t.space.alike
        target = np.repeat(np.arange(space.size), np.diff(first, append=len(source)))
        change = t.change[boundary] + late
        t.crossings[boundary, late] = change[space.key[source], space.key[target]]
    return t.crossings[boundary, late]


def entered_from(
    t: Tables, scores: FloatArray, at: int, temperature: float, *, backward: bool = False
) -> FloatArray:
    """The same as sums of probabilities, forward or backward, at a temperature; all in logs."""
    space, boundary = t.space, int(t.surface.boundary[at])
    top = float(scores.max())
    share = np.exp(scores - top)
    known = powers(t, temperature, boundary)
    change = known.change * np.exp(lateness(t, at) / temperature)
    jump, steps = known.jump, known.inner
    shape = len(space.keys), len(space.members)
    place = space.key * shape[1] + space.group
    found = np.empty(space.size)
    if backward:
        into = np.concatenate(
            [steps[space.keys[k].mode] @ share[a:b] for k, (a, b, _) in enumerate(t.blocks)]
        )
        table = np.bincount(place, into, shape[0] * shape[1]).reshape(shape)
        sums = np.add.reduceat(share, space.first[:-1])
        found = into + (change @ table).take(place) + jump * (change @ sums)[space.key]
    else:
        table = np.bincount(place, share, shape[0] * shape[1]).reshape(shape)
        read = share + (change.T @ table).take(place)
        leaps = jump * (change.T @ np.add.reduceat(share, space.first[:-1]))
        for k, (a, b, _) in enumerate(t.blocks):
            found[a:b] = read[a:b] @ steps[space.keys[k].mode] + leaps[k]
    with np.errstate(divide="ignore"):
        result: FloatArray = np.log(found) + top
    return result


def step_scores(t: Tables, at: int, state: int) -> FloatArray:
    """(S,) score of going from each state to one of them at a place; kept with the tables."""
    space, boundary, late = t.space, int(t.surface.boundary[at]), lateness(t, at)
    known = t.entries.get((boundary, late, state))
    if known is not None:
        return known
    key = space.key[state]
    a, b, chords = t.blocks[key]
    into = t.steps[boundary][chords, space.chord[state]]
    change = t.change[boundary][:, key] + late
    reading = np.full(len(space.members), -np.inf)
    np.maximum.at(reading, space.group[a:b], into)
    scores: FloatArray = change[space.key] + np.maximum(t.jump[boundary], reading[space.group])
    scores[a:b] = into
    t.entries[boundary, late, state] = scores
    return scores
