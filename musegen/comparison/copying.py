"""How much of a piece stands in the training pieces, note for note, in whatever key.

A window of n frames is kept relative to its lowest pitch, so that a passage and its transposition
are the same. If a window is found in training then so are its parts, so lengths are tried upwards.

A near copy of another piece has half of its windows of eight frames, outer voices alone, in common
with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from musegen.models.rolls import Frame, Roll

__all__ = ["Training", "copied_share", "longest_overlap", "near_copies", "windows"]

Window = tuple[Frame, ...]

COPY_WINDOW = 8  # frames
COPY_SHARE = 0.5  # of the shorter piece's windows


def windows(roll: Roll, length: int) -> list[Window]:
    """All windows of so many successive frames, each relative to its lowest pitch."""
    places = range(len(roll.frames) - length + 1)
    return [_relative(roll.frames[place : place + length]) for place in places]


def _relative(frames: Sequence[Frame]) -> Window:
    lowest = min((frame[0] for frame in frames if frame), default=0)
    return tuple(tuple(pitch - lowest for pitch in frame) for frame in frames)


class Training:
    """The windows of the training pieces, worked out for a length when it is asked for."""

    def __init__(self, rolls: Sequence[Roll]) -> None:
        """Remember the pieces."""
        self.rolls = tuple(rolls)
        self.known: dict[int, frozenset[Window]] = {}

    def windows(self, length: int) -> frozenset[Window]:
        """All windows of a length."""
        if length not in self.known:
            found = (window for roll in self.rolls for window in windows(roll, length))
            self.known[length] = frozenset(found)
        return self.known[length]


def longest_overlap(roll: Roll, training: Training) -> int:
    """Frames of the longest passage that stands in a training piece, transposed or not."""
    length = 0
    while length < len(roll.frames):
        if training.windows(length + 1).isdisjoint(windows(roll, length + 1)):
            break
        length += 1
    return length


def copied_share(roll: Roll, training: Training, length: int) -> float:
    """Share of a piece's windows of so many frames that stand in training; 0 if it has none."""
    own = windows(roll, length)
    known = training.windows(length)
    return sum(window in known for window in own) / len(own) if own else 0.0


def near_copies(rolls: Sequence[Roll], others: Sequence[Roll]) -> tuple[bool, ...]:
    """Which rolls are nearly the same, in their outer voices, as one of some others."""
    known = [_outer_windows(other) for other in others]
    return tuple(_is_copy(_outer_windows(roll), known) for roll in rolls)


def _outer_windows(roll: Roll) -> frozenset[Window]:
    outer = tuple(tuple(dict.fromkeys((*frame[:1], *frame[-1:]))) for frame in roll.frames)
    return frozenset(windows(Roll(roll.name, outer), COPY_WINDOW))


def _is_copy(own: frozenset[Window], known: Sequence[frozenset[Window]]) -> bool:
    return any(
        len(own & other) >= COPY_SHARE * min(len(own), len(other))
        for other in known
        if own and other
    )
