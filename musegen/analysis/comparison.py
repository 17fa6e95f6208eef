"""Two analyses of one score side by side: on how much of its time they agree, and where they do not.

Shares are of the time that the given analysis covers. Where the two differ, the given reading is looked
up among those that the model weighs there: if it is the second or the fifth best, the difference is one
of opinion rather than a mistake.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import nan

import numpy as np
from numpy.typing import NDArray

from musegen.analysis.analyse import Heard
from musegen.analysis.figures import figure_of_chord, read_figure
from musegen.analysis.harmony import Decoded
from musegen.analysis.label import label_with
from musegen.analysis.result import Analysis
from musegen.analysis.states import Space
from musegen.score import ChordLabel, Score
from theory_kb.chords import Chord, every_chord, read_chord
from theory_kb.pitch import Key

__all__ = [
    "COLUMNS",
    "DEPTHS",
    "CadencePair",
    "Comparison",
    "Difference",
    "HumanLabel",
    "Promise",
    "Ranks",
    "Said",
    "Tally",
    "cadence_pairs",
    "compare",
    "compared",
    "f1",
    "fit",
    "of_human",
    "of_label",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

COLUMNS = ("key", "root", "numeral", "full", "numeral, any key", "full, any key")
DEPTHS = (2, 5, 10)  # readings among which a person's is looked for
OTHER = "other"


@dataclass(frozen=True, slots=True)
class HumanLabel:
    """What a person wrote over a span."""

    onset: Fraction  # quarter notes
    duration: Fraction
    key: Key
    figure: str  # as written
    chord: int | None  # place in `every_chord()`, None if it is none that is known


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a moment, in terms that people and programs share."""

    key: str
    root: int | None  # line of fifths
    numeral: str  # without inversion
    inversion: int

    def agrees(self, other: Said) -> tuple[bool, ...]:
        """In key; root; numeral and key; with inversion; the last two whatever the key."""
        key, numeral = self.key == other.key, self.numeral == other.numeral
        full = numeral and self.inversion == other.inversion
        root = self.root is not None and self.root == other.root
        return key, root, key and numeral, key and full, numeral, full


def of_human(label: HumanLabel) -> Said:
    """What a person wrote."""
    if label.chord is not None:
        return _of_chord(label.key, every_chord()[label.chord])
    figure = read_figure(label.figure)
    numeral, inversion = (figure.numeral, figure.inversion) if figure else (label.figure, 0)
    return Said(label.key.name, None, numeral, inversion)


def of_label(label: ChordLabel) -> Said:
    """What a program says."""
    return _of_chord(label.key, read_chord(label.key.mode, label.numeral))


def _of_chord(key: Key, chord: Chord) -> Said:
    root = chord.root + key.tonic.fifths
    return Said(key.name, root, _plain(chord.mode, chord.numeral), chord.inversion)


def _plain(mode: str, numeral: str) -> str:
    """The cadential six-four is a tonic in second inversion to people and to RomanText."""
    return {"cad64": "I" if mode == "major" else "i"}.get(numeral, numeral)


# --- agreement ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """A span over which two analyses do not say the same."""

    onset: Fraction
    duration: Fraction
    theirs: tuple[Key, str]  # key and figure as written
    ours: tuple[Key, str]  # key and figure as RomanText has it
    rank: int | None  # of theirs among the readings that are weighed, None if it is none


@dataclass(frozen=True, slots=True)
class Promise:
    """A chord over some time: how sure it was said to be, and whether the given analysis agrees."""

    beats: float  # quarter notes
    chord: float  # probability of the numeral with its inversion in its key
    key: float  # probability of the key
    chord_kept: bool
    key_kept: bool


