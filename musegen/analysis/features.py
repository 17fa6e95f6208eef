"""The features of a reading: what learning counts. Their product with the weights is its score."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from musegen.analysis.decoding import Segment
from musegen.analysis.parameters import PLACES, Parameters, number
from musegen.analysis.states import Space, distance
from musegen.analysis.surface import TREATMENTS, WIDTH, Surface
from musegen.analysis.weighing import (
    FULL,
    ROLES,
    STEP_FEATURES,
    STRONG,
    Tables,
    change_features,
    clipped_places,
    close_features,
    contradictions,
    ends_phrase,
    length_class,
    lowest_columns,
    numbers,
    step_kinds,
)

__all__ = ["path_features"]

FloatArray = NDArray[np.float64]


def path_features(t: Tables, parameters: Parameters, path: Sequence[Segment]) -> FloatArray:
    """The features of a reading: their product with the weights is its score."""
    found = np.zeros(len(parameters.weights))
    surface, space = t.surface, t.space
    kinds = step_kinds(len(space.chords))
    for segment in path:
        _segment_features(found, surface, space, parameters, segment)
    for before, after in pairwise(path):
        _step_features(found, t, kinds, parameters, before, after)
    found[number("first away")] += space.key[path[0].state] > 0
    found[number("final away")] += space.key[path[-1].state] > 0
    return found


def _segment_features(
    found: FloatArray, surface: Surface, space: Space, parameters: Parameters, segment: Segment
) -> None:
    rows = slice(segment.start, segment.end)
    group, k = space.group[segment.state], space.key[segment.state]
    chord = space.chords[space.chord[segment.state]]
    member = space.members[group] > 0
    for place, name in enumerate(TREATMENTS):
        found[number(f"foreign {name}")] += surface.tones[rows, place][:, ~member].sum()
    bass = surface.bass[rows].sum(axis=0)
    found[number("bass foreign")] += bass[~member].sum()
    found[number("bass other")] += bass[member].sum() - bass[space.lowest[group]]
    first = surface.first_bass[segment.start]
    if first >= 0:
        found[number("bass first foreign")] += not member[first]
        found[number("bass first other")] += member[first] and first != space.lowest[group]
    low = int(lowest_columns(surface, np.array([segment.start]), segment.end)[0])
    if low < WIDTH:
        found[number("lowest foreign")] += not member[low]
        found[number("lowest other")] += member[low] and low != space.lowest[group]
    weights = surface.weights[rows].sum(axis=0)
    present = np.minimum(weights / FULL, 1)
    beats = surface.beats[rows].sum()
    inflected, throughout = contradictions(weights[None], np.array([beats]))
    found[number("inflected")] += inflected[0][member].sum()
    found[number("foreign throughout")] += throughout[0][~member].sum()
    for role, name in enumerate(ROLES):
        column = space.roles[group, role]
        if column >= 0:
            label = "missing altered fifth" if role == 2 and space.altered[group] else name
            found[number(label)] += 1 - present[column]
    mode = space.keys[k].mode
    places = clipped_places(space.degree[k])
    np.add.at(found, numbers(f"{mode} {each:+d}" for each in PLACES)[places], weights)
    found[number("away")] += beats * (k > 0)
    found[number("away fifths")] += beats * distance(space.home, space.keys[k])
    found[number(f"length {length_class(beats)}")] += 1
    found[number(f"strength {min(surface.strength[segment.start], 4)}")] += 1
    found[number("chord")] += parameters.chord_scores[chord.index]
    found[number("rare")] += chord.use == "rare"
    if chord.cadential:
        strong = surface.strength[segment.start] >= STRONG
        found[number("cadential strong" if strong else "cadential weak")] += 1
    if ends_phrase(surface, segment.end):
        found[close_features(space)[segment.state]] += 1


def _step_features(
    found: FloatArray,
    t: Tables,
    kinds: FloatArray,
    parameters: Parameters,
    one: Segment,
    two: Segment,
) -> None:
    space, at = t.space, two.start
    boundary = bool(t.surface.boundary[at])
    before, after = int(space.key[one.state]), int(space.key[two.state])
    first, last = space.chord[one.state], space.chord[two.state]
    if before != after:
        for name, value in change_features(space, before, after, boundary=boundary).items():
            found[number(name)] += value
        if t.surface.closing[at] and not boundary:
            found[number("modulation late")] += 1
        a, b, chords = t.blocks[after]
        readings = chords[space.group[a:b] == space.group[one.state]]
        into = t.steps[int(boundary)][readings, last]
        jump = t.jump[int(boundary)]
        if not len(into) or into.max() < jump:
            found[number("no pivot over a boundary" if boundary else "no pivot")] += 1
            return
        first = readings[int(into.argmax())]
    score = parameters.step_scores[first, last]
    if boundary:
        found[number("progression over a boundary")] += score
        return
    found[number("progression")] += score
    for place, name in enumerate(STEP_FEATURES):
        found[number(name)] += kinds[place, first, last]
