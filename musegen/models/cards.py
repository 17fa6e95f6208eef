"""Weights on disk: one safetensors file and, beside it, a JSON card that says what they are.

The card tells the kind of model, its settings, the data, licence and split it was trained on, its
metrics with unit and convention, the seed and the library versions; no clock, so the same training
gives the same bytes. It also holds the SHA-256 of the weights, so that a damaged file or a card of
another file is refused. Loading runs no code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from musegen.errors import StoredFileError
from musegen.io.files import write_file

__all__ = [
    "Card",
    "DataCard",
    "Metric",
    "Tensors",
    "WeightsError",
    "card_path",
    "check_shapes",
    "load_weights",
    "read_card",
    "save_weights",
    "settings_from",
]

Tensors = dict[str, NDArray[Any]]
Settings = TypeVar("Settings")

FORMAT = 1  # version of the card's form
MAX_WEIGHTS_BYTES = 1 << 28
MAX_CARD_BYTES = 1 << 20


class WeightsError(StoredFileError):
    """A weights file or its card is missing, damaged, or of another model."""


@dataclass(frozen=True, slots=True)
class DataCard:
    """What a model was trained on."""

    name: str  # of the corpus
    licence: str  # its licence text
    split: str  # how training, validation and test pieces were told apart
    sequences: Mapping[str, int]  # number of pieces by split, such as {"train": 229}
    slots: Mapping[str, int]  # number of slots, or of frames, by split
    checksum: str = ""  # SHA-256 of the file, if it was given by path


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a model on one split."""

    name: str  # such as "negative log-likelihood"
    split: str  # "train", "valid" or "test"
    value: float
    unit: str  # such as "nats per slot"
    convention: str  # what is summed and divided, and what is conditioned on
    exact: bool  # False: a bound, an estimate, or no likelihood of the sonority at all


@dataclass(frozen=True, slots=True)
class Card:
    """What stands beside a weights file."""

    kind: str  # name of the model in the registry
    settings: Mapping[str, Any]  # the fields of its settings
    data: DataCard
    metrics: tuple[Metric, ...]
    seed: int
    versions: Mapping[str, str]  # of the libraries that trained it


def card_path(path: Path) -> Path:
    """Where the card of a weights file lies."""
    return path.with_suffix(".json")


def save_weights(path: Path, tensors: Tensors, card: Card) -> None:
    """Write the weights and their card; the same input gives the same bytes."""
    from safetensors.numpy import save

    content = save({name: np.ascontiguousarray(array) for name, array in tensors.items()})
    sheet = {"format": FORMAT, "weights_sha256": hashlib.sha256(content).hexdigest()}
    text = json.dumps(sheet | asdict(card), indent=1, sort_keys=True, ensure_ascii=False)
    write_file(path, content)
    write_file(card_path(path), (text + "\n").encode())


def read_card(path: Path) -> Card:
    """Read the card of a weights file alone.

    Raises:
        WeightsError: the card is missing or none.
    """
    return _read_card(card_path(path))[1]


def load_weights(path: Path, kind: str, *, command: str = "") -> tuple[Tensors, Card]:
    """Read a weights file and its card.

    Args:
        path: of the weights.
        kind: of model that is expected.
        command: that trains such a model; `musegen train <kind>` if none is given.

    Raises:
        WeightsError: a file is missing, damaged, too large, does not belong to its card, holds
            a value that is not finite, or is of another kind of model.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    sheet, card = _read_card(card_path(path))
    if card.kind != kind:
        raise WeightsError(path, f"holds a model of kind {card.kind!r}, expected {kind!r}")
    content = _read(path, MAX_WEIGHTS_BYTES)
    if hashlib.sha256(content).hexdigest() != sheet["weights_sha256"]:
        raise WeightsError(
            path,
            f"is damaged: its bytes are not those that {card_path(path).name} "
            f"tells of; train it again with `{command or f'musegen train {kind}'}`",
        )
    try:
        tensors = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(path, f"is no safetensors file: {error}") from error
    _check_finite(path, tensors)
    return tensors, card


def _read(path: Path, limit: int) -> bytes:
    try:
        size = path.stat().st_size
        if size > limit:
            raise WeightsError(path, f"is {size} bytes long, at most {limit} are allowed")
        return path.read_bytes()
    except OSError as error:
        problem = f"cannot be read: {error.strerror}; `musegen train` makes it"
        raise WeightsError(path, problem) from error


def _read_card(path: Path) -> tuple[dict[str, Any], Card]:
    content = _read(path, MAX_CARD_BYTES)
    try:
        sheet = json.loads(content)
        metrics = tuple(Metric(**each) for each in sheet["metrics"])
        card = Card(
            kind=sheet["kind"],
            settings=sheet["settings"],
            data=DataCard(**sheet["data"]),
            metrics=metrics,
            seed=sheet["seed"],
            versions=sheet["versions"],
        )
        objects = isinstance(card.settings, dict) and isinstance(card.versions, dict)
        known = sheet["format"] == FORMAT and isinstance(sheet["weights_sha256"], str) and objects
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise WeightsError(path, f"is no card of weights: {error!r}") from error
    if not known:
        raise WeightsError(path, f"is no card of weights of format {FORMAT}")
    return sheet, card


def _check_finite(path: Path, tensors: Tensors) -> None:
    for name, array in sorted(tensors.items()):
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise WeightsError(path, f"tensor {name!r} holds values that are not finite")


def check_shapes(
    path: Path, tensors: Tensors, expected: Mapping[str, tuple[Sequence[int], str]]
) -> None:
    """See that exactly the expected tensors are there.

    Args:
        path: the file they came from.
        tensors: what was read.
        expected: name -> (shape, dtype name).

    Raises:
        WeightsError: names the first tensor that is missing, unknown, or of another shape or type.
    """
    for name in sorted(set(expected) ^ set(tensors)):
        problem = "is missing" if name in expected else "does not belong here"
        raise WeightsError(path, f"tensor {name!r} {problem}; expected {sorted(expected)}")
    for name, (shape, dtype) in sorted(expected.items()):
        got = tensors[name]
        if got.shape != tuple(shape) or got.dtype.name != dtype:
            raise WeightsError(
                path,
                f"tensor {name!r} has shape {got.shape} of {got.dtype.name}, "
                f"expected {tuple(shape)} of {dtype}",
            )


def settings_from(kind: type[Settings], values: Mapping[str, Any], path: Path) -> Settings:
    """The settings that a card tells of.

    Raises:
        WeightsError: a field is missing, unknown or of another type.
    """
    defaults = kind()
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if set(values) != names:
        raise WeightsError(path, f"its settings must be exactly {sorted(names)}")
    for name, value in values.items():
        allowed = type(getattr(defaults, name))
        if allowed is tuple and isinstance(value, list):
            continue
        if not isinstance(value, allowed) and not (allowed is float and type(value) is int):
            raise WeightsError(path, f"setting {name!r} must be {allowed.__name__}, got {value!r}")
    return kind(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
    )