@dataclass(slots=True)
class Tally:
    """Time on which two analyses agree."""

    beats: float = 0.0  # quarter notes
    right: list[float] = field(default_factory=lambda: [0.0] * len(COLUMNS))
    confused: dict[tuple[str, str], float] = field(default_factory=dict)
    classes: dict[str, list[float]] = field(default_factory=dict)  # time of a numeral, time right
    within: dict[int, float] = field(default_factory=dict)  # time by rank of the given reading
    missed: dict[int, float] = field(default_factory=dict)  # the same where ours is another
    differences: list[Difference] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)

    def share(self, column: str) -> float:
        """Share of the time on which a column agrees."""
        return self.right[COLUMNS.index(column)] / max(self.beats, 1e-9)

    def near(self, depth: int, *, missed: bool = False) -> float:
        """Share of the time on which the given reading is among so many best.

        Args:
            depth: how many.
            missed: of the time on which ours is another, not of all.
        """
        times = self.missed if missed else self.within
        near = sum(each for rank, each in times.items() if 0 < rank <= depth)
        return near / max(sum(times.values()), 1e-9)

    def add(self, truth: Said, said: Said, beats: float, rank: int | None) -> None:
        """Compare over some time."""
        self.beats += beats
        marks = truth.agrees(said)
        self.right = [total + beats * mark for total, mark in zip(self.right, marks, strict=True)]
        row = self.classes.setdefault(truth.numeral, [0.0, 0.0])
        row[0] += beats
        row[1] += beats if marks[2] else 0.0
        self.within[rank or 0] = self.within.get(rank or 0, 0.0) + beats
        if not marks[3]:
            self.missed[rank or 0] = self.missed.get(rank or 0, 0.0) + beats
            pair = _text(truth), _text(said)
            self.confused[pair] = self.confused.get(pair, 0.0) + beats


def _text(said: Said) -> str:
    return f"{said.key}: {said.numeral} ({said.inversion})"


def compare(
    truth: Sequence[HumanLabel],
    said: Sequence[ChordLabel],
    tally: Tally,
    *,
    ranks: Ranks | None = None,
) -> None:
    """Add the agreement of two analyses, over the time that the first covers.

    Args:
        truth: the given analysis, in order.
        said: the program's, in order.
        tally: to add to.
        ranks: of readings, if differences are to be weighed.
    """
    for begin, end, human, ours in _spans(truth, said):
        one, other = of_human(human), of_label(ours)
        rank = ranks.of(human, begin, end) if ranks is not None else None
        tally.add(one, other, float(end - begin), rank)
        marks = one.agrees(other)
        if ranks is not None:
            sure = ranks.sure(ours)
            tally.promises.append(Promise(float(end - begin), *sure, marks[3], marks[0]))
        if not marks[3]:
            theirs = (human.key, human.figure)
            mine = (ours.key, figure_of_chord(read_chord(ours.key.mode, ours.numeral)))
            _lengthen(tally.differences, Difference(begin, end - begin, theirs, mine, rank))


def _lengthen(found: list[Difference], each: Difference) -> None:
    """Add a difference, or go on with the last one if it says the same."""
    last = found[-1] if found else None
    joins = last is not None and last.onset + last.duration == each.onset
    if last is not None and joins and (last.theirs, last.ours) == (each.theirs, each.ours):
        ranks = [rank for rank in (last.rank, each.rank) if rank is not None]
        best = min(ranks) if ranks else None
        found[-1] = Difference(
            last.onset, last.duration + each.duration, last.theirs, last.ours, best
        )
    else:
        found.append(each)


def _spans(
    truth: Sequence[HumanLabel], said: Sequence[ChordLabel]
) -> Iterator[tuple[Fraction, Fraction, HumanLabel, ChordLabel]]:
    points = sorted(
        {label.onset for label in truth}
        | {label.onset + label.duration for label in truth}
        | {label.onset for label in said}
    )
    human, ours = [each.onset for each in truth], [each.onset for each in said]
    for begin, end in pairwise(points):
        h, o = bisect_right(human, begin) - 1, bisect_right(ours, begin) - 1
        if h >= 0 and o >= 0 and begin < truth[h].onset + truth[h].duration:
            yield begin, end, truth[h], said[o]


class Ranks:
    """How a given reading ranks among all that the model weighs over a span."""

    def __init__(self, found: Decoded, chances: FloatArray) -> None:
        """Take a decoded score and the (n, S) probabilities of its states."""
        self._times = found.surface.times
        self._beats = found.surface.beats
        self._space = found.space
        self._groups, self._names = _groups(found.space)
        self._chances = chances

    def of(self, label: HumanLabel, begin: Fraction, end: Fraction) -> int | None:
        """Rank from 1 by probability over a span; readings of one name count once.

        None where the label is no reading that is weighed, or nothing sounds.
        """
        place = self._names.get(of_human(label))
        mean = self._mean(begin, end)
        if place is None or mean is None:
            return None
        shares = np.bincount(self._groups, weights=mean)
        return int((shares > shares[place] + 1e-12).sum()) + 1

    def sure(self, label: ChordLabel) -> tuple[float, float]:
        """Probability of one of our chords, and of its key, over its whole time.

        Both are 0 where it is none that is weighed.
        """
        state = self._space.index(label.key, read_chord(label.key.mode, label.numeral))
        mean = self._mean(label.onset, label.onset + label.duration)
        if state is None or mean is None:
            return 0.0, 0.0
        in_key = mean[self._space.key == self._space.key[state]].sum()
        return float(mean[state]), float(in_key)

    def _mean(self, begin: Fraction, end: Fraction) -> FloatArray | None:
        """(S,) mean probability of the states over a span, None where it lasts no time."""
        first = max(bisect_right(self._times, begin) - 1, 0)
        last = bisect_right(self._times, end - Fraction(1, 10**6))
        beats = self._beats[first:last]
        if not beats.sum():
            return None
        mean: FloatArray = beats @ self._chances[first:last] / beats.sum()
        return mean


