"""The ways to decorate a beat: figures of all voices that agree with one another."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, product

import numpy as np

from musegen.plan.ensemble import CHOIR, Ensemble
from musegen.plan.plan import Given, Harmony, Plan, Slot
from musegen.sounding import delayed_pitch, delayed_voice
from musegen.textures.figures import DELAYED, GIVEN, HOLD, PLAIN, REST, Decoration, Figure
from musegen.textures.ornaments import ornaments
from theory_kb.moment import Moments
from theory_kb.pitch import Pitch

__all__ = ["decorations_of"]

MOST_MOVING = 3  # voices that may be decorated in one beat
IMPERFECT = frozenset({3, 4, 8, 9})  # semitones, octaves removed, between moving non-chord tones
HARSH = frozenset({1, 11})  # semitones, octaves removed
HARSH_COST = 1.0  # nats for a non-chord tone a semitone from another voice
SUSPENSION_FIGURES = frozenset({4, 7, 9, 2})  # generic intervals above the bass


def decorations_of(
    plan: Plan,
    place: int,
    pitches: Sequence[Sequence[Pitch]],
    skeleton: Moments,
    *,
    constrained: bool,
    plain: bool,
) -> list[Decoration]:
    """The ways to decorate a slot.

    Args:
        plan: the slots.
        place: which of them.
        pitches: of each slot, high to low.
        skeleton: (T,) moments, one chord a slot.
        constrained: False leaves out that voices which move agree.
        plain: whether voices that are not given have no ornament.
    """
    slot = plan.slots[place]
    if slot.figured is not None:
        return [Decoration(_figured(slot, skeleton[place], pitches[place]), 0.0)]
    given = slot.given or (None,) * plan.ensemble.size
    still = [
        [Figure(REST if voice in slot.silent else PLAIN, pitch, pitch)]
        if each is None
        else [_given_figure(each, slot.middle)]
        for voice, (pitch, each) in enumerate(zip(pitches[place], given, strict=True))
    ]
    if plain or slot.closes or place + 1 == len(plan.slots):
        return [Decoration(tuple(figure for (figure,) in still), 0.0)]
    options = [
        still[voice]
        if given[voice] is not None or voice in slot.silent | plan.slots[place + 1].silent
        else _options(plan, place, voice, pitches, skeleton)
        for voice in range(plan.ensemble.size)
    ]
    decorations = (
        Decoration(figures, sum(figure.cost for figure in figures) + _clash_cost(figures))
        for figures in product(*options)
        if _few_move(figures) and (not constrained or _agree(figures))
    )
    return list(decorations)


def _few_move(figures: Sequence[Figure]) -> bool:
    """Whether few enough voices move; those that are given move as they do."""
    chosen = [figure for figure in figures if figure.moves and not figure.given]
    return not chosen or sum(figure.moves for figure in figures) <= MOST_MOVING


def _figured(slot: Slot, moment: np.void, pitches: Sequence[Pitch]) -> tuple[Figure, ...]:
    """What each voice does in a slot of a figured bass: no more than the figures say."""
    figured, given = slot.figured, slot.given[-1]
    assert figured is not None, "asked only of figured slots"
    assert given is not None, "a figured slot has its bass"
    found = [
        Figure(
            HOLD if figured.continues and each.pitch_class not in figured.struck else PLAIN,
            each,
            each,
        )
        for each in pitches[:-1]
    ]
    for delay in figured.delays:
        voice = delayed_voice(moment, delay)
        late = delayed_pitch(delay, pitches[voice])
        found[voice] = Figure(DELAYED[delay.prepared], late, late)
    return (*found, _given_figure(given, slot.middle))


def _given_figure(given: Given, middle: Fraction) -> Figure:
    second, _ = given.at(middle)
    kind = GIVEN[given.moves, given.struck]
    return Figure(kind, given.first, second or given.first, source=given)


def _options(
    plan: Plan, place: int, voice: int, pitches: Sequence[Sequence[Pitch]], skeleton: Moments
) -> list[Figure]:
    """What a voice that is free may do in a beat."""
    slot = plan.slots[place]
    free = (
        place > 0
        and not slot.opens
        and _given_at(plan, place - 1, voice) is None
        and voice not in plan.slots[place - 1].silent
    )
    following = _given_at(plan, place + 1, voice)
    return list(
        ornaments(
            _part(voice, plan.ensemble),
            slot,
            _harmony(slot, skeleton[place]),
            pitches[place][voice],
            pitches[place - 1][voice] if free else None,  # a given note is held no longer
            pitches[place + 1][voice] if following is None else following.first,
            cadence=slot.to_end == 1,
        )
    )


def _part(voice: int, players: Ensemble) -> int:
    """The part of a choir that is most like a voice: outer voices are outer ones."""
    return CHOIR.bass if voice == players.bass else min(voice, CHOIR.bass - 1)


def _given_at(plan: Plan, place: int, voice: int) -> Given | None:
    given = plan.slots[place].given
    return given[voice] if given else None


def _harmony(slot: Slot, moment: np.void) -> Harmony:
    for harmony in slot.harmonies:
        if harmony.chord.index == moment["chord"] and harmony.key.tonic.fifths == moment["tonic"]:
            return harmony
    raise AssertionError("a chosen moment carries one of its slot's harmonies")


# --- what agrees ----------------------------------------------------------------------------


def _agree(figures: Sequence[Figure]) -> bool:
    """Whether voices that move together make consonances, and suspensions stand in a figure."""
    moving = [figure for figure in figures if figure.moves and figure.struck]
    for one, other in combinations(moving, 2):
        chosen = not (one.given and other.given)
        if chosen and (one.second.semitone - other.second.semitone) % 12 not in IMPERFECT:
            return False
    return all(
        _suspension_stands(voice, figures)
        for voice, figure in enumerate(figures)
        if figure.kind == "suspension"
    )


def _suspension_stands(voice: int, figures: Sequence[Figure]) -> bool:
    """A figure of 4-3, 7-6, 9-8 or 2-3, its resolution not sounding in another upper voice."""
    last = max(place for place, figure in enumerate(figures) if figure.sounds)
    held, bass = figures[voice].first, figures[last].first
    target = figures[voice].second
    others = [
        figure.first for place, figure in enumerate(figures) if place != voice and figure.sounds
    ]
    doubled = [other for other in others[:-1] if other.step % 7 == target.step % 7]
    if doubled or any(
        (held.semitone - other.semitone) % 12 in HARSH and other.step > held.step
        for other in others
    ):
        return False
    if voice == last:
        return any((other.step - held.step) % 7 == 1 for other in others)
    return (held.step - bass.step) % 7 + 1 in {figure % 7 or 7 for figure in SUSPENSION_FIGURES}


def _clash_cost(figures: Sequence[Figure]) -> float:
    seconds = [figure.second for figure in figures]
    total = 0.0
    for voice, figure in enumerate(figures):
        if figure.moves and figure.kind != "suspension":
            gaps = [
                abs(figure.second.semitone - other.semitone) % 12
                for place, other in enumerate(seconds)
                if place != voice and figures[place].sounds
            ]
            total += HARSH_COST * sum(gap in HARSH for gap in gaps)
    return total
