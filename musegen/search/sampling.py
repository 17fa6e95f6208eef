"""Solutions drawn at random: uniformly among all, or as models find them likely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from musegen.search.beam import BeamResult, complete_search, ready_to_walk, walked
from musegen.search.errors import DeadEndError, InfeasibleError
from musegen.search.lattice import FloatArray, IntArray, Lattice, PairTable
from musegen.search.optimum import sample_uniform, solution_weights
from musegen.search.protocols import LookBack, ShouldStop
from musegen.search.reachability import costs_to_go
from musegen.search.unroll import MOST_STATES, TooManyError, unroll
from musegen.search.walk import Settings
from musegen.search.worth import legal

__all__ = ["Draw", "draw_uniformly"]

TRIES = 1024  # draws that the long rules may refuse
BATCH = 32  # draws that they judge at a time
PATIENCE = 1000  # times that a draw by parts goes back


@dataclass(frozen=True, slots=True)
class Draw:
    """A solution drawn at random."""

    path: IntArray  # (T,)
    uniform: bool  # whether each solution was equally likely
    tries: int  # draws that the long rules judged
    discrepancies: int  # times a draw by parts went back
    stopped: bool  # whether it was stopped


def draw_uniformly(
    lattice: Lattice,
    *,
    rng: np.random.Generator,
    look_back: LookBack | None = None,
    tries: int = TRIES,
    most: int = MOST_STATES,
    should_stop: ShouldStop | None = None,
) -> Draw:
    """Draw one of all solutions, whatever they cost, each equally likely.

    Solutions of the first order are counted backwards and drawn forwards. What the long rules
    forbid is drawn anew; if they forbid nearly all, states are unrolled and counted with what
    the rules remember. Only if the states are too many too, or if the draw is stopped, a
    solution is put together slot by slot, by first-order counts, going back where the rules leave
    nothing: then the draw is not uniform, and says so.

    Args:
        lattice: where to draw.
        rng: draws.
        look_back: rules that look further back; None if there are none.
        tries: draws that they may refuse.
        most: states of a slot that are counted at most.
        should_stop: asked now and then.

    Raises:
        InfeasibleError: there is no complete path under the first-order rules.
        DeadEndError: there is none under the long rules: proved; or stopped before it was known.
    """
    weights = solution_weights(lattice)
    if look_back is None:
        path = sample_uniform(lattice, rng, weights=weights)
        return Draw(path, uniform=True, tries=0, discrepancies=0, stopped=False)
    for tried in range(0, tries, BATCH):
        if should_stop is not None and should_stop():
            break
        drawn = [sample_uniform(lattice, rng, weights=weights) for _ in range(BATCH)]
        allowed = legal(look_back, np.stack(drawn))
        if allowed.any():
            path = drawn[int(np.argmax(allowed))]
            return Draw(path, uniform=True, tries=tried + BATCH, discrepancies=0, stopped=False)
    try:
        return _counted(lattice, rng, look_back, tries, most, should_stop)
    except TooManyError:
        stopped = should_stop is not None and should_stop()
        found = _by_parts(lattice, weights, rng, look_back, should_stop)
        return Draw(
            found.paths[0],
            uniform=False,
            tries=tries,
            discrepancies=found.discrepancies,
            stopped=stopped,
        )


def _counted(
    lattice: Lattice,
    rng: np.random.Generator,
    look_back: LookBack,
    tries: int,
    most: int,
    should_stop: ShouldStop | None,
) -> Draw:
    made = unroll(lattice, costs_to_go(lattice), look_back, most=most, should_stop=should_stop)
    last = len(made.choices)
    try:
        if made.lattice is not None:
            path = made.path(sample_uniform(made.lattice, rng))
            return Draw(path, uniform=True, tries=tries, discrepancies=0, stopped=False)
    except InfeasibleError as error:
        last = error.slot
    raise DeadEndError(
        last,
        "rules that look further back than one slot forbid every solution: all were counted, so "
        "it is proved that there is none",
        proved=True,
    )


def _by_parts(
    lattice: Lattice,
    weights: tuple[FloatArray, ...],
    rng: np.random.Generator,
    look_back: LookBack,
    should_stop: ShouldStop | None,
) -> BeamResult:
    """A draw slot by slot in proportion to first-order counts, as Gumbel noise on their logarithms."""
    with np.errstate(divide="ignore"):
        unary = tuple(-np.log(each) for each in weights)
    pairs = tuple(
        PairTable(table.indptr, table.successors, np.zeros(len(table.costs)))
        for table in lattice.pairs
    )
    counted = Lattice(unary, pairs)
    settings = Settings(width=1, temperature=1.0, guide=0.0, patience=PATIENCE)
    hard = Forbidding(look_back)
    try:
        return walked(ready_to_walk(counted, settings, None, hard, rng), None)
    except DeadEndError:
        return complete_search(lattice, look_back=look_back, should_stop=should_stop)


@dataclass(frozen=True, slots=True)
class Forbidding:
    """Long rules that forbid what they forbid, and cost nothing."""

    look_back: LookBack

    def costs(
        self, slot: int, paths: IntArray, parents: IntArray, candidates: IntArray
    ) -> FloatArray:
        """0, or inf where the rules forbid."""
        found = self.look_back.costs(slot, paths, parents, candidates)
        return np.where(np.isfinite(found), 0.0, np.inf)
