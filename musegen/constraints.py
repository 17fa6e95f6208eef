"""The one bridge between theory and search: a plan and a style become a lattice.

For each slot: every voicing of every chord the plan allows, as moments that the rule kernels
judge; unary rules remove and cost candidates. For each pair of neighbouring slots: which
candidate may follow which, and at what cost. Rules that look further back, and themes that
return, are judged during the search (`LongRules`).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from musegen.encoding import tonic_reference
from musegen.errors import InfeasibleError
from musegen.models.protocol import (
    FEATURE_SIZES,
    LOWEST,
    BoolArray,
    Candidates,
    FloatArray,
    IntArray,
)
from musegen.plan.plan import ANY, COMMON, CONDITIONAL, Harmony, Plan, Slot, where
from musegen.search.lattice import Lattice, PairTable
from theory_kb.check import RuleSet, Style, broken, costs, pair_table, rule_set
from theory_kb.chords import Chord, set_harmony, spell, vocabulary
from theory_kb.moment import NON_CHORD, REST, TICKS, Moments, blank_moments
from theory_kb.pitch import MODES, Key, Pitch, PitchClass
from theory_kb.query import grade_table, pivots, voice_range
from theory_kb.rules.phrase import cadence_kind

__all__ = ["LongRules", "Problem", "SlotCandidates", "build_problem", "link", "spelled"]

VOICE_NAMES = ("Soprano", "Alto", "Tenor", "Bass")
GAP_UPPER = 12  # semitones between neighbouring upper voices; wider ones are never proposed
GAP_LOWER = 24  # semitones between tenor and bass
THEME_COST = 6.0  # nats for a soprano note that leaves the theme it takes up
STAY_COST = 1.2  # nats for a beat on which nothing moves
REPEAT_COST = 0.5  # nats for a beat on which the soprano repeats its note
GRADE_COST = {3: 0.0, 2: 0.7, 1: 2.5, 0: 5.0}  # nats by grade: normative, common, conditional
SPREAD = 0.7  # nats by the logarithm of the number of voicings that a chord has
DEAR = 4.0  # nats; a voicing that costs so much more than its chord's best is left out
THREADS = 2  # that judge pairs side by side
PIVOT_COST = 0.8  # nats for changing the key, so that it happens once


OFF_BEAT = 1  # strength of the middle of a beat
MEMBERS = ("root", "third", "fifth", "seventh")
FORBIDDEN = -1  # grade of what may not stand even where all may
ACCENT_COST = 1.5  # nats for hearing a given note as an accented non-chord tone

Bound = tuple[tuple[Pitch, ...], ...]  # for each voice the pitches it is bound to, none if free


@dataclass(frozen=True, slots=True)
class SlotCandidates:
    """The candidates of one slot."""

    moments: Moments  # (N,)
    harmony: IntArray  # (N,) index into the slot's harmonies
    cost: FloatArray  # (N,) soft cost of unary rules
    halves: tuple[Moments, Moments] | None = None  # as given voices move: onset, middle; (N,) each


@dataclass(frozen=True, slots=True)
class Problem:
    """A plan in a style, ready to be searched."""

    plan: Plan
    style: Style
    slots: tuple[SlotCandidates, ...]
    lattice: Lattice
    long_rules: LongRules


def build_problem(plan: Plan, style: Style, *, constrained: bool = True) -> Problem:
    """The lattice of a plan.

    Args:
        plan: what is to be written.
        style: which rules, how strict.
        constrained: False leaves out all rules but keeps the plan's chords, to measure what the
            models propose on their own.

    Raises:
        InfeasibleError: a slot has no candidate left under the unary rules.
    """
    rules = _rules(style, constrained=constrained)
    slots = tuple(_slot_candidates(place, plan, rules) for place in range(len(plan.slots)))
    lattice = Lattice(tuple(slot.cost for slot in slots), _pair_tables(plan, slots, rules))
    return Problem(plan, style, slots, lattice, LongRules(plan, slots, rules.line))


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules of a style as the bridge needs them."""

    unary: RuleSet
    pair: RuleSet
    line: RuleSet
    surface_unary: RuleSet  # those of `unary` and `pair` on what sounds, not on the skeleton
    surface_pair: RuleSet
    harmonic_pair: RuleSet


