"""What networks over whole frames see: the keys of the frame before, and where the frame stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from musegen.models.note_inputs import BEATS, SHIFTS
from musegen.models.rolls import KEYS, LOWEST, Roll, as_matrix, serial
from musegen.models.torch_steps import KEEP, Drop

if TYPE_CHECKING:
    import torch

    from musegen.models.recurrent import Recurrent
    from musegen.models.roll_networks import Encoded

__all__ = [
    "PLACE_ROWS",
    "encoded_frames",
    "frame_inputs",
    "key_log_odds",
    "noted_frames",
    "place_rows",
    "states_after",
]

FloatArray = NDArray[np.float64]

PLACE_ROWS = BEATS + 1 + SHIFTS  # frame within four, the first frame, key


def encoded_frames(roll: Roll, shift: int, *, begin: int = 0) -> Encoded:
    """A roll as arrays: a row for each frame from `begin` on.

    Returns:
        `keys` and `before` (T, 88), ones where a key sounds in the frame and in the one before it;
        `places` (T, 2), rows of the table of places; `frame` (T,).
    """
    keys, frames = as_matrix(roll).astype(np.float32), np.arange(len(roll.frames))
    arrays = {
        "keys": keys,
        "before": np.vstack([np.zeros((1, KEYS), np.float32), keys[:-1]]),
        "places": place_rows(frames, shift),
        "frame": frames,
    }
    return {name: array[begin:] for name, array in arrays.items()}


def place_rows(frames: NDArray[np.int64], shift: int) -> NDArray[np.int64]:
    """Rows (T, 2) of the table of places: where frames (T,) stand, and how a roll was moved."""
    beats = np.where(frames == 0, BEATS, frames % BEATS)
    return np.stack([beats, np.full(len(frames), BEATS + 1 + shift % SHIFTS)], axis=1)


def noted_frames(roll: Roll, shift: int, *, begin: int = 0) -> Encoded:
    """The same, with the notes of each frame from the top down, ended and padded with 0.

    Adds `notes` (T, P) symbols, and `limits` (T, P): symbols from there on cannot stand there; 0 in
    the padding.
    """
    spelled = serial(roll)
    shape = (len(roll.frames), int(spelled.position.max()) + 1)
    notes, limits = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    notes[spelled.frame, spelled.position] = spelled.symbols
    limits[spelled.frame, spelled.position] = spelled.limit
    found = encoded_frames(roll, shift, begin=begin)
    return {**found, "notes": notes[begin:], "limits": limits[begin:]}


def frame_inputs(
    weights: Mapping[str, torch.Tensor],
    batch: Mapping[str, torch.Tensor],
    share: float,
    drop: Drop,
) -> torch.Tensor:
    """Inputs (n, T, E): rows of `keys` (88, E) that sounded before, and of `places`, added up."""
    from torch.nn import functional

    x = batch["before"] @ weights["keys"]
    x = x + functional.embedding(batch["places"], weights["places"]).sum(dim=2)
    return drop(x, share, (len(x), 1, x.shape[-1]))


def states_after(
    recurrent: Recurrent,
    weights: Mapping[str, torch.Tensor],
    before: torch.Tensor,
    place: int,
    state: Any,
) -> tuple[torch.Tensor, Any]:
    """States (B, H) that say what comes at a place after frames (B, 88), and those of all layers.

    Args:
        recurrent: the network's layers.
        weights: by name.
        before: the keys of the frames before, ones where they sound.
        place: number of the frame that comes.
        state: of all layers before these frames; None for nothing.
    """
    import torch

    rows = torch.from_numpy(place_rows(np.array([place]), 0))
    batch = {"before": before[:, None], "places": rows.expand(len(before), 1, 2)}
    x = frame_inputs(weights, batch, 0, KEEP)
    s, state = recurrent.states(weights, x, state, KEEP)
    return s[:, 0], state


def key_log_odds(rolls: Sequence[Roll]) -> FloatArray:
    """Log-odds (88,) that each key sounds in a frame, a little smoothed."""
    counts = np.zeros(KEYS)
    for roll in rolls:
        counts += np.bincount(
            [pitch - LOWEST for frame in roll.frames for pitch in frame], minlength=KEYS
        )
    rates = (counts + 0.05) / (sum(len(roll.frames) for roll in rolls) + 0.1)
    odds: FloatArray = np.log(rates / (1 - rates))
    return odds
