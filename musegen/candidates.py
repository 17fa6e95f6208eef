"""The candidates of a slot: every voicing that the unary rules of a style leave, with its cost.

What a slot looks like to the rules decides all; slots that look alike share their candidates, in a
piece and from piece to piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import cache, lru_cache
from itertools import pairwise

import numpy as np

from musegen.models.protocol import BoolArray, FloatArray, IntArray
from musegen.plan.ensemble import Ensemble
from musegen.plan.plan import Harmony, Plan, Slot, where
from musegen.sounding import closing_moments, heard_moments, once
from musegen.standing import Origin, place_moments, stood_moment
from musegen.transitions import PairRules
from musegen.voicings import LIMITS, Limits, bound_pitches, forget_voicings, voicings
from theory_kb.check import Style
from theory_kb.moment import TICKS, Moments, copied, joined, taken
from theory_kb.rule_sets import RuleSet, broken, costs, rule_set, without

__all__ = [
    "DEAR",
    "Kept",
    "Rules",
    "SlotCandidates",
    "View",
    "as_seen",
    "candidates_of",
    "forget_candidates",
    "hard_rules",
    "kept_candidates",
    "least_broken",
    "nothing_left",
    "placed",
    "rules_of",
]

SPREAD = 0.7  # nats by the logarithm of the number of voicings that a chord has
DEAR = 4.0  # nats; a voicing that costs so much more than its chord's best is left out
ACCENT_COST = 1.5  # nats for hearing a given note as an accented non-chord tone
READING_COST = 3.0  # nats for another reading of figures than the cheapest progression's
KEPT_SLOTS = 1024  # slots whose candidates are kept for further pieces
MOST_NAMED = 6  # chords in a refusal
START = Fraction(0)


@dataclass(frozen=True, slots=True, eq=False)
class SlotCandidates:
    """The candidates of one slot."""

    moments: Moments  # (N,)
    harmony: IntArray  # (N,) index into the slot's harmonies
    cost: FloatArray  # (N,) soft cost of unary rules
    heard: tuple[Moments, Moments] | None = None  # where more sounds: at the onset, at last; (N,)
    closing: Moments | None = None  # (N,) each given voice on its last chord tone, if it has two
    forced: frozenset[str] = frozenset()  # hard rules that the best voicing would break
    dear: int = 0  # legal voicings that were left out since they cost too much

    @property
    def first(self) -> Moments:
        """What sounds at the onset."""
        return self.moments if self.heard is None else self.heard[0]

    @property
    def last(self) -> Moments:
        """What sounds at last."""
        return self.moments if self.heard is None else self.heard[1]

    @property
    def left(self) -> Moments:
        """The chords as they are left."""
        return self.moments if self.closing is None else self.closing


# --- rules ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """The rules of a style as the bridge needs them."""

    unary: RuleSet
    pair: RuleSet
    line: RuleSet
    surface_unary: RuleSet  # those of `unary` and `pair` on what sounds, not on the skeleton
    surface_pair: RuleSet
    harmonic_pair: RuleSet
    inside: RuleSet  # those of `surface_pair` within a slot

    @property
    def pairs(self) -> PairRules:
        """The rules on pairs."""
        return PairRules(self.pair, self.surface_pair, self.harmonic_pair)

    def without(self, ids: frozenset[str]) -> Rules:
        """The same rules, some hard ones left out."""
        sets = {
            each.name: without(getattr(self, each.name), ids, soft=True) for each in fields(self)
        }
        return Rules(**sets)

    def at(self, origin: Origin, place: int) -> Rules:
        """The rules that judge a slot of a window and the way into it, blind to what stood there."""
        if not origin:
            return self
        sets = {
            name: origin.spare(getattr(self, name), place, view)
            for name, view in VIEW_OF.items()
            if place or view not in ("move", "join")
        }
        return replace(self, **sets)


RULE_SETS = {
    "unary": ("unary", "both"),
    "pair": ("pair", "both"),
    "line": ("line", "both"),
    "surface_unary": ("unary", "surface"),
    "surface_pair": ("pair", "surface"),
    "harmonic_pair": ("pair", "harmonic"),
    "inside": ("pair", "surface"),
}
VIEW_OF = {  # what each set looks at, see `musegen.standing`
    "unary": "chord",
    "pair": "move",
    "surface_unary": "heard",
    "surface_pair": "join",
    "harmonic_pair": "move",
    "inside": "inside",
}


@cache
def rules_of(style: Style, *, constrained: bool) -> Rules:
    """The rules of a style; those that are not constrained judge nothing."""
    sets = {name: rule_set(style, *which) for name, which in RULE_SETS.items()}
    if constrained:
        return Rules(**sets)
    return Rules(
        **{
            name: replace(rules, hard=0, weights=np.zeros_like(rules.weights))
            for name, rules in sets.items()
        }
    )


@lru_cache(maxsize=256)
def hard_rules(style: Style, dropped: frozenset[str]) -> Rules:
    """The hard rules of a style but some."""
    sets = {name: rule_set(style, *which) for name, which in RULE_SETS.items()}
    return Rules(**{name: without(rules, dropped) for name, rules in sets.items()})


def least_broken(judged: Sequence[tuple[RuleSet, Moments, Moments]]) -> frozenset[str]:
    """Hard rules of the row that breaks the fewest: so many what is given breaks, whatever is written.

    Args:
        judged: rules, with what was before and what is now: (N,) each, at least one row.
    """
    faults = [broken(rules, before, before, now)[:, : rules.hard] for rules, before, now in judged]
    names = [name for rules, _, _ in judged for name in rules.ids[: rules.hard]]
    table = np.concatenate(faults, axis=1)
    row = table[int(table.sum(axis=1).argmin())]
    return frozenset(names[place] for place in np.flatnonzero(row))


# --- what is shared -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class View:
    """What decides of candidates beside the slot and the rules."""

    players: Ensemble
    metre: tuple[int, int]
    lenient: bool  # whether rules that what is given breaks are reported, not held
    final: bool  # whether the piece ends here
    dear: float = DEAR  # nats above its chord's best voicing at which a voicing is left out

    @classmethod
    def of(cls, plan: Plan, place: int, *, dear: float = DEAR) -> View:
        """That of a place; where the chords are given, no voicing is too dear."""
        final = place == len(plan.slots) - 1 and plan.ends
        return cls(plan.ensemble, plan.metre, plan.lenient, final, np.inf if plan.lenient else dear)


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """The candidates of a slot as all slots share them that look alike to the rules."""

    slot: Slot  # as the rules see it
    candidates: SlotCandidates  # at the start of bar 0


def as_seen(slot: Slot) -> Slot:
    """A slot without what no rule of the search can see: two that are then alike judge alike.

    The bar a slot stands in counts only beside its neighbour's; a phrase, only where it begins and
    ends, and whether one went before. `replace` would be shorter, and takes twice the time.
    """
    return Slot(
        onset=START,
        duration=slot.duration,
        bar=0,
        position=slot.position,
        strength=slot.strength,
        phrase=int(slot.opens and slot.phrase > 0),
        to_end=int(not slot.closes),
        from_start=int(not slot.opens),
        harmonies=slot.harmonies,
        soprano=slot.soprano,
        repeats=None,
        given=slot.given,
        figured=slot.figured,
        stood=slot.stood,
        silent=slot.silent,
    )


@lru_cache(maxsize=KEPT_SLOTS)
def kept_candidates(slot: Slot, view: View, rules: Rules) -> Kept:
    """The candidates of a slot as the rules see it, judged if no slot like it was."""
    return Kept(slot, candidates_of(slot, view, rules))


def forget_candidates() -> None:
    """Drop what is kept from piece to piece."""
    kept_candidates.cache_clear()
    forget_voicings()


def placed(candidates: SlotCandidates, slot: Slot) -> SlotCandidates:
    """The same candidates where a slot stands in the piece."""
    moments = copied(candidates.moments)
    moments["onset"] = int(slot.onset * TICKS)
    moments["bar"] = slot.bar
    return SlotCandidates(
        moments,
        candidates.harmony,
        candidates.cost,
        candidates.heard,
        candidates.closing,
        candidates.forced,
        candidates.dear,
    )


# --- candidates -----------------------------------------------------------------------------


def candidates_of(
    slot: Slot, view: View, rules: Rules, *, limits: Limits = LIMITS
) -> SlotCandidates:
    """The candidates of a slot; none if no voicing is legal.

    Args:
        slot: where.
        view: what else decides.
        rules: that judge.
        limits: what every voicing keeps to.
    """
    moments, index = _proposed(slot, view, limits)
    heard = heard_moments(moments, slot, view.metre)
    cost = _unary_costs(moments, index, slot, heard, rules)
    forced: frozenset[str] = frozenset()
    if view.lenient and len(cost) and not np.isfinite(cost).any():
        sounding = [(rules.surface_unary, each, each) for each in heard]
        forced = least_broken([(rules.unary, moments, moments), *sounding])
        cost = _unary_costs(moments, index, slot, heard, rules.without(forced))
    legal = np.isfinite(cost)
    lawful = np.count_nonzero(legal)
    if lawful:
        legal &= cost < _dearest(np.where(legal, cost, np.inf), index, view.dear)
    chosen = taken(moments, legal)
    return SlotCandidates(
        chosen,
        index[legal],
        cost[legal] + _share(index[legal]),
        (taken(heard[0], legal), taken(heard[-1], legal)) if heard else None,
        closing_moments(chosen, slot),
        forced,
        int(lawful - np.count_nonzero(legal)),
    )


def _proposed(slot: Slot, view: View, limits: Limits = LIMITS) -> tuple[Moments, IntArray]:
    """Every voicing of every chord of a slot (N,), and the chord's index (N,)."""
    groups = [_moments_of(slot, harmony, view.players, limits) for harmony in slot.harmonies]
    moments = joined(groups)
    index = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    place_moments(moments, slot, view.players, final=view.final)
    keep = np.ones(len(moments), np.bool_)
    if slot.figured is not None:
        keep &= once(moments, slot.figured)
    if slot.soprano:
        keep &= np.isin(_soprano_degrees(moments, index, slot), slot.soprano)
    return taken(moments, keep), index[keep]


