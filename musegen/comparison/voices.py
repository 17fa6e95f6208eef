"""Models that know voices apart, compared on a grid of sixteenths in nats a note."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from musegen.comparison.bootstrap import ratio_interval
from musegen.comparison.tables import Cell, Table
from musegen.comparison.tunes import new_tunes
from musegen.errors import StoredFileError
from musegen.io.files import write_file
from musegen.models.rolls import Roll
from musegen.models.voice_ngram import VoiceNGramSettings, train_voice_ngram
from musegen.models.voice_rolls import VoiceRoll

__all__ = ["VOICE_MODELS", "VoiceSet", "voice_table"]

FORMAT = 1  # raise it when figures are measured otherwise
NOTES = (
    (
        "Nats a note: a frame's negative log-likelihood over the number of voices, all frames over all, "
        "the first scored; exact. Keys are original. In brackets 95 % by bootstrap over pieces."
    ),
    (
        "Published on this grid, validation split: Transformer 0.417, Music Transformer 0.335 (Huang et "
        "al. 2019, table 2, read in a secondary text). Figures of Coconet are no chain-rule likelihoods."
    ),
)


@dataclass(frozen=True, slots=True)
class VoiceSet:
    """A data set of voices, split."""

    name: str
    title: str
    checksum: str
    splits: Mapping[str, tuple[VoiceRoll, ...]]  # train, valid, test


@dataclass(frozen=True, slots=True)
class _Entry:
    settings: Callable[[], Any]
    train: Callable[..., Any]  # (train, valid, settings, *, progress)


VOICE_MODELS: Mapping[str, _Entry] = {"ngram": _Entry(VoiceNGramSettings, train_voice_ngram)}


def voice_table(
    models: Sequence[str], data: VoiceSet, folder: Path, *, report: Callable[[str, Any], None]
) -> Table:
    """Train and judge the models that know voices; the others are left out.

    Args:
        models: names; those in `VOICE_MODELS` are compared.
        data: what they are compared on.
        folder: of the figures, that are not measured twice.
        report: told of what is at work and how far it is.

    Raises:
        StoredFileError: stored figures are damaged.
        TrainingError: a model cannot be trained.
    """
    rows = tuple(
        _row(name, data, _measured(name, data, folder, report))
        for name in models
        if name in VOICE_MODELS
    )
    test = data.splits["test"]
    fresh = sum(_fresh(data))
    return Table(
        f"voices-{data.name}",
        f"Negative log-likelihood, nats a note: {data.title}",
        NOTES,
        (
            "model",
            "validation",
            "test",
            f"test, {fresh} of {len(test)} pieces with new tunes",
            "seconds to train",
        ),
        rows,
    )


def _row(name: str, data: VoiceSet, figures: Mapping[str, Any]) -> tuple[Cell, ...]:
    counts = {
        split: np.array([roll.pitches.size for roll in data.splits[split]], np.float64)
        for split in ("valid", "test")
    }
    nats = {split: np.array(figures[split]) for split in counts}
    fresh = np.array(_fresh(data))
    rng = np.random.default_rng(0)
    return (
        name,
        ratio_interval(nats["valid"], counts["valid"], rng),
        ratio_interval(nats["test"], counts["test"], rng),
        ratio_interval(nats["test"][fresh], counts["test"][fresh], rng) if fresh.any() else None,
        float(figures["seconds"]),
    )


def _fresh(data: VoiceSet) -> tuple[bool, ...]:
    """Which test pieces have a tune that no training piece has."""
    return new_tunes(
        *([_soprano(roll) for roll in data.splits[name]] for name in ("train", "test"))
    )


def _soprano(roll: VoiceRoll) -> Roll:
    line = roll.pitches[:, 0].tolist()
    return Roll(roll.name, tuple((pitch,) if pitch >= 0 else () for pitch in line))


def _measured(
    name: str, data: VoiceSet, folder: Path, report: Callable[[str, Any], None]
) -> dict[str, Any]:
    """Nats of each piece by split, and the seconds of training; from the file if it is the same."""
    entry = VOICE_MODELS[name]
    settings = entry.settings()
    record = [FORMAT, name, asdict(settings), data.checksum]
    mark = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
    path = folder / "models" / data.name / f"{name}.measures.json"
    found = _stored(path, mark)
    if found is None:
        told = f"{data.name} {name}"
        begin = time.perf_counter()
        splits = data.splits
        model = entry.train(
            splits["train"], splits["valid"], settings, progress=partial(report, told)
        )
        found = {"seconds": time.perf_counter() - begin}
        for split in ("valid", "test"):
            logs = model.frame_log_probs(splits[split])
            found[split] = [-float(each.sum()) for each in logs]
        write_file(path, (json.dumps({"mark": mark, "figures": found}) + "\n").encode())
        report(told, {"done": True})
    return found


def _stored(path: Path, mark: str) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_bytes())
        return dict(record["figures"]) if record["mark"] == mark else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"is damaged ({type(error).__name__}); remove it to measure again"
        raise StoredFileError(path, problem) from error
