"""The seam of networks over rolls: what a network says of itself, and the model that it makes.

A network is a recipe without weights: how a roll becomes arrays, what is minimised at each place of
them, how likely frames are, how rolls are drawn. With weights it is a model of frames like any other.
Learning is `roll_training`'s, storing `roll_models`'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from musegen.models.cards import Tensors
from musegen.models.rolls import Ask, Roll, check_rolls
from musegen.models.torch_steps import KEEP, Drop, deterministic

if TYPE_CHECKING:
    import torch

    Weights = Mapping[str, torch.Tensor]
    Batch = Mapping[str, torch.Tensor]

__all__ = [
    "Encoded",
    "FitSettings",
    "Network",
    "NetworkModel",
    "NoteNetwork",
    "place_log_probs",
    "side_by_side",
    "uniform_by_fan_in",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Encoded = Mapping[str, NDArray[Any]]
SYMBOLS_AT_ONCE = 6000  # that are measured side by side


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How a network learns."""

    epochs: int = 100  # passes over the training rolls
    patience: int = 30  # epochs without a better validation figure before training stops
    batch: int = 16  # passages a step
    passage: int = 160  # frames; longer rolls are learned in passages of so many
    rate: float = 0.003  # peak learning rate
    warm_up: int = 3  # epochs of linear warm-up; then a half cosine to a hundredth
    weight_decay: float = 0.05  # AdamW's, on matrices
    clip: float = 1.0  # largest gradient norm
    averaging: float = 0.99  # decay a step of the averaged weights that are kept
    shift: int = 6  # rolls are moved by up to so many semitones in training
    moved: float = 0.6  # share of rolls that are moved; the others are learned as they stand
    threads: int = 1  # of torch; part of the recipe, since rounding depends on it
    device: str = "cpu"  # cpu, cuda, or auto: cuda where there is one
    precision: str = "auto"  # of training: float32, bfloat16, or auto: the latter where it is quick


class Network(Protocol):
    """A network over rolls, apart from its weights."""

    @property
    def settings(self) -> Any:
        """The frozen settings that it was made with: a kind of `FitSettings`."""

    @property
    def exact(self) -> bool:
        """Whether `log_probs` are exact; else they are estimates."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the weights, by name."""

    def begin(self, rng: np.random.Generator, train: Sequence[Roll]) -> Tensors:
        """First weights, float32 by name."""

    def encoded(self, roll: Roll, shift: int, *, begin: int = 0) -> Encoded:
        """A roll that was moved by so many semitones as arrays (N, ...); `frame` (N,) is one.

        They tell of frames from `begin` on, with what is known of those before.
        """

    def losses(self, weights: Weights, batch: Batch, drop: Drop) -> torch.Tensor:
        """What is minimised at each place of rolls side by side, (n, N); anything in the padding.

        `batch` holds what `encoded` gives with a first axis of rolls, and `mask` (n, N).
        """

    def log_probs(
        self, weights: Weights, rolls: Sequence[Roll], *, quick: bool = False
    ) -> list[FloatArray]:
        """Natural-log probability of each frame given those before it, (T,) a roll.

        `quick` asks for a rough estimate, as when epochs are compared; exact ones heed it not.
        """

    def sample(
        self, weights: Weights, length: int, rng: np.random.Generator
    ) -> tuple[tuple[int, ...], ...]:
        """So many frames, drawn."""


@runtime_checkable
class NoteNetwork(Network, Protocol):
    """A network whose places are the symbols of `rolls.serial`."""

    def logs(self, weights: Weights, batch: Batch, drop: Drop) -> torch.Tensor:
        """Natural-log distribution of each symbol, (n, N, SYMBOLS)."""

    def asked(self, weights: Weights) -> Ask:
        """What gives the distribution of each symbol of a piece that is being written."""


