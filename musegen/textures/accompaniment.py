"""What the left hand plays under a tune: the voices of each chord, whole or broken, by a figure.

The figures are facts (`accompaniments.toml`). A figure says what is struck in each part of a beat, and
where a phrase comes to rest; what one hand cannot reach at once is brought near, and close figures lie
where the hand moves least from chord to chord.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache

from musegen.score import Note
from theory_kb.catalogue import Entry, entry
from theory_kb.metre import beat_ticks
from theory_kb.moment import TICKS
from theory_kb.pitch import Interval, Pitch, PitchClass
from theory_kb.rules.records import rule

__all__ = ["LANES", "Sonority", "left_hand", "walking_bass"]

LANES = 3  # lines of the left hand, high to low
LOWEST = 33  # semitone of the lowest note that a figure goes down to, A1
OCTAVE = Interval(7, 12)
LETTERS = {"a": 0, "t": 1, "b": 2, "l": 2, "B": 2}  # lanes of the letters of a figure
WHOLE = "bta"
GOES_ON, REST, HELD = "_", "-", "B"
MIDDLE = 50  # semitone around which the lowest note of a close figure lies, D3
FAR = 0.3  # cost of a semitone away from it, where one that the hand moves costs 1
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
    rests: bool = False  # whether a phrase comes to rest on it

    @property
    def voices(self) -> tuple[Pitch, Pitch, Pitch]:
        """High to low."""
        return self.alto, self.tenor, self.bass


@cache
def _reach() -> int:
    """Semitones that a hand spans with ease."""
    return int(rule("texture-hand-span").params["widest"])


def left_hand(
    sonorities: Sequence[Sonority], figure: str, metre: tuple[int, int]
) -> tuple[tuple[Note, ...], ...]:
    """The notes of chords in a row by a figure, by lane, high to low.

    Args:
        sonorities: what is to be played.
        figure: name of an accompaniment of the facts.
        metre: beats of a bar and the unit of a beat.

    Raises:
        UnknownNameError: there is no such figure.
    """
    fact = entry("accompaniment", figure)
    joined = _joined(sonorities, metre)
    placed = _near(joined) if fact.get("close", False) else joined
    found = [_figured(each, fact, metre) for each in placed]
    return tuple(tuple(note for lanes in found for note in lanes[lane]) for lane in range(LANES))


def _joined(sonorities: Sequence[Sonority], metre: tuple[int, int]) -> list[Sonority]:
    """Chords in a row; what is struck again over the same bass in a bar goes on."""
    bar = Fraction(4 * metre[0], metre[1])
    found: list[Sonority] = []
    for each in sonorities:
        last = found[-1] if found else None
        if last and last.onset // bar == each.onset // bar and _tones_of(last) == _tones_of(each):
            found[-1] = replace(last, duration=last.duration + each.duration, rests=each.rests)
        else:
            found.append(each)
    return found


def _tones_of(sonority: Sonority) -> tuple[Pitch, frozenset[PitchClass]]:
    return sonority.bass, frozenset(each.pitch_class for each in sonority.voices)


def _figured(
    sonority: Sonority, fact: Entry, metre: tuple[int, int]
) -> tuple[tuple[Note, ...], ...]:
    """The notes of one chord by a figure, by lane."""
    if sonority.ends or fact.get("held", False):
        return _whole(sonority)
    beat = Fraction(beat_ticks(*metre), TICKS)
    compound = (beat / 3).denominator in (1, 2) and beat.numerator == 3
    count = int(sonority.duration / beat)
    resting = fact.get("rest_compound" if compound else "rest") if sonority.rests else None
    if resting:
        texts = [*resting, *[REST] * count][:count]
    else:
        cells = fact["compound" if compound else "beats"]
        texts = [cells[number % len(cells)] for number in range(count)]
    if HELD in "".join(texts):  # one hand holds the bass and strikes the others
        sonority = _close(sonority, sonority.bass)
    return _lanes(sonority, _sounding_whole(_struck(sonority, texts, beat)))


_Struck = tuple[Fraction, Fraction, str]  # onset, duration, letters


def _struck(sonority: Sonority, texts: Sequence[str], beat: Fraction) -> list[_Struck]:
    """What is struck when, and for how long."""
    struck: list[_Struck] = []
    for number, text in enumerate(texts):
        tokens = text.split()
        part = beat / len(tokens)
        for place, token in enumerate(tokens):
            time = sonority.onset + number * beat + place * part
            if token == GOES_ON and struck:
                onset, length, letters = struck[-1]
                struck[-1] = (onset, length + part, letters)
            elif token != REST:
                struck.append((time, part, token))
    end = sonority.onset + sonority.duration
    return [
        (time, end - time if letters == HELD else length, letters)
        for time, length, letters in struck
    ]


def _sounding_whole(struck: Sequence[_Struck]) -> list[_Struck]:
    """The same; a chord of which there is time for the bass alone is struck whole at once."""
    first, *others = struck
    if others or LETTERS[first[2]] != LETTERS[HELD]:
        return list(struck)
    return [(first[0], first[1], WHOLE)]


def _near(sonorities: Sequence[Sonority]) -> list[Sonority]:
    """Chords with their tones close together above the lowest, each where the hand moves least.

    The lowest tone stays the lowest, and nothing comes above what was highest, so that the hand stays
    below the tune. The way of least cost is found by dynamic programming.
    """
    ways: list[tuple[float, tuple[Sonority, ...]]] = [(0.0, ())]
    for each in sonorities:
        ways = [
            min(
                ((cost + _move(row, here), (*row, here)) for cost, row in ways),
                key=lambda way: way[0],
            )
            for here in _places(each)
        ]
    return list(min(ways, key=lambda way: way[0])[1])


def _move(row: Sequence[Sonority], here: Sonority) -> float:
    low = here.bass.semitone
    moved = abs(low - row[-1].bass.semitone) if row else 0
    return moved + FAR * abs(low - MIDDLE)


def _places(sonority: Sonority) -> list[Sonority]:
    """A chord in close position, in each octave from where its lowest tone stands."""
    found = [_close(sonority, sonority.bass)]
    while (higher := _close(sonority, found[-1].bass + OCTAVE)).alto.semitone <= max(
        sonority.alto.semitone, sonority.tenor.semitone
    ):
        found.append(higher)
    return found


def _close(sonority: Sonority, bass: Pitch) -> Sonority:
    """The tones above a bass, as near to it as they can be."""
    upper = []
    for pitch in (sonority.tenor, sonority.alto):
        steps = (pitch - bass).steps % 7 or 7
        octave = bass.octave + (bass.step % 7 + steps) // 7
        upper.append(Pitch.of(pitch.pitch_class, octave))
    low, high = sorted(upper, key=lambda pitch: pitch.semitone)
    top = max(sonority.alto.semitone, sonority.tenor.semitone)
    if low == high and (bass + OCTAVE).semitone <= top:
        high = bass + OCTAVE
    return replace(sonority, alto=high, tenor=low, bass=bass)


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
    single = all(len(letters) == 1 and letters != HELD for _, _, letters in struck)
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
    """What is struck at once, by lane: bass or highest note come nearer, or the latter is left out."""
    tones = _sorted(sonority.voices[place] for place in places)  # of a unison one is struck
    if not _spans(tones):
        raised, lowered = tones[-1] + OCTAVE, tones[0] + -OCTAVE
        ways = (
            (raised, _sorted([*tones[:-1], raised])),
            (tones[-1], _sorted([lowered, *tones[1:]])),
        )
        tones = next((way for low, way in ways if way[-1] == low and _spans(way)), tones[1:])
    lanes = sorted(places)[-len(tones) :]
    return dict(zip(lanes, tones, strict=True))


def _sorted(tones: Iterable[Pitch]) -> list[Pitch]:
    """High to low."""
    return sorted(set(tones), key=lambda tone: (-tone.semitone, -tone.step))


def _spans(tones: Sequence[Pitch]) -> bool:
    """Whether a hand spans what is struck at once."""
    return tones[0].semitone - tones[-1].semitone <= _reach()


# --- a bass that walks ----------------------------------------------------------------------


def walking_bass(sonorities: Sequence[Sonority], metre: tuple[int, int]) -> tuple[Note, ...]:
    """A bass a note a beat: each chord's own on its first, through its tones to the next."""
    beat = Fraction(beat_ticks(*metre), TICKS)
    notes: list[Note] = []
    for place, here in enumerate(sonorities):
        following = sonorities[place + 1].bass if place + 1 < len(sonorities) else None
        count = int(here.duration / beat)
        if here.ends or here.rests or following is None or count < 2:
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
