"""From an exercise to a lattice: the bridge between the rules of species and the search.

A slot is a time at which some voice may strike. A candidate is a state: the moment that sounds,
the note that each voice left before, and what its rhythm may still do in the bar. So rules on
single moments, on neighbours and on three notes of a line all become costs of candidates and of
pairs, exactly; and only states that can be reached are made. Where no voice strikes at a slot a
state is carried on as it is. Rules on whole lines are judged while the search walks
(`musegen.species.judge`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from musegen.errors import InfeasibleError
from musegen.search.lattice import BoolArray, FloatArray, IntArray, Lattice, PairTable
from musegen.species.endings import Endings
from musegen.species.exercise import BAR_TICKS, METRE, Exercise
from musegen.species.rhythms import (
    Automaton,
    RhythmState,
    automaton,
    followers,
    kind_of_bar,
    step,
)
from musegen.species.taste import taste, taste_of_line
from theory_kb.metre import beat_strength
from theory_kb.moment import LICENCES, REST, TICKS, Moments, blank_moments
from theory_kb.rule_sets import RuleSet, broken, costs, pair_table, rule_set

__all__ = ["Problem", "States", "Time", "build_problem", "place_name"]

STRUCK, HELD, SILENT = "struck", "held", "rest"  # what a voice may do at a slot
WIDEST_LEAP = 7  # staff steps: an octave; nothing wider is proposed
CROSSING = 4  # semitones by which neighbours may cross, nothing wider is proposed
APART = 24  # semitones between neighbouring voices; wider ones are never proposed

Pattern = tuple[str, ...]  # what each free voice does at a slot
Rhythms = tuple[RhythmState, ...]  # of each free voice
CostTable = tuple[IntArray, NDArray[np.int32], FloatArray]  # rows, successors, costs


@dataclass(frozen=True, slots=True)
class Time:
    """A slot's place."""

    slot: int
    bar: int  # from 0
    offset: Fraction  # part of the bar

    @property
    def onset(self) -> int:
        """Ticks from the start."""
        return self.bar * BAR_TICKS + int(self.offset * BAR_TICKS)


@dataclass(frozen=True, slots=True)
class States:
    """The candidates of one slot."""

    time: Time
    moments: Moments  # (M,) what may sound
    moment: IntArray  # (N,) index of each state's moment
    earlier: Moments  # (N,) the note that each voice left before
    rhythm: IntArray  # (N,) index of what the rhythms of the voices may still do
    rhythms: tuple[Rhythms, ...]
    cost: FloatArray  # (N,) of unary rules; 0 where a state is carried on

    def sounding(self) -> Moments:
        """The moment of each state, (N,)."""
        return self.moments[self.moment]


@dataclass(frozen=True, slots=True)
class Problem:
    """An exercise ready to be searched."""

    exercise: Exercise
    slots: tuple[States, ...]
    lattice: Lattice


@dataclass(frozen=True)
class _Bridge:
    """An exercise with the compiled rules of its style and the rhythms of its voices."""

    exercise: Exercise
    endings: Endings
    automata: tuple[Automaton, ...] = field(default=())  # of each free voice

    @cached_property
    def unary(self) -> RuleSet:
        return rule_set(self.exercise.style, "unary", "surface")

    @cached_property
    def pair(self) -> RuleSet:
        return rule_set(self.exercise.style, "pair", "surface")

    @cached_property
    def line(self) -> RuleSet:
        return rule_set(self.exercise.style, "line", "surface")

    def kind(self, bar: int) -> str:
        return kind_of_bar(bar, self.exercise.bars)

    def times(self) -> Iterator[Time]:
        """Every time at which a voice may strike."""
        slot = 0
        for bar in range(self.exercise.bars):
            offsets = {Fraction(0)}
            for each in self.automata:
                offsets |= each.offsets(self.kind(bar))
            for offset in sorted(offsets):
                yield Time(slot, bar, offset)
                slot += 1


def build_problem(exercise: Exercise) -> Problem:
    """The lattice of an exercise.

    Raises:
        InfeasibleError: no state is left at some slot under the rules on at most three moments.
    """
    style, voices = exercise.style, exercise.voices
    automata = tuple(automaton(style, exercise.species[voice], voices) for voice in exercise.free)
    bridge = _Bridge(exercise, Endings(exercise), automata)
    first, *others = bridge.times()
    slots, tables = [_opening(bridge, first)], []
    for time in others:
        states, table = _grown(bridge, slots[-1], time)
        slots.append(states)
        tables.append(table)
    return Problem(exercise, tuple(slots), Lattice(tuple(s.cost for s in slots), tuple(tables)))


def place_name(time: Time) -> str:
    """Bar and beat of a slot in words, in halves."""
    return f"bar {time.bar + 1}, beat {float(time.offset * METRE[0]) + 1:g}"


