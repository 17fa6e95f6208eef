"""What the trainers of all models share: checks of the data, checkpoints, results.

A checkpoint is one safetensors file whose header carries a JSON text (which epoch, best so far);
it is replaced as a whole, so an interrupt leaves the last one. It carries the fingerprint of
settings, seed and data: training resumes only what it began.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from musegen.errors import TrainingError
from musegen.io.files import write_file
from musegen.models.cards import (
    Card,
    DataCard,
    Metric,
    Tensors,
    WeightsError,
    save_weights,
)
from musegen.models.protocol import FEATURE_SIZES, VOCABULARY, VOICES, SlotModel, SlotSequence

__all__ = [
    "Checkpoint",
    "Progress",
    "TrainableModel",
    "Trained",
    "check_sequences",
    "fingerprint",
    "load_checkpoint",
    "save_checkpoint",
    "save_trained",
    "slot_metrics",
]

Progress = Callable[[dict[str, Any]], None]
LIBRARIES = {"hmm": ("hmmlearn", "numpy"), "rbm": ("numba", "numpy"), "lstm": ("numpy", "torch")}
LIKELIHOOD = "negative log-likelihood"
ALL_SLOTS = "all slots over all slots, the first slot scored; natural logarithm"


class TrainableModel(SlotModel, Protocol):
    """A proposer of sonorities that can be measured and stored."""

    @property
    def settings(self) -> Any:
        """The frozen settings it was made with."""

    def tensors(self) -> Tensors:
        """Its parameters by name, as they are stored."""

    def metrics(self, sequences: Sequence[SlotSequence], split: str) -> tuple[Metric, ...]:
        """Its figures on a split."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What a trainer gives back."""

    model: TrainableModel
    seed: int
    history: tuple[dict[str, Any], ...]  # what was reported to `progress`, in order
    metrics: tuple[Metric, ...]  # on the training and validation sequences


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a training stands."""

    tensors: Tensors
    state: dict[str, Any]  # JSON values


def check_sequences(train: Sequence[SlotSequence], valid: Sequence[SlotSequence]) -> None:
    """See that there is something to train on, and that it has the form that models take.

    Raises:
        TrainingError: a split is empty, or a sequence has another shape or a value out of range.
    """
    for split, sequences in (("training", train), ("validation", valid)):
        if not sequences:
            raise TrainingError(f"the {split} split is empty, at least one sequence is needed")
        for sequence in sequences:
            problem = _problem(sequence)
            if problem:
                raise TrainingError(f"{split} sequence {sequence.name!r}: {problem}")


def _problem(sequence: SlotSequence) -> str:
    slots = len(sequence.notes)
    shapes = (sequence.notes.shape, sequence.chords.shape, sequence.features.shape)
    expected = ((slots, VOICES), (slots,), (slots, len(FEATURE_SIZES)))
    if slots == 0 or shapes != expected:
        return f"notes, chords, features must have shapes {expected} with T > 0, got {shapes}"
    if sequence.notes.min() < 0 or sequence.notes.max() >= VOCABULARY:
        return f"note tokens must lie in 0..{VOCABULARY - 1}"
    if sequence.chords.min() < -1:
        return "chord indices must be -1 or more"
    if (sequence.features < 0).any() or (sequence.features >= np.array(FEATURE_SIZES)).any():
        return f"features must lie below {FEATURE_SIZES}"
    return ""


def fingerprint(
    settings: object, seed: int, train: Sequence[SlotSequence], valid: Sequence[SlotSequence]
) -> str:
    """A digest of all that a training depends on."""
    digest = hashlib.sha256()
    record = (type(settings).__name__, asdict(settings), seed)  # type: ignore[call-overload]
    digest.update(json.dumps(record, sort_keys=True).encode())
    for sequences in (train, valid):
        digest.update(b"split")
        for sequence in sequences:
            for array in (sequence.notes, sequence.chords, sequence.features):
                digest.update(np.ascontiguousarray(array, np.int64).tobytes())
    return digest.hexdigest()


def save_checkpoint(path: Path, mark: str, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint by this one, whole."""
    from safetensors.numpy import save

    state = json.dumps({"mark": mark, "state": checkpoint.state}, sort_keys=True)
    arrays = {name: np.ascontiguousarray(array) for name, array in checkpoint.tensors.items()}
    write_file(path, save(arrays, metadata={"checkpoint": state}))


def load_checkpoint(path: Path | None, mark: str) -> Checkpoint | None:
    """Where a training of this fingerprint stood; None if it has not begun.

    Raises:
        WeightsError: the file is damaged, or of a training with other settings, seed or data.
    """
    from safetensors import SafetensorError, safe_open

    if path is None or not path.exists():
        return None
    try:
        with safe_open(str(path), framework="np") as stored:
            record = json.loads((stored.metadata() or {})["checkpoint"])
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        found, state = record["mark"], dict(record["state"])
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(path, f"is no checkpoint: {error}; remove it to begin anew") from error
    if found != mark:
        raise WeightsError(
            path,
            "is the checkpoint of a training with other settings, seed or "
            "data; remove it to begin anew",
        )
    return Checkpoint(tensors, state)


def slot_metrics(
    nats: float, slots: int, split: str, *, given: str, what: str = LIKELIHOOD, notes: bool = True
) -> tuple[Metric, ...]:
    """An exact log-likelihood as nats per slot and, for models of notes, per note.

    Args:
        nats: negative log-likelihood of all sequences together.
        slots: number of slots.
        split: "train", "valid" or "test".
        given: what is conditioned on.
        what: name of the figure.
        notes: False leaves out the figure per note.
    """
    convention = f"{ALL_SLOTS}; {given}"
    per_slot = Metric(what, split, nats / slots, "nats per slot", convention, exact=True)
    per_note = Metric(what, split, nats / slots / VOICES, "nats per note", convention, exact=True)
    return (per_slot, per_note) if notes else (per_slot,)


def save_trained(path: Path, trained: Trained, data: DataCard, more: Sequence[Metric] = ()) -> Card:
    """Write a trained model with its card, and give the card.

    Args:
        path: the safetensors file; the card goes beside it.
        trained: what the trainer gave.
        data: what it was trained on.
        more: further figures, such as those on the test split.
    """
    kind = trained.model.name
    versions = {name: importlib.metadata.version(name) for name in LIBRARIES[kind]}
    settings: Mapping[str, Any] = asdict(trained.model.settings)
    card = Card(kind, settings, data, (*trained.metrics, *more), trained.seed, versions)
    save_weights(path, trained.model.tensors(), card)
    return card
