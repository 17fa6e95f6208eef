"""Count how tunes fill their bars: note values by metre, and which of four bars share them.

    python -m corpora.count_rhythms > musegen/weights/rhythms.json

Reads the folk songs (Essen collection) and dance tunes (Ryan's Mammoth Collection) that come with
music21. A bar counts if it is full, without rests, ties into it or out of it, and triplets; the
last full bar of a tune counts as an end. Of each metre the patterns are kept that make up most
bars. A plan names the patterns of four bars in a row, from the first full bar of a tune on, by letters:
in `abac` the first and third bars are alike.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from musegen.errors import ScoreError
from musegen.io.abc_reading import read_abc
from musegen.score import Note, Score

__all__ = ["count_plans", "count_rhythms", "main"]

FOLDERS = ("essenFolksong", "ryansMammoth")
METRES = ("2/4", "3/4", "4/4", "2/2", "3/8", "6/8", "3/2", "9/8", "12/8", "6/4")
KEPT = 32  # patterns of a metre
FEWEST = 3  # bars with a pattern that is kept
FINEST = Fraction(1, 4)  # quarter notes
PLAN = 4  # bars


def count_rhythms(scores: Sequence[Score]) -> dict[str, dict[str, dict[str, int]]]:
    """Bars by metre, `inner` or `end`, and pattern: durations in quarter notes, with spaces."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for score in filter(_is_tune, scores):
        bars = list(_bars(score))
        for place, pattern in bars:
            kind = "end" if place == bars[-1][0] else "inner"
            found.setdefault((str(score.metre), kind), Counter())[pattern] += 1
    return {
        metre: {
            kind: {
                pattern: count
                for pattern, count in found.get((metre, kind), Counter()).most_common(KEPT)
                if count >= FEWEST
            }
            for kind in ("inner", "end")
        }
        for metre in METRES
    }


def count_plans(scores: Sequence[Score]) -> dict[str, dict[str, int]]:
    """Groups of four bars by metre and plan, such as `abac`."""
    found: dict[str, Counter[str]] = {}
    for score in filter(_is_tune, scores):
        bars = dict(_bars(score))
        for first in range(1, max(bars, default=0) + 1, PLAN):
            group = [bars.get(first + place) for place in range(PLAN)]
            if all(group):
                letters = {each: "abcd"[n] for n, each in enumerate(dict.fromkeys(group))}
                plan = "".join(letters[each] for each in group)
                found.setdefault(str(score.metre), Counter())[plan] += 1
    return {
        metre: {
            plan: count
            for plan, count in found.get(metre, Counter()).most_common()
            if count >= FEWEST
        }
        for metre in METRES
    }


def _is_tune(score: Score) -> bool:
    """Whether a score is one line in one metre."""
    return len(score.parts) == len(score.metres) == 1


def _bars(score: Score) -> Iterator[tuple[int, str]]:
    """Number and pattern of each bar that counts."""
    inside: dict[int, list[Note]] = {}
    for note in score.parts[0].notes:
        inside.setdefault(score.bar_and_beat(note.onset)[0], []).append(note)
    for number, notes in sorted(inside.items()):
        _, beat = score.bar_and_beat(notes[0].onset)
        joined = all(before.end == after.onset for before, after in pairwise(notes))
        full = beat == 1 and notes[-1].end - notes[0].onset == score.metre.bar
        plain = all((note.duration / FINEST).denominator == 1 for note in notes)
        if number and joined and full and plain:
            yield number, " ".join(str(note.duration) for note in notes)


def main() -> None:
    """Print the counts as JSON."""
    spec = find_spec("music21")
    assert spec is not None and spec.origin is not None  # noqa: PT018 - one fact: it is installed
    corpus = Path(spec.origin).parent / "corpus"
    scores = [
        reading.score
        for folder in FOLDERS
        for path in sorted((corpus / folder).glob("*.abc"))
        for reading in read_abc(path)
        if not isinstance(reading, ScoreError)
    ]
    record = {
        "counted": f"{len(scores)} tunes of {' and '.join(FOLDERS)} as music21 carries them",
        "made by": "python -m corpora.count_rhythms",
        "counts": count_rhythms(scores),
        "plans": count_plans(scores),
    }
    sys.stdout.write(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