# --- what the rhythms allow -----------------------------------------------------------------


def _entries(bridge: _Bridge, before: Rhythms | None, bar: int) -> dict[Pattern, Rhythms]:
    """How a bar may begin after what came before, with the rhythms after its downbeat."""
    last = bar == bridge.exercise.bars - 1
    following = None if last else bridge.kind(bar + 1)
    ways = [
        each.enter(
            None if before is None else followers(before[place]), bridge.kind(bar), following
        )
        for place, each in enumerate(bridge.automata)
    ]
    return {
        tuple(entry for entry, _ in chosen): tuple(state for _, state in chosen)
        for chosen in product(*(each.items() for each in ways))
    }


def _inside(before: Rhythms, offset: Fraction) -> dict[Pattern, Rhythms]:
    """What the voices may do at an offset inside a bar."""
    ways = [step(state, offset) for state in before]
    return {
        tuple(STRUCK if strikes else HELD for strikes, _ in chosen): tuple(s for _, s in chosen)
        for chosen in product(*(each.items() for each in ways))
    }


# --- the first slot -------------------------------------------------------------------------


def _opening(bridge: _Bridge, time: Time) -> States:
    silence = _blank(bridge.exercise, time, 1)
    entries = _entries(bridge, None, time.bar)
    proposed = [_proposed(bridge.exercise, silence, time, pattern)[1] for pattern in entries]
    moments = np.concatenate(proposed)
    kinds = np.repeat(np.arange(len(entries)), [len(each) for each in proposed])
    price = costs(bridge.unary, moments, moments, moments)
    price = np.where(bridge.endings.open_well(moments), price, np.inf)
    price += taste(bridge.exercise, np.repeat(silence, len(moments)), moments)
    legal = np.isfinite(price)
    if not legal.any():
        raise InfeasibleError(0, _nothing_left(bridge, time, moments, moments))
    moments = moments[legal]
    return States(
        time,
        moments,
        np.arange(len(moments)),
        _silent(moments),
        kinds[legal],
        tuple(entries.values()),
        price[legal],
    )


def _silent(moments: Moments) -> Moments:
    earlier = moments.copy()
    earlier["semitone"] = REST
    return earlier


def _blank(exercise: Exercise, time: Time, count: int) -> Moments:
    """Moments of a slot in which only the cantus sounds, with all that is declared."""
    moments = blank_moments(count, exercise.voices)
    last = time.bar == exercise.bars - 1
    moments["onset"], moments["bar"] = time.onset, time.bar + 1
    moments["position"] = int(time.offset * BAR_TICKS)
    moments["strength"] = beat_strength(*METRE, int(time.offset * BAR_TICKS))
    moments["cantus"] = exercise.place
    moments["species"][:, : exercise.voices] = exercise.species
    moments["licences"] = LICENCES["modal"]
    moments["phrase_end"] = moments["final"] = last
    moments["opening"] = time.onset == 0
    cantus = exercise.cantus[time.bar]
    moments["step"][:, exercise.place] = cantus.step
    moments["semitone"][:, exercise.place] = cantus.semitone
    moments["attack"][:, exercise.place] = time.offset == 0
    return moments


# --- from slot to slot ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Grown:
    """Ways on from the states of a slot."""

    source: IntArray  # (K,) state
    moment: IntArray  # (K,) moment of the new slot
    rhythm: IntArray  # (K,)
    cost: FloatArray  # (K,)


def _grown(bridge: _Bridge, before: States, time: Time) -> tuple[States, PairTable]:
    patterns, after, rhythms = _patterns(bridge, before, time)
    carried, kept = np.zeros(0, np.int64), before.moments[:0]
    ways: list[_Grown] = []
    if time.offset and (still := (HELD,) * len(bridge.automata)) in patterns:
        stays = after[before.rhythm, patterns.index(still)]
        source = np.flatnonzero(stays >= 0)
        carried, inverse = np.unique(before.moment[source], return_inverse=True)
        kept = before.moments[carried]
        ways.append(_Grown(source, inverse, stays[source], np.zeros(len(source))))
        after[:, patterns.index(still)] = -1
    moments, pattern, gate = _successors(bridge, before, time, patterns, after)
    price = costs(bridge.unary, moments, moments, moments)
    table = pair_table(bridge.pair, before.moments, moments, gate & np.isfinite(price))
    if time.bar == bridge.exercise.bars - 1:
        table = _closing(bridge, before, moments, table)
    found = _struck_ways(bridge, before, moments, (pattern, after), table)
    ways.append(_Grown(found.source, found.moment + len(carried), found.rhythm, found.cost))
    if not sum(len(each.source) for each in ways):
        places = np.nonzero(gate)
        problem = _nothing_left(bridge, time, before.moments[places[0]], moments[places[1]])
        raise InfeasibleError(time.slot, problem)
    everything = np.concatenate([kept, moments])
    unary = np.concatenate([np.zeros(len(carried)), price])
    return _joined(before, time, (everything, unary), rhythms, ways)


