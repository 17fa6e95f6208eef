"""Phrases of a piece that marks none: where a tune pauses, the harmony closes, the opening returns.

Each bar line (an upbeat earlier, if the piece begins with one) may end a phrase. What speaks for it
is weighed against the usual lengths of phrases, and the best division of the whole is found by
dynamic programming, after the grouping preference rules of Temperley (The Cognition of Basic Musical
Structures, 2001, ch. 3): gap, length and metrical parallelism; to these come cadence and return.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from musegen.analysis.places import bar_lines
from musegen.analysis.result import Phrase
from musegen.score import Note, Score
from musegen.slices import ticks
from theory_kb.cadences import cadence_strength
from theory_kb.rules.material import SAME, Span, likeness, moment_at
from theory_kb.rules.phrase import cadence_kind
from theory_kb.rules.piece import Piece

__all__ = ["divided"]

LONGEST = 12  # bars of a phrase that is looked for
MARKED = 16  # bars of one phrase in a piece that marks some
UNDIVIDED = 5  # bars that make one phrase, whatever happens in them
LENGTHS = {2: -1.5, 3: -1.0, 4: 0.0, 5: -0.6, 6: -0.6, 7: -1.0, 8: -0.6}  # worth of so many bars
UNUSUAL = -2.5  # worth of any other number
OPENING = 2  # bars by which a return is known
WEAKEST = 0.3  # of what speaks for an end, to be told as its reason


@dataclass(frozen=True, slots=True)
class _End:
    """A time at which a phrase may end, and what speaks for it."""

    time: Fraction
    signs: tuple[tuple[str, float], ...]

    @property
    def worth(self) -> float:
        return sum(worth for _, worth in self.signs)

    @property
    def reason(self) -> str:
        told = [name for name, worth in self.signs if worth >= WEAKEST]
        return ", ".join(told) or "the usual length"


def divided(
    score: Score, seen: Piece, phrases: Sequence[Phrase], *, marked: bool
) -> tuple[Phrase, ...]:
    """Phrases, those that are too long for one divided.

    Args:
        score: with its chords.
        seen: the score as the rules see it.
        phrases: as marks and rests part them.
        marked: whether marks inside the piece part some, and long ones are believed.
    """
    longest = MARKED if marked else UNDIVIDED
    struck = sorted({note.onset for part in score.parts for note in part.notes})
    lines = [
        onset - score.upbeat
        for _, onset in bar_lines(score)
        if _begins(struck, onset, onset + score.metre_at(onset).bar)
    ]
    return tuple(part for each in phrases for part in _divided(score, seen, lines, each, longest))


def _divided(
    score: Score, seen: Piece, lines: Sequence[Fraction], phrase: Phrase, longest: int
) -> Iterator[Phrase]:
    inside = [line for line in lines if phrase.onset < line < phrase.end]
    if len(inside) < longest:
        yield phrase
        return
    ends = [_end(score, seen, line) for line in inside]
    ends.append(_End(phrase.end, ((phrase.reason, 1.0),)))
    start = phrase.onset
    for each in _best(ends):
        last = each.time == phrase.end
        yield Phrase(start, each.time, phrase.reason if last else each.reason)
        start = each.time


def _begins(struck: Sequence[Fraction], start: Fraction, end: Fraction) -> bool:
    """Whether a note begins in a stretch of time."""
    place = bisect_left(struck, start)
    return place < len(struck) and struck[place] < end


def _best(ends: Sequence[_End]) -> list[_End]:
    """The ends of the best division; the last of them is one."""
    scores, origin = [0.0], [0]
    for stop in range(1, len(ends) + 1):
        ways = [
            (scores[start] + LENGTHS.get(stop - start, UNUSUAL), start)
            for start in range(max(stop - LONGEST, 0), stop)
        ]
        score, start = max(ways)
        scores.append(score + ends[stop - 1].worth)
        origin.append(start)
    found, stop = [], len(ends)
    while stop:
        found.append(ends[stop - 1])
        stop = origin[stop]
    return found[::-1]


# --- what speaks for an end -----------------------------------------------------------------


def _end(score: Score, seen: Piece, time: Fraction) -> _End:
    return _End(
        time,
        (
            ("the tune pauses", _gap(score.parts[0].notes, time)),
            ("a cadence", _close(score, seen, time)),
            ("the opening comes back", _return(seen, time)),
        ),
    )


def _gap(notes: Sequence[Note], time: Fraction) -> float:
    """How much longer than usual the tune takes to go on there, -1 to 1."""
    after = bisect_left(notes, time, key=lambda note: note.onset)
    if not 0 < after < len(notes):
        return 0.0
    steps = sorted(b.onset - a.onset for a, b in pairwise(notes))
    usual = steps[len(steps) // 2]
    here = notes[after].onset - notes[after - 1].onset
    runs_over = notes[after].onset > time and notes[after - 1].end > time
    return -1.0 if runs_over else min(float(here / usual) - 1, 1.0)


def _close(score: Score, seen: Piece, time: Fraction) -> float:
    """How strongly the chords close in the bar before, 0 to 1."""
    assert seen.harmonic is not None, "the score has been labelled"
    last = bisect_left(score.chords, time, key=lambda label: label.onset) - 1
    if last < 1 or score.chords[last].onset < time - score.metre_at(time).bar:
        return 0.0
    kind = cadence_kind(seen.harmonic[last - 1], seen.harmonic[last])
    return cadence_strength(kind) / 10 if kind else 0.0


def _return(seen: Piece, time: Fraction) -> float:
    """1 where the first bars of the piece come again."""
    length = OPENING * seen.bar_ticks
    start = moment_at(seen, ticks(time))
    first, again = (
        Span(begin, moment_at(seen, int(seen.surface["onset"][begin]) + length))
        for begin in (0, min(start, len(seen.surface) - 1))
    )
    return 1.0 if likeness(seen, first, again) >= SAME else 0.0
