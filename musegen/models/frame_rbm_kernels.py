"""Kernels of the binary RBM: draws without an exponential, and products that skip silent keys.

A unit is on with probability sigmoid(x), that is where x exceeds logit(u) of a uniform u. The logits
of 2^16 uniforms stand in a table, and one 64-bit word of a chain's stream draws four units. The
outermost cells of the table are drawn again inside, so that rare events stay as rare as they are;
elsewhere a probability is kept to within 2^-17.

Each chain has its own stream (SplitMix64: Steele, Lea and Flood 2014), so a result does not depend
on how chains are put in batches.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from musegen.models.rbm_kernels import next_word

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Real = NDArray[np.float32]
    Streams = NDArray[np.uint64]

__all__ = ["LOGITS", "draw", "free_energies", "sparse_products"]

CELLS = 1 << 16
LAST = CELLS - 1
_MIDDLES = (np.arange(CELLS) + 0.5) / CELLS
LOGITS = np.log(_MIDDLES / (1 - _MIDDLES)).astype(np.float32)
S16, MASK = np.uint64(16), np.uint64(LAST)


@njit(cache=True, nogil=True)
def _edge(cell: int, streams: Streams, chain: int) -> float:
    """Logit of a uniform inside the first or the last cell of the table."""
    fine = (float(next_word(streams, chain) >> np.uint64(11)) + 0.5) / float(1 << 53) / CELLS
    value = math.log(fine) - math.log1p(-fine)
    return value if cell == 0 else -value


@njit(cache=True, nogil=True)
def draw(
    products: Real, bias: Real, scale: np.float32, logits: Real, streams: Streams, out: Real
) -> None:
    """Draw units (n, U) into `out`, 0 or 1: on with probability sigmoid(scale * products + bias).

    `bias` (U,) is of all chains; `streams` (n,) are moved on.
    """
    for i in range(products.shape[0]):
        word = np.uint64(0)
        for u in range(products.shape[1]):
            if u & 3 == 0:
                word = next_word(streams, i)
            cell = np.int64(word & MASK)
            word >>= S16
            activation = scale * products[i, u] + bias[u]
            threshold = logits[cell]
            if cell == 0 or cell == LAST:
                threshold = np.float32(_edge(int(cell), streams, i))
            out[i, u] = np.float32(1.0) if activation > threshold else np.float32(0.0)


@njit(cache=True, nogil=True)
def sparse_products(units: Real, weights: Real, out: Real) -> None:
    """units (n, U), zeros and ones, times weights (U, H) into `out` (n, H); skips what is off."""
    for i in range(units.shape[0]):
        for h in range(out.shape[1]):
            out[i, h] = np.float32(0.0)
        for u in range(units.shape[1]):
            if units[i, u] > np.float32(0.0):
                for h in range(out.shape[1]):
                    out[i, h] += weights[u, h]


@njit(cache=True, nogil=True)
def free_energies(
    products: Real, bias: NDArray[np.float64], scale: float, out: NDArray[np.float64]
) -> None:
    """Sums over hidden units of log(1 + exp(scale * (products + bias))) into `out` (n,)."""
    for i in range(products.shape[0]):
        total = 0.0
        for h in range(products.shape[1]):
            x = scale * (products[i, h] + bias[h])
            total += max(x, 0.0) + math.log1p(math.exp(-abs(x)))
        out[i] = total
