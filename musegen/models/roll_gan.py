"""Generative adversarial network of bars of piano-roll, with the Wasserstein distance.

    critic     maximises  E C(x) - E C(G(z)) - 10 E (|grad C(x')| - 1)^2,   x' between real and made
    generator  maximises  E C(G(z)),                                        z from N(0, I)

Both are small networks of full layers over a whole bar. No likelihood is claimed, and none can be had:
what is told is how well made bars cover held-out real ones (`coverage`), how many differ, and how many are copies.

Sources: Goodfellow et al., Generative adversarial nets (2014); Arjovsky, Chintala and Bottou, Wasserstein
GAN (2017); Gulrajani et al., Improved training of Wasserstein GANs (2017), the penalty; Dong et al.,
MuseGAN (2018), bars of piano-roll; Naeem et al., Reliable fidelity and diversity metrics for
generative models (2020), density and coverage.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from musegen.errors import TrainingError
from musegen.models.cards import Card, DataCard, Metric, Tensors
from musegen.models.latent_training import (
    arrays_of,
    begin,
    check_finite_loss,
    data_mark,
    generator_of,
    load_net,
    resume,
    save_net,
    state_of,
)
from musegen.models.segment_tokens import BAR_KEYS, check_bars
from musegen.models.torch_steps import deterministic
from musegen.models.training import Checkpoint, Progress, load_checkpoint, save_checkpoint

__all__ = ["GANSettings", "RollGAN", "coverage", "load_gan", "save_gan", "train_gan"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

KIND = "roll-gan"
NEIGHBOURS = 5  # that make the ball around a real bar
SLOPE = 0.2  # of leaky rectifiers below nought


@dataclass(frozen=True, slots=True)
class GANSettings:
    """How the networks are made."""

    steps: int = 8  # of a bar
    latent: int = 64  # numbers of z
    hidden: int = 256  # units of each layer
    epochs: int = 150
    batch: int = 64  # bars a step of the critic
    critic_steps: int = 5  # of the critic for each of the generator
    penalty: float = 10.0  # weight of the gradient penalty
    rate: float = 2e-4  # of Adam
    threads: int = 1  # of torch; part of the recipe, since rounding depends on it


def _layers(first: int, hidden: int, last: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(first, hidden),
        nn.LeakyReLU(SLOPE),
        nn.Linear(hidden, hidden),
        nn.LeakyReLU(SLOPE),
        nn.Linear(hidden, last),
    )


class _Nets(nn.Module):
    """Generator and critic."""

    def __init__(self, settings: GANSettings) -> None:
        super().__init__()
        keys = settings.steps * BAR_KEYS
        self.generator = _layers(settings.latent, settings.hidden, keys)
        self.critic = _layers(keys, settings.hidden, 1)

    def make(self, z: torch.Tensor) -> torch.Tensor:
        """Bars (n, T * K) between 0 and 1."""
        return torch.sigmoid(self.generator(z))

    def distance(self, real: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
        """How far the critic tells them apart."""
        found: torch.Tensor = self.critic(real).mean() - self.critic(made).mean()
        return found

    def slope(self, between: torch.Tensor) -> torch.Tensor:
        """Norm (n,) of the critic's gradient at bars."""
        at = between.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(self.critic(at).sum(), at, create_graph=True)
        return torch.sqrt((gradient**2).sum(dim=1) + 1e-12)


