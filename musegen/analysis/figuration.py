"""Broken chords: notes of an accompanying figure are heard on to its end, as if a pedal held them.

In an Alberti bass the lowest note of a figure is the bass of all of it, and its tones are one chord
(Kostka, Payne and Almén, Tonal Harmony, on arpeggiation). A figure fills a beat, or, where two notes
make a beat, two beats of an even bar or the whole of an odd one. It is regular, has the tones of one
chord, and three at least follow each other at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise

from musegen.score import Note
from theory_kb.pitch import Pitch

__all__ = ["Unit", "sounding_ends"]

LEAST = 3  # figures on end that make an accompaniment: one or two may be a turn of a line
NOTES = (3, 4, 6, 8)  # of a figure
WIDE = 3  # steps from the lowest to the highest note of a figure, a fourth; a trill has less
THIRDS = (0, 2, 4, 6)  # steps of root, third, fifth and seventh

Unit = Callable[[Fraction, Fraction], Fraction]  # time and duration to length of a figure, or 0


def sounding_ends(notes: Sequence[Note], unit: Unit) -> list[Fraction]:
    """Until when each note of a line is heard, in quarter notes: its end, or that of its figure.

    Args:
        notes: of the line.
        unit: how long a figure that begins at a time in such notes is; 0 where none can begin.
    """
    ends = [note.end for note in notes]
    run: list[range] = []
    place = 0
    while place < len(notes):
        figure = _figure(notes, ends, place, unit)
        if run and (not figure or ends[run[-1].stop - 1] != notes[place].onset):
            _hold(ends, run)
            run = []
        if figure:
            run.append(figure)
        place = figure.stop if figure else place + 1
    _hold(ends, run)
    return ends


def _hold(ends: list[Fraction], run: Sequence[range]) -> None:
    if len(run) >= LEAST:
        for figure in run:
            ends[figure.start : figure.stop] = [ends[figure[-1]]] * len(figure)


def _figure(notes: Sequence[Note], ends: Sequence[Fraction], start: int, unit: Unit) -> range:
    """The places of the figure that begins with a note; empty if none does."""
    first = notes[start]
    count = unit(first.onset, first.duration) / first.duration
    stop = start + int(count)
    if count not in NOTES or stop > len(notes):
        return range(0)
    inside = notes[start:stop]
    together = all(ends[start + k] == note.onset for k, note in enumerate(inside[1:]))
    even = all(note.duration == first.duration for note in inside)
    return range(start, stop) if together and even and _is_broken(inside) else range(0)


def _is_broken(figure: Sequence[Note]) -> bool:
    """Whether notes break a triad or a seventh chord: no two on end alike, a fourth wide at least."""
    pitches = [note.pitch for note in figure]
    steps = [pitch.step for pitch in pitches]
    moves = all(one != other for one, other in pairwise(pitches))
    return moves and max(steps) - min(steps) >= WIDE and _is_chord(pitches)


def _is_chord(pitches: Sequence[Pitch]) -> bool:
    """Whether tones stand in a stack of thirds up to a seventh, no letter with two signs."""
    letters = {pitch.step % 7 for pitch in pitches}
    classes = {pitch.pitch_class for pitch in pitches}
    stacks = ({(root + third) % 7 for third in THIRDS} for root in range(7))
    return len(classes) == len(letters) and any(letters <= stack for stack in stacks)
