"""Where a time stands in a score, as a reader counts it."""

from __future__ import annotations

from fractions import Fraction

from musegen.score import Score
from theory_kb.metre import beat_ticks, is_known
from theory_kb.moment import TICKS

__all__ = ["bar_and_beat", "place_text"]


def bar_and_beat(score: Score, onset: Fraction) -> tuple[int, Fraction]:
    """Bar, the upbeat 0, and beat from 1; dotted beats in compound metres."""
    bar, units = score.bar_and_beat(onset)
    metre = score.metre_at(onset)
    length = Fraction(4, metre.unit)
    if is_known(metre.beats, metre.unit):
        length = Fraction(beat_ticks(metre.beats, metre.unit), TICKS)
    return bar, (units - 1) * Fraction(4, metre.unit) / length + 1


def place_text(score: Score, onset: Fraction) -> str:
    """Bar and beat in words."""
    bar, beat = bar_and_beat(score, onset)
    return f"{f'bar {bar}' if bar else 'upbeat'}, beat {round(float(beat), 3):g}"