def _patterns(
    bridge: _Bridge, before: States, time: Time
) -> tuple[list[Pattern], IntArray, tuple[Rhythms, ...]]:
    """What the voices may do here, and for each rhythm and pattern the rhythm after it, -1 if none."""
    known: dict[Rhythms, int] = {}
    patterns: dict[Pattern, int] = {}
    ways = []
    for state in before.rhythms:
        found = _inside(state, time.offset) if time.offset else _entries(bridge, state, time.bar)
        ways.append(found)
        for pattern, rhythm in found.items():
            patterns.setdefault(pattern, len(patterns))
            known.setdefault(rhythm, len(known))
    after = np.full((len(ways), len(patterns)), -1, np.int64)
    for row, found in enumerate(ways):
        for pattern, rhythm in found.items():
            after[row, patterns[pattern]] = known[rhythm]
    return list(patterns), after, tuple(known)


def _successors(
    bridge: _Bridge, before: States, time: Time, patterns: Sequence[Pattern], after: IntArray
) -> tuple[Moments, IntArray, BoolArray]:
    """Moments that may be struck here, the pattern of each, and after which moment each may come."""
    chosen, kinds, gates = [], [], []
    for number, pattern in enumerate(patterns):
        rows = np.unique(before.moment[after[before.rhythm, number] >= 0])
        if not len(rows):
            continue
        places, moments = _proposed(bridge.exercise, before.moments[rows], time, pattern)
        moments, inverse = _distinct(moments)
        gate = np.zeros((len(before.moments), len(moments)), bool)
        gate[rows[places], inverse] = True
        chosen.append(moments)
        kinds.append(np.full(len(moments), number))
        gates.append(gate)
    if not chosen:
        return before.moments[:0], np.zeros(0, np.int64), np.zeros((len(before.moments), 0), bool)
    moments = np.concatenate(chosen)
    gate = np.concatenate(gates, axis=1)
    if time.bar == bridge.exercise.bars - 2 and not time.offset:
        gate &= bridge.endings.prepare_well(moments)
    gate &= bridge.endings.open_well(moments)
    return moments, np.concatenate(kinds), gate


def _closing(bridge: _Bridge, before: States, moments: Moments, table: CostTable) -> CostTable:
    """A pair table without what no line may close by."""
    indptr, successors, price = table
    rows = np.repeat(np.arange(len(before.moments)), np.diff(indptr))
    kept = bridge.endings.close_well(before.moments[rows], moments[successors])
    return np.concatenate([[0], np.cumsum(kept)])[indptr], successors[kept], price[kept]


def _distinct(moments: Moments) -> tuple[Moments, IntArray]:
    rows = np.concatenate([moments["semitone"], moments["step"], moments["opening"][:, None]], 1)
    _, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return moments[first], inverse.reshape(-1)


def _proposed(
    exercise: Exercise, before: Moments, time: Time, pattern: Pattern
) -> tuple[IntArray, Moments]:
    """Moments that voices may make by striking new notes, each with its place in `before`."""
    options = []
    for voice, does in zip(exercise.free, pattern, strict=True):
        pitches = exercise.choices(voice, time.bar) if does == STRUCK else (None,)
        options.append(
            [(REST, REST) if each is None else (each.step, each.semitone) for each in pitches]
        )
    grid = np.array(list(product(*options)), np.int64).reshape(-1, len(pattern), 2)
    places = np.repeat(np.arange(len(before)), len(grid))
    moments = _blank(exercise, time, len(places))
    for column, (voice, does) in enumerate(zip(exercise.free, pattern, strict=True)):
        if does == STRUCK:
            moments["step"][:, voice] = np.tile(grid[:, column, 0], len(before))
            moments["semitone"][:, voice] = np.tile(grid[:, column, 1], len(before))
            moments["attack"][:, voice] = 1
        elif does == HELD:
            for name in ("step", "semitone"):
                moments[name][:, voice] = before[name][places, voice]
    moments["opening"] |= _enters(exercise, before[places], moments)
    kept = _near(exercise, before[places], moments)
    return places[kept], moments[kept]


def _enters(exercise: Exercise, before: Moments, now: Moments) -> IntArray:
    """Whether every free voice that strikes here enters here, as `write_declared` marks it."""
    free = list(exercise.free)
    struck = now["attack"][:, free] == 1
    silent = before["semitone"][:, free] == REST
    enters: IntArray = (struck.any(axis=1) & (~struck | silent).all(axis=1)).astype(np.int8)
    return enters


