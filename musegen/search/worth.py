"""What a given path costs and what models make of it: for paths that were not walked to."""

from __future__ import annotations

import numpy as np

from musegen.search.lattice import BoolArray, FloatArray, IntArray, Lattice
from musegen.search.protocols import LookBack, SlotScorer
from musegen.search.walk import Terms

__all__ = ["legal", "path_terms"]

ROOT = np.zeros(1, np.int64)


def path_terms(
    lattice: Lattice,
    path: IntArray,
    *,
    look_back: LookBack | None = None,
    scorer: SlotScorer | None = None,
) -> Terms:
    """The terms of a complete path (T,) that the pair tables hold.

    Models are asked for all candidates of a slot, as some of them normalise over what they are asked.
    """
    rules = sum(float(unary[choice]) for unary, choice in zip(lattice.unary, path, strict=True))
    for slot, table in enumerate(lattice.pairs, 1):
        only = np.full(len(lattice.unary[slot]), np.inf)
        only[path[slot]] = 0.0
        rules += float(table.ways(only, path[slot - 1 : slot])[2][0])
    return Terms(
        rules=-rules, look_back=-_look_back(path, look_back), models=_models(lattice, path, scorer)
    )


def _look_back(path: IntArray, look_back: LookBack | None) -> float:
    if look_back is None:
        return 0.0
    return sum(
        float(look_back.costs(slot, path[None, :slot], ROOT, path[slot : slot + 1])[0])
        for slot in range(len(path))
    )


def _models(lattice: Lattice, path: IntArray, scorer: SlotScorer | None) -> float:
    if scorer is None:
        return 0.0
    state, total = scorer.start(), 0.0
    for slot, unary in enumerate(lattice.unary):
        asked = np.flatnonzero(np.isfinite(unary))
        chosen = path[slot : slot + 1]
        total += float(scorer.scores(slot, state, asked)[0, np.searchsorted(asked, chosen[0])])
        state = scorer.advance(slot, state, ROOT, chosen)
    return total


def legal(look_back: LookBack, paths: IntArray) -> BoolArray:
    """Which complete paths (B, T) the long rules allow."""
    left = np.arange(len(paths))
    for slot in range(paths.shape[1]):
        before = paths[left, :slot]
        costs: FloatArray = look_back.costs(slot, before, np.arange(len(left)), paths[left, slot])
        left = left[np.isfinite(costs)]
        if not len(left):
            break
    allowed = np.zeros(len(paths), np.bool_)
    allowed[left] = True
    return allowed
