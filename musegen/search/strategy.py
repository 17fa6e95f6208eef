"""One entry to all strategies of search, each with its guarantee (`docs/adr/0012-strategies.md`).

All find a solution if the hard rules leave one on the lattice, or prove that they leave none. For
first-order rules that holds always; where long rules drive a search back, up to a number of ways
on that are listed (`beam.MOST_WAYS`, 50 million), and then it says that nothing is proved:

- `beam`: the best of what a beam keeps, by models, costs and noise. Reports how far its cost is
  above a bound that no solution is below.
- `exact`: the cheapest of all by first-order costs and long rules, models not asked; proved, or
  with the bound that was reached.
- `sample`: without models one of all solutions, each equally likely; with models note after note
  as they find it likely (ancestral sampling), among what can reach the end.

Under a time limit the beam is widened, from the cheapest solution on, until time ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from musegen.search.apart import Apart, apart, led_apart, slots_apart
from musegen.search.beam import POOL, BeamResult, complete_search, walked
from musegen.search.errors import DeadEndError, InfeasibleError, SearchInputError
from musegen.search.exact import ROUNDING, exact_search
from musegen.search.lattice import FloatArray, IntArray, Lattice
from musegen.search.protocols import Clock, LookBack, Measure, ShouldStop, SlotScorer
from musegen.search.reachability import alive, costs_to_go
from musegen.search.sampling import draw_uniformly
from musegen.search.unroll import MOST_STATES
from musegen.search.walk import Settings, Terms, Walk
from musegen.search.worth import path_terms

__all__ = [
    "STRATEGIES",
    "Account",
    "Limit",
    "Solution",
    "Step",
    "Strategy",
    "each_solution",
    "solve",
]

PATIENCE = 100  # times that a beam goes back before the complete search begins
LED_PATIENCE = 5  # the same before it is led more strongly to what differs
WIDENING = (1, 4, 16, 64, 256, 1024)  # widths under a time limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """How to search.

    Raises:
        SearchInputError: a name that is none, or a number out of its range.
    """

    name: str = "beam"  # of `STRATEGIES`
    width: int = 32  # hypotheses of the beam
    guide: float = 1.0  # weight of the exact first-order cost to go in what the beam keeps
    temperature: float = 0.0  # of the draws of beam and sample; 0 draws nothing
    top_k: int | None = None  # ways on that sample chooses among; None: all
    top_p: float = 1.0  # share of probability that sample chooses among
    patience: int = PATIENCE  # times to go back before the complete search begins
    most_states: int = MOST_STATES  # of a slot, when long rules are solved exactly

    def __post_init__(self) -> None:
        """Check ranges."""
        if self.name not in STRATEGIES:
            raise SearchInputError("strategy", self.name, f"one of {', '.join(STRATEGIES)}")
        if self.name != "sample" and (self.top_k is not None or self.top_p < 1):
            raise SearchInputError("top_k and top_p", self.name, "left out but for sample")
        if self.most_states < 1:
            raise SearchInputError("most_states", self.most_states, "1 or more")
        self.settings()

    def settings(self, *, width: int | None = None) -> Settings:
        """What the walk of beam and sample needs."""
        one = self.name == "sample"
        return Settings(
            width=1 if one else (width or self.width),
            temperature=self.temperature,
            guide=self.guide,
            patience=self.patience,
            pool=POOL,
            top_k=self.top_k,
            top_p=self.top_p,
        )


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit on time. What is found then depends on the machine."""

    seconds: float
    clock: Clock

    def __post_init__(self) -> None:
        """Check the range."""
        if not self.seconds >= 0:
            raise SearchInputError("time limit", self.seconds, "0 seconds or more")