def _near(exercise: Exercise, before: Moments, now: Moments) -> BoolArray:
    """What is proposed at all: no leap beyond an octave, no far crossing, eighths by step."""
    kept = np.ones(len(now), bool)
    for voice in exercise.free:
        sounded = (before["semitone"][:, voice] != REST) & (now["semitone"][:, voice] != REST)
        moved = np.abs(now["step"][:, voice] - before["step"][:, voice])
        kept &= ~sounded | (moved <= WIDEST_LEAP)
        if exercise.species[voice] == 5:
            quick = (before["position"] % TICKS != 0) | (now["position"] % TICKS != 0)
            struck = sounded & (now["attack"][:, voice] == 1)
            kept &= ~(quick & struck) | (moved == 1)
    voices = exercise.voices
    semitones = now["semitone"][:, :voices].astype(np.int64)
    gaps = semitones[:, :-1] - semitones[:, 1:]
    silent = (semitones[:, :-1] == REST) | (semitones[:, 1:] == REST)
    kept &= (silent | ((gaps >= -CROSSING) & (gaps <= APART))).all(axis=1)
    return kept


def _struck_ways(
    bridge: _Bridge,
    before: States,
    moments: Moments,
    kinds: tuple[IntArray, IntArray],
    table: CostTable,
) -> _Grown:
    """Ways on in which some voice strikes, that break no hard rule."""
    indptr, successors, price = table
    pattern, after = kinds
    rows = np.repeat(np.arange(len(before.moments)), np.diff(indptr))
    price = price + taste(bridge.exercise, before.moments[rows], moments[successors])
    counts = np.diff(indptr)[before.moment]
    source = np.repeat(np.arange(len(before.moment)), counts)
    starts = np.repeat(
        indptr[before.moment] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts
    )
    entry = starts + np.arange(len(source))
    target = successors[entry].astype(np.int64)
    rhythm = after[before.rhythm[source], pattern[target]]
    kept = np.flatnonzero(rhythm >= 0)
    source, target, rhythm, total = source[kept], target[kept], rhythm[kept], price[entry[kept]]
    line = before.earlier[source], before.sounding()[source], moments[target]
    total = total + costs(bridge.line, *line) + taste_of_line(bridge.exercise, *line)
    legal = np.isfinite(total)
    return _Grown(source[legal], target[legal], rhythm[legal], total[legal])


def _joined(
    before: States,
    time: Time,
    moments: tuple[Moments, FloatArray],
    rhythms: tuple[Rhythms, ...],
    ways: Sequence[_Grown],
) -> tuple[States, PairTable]:
    """The states that ways on lead to, each once, and the table of the ways."""
    source, moment, rhythm = (
        np.concatenate([getattr(each, name) for each in ways])
        for name in ("source", "moment", "rhythm")
    )
    price = np.concatenate([each.cost for each in ways])
    earlier = _left(before.earlier[source], before.sounding()[source], moments[0][moment])
    voices = int(moments[0]["voices"][0])
    keys = np.concatenate(
        [
            moment[:, None],
            rhythm[:, None],
            earlier["semitone"][:, :voices],
            np.where(earlier["semitone"] == REST, 0, earlier["step"])[:, :voices],
        ],
        axis=1,
    )
    _, first, target = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    target = target.reshape(-1)
    order = np.lexsort((target, source))
    counts = np.bincount(source, minlength=len(before.moment))
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    table = PairTable(indptr, target[order].astype(np.int32), price[order])
    states = States(
        time,
        moments[0],
        moment[first],
        earlier[first],
        rhythm[first],
        rhythms,
        moments[1][moment[first]],
    )
    return states, table


def _left(earlier: Moments, before: Moments, now: Moments) -> Moments:
    """The note that each voice left before the one it has now, as `earlier_notes` tells it."""
    left = earlier.copy()
    moved = before["semitone"] != now["semitone"]
    moved &= (before["semitone"] != REST) & (now["semitone"] != REST)
    for name in ("step", "semitone"):
        left[name] = np.where(moved, before[name], left[name])
    return left


def _nothing_left(bridge: _Bridge, time: Time, before: Moments, now: Moments) -> str:
    """Say where nothing goes on, and which rules took the most."""
    counts: dict[str, int] = {}
    for rules, first in ((bridge.unary, now), (bridge.pair, before)):
        fired = broken(rules, first, first, now)[:, : rules.hard].sum(axis=0)
        counts.update(
            {name: int(count) for name, count in zip(rules.ids, fired, strict=False) if count}
        )
    guilty = ", ".join(
        f"{name} ({counts[name]})" for name in sorted(counts, key=lambda n: -counts[n])
    )
    return (
        f"{place_name(time)}: none of {len(now)} ways on is left; removed by "
        f"{guilty or 'rules on three notes of a line'}"
    )
