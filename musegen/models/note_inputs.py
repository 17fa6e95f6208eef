"""What networks over note-serial symbols see before each symbol, and how they say what comes.

A symbol's inputs are the columns of the n-gram that say where it stands: the symbol before, the notes
of the same place and its neighbours in the frames before, the bass before; besides, how far those
are apart, the place in the frame, the frame within four, and to which key the roll was moved. Each
column is a row of one table, and the rows are added up.

What comes is a softmax over symbols that can stand there. Its scores are sums of three heads: by
symbol, by the interval from the note of the same place in the frame before, by the interval from the
note above. So what voices do at one pitch is also learned for the others. To these are added the
n-gram's short-term chains, which count the piece itself: logs of what they expect, times how far
the network trusts each (a cache, Grave, Joulin and Usunier 2017, as a product of experts).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from musegen.models.beginnings import Beginnings
from musegen.models.context_mixing import Passage
from musegen.models.ngram import NOTHING, SHORT, passage_ahead, passage_of, told_ahead
from musegen.models.roll_networks import Encoded
from musegen.models.rolls import END, KEYS, SYMBOLS, Frame, Roll, serial
from musegen.models.short_term import short_term_logs
from musegen.models.torch_steps import Drop

if TYPE_CHECKING:
    import torch

__all__ = [
    "COLUMNS",
    "INPUT_ROWS",
    "INTERVALS",
    "begin_heads",
    "encoded_ahead",
    "encoded_roll",
    "head_shapes",
    "last_batch",
    "last_place",
    "summed_rows",
    "symbol_log_probs",
    "symbols_before",
]

IntArray = NDArray[np.int64]

NOTES = ("s1", "v1", "over1", "under1", "v2", "bass1")  # columns of `ngram.passage_of`
APART = (("s1", "v1"), ("s1", "over1"), ("v1", "v2"))  # pairs whose interval is a column
WIDEST = 16  # semitones that an interval column tells apart, up and down
POSITIONS = 8  # places of a frame that are told apart
BEATS = 4  # frames that are told apart
SHIFTS = 12  # semitones by which a roll was moved that are told apart: octaves are one key

_SIZES = (
    *(SYMBOLS + 1 for _ in NOTES),
    *(2 * WIDEST + 2 for _ in APART),
    POSITIONS,
    BEATS,
    SHIFTS,
)
COLUMNS = len(_SIZES)
_OFFSETS = np.cumsum([0, *_SIZES[:-1]])
INPUT_ROWS = int(sum(_SIZES))  # rows of the table of inputs
CHAINS, DEPTHS = len(SHORT), 1 + max(len(chain) for chain in SHORT)
TRUST = 0.2  # exponent of a chain's distribution before anything is learned
INTERVALS = 2 * KEYS - 1  # from 87 semitones down to 87 up

Tensors = Mapping[str, "torch.Tensor"]


def encoded_roll(roll: Roll, shift: int, *, first: int = 0) -> Encoded:
    """A roll as arrays: a row for each symbol from the `first` on.

    Returns:
        `inputs` (N, COLUMNS) rows of the table, `symbols`, `limit`, `voice` (the symbol of the same
        place in the frame before, 0 if there is none), `above` (the note above in the frame, 0 if
        there is none) and `frame`, (N,) each; `memory` (N, CHAINS, SYMBOLS) and `depth` (N, CHAINS),
        see `short_term_logs`.
    """
    passage, spelled = passage_of(roll), serial(roll)
    arrays = _arrays(passage, spelled.position, spelled.frame, shift)
    arrays["symbols"] = spelled.symbols
    memory, depth = short_term_logs(passage, SHORT, SYMBOLS, first=first)
    return {name: array[first:] for name, array in arrays.items()} | {
        "memory": memory,
        "depth": depth,
    }


def encoded_ahead(histories: Sequence[tuple[Frame, ...]], beginnings: Beginnings) -> Encoded:
    """The places at which the next frame goes on as arrays, B x M rows as of `ngram.passage_ahead`.

    Pieces are told of as they stand, not moved; there are no `symbols`.
    """
    ahead = passage_ahead(histories, beginnings)
    frame = np.repeat([len(frames) for frames in histories], len(beginnings.words))
    arrays = _arrays(ahead, ahead.columns["position"], frame, 0)
    told = told_ahead(ahead, histories, beginnings, np.full(SYMBOLS, 1 / SYMBOLS))
    return arrays | {"memory": told[0], "depth": told[1]}


def _arrays(
    passage: Passage, position: IntArray, frame: IntArray, shift: int
) -> dict[str, IntArray]:
    """Arrays of places but for what is counted of the piece."""
    notes = [passage.columns[name] for name in NOTES]
    values = [
        *(each - NOTHING for each in notes),
        *(_apart(passage.columns[one], passage.columns[other]) for one, other in APART),
        np.minimum(position, POSITIONS - 1),
        frame % BEATS,
        np.full(len(frame), shift % SHIFTS),
    ]
    return {
        "inputs": np.stack(values, axis=1) + _OFFSETS,
        "limit": passage.limit,
        "voice": np.maximum(passage.columns["v1"], END),
        "above": np.where(position > 0, passage.limit, END),
        "frame": frame,
    }


def _apart(one: IntArray, other: IntArray) -> IntArray:
    """The interval between two notes as a row, the last row where one of them is none."""
    found = np.clip(one - other, -WIDEST, WIDEST) + WIDEST
    return np.where((one > END) & (other > END), found, 2 * WIDEST + 1)


def last_place(frames: Sequence[tuple[int, ...]], notes: Sequence[int], shift: int) -> Encoded:
    """The arrays of the one symbol that follows some frames and the first notes of the next."""
    roll = Roll("", (*frames, tuple(reversed(notes))))
    return encoded_roll(roll, shift, first=symbols_before(roll, len(frames)) + len(notes))


def symbols_before(roll: Roll, frame: int) -> int:
    """How many symbols spell the frames before one."""
    return sum(len(each) + 1 for each in roll.frames[:frame])


def summed_rows(
    rows: torch.Tensor, inputs: torch.Tensor, shares: tuple[float, float], drop: Drop
) -> torch.Tensor:
    """Sums (n, N, E) of the rows (INPUT_ROWS, E) of inputs (n, N, COLUMNS).

    Shares are dropped of whole columns at a place, and of numbers throughout a passage.
    """
    from torch.nn import functional

    found = functional.embedding(inputs, rows)
    found = drop(found, shares[0], (*inputs.shape, 1)).sum(dim=2)
    return drop(found, shares[1], (len(inputs), 1, found.shape[-1]))


def symbol_log_probs(z: torch.Tensor, weights: Tensors, batch: Tensors) -> torch.Tensor:
    """Natural-log probabilities (..., SYMBOLS) of what comes; -inf for what cannot stand there.

    Args:
        z: (..., U) what the network found.
        weights: as in `head_shapes`.
        batch: `limit`, `voice`, `above`, of shape (...) each, and `memory` and `depth`.
    """
    import torch

    # In padding, where the limit is 0, END may stand: so nothing there is undefined.
    scores = (z @ weights["out"].T).float() + weights["out_bias"]
    symbols = torch.arange(SYMBOLS, device=z.device)
    for head, origin in (("moves", batch["voice"]), ("gaps", batch["above"])):
        by_interval = (z @ weights[head].T).float()
        index = (symbols - origin[..., None] + KEYS - 1).clamp(0, INTERVALS - 1)
        there = (symbols > END) & (origin[..., None] > END)
        scores = scores + by_interval.gather(-1, index) * there
    trust = (z @ weights["trust"].T).float() + _by_depth(weights["trust_depth"], batch["depth"])
    scores = scores + (trust[..., None] * batch["memory"]).sum(dim=-2)
    scores = scores.masked_fill(symbols >= batch["limit"].clamp(min=1)[..., None], -torch.inf)
    return torch.log_softmax(scores, dim=-1)


def _by_depth(table: torch.Tensor, depth: torch.Tensor) -> torch.Tensor:
    """Entries (..., CHAINS) of a table (CHAINS, DEPTHS) at the depths that chains found."""
    import torch

    return table[torch.arange(CHAINS, device=depth.device), depth]


def head_shapes(width: int) -> dict[str, tuple[int, ...]]:
    """Of the weights of `symbol_log_probs`, by name: what is found is of this width.

    `out` by symbol, `moves` by the interval from the voice's note before, `gaps` by that from the
    note above; `trust` in each chain of the piece's own contexts, and by the depth it found.
    """
    return {
        "out": (SYMBOLS, width),
        "out_bias": (SYMBOLS,),
        "moves": (INTERVALS, width),
        "gaps": (INTERVALS, width),
        "trust": (CHAINS, width),
        "trust_depth": (CHAINS, DEPTHS),
    }


def begin_heads(first: dict[str, NDArray[np.float64]]) -> None:
    """Trust a little in what was found at any depth, whatever the network says; in place."""
    first["trust"][:] = 0
    first["trust_depth"][:] = TRUST
    first["trust_depth"][:, 0] = 0


def last_batch(frames: Sequence[tuple[int, ...]], notes: Sequence[int]) -> Tensors:
    """`last_place` of a roll as it stands, as the network takes it."""
    import torch

    arrays = last_place(frames, notes, 0)
    return {name: torch.from_numpy(array)[None] for name, array in arrays.items()}
