"""From drawn phrases to what the search takes: slots with the tune given and chords in any position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from musegen.plan.ensemble import PIANO
from musegen.plan.layout import Layout, PhraseLayout, UnitLayout
from musegen.plan.plan import ANY, COMMON, Given, Harmony, Phrase, Plan, Slot
from musegen.plan.planner import TARGETS, everyday
from musegen.score import Note
from musegen.textures.working import Statement

__all__ = ["plan_of"]

VOICES = PIANO.size


def plan_of(
    layout: Layout, phrases: Sequence[PhraseLayout], statements: Sequence[Statement]
) -> Plan:
    """Phrases as the search takes them: the tune given, each chord in any position.

    Args:
        layout: the whole form.
        phrases: of it, neighbours.
        statements: what was drawn for their units, in order.
    """
    line = tuple(
        replace(note, onset=note.onset + each.unit.bar * layout.bar)
        for each in statements
        for note in each.notes
    )
    slots: list[Slot] = []
    written: list[Phrase] = []
    rows = iter(statements)
    for phrase in phrases:
        chosen = [pair for _ in phrase.units for pair in next(rows).slots]
        begins = {units[0].bar + 1: units for units in phrase.stretches}
        for place, (slot, _) in enumerate(chosen):
            units = begins.pop(slot.bar, None)
            if units is not None:
                written.append(_phrase(phrase, units, len(slots)))
            slots.append(_heard(slot, _sounded(phrase, chosen, place), line, len(written) - 1))
            written[-1] = replace(written[-1], last=len(slots) - 1)
    stated = any(each.section.harmony for phrase in phrases for each in phrase.units)
    return Plan(
        layout.template.name,
        layout.home,
        layout.metre,
        Fraction(0),
        layout.template.tempo,
        tuple(slots),
        tuple(written),
        {0: line},
        least_grade=ANY if stated else COMMON,
        chords_given=stated,
        ensemble=PIANO,
        ends=phrases[-1] is layout.phrases[-1],
    )


def _sounded(
    phrase: PhraseLayout, chosen: Sequence[tuple[Slot, Harmony]], place: int
) -> tuple[Harmony, ...]:
    """The chord of a slot in any position; before an arrival over the same bass, there as it is."""
    slot, harmony = chosen[place]
    if len(slot.harmonies) > 1 and place < len(chosen) - phrase.fixed:
        return _positions(harmony)
    if place == len(chosen) - 1 or phrase.close is None:
        return (harmony,)
    return tuple(each for each in _positions(harmony) if each.chord.bass == harmony.chord.bass)


def _heard(slot: Slot, harmonies: tuple[Harmony, ...], line: Sequence[Note], phrase: int) -> Slot:
    tune = Given.heard(line, slot.onset, slot.onset + slot.duration)
    return replace(slot, harmonies=harmonies, given=(tune, *(None,) * (VOICES - 1)), phrase=phrase)


def _phrase(phrase: PhraseLayout, units: Sequence[UnitLayout], first: int) -> Phrase:
    """A stretch of a phrase as the search knows phrases: in one key, or from one to another."""
    unit = units[-1]
    runs_on = unit is not phrase.units[-1]
    formula = None if phrase.close is None or runs_on else phrase.close.formula
    return Phrase(
        unit.section.name, first, first, units[0].start, unit.end, False, formula, runs_on
    )


def _positions(harmony: Harmony) -> tuple[Harmony, ...]:
    """A chord, its everyday inversions, and the same with or without its seventh."""
    chord = harmony.chord
    if chord.cadential:
        return (harmony,)
    alike = [
        each
        for each in everyday(harmony.key, TARGETS)
        if each.chord.members[:3] == chord.members[:3]
        and each.chord.applied_to == chord.applied_to
        and not each.chord.cadential
        and each != harmony
    ]
    return (harmony, *alike)
