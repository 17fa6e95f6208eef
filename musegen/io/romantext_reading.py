"""RomanText in: Roman numerals that somebody wrote, by music21's reader (Tymoczko and others, 2019)."""

from __future__ import annotations

import re
import warnings
from fractions import Fraction
from pathlib import Path
from typing import Any

from musegen.analysis.comparison import HumanLabel
from musegen.analysis.figures import chord_of_figure
from musegen.errors import ScoreError
from musegen.io.limits import brief, text_of
from theory_kb.pitch import Key, PitchClass

__all__ = ["parse_romantext", "read_romantext"]

LARGEST = 1_000_000  # bytes
BAR = re.compile(r"^m\d+", re.MULTILINE)
LINE = re.compile(r"At line (\d+)")
SUCH = "RomanText has lines such as m1 C: I b3 V"
FINEST = 96  # parts of a quarter note that times are rounded to


def read_romantext(path: Path, *, shift: int = 0) -> tuple[HumanLabel, ...]:
    """The chords of a RomanText, in order; times are counted from its first bar.

    Args:
        path: the file.
        shift: fifths by which its keys are to be moved.

    Raises:
        ScoreError: the file cannot be read, or holds no Roman numeral.
    """
    return parse_romantext(text_of(path, LARGEST), path.name, shift=shift)


def parse_romantext(text: str, name: str, *, shift: int = 0) -> tuple[HumanLabel, ...]:
    """The same of a text; `name` says in refusals where it comes from."""
    if not BAR.search(text):
        raise ScoreError(name, f"holds no bar; {SUCH}")
    stream = _stream(text, name)
    found = [_label(each, stream, shift, name) for each in _numerals(stream)]
    if not found:
        raise ScoreError(name, f"holds no Roman numeral; {SUCH}")
    return tuple(found)


def _stream(text: str, name: str) -> Any:
    """The text as music21 understands it; whatever it raises is a refusal."""
    from music21 import converter

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return converter.parseData(text, format="romantext")
    except Exception as error:
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
    onset, duration = (
        Fraction(time).limit_denominator(FINEST)
        for time in (each.getOffsetInHierarchy(stream), each.quarterLength)
    )
    return HumanLabel(onset, duration, key, each.figure, None if chord is None else chord.index)
