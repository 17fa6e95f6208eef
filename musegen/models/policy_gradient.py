"""Policy gradient for networks that write symbols one after another, kept near a prior.

    J = E [ sum_t g^t r_t ] - w E [ sum_i g^t(i) KL(pi(. | past_i) || prior(. | past_i)) ]

over pieces drawn from pi; r_t rewards of frames, t(i) the frame of symbol i, g a discount. Its gradient,
without a discount, is that of `policy_loss` with R_i the rewards from the frame of symbol i on, less the KL of
the symbols after it: the KL is summed over all symbols at each place and differentiated there, so only
what it does to later places has to be learnt from draws. Any baseline that does not see the piece
itself leaves the gradient as it is on average; the mean of the other pieces of the batch is one.

Sources: Williams, Simple statistical gradient-following algorithms for connectionist reinforcement
learning (1992), REINFORCE and its baseline; Jaques et al., Sequence tutor: conservative fine-tuning of
sequence generation models with KL-control (2017), the prior; Kool, van Hoof and Welling, Buy 4
REINFORCE samples, get a baseline for free! (2019), the other pieces as baseline.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["advantages", "divergences", "policy_loss", "returns"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def divergences(logs: torch.Tensor, prior: torch.Tensor) -> torch.Tensor:
    """KL (...) in nats of distributions from those of a prior, (..., symbols) natural logs each.

    Both bar the same symbols, with -inf.
    """
    apart = torch.where(torch.isfinite(prior), logs - prior, 0.0)
    return (logs.exp() * apart).sum(dim=-1)


def returns(
    rewards: FloatArray, costs: FloatArray, frame: IntArray, *, discount: float
) -> tuple[FloatArray, FloatArray]:
    """What follows in a piece, (T,) from each frame on and (N,) after each symbol is chosen.

    Args:
        rewards: (T,) of frames.
        costs: (N,) of symbols; that of a symbol itself does not count towards its own return.
        frame: (N,) of each symbol, ascending from 0.
        discount: of each further frame, up to 1.
    """
    frames, after = np.zeros(len(rewards) + 1), np.empty(len(frame))
    to_come = 0.0
    for place in range(len(frame) - 1, -1, -1):
        at = frame[place]
        if place + 1 == len(frame) or frame[place + 1] > at:
            to_come = rewards[at] + discount * frames[at + 1]
        after[place] = to_come
        to_come -= costs[place]
        frames[at] = to_come
    return frames[:-1], after


def advantages(
    of: Sequence[tuple[FloatArray, FloatArray]], frames: Sequence[IntArray]
) -> list[FloatArray]:
    """Returns (N,) of each piece's symbols less the mean of other pieces from the same frame on.

    Args:
        of: what `returns` gives of each piece; two at least, of as many frames each.
        frames: (N,) of each piece's symbols.
    """
    total = np.sum([by_frame for by_frame, _ in of], axis=0)
    return [
        after - ((total - by_frame) / (len(of) - 1))[frame]
        for (by_frame, after), frame in zip(of, frames, strict=True)
    ]


def policy_loss(
    logs: torch.Tensor,
    symbols: torch.Tensor,
    weights: torch.Tensor,
    apart: torch.Tensor,
    *,
    strength: float,
) -> torch.Tensor:
    """What is minimised at each place, (n, N): minus its gradient is that of J on average.

    Args:
        logs: (n, N, symbols) natural-log distributions.
        symbols: (n, N) that were drawn from them.
        weights: (n, N) how much better each was than expected; no gradient.
        apart: (n, N) `divergences` from the prior.
        strength: nats of reward that a nat of divergence costs.
    """
    chosen = logs.gather(-1, symbols[..., None])[..., 0]
    return strength * apart - weights * chosen
