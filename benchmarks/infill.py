"""Rewrite windows of chorales that no model was trained on, and hold them against Bach's own notes.

    python benchmarks/infill.py --pieces 68 --jobs 2

From each test piece of the built-in corpus one window of two bars is drawn by its number; in each the
voices of a row are written anew, everything else stands. Columns:

- windows: how many were asked for; refused: those in which a voice rests or nothing is left open.
- solved: share of the others for which notes under all hard rules of style `bach` were found.
- new E: errors of the checker a window that the piece did not have before.
- like Bach: share of beats and rewritten voices with Bach's own pitch at the onset.
- chance: the same for a voicing drawn evenly from the candidates of the beat.
- other: share of the notes that differ from Bach's in pitch, onset or length.
- seconds: median a window, in one process, the analysis of the whole piece included.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from musegen.score import Score
    from musegen.tasks.infill import Passage
    from musegen.tasks.writing import Draft

ROWS: tuple[tuple[str, ...], ...] = (
    ("alto", "tenor"),
    ("soprano",),
    ("bass",),
    ("alto", "tenor", "bass"),
    ("soprano", "alto", "tenor", "bass"),
)
BARS = 2


@dataclass(frozen=True)
class Outcome:
    """What came of one window."""

    refused: str = ""
    failed: str = ""
    errors: int = 0
    like: tuple[float, int] = (0.0, 0)  # equal, compared
    chance: float = 0.0  # equal
    distance: float = 0.0
    seconds: float = 0.0


def _outcome(job: tuple[int, Score, tuple[str, ...], tuple[str, ...]]) -> Outcome:
    from musegen.errors import DeadEndError, InfeasibleError, ScoreError
    from musegen.io.notation import bars
    from musegen.tasks.infill import note_distance, passage, rewrite
    from musegen.tasks.writing import Options

    number, bach, voices, models = job
    last = bars(bach)[-1].number
    first = int(np.random.default_rng(number).integers(1, max(2, last - BARS + 2)))
    options = Options(models=models, temperature=0.0)
    begin = time.perf_counter()
    try:
        here = passage(bach, options, voices=voices, bars=(first, min(first + BARS - 1, last)))
        made = rewrite(here, options)
    except (InfeasibleError, DeadEndError) as error:
        return Outcome(failed=f"{bach.title}: {error}", seconds=time.perf_counter() - begin)
    except ScoreError as error:
        return Outcome(refused=str(error))
    seconds = time.perf_counter() - begin
    new = [
        each
        for each in made.report.findings
        if each.severity == "E" and each.place not in here.known
    ]
    equal, chance, count = _likeness(here, made)
    distance = note_distance(here.score, made.score, here.window)
    return Outcome("", "", len(new), (equal, count), chance, distance, seconds)


def _likeness(here: Passage, made: Draft) -> tuple[float, float, int]:
    """Beats and voices with the piece's own pitch at the onset: found, by chance, compared."""
    from musegen.slices import sounding

    equal, chance, count = 0.0, 0.0, 0
    for place, slot in enumerate(made.plan.slots):
        for voice in slot.free:
            old, new = (
                sounding(score.parts[voice].notes, slot.onset) for score in (here.score, made.score)
            )
            assert old is not None, "free voices sound"
            assert new is not None, "free voices sound"
            equal += old.pitch == new.pitch
            heights = made.problem.slots[place].moments["semitone"][:, voice]
            chance += float((heights == old.pitch.semitone).mean())
            count += 1
    return equal, chance, count


def _row(voices: Sequence[str], outcomes: Sequence[Outcome]) -> str:
    asked = [each for each in outcomes if not each.refused]
    solved = [each for each in asked if not each.failed]
    compared = max(1, sum(each.like[1] for each in solved))
    cells = [
        " ".join(voices),
        str(len(outcomes)),
        str(len(outcomes) - len(asked)),
        f"{len(solved) / max(1, len(asked)):.3f}",
        f"{sum(each.errors for each in solved) / max(1, len(solved)):.2f}",
        f"{sum(each.like[0] for each in solved) / compared:.2f}",
        f"{sum(each.chance for each in solved) / compared:.2f}",
        f"{sum(each.distance for each in solved) / max(1, len(solved)):.2f}",
        f"{median([each.seconds for each in solved] or [0.0]):.2f}",
    ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pieces", type=int, default=68)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--models", default="hmm,rbm,lstm", help="with commas, or none")
    asked = parser.parse_args()
    from corpora.corpus import load

    models = () if asked.models == "none" else tuple(asked.models.split(","))
    pieces = [each.score for each in load().pieces if each.split == "test"][: asked.pieces]
    names = ("voices", "windows", "refused", "solved", "new E", "like Bach", "chance", "other")
    sys.stdout.write(f"| {' | '.join((*names, 'seconds'))} |\n|{'---|' * (len(names) + 1)}\n")
    with ProcessPoolExecutor(asked.jobs, get_context("spawn")) as pool:
        for voices in ROWS:
            jobs = [(number, score, voices, models) for number, score in enumerate(pieces)]
            outcomes = list(pool.map(_outcome, jobs))
            sys.stdout.write(_row(voices, outcomes) + "\n")
            for each in outcomes:
                if each.failed or each.refused:
                    sys.stderr.write(f"{' '.join(voices)}: {each.failed or each.refused}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
