"""Tunes over chords: drawn among all lines that keep to them, weighted as singers move.

A tune has a chord a stretch. Where a stretch begins it has a note of the chord; what is foreign to a
chord is passed through by step; it ends as it is told to. Among all such lines one is drawn by the
weights of its moves, exactly: what cannot come to the end has no weight. Leaps, range and climax are
then looked at as a singer would (Schachter and Aldwell, Harmony and Voice Leading, ch. 5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.metres import draw_bar, metre_of
from musegen.io.notation import beat
from musegen.score import Metre, Note
from theory_kb.chords import Chord, chord, spell
from theory_kb.pitch import Key, Pitch, PitchClass
from theory_kb.thoroughbass import scale_tone

__all__ = [
    "Stretch",
    "TuneFrame",
    "draw_tune",
    "frame_of",
    "is_singable",
    "keyed_row",
    "rhythm_over",
    "tune_over",
]

Floats = NDArray[np.float64]
Rhythm = Sequence[tuple[Fraction, Fraction]]  # onset and length of each note, in quarter notes
MOVES = (0.35, 3.0, 1.2, 0.4, 0.2, 0.12)  # weight of a move by so many staff steps
LEAP = 2  # staff steps that are none yet
MOST_LEAPS, LEAST_RANGE, MOST_RANGE = 2, 4, 9
MIDDLE = 32  # staff step that a tune lies around: G4
MIDDLE_PULL = 0.04  # by which notes far from it weigh less, a step
LEADING = 5  # fifths above the tonic
GENERATIONS = 40  # of a tune, before the draw is given up


@dataclass(frozen=True, slots=True)
class Stretch:
    """A chord and how long it holds."""

    key: Key
    chord: Chord
    onset: Fraction  # quarter notes
    end: Fraction

    @property
    def tones(self) -> frozenset[PitchClass]:
        """Its notes."""
        return frozenset(spell(self.chord, self.key))

    def pitch(self, step: int) -> Pitch:
        """A staff step as key and chord have it: in minor the dominant has its leading tone."""
        letter = step % 7
        for tone in self.tones:
            if tone.letter == letter:
                return Pitch.of(tone, step // 7)
        return Pitch.of(scale_tone(letter, self.key.signature), step // 7)


@dataclass(frozen=True, slots=True)
class TuneFrame:
    """What a tune is drawn over."""

    metre: Metre
    stretches: tuple[Stretch, ...]
    ends: frozenset[
        int
    ]  # degrees that the last note may have, 1 to 7, in the key of the last chord

    def at(self, onset: Fraction) -> Stretch:
        """The chord that sounds at a time."""
        return next(each for each in reversed(self.stretches) if each.onset <= onset)


def frame_of(
    keyed: Sequence[tuple[Key, str]], length: Fraction, metre: Metre, ends: Sequence[int] = (1,)
) -> TuneFrame:
    """A frame of chords that are all of one length.

    Args:
        keyed: key and symbol of each chord.
        length: of a chord, in quarter notes.
        metre: of the tune.
        ends: degrees that the last note may have.
    """
    stretches = tuple(
        Stretch(key, chord(key.mode, symbol), length * place, length * (place + 1))
        for place, (key, symbol) in enumerate(keyed)
    )
    return TuneFrame(metre, stretches, frozenset(ends))


def rhythm_over(
    work: Work, frame: TuneFrame, *, close: bool = True
) -> list[tuple[Fraction, Fraction]]:
    """A rhythm of the level's cells that strikes where each chord begins; the last note is long.

    Parameter `cells`: keys of the tables of `musegen.exercises.metres`.
    """
    unit = beat(frame.metre)
    found: list[tuple[Fraction, Fraction]] = []
    for place, each in enumerate(frame.stretches):
        length = each.end - each.onset
        if close and place == len(frame.stretches) - 1:
            found.append((each.onset, length))
            continue
        time = each.onset
        beats = length / unit
        cells = work.params["cells"]
        for value in draw_bar(frame.metre, cells, work.rng, beats=int(beats)):
            found.append((time, value.length))
            time += value.length
    return found


def draw_tune(work: Work, key: Key) -> tuple[TuneFrame, tuple[Note, ...]]:
    """A tune of the level.

    Parameters: `metres`, `cells`, `chord` (length of a chord, in beats), `harmony_major` and
    `harmony_minor`: rows of symbols, a chord each; a word `to:V` leads into the key of that degree.

    Raises:
        DiscardError: no tune of the level is singable.
    """
    metre = metre_of(work.pick(work.params["metres"]))
    row = work.pick(work.params[f"harmony_{key.mode}"])
    length = beat(metre) * int(work.params["chord"])
    frame = frame_of(keyed_row(key, row), length, metre)
    for _ in range(GENERATIONS):
        tune = tune_over(frame, rhythm_over(work, frame), work.rng)
        if is_singable(tune):
            return frame, tune
    raise DiscardError("no singable tune")


TARGETS = {"V": 1, "IV": -1, "vi": 0, "III": 0, "v": 1}  # fifths to the key that is led into
OTHER_MODE = ("vi", "III")


def keyed_row(key: Key, row: str) -> list[tuple[Key, str]]:
    """Symbols with their keys, from a row of the catalogue."""
    found = []
    for word in row.split():
        if word.startswith("to:"):
            goal = word[3:]
            key = key.relative if goal in OTHER_MODE else Key(
                key.tonic.transposed(TARGETS[goal]), key.mode
            )  # fmt: skip
            continue
        found.append((key, word))
    return found


# --- the line -------------------------------------------------------------------------------


def tune_over(
    frame: TuneFrame,
    rhythm: Rhythm,
    rng: np.random.Generator,
    *,
    pinned: Mapping[int, int] | None = None,
    middle: int = MIDDLE,
) -> tuple[Note, ...]:
    """A line over a frame, drawn among all that keep to it.

    Args:
        frame: its chords and its end.
        rhythm: onset and length of each note.
        rng: draws.
        pinned: staff steps of some notes, by place.
        middle: staff step that it lies around.

    Raises:
        DiscardError: no line keeps to all that.
    """
    steps = np.arange(middle - 6, middle + 7)
    owns = [_weights(frame, rhythm, place, steps, pinned or {}) for place in range(len(rhythm))]
    moves = [_moves(frame, rhythm, place, steps) for place in range(len(rhythm) - 1)]
    ahead = [np.ones(len(steps))]
    for own, move in zip(owns[:0:-1], moves[::-1], strict=True):
        future = move @ (own * ahead[-1])
        ahead.append(future / (future.max() or 1.0))
    ahead.reverse()
    chosen: list[int] = []
    for place, own in enumerate(owns):
        weights = own * ahead[place] * (moves[place - 1][chosen[-1]] if place else 1.0)
        total = weights.sum()
        if total <= 0:
            raise DiscardError("no line keeps to the chords")
        chosen.append(int(rng.choice(len(steps), p=weights / total)))
    return tuple(
        Note(onset, length, frame.at(onset).pitch(int(steps[at])))
        for (onset, length), at in zip(rhythm, chosen, strict=True)
    )


def _weights(
    frame: TuneFrame,
    rhythm: Rhythm,
    place: int,
    steps: NDArray[np.int64],
    pinned: Mapping[int, int],
) -> Floats:
    """What each step weighs at a note, for itself."""
    here = frame.at(rhythm[place][0])
    found: Floats = np.exp(-MIDDLE_PULL * np.abs(steps - steps[len(steps) // 2]))
    fixed = rhythm[place][0] == here.onset
    last = place == len(rhythm) - 1
    for at, step in enumerate(steps):
        if fixed and not _holds(here, int(step)):
            found[at] = 0
        if last and (int(step) - here.key.tonic.letter) % 7 + 1 not in frame.ends:
            found[at] = 0
        if place in pinned and int(step) != pinned[place]:
            found[at] = 0
    return found


def _holds(stretch: Stretch, step: int) -> bool:
    return stretch.pitch(step).pitch_class in stretch.tones


def _moves(frame: TuneFrame, rhythm: Rhythm, place: int, steps: NDArray[np.int64]) -> Floats:
    """What each move from one note to the next weighs."""
    here, there = (frame.at(rhythm[at][0]) for at in (place, place + 1))
    last = place == len(rhythm) - 2
    found = np.zeros((len(steps), len(steps)))
    for at, one in enumerate(steps):
        for to, other in enumerate(steps):
            size = abs(int(one) - int(other))
            if size >= len(MOVES) or (last and size != 1 and frame.ends == {1}):
                continue
            foreign = not (_holds(here, int(one)) and _holds(there, int(other)))
            first, second = here.pitch(int(one)), there.pitch(int(other))
            if (foreign and size != 1) or not _sung(first, second):
                continue
            found[at, to] = MOVES[size]
    return found


def _sung(one: Pitch, other: Pitch) -> bool:
    """Whether a move is one that is sung: no augmented or diminished interval, no chromatic step."""
    return (other - one).quality in ("P", "M", "m")


def is_singable(tune: Sequence[Note]) -> bool:
    """Whether a tune has few leaps, a range, and one highest note."""
    steps = [note.pitch.step for note in tune]
    sizes = [abs(after - before) for before, after in pairwise(steps)]
    leaps = sum(size > LEAP for size in sizes)
    held = sum(size == 0 for size in sizes)
    return (
        leaps <= MOST_LEAPS
        and held * 4 <= len(sizes)
        and LEAST_RANGE <= max(steps) - min(steps) <= MOST_RANGE
        and steps.count(max(steps)) == 1
    )