@dataclass(frozen=True)
class RollGAN:
    """A model of bars (n, T, K), which keys sound at which step."""

    settings: GANSettings
    nets: _Nets

    def made(self, codes: FloatArray) -> BoolArray:
        """The bars of codes (n, Z): a key sounds where the generator gives more than a half."""
        z = torch.from_numpy(np.ascontiguousarray(codes, np.float32))
        with torch.no_grad(), deterministic(self.settings.threads):
            bars = self.nets.make(z).numpy() > 0.5
        found: BoolArray = bars.reshape(len(codes), self.settings.steps, BAR_KEYS)
        return found

    def sample(self, count: int, rng: np.random.Generator) -> BoolArray:
        """So many bars, their codes drawn from N(0, I)."""
        return self.made(rng.normal(size=(count, self.settings.latent)))

    def metrics(
        self, train: BoolArray, held_out: BoolArray, split: str, *, seed: int = 0
    ) -> tuple[Metric, ...]:
        """Coverage of held-out bars, and how many of as many made bars differ or are copies.

        Beside the coverage by made bars stands that by training bars, as many: what could be had.
        """
        rng = np.random.default_rng(seed)
        made = self.sample(len(held_out), rng)
        some = train[rng.permutation(len(train))[: len(held_out)]]
        density, covered = coverage(held_out, made)
        flat, known = made.reshape(len(made), -1), train.reshape(len(train), -1)
        seen = {row.tobytes() for row in known}
        copies = float(np.mean([row.tobytes() in seen for row in flat]))
        about = f"{NEIGHBOURS} neighbours, number of keys in which bars differ"
        values = (
            ("coverage", covered, "share of bars", f"by made bars; {about}"),
            (
                "coverage",
                coverage(held_out, some)[1],
                "share of bars",
                f"by training bars; {about}",
            ),
            ("density", density, "neighbourhoods a made bar, 1 expected of real ones", about),
            ("different", len(np.unique(flat, axis=0)) / len(flat), "share of made bars", "exact"),
            ("copies", copies, "share of made bars", "equal to a training bar"),
        )
        return tuple(
            Metric(name, split, value, unit, how, exact=False) for name, value, unit, how in values
        )

    def tensors(self) -> Tensors:
        """Parameters by name, generator and critic."""
        return arrays_of(self.nets)


def coverage(
    real: BoolArray, made: BoolArray, *, neighbours: int = NEIGHBOURS
) -> tuple[float, float]:
    """Density and coverage (Naeem et al. 2020) of made bars among real ones.

    Around each real bar lies a ball that reaches to its k-th nearest real bar; bars are as far apart as
    the number of keys in which they differ. Density is the mean number of balls around a made bar,
    over k; coverage the share of balls with a made bar in them.

    Raises:
        TrainingError: too few real bars for so many neighbours, or no made ones.
    """
    if len(real) <= neighbours or not len(made):
        raise TrainingError(
            f"{neighbours} neighbours need more real bars than that and made ones, "
            f"got {len(real)} and {len(made)}"
        )
    among = _differences(real, real)
    reach = np.partition(among, neighbours, axis=1)[:, neighbours]  # the nearest is the bar itself
    inside = _differences(real, made) <= reach[:, None]
    return float(inside.sum(axis=0).mean() / neighbours), float(inside.any(axis=1).mean())


def _differences(first: BoolArray, second: BoolArray) -> FloatArray:
    """In how many keys bars differ, (n, m)."""
    one, other = (bars.reshape(len(bars), -1).astype(np.float64) for bars in (first, second))
    found: FloatArray = one.sum(axis=1)[:, None] + other.sum(axis=1)[None] - 2 * one @ other.T
    return found


# --- training -------------------------------------------------------------------------------


def train_gan(
    train: BoolArray,
    settings: GANSettings,
    *,
    seed: int,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
) -> RollGAN:
    """Let the networks play so many passes over the bars; the last weights are kept.

    Args:
        train: bars (n, T, K).
        settings: how.
        seed: of first weights, order and noise.
        progress: told of each epoch: "epoch", "epochs", "distance" (the critic's, penalty left out).
        checkpoint: file replaced after each epoch; an interrupted training goes on there with the
            same result.

    Raises:
        TrainingError: bars that cannot be, fewer than a batch, or a loss that is not finite.
        WeightsError: the checkpoint is of another training.
    """
    check_bars(train)
    if train.shape[1] != settings.steps or len(train) < settings.batch:
        raise TrainingError(
            f"bars must have {settings.steps} steps and be {settings.batch} at least, "
            f"got {train.shape[1]} and {len(train)}"
        )
    model = RollGAN(settings, _Nets(settings))
    mark = data_mark(settings, seed, train)
    flat = torch.from_numpy(train.reshape(len(train), -1).astype(np.float32))
    with deterministic(settings.threads):
        run = _Run(model, seed, load_checkpoint(checkpoint, mark))
        while run.state["epoch"] < settings.epochs:
            told = run.epoch(flat)
            if checkpoint is not None:
                save_checkpoint(checkpoint, mark, run.stored())
            if progress is not None:
                progress(told)
    return model


