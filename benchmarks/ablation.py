"""Switch the models off one by one, and the rules, and say what changes.

    python benchmarks/ablation.py --pieces 40 --jobs 2

Each row composes the same seeds with other proposers. Findings are the checker's (style `bach`) on
the finished score; log-probability is each model's own, in nats a slot, whether it took part or
not (hmm: exact over chords; lstm: exact over notes; rbm: normalised over the candidates of the
slot). `no rules` keeps the plan's chords but leaves every rule out, so it shows what the models
propose before constraint. The last row is Bach: the test split of the built-in corpus.
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

import numpy as np

ALL = ("hmm", "rbm", "lstm")
ROWS: dict[str, tuple[tuple[str, ...], bool]] = {
    "all three": (ALL, True),
    "without hmm": (("rbm", "lstm"), True),
    "without rbm": (("hmm", "lstm"), True),
    "without lstm": (("hmm", "rbm"), True),
    "hmm only": (("hmm",), True),
    "rbm only": (("rbm",), True),
    "lstm only": (("lstm",), True),
    "rules only": ((), True),
    "all three, no rules": (ALL, False),
}


@dataclass(frozen=True)
class Measured:
    """One piece reduced to figures."""

    findings: Counter[str]  # by severity
    nats: dict[str, float]  # a slot, by model
    step: float  # share of soprano moves by step
    leap: float  # share of soprano moves of a fourth or more
    repeat: float  # share of soprano attacks that repeat
    span: float  # semitones of the soprano
    eighths: float  # share of beats on which some voice moves in eighths


def measure(task: tuple[int, tuple[str, ...], bool]) -> Measured:
    """Compose one piece and measure it."""
    from musegen.encoding import chord_table
    from musegen.models.registry import load_models
    from musegen.tasks.compose import Request, draft
    from musegen.tasks.scorer import path_log_scores

    seed, names, constrained = task
    made = draft(Request(seed=seed, models=names, constrained=constrained))
    everything = replace(made.scorer, models=load_models(ALL, chord_table()))
    logs = path_log_scores(everything, made.beam.paths[0])
    nats = {name: float(values.mean()) for name, values in logs.items()}
    marks = Counter(finding.severity for finding in made.report.findings)
    return Measured(marks, nats, *statistics(made.score))


def statistics(score: object) -> tuple[float, float, float, float, float]:
    """Pitch and rhythm statistics of a score: see `Measured`."""
    notes = score.parts[0].notes  # type: ignore[attr-defined]
    steps = np.array([after.pitch.step - before.pitch.step for before, after in pairwise(notes)])
    moves = np.abs(steps[steps != 0])
    semitones = [note.pitch.semitone for note in notes]
    onsets = {note.onset for part in score.parts for note in part.notes}  # type: ignore[attr-defined]
    beats = {onset // 1 for onset in onsets}
    off = {onset // 1 for onset in onsets if onset % 1}
    return (
        float((moves == 1).mean()),
        float((moves >= 3).mean()),
        float((steps == 0).mean()),
        float(max(semitones) - min(semitones)),
        len(off) / len(beats),
    )


def line(name: str, pieces: Sequence[Measured]) -> str:
    """A row of the table."""
    marks = "  ".join(
        f"{np.mean([piece.findings[mark] for piece in pieces]):6.2f}" for mark in "EWI"
    )
    nats = "  ".join(f"{np.mean([piece.nats[name] for piece in pieces]):6.2f}" for name in ALL)
    rest = "  ".join(
        f"{np.mean([getattr(piece, field) for piece in pieces]):5.2f}"
        for field in ("step", "leap", "repeat", "span", "eighths")
    )
    return f"{name:22}{marks}  {nats}  {rest}"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pieces", type=int, default=40)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    print(f"{options.pieces} pieces a row, seeds 0 to {options.pieces - 1}, width 32")
    print(
        f"{'':22}{'E':>6}  {'W':>6}  {'I':>6}  {'hmm':>6}  {'rbm':>6}  {'lstm':>6}  "
        f"{'step':>5}  {'leap':>5}  {'rep.':>5}  {'span':>5}  {'8ths':>5}"
    )
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        for name, (models, constrained) in ROWS.items():
            tasks = [(seed, models, constrained) for seed in range(options.pieces)]
            print(line(name, list(pool.map(measure, tasks, chunksize=4))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
