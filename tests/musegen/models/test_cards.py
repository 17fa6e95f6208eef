"""Weights and cards: the same bytes, and a clear refusal of everything else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from musegen.errors import MusegenError
from musegen.models.cards import (
    Card,
    DataCard,
    Metric,
    Tensors,
    WeightsError,
    card_path,
    check_shapes,
    load_weights,
    save_weights,
    settings_from,
)


@dataclass(frozen=True)
class Knobs:
    """Settings of a toy model."""

    size: int = 3
    rate: float = 0.5
    order: tuple[int, ...] = (1, 0)


def a_card() -> Card:
    """A card with one metric."""
    data = DataCard("toy", "public domain", "by hand", {"train": 1}, {"train": 5})
    metric = Metric("loss", "valid", 1.5, "nats per slot", "all slots", exact=True)
    return Card(
        "toy", {"size": 3, "rate": 0.5, "order": [1, 0]}, data, (metric,), 0, {"numpy": "1"}
    )


def some_tensors() -> Tensors:
    """Two small arrays."""
    return {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.array([4], np.int64)}


def test_reading_gives_what_was_written(tmp_path: Path) -> None:
    """Weights and card come back equal."""
    path = tmp_path / "toy.safetensors"
    save_weights(path, some_tensors(), a_card())
    tensors, card = load_weights(path, "toy")
    assert card == a_card()
    assert set(tensors) == {"a", "b"}
    assert all((tensors[name] == some_tensors()[name]).all() for name in tensors)


def test_bytes_are_the_same_each_time(tmp_path: Path) -> None:
    """The order in which tensors are given does not show in the files."""
    first, second = tmp_path / "x.safetensors", tmp_path / "y.safetensors"
    save_weights(first, some_tensors(), a_card())
    save_weights(second, dict(reversed(some_tensors().items())), a_card())
    assert first.read_bytes() == second.read_bytes()
    assert card_path(first).read_bytes() == card_path(second).read_bytes()


@pytest.mark.parametrize("damage", [b"", b"no weights", b"\xff" * 200])
def test_damaged_weights_are_refused_by_name(tmp_path: Path, damage: bytes) -> None:
    """A file with other bytes than its card tells of is named in the refusal."""
    path = tmp_path / "toy.safetensors"
    save_weights(path, some_tensors(), a_card())
    path.write_bytes(damage)
    with pytest.raises(WeightsError, match=r"toy\.safetensors.*damaged"):
        load_weights(path, "toy")


def test_truncated_weights_are_refused(tmp_path: Path) -> None:
    """Half a file is refused, and the refusal is a MusegenError."""
    path = tmp_path / "toy.safetensors"
    save_weights(path, some_tensors(), a_card())
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(MusegenError, match="damaged"):
        load_weights(path, "toy")


def test_no_safetensors_file_is_refused_even_if_the_card_agrees(tmp_path: Path) -> None:
    """A card that vouches for rubbish does not help it."""
    import hashlib

    path = tmp_path / "toy.safetensors"
    save_weights(path, some_tensors(), a_card())
    path.write_bytes(b"rubbish rubbish rubbish")
    sheet = json.loads(card_path(path).read_text())
    sheet["weights_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    card_path(path).write_text(json.dumps(sheet))
    with pytest.raises(WeightsError, match="no safetensors file"):
        load_weights(path, "toy")


def test_missing_files_are_refused(tmp_path: Path) -> None:
    """Neither weights without card nor nothing at all can be read."""
    path = tmp_path / "toy.safetensors"
    with pytest.raises(WeightsError, match=r"toy\.json.*cannot be read"):
        load_weights(path, "toy")


def test_another_kind_is_refused(tmp_path: Path) -> None:
    """The refusal names both kinds."""
    path = tmp_path / "toy.safetensors"
    save_weights(path, some_tensors(), a_card())
    with pytest.raises(WeightsError, match="kind 'toy', expected 'lstm'"):
        load_weights(path, "lstm")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', "[" * 100_000])
def test_a_broken_card_is_refused(tmp_path: Path, text: str) -> None:
    """Whatever the card holds, the refusal is one WeightsError that names it."""
    path = tmp_path / "toy.safetensors"
    save_weights(path, some_tensors(), a_card())
    card_path(path).write_text(text)
    with pytest.raises(WeightsError, match=r"toy\.json"):
        load_weights(path, "toy")


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    """A weight that is not a number cannot be loaded."""
    path = tmp_path / "toy.safetensors"
    save_weights(path, {"a": np.array([np.nan], np.float32)}, a_card())
    with pytest.raises(WeightsError, match="'a' holds values that are not finite"):
        load_weights(path, "toy")


def test_shapes_and_types_are_checked(tmp_path: Path) -> None:
    """Missing, superfluous, misshapen and mistyped tensors are each named."""
    path, tensors = tmp_path / "toy.safetensors", some_tensors()
    right = {"a": ((1,), "int64"), "b": ((2, 3), "float32")}
    check_shapes(path, tensors, right)
    with pytest.raises(WeightsError, match="'c' is missing"):
        check_shapes(path, tensors, right | {"c": ((1,), "int64")})
    with pytest.raises(WeightsError, match="'b' does not belong"):
        check_shapes(path, tensors, {"a": ((1,), "int64")})
    with pytest.raises(WeightsError, match=r"'b' has shape \(2, 3\)"):
        check_shapes(path, tensors, right | {"b": ((3, 2), "float32")})
    with pytest.raises(WeightsError, match="expected \\(1,\\) of float64"):
        check_shapes(path, tensors, right | {"a": ((1,), "float64")})


def test_settings_come_back_from_the_card(tmp_path: Path) -> None:
    """Lists become tuples again; a wrong field or type is refused."""
    path = tmp_path / "toy.safetensors"
    assert settings_from(Knobs, {"size": 4, "rate": 1, "order": [0]}, path) == Knobs(4, 1, (0,))
    with pytest.raises(WeightsError, match="exactly"):
        settings_from(Knobs, {"size": 4}, path)
    with pytest.raises(WeightsError, match="'size' must be int"):
        settings_from(Knobs, {"size": "4", "rate": 1.0, "order": []}, path)
