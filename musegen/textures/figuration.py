"""From one chord a beat to a surface that moves in eighths, as chorales do.

Each beat may be decorated in one, two or three voices: passing and neighbour tones, suspensions,
anticipations at cadences, skips inside the chord. How likely each is in each voice was counted in
the corpus; what is allowed the rules say: the decorated beats are candidates of a lattice, judged
by the same kernels as the chords, and searched by the same beam.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from musegen.errors import InfeasibleError
from musegen.models.protocol import FloatArray
from musegen.plan.plan import Plan
from musegen.search.beam import beam_search
from musegen.search.lattice import Lattice
from musegen.sounding import spelled
from musegen.standing import Origin
from musegen.textures.beats import decorations_of
from musegen.textures.figures import Decoration
from musegen.textures.surface import (
    Beat,
    beat_of,
    inner_costs,
    junction,
    rules_between,
    rules_inside,
    silent_rules,
)
from theory_kb.check import Style
from theory_kb.moment import Moments
from theory_kb.rule_sets import RuleSet, rule_set, without

__all__ = ["decorate"]

WIDTH = 24  # of the beam over decorated beats
RULE_SETS = {  # that judge a surface: as it sounds, and from the end of a chord to the next
    "unary": ("unary", "surface"),
    "pair": ("pair", "surface"),
    "chords": ("pair", "harmonic"),
}


def decorate(
    plan: Plan,
    skeleton: Moments,
    style: Style,
    *,
    forced: Sequence[frozenset[str]],
    rng: np.random.Generator,
    constrained: bool = True,
    plain: bool = False,
) -> tuple[Decoration, ...]:
    """Decorate every beat of a skeleton under the surface rules of a style.

    Args:
        plan: the slots.
        skeleton: (T,) moments, one chord a slot.
        style: whose surface rules hold.
        forced: (T,) hard rules that the skeleton breaks at each slot, or on the way into it, since
            what is given does.
        rng: draws among what is likely.
        constrained: False leaves the rules out, to measure what they do.
        plain: True leaves every voice that is not given without ornament.

    Raises:
        InfeasibleError: no surface keeps the hard rules.
    """
    rules, origin = _rules(style, constrained=constrained), Origin.of(plan)
    left = [_without(rules, names) for names in forced]
    pitches = [spelled(moment) for moment in skeleton]
    beats, costs = [], []
    for place, slot in enumerate(plan.slots):
        choices = decorations_of(
            plan, place, pitches, skeleton, constrained=constrained, plain=plain
        )
        beat = beat_of(skeleton[place], choices, slot, plan.metre)
        here = {**left[place], "pair": rules["pair"]}  # what is forced on the way in holds inside
        cost = inner_costs(beat, rules_inside(here, origin, place))
        cost += [decoration.cost for decoration in choices]
        beats.append(_legal(beat, cost, place))
        costs.append(cost[np.isfinite(cost)])
    pairs = [
        junction(before, after, rules_between(left[place], origin, place))
        for place, (before, after) in enumerate(pairwise(beats), 1)
    ]
    lattice = Lattice(tuple(costs), tuple(pairs))
    found = beam_search(lattice, width=WIDTH, rng=rng, temperature=1.0)
    return tuple(
        beat.decorations[choice] for beat, choice in zip(beats, found.paths[0], strict=True)
    )


def _without(rules: Mapping[str, RuleSet], ids: frozenset[str]) -> Mapping[str, RuleSet]:
    return {group: without(each, ids, soft=True) for group, each in rules.items()}


def _rules(style: Style, *, constrained: bool) -> Mapping[str, RuleSet]:
    """The rules on a surface by what they look at; if it is not constrained, they judge nothing."""
    rules = {group: rule_set(style, *which) for group, which in RULE_SETS.items()}
    if constrained:
        return rules
    return {group: silent_rules(each) for group, each in rules.items()}


def _legal(beat: Beat, cost: FloatArray, place: int) -> Beat:
    """What the hard rules leave of a beat.

    Raises:
        InfeasibleError: nothing.
    """
    if not np.isfinite(cost).any():
        raise InfeasibleError(place, "the given notes break a rule with every figure")
    return beat.kept(np.flatnonzero(np.isfinite(cost)))
