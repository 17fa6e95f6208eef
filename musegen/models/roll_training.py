"""How networks learn rolls: batches, steps, checkpoints, and the epoch that validation likes best.

Each epoch moves a share of the rolls by drawn numbers of semitones, cuts long ones into passages, and
puts those of like length side by side; the running mean of the weights is what is measured and kept.

Everything drawn comes from (seed, epoch, step): a training killed at any moment goes on from its
last checkpoint to the same weights. On the processor the same seed gives the same bytes, for a given
number of threads and precision; a GPU adds up in no fixed order.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from musegen.errors import TrainingError
from musegen.models.cards import Tensors
from musegen.models.roll_networks import (
    Encoded,
    FitSettings,
    Network,
    NetworkModel,
    side_by_side,
)
from musegen.models.rolls import (
    HIGHEST,
    LOWEST,
    FrameSampler,
    Roll,
    check_splits,
    negative_log_likelihood,
)
from musegen.models.torch_steps import Drop, deterministic, rate_at, step_weights
from musegen.models.training import Checkpoint, Progress, load_checkpoint, save_checkpoint

if TYPE_CHECKING:
    import torch

    Weights = Mapping[str, torch.Tensor]
    Batch = Mapping[str, torch.Tensor]

__all__ = [
    "DEVICES",
    "PRECISIONS",
    "Fitted",
    "TrainedRolls",
    "fit",
    "manners",
    "memory_refusals",
    "resolved",
    "roll_fingerprint",
    "train_network",
]

IntArray = NDArray[np.int64]
GROUPS = ("now", "mean", "best", "first_moment", "second_moment")
DEVICES = ("cpu", "cuda", "auto")
PRECISIONS = ("float32", "bfloat16", "auto")
POOL = 8  # batches among which passages of like length are looked for


Settings = TypeVar("Settings", bound=FitSettings)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What learning gives."""

    weights: dict[str, NDArray[np.float32]]  # those of the best epoch
    history: tuple[dict[str, Any], ...]  # what was reported of each epoch
    seconds: float  # of learning, all runs of it together


@dataclass(frozen=True, slots=True)
class TrainedRolls:
    """A model of rolls, and how it came about."""

    model: FrameSampler
    settings: Any  # frozen, those it was made with
    seed: int
    history: tuple[dict[str, Any], ...]  # what was reported to `progress`, in order
    seconds: float  # of training


def train_network(
    name: str,
    make: Callable[[Any], Network],
    splits: tuple[Sequence[Roll], Sequence[Roll]],
    settings: FitSettings,
    *,
    seed: int,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
) -> TrainedRolls:
    """Train the network that settings make on (training, validation) rolls; see `fit`."""
    chosen = resolved(settings)
    network = make(chosen)
    fitted = fit(network, *splits, chosen, seed=seed, progress=progress, checkpoint=checkpoint)
    model = NetworkModel(name, network, fitted.weights)
    return TrainedRolls(model, chosen, seed, fitted.history, fitted.seconds)


def roll_fingerprint(
    settings: object, seed: int, train: Sequence[Roll], valid: Sequence[Roll]
) -> str:
    """A digest of all that a training on rolls depends on."""
    record = (type(settings).__name__, asdict(settings), seed)  # type: ignore[call-overload]
    frames = [[roll.frames for roll in split] for split in (train, valid)]
    return hashlib.sha256(json.dumps([record, frames], sort_keys=True).encode()).hexdigest()


# --- machine --------------------------------------------------------------------------------


def resolved(settings: Settings) -> Settings:
    """Settings with `auto` decided by this machine.

    Raises:
        TrainingError: an unknown device or precision, or no CUDA device where one is asked for.
    """
    import torch

    for name, allowed in (("device", DEVICES), ("precision", PRECISIONS)):
        if getattr(settings, name) not in allowed:
            got = getattr(settings, name)
            raise TrainingError(f"setting {name} must be one of {', '.join(allowed)}, got {got!r}")
    there = torch.cuda.is_available()
    if settings.device == "cuda" and not there:
        raise TrainingError("device 'cuda' is asked for, but torch sees none here; use 'cpu'")
    device = settings.device if settings.device != "auto" else ("cuda" if there else "cpu")
    precision = settings.precision
    if precision == "auto":
        precision = "bfloat16" if _multiplies_bfloat16(device) else "float32"
    return replace(settings, device=device, precision=precision)


def _multiplies_bfloat16(device: str) -> bool:
    import torch

    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    can = torch.cpu.get_capabilities()
    return bool(can.get("amx_bf16") or can.get("avx512_bf16"))


