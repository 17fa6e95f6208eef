"""What policy gradient gains and gives up: the LSTM over notes before and after, and Bach beside them.

    python benchmarks/reinforce.py --data jsb-pianoroll=FILE --prior lstm.safetensors \
        --tuned lstm-reinforce.safetensors [...] [--pieces 100] [--frames 64]

Both models draw as many pieces by themselves, without search, one random stream a piece; Bach's row is as
many beginnings of test and validation pieces. Findings are the checker's, style bach, as `musegen
compare` reads rolls; those per 1000 moves do not reward pieces that stand still. Entropy: nats a
frame of the model's own pieces under itself. Likelihoods are exact, convention A.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from musegen.comparison.scores import Findings
    from musegen.models.rolls import FrameSampler, Roll

PASSAGES = (1, 2, 4)  # frames
COLUMNS = (
    "model",
    "valid A",
    "test A",
    "E",
    "W",
    "I",
    "E / 1000 moves",
    "W / 1000 moves",
    "I / 1000 moves",
    "moves",
    "likeness",
    *(f"distinct {length}" for length in PASSAGES),
    *(f"shared {length}" for length in PASSAGES),
    "entropy",
)


def _drawn(model: FrameSampler, pieces: int, frames: int) -> list[Roll]:
    from rich.console import Console
    from rich.progress import track

    from musegen.models.rolls import Roll

    found = []
    shown = Console(stderr=True)
    for number in track(range(pieces), f"drawing from {model.name}", console=shown, transient=True):
        rng = np.random.default_rng([0, number])
        found.append(Roll(f"{model.name} {number}", model.sample(frames, rng).frames))
    return found


def _judged(rolls: Sequence[Roll], train: Sequence[Roll]) -> list[float]:
    """Findings a piece, per 1000 moves, moves a piece, likeness, diversity."""
    from musegen.comparison.diversity import distinct_share, shared_share
    from musegen.comparison.judging import RANGE_RULES, rule_judge
    from musegen.comparison.scores import findings, score_of
    from musegen.errors import ScoreError

    told: list[Findings] = []
    for roll in rolls:
        try:
            told.append(findings(score_of(roll, roll.name), without=RANGE_RULES))
        except ScoreError as error:
            sys.stderr.write(f"left out of the findings: {error}\n")
    counts = [float(np.mean([each.count(level) for each in told])) for level in "EWI"]
    moves = float(np.mean([each.moves for each in told]))
    judge = rule_judge(train)
    likeness = float(np.mean([judge(roll).likeness for roll in rolls]))
    varied = [
        share(rolls, length) or 0.0
        for share in (distinct_share, shared_share)
        for length in PASSAGES
    ]
    return [*counts, *(1000 * count / moves for count in counts), moves, likeness, *varied]


def _row(name: str, values: Sequence[float | None]) -> str:
    cells = ("-" if value is None else f"{value:.3f}" for value in values)
    return f"| {name} | {' | '.join(cells)} |\n"


def main() -> None:
    """Draw, judge, print the table."""
    from corpora.rolls import read_benchmark
    from musegen.models.roll_models import load_frame_model
    from musegen.models.rolls import Roll, negative_log_likelihood
    from musegen.threads import one_thread

    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", required=True, help="NAME=PATH, such as jsb-pianoroll=FILE")
    parser.add_argument("--prior", type=Path, required=True)
    parser.add_argument("--tuned", type=Path, default=[], nargs="+")
    parser.add_argument("--pieces", type=int, default=100)
    parser.add_argument("--frames", type=int, default=64)
    options = parser.parse_args()
    name, _, path = options.data.partition("=")
    splits = read_benchmark(name, Path(path)).splits
    sys.stdout.write(f"| {' | '.join(COLUMNS)} |\n|---{'|---:' * (len(COLUMNS) - 1)}|\n")
    long = [
        roll for roll in (*splits["test"], *splits["valid"]) if len(roll.frames) >= options.frames
    ]
    bach = [Roll(roll.name, roll.frames[: options.frames]) for roll in long[: options.pieces]]
    judged = _judged(bach, splits["train"])
    sys.stdout.write(_row(f"Bach, {len(bach)} pieces", [None, None, *judged, None]))
    with one_thread():
        for file in (options.prior, *options.tuned):
            model = load_frame_model(file).model
            rolls = _drawn(model, options.pieces, options.frames)
            nats = [
                negative_log_likelihood(model.frame_log_probs(some))
                for some in (splits["valid"], splits["test"], rolls)
            ]
            judged = _judged(rolls, splits["train"])
            sys.stdout.write(_row(file.stem, [*nats[:2], *judged, nats[2]]))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
