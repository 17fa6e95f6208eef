"""Sweeps of binary machines: probabilities by enumeration, blocks and threads that change nothing."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from musegen.models.gibbs import BLOCK, SPARSE, Machine, swept, visible_products


def _machine(visible: int, hidden: int, seed: int = 0) -> Machine:
    rng = np.random.default_rng(seed)
    return Machine(
        rng.normal(0, 1, (visible, hidden)).astype(np.float32),
        rng.normal(-0.5, 1, visible).astype(np.float32),
        rng.normal(0, 1, hidden).astype(np.float32),
    )


def _streams(count: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 1 << 64, size=count, dtype=np.uint64)


def test_many_sweeps_draw_from_the_distribution_of_the_machine() -> None:
    """Over all 16 visible vectors, shares of long chains are those of enumeration."""
    machine, count = _machine(4, 3), 4_000
    vectors = np.array(list(product((0, 1), repeat=4)), np.float64)
    hidden = np.logaddexp(0, vectors @ machine.weights + machine.hidden).sum(axis=1)
    weights = np.exp(vectors @ machine.visible + hidden)
    exact = weights / weights.sum()
    units = swept(machine, np.zeros((count, 4), np.float32), _streams(count), sweeps=40)
    codes = units.astype(np.int64) @ [8, 4, 2, 1]
    found = np.bincount(codes, minlength=16) / count
    assert np.abs(found - exact).max() < 5 * np.sqrt(0.25 / count)


def test_threads_and_sweeps_at_once_change_nothing() -> None:
    """Blocks are independent: two threads, or sweeps one by one, give the same units and streams."""
    machine, count = _machine(20, 9), 2 * BLOCK + 5
    units = (np.random.default_rng(1).random((count, 20)) < 0.1).astype(np.float32)
    before = units.copy()
    alone, together, stepwise = _streams(count), _streams(count), _streams(count)
    one = swept(machine, units, alone, sweeps=3)
    two = swept(machine, units, together, sweeps=3, threads=2)
    three = units
    for _ in range(3):
        three = swept(machine, three, stepwise)
    assert np.array_equal(one, two)
    assert np.array_equal(one, three)
    assert np.array_equal(alone, together)
    assert np.array_equal(alone, stepwise)
    assert np.array_equal(units, before)


def test_scale_nought_draws_the_biases_alone() -> None:
    """At the hottest temperature weights do not matter."""
    machine = _machine(6, 4)
    hot = Machine(machine.weights, machine.visible, machine.hidden, np.float32(0))
    units = swept(hot, np.ones((50_000, 6), np.float32), _streams(50_000))
    chance = 1 / (1 + np.exp(-machine.visible.astype(float)))
    assert np.abs(units.mean(axis=0) - chance).max() < 5 * np.sqrt(0.25 / 50_000)


@pytest.mark.parametrize("share", [SPARSE / 3, 2 * SPARSE])
def test_products_are_the_product_at_any_density(share: float) -> None:
    """Few keys or many, sums of rows or BLAS, the product is the same up to rounding."""
    rng = np.random.default_rng(0)
    units = (rng.random((9, 88)) < share).astype(np.float32)
    weights = rng.normal(size=(88, 30)).astype(np.float32)
    exact = units.astype(np.float64) @ weights
    assert visible_products(units, weights) == pytest.approx(exact, abs=1e-5)