def manners(settings: FitSettings) -> AbstractContextManager[None]:
    """Threads and determinism of a training; a GPU is left as it is."""
    return deterministic(settings.threads) if settings.device == "cpu" else nullcontext()


@contextmanager
def memory_refusals(device: str, where: str, size: str) -> Iterator[None]:
    """Memory that ran out, said in one line: on what device, where, with what size of a step.

    Raises:
        TrainingError: it ran out.
    """
    import torch

    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        text = str(error)
        out = isinstance(error, torch.OutOfMemoryError | MemoryError)
        if not out and "not enough memory" not in text and "can't allocate memory" not in text:
            raise
        raise TrainingError(
            f"{where}: out of memory on {device} with {size}; make that smaller"
        ) from error


# --- learning -------------------------------------------------------------------------------


def fit(
    network: Network,
    train: Sequence[Roll],
    valid: Sequence[Roll],
    settings: FitSettings,
    *,
    seed: int,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
) -> Fitted:
    """Learn the training rolls; what the validation rolls like best is kept.

    Args:
        network: what learns.
        train: rolls to learn.
        valid: rolls whose likelihood chooses the epoch.
        settings: how; `auto` already decided (`resolved`).
        seed: of the first weights, the order of rolls, their shifts and dropout.
        progress: told of each epoch: "epoch", "epochs", "train" (what is minimised, a place),
            "valid" (nats a frame, convention A), "rate".
        checkpoint: file replaced after each epoch; an interrupted training goes on there.

    Raises:
        TrainingError: a split is empty, a loss is not finite, or memory runs out.
        WeightsError: the checkpoint is damaged or of another training.
    """
    check_splits(train, valid)
    mark = roll_fingerprint(settings, seed, train, valid)
    with manners(settings):
        numbers = sum(int(np.prod(shape)) for shape in network.shapes().values())
        with memory_refusals(settings.device, "first weights", f"{numbers} numbers"):
            run = load_checkpoint(checkpoint, mark) or _first(network, train, seed)
        size = f"batches of {settings.batch} passages of {settings.passage} frames"
        while not _finished(run, settings):
            with memory_refusals(settings.device, f"epoch {run.state['epoch'] + 1}", size):
                run = _epoch(network, run, (train, valid), settings, seed)
            if checkpoint is not None:
                save_checkpoint(checkpoint, mark, run)
            if progress is not None:
                progress(run.state["history"][-1])
    best = {
        name.removeprefix("best."): tensor
        for name, tensor in run.tensors.items()
        if name.startswith("best.")
    }
    return Fitted(best, tuple(run.state["history"]), float(run.state["seconds"]))


def _first(network: Network, train: Sequence[Roll], seed: int) -> Checkpoint:
    first = network.begin(np.random.default_rng([seed, 0]), train)
    tensors: Tensors = {}
    for name, array in first.items():
        for group in GROUPS:
            zero = group.endswith("moment")
            tensors[f"{group}.{name}"] = np.zeros_like(array) if zero else array.copy()
    state: dict[str, Any] = {
        "epoch": 0,
        "steps": 0,
        "best": None,
        "stale": 0,
        "history": [],
        "seconds": 0.0,
    }
    return Checkpoint(tensors, state)


def _finished(run: Checkpoint, settings: FitSettings) -> bool:
    state = run.state
    return bool(state["epoch"] >= settings.epochs or state["stale"] >= settings.patience)


def _epoch(
    network: Network,
    run: Checkpoint,
    splits: tuple[Sequence[Roll], Sequence[Roll]],
    settings: FitSettings,
    seed: int,
) -> Checkpoint:
    """One pass over the rolls and a look at the validation split."""
    import torch

    begin, (train, valid) = time.perf_counter(), splits
    tensors = {
        name: torch.from_numpy(array.copy()).to(settings.device)
        for name, array in run.tensors.items()
    }
    epoch, steps = run.state["epoch"], run.state["steps"]
    rng = np.random.default_rng([seed, 1, epoch])
    losses = []
    for batch in _batches(network, train, settings, rng):
        steps += 1
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        losses.append(_step(network, tensors, batch, settings, (generator, epoch, steps)))
    with torch.no_grad():
        held_out = network.log_probs(_group(tensors, "mean"), valid, quick=True)
    nats = negative_log_likelihood(held_out)
    _see_finite(nats, "validation", settings, epoch, steps)
    better = run.state["best"] is None or nats < run.state["best"]
    if better:
        tensors |= {f"best.{name}": each for name, each in _group(tensors, "mean").items()}
    report = {
        "epoch": epoch + 1,
        "epochs": settings.epochs,
        "train": float(np.mean(losses)),
        "valid": nats,
        "rate": rate_at(settings, epoch),
    }
    state = {
        "epoch": epoch + 1,
        "steps": steps,
        "best": nats if better else run.state["best"],
        "stale": 0 if better else run.state["stale"] + 1,
        "history": [*run.state["history"], report],
        "seconds": run.state["seconds"] + time.perf_counter() - begin,
    }
    return Checkpoint({name: each.cpu().numpy() for name, each in tensors.items()}, state)


