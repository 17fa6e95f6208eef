"""What the left hand plays under a tune: the voices of each chord, whole or broken, by a figure.

The figures are facts (`accompaniments.toml`). A figure says what is struck in each part of a beat; what
one hand cannot reach at once is brought near.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from musegen.score import Note
from theory_kb.catalogue import entry
from theory_kb.metre import beat_ticks
from theory_kb.moment import TICKS
from theory_kb.pitch import Interval, Pitch

__all__ = ["LANES", "Sonority", "figured_left_hand", "walking_bass"]

LANES = 3  # lines of the left hand, high to low
REACH = 16  # semitones that a hand spans
LOWEST = 33  # semitone of the lowest note that a figure goes down to, A1
OCTAVE = Interval(7, 12)
LETTERS = {"a": 0, "t": 1, "b": 2, "l": 2}  # lanes of the letters of a figure
GOES_ON, REST = "_", "-"
STEP = 2  # semitones of the widest step with which a bass walks into its goal


@dataclass(frozen=True, slots=True)
class Sonority:
    """The lower voices of one chord."""

    onset: Fraction
    duration: Fraction
    alto: Pitch
    tenor: Pitch
    bass: Pitch
    scale: tuple[Pitch, ...] = ()  # tones of its key through which a bass may walk, ascending
    ends: bool = False  # whether the piece ends with it

    @property
    def voices(self) -> tuple[Pitch, Pitch, Pitch]:
        """High to low."""
        return self.alto, self.tenor, self.bass


def figured_left_hand(
    sonority: Sonority, figure: str, metre: tuple[int, int]
) -> tuple[tuple[Note, ...], ...]:
    """The notes of one chord by a figure, by lane, high to low.

    Args:
        sonority: what is to be played.
        figure: name of an accompaniment of the facts.
        metre: beats of a bar and the unit of a beat.

    Raises:
        UnknownNameError: there is no such figure.
    """
    fact = entry("accompaniment", figure)
    if fact.get("close", False):
        sonority = _closed(sonority)
    if sonority.ends or fact.get("held", False):
        return _whole(sonority)
    beat = Fraction(beat_ticks(*metre), TICKS)
    compound = (beat / 3).denominator in (1, 2) and beat.numerator == 3
    cells = fact["compound"] if compound else fact["beats"]
    struck: list[tuple[Fraction, Fraction, str]] = []
    time, end = sonority.onset, sonority.onset + sonority.duration
    number = 0
    while time < end:
        tokens = cells[number % len(cells)].split()
        part = beat / len(tokens)
        for token in tokens:
            if token == GOES_ON and struck:
                onset, length, letters = struck[-1]
                struck[-1] = (onset, length + part, letters)
            elif token != REST:
                struck.append((time, part, token))
            time += part
        number += 1
    return _lanes(sonority, [each for each in struck if each[0] < end])


def _closed(sonority: Sonority) -> Sonority:
    """The same tones close together around the tenor; the lowest stays the lowest."""
    bass, alto, tenor = sonority.bass, sonority.alto, sonority.tenor
    while (bass + OCTAVE).semitone < tenor.semitone:
        bass = bass + OCTAVE
    while (alto + -OCTAVE).semitone > tenor.semitone:
        alto = alto + -OCTAVE
    return replace(sonority, alto=alto, bass=bass)


def _whole(sonority: Sonority) -> tuple[tuple[Note, ...], ...]:
    heard = _within_reach(sonority, (0, 1, 2))
    return tuple(
        (Note(sonority.onset, sonority.duration, heard[lane]),) if lane in heard else ()
        for lane in range(LANES)
    )


def _lanes(
    sonority: Sonority, struck: Sequence[tuple[Fraction, Fraction, str]]
) -> tuple[tuple[Note, ...], ...]:
    """Notes by lane; a figure that strikes one at a time is one line, the lowest."""
    single = all(len(letters) == 1 for _, _, letters in struck)
    lanes: list[list[Note]] = [[] for _ in range(LANES)]
    for onset, length, letters in struck:
        places = tuple(LETTERS[letter] for letter in letters)
        heard = _within_reach(sonority, places)
        for lane, pitch in heard.items():
            low = letters == "l" and pitch.semitone - OCTAVE.semitones >= LOWEST
            sounding = pitch + -OCTAVE if low else pitch
            lanes[LANES - 1 if single else lane].append(Note(onset, length, sounding))
    return tuple(tuple(lane) for lane in lanes)


def _within_reach(sonority: Sonority, places: Sequence[int]) -> dict[int, Pitch]:
    """What is struck at once, by lane: the bass comes nearer, or the highest note is left out."""
    found = {place: sonority.voices[place] for place in places}
    if len(found) < 2 or _span(found) <= REACH:
        return found
    lowest = max(found)
    nearer = found | {lowest: found[lowest] + OCTAVE}
    above = min(pitch.semitone for place, pitch in found.items() if place != lowest)
    if nearer[lowest].semitone < above and _span(nearer) <= REACH:
        return nearer
    return {place: pitch for place, pitch in found.items() if place != min(found)}


def _span(found: dict[int, Pitch]) -> int:
    semitones = [pitch.semitone for pitch in found.values()]
    return max(semitones) - min(semitones)


# --- a bass that walks ----------------------------------------------------------------------


def walking_bass(sonorities: Sequence[Sonority], metre: tuple[int, int]) -> tuple[Note, ...]:
    """A bass a note a beat: each chord's own on its first, through its tones to the next."""
    beat = Fraction(beat_ticks(*metre), TICKS)
    notes: list[Note] = []
    for place, here in enumerate(sonorities):
        following = sonorities[place + 1].bass if place + 1 < len(sonorities) else None
        count = int(here.duration / beat)
        if here.ends or following is None or count < 2:
            notes.append(Note(here.onset, here.duration, here.bass))
            continue
        line = _walk(here, following, count)
        notes += [
            Note(here.onset + beat * number, beat, pitch) for number, pitch in enumerate(line)
        ]
    return tuple(notes)


def _walk(here: Sonority, goal: Pitch, count: int) -> list[Pitch]:
    """So many notes from a bass towards the next: chord tones, the last a step before the goal."""
    line = [here.bass]
    tones = _tones(here)
    while len(line) < count - 1:
        line.append(_nearest(tones, line[-1], goal))
    line.append(_approach(here, line[-1], goal))
    return line


def _tones(here: Sonority) -> list[Pitch]:
    """Chord tones around the bass."""
    found = {
        Pitch.of(voice.pitch_class, octave)
        for voice in here.voices
        for octave in (here.bass.octave - 1, here.bass.octave, here.bass.octave + 1)
    }
    low, high = here.bass.semitone - 7, here.bass.semitone + 10
    return sorted(each for each in found if max(low, LOWEST) <= each.semitone <= high)


def _nearest(tones: Sequence[Pitch], last: Pitch, goal: Pitch) -> Pitch:
    """The next chord tone on the way to the goal, or away from it where it is reached already."""
    others = [each for each in tones if each != last]
    upward = goal.semitone > last.semitone
    onward = [each for each in others if (each.semitone > last.semitone) == upward]
    return min(onward or others or [last], key=lambda each: abs(each.semitone - last.semitone))


def _approach(here: Sonority, last: Pitch, goal: Pitch) -> Pitch:
    """A tone of the scale a step from the goal, on the side from which the bass comes."""
    near = [
        each
        for each in here.scale
        if 0 < abs(each.semitone - goal.semitone) <= STEP and each != last
    ]
    if not near:
        return last
    return min(near, key=lambda each: (abs(each.semitone - last.semitone), each.semitone))
