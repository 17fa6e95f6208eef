"""LSTM over notes, fine-tuned so that what it writes by itself is judged well: RL-Tuner's idea.

First it learns the rolls as `note_lstm` does, or is read from a file; that is the prior. Then it draws
pieces, each frame is rewarded by what a judge finds there, each piece by how like the training rolls it is, and
a step of policy gradient (`policy_gradient`) is taken, with the KL to the prior as its price. The judge is
given: models know no rules. The running mean of the weights is kept.

Everything drawn comes from seed, step and number of the piece; a training that was killed goes on from its last
epoch to the same bytes. Source: Jaques et al., Sequence tutor (2017).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from musegen.errors import TrainingError
from musegen.models.cards import Tensors, WeightsError, check_shapes, load_weights
from musegen.models.judged import Judge, Judgement
from musegen.models.note_inputs import last_place
from musegen.models.note_lstm import NoteLSTM, NoteLSTMSettings
from musegen.models.policy_gradient import advantages, divergences, policy_loss, returns
from musegen.models.roll_networks import NetworkModel, side_by_side
from musegen.models.roll_training import (
    TrainedRolls,
    fit,
    manners,
    memory_refusals,
    resolved,
    roll_fingerprint,
)
from musegen.models.rolls import END, LOWEST, SYMBOLS, Roll, negative_log_likelihood
from musegen.models.torch_steps import KEEP, rate_at, step_weights
from musegen.models.training import (
    LIKELIHOOD,
    Checkpoint,
    Progress,
    load_checkpoint,
    save_checkpoint,
)

if TYPE_CHECKING:
    import torch

    Weights = Mapping[str, torch.Tensor]

__all__ = ["NAME", "ReinforceSettings", "drawn_together", "train_reinforced"]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
GROUPS = ("now", "mean", "first_moment", "second_moment")
NAME, PRIOR = "lstm-reinforce", "prior."
STREAM = 2  # of random numbers: others of the same seed train the prior
TOO_FAR = "the network gives no probabilities any more; a lower tuning_rate may help"
AVERAGING = 0.9  # decay a step of the averaged weights while tuning
SAME = 0.01  # nats a frame by which a prior's figure may differ from what its card says


@dataclass(frozen=True, slots=True)
class ReinforceSettings(NoteLSTMSettings):
    """How the prior learns, and how it is tuned."""

    prior: str = ""  # file of weights of a trained `lstm`; without one it is trained here first
    tuning: int = 8  # epochs of policy gradient
    steps: int = 5  # an epoch
    pieces: int = 16  # drawn a step
    frames: int = 32  # of each
    tuning_rate: float = 0.0003  # peak learning rate of policy gradient
    strength: float = 0.3  # price of a nat of KL to the prior, in rewards
    discount: float = 0.9  # of what comes a frame later
    error: float = 1.0  # price of a finding by its severity
    warning: float = 0.5
    remark: float = 0.1
    likeness: float = 20.0  # reward of a piece that is wholly like the training rolls


def train_reinforced(
    train: Sequence[Roll],
    valid: Sequence[Roll],
    settings: ReinforceSettings,
    *,
    seed: int,
    judge: Judge,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
) -> TrainedRolls:
    """Train or read the prior, and tune it.

    Args:
        train: rolls that the prior learns.
        valid: rolls that choose its epoch, and tell what likelihood tuning gives up.
        settings: of both.
        seed: of all that is drawn.
        judge: says what is wrong in a piece, and how like the training rolls it is.
        progress: told of the prior's epochs (`fit`), then of those of tuning: "epoch", "epochs",
            "reward" a piece, "findings" a piece, "divergence" nats of KL a symbol, "valid" nats a
            frame; all but the last of the pieces drawn in it.
        checkpoint: file replaced after each epoch of either; an interrupted training goes on there.

    Raises:
        TrainingError: settings that cannot be, a loss that is not finite, or memory ran out.
        WeightsError: the prior or the checkpoint is damaged or of another training, or the prior
            does not predict these rolls as its card says.
    """
    chosen = resolved(settings)
    _check(chosen)
    network = NoteLSTM(chosen)
    mark = roll_fingerprint(chosen, seed, train, valid)
    stored = _stored_prior(network, chosen.prior, valid) if chosen.prior else None
    mark = mark if stored is None else _marked(mark, stored)
    run = load_checkpoint(checkpoint, mark)
    if stored is not None and run is None:
        run = _first(stored)
    if run is None or "tuned" not in run.state:
        fitted = fit(
            network, train, valid, chosen, seed=seed, progress=progress, checkpoint=checkpoint
        )
        run = _first(fitted.weights, fitted.history, fitted.seconds)
    size = f"{chosen.pieces} pieces of {chosen.frames} frames"
    with manners(chosen):
        while run.state["tuned"] < chosen.tuning:
            with memory_refusals(chosen.device, f"tuning epoch {run.state['tuned'] + 1}", size):
                run = _epoch(network, run, valid, chosen, (seed, judge))
            if checkpoint is not None:
                save_checkpoint(checkpoint, mark, run)
            if progress is not None:
                progress(run.state["history"][-1])
    model = NetworkModel(NAME, network, _named(run.tensors, "mean."))
    history = tuple(run.state["history"])
    return TrainedRolls(model, chosen, seed, history, float(run.state["seconds"]))


def _check(settings: ReinforceSettings) -> None:
    if settings.pieces < 2:
        problem = "its pieces are each other's baseline"
        raise TrainingError(f"setting pieces must be 2 or more, got {settings.pieces}: {problem}")
    if settings.discount > 1:
        raise TrainingError(f"setting discount must be 1 or less, got {settings.discount:g}")


# --- the prior --------------------------------------------------------------------------------


def _stored_prior(network: NoteLSTM, file: str, valid: Sequence[Roll]) -> Tensors:
    """Weights of a file whose card holds for these rolls."""
    path = Path(file)
    tensors, card = load_weights(path, "rolls-lstm", command="musegen train --config lstm.toml")
    shapes = network.shapes()
    check_shapes(path, tensors, {name: (shapes[name], "float32") for name in shapes})
    told = [
        metric.value
        for metric in card.metrics
        if (metric.name, metric.split) == (LIKELIHOOD, "valid")
    ]
    if not told:
        raise WeightsError(path, "its card gives no figure of validation rolls to know them by")
    logs = NetworkModel("lstm", network, tensors).frame_log_probs(valid)
    found = negative_log_likelihood(logs)
    if abs(found - told[0]) > SAME:
        raise WeightsError(
            path,
            f"was trained on other data: its card says {told[0]:.3f} nats a frame of validation "
            f"rolls, these have {found:.3f}",
        )
    return tensors


def _marked(mark: str, prior: Tensors) -> str:
    digest = hashlib.sha256(mark.encode())
    for name in sorted(prior):
        digest.update(prior[name].tobytes())
    return digest.hexdigest()


def _first(
    prior: Tensors, history: Sequence[Mapping[str, Any]] = (), seconds: float = 0.0
) -> Checkpoint:
    tensors: Tensors = {PRIOR + name: array.copy() for name, array in prior.items()}
    for name, array in prior.items():
        for group in GROUPS:
            still = group.endswith("moment")
            tensors[f"{group}.{name}"] = np.zeros_like(array) if still else array.copy()
    state = {"tuned": 0, "steps": 0, "history": list(history), "seconds": seconds}
    return Checkpoint(tensors, state)


def _named(tensors: Mapping[str, Any], mark: str) -> dict[str, Any]:
    return {
        name.removeprefix(mark): each for name, each in tensors.items() if name.startswith(mark)
    }


# --- tuning -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Pieces of a step, as they were judged."""

    judged: tuple[Judgement, ...]
    frames: tuple[IntArray, ...]  # (N,) of each piece's symbols
    batch: Mapping[str, torch.Tensor]  # the pieces side by side

    def told(self, divergence: float, settings: ReinforceSettings) -> dict[str, float]:
        """Means over the pieces."""
        rewards = [
            _rewards(each, settings).sum() + settings.likeness * each.likeness
            for each in self.judged
        ]
        counts = [each.findings.sum() for each in self.judged]
        return {
            "reward": float(np.mean(rewards)),
            "findings": float(np.mean(counts)),
            "divergence": divergence,
        }


