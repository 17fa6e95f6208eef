"""What decorated beats sound, and what the rules say of it: inside a beat, and from one to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from musegen.models.protocol import BoolArray, FloatArray, IntArray
from musegen.plan.plan import Slot
from musegen.search.lattice import PairTable
from musegen.sounding import later, silence
from musegen.standing import Origin
from musegen.textures.figures import Decoration
from theory_kb.moment import NON_CHORD, Moments, taken
from theory_kb.pitch import Pitch
from theory_kb.rule_sets import RuleSet, costs, pair_table

__all__ = [
    "Beat",
    "beat_of",
    "inner_costs",
    "junction",
    "rules_between",
    "rules_inside",
    "silent_rules",
]

STILL_COST = 1.5  # nats for a beat without an eighth after another one


@dataclass(frozen=True, slots=True)
class Beat:
    """The ways to decorate a beat, N of them, and what each sounds."""

    decorations: tuple[Decoration, ...]  # (N,)
    moments: tuple[Moments, ...]  # (N,) at each time at which any voice may strike
    entering: Moments  # (N,) the chord, each voice on its first chord tone
    leaving: Moments  # (N,) the chord, each voice on its last chord tone

    def kept(self, rows: IntArray) -> Beat:
        """Some of the ways."""
        return Beat(
            tuple(self.decorations[row] for row in rows),
            tuple(taken(each, rows) for each in self.moments),
            taken(self.entering, rows),
            taken(self.leaving, rows),
        )


def beat_of(
    moment: np.void, beat: Sequence[Decoration], slot: Slot, metre: tuple[int, int]
) -> Beat:
    """What a chord sounds as it is decorated.

    Args:
        moment: the chord.
        beat: its decorations.
        slot: where it stands.
        metre: beats of a bar and the unit of a beat.
    """
    chosen = any(figure.moves and not figure.given for each in beat for figure in each.figures)
    times = sorted({*slot.times(), *([slot.middle] if chosen else [])})
    chord = np.repeat(np.asarray(moment).reshape(1), len(beat))
    moments: list[Moments] = []
    for time in times:
        rows = later(chord, slot, time, metre) if time else chord.copy()
        real = time in slot.times()  # else only where a chosen figure has its second note
        for row, decoration in enumerate(beat):
            if not (real or any(fig.moves and not fig.given for fig in decoration.figures)):
                rows[row] = moments[-1][row]
                continue
            for voice, figure in enumerate(decoration.figures):
                pitch, struck = figure.at(time, slot.middle)
                _sound(rows, row, voice, pitch, moment, struck=struck)
        moments.append(rows)
    entering, leaving = _on_chord(chord, moments[::-1]), _on_chord(chord, moments)
    return Beat(tuple(beat), tuple(moments), entering, leaving)


def _on_chord(chord: Moments, moments: Sequence[Moments]) -> Moments:
    """A chord with each voice on the last of its notes that is one of the chord."""
    found = chord.copy()
    for rows in moments:
        held = rows["member"] >= 0
        for name in ("step", "semitone", "degree", "member"):
            found[name] = np.where(held, rows[name], found[name])
    return found


def _sound(
    rows: Moments, row: int, voice: int, pitch: Pitch | None, skeleton: np.void, *, struck: bool
) -> None:
    if pitch is None:
        silence(rows[row : row + 1], voice)
        return
    rows["step"][row, voice] = pitch.step
    rows["semitone"][row, voice] = pitch.semitone
    rows["attack"][row, voice] = struck
    if pitch.semitone != skeleton["semitone"][voice]:
        fifths = pitch.pitch_class.fifths - int(skeleton["tonic"])
        members = [int(skeleton[name]) for name in ("root", "third", "fifth", "seventh")]
        rows["degree"][row, voice] = fifths
        rows["member"][row, voice] = members.index(fifths) if fifths in members else NON_CHORD


# --- what the rules say ---------------------------------------------------------------------


def rules_inside(rules: Mapping[str, RuleSet], origin: Origin, place: int) -> Mapping[str, RuleSet]:
    """The rules on what sounds in a slot, blind to what stood there among the voices that stay."""
    return {
        "unary": origin.spare(rules["unary"], place, "heard"),
        "pair": origin.spare(rules["pair"], place, "inside"),
    }


def rules_between(
    rules: Mapping[str, RuleSet], origin: Origin, place: int
) -> Mapping[str, RuleSet]:
    """The rules on the way into a slot, blind to what stood there among the voices that stay."""
    return {
        "pair": origin.spare(rules["pair"], place, "join"),
        "chords": origin.spare(rules["chords"], place, "move"),
    }


def silent_rules(rules: RuleSet) -> RuleSet:
    """Rules that judge nothing."""
    return replace(rules, hard=0, weights=np.zeros_like(rules.weights))


def inner_costs(beat: Beat, rules: Mapping[str, RuleSet]) -> FloatArray:
    """Costs (N,) of all that sounds in a beat, and of the moves inside it."""
    total = np.zeros(len(beat.decorations))
    for now in beat.moments:
        total += costs(rules["unary"], now, now, now)
    for before, now in pairwise(beat.moments):
        total += costs(rules["pair"], before, before, now)
    return total


def junction(before: Beat, after: Beat, rules: Mapping[str, RuleSet]) -> PairTable:
    """Which decorated beat may follow which."""
    ways = before.decorations, after.decorations
    gate = np.array([[_joins(one, other) for other in ways[1]] for one in ways[0]])
    still = np.array([[not (one.moving or other.moving) for other in ways[1]] for one in ways[0]])
    chords = _table(rules["chords"], before.leaving, after.entering, gate)
    surface = _table(rules["pair"], before.moments[-1], after.moments[0], np.isfinite(chords))
    total = chords + surface + STILL_COST * still
    sources, successors = np.nonzero(np.isfinite(total))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(sources, minlength=len(ways[0])))])
    return PairTable(indptr, successors.astype(np.int32), total[sources, successors])


def _table(rules: RuleSet, before: Moments, after: Moments, gate: BoolArray) -> FloatArray:
    """Costs of all pairs, infinite where one is not allowed."""
    indptr, successors, price = pair_table(rules, before, after, gate)
    found = np.full(gate.shape, np.inf)
    found[np.repeat(np.arange(len(before)), np.diff(indptr)), successors] = price
    return found


def _joins(one: Decoration, other: Decoration) -> bool:
    """Every goal is reached, every suspension prepared by the very note it holds."""
    for before, after in zip(one.figures, other.figures, strict=True):
        if before.goal is not None and before.goal != after.first:
            return False
        if after.kind == "suspension" and before.second != after.first:
            return False
    return True
