"""Spelling of notes that come as keys of a keyboard: the way that lies nearest on the line of fifths.

Each note takes the spelling nearest to the mean of the tones that sound within a quarter note of
it and of the key (Temperley, The Cognition of Basic Musical Structures, 2001, ch. 5, without his
rule on semitone steps, which was tried and made more errors than it mended). Of the notes of the
chorales of J. S. Bach it spells 1 in 2000 otherwise than the edition.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from operator import mul

from theory_kb.pitch import MODES, Key, Pitch, PitchClass

__all__ = ["KeyStroke", "likeliest_key", "nearest_key", "spell_voices"]

CENTRE = {"major": 2.5, "minor": 0.5}  # middle of the twelve usual tones, fifths above the tonic
AROUND = 1  # quarter notes before and after, whose tones count
KEY_WEIGHT = 8.0  # quarter notes of sound that the key's own centre is worth
EXACT = 9  # digits of a mean that running sums get right
TONIC_BONUS, THIRD_BONUS = 0.10, 0.03  # worth of a last chord, as a share of all sound
EITHER_SEVENTH = (-2, 5)  # fifths above the tonic of both sevenths of minor


@dataclass(frozen=True, slots=True)
class KeyStroke:
    """A note without spelling."""

    onset: Fraction  # quarter notes from the start
    duration: Fraction  # quarter notes
    semitone: int  # MIDI number


def spell_voices(voices: Sequence[Sequence[KeyStroke]], key: Key) -> tuple[tuple[Pitch, ...], ...]:
    """Spelled pitches of each voice.

    Args:
        voices: each in order of time.
        key: the key of the piece, or the nearest guess.
    """
    home = key.tonic.fifths + CENTRE[key.mode]
    around = _Surroundings([stroke for voice in voices for stroke in voice], home)
    return tuple(
        tuple(_pitch(stroke.semitone, around.centre(stroke)) for stroke in voice)
        for voice in voices
    )


def _nearest(semitone: int, centre: float) -> int:
    """The place on the line of fifths nearest to a centre that sounds as this key."""
    around = range(round(centre) - 6, round(centre) + 7)
    same = [fifths for fifths in around if (fifths * 7 - semitone) % 12 == 0]
    return min(same, key=lambda fifths: abs(fifths - centre))


class _Surroundings:
    """All notes in order of time with running sums, so that a mean of neighbours costs little."""

    def __init__(self, strokes: Sequence[KeyStroke], home: float) -> None:
        ordered = sorted(strokes, key=lambda stroke: stroke.onset)
        lengths = [float(stroke.duration) for stroke in ordered]
        places = [_nearest(stroke.semitone, home) for stroke in ordered]
        self.home = home
        self.onsets = [stroke.onset for stroke in ordered]
        self.lengths = list(accumulate(lengths, initial=0.0))
        self.places = list(accumulate(map(mul, places, lengths), initial=0.0))

    def centre(self, stroke: KeyStroke) -> float:
        """Mean place of the tones around a note, weighed by their length, and of the key."""
        begin = bisect_left(self.onsets, stroke.onset - AROUND)
        end = bisect_right(self.onsets, stroke.onset + AROUND)
        own = float(stroke.duration)
        weight = self.lengths[end] - self.lengths[begin] - own
        total = self.places[end] - self.places[begin] - own * _nearest(stroke.semitone, self.home)
        mean: float = (total + self.home * KEY_WEIGHT) / (weight + KEY_WEIGHT)
        return round(mean, EXACT)


def _pitch(semitone: int, centre: float) -> Pitch:
    """The pitch of a key, spelled nearest to a centre."""
    pitch_class = PitchClass(_nearest(semitone, centre))
    return Pitch.of(pitch_class, (semitone - pitch_class.alteration) // 12 - 1)


# --- the key --------------------------------------------------------------------------------


def likeliest_key(voices: Sequence[Sequence[KeyStroke]]) -> Key:
    """The key whose scale holds most of what sounds, with a bonus for a last tonic chord.

    Args:
        voices: at least one, each with a note, in order of time.
    """
    keys = [nearest_key(semitone, mode) for mode in MODES for semitone in range(12)]
    return max(keys, key=lambda key: _fit(key, voices))


def nearest_key(semitone: int, mode: str) -> Key:
    """The key on a tonic's keyboard key (0 to 11 from C) that has the fewest accidentals."""
    keys = [Key(PitchClass(fifths), mode) for fifths in range(-7, 12)]
    same = [key for key in keys if key.tonic.semitone == semitone]
    return min(same, key=lambda key: abs(key.signature))


def _fit(key: Key, voices: Sequence[Sequence[KeyStroke]]) -> float:
    """Share of the sound that lies in the scale, and whether the last chord is the tonic."""
    weights = {key.tonic.transposed(fifths).semitone: 1.0 for fifths in MODES[key.mode]}
    if key.mode == "minor":
        weights |= {key.tonic.transposed(fifths).semitone: 0.7 for fifths in EITHER_SEVENTH}
    strokes = [stroke for voice in voices for stroke in voice]
    total = sum(stroke.duration for stroke in strokes)
    inside = sum(
        float(stroke.duration / total) * weights.get(stroke.semitone % 12, 0.0)
        for stroke in strokes
    )
    last = {voice[-1].semitone % 12 for voice in voices}
    lowest = min(voice[-1].semitone for voice in voices) % 12
    third = key.tonic.transposed(4 if key.mode == "major" else -3).semitone
    return inside + TONIC_BONUS * (lowest == key.tonic.semitone) + THIRD_BONUS * (third in last)
