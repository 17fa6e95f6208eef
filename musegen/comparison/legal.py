"""Pieces that the rules allow, and those of them that a model prefers.

How a model writes under constraints is told by importance resampling (Rubin 1987) cut short: the
constrained search draws legal pieces without any model, the model weighs them, and the quarter that
it finds likeliest is what it contributes. The same pieces are weighed by all models; beside them the
pool itself shows what the rules do alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from musegen.comparison.roll_set import roll_of
from musegen.models.rolls import Roll

__all__ = ["CHOSEN", "chosen", "legal_rolls"]

CHOSEN = 4  # one in so many is kept
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


def chosen(rolls: Sequence[Roll], nats: NDArray[np.float64]) -> list[Roll]:
    """The quarter of the pieces with the least nats a frame, best first; one at least.

    Args:
        rolls: legal pieces.
        nats: (P,) nats a frame of each by the model.
    """
    order = np.argsort(nats, kind="stable")[: max(1, len(rolls) // CHOSEN)]
    return [rolls[place] for place in order.tolist()]
