"""Local keys and chords of a score: the best path of a hand-weighted Viterbi search.

States are chords of the vocabulary in the keys near home. A state's score at a beat comes from
the spelled notes that sound there (how long, on or off the beat, how they are left and reached), a
step's score from the progression grades of the knowledge graph. Keys change through a common
chord, more easily at phrase ends. The plan is that of Temperley (The Cognition of Basic Musical
Structures, 2001, ch. 6-7) with graph grades in place of line-of-fifths distance.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from musegen.analysis.kernels import viterbi_keys
from musegen.score import ChordLabel, Note, Score
from musegen.slices import beat_spans, phrase_spans
from theory_kb.chords import Chord, chord, vocabulary
from theory_kb.metre import beat_strength
from theory_kb.moment import TICKS
from theory_kb.pitch import MODES, Key
from theory_kb.query import grade_table

__all__ = ["Weights", "label_beats", "label_chords", "near_keys"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

REACH = 24  # places kept on each side of the home tonic on the line of fifths
WIDTH = 2 * REACH + 1
RAISED = {"major": (), "minor": (3, 5)}  # raised sixth and seventh belong to minor too
PRUNE = 14.0  # states so much worse than a beat's best are left out
FULL = 0.5  # weight, in beats, from which a tone counts as present


@dataclass(frozen=True, slots=True)
class Weights:
    """Prices, in one common unit; larger is worse."""

    foreign: float = 3.0  # per beat of a tone outside the chord
    outside: float = 0.8  # per beat of a tone outside the local key's scale
    bass: float = 2.2  # per beat of a bass that is not the chord's
    missing: tuple[float, ...] = (2.4, 1.6, 0.3, 3.4)  # root, third, fifth, seventh not there
    missing_altered_fifth: float = 1.4  # the fifth, where it is what makes the chord
    use: tuple[float, ...] = (0.0, 1.0, 2.2)  # common, occasional, rare chord
    away: float = 0.15  # per beat in another key than home
    grades: tuple[float, ...] = (2.6, 0.9, 0.35, 0.0)  # progression avoided, C, B, A
    stay_strong: float = 0.5  # going on with one chord into a strong beat
    pivot: float = 2.2  # change of key through a common chord
    jump: float = 6.5  # change of key without one
    pivot_boundary: float = 1.4  # both after a phrase end
    jump_boundary: float = 2.0
    late: float = 3.0  # more for a change of key at a phrase's last chord
    boundary: float = 0.25  # share of the progression's price across a phrase end
    close: tuple[float, ...] = (0.0, 0.7, 2.0)  # phrase ends on root-position tonic, V, other
    final_away: float = 4.0  # the last chord in another key than home


USES = ("common", "occasional", "rare")
STRONG = 3  # beat strength
HELD, LEFT, LIGHT = 0.35, 0.7, 0.7
PASSING, ACCENTED_PASSING, ANTICIPATION = 0.25, 0.7, 0.3
ON_BEAT = 1.5  # weight of what sounds at the start of a beat, off it 1


def label_chords(score: Score, *, weights: Weights | None = None) -> tuple[ChordLabel, ...]:
    """Chords of a score; beats of one chord are joined, but not across a phrase end.

    Args:
        score: with phrase ends, as far as they are known.
        weights: prices, if not the usual ones.
    """
    ends = {end for *_, end in phrase_spans(score)}
    joined: list[ChordLabel] = []
    for label in label_beats(score, weights=weights):
        last = joined[-1] if joined else None
        same = last is not None and (last.key, last.numeral) == (label.key, label.numeral)
        if last is not None and same and label.onset not in ends:
            joined[-1] = replace(last, duration=last.duration + label.duration)
        else:
            joined.append(label)
    return tuple(joined)


def label_beats(score: Score, *, weights: Weights | None = None) -> tuple[ChordLabel, ...]:
    """One chord for each beat of a score.

    Raises:
        UnknownNameError: a metre that is not known.
    """
    prices = weights or Weights()
    spans = beat_spans(score)
    if not spans:
        return ()
    space = _space(score.key, prices)
    emission = _emission(score, spans, space, prices)
    path = viterbi_keys(
        emission,
        -_grade_prices(prices),
        space.chord,
        space.first,
        space.group,
        int(space.group.max()) + 1,
        *_step_prices(score, spans, prices),
    )
    chords = vocabulary()
    return tuple(
        ChordLabel(
            start, end - start, space.keys[space.key[state]], chords[space.chord[state]].symbol
        )
        for (start, end), state in zip(spans, path, strict=True)
    )


def near_keys(home: Key) -> tuple[Key, ...]:
    """Home and the keys within one accidental of it in both modes; for a major home its parallel.

    The parallel of a minor home is left out: there the major tonic is a Picardy third.
    """
    keys = [home, home.relative]
    for shift in (1, -1):
        near = Key(home.tonic.transposed(shift), home.mode)
        keys += [near, near.relative]
    return (*keys, home.parallel) if home.mode == "major" else tuple(keys)


# --- the states -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Space:
    """States of a home key: every chord of every near key."""

    keys: tuple[Key, ...]
    origin: int  # line of fifths of the first column
    key: IntArray  # (S,)
    chord: IntArray  # (S,)
    first: IntArray  # (K + 1,)
    group: IntArray  # (S,) same tones, same bass
    tones: FloatArray  # (S, WIDTH) 1 where the chord has the tone
    bass: FloatArray  # (S, WIDTH) 1 at the chord's bass
    missing: FloatArray  # (S, WIDTH) price of the tone's absence
    outside: FloatArray  # (K, WIDTH) 1 where a tone is outside the scale
    prior: FloatArray  # (S,) price
    close: FloatArray  # (S,) price at a phrase end


@lru_cache(maxsize=64)
def _space(home: Key, prices: Weights) -> _Space:
    keys = near_keys(home)
    origin = home.tonic.fifths - REACH
    states = [
        (k, each) for k, key in enumerate(keys) for each in vocabulary() if each.mode == key.mode
    ]
    tones, bass, missing = (np.zeros((len(states), WIDTH)) for _ in range(3))
    sounds: dict[tuple[object, ...], int] = {}
    group = np.zeros(len(states), np.int64)
    for row, (k, each) in enumerate(states):
        shift = keys[k].tonic.fifths - origin
        columns = [shift + member for member in each.members]
        tones[row, columns] = 1
        bass[row, shift + each.bass] = 1
        missing[row, columns] = _missing(each, prices)
        group[row] = sounds.setdefault((*columns, each.inversion), len(sounds))
    key = np.array([k for k, _ in states])
    return _Space(
        keys,
        origin,
        key,
        np.array([each.index for _, each in states]),
        np.searchsorted(key, np.arange(len(keys) + 1)),
        group,
        tones,
        bass,
        missing,
        np.array([_outside(near, origin) for near in keys]),
        np.array([_prior(each, prices) + prices.away * (k > 0) for k, each in states]),
        np.array([_close(each, prices) for _, each in states]),
    )


def _missing(each: Chord, prices: Weights) -> list[float]:
    costs = list(prices.missing[: len(each.members)])
    if each.members[2] - each.members[0] != 1:
        costs[2] = prices.missing_altered_fifth
    return costs


def _outside(key: Key, origin: int) -> FloatArray:
    row = np.ones(WIDTH)
    for place in (*MODES[key.mode], *RAISED[key.mode]):
        row[key.tonic.fifths - origin + place] = 0
    return row


def _prior(each: Chord, prices: Weights) -> float:
    return prices.use[USES.index(each.use)]


def _close(each: Chord, prices: Weights) -> float:
    """Price of a phrase's last chord; the major tonic of minor is at home there."""
    if each.numeral in ("I", "i") and each.inversion == 0:
        return prices.close[0] - _prior(each, prices)
    return prices.close[1] if each.symbol == "V" else prices.close[2]


