"""What a time limit buys: pieces with ornaments, returning themes and long rules.

    python benchmarks/anytime.py --pieces 6 --limits 0.5,2,10

Each piece is composed by form, in style `bach`, with and without models, once for each limit. The
limit is on the search for the chords and voices; ornaments take their own, short time. Columns:

- first: seconds until the first complete solution, median and worst.
- widest: width of the widest beam that ended within the limit, median; `exact` if a proof ended it.
- gap: cost by first-order and long rules above a bound that no solution is below, in nats, mean.
  Models pull against it: with models the score counts, and the gap says what it cost.
- proved: share of pieces of which no solution costs less, proved.
- score: what is maximised, nats of the models less costs, mean.
- overrun: seconds that the search took beyond its limit, worst.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from musegen.tasks.compose import Request, draft
from musegen.tasks.writing import Draft

FORMS = ("chorale", "sentence", "period-parallel")
PROPOSERS = {"none": (), "all three": ("hmm", "rbm", "lstm")}


def requests(pieces: int, models: tuple[str, ...]) -> list[Request]:
    """Pieces of different forms and keys; without models nothing is drawn."""
    return [
        Request(
            form=FORMS[seed % len(FORMS)],
            seed=seed,
            models=models,
            temperature=0.0,
        )
        for seed in range(pieces)
    ]


def widest(drafts: Sequence[Draft]) -> str:
    """The last stage, in the median piece by number of stages."""
    ranked = sorted((made.search.account.steps for made in drafts), key=len)
    return ranked[len(ranked) // 2][-1].stage


def row(name: str, limit: float, drafts: Sequence[Draft]) -> str:
    """One row of the table."""
    steps = [made.search.account.steps for made in drafts]
    first = sorted(each[0].seconds for each in steps)
    over = max(max(each[-1].seconds - limit, 0.0) for each in steps)
    proved = np.mean([made.search.proved for made in drafts])
    return (
        f"| {name} | {limit:g} | {first[len(first) // 2]:.2f}, {first[-1]:.2f} | {widest(drafts)} "
        f"| {np.mean([made.search.gap for made in drafts]):.2f} | {proved:.2f} "
        f"| {np.mean([made.search.score for made in drafts]):.1f} | {over:.2f} |"
    )


def main() -> None:
    """Compose and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--pieces", type=int, default=6)
    parser.add_argument("--limits", default="0.5,2,10")
    options = parser.parse_args()
    draft(Request(seed=0, time_limit=1.0))  # kernels are compiled and weights read before
    print("| proposers | limit, s | first, s | widest | gap | proved | score | overrun, s |")
    print("|---|---:|---:|---|---:|---:|---:|---:|")
    for name, models in PROPOSERS.items():
        for limit in (float(text) for text in options.limits.split(",")):
            asked = [replace(each, time_limit=limit) for each in requests(options.pieces, models)]
            begin = time.perf_counter()
            drafts = [draft(request) for request in asked]
            seconds = (time.perf_counter() - begin) / len(drafts)
            slots = np.mean([len(made.plan.slots) for made in drafts])
            print(row(name, limit, drafts), flush=True)
    print(
        f"\n{slots:.0f} beats a piece; the whole task took {seconds:.1f} s a piece in the last row"
    )


if __name__ == "__main__":
    main()
