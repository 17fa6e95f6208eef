"""What the analysis has learned: a weight for each feature, and counts of chords and progressions.

A reading of a piece is scored by the weighted sum of its features. Chords and progressions count
by their probabilities, which are counts smoothed by the grades of the knowledge graph.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from musegen.analysis.surface import TREATMENTS
from theory_kb.chords import every_chord, vocabulary
from theory_kb.query import may_follow

__all__ = ["FEATURES", "LENGTHS", "PLACES", "START", "Parameters", "graph_grades", "number"]

FloatArray = NDArray[np.float64]

LENGTHS = (0.5, 1.0, 2.0, 4.0)  # beats; a chord is no longer than one of these, or longer than all
PLACES = range(-9, 12)  # above a tonic on the line of fifths; further ones count as the outermost
DIATONIC = {"major": range(-1, 6), "minor": (-4, -3, -2, -1, 0, 1, 2, 3, 5)}

START: Mapping[str, float] = {
    # beats of a tone outside the chord, by treatment
    **dict(
        zip(
            (f"foreign {name}" for name in TREATMENTS),
            (-4.0, -0.9, -1.4, -3.0, -2.0, -3.2, -1.2, -3.2),
            strict=True,
        )
    ),
    # beats of a bass outside the chord, or on another tone of it; the same at the chord's start
    "bass foreign": -1.5,
    "bass other": -1.2,
    "bass first foreign": -1.0,
    "bass first other": -0.6,
    # the lowest tone of all the chord's time, which arpeggios come back to
    "lowest foreign": -0.6,
    "lowest other": -1.0,
    # tones of the chord that do not sound
    "missing root": -2.4,
    "missing third": -1.6,
    "missing fifth": -0.3,
    "missing altered fifth": -1.4,
    "missing seventh": -3.4,
    # a member that sounds in another inflection only; a foreign tone as long as the chord
    "inflected": -2.0,
    "foreign throughout": -1.5,
    # where a chord starts and how long it lasts
    **{f"strength {number}": value for number, value in enumerate((-1.5, -0.8, 0.0, 0.2, 0.2))},
    **{f"length {number}": value for number, value in enumerate((-0.6, -0.2, 0.0, -0.5, -1.5))},
    # beats of a tone by its place above the local tonic
    **{
        f"{mode} {place:+d}": 0.0 if place in DIATONIC[mode] else -0.8
        for mode in DIATONIC
        for place in PLACES
    },
    # log probabilities of a chord, and of a progression against the chord alone
    "chord": 0.6,
    "rare": -0.6,
    "progression": 0.8,
    "progression over a boundary": 0.2,
    "avoided": -0.6,
    "other position": -0.5,
    "repeated": -1.5,
    # changes of key
    "modulation": -2.2,
    "modulation over a boundary": -1.2,
    "modulation fifths": -0.3,
    "modulation parallel": -0.5,
    "modulation relative": 0.2,
    "modulation home": 0.3,
    "no pivot": -3.5,
    "no pivot over a boundary": -0.5,
    "modulation late": -2.0,
    "away": -0.05,
    "away fifths": -0.1,
    "first away": -1.5,
    "final away": -3.0,
    # the last chord of a phrase
    "close tonic": 0.0,
    "close dominant": -0.7,
    "close other": -1.5,
    "cadential strong": 0.5,
    "cadential weak": -1.0,
}
FEATURES: tuple[str, ...] = tuple(START)


@cache
def _places() -> Mapping[str, int]:
    return {name: place for place, name in enumerate(FEATURES)}


def number(feature: str) -> int:
    """Place of a feature."""
    return _places()[feature]


GRAPH_CHORD = 0.15  # share of the knowledge base in a chord's probability, counts have the rest
GRAPH_STEP = 0.15  # the same in a progression's
FLOOR = -3.5  # no progression tells more against a chord, in nats: what is rare may still be meant
SMOOTHING_STEP = 8.0  # imagined progressions from each chord, where few were counted
USE = {"common": 1.0, "occasional": 0.25, "rare": 0.04}
GRADE = {"A": 1.0, "B": 0.35, "C": 0.12, "X": 0.015}

Counts = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=False)
class Parameters:
    """Weights of the features and counts, by mode and symbol."""

    weights: FloatArray  # in the order of FEATURES
    chords: Counts  # mode: symbol: how often
    steps: Mapping[str, Counts]  # mode: symbol: next symbol: how often
    temperature: float = 1.0  # by which scores are divided before they are read as log odds

    @cached_property
    def chord_scores(self) -> FloatArray:
        """(C,) natural-log probability of each chord in its mode."""
        found = np.zeros(len(every_chord()))
        for mode in ("major", "minor"):
            places = [each.index for each in every_chord() if each.mode == mode]
            prior = np.array([USE[each.use] for each in every_chord() if each.mode == mode])
            counted = self.chords.get(mode, {})
            counts = np.array([counted.get(every_chord()[i].symbol, 0.0) for i in places])
            prior /= prior.sum()
            counts = (counts + prior) / (counts.sum() + 1)
            found[places] = np.log((1 - GRAPH_CHORD) * counts + GRAPH_CHORD * prior)
        return found

    @cached_property
    def step_scores(self) -> FloatArray:
        """(C, C) log probability of a chord after another, less that of the chord alone."""
        chords = every_chord()
        found = np.full((len(chords), len(chords)), -20.0)
        alone = np.exp(self.chord_scores)
        grades = graph_grades()
        for mode in ("major", "minor"):
            places = np.array([each.index for each in chords if each.mode == mode])
            symbols = {chords[place].symbol: row for row, place in enumerate(places)}
            counts = np.zeros((len(places), len(places)))
            for before, following in self.steps.get(mode, {}).items():
                for after, count in following.items():
                    counts[symbols[before], symbols[after]] = count
            graph = np.array([GRADE[name] for name in "XCBA"])[grades[np.ix_(places, places)]]
            graph = graph * alone[places]
            graph /= graph.sum(axis=1, keepdims=True)
            share = counts + SMOOTHING_STEP * graph
            share /= share.sum(axis=1, keepdims=True)
            share = (1 - GRAPH_STEP) * share + GRAPH_STEP * graph
            against = np.maximum(np.log(share) - self.chord_scores[places], FLOOR)
            found[np.ix_(places, places)] = against
        return found

    def to_json(self, card: Mapping[str, object]) -> str:
        """As text that `from_json` reads, with a card that says what they were learned from."""
        weights = {
            name: round(float(self.weights[place]), 5) for place, name in enumerate(FEATURES)
        }
        body = {
            "card": card,
            "temperature": self.temperature,
            "weights": weights,
            "chords": {mode: dict(sorted(each.items())) for mode, each in self.chords.items()},
            "steps": {
                mode: {before: dict(sorted(row.items())) for before, row in sorted(each.items())}
                for mode, each in self.steps.items()
            },
        }
        return json.dumps(body, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Parameters:
        """Read what `to_json` wrote."""
        body = json.loads(text)
        weights = np.array([body["weights"][name] for name in FEATURES])
        return cls(weights, body["chords"], body["steps"], body["temperature"])

    @classmethod
    def start(cls) -> Parameters:
        """What is set by the textbook and the graph, before anything is learned."""
        return cls(np.array(list(START.values())), {}, {})


@cache
def graph_grades() -> NDArray[np.int8]:
    """Grades of all pairs of chords that are read, (C, C): 0 avoided, 1 C, 2 B, 3 A.

    Into chords that are read but not composed with, no progression is stated: C at the least.
    """
    chords = every_chord()
    grades = np.zeros((len(chords), len(chords)), np.int8)
    for before in chords:
        for after in chords:
            if before.mode == after.mode:
                grade = "XCBA".index(may_follow(before, after).grade)
                least = 1 if after.index >= len(vocabulary()) else 0
                grades[before.index, after.index] = max(grade, least)
    return grades
