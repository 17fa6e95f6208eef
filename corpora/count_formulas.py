"""Count how often the training chorales close by each cadence formula of the knowledge base.

    python -m corpora.count_formulas

Prints `id: major, minor`. The numbers stand as `count` in `theory_kb/facts/cadences.toml`, where they
say how likely a phrase closes so. A close counts for the longest formula that it ends with; a tonic
with a major third at the end of a phrase in minor counts as the tonic.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from corpora.corpus import load
from musegen.score import Cadence, ChordLabel, Score
from theory_kb.cadences import CadenceFormula, cadence_formulas, cadence_kinds
from theory_kb.pitch import MODES

__all__ = ["count_formulas", "main"]


def count_formulas(scores: Sequence[Score]) -> Counter[tuple[str, str]]:
    """Number of phrases that close by a formula in a mode: (id, mode) -> count."""
    counts: Counter[tuple[str, str]] = Counter()
    for score in scores:
        for cadence in score.cadences:
            formula = _longest(cadence, _chords_before(score.chords, cadence))
            if formula is not None:
                counts[formula.id, cadence.key.mode] += 1
    return counts


def _chords_before(labels: Sequence[ChordLabel], cadence: Cadence) -> tuple[str, ...]:
    """Symbols of the chords of the cadence's key up to its arrival, repetitions left out."""
    place = max(number for number, label in enumerate(labels) if label.onset <= cadence.onset)
    first = place
    while first > 0 and labels[first - 1].key == cadence.key:
        first -= 1
    chords = [symbol for symbol, _ in groupby(label.numeral for label in labels[first : place + 1])]
    if cadence.key.mode == "minor" and chords[-1] == "I":
        chords[-1] = "i"
    return tuple(chords)


def _longest(cadence: Cadence, chords: tuple[str, ...]) -> CadenceFormula | None:
    return max(_fitting(cadence, chords), key=lambda formula: len(formula.chords), default=None)


def _fitting(cadence: Cadence, chords: tuple[str, ...]) -> Iterator[CadenceFormula]:
    if cadence.kind in cadence_kinds():
        for formula in cadence_formulas(cadence.kind, cadence.key.mode):
            if chords[-len(formula.chords) :] == formula.chords:
                yield formula


def main() -> None:
    """Print the counts of the training pieces."""
    counts = count_formulas([piece.score for piece in load().scores("train")])
    kinds = [(kind, mode) for kind in cadence_kinds() for mode in MODES]
    names = dict.fromkeys(each.id for kind, mode in kinds for each in cadence_formulas(kind, mode))
    for name in names:
        sys.stdout.write(f"{name}: {', '.join(str(counts[name, mode]) for mode in MODES)}\n")


if __name__ == "__main__":
    main()
