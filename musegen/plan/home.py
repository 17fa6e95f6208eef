"""The key that given notes are at home in, where what a score says of it does not hold for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from math import log

from musegen.score import Note
from theory_kb.pitch import Key, PitchClass, ScaleDegree

__all__ = ["fit", "home_key", "scale"]

FIT = 40.0  # nats for the whole length of a line that lies in a key
STATED = 6.0  # nats for the key that the score names
UNCLOSED = 8.0  # nats for a key in which no cadence holds the last notes
UNCOUNTED = 0.5  # chorales by which an end that was never counted counts
MOST_ACCIDENTALS = 7
MINOR_RAISED = (6, 7)
SOPRANO, BASS = 0, 3
# Last notes of the voices of 215 training chorales: fifths above the tonic, by mode.
ENDS: Mapping[int, Mapping[str, Mapping[int, int]]] = {
    SOPRANO: {"major": {0: 102, 4: 6}, "minor": {0: 92, 1: 14, 4: 1}},
    BASS: {"major": {0: 108}, "minor": {0: 95, 1: 12}},
}


def home_key(
    lines: Mapping[int, Sequence[Note]], stated: Key, *, closes: Callable[[Key], bool]
) -> Key:
    """The key whose scale holds most of some lines and in which their last notes may end.

    The key that a score names is kept unless the notes speak clearly against it: a mode that has
    no key signature of its own (a Phrygian tune, which closes on the dominant of its minor key), a
    signature that was left out.

    Args:
        lines: notes by voice, 0 soprano to 3 bass.
        stated: the key of the score.
        closes: whether some cadence of a key holds the last notes of the lines.
    """
    keys = [
        Key(PitchClass(fifths), mode)
        for mode, shift in (("major", 0), ("minor", 3))
        for fifths in range(shift - MOST_ACCIDENTALS, shift + MOST_ACCIDENTALS + 1)
    ]
    worth = {
        key: _worth(key, lines) + STATED * (key == stated) - UNCLOSED * (not closes(key))
        for key in keys
    }
    return max(keys, key=lambda key: (worth[key], key == stated, -abs(key.signature)))


def _worth(key: Key, lines: Mapping[int, Sequence[Note]]) -> float:
    lengths: dict[PitchClass, float] = {}
    for note in (note for line in lines.values() for note in line):
        tone = note.pitch.pitch_class
        lengths[tone] = lengths.get(tone, 0.0) + float(note.duration)
    inside = sum(length for tone, length in lengths.items() if tone in scale(key))
    ends = sum(_end(key, voice, line[-1]) for voice, line in lines.items())
    return FIT * inside / sum(lengths.values()) + ends


def _end(key: Key, voice: int, last: Note) -> float:
    """Log of the share of chorales in a mode that end on such a note; 0 for inner voices."""
    if voice not in ENDS:
        return 0.0
    counts = ENDS[voice][key.mode]
    count = counts.get(last.pitch.pitch_class.fifths - key.tonic.fifths, 0)
    return log((count + UNCOUNTED) / (sum(counts.values()) + UNCOUNTED))


def fit(key: Key, notes: Sequence[PitchClass]) -> float:
    """Share of some notes that lie in a key, 0 to 1; 0 of none."""
    return sum(note in scale(key) for note in notes) / max(1, len(notes))


@cache
def scale(key: Key) -> frozenset[PitchClass]:
    """The notes of a key; in minor the raised sixth and seventh too."""
    degrees = {key.degree(ScaleDegree(number, 0)) for number in range(1, 8)}
    if key.mode == "minor":
        degrees |= {key.degree(ScaleDegree(number, 1)) for number in MINOR_RAISED}
    return frozenset(degrees)
