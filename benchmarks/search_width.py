"""How wide a beam must be: its first-order cost beside the exact optimum.

    python benchmarks/search_width.py --problems 200 --chords 32

Each problem is a row of chords in four voices under the pair rules of a style: a random walk
through everyday chords, by progressions that the knowledge graph grades common or better, from the
tonic to the tonic, in a random key. Every second problem is in minor. Columns:

- optimal: share of problems in which the beam finds a path that costs no more than the optimum.
- gap: how far its cost is above the optimum, mean over all problems, in nats and as a share of it.

With the guide (the exact first-order cost to go, as the writing tasks use it) even a beam of one is
optimal; the table without it says what the width alone does, as where models or long rules pull.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache

import numpy as np

from musegen.constraints import build_problem
from musegen.errors import InfeasibleError
from musegen.plan.plan import COMMON, Harmony
from musegen.plan.setting import plan_of_chords
from musegen.score import Metre
from musegen.search.beam import beam_search
from musegen.search.lattice import Lattice
from musegen.search.optimum import first_order_optimum
from theory_kb.check import Style, load_style
from theory_kb.chords import Chord, chord
from theory_kb.pitch import Key, PitchClass
from theory_kb.query import grade_table

WIDTHS = (1, 2, 4, 8, 16, 32, 64)
STYLES = ("strict", "bach")
EVERYDAY = {
    "major": "I I6 ii ii6 ii65 iii IV IV6 V V6 V7 V65 V43 vi viio6",
    "minor": "i i6 iio6 iiø65 III iv iv6 V V6 V7 V65 V43 VI viio6 viio7",
}
NEAR = 1e-9  # costs that differ by less are equal


def lattice_of(harmonies: Sequence[Harmony], style: Style) -> Lattice | None:
    """The lattice of a row of chords, one a beat; None if the rules leave no solution."""
    row = [(each, Fraction(1)) for each in harmonies]
    try:
        lattice = build_problem(plan_of_chords(row, metre=Metre(4, 4)), style).lattice
        first_order_optimum(lattice)
    except InfeasibleError:
        return None
    return lattice


@cache
def voiceable(first: Chord, second: Chord, style: Style) -> bool:
    """Whether one chord may follow another, and can under the pair rules."""
    if first.members[0] == second.members[0] or grade_table()[first.index, second.index] < COMMON:
        return False
    key = Key(PitchClass(0 if first.mode == "major" else 3), first.mode)
    return lattice_of([Harmony(key, first), Harmony(key, second)], style) is not None


def progression(
    rng: np.random.Generator, count: int, mode: str, style: Style
) -> tuple[Harmony, ...]:
    """A random walk of so many chords, each to another root, from tonic to tonic."""
    tonic = chord(mode, "I" if mode == "major" else "i")
    key = Key(PitchClass(int(rng.integers(-3, 4)) + (3 if mode == "minor" else 0)), mode)
    known = [chord(mode, name) for name in EVERYDAY[mode].split()]
    reach = [[tonic]]  # from the end backwards: what leads to the tonic in so many steps
    for _ in range(count - 1):
        reach.append([one for one in known if any(voiceable(one, by, style) for by in reach[-1])])
    walk: list[Chord] = [tonic]
    for left in range(count - 2, -1, -1):
        ways = [each for each in reach[left] if voiceable(walk[-1], each, style)]
        walk.append(ways[int(rng.integers(len(ways)))])
    return tuple(Harmony(key, each) for each in walk)


def problems(style: Style, count: int, chords: int, seed: int) -> Iterator[Lattice]:
    """Lattices of random progressions that have a solution."""
    rng = np.random.default_rng(seed)
    made = 0
    while made < count:
        mode = ("major", "minor")[made % 2]
        lattice = lattice_of(progression(rng, chords, mode, style), style)
        if lattice is not None:
            made += 1
            yield lattice


def gaps(lattice: Lattice, guide: float) -> tuple[list[float], float]:
    """Cost above the optimum by width, and the optimum."""
    optimum = first_order_optimum(lattice).cost
    found = [
        -beam_search(lattice, width=width, guide=guide).terms[0]["rules"] - optimum
        for width in WIDTHS
    ]
    return found, optimum


def rows(style: str, lattices: Sequence[Lattice], guide: float) -> Iterator[str]:
    """The rows of the table for one style."""
    measured = [gaps(lattice, guide) for lattice in lattices]
    above = np.maximum([found for found, _ in measured], 0.0)  # below it only by rounding
    optima = np.array([optimum for _, optimum in measured])
    for place, width in enumerate(WIDTHS):
        column = above[:, place]
        yield (
            f"| {style} | {'yes' if guide else 'no'} | {width} | {np.mean(column < NEAR):.3f} "
            f"| {column.mean():.3f} | {column.mean() / optima.mean():.2%} |"
        )


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--chords", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(f"{options.problems} problems of {options.chords} chords, seed {options.seed}\n")
    print(
        "| style | guide | width | optimal | gap, nats | gap, share |\n|---|---|---:|---:|---:|---:|"
    )
    for style in STYLES:
        made = problems(load_style(style), options.problems, options.chords, options.seed)
        lattices = list(made)
        for guide in (0.0, 1.0):
            for row in rows(style, lattices, guide):
                print(row, flush=True)


if __name__ == "__main__":
    main()
