"""From what was woven to a score."""

from __future__ import annotations

from fractions import Fraction
from itertools import groupby, pairwise

import numpy as np

from musegen.plan.layout import Layout
from musegen.plan.plan import Harmony
from musegen.score import Cadence, ChordLabel, Metre, Note, Part, Score
from musegen.weaving.beam import Woven
from musegen.weaving.course import Course
from musegen.weaving.fabric import PARTS, Fabric
from theory_kb.moment import REST
from theory_kb.pitch import Pitch

__all__ = ["notes_of", "score_of"]


def notes_of(woven: Woven, voice: int) -> tuple[Note, ...]:
    """The notes of a voice; onsets in quarter notes."""
    semitones, struck = woven.semitones[voice], woven.attacks[voice] == 1
    rests = semitones == REST
    breaks = [*np.flatnonzero(struck | rests).tolist(), len(semitones)]
    return tuple(
        Note(
            Fraction(start, PARTS),
            Fraction(stop - start, PARTS),
            Pitch(int(woven.steps[voice, start]), int(semitones[start])),
        )
        for start, stop in pairwise(breaks)
        if not rests[start]
    )


def score_of(woven: Woven, fabric: Fabric, course: Course, layout: Layout, title: str) -> Score:
    """The score of what was woven, with its chords and cadences."""
    parts = tuple(
        Part(timbre.name, notes_of(woven, voice)) for voice, timbre in enumerate(fabric.voices)
    )
    cadences = tuple(
        Cadence(Fraction(beat), kind, woven.harmonies[beat].key)
        for beat, kind in sorted(course.cadences.items())
    )
    per_bar = fabric.per_bar
    ends = {beat - beat % per_bar + per_bar for beat in course.cadences} | course.ends
    return Score(
        title,
        layout.home,
        parts,
        (Metre(*fabric.metre),),
        tempo=layout.template.tempo,
        chords=_labels(woven.harmonies, per_bar),
        cadences=cadences,
        phrase_ends=tuple(map(Fraction, sorted(ends))),
    )


def _labels(harmonies: tuple[Harmony, ...], per_bar: int) -> tuple[ChordLabel, ...]:
    """The chords, each until another begins or a bar ends."""
    found = []
    placed = groupby(enumerate(harmonies), key=lambda each: (each[0] // per_bar, each[1]))
    for (_, harmony), group in placed:
        beats = [beat for beat, _ in group]
        found.append(
            ChordLabel(Fraction(beats[0]), Fraction(len(beats)), harmony.key, harmony.chord.symbol)
        )
    return tuple(found)
