"""Write species counterpoint over every stored cantus firmus, and let the checker judge it.

    python benchmarks/counterpoint.py --pieces 200 --jobs 2
    python benchmarks/counterpoint.py --pieces 40 --voices 3 --rows 4-above,5-below

Each row is a species and a place of the counterpoint; its pieces go round the stored cantus firmi with
seeds from 0 up, drawn with a temperature. Columns:

- solved: share for which a counterpoint was found; what was refused is printed below with its reason.
- distinct: different counterpoints among them.
- E, W, I: findings of `musegen check` a piece, in style `fux2` or `fux3`.
- of it cantus: W a piece that lie on the given cantus alone, which no counterpoint could mend.
- solutions: median number of counterpoints that keep every hard rule on at most three notes, exact.
- seconds: median a piece, and the longest, of processor time. The pieces of a cantus are written one
  after another, so that only the first of them builds its lattice.

`--rows` takes species and places with commas; without it all are run.
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
from statistics import median

POSITIONS = {2: ("above", "below"), 3: ("above", "around", "below")}


@dataclass(frozen=True, slots=True)
class Job:
    """One piece to be written."""

    cantus: str
    species: int
    voices: int
    position: str
    seed: int
    temperature: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    problem: str  # why it was refused, empty if it was not
    notes: bytes
    severities: Counter[str]
    on_cantus: int
    solutions: int
    seconds: float


def written(job: Job) -> Outcome:
    """Write one counterpoint and count what the checker finds in it."""
    from musegen.errors import MusegenError
    from musegen.tasks.counterpoint import CounterpointOptions, counterpoint

    started = time.process_time()
    options = CounterpointOptions(seed=job.seed, temperature=job.temperature)
    try:
        (made,) = counterpoint(
            job.cantus, options, species=job.species, voices=job.voices, position=job.position
        )
    except MusegenError as error:
        seconds = time.process_time() - started
        return Outcome(f"{job.cantus}: {error}", b"", Counter(), 0, 0, seconds)
    seconds = time.process_time() - started
    findings = made.report.findings
    alone = [each for each in findings if each.voices == (made.exercise.place,)]
    return Outcome(
        "",
        made.surface["semitone"].tobytes() + job.cantus.encode(),
        Counter(finding.severity for finding in findings),
        sum(each.severity == "W" for each in alone),
        made.solutions,
        seconds,
    )


def jobs_of(pieces: int, voices: int, species: int, position: str, temperature: float) -> list[Job]:
    """The pieces of one row."""
    from theory_kb.catalogue import catalogue

    names = list(catalogue()["cantus-firmus"])
    return [
        Job(name, species, voices, position, seed, temperature)
        for place, name in enumerate(names)
        for seed in range(place, pieces, len(names))
    ]


def row(name: str, outcomes: Sequence[Outcome]) -> str:
    """A line of the table."""
    done = [each for each in outcomes if not each.problem]
    if not done:
        return f"| {name} | 0.000 |" + " - |" * 7
    counts = sum((each.severities for each in done), Counter[str]())
    shares = " | ".join(f"{counts[mark] / len(done):.2f}" for mark in "EWI")
    on_cantus = sum(each.on_cantus for each in done) / len(done)
    return (
        f"| {name} | {len(done) / len(outcomes):.3f} | {len({each.notes for each in done})} "
        f"| {shares} | {on_cantus:.2f} | {median(each.solutions for each in done):.2g} "
        f"| {median(each.seconds for each in outcomes):.2f}, "
        f"{max(each.seconds for each in outcomes):.2f} |"
    )


def chosen(rows: str | None, voices: int) -> list[tuple[int, str]]:
    """Species and place of each row that is run with so many voices."""
    everything = [(species, place) for species in range(1, 6) for place in POSITIONS[voices]]
    if rows is None:
        return everything
    wanted = rows.split(",")
    return [each for each in everything if f"{each[0]}-{each[1]}" in wanted]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pieces", type=int, default=200, help="of each row")
    parser.add_argument("--voices", default="2,3")
    parser.add_argument("--rows", help="such as 3-below,4-above; all if not given")
    parser.add_argument("--temperature", type=float, default=0.3)
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    print("| exercise | solved | distinct | E | W | I | of it cantus | solutions | seconds |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    refused: Counter[str] = Counter()
    with ProcessPoolExecutor(arguments.jobs, get_context("spawn")) as workers:
        for voices in map(int, arguments.voices.split(",")):
            for species, position in chosen(arguments.rows, voices):
                jobs = jobs_of(arguments.pieces, voices, species, position, arguments.temperature)
                outcomes = list(workers.map(written, jobs, chunksize=12))
                refused.update(each.problem for each in outcomes if each.problem)
                print(row(f"{voices} voices, species {species}, {position}", outcomes))
                sys.stdout.flush()
    for problem, count in refused.most_common():
        print(f"\nrefused {count} times: {problem}")


if __name__ == "__main__":
    main()
