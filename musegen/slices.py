"""Score and note array: what rules, models and search all see.

`moments` is the surface, one record an attack of any voice; `harmonic_moments` is the skeleton, one
record a chord, non-chord tones removed. Both carry the harmony if the score has it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from musegen.score import ChordLabel, Note, Part, Score
from theory_kb.chords import read_chord, set_harmony
from theory_kb.metre import beat_strength, beat_ticks, is_known
from theory_kb.moment import (
    MAX_VOICES,
    MEMBER_UNKNOWN,
    NONE,
    REST,
    TICKS,
    Moments,
    blank_moments,
)
from theory_kb.pitch import Key, Pitch

if TYPE_CHECKING:
    import theory_kb.rules.piece

__all__ = [
    "beat_spans",
    "check_voices",
    "chord_tones",
    "harmonic_moments",
    "moments",
    "parts_from_moments",
    "phrase_spans",
    "piece",
    "reduced_note",
    "sounding",
    "ticks",
]


def ticks(time: Fraction) -> int:
    """Quarter notes in ticks, rounded down."""
    return int(time * TICKS)


def check_voices(score: Score) -> None:
    """Raise ScoreError if there are more voices than a moment can hold, or none."""
    from musegen.errors import ScoreError

    if not 1 <= len(score.parts) <= MAX_VOICES:
        raise ScoreError(score.title, f"{len(score.parts)} parts, allowed are 1 to {MAX_VOICES}")


def sounding(notes: Sequence[Note], time: Fraction) -> Note | None:
    """The note of a line that sounds at a time, None in a rest."""
    place = bisect_right(notes, time, key=lambda note: note.onset) - 1
    if place >= 0 and notes[place].end > time:
        return notes[place]
    return None


def beat_spans(score: Score) -> tuple[tuple[Fraction, Fraction], ...]:
    """Start and end of every beat of a piece, in quarter notes.

    An upbeat that is no whole number of beats makes a shorter first one; the last beat ends with
    the piece.

    Raises:
        UnknownNameError: a metre that is not known.
    """
    total = score.duration
    starts: list[Fraction] = []
    for metre, following in zip(score.metres, (*score.metres[1:], None), strict=True):
        beat = Fraction(beat_ticks(metre.beats, metre.unit), TICKS)
        stop = following.onset if following is not None else total
        time = metre.onset + (score.upbeat % beat if metre.onset == 0 else 0)
        if metre.onset == 0 < time:
            starts.append(Fraction(0))
        while time < stop:
            starts.append(time)
            time += beat
    return tuple(pairwise([*starts, total]))


# --- the surface ----------------------------------------------------------------------------


def moments(score: Score) -> Moments:
    """The surface: one moment for each attack of any voice.

    Args:
        score: at most eight parts, high to low.

    Returns:
        (n,) moments; harmony fields are unknown where the score has no chord labels.

    Raises:
        ScoreError: no parts, or more than eight.
        UnknownNameError: a chord numeral that is not known.
    """
    check_voices(score)
    onsets = sorted({note.onset for part in score.parts for note in part.notes})
    array = blank_moments(len(onsets), len(score.parts))
    _fill_places(array, onsets, score)
    for voice, part in enumerate(score.parts):
        _fill_voice(array, onsets, voice, part.notes)
    _fill_harmony(array, onsets, score)
    _fill_phrases(array, onsets, score)
    return array


def _fill_places(array: Moments, onsets: Sequence[Fraction], score: Score) -> None:
    array["onset"] = [ticks(onset) for onset in onsets]
    places = [_place(score, onset) for onset in onsets]
    for name, column in zip(
        ("bar", "position", "strength"), zip(*places, strict=True), strict=False
    ):
        array[name] = column


def _place(score: Score, onset: Fraction) -> tuple[int, int, int]:
    """Bar, ticks from its start, beat strength."""
    bar, within, metre = score.place_of(onset)
    position = ticks(within)
    known = is_known(metre.beats, metre.unit)
    return bar, position, beat_strength(metre.beats, metre.unit, position) if known else 0


def _fill_voice(
    array: Moments, onsets: Sequence[Fraction], voice: int, notes: Sequence[Note]
) -> None:
    place = 0
    for row, onset in enumerate(onsets):
        while place < len(notes) and notes[place].end <= onset:
            place += 1
        if place < len(notes) and notes[place].onset <= onset:
            _sound(array, row, voice, notes[place].pitch, struck=notes[place].onset == onset)


def _sound(array: Moments, row: int, voice: int, pitch: Pitch, *, struck: bool) -> None:
    array["step"][row, voice] = pitch.step
    array["semitone"][row, voice] = pitch.semitone
    array["attack"][row, voice] = struck


def _fill_harmony(array: Moments, onsets: Sequence[Fraction], score: Score) -> None:
    starts = [label.onset for label in score.chords]
    groups: dict[tuple[str, Key], list[int]] = {}
    for row, onset in enumerate(onsets):
        place = bisect_right(starts, onset) - 1
        if place >= 0:
            label = score.chords[place]
            if onset < label.onset + label.duration:
                groups.setdefault((label.numeral, label.key), []).append(row)
    for (numeral, key), rows in groups.items():
        chosen = array[rows]
        set_harmony(chosen, read_chord(key.mode, numeral), key)
        array[rows] = chosen
        beyond = slice(len(score.parts), None)
        array["degree"][rows, beyond] = NONE
        array["member"][rows, beyond] = MEMBER_UNKNOWN


# --- phrases --------------------------------------------------------------------------------


@cache
def phrase_spans(score: Score) -> tuple[tuple[Fraction, Fraction, Fraction, Fraction], ...]:
    """For each phrase: start, end of its first chord, start of its last chord, end.

    Without phrase ends the piece is one phrase; without chords the first and last attacks stand
    for the chords.
    """
    marked = [end for end in sorted(score.phrase_ends) if 0 < end < score.duration]
    ends = [*marked, score.duration]
    attacks = sorted({note.onset for part in score.parts for note in part.notes})
    marks = [label.onset for label in score.chords] or attacks
    arrivals = [cadence.onset for cadence in score.cadences]
    spans = []
    for start, end in zip([Fraction(0), *ends], ends, strict=False):
        inside = [mark for mark in marks if start <= mark < end] or [start]
        arrival = [mark for mark in arrivals if start <= mark < end] or inside
        spans.append((start, inside[1] if len(inside) > 1 else end, arrival[-1], end))
    return tuple(spans)


def _fill_phrases(array: Moments, onsets: Sequence[Fraction], score: Score) -> None:
    spans = phrase_spans(score)
    ends = [end for *_, end in spans]
    before = 0
    for row, onset in enumerate(onsets):
        number = min(bisect_right(ends, onset), len(spans) - 1)
        _, opened, arrival, _ = spans[number]
        array["boundary"][row] = number > before
        array["opening"][row] = onset < opened
        array["phrase_end"][row] = onset >= arrival
        array["final"][row] = number == len(spans) - 1 and onset >= arrival
        before = number


# --- the skeleton ---------------------------------------------------------------------------


def harmonic_moments(score: Score) -> Moments:
    """The skeleton: one moment a chord span, each voice on its first chord tone there.

    A voice without a chord tone in the span keeps its first note, a silent one rests. `attack` is 0
    where the voice holds a note from before the span.

    Raises:
        ScoreError: the score has no chord labels, no parts, or more than eight.
    """
    from musegen.errors import ScoreError

    check_voices(score)
    if not score.chords:
        raise ScoreError(score.title, "no chord labels; the skeleton needs them")
    labels = score.chords
    onsets = [label.onset for label in labels]
    array = blank_moments(len(labels), len(score.parts))
    _fill_places(array, onsets, score)
    for voice, part in enumerate(score.parts):
        for row, label in enumerate(labels):
            note = reduced_note(part.notes, label)
            if note is not None:
                _sound(array, row, voice, note.pitch, struck=note.onset >= label.onset)
    _fill_harmony(array, onsets, score)
    _fill_phrases(array, onsets, score)
    return array


def reduced_note(
    notes: Sequence[Note], label: ChordLabel, *, span: tuple[Fraction, Fraction] | None = None
) -> Note | None:
    """The first chord tone of a line in a chord's span, else its first note there, else None.

    Args:
        notes: one line.
        label: the chord.
        span: start and end in quarter notes, if not those of the label.
    """
    start, end = span or (label.onset, label.onset + label.duration)
    first = max(bisect_right(notes, start, key=lambda note: note.onset) - 1, 0)
    inside = []
    for note in notes[first:]:
        if note.onset >= end:
            break
        if note.end > start:
            inside.append(note)
    tones = chord_tones(label.key, label.numeral)
    fitting = (note for note in inside if note.pitch.pitch_class.fifths in tones)
    return next(fitting, inside[0] if inside else None)


@cache
def chord_tones(key: Key, numeral: str) -> frozenset[int]:
    """Places on the line of fifths of a chord's tones."""
    members = read_chord(key.mode, numeral).members
    return frozenset(key.tonic.fifths + member for member in members)