RULE_SETS = {
    "unary": ("unary", "both"),
    "pair": ("pair", "both"),
    "line": ("line", "both"),
    "surface_unary": ("unary", "surface"),
    "surface_pair": ("pair", "surface"),
    "harmonic_pair": ("pair", "harmonic"),
}


def _rules(style: Style, *, constrained: bool) -> _Rules:
    sets = {name: rule_set(style, *which) for name, which in RULE_SETS.items()}
    if constrained:
        return _Rules(**sets)
    return _Rules(
        **{
            name: replace(rules, hard=0, weights=np.zeros_like(rules.weights))
            for name, rules in sets.items()
        }
    )


# --- candidates of a slot -------------------------------------------------------------------


def _slot_candidates(place: int, plan: Plan, rules: _Rules) -> SlotCandidates:
    slot = plan.slots[place]
    groups = [_voicings(harmony, _bound(slot)) for harmony in slot.harmonies]
    moments = np.concatenate(groups)
    index = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    _place(moments, slot, plan)
    if slot.soprano:
        keep = np.isin(_soprano_degrees(moments, index, slot), slot.soprano)
        moments, index = moments[keep], index[keep]
    cost = costs(rules.unary, moments, moments, moments) + _accented(moments, slot)
    halves = _halves(moments, slot) if any(each and each.ornate for each in slot.given) else None
    if halves is not None:
        cost = cost + _given_costs(*halves, rules)
    legal = np.isfinite(cost)
    if not legal.any():
        raise InfeasibleError(place, _nothing_left(slot, plan, rules.unary, moments))
    legal &= cost < _dearest(np.where(legal, cost, np.inf), index)
    kept = None if halves is None else (halves[0][legal], halves[1][legal])
    return SlotCandidates(moments[legal], index[legal], cost[legal] + _share(index[legal]), kept)


def _given_costs(first: Moments, second: Moments, rules: _Rules) -> FloatArray:
    """Cost of given notes that move inside a slot, beside voices that stand still."""
    unary = rules.surface_unary
    total: FloatArray = costs(unary, first, first, first) + costs(unary, second, second, second)
    return total + costs(rules.surface_pair, first, first, second)


def _halves(moments: Moments, slot: Slot) -> tuple[Moments, Moments]:
    """What sounds at the onset and in the middle of a slot whose given voices move."""
    first, second = moments.copy(), moments.copy()
    for voice, each in enumerate(slot.given):
        if each is not None:
            _put(first, voice, each.first, struck=each.struck)
            _put(second, voice, each.second, struck=each.moves)
        else:
            second["attack"][:, voice] = 0
    for name in ("boundary", "opening"):
        second[name] = 0
    second["strength"] = min(slot.strength, OFF_BEAT)
    for name in ("onset", "position"):
        second[name] += int(slot.duration / 2 * TICKS)
    return first, second


def _put(moments: Moments, voice: int, pitch: Pitch, *, struck: bool) -> None:
    """Let a voice sound a pitch, whether its chord holds it or not."""
    moments["step"][:, voice] = pitch.step
    moments["semitone"][:, voice] = pitch.semitone
    moments["attack"][:, voice] = struck
    degree = pitch.pitch_class.fifths - moments["tonic"].astype(np.int64)
    moments["degree"][:, voice] = degree
    moments["member"][:, voice] = NON_CHORD
    for member, name in enumerate(MEMBERS):
        moments["member"][moments[name] == degree, voice] = member


