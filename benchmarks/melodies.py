"""Bits a note of chorale sopranos by prediction by partial match, cross-validated in ten folds.

    python benchmarks/melodies.py [--folds 10] [--seed 0] [--rows "PPM* C,pitch,viewpoints"]

The task of Pearce (2005, chapters 6 and 7): the sopranos of BWV 253 to 438, the pitch of each note given
all before it; rows with viewpoints are also given rhythm, key and fermatas, as his are. Our 185 melodies
have 9,278 notes of 22 pitches (his 185: 9,227 of 21), read from what music21 carries. Escape factors
and biases are chosen for each fold by the bits of the other nine; so they never see what they are
judged on. The second set keeps one melody of each tune.

Bits are means over notes; after the sign ± stands the standard error over melodies.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from musegen.models.ppm import PPMSettings, Smoothing, combined, train_ppm

if TYPE_CHECKING:
    from musegen.models.viewpoints import Melody

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BIASES = (0.0, 1.0, 2.0, 4.0)
PITCH = (("pitch",),)
LINKED = (("from-tonic", "phrase-end"), ("interval", "duration"), ("from-tonic", "place"))


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: one kind of model, and what is chosen of it."""

    settings: PPMSettings  # escape factors and biases are those of the first choice
    escapes: tuple[tuple[float, float], ...]  # long-term and short-term factors tried, in pairs
    published: str


PLAIN = Smoothing()
ROWS: Mapping[str, Row] = {
    "PPM* C": Row(
        PPMSettings(PITCH, PLAIN, PLAIN, "arithmetic"), ((1, 1),), "2.342 (Pearce, table 6.6)"
    ),
    "pitch": Row(PPMSettings(PITCH), ((3, 2), (6, 3), (10, 5)), "2.342 (Pearce, table 6.6)"),
    "viewpoints": Row(
        PPMSettings(LINKED), ((3, 2), (6, 3), (10, 5)), "1.953 (Pearce, section 7.3)"
    ),
}


@dataclass(frozen=True, slots=True)
class Said:
    """What the memories of all folds' models said of all melodies, by escape factor."""

    long: tuple[FloatArray, ...]  # (M, N, S) for each long-term factor
    short: tuple[FloatArray, ...]  # (M, N, S) for each short-term factor
    places: IntArray  # (N,) number of the candidate that stood there
    melody: IntArray  # (N,) number of the melody
    fold: IntArray  # (N,)


def _said(melodies: Sequence[Melody], row: Row, folds: Sequence[IntArray]) -> Said:
    candidates = np.unique(np.concatenate([melody.pitches for melody in melodies]))
    long, short = [], []
    for longer, shorter in row.escapes:
        settings = replace(
            row.settings,
            long=replace(row.settings.long, escape=longer),
            short=replace(row.settings.short, escape=shorter),
        )
        tables = [_fold(melodies, settings, fold, candidates) for fold in folds]
        long.append(np.concatenate([each[0] for each in tables], axis=1))
        short.append(np.concatenate([each[1] for each in tables], axis=1))
    order = np.concatenate(folds)
    lengths = [len(melodies[place].pitches) for place in order]
    pitches = np.concatenate([melodies[place].pitches for place in order])
    owner = np.repeat(np.concatenate([[n] * len(fold) for n, fold in enumerate(folds)]), lengths)
    places = np.searchsorted(candidates, pitches)
    return Said(tuple(long), tuple(short), places, np.repeat(order, lengths), owner)


def _fold(
    melodies: Sequence[Melody], settings: PPMSettings, fold: IntArray, candidates: IntArray
) -> tuple[FloatArray, FloatArray]:
    """What a model of the other folds says of a fold's melodies, (M, N, S) each."""
    rest = [melody for place, melody in enumerate(melodies) if place not in set(fold.tolist())]
    model = train_ppm(rest, settings, candidates=candidates)
    long, short = [], []
    for place in fold:
        followed = model.follow(melodies[place])
        long.append(followed.long)
        short.append(followed.short)
        model = followed.after
    return np.concatenate(long, axis=1), np.concatenate(short, axis=1)


def _bits(table: FloatArray, places: IntArray) -> FloatArray:
    found: FloatArray = -np.log2(table[np.arange(len(places)), places])
    return found


def _choices(said: Said, mixture: str) -> FloatArray:
    """Bits of each note (N,) for every choice of escape factors and biases, (C, N)."""
    memories = [
        [[combined(table, bias, mixture) for bias in BIASES] for table in tables]
        for tables in (said.long, said.short)
    ]
    flat = [[table for group in side for table in group] for side in memories]
    return np.array(
        [
            _bits(combined(np.stack(pair), bias, mixture), said.places)
            for pair in product(*flat)
            for bias in BIASES
        ]
    )


def _cross_chosen(bits: FloatArray, fold: IntArray) -> FloatArray:
    """Bits of each note by the choice that is best on the other folds."""
    found = np.empty(bits.shape[1])
    for each in np.unique(fold):
        best = bits[:, fold != each].mean(axis=1).argmin()
        found[fold == each] = bits[best, fold == each]
    return found


def _mean_and_error(bits: FloatArray, melody: IntArray) -> tuple[float, float]:
    """Mean over notes, and its standard error if melodies are drawn at random."""
    _, owner = np.unique(melody, return_inverse=True)
    notes, sums = np.bincount(owner), np.bincount(owner, weights=bits)
    mean = float(bits.mean())
    error = np.sqrt(((sums - mean * notes) ** 2).sum()) / len(bits)
    return mean, float(error)


def _line(name: str, melodies: Sequence[Melody], kind: str, folds: int, seed: int) -> str:
    begin = time.perf_counter()
    row = ROWS[name]
    order = np.random.default_rng(seed).permutation(len(melodies))
    said = _said(melodies, row, np.array_split(order, folds))
    mean, error = _mean_and_error(
        _cross_chosen(_choices(said, row.settings.mixture), said.fold), said.melody
    )
    first = len(row.escapes) // 2
    alone = [
        _bits(combined(table[first], 2.0, row.settings.mixture), said.places).mean()
        for table in (said.long, said.short)
    ]
    seconds = time.perf_counter() - begin
    cells = (
        name,
        kind,
        str(len(melodies)),
        str(len(said.places)),
        f"{mean:.3f} ± {error:.3f}",
        *(f"{each:.3f}" for each in alone),
        row.published,
        f"{seconds:.0f}",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Cross-validate, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0, help="of the folds")
    parser.add_argument("--rows", default=",".join(ROWS))
    options = parser.parse_args()
    from corpora.melodies import chorale_sopranos, one_a_tune
    from musegen.threads import one_thread

    every = chorale_sopranos()
    sys.stdout.write(
        f"{options.folds} folds, seed {options.seed}\n\n"
        "| model | set | melodies | notes | bits a note | LTM+ alone | STM alone | published "
        "| seconds |\n|---|---|---:|---:|---:|---:|---:|---|---:|\n"
    )
    with one_thread():
        for name in options.rows.split(","):
            for kind, melodies in (("BWV 253-438", every), ("one a tune", one_a_tune(every))):
                sys.stdout.write(_line(name, melodies, kind, options.folds, options.seed) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