def _moments_of(slot: Slot, harmony: Harmony, players: Ensemble, limits: Limits) -> Moments:
    """The voicings of a chord; of the chord that a piece has there, at least its own."""
    if slot.stands:
        return stood_moment(slot)
    bound, pedal = bound_pitches(slot, players), slot.figured is not None
    found = voicings(harmony, players, bound, limits=limits, pedal=pedal, silent=slot.silent)
    own = slot.stood is not None and slot.stood.harmony == harmony
    return stood_moment(slot) if own and not len(found) else found


def _unary_costs(
    moments: Moments, index: IntArray, slot: Slot, heard: Sequence[Moments], rules: Rules
) -> FloatArray:
    cost: FloatArray = costs(rules.unary, moments, moments, moments) + _accented(moments, slot)
    if slot.figured is not None and not slot.figured.free:
        cost += READING_COST * (index > 0)
    for each in heard:
        cost += costs(rules.surface_unary, each, each, each)
    for before, now in pairwise(heard):
        cost += costs(rules.inside, before, before, now)
    return cost


def _accented(moments: Moments, slot: Slot) -> FloatArray:
    """Cost of chords that do not hold a given voice's first pitch, so that it is accented."""
    cost = np.zeros(len(moments))
    for voice, each in enumerate(slot.given):
        if each is not None and each.moves:
            cost += ACCENT_COST * (moments["semitone"][:, voice] != each.first.semitone)
    return cost


