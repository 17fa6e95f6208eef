"""Say where the time of the search goes: kernels of rules, models, the rest in Python.

    python benchmarks/profile_search.py --pieces 4

First table: the beam with all three models over sopranos of test pieces of the built-in corpus, width
32, each tune once before to warm. Milliseconds a slot of processor time, one thread: of rule kernels
(long rules, and pairs judged for the beam), of each model, and what is left: choosing, bookkeeping,
calls. Pairs are judged on demand, so the exact cost to go, which comes first, has a column too.

Second table: every pair rule of a style over the voicing pairs of given chords, alone: share of pairs
that it speaks of, nanoseconds a pair, and which rules are hard. `theory_kb.rule_sets.SIEVE` orders the
hard ones by what they strike out for their time. The lines below say what a pair costs with all rules
in the order of the search, and the floor: the calls that are left when each pair is dropped at the
first hard rule that it breaks, whichever that is, at the rate of each kernel alone.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from musegen.constraints import Problem
    from musegen.tasks.scorer import ModelScorer
    from theory_kb.check import Style
    from theory_kb.rule_sets import RuleSet

CHORDS = "C major: I IV V I vi ii6 V7 I I6 IV V6 I IV6 V vi IV"
REPEATS = 5


@contextmanager
def timed(spent: Counter[str], targets: dict[str, tuple[Any, str]]) -> Iterator[None]:
    """Add up the nanoseconds of processor time inside some functions while the block runs."""
    kept = {name: getattr(owner, attribute) for name, (owner, attribute) in targets.items()}

    def clocked(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **options: Any) -> Any:
            started = time.thread_time_ns()
            try:
                return work(*args, **options)
            finally:
                spent[name] += time.thread_time_ns() - started

        return run

    for name, (owner, attribute) in targets.items():
        setattr(owner, attribute, clocked(name, kept[name]))
    try:
        yield
    finally:
        for name, (owner, attribute) in targets.items():
            setattr(owner, attribute, kept[name])


# --- the beam -------------------------------------------------------------------------------


def searched(problem: Problem, scorer: ModelScorer) -> Counter[str]:
    """Nanoseconds of each part of one beam search, and of all."""
    import theory_kb.rule_sets as kernels
    from musegen.search.beam import beam_search
    from musegen.search.reachability import costs_to_go

    spent: Counter[str] = Counter()
    started = time.thread_time_ns()
    costs_to_go(problem.lattice)
    spent["cost to go"] = time.thread_time_ns() - started
    targets: dict[str, tuple[Any, str]] = {"kernels": (kernels, "run_costs")}
    for name, model in scorer.models.items():
        targets[f"{name} scores"] = (type(model), "log_scores")
        targets[f"{name} steps"] = (type(model), "advance")
    with timed(spent, targets):
        started = time.thread_time_ns()
        beam_search(
            problem.lattice,
            scorer=scorer,
            look_back=problem.long_rules,
            rng=np.random.default_rng(0),
            temperature=1.3,
        )
        spent["all"] = time.thread_time_ns() - started
    return spent


def beam_table(style: Style, pieces: int) -> None:
    """Print where a beam search spends its time."""
    import corpora
    from musegen.constraints import build_problem
    from musegen.encoding import chord_table
    from musegen.models.registry import load_models
    from musegen.plan.setting import plan_around
    from musegen.tasks.scorer import ModelScorer
    from musegen.tasks.writing import DEFAULT_WEIGHTS
    from musegen.threads import one_thread

    models = load_models(tuple(DEFAULT_WEIGHTS), chord_table())
    scores = [each.score for each in corpora.load().pieces if each.split == "test"][:pieces]
    names = ["cost to go", "kernels", *DEFAULT_WEIGHTS, "rest", "beam", "slots a second"]
    print(f"| tune | slots | {' | '.join(names)} |\n|---|{'---:|' * (len(names) + 1)}")
    with one_thread():
        for number, score in enumerate(scores, 1):
            plan = plan_around(score, {0: score.parts[0].notes}, name="tune")
            problem = build_problem(plan, style)
            scorer = ModelScorer.of(problem, models, DEFAULT_WEIGHTS)
            spent = min((searched(problem, scorer) for _ in range(3)), key=lambda each: each["all"])
            print(_beam_row(number, len(plan.slots), spent, list(models)), flush=True)


def _beam_row(number: int, slots: int, spent: Counter[str], models: Sequence[str]) -> str:
    by_model = [spent[f"{name} scores"] + spent[f"{name} steps"] for name in models]
    rest = spent["all"] - spent["kernels"] - sum(by_model)
    parts = [spent["cost to go"], spent["kernels"], *by_model, rest, spent["all"]]
    cells = [f"{part / slots / 1e6:.2f}" for part in parts]
    return f"| {number} | {slots} | {' | '.join(cells)} | {1e9 * slots / spent['all']:.0f} |"


# --- the rules ------------------------------------------------------------------------------


def nanoseconds(work: Callable[[], Any]) -> int:
    """The least that some work takes in a few repeats."""
    found = []
    for _ in range(REPEATS):
        started = time.thread_time_ns()
        work()
        found.append(time.thread_time_ns() - started)
    return min(found)


def rule_table(style: Style) -> None:
    """Print what each pair rule says of voicing pairs and takes for it."""
    from musegen.constraints import build_problem
    from musegen.plan.chord_text import read_chords
    from musegen.plan.setting import plan_of_chords
    from musegen.score import Metre
    from theory_kb.rule_sets import pair_costs, rule_set
    from theory_kb.rules.engine import run_offences

    rules = rule_set(style, "pair")
    slots = build_problem(plan_of_chords(read_chords(CHORDS), metre=Metre(4, 4)), style).slots
    spoken: list[np.ndarray[Any, np.dtype[np.bool_]]] = []
    alone, together = np.zeros(len(rules.ids)), 0
    for one, other in pairwise(slots):
        before, after = one.moments, other.moments
        rows, columns = (each.ravel() for each in np.indices((len(before), len(after))))
        spoken.append(
            run_offences(rules.kernels, rules.params, before[rows], before[rows], after[columns])
            != 0
        )
        together += nanoseconds(lambda: pair_costs(rules, before, after, rows, columns))  # noqa: B023
        for place in range(len(rules.ids)):
            single = _only(rules, place)
            alone[place] += nanoseconds(lambda: pair_costs(single, before, after, rows, columns))  # noqa: B023
    hits = np.concatenate(spoken)
    _print_rules(rules, hits, alone / len(hits))
    hard = hits[:, : rules.hard]
    least = np.where(hard, alone[: rules.hard], np.inf).min(axis=1, initial=np.inf) / len(hits)
    floor = np.where(hard.any(axis=1), least, alone.sum() / len(hits)).mean()
    print(
        f"\n{len(hits)} pairs, {1 - hard.any(axis=1).mean():.0%} of them legal: "
        f"{together / len(hits):.0f} ns a pair with all rules, floor {floor:.0f} ns"
    )


def _only(rules: RuleSet, place: int) -> RuleSet:
    """One rule of a set, as a soft one of no weight."""
    from dataclasses import replace

    from theory_kb.rules.engine import spared

    one = slice(place, place + 1)
    return replace(
        rules,
        ids=rules.ids[one],
        kernels=rules.kernels[one],
        params=rules.params[one],
        hard=0,
        weights=np.zeros(1),
        exceptions=spared([()]),
        order=np.zeros(1, np.int64),
    )


def _print_rules(
    rules: RuleSet,
    hits: np.ndarray[Any, np.dtype[np.bool_]],
    alone: np.ndarray[Any, np.dtype[np.float64]],
) -> None:
    print("| rule | hard | share of pairs | ns a pair |\n|---|---|---:|---:|")
    for place in rules.order.tolist():
        hard = "yes" if place < rules.hard else ""
        print(f"| {rules.ids[place]} | {hard} | {hits[:, place].mean():.3f} | {alone[place]:.1f} |")


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--style", default="bach", help="of the beam")
    parser.add_argument("--pieces", type=int, default=4)
    parser.add_argument("--rules-of", default="strict", help="style of the table of rules")
    options = parser.parse_args()
    from theory_kb.check import load_style

    beam_table(load_style(options.style), options.pieces)
    print()
    rule_table(load_style(options.rules_of))
    return 0


if __name__ == "__main__":
    sys.exit(main())