def _epoch(
    network: NoteLSTM,
    run: Checkpoint,
    valid: Sequence[Roll],
    settings: ReinforceSettings,
    by: tuple[int, Judge],
) -> Checkpoint:
    """So many steps, and a look at the validation rolls."""
    import torch

    begin, (seed, judge) = time.perf_counter(), by
    tensors = {
        name: torch.from_numpy(array.copy()).to(settings.device)
        for name, array in run.tensors.items()
    }
    tuned, steps, told = run.state["tuned"], run.state["steps"], []
    for _ in range(settings.steps):
        steps += 1
        drawn = _drawn(network, _named(tensors, "now."), settings, judge, (seed, steps))
        told.append(_step(network, tensors, drawn, settings, (tuned, steps)))
    with torch.no_grad():
        held_out = network.log_probs(_named(tensors, "mean."), valid)
    report = {
        "epoch": tuned + 1,
        "epochs": settings.tuning,
        **{name: float(np.mean([each[name] for each in told])) for name in told[0]},
        "valid": negative_log_likelihood(held_out),
    }
    state = {
        "tuned": tuned + 1,
        "steps": steps,
        "history": [*run.state["history"], report],
        "seconds": run.state["seconds"] + time.perf_counter() - begin,
    }
    return Checkpoint({name: each.cpu().numpy() for name, each in tensors.items()}, state)


