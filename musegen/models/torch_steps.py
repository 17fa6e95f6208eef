"""What the trainers that use torch share: one step, its dropout, its rate, and torch's manners.

All random numbers come from generators that are passed in. Sources: Loshchilov and Hutter, Decoupled
weight decay regularization (2019), AdamW and the cosine; Polyak and Juditsky, Acceleration of
stochastic approximation by averaging (1992), averaged weights; Srivastava et al., Dropout (2014).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    import torch

__all__ = [
    "KEEP",
    "Drop",
    "StepSettings",
    "deterministic",
    "rate_at",
    "step_weights",
]

BETAS = (0.9, 0.99)


class StepSettings(Protocol):
    """What a step asks of settings."""

    @property
    def epochs(self) -> int:
        """Passes over the training data."""

    @property
    def rate(self) -> float:
        """Peak learning rate."""

    @property
    def warm_up(self) -> int:
        """Epochs of linear warm-up."""

    @property
    def weight_decay(self) -> float:
        """Of matrices."""

    @property
    def clip(self) -> float:
        """Largest norm of all gradients together."""

    @property
    def averaging(self) -> float:
        """Decay a step of the averaged weights."""


@contextmanager
def deterministic(threads: int) -> Iterator[None]:
    """torch with so many threads and deterministic algorithms only; restored afterwards."""
    import torch

    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])


@dataclass(frozen=True, slots=True)
class Drop:
    """Dropout, with what it draws from; without, nothing is dropped."""

    generator: torch.Generator | None

    def __call__(self, tensor: torch.Tensor, share: float, shape: Sequence[int]) -> torch.Tensor:
        """A share set to zero, the rest made larger; the mask of this shape is broadcast.

        Masks are drawn on the processor, so that a seed means the same masks on every device.
        """
        import torch

        if self.generator is None or share == 0:
            return tensor
        mask = torch.rand(tuple(shape), generator=self.generator) >= share
        return tensor * (mask / (1 - share)).to(tensor)


KEEP = Drop(None)  # no dropout: for validation


def rate_at(settings: StepSettings, epoch: int) -> float:
    """Linear warm-up, then half a cosine down to a hundredth."""
    if epoch < settings.warm_up:
        return settings.rate * (epoch + 1) / settings.warm_up
    part = (epoch - settings.warm_up) / max(1, settings.epochs - settings.warm_up)
    return settings.rate * float(0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * part)))


def step_weights(
    tensors: dict[str, torch.Tensor],
    gradients: Mapping[str, torch.Tensor],
    settings: StepSettings,
    rate: float,
    steps: int,
) -> None:
    """One step of AdamW with clipped gradients, and of the running mean.

    Args:
        tensors: `now.`, `mean.`, `first_moment.` and `second_moment.` of each name; changed in
            place.
        gradients: by name.
        settings: weight decay, clipping, averaging.
        rate: learning rate of this step.
        steps: number of this step, from 1.
    """
    import torch

    # In the order of names: sums round by their order, and files keep none.
    squares = [(gradients[name] * gradients[name]).sum() for name in sorted(gradients)]
    norm = torch.sqrt(torch.stack(squares).sum())
    scale = min(1.0, settings.clip / (float(norm) + 1e-6))
    kept = min(settings.averaging, (steps - 1) / steps)
    with torch.no_grad():
        for name, gradient in gradients.items():
            _adamw(tensors, name, gradient * scale, (settings.weight_decay, rate, steps))
            tensors[f"mean.{name}"].lerp_(tensors[f"now.{name}"], 1 - kept)


def _adamw(
    tensors: dict[str, torch.Tensor],
    name: str,
    gradient: torch.Tensor,
    how: tuple[float, float, int],
) -> None:
    """Loshchilov and Hutter's algorithm 2 on one parameter; `how`: decay, rate, step."""
    decay, rate, steps = how
    now = tensors[f"now.{name}"]
    first, second = tensors[f"first_moment.{name}"], tensors[f"second_moment.{name}"]
    first.lerp_(gradient, 1 - BETAS[0])
    second.lerp_(gradient * gradient, 1 - BETAS[1])
    if now.ndim > 1:
        now.mul_(1 - rate * decay)
    size = (second / (1 - BETAS[1] ** steps)).sqrt_().add_(1e-8)
    now.sub_(rate / (1 - BETAS[0] ** steps) * first / size)
