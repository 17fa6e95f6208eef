"""Transformer decoder over the notes of piano-rolls, one after another: an exact chain rule.

Inputs and outputs are those of `note_inputs`; between them stand blocks of causal attention and a
feed-forward layer, each with its normalisation before it. Queries and keys are turned by angles that
grow with where they stand, so attention depends on distances only: half of each head's pairs turn with
the frame, so that it can look back by beats and bars, the other half with the symbol.

Sources: Vaswani et al., Attention is all you need (2017); Huang et al., Music Transformer (2019),
distances and not places; Su et al., RoFormer (2021), angles; Xiong et al., On layer normalization in
the transformer architecture (2020).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from musegen.errors import TrainingError
from musegen.models.cards import Tensors
from musegen.models.note_inputs import (
    INPUT_ROWS,
    begin_heads,
    encoded_roll,
    head_shapes,
    last_batch,
    summed_rows,
    symbol_log_probs,
    symbols_before,
)
from musegen.models.roll_networks import (
    Encoded,
    FitSettings,
    place_log_probs,
    uniform_by_fan_in,
)
from musegen.models.rolls import Ask, Roll, drawn_frames
from musegen.models.torch_steps import KEEP, Drop

if TYPE_CHECKING:
    import torch

    Weights = Mapping[str, torch.Tensor]
    Batch = Mapping[str, torch.Tensor]
    Turns = tuple[torch.Tensor, torch.Tensor]  # cosines and sines, (n, 1, N, D / 2)

__all__ = ["NoteTransformer", "NoteTransformerSettings"]

FloatArray = NDArray[np.float64]
LONGEST = {"frame": 1000.0, "place": 4000.0}  # what the slowest angle turns by one in


@dataclass(frozen=True, slots=True)
class NoteTransformerSettings(FitSettings):
    """How the model is made, and how it learns."""

    width: int = 128  # of what goes from block to block
    heads: int = 4
    blocks: int = 4
    inner: int = 384  # units of each feed-forward layer
    input_dropout: float = 0.1  # of the sum of inputs
    dropout: float = 0.2  # of what each layer adds, and of what is found
    rows_dropout: float = 0.1  # of whole input columns
    rate: float = 0.001
    warm_up: int = 5


@dataclass(frozen=True, slots=True)
class NoteTransformer:
    """The network, apart from its weights."""

    settings: NoteTransformerSettings
    exact = True

    def __post_init__(self) -> None:
        """See that heads can be cut from the width, and pairs of pairs from heads."""
        of = self.settings
        if of.heads < 1 or of.width % (4 * of.heads):
            raise TrainingError(
                f"setting width must be a multiple of 4 times heads ({of.heads}), got {of.width}"
            )

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the weights, by name."""
        of = self.settings
        shapes: dict[str, tuple[int, ...]] = {"rows": (INPUT_ROWS, of.width)}
        for block in range(of.blocks):
            shapes |= {
                f"norm_in.{block}": (of.width,),
                f"attend.{block}": (3 * of.width, of.width),
                f"gather.{block}": (of.width, of.width),
                f"norm_mid.{block}": (of.width,),
                f"wide.{block}": (of.inner, of.width),
                f"wide_bias.{block}": (of.inner,),
                f"narrow.{block}": (of.width, of.inner),
            }
        return shapes | {"norm_out": (of.width,)} | head_shapes(of.width)

    def begin(self, rng: np.random.Generator, train: Sequence[Roll]) -> Tensors:
        """Uniform by fan-in, what blocks add smaller the more there are; norms one."""
        del train
        first = uniform_by_fan_in(self.shapes(), rng)
        first["rows"] = rng.normal(0, 0.1, first["rows"].shape)
        for name, array in first.items():
            if name.startswith("norm"):
                array[:] = 1
            if name.startswith(("gather", "narrow")):
                array[:] = array / np.sqrt(2 * self.settings.blocks)
        begin_heads(first)
        return {name: array.astype(np.float32) for name, array in first.items()}

    def encoded(self, roll: Roll, shift: int, *, begin: int = 0) -> Encoded:
        """See `note_inputs.encoded_roll`."""
        return encoded_roll(roll, shift, first=symbols_before(roll, begin))

    def losses(self, weights: Weights, batch: Batch, drop: Drop) -> torch.Tensor:
        """Minus the log-probability of each symbol, (n, N)."""
        logs = self.logs(weights, batch, drop)
        return -logs.gather(-1, batch["symbols"][..., None])[..., 0]

    def logs(self, weights: Weights, batch: Batch, drop: Drop) -> torch.Tensor:
        """Natural-log distribution of each symbol, (n, N, SYMBOLS)."""
        return symbol_log_probs(self._found(weights, batch, drop), weights, batch)

    def log_probs(
        self, weights: Weights, rolls: Sequence[Roll], *, quick: bool = False
    ) -> list[FloatArray]:
        """Natural-log probability of each frame, (T,) a roll."""
        del quick
        return place_log_probs(self, weights, rolls)

    def sample(
        self, weights: Weights, length: int, rng: np.random.Generator
    ) -> tuple[tuple[int, ...], ...]:
        """So many frames, drawn note by note."""
        return drawn_frames(self.asked(weights), length, rng)

    def asked(self, weights: Weights) -> Ask:
        """What gives the distribution of each symbol of a piece that is being written.

        Keys and values of what was written are kept.
        """
        seen = Seen()

        def ask(frames: Sequence[tuple[int, ...]], notes: Sequence[int]) -> FloatArray:
            place = last_batch(frames, notes)
            logs = symbol_log_probs(self._found(weights, place, KEEP, seen), weights, place)
            found: FloatArray = logs[0, 0].double().numpy()
            return found

        return ask

    def branching(
        self,
        weights: Weights,
        heard: Batch | None,
        places: Batch,
        tree: tuple[torch.Tensor, torch.Tensor],
    ) -> torch.Tensor:
        """Natural-log distributions (1, M, SYMBOLS) at places that may all come next in a piece.

        Args:
            weights: by name.
            heard: the arrays of what came, (1, N, ...); None at the beginning.
            places: those of the places, (1, M, ...).
            tree: which of the places (M, M) each goes on from, itself included; and how many
                symbols after what came each stands, (M,).
        """
        seen = Seen()
        if heard is not None:
            self._found(weights, heard, KEEP, seen)
        return symbol_log_probs(self._found(weights, places, KEEP, seen, tree), weights, places)

    # --- the network ------------------------------------------------------------------------

    def _found(
        self,
        weights: Weights,
        batch: Batch,
        drop: Drop,
        seen: Seen | None = None,
        tree: tuple[torch.Tensor, torch.Tensor] | None = None,
    ) -> torch.Tensor:
        """What the last block leaves, (n, N, width); `seen` is before it, and takes it in.

        Places follow one another, or branch as `tree` has it, see `branching`.
        """
        of, seen = self.settings, seen or Seen()
        among, after = tree or _in_a_row(batch["frame"])
        x = summed_rows(weights["rows"], batch["inputs"], (of.rows_dropout, of.input_dropout), drop)
        turns = _turns(batch["frame"], seen.places + after, of.width // of.heads)
        mask = seen.mask(batch["frame"], of.passage, among)
        for block in range(of.blocks):
            y = _normed(x, weights[f"norm_in.{block}"]) @ weights[f"attend.{block}"].T
            added = self._attended(y, block, turns, (mask, seen)) @ weights[f"gather.{block}"].T
            x = x + drop(added, of.dropout, added.shape)
            y = _normed(x, weights[f"norm_mid.{block}"])
            y = y @ weights[f"wide.{block}"].T + weights[f"wide_bias.{block}"]
            added = y.relu().square() @ weights[f"narrow.{block}"].T
            x = x + drop(added, of.dropout, added.shape)
        z = _normed(x, weights["norm_out"])
        return drop(z, of.dropout, z.shape)

    def _attended(
        self, y: torch.Tensor, block: int, turns: Turns, before: tuple[torch.Tensor, Seen]
    ) -> torch.Tensor:
        """What all heads gather (n, N, width) for queries, keys and values side by side."""
        from torch.nn import functional

        (mask, seen), (rows, places, _) = before, y.shape
        heads, width = self.settings.heads, self.settings.width
        mixed = y.view(rows, places, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        key, value = seen.with_these(block, _turned(mixed[1], turns), mixed[2])
        query = _turned(mixed[0], turns)
        found = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return found.transpose(1, 2).reshape(rows, places, width)


class Seen:
    """Frames, keys and values of places before; grows as more are seen."""

    def __init__(self) -> None:
        """Nothing is seen yet."""
        self.places = 0
        self._frames: list[torch.Tensor] = []
        self._blocks: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def mask(self, frame: torch.Tensor, passage: int, among: torch.Tensor) -> torch.Tensor:
        """Which places (n, 1, N, M) new ones (n, N) look at: none ahead, none a passage back.

        So distances are never longer than those that were learned. `among` (N, N) says which of the
        new ones each looks at.
        """
        import torch

        self._frames.append(frame)
        whole = torch.cat(self._frames, dim=1)
        behind = torch.cat([among.new_ones(len(among), self.places), among], dim=1)
        self.places = whole.shape[1]
        return (behind & (frame[..., None] - whole[:, None] < passage))[:, None]

    def with_these(
        self, block: int, key: torch.Tensor, value: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values (n, heads, M, D) of a block with new ones at the end."""
        import torch

        if block in self._blocks:
            past = self._blocks[block]
            key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
        self._blocks[block] = (key, value)
        return key, value


def _normed(x: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
    from torch.nn import functional

    return functional.rms_norm(x.float(), gain.shape) * gain


def _in_a_row(frame: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Places (n, N) one after another: which (N, N) each looks at, and how far each stands, (N,)."""
    import torch

    after = torch.arange(frame.shape[1], device=frame.device)
    return after <= after[:, None], after


def _turns(frame: torch.Tensor, place: torch.Tensor, size: int) -> Turns:
    """Cosines and sines (n, 1, N, size / 2) of the angles of places: by frame (n, N), by symbol (N,)."""
    import torch

    steps = torch.arange(size // 4, device=frame.device) / (size // 4)
    angles = torch.cat(
        [
            where[..., None] * LONGEST[name] ** -steps
            for name, where in (("frame", frame), ("place", place.expand_as(frame)))
        ],
        dim=-1,
    )[:, None]
    return angles.cos(), angles.sin()


def _turned(x: torch.Tensor, turns: Turns) -> torch.Tensor:
    """Pairs of numbers turned by angles: the first half of a head is paired with the second."""
    import torch

    cosine, sine = (each.to(x) for each in turns)
    one, other = x.chunk(2, dim=-1)
    return torch.cat([one * cosine - other * sine, one * sine + other * cosine], dim=-1)