def _drawn(
    network: NoteLSTM,
    weights: Weights,
    settings: ReinforceSettings,
    judge: Judge,
    seeds: tuple[int, int],
) -> _Drawn:
    """Pieces of a step, judged."""
    rolls = drawn_together(
        network, weights, count=settings.pieces, length=settings.frames, seeds=(STREAM, *seeds)
    )
    encoded = [network.encoded(roll, 0) for roll in rolls]
    frames = tuple(each["frame"] for each in encoded)
    batch = side_by_side(encoded, settings.device)
    return _Drawn(tuple(judge(roll) for roll in rolls), frames, batch)


def _step(
    network: NoteLSTM,
    tensors: dict[str, torch.Tensor],
    drawn: _Drawn,
    settings: ReinforceSettings,
    at: tuple[int, int],
) -> dict[str, float]:
    """One step of policy gradient, that changes `tensors` in place; what it came of."""
    import torch

    tuned, number = at
    batch, weights = drawn.batch, _named(tensors, "now.")
    for each in weights.values():
        each.requires_grad_()
    logs = network.logs(weights, batch, KEEP)
    with torch.no_grad():
        prior = network.logs(_named(tensors, PRIOR), batch, KEEP)
    apart = divergences(logs, prior)
    better = _worth(drawn, apart.detach(), settings)
    losses = policy_loss(logs, batch["symbols"], better, apart, strength=settings.strength)
    loss, divergence = (
        (each * batch["mask"]).sum() / batch["mask"].sum() for each in (losses, apart)
    )
    if not np.isfinite(float(loss.detach())):
        raise TrainingError(TOO_FAR)
    gradients = torch.autograd.grad(loss, list(weights.values()))
    for each in weights.values():
        each.requires_grad_(False)
    how = _pace(settings)
    named = dict(zip(weights, gradients, strict=True))
    step_weights(tensors, named, how, rate_at(how, tuned), number)
    return drawn.told(float(divergence.detach()), settings)


def _pace(settings: ReinforceSettings) -> ReinforceSettings:
    """How tuning steps: towards the prior nothing decays but by the KL."""
    return replace(
        settings,
        epochs=settings.tuning,
        rate=settings.tuning_rate,
        warm_up=1,
        weight_decay=0.0,
        averaging=AVERAGING,
    )


def _rewards(judged: Judgement, settings: ReinforceSettings) -> FloatArray:
    """(T,) of the frames of a piece."""
    prices = np.array([settings.error, settings.warning, settings.remark])
    found: FloatArray = -(judged.findings @ prices)
    return found


def _worth(drawn: _Drawn, apart: torch.Tensor, settings: ReinforceSettings) -> torch.Tensor:
    """How much better than expected each symbol was, (n, N)."""
    import torch

    costs = settings.strength * apart.double().cpu().numpy()
    of = [
        returns(_rewards(judged, settings), row, frame, discount=settings.discount)
        for judged, row, frame in zip(drawn.judged, costs, drawn.frames, strict=True)
    ]
    likeness = settings.likeness * np.array([each.likeness for each in drawn.judged])
    likelier = likeness - (likeness.sum() - likeness) / (len(likeness) - 1)
    found = torch.zeros_like(apart)
    for row, values in enumerate(advantages(of, drawn.frames)):
        found[row, : len(values)] = torch.from_numpy(values + likelier[row])
    return found


# --- drawing ----------------------------------------------------------------------------------


def drawn_together(
    network: NoteLSTM, weights: Weights, *, count: int, length: int, seeds: tuple[int, ...]
) -> list[Roll]:
    """Rolls drawn side by side, each from a random stream of its own.

    Args:
        network: over notes.
        weights: of it.
        count: how many rolls.
        length: frames of each.
        seeds: of the streams, before the number of the roll.

    Raises:
        TrainingError: the weights give no probabilities.
    """
    import torch

    device = next(iter(weights.values())).device.type
    drawn = [_Unfinished(np.random.default_rng([*seeds, number])) for number in range(count)]
    at_work, state = drawn, None
    while at_work:
        places = [last_place(each.frames, each.notes, 0) for each in at_work]
        with torch.no_grad():
            logs, (h, c) = network.step(weights, side_by_side(places, device), state)
        said = logs.double().exp().cpu().numpy()
        if not np.isfinite(said).all():
            raise TrainingError(TOO_FAR)
        for each, chances in zip(at_work, said, strict=True):
            each.draw(chances)
        left = [row for row, each in enumerate(at_work) if len(each.frames) < length]
        at_work, state = [at_work[row] for row in left], (h[:, left], c[:, left])
    return [Roll(f"drawn {number}", tuple(each.frames)) for number, each in enumerate(drawn)]


@dataclass(slots=True)
class _Unfinished:
    """A roll that is being drawn."""

    rng: np.random.Generator
    frames: list[tuple[int, ...]] = field(default_factory=list)
    notes: list[int] = field(default_factory=list)  # of the next frame, from the top down

    def draw(self, chances: FloatArray) -> None:
        """Go on by one symbol."""
        symbol = int(self.rng.choice(SYMBOLS, p=chances / chances.sum()))
        if symbol != END:
            self.notes.append(symbol + LOWEST - 1)
            return
        self.frames.append(tuple(reversed(self.notes)))
        self.notes = []
