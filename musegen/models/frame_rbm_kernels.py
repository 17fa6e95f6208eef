"""Kernels of the binary RBM: draws by whole rows, and products that skip silent keys.

A unit is on with probability sigmoid(x), that is where u + u exp(-x) < 1 for a uniform u. One 64-bit
word of a chain's stream draws four units, 16 bits each: the middles of 2^16 cells. The outermost
cells are drawn again inside, so that rare events stay as rare as they are; elsewhere a probability
is kept to within 2^-17. The exponential is a power of two times a polynomial, so that rows vectorise.

Each chain has its own stream (SplitMix64: Steele, Lea and Flood 2014), so a draw does not depend on
how chains are put in batches.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from musegen.models.rbm_kernels import GOLDEN, mixed, next_word

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Real = NDArray[np.float32]
    Streams = NDArray[np.uint64]

__all__ = ["draw", "free_energies", "sparse_products"]

CELLS = 1 << 16
LAST = CELLS - 1
CELL = np.float32(1 / CELLS)
A_WORD = 4  # units that one word draws
DOUBLINGS = np.float32(-1 / math.log(2))  # exp(-x) is 2 to the power of x times this
MOST = np.float32(60)  # doublings beyond which nothing changes
ONE, NOUGHT, HALF = np.float32(1), np.float32(0), np.float32(0.5)
BIAS, MANTISSA = np.float32(127), np.float32(1 << 23)  # of a float's exponent and its place
# 2 ** f for f in -0.5 to 0.5: the series of exp(f log 2), wrong by 3e-6 at most
C1, C2, C3, C4, C5 = (np.float32(math.log(2) ** k / math.factorial(k)) for k in range(1, 6))


@njit(cache=True, nogil=True)
def _draw_edges(
    activations: Real, cells: NDArray[np.uint16], streams: Streams, chain: int, row: Real
) -> None:
    """Draw again, finely, what fell into the first or the last cell."""
    for u in range(len(row)):
        if cells[u] == 0 or cells[u] == LAST:
            fine = (
                (float(next_word(streams, chain) >> np.uint64(11)) + 0.5) / float(1 << 53) / CELLS
            )
            logit = math.log(fine) - math.log1p(-fine)
            threshold = logit if cells[u] == 0 else -logit
            row[u] = ONE if activations[u] > threshold else NOUGHT


@njit(cache=True, nogil=True)
def draw(products: Real, bias: Real, scale: np.float32, streams: Streams, out: Real) -> None:
    """Draw units (n, U) into `out`, 0 or 1: on with probability sigmoid(scale * products + bias).

    `bias` (U,) is of all chains; `streams` (n,) are moved on. `out` may be `products`: a row is
    read whole before it is written.
    """
    units = products.shape[1]
    words = np.empty((units + A_WORD - 1) // A_WORD, np.uint64)
    cells = words.view(np.uint16)
    activations, parts = np.empty(units, np.float32), np.empty(units, np.float32)
    exponents = np.empty(units, np.int32)
    powers = exponents.view(np.float32)
    for i in range(products.shape[0]):
        state = streams[i]
        for j in range(len(words)):
            words[j] = mixed(state + GOLDEN * np.uint64(j + 1))
        streams[i] = state + GOLDEN * np.uint64(len(words))
        for u in range(units):
            activations[u] = scale * products[i, u] + bias[u]
            x = activations[u] * DOUBLINGS
            x = max(-MOST, min(MOST, x))
            whole = np.floor(x + HALF)
            f = x - whole
            parts[u] = ONE + f * (C1 + f * (C2 + f * (C3 + f * (C4 + f * C5))))
            exponents[u] = np.int32((whole + BIAS) * MANTISSA)
        edges = 0
        for u in range(units):
            uniform = (np.float32(cells[u]) + HALF) * CELL
            out[i, u] = ONE if uniform + uniform * parts[u] * powers[u] < ONE else NOUGHT
        for u in range(units):
            edges += (cells[u] == 0) | (cells[u] == LAST)
        if edges:
            _draw_edges(activations, cells, streams, i, out[i])


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