@dataclass(frozen=True)
class NetworkModel:
    """A network with weights: a model of frames that also draws rolls."""

    name: str  # in tables and weights
    network: Network
    weights: Mapping[str, NDArray[np.float32]]

    @property
    def exact(self) -> bool:
        """Whether its log-probabilities are exact; else they are estimates."""
        return self.network.exact

    def frame_log_probs(self, rolls: Sequence[Roll]) -> list[FloatArray]:
        """Natural-log probability of each frame given those before it, (T,) a roll."""
        import torch

        check_rolls(rolls)
        with deterministic(self.network.settings.threads), torch.no_grad():
            return self.network.log_probs(self._tensors, rolls)

    def symbol_log_probs(self, rolls: Sequence[Roll]) -> list[FloatArray] | None:
        """Natural-log distribution of each symbol, (N, SYMBOLS) a roll; None of other networks."""
        import torch

        if not isinstance(self.network, NoteNetwork):
            return None
        check_rolls(rolls)
        with deterministic(self.network.settings.threads), torch.no_grad():
            found = _by_place(self.network, self.network.logs, self._tensors, rolls)
        return [logs for _, logs in found]

    def sample(self, length: int, rng: np.random.Generator) -> Roll:
        """A roll of so many frames, drawn from the model."""
        import torch

        with deterministic(self.network.settings.threads), torch.no_grad():
            return Roll("sample", self.network.sample(self._tensors, length, rng))

    def asked(self) -> Ask:
        """The same, of a network over notes."""
        import torch

        assert isinstance(self.network, NoteNetwork)  # others have no symbols
        ask = self.network.asked(self._tensors)

        def heeded(frames: Sequence[tuple[int, ...]], notes: Sequence[int]) -> FloatArray:
            with deterministic(self.network.settings.threads), torch.no_grad():
                return ask(frames, notes)

        return heeded

    def tensors(self) -> Tensors:
        """Parameters by name."""
        return dict(self.weights)

    @cached_property
    def _tensors(self) -> dict[str, torch.Tensor]:
        import torch

        return {name: torch.from_numpy(array.copy()) for name, array in self.weights.items()}


def uniform_by_fan_in(
    shapes: Mapping[str, tuple[int, ...]], rng: np.random.Generator
) -> dict[str, NDArray[np.float64]]:
    """First weights: matrices uniform by their number of inputs, vectors zero."""
    found = {}
    for name, shape in shapes.items():
        bound = 1 / np.sqrt(shape[-1])
        found[name] = rng.uniform(-bound, bound, shape) if len(shape) > 1 else np.zeros(shape)
    return found


# --- rolls side by side -----------------------------------------------------------------------


def side_by_side(passages: Sequence[Encoded], device: str) -> Batch:
    """Arrays of passages padded with zeros to the largest, and which places are none of it."""
    import torch

    lengths = [len(passage["frame"]) for passage in passages]
    shape = (len(passages), max(lengths))
    batch: dict[str, NDArray[Any]] = {"mask": np.zeros(shape, np.float32)}
    for name, array in passages[0].items():
        widest = np.max([passage[name].shape[1:] for passage in passages], axis=0, initial=0)
        batch[name] = np.zeros((*shape, *widest.astype(int)), array.dtype)
    for row, (passage, length) in enumerate(zip(passages, lengths, strict=True)):
        batch["mask"][row, :length] = 1
        for name, array in passage.items():
            batch[name][row][tuple(slice(size) for size in array.shape)] = array
    return {name: torch.from_numpy(array).to(device) for name, array in batch.items()}


def place_log_probs(network: Network, weights: Weights, rolls: Sequence[Roll]) -> list[FloatArray]:
    """Frames (T,) of each roll from losses that are minus log-probabilities, by the chain rule."""
    return [
        np.bincount(frame, weights=-losses).astype(np.float64)
        for frame, losses in _by_place(network, network.losses, weights, rolls)
    ]


def _by_place(
    network: Network, ask: Callable[..., torch.Tensor], weights: Weights, rolls: Sequence[Roll]
) -> list[tuple[IntArray, FloatArray]]:
    """The frame (N,) of each place of each roll, and what a network says there, (N, ...)."""
    import torch

    device = next(iter(weights.values())).device.type
    found: dict[int, tuple[IntArray, FloatArray]] = {}
    for group in _alike(rolls):
        encoded = [network.encoded(rolls[number], 0) for number in group]
        with torch.no_grad():
            said = ask(weights, side_by_side(encoded, device), KEEP).double().cpu().numpy()
        for number, each, row in zip(group, encoded, said, strict=True):
            found[number] = each["frame"], row[: len(each["frame"])]
    return [found[number] for number in range(len(rolls))]


def _alike(rolls: Sequence[Roll]) -> Iterator[list[int]]:
    """Numbers of rolls of like length, few enough a group to be measured side by side."""
    sizes = [sum(len(frame) + 1 for frame in roll.frames) for roll in rolls]
    group: list[int] = []
    for number in sorted(range(len(rolls)), key=sizes.__getitem__):
        if group and (len(group) + 1) * sizes[number] > SYMBOLS_AT_ONCE:
            yield group
            group = []
        group.append(number)
    if group:
        yield group
