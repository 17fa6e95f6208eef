"""Where the phrases of a line end: as it is marked, as it was asked for, or as it sounds.

What is not marked is found as Temperley's grouper does (The Cognition of Basic Musical Structures,
2001, ch. 3): a phrase ends before a gap, is about as long as is usual, and begins where in the bar
the piece began. The best division of all is found by dynamic programming.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import inf, log2

from musegen.errors import OptionError
from musegen.score import Note, Score
from theory_kb.metre import beat_ticks
from theory_kb.moment import TICKS

__all__ = ["phrase_ends"]

MOST_BEATS = 3  # of a bar that is a short one: four of them make a phrase, of longer ones two
SHORT_BARS, LONG_BARS = 4, 2  # to a phrase, by that
# The weights were chosen on 120 training chorales without their fermatas: F1 of their ends 0.80.
GAP = 3.0  # worth of a gap as long as the mean note; a rest in it counts twice
LENGTH = 8.0  # price of a phrase twice or half as long as is usual
SHIFT = 2.0  # price of a phrase that begins elsewhere in the bar than the first
LONGEST = 4  # usual lengths that a phrase may have
FEWEST = 3  # notes of a phrase that was not marked


def phrase_ends(score: Score, line: Sequence[Note], *, bars: Sequence[int] = ()) -> set[Fraction]:
    """Releases of the last notes of phrases, in quarter notes; that of the last note is one.

    Args:
        score: metre, upbeat and, if they are known, phrase ends.
        line: the leading voice; its fermatas count as marks.
        bars: numbers of the bars in which phrases end, if they are asked for; 0 is an upbeat.

    Raises:
        OptionError: a bar that the line does not have.
    """
    last = line[-1].end
    if bars:
        return {*_ends_of_bars(score, line, bars), last}
    marked = {note.end for note in line if note.fermata} | set(score.phrase_ends)
    if marked - {last}:
        return {*marked, last}
    return {line[place].end for place in _found(score, line)}


def _ends_of_bars(score: Score, line: Sequence[Note], bars: Sequence[int]) -> list[Fraction]:
    """For each bar, the release of the last note before the next phrase's upbeat."""
    final, _ = score.bar_and_beat(line[-1].onset)
    for number in bars:
        if not 0 <= number <= final:
            raise OptionError("phrases", number, f"bars from 0 to {final}")
    pickup = line[0].onset + (score.metre.bar - score.upbeat) % score.metre.bar
    upbeat = (score.metre.bar - pickup) % score.metre.bar
    ends = []
    for number in bars:
        before = [
            note
            for note in line
            if _bar_of(score, note.onset + upbeat, final) <= number and note.onset + upbeat >= 0
        ]
        if not before:
            raise OptionError("phrases", number, "bars that begin after the first note")
        ends.append(before[-1].end)
    return ends


def _bar_of(score: Score, time: Fraction, final: int) -> int:
    """The bar of a time; what lies after the piece belongs to its last bar but for an upbeat."""
    bar, _ = score.bar_and_beat(time)
    return min(bar, final + 1)


@dataclass(frozen=True, slots=True)
class _Line:
    """What the division of a line into phrases looks at, one value a note."""

    onsets: tuple[Fraction, ...]
    ends: tuple[Fraction, ...]
    gaps: tuple[float, ...]  # after each note, in mean notes
    usual: Fraction  # length of a phrase, quarter notes
    bar: Fraction

    def price(self, first: int, last: int) -> float:
        """Of a phrase of the notes from first to last."""
        final = last + 1 == len(self.onsets)
        following = self.ends[-1] if final else self.onsets[last + 1]
        following = min(following, self.ends[last] + self.bar)  # a long rest is nobody's
        length = float((following - self.onsets[first]) / self.usual)
        if length > LONGEST or (last - first + 1 < FEWEST and not (first == 0 and final)):
            return inf
        shifted = (self.onsets[first] - self.onsets[0]) % self.bar != 0
        price = SHIFT * shifted - (0.0 if final else GAP * self.gaps[last])
        short = max(length, 1.0) if final else length  # the last is not short for its last note
        return price + LENGTH * abs(log2(short))


def _found(score: Score, line: Sequence[Note]) -> Collection[int]:
    """Last notes of the phrases of a line that is not marked."""
    told = _told(score, line)
    count = len(line)
    best, source = [0.0] + [inf] * count, [0] * (count + 1)
    for stop in range(1, count + 1):
        for start in range(stop - 1, -1, -1):
            if told.onsets[stop - 1] - told.onsets[start] > LONGEST * told.usual:
                break
            price = best[start] + told.price(start, stop - 1)
            if price < best[stop]:
                best[stop], source[stop] = price, start
    ends, stop = [], count
    while stop:
        ends.append(stop - 1)
        stop = source[stop]
    return ends


def _told(score: Score, line: Sequence[Note]) -> _Line:
    onsets = tuple(note.onset for note in line)
    mean = (line[-1].onset - line[0].onset) / max(1, len(line) - 1) or Fraction(1)
    gaps = [
        float((following.onset - note.onset + following.onset - note.end) / mean)
        for note, following in pairwise(line)
    ]
    metre = score.metre
    beats = metre.bar * TICKS / beat_ticks(metre.beats, metre.unit)
    bars = SHORT_BARS if beats <= MOST_BEATS else LONG_BARS
    return _Line(
        onsets, tuple(note.end for note in line), (*gaps, 0.0), bars * metre.bar, metre.bar
    )
