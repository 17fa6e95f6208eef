"""Which models of piano-rolls there are, and their files: name -> settings, training, loading.

A model on disk is three files: `NAME.safetensors`, its card `NAME.json` (settings, data with
checksum and licence, metrics, seed, versions: no clock, so the same training gives the same bytes),
and `NAME.training.json`, which tells how the training went: its seconds, the kind of machine, and
what was reported of each epoch.

Modules are imported when a model is asked for: torch and numba are slow to import.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from musegen.errors import TrainingError, UnknownNameError
from musegen.io.files import write_file
from musegen.models.cards import (
    Card,
    DataCard,
    Metric,
    Tensors,
    WeightsError,
    check_shapes,
    load_weights,
    read_card,
    save_weights,
    settings_from,
)
from musegen.models.judged import Judging
from musegen.models.registry import make_ready
from musegen.models.roll_networks import Network, NetworkModel
from musegen.models.roll_settings import check_settings
from musegen.models.roll_training import TrainedRolls
from musegen.models.rolls import FrameModel, FrameSampler, Roll, negative_log_likelihood
from musegen.models.training import LIKELIHOOD, Progress

__all__ = [
    "ROLL_MODELS",
    "RollModelEntry",
    "StoredRolls",
    "default_settings",
    "load_frame_model",
    "roll_entry_of",
    "roll_metric",
    "save_frame_model",
    "train_frame_model",
    "train_to_folder",
]

KIND = "rolls-"  # before the name in cards: models of slots bear the same names
ESTIMATE = "estimated by annealed importance sampling"
COUNTED = ("numba", "numpy")
NETWORK = ("numba", "numpy", "torch")

Trainer = Callable[..., TrainedRolls]
Splits = tuple[Sequence[Roll], Sequence[Roll]]  # training and validation
Learner = Callable[[Splits, Any, int, Progress], FrameSampler]  # settings, seed


@dataclass(frozen=True, slots=True)
class RollModelEntry:
    """A row of the table."""

    settings: Callable[[], Any]  # the frozen default settings
    train: Trainer  # (train, valid, settings, *, seed, progress, checkpoint)
    tensors: Callable[[Any], Tensors]  # of a model
    load: Callable[[Any, Tensors, Path], FrameSampler]  # of settings and tensors; path for errors
    libraries: tuple[str, ...]  # that figures depend on
    about: str  # one line
    judged: bool = False  # whether `train` also takes a judge of what the model writes


@dataclass(frozen=True, slots=True)
class StoredRolls:
    """A model as it was found on disk."""

    model: FrameSampler
    card: Card
    history: tuple[dict[str, Any], ...]  # what was reported of each epoch or restart
    seconds: float  # of training
    machine: str  # kind of machine that trained it


# --- the table ------------------------------------------------------------------------------


def _at_once(learn: Learner) -> Trainer:
    """The trainer of a model without checkpoints: killed, it begins again."""

    def train(
        train: Sequence[Roll],
        valid: Sequence[Roll],
        settings: Any,
        *,
        seed: int,
        progress: Progress | None = None,
        checkpoint: Path | None = None,
    ) -> TrainedRolls:
        del checkpoint
        history: list[dict[str, Any]] = []

        def report(state: dict[str, Any]) -> None:
            history.append(state)
            if progress is not None:
                progress(state)

        begin = time.perf_counter()
        model = learn((train, valid), settings, seed, report)
        return TrainedRolls(model, settings, seed, tuple(history), time.perf_counter() - begin)

    return train


def _ngram() -> RollModelEntry:
    from musegen.models.ngram import NGramSettings, train_ngram
    from musegen.models.roll_tensors import ngram_from, ngram_tensors

    train = _at_once(lambda rolls, of, _seed, report: train_ngram(*rolls, of, progress=report))
    about = "contexts of notes, counted and mixed"
    return RollModelEntry(NGramSettings, train, ngram_tensors, ngram_from, COUNTED, about)


def _hmm(about: str, **chosen: Any) -> RollModelEntry:
    from musegen.models.frame_hmm import FrameHMMSettings, train_frame_hmm
    from musegen.models.roll_tensors import hmm_from, hmm_tensors

    train = _at_once(
        lambda rolls, of, seed, report: train_frame_hmm(*rolls, of, seed=seed, progress=report)
    )
    settings = partial(FrameHMMSettings, **chosen)
    return RollModelEntry(settings, train, hmm_tensors, hmm_from, COUNTED, about)


def _rbm() -> RollModelEntry:
    from musegen.models.frame_rbm import FrameRBMSettings, train_frame_rbm
    from musegen.models.roll_tensors import rbm_from, rbm_tensors

    train = _at_once(
        lambda rolls, of, seed, report: train_frame_rbm(rolls[0], of, seed=seed, progress=report)
    )
    about = "restricted Boltzmann machine over single frames"
    return RollModelEntry(FrameRBMSettings, train, rbm_tensors, rbm_from, COUNTED, about)


def _network(name: str, module: str, made: str, about: str, **chosen: Any) -> RollModelEntry:
    """A network: class `made` of a module, its settings class `<made>Settings`."""
    from musegen.models.roll_training import train_network

    of = importlib.import_module(f"musegen.models.{module}")
    make, settings_class = getattr(of, made), getattr(of, f"{made}Settings")

    def train(
        train: Sequence[Roll],
        valid: Sequence[Roll],
        settings: Any,
        *,
        seed: int,
        progress: Progress | None = None,
        checkpoint: Path | None = None,
    ) -> TrainedRolls:
        splits = (train, valid)
        return train_network(
            name, make, splits, settings, seed=seed, progress=progress, checkpoint=checkpoint
        )

    settings = partial(settings_class, **chosen)
    load = partial(_load_network, name, make)
    return RollModelEntry(settings, train, NetworkModel.tensors, load, NETWORK, about)


def _load_network(
    name: str, make: Callable[[Any], Network], settings: Any, tensors: Tensors, path: Path
) -> NetworkModel:
    network = make(settings)
    shapes = network.shapes()
    check_shapes(path, tensors, {each: (shapes[each], "float32") for each in shapes})
    return NetworkModel(name, network, tensors)


def _reinforced() -> RollModelEntry:
    from musegen.models.note_lstm import NoteLSTM
    from musegen.models.reinforce import NAME, ReinforceSettings, train_reinforced

    return RollModelEntry(
        ReinforceSettings,
        train_reinforced,
        NetworkModel.tensors,
        partial(_load_network, NAME, NoteLSTM),
        NETWORK,
        "the LSTM over notes, tuned by policy gradient to what the rules say of its pieces",
        judged=True,
    )


def _product() -> RollModelEntry:
    from musegen.models.roll_product import (
        NoteProduct,
        NoteProductSettings,
        load_note_product,
        train_note_product,
    )

    about = "product of the n-gram and the LSTM over notes"
    return RollModelEntry(
        NoteProductSettings,
        train_note_product,
        NoteProduct.tensors,
        load_note_product,
        NETWORK,
        about,
    )


ROLL_MODELS: Mapping[str, Callable[[], RollModelEntry]] = {
    "ngram": _ngram,
    "hmm": lambda: _hmm("HMM, each key by the state", states=256, smoothing=0.3),
    "hmm-ar": lambda: _hmm(
        "HMM, each key by the state and itself before",
        emission="autoregressive",
        states=256,
        smoothing=0.3,
    ),
    "hmm-factorial": lambda: _hmm(
        "HMM of two chains whose log-odds add up", emission="factorial", states=32, second=8
    ),
    "hmm-serial": lambda: _hmm(
        "HMM, notes one after another", emission="serial", states=64, smoothing=3.0, passes=15
    ),
    "rbm": _rbm,
    "lstm": lambda: _network(
        "lstm", "note_lstm", "NoteLSTM", "LSTM, notes one after another, masked softmax"
    ),
    "ngram-lstm": _product,
    "lstm-reinforce": _reinforced,
    "lstm-sigmoid": lambda: _network(
        "lstm-sigmoid",
        "frame_lstm",
        "FrameLSTM",
        "LSTM over frames, keys that know nothing of each other",
        output="sigmoid",
    ),
    "lstm-nade": lambda: _network(
        "lstm-nade", "frame_lstm", "FrameLSTM", "LSTM over frames, keys one after another (NADE)"
    ),
    "transformer": lambda: _network(
        "transformer",
        "note_transformer",
        "NoteTransformer",
        "causal attention, notes one after another, masked softmax",
    ),
    "rnn-rbm": lambda: _network(
        "rnn-rbm", "rnn_rbm", "RNNRBM", "Boltzmann machine whose biases know the past"
    ),
    "lstm-rbm": lambda: _network(
        "lstm-rbm", "rnn_rbm", "RNNRBM", "the same with LSTM units", cell="lstm"
    ),
}


def roll_entry_of(name: str) -> RollModelEntry:
    """The row of a model; raises UnknownNameError."""
    if name not in ROLL_MODELS:
        raise UnknownNameError("model of rolls", name, ROLL_MODELS)
    return ROLL_MODELS[name]()


def default_settings(name: str) -> Any:
    """The settings of a model's row; raises UnknownNameError."""
    return roll_entry_of(name).settings()


