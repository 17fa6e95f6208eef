"""What is imitated: subjects drawn or given, placed in a voice, led into another key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from musegen.errors import OptionError
from musegen.plan.layout import tonic
from musegen.score import Note
from musegen.weaving.beam import Weave, weave
from musegen.weaving.course import chords_of
from musegen.weaving.fabric import Fabric, Pattern, Timbre
from musegen.weaving.lines import notes_of
from musegen.weaving.rhythms import drawn_bar, liking
from theory_kb.check import Style
from theory_kb.pitch import Interval, Key, Pitch, PitchClass, ScaleDegree

__all__ = [
    "CHOIR",
    "drawn_subject",
    "fitting",
    "led_to",
    "octaved",
    "octaves_to",
    "placed",
    "shifted",
]

CHOIR = (
    Timbre("Soprano", 29, 40),
    Timbre("Alto", 24, 36),
    Timbre("Tenor", 21, 32),
    Timbre("Bass", 15, 28),
)
SINGING = Timbre("Subject", 28, 36)
DRAWS = 5  # subjects among which the most telling is taken
DENSITIES = (0.9, 1.9)  # notes a beat: the head is slower than what follows
SPANS = range(4, 9)  # staff steps that a good subject spans
OCTAVE = Interval(7, 12)


def drawn_subject(
    home: Key, metre: tuple[int, int], bars: int, style: Style, *, rng: np.random.Generator
) -> tuple[Note, ...]:
    """A subject of so many bars: it begins on 1 or 5 and ends on a note of the tonic chord.

    Raises:
        InfeasibleError: no line was found.
    """
    found = [_subject(home, metre, bars, style, rng) for _ in range(DRAWS)]
    return max(found, key=_telling)


def _subject(
    home: Key, metre: tuple[int, int], bars: int, style: Style, rng: np.random.Generator
) -> tuple[Note, ...]:
    beats = bars * metre[0]
    text = f"{metre[0]}/{metre[1]}"
    half = Fraction(beats, 2)
    struck: list[Pattern] = []
    for bar in range(bars):
        density = DENSITIES[bar * metre[0] >= half or bars == 1]
        struck += drawn_bar(text, density, rng=rng)
    struck[0] = struck[0] or (0,)
    first = (tonic(home),)
    first_note = home.tonic if rng.random() < 0.6 else home.degree(ScaleDegree(5))
    fabric = Fabric(
        metre,
        (SINGING,),
        (tuple(liking(each, weight=3.0) for each in struck),),
        (first, *(chords_of(home),) * (beats - 2), first),
        tops={0: frozenset({first_note.semitone})},
        bass=False,
    )
    return notes_of(weave(fabric, style, rng=rng, how=Weave(flow=0.0, width=12)), 0)


def _telling(notes: Sequence[Note]) -> float:
    """How well a subject is remembered: a leap or two, several note values, a good compass."""
    steps = [note.pitch.step for note in notes]
    moves = [abs(after - before) for before, after in pairwise(steps)]
    leaps = sum(move > 2 for move in moves)
    values = len({note.duration for note in notes})
    spans = max(steps) - min(steps) in SPANS
    again = sum(before == later for before, later in zip(steps, steps[2:], strict=False))
    return (
        2.0 * spans + min(leaps, 3) + min(values, 3) - 0.5 * again - 3.0 * (leaps > len(moves) / 2)
    )


def fitting(theme: Sequence[Note], length: Fraction, what: str) -> tuple[Note, ...]:
    """A given theme that must fill a place.

    Raises:
        OptionError: it is longer, or ends more than a beat before.
    """
    came = theme[-1].end
    if not length - 1 <= came <= length:
        raise OptionError("theme", f"{came} quarter notes", f"{length} quarter notes, as {what} is")
    return tuple(theme)


def shifted(notes: Sequence[Note], time: Fraction | int) -> tuple[Note, ...]:
    """The same notes so many quarter notes later."""
    return tuple(replace(note, onset=note.onset + time) for note in notes)


def placed(notes: Sequence[Note], voice: Timbre) -> tuple[Note, ...]:
    """A line in the octave that suits a voice best."""
    return octaved(notes, octaves_to(notes, voice))


def octaves_to(notes: Sequence[Note], voice: Timbre) -> int:
    """By how many octaves a line must move to suit a voice best."""
    steps = [note.pitch.step for note in notes]
    middle = (min(steps) + max(steps)) / 2
    wanted = (voice.low + voice.high) / 2
    return min(range(-4, 5), key=lambda each: abs(middle + OCTAVE.steps * each - wanted))


def octaved(notes: Sequence[Note], octaves: int) -> tuple[Note, ...]:
    """A line so many octaves higher."""
    move = Interval(OCTAVE.steps * octaves, OCTAVE.semitones * octaves)
    return tuple(replace(note, pitch=note.pitch + move) for note in notes)


def led_to(notes: Sequence[Note], start: Key, goal: Key) -> tuple[Note, ...]:
    """A line in another key, degree for degree; in minor its sevenths lead."""
    steps = goal.tonic.letter - start.tonic.letter
    found = []
    for note in notes:
        number = (note.pitch.step - start.tonic.letter) % 7 + 1
        natural = start.degree(ScaleDegree(number))
        bent = (note.pitch.pitch_class.fifths - natural.fifths) // 7
        if start.mode != goal.mode:
            bent = int(goal.mode == "minor" and number == 7) if bent in (0, 1) else bent
        wanted: PitchClass = goal.degree(ScaleDegree(number, bent))
        step = note.pitch.step + steps
        found.append(replace(note, pitch=Pitch.of(wanted, step // 7)))
    return tuple(found)
