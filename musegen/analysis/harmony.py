"""Keys and chords of a score: the best reading of a learned semi-Markov model, and how sure it is.

States are chords of the knowledge base in the keys that come into question; what may follow what is
weighed by its progression grades and by counts. The plan is that of Temperley (The Cognition of
Basic Musical Structures, 2001, ch. 6-7), the model a semi-Markov conditional random field.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np

from musegen.analysis.decoding import (
    Forward,
    Segment,
    forward_pass,
    last_scores,
    trace,
)
from musegen.analysis.parameters import PLACES, Parameters, number
from musegen.analysis.states import Space, distance, keys_around, space
from musegen.analysis.surface import Surface, surface
from musegen.analysis.weighing import Tables, tables
from musegen.errors import StoredFileError
from musegen.score import ChordLabel, Score
from theory_kb.chords import read_chord
from theory_kb.metre import OFF_BEAT
from theory_kb.pitch import Key

__all__ = ["WEIGHTS", "Decoded", "candidate_keys", "decode", "label_chords", "shipped"]

WEIGHTS = "analysis.json"  # in the folder of weights
REACH = 7  # fifths around home of the keys that are looked at
NEAR = 2  # those within so many are always weighed, in pieces that are long enough
WINDOW = 8.0  # beats over which a key must hold to be weighed
BEST = 3  # keys of each window that are weighed


@cache
def shipped() -> Parameters:
    """The parameters that come with the program.

    Raises:
        StoredFileError: the file is missing or damaged.
    """
    path = Path(str(resources.files("musegen"))) / "weights" / WEIGHTS
    try:
        return Parameters.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError) as error:
        problem = "cannot be read; install musegen again, or `musegen train analysis`"
        raise StoredFileError(path, problem) from error


@dataclass(frozen=True, slots=True)
class Decoded:
    """The best reading of a score and all that is needed to ask for more."""

    surface: Surface
    space: Space
    tables: Tables
    forward: Forward
    path: tuple[Segment, ...]

    @property
    def score(self) -> float:
        """Score of the best reading."""
        return float((self.forward.ended[-1] + last_scores(self.tables)).max())

    def label(self, segment: Segment) -> ChordLabel:
        """A segment as a chord label."""
        times = self.surface.times
        return ChordLabel(
            times[segment.start],
            times[segment.end] - times[segment.start],
            self.space.keys[self.space.key[segment.state]],
            self.space.chords[self.space.chord[segment.state]].symbol,
        )


def decode(
    score: Score, *, parameters: Parameters | None = None, composed: bool = False
) -> Decoded:
    """Find the best reading of a score with at least one note.

    Args:
        score: with its home key, and with phrase ends as far as they are known.
        parameters: if not those that come with the program.
        composed: only with the chords that are composed with.
    """
    known = parameters or shipped()
    heard = surface(score)
    states = space(heard.home, candidate_keys(heard, known), composed=composed)
    weighed = tables(heard, states, known)
    forward = forward_pass(weighed)
    return Decoded(heard, states, weighed, forward, trace(weighed, forward))


def label_chords(
    score: Score, *, parameters: Parameters | None = None, composed: bool = True
) -> tuple[ChordLabel, ...]:
    """Chords of a score; what goes on as one chord is joined, but not across a phrase end.

    Args:
        score: with phrase ends, as far as they are known.
        parameters: if not those that come with the program.
        composed: only with the chords that are composed with, and with the positions that stand
            on a beat, as rules and training need.
    """
    if not any(part.notes for part in score.parts):
        return ()
    found = decode(score, parameters=parameters, composed=composed)
    boundaries = {
        time for time, new in zip(found.surface.times, found.surface.boundary, strict=False) if new
    }
    strength = dict(zip(found.surface.times, found.surface.strength.tolist(), strict=False))

    def on_beat(time: Fraction) -> bool:
        return bool(strength[time] > OFF_BEAT)

    joined: list[ChordLabel] = []
    for label in map(found.label, found.path):
        last = joined[-1] if joined else None
        same = last is not None and (
            (last.key, last.numeral) == (label.key, label.numeral)
            or (composed and _turned(last, label) and not on_beat(label.onset))
        )
        if last is not None and same and label.onset not in boundaries:
            joined[-1] = replace(last, duration=last.duration + label.duration)
        else:
            joined.append(label)
    return tuple(joined)


def _turned(before: ChordLabel, after: ChordLabel) -> bool:
    """Whether one harmony goes on in another position, with or without its seventh."""
    one, other = (read_chord(each.key.mode, each.numeral) for each in (before, after))
    return before.key == after.key and one.members[:3] == other.members[:3]


def candidate_keys(heard: Surface, parameters: Parameters) -> tuple[Key, ...]:
    """Home, its near keys, and those that some stretch of the piece fits best; home comes first."""
    keys = keys_around(heard.home, REACH)
    states = space(heard.home, keys)
    w = parameters.weights
    fit = np.array(
        [
            w[[number(f"{key.mode} {place:+d}") for place in PLACES]][
                np.clip(states.degree[k], PLACES[0], PLACES[-1]) - PLACES[0]
            ]
            for k, key in enumerate(keys)
        ]
    )
    scores = np.concatenate([np.zeros((1, len(keys))), np.cumsum(heard.weights @ fit.T, axis=0)])
    beats = np.concatenate([[0.0], np.cumsum(heard.beats)])
    stops = np.minimum(np.searchsorted(beats, beats[:-1] + WINDOW), len(beats) - 1)
    windows = scores[stops] - scores[:-1]
    ranked = np.argsort(-windows, axis=1, kind="stable")[:, :BEST]
    chosen = set(ranked.ravel().tolist())
    return tuple(
        key
        for k, key in enumerate(keys)
        if k in chosen or distance(heard.home, key) <= NEAR or k == 0
    )
