"""How sure a reading is: probabilities of states by forward-backward, and the n best readings.

Scores are log odds once they are divided by a temperature, which training sets so that what is
said to hold with some probability holds that often.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musegen.analysis.decoding import (
    Forward,
    Segment,
    entered_from,
    first_scores,
    last_scores,
    scores_to,
    step_scores,
)
from musegen.analysis.weighing import Tables

__all__ = ["Reading", "best_readings", "posterior"]

FloatArray = NDArray[np.float64]


# --- the n best -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reading:
    """A whole reading and its score."""

    path: tuple[Segment, ...]
    score: float


def best_readings(t: Tables, forward: Forward, count: int) -> tuple[Reading, ...]:
    """The readings with the highest scores, the best first, each once.

    A search from the end in order of the best that can become of what is begun; since the best way
    to every state is known from the forward pass, no more is opened than is needed (the backward
    A* of Soong and Huang, 1991).
    """
    ends = forward.ended[-1] + last_scores(t)
    heap: list[tuple[float, int, tuple[Segment, ...], int, int, float]] = []
    ticket = 0
    for state in np.argsort(-ends, kind="stable")[:count]:
        heapq.heappush(
            heap,
            (
                -float(ends[state]),
                ticket,
                (),
                len(forward.ended) - 1,
                int(state),
                float(last_scores(t)[state]),
            ),
        )
        ticket += 1
    found: list[Reading] = []
    while heap and len(found) < count:
        cost, _, suffix, end, state, after = heapq.heappop(heap)
        if end == 0:
            found.append(Reading(suffix, -cost))
            continue
        for best, start, before, gone in _opened(t, forward, end, state, after, count):
            path = (Segment(start, end, state), *suffix)
            heapq.heappush(heap, (-best, ticket, path, start, before, gone))
            ticket += 1
    return tuple(found)


def _opened(
    t: Tables, forward: Forward, end: int, state: int, after: float, count: int
) -> list[tuple[float, int, int, float]]:
    """The best ways into a chord that ends there: bound, start, state before, score from there."""
    starts, segments = scores_to(t, end)
    scores = segments[:, state]
    found: list[tuple[float, int, int, float]] = []
    ways: list[tuple[float, int, float, FloatArray, FloatArray]] = []
    for start, score in zip(starts.tolist(), scores.tolist(), strict=True):
        gone = after + score
        if start == 0:
            first = float(first_scores(t)[state])
            found.append((gone + first, 0, -1, gone + first))
            continue
        steps = step_scores(t, start, state)
        bounds = forward.ended[start] + steps + gone
        ways.append((float(bounds.max()), start, gone, steps, bounds))
    for top, start, gone, steps, bounds in sorted(ways, key=lambda way: -way[0]):
        if len(found) >= count and top < heapq.nlargest(count, found)[-1][0]:
            break
        best = np.argpartition(-bounds, min(count, len(bounds) - 1))[:count].tolist()
        found += [
            (float(bounds[before]), start, before, gone + float(steps[before])) for before in best
        ]
    return heapq.nlargest(count, found)


# --- probabilities --------------------------------------------------------------------------


def posterior(t: Tables, temperature: float) -> FloatArray:
    """(n, S) probability of each state in each span, by forward-backward."""
    count, size = len(t.surface.beats), t.space.size
    enter, ended = np.zeros((count, size)), np.zeros((count + 1, size))
    enter[0] = first_scores(t) / temperature
    for end in range(1, count + 1):
        starts, segments = scores_to(t, end)
        ended[end] = _sum(segments / temperature + enter[starts])
        if end < count:
            enter[end] = entered_from(t, ended[end], end, temperature)
    return _backward(t, enter, ended, temperature)


def _backward(t: Tables, enter: FloatArray, ended: FloatArray, temperature: float) -> FloatArray:
    count, size = len(t.surface.beats), t.space.size
    left = np.full((count + 1, size), -np.inf)  # of what follows a chord that ends there
    left[count] = last_scores(t) / temperature
    total = _sum((ended[count] + left[count])[:, None])[0]
    changes = np.zeros((count + 1, size))
    rows: dict[int, list[FloatArray]] = {}  # of chords that begin there, by their end
    for end in range(count, 0, -1):
        if end < count:
            begun = _sum(np.array(rows.pop(end)))
            left[end] = entered_from(t, begun, end, temperature, backward=True)
        starts, segments = scores_to(t, end)
        scores = segments / temperature + left[end]
        for start, row in zip(starts.tolist(), scores, strict=True):
            rows.setdefault(start, []).append(row)
        share = np.exp(scores + enter[starts] - total)
        changes[starts] += share
        changes[end] -= share.sum(axis=0)
    found: FloatArray = np.clip(np.cumsum(changes[:-1], axis=0), 0, 1)
    return found


def _sum(scores: FloatArray) -> FloatArray:
    """Log of the sum of exponentials over the first axis."""
    top = scores.max(axis=0)
    safe = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        result: FloatArray = np.log(np.exp(scores - safe).sum(axis=0)) + safe
    return result