def _share(index: IntArray) -> FloatArray:
    """What makes a draw among voicings a draw among chords: few voicings, better odds for each."""
    counts = np.bincount(index)
    cost: FloatArray = SPREAD * np.log(counts[index] / counts[counts > 0].min())
    return cost


def _dearest(cost: FloatArray, index: IntArray) -> FloatArray:
    """For each candidate, the cost at which it is left out: some above the best of its chord."""
    best = np.full(int(index.max()) + 1, np.inf)
    np.minimum.at(best, index, cost)
    limit: FloatArray = best[index] + DEAR
    return limit


def _nothing_left(slot: Slot, plan: Plan, rules: RuleSet, moments: Moments) -> str:
    """Say where no voicing is left and which rules took the most."""
    chords = ", ".join(f"{each.chord.symbol} in {each.key}" for each in slot.harmonies)
    fired = broken(rules, moments, moments, moments)[:, : rules.hard].sum(axis=0)
    counts = [(int(count), name) for count, name in zip(fired, rules.ids, strict=False)]
    guilty = ", ".join(f"{name} ({count})" for count, name in sorted(counts, reverse=True) if count)
    return (
        f"{where(slot, plan.metre[1])}: none of {len(moments)} voicings of {chords} is left; "
        f"removed by {guilty or 'what the cadence or the given notes ask for'}"
    )


def _place(moments: Moments, slot: Slot, plan: Plan) -> None:
    """Write what the slot knows into its moments."""
    last = len(plan.slots) - 1
    moments["attack"][:, : len(VOICE_NAMES)] = 1
    moments["strength"] = slot.strength
    moments["boundary"] = slot.opens and slot.phrase > 0
    moments["phrase_end"] = slot.closes
    moments["opening"] = slot.opens
    moments["final"] = slot is plan.slots[last]
    moments["onset"] = int(slot.onset * TICKS)
    moments["bar"] = slot.bar
    moments["position"] = slot.position


def _soprano_degrees(moments: Moments, index: IntArray, slot: Slot) -> IntArray:
    """Scale degree 1-7 of the soprano in each candidate's key, by letter."""
    tonics = np.array([harmony.key.tonic.letter for harmony in slot.harmonies])
    degrees: IntArray = (moments["step"][:, 0].astype(np.int64) - tonics[index]) % 7 + 1
    return degrees


@lru_cache(maxsize=4096)
def _cached_voicings(key: Key, chord: Chord, bound: Bound) -> Moments:
    members = spell(chord, key)
    choices = [
        _bound_choices(voice, members, chord, bound[voice])
        if bound and bound[voice]
        else _voice_choices(voice, members, chord)
        for voice in range(len(VOICE_NAMES))
    ]
    grid = np.array(list(product(*choices)), dtype=np.int64).reshape(-1, len(VOICE_NAMES), 3)
    semitones = grid[:, :, 1]
    gaps = semitones[:, :-1] - semitones[:, 1:]
    spaced = (gaps >= 0).all(axis=1) & (gaps[:, :2] <= GAP_UPPER).all(axis=1)
    kept = grid[spaced & (gaps[:, 2] <= GAP_LOWER) & _essential(grid[:, :, 2], chord)]
    moments = blank_moments(len(kept), len(VOICE_NAMES))
    moments["step"][:, : len(VOICE_NAMES)] = kept[:, :, 0]
    moments["semitone"][:, : len(VOICE_NAMES)] = kept[:, :, 1]
    set_harmony(moments, chord, key)
    return moments


def _voicings(harmony: Harmony, bound: Bound = ()) -> Moments:
    return _cached_voicings(harmony.key, harmony.chord, bound)


def _bound(slot: Slot) -> Bound:
    """The pitches that each voice of a slot is bound to; nothing if none is given."""
    if not any(slot.given):
        return ()
    return tuple(
        () if each is None else tuple(dict.fromkeys((each.first, each.second)))
        for each in slot.given
    )


