"""RomanText in: Roman numerals that somebody wrote, by music21's reader (Tymoczko and others, 2019)."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from musegen.analysis.comparison import HumanLabel
from musegen.analysis.figures import chord_of_figure
from musegen.errors import ScoreError
from musegen.io.limits import BROKEN, brief, text_of
from theory_kb.pitch import Key, PitchClass

__all__ = ["parse_romantext", "read_romantext"]

LARGEST = 1_000_000  # bytes
BAR = re.compile(r"^m\d+", re.MULTILINE)
LINE = re.compile(r"At line (\d+)")
SUCH = "RomanText has lines such as m1 C: I b3 V"
FINEST = 96  # parts of a quarter note that times are rounded to


def read_romantext(
    path: Path, *, shift: int = 0, bars: Mapping[int, Fraction] | None = None
) -> tuple[HumanLabel, ...]:
    """The chords of a RomanText, in order; times are counted from its first bar.

    Args:
        path: the file.
        shift: fifths by which its keys are to be moved.
        bars: onsets of the bars of a score by number. Times are then those of the score: the first
            full bar of the text falls on the bar of that number, whatever stands before it, since
            upbeats are written short, long or not at all.

    Raises:
        ScoreError: the file cannot be read, holds no Roman numeral, or begins with a bar that the
            score does not have.
    """
    return parse_romantext(text_of(path, LARGEST), path.name, shift=shift, bars=bars)


def parse_romantext(
    text: str, name: str, *, shift: int = 0, bars: Mapping[int, Fraction] | None = None
) -> tuple[HumanLabel, ...]:
    """The same of a text; `name` says in refusals where it comes from."""
    if not BAR.search(text):
        raise ScoreError(name, f"holds no bar; {SUCH}")
    stream = _stream(text, name)
    later = _later(stream, bars, name) if bars else Fraction(0)
    found = [_label(each, stream, shift, name) for each in _numerals(stream)]
    if not found:
        raise ScoreError(name, f"holds no Roman numeral; {SUCH}")
    return tuple(replace(each, onset=each.onset + later) for each in found)


def _later(stream: Any, bars: Mapping[int, Fraction], name: str) -> Fraction:
    """Quarter notes by which the first full bar comes later in a score than in the text."""
    measures = stream.recurse().getElementsByClass("Measure")
    first = next((each for each in measures if each.number >= 1), None)
    if first is None:
        return Fraction(0)
    if first.number not in bars:
        last = max(bars)
        raise ScoreError(f"{name}, bar {first.number}", f"the score has only bars 1 to {last}")
    return bars[first.number] - _time(first.getOffsetInHierarchy(stream))


def _stream(text: str, name: str) -> Any:
    """The text as music21 understands it; what it raises on a broken one is a refusal."""
    from music21 import converter, exceptions21

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return converter.parseData(text, format="romantext")
    except (exceptions21.Music21Exception, *BROKEN) as error:
        line = LINE.search(str(error))
        where = f"{name}, line {line[1]}" if line else name
        raise ScoreError(where, f"cannot be understood as RomanText; {SUCH}") from error


def _numerals(stream: Any) -> Any:
    from music21 import roman

    return stream.recurse().getElementsByClass(roman.RomanNumeral)


def _label(each: Any, stream: Any, shift: int, name: str) -> HumanLabel:
    if each.key is None:
        figure = brief(each.figure, 20) or "an empty figure"
        raise ScoreError(f"{name}, bar {each.measureNumber}", f"{figure} is no numeral; {SUCH}")
    tonic = PitchClass.parse(each.key.tonic.name.replace("-", "b"))
    key = Key(tonic.transposed(shift), each.key.mode)
    chord = chord_of_figure(key.mode, each.figure)
    onset, duration = _time(each.getOffsetInHierarchy(stream)), _time(each.quarterLength)
    return HumanLabel(onset, duration, key, each.figure, None if chord is None else chord.index)


def _time(quarters: float | Fraction) -> Fraction:
    return Fraction(quarters).limit_denominator(FINEST)
