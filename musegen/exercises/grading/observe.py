"""What the rules see in an answer: the facts that every rubric shares.

The rules are those of `theory_kb.check`; here their findings are given a place among the slots of
the exercise, and defects that follow from others are tied to their cause.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np

from musegen.exercises.grading.task import Task
from musegen.exercises.item import Text
from musegen.exercises.records import read_record
from musegen.score import Score
from musegen.slices import piece, sounding, ticks
from theory_kb.check import Finding, Style, check
from theory_kb.moment import TICKS
from theory_kb.rules.context import Answer, Context, GivenNote, combination
from theory_kb.rules.piece import Piece, write_declared
from theory_kb.rules.records import rules

__all__ = ["Defect", "Observed", "observe", "seen_piece", "upper_leaps"]

CONSEQUENCES = Path(__file__).parent.parent / "consequences.toml"


@dataclass(frozen=True, slots=True)
class Defect:
    """A finding with its place in the exercise."""

    finding: Finding
    slot: int  # index of the chord that it stands in or arrives at; -1 without slots
    left: int  # index of the chord that the move leaves; the same for a chord by itself
    onset: Fraction  # quarter notes
    cause: int | None = None  # index of the defect that it follows from
    why: Text | None = None  # why it follows

    @property
    def names(self) -> tuple[str, ...]:
        """Its rule, and those that the same notes break as well."""
        return (self.finding.rule, *self.finding.also)


@dataclass(frozen=True, slots=True)
class Observed:
    """An answer as the rules saw it."""

    task: Task
    score: Score
    piece: Piece
    style: Style
    defects: tuple[Defect, ...]  # in order of time


def observe(
    task: Task, score: Score, style: Style, labels: Sequence[tuple[str, tuple[str, ...]]] = ()
) -> Observed:
    """Check a score and place what is found.

    Args:
        task: the exercise.
        score: the answer, made by `Task.score`.
        style: rules that are asked, see `rubric_style`.
        labels: where the student names the chords: of each slot the symbol, empty where there is
            none, and the symbols that the notes bear out.
    """
    seen = seen_piece(task, score)
    if labels:
        seen = replace(
            seen, context=replace(seen.context, answers=tuple(_named(task, seen, labels)))
        )
    found = check(seen, style).findings
    return Observed(task, score, seen, style, _chained([_placed(task, each) for each in found]))


# --- the piece ------------------------------------------------------------------------------


def seen_piece(task: Task, score: Score) -> Piece:
    """The arrays that the rules see, with what the exercise declares."""
    seen = piece(score)
    surface, beat, bar = seen.surface, seen.beat_ticks, seen.bar_ticks
    if task.metre is None:
        surface["strength"], beat, bar = 0, 0, 0
    context = replace(seen.context, tempo=None, given=tuple(_given(task)))
    if task.cantus is not None:
        context = _with_cantus(context, task)
    write_declared(surface, context)
    harmonic = seen.harmonic
    if harmonic is not None and task.metre is None:
        harmonic["strength"] = 0
    return replace(seen, surface=surface, beat_ticks=beat, bar_ticks=bar, context=context)


def _named(
    task: Task, seen: Piece, labels: Sequence[tuple[str, tuple[str, ...]]]
) -> Iterator[Answer]:
    """The student's names of chords as the rules on labels take them."""
    onsets = seen.surface["onset"]
    for slot, (came, allowed) in zip(task.slots, labels, strict=True):
        place = int(np.searchsorted(onsets, ticks(slot.onset)))
        if place < len(onsets):
            yield Answer(
                "roman", place, came, allowed or (came,)
            )  # no chord: not the label's fault


def _given(task: Task) -> Iterator[GivenNote]:
    for voice, line in enumerate(task.given):
        for note in line:
            yield GivenNote(voice, ticks(note.onset), note.pitch.step, note.pitch.semitone)


def _with_cantus(context: Context, task: Task) -> Context:
    assert task.cantus is not None, "the caller has looked"
    given = task.given[task.cantus]
    final = given[-1].pitch.pitch_class if given else task.final
    return replace(
        context,
        cantus=task.cantus,
        final=None if final is None else final.fifths,
        mode=task.mode,
        species=dict(task.species),
        home=None,
        devices=context.devices | combination(task.species),
    )


# --- places ---------------------------------------------------------------------------------


def _placed(task: Task, finding: Finding) -> Defect:
    onset, start = Fraction(finding.onset, TICKS), Fraction(finding.start, TICKS)
    group = rules()[finding.rule].group
    if group == "line":  # it tells of the leap before
        onset_slot = task.slot_at(start)
        return Defect(finding, onset_slot, max(onset_slot - 1, -1), onset)
    slot = task.slot_at(onset)
    left = task.slot_at(start)
    if group == "piece" and rules()[finding.rule].scope in MOVES and slot > 0:
        left = slot - 1
    return Defect(finding, slot, left, onset)


MOVES = ("M1", "M2", "H2")  # scopes of rules on whole pieces that tell of a move into a place


def upper_leaps(task: Task, score: Score) -> int:
    """Skips of a third or more from slot to slot, in all voices but the lowest."""
    count = 0
    for part in score.parts[:-1]:
        notes = [sounding(part.notes, slot.onset) for slot in task.slots]
        steps = [None if note is None else note.pitch.step for note in notes]
        moves = [
            abs(second - first)
            for first, second in pairwise(steps)
            if first is not None and second is not None
        ]
        count += sum(move > 1 for move in moves)
    return count


# --- causes ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Consequence:
    """A row of the table of consequences."""

    cause: tuple[str, ...]
    effect: tuple[str, ...]
    when: Literal["left", "here"]
    voices: Literal["all", "one", "any"]
    why: Text


@cache
def _consequences() -> tuple[_Consequence, ...]:
    table: dict[str, Any] = tomllib.loads(CONSEQUENCES.read_text(encoding="utf-8"))
    return tuple(
        read_record(_Consequence, each, f"{CONSEQUENCES.name} {number}")
        for number, each in enumerate(table["consequence"], 1)
    )


def _chained(defects: Sequence[Defect]) -> tuple[Defect, ...]:
    """The defects, each that follows from another with its cause."""
    return tuple(_with_cause(each, defects) for each in defects)


def _with_cause(effect: Defect, defects: Sequence[Defect]) -> Defect:
    for row in _consequences():
        if effect.finding.rule not in row.effect:
            continue
        for number, cause in enumerate(defects):
            if cause is not effect and _follows(effect, cause, row):
                return replace(effect, cause=number, why=row.why)
    return effect


def _follows(effect: Defect, cause: Defect, row: _Consequence) -> bool:
    if not set(cause.names) & set(row.cause):
        return False
    place = effect.left if row.when == "left" else effect.slot
    if cause.slot != place or (row.when == "left" and effect.left == effect.slot):
        return False
    those, these = set(cause.finding.voices), set(effect.finding.voices)
    return {"all": these <= those, "one": bool(these & those), "any": True}[row.voices]