def _bound_choices(
    voice: int, members: Sequence[PitchClass], chord: Chord, allowed: Sequence[Pitch]
) -> list[tuple[int, int, int]]:
    """(step, semitone, member) of the given pitches that the chord holds, whatever their range."""
    bass = voice == len(VOICE_NAMES) - 1
    places = {member: place for place, member in enumerate(members)}
    return [
        (pitch.step, pitch.semitone, places[pitch.pitch_class])
        for pitch in allowed
        if pitch.pitch_class in places
        and (not bass or places[pitch.pitch_class] == chord.inversion)
    ]


def _accented(moments: Moments, slot: Slot) -> FloatArray:
    """Cost of chords that hold a given note's second pitch, so that its first is accented."""
    cost = np.zeros(len(moments))
    for voice, each in enumerate(slot.given):
        if each is not None and each.moves:
            cost += ACCENT_COST * (moments["semitone"][:, voice] != each.first.semitone)
    return cost


def _voice_choices(
    voice: int, members: Sequence[PitchClass], chord: Chord
) -> list[tuple[int, int, int]]:
    """(step, semitone, member) of each pitch that a voice can take in its range."""
    compass = voice_range(VOICE_NAMES[voice].lower())
    low, high = compass.core_low, compass.core_high
    bass = voice == len(VOICE_NAMES) - 1
    places = [chord.inversion] if bass else range(len(members))
    pitches = (
        (Pitch.of(members[place], octave), place) for place in places for octave in range(1, 7)
    )
    return [
        (pitch.step, pitch.semitone, place)
        for pitch, place in pitches
        if low.semitone <= pitch.semitone <= high.semitone
    ]


def _essential(members: IntArray, chord: Chord) -> BoolArray:
    """Which voicings sound every member that may not be left out: all but a perfect fifth."""
    here = [(members == place).any(axis=1) for place in range(len(chord.members))]
    may_omit = chord.inversion == 0 and chord.members[2] - chord.members[0] == 1
    needed = [place for place in range(len(here)) if not (may_omit and place == 2)]
    enough: BoolArray = np.logical_and.reduce([here[place] for place in needed])
    return enough


# --- pairs of slots -------------------------------------------------------------------------


@cache
def _reading(harmony: Harmony, key: Key) -> Chord | None:
    """The same spelled chord as a diatonic chord of another key, if it is a pivot."""
    shift = harmony.key.tonic.fifths - key.tonic.fifths
    members = tuple(place + shift for place in harmony.chord.members[:3])
    triads = {pivot.after.members[:3] for pivot in pivots(harmony.key, key)}
    if members not in triads:
        return None
    wanted = tuple(place + shift for place in harmony.chord.members)
    for each in vocabulary():
        same = each.mode == key.mode and each.members == wanted
        if same and each.inversion == harmony.chord.inversion and not each.cadential:
            return each
    return None


@cache
def link(before: Harmony, after: Harmony) -> tuple[int, Chord | None]:
    """Grade of a progression (3 normative, 2 common, 1 conditional, 0 none) and the pivot reading.

    Inside a key the graph's grade; from one key to another the grade of the pivot's second
    reading, if `before` is a chord of both.
    """
    if before.key == after.key:
        return int(grade_table()[before.chord.index, after.chord.index]), None
    reading = _reading(before, after.key)
    if reading is None:
        return 0, None
    return int(grade_table()[reading.index, after.chord.index]), reading


@cache
def _makes_cadence(before: Harmony, after: Harmony) -> bool:
    """Whether two chords at the end of a phrase make any kind of cadence."""
    moments = blank_moments(2, len(VOICE_NAMES))
    for row, harmony in enumerate((before, after)):
        set_harmony(moments[row : row + 1], harmony.chord, harmony.key)
    return cadence_kind(moments[0], moments[1]) is not None


