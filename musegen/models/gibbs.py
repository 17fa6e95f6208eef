"""Block Gibbs sweeps of a binary restricted Boltzmann machine.

The two products of a sweep are BLAS's in float32, but where few keys sound the first adds up their
rows alone: past what dense arithmetic allows. Drawing is one compiled pass. Chains go in blocks of a
fixed size that stay in the cache; blocks know nothing of each other, so with more threads the same
numbers come out.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musegen.models import frame_rbm_kernels as kernels

__all__ = ["BLOCK", "SPARSE", "Machine", "swept", "visible_products"]

Real = NDArray[np.float32]
Streams = NDArray[np.uint64]

BLOCK = 128  # chains
ONE = np.float32(1)
SPARSE = 0.15  # share of units that are on, up to which adding rows is quicker than the product


@dataclass(frozen=True, slots=True)
class Machine:
    """Parameters at one temperature: weights and biases of V visible and H hidden units."""

    weights: Real  # (V, H)
    visible: Real  # (V,)
    hidden: Real  # (H,)
    scale: np.float32 = ONE  # of the weights


def visible_products(units: Real, weights: Real) -> Real:
    """units (n, V), zeros and ones, times weights (V, H)."""
    if np.count_nonzero(units) > SPARSE * units.size:
        return units @ weights
    products = np.empty((len(units), weights.shape[1]), np.float32)
    kernels.sparse_products(units, weights, products)
    return products


def _block(machine: Machine, units: Real, streams: Streams, sweeps: int, out: Real) -> None:
    """All sweeps of a block of chains, the last into `out`."""
    for _ in range(sweeps):
        hidden = visible_products(units, machine.weights)
        kernels.draw(hidden, machine.hidden, machine.scale, streams, hidden)
        np.matmul(hidden, machine.weights.T, out=out)
        kernels.draw(out, machine.visible, machine.scale, streams, out)
        units = out


def swept(
    machine: Machine, units: Real, streams: Streams, *, sweeps: int = 1, threads: int = 1
) -> Real:
    """Visible units (n, V) after some sweeps, in each of which hidden units are drawn, then visible.

    Args:
        machine: whose chains they are; float32 throughout.
        units: zeros and ones.
        streams: (n,) random streams, one a chain, moved on in place.
        sweeps: one or more.
        threads: blocks that are worked on at once.
    """
    out = np.empty_like(units)

    def work(start: int) -> None:
        place = slice(start, start + BLOCK)
        _block(machine, units[place], streams[place], sweeps, out[place])

    starts = range(0, len(units), BLOCK)
    if threads == 1:
        for start in starts:
            work(start)
    else:
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(work, starts):
                pass
    return out
