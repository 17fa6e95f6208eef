"""Networks over whole frames asked frame by frame, for several hypotheses at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from musegen.models.frame_lstm import FrameLSTM
from musegen.models.rnn_rbm import RNNRBM
from musegen.models.rolls import KEYS, Frame, Roll, as_matrix
from musegen.models.torch_steps import deterministic

if TYPE_CHECKING:
    import torch

__all__ = ["FrameNetworkSteps"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class FrameNetworkSteps:
    """A network over whole frames; state: the place, what says what comes there, and the layers'."""

    network: FrameLSTM | RNNRBM
    weights: Mapping[str, NDArray[np.float32]]

    def start(self) -> tuple[int, Any, Any]:
        """State of one hypothesis before the first frame."""
        return self._heard(0, np.zeros((1, KEYS), np.float32), None)

    def log_scores(self, state: tuple[int, Any, Any], frames: Sequence[Frame]) -> FloatArray:
        """Natural-log probabilities (B, N) as the network has them: see its `frame_logs`."""
        import torch

        with deterministic(self.network.settings.threads), torch.no_grad():
            logs = self.network.frame_logs(self._tensors, state[1], frames)
        found: FloatArray = logs.double().numpy()
        return found

    def advance(
        self, state: tuple[int, Any, Any], parents: IntArray, frames: Sequence[Frame]
    ) -> tuple[int, Any, Any]:
        """After the frames that came."""
        place, _, (h, c) = state
        before = as_matrix(Roll("", tuple(frames))).astype(np.float32)
        return self._heard(place + 1, before, (h[:, parents], c[:, parents]))

    def _heard(self, place: int, before: NDArray[np.float32], state: Any) -> tuple[int, Any, Any]:
        import torch

        with deterministic(self.network.settings.threads), torch.no_grad():
            heard = torch.from_numpy(before)
            return (place, *self.network.step(self._tensors, heard, place, state))

    @cached_property
    def _tensors(self) -> dict[str, torch.Tensor]:
        import torch

        return {name: torch.from_numpy(array.copy()) for name, array in self.weights.items()}