@dataclass(frozen=True, slots=True)
class Step:
    """What a search under a time limit had found after a stage."""

    stage: str  # `costs alone`, `beam of width 4`, `exact`
    score: float  # of the best solution so far
    gap: float  # of its cost above the bound
    seconds: float  # since the search began


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """How a solution was found, and what is proved of it."""

    strategy: str
    optimum: float  # least first-order cost of any path, exact
    bound: float  # no solution costs less, by first-order costs and long rules together
    expanded: int = 0  # ways on that were listed
    discrepancies: int = 0  # times the search went back
    unscored: int | None = None  # first slot that the models did not score for lack of time
    completed: bool = False  # whether only the complete search found it
    stopped: bool = False  # whether the time limit ended the search
    uniform: bool = False  # whether each solution was equally likely
    steps: tuple[Step, ...] = ()  # under a time limit


@dataclass(frozen=True, slots=True)
class Solution:
    """A complete path that no hard rule forbids."""

    path: IntArray  # (T,)
    terms: Terms
    account: Account

    @property
    def score(self) -> float:
        """Sum of the terms; higher is better."""
        return self.terms["rules"] + self.terms["look_back"] + self.terms["models"]

    @property
    def cost(self) -> float:
        """First-order costs and costs of the long rules."""
        return -self.terms["rules"] - self.terms["look_back"]

    @property
    def gap(self) -> float:
        """How far the cost is above the bound: the optimum is nearer than that."""
        return max(self.cost - self.account.bound, 0.0)  # below it only by rounding

    @property
    def proved(self) -> bool:
        """Whether no solution costs less."""
        return self.gap <= ROUNDING * (1 + abs(self.cost))


def solve(  # noqa: PLR0913 - one keyword an option, each with a default
    lattice: Lattice,
    strategy: Strategy | None = None,
    *,
    scorer: SlotScorer | None = None,
    look_back: LookBack | None = None,
    rng: np.random.Generator | None = None,
    count: int = 1,
    distance: int = 1,
    measure: Measure | None = None,
    limit: Limit | None = None,
) -> tuple[Solution, ...]:
    """Solutions, best first.

    More than one are found one after another, each at the distance from all before it: greedily
    the best that is left, as far as the strategy finds the best.

    Args:
        lattice: candidates and first-order costs.
        strategy: how; a beam of width 32 if not said.
        scorer: what models propose; None leaves the costs alone.
        look_back: rules that look further back; None if there are none.
        rng: draws; needed with a temperature, and to sample.
        count: how many solutions; fewer if there are no more.
        distance: that any two keep.
        measure: how far candidates of a slot are apart; without it, 1 where they differ, so that
            the distance is a number of slots.
        limit: of time for all together; None asks no clock.

    Raises:
        InfeasibleError: there is no complete path under the first-order rules.
        DeadEndError: there is none under the long rules: proved; or stopped before it was known.
        SearchInputError: an option out of its range, or an answer of scorer or long rules that
            is none.
    """
    found = each_solution(
        lattice,
        strategy,
        scorer=scorer,
        look_back=look_back,
        rng=rng,
        count=count,
        distance=distance,
        measure=measure,
        limit=limit,
    )
    return tuple(sorted(found, key=lambda solution: -solution.score))


