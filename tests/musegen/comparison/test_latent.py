"""The section of models with a latent space."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from musegen.comparison.latent import latent_table
from musegen.models.cards import DataCard, WeightsError
from musegen.models.melody_vae import VAESettings
from musegen.models.segment_tokens import HOLD

TUNES = np.where(np.arange(16) % 2, HOLD, np.random.default_rng(0).integers(25, 40, size=(30, 16)))
DATA = (
    {"train": TUNES[:10], "valid": TUNES[10:20], "test": TUNES[20:]},
    DataCard("drawn", "none", "standard", {"train": 10}, {"train": 160}),
)
SETTINGS = {"melody-vae": VAESettings(epochs=2, hidden=8, embedding=4, latent=2, batch=8)}


def table(folder: Path, told: list[Any], **more: Any) -> Any:
    """Of a small model."""
    given = {"settings": SETTINGS, "seeds": (0, 1)} | more
    return latent_table(
        {"melody-vae": DATA}, folder, report=lambda *state: told.append(state), **given
    )


def test_bounds_are_told_as_bounds_and_in_order(tmp_path: Path) -> None:
    """Each seed has both bounds on both splits; the tighter is the smaller of the two."""
    rows = table(tmp_path, []).rows
    assert len(rows) == 2 * 2 * 2
    for loose, tight in zip(rows[::2], rows[1::2], strict=True):
        assert (loose[2], tight[2]) == ("negative ELBO", "importance-weighted bound, 64 draws")
        assert all("bound of the negative log-likelihood" in row[6] for row in (loose, tight))
        assert tight[4] < loose[4]


def test_what_is_trained_is_not_trained_again(tmp_path: Path) -> None:
    """A second time the same figures, without an epoch; other settings are refused."""
    first, told = table(tmp_path, []), list[Any]()
    assert table(tmp_path, told) == first
    assert all(state == {"done": True} for _, state in told)
    other = {"melody-vae": replace(SETTINGS["melody-vae"], epochs=3)}
    with pytest.raises(WeightsError, match="was trained with other settings; give another --out"):
        table(tmp_path, [], settings=other)
