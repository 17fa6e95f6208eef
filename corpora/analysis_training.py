"""Learning to analyse from analyses by people: weights by large margins, counts by counting.

Each piece is read with the weights so far, the reading made worse where it is right; where it then
still beats the person's, the weights move from its features to the person's (a subgradient of the
structured hinge loss: Taskar, Guestrin and Koller, Max-margin Markov networks, 2003), kept near
where the textbook starts them. The weights of all steps are averaged.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpora.analyses import AnalysedPiece, HumanLabel, analysed_pieces, chorale_names
from corpora.catalogue import entry, verified_files
from corpora.clean import clean, known_slips
from corpora.corpus import DEFAULT
from corpora.read import read_all
from musegen.analysis.decoding import Segment, best_path
from musegen.analysis.features import path_features
from musegen.analysis.inference import posterior
from musegen.analysis.label import phrase_ends
from musegen.analysis.parameters import Parameters
from musegen.analysis.states import Space, keys_around, space
from musegen.analysis.surface import Surface, surface
from musegen.analysis.weighing import tables
from theory_kb.chords import every_chord

__all__ = [
    "TEMPERATURES",
    "Example",
    "Schedule",
    "calibrated",
    "count",
    "example",
    "learn",
    "surprise",
    "train",
    "unlabelled_pieces",
]

FloatArray = NDArray[np.float64]

Counts = Mapping[str, Sequence[tuple[Any, ...]]]

FORBIDDEN = -1e4
TEMPERATURES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.2)
REACH = 2  # fifths around home of the keys that are weighed while learning


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the weights are learned."""

    epochs: int = 12  # passes over the pieces
    rate: float = 0.12  # first step, in units of a weight
    pull: float = 0.004  # towards the start, at each step
    margin: float = 2.0  # worth of a wrong beat
    unlabelled: float = 0.3  # what a chord of a piece without analysis counts for


@dataclass(frozen=True, slots=False)
class Example:
    """A piece made ready: its surface, its states and the person's reading of each span."""

    piece: AnalysedPiece
    surface: Surface
    space: Space
    gold: tuple[HumanLabel | None, ...]  # of each span

    @cached_property
    def allowed(self) -> FloatArray:
        """(n + 1, S) running sums that forbid what the person did not write."""
        rows = np.zeros((len(self.gold) + 1, self.space.size))
        for row, label in enumerate(self.gold):
            if label is not None:
                rows[row + 1] = np.where(_matches(self.space, label), 0.0, FORBIDDEN)
        return np.cumsum(rows, axis=0)

    def loss(self, margin: float) -> FloatArray:
        """(n + 1, S) running sums of the beats on which a state is wrong, in parts."""
        rows = np.zeros((len(self.gold) + 1, self.space.size))
        for row, label in enumerate(self.gold):
            if label is not None and label.chord is not None:
                rows[row + 1] = margin * self.surface.beats[row] * _wrong(self.space, label)
        return np.cumsum(rows, axis=0)


def example(piece: AnalysedPiece, *, reach: int = REACH) -> Example:
    """Make a piece ready to learn from."""
    heard = surface(piece.score)
    keys = keys_around(heard.home, reach)
    written = dict.fromkeys(label.key for label in piece.labels)
    keys = (*keys, *(key for key in written if key not in keys))
    starts = [label.onset for label in piece.labels]
    gold: list[HumanLabel | None] = []
    for begin, end in zip(heard.times, heard.times[1:], strict=False):
        place = bisect_right(starts, (begin + end) / 2) - 1
        label = piece.labels[place] if place >= 0 else None
        inside = label is not None and (begin + end) / 2 < label.onset + label.duration
        gold.append(label if inside else None)
    return Example(piece, heard, space(heard.home, keys), tuple(gold))


def _matches(states: Space, label: HumanLabel) -> NDArray[np.bool_]:
    """States that a label can mean; all of the key where its chord is none that is known."""
    right: NDArray[np.bool_] = states.key == states.keys.index(label.key)
    if label.chord is not None:
        meant = every_chord()[label.chord]
        same = [
            each == meant
            or (
                (each.mode, each.members, each.inversion)
                == (meant.mode, meant.members, meant.inversion)
                and "cad64" in (each.numeral, meant.numeral)
            )
            or (
                each.cadential
                and meant.inversion == 2
                and meant.numeral in ("I", "i")
                and each.mode == meant.mode
            )
            for each in states.chords
        ]
        right = right & np.array(same)[states.chord]
    return right


