"""Harmonise tunes that no model was trained on, and hold the chords against Bach's own.

    python benchmarks/harmonise.py --pieces 68 --jobs 2

The tunes are the sopranos of the test pieces of the built-in corpus, fermatas included, nothing else.
Each row harmonises all of them with other proposers (Allan and Williams' task, NIPS 2005). Columns:

- solved: share of tunes for which four voices under all hard rules of style `bach` were found.
- E, W: findings of the checker a piece.
- root, numeral: share of beats on which the chord has Bach's root, and his key and numeral with
  inversion. Bach's labels are those of the corpus, made by our own analysis, so they are no truth.
- cadence: share of phrase ends with the kind and key of his.
- seconds: median a tune, in one process.

The row `chance` draws, for each beat, from the labels of all test pieces in the same mode.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from musegen.score import ChordLabel, Score

ROWS: Mapping[str, tuple[str, ...]] = {
    "all three": ("hmm", "rbm", "lstm"),
    "hmm only": ("hmm",),
    "none": (),
}


@dataclass(frozen=True)
class Outcome:
    """What came of one tune."""

    solved: bool
    errors: int = 0
    warnings: int = 0
    roots: tuple[int, int] = (0, 0)  # equal, compared
    numerals: tuple[int, int] = (0, 0)
    cadences: tuple[int, int] = (0, 0)
    seconds: float = 0.0


def _outcome(job: tuple[Score, tuple[str, ...]]) -> Outcome:
    from musegen.errors import DeadEndError, InfeasibleError
    from musegen.tasks.harmonise import harmonise
    from musegen.tasks.writing import Options

    bach, models = job
    tune = replace(bach, parts=bach.parts[:1], chords=(), cadences=())
    begin = time.perf_counter()
    try:
        (made,) = harmonise(tune, Options(models=models, temperature=0.0))
    except (InfeasibleError, DeadEndError):
        return Outcome(solved=False, seconds=time.perf_counter() - begin)
    seconds = time.perf_counter() - begin
    pairs = [
        (label, other)
        for label in made.score.chords
        if (other := _label_at(bach.chords, label)) is not None
    ]
    closes = {close.onset: (close.kind, close.key) for close in bach.cadences}
    ends = [(close, closes[close.onset]) for close in made.score.cadences if close.onset in closes]
    return Outcome(
        True,
        made.report.count("E"),
        made.report.count("W"),
        (sum(_root(one) == _root(other) for one, other in pairs), len(pairs)),
        (sum(_name(one) == _name(other) for one, other in pairs), len(pairs)),
        (sum((close.kind, close.key) == other for close, other in ends), len(ends)),
        seconds,
    )


def _label_at(labels: Sequence[ChordLabel], label: ChordLabel) -> ChordLabel | None:
    inside = (each for each in labels if each.onset <= label.onset < each.onset + each.duration)
    return next(inside, None)


def _root(label: ChordLabel) -> int:
    from theory_kb.chords import read_chord

    return label.key.tonic.fifths + read_chord(label.key.mode, label.numeral).members[0]


def _name(label: ChordLabel) -> tuple[str, str]:
    return label.key.name, label.numeral


def _chance(scores: Sequence[Score]) -> tuple[float, float]:
    """Share of equal roots and numerals if labels of the same mode are drawn at random."""
    rng = np.random.default_rng(0)
    equal, compared = np.zeros(2), 0
    for score in scores:
        pool = [
            each for other in scores if other.key.mode == score.key.mode for each in other.chords
        ]
        shift = score.key.tonic.fifths
        for label in score.chords:
            drawn = pool[int(rng.integers(len(pool)))]
            home = next(other for other in scores if drawn in other.chords).key
            same_root = _root(drawn) - home.tonic.fifths == _root(label) - shift
            relative = (drawn.key.tonic.fifths - home.tonic.fifths, drawn.key.mode, drawn.numeral)
            own = (label.key.tonic.fifths - shift, label.key.mode, label.numeral)
            equal += (same_root, relative == own)
            compared += 1
    return float(equal[0]) / compared, float(equal[1]) / compared


def _share(pairs: Sequence[tuple[int, int]]) -> str:
    equal, compared = (sum(column) for column in zip(*pairs, strict=True))
    return f"{equal / compared:.2f}" if compared else "-"


def _row(name: str, outcomes: Sequence[Outcome]) -> str:
    solved = [each for each in outcomes if each.solved]
    cells = (
        name,
        f"{len(solved) / len(outcomes):.2f}",
        f"{np.mean([each.errors for each in solved]):.2f}",
        f"{np.mean([each.warnings for each in solved]):.2f}",
        _share([each.roots for each in solved]),
        _share([each.numerals for each in solved]),
        _share([each.cadences for each in solved]),
        f"{np.median([each.seconds for each in outcomes]):.1f}",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Harmonise and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--pieces", type=int, default=68)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    import corpora

    scores = [piece.score for piece in corpora.load().pieces if piece.split == "test"][
        : options.pieces
    ]
    sys.stdout.write(
        f"{len(scores)} tunes, width 32, temperature 0\n\n"
        "| proposers | solved | E | W | root | numeral | cadence | seconds |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|\n"
    )
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        for name, models in ROWS.items():
            outcomes = list(pool.map(_outcome, [(score, models) for score in scores]))
            sys.stdout.write(_row(name, outcomes) + "\n")
            sys.stdout.flush()
    roots, numerals = _chance(scores)
    sys.stdout.write(f"| chance | - | - | - | {roots:.2f} | {numerals:.2f} | - | - |\n")


if __name__ == "__main__":
    main()
