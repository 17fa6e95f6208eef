"""Compose chorales with seeds 0, 1, 2 ... and hold them against what the README says of them.

    python benchmarks/two_hundred.py --pieces 200 --jobs 2

Each piece is composed in style `bach` and checked by the rules that composed it: no finding of
severity E, no dead end, all pieces distinct. Then each is composed again in another process and
its MusicXML and MIDI compared byte by byte. Prints a table and pieces a minute (whole processes,
writing of audio and pictures left out).
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context


@dataclass(frozen=True)
class Outcome:
    """What came of one seed."""

    seed: int
    digest: str  # of MusicXML and MIDI
    notes: str  # digest of the notes alone, without title and credit
    findings: tuple[tuple[str, str], ...]  # (severity, rule)
    redraws: int
    gap: float


def compose_one(seed: int) -> Outcome:
    """Compose one seed and reduce it to what is compared."""
    from musegen import compose
    from musegen.io.midi import write_midi

    piece = compose(seed=seed)
    digest = hashlib.sha256(piece.musicxml + write_midi(piece.score)).hexdigest()
    notes = hashlib.sha256(repr(piece.score.parts).encode()).hexdigest()
    findings = tuple((finding.severity, finding.rule) for finding in piece.findings)
    return Outcome(
        seed, digest, notes, findings, piece.draft.redraws, piece.draft.cost - piece.draft.optimum
    )


def run(seeds: range, jobs: int) -> tuple[list[Outcome], float]:
    """Outcomes of all seeds in fresh processes, and the seconds it took."""
    started = time.perf_counter()
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        outcomes = list(pool.map(compose_one, seeds, chunksize=5))
    return outcomes, time.perf_counter() - started


def main() -> int:
    """Print the table; exit 1 if a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pieces", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-repeat", action="store_true", help="leave the second run out")
    options = parser.parse_args()
    first, seconds = run(range(options.pieces), options.jobs)
    again = first if options.no_repeat else run(range(options.pieces), options.jobs)[0]
    errors = Counter(rule for one in first for mark, rule in one.findings if mark == "E")
    marks = Counter(mark for one in first for mark, _ in one.findings)
    rules = Counter(f"{mark} {rule}" for one in first for mark, rule in one.findings)
    distinct = len({one.notes for one in first})
    same = sum(one.digest == other.digest for one, other in zip(first, again, strict=True))
    print(f"pieces                     {len(first)}")
    print(f"with a finding of E        {sum(any(m == 'E' for m, _ in o.findings) for o in first)}")
    print(f"distinct                   {distinct}")
    print(f"same bytes, second process {'not run' if options.no_repeat else same}")
    print(
        "findings a piece           "
        + ", ".join(f"{m} {c / len(first):.2f}" for m, c in sorted(marks.items()))
    )
    print(f"surfaces drawn anew        {sum(one.redraws for one in first)}")
    gaps = sorted(one.gap for one in first)
    print(f"gap to the optimum         median {gaps[len(gaps) // 2]:.1f} nats of first-order cost")
    print(f"pieces a minute            {60 * len(first) / seconds:.0f} ({options.jobs} processes)")
    for rule, count in rules.most_common(20):
        print(f"  {count / len(first):6.2f} a piece  {rule}")
    return 1 if errors or distinct < len(first) or same < len(first) else 0


if __name__ == "__main__":
    sys.exit(main())
