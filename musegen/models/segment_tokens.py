"""The alphabet of melodies on a grid, and the keys of bars on a grid.

Tokens are those of notes (semitones from the tonic, and the rest), and HOLD: the note before goes on.
A HOLD cannot stand first, nor after a rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from musegen.errors import TrainingError
from musegen.models.protocol import REST_TOKEN, VOCABULARY

__all__ = [
    "ATTRIBUTES",
    "BAR_KEYS",
    "HOLD",
    "LOWEST_KEY",
    "SEGMENT_SYMBOLS",
    "check_bars",
    "check_segments",
]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

HOLD = VOCABULARY
SEGMENT_SYMBOLS = VOCABULARY + 1
LOWEST_KEY, BAR_KEYS = (
    4,
    54,
)  # tokens of a bar's lowest key, and how many keys: 26 below to 27 above


def check_segments(segments: IntArray) -> None:
    """See that segments (n, T) are tokens, and each HOLD has a note to hold.

    Raises:
        TrainingError: names the segment and step.
    """
    if segments.ndim != 2 or 0 in segments.shape:
        raise TrainingError(
            f"segments must have shape (n, T) with both above 0, got {segments.shape}"
        )
    before = np.concatenate([np.full((len(segments), 1), REST_TOKEN), segments[:, :-1]], axis=1)
    wrong = (segments < 0) | (segments >= SEGMENT_SYMBOLS)
    wrong |= (segments == HOLD) & (before == REST_TOKEN)
    if wrong.any():
        number, step = np.argwhere(wrong)[0]
        raise TrainingError(
            f"segment {number + 1}, step {step + 1}: token {segments[number, step]} cannot stand "
            f"there; allowed are 0 to {SEGMENT_SYMBOLS - 1}, and {HOLD} only after a note"
        )


def check_bars(bars: BoolArray) -> None:
    """See that bars (n, T, K) are matrices of keys.

    Raises:
        TrainingError: they have another shape or type.
    """
    if bars.ndim != 3 or 0 in bars.shape or bars.shape[2] != BAR_KEYS or bars.dtype != np.bool_:
        raise TrainingError(
            f"bars must be bool of shape (n, T, {BAR_KEYS}) with n and T above 0, "
            f"got {bars.dtype} of {bars.shape}"
        )


# --- what can be said of a segment ----------------------------------------------------------


def _sounding(segments: IntArray) -> BoolArray:
    return segments < REST_TOKEN


def _notes(segments: IntArray) -> FloatArray:
    shares: FloatArray = _sounding(segments).mean(axis=1)
    return shares


def _height(segments: IntArray) -> FloatArray:
    on = _sounding(segments)
    means: FloatArray = (segments * on).sum(axis=1) / np.maximum(on.sum(axis=1), 1)
    return means


def _compass(segments: IntArray) -> FloatArray:
    on = _sounding(segments)
    high = np.where(on, segments, -1).max(axis=1)
    low = np.where(on, segments, REST_TOKEN).min(axis=1)
    return np.where(on.any(axis=1), high - low, 0).astype(np.float64)


def _rise(segments: IntArray) -> FloatArray:
    on = _sounding(segments)
    first, last = on.argmax(axis=1), segments.shape[1] - 1 - on[:, ::-1].argmax(axis=1)
    rows = np.arange(len(segments))
    moved = segments[rows, last] - segments[rows, first]
    return np.where(on.any(axis=1), moved, 0).astype(np.float64)


ATTRIBUTES: Mapping[str, Callable[[IntArray], FloatArray]] = {
    "notes": _notes,  # share of steps on which a note begins
    "height": _height,  # mean token of the notes
    "compass": _compass,  # semitones from the lowest to the highest note
    "rise": _rise,  # semitones from the first note to the last
}
