"""What is to be woven: for each voice and beat whether it rests, is stated, copies or is free.

Time is counted in beats of a quarter note, each of four parts (`PARTS`). A copy takes up what a voice
did some beats before, on another step: canon, imitation and sequence are the same thing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from musegen.errors import OptionError
from musegen.plan.plan import Harmony
from musegen.score import Note
from theory_kb.moment import REST

__all__ = [
    "PARTS",
    "Copy",
    "Fabric",
    "Free",
    "Pattern",
    "Silent",
    "Stated",
    "Task",
    "Timbre",
    "stated_line",
]

PARTS = 4  # of a beat: sixteenths of a quarter note
Pattern = tuple[int, ...]  # parts of a beat at which a voice strikes; empty: it holds


@dataclass(frozen=True, slots=True)
class Silent:
    """The voice rests."""


@dataclass(frozen=True, slots=True)
class Stated:
    """The voice has notes that are given."""

    steps: tuple[int, ...]  # (PARTS,)
    semitones: tuple[int, ...]  # (PARTS,), REST where it is silent
    attacks: tuple[int, ...]  # (PARTS,) 1 where a note begins


@dataclass(frozen=True, slots=True)
class Copy:
    """The voice takes up what a voice did before."""

    voice: int  # that is copied
    lag: int  # beats
    steps: int  # staff steps up
    semitones: int | None = None  # of the same interval; None: as the key there has it
    begins: bool = False  # whether a note that is held over in the model is struck here


@dataclass(frozen=True, slots=True)
class Free:
    """The voice is found by the search."""

    rhythms: tuple[tuple[Pattern, float], ...]  # what it may strike, and at what cost in nats


Task = Silent | Stated | Copy | Free


@dataclass(frozen=True, slots=True)
class Timbre:
    """A voice: its name and compass in staff steps."""

    name: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Fabric:
    """A whole piece that is to be woven.

    Attributes:
        metre: beats of a bar and the unit of a beat, which is a quarter note.
        voices: from high to low.
        tasks: (voices) of (beats).
        harmonies: for each beat the chords that may stand there.
        tops: for beats where the highest voice is bound, its pitch classes (semitones within the
            octave).
        cadences: beats on which a phrase ends.
        breaks: beats before which a phrase ends, so that any chord may begin.
        bass: whether the lowest voice is the bass of the chords.
        crossing: whether voices cross as they like, being equal.
    """

    metre: tuple[int, int]
    voices: tuple[Timbre, ...]
    tasks: tuple[tuple[Task, ...], ...]
    harmonies: tuple[tuple[Harmony, ...], ...]
    tops: Mapping[int, frozenset[int]] = field(default_factory=dict)
    cadences: frozenset[int] = frozenset()
    breaks: frozenset[int] = frozenset()
    bass: bool = True
    crossing: bool = False

    @property
    def beats(self) -> int:
        """How many."""
        return len(self.harmonies)

    @property
    def per_bar(self) -> int:
        """Beats of a bar."""
        return self.metre[0]


def stated_line(notes: Sequence[Note], beats: int, what: str = "theme") -> tuple[Task, ...]:
    """A line as tasks, one a beat; silent where no note sounds.

    Args:
        notes: in order, onsets in quarter notes.
        beats: how many tasks.
        what: how a refusal calls the line.

    Raises:
        OptionError: a note that begins or ends between sixteenths.
    """
    steps, semitones, attacks = (np.zeros(beats * PARTS, np.int64) for _ in range(3))
    semitones[:] = REST
    for note in notes:
        start, stop = note.onset * PARTS, note.end * PARTS
        if start.denominator != 1 or stop.denominator != 1:
            came = f"{note.pitch} at {note.onset} for {note.duration}"
            raise OptionError(what, came, "notes on sixteenths of a quarter note")
        inside = slice(int(start), int(stop))
        steps[inside], semitones[inside] = note.pitch.step, note.pitch.semitone
        attacks[int(start) : int(start) + 1] = 1
    rows = (each.reshape(beats, PARTS).tolist() for each in (steps, semitones, attacks))
    return tuple(_stated(*beat) for beat in zip(*rows, strict=True))


def _stated(steps: Iterable[int], semitones: Sequence[int], attacks: Iterable[int]) -> Task:
    if all(each == REST for each in semitones):
        return Silent()
    return Stated(tuple(steps), tuple(semitones), tuple(attacks))
