"""Pieces that the rules allow: those that a model draws, and those of a pool that it prefers.

How a model writes under constraints is told in two ways. A model that proposes draws chorales from its
own distribution given the hard rules (`musegen.tasks.sample_legal`). And any model weighs a pool that
the constrained search has drawn without any model: the quarter that it finds likeliest is what it would
take (importance resampling, Rubin 1987, cut short). The same pool is weighed by all models, and shows by
itself what the rules do alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from musegen.comparison.roll_set import roll_of
from musegen.errors import DeadEndError
from musegen.models.rolls import FrameModel, Roll

__all__ = ["CHOSEN", "PARTICLES", "chosen", "drawn_under_rules", "legal_rolls"]

CHOSEN = 4  # one in so many is kept
PARTICLES = 8  # of each piece that a model draws: it is to show how a model writes, not to be exact
KEYS = ("C major", "C minor")
WIDTH = 8  # of the beam, that has nothing but rules to go by


def legal_rolls(count: int, *, progress: Callable[[int, int], None] | None = None) -> list[Roll]:
    """Chorales in C, major and minor in turn, that keep all hard rules; chords in quarter notes.

    Args:
        count: how many; the same number gives the same pieces.
        progress: told of pieces done and of all.
    """
    from musegen.tasks.compose import Request, draft

    found = []
    for seed in range(count):
        request = Request(
            key=KEYS[seed % 2], metre="4/4", seed=seed, models=(), width=WIDTH, figures=False
        )
        roll, _ = roll_of(draft(request).score, f"legal {seed}", to_c=True)
        found.append(roll)
        if progress is not None:
            progress(seed + 1, count)
    return found


def drawn_under_rules(model: FrameModel, count: int, *, seed: int) -> list[Roll]:
    """Chorales in C, major and minor in turn, that a model draws under the hard rules.

    Args:
        model: one that proposes.
        count: how many; a draw that rules looking far back leave no way on is left out.
        seed: of each, with its number.

    Raises:
        TrainingError: the model does not propose.
        InfeasibleError: the rules refused all that was drawn of a piece.
    """
    from musegen.models.roll_proposals import proposer_of
    from musegen.tasks.sample_legal import UnderRules, legal_draft

    proposer, found = proposer_of(model), []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        wanted = UnderRules(key=KEYS[number % 2], metre="4/4", particles=PARTICLES)
        try:
            score = legal_draft(proposer, wanted, rng=rng, seed=seed).score
        except DeadEndError:
            continue
        roll, _ = roll_of(score, f"{model.name} under the rules {number + 1}", to_c=True)
        found.append(roll)
    return found


def chosen(rolls: Sequence[Roll], nats: NDArray[np.float64]) -> list[Roll]:
    """The quarter of the pieces with the least nats a frame, best first; one at least.

    Args:
        rolls: legal pieces.
        nats: (P,) nats a frame of each by the model.
    """
    order = np.argsort(nats, kind="stable")[: max(1, len(rolls) // CHOSEN)]
    return [rolls[place] for place in order.tolist()]