def _gate(before: Slot, after: Slot, goal: Key, plan: Plan) -> tuple[BoolArray, FloatArray]:
    """Which harmony may follow which, and at what cost; a phrase turns only to its goal's key."""
    shape = (len(before.harmonies), len(after.harmonies))
    grades = np.zeros(shape, np.int64)
    cost = np.zeros(shape)
    boundary, least = after.opens, plan.least_grade
    closes = after.closes and least < COMMON and not plan.chords_given
    for i, j in product(range(shape[0]), range(shape[1])):
        first, second = before.harmonies[i], after.harmonies[j]
        grade, pivot = link(first, second)
        turns_back = first.key != second.key and second.key != goal and least > ANY
        grades[i, j] = 3 if boundary else 0 if turns_back else grade
        cost[i, j] = PIVOT_COST if pivot is not None else 0.0
        if closes and not (boundary or _makes_cadence(first, second)):
            grades[i, j] = FORBIDDEN
    common: BoolArray = grades >= least
    dull: BoolArray = np.all(
        grades < COMMON, axis=1, keepdims=True
    )  # chords with no common way on may take a conditional one
    gate: BoolArray = common | (dull & (grades >= CONDITIONAL))
    gate &= grades > FORBIDDEN
    steps = np.array([GRADE_COST[grade] for grade in range(4)])
    return gate, cost + steps[np.maximum(grades, 0)]


def _pair_tables(
    plan: Plan, slots: Sequence[SlotCandidates], rules: _Rules
) -> tuple[PairTable, ...]:
    """Tables between neighbouring slots; places that look alike to the rules share one."""
    places = range(1, len(slots))
    signatures = {
        place: (_signature(plan.slots[place - 1], plan), _signature(plan.slots[place], plan))
        for place in places
    }
    firsts = {signature: place for place, signature in reversed(signatures.items())}

    def judged(place: int) -> PairTable:
        goal = plan.phrases[plan.slots[place].phrase].key
        gate, cost = _gate(plan.slots[place - 1], plan.slots[place], goal, plan)
        return _judged(slots[place - 1], slots[place], gate, cost, rules)

    with ThreadPoolExecutor(THREADS) as pool:  # kernels run without the interpreter's lock
        tables = dict(zip(firsts, pool.map(judged, firsts.values()), strict=True))
    return tuple(tables[signatures[place]] for place in places)


def _signature(slot: Slot, plan: Plan) -> tuple[object, ...]:
    """What the rules can see of a slot; slots alike share their tables."""
    last = slot is plan.slots[-1]
    return (
        slot.harmonies,
        plan.phrases[slot.phrase].key,
        slot.strength,
        slot.opens and slot.phrase > 0,
        slot.opens,
        slot.closes,
        last,
        slot.soprano,
        slot.given,
    )


def _judged(
    before: SlotCandidates,
    after: SlotCandidates,
    gate: BoolArray,
    cost: FloatArray,
    rules: _Rules,
) -> PairTable:
    allowed = gate[before.harmony][:, after.harmony]
    indptr, successors, rule_costs = _ruled(before, after, allowed, rules)
    sources = np.repeat(np.arange(len(before.moments)), np.diff(indptr))
    steps = cost[before.harmony[sources], after.harmony[successors]]
    voices = slice(0, len(VOICE_NAMES))
    held = (
        before.moments["semitone"][sources, voices] == after.moments["semitone"][successors, voices]
    )
    still = STAY_COST * held.all(axis=1) + REPEAT_COST * held[:, 0]
    return PairTable(indptr, successors, rule_costs + steps + still)


