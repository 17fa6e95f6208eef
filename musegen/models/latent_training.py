"""What the trainers of models with a latent space share: torch's manners, weights, checkpoints.

First weights come from numpy's generator, and all noise from torch generators that are seeded by
(seed, epoch): no global random state, and an interrupted training goes on as if nothing had been.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from musegen.errors import TrainingError
from musegen.models.cards import (
    Card,
    DataCard,
    Metric,
    Tensors,
    check_shapes,
    load_weights,
    save_weights,
    settings_from,
)

__all__ = [
    "arrays_of",
    "begin",
    "check_finite_loss",
    "data_mark",
    "fill",
    "generator_of",
    "load_net",
    "resume",
    "save_net",
    "state_of",
]

Settings = TypeVar("Settings")
_Net = TypeVar("_Net", bound=nn.Module)

MOMENTS = ("exp_avg", "exp_avg_sq")  # Adam's, by their names in torch


def generator_of(*seeds: int) -> torch.Generator:
    """A torch generator that these numbers determine."""
    return torch.Generator().manual_seed(int(np.random.default_rng(seeds).integers(1 << 62)))


def begin(net: nn.Module, seed: int) -> None:
    """First weights: uniform by fan-in, vectors nought."""
    rng = np.random.default_rng([seed, 0])
    with torch.no_grad():
        for _, weight in sorted(net.named_parameters()):
            bound = 1 / np.sqrt(weight.shape[-1]) if weight.ndim > 1 else 0.0
            first = rng.uniform(-bound, bound, tuple(weight.shape))
            weight.copy_(torch.from_numpy(first.astype(np.float32)))


def arrays_of(net: nn.Module) -> Tensors:
    """Copies of a net's weights by name."""
    return {name: weight.detach().numpy().copy() for name, weight in net.named_parameters()}


def check_finite_loss(value: float, epoch: int) -> None:
    """See that a training has not blown up.

    Raises:
        TrainingError: the loss is infinite or no number.
    """
    if not np.isfinite(value):
        raise TrainingError(f"the loss of epoch {epoch} is {value}; try a lower rate")


# --- checkpoints ----------------------------------------------------------------------------


def data_mark(settings: object, seed: int, *arrays: NDArray[Any]) -> str:
    """A digest of all that a training depends on."""
    digest = hashlib.sha256()
    record = (type(settings).__name__, asdict(settings), seed)  # type: ignore[call-overload]
    digest.update(json.dumps(record, sort_keys=True).encode())
    for array in arrays:
        digest.update(repr((array.shape, array.dtype.name)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def state_of(nets: Mapping[str, nn.Module], adams: Mapping[str, torch.optim.Adam]) -> Tensors:
    """Weights of nets, and moments of their optimisers, under names that begin with theirs."""
    found: Tensors = {}
    for title, net in nets.items():
        found |= {f"{title}.{name}": array for name, array in arrays_of(net).items()}
    for title, adam in adams.items():
        for number, moments in adam.state_dict()["state"].items():
            for kind in (*MOMENTS, "step"):
                found[f"{title}.adam.{number}.{kind}"] = moments[kind].numpy().copy()
    return found


def resume(
    tensors: Tensors, nets: Mapping[str, nn.Module], adams: Mapping[str, torch.optim.Adam]
) -> None:
    """Put back what `state_of` gave."""
    with torch.no_grad():
        for title, net in nets.items():
            for name, weight in net.named_parameters():
                weight.copy_(torch.from_numpy(tensors[f"{title}.{name}"].copy()))
    for title, adam in adams.items():
        state = adam.state_dict()
        count = sum(len(group["params"]) for group in state["param_groups"])
        state["state"] = {
            number: {
                kind: torch.from_numpy(tensors[f"{title}.adam.{number}.{kind}"].copy())
                for kind in (*MOMENTS, "step")
            }
            for number in range(count)
            if f"{title}.adam.{number}.step" in tensors
        }
        adam.load_state_dict(state)


# --- weights --------------------------------------------------------------------------------


def save_net(
    path: Path,
    kind: str,
    net: nn.Module,
    settings: object,
    *,
    data: DataCard,
    metrics: tuple[Metric, ...],
    seed: int,
) -> Card:
    """Write a net's weights with their card, and give the card."""
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "torch")}
    card = Card(kind, asdict(settings), data, metrics, seed, versions)  # type: ignore[call-overload]
    save_weights(path, arrays_of(net), card)
    return card


def load_net(
    path: Path, kind: str, settings: type[Settings], make: Callable[[Settings], _Net]
) -> tuple[Settings, _Net]:
    """The settings and the net of a file that `save_net` wrote.

    Raises:
        WeightsError: the file is damaged or of another kind.
    """
    tensors, card = load_weights(path, kind)
    found = settings_from(settings, card.settings, path)
    net = make(found)
    fill(net, tensors, path)
    return found, net


def fill(net: nn.Module, tensors: Tensors, path: Path) -> None:
    """Put stored weights into a net.

    Raises:
        WeightsError: they are not those of such a net.
    """
    shapes = {name: (tuple(weight.shape), "float32") for name, weight in net.named_parameters()}
    check_shapes(path, tensors, shapes)
    with torch.no_grad():
        for name, weight in net.named_parameters():
            weight.copy_(torch.from_numpy(tensors[name].copy()))