def _groups(states: Space) -> tuple[IntArray, Mapping[Said, int]]:
    """(S,) a number for the states that have one name, and the numbers by name."""
    names: dict[Said, int] = {}
    groups = np.empty(states.size, np.int64)
    for state, (key, chord) in enumerate(zip(states.key, states.chord, strict=True)):
        said = _of_chord(states.keys[key], states.chords[chord])
        groups[state] = names.setdefault(said, len(names))
    return groups, names


def fit(score: Score, labels: Sequence[HumanLabel]) -> float:
    """Share of the sounding time that is on tones of the chords written: whether both fit."""
    fitting = total = Fraction(0)
    for label in labels:
        if label.chord is None:
            continue
        tones = {label.key.tonic.fifths + member for member in every_chord()[label.chord].members}
        for part in score.parts:
            for note in part.notes:
                shared = min(note.end, label.onset + label.duration) - max(note.onset, label.onset)
                if shared > 0:
                    total += shared
                    fitting += shared * (note.pitch.pitch_class.fifths in tones)
    return float(fitting / total) if total else 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """A given analysis beside ours."""

    name: str  # of the given one
    fit: float  # share of what sounds that is on tones of the given chords
    tally: Tally
    cadences: tuple[CadencePair, ...]


def compared(
    name: str, labels: Sequence[HumanLabel], heard: Heard, analysis: Analysis
) -> Comparison:
    """Hold a given analysis of a score against ours.

    Args:
        name: of the given one.
        labels: its chords, in order.
        heard: the score as the model hears it.
        analysis: ours of it.
    """
    tally = Tally()
    ranks = Ranks(heard.found, heard.chances)
    compare(labels, analysis.score.chords, tally, ranks=ranks)
    pairs = cadence_pairs(analysis.score, labels, analysis.score.chords)
    return Comparison(name, fit(analysis.score, labels), tally, pairs)


# --- cadences -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CadencePair:
    """What two analyses make of a phrase end."""

    end: Fraction  # of the phrase
    theirs: str | None  # id of a kind, None if it makes none
    ours: str | None
    in_key: bool  # whether both hear one key

    @property
    def agree(self) -> bool:
        """Whether both make one kind."""
        return self.theirs is not None and self.theirs == self.ours


def cadence_pairs(
    score: Score, truth: Sequence[HumanLabel], said: Sequence[ChordLabel]
) -> tuple[CadencePair, ...]:
    """The cadences that two analyses make at each phrase end.

    Args:
        score: with its phrase ends.
        truth: the given analysis; chords that are not known are left out.
        said: the program's.
    """
    human = tuple(
        ChordLabel(each.onset, each.duration, each.key, every_chord()[each.chord].symbol)
        for each in truth
        if each.chord is not None
    )
    ends = sorted(score.phrase_ends)
    sides = []
    for labels in (human, tuple(said)):
        made = label_with(score, labels).cadences
        sides.append({bisect_right(ends, each.onset): each for each in made})
    found = []
    for end in sorted({*sides[0], *sides[1]}):
        one, other = (side.get(end) for side in sides)
        kinds = [each.kind if each and each.kind != OTHER else None for each in (one, other)]
        in_key = bool(one and other and one.key == other.key)
        time = ends[end] if end < len(ends) else score.duration
        found.append(CadencePair(time, kinds[0], kinds[1], in_key))
    return tuple(found)


def f1(pairs: Sequence[CadencePair], *, in_key: bool = False) -> float:
    """Harmonic mean of precision and recall of cadence kinds, 0 to 1; nan where there is none.

    Args:
        pairs: of phrase ends.
        in_key: count only those that both hear in one key.
    """
    true = sum(each.theirs is not None for each in pairs)
    said = sum(each.ours is not None for each in pairs)
    both = sum(each.agree and (each.in_key or not in_key) for each in pairs)
    return 2 * both / (true + said) if true + said else nan
