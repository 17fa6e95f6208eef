"""The one bridge between theory and search: a plan and a style become a lattice.

For each slot: every voicing of every chord the plan allows, as moments that the rule kernels
judge (`musegen.candidates`). For each pair of neighbouring slots: which candidate may follow which,
and at what cost (`musegen.transitions`). Rules that look further back, and themes that return, are
judged during the search (`LongRules`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from musegen.candidates import (
    DEAR,
    Kept,
    Rules,
    SlotCandidates,
    View,
    as_seen,
    candidates_of,
    forget_candidates,
    hard_rules,
    kept_candidates,
    least_broken,
    nothing_left,
    placed,
    rules_of,
)
from musegen.errors import InfeasibleError
from musegen.models.protocol import BoolArray, FloatArray, IntArray
from musegen.plan.plan import Plan, Slot
from musegen.search.kernels import forward_alive
from musegen.search.lattice import Lattice, Pairs
from musegen.sounding import joins
from musegen.standing import Origin
from musegen.transitions import Turn, least_costs, pairs_of, ruled
from musegen.voicings import Limits
from theory_kb.check import Style
from theory_kb.moment import REST, Moments, copied, taken
from theory_kb.rule_sets import RuleSet, costs

__all__ = [
    "LongRules",
    "Problem",
    "build_problem",
    "candidates_at",
    "followed",
    "forget",
    "progressions",
]

THEME_COST = 6.0  # nats for a soprano note that leaves the theme it takes up
THREADS = 2  # that judge pairs side by side
KEPT_CANDIDATES = 120_000  # of both slots of all pairs that are kept


@dataclass(frozen=True, slots=True)
class Problem:
    """A plan in a style, ready to be searched."""

    plan: Plan
    style: Style
    slots: tuple[SlotCandidates, ...]
    lattice: Lattice
    long_rules: LongRules
    forced_at: tuple[frozenset[str], ...]  # of each slot: hard rules that do not hold there

    @property
    def forced(self) -> frozenset[str]:
        """Hard rules that what is given breaks somewhere."""
        return frozenset[str]().union(*self.forced_at)

    @property
    def whole(self) -> bool:
        """Whether all legal voicings are in, the dear ones too."""
        return not any(slot.dear for slot in self.slots)


def build_problem(
    plan: Plan,
    style: Style,
    *,
    constrained: bool = True,
    dear: float = DEAR,
    led_on: bool = False,
) -> Problem:
    """The lattice of a plan.

    Where chords or figures are given, and with them a hard rule is broken whatever is written, that
    rule does not hold there; the checker reports it.

    Args:
        plan: what is to be written.
        style: which rules, how strict.
        constrained: False leaves out all rules but keeps the plan's chords, to measure what the
            models propose on their own.
        dear: nats above the best voicing of its chord at which a voicing is left out. Where the
            chords are given none is. What has no solution then may have one with `np.inf`.
        led_on: where chords or figures are given, rules give way too where each place leaves
            something, but nothing that can be reached leads on.

    Raises:
        InfeasibleError: a slot has no candidate left under the unary rules.
    """
    rules, origin = rules_of(style, constrained=constrained), Origin.of(plan)
    kept = [_kept(place, plan, rules, origin, dear) for place in range(len(plan.slots))]
    slots = tuple(
        placed(each.candidates, slot) for each, slot in zip(kept, plan.slots, strict=True)
    )
    moves = _moves(plan, kept, rules, origin, led_on=led_on and plan.lenient)
    lattice = Lattice(
        tuple(each.candidates.cost for each in kept), tuple(move.pairs for move in moves)
    )
    into = (frozenset[str](), *(move.forced for move in moves))
    forced = tuple(slot.forced | names for slot, names in zip(slots, into, strict=True))
    long_rules = LongRules(plan, slots, rules.line, origin)
    return Problem(plan, style, slots, lattice, long_rules, forced)


def forget() -> None:
    """Drop all that is kept from piece to piece; the next is judged from nothing."""
    forget_candidates()
    _MOVES.clear()


def _kept(place: int, plan: Plan, rules: Rules, origin: Origin, dear: float) -> Kept:
    """The candidates of a place, judged if no place like it was.

    Raises:
        InfeasibleError: no voicing is left.
    """
    slot, view = as_seen(plan.slots[place]), View.of(plan, place, dear=dear)
    if origin:
        kept = Kept(slot, candidates_of(slot, view, rules.at(origin, place)))
    else:
        kept = kept_candidates(slot, view, rules)
    if not len(kept.candidates.moments):
        raise InfeasibleError(place, nothing_left(place, plan, rules))
    return kept


# --- pairs of slots -------------------------------------------------------------------------


class _Move(NamedTuple):
    """What may follow what from a place to the next."""

    pairs: Pairs
    forced: frozenset[str]  # hard rules that the best pair would break


class _MoveKey(NamedTuple):
    """All that decides what may follow what between a place and the one before."""

    before: Kept
    after: Kept
    bars: int  # from the one to the other
    turn: Turn
    rules: Rules
    lenient: bool  # as of the plan


class _Store:
    """Moves between the places that were asked for last; places of many chords count as many."""

    def __init__(self, size: int) -> None:
        self._size, self._used = size, 0
        self._kept: OrderedDict[_MoveKey, _Move] = OrderedDict()

    def get(self, key: _MoveKey) -> _Move | None:
        return self._kept.get(key)

    def clear(self) -> None:
        self._kept.clear()
        self._used = 0

    def put(self, key: _MoveKey, move: _Move) -> None:
        """Keep a move, as the latest, and drop the oldest that have no room."""
        if self._kept.pop(key, None) is None:
            self._used += sum(move.pairs.shape)
        self._kept[key] = move
        while self._used > self._size and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._used -= sum(dropped.pairs.shape)


_MOVES = _Store(KEPT_CANDIDATES)


def _moves(
    plan: Plan, kept: Sequence[Kept], rules: Rules, origin: Origin, *, led_on: bool
) -> tuple[_Move, ...]:
    """What may follow what between neighbouring slots; places that look alike share it."""
    places = range(1, len(kept))
    keys = [_key(plan, kept, place, rules.at(origin, place)) for place in places]
    distinct = dict.fromkeys(keys)
    found = {key: move for key in distinct if (move := _MOVES.get(key)) is not None}
    missing = [key for key in distinct if key not in found]
    if missing:
        with ThreadPoolExecutor(THREADS) as pool:  # kernels run without the interpreter's lock
            found.update(zip(missing, pool.map(_judged, missing), strict=True))
    if not origin:  # what is spared in a window concerns no other piece
        for key, move in found.items():
            _MOVES.put(key, move)
    moves = tuple(found[key] for key in keys)
    return _led_on(keys, moves) if led_on else moves


def _led_on(keys: Sequence[_MoveKey], moves: tuple[_Move, ...]) -> tuple[_Move, ...]:
    """The moves; where nothing that can be reached leads on, the fewest rules give way."""
    found: list[_Move] = []
    alive: BoolArray | None = None
    for key, judged in zip(keys, moves, strict=True):
        if alive is None:
            alive = np.isfinite(key.before.candidates.cost)
        move, reached = judged, _reached(judged, alive, key)
        if not reached.any():
            move = _yielded(key, alive, judged)
            reached = _reached(move, alive, key)
        if not reached.any():
            return moves  # the order of the chords forbids it, not a rule on notes
        found.append(move)
        alive = reached
    return tuple(found)


def _reached(move: _Move, alive: BoolArray, key: _MoveKey) -> BoolArray:
    """Which candidates follow one of those that are alive."""
    cost = key.after.candidates.cost
    return forward_alive(move.pairs.indptr, move.pairs.successors, alive, cost)


def _yielded(key: _MoveKey, alive: BoolArray, judged: _Move) -> _Move:
    """A move without the fewest rules that keep what is alive from going on."""
    before, after = key.before.candidates, _later(key.after.candidates, key.bars)
    bounds = least_costs(key.before.slot, key.after.slot, key.turn)
    joining = _joining(key.before.slot, key.after.slot, before, after)
    allowed = _allowed(bounds, joining, before, after) & alive[:, None]
    if not allowed.any():
        return judged
    forced = judged.forced | _forced(before, after, allowed, key.rules.without(judged.forced))
    relaxed = pairs_of(before, after, bounds, key.rules.without(forced).pairs, joins=joining)
    return _Move(relaxed.table(), forced)


def _allowed(
    bounds: FloatArray, joining: BoolArray | None, before: SlotCandidates, after: SlotCandidates
) -> BoolArray:
    """Which pairs of candidates the order of the chords and a figured bass leave, (N, M)."""
    allowed: BoolArray = np.isfinite(bounds)[before.harmony][:, after.harmony]
    return allowed if joining is None else allowed & joining


def _key(plan: Plan, kept: Sequence[Kept], place: int, rules: Rules) -> _MoveKey:
    slot, before = plan.slots[place], plan.slots[place - 1]
    return _MoveKey(
        kept[place - 1],
        kept[place],
        slot.bar - before.bar,
        _turn(plan, place),
        rules,
        plan.lenient,
    )


def _turn(plan: Plan, place: int) -> Turn:
    """What decides of the chords of a slot and the one before, beside them."""
    key = plan.phrases[plan.slots[place].phrase].key
    final = place == len(plan.slots) - 1 and plan.ends
    return Turn(key, plan.least_grade, plan.chords_given, plan.finals if final else None)


def _judged(key: _MoveKey) -> _Move:
    before, after = key.before.candidates, _later(key.after.candidates, key.bars)
    bounds = least_costs(key.before.slot, key.after.slot, key.turn)
    joining = _joining(key.before.slot, key.after.slot, before, after)
    lazy = pairs_of(before, after, bounds, key.rules.pairs, joins=joining)
    if not key.lenient:
        return _Move(lazy.table() if bounds.size == 1 else lazy, frozenset())
    table, allowed = lazy.table(), _allowed(bounds, joining, before, after)
    if len(table.successors) or not allowed.any():
        return _Move(table, frozenset())
    forced = _forced(before, after, allowed, key.rules)
    relaxed = pairs_of(before, after, bounds, key.rules.without(forced).pairs, joins=joining)
    return _Move(relaxed.table(), forced)


def _joining(
    first: Slot, second: Slot, before: SlotCandidates, after: SlotCandidates
) -> BoolArray | None:
    """Which candidates join which as a figured bass wants it; None where no bass is figured."""
    if first.figured is None and second.figured is None:
        return None
    return joins(before.moments, before.last, after.moments, after.first, (first, second))


def _forced(
    before: SlotCandidates, after: SlotCandidates, allowed: BoolArray, rules: Rules
) -> frozenset[str]:
    """Hard rules that the pair which breaks the fewest breaks."""
    rows, columns = np.nonzero(allowed)
    if before.heard is None and after.heard is None:
        pairs = (taken(before.moments, rows), taken(after.moments, columns))
        return least_broken([(rules.pair, *pairs)])
    surface = (taken(before.last, rows), taken(after.first, columns))
    chords = (taken(before.left, rows), taken(after.moments, columns))
    return least_broken([(rules.surface_pair, *surface), (rules.harmonic_pair, *chords)])


def _later(candidates: SlotCandidates, bars: int) -> SlotCandidates:
    """Candidates that stand so many bars later."""
    if not bars:
        return candidates

    def moved(moments: Moments) -> Moments:
        later = copied(moments)
        later["bar"] += bars
        return later

    heard = candidates.heard
    if heard is not None:
        heard = moved(heard[0]), moved(heard[1])
    return replace(candidates, moments=moved(candidates.moments), heard=heard)


# --- what is asked where no solution is found ------------------------------------------------


def candidates_at(
    place: int, plan: Plan, style: Style, *, dropped: frozenset[str], limits: Limits
) -> SlotCandidates | None:
    """Every legal candidate of a slot however dear, under the hard rules but some; None if none.

    Args:
        place: the slot.
        plan: what is to be written.
        style: whose hard rules hold.
        dropped: ids of rules that do not.
        limits: what every voicing keeps to.
    """
    slot, origin = plan.slots[place], Origin.of(plan)
    rules = hard_rules(style, dropped).at(origin, place)
    found = candidates_of(slot, View.of(plan, place, dear=np.inf), rules, limits=limits)
    return found if len(found.moments) else None


def progressions(place: int, plan: Plan) -> BoolArray:
    """Which chord of a slot may follow which of the slot before, (N, M)."""
    before, after = plan.slots[place - 1 : place + 1]
    return np.isfinite(least_costs(before, after, _turn(plan, place)))


def followed(
    before: SlotCandidates,
    after: SlotCandidates,
    pairs: tuple[IntArray, IntArray],
    style: Style,
    dropped: frozenset[str],
) -> BoolArray:
    """Which pairs of candidates the hard rules but some let follow one another, (K,).

    Args:
        before: candidates of a slot, (N,).
        after: candidates of the next, (M,).
        pairs: the first and the second of each pair, (K,) below N and (K,) below M.
        style: whose hard rules hold.
        dropped: ids of rules that do not.
    """
    return np.isfinite(ruled(before, after, *pairs, hard_rules(style, dropped).pairs))


# --- rules that look further back -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LongRules:
    """Line rules and returning themes, judged on the paths of the beam."""

    plan: Plan
    slots: tuple[SlotCandidates, ...]
    rules: RuleSet
    origin: Origin

    def costs(
        self, slot: int, paths: IntArray, parents: IntArray, candidates: IntArray
    ) -> FloatArray:
        """Cost of each expansion (K,), inf where a hard line rule breaks."""
        now = taken(self.slots[slot].moments, candidates)
        total = np.zeros(len(candidates))
        if slot >= 2 and not self.plan.slots[slot].opens:
            earlier, before = self._history(slot, paths)
            rules = self.origin.spare(self.rules, slot, "line")
            total += costs(rules, taken(earlier, parents), taken(before, parents), now)
        return total + self._theme(slot, paths, parents, now)

    def states(self, paths: IntArray, *, hard: bool) -> IntArray:
        """What of paths (B, t) is still looked at: the notes that voices left, themes to come.

        Args:
            paths: candidates chosen so far.
            hard: whether only what may still be forbidden counts; a theme may be left at a cost.
        """
        slot = paths.shape[1]
        remembered = [np.zeros((len(paths), 0), np.int64)]
        if slot < len(self.slots) and not self.plan.slots[slot].opens:
            earlier, _ = self._history(slot, paths)
            voices = slice(0, self.plan.ensemble.size)
            remembered += [earlier["step"][:, voices], earlier["semitone"][:, voices]]
        if not hard:
            sources = {each.repeats for each in self.plan.slots[slot:]}
            remembered += [
                self.slots[source].moments[paths[:, source]]["step"][:, :1]
                for source in sorted(source for source in sources if source is not None)
                if source < slot
            ]
        found: IntArray = np.concatenate(remembered, axis=1).astype(np.int64)
        return found

    def _history(self, slot: int, paths: IntArray) -> tuple[Moments, Moments]:
        """For each path, the moment before this slot and the notes its voices left before that."""
        before = taken(self.slots[slot - 1].moments, paths[:, slot - 1])
        earlier = copied(before)
        earlier["semitone"] = REST
        voices = self.plan.ensemble.size
        missing = np.ones((len(paths), voices), bool)
        for place in range(slot - 2, -1, -1):
            if self.plan.slots[place + 1].opens or not missing.any():
                break
            older = taken(self.slots[place].moments, paths[:, place])
            for voice in range(voices):
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
        model = self.slots[source].moments["step"][paths[:, source], 0]
        return np.where(now["step"][:, 0] == model[parents], 0.0, THEME_COST)
