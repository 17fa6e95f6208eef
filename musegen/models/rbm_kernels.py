"""Kernels of the conditional RBM: one fused pass each.

About an eighth of the hidden units are on, so hidden times weights is a sum of the rows that are
on: two to four times quicker than the dense product in BLAS at 192 x 248, and its rounding does
not depend on the number of threads.

A visible vector of V softmax groups of K units is stored as V unit indices (the units that are
on), -1 for a group with none on. Each chain has its own stream of random numbers, so that a result
does not depend on how chains are put in batches: SplitMix64 (Steele, Lea and Flood, Fast
splittable pseudorandom number generators, 2014), one 64-bit counter a chain.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = [
    "GOLDEN",
    "accumulate_pairs",
    "accumulate_rows",
    "hidden_means",
    "log_partition",
    "mixed",
    "next_word",
    "sample_hidden",
    "sample_visible",
    "softplus_sums",
    "sum_active",
    "sum_rows",
]

Real = NDArray[np.float32]
Units = NDArray[np.int64]
Streams = NDArray[np.uint64]
Mask = NDArray[np.bool_]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST = np.uint64(0xBF58476D1CE4E5B9)
SECOND = np.uint64(0x94D049BB133111EB)
S30, S27, S31, S40 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(40)
UNIT = np.float32(1.0 / (1 << 24))


@njit(cache=True)
def mixed(state: np.uint64) -> np.uint64:
    """The 64 bits that belong to a state of a stream."""
    z = (state ^ (state >> S30)) * FIRST
    z = (z ^ (z >> S27)) * SECOND
    return z ^ (z >> S31)


@njit(cache=True)
def next_word(streams: Streams, chain: int) -> np.uint64:
    """The next 64 bits of a chain's stream."""
    streams[chain] += GOLDEN
    return mixed(streams[chain])


@njit(cache=True)
def _uniform(streams: Streams, chain: int) -> np.float32:
    """The next number in [0, 1) of a chain's stream, 24 bits."""
    return np.float32(next_word(streams, chain) >> S40) * UNIT


@njit(cache=True)
def sum_rows(units: Units, table: Real, out: NDArray[Any]) -> None:
    """Add to each row of `out` (n, H) the rows of `table` (U, H) named by `units` (n, V)."""
    for i in range(units.shape[0]):
        for j in range(units.shape[1]):
            unit = units[i, j]
            if unit >= 0:
                for h in range(out.shape[1]):
                    out[i, h] += table[unit, h]


@njit(cache=True)
def hidden_means(units: Units, weights: Real, bias: Real, out: Real) -> None:
    """P(hidden on | visible) into `out` (n, H); `bias` (n, H) already holds the condition."""
    for i in range(units.shape[0]):
        for h in range(out.shape[1]):
            out[i, h] = bias[i, h]
        for j in range(units.shape[1]):
            row = weights[units[i, j]]
            for h in range(out.shape[1]):
                out[i, h] += row[h]
        for h in range(out.shape[1]):
            out[i, h] = np.float32(1.0) / (np.float32(1.0) + math.exp(-out[i, h]))


@njit(cache=True)
def sample_hidden(
    units: Units, weights: Real, bias: Real, scale: np.float32, streams: Streams, out: Real
) -> None:
    """Draw the hidden units given the visible ones into `out` (n, H); weights times `scale`."""
    for i in range(units.shape[0]):
        for h in range(out.shape[1]):
            out[i, h] = bias[i, h]
        for j in range(units.shape[1]):
            row = weights[units[i, j]]
            for h in range(out.shape[1]):
                out[i, h] += row[h]
        for h in range(out.shape[1]):
            mean = np.float32(1.0) / (np.float32(1.0) + math.exp(-scale * out[i, h]))
            out[i, h] = np.float32(1.0) if _uniform(streams, i) < mean else np.float32(0.0)