def _wrong(states: Space, label: HumanLabel) -> FloatArray:
    """(S,) how wrong each state is, 0 to 1."""
    assert label.chord is not None
    meant = every_chord()[label.chord]
    root = meant.root + label.key.tonic.fifths
    tonic = np.array([key.tonic.fifths for key in states.keys])[states.key]
    roots = np.array([each.root for each in states.chords])[states.chord] + tonic
    name = meant.numeral if not meant.cadential else ("I" if meant.mode == "major" else "i")
    names = np.array([_plain(each.numeral, each.mode) == name for each in states.chords])[
        states.chord
    ]
    turns = np.array([each.inversion == meant.inversion for each in states.chords])[states.chord]
    key = states.key == states.keys.index(label.key)
    right = (
        0.25 * key + 0.25 * (roots == root) + 0.25 * (key & names) + 0.25 * (key & names & turns)
    )
    wrong: FloatArray = 1.0 - right
    return wrong


def _plain(numeral: str, mode: str) -> str:
    return {"cad64": "I" if mode == "major" else "i"}.get(numeral, numeral)


# --- counts ---------------------------------------------------------------------------------


def gold_path(each: Example, parameters: Parameters) -> tuple[Segment, ...]:
    """The person's reading as a path: the best of those that say the same."""
    return best_path(replace(tables(each.surface, each.space, parameters), extra=each.allowed))


def count(
    paths: Sequence[tuple[Space, Sequence[Segment]]],
) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, dict[str, float]]]]:
    """How often each chord stands, and follows each other one in the same key."""
    chords: dict[str, dict[str, float]] = {"major": {}, "minor": {}}
    steps: dict[str, dict[str, dict[str, float]]] = {"major": {}, "minor": {}}
    for states, path in paths:
        for before, after in zip((None, *path), path, strict=False):
            here = states.chords[states.chord[after.state]]
            found = chords[here.mode]
            found[here.symbol] = found.get(here.symbol, 0.0) + 1
            if before is not None and states.key[before.state] == states.key[after.state]:
                last = states.chords[states.chord[before.state]].symbol
                row = steps[here.mode].setdefault(last, {})
                row[here.symbol] = row.get(here.symbol, 0.0) + 1
    return chords, steps


# --- weights --------------------------------------------------------------------------------


