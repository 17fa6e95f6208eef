"""What a score sounds like to the analysis: short spans of time and the weight of tones in them.

A span ends wherever a note begins on a beat or on a regular part of one; harmony may change there
and nowhere else. Tones are weighed in beats and sorted by how their line treats them (a passing
tone, a suspension, ...), before anything is known of the chords: what a line can do with a
non-chord tone depends on how it is reached and left (knowledge base B.7; KP 11-12).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property, partial
from itertools import pairwise
from math import lcm

import numpy as np
from numpy.typing import NDArray

from musegen.analysis.figuration import sounding_ends
from musegen.score import Metre, Note, Score
from theory_kb.metre import beat_strength, beat_ticks, is_known
from theory_kb.moment import TICKS
from theory_kb.pitch import Key

__all__ = ["REACH", "SILENT", "TREATMENTS", "WIDTH", "Surface", "rests", "strength_at", "surface"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

REACH = 24  # places kept on each side of the home tonic on the line of fifths
WIDTH = 2 * REACH + 1
TREATMENTS = (
    "free",  # reached and left by leap or rest: only a chord tone can do that
    "passing",  # by step to and from, off the beat
    "suspended",  # held or struck again on the beat, then a step down
    "held",  # held or struck again, then something else
    "accented",  # by step to and from, on the beat, shorter than the beat
    "leaning",  # the same, a beat long or longer
    "anticipated",  # off the beat, then struck again
    "half-free",  # a step on one side only
)
SMALLEST = 2  # harmony changes on halves of a simple beat
SMALLEST_COMPOUND = 3  # and on thirds of a dotted one
SILENT = 1 << 40
LONG_REST = Fraction(1)  # beats of silence in all parts that end a phrase


@dataclass(frozen=True, slots=False)
class Surface:
    """The spans of a score, n of them, and what sounds in each."""

    home: Key
    times: tuple[Fraction, ...]  # n + 1, quarter notes: starts of the spans, and the end
    beats: FloatArray  # (n,) length of each span in beats
    strength: IntArray  # (n,) beat strength at its start, 0 to 4
    boundary: BoolArray  # (n,) whether a phrase begins with it
    closing: BoolArray  # (n,) whether it belongs to the last melody note of a phrase
    tones: FloatArray  # (n, treatments, WIDTH) beats of tones, by place on the line of fifths
    bass: FloatArray  # (n, WIDTH) beats of the lowest tone
    first_bass: IntArray  # (n,) column of the lowest tone at the start, -1 in silence
    lowest: IntArray  # (n,) semitone times WIDTH plus column of the lowest tone, SILENT in silence

    @property
    def origin(self) -> int:
        """Line of fifths of the first column."""
        return self.home.tonic.fifths - REACH

    @cached_property
    def weights(self) -> FloatArray:
        """(n, WIDTH) beats of tones, however treated."""
        total: FloatArray = self.tones.sum(axis=1)
        return total


def surface(score: Score) -> Surface:
    """The surface of a score with at least one note; phrase ends are taken from it where marked."""
    times = _times(score)
    lengths = [_beat(score, start) for start in times[:-1]]
    grid = _grid([*times, *lengths], score)
    tones, heard = _tones(score, times, lengths, grid)
    bass = np.zeros((len(heard), WIDTH))
    first_bass = np.full(len(heard), -1)
    lowest = np.full(len(heard), SILENT)
    for row, notes in enumerate(heard):
        _lowest(notes, float(lengths[row]), grid, bass[row])
        lowest[row] = min((each[0] * WIDTH + each[3] for each in notes), default=SILENT)
        start = [each for each in notes if each[1] == _on_grid(times[row], grid)]
        if start:
            first_bass[row] = min(start)[3]
    ends = _phrase_ends(score)
    phrase = np.array([bisect_right(ends, start) for start in times[:-1]])
    return Surface(
        score.key,
        times,
        np.array(
            [float((b - a) / beat) for a, b, beat in zip(times, times[1:], lengths, strict=False)]
        ),
        np.array([strength_at(score, start) for start in times[:-1]]),
        np.diff(phrase, prepend=0) > 0,
        _closing(score, times, ends),
        tones,
        bass,
        first_bass,
        lowest,
    )


Heard = tuple[int, int, int, int]  # semitone, begin and end in a span on the grid, column


def _grid(times: Sequence[Fraction], score: Score) -> int:
    """Parts of a quarter note in which times and all notes are whole numbers, quick to compare."""
    notes = [note for part in score.parts for note in part.notes]
    of_notes = [time.denominator for note in notes for time in (note.onset, note.duration)]
    return lcm(*of_notes, *(time.denominator for time in times))


def _on_grid(time: Fraction, grid: int) -> int:
    return time.numerator * (grid // time.denominator)


def _tones(
    score: Score, times: Sequence[Fraction], lengths: Sequence[Fraction], grid: int
) -> tuple[FloatArray, list[list[Heard]]]:
    """(n, treatments, WIDTH) beats of tones, and what sounds in each span."""
    count = len(lengths)
    tones = np.zeros((count, len(TREATMENTS), WIDTH))
    origin = score.key.tonic.fifths - REACH
    heard: list[list[Heard]] = [[] for _ in range(count)]
    on_beat = cache(partial(_on_beat, score))  # parts begin notes at the same times
    starts = [_on_grid(time, grid) for time in times]
    beats = [_on_grid(length, grid) for length in lengths]
    for part in score.parts:
        ends = sounding_ends(part.notes, partial(_figure_length, score))
        for place, note in enumerate(part.notes):
            column = min(max(note.pitch.pitch_class.fifths - origin, 0), WIDTH - 1)
            onset, stop = _on_grid(note.onset, grid), _on_grid(ends[place], grid)
            release = onset + _on_grid(note.duration, grid)
            treated = _Line.around(part.notes, place)
            row = bisect_right(starts, onset) - 1
            while row < count and starts[row] < stop:
                begin, end = max(onset, starts[row]), min(stop, starts[row + 1])
                beginning = on_beat(max(note.onset, times[row]))
                long, held = release - begin >= beats[row], onset < starts[row]
                kind = treated.treatment(on_beat=beginning, long=long, held=held)
                tones[row, kind, column] += (end - begin) / beats[row]
                heard[row].append((note.pitch.semitone, begin, end, column))
                row += 1
    return tones, heard


def _beat(score: Score, time: Fraction) -> Fraction:
    """Length of a beat at a time, in quarter notes."""
    return _beat_of(score.metre_at(time))


def _beat_of(metre: Metre) -> Fraction:
    """Length of a beat in quarter notes; of a metre that is not known, its written unit."""
    return _length_of_beat(metre.beats, metre.unit)


@cache
def _length_of_beat(beats: int, unit: int) -> Fraction:
    return Fraction(beat_ticks(beats, unit), TICKS) if is_known(beats, unit) else Fraction(4, unit)


def _figure_length(score: Score, time: Fraction, duration: Fraction) -> Fraction:
    """How long a figure of such notes is that begins there; 0 where none can begin."""
    metre = score.metre_at(time)
    beat = _beat_of(metre)
    if duration * 2 > beat:
        return Fraction(0)
    length = beat
    if duration * 2 == beat:
        length = metre.bar if (metre.bar / beat) % 2 else 2 * beat
    return length if score.place_of(time)[1] % length == 0 else Fraction(0)


def strength_at(score: Score, time: Fraction) -> int:
    """Beat strength of a time, 4 = downbeat; in a metre that is not known, downbeat or unit."""
    _, position, metre = score.place_of(time)
    if is_known(metre.beats, metre.unit):
        return beat_strength(metre.beats, metre.unit, int(position * TICKS))
    if position == 0:
        return 4
    return 2 if position % Fraction(4, metre.unit) == 0 else 0


def _on_beat(score: Score, time: Fraction) -> bool:
    _, position, metre = score.place_of(time)
    return position % _beat_of(metre) == 0


def _times(score: Score) -> tuple[Fraction, ...]:
    """Starts of the spans and the end: onsets on a beat or a regular part of one."""
    onsets = sorted({note.onset for part in score.parts for note in part.notes})
    found = [time for time in onsets if _regular(score, time)]
    silent = [start for start, _ in _silences(score)]
    return tuple(sorted({onsets[0], *found, *silent, score.duration}))


def _regular(score: Score, time: Fraction) -> bool:
    _, position, metre = score.place_of(time)
    beat = _beat_of(metre)
    dotted = beat.numerator % 3 == 0
    return position % (beat / (SMALLEST_COMPOUND if dotted else SMALLEST)) == 0


def _lowest(notes: Sequence[Heard], beat: float, grid: int, row: FloatArray) -> None:
    """Add the beats for which each tone is the lowest that sounds."""
    points = sorted({point for _, begin, end, _ in notes for point in (begin, end)})
    for begin, end in pairwise(points):
        now = [each for each in notes if each[1] <= begin < each[2]]
        if now:
            row[min(now)[3]] += (end - begin) / grid / beat


# --- how a line treats a tone ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Line:
    """How a note stands in its line."""

    reached: int | None  # steps from the note before, None after a rest
    left: int | None  # steps to the note after, None before a rest
    again: bool  # the note before is the same
    repeated: bool  # the note after is the same

    @classmethod
    def around(cls, notes: Sequence[Note], place: int) -> _Line:
        """Of a note in its line."""
        note = notes[place]
        before = notes[place - 1] if place and notes[place - 1].end == note.onset else None
        after = notes[place + 1] if place + 1 < len(notes) else None
        if after is not None and after.onset != note.end:
            after = None
        return cls(
            None if before is None else note.pitch.step - before.pitch.step,
            None if after is None else after.pitch.step - note.pitch.step,
            before is not None and before.pitch == note.pitch,
            after is not None and after.pitch == note.pitch,
        )

    def treatment(self, *, on_beat: bool, long: bool, held: bool) -> int:
        """Index of the treatment of the note, or of a part of it.

        Args:
            on_beat: whether the part begins on a beat.
            long: whether the note lasts a beat from there.
            held: whether it began before.
        """
        steps = (-1, 1)
        if held or self.again:
            name = "suspended" if on_beat and self.left == -1 else "held"
        elif self.reached in (-1, 1, 0) and self.left in steps:
            name = ("leaning" if long else "accented") if on_beat else "passing"
        elif self.repeated and not on_beat:
            name = "anticipated"
        else:
            name = "half-free" if {self.reached, self.left} & set(steps) else "free"
        return TREATMENTS.index(name)


# --- phrases --------------------------------------------------------------------------------


def _phrase_ends(score: Score) -> list[Fraction]:
    """Ends that are marked, and starts of silences of all parts."""
    return sorted({*score.phrase_ends, *rests(score)})


def rests(score: Score) -> tuple[Fraction, ...]:
    """From where all parts rest for a beat or longer."""
    return tuple(
        start for start, end in _silences(score) if end - start >= LONG_REST * _beat(score, end)
    )


def _silences(score: Score) -> list[tuple[Fraction, Fraction]]:
    """From where to where all parts rest inside the piece."""
    grid = _grid((), score)
    notes = [note for part in score.parts for note in part.notes]
    starts = [_on_grid(note.onset, grid) for note in notes]
    lengths = [_on_grid(note.duration, grid) for note in notes]
    ends = [start + length for start, length in zip(starts, lengths, strict=True)]
    spans = sorted(zip(starts, ends, strict=True))
    found, latest = [], spans[0][1]
    for onset, end in spans:
        if onset > latest:
            found.append((Fraction(latest, grid), Fraction(onset, grid)))
        latest = max(latest, end)
    return found


def _closing(score: Score, times: Sequence[Fraction], ends: Sequence[Fraction]) -> BoolArray:
    """Spans from where the highest part's last note of a marked phrase begins."""
    closing = np.zeros(len(times) - 1, bool)
    notes = score.parts[0].notes
    for end in ends:
        place = bisect_right(notes, end, key=lambda note: note.end) - 1
        if place >= 0 and notes[place].end == end:
            first = bisect_right(times, notes[place].onset) - 1
            closing[first : bisect_right(times, end) - 1] = True
    return closing