def each_solution(  # noqa: PLR0913 - one keyword an option, each with a default
    lattice: Lattice,
    strategy: Strategy | None = None,
    *,
    scorer: SlotScorer | None = None,
    look_back: LookBack | None = None,
    rng: np.random.Generator | None = None,
    count: int = 1,
    distance: int = 1,
    measure: Measure | None = None,
    limit: Limit | None = None,
    spare: int = 0,
) -> Iterator[Solution]:
    """The same solutions one by one, as they are found; see `solve` for what it takes.

    `spare` is how many more than `count` there may be, for those who find fault with some; time is
    shared out among `count`.

    Raises:
        InfeasibleError: as `solve`.
        DeadEndError: as `solve`.
        SearchInputError: as `solve`.
    """
    for name, value in (("count", count), ("distance", distance)):
        if value < 1:
            raise SearchInputError(name, value, "1 or more")
    how = strategy or Strategy()
    begin = 0.0 if limit is None else limit.clock()
    onward = costs_to_go(lattice)
    if not np.isfinite(lattice.unary[0] + onward[0]).any():
        alive(lattice)  # says where
    task = _Task(
        lattice, onward, how, scorer, look_back, rng, compared=count > 1 or limit is not None
    )
    if how.name == "exact" and measure is None and distance == 1:
        yield from _cheapest(replace(task, timer=_timer(limit, begin, 1.0)), count + spare)
        return
    paths: list[IntArray] = []
    while len(paths) < count + spare:
        timer = _timer(limit, begin, min(1.0, (len(paths) + 1) / count))
        try:
            found = STRATEGIES[how.name](replace(task, timer=timer))
        except (InfeasibleError, DeadEndError):
            if not paths:
                raise
            return
        yield found
        paths.append(found.path)
        if len(paths) < count + spare:
            rules = apart(lattice, look_back, paths, distance, measure or slots_apart(lattice))
            task = replace(task, look_back=rules)


# --- what a strategy works with -------------------------------------------------------------


class _TimeOverError(Exception):
    """Ends a stage that shall not be completed; never leaves this module."""


@dataclass(frozen=True, slots=True)
class _Timer:
    clock: Clock
    begin: float
    end: float

    def over(self) -> bool:
        return self.clock() >= self.end

    def break_off(self) -> bool:
        """Asked as `ShouldStop`, it gives up what is under way."""
        if self.over():
            raise _TimeOverError
        return False

    def passed(self) -> float:
        return self.clock() - self.begin


def _timer(limit: Limit | None, begin: float, share: float) -> _Timer | None:
    if limit is None:
        return None
    return _Timer(limit.clock, begin, begin + limit.seconds * share)


@dataclass(frozen=True, slots=True)
class _Task:
    """What is to be solved, for one solution."""

    lattice: Lattice
    onward: tuple[FloatArray, ...]  # cost to go
    strategy: Strategy
    scorer: SlotScorer | None
    look_back: LookBack | None
    rng: np.random.Generator | None
    compared: bool  # whether solutions are compared, so that models must judge them alike
    timer: _Timer | None = None

    @property
    def optimum(self) -> float:
        """Least first-order cost."""
        return float((self.lattice.unary[0] + self.onward[0]).min())

    @property
    def should_stop(self) -> ShouldStop | None:
        return None if self.timer is None else self.timer.over

    def account(self) -> Account:
        return Account(strategy=self.strategy.name, optimum=self.optimum, bound=self.optimum)

    def beam(self, should_stop: ShouldStop | None, *, width: int | None = None) -> Solution | None:
        """What a beam finds; where it must differ from others, led to it ever more strongly."""
        settings = self.strategy.settings(width=width)
        ways: Iterable[tuple[Lattice, tuple[FloatArray, ...]]] = [(self.lattice, self.onward)]
        if isinstance(self.look_back, Apart):
            settings = replace(settings, patience=min(LED_PATIENCE, self.strategy.patience))
            ways = ((led, costs_to_go(led)) for led in led_apart(self.lattice, self.look_back))
        for led, onward in ways:
            walk = Walk(led, onward, self.scorer, self.look_back, settings, self.rng)
            try:
                return self.walked(walked(walk, should_stop), led=led is not self.lattice)
            except DeadEndError:
                continue
        return None

    def walked(self, found: BeamResult, *, led: bool) -> Solution:
        """The solution that a walk has found, at what it costs without the rewards of a lead."""
        account = replace(
            self.account(),
            expanded=found.expanded,
            discrepancies=found.discrepancies,
            unscored=found.stopped,
            stopped=found.stopped is not None,
        )
        if found.complete and (led or self.compared):
            return self.judged(found.paths[0], account, models=True)
        return Solution(found.paths[0], found.terms[0], account)

    def judged(self, path: IntArray, account: Account, *, models: bool) -> Solution:
        """A solution that was found without asking the models, or without adding up."""
        scorer = self.scorer if models else None
        found = path_terms(self.lattice, path, look_back=self.look_back, scorer=scorer)
        return Solution(path, found, account)

    def completed(self) -> Solution:
        """The solution that the complete search finds."""
        found = complete_search(
            self.lattice, look_back=self.look_back, should_stop=self.should_stop
        )
        account = replace(
            self.account(),
            expanded=found.expanded,
            discrepancies=found.discrepancies,
            completed=True,
        )
        return self.judged(found.paths[0], account, models=True)


