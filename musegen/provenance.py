"""Where a piece comes from: version, request, the weights that took part, the music that they learnt from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import musegen
from musegen.models.cards import card_path, read_card
from musegen.models.registry import MODELS, WEIGHTS
from musegen.tasks.compose import Request
from musegen.tasks.writing import Options

__all__ = ["RHYTHMS", "WEIGHTS", "file_sum", "origin", "weights_of"]

RHYTHMS = "rhythms.json"  # note values of tunes, counted
FIGURATION = "figuration.json"  # ornaments of four voices, counted


def origin(options: Options, *, key: str, task: str) -> dict[str, Any]:
    """The provenance of a piece in voices; the same for the same request, JSON-able.

    Args:
        options: as it was asked for.
        key: home key of the piece.
        task: what wrote it.
    """
    form = {}
    if isinstance(options, Request):
        settings = {name: str(value) for name, value in sorted(options.settings.items())}
        form = {"form": options.form, "metre": options.metre, "parameters": settings}
    return {
        "musegen": musegen.__version__,
        "task": task,
        **form,
        "key": key,
        "seed": options.seed,
        "style": options.style,
        "strategy": options.strategy,
        "width": options.width,
        "temperature": options.temperature,
        "weights": weights_of(options.models, options.weights),
        "counted": {FIGURATION: file_sum(WEIGHTS / FIGURATION)} if options.figures else {},
    }


def weights_of(models: Iterable[str], weights: Any = None) -> dict[str, Any]:
    """The stored weights of models: SHA-256 of each file, its share, its data and their licence."""
    found = {}
    for name in models:
        path = WEIGHTS / MODELS[name].weights
        card = read_card(path)
        found[name] = {
            "sha256": file_sum(path),
            "card_sha256": file_sum(card_path(path)),
            **({"weight": weights[name]} if name in (weights or {}) else {}),
            "corpus": card.data.name,
            "licence": card.data.licence,
            "split": card.data.split,
        }
    return found


def file_sum(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