# --- what sounds ----------------------------------------------------------------------------


def _emission(
    score: Score, spans: Sequence[tuple[Fraction, Fraction]], space: _Space, prices: Weights
) -> FloatArray:
    """Log scores of the states at each beat, (T, S); far worse ones than the best are -inf."""
    heavy, low = (np.zeros((len(spans), WIDTH)) for _ in range(2))
    for row, span in enumerate(spans):
        _hear(score, span, space.origin, heavy[row], low[row])
    there = np.minimum(heavy / FULL, 1)
    price = prices.foreign * _by_state(heavy, 1 - space.tones)
    price += prices.outside * _by_state(heavy, space.outside)[:, space.key]
    price += prices.bass * _by_state(low, 1 - space.bass)
    price += _by_state(1 - there, space.missing) + space.prior
    price[_closing_beats(score, spans)] += space.close
    price[-1] += prices.final_away * (space.key > 0)
    result: FloatArray = -price
    result[price > price.min(axis=1, keepdims=True) + PRUNE] = -np.inf
    return result


def _by_state(beats: FloatArray, states: FloatArray) -> FloatArray:
    """Sums over tones, (T, W) and (S, W) to (T, S); small, so threads of BLAS would only wait."""
    sums: FloatArray = np.einsum("tw,sw->ts", beats, states)
    return sums