@njit(cache=True)
def sum_active(hidden: Real, weights: Real, out: Real) -> None:
    """hidden (n, H), zeros and ones, times weights (H, U) into `out` (n, U)."""
    for i in range(hidden.shape[0]):
        for u in range(out.shape[1]):
            out[i, u] = np.float32(0.0)
        for h in range(hidden.shape[1]):
            if hidden[i, h] > np.float32(0.0):
                for u in range(out.shape[1]):
                    out[i, u] += weights[h, u]


@njit(cache=True)
def sample_visible(
    products: Real, bias: Real, scale: np.float32, clamped: Mask, streams: Streams, units: Units
) -> None:
    """Draw each free softmax group given the hidden units, by inversion.

    `products` (n, V * K) = hidden times weights, overwritten; `bias` (n, V * K); `clamped` (n, V)
    groups stay as they are in `units` (n, V).
    """
    voices = units.shape[1]
    size = products.shape[1] // voices
    for i in range(units.shape[0]):
        for voice in range(voices):
            if clamped[i, voice]:
                continue
            low, high = voice * size, (voice + 1) * size
            top = np.float32(-np.inf)
            for u in range(low, high):
                products[i, u] = scale * products[i, u] + bias[i, u]
                top = max(top, products[i, u])
            total = np.float32(0.0)
            for u in range(low, high):
                products[i, u] = math.exp(products[i, u] - top)
                total += products[i, u]
            aim = _uniform(streams, i) * total
            chosen = high - 1
            for u in range(low, high):
                aim -= products[i, u]
                if aim < np.float32(0.0):
                    chosen = u
                    break
            while products[i, chosen] == np.float32(0.0):  # aim was the rounded end of the sum
                chosen -= 1
            units[i, voice] = chosen


@njit(cache=True)
def softplus_sums(
    units: Units, weights: Real, bias: Real, scale: float, out: NDArray[np.float64]
) -> None:
    """Sum over hidden units of softplus(scale * activation) into `out` (n,)."""
    for i in range(units.shape[0]):
        out[i] = 0.0
        for h in range(weights.shape[1]):
            x = float(bias[i, h])
            for j in range(units.shape[1]):
                x += float(weights[units[i, j], h])
            x *= scale
            out[i] += max(x, 0.0) + math.log1p(math.exp(-abs(x)))


@njit(cache=True)
def accumulate_rows(units: Units, rows: Real, sign: np.float32, out: Real) -> None:
    """Add sign * rows[i] (n, H) to each row of `out` (U, H) named by units[i] (n, V)."""
    for i in range(units.shape[0]):
        for j in range(units.shape[1]):
            unit = units[i, j]
            if unit >= 0:
                for h in range(out.shape[1]):
                    out[unit, h] += sign * rows[i, h]


@njit(cache=True)
def accumulate_pairs(first: Units, second: Units, sign: np.float32, out: Real) -> None:
    """Add `sign` at out[a, b] for every unit a on in first[i] and b on in second[i]."""
    for i in range(first.shape[0]):
        for j in range(first.shape[1]):
            if first[i, j] >= 0:
                for k in range(second.shape[1]):
                    out[first[i, j], second[i, k]] += sign


@njit(cache=True)
def log_partition(
    hypotheses: NDArray[np.float64],
    candidates: NDArray[np.float64],
    chunk: int,
    out: NDArray[np.float64],
) -> None:
    """Sum over hidden units of softplus(a + c) into `out` (B, N).

    `hypotheses` (B, H) = exp(a), `candidates` (H, N) = exp(c): softplus sums are the logarithm of
    a product of (1 + e^a e^c), so a logarithm is needed only every `chunk` factors, where `chunk`
    factors cannot overflow. The inner loop runs over candidates: it vectorises without changing
    the order of any sum, so the result does not depend on the machine's vector width.
    """
    units, count = candidates.shape
    product = np.empty(count)
    for b in range(hypotheses.shape[0]):
        out[b, :] = 0.0
        for begin in range(0, units, chunk):
            product[:] = 1.0
            for h in range(begin, min(begin + chunk, units)):
                a = hypotheses[b, h]
                for n in range(count):
                    product[n] *= 1.0 + a * candidates[h, n]
            for n in range(count):
                out[b, n] += math.log(product[n])
