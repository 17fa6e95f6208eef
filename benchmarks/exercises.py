"""Items of every kind at every level: refusals, discarded draws, proof, items a second of one processor.

    python -m benchmarks.exercises [SEEDS] [PREFIX ...]

Each item is proved as it is made; here its key and its distractors are graded once more.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from musegen.errors import MusegenError
from musegen.exercises.item import LEVELS
from musegen.exercises.kinds import kind, kinds
from musegen.exercises.making import make_item, proof_faults

__all__ = ["Tally", "main", "tally"]

SEEDS = 40


@dataclass(slots=True)
class Tally:
    """What came of one kind."""

    items: int = 0
    refused: int = 0
    faults: int = 0  # items that the second proof refuses
    seconds: float = 0.0  # of the processor, in making
    discarded: Counter[str] = field(default_factory=Counter)  # draws by reason

    @property
    def share(self) -> float:
        """Discarded draws, of all draws."""
        thrown = sum(self.discarded.values())
        return thrown / (thrown + self.items) if thrown else 0.0


def tally(name: str, seeds: int) -> Tally:
    """Make a kind at every level from so many seeds."""
    found = Tally()
    make_item(name, 1, 0)  # tables are read once, whatever the kind
    for level in LEVELS:
        for seed in range(seeds):
            start = time.process_time()
            try:
                made = make_item(name, level, seed)
            except MusegenError as error:
                found.refused += 1
                print(f"{name} L{level} seed {seed}: {error}")
                continue
            found.seconds += time.process_time() - start
            found.items += 1
            found.discarded.update(made.discarded)
            found.faults += bool(proof_faults(kind(name), made.item))
    return found


def main() -> None:
    """Print one row a kind, and the reasons of what was discarded most."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS
    prefixes = tuple(sys.argv[2:]) or ("",)
    print(
        f"{'kind':<22} {'items':>6} {'refused':>8} {'faults':>7} {'discarded':>10} {'items/s':>8}"
    )
    for name in kinds():
        if name.startswith(prefixes):
            row = tally(name, seeds)
            rate = row.items / row.seconds if row.seconds else 0.0
            print(
                f"{name:<22} {row.items:>6} {row.refused:>8} {row.faults:>7} {row.share:>9.1%}"
                f" {rate:>8.0f}  {dict(row.discarded.most_common(2)) or ''}",
                flush=True,
            )


if __name__ == "__main__":
    main()
