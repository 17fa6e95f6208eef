"""Models with a latent space in a comparison: bounds said to be bounds, coverage where there is no likelihood.

They see melodies and bars, not rolls, so their figures stand in a table of their own and beside no other's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from musegen.comparison.tables import Cell, Table
from musegen.errors import OptionError
from musegen.models.cards import Card, DataCard, WeightsError, read_card
from musegen.models.latent_models import latent_entry, train_latent

__all__ = ["latent_table"]

Data = tuple[Mapping[str, NDArray[Any]], DataCard]  # splits, and what cards say of them
NOTES = (
    (
        "Of two bars of melody (melody-vae) and bars of four voices (roll-gan) of the built-in chorales: no "
        "figure here can be set beside nats a frame. How each is made stands in its row."
    ),
    (
        "A bound of the negative log-likelihood lies above it on average; the importance-weighted one "
        "is the tighter. A GAN has no likelihood: coverage by as many training bars shows what could be had."
    ),
)


def latent_table(
    data: Mapping[str, Data],
    folder: Path,
    settings: Mapping[str, Any],
    *,
    seeds: Sequence[int],
    report: Callable[[str, Mapping[str, Any]], None],
) -> Table:
    """Train or load the models, and tell their figures.

    Args:
        data: of each model, by its name.
        folder: of the comparison; what is trained there is not trained again.
        settings: by model, instead of the defaults.
        seeds: of the trainings.
        report: told of what is at work and how far it is.

    Raises:
        UnknownNameError: no such model.
        OptionError: a seed below 0.
        TrainingError: a model cannot be trained.
        WeightsError: stored weights are damaged, or of other data or settings.
    """
    if min(seeds) < 0:
        raise OptionError("--seed", min(seeds), "0 or more")
    rows: list[tuple[Cell, ...]] = []
    for name, found in data.items():
        chosen = settings.get(name) or latent_entry(name).settings()
        for seed in seeds:
            where = folder / "models" / "latent" / str(seed)
            card = _card(name, found, where, chosen, seed=seed, report=report)
            rows += [
                (name, seed, each.name, each.split, each.value, each.unit, each.convention)
                for each in card.metrics
            ]
    return Table(
        "latent",
        "Models with a latent space: bounds and coverage",
        NOTES,
        ("model", "seed", "figure", "split", "value", "unit", "how it is made"),
        tuple(rows),
    )


def _card(
    name: str,
    data: Data,
    folder: Path,
    settings: Any,
    *,
    seed: int,
    report: Callable[[str, Mapping[str, Any]], None],
) -> Card:
    """Of a model that is trained, now or before."""
    path, told = folder / f"{name}.safetensors", f"{name} {seed}"
    if path.exists():
        latent_entry(name).load(path)  # refuses what is damaged
        card = read_card(path)
        _see_same(path, card, data[1], settings)
    else:
        card = train_latent(
            name,
            *data,
            folder,
            settings,
            seed=seed,
            progress=partial(report, told),
            resume=True,
        )
    report(told, {"done": True})
    return card


def _see_same(path: Path, card: Card, data: DataCard, settings: Any) -> None:
    """Refuse weights that were trained on something else."""
    for what, found, wanted in (
        ("data", card.data, data),
        ("settings", card.settings, json.loads(json.dumps(asdict(settings)))),
    ):
        if found != wanted:
            raise WeightsError(path, f"was trained with other {what}; give another --out")
