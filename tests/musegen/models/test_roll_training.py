from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from musegen.errors import TrainingError
from musegen.models import roll_training
from musegen.models.cards import WeightsError
from musegen.models.frame_lstm import FrameLSTM, FrameLSTMSettings
from musegen.models.note_lstm import NoteLSTM, NoteLSTMSettings
from musegen.models.note_transformer import NoteTransformer, NoteTransformerSettings
from musegen.models.rnn_rbm import RNNRBM, RNNRBMSettings
from musegen.models.roll_training import fit, resolved, train_network
from musegen.models.rolls import Roll
from musegen.models.torch_steps import step_weights

CHORDS = ((48, 60, 64, 67), (53, 60, 65, 69), (55, 59, 62, 67), (57, 60, 64))
ROLLS = tuple(Roll(str(k), tuple(CHORDS[(k + t) % 4] for t in range(6 + k))) for k in range(7))
SPLITS = (ROLLS[:5], ROLLS[5:])
TINY = NoteLSTMSettings(
    epochs=5, warm_up=1, batch=2, hidden=6, embedding=4, inner=6, passage=5, precision="float32"
)


NETWORKS: dict[str, Any] = {
    "lstm": NoteLSTM(TINY),
    "transformer": NoteTransformer(NoteTransformerSettings()),
    "lstm-nade": FrameLSTM(FrameLSTMSettings()),
    "rnn-rbm": RNNRBM(RNNRBMSettings()),
}


class KilledError(Exception):
    """A training was killed."""


@pytest.mark.parametrize("seed", [0, 1])
def test_a_killed_training_goes_on_to_the_same_bytes(seed: int, tmp_path: Path) -> None:
    """Killed after a drawn epoch, then inside the next, it ends as if nothing had been."""
    whole = fit(NoteLSTM(TINY), *SPLITS, TINY, seed=seed)
    last = int(np.random.default_rng(seed).integers(1, TINY.epochs))
    file = tmp_path / "checkpoint"

    def stop(report: dict[str, Any]) -> None:
        if report["epoch"] == last:
            raise KilledError

    with pytest.raises(KilledError):
        fit(NoteLSTM(TINY), *SPLITS, TINY, seed=seed, progress=stop, checkpoint=file)
    kept = file.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        fit(_Interrupted(TINY, 2), *SPLITS, TINY, seed=seed, checkpoint=file)
    assert file.read_bytes() == kept
    found = fit(NoteLSTM(TINY), *SPLITS, TINY, seed=seed, checkpoint=file)
    assert found.history == whole.history
    for name, array in whole.weights.items():
        assert found.weights[name].tobytes() == array.tobytes()


