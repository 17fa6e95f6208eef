"""What may be asked of music that is composed over given voices: chords filled, a close, a theme."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from musegen.exercises.grading.seen import Outcome, Seen, share_of
from musegen.exercises.grading.voice_text import read_voices
from musegen.exercises.item import Text
from musegen.score import Note
from musegen.slices import chord_tones

__all__ = ["closes", "livelier", "recalled", "written"]

FIGURED = Fraction(3, 2)  # times the notes of a theme that a variation has at least


def _own(seen: Seen) -> list[tuple[Note, ...]]:
    """The voices that were to be written."""
    return [seen.lines[voice] for voice in seen.observed.task.written_voices]


def _inside(line: Sequence[Note], start: Fraction, end: Fraction) -> list[Note]:
    return [note for note in line if start <= note.onset < end]


def _spans(seen: Seen) -> list[tuple[Fraction, Fraction]]:
    return [(slot.onset, slot.end) for slot in seen.observed.task.slots]


def written(seen: Seen) -> Outcome:
    """The share of the chords over which every voice that was to be written sounds."""
    spans = _spans(seen)
    filled = sum(
        all(any(note.onset < end and note.end > start for note in line) for line in _own(seen))
        for start, end in spans
    )
    said = Text(
        f"{filled} of {len(spans)} chords have something written over them",
        f"{len(spans)} 个和弦中 {filled} 个已写",
    )
    return share_of(filled, len(spans), said)


def closes(seen: Seen) -> Outcome:
    """Whether each voice that was to be written ends with the last chord, on one of its tones, held."""
    last = seen.observed.task.slots[-1]
    own = chord_tones(last.key, last.numeral)
    right = [
        line
        for line in _own(seen)
        if line and line[-1].end == last.end and line[-1].pitch.pitch_class.fifths in own
        and line[-1].duration >= 1
    ]  # fmt: skip
    said = Text(
        "end with the last chord, on a note of it that is held",
        "应与末和弦同时结束，停在较长的和弦音上",
    )
    return share_of(len(right), len(_own(seen)), said)


# --- a theme that is varied -----------------------------------------------------------------


def _theme(seen: Seen) -> tuple[Note, ...]:
    text = read_voices(seen.fact("theme"), "facts, theme")
    return seen.observed.task.parts(text)[0].notes


def recalled(seen: Seen) -> Outcome:
    """Whether the theme is heard: its note on each chord is struck under that chord, in any octave.

    Two thirds of the chords are enough.
    """
    (line,), theme = _own(seen), _theme(seen)
    count = found = 0
    for start, end in _spans(seen):
        first = next(iter(_inside(theme, start, end)), None)
        if first is not None:
            count += 1
            struck = {note.pitch.pitch_class for note in _inside(line, start, end)}
            found += first.pitch.pitch_class in struck
    said = Text(
        f"the theme is heard over {found} of {count} chords only",
        f"{count} 个和弦中仅 {found} 个保留主题音",
    )
    return share_of(found, -(-2 * count // 3), said)


def livelier(seen: Seen) -> Outcome:
    """Whether there are half as many notes again as in the theme, and they are not it."""
    (line,), theme = _own(seen), _theme(seen)
    least = int(-(-FIGURED * len(theme) // 1))
    said = Text(
        f"{len(line)} notes; a figural variation of {len(theme)} has {least} or more",
        f"共 {len(line)} 个音；{len(theme)} 音主题的装饰变奏至少 {least} 个音",
    )
    return share_of(max(0, len(line) - len(theme)), least - len(theme), said)
