"""A data set of rolls as models are compared on it, and a score as a roll."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from musegen.models.cards import DataCard
from musegen.models.rolls import Roll
from musegen.score import Score
from musegen.slices import sounding

__all__ = ["FULL", "RollSet", "roll_of"]

DOWN = 5  # a tonic is moved down to C by so many semitones at most, else up
FULL = 4  # notes of a chord of a chorale


@dataclass(frozen=True, slots=True)
class RollSet:
    """A data set, split."""

    name: str
    title: str
    licence: str
    checksum: str  # of its file, or of the corpus and the splits
    splits: Mapping[str, tuple[Roll, ...]]  # train, valid, test
    beats: Mapping[str, tuple[int, ...]]  # beat of each frame from 1, by roll; empty if not known
    split: str = "standard"  # or "tune"

    @property
    def card(self) -> DataCard:
        """What cards of models say of it."""
        return DataCard(
            name=self.name,
            licence=self.licence,
            split=self.split,
            sequences={name: len(some) for name, some in self.splits.items()},
            slots={
                name: sum(len(each.frames) for each in some) for name, some in self.splits.items()
            },
            checksum=self.checksum,
        )

    @property
    def in_four_voices(self) -> bool:
        """Whether most training frames have four notes."""
        frames = [frame for roll in self.splits["train"] for frame in roll.frames]
        return 2 * sum(len(frame) == FULL for frame in frames) > len(frames)


def roll_of(score: Score, name: str, *, to_c: bool) -> tuple[Roll, tuple[int, ...]]:
    """What sounds at each quarter note of a score, and the beat (from 1) on which that stands.

    Args:
        score: with its key.
        name: of the roll.
        to_c: move the tonic to C, up or down by the shorter way.
    """
    tonic = score.key.tonic.semitone % 12
    shift = (-tonic if tonic <= DOWN else 12 - tonic) if to_c else 0
    times = list(_quarters(score))
    frames = tuple(tuple(sorted({pitch + shift for pitch in _at(score, at)})) for at in times)
    beats = tuple(int(score.bar_and_beat(at)[1]) for at in times)
    return Roll(name, frames), beats


def _quarters(score: Score) -> Iterator[Fraction]:
    """Times of the quarter notes of the metre; one before the first of them counts from 0."""
    time = score.upbeat % 1
    if time:
        yield Fraction(0)
    while time < score.duration:
        yield time
        time += 1


def _at(score: Score, time: Fraction) -> Iterator[int]:
    for part in score.parts:
        note = sounding(part.notes, time)
        if note is not None:
            yield note.pitch.semitone
