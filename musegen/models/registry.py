"""Which models there are: name -> how it is loaded, trained and set, and its weights file.

A model's module is imported when it is asked for, not before: torch, hmmlearn and numba are slow
to import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from musegen.errors import OutputError, UnknownNameError
from musegen.models.cards import Card, DataCard, WeightsError
from musegen.models.protocol import ChordTable, SlotModel, SlotSequence
from musegen.models.training import Progress, TrainableModel, Trained, save_trained

__all__ = [
    "MODELS",
    "WEIGHTS",
    "ModelEntry",
    "load_models",
    "load_proposers",
    "make_ready",
    "train_model",
]

STORED = ".safetensors"  # a name that ends so is a path
WEIGHTS = Path(str(resources.files("musegen"))) / "weights"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A row of the table."""

    load: Callable[[Path, ChordTable], TrainableModel]
    train: Callable[..., Trained]  # (train, valid, settings, *, seed, progress, checkpoint)
    settings: Callable[[ChordTable], Any]  # the default settings
    weights: str  # file name under WEIGHTS


def _load_hmm(path: Path, chords: ChordTable) -> TrainableModel:
    from musegen.models.hmm import load_hmm

    model = load_hmm(path)
    if model.settings.chord_table != chords.digest:
        problem = "was trained on another chord vocabulary; train it again with `musegen train hmm`"
        raise WeightsError(path, problem)
    return model


def _train_hmm(
    train: Sequence[SlotSequence],
    valid: Sequence[SlotSequence],
    settings: Any,
    *,
    seed: int,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
) -> Trained:
    from musegen.models.hmm import train_hmm

    return train_hmm(train, valid, settings, seed=seed, progress=progress, checkpoint=checkpoint)


def _hmm_settings(chords: ChordTable) -> Any:
    from musegen.models.hmm import HMMSettings

    return HMMSettings(chord_count=chords.size, chord_table=chords.digest)


def _load_rbm(path: Path, _chords: ChordTable) -> TrainableModel:
    from musegen.models.rbm import load_rbm

    return load_rbm(path)


def _train_rbm(
    train: Sequence[SlotSequence],
    valid: Sequence[SlotSequence],
    settings: Any,
    *,
    seed: int,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
) -> Trained:
    from musegen.models.rbm import train_rbm

    return train_rbm(train, valid, settings, seed=seed, progress=progress, checkpoint=checkpoint)


def _rbm_settings(_chords: ChordTable) -> Any:
    from musegen.models.rbm import RBMSettings

    return RBMSettings()


def _load_lstm(path: Path, _chords: ChordTable) -> TrainableModel:
    from musegen.models.lstm import load_lstm

    return load_lstm(path)


def _train_lstm(
    train: Sequence[SlotSequence],
    valid: Sequence[SlotSequence],
    settings: Any,
    *,
    seed: int,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
) -> Trained:
    from musegen.models.lstm import train_lstm

    return train_lstm(train, valid, settings, seed=seed, progress=progress, checkpoint=checkpoint)


def _lstm_settings(_chords: ChordTable) -> Any:
    from musegen.models.lstm import LSTMSettings

    return LSTMSettings()


MODELS: Mapping[str, ModelEntry] = {
    "hmm": ModelEntry(_load_hmm, _train_hmm, _hmm_settings, "hmm.safetensors"),
    "rbm": ModelEntry(_load_rbm, _train_rbm, _rbm_settings, "rbm.safetensors"),
    "lstm": ModelEntry(_load_lstm, _train_lstm, _lstm_settings, "lstm.safetensors"),
}


def load_models(
    names: Iterable[str], chords: ChordTable, *, folder: Path = WEIGHTS
) -> dict[str, TrainableModel]:
    """The named models with their stored weights, in the order of the names.

    Args:
        names: of the models.
        chords: the vocabulary that chord indices will refer to.
        folder: where the weights lie.

    Raises:
        UnknownNameError: no such model.
        WeightsError: a weights file is missing, damaged or of another model.
    """
    return {name: _entry(name).load(folder / _entry(name).weights, chords) for name in names}


def load_proposers(names: Iterable[str], chords: ChordTable) -> dict[str, SlotModel]:
    """Proposers in the order of their names: shipped models, and stored models of rolls by path.

    Args:
        names: of shipped models, or paths that end in .safetensors.
        chords: the vocabulary that chord indices will refer to.

    Raises:
        UnknownNameError: no such model.
        WeightsError: a weights file is missing, damaged, or of a model that does not propose.
    """
    found: dict[str, SlotModel] = {}
    for name in names:
        if name.endswith(STORED):
            from musegen.models.roll_proposals import load_proposer

            found[name] = load_proposer(Path(name))
        else:
            found |= load_models((name,), chords)
    return found


def train_model(  # noqa: PLR0913 (the options of the command, one by one)
    name: str,
    splits: Mapping[str, Sequence[SlotSequence]],
    data: DataCard,
    folder: Path,
    *,
    chords: ChordTable,
    seed: int,
    settings: object | None = None,
    progress: Progress | None = None,
    resume: bool = False,
    force: bool = False,
) -> Card:
    """Train a model, measure it on the test split too, and write its weights and card.

    While it trains, the folder holds `<name>.checkpoint`; an interrupt leaves it there.

    Args:
        name: of the model.
        splits: sequences by split; "train" and "valid", and "test" if there is one.
        data: what the card says of them.
        folder: where the two files go; made if it is not there.
        chords: the vocabulary that the sequences' chord indices refer to.
        seed: of the training.
        settings: those of the model; None for its defaults.
        progress: told of each epoch or restart.
        resume: go on from the folder's checkpoint, if there is one; else it is begun anew.
        force: replace weights that are there.

    Raises:
        UnknownNameError: no such model.
        TrainingError: there is nothing to train on.
        OutputError: the folder cannot be written to, or holds weights already.
        WeightsError: the checkpoint is of another training.
    """
    entry = _entry(name)
    target, checkpoint = folder / entry.weights, folder / f"{name}.checkpoint"
    make_ready(target, checkpoint, resume=resume, force=force)
    chosen = entry.settings(chords) if settings is None else settings
    trained = entry.train(
        splits["train"],
        splits["valid"],
        chosen,
        seed=seed,
        progress=progress,
        checkpoint=checkpoint,
    )
    test = splits.get("test", ())
    more = trained.model.metrics(test, "test") if test else ()
    card = save_trained(target, trained, data, more)
    checkpoint.unlink(missing_ok=True)
    return card


def make_ready(target: Path, checkpoint: Path, *, resume: bool, force: bool) -> None:
    """See that weights can be written, before hours are spent on them.

    Args:
        target: the weights file; its folder is made if it is not there.
        checkpoint: removed if nothing is to be resumed.
        resume: go on from the checkpoint.
        force: replace weights that are there.

    Raises:
        OutputError: the folder cannot be written to, or holds weights already.
    """
    if target.exists() and not force:
        raise OutputError(target, "is there already; --force replaces it")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not resume:
            checkpoint.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(target.parent, f"cannot be written: {error.strerror}") from error


def _entry(name: str) -> ModelEntry:
    if name not in MODELS:
        raise UnknownNameError("model", name, MODELS)
    return MODELS[name]
