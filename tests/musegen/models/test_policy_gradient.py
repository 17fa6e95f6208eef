"""The gradient of policy gradient is that of what it is to raise, by enumeration."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from musegen.models.policy_gradient import advantages, divergences, policy_loss, returns

SYMBOLS, LENGTH = 3, 3
FRAME = np.array([0, 0, 1])  # of each symbol: two in the first frame, one in the second
PIECES = [np.array(piece) for piece in product(range(SYMBOLS), repeat=LENGTH)]


def _rewards(piece: np.ndarray) -> np.ndarray:
    """Of both frames; the second depends on what was drawn in the first."""
    return np.array([float(piece[0] == 1) - 0.3 * piece[1], float(piece[2] == piece[0])])


def _logs(table: torch.Tensor, piece: np.ndarray) -> torch.Tensor:
    """A policy that sees how many symbols there were and the last of them, (LENGTH, SYMBOLS)."""
    before = [0, *piece[:-1].tolist()]
    rows = torch.stack([table[place, last] for place, last in enumerate(before)])
    return torch.log_softmax(rows, dim=-1)


def _objective(table: torch.Tensor, prior: torch.Tensor, strength: float) -> torch.Tensor:
    """Expected rewards less the price of the KL of whole pieces, summed over all pieces."""
    total = torch.zeros((), dtype=torch.float64)
    for piece in PIECES:
        rows = np.arange(LENGTH)
        log, other = _logs(table, piece)[rows, piece], _logs(prior, piece)[rows, piece]
        worth = _rewards(piece).sum() - strength * (log.sum() - other.sum())
        total = total + log.sum().exp() * worth
    return total


@pytest.mark.parametrize("strength", [0.0, 0.7])
@pytest.mark.parametrize("baseline", [0.0, 5.0])
def test_the_gradient_is_the_exact_one(strength: float, baseline: float) -> None:
    """Weighed by how likely each piece is, the steps add up to the objective's gradient."""
    rng = np.random.default_rng(0)
    shape = (LENGTH, SYMBOLS, SYMBOLS)
    table, prior = (torch.from_numpy(rng.normal(size=shape)) for _ in range(2))
    table.requires_grad_()
    (exact,) = torch.autograd.grad(_objective(table, prior, strength), table)
    total = torch.zeros((), dtype=torch.float64)
    for piece in PIECES:
        logs, symbols = _logs(table, piece), torch.from_numpy(piece)
        apart = divergences(logs, _logs(prior, piece))
        costs = strength * apart.detach().numpy()
        _, after = returns(_rewards(piece), costs, FRAME, discount=1.0)
        worth = torch.from_numpy(after - baseline)
        losses = policy_loss(logs, symbols, worth, apart, strength=strength)
        chance = logs.gather(-1, symbols[:, None]).sum().exp().detach()
        total = total + chance * losses.sum()
    (found,) = torch.autograd.grad(total, table)
    assert torch.allclose(-found, exact, atol=1e-12)


def test_returns_count_what_comes_later() -> None:
    """A symbol answers for its own frame and those after it, not for its own cost."""
    by_frame, after = returns(np.array([1.0, 10.0]), np.array([0.1, 0.2, 0.4]), FRAME, discount=0.5)
    assert after == pytest.approx([1 + 5 - 0.2 - 0.2, 1 + 5 - 0.2, 10])
    assert by_frame == pytest.approx([1 + 5 - 0.1 - 0.2 - 0.2, 10 - 0.4])


def test_the_baseline_of_a_piece_is_the_mean_of_the_others() -> None:
    """Of two pieces each is measured by the other, from the same frame on."""
    frame = np.array([0, 1])
    of = [returns(np.array([a, b]), np.zeros(2), frame, discount=1.0) for a, b in ((1, 2), (5, 8))]
    first, second = advantages(of, [frame, frame])
    assert first == pytest.approx([3 - 13, 2 - 8])
    assert second == pytest.approx([13 - 3, 8 - 2])


def test_a_policy_is_not_apart_from_itself() -> None:
    """The KL is 0 for the prior itself, positive else, and barred symbols do not count."""
    logs = torch.log_softmax(torch.tensor([[0.0, 1.0, -torch.inf], [2.0, 1.0, 0.0]]), dim=-1)
    other = torch.log_softmax(torch.tensor([[0.5, 1.0, -torch.inf], [2.0, 1.0, 0.5]]), dim=-1)
    assert divergences(logs, logs).tolist() == [0.0, 0.0]
    p, q = logs[0, :2].exp(), other[0, :2].exp()
    assert float(divergences(logs, other)[0]) == pytest.approx(float((p * (p / q).log()).sum()))
    assert bool((divergences(logs, other) > 0).all())
