"""Realise random grammatical progressions, as Roman numerals and as figured basses.

    python benchmarks/realise.py --pieces 125 --seed 0 --jobs 2

Each progression is a walk over the common steps of the knowledge graph (grade B or better), 8 to 32
chords in a random key, that begins on the tonic and ends with V7 (or V) and the tonic. It is given
as Roman numerals, and as a bass with the figures of its chords, a note a beat: the bass of a
realisation, so that there is one for a choir. Each is realised for a choir (style bach) and at the
keyboard (style kbd), without models. Columns:

- solved: pieces for which a solution was found, under all hard rules but those that what is given
  breaks whatever is written.
- E notes: errors in the notes a piece; the order of the chords is given and not counted.
- E given: those that every voicing has at that place, such as a leap of the given bass, a piece.
- E, W, I: findings of all kinds a piece.
- same chords: share of pieces in which the figures were named as the numerals they came from.
- seconds: median and 95th percentile a piece, kernels compiled.
- gap: nats of first-order cost above the exact optimum, median.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from theory_kb.chords import Chord
    from theory_kb.pitch import Key

SHORTEST, LONGEST = 8, 32
COMMON = 2  # grade B
TONICS = range(-5, 6)
CASES = [(form, texture) for form in ("numerals", "figures") for texture in ("chorale", "keyboard")]


@dataclass(frozen=True)
class Task:
    """A progression as two texts."""

    numerals: str
    figures: str
    symbols: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What came of one realisation."""

    solved: bool
    reason: str = ""
    notes: int = 0
    given: int = 0
    found: tuple[int, int, int] = (0, 0, 0)
    same: bool = False
    seconds: float = 0.0
    gap: float = 0.0
    voices: int = 0


def progression(rng: np.random.Generator) -> Task | None:
    """A random walk over the graph, as text; None if it cannot be realised."""
    from theory_kb.chords import chord, vocabulary
    from theory_kb.pitch import Key, PitchClass
    from theory_kb.query import grade_table

    mode = ("major", "minor")[int(rng.integers(2))]
    key = Key(PitchClass(int(rng.choice(TONICS)) + (3 if mode == "minor" else 0)), mode)
    tonic = chord(mode, "I" if mode == "major" else "i")
    chords = [each for each in vocabulary() if each.mode == mode and each.use != "rare"]
    grades = grade_table()
    length = int(rng.integers(SHORTEST, LONGEST + 1))
    walk = [tonic]
    close = [chord(mode, str(rng.choice(["V7", "V"]))), tonic]
    while len(walk) < length - 2 or grades[walk[-1].index, close[0].index] < COMMON:
        near = [each for each in chords if grades[walk[-1].index, each.index] >= COMMON]
        walk.append(near[int(rng.integers(len(near)))] if len(walk) < 2 * LONGEST else tonic)
    return _task(key, [*walk, *close])


def _task(key: Key, walk: Sequence[Chord]) -> Task | None:
    """A progression as numerals, and as the bass of a realisation with its figures."""
    from musegen.errors import DeadEndError, InfeasibleError
    from musegen.tasks.realise import realise
    from musegen.tasks.writing import Options
    from theory_kb.thoroughbass import figures_of

    symbols = tuple(each.symbol for each in walk)
    numerals = f"{key}: {' '.join(symbols)}"
    try:
        (made,) = realise(numerals, Options(models=(), temperature=0.0, figures=False))
    except (InfeasibleError, DeadEndError):
        return None
    notes = zip(made.score.parts[-1].notes, walk, strict=True)
    bass = " ".join(f"{note.pitch}[{figures_of(each, key).text}]" for note, each in notes)
    return Task(numerals, f"{key}: {bass}", symbols)


def outcome(job: tuple[Task, str, str]) -> Outcome:
    """Realise one task."""
    from musegen.errors import MusegenError
    from musegen.tasks.realise import realise
    from musegen.tasks.writing import Options
    from theory_kb.rules.records import rule

    task, form, texture = job
    options = Options(models=(), temperature=0.0, figures=False)
    started = time.perf_counter()
    try:
        (made,) = realise(getattr(task, form), options, texture=texture, unfigured=None)
    except MusegenError as error:
        return Outcome(False, type(error).__name__, seconds=time.perf_counter() - started)
    seconds = time.perf_counter() - started
    found = made.report.findings
    errors = [each for each in found if each.severity == "E"]
    voices = [each for each in errors if rule(each.rule).scope not in ("H2", "P", "W")]
    own = [each for each in voices if each.rule not in made.problem.forced]
    counts = Counter(each.severity for each in found)
    return Outcome(
        True,
        ", ".join(sorted({each.rule for each in own})),
        len(own),
        len(voices) - len(own),
        (counts["E"], counts["W"], counts["I"]),
        tuple(label.numeral for label in made.score.chords) == task.symbols,
        seconds,
        made.cost - made.optimum,
        len(made.score.parts),
    )


def row(form: str, texture: str, found: Sequence[Outcome]) -> str:
    """One line of the table."""
    solved = [each for each in found if each.solved]
    if not solved:
        return f"| {form} | {texture} | 0 of {len(found)} | | | | | | | | |"
    mean = [np.mean([each.found[place] for each in solved]) for place in range(3)]
    times = [each.seconds for each in found]
    return (
        f"| {form} | {texture} | {len(solved)} of {len(found)} "
        f"| {np.mean([each.notes for each in solved]):.3f} "
        f"| {np.mean([each.given for each in solved]):.2f} "
        f"| {mean[0]:.2f} | {mean[1]:.2f} | {mean[2]:.2f} "
        f"| {np.mean([each.same for each in solved]):.1%} "
        f"| {np.median(times):.2f}, {np.percentile(times, 95):.2f} "
        f"| {np.median([each.gap for each in solved]):.2f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--pieces", type=int, default=125, help="progressions, each in four rows")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    drawn = [progression(rng) for _ in range(given.pieces)]
    tasks = [each for each in drawn if each is not None]
    write = sys.stdout.write
    write(
        f"{len(drawn) - len(tasks)} of {len(drawn)} progressions have no realisation for a choir in "
        "style bach and so no bass; they are left out of all rows\n\n"
    )
    write(
        "| given as | for | solved | E notes | E given | E | W | I | same chords | seconds | gap (nats) |\n"
    )
    write("|---|---|---|---|---|---|---|---|---|---|---|\n")
    asides = []
    with ProcessPoolExecutor(given.jobs, get_context("spawn")) as pool:
        list(pool.map(outcome, [(tasks[0], *case) for case in CASES * given.jobs]))  # compiles
        for form, texture in CASES:
            found = list(pool.map(outcome, [(task, form, texture) for task in tasks]))
            write(row(form, texture, found) + "\n")
            sys.stdout.flush()
            reasons = Counter(each.reason for each in found if each.reason)
            fewer = sum(each.voices == 3 for each in found)
            asides.append(f"{form}, {texture}: {dict(reasons)}; in three voices: {fewer}")
    write("\n" + "\n".join(asides) + "\n")


if __name__ == "__main__":
    main()