def train_frame_model(
    name: str,
    train: Sequence[Roll],
    valid: Sequence[Roll],
    settings: Any | None = None,
    *,
    seed: int,
    judging: Judging | None = None,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
) -> TrainedRolls:
    """Train a model of the table.

    Args:
        name: of the model.
        train: rolls to learn.
        valid: rolls that every choice is made on.
        settings: a value of the model's settings class; None for its defaults.
        seed: of all that is drawn.
        judging: makes a judge of what the model writes from the training rolls; only some ask for it.
        progress: told of each epoch, restart or round.
        checkpoint: file that networks go on from.

    Raises:
        UnknownNameError: no such model.
        TrainingError: it cannot be trained on these rolls or this machine, or asks for a judge.
        WeightsError: the checkpoint is damaged or of another training.
    """
    entry = roll_entry_of(name)
    chosen = entry.settings() if settings is None else settings
    check_settings(chosen)
    learn = entry.train
    if entry.judged:
        if judging is None:
            raise TrainingError(f"model {name} is trained by a judge of its pieces, got none")
        learn = partial(learn, judge=judging(train))
    return learn(train, valid, chosen, seed=seed, progress=progress, checkpoint=checkpoint)


def train_to_folder(  # noqa: PLR0913 (the options of the command, one by one)
    name: str,
    splits: Mapping[str, Sequence[Roll]],
    data: DataCard,
    folder: Path,
    settings: Any | None = None,
    *,
    seed: int,
    judging: Judging | None = None,
    progress: Progress | None = None,
    resume: bool = False,
    force: bool = False,
) -> Card:
    """Train a model, measure it on the validation and test rolls, and write its three files.

    While a network trains, the folder holds `NAME.checkpoint`; an interrupt leaves it there.

    Args:
        name: of the model.
        splits: rolls by split; "train" and "valid", and "test" if there is one.
        data: what the card says of them.
        folder: where the files go; made if it is not there.
        settings: those of the model; None for its defaults.
        seed: of the training.
        judging: as for `train_frame_model`.
        progress: told of each epoch, restart or round.
        resume: go on from the folder's checkpoint, if there is one; else it is begun anew.
        force: replace weights that are there.

    Raises:
        UnknownNameError: no such model.
        TrainingError: it cannot be trained on these rolls or this machine.
        OutputError: the folder cannot be written to, or holds weights already.
        WeightsError: the checkpoint is damaged or of another training.
    """
    roll_entry_of(name)
    target, checkpoint = folder / f"{name}.safetensors", folder / f"{name}.checkpoint"
    make_ready(target, checkpoint, resume=resume, force=force)
    trained = train_frame_model(
        name,
        splits["train"],
        splits["valid"],
        settings,
        seed=seed,
        judging=judging,
        progress=progress,
        checkpoint=checkpoint,
    )
    measured = [split for split in ("valid", "test") if splits.get(split)]
    metrics = [roll_metric(trained.model, splits[split], split) for split in measured]
    card = save_frame_model(target, name, trained, data, metrics)
    checkpoint.unlink(missing_ok=True)
    return card


