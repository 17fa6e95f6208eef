"""Time the exact realisation of given chords, and beside it three peers on the same task.

    python benchmarks/realise_speed.py --sizes 16 32 --seeds 3 --limit 60

The chords are random walks over normative progressions of C major that can be realised under the
style. Our rows, in milliseconds of one core, medians over the seeds:

- cold: the lattice from nothing, all candidates and all pairs judged by every pair rule of the style
  (the kernels are loaded, no table is kept).
- warm: the same once its chord pairs were met before, in this piece or another.
- optimum, count, draw: the cheapest solution, the exact number of all, one drawn uniformly with the
  weights that takes.
- all: warm, optimum, count and draw together.

The second table holds peers against us on the same problem, each as the median of the ratios:

- CP-SAT (OR-Tools) gets our tables as table constraints, costs in thousandths, and is stopped after
  `--limit` seconds; beside it the share of problems of which it proved the optimum. Held against our
  optimum.
- clingo gets our tables as facts and shall find a first model, whatever it costs. Held against our
  optimum, which is a model, too.
- music21's figured-bass realiser gets the bass of our solution with its figures and builds its
  possibilities and their number, under its own few rules. Held against our cold lattice and count.

Peers come with `pip install -e '.[bench]'`; one that is not there is left out.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from musegen.plan.plan import Plan
    from musegen.search.lattice import Lattice, PairTable
    from theory_kb.check import Style

SYMBOLS = [
    *("I", "I6", "ii", "ii6", "ii65", "iii", "IV", "IV6"),
    *("V", "V6", "V7", "V65", "V43", "vi", "viio6"),
]
KEY = "C major"
WINDOW = 8  # chords at the end of a walk that must have a realisation; two bars
REPEATS = 7
THOUSANDTHS = 1000


def clocked(work: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds of processor time in all threads, and what came of it."""
    started = time.process_time()
    made = work()
    return 1e3 * (time.process_time() - started), made


