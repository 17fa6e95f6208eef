"""Layers of recurrent units, plain or LSTM, with one mask of dropout for all places of a passage.

Dropout strikes recurrent weights and the states that leave a layer, not those that go round.

Sources: Elman, Finding structure in time (1990); Hochreiter and Schmidhuber, Long short-term memory
(1997); Gal and Ghahramani, A theoretically grounded application of dropout in recurrent neural
networks (2016); Merity, Keskar and Socher, Regularizing and optimizing LSTM language models (2018).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from musegen.models.torch_steps import Drop

if TYPE_CHECKING:
    import torch

    Weights = Mapping[str, torch.Tensor]
    State = tuple[torch.Tensor, torch.Tensor]  # h and c, (layers, n, H) each; plain units leave c

__all__ = ["GATES", "Recurrent"]

GATES = {"lstm": 4, "rnn": 1}  # matrices of a unit, by kind


@dataclass(frozen=True, slots=True)
class Recurrent:
    """The layers, apart from their weights."""

    kind: str  # lstm or rnn
    inputs: int  # numbers that come in at each place
    hidden: int  # units a layer
    layers: int
    recurrent_dropout: float
    dropout: float  # of states that leave a layer

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the weights, by name."""
        rows, shapes = GATES[self.kind] * self.hidden, dict[str, tuple[int, ...]]()
        for layer in range(self.layers):
            shapes[f"input.{layer}"] = (rows, self.hidden if layer else self.inputs)
            shapes[f"recurrent.{layer}"] = (rows, self.hidden)
            shapes[f"bias.{layer}"] = (rows,)
        return shapes

    def open_gates(self, first: Mapping[str, NDArray[Any]]) -> None:
        """Let first weights forget nothing, in place."""
        if self.kind == "lstm":
            for layer in range(self.layers):
                first[f"bias.{layer}"][self.hidden : 2 * self.hidden] = 1

    def states(
        self, weights: Weights, x: torch.Tensor, state: State | None, drop: Drop
    ) -> tuple[torch.Tensor, State]:
        """States (n, N, H) of the last layer, and those of all layers after the last place.

        Args:
            weights: by name.
            x: (n, N, inputs).
            state: of all layers before the first place; None for nothing.
            drop: dropout.
        """
        import torch

        still = torch.zeros(self.layers, len(x), self.hidden, device=x.device)
        before, after = state or (still, still), []
        for layer in range(self.layers):
            recurrent, bias = weights[f"recurrent.{layer}"], weights[f"bias.{layer}"]
            recurrent = drop(recurrent, self.recurrent_dropout, recurrent.shape)
            matrices = [weights[f"input.{layer}"], recurrent, bias, torch.zeros_like(bias)]
            h, c = (each[layer : layer + 1] for each in before)
            if self.kind == "lstm":
                x, h, c = torch.lstm(x, (h, c), matrices, True, 1, 0.0, False, False, True)
            else:
                x, h = torch.rnn_tanh(x, h, matrices, True, 1, 0.0, False, False, True)
            x = drop(x, self.dropout, (len(x), 1, self.hidden))
            after.append((h, c))
        return x, (torch.cat([h for h, _ in after]), torch.cat([c for _, c in after]))