def _share(index: IntArray) -> FloatArray:
    """What makes a draw among voicings a draw among chords: few voicings, better odds for each."""
    counts = np.bincount(index)
    fewest = min(counts[counts > 0].tolist(), default=1)
    cost: FloatArray = SPREAD * np.log(counts[index] / fewest)
    return cost


def _dearest(cost: FloatArray, index: IntArray, dear: float) -> FloatArray:
    """For each candidate, the cost at which it is left out: some above the best of its chord."""
    best = np.full(int(index.max()) + 1, np.inf)
    np.minimum.at(best, index, cost)
    limit: FloatArray = best[index] + dear
    return limit


def _soprano_degrees(moments: Moments, index: IntArray, slot: Slot) -> IntArray:
    """Scale degree 1-7 of the soprano in each candidate's key, by letter."""
    tonics = np.array([harmony.key.tonic.letter for harmony in slot.harmonies])
    degrees: IntArray = (moments["step"][:, 0].astype(np.int64) - tonics[index]) % 7 + 1
    return degrees


def nothing_left(place: int, plan: Plan, rules: Rules) -> str:
    """Say where no voicing is left and which rules took the most."""
    slot = plan.slots[place]
    moments, _ = _proposed(slot, View.of(plan, place))
    symbols = [f"{each.chord.symbol} in {each.key}" for each in slot.harmonies]
    keys = " or ".join(dict.fromkeys(str(each.key) for each in slot.harmonies))
    chords = (
        ", ".join(symbols) if len(symbols) <= MOST_NAMED else f"{len(symbols)} chords of {keys}"
    )
    hard: BoolArray = broken(rules.unary, moments, moments, moments)[:, : rules.unary.hard]
    counts = [(int(n), name) for n, name in zip(hard.sum(axis=0), rules.unary.ids, strict=False)]
    guilty = ", ".join(f"{name} ({count})" for count, name in sorted(counts, reverse=True) if count)
    return (
        f"{where(slot, plan.metre[1])}: none of {len(moments)} voicings of {chords} is left; "
        f"removed by {guilty or 'what the cadence or the given notes ask for'}"
    )