def _hear(
    score: Score, span: tuple[Fraction, Fraction], origin: int, heavy: FloatArray, low: FloatArray
) -> None:
    """Weigh the tones of one beat, and those of its bass."""
    start, end = span
    heard = [
        _Heard(part.notes, place, start, end)
        for part in score.parts
        for place in _inside(part.notes, start, end)
    ]
    for each in heard:
        heavy[each.fifths - origin] += each.share(each.note.onset, each.note.end)
    for time, following in pairwise(
        sorted({max(each.note.onset, start) for each in heard} | {end})
    ):
        now = [each for each in heard if each.note.onset <= time < each.note.end]
        if now:
            bass = min(now, key=lambda each: each.note.pitch.semitone)
            low[bass.fifths - origin] += bass.share(time, following)


@dataclass(frozen=True, slots=True)
class _Heard:
    """A note of a line as it is heard in one beat."""

    notes: Sequence[Note]
    place: int
    start: Fraction
    end: Fraction

    @property
    def note(self) -> Note:
        return self.notes[self.place]

    @property
    def fifths(self) -> int:
        return self.note.pitch.pitch_class.fifths

    def share(self, begin: Fraction, stop: Fraction) -> float:
        """Weight of a stretch of the note, in beats."""
        begin, stop = max(begin, self.start), min(stop, self.end)
        share = float((stop - begin) / (self.end - self.start))
        accent = ON_BEAT if begin == self.start else 1.0
        return share * accent * _substance(self.notes, self.place, self.start, self.end)


def _inside(notes: Sequence[Note], start: Fraction, end: Fraction) -> list[int]:
    first = max(bisect_right(notes, start, key=lambda note: note.onset) - 1, 0)
    last = bisect_left(notes, end, key=lambda note: note.onset)
    return [place for place in range(first, last) if notes[place].end > start]


def _substance(notes: Sequence[Note], place: int, start: Fraction, end: Fraction) -> float:
    """How much a note counts: 1, less if its line treats it as an ornament."""
    note = notes[place]
    before = notes[place - 1] if place and notes[place - 1].end == note.onset else None
    after = notes[place + 1] if place + 1 < len(notes) else None
    if after is None or after.onset != note.end:
        return 1.0
    on_beat = note.onset <= start
    down = after.pitch.step == note.pitch.step - 1
    tied = note.onset < start or (before is not None and before.pitch == note.pitch)
    if on_beat and down and tied and note.end <= end:
        return HELD if note.end < end else LEFT
    stepwise = (
        before is not None
        and abs(after.pitch.step - note.pitch.step) == 1
        and abs(note.pitch.step - before.pitch.step) == 1
    )
    short = 2 * note.duration <= end - start
    if not short:
        return 1.0
    if stepwise:
        return ACCENTED_PASSING if on_beat else PASSING
    if on_beat:
        return 1.0
    return ANTICIPATION if after.pitch == note.pitch else LIGHT


# --- steps ----------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _grade_prices(prices: Weights) -> FloatArray:
    """Price of chord after chord; the major tonic of minor is reached and left as the minor one."""
    table: FloatArray = np.asarray(prices.grades)[grade_table()]
    picardy, tonic = chord("minor", "I").index, chord("minor", "i").index
    table[:, picardy] = table[:, tonic]
    table[picardy] = table[tonic]
    np.fill_diagonal(table, 0.0)
    return table


def _closing_beats(score: Score, spans: Sequence[tuple[Fraction, Fraction]]) -> BoolArray:
    """Beats of the phrases' last chords: from where the soprano's last note begins."""
    starts = [start for start, _ in spans]
    closing = np.zeros(len(spans), bool)
    for begin, *_, end in phrase_spans(score):
        last = [note.onset for note in score.parts[0].notes if begin <= note.onset < end]
        if last:
            first = bisect_right(starts, last[-1]) - 1
            closing[first : bisect_left(starts, end)] = True
    return closing


def _step_prices(
    score: Score, spans: Sequence[tuple[Fraction, Fraction]], prices: Weights
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """For each beat: share of the grade price, score of staying, prices of pivot and jump."""
    ends = [end for *_, end in phrase_spans(score)]
    phrase = np.array([bisect_right(ends, start) for start, _ in spans])
    boundary = np.diff(phrase, prepend=0) > 0
    closing = _closing_beats(score, spans)
    strong = np.array([_strength(score, start) >= STRONG for start, _ in spans])
    late = prices.late * closing
    return (
        np.where(boundary, prices.boundary, 1.0),
        np.where(strong & ~closing, -prices.stay_strong, 0.0),
        np.where(boundary, prices.pivot_boundary, prices.pivot) + late,
        np.where(boundary, prices.jump_boundary, prices.jump) + late,
    )


def _strength(score: Score, onset: Fraction) -> int:
    _, beat = score.bar_and_beat(onset)
    metre = score.metre_at(onset)
    position = int((beat - 1) * Fraction(4, metre.unit) * TICKS)
    return beat_strength(metre.beats, metre.unit, position)