class _Run:
    """A training on its way."""

    def __init__(self, model: RollGAN, seed: int, stored: Checkpoint | None) -> None:
        self.model, self.seed = model, seed
        begin(model.nets, seed)
        rate = model.settings.rate
        self.adams = {
            "generator": torch.optim.Adam(
                model.nets.generator.parameters(), lr=rate, betas=(0.0, 0.9)
            ),
            "critic": torch.optim.Adam(model.nets.critic.parameters(), lr=rate, betas=(0.0, 0.9)),
        }
        self.state: dict[str, Any] = {"epoch": 0, "steps": 0}
        if stored is not None:
            resume(stored.tensors, {"nets": model.nets}, self.adams)
            self.state = stored.state

    def stored(self) -> Checkpoint:
        """Where it stands."""
        return Checkpoint(state_of({"nets": self.model.nets}, self.adams), self.state)

    def epoch(self, bars: torch.Tensor) -> dict[str, float]:
        """One pass of the critic over the bars, the generator moving now and then."""
        settings, number, steps = self.model.settings, self.state["epoch"], self.state["steps"]
        generator = generator_of(self.seed, 1, number)
        order = torch.randperm(len(bars), generator=generator)
        distances = []
        for start in range(0, len(bars) - settings.batch + 1, settings.batch):
            real = bars[order[start : start + settings.batch]]
            distances.append(self._critic_step(real, generator))
            steps += 1
            if steps % settings.critic_steps == 0:
                self._generator_step(generator)
        mean = float(np.mean(distances))
        check_finite_loss(mean, number + 1)
        self.state = {"epoch": number + 1, "steps": steps}
        return {"epoch": number + 1, "epochs": settings.epochs, "distance": mean}

    def _noise(self, generator: torch.Generator) -> torch.Tensor:
        settings = self.model.settings
        return torch.randn(settings.batch, settings.latent, generator=generator)

    def _critic_step(self, real: torch.Tensor, generator: torch.Generator) -> float:
        nets, settings = self.model.nets, self.model.settings
        with torch.no_grad():
            made = nets.make(self._noise(generator))
        share = torch.rand(len(real), 1, generator=generator)
        slope = nets.slope(share * real + (1 - share) * made)
        distance = nets.distance(real, made)
        loss = settings.penalty * ((slope - 1) ** 2).mean() - distance
        self.adams["critic"].zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.adams["critic"].step()
        return float(distance.detach())

    def _generator_step(self, generator: torch.Generator) -> None:
        loss = -self.model.nets.critic(self.model.nets.make(self._noise(generator))).mean()
        self.adams["generator"].zero_grad()
        loss.backward()
        self.adams["generator"].step()


# --- storing --------------------------------------------------------------------------------


def save_gan(
    path: Path, model: RollGAN, data: DataCard, *, metrics: tuple[Metric, ...], seed: int
) -> Card:
    """Write a model with its card, and give the card.

    Raises:
        OutputError: the folder cannot be written to.
    """
    return save_net(path, KIND, model.nets, model.settings, data=data, metrics=metrics, seed=seed)


def load_gan(path: Path) -> RollGAN:
    """Read a stored model.

    Raises:
        WeightsError: the file is damaged or not of this model.
    """
    return RollGAN(*load_net(path, KIND, GANSettings, _Nets))
