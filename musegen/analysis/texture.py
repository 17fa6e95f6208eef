"""What a score is written for: whether its harmony can be told beat by beat, as a chorale's can."""

from __future__ import annotations

import numpy as np

from musegen.score import Score
from musegen.slices import beat_spans, moments
from theory_kb.metre import is_known
from theory_kb.moment import REST

__all__ = ["why_no_chorale"]

VOICES = 4
FULL = 0.85  # least share of the beats in which all four voices sound
TOGETHER = 0.6  # least share of the beats at which three voices or more begin a note
BUSIEST = 3.2  # most notes that the busiest voice has a beat, on average


def why_no_chorale(score: Score) -> str:
    """Why a score is not like a chorale in four parts; empty if it is.

    Like a chorale is what sounds in four voices nearly throughout, most of them moving together
    on the beats: the analysis of `musegen.analysis.harmony` was weighed on such pieces.
    """
    if len(score.parts) != VOICES:
        return f"it has {len(score.parts)} voice{'s' * (len(score.parts) != 1)}, not four"
    strange = [metre for metre in score.metres if not is_known(metre.beats, metre.unit)]
    if strange:
        return f"the metre {strange[0]} is not known"
    surface = moments(score)
    spans = beat_spans(score)
    starts = np.array([int(start * 5040) for start, _ in spans])
    places = np.searchsorted(surface["onset"], starts, side="right") - 1
    sounding = (surface["semitone"][places, :VOICES] != REST).all(axis=1)
    struck = surface["attack"][places, :VOICES].sum(axis=1) >= VOICES - 1
    on_beat = surface["onset"][places] == starts
    if sounding.mean() < FULL:
        return f"all four voices sound in {sounding.mean():.0%} of its beats only"
    if (struck & on_beat).mean() < TOGETHER:
        return f"its voices move together at {(struck & on_beat).mean():.0%} of its beats only"
    busiest = max(len(part.notes) for part in score.parts) / len(spans)
    return f"a voice has {busiest:.1f} notes a beat" if busiest > BUSIEST else ""
