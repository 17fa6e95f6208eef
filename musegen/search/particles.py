"""Draws from what models find likely, given that no hard rule is broken: particles over a lattice.

Models give natural-log scores step by step, rules say afterwards what was allowed. The product of all
steps over the legal paths alone, divided by its sum Z,

    p(path) = 1/Z  product over slots of exp(score(choice | choices before)),    path legal

is not the walk that renormalises each step over what is legal there (`strategy`, ancestral): that walk
forgets how little the model thought of where the rules led it. Here hypotheses carry weights. Each slot lists
all legal ways on of all hypotheses; where they are more than the particles, the heaviest are kept as they
are, and among the others some are drawn that share the rest of the weight alike (Fearnhead and Clifford 2003,
optimal resampling). No two particles are the same hypothesis.

What holds:

- As long as no slot lists more ways on than there are particles, nothing is left out: the draw is exact.
- Beyond it the estimate of Z is unbiased for any number of particles, and draws tend to p as the
  number grows (Del Moral 2004): particles are properly weighted at each slot.
- Nothing is ever drawn that a rule forbids. Candidates that cannot reach the end by the rules on
  neighbours are left out beforehand.

Sources: Fearnhead and Clifford, On-line inference for hidden Markov models via particle filters (2003);
Del Moral, Feynman-Kac formulae (2004).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from musegen.search.beam import ready_to_walk
from musegen.search.errors import DeadEndError, SearchInputError
from musegen.search.lattice import FloatArray, IntArray, Lattice
from musegen.search.protocols import LookBack, SlotScorer
from musegen.search.walk import MODELS, Beam, Settings, Walk

__all__ = ["MOST_PARTICLES", "Particles", "resampled", "weighted_paths"]

MOST_PARTICLES = 65_536
LIGHTEST = -700.0  # natural log of a share of the heaviest weight, below which none is told apart


@dataclass(frozen=True, slots=True)
class Particles:
    """Complete legal paths, none twice, that stand for all."""

    paths: IntArray  # (P, T)
    log_weights: FloatArray  # (P,) natural logs; their exponentials add up to the estimate of Z
    exact: bool  # whether they are all legal paths, so that nothing is estimated

    @property
    def log_mass(self) -> float:
        """log Z: of models whose scores are log-probabilities, that of keeping the rules at all."""
        return float(np.logaddexp.reduce(self.log_weights))

    def drawn(self, rng: np.random.Generator) -> IntArray:
        """One of the paths (T,), in proportion to its weight."""
        shares = np.exp(self.log_weights - self.log_weights.max())
        heaped = shares.cumsum()
        chosen: IntArray = self.paths[int(heaped.searchsorted(rng.random() * heaped[-1], "right"))]
        return chosen


def weighted_paths(
    lattice: Lattice,
    scorer: SlotScorer,
    *,
    rng: np.random.Generator,
    particles: int,
    look_back: LookBack | None = None,
) -> Particles:
    """Legal paths with weights that stand for what models find likely among all legal paths.

    Costs of rules that forbid nothing do not count; what costs inf is forbidden.

    Args:
        lattice: what may stand where, and follow what.
        scorer: natural-log scores of what comes.
        rng: draws what is kept.
        particles: hypotheses that are kept at most.
        look_back: rules that look further back; None if there are none.

    Raises:
        InfeasibleError: there is no complete path under the first-order rules.
        DeadEndError: the long rules, or models that forbid, left none of the particles a way on; it is
            proved that there is none if all were kept.
        SearchInputError: a number of particles out of its range, or an answer that is none.
    """
    if not 1 <= particles <= MOST_PARTICLES:
        raise SearchInputError("particles", particles, f"from 1 to {MOST_PARTICLES}")
    walk = ready_to_walk(lattice, Settings(width=particles, guide=0.0), scorer, look_back, rng)
    beam, weights, exact = walk.start(), np.zeros(1), True
    for _ in lattice.unary:
        beam, weights, kept_all = _onward(walk, beam, weights, exact=exact)
        exact = exact and kept_all
    return Particles(beam.paths, weights, exact)


def _onward(
    walk: Walk, beam: Beam, weights: FloatArray, *, exact: bool
) -> tuple[Beam, FloatArray, bool]:
    """The hypotheses of the next slot, their log-weights (P,), and whether none was left out."""
    ways = walk.expand(beam)
    rows = ways.allowed()
    if not len(rows):
        raise DeadEndError(
            beam.slot,
            f"rules that look further back than one slot, or models, left none of "
            f"{len(weights)} particles a way on"
            + ("" if exact else "; more particles may find one"),
            proved=exact,
        )
    parents = ways.parents[rows]
    steps = ways.sums[rows, MODELS] - beam.sums[parents, MODELS]
    assert walk.rng is not None  # `weighted_paths` has one
    kept, heavy = resampled(weights[parents] + steps, walk.settings.width, walk.rng)
    return walk.advance(ways, rows[kept]), heavy, len(kept) == len(rows)


def resampled(
    log_weights: FloatArray, most: int, rng: np.random.Generator
) -> tuple[IntArray, FloatArray]:
    """Places (P,), ascending, of at most so many of the weighted, and their new log-weights (P,).

    Weights above a threshold c stay; of those below, some are drawn systematically in proportion
    to their weights, each then of weight c, where c makes the sum of min(1, w / c) the number wanted. So
    each expected weight is what it was, and none is kept twice (Fearnhead and Clifford 2003, section 3.2).
    """
    if len(log_weights) <= most:
        return np.arange(len(log_weights)), log_weights
    top = float(log_weights.max())
    shares = np.exp(np.maximum(log_weights - top, LIGHTEST))
    threshold = _threshold(shares, most)
    heavy = shares >= threshold
    light = np.flatnonzero(~heavy)
    wanted = most - int(heavy.sum())
    heaped = shares[light].cumsum()
    pointers = (rng.random() + np.arange(wanted)) / max(1, wanted) * heaped[-1]
    drawn = light[np.minimum(heaped.searchsorted(pointers, side="right"), len(light) - 1)]
    kept = np.sort(np.concatenate([np.flatnonzero(heavy), drawn]))
    return kept, np.where(heavy[kept], log_weights[kept], top + np.log(threshold))


def _threshold(shares: FloatArray, most: int) -> float:
    """c with sum of min(1, w / c) = most, for weights (N,) of which N is more than that."""
    ordered = np.sort(shares)
    below = ordered.cumsum()  # of the i + 1 lightest
    wanted = most - np.arange(len(ordered) - 1, -1, -1)  # draws among them, if the rest stay
    with np.errstate(divide="ignore"):
        thresholds = np.where(wanted > 0, below / wanted, np.inf)
    fits = (wanted > 0) & (ordered <= thresholds)  # the last one: what is below it is below c too
    return float(thresholds[np.flatnonzero(fits)[-1]])