def piece(score: Score) -> theory_kb.rules.piece.Piece:
    """What the checker takes: surface, skeleton if the harmony is known, voices, beat.

    A piece with a metre that is not in the table has no beat: rules that need it are skipped.
    """
    from theory_kb.rules.context import Context
    from theory_kb.rules.piece import Piece

    surface = moments(score)
    harmonic = harmonic_moments(score) if score.chords else None
    voices = tuple(part.name for part in score.parts)
    known = all(is_known(metre.beats, metre.unit) for metre in score.metres)
    beat = beat_ticks(score.metre.beats, score.metre.unit) if known else 0
    home = (score.key.tonic.fifths, ("major", "minor").index(score.key.mode))
    context = Context(tempo=score.tempo, end=ticks(score.duration), home=home, hands=score.hands)
    return Piece(surface, harmonic, voices, beat, ticks(score.metre.bar), context)


# --- and back -------------------------------------------------------------------------------


def parts_from_moments(array: Moments, end: Fraction, names: Sequence[str]) -> tuple[Part, ...]:
    """Parts of moments: a note lasts to the next attack or rest of its voice.

    The inverse of `moments` for voices whose rests begin where some voice attacks; fermatas are not
    in moments.

    Args:
        array: (n,) moments in order of time.
        end: of the piece, in quarter notes.
        names: of the parts, high to low.
    """
    return tuple(Part(name, _line(array, voice, end)) for voice, name in enumerate(names))


def _line(array: Moments, voice: int, end: Fraction) -> tuple[Note, ...]:
    onsets = [Fraction(int(onset), TICKS) for onset in array["onset"]] + [end]
    silent = array["semitone"][:, voice] == REST
    struck = (array["attack"][:, voice] == 1) & ~silent
    breaks = [*np.flatnonzero(struck | silent).tolist(), len(array)]
    return tuple(
        Note(
            onsets[row],
            onsets[stop] - onsets[row],
            Pitch(int(array["step"][row, voice]), int(array["semitone"][row, voice])),
        )
        for row, stop in pairwise(breaks)
        if struck[row]
    )
