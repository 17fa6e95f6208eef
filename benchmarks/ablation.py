"""Switch the models off one by one, and the rules, and say what changes.

    python benchmarks/ablation.py --pieces 40 --jobs 2

Each row composes the same seeds with other proposers, once under the rules and once without them;
`none` leaves the draw to chance. Columns:

- before: findings of severity E and W by the checker (style `bach`) where no rule constrains, so what
  the models propose by themselves within the plan's chords; after: the same under the rules. Both
  a 32 quarter notes, the length of a chorale of ours.
- hmm, rbm, lstm: log-probability of the piece under the rules by each model, in nats a slot, whether it
  took part or not (hmm: exact, of the chords; lstm: exact, of the notes; rbm: normalised over
  the slot's candidates, so not to be held against Bach's). Higher is likelier.
- of the soprano: share of moves by step, of moves by a fourth or more, of repeated attacks, span
  in semitones; 8ths: share of beats in which some voice moves in eighths.

The last row is Bach, the test pieces of the built-in corpus, read by the same checker; its nats are
those on the models' cards.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from musegen.score import Score

ALL = ("hmm", "rbm", "lstm")
ROWS: dict[str, tuple[str, ...]] = {
    "all three": ALL,
    "without hmm": ("rbm", "lstm"),
    "without rbm": ("hmm", "lstm"),
    "without lstm": ("hmm", "rbm"),
    "hmm only": ("hmm",),
    "rbm only": ("rbm",),
    "lstm only": ("lstm",),
    "none": (),
}
STATISTICS = ("step", "leap", "repeat", "span", "eighths")
LENGTH = 32  # quarter notes
CARD_METRICS = {"hmm": "negative log-likelihood of chords", "lstm": "negative log-likelihood"}


@dataclass(frozen=True)
class Measured:
    """One piece reduced to figures."""

    before: Counter[str]  # findings without rules by severity
    after: Counter[str]  # findings under the rules
    quarters: float
    nats: dict[str, float]  # a slot, by model
    statistics: tuple[float, ...]  # see STATISTICS


def measure(task: tuple[int, tuple[str, ...]]) -> Measured:
    """Compose one seed with and without rules, and measure it."""
    from musegen.encoding import chord_table
    from musegen.models.registry import load_models
    from musegen.tasks.compose import Request, draft
    from musegen.tasks.scorer import path_log_scores

    seed, names = task
    free = draft(Request(seed=seed, models=names, constrained=False))
    made = draft(Request(seed=seed, models=names))
    everything = replace(made.scorer, models=load_models(ALL, chord_table()))
    logs = path_log_scores(everything, made.path)
    return Measured(
        Counter(finding.severity for finding in free.report.findings),
        Counter(finding.severity for finding in made.report.findings),
        float(made.score.duration),
        {name: float(values.mean()) for name, values in logs.items()},
        statistics(made.score),
    )


def bach() -> list[Measured]:
    """The test pieces of the corpus, measured alike."""
    import corpora
    from musegen.models.cards import load_weights
    from musegen.models.registry import WEIGHTS
    from musegen.slices import piece
    from theory_kb.check import check, load_style

    nats = {"rbm": float("nan")}
    for name, wanted in CARD_METRICS.items():
        _, card = load_weights(WEIGHTS / f"{name}.safetensors", name)
        nats[name] = -next(
            metric.value
            for metric in card.metrics
            if (metric.name, metric.split, metric.unit) == (wanted, "test", "nats per slot")
        )
    style = load_style("bach")
    measured = []
    for each in corpora.load().scores("test"):
        found = Counter(finding.severity for finding in check(piece(each.score), style).findings)
        figures = statistics(each.score)
        measured.append(Measured(found, found, float(each.score.duration), nats, figures))
    return measured


def statistics(score: Score) -> tuple[float, ...]:
    """Pitch and rhythm statistics of a score: see `STATISTICS`."""
    notes = score.parts[0].notes
    steps = np.array([after.pitch.step - before.pitch.step for before, after in pairwise(notes)])
    moves = np.abs(steps[steps != 0])
    semitones = [note.pitch.semitone for note in notes]
    onsets = {note.onset for part in score.parts for note in part.notes}
    beats = {onset // 1 for onset in onsets}
    off = {onset // 1 for onset in onsets if onset % 1}
    return (
        float((moves == 1).mean()),
        float((moves >= 3).mean()),
        float((steps == 0).mean()),
        float(max(semitones) - min(semitones)),
        len(off) / len(beats),
    )


def line(name: str, pieces: Sequence[Measured], *, before: bool = True) -> str:
    """A row of the table, in Markdown."""
    length = sum(piece.quarters for piece in pieces) / LENGTH
    found = [
        sum(getattr(piece, stage)[mark] for piece in pieces) / length
        for stage in ("before", "after")
        for mark in "EW"
    ]
    nats = [float(np.mean([piece.nats[model] for piece in pieces])) for model in ALL]
    figures = np.mean([piece.statistics for piece in pieces], axis=0)
    cells = [f"{value:.2f}" for value in (*found, *nats, *figures)]
    if not before:
        cells[:2] = "-", "-"
    cells = ["-" if cell == "nan" else cell for cell in cells]
    return f"| {name} | {' | '.join(cells)} |"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pieces", type=int, default=40)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    head = ("E before", "W before", "E", "W", *ALL, *STATISTICS)
    print(f"{options.pieces} pieces a row, seeds 0 to {options.pieces - 1}, width 32\n")
    print(f"| models | {' | '.join(head)} |")
    print(f"|---|{'---:|' * len(head)}")
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        for name, models in ROWS.items():
            tasks = [(seed, models) for seed in range(options.pieces)]
            print(line(name, list(pool.map(measure, tasks, chunksize=4))), flush=True)
    print(line("Bach", bach(), before=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
