"""Time the exact first-order optimum where chords are free: sopranos of chorales to be harmonised.

    python benchmarks/free_speed.py --sizes 32 128 --pieces 6

The tunes are sopranos of the test pieces of the built-in corpus, strung together and cut to so many
beats; a tune of which that leaves no solution is passed over. Every chord of every key of its phrase in every voicing under the given note is a candidate.
Columns, medians over the tunes, seconds of processor time in one process:

- candidates: a slot, mean and most.
- pairs: of candidates of neighbouring slots; gated: those that chords allow; judged: those that
  the rules were asked about for the optimum, as a share of all pairs.
- lattice, optimum: from a plan to candidates and bounds; to the exact optimum and its cost to go.
- every pair: what judging all pairs takes that chords allow, for the same cost (with `--every`).
- MB: the most memory that the process held, libraries included, with all lattices so far.

Where the legal pairs come from: chords bound what a pair of voicings costs from below, so the
successors of a state are judged in ascending order of bound and cost onward up to the first whose
bound is no better than the best found (`musegen/search/lazy.py`). Nothing is kept from tune to tune.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from musegen.plan.plan import Plan
    from musegen.score import Note, Score
    from theory_kb.check import Style


@dataclass(frozen=True)
class Outcome:
    """What one tune took."""

    candidates: tuple[float, int]  # mean and most of a slot
    pairs: int
    gated: int
    judged: int
    lattice: float  # seconds
    optimum: float
    every: float


def clocked(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of processor time, and what came of it."""
    started = time.process_time()
    made = work()
    return time.process_time() - started, made


def tunes(scores: Sequence[Score], slots: int) -> Iterator[Plan]:
    """Plans of so many slots around sopranos of one key, strung together where they are short."""
    from musegen.plan.setting import plan_around

    for first, head in enumerate(scores):
        same = [
            each
            for each in [*scores[first:], *scores[:first]]
            if (each.key, each.metre, each.upbeat) == (head.key, head.metre, head.upbeat)
        ]
        notes: list[Note] = []
        for each in same * slots:
            if notes and notes[-1].end >= slots:
                break
            bars = -(-notes[-1].end // head.metre.bar) if notes else 0
            shift = bars * head.metre.bar
            notes += [replace(note, onset=note.onset + shift) for note in each.parts[0].notes]
        cut = [note for note in notes if note.end <= notes[0].onset + slots]
        cut[-1] = replace(cut[-1], fermata=True)
        yield plan_around(head, {0: cut}, name="tune")


def outcomes(plans: Iterator[Plan], style: Style, *, every: bool) -> Iterator[Outcome]:
    """Time tunes, each from nothing, but for those without a solution."""
    from musegen.errors import InfeasibleError

    for plan in plans:
        try:
            yield outcome(plan, style, every=every)
        except InfeasibleError:
            continue


def outcome(plan: Plan, style: Style, *, every: bool) -> Outcome:
    """Time one tune, from nothing."""
    import numpy as np

    from musegen.constraints import build_problem, forget
    from musegen.search.lazy import LazyPairTable
    from musegen.search.optimum import first_order_optimum

    forget()
    built, problem = clocked(lambda: build_problem(plan, style))
    solved, _ = clocked(lambda: first_order_optimum(problem.lattice))
    shapes = [table.shape for table in problem.lattice.pairs]
    tables = {id(each): each for each in problem.lattice.pairs}.values()
    lazy = [each for each in tables if isinstance(each, LazyPairTable)]
    sizes = [len(each) for each in problem.lattice.unary]
    return Outcome(
        (float(np.mean(sizes)), max(sizes)),
        sum(rows * columns for rows, columns in shapes),
        sum(each.gated for each in lazy),
        sum(each.judged for each in lazy),
        built,
        solved,
        clocked(lambda: [each.table() for each in lazy])[0] if every else 0.0,
    )


def row(slots: int, found: Sequence[Outcome]) -> str:
    """Medians as a line of the table."""

    def middle(number: Callable[[Outcome], float]) -> float:
        return statistics.median(number(each) for each in found)

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cells = (
        f"{slots}",
        f"{middle(lambda each: each.candidates[0]):.0f}",
        f"{max(each.candidates[1] for each in found)}",
        f"{middle(lambda each: each.pairs):.2e}",
        f"{middle(lambda each: each.gated / each.pairs):.1%}",
        f"{middle(lambda each: each.judged / each.pairs):.1%}",
        f"{middle(lambda each: each.lattice):.3f}",
        f"{middle(lambda each: each.optimum):.3f}",
        f"{middle(lambda each: each.lattice + each.optimum):.3f}",
        f"{max(each.lattice + each.optimum for each in found):.3f}",
        f"{middle(lambda each: each.every):.3f}",
        f"{held:.0f}",
    )
    return f"| {' | '.join(cells)} |"


HEAD = (
    *("slots", "candidates", "most", "pairs", "gated", "judged", "lattice", "optimum"),
    *("both", "worst", "every pair", "MB"),
)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--style", default="bach")
    parser.add_argument("--sizes", type=int, nargs="+", default=[32, 128])
    parser.add_argument("--pieces", type=int, default=6, help="tunes of each size")
    parser.add_argument("--every", action="store_true", help="judge all pairs as well, after")
    options = parser.parse_args()
    import corpora
    from theory_kb.check import load_style

    style = load_style(options.style)
    scores = [piece.score for piece in corpora.load().pieces if piece.split == "test"]
    next(outcomes(tunes(scores, 16), style, every=False))  # loads kernels and facts
    print(f"style {style.name}, {options.pieces} tunes a size, seconds of processor time\n")
    print(f"| {' | '.join(HEAD)} |\n|{'---:|' * len(HEAD)}")
    for slots in options.sizes:
        found = outcomes(tunes(scores, slots), style, every=options.every)
        print(row(slots, list(islice(found, options.pieces))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
