"""Beam search over a lattice, with models to propose and long rules to look back.

Where the long rules leave nothing, the search goes back to the latest slot at which the width cut
something off and takes the next best from there, by a whole beam at a time (limited discrepancy,
Harvey and Ginsberg 1995; as beam stack search, Zhou and Hansen 2005), until a path is found or its
patience ends. The complete search goes on from there: it has no patience to lose, forgets nothing
that was not tried, and remembers from which states nothing leads to the end, so that it tries none
of them twice (nogoods, Stallman and Sussman 1977) and ends, with a path or the proof that there
is none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from musegen.search.errors import DeadEndError, SearchInputError
from musegen.search.lattice import IntArray, Lattice
from musegen.search.memory import DeadStates
from musegen.search.optimum import first_order_optimum
from musegen.search.protocols import LookBack, ShouldStop, SlotScorer
from musegen.search.reachability import alive, costs_to_go
from musegen.search.walk import Beam, Expansions, Settings, Terms, Walk, terms, total

__all__ = ["BeamResult", "beam_gap", "beam_search", "complete_search", "ready_to_walk", "walked"]

PATIENCE = 1000  # times the search goes back before it gives up
POOL = 32  # expansions of a slot that are kept for going back, in multiples of the width
COMPLETE_WIDTH = 64  # hypotheses that the complete search tries side by side
MOST_WAYS = 50_000_000  # ways on that the complete search lists once it had to go back

LONG_RULES = "rules that look further back than one slot, or models,"


@dataclass(frozen=True, slots=True)
class BeamResult:
    """Complete paths, best first, and what it took to find them."""

    paths: tuple[IntArray, ...]  # (T,) each
    scores: tuple[float, ...]  # one a path, descending, without noise: the sum of its terms
    terms: tuple[Terms, ...]  # one a path
    expanded: int  # ways on that were listed in all slots together
    discrepancies: int  # times the search had to go back
    stopped: int | None  # first slot that the models did not score, None if they scored all

    @property
    def complete(self) -> bool:
        """Whether the search ran to its end without being stopped."""
        return self.stopped is None


def beam_search(  # noqa: PLR0913 - one keyword an option, each with a default
    lattice: Lattice,
    *,
    scorer: SlotScorer | None = None,
    look_back: LookBack | None = None,
    rng: np.random.Generator | None = None,
    should_stop: ShouldStop | None = None,
    width: int = 32,
    temperature: float = 0.0,
    guide: float = 1.0,
    top: int = 1,
    patience: int = PATIENCE,
    pool: int | None = POOL,
) -> BeamResult:
    """Find good complete paths.

    Args:
        lattice: candidates and first-order costs.
        scorer: what models propose; None leaves the costs alone.
        look_back: rules that look further back; None if there are none.
        rng: draws the noise; needed with a temperature.
        should_stop: asked before each slot. Once it says True, the models are asked no more and
            the rest is completed by costs alone, long rules held.
        width: hypotheses kept.
        temperature: weight of Gumbel noise on each way on; it decides what is kept, not what a
            path is said to be worth.
        guide: weight of the exact first-order cost to go in the choice of what is kept; 0 leaves
            it out, 1 makes it A*'s.
        top: how many paths to return; fewer if the last slot's ways on hold no more.
        patience: how often to go back before giving up.
        pool: ways on that each slot keeps for going back, in multiples of the width; None keeps
            all, which together with boundless patience makes the search complete.

    Returns:
        One path or more.

    Raises:
        InfeasibleError: there is no complete path under the first-order rules.
        DeadEndError: the long rules left none within the patience.
        SearchInputError: an option out of its range, or an answer of the scorer or of the long
            rules that is none.
    """
    settings = Settings(
        width=width,
        temperature=temperature,
        guide=guide,
        top=top,
        patience=patience,
        pool=pool,
    )
    return walked(ready_to_walk(lattice, settings, scorer, look_back, rng), should_stop)


def complete_search(
    lattice: Lattice,
    *,
    look_back: LookBack | None = None,
    width: int = COMPLETE_WIDTH,
    should_stop: ShouldStop | None = None,
    most: int = MOST_WAYS,
) -> BeamResult:
    """Find a cheap complete path if there is any.

    It ends, since each dead end adds a state to those that are not tried again. Its memory grows
    with their number.

    Args:
        lattice: candidates and first-order costs.
        look_back: rules that look further back; None if there are none.
        width: hypotheses that are tried side by side.
        should_stop: asked before each slot once it had to go back: the way straight on is walked
            to its end in any case.
        most: ways on that are listed after that; counted, so that no clock decides what is found.

    Raises:
        InfeasibleError: there is no complete path under the first-order rules.
        DeadEndError: there is none under the long rules: proved; or it was stopped, or came to
            its limit, and says so.
        SearchInputError: a width or limit below 1, or an answer of the long rules that is none.
    """
    if most < 1:
        raise SearchInputError("most", most, "1 or more")
    settings = Settings(width=width, pool=POOL)
    return _complete(ready_to_walk(lattice, settings, None, look_back, None), should_stop, most)


def beam_gap(lattice: Lattice, width: int) -> tuple[float, float]:
    """First-order cost that a beam finds without its guide, and the exact optimum.

    Raises:
        InfeasibleError: there is no complete path.
        SearchInputError: a width below 1.
    """
    found = beam_search(lattice, width=width, guide=0.0)
    return -found.terms[0]["rules"], first_order_optimum(lattice).cost


def ready_to_walk(
    lattice: Lattice,
    settings: Settings,
    scorer: SlotScorer | None,
    look_back: LookBack | None,
    rng: np.random.Generator | None,
) -> Walk:
    """A walk through a lattice that has a complete path.

    Raises:
        InfeasibleError: it has none.
        SearchInputError: a temperature without what draws.
    """
    onward = costs_to_go(lattice)
    if not np.isfinite(lattice.unary[0] + onward[0]).any():
        alive(lattice)  # says where
    return Walk(lattice, onward, scorer, look_back, settings, rng)


# --- the search itself ----------------------------------------------------------------------


def walked(walk: Walk, should_stop: ShouldStop | None) -> BeamResult:
    """Walk to the last slot, going back where nothing is left.

    Raises:
        DeadEndError: nothing was left within the patience.
    """
    track = _Track(walk, None)
    beam = walk.start()
    while True:
        if track.stopped is None and should_stop is not None and should_stop():
            track.walk, track.stopped = track.walk.by_costs_alone(), beam.slot
        ways, rows = track.go_on(track.walk.expand(beam))
        if track.arrived:
            return _result(ways, rows, track)
        beam = track.take(ways, rows)


def _complete(walk: Walk, should_stop: ShouldStop | None, most: int) -> BeamResult:
    """The same with memory in place of patience, and a limit on what it lists."""
    track = _Track(walk, DeadStates(walk.look_back, len(walk.lattice.unary)))
    beam = walk.start()
    while True:
        if track.discrepancies and should_stop is not None and should_stop():
            raise DeadEndError(
                track.furthest,
                f"{LONG_RULES} left no way on that was found until the search was stopped; "
                "whether there is one is not proved",
            )
        if track.relisted > most:
            raise DeadEndError(
                track.furthest,
                f"{LONG_RULES} left no way on among {most} that were tried, the most that are; "
                "whether there is one is not proved",
            )
        ways, rows = track.go_on(walk.expand(beam))
        if track.arrived:
            return _result(ways, rows, track)
        beam = track.take(ways, rows)


class _Track:
    """The slots that were passed, each with the ways on that were not taken."""

    def __init__(self, walk: Walk, memory: DeadStates | None) -> None:
        self.walk = walk
        self.memory = memory
        self.open: list[Expansions] = []
        self.expanded = 0
        self.relisted = 0  # of these, after it first had to go back
        self.discrepancies = 0
        self.furthest = 0
        self.stopped: int | None = None

    @property
    def arrived(self) -> bool:
        """Whether the latest ways on are those to the last slot."""
        return len(self.open) == len(self.walk.lattice.unary)

    def go_on(self, ways: Expansions) -> tuple[Expansions, IntArray]:
        """The next ways to take: of this slot if there are any, else of the latest that has some."""
        self.open.append(ways)
        self._count(ways)
        self.furthest = max(self.furthest, ways.beam.slot)
        rows = self._next()
        if not len(rows):
            self._count_discrepancy()
            rows = self._back_up()
        return self.open[-1], rows

    def take(self, ways: Expansions, rows: IntArray) -> Beam:
        """The beam that takes some ways on; the others are kept as far as the pool holds them."""
        beam = self.walk.advance(ways, rows)
        settings = self.walk.settings
        if settings.pool is not None:
            ways.trim(settings.pool * settings.width)
        return beam

    def _next(self) -> IntArray:
        """Rows of the latest slot that were not taken; with a memory, only in fresh states."""
        width = self.walk.settings.width
        while self.memory is not None:
            ways = self.open[-1]
            rows = ways.take(width)
            if not len(rows) and ways.trimmed:
                self.open[-1] = self.walk.expand(ways.beam)  # what was taken before is dead by now
                self._count(self.open[-1])
            elif not len(rows) or (fresh := self.memory.fresh(ways.paths(rows))).all():
                return rows
            elif fresh.any():
                return rows[fresh]
        return self.open[-1].take(width)

    def _back_up(self) -> IntArray:
        while self.open:
            rows = self._next()
            if len(rows):
                if self.stopped is not None:
                    self.stopped = min(self.stopped, len(self.open))
                return rows
            spent = self.open.pop()
            if self.memory is not None:
                self.memory.bury(spent.beam.paths)
        raise self._dead_end()

    def _dead_end(self) -> DeadEndError:
        if self.memory is None:
            return DeadEndError(
                self.furthest,
                f"{LONG_RULES} forbid every way on that was kept; went back "
                f"{self.discrepancies - 1} times",
            )
        return DeadEndError(
            self.furthest,
            "rules that look further back than one slot forbid every way on: all were tried, so "
            "it is proved that there is no solution",
            proved=True,
        )

    def _count(self, ways: Expansions) -> None:
        self.expanded += len(ways.keys)
        if self.discrepancies:
            self.relisted += len(ways.keys)

    def _count_discrepancy(self) -> None:
        if self.discrepancies == self.walk.settings.patience:
            raise DeadEndError(
                self.furthest,
                f"{LONG_RULES} forbid every way on; gave up after going back "
                f"{self.discrepancies} times, as often as patience allows",
            )
        self.discrepancies += 1


def _result(ways: Expansions, rows: IntArray, track: _Track) -> BeamResult:
    """The best complete paths in order of their scores."""
    chosen: list[int] = []
    settings = track.walk.settings
    while len(rows) and len(chosen) < settings.top:
        ranked = rows[np.lexsort((rows, -ways.keys[rows]))]
        chosen.extend(ranked.tolist()[: settings.top - len(chosen)])
        rows = ways.take(settings.width)
    order = np.array(chosen)
    order = order[np.lexsort((order, -total(ways.sums[order])))]
    return BeamResult(
        tuple(ways.paths(order)),
        tuple(float(score) for score in total(ways.sums[order])),
        tuple(terms(sums) for sums in ways.sums[order]),
        track.expanded,
        track.discrepancies,
        track.stopped,
    )