def walled(work: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds by the clock, and what came of it."""
    started = time.perf_counter()
    made = work()
    return 1e3 * (time.perf_counter() - started), made


def median(work: Callable[[], Any]) -> float:
    """Median milliseconds of some repeats."""
    return statistics.median(clocked(work)[0] for _ in range(REPEATS))


# --- the task -------------------------------------------------------------------------------


def plan_of(symbols: Sequence[str]) -> Plan:
    """A chord a beat, in 4/4."""
    from musegen.plan.plan import Harmony
    from musegen.plan.setting import plan_of_chords
    from musegen.score import Metre
    from theory_kb.chords import chord
    from theory_kb.pitch import Key

    key = Key.parse(KEY)
    row = [(Harmony(key, chord(key.mode, symbol)), Fraction(1)) for symbol in symbols]
    return plan_of_chords(row, metre=Metre(4, 4))


def solvable(symbols: Sequence[str], style: Style) -> bool:
    """Whether chords have a realisation."""
    from musegen.constraints import build_problem
    from musegen.errors import InfeasibleError
    from musegen.search.reachability import alive

    try:
        alive(build_problem(plan_of(symbols), style).lattice)
    except InfeasibleError:
        return False
    return True


def walk(length: int, style: Style, seed: int) -> list[str]:
    """Chords, each a normative successor of the one before, that can be realised."""
    from theory_kb.chords import chord
    from theory_kb.query import grade_table

    rng, places = np.random.default_rng(seed), [chord("major", each).index for each in SYMBOLS]
    grades = grade_table()[np.ix_(places, places)]
    found = ["I"]
    while len(found) < length:
        after = np.flatnonzero(grades[SYMBOLS.index(found[-1])] == grades.max())
        first = 4 * max(0, (len(found) - WINDOW) // 4)
        for place in rng.permutation(after).tolist():
            if SYMBOLS[place] != found[-1] and solvable([*found[first:], SYMBOLS[place]], style):
                found.append(SYMBOLS[place])
                break
        else:
            del found[max(1, len(found) - 3) :]
    return found if solvable(found, style) else walk(length, style, seed + 1000)


@dataclass(frozen=True)
class Ours:
    """What our realisation of one progression takes, in milliseconds."""

    cold: float
    warm: float
    optimum: float
    count: float
    draw: float
    digits: int  # of the number of solutions
    lattice: Lattice
    plan: Plan
    path: np.ndarray[Any, np.dtype[np.int64]]

    @property
    def all(self) -> float:
        """Warm lattice, optimum, count and draw."""
        return self.warm + self.optimum + self.count + self.draw


def ours(plan: Plan, style: Style) -> Ours:
    """Time our own realisation."""
    from musegen.constraints import build_problem, forget
    from musegen.search.optimum import count_solutions, first_order_optimum, sample_uniform

    def anew() -> None:
        forget()
        build_problem(plan, style)

    cold = median(anew)
    lattice = build_problem(plan, style).lattice
    rng = np.random.default_rng(0)
    return Ours(
        cold,
        median(lambda: build_problem(plan, style)),
        median(lambda: first_order_optimum(lattice)),
        median(lambda: count_solutions(lattice)),
        median(lambda: sample_uniform(lattice, rng)),
        len(str(count_solutions(lattice))),
        lattice,
        plan,
        first_order_optimum(lattice).path,
    )


# --- peers ----------------------------------------------------------------------------------


def rows_of(table: PairTable) -> Sequence[int]:
    """The candidate that each pair of a table starts from."""
    found: list[int] = np.repeat(np.arange(len(table.indptr) - 1), np.diff(table.indptr)).tolist()
    return found


def thousandths(costs: np.ndarray[Any, np.dtype[np.float64]]) -> list[int]:
    """Costs as whole numbers, since the solver knows no others."""
    found: list[int] = np.rint(costs * THOUSANDTHS).astype(int).tolist()
    return found


def cp_sat(problem: Ours, limit: float) -> tuple[float, bool]:
    """Milliseconds that CP-SAT takes for the optimum, and whether it was proved."""
    from ortools.sat.python import cp_model

    model: Any = cp_model.CpModel()
    lattice = problem.lattice
    chosen = [model.NewIntVar(0, len(each) - 1, "") for each in lattice.unary]
    terms = []
    for variable, unary in zip(chosen, lattice.unary, strict=True):
        prices = thousandths(unary)
        terms.append(model.NewIntVar(0, max(prices), ""))
        model.AddAllowedAssignments([variable, terms[-1]], list(enumerate(prices)))
    for place, table in enumerate(lattice.pairs):
        prices = thousandths(table.costs)
        terms.append(model.NewIntVar(0, max(prices), ""))
        rows = zip(rows_of(table), table.successors.tolist(), prices, strict=True)  # type: ignore[arg-type]
        model.AddAllowedAssignments([chosen[place], chosen[place + 1], terms[-1]], list(rows))
    model.Minimize(sum(terms))
    solver: Any = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = limit
    solver.parameters.num_workers = 1
    spent, status = walled(lambda: solver.Solve(model))
    return spent, status == cp_model.OPTIMAL


def clingo(problem: Ours, limit: float) -> tuple[float, bool]:
    """Milliseconds that clingo takes to a first model, and whether it found one in time."""
    import clingo as asp

    facts: list[str] = []
    for slot, unary in enumerate(problem.lattice.unary):
        facts.extend(f"may({slot},{place})." for place in range(len(unary)))
    for slot, table in enumerate(problem.lattice.pairs):
        rows = zip(rows_of(table), table.successors.tolist(), strict=True)  # type: ignore[arg-type]
        facts.extend(f"next({slot},{one},{other})." for one, other in rows)
    rules = f"""
        slot(0..{len(problem.lattice.unary) - 1}).
        1 {{ takes(T,I) : may(T,I) }} 1 :- slot(T).
        :- takes(T,I), slot(T+1), not takes(T+1,J) : next(T,I,J).
    """
    control: Any = asp.Control(["--models=1"])
    control.add("base", [], rules + "\n".join(facts))

    def solve() -> bool:
        control.ground([("base", [])])
        with control.solve(async_=True) as handle:
            done = handle.wait(limit)
            if not done:
                handle.cancel()
            return bool(done and handle.get().satisfiable)

    return walled(solve)


def figured_bass(problem: Ours, _limit: float) -> tuple[float, bool]:
    """Milliseconds in which music21 builds and counts what it allows over the same bass.

    Its realiser cannot be stopped; solved is a bass for which it has any realisation.
    """
    from music21.figuredBass import realizer
    from music21.key import Key
    from music21.meter import TimeSignature
    from music21.note import Note

    from musegen.constraints import build_problem
    from musegen.sounding import spelled
    from theory_kb.check import load_style
    from theory_kb.chords import figures

    slots = build_problem(problem.plan, load_style("strict")).slots
    new_line: Any = realizer.FiguredBassLine
    line = new_line(Key("C"), TimeSignature("4/4"))
    for slot, candidates, choice in zip(
        problem.plan.slots, slots, problem.path.tolist(), strict=True
    ):
        bass = spelled(candidates.moments[choice])[-1]
        written = ",".join(figures(slot.harmonies[0].chord))
        line.addElement(Note(bass.name.replace("b", "-"), quarterLength=1), written or None)
    spent, count = walled(lambda: line.realize().getNumSolutions())
    return spent, count > 0


@dataclass(frozen=True)
class Peer:
    """Who we are held against."""

    library: str
    solve: Callable[[Ours, float], tuple[float, bool]]
    against: Callable[[Ours], float]  # our milliseconds for the same


PEERS: Mapping[str, Peer] = {
    "CP-SAT, optimum": Peer("ortools", cp_sat, lambda each: each.optimum),
    "clingo, first model": Peer("clingo", clingo, lambda each: each.optimum),
    "music21, count": Peer("music21", figured_bass, lambda each: each.cold + each.count),
}


# --- the tables -----------------------------------------------------------------------------


def own_row(size: int, found: Sequence[Ours]) -> str:
    """Our medians over some progressions."""
    names = ("cold", "warm", "optimum", "count", "draw", "all")
    cells = [f"{statistics.median(getattr(each, name) for each in found):.2f}" for name in names]
    pairs = statistics.median(sum(len(t.costs) for t in each.lattice.pairs) for each in found)
    digits = statistics.median(each.digits for each in found)
    return f"| {size} | {pairs:.0f} | 10^{digits - 1:.0f} | {' | '.join(cells)} |"


def peer_row(name: str, size: int, found: Sequence[Ours], limit: float) -> str:
    """A peer on some progressions: its time, how often it got there, and the ratio."""
    peer = PEERS[name]
    outcomes = [peer.solve(each, limit) for each in found]
    ratios = [spent / peer.against(each) for (spent, _), each in zip(outcomes, found, strict=True)]
    seconds = statistics.median(spent for spent, _ in outcomes) / 1e3
    solved = sum(done for _, done in outcomes)
    return (
        f"| {name} | {size} | {seconds:.2f} | {solved} of {len(found)} | "
        f"{statistics.median(ratios):,.0f} |"
    )


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--style", default="strict")
    parser.add_argument("--sizes", type=int, nargs="+", default=[16, 32, 64, 128])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds a peer may take")
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=list(PEERS))
    options = parser.parse_args()
    from theory_kb.check import load_style

    style = load_style(options.style)
    problems = {
        size: [ours(plan_of(walk(size, style, seed)), style) for seed in range(options.seeds)]
        for size in options.sizes
    }
    print(f"style {style.name}, {options.seeds} progressions a size, milliseconds\n")
    print("| chords | legal pairs | solutions | cold | warm | optimum | count | draw | all |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for size, found in problems.items():
        print(own_row(size, found))
    print("\n| peer | chords | seconds | solved | times ours |\n|---|---:|---:|---:|---:|")
    for name in options.peers:
        if find_spec(PEERS[name].library) is None:
            print(f"| {name} | not installed | | | |")
            continue
        for size, found in problems.items():
            print(peer_row(name, size, found, options.limit), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
