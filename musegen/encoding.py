"""Notes and model symbols: key-relative tokens, and other versions of the same piece.

A token is a semitone above the tonic nearest to middle C, so a piece and its transposition have
the same tokens; transposing is for models that see absolute pitch. Inversion and retrograde are for
models of lines: they keep intervals, not harmony.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from musegen.errors import ScoreError
from musegen.models.protocol import LOWEST, REST_TOKEN, ChordTable, IntArray
from musegen.score import Note, Part, Score
from theory_kb.chords import vocabulary
from theory_kb.errors import UnknownNameError
from theory_kb.moment import REST
from theory_kb.pitch import Interval, Key, Pitch
from theory_kb.query import VoiceRange, voice_range

__all__ = [
    "chord_table",
    "inverted",
    "retrograde",
    "semitones",
    "token",
    "tokens",
    "tonic_reference",
    "transposed",
    "transpositions",
]

MIDDLE_C = 60
LOWEST_SHIFT = -5  # the tonic nearest to middle C lies 5 semitones below to 6 above it
OCTAVE = 12
MOST_ACCIDENTALS = 7  # of a key signature
MOST_ALTERATION = 2  # semitones by which a note may be altered: no triple sharps


def tonic_reference(key: Key) -> int:
    """MIDI number of the tonic nearest to middle C, 55 to 66."""
    return MIDDLE_C + (key.tonic.semitone - LOWEST_SHIFT) % OCTAVE + LOWEST_SHIFT


def token(pitch: Pitch, key: Key) -> int:
    """Token of a pitch in a key; raises ScoreError if it is further than 30 semitones away."""
    return int(tokens(np.array([pitch.semitone]), key)[0])


def tokens(semitones: NDArray[np.integer], key: Key) -> IntArray:
    """Tokens of MIDI numbers of any shape; REST becomes the rest token.

    Raises:
        ScoreError: a note is further than 30 semitones from the tonic at middle C.
    """
    found: IntArray = semitones.astype(np.int64) - tonic_reference(key) - LOWEST
    sounding = semitones != REST
    outside = sounding & ((found < 0) | (found >= REST_TOKEN))
    if outside.any():
        number = int(semitones[outside][0])
        reach = f"{tonic_reference(key) + LOWEST} to {tonic_reference(key) - LOWEST}"
        raise ScoreError(f"MIDI number {number}", f"out of the models' reach in {key} ({reach})")
    return np.where(sounding, found, REST_TOKEN)


def semitones(tokens: IntArray, key: Key) -> IntArray:
    """MIDI numbers of tokens, REST for the rest token: the inverse of `tokens`."""
    return np.where(tokens == REST_TOKEN, REST, tokens + tonic_reference(key) + LOWEST)


@cache
def chord_table() -> ChordTable:
    """What the chord indices of candidates and training sequences refer to."""
    names = "\n".join(f"{chord.mode} {chord.symbol}" for chord in vocabulary())
    return ChordTable(len(vocabulary()), hashlib.sha256(names.encode()).hexdigest())


# --- other versions of a piece --------------------------------------------------------------


def transposed(score: Score, interval: Interval) -> Score:
    """The piece so much higher, spelled accordingly."""
    fifths = (Pitch(0, 0) + interval).pitch_class.fifths - Pitch(0, 0).pitch_class.fifths

    def moved(key: Key) -> Key:
        return Key(key.tonic.transposed(fifths), key.mode)

    return replace(
        score,
        key=moved(score.key),
        parts=tuple(_transposed_part(part, interval) for part in score.parts),
        chords=tuple(replace(chord, key=moved(chord.key)) for chord in score.chords),
        cadences=tuple(replace(cadence, key=moved(cadence.key)) for cadence in score.cadences),
    )


def _transposed_part(part: Part, interval: Interval) -> Part:
    notes = (replace(note, pitch=note.pitch + interval) for note in part.notes)
    return Part(part.name, tuple(notes))


def transpositions(score: Score) -> tuple[Score, ...]:
    """The piece in every key where its voices stay in range and its notes can be read.

    One key a semitone, that with the fewest accidentals (at most seven, no triple ones), nearest
    first; the piece as it is comes first. Ranges are the extended ones of the parts' voices;
    a part that is outside already may stay as far outside.
    """
    found = [score]
    for distance in sorted(
        range(-OCTAVE // 2, OCTAVE // 2 + 1), key=lambda each: (abs(each), each)
    ):
        if distance and _fits(score, distance):
            version = _readable(score, distance)
            if version is not None:
                found.append(version)
    return tuple(found)


def _readable(score: Score, distance: int) -> Score | None:
    """The version so many semitones higher with the fewest accidentals."""
    versions = (transposed(score, Interval(steps, distance)) for steps in _steps(distance))
    legible = [
        version
        for version in versions
        if abs(version.key.signature) <= MOST_ACCIDENTALS and _widest(version) <= MOST_ALTERATION
    ]
    return min(legible, key=lambda version: abs(version.key.signature), default=None)


def _steps(distance: int) -> Iterator[int]:
    """Staff steps that an interval of so many semitones may have."""
    middle = round(distance * 7 / OCTAVE)
    yield from (middle - 1, middle, middle + 1)


def _widest(score: Score) -> int:
    return max(
        (abs(note.pitch.alteration) for part in score.parts for note in part.notes), default=0
    )


def _fits(score: Score, distance: int) -> bool:
    for part in score.parts:
        limits = _range(part.name)
        if limits is None or not part.notes:
            continue
        low = min(note.pitch.semitone for note in part.notes)
        high = max(note.pitch.semitone for note in part.notes)
        if low + distance < min(low, limits.extended_low.semitone):
            return False
        if high + distance > max(high, limits.extended_high.semitone):
            return False
    return True


def _range(name: str) -> VoiceRange | None:
    try:
        return voice_range(name.lower())
    except UnknownNameError:
        return None


def inverted(part: Part, axis: Pitch) -> Part:
    """The line upside down: what rose from the axis falls from it by the same interval."""
    notes = (replace(note, pitch=axis + -(note.pitch - axis)) for note in part.notes)
    return Part(part.name, tuple(notes))


def retrograde(part: Part) -> Part:
    """The line backwards, from the end of its last note to the start of its first."""
    if not part.notes:
        return part
    span = part.notes[0].onset + part.notes[-1].end
    notes = (
        Note(span - note.end, note.duration, note.pitch, note.fermata)
        for note in reversed(part.notes)
    )
    return Part(part.name, tuple(notes))
