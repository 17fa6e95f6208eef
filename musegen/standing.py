"""What a window of a piece had before it is written anew.

Faults that a piece has already among notes that stay are none of ours: they refuse nothing and
cost nothing. The same rules judge the piece as it stood, and what they find there among the voices
that stay is spared (`theory_kb.rule_sets.spare_known`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from musegen.plan.ensemble import Ensemble
from musegen.plan.plan import Plan, Slot, struck_times
from musegen.sounding import put, sounding_at
from theory_kb.chords import set_harmony, spell
from theory_kb.moment import REST, TICKS, Moments, blank_moments
from theory_kb.rule_sets import RuleSet, earlier_notes, spare_known

__all__ = ["Origin", "place_moments", "stood_moment"]

Seen = tuple[Moments, Moments, Moments]  # earlier, before, now


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """The slots of a window as they stood; without any where a plan is no window."""

    plan: Plan
    chords: Moments  # (T,) one chord a slot
    heard: tuple[tuple[Moments, ...], ...]  # (1,) each: what sounded at each time of each slot
    earlier: Moments  # (T,) what each voice had left before

    @classmethod
    def of(cls, plan: Plan) -> Origin:
        """What a plan's slots had before; nothing if it is no window."""
        if any(slot.stood is None for slot in plan.slots):
            nothing = blank_moments(0, plan.ensemble.size)
            return cls(plan, nothing, (), nothing)
        last = len(plan.slots) - 1
        rows = [stood_moment(slot) for slot in plan.slots]
        for place, (slot, moment) in enumerate(zip(plan.slots, rows, strict=True)):
            place_moments(moment, slot, plan.ensemble, final=place == last and plan.ends)
        heard = tuple(
            _stood_heard(moment, slot, plan.metre)
            for slot, moment in zip(plan.slots, rows, strict=True)
        )
        chords = np.concatenate(rows)
        return cls(plan, chords, heard, earlier_notes(chords))

    def __bool__(self) -> bool:
        """Whether anything stood."""
        return bool(self.heard)

    def spare(self, rules: RuleSet, place: int, view: str) -> RuleSet:
        """Rules that do not see what stood at a slot among the voices that stay.

        Args:
            rules: of the group that looks at what the view shows.
            place: the slot, or the later one of two or three.
            view: one of `VIEWS`.
        """
        if not self:
            return rules
        back, seen = VIEWS[view]
        found = seen(self, place)
        if not found:
            return rules
        slots = self.plan.slots[max(0, place - back) : place + 1]
        free = frozenset().union(*(slot.free for slot in slots))
        return spare_known(rules, found, free)


def _row(moments: Moments, place: int) -> Moments:
    return moments[place : place + 1]


def _chord(origin: Origin, place: int) -> list[Seen]:
    here = _row(origin.chords, place)
    return [(here, here, here)]


def _heard(origin: Origin, place: int) -> list[Seen]:
    return [(here, here, here) for here in origin.heard[place]]


def _inside(origin: Origin, place: int) -> list[Seen]:
    return [(before, before, now) for before, now in pairwise(origin.heard[place])]


def _move(origin: Origin, place: int) -> list[Seen]:
    before = _row(origin.chords, place - 1)
    return [(before, before, _row(origin.chords, place))]


def _join(origin: Origin, place: int) -> list[Seen]:
    before = origin.heard[place - 1][-1]
    return [(before, before, origin.heard[place][0])]


def _line(origin: Origin, place: int) -> list[Seen]:
    before, now = (_row(origin.chords, each) for each in (place - 1, place))
    return [(_row(origin.earlier, place), before, now)]


VIEWS: Mapping[str, tuple[int, Callable[[Origin, int], list[Seen]]]] = {
    # slots back of which the free voices count, and what is looked at
    "chord": (0, _chord),
    "heard": (0, _heard),
    "inside": (0, _inside),
    "move": (1, _move),
    "join": (1, _join),
    "line": (2, _line),
}


# --- as moments -----------------------------------------------------------------------------


def stood_moment(slot: Slot) -> Moments:
    """The chord that stood at a slot, (1,): each voice on its chord tone, if it has one."""
    assert slot.stood is not None, "only a window has something that stood"
    harmony = slot.stood.harmony
    moments = blank_moments(1, len(slot.stood.voices))
    set_harmony(moments, harmony.chord, harmony.key)
    tones = spell(harmony.chord, harmony.key)
    for voice, each in enumerate(slot.stood.voices):
        if each is None:
            continue
        held = (pitch for pitch in each.pitches if pitch.pitch_class in tones)
        put(moments, voice, next(held, each.first), struck=True)
    return moments


def _stood_heard(moment: Moments, slot: Slot, metre: tuple[int, int]) -> tuple[Moments, ...]:
    """What stood at each time of a slot, (1,) each."""
    assert slot.stood is not None, "only a window has something that stood"
    voices = slot.stood.voices
    return tuple(sounding_at(moment, slot, voices, time, metre) for time in struck_times(voices))


def place_moments(moments: Moments, slot: Slot, players: Ensemble, *, final: bool) -> None:
    """Write what a slot knows into its moments."""
    voices = slice(0, players.size)
    moments["attack"][:, voices] = moments["semitone"][:, voices] != REST
    moments["hands"] = players.hands
    moments["strength"] = slot.strength
    moments["boundary"] = slot.opens and slot.phrase > 0
    moments["phrase_end"] = slot.closes
    moments["opening"] = slot.opens
    moments["final"] = final
    moments["onset"] = int(slot.onset * TICKS)
    moments["bar"] = slot.bar
    moments["position"] = slot.position
