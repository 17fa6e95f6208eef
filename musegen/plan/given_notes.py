"""Single notes that a plan must hold: a pattern, a motif, a few places of some voices.

What is silent in the pattern is free. A note binds its voice for whole slots, so that a pattern
begins and ends each of its stretches with a beat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from musegen.errors import ScoreError
from musegen.plan.plan import Given, Plan, Slot, where
from musegen.plan.window import VOICES, heard, holds, sounded
from musegen.score import Note, Score

__all__ = ["pattern_lines", "with_notes"]


def pattern_lines(score: Score) -> dict[int, tuple[Note, ...]]:
    """The notes of a pattern by voice, 0 soprano to 3 bass.

    Four parts are the four voices; fewer are named after theirs.

    Raises:
        ScoreError: a part that is named after no voice, or two after one.
    """
    if len(score.parts) == len(VOICES):
        return {voice: part.notes for voice, part in enumerate(score.parts)}
    found: dict[int, tuple[Note, ...]] = {}
    for part in score.parts:
        name = part.name.strip().lower()
        if name not in VOICES or VOICES.index(name) in found:
            allowed = f"each part of a pattern is named after its voice ({', '.join(VOICES)})"
            raise ScoreError(score.title, f"{part.name!r}: {allowed}, or there are four")
        found[VOICES.index(name)] = part.notes
    return found


def with_notes(plan: Plan, lines: Mapping[int, Sequence[Note]]) -> Plan:
    """A plan whose voices sound given notes where there are some, and are free elsewhere.

    Args:
        plan: of any task; voices that it has as given already stay.
        lines: notes by voice, onsets as in the plan.

    Raises:
        ScoreError: a note after the end, a note that begins or ends within a slot where its voice
            is silent else, a voice that is given already, or a chord that must hold a note and
            does not.
    """
    end = plan.slots[-1].onset + plan.slots[-1].duration
    for voice, line in lines.items():
        if voice in plan.lines:
            raise ScoreError(f"the {VOICES[voice]}", "is given already; a pattern is for others")
        if line and line[-1].end > end:
            raise ScoreError(
                f"the {VOICES[voice]}",
                f"the pattern lasts {line[-1].end} quarter notes, the piece {end}",
            )
    slots = tuple(_bound(slot, lines, plan) for slot in plan.slots)
    used = {voice: tuple(line) for voice, line in lines.items() if line}
    return replace(
        plan,
        slots=slots,
        lines={**plan.lines, **used},
        open_voices=plan.open_voices | frozenset(used),
    )


def _bound(slot: Slot, lines: Mapping[int, Sequence[Note]], plan: Plan) -> Slot:
    """A slot with what the pattern sounds there, and the chords that hold it."""
    place = where(slot, plan.metre[1])
    given: list[Given | None] = list(slot.given or (None,) * len(VOICES))
    for voice, line in lines.items():
        given[voice] = _there(line, slot, f"{place}, {VOICES[voice]}")
    if not any(given[voice] for voice in lines):
        return slot
    bound = replace(slot, given=tuple(given))
    if given[0] is not None:  # the tune is what the pattern has, whatever the form asks of it
        bound = replace(bound, soprano=(), repeats=None)
    fitting = tuple(each for each in slot.harmonies if holds(each, bound))
    if not fitting:
        chords = ", ".join(f"{each.chord.symbol} in {each.key}" for each in slot.harmonies[:6])
        notes = " and ".join(str(each.first) for each in given if each is not None)
        raise ScoreError(place, f"no chord that may stand here ({chords}) holds {notes}")
    return replace(bound, harmonies=fitting)


def _there(line: Sequence[Note], slot: Slot, place: str) -> Given | None:
    """What a line sounds in a slot: all of it, or nothing."""
    span = (slot.onset, slot.onset + slot.duration)
    length = sounded(line, span)
    if length == Fraction(0):
        return None
    if length < slot.duration:
        raise ScoreError(
            place, "the pattern rests within the beat; give all of the beat or nothing"
        )
    return heard(line, *span)
