"""Viewpoints of a melody: what a note looks like from one side (Conklin and Witten 1995).

A viewpoint gives each note a whole number, such as its interval from the note before; a linked
viewpoint is a row of those taken together. Models ask what a viewpoint would show if each of some
candidate pitches stood in a place: a table (N, S) of values. Rhythm and phrases of the melody are
taken as known, so a table looks back for pitches, and no further than its own note for the rest.

The names of Pearce (2005, The construction and evaluation of statistical models of melodic
structure in music perception and composition, table 5.2) are given beside ours in `VIEWPOINTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from musegen.errors import TrainingError, UnknownNameError
from musegen.models.context_mixing import HashArray, mixed_hash

__all__ = ["VIEWPOINTS", "Melody", "Viewpoint", "check_melodies", "check_viewpoints", "view_table"]

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

Viewpoint = tuple[str, ...]  # names of `VIEWPOINTS`, linked

UNDEFINED = -1000  # of a viewpoint that needs a note which is not there
OCTAVE = 12
RATIO_STEPS = 12  # a ratio of durations is kept to a twelfth of a doubling


@dataclass(frozen=True, slots=True)
class Melody:
    """A melody as whole numbers, one of each a note."""

    name: str
    pitches: IntArray  # (N,) MIDI numbers
    onsets: IntArray  # (N,) ticks from the start, ascending
    durations: IntArray  # (N,) ticks
    places: IntArray  # (N,) ticks from the barline before
    ends: BoolArray  # (N,) True on the last note of a phrase
    tonic: int  # pitch class, 0 to 11
    minor: bool

    @property
    def starts(self) -> BoolArray:
        """True on the first note of a phrase."""
        return np.concatenate([[True], self.ends[:-1]])

    def up_to(self, count: int) -> Melody:
        """Its first notes."""
        cut = {name: getattr(self, name)[:count] for name in NOTE_FIELDS}
        return replace(self, **cut)


NOTE_FIELDS = ("pitches", "onsets", "durations", "places", "ends")


def check_melodies(melodies: Sequence[Melody], candidates: IntArray) -> None:
    """See that melodies have notes, in order, of the candidate pitches.

    Args:
        melodies: to look at.
        candidates: (S,) MIDI numbers, ascending.

    Raises:
        TrainingError: names the melody and what is wrong.
    """
    if len(candidates) < 2 or (np.diff(candidates) <= 0).any():
        raise TrainingError("candidate pitches must be two or more, ascending")
    for melody in melodies:
        lengths = {name: len(getattr(melody, name)) for name in NOTE_FIELDS}
        count = len(melody.pitches)
        if count == 0 or set(lengths.values()) != {count}:
            raise TrainingError(
                f"melody {melody.name!r}: its arrays must be of one length above 0, got {lengths}"
            )
        if (np.diff(melody.onsets) <= 0).any() or (melody.durations <= 0).any():
            raise TrainingError(f"melody {melody.name!r}: onsets must ascend, durations be above 0")
        foreign = np.flatnonzero(~np.isin(melody.pitches, candidates))
        if len(foreign):
            raise TrainingError(
                f"melody {melody.name!r}, note {foreign[0] + 1}: pitch {melody.pitches[foreign[0]]} "
                f"is none of the candidates {candidates.tolist()}"
            )


# --- basic viewpoints -----------------------------------------------------------------------

Basic = Callable[[Melody, IntArray], IntArray]  # (melody, candidates (S,)) -> (N, S) or (N, 1)


def _pitch(melody: Melody, candidates: IntArray) -> IntArray:
    return np.broadcast_to(candidates, (len(melody.pitches), len(candidates)))


def _from_note(melody: Melody, candidates: IntArray, notes: IntArray) -> IntArray:
    """Semitones of candidates above the note of each number in `notes` (N,); undefined below 0."""
    semitones = candidates - melody.pitches[np.maximum(notes, 0)][:, None]
    return np.where(notes[:, None] < 0, UNDEFINED, semitones)


def _numbers(melody: Melody) -> IntArray:
    return np.arange(len(melody.pitches))


def _interval(melody: Melody, candidates: IntArray) -> IntArray:
    return _from_note(melody, candidates, _numbers(melody) - 1)


def _from_phrase(melody: Melody, candidates: IntArray) -> IntArray:
    first = np.maximum.accumulate(np.where(melody.starts, _numbers(melody), 0))
    return _from_note(melody, candidates, np.where(melody.starts, -1, first))


def _from_tonic(melody: Melody, candidates: IntArray) -> IntArray:
    return _pitch(melody, candidates - melody.tonic) + (OCTAVE**2 if melody.minor else 0)


def _degree(melody: Melody, candidates: IntArray) -> IntArray:
    degrees = (candidates - melody.tonic) % OCTAVE + (OCTAVE if melody.minor else 0)
    return _pitch(melody, degrees)


def _contour(melody: Melody, candidates: IntArray) -> IntArray:
    interval = _interval(melody, candidates)
    return np.where(interval == UNDEFINED, UNDEFINED, np.sign(interval))


def _onset_interval(melody: Melody, _candidates: IntArray) -> IntArray:
    gaps = np.diff(melody.onsets, prepend=melody.onsets[:1])
    return np.where(_numbers(melody) == 0, UNDEFINED, gaps)[:, None]


def _duration_ratio(melody: Melody, _candidates: IntArray) -> IntArray:
    steps = np.rint(RATIO_STEPS * np.log2(melody.durations)).astype(np.int64)
    moved = np.diff(steps, prepend=steps[:1])
    return np.where(_numbers(melody) == 0, UNDEFINED, moved)[:, None]


VIEWPOINTS: Mapping[str, Basic] = {
    "pitch": _pitch,  # cpitch
    "interval": _interval,  # cpint: from the note before
    "contour": _contour,  # contour: -1, 0, 1
    "degree": _degree,  # cpintfref, with the mode
    "from-tonic": _from_tonic,  # cpintfref over more than an octave, with the mode
    "from-phrase": _from_phrase,  # cpintfip: from the phrase's first note
    "duration": lambda melody, _: melody.durations[:, None],  # dur
    "duration-ratio": _duration_ratio,  # dur-ratio
    "onset-interval": _onset_interval,  # ioi
    "place": lambda melody, _: melody.places[:, None],  # posinbar
    "phrase-start": lambda melody, _: melody.starts.astype(np.int64)[:, None],  # fiph
    "phrase-end": lambda melody, _: melody.ends.astype(np.int64)[:, None],  # liph
}


def check_viewpoints(viewpoints: Sequence[Viewpoint]) -> None:
    """See that viewpoints are known.

    Raises:
        TrainingError: there is none, or one links nothing.
        UnknownNameError: no such viewpoint.
    """
    if not viewpoints or not all(viewpoints):
        raise TrainingError("at least one viewpoint is needed, and each links at least one name")
    for name in (name for viewpoint in viewpoints for name in viewpoint):
        if name not in VIEWPOINTS:
            raise UnknownNameError("viewpoint", name, VIEWPOINTS)


def view_table(melody: Melody, viewpoint: Viewpoint, candidates: IntArray) -> HashArray:
    """What a linked viewpoint shows if each candidate stood in each place, (N, S) as hashes."""
    shown: HashArray = np.zeros((len(melody.pitches), len(candidates)), np.uint64)
    for name in viewpoint:
        shown = mixed_hash(shown, VIEWPOINTS[name](melody, candidates))
    return shown