# --- the strategies -------------------------------------------------------------------------


def _beam(task: _Task) -> Solution:
    """A beam; where its patience ends, or models leave nothing, the complete search."""
    if task.timer is not None:
        return _widened(task, task.timer)
    return task.beam(None) or task.completed()


def _exact(task: _Task) -> Solution:
    """The cheapest, with the proof or the bound that was reached."""
    return _cheapest(task, 1)[0]


def _cheapest(task: _Task, count: int) -> tuple[Solution, ...]:
    found = exact_search(
        task.lattice,
        look_back=task.look_back,
        top=count,
        width=task.strategy.width,
        most=task.strategy.most_states,
        should_stop=task.should_stop,
    )
    account = replace(task.account(), bound=found.bound, stopped=found.stopped)
    return tuple(
        task.judged(
            path, replace(account, bound=cost if found.proved else found.bound), models=False
        )
        for path, cost in zip(found.paths, found.costs, strict=True)
    )


def _sample(task: _Task) -> Solution:
    """A draw: uniform without models, ancestral with them."""
    if task.rng is None:
        raise SearchInputError("rng", None, "a np.random.Generator for sample")
    if task.scorer is not None:
        return task.beam(task.should_stop) or task.completed()
    drawn = draw_uniformly(
        task.lattice,
        rng=task.rng,
        look_back=task.look_back,
        most=task.strategy.most_states,
        should_stop=task.should_stop,
    )
    account = replace(
        task.account(),
        discrepancies=drawn.discrepancies,
        uniform=drawn.uniform,
        stopped=drawn.stopped,
    )
    return task.judged(drawn.path, account, models=False)


STRATEGIES: Mapping[str, Callable[[_Task], Solution]] = {
    "beam": _beam,
    "exact": _exact,
    "sample": _sample,
}


# --- under a time limit ---------------------------------------------------------------------


def _widened(task: _Task, timer: _Timer) -> Solution:
    """The best of ever wider beams, beginning with the cheapest way through.

    A draw is not compared with what was not drawn, and no draw is proved the best.
    """
    drawn = task.strategy.temperature > 0
    best = task.completed()
    steps = [_step("costs alone", best, timer)]
    stopped = False
    try:
        for width in WIDENING:
            if _settled(task, best):
                break
            found = task.beam(timer.break_off, width=width)
            if found is None:
                continue
            first = drawn and len(steps) == 1
            best = found if first or found.score > best.score else best
            steps.append(_step(f"beam of width {width}", best, timer))
        if task.scorer is None and not drawn and not _settled(task, best):
            best = _proved(task, best)
            steps.append(_step("exact", best, timer))
            stopped = best.account.stopped
    except _TimeOverError:
        stopped = True
    completed = best.account.completed and best.account.discrepancies > 0
    account = replace(best.account, completed=completed, stopped=stopped, steps=tuple(steps))
    return replace(best, account=account)


def _step(stage: str, best: Solution, timer: _Timer) -> Step:
    return Step(stage, best.score, best.gap, timer.passed())


def _settled(task: _Task, best: Solution) -> bool:
    """Whether nothing better can be found."""
    return task.scorer is None and task.strategy.temperature == 0 and best.proved


def _proved(task: _Task, best: Solution) -> Solution:
    """The exact strategy's solution, or the bound that it reached for the one that is there."""
    found = _exact(task)
    if found.score > best.score:
        return found
    return replace(best, account=found.account)
