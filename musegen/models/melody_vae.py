"""Variational autoencoder of short melodies: sample, interpolate, move along an attribute.

    q(z | x) = N(mean(x), diag(exp(log_var(x)))),  a bidirectional GRU over the tokens
    p(x | z) = product over steps of p(x_t | x_<t, z),  a GRU that sees z at each step
    ELBO     = E_q [log p(x | z)] - KL(q(z | x) || N(0, I))

p(x | z) is normalised over the tokens that can stand (HOLD only after a note). No exact likelihood can be
had beyond a few latent numbers: the ELBO bounds log p(x) from below, the importance-weighted bound of K
draws lies between, both on average. Draws from the prior, straight lines between two melodies, and
differences between the mean codes of melodies with much and with little of an attribute.

Sources: Kingma and Welling, Auto-encoding variational Bayes (2014); Bowman et al., Generating sentences
from a continuous space (2016), KL annealing and dropped words; Higgins et al., beta-VAE (2017),
the weight of the KL; Burda, Grosse and Salakhutdinov, Importance weighted autoencoders (2016); Roberts et al., A hierarchical latent vector model for
learning long-term structure in music (2018), attribute vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from musegen.errors import TrainingError, UnknownNameError
from musegen.models.cards import Card, DataCard, Metric, Tensors
from musegen.models.latent_training import (
    arrays_of,
    begin,
    check_finite_loss,
    data_mark,
    fill,
    generator_of,
    load_net,
    resume,
    save_net,
    state_of,
)
from musegen.models.protocol import REST_TOKEN
from musegen.models.segment_tokens import ATTRIBUTES, HOLD, SEGMENT_SYMBOLS, check_segments
from musegen.models.torch_steps import deterministic
from musegen.models.training import Checkpoint, Progress, load_checkpoint, save_checkpoint

__all__ = ["MelodyVAE", "VAESettings", "load_vae", "save_vae", "train_vae"]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

KIND = "melody-vae"
BEGIN = SEGMENT_SYMBOLS  # stands before the first token, and in place of a dropped one
CHUNK = 256  # segments that are measured at once
BOUND_SEED = 0  # of the draws with which bounds are estimated


@dataclass(frozen=True, slots=True)
class VAESettings:
    """How the model is made."""

    steps: int = 16  # of a segment
    latent: int = 16  # numbers of z
    embedding: int = 32  # numbers of a token
    hidden: int = 128  # units of each GRU
    epochs: int = 60
    patience: int = 12  # epochs without a better loss on validation segments
    batch: int = 64  # segments a step
    rate: float = 0.003  # of Adam, falling by a cosine to a hundredth
    weight: float = 0.3  # of the KL; below 1 codes tell more, and the bounds are looser
    warm_up: int = 10  # epochs in which that weight rises to its full
    dropped: float = 0.3  # share of tokens that the decoder does not see of those before
    clip: float = 1.0  # largest norm of the gradient
    threads: int = 1  # of torch; part of the recipe, since rounding depends on it


class _Net(nn.Module):
    """Encoder and decoder."""

    def __init__(self, settings: VAESettings) -> None:
        super().__init__()
        size, hidden, latent = settings.embedding, settings.hidden, settings.latent
        self.embedding = nn.Embedding(SEGMENT_SYMBOLS + 1, size)
        self.encoder = nn.GRU(size, hidden, batch_first=True, bidirectional=True)
        self.posterior = nn.Linear(2 * hidden, 2 * latent)
        self.start = nn.Linear(latent, hidden)
        self.decoder = nn.GRU(size + latent, hidden, batch_first=True)
        self.output = nn.Linear(hidden, SEGMENT_SYMBOLS)

    def encode(self, segments: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log variance (n, Z) of q(z | x)."""
        _, last = self.encoder(self.embedding(segments))
        mean, log_var = self.posterior(torch.cat([last[0], last[1]], dim=1)).chunk(2, dim=1)
        return mean, log_var

    def log_likelihood(
        self, segments: torch.Tensor, z: torch.Tensor, seen: torch.Tensor | None = None
    ) -> torch.Tensor:
        """log p(x | z), (n,); tokens where `seen` (n, T) is False are hidden from those after."""
        first = torch.full((len(segments), 1), BEGIN)
        before = torch.cat([first, segments[:, :-1]], dim=1)
        given = before if seen is None else torch.where(seen, before, BEGIN)
        wide = z[:, None].expand(-1, segments.shape[1], -1)
        inputs = torch.cat([self.embedding(given), wide], dim=2)
        states, _ = self.decoder(inputs, torch.tanh(self.start(z))[None])
        logs = _log_softmax(self.output(states), before)
        return logs.gather(2, segments[..., None]).squeeze(2).sum(dim=1)

    def step(
        self, before: torch.Tensor, z: torch.Tensor, state: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """log p (n, symbols) of the next token, and the decoder's next state."""
        inputs = torch.cat([self.embedding(before), z], dim=1)[:, None]
        output, state = self.decoder(inputs, state)
        return _log_softmax(self.output(output[:, 0]), before), state


def _log_softmax(scores: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
    """Log-probabilities of tokens; -inf for a HOLD that has nothing to hold."""
    nothing = (before == BEGIN) | (before == REST_TOKEN)
    barred = torch.zeros_like(scores)
    barred[..., HOLD] = torch.where(nothing, -torch.inf, 0.0)
    return torch.log_softmax(scores + barred, dim=-1)


@dataclass(frozen=True)
class MelodyVAE:
    """A model of segments (n, T), tokens of `musegen.models.segment_tokens`."""

    settings: VAESettings
    net: _Net

    def encode(self, segments: IntArray) -> tuple[FloatArray, FloatArray]:
        """Mean and variance (n, Z) of the code of each segment; raises TrainingError."""
        self._check(segments)
        with torch.no_grad():
            mean, log_var = self.net.encode(torch.from_numpy(segments))
        return mean.double().numpy(), log_var.exp().double().numpy()

    def decode(
        self, codes: FloatArray, rng: np.random.Generator | None = None, *, temperature: float = 1.0
    ) -> IntArray:
        """Segments (n, T) of codes (n, Z): the likeliest token each time, or drawn with `rng`."""
        if not temperature > 0:
            raise TrainingError(f"a temperature must be above 0, got {temperature}")
        z = torch.from_numpy(np.ascontiguousarray(codes, np.float32))
        tokens = torch.full((len(z),), BEGIN)
        found = []
        with torch.no_grad():
            state = torch.tanh(self.net.start(z))[None].contiguous()
            for _ in range(self.settings.steps):
                logs, state = self.net.step(tokens, z, state)
                tokens = torch.from_numpy(_chosen(logs.double().numpy() / temperature, rng))
                found.append(tokens.numpy())
        return np.stack(found, axis=1)

    def sample(self, count: int, rng: np.random.Generator, *, temperature: float = 1.0) -> IntArray:
        """So many segments (n, T), their codes drawn from the prior."""
        return self.decode(
            rng.normal(size=(count, self.settings.latent)), rng, temperature=temperature
        )

    def interpolate(self, first: IntArray, last: IntArray, *, count: int) -> IntArray:
        """Segments (count, T) whose codes lie evenly on the line between those of two (T,)."""
        codes, _ = self.encode(np.stack([first, last]))
        shares = np.linspace(0, 1, count)[:, None]
        return self.decode((1 - shares) * codes[0] + shares * codes[1])

    def attribute_vector(self, segments: IntArray, attribute: str) -> FloatArray:
        """Mean code (Z,) of the quarter with most of an attribute, less that of the least quarter.

        Raises:
            UnknownNameError: no such attribute.
            TrainingError: fewer than four segments.
        """
        if attribute not in ATTRIBUTES:
            raise UnknownNameError("attribute", attribute, ATTRIBUTES)
        if len(segments) < 4:
            raise TrainingError(f"quarters need four segments at least, got {len(segments)}")
        codes, _ = self.encode(segments)
        order = np.argsort(ATTRIBUTES[attribute](segments), kind="stable")
        quarter = len(order) // 4
        found: FloatArray = codes[order[-quarter:]].mean(axis=0) - codes[order[:quarter]].mean(
            axis=0
        )
        return found

    # --- bounds -----------------------------------------------------------------------------

    def bound(self, segments: IntArray, *, draws: int = 1, seed: int = BOUND_SEED) -> FloatArray:
        """Importance-weighted lower bounds (n,) of log p(x), nats; one draw estimates the ELBO."""
        weights = self.log_weights(segments, draws=draws, seed=seed)
        found: FloatArray = np.logaddexp.reduce(weights, axis=0) - np.log(draws)
        return found

    def elbo(self, segments: IntArray, *, draws: int = 1, seed: int = BOUND_SEED) -> FloatArray:
        """Evidence lower bounds (n,), nats, their expectation estimated by the mean of draws."""
        found: FloatArray = self.log_weights(segments, draws=draws, seed=seed).mean(axis=0)
        return found

    def log_weights(self, segments: IntArray, *, draws: int, seed: int = BOUND_SEED) -> FloatArray:
        """log p(x | z) p(z) / q(z | x) of draws z from q, (draws, n)."""
        self._check(segments)
        generator, found = generator_of(seed), []
        with torch.no_grad(), deterministic(self.settings.threads):
            for start in range(0, len(segments), CHUNK):
                x = torch.from_numpy(segments[start : start + CHUNK])
                mean, log_var = self.net.encode(x)
                rows = []
                for _ in range(draws):
                    noise = torch.randn(mean.shape, generator=generator)
                    z = mean + torch.exp(log_var / 2) * noise
                    ratio = (log_var + noise**2 - z**2).sum(dim=1) / 2
                    rows.append((self.net.log_likelihood(x, z) + ratio).double().numpy())
                found.append(np.stack(rows))
        return np.concatenate(found, axis=1)

    def log_likelihood(self, segments: IntArray, codes: FloatArray) -> FloatArray:
        """log p(x | z), (n,), of segments (n, T) with codes (n, Z): exact."""
        self._check(segments)
        z = torch.from_numpy(np.ascontiguousarray(codes, np.float32))
        with torch.no_grad():
            return self.net.log_likelihood(torch.from_numpy(segments), z).double().numpy()

    def metrics(self, segments: IntArray, split: str, *, draws: int = 64) -> tuple[Metric, ...]:
        """Both bounds of a split, as bounds."""
        weights = self.log_weights(segments, draws=draws)
        elbo = -weights.mean()
        tight = -(np.logaddexp.reduce(weights, axis=0) - np.log(draws)).mean()
        about = "mean over segments; an upper bound of the negative log-likelihood on average"
        return (
            Metric("negative ELBO", split, float(elbo), "nats per segment", about, exact=False),
            Metric(
                f"importance-weighted bound, {draws} draws",
                split,
                float(tight),
                "nats per segment",
                about,
                exact=False,
            ),
        )

    def tensors(self) -> Tensors:
        """Parameters by name."""
        return arrays_of(self.net)

    def _check(self, segments: IntArray) -> None:
        check_segments(segments)
        if segments.shape[1] != self.settings.steps:
            raise TrainingError(
                f"segments must have {self.settings.steps} steps, got {segments.shape[1]}"
            )


def _chosen(logs: FloatArray, rng: np.random.Generator | None) -> IntArray:
    """The likeliest of each row, or one drawn by inversion."""
    if rng is None:
        likeliest: IntArray = logs.argmax(axis=1)
        return likeliest
    chances = np.exp(logs - logs.max(axis=1, keepdims=True)).cumsum(axis=1)
    aims = rng.random((len(logs), 1)) * chances[:, -1:]
    drawn: IntArray = (chances <= aims).sum(axis=1)
    return drawn


# --- training -------------------------------------------------------------------------------


def train_vae(
    train: IntArray,
    valid: IntArray,
    settings: VAESettings,
    *,
    seed: int,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
) -> MelodyVAE:
    """Fit the model; the epoch with the best loss on validation segments is kept.

    Args:
        train: segments (n, T).
        valid: other segments.
        settings: how.
        seed: of first weights, order and noise.
        progress: told of each epoch: "epoch", "epochs", "train" and "valid", nats per segment, the
            KL in its weight of the moment.
        checkpoint: file replaced after each epoch; an interrupted training goes on there with the
            same result.

    Raises:
        TrainingError: segments that cannot be, or a loss that is not finite.
        WeightsError: the checkpoint is of another training.
    """
    model = MelodyVAE(settings, _Net(settings))
    for segments in (train, valid):
        model._check(segments)  # noqa: SLF001 (the trainer makes the model)
    mark = data_mark(settings, seed, train, valid)
    with deterministic(settings.threads):
        run = _Run(model, seed, load_checkpoint(checkpoint, mark))
        while run.state["epoch"] < settings.epochs and run.state["stale"] < settings.patience:
            told = run.epoch(train, valid)
            if checkpoint is not None:
                save_checkpoint(checkpoint, mark, run.stored())
            if progress is not None:
                progress(told)
    fill(model.net, run.best, Path(KIND))
    return model


class _Run:
    """A training on its way."""

    def __init__(self, model: MelodyVAE, seed: int, stored: Checkpoint | None) -> None:
        self.model, self.seed = model, seed
        begin(model.net, seed)
        self.adam = torch.optim.Adam(model.net.parameters(), lr=model.settings.rate)
        self.best = arrays_of(model.net)
        self.state: dict[str, Any] = {"epoch": 0, "stale": 0, "best": None}
        if stored is not None:
            resume(stored.tensors, {"now": model.net}, {"now": self.adam})
            self.best = {name: stored.tensors[f"best.{name}"] for name in self.best}
            self.state = stored.state

    def stored(self) -> Checkpoint:
        """Where it stands."""
        tensors = state_of({"now": self.model.net}, {"now": self.adam})
        return Checkpoint(
            tensors | {f"best.{name}": array for name, array in self.best.items()}, self.state
        )

    def epoch(self, train: IntArray, valid: IntArray) -> dict[str, float]:
        """One pass over the segments, and a look at the validation segments."""
        settings, number = self.model.settings, int(self.state["epoch"])
        generator = generator_of(self.seed, 1, number)
        order = torch.randperm(len(train), generator=generator).numpy()
        turn = 0.5 * (1 + np.cos(np.pi * number / settings.epochs))
        self.adam.param_groups[0]["lr"] = settings.rate * (0.01 + 0.99 * turn)
        weight = settings.weight * min(1.0, (number + 1) / max(1, settings.warm_up))
        losses = [
            self._step(train[order[start : start + settings.batch]], generator, weight)
            for start in range(0, len(order), settings.batch)
        ]
        with torch.no_grad():
            measured = float(
                self._losses(torch.from_numpy(valid), generator_of(self.seed, 2), weight).mean()
            )
        told = {"epoch": number + 1, "epochs": settings.epochs, "train": float(np.mean(losses))}
        for value in (told["train"], measured):
            check_finite_loss(value, number + 1)
        self._keep(number, measured, full=weight == settings.weight)
        return told | {"valid": measured}

    def _keep(self, number: int, measured: float, *, full: bool) -> None:
        """Remember the best weights; epochs with less than the full weight of the KL do not count."""
        best = self.state["best"]
        better = best is None or measured < best or not full
        if better:
            self.best = arrays_of(self.model.net)
        self.state = {
            "epoch": number + 1,
            "stale": 0 if better else self.state["stale"] + 1,
            "best": (measured if better else best) if full else None,
        }

    def _losses(
        self, x: torch.Tensor, generator: torch.Generator, weight: float, dropped: float = 0.0
    ) -> torch.Tensor:
        """Nats (n,) of segments from one draw of each code, the KL weighted."""
        mean, log_var = self.model.net.encode(x)
        z = mean + torch.exp(log_var / 2) * torch.randn(mean.shape, generator=generator)
        seen = torch.rand(x.shape, generator=generator) >= dropped
        divergence = (mean**2 + log_var.exp() - 1 - log_var).sum(dim=1) / 2
        return weight * divergence - self.model.net.log_likelihood(x, z, seen)

    def _step(self, segments: IntArray, generator: torch.Generator, weight: float) -> float:
        """One step of Adam; mean loss."""
        settings, net = self.model.settings, self.model.net
        x = torch.from_numpy(segments)
        loss = self._losses(x, generator, weight, settings.dropped).mean()
        self.adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), settings.clip)
        self.adam.step()
        return float(loss.detach())


# --- storing --------------------------------------------------------------------------------


def save_vae(
    path: Path, model: MelodyVAE, data: DataCard, *, metrics: tuple[Metric, ...], seed: int
) -> Card:
    """Write a model with its card, and give the card.

    Raises:
        OutputError: the folder cannot be written to.
    """
    return save_net(path, KIND, model.net, model.settings, data=data, metrics=metrics, seed=seed)


def load_vae(path: Path) -> MelodyVAE:
    """Read a stored model.

    Raises:
        WeightsError: the file is damaged or not of this model.
    """
    return MelodyVAE(*load_net(path, KIND, VAESettings, _Net))