def learn(
    examples: Sequence[Example],
    *,
    schedule: Schedule | None = None,
    rng: np.random.Generator,
    unlabelled: Sequence[tuple[Surface, Space]] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Parameters:
    """Counts and weights of some pieces.

    Args:
        examples: pieces to learn from.
        schedule: how to learn.
        rng: order of the pieces.
        unlabelled: pieces without analyses; what is first learned labels them, and their chords
            count beside those of the examples in a second round.
        progress: called with passes done and passes in all.
    """
    plan = schedule or Schedule()
    first = _learn(examples, plan, rng, {}, progress)
    if not unlabelled:
        return first
    paths = [(states, best_path(tables(heard, states, first))) for heard, states in unlabelled]
    return _learn(examples, plan, rng, _scaled(*count(paths), plan.unlabelled), progress)


def _learn(
    examples: Sequence[Example],
    plan: Schedule,
    rng: np.random.Generator,
    more: Counts,
    progress: Callable[[int, int], None] | None,
) -> Parameters:
    start = Parameters.start()
    gold = [gold_path(each, start) for each in examples]
    paths = [(each.space, path) for each, path in zip(examples, gold, strict=True)]
    held_out = [
        _counted(start, [*paths[:place], *paths[place + 1 :]], more) for place in range(len(paths))
    ]
    losses = [each.loss(plan.margin) for each in examples]
    weights, total = start.weights.copy(), np.zeros_like(start.weights)
    squares = np.full_like(weights, 1.0)
    for epoch in range(plan.epochs):
        if progress is not None:
            progress(epoch, plan.epochs)
        for place in rng.permutation(len(examples)):
            each = examples[place]
            known = replace(held_out[place], weights=weights)
            weighed = tables(each.surface, each.space, known)
            rival = best_path(replace(weighed, extra=losses[place]))
            step = path_features(weighed, known, gold[place])
            step -= path_features(weighed, known, rival)
            step /= np.sqrt(each.surface.beats.sum())
            squares += step**2
            weights = weights + plan.rate * step / np.sqrt(squares)
            weights -= plan.pull * (weights - start.weights)
        if epoch >= plan.epochs // 3:
            total += weights
    found = total / (plan.epochs - plan.epochs // 3)
    return replace(_counted(start, paths, more), weights=found)


def _counted(
    known: Parameters, paths: Sequence[tuple[Space, Sequence[Segment]]], more: Counts
) -> Parameters:
    """The parameters with the counts of some paths, and more counts added."""
    chords, steps = count(paths)
    if more:
        for mode, symbol, value in more["chords"]:
            chords[mode][symbol] = round(chords[mode].get(symbol, 0.0) + value, 3)
        for mode, before, symbol, value in more["steps"]:
            row = steps[mode].setdefault(before, {})
            row[symbol] = round(row.get(symbol, 0.0) + value, 3)
    return replace(known, chords=chords, steps=steps)


def _scaled(
    chords: dict[str, dict[str, float]], steps: dict[str, dict[str, dict[str, float]]], by: float
) -> Counts:
    """Counts as rows, each taken for a part of one."""
    return {
        "chords": [(m, s, by * n) for m, row in chords.items() for s, n in row.items()],
        "steps": [
            (m, b, s, by * n)
            for m, rows in steps.items()
            for b, row in rows.items()
            for s, n in row.items()
        ],
    }


def unlabelled_pieces(
    *, progress: Callable[[int, int], None] | None = None
) -> tuple[tuple[Surface, Space], ...]:
    """The chorales of the corpus of which no analysis is known, made ready to be labelled."""
    of, taken = entry(DEFAULT), set(chorale_names())
    kept, _ = clean(read_all(verified_files(of), progress=progress), known_slips(of.slips))
    found = []
    for name, score in kept:
        if name not in taken:
            heard = surface(replace(score, phrase_ends=phrase_ends(score)))
            found.append((heard, space(heard.home, keys_around(heard.home, REACH))))
    return tuple(found)


def calibrated(known: Parameters, examples: Sequence[Example]) -> Parameters:
    """The parameters with the temperature under which the people's readings are likeliest."""
    losses = {
        temperature: sum(surprise(each, known, temperature) for each in examples)
        for temperature in TEMPERATURES
    }
    return replace(known, temperature=min(losses, key=lambda each: losses[each]))


def surprise(each: Example, known: Parameters, temperature: float) -> float:
    """Minus the log probability of what a person wrote, in nats, by beats."""
    chances = posterior(tables(each.surface, each.space, known), temperature)
    rows = [
        -np.log(max(float(chances[row][_matches(each.space, label)].sum()), 1e-9))
        * each.surface.beats[row]
        for row, label in enumerate(each.gold)
        if label is not None
    ]
    return float(sum(rows))


# --- what is shipped ------------------------------------------------------------------------


def train(
    *,
    seed: int,
    schedule: Schedule | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Parameters, dict[str, object]]:
    """Learn from all the chorale analyses, and what a card says of that.

    Args:
        seed: of the order of the pieces.
        schedule: how to learn.
        progress: called with passes done and passes in all.

    Raises:
        ScoreError: a score of an analysis cannot be read.
    """
    plan = schedule or Schedule()
    pieces = analysed_pieces(("bach",))
    examples = [example(piece) for piece in pieces]
    unlabelled = unlabelled_pieces(progress=progress)
    known = learn(
        examples,
        schedule=plan,
        rng=np.random.default_rng(seed),
        unlabelled=unlabelled,
        progress=progress,
    )
    card: dict[str, object] = {
        "model": "analysis",
        "data": "RomanText analyses of Riemenschneider's chorales 1-20 that music21 carries",
        "licence": "analyses: given to music21 by their authors; scores: public domain",
        "unlabelled": f"{len(unlabelled)} further chorales of music21, labelled by what was learned",
        "pieces": [piece.name for piece in pieces],
        "beats": round(float(sum(each.surface.beats.sum() for each in examples)), 3),
        "settings": asdict(plan),
        "seed": seed,
        "metrics": "benchmarks/analysis.py measures them on pieces left out of training",
    }
    return calibrated(known, examples), card