def _ruled(
    before: SlotCandidates, after: SlotCandidates, allowed: BoolArray, rules: _Rules
) -> tuple[IntArray, NDArray[np.int32], FloatArray]:
    """Legal pairs and their costs; where given voices move, the surface is judged as it sounds."""
    if before.halves is None and after.halves is None:
        return pair_table(rules.pair, before.moments, after.moments, allowed)
    last = before.moments if before.halves is None else before.halves[1]
    first = after.moments if after.halves is None else after.halves[0]
    indptr, successors, heard = pair_table(rules.surface_pair, last, first, allowed)
    sources = np.repeat(np.arange(len(before.moments)), np.diff(indptr))
    legal = np.zeros_like(allowed)
    legal[sources, successors] = True
    surface = np.zeros(allowed.shape)
    surface[sources, successors] = heard
    indptr, successors, thought = pair_table(
        rules.harmonic_pair, before.moments, after.moments, legal
    )
    sources = np.repeat(np.arange(len(before.moments)), np.diff(indptr))
    return indptr, successors, thought + surface[sources, successors]


# --- rules that look further back -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LongRules:
    """Line rules and returning themes, judged on the paths of the beam."""

    plan: Plan
    slots: tuple[SlotCandidates, ...]
    rules: RuleSet

    def costs(
        self, slot: int, paths: IntArray, parents: IntArray, candidates: IntArray
    ) -> FloatArray:
        """Cost of each expansion (K,), inf where a hard line rule breaks."""
        now = self.slots[slot].moments[candidates]
        total = np.zeros(len(candidates))
        if slot >= 2 and not self.plan.slots[slot].opens:
            earlier, before = self._history(slot, paths)
            total += costs(self.rules, earlier[parents], before[parents], now)
        return total + self._theme(slot, paths, parents, now)

    def _history(self, slot: int, paths: IntArray) -> tuple[Moments, Moments]:
        """For each path, the moment before this slot and the notes its voices left before that."""
        before = self.slots[slot - 1].moments[paths[:, slot - 1]]
        earlier = before.copy()
        earlier["semitone"] = REST
        missing = np.ones((len(paths), len(VOICE_NAMES)), bool)
        for place in range(slot - 2, -1, -1):
            if self.plan.slots[place + 1].opens or not missing.any():
                break
            older = self.slots[place].moments[paths[:, place]]
            for voice in range(len(VOICE_NAMES)):
                moved = missing[:, voice] & (
                    older["semitone"][:, voice] != before["semitone"][:, voice]
                )
                earlier["semitone"][moved, voice] = older["semitone"][moved, voice]
                earlier["step"][moved, voice] = older["step"][moved, voice]
                missing[moved, voice] = False
        return earlier, before

    def _theme(self, slot: int, paths: IntArray, parents: IntArray, now: Moments) -> FloatArray:
        """Cost of a soprano that leaves the theme its unit takes up."""
        source = self.plan.slots[slot].repeats
        if source is None:
            return np.zeros(len(now))
        model = self.slots[source].moments[paths[:, source]]["step"][:, 0]
        return np.where(now["step"][:, 0] == model[parents], 0.0, THEME_COST)


# --- what models see ------------------------------------------------------------------------


def features(slot: Slot, home: Key) -> IntArray:
    """A slot's row of features for the models."""
    mode = list(MODES).index(home.mode)
    row = (mode, slot.strength, slot.to_end, slot.from_start)
    return np.array([min(value, size - 1) for value, size in zip(row, FEATURE_SIZES, strict=True)])


def candidates_for_models(problem: Problem, slot: int) -> Candidates:
    """All candidates of a slot as tokens."""
    reference = tonic_reference(problem.plan.home)
    chosen = problem.slots[slot].moments
    semitones = chosen["semitone"][:, : len(VOICE_NAMES)].astype(np.int64)
    return Candidates(
        semitones - reference - LOWEST,
        chosen["chord"].astype(np.int64),
        features(problem.plan.slots[slot], problem.plan.home),
    )


def spelled(moment: np.void) -> tuple[Pitch, ...]:
    """The pitches of a moment, high to low."""
    return tuple(
        Pitch(int(moment["step"][voice]), int(moment["semitone"][voice]))
        for voice in range(int(moment["voices"]))
    )