def _group(tensors: Weights, group: str) -> dict[str, torch.Tensor]:
    mark = f"{group}."
    return {
        name.removeprefix(mark): each for name, each in tensors.items() if name.startswith(mark)
    }


def _step(
    network: Network,
    tensors: dict[str, torch.Tensor],
    batch: Batch,
    settings: FitSettings,
    at: tuple[torch.Generator, int, int],
) -> float:
    """One step on a batch; changes `tensors` in place and gives the mean loss of a place."""
    import torch

    generator, epoch, steps = at
    weights = {name: each.requires_grad_() for name, each in _group(tensors, "now").items()}
    half = settings.precision == "bfloat16"
    with torch.autocast(settings.device, dtype=torch.bfloat16, enabled=half):
        losses = network.losses(weights, batch, Drop(generator))
    loss = (losses.float() * batch["mask"]).sum() / batch["mask"].sum()
    found = float(loss.detach())
    _see_finite(found, "training", settings, epoch, steps)
    # What no loss depends on, such as where annealing starts, stays as it is.
    gradients = torch.autograd.grad(
        loss, list(weights.values()), allow_unused=True, materialize_grads=True
    )
    for each in weights.values():
        each.requires_grad_(False)
    named = dict(zip(weights, gradients, strict=True))
    step_weights(tensors, named, settings, rate_at(settings, epoch), steps)
    return found


def _see_finite(loss: float, split: str, settings: FitSettings, epoch: int, steps: int) -> None:
    if not np.isfinite(loss):
        raise TrainingError(
            f"epoch {epoch + 1}, step {steps}: the {split} loss is {loss}; a lower rate than "
            f"{settings.rate:g} or precision float32 may help"
        )


# --- batches --------------------------------------------------------------------------------


def _batches(
    network: Network, rolls: Sequence[Roll], settings: FitSettings, rng: np.random.Generator
) -> Iterator[Batch]:
    """Passages of moved rolls, those of like length side by side, in drawn order."""
    passages = [
        _Passage(roll, _drawn_shift(roll, settings, rng), *ends)
        for roll in rolls
        for ends in _cuts(len(roll.frames), settings.passage, rng)
    ]
    order, size = rng.permutation(len(passages)), settings.batch
    groups: list[list[_Passage]] = []
    for begin in range(0, len(order), POOL * size):
        pool = [passages[number] for number in order[begin : begin + POOL * size]]
        pool.sort(key=lambda each: each.end - each.begin)
        groups += [pool[first : first + size] for first in range(0, len(pool), size)]
    for number in rng.permutation(len(groups)):
        yield side_by_side([each.encoded(network) for each in groups[number]], settings.device)


@dataclass(frozen=True, slots=True)
class _Passage:
    """Frames of a roll that will be moved by some semitones."""

    roll: Roll
    shift: int
    begin: int  # frames
    end: int

    def encoded(self, network: Network) -> Encoded:
        """As the network sees it; what comes after the passage is not looked at."""
        heard = Roll(self.roll.name, self.roll.frames[: self.end])
        moved = heard.transposed(self.shift) if self.shift else heard
        return network.encoded(moved, self.shift, begin=self.begin)


def _drawn_shift(roll: Roll, settings: FitSettings, rng: np.random.Generator) -> int:
    """Semitones by which a roll is moved, so that it stays on the keyboard."""
    if rng.random() >= settings.moved:
        return 0
    (low, high), most = roll.compass, settings.shift
    return int(rng.integers(max(-most, LOWEST - low), min(most, HIGHEST - high) + 1))


def _cuts(frames: int, most: int, rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    """Where passages of at most so many frames begin and end; where the first ends is drawn."""
    first = int(rng.integers(1, most + 1)) if frames > most else frames
    yield from pairwise((0, *range(first, frames, most), frames))