class _Interrupted:
    """A network that is interrupted in the middle of an epoch."""

    def __init__(self, settings: NoteLSTMSettings, after: int) -> None:
        self.inner, self.left = NoteLSTM(settings), after

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def losses(self, *arguments: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return self.inner.losses(*arguments)


def test_the_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    """Another seed, other settings or other rolls do not go on from a checkpoint."""
    file = tmp_path / "checkpoint"
    short = replace(TINY, epochs=1)
    fit(NoteLSTM(short), *SPLITS, short, seed=0, checkpoint=file)
    with pytest.raises(WeightsError, match="other settings, seed or data"):
        fit(NoteLSTM(short), *SPLITS, short, seed=1, checkpoint=file)
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(WeightsError, match="is no checkpoint"):
        fit(NoteLSTM(short), *SPLITS, short, seed=0, checkpoint=file)


def test_training_lowers_the_loss_and_keeps_the_best_epoch() -> None:
    """The model kept is that of the least validation figure, and better than the first."""
    settings = replace(TINY, epochs=12, averaging=0.5, patience=12)
    trained = train_network("lstm", NoteLSTM, SPLITS, settings, seed=0)
    figures = [each["valid"] for each in trained.history]
    found = -np.concatenate(trained.model.frame_log_probs(SPLITS[1])).mean()
    assert found == pytest.approx(min(figures), abs=1e-6)
    assert min(figures) < figures[0] - 1


def test_patience_ends_a_training_that_gets_no_better() -> None:
    """At a rate of nothing the validation figure stands still and training stops."""
    settings = replace(TINY, rate=0.0, weight_decay=0.0, patience=2)
    assert len(fit(NoteLSTM(settings), *SPLITS, settings, seed=0).history) == 3


def test_a_loss_that_is_no_number_ends_the_training(tmp_path: Path) -> None:
    """A rate beyond reason is refused with epoch, step and rate; the checkpoint stays."""
    settings = replace(TINY, rate=1e30, clip=1e30)
    with pytest.raises(TrainingError, match=r"epoch \d, step \d+: the \w+ loss is (nan|inf)"):
        fit(NoteLSTM(settings), *SPLITS, settings, seed=0)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes."),
    ],
)
def test_memory_that_runs_out_is_said(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """What torch says of memory becomes one line with the batch."""

    def refuse(*_arguments: Any) -> Any:
        raise error

    monkeypatch.setattr(roll_training, "_step", refuse)
    with pytest.raises(TrainingError, match="epoch 1: out of memory on cpu with batches of 2"):
        fit(NoteLSTM(TINY), *SPLITS, TINY, seed=0)


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for, it is refused; `auto` does without."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(TrainingError, match="device 'cuda' is asked for"):
        resolved(replace(TINY, device="cuda"))
    assert resolved(replace(TINY, device="auto")).device == "cpu"


def test_unknown_choices_are_refused() -> None:
    """What is allowed is named."""
    with pytest.raises(TrainingError, match=r"setting device must be one of .*, got 'tpu'"):
        resolved(replace(TINY, device="tpu"))
    with pytest.raises(TrainingError, match=r"setting precision must be one of .*, got 'float8'"):
        resolved(replace(TINY, precision="float8"))


def test_bfloat16_is_decided_by_the_machine() -> None:
    """`auto` becomes one of the two, and training with either gives finite figures."""
    assert resolved(replace(TINY, precision="auto")).precision in {"float32", "bfloat16"}
    settings = replace(TINY, precision="bfloat16", epochs=2)
    history = fit(NoteLSTM(settings), *SPLITS, settings, seed=0).history
    assert np.isfinite([each["valid"] for each in history]).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_passages_tell_what_the_whole_roll_tells(name: str) -> None:
    """Arrays of passages, each encoded without what follows it, are cuts of the whole roll's."""
    network = NETWORKS[name]
    roll = Roll("long", tuple(CHORDS[t * t % 4] for t in range(23)))
    whole, moved = network.encoded(roll.transposed(2), 2), 2
    ends = list(roll_training._cuts(23, 5, np.random.default_rng(0)))
    assert [end for _, end in ends][:-1] == [begin for begin, _ in ends][1:]
    assert (ends[0][0], ends[-1][1]) == (0, 23)
    assert max(end - begin for begin, end in ends) <= 5
    parts = [roll_training._Passage(roll, moved, *each).encoded(network) for each in ends]
    for key, array in whole.items():
        assert np.concatenate([part[key] for part in parts]) == pytest.approx(array, abs=1e-6)


def test_a_step_does_not_depend_on_the_order_of_names() -> None:
    """Checkpoints and weights keep no order; the norm of all gradients is a sum that rounds."""
    rng = np.random.default_rng(0)
    names = [f"w{number}" for number in range(40)]
    gradients = {name: torch.from_numpy(rng.lognormal(size=7).astype(np.float32)) for name in names}
    found = []
    for order in (names, names[::-1], sorted(names, key=lambda name: name[::-1])):
        tensors = {
            f"{group}.{name}": torch.ones(7)
            for name in names
            for group in ("now", "mean", "first_moment", "second_moment")
        }
        step_weights(tensors, {name: gradients[name] for name in order}, TINY, 0.1, 1)
        found.append({name: each.numpy().tobytes() for name, each in tensors.items()})
    assert found[0] == found[1] == found[2]


def test_weights_too_large_for_the_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first epoch too: one line that says how many numbers were asked for."""

    def none_left(*_: object) -> Any:
        raise MemoryError

    monkeypatch.setattr(NoteLSTM, "begin", none_left)
    numbers = sum(int(np.prod(shape)) for shape in NoteLSTM(TINY).shapes().values())
    with pytest.raises(TrainingError, match=f"first weights: out of memory on cpu with {numbers}"):
        fit(NoteLSTM(TINY), *SPLITS, TINY, seed=0)