# --- files ----------------------------------------------------------------------------------


def roll_metric(model: FrameModel, rolls: Sequence[Roll], split: str) -> Metric:
    """Nats a frame, convention A."""
    convention = "A: all frames over the number of frames, the first frame scored"
    if not model.exact:
        convention = f"{convention}; {ESTIMATE}"
    value = negative_log_likelihood(model.frame_log_probs(rolls))
    return Metric(LIKELIHOOD, split, value, "nats per frame", convention, exact=model.exact)


def save_frame_model(
    path: Path, name: str, trained: TrainedRolls, data: DataCard, metrics: Sequence[Metric] = ()
) -> Card:
    """Write a trained model: weights, card, and how the training went.

    Args:
        path: the safetensors file; the other two go beside it.
        name: of its row in the table.
        trained: what the trainer gave.
        data: what it was trained on.
        metrics: its figures.

    Raises:
        UnknownNameError: no such model.
        OutputError: the folder cannot be written to.
    """
    entry = roll_entry_of(name)
    versions = {each: importlib.metadata.version(each) for each in entry.libraries}
    settings = asdict(trained.settings)
    card = Card(f"{KIND}{name}", settings, data, tuple(metrics), trained.seed, versions)
    log = {"seconds": trained.seconds, "machine": _machine(), "history": trained.history}
    write_file(_log_path(path), (json.dumps(log, indent=1, sort_keys=True) + "\n").encode())
    save_weights(path, entry.tensors(trained.model), card)
    return card


def load_frame_model(path: Path, name: str | None = None) -> StoredRolls:
    """Read a model of rolls.

    Args:
        path: the safetensors file.
        name: of the row that it must be of; None for whichever its card names.

    Raises:
        UnknownNameError: no such model.
        WeightsError: a file is missing, damaged or foreign.
    """
    found = name if name is not None else _name_in(path)
    entry = roll_entry_of(found)
    tensors, card = load_weights(path, f"{KIND}{found}", command="musegen train --config FILE")
    settings = settings_from(type(entry.settings()), card.settings, path)
    model = entry.load(settings, tensors, path)
    return StoredRolls(model, card, *_read_log(_log_path(path)))


def _name_in(path: Path) -> str:
    kind = read_card(path).kind
    name = kind.removeprefix(KIND)
    if name == kind or name not in ROLL_MODELS:
        raise WeightsError(path, f"holds a model of kind {kind!r}, expected a model of rolls")
    return name


def _log_path(path: Path) -> Path:
    return path.with_suffix(".training.json")


def _read_log(path: Path) -> tuple[tuple[dict[str, Any], ...], float, str]:
    try:
        log = json.loads(path.read_bytes())
        return tuple(dict(each) for each in log["history"]), float(log["seconds"]), log["machine"]
    except OSError as error:
        raise WeightsError(path, f"cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(path, f"does not tell of a training: {error!r}") from error


def _machine() -> str:
    """The kind of machine, such as `x86_64, 2 processors`."""
    return f"{platform.machine()}, {os.cpu_count()} processors"
