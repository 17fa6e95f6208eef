"""Rolls whose voices are told apart: the grid of sixteenths of the JSB chorales.

A frame has a pitch for each voice, or silence; held and repeated notes are not told apart. Figures
are nats a note: the sum over the voices of a frame, divided by their number, over all frames, the
first scored (Huang et al. 2019 give theirs so). They cannot be had from models of sets of pitches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musegen.errors import TrainingError
from musegen.models.rolls import HIGHEST, LOWEST

__all__ = ["SILENT", "VoiceRoll", "check_voice_rolls", "nats_a_note"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SILENT = -1  # in place of a MIDI number


@dataclass(frozen=True, slots=True, eq=False)
class VoiceRoll:
    """One piece."""

    name: str
    pitches: IntArray  # (T, V) MIDI numbers, voices high to low, -1 where one rests


def check_voice_rolls(rolls: Sequence[VoiceRoll]) -> None:
    """See that every roll has frames of the same voices, with pitches of the keyboard.

    Raises:
        TrainingError: names the roll and what is wrong.
    """
    if not rolls:
        raise TrainingError("no rolls of voices, at least one is needed")
    voices = rolls[0].pitches.shape[1:]
    for roll in rolls:
        shape, found = roll.pitches.shape, roll.pitches
        if len(shape) != 2 or not shape[0] or shape[1:] != voices:
            raise TrainingError(f"roll {roll.name!r} has shape {shape}, expected (T, {voices})")
        outside = (found != SILENT) & ((found < LOWEST) | (found > HIGHEST))
        if outside.any():
            frame, voice = np.argwhere(outside)[0].tolist()
            raise TrainingError(
                f"roll {roll.name!r}, frame {frame}, voice {voice}: {found[frame, voice]} leaves "
                f"the keyboard, pitches from {LOWEST} to {HIGHEST} are allowed"
            )


def nats_a_note(log_probs: Sequence[FloatArray], voices: int) -> float:
    """Nats a note of log-probabilities of frames, (T,) a roll."""
    return float(-np.concatenate(list(log_probs)).mean() / voices)
