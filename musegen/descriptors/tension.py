"""Tonal tension in the spiral array: how wide a cloud of notes is, how far it moves, how far from home.

Pitches lie on a spiral, a fifth a quarter of a turn; keys and clouds of notes are points inside it
(Chew, Mathematical and Computational Modeling of Tonality, 2014, ch. 3). The three ribbons are those
of Herremans and Chew (Tension ribbons, 2016). Pitches are spelled, as the array needs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from musegen.descriptors.descriptor import MISSING, Descriptor, Material, mean
from theory_kb.pitch import Key

__all__ = ["TENSION", "Tension", "key_centre", "spiral", "tension"]

FloatArray = NDArray[np.float64]

RISE = float(np.sqrt(2 / 15))  # of a fifth, the radius 1: thirds lie as near as fifths
WEIGHTS = np.array((0.516, 0.315, 0.168)) / 0.999  # of a key's triads, and of a triad's tones
MIXED = 0.75  # share of the major dominant, and of the minor subdominant, in a minor key
WINDOW = 1.0  # quarter notes of a cloud
MAJOR, MINOR = (0, 1, 4), (0, 1, -3)  # root, fifth, third on the line of fifths


@dataclass(frozen=True, slots=True)
class Tension:
    """The ribbons of a score, one value a window."""

    times: FloatArray  # (w,) quarter notes, start of each window that sounds
    diameter: FloatArray  # (w,) largest distance of two of its notes
    momentum: FloatArray  # (w,) distance from the cloud before, 0 for the first
    strain: FloatArray  # (w,) distance from the home key


def spiral(fifths: FloatArray) -> FloatArray:
    """Points of places on the line of fifths, shape of them with a last axis of 3."""
    turn = fifths * (np.pi / 2)
    return np.stack([np.sin(turn), np.cos(turn), fifths * RISE], axis=-1)


def _triad(root: int, tones: tuple[int, ...]) -> FloatArray:
    found: FloatArray = WEIGHTS @ spiral(root + np.array(tones, float))
    return found


def key_centre(key: Key) -> FloatArray:
    """(3,) the point of a key: its tonic, dominant and subdominant triads, weighted."""
    tonic = key.tonic.fifths
    if key.mode == "major":
        triads = [_triad(tonic + place, MAJOR) for place in (0, 1, -1)]
    else:
        dominant, subdominant = (
            [_triad(tonic + place, tones) for tones in (MAJOR, MINOR)] for place in (1, -1)
        )
        triads = [
            _triad(tonic, MINOR),
            MIXED * dominant[0] + (1 - MIXED) * dominant[1],
            MIXED * subdominant[1] + (1 - MIXED) * subdominant[0],
        ]
    found: FloatArray = WEIGHTS @ np.array(triads)
    return found


def tension(m: Material) -> Tension:
    """The ribbons, in windows of a quarter note; windows of silence are left out."""
    edges = np.arange(m.times[0], m.times[-1], WINDOW)
    home = key_centre(m.home)
    rows, centres = [], []
    for edge in edges:
        weights, places = _cloud(m, edge, edge + WINDOW)
        if len(places):
            points = spiral(places)
            centre = weights @ points / weights.sum()
            apart = points[:, None] - points[None, :]
            rows.append((edge, float(np.sqrt((apart**2).sum(axis=-1)).max())))
            centres.append(centre)
    middle = np.array(centres)
    moved = np.linalg.norm(np.diff(middle, axis=0), axis=1)
    return Tension(
        np.array([edge for edge, _ in rows]),
        np.array([wide for _, wide in rows]),
        np.concatenate([[0.0], moved]),
        np.linalg.norm(middle - home, axis=1),
    )


def _cloud(m: Material, start: float, end: float) -> tuple[FloatArray, FloatArray]:
    """Sounding time of each place on the line of fifths in a window, and the places."""
    first = max(int(np.searchsorted(m.times, start, side="right")) - 1, 0)
    last = min(int(np.searchsorted(m.times, end)), len(m.lengths))
    inside = np.minimum(m.times[first + 1 : last + 1], end) - np.maximum(m.times[first:last], start)
    fifths = m.fifths[:, first:last]
    sounds = fifths != MISSING
    places, index = np.unique(fifths[sounds], return_inverse=True)
    times = np.broadcast_to(inside, fifths.shape)[sounds]
    weights: FloatArray = np.bincount(index, weights=times, minlength=len(places)).astype(float)
    return weights, places.astype(float)


def _means(m: Material) -> Sequence[float]:
    found = tension(m)
    return [mean(each) for each in (found.diameter, found.momentum, found.strain)]


TENSION: tuple[Descriptor, ...] = (
    Descriptor(
        "tension", "high", "radii of the spiral", 0, inf,
        "means of three ribbons: width of the cloud of notes of a quarter, way from one cloud to "
        "the next, distance of the clouds from the home key", "HC", _means,
        ("diameter", "momentum", "strain"),
    ),
)  # fmt: skip
