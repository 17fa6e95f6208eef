"""The models with a latent space by name, trained to files: the melodies' VAE and the bars' GAN.

Their files are those of other models, weights as safetensors with a card; their figures are bounds, or no
likelihoods at all, and say so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from musegen.errors import UnknownNameError
from musegen.models.cards import Card, DataCard, Metric
from musegen.models.registry import make_ready
from musegen.models.roll_settings import check_settings
from musegen.models.training import Progress

__all__ = ["LATENT_MODELS", "LatentEntry", "latent_entry", "train_latent"]

Splits = Mapping[str, NDArray[Any]]  # train, valid, test: segments (n, T) or bars (n, T, K)


@dataclass(frozen=True, slots=True)
class LatentEntry:
    """A row of the table."""

    settings: Callable[[], Any]  # the frozen default settings
    train: Callable[..., Any]  # (splits, settings, *, seed, progress, checkpoint)
    metrics: Callable[[Any, Splits], tuple[Metric, ...]]  # of a model on the held-out splits
    save: Callable[..., Card]  # (path, model, data, *, metrics, seed)
    load: Callable[[Path], Any]
    about: str  # one line


def _vae() -> LatentEntry:
    from musegen.models.melody_vae import VAESettings, load_vae, save_vae, train_vae

    return LatentEntry(
        VAESettings,
        lambda splits, settings, **how: train_vae(
            splits["train"], splits["valid"], settings, **how
        ),
        lambda model, splits: tuple(
            metric for split in ("valid", "test") for metric in model.metrics(splits[split], split)
        ),
        save_vae,
        load_vae,
        "variational autoencoder of two bars of melody; bounds of the likelihood",
    )


def _gan() -> LatentEntry:
    from musegen.models.roll_gan import GANSettings, load_gan, save_gan, train_gan

    return LatentEntry(
        GANSettings,
        lambda splits, settings, **how: train_gan(splits["train"], settings, **how),
        lambda model, splits: tuple(
            metric
            for split in ("valid", "test")
            for metric in model.metrics(splits["train"], splits[split], split)
        ),
        save_gan,
        load_gan,
        "generator against critic of bars in four voices; coverage, no likelihood",
    )


LATENT_MODELS: Mapping[str, Callable[[], LatentEntry]] = {"melody-vae": _vae, "roll-gan": _gan}


def latent_entry(name: str) -> LatentEntry:
    """The row of a model; raises UnknownNameError."""
    if name not in LATENT_MODELS:
        raise UnknownNameError("model with a latent space", name, LATENT_MODELS)
    return LATENT_MODELS[name]()


def train_latent(  # noqa: PLR0913 (the options of the command, one by one)
    name: str,
    splits: Splits,
    data: DataCard,
    folder: Path,
    settings: Any | None = None,
    *,
    seed: int,
    progress: Progress | None = None,
    resume: bool = False,
    force: bool = False,
) -> Card:
    """Train a model, measure it on the held-out splits, and write its weights and card.

    While it trains, the folder holds `NAME.checkpoint`; an interrupt leaves it there.

    Args:
        name: of the model.
        splits: what it learns and is measured on.
        data: what the card says of them.
        folder: where the files go; made if it is not there.
        settings: those of the model; None for its defaults.
        seed: of the training.
        progress: told of each epoch.
        resume: go on from the folder's checkpoint, if there is one; else it is begun anew.
        force: replace weights that are there.

    Raises:
        UnknownNameError: no such model.
        TrainingError: it cannot be trained on this data, or with these settings.
        OutputError: the folder cannot be written to, or holds weights already.
        WeightsError: the checkpoint is damaged or of another training.
    """
    entry = latent_entry(name)
    chosen = entry.settings() if settings is None else settings
    check_settings(chosen)
    target, checkpoint = folder / f"{name}.safetensors", folder / f"{name}.checkpoint"
    make_ready(target, checkpoint, resume=resume, force=force)
    model = entry.train(splits, chosen, seed=seed, progress=progress, checkpoint=checkpoint)
    metrics = entry.metrics(model, splits)
    card = entry.save(target, model, data, metrics=metrics, seed=seed)
    checkpoint.unlink(missing_ok=True)
    return card
