"""Locks: which notes of a piece must stay as they are.

soprano         a voice
bars=1-2        bars, in all voices; bars=3 is one bar
alto:3-4        bars of a voice
soprano:3.2     the note of a voice that sounds at a beat of a bar; 3.2.5 is half a beat later
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from musegen.errors import OptionError
from musegen.io.notation import bars
from musegen.plan.window import VOICES
from musegen.score import Note, Score
from theory_kb.moment import TICKS

__all__ = ["Lock", "Locks", "bar_span", "parse_bars", "parse_locks", "parse_voices"]

ATOM = Fraction(1, TICKS)  # the shortest time, in quarter notes
ALLOWED = "as soprano, bars=1-2, alto:3-4 or soprano:3.2"
LOCK = re.compile(
    r"(?:bars=(?P<bars>\d{1,5}(?:-\d{1,5})?)"
    r"|(?P<voice>[a-z][a-z0-9-]*)(?::(?:(?P<bar>\d{1,5})\.(?P<beat>\d{1,3}(?:\.\d{1,4})?)"
    r"|(?P<some>\d{1,5}(?:-\d{1,5})?)))?)"
)
BARS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class Lock:
    """Notes that stay: of a voice or of all, in some bars or in all, or at one place."""

    voice: int | None = None  # 0 the highest; None: all
    bars: tuple[int, int] | None = None  # first and last; None: all
    beat: Fraction | None = None  # of the one bar, from 1; None: all of its notes

    def holds(self, score: Score, voice: int, note: Note) -> bool:
        """Whether a note of a voice is locked: it sounds at the place, or within the bars."""
        if self.voice not in (None, voice):
            return False
        if self.bars is None:
            return True
        start, end = bar_span(score, self.bars)
        if self.beat is None:
            return note.onset < end and start < note.end
        return note.onset <= _place(score, self.bars[0], self.beat) < note.end

    def check(self, score: Score) -> None:
        """Raise OptionError for a bar or beat that a piece does not have."""
        if self.bars is None:
            return
        start, end = bar_span(score, self.bars)
        if self.beat is not None and not start <= _place(score, self.bars[0], self.beat) < end:
            first, last = (float(score.bar_and_beat(time)[1]) for time in (start, end - ATOM))
            allowed = f"from {first:g} to {last:.3g} in bar {self.bars[0]}"
            raise OptionError("beat of --lock", f"{float(self.beat):g}", allowed)


@dataclass(frozen=True, slots=True)
class Locks:
    """All that is locked in a piece."""

    items: tuple[Lock, ...] = ()

    def check(self, score: Score) -> None:
        """Raise OptionError for bars and beats that a piece does not have."""
        for lock in self.items:
            lock.check(score)

    def holds(self, score: Score, voice: int, note: Note) -> bool:
        """Whether a note of a voice is locked."""
        return any(lock.holds(score, voice, note) for lock in self.items)


def parse_locks(texts: Sequence[str], names: Sequence[str] = VOICES) -> Locks:
    """Locks as they are typed, voices by their names from high to low.

    Raises:
        OptionError: a text that is none of the forms above, or a voice that does not exist.
    """
    return Locks(tuple(_parse(text.strip().lower(), names) for text in texts))


def _parse(text: str, names: Sequence[str]) -> Lock:
    found = LOCK.fullmatch(text)
    if found is None:
        raise OptionError("--lock", text, ALLOWED)
    voice = (
        None if found["voice"] is None else parse_voices(found["voice"], names, option="--lock")[0]
    )
    bars = found["bars"] or found["some"] or found["bar"]
    beat = None if found["beat"] is None else Fraction(found["beat"])
    if beat is not None and beat < 1:
        raise OptionError("--lock", text, "at a beat from 1")
    return Lock(voice, None if bars is None else parse_bars(bars, option="--lock"), beat)


def parse_bars(text: str, *, option: str = "--bars") -> tuple[int, int]:
    """First and last bar of `3-4` or `3`; an upbeat is bar 0.

    Raises:
        OptionError: no such text, or bars that run backwards.
    """
    found = BARS.fullmatch(text.strip())
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if last < first:
        raise OptionError(option, text, "bars as 3-4, or one as 3")
    return first, last


def parse_voices(
    text: str, names: Sequence[str] = VOICES, *, option: str = "--voices"
) -> tuple[int, ...]:
    """Numbers of voices named with commas, 0 the highest.

    Args:
        text: as it is typed.
        names: what voices are called, high to low.
        option: that is named in a refusal.

    Raises:
        OptionError: a voice that does not exist.
    """
    asked = [name.strip().lower() for name in text.split(",")]
    for name in asked:
        if name not in names:
            raise OptionError(option, name, f"one of {', '.join(names)}")
    return tuple(sorted({names.index(name) for name in asked}))


def bar_span(score: Score, span: tuple[int, int]) -> tuple[Fraction, Fraction]:
    """Start and end of bars in quarter notes, as `Score.bar_and_beat` counts them.

    Raises:
        OptionError: bars that the piece does not have.
    """
    found = {bar.number: bar for bar in bars(score)}
    for number in span:
        if number not in found:
            allowed = f"from {min(found)} to {max(found)} in this piece"
            raise OptionError("bars", "-".join(map(str, dict.fromkeys(span))), allowed)
    return found[span[0]].onset, found[span[1]].end


def _place(score: Score, bar: int, beat: Fraction) -> Fraction:
    """When a beat of a bar comes, in quarter notes from the start."""
    found = next(each for each in bars(score) if each.number == bar)
    return found.onset + (beat - 1) * Fraction(4, found.metre.unit) - found.lead
