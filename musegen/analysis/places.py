"""Where a time stands in a score, as a reader counts it."""

from __future__ import annotations

from fractions import Fraction

from musegen.score import Score
from theory_kb.metre import beat_ticks, is_known
from theory_kb.moment import TICKS

__all__ = ["bar_and_beat", "bar_lines", "place_text"]


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


def bar_lines(score: Score) -> tuple[tuple[int, Fraction], ...]:
    """Number and onset of each bar in which something can sound, an upbeat included."""
    found: list[tuple[int, Fraction]] = []
    stops = [*(metre.onset for metre in score.metres[1:]), score.duration]
    for metre, stop in zip(score.metres, stops, strict=True):
        time = metre.onset
        while time < stop:
            found.append((score.bar_and_beat(time)[0], time))
            upbeat = time == 0 and score.upbeat
            time += score.upbeat if upbeat else metre.bar
    return tuple(found)
