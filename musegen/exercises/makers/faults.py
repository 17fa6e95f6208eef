"""Exercises in finding and mending faults: clean phrases in which faults are planted one by one.

Each fault is one note moved to another chord tone. It is kept if the checker then finds one root
fault more, of a kind that the level wants; so the key is all that is to be found, and proof finds
it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from musegen.exercises.grading.align import chord_tones_at
from musegen.exercises.grading.faults import (
    FAULT_POINTS,
    fault_of,
    fault_words,
    grave,
)
from musegen.exercises.grading.observe import Observed, observe
from musegen.exercises.grading.rubric import load_rubric, rubric_style
from musegen.exercises.grading.task import CHOIR, Task
from musegen.exercises.grading.words import term
from musegen.exercises.item import Ask, Distractor, Draft, Solutions, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.drafting import filled
from musegen.exercises.makers.phrases import draw_phrase, search_style, voiced
from musegen.exercises.makers.score_drafts import SCORE, Sheet, score_draft, voices_text
from musegen.score import Note
from theory_kb.pitch import Pitch
from theory_kb.query import voice_range

__all__ = ["find_faults", "mend_faults", "plant", "twins"]

ATTEMPTS = 120  # notes that are tried for one fault
TWINS = 3  # distractors of a score
FARTHEST = 9  # semitones that a note is moved
Lines = tuple[tuple[Note, ...], ...]


def find_faults(work: Work) -> Draft:
    """A phrase with so many faults: name them all."""
    sheet, task, lines, observed = _planted(work)
    faults = [fault_of(each, task) for each in grave(observed)]
    key = fault_words(faults, CHOIR)
    roots = [each for each in faults if each.cause]
    shown = _shown(sheet, lines)
    words = {
        "count": str(len(roots)),
        "key": sheet.key.name,
        "first": str(roots[0].last),
        "voices": "-".join(CHOIR[voice] for voice in sorted(roots[0].voices)),
        "rule": roots[0].name,
        "answer": key,
    }
    kind = work.kind
    base = score_draft(work, shown, words)
    part = Ask(
        "answer",
        "text",
        "faults",
        Text("place, voices and name of each fault", "位置、声部与名称"),
        FAULT_POINTS * len(roots),
    )
    return replace(
        base,
        ask=(part,),
        prompt=filled(kind.instruction, words),
        uniqueness="F",
        solutions=Solutions({"answer": (key,)}, 1),
        kg=tuple(dict.fromkeys(f"rule:{each.name}" for each in faults)),
        facts={**base.facts, "planted": str(len(roots))},
    )


def mend_faults(work: Work) -> Draft:
    """A phrase with faults: mend it by changing as few notes as were spoilt."""
    sheet, _, lines, observed = _planted(work)
    roots = [each for each in grave(observed) if each.cause is None]
    changes = sum(
        first.pitch != second
        for line, model in zip(lines, sheet.model, strict=True)
        for first, second in zip(line, model, strict=True)
    )
    words = {
        "count": str(len(roots)),
        "most": str(changes),
        "key": sheet.key.name,
        "first": str(roots[0].slot + 1),
        "rule": roots[0].finding.rule,
        "answer": voices_text(CHOIR, sheet.model),
    }
    base = score_draft(work, replace(sheet, given={}, shown_chords=True), words)
    faulty = _shown(sheet, lines)
    given = score_draft(work, faulty, words).given
    facts = {**base.facts, "faulty": voices_text(CHOIR, _pitches(lines)), "changes": str(changes)}
    return replace(base, given=given, facts=facts)


def _shown(sheet: Sheet, lines: Lines) -> Sheet:
    """The sheet with the faulty notes as what is given."""
    pitches = _pitches(lines)
    return replace(sheet, given=dict(enumerate(pitches)), model=pitches, shown_chords=True)


def _pitches(lines: Lines) -> tuple[tuple[Pitch, ...], ...]:
    return tuple(tuple(note.pitch for note in line) for line in lines)


def _planted(work: Work) -> tuple[Sheet, Task, Lines, Observed]:
    """A clean phrase, what it is as an exercise, its lines with faults, and what is found in them."""
    phrase = draw_phrase(work)
    found = voiced(phrase, search_style(work.kind.rubric), work.rng)
    sheet = Sheet.of(phrase, found.pitches, {})
    sheet = replace(sheet, words=f"{phrase.key.name}: {_numerals(sheet)}")
    task = Task.of(score_draft(work, sheet, _blank()))
    style = rubric_style(load_rubric(work.kind.rubric))
    if grave(observe(task, task.score(found.lines), style)):
        raise DiscardError("the clean phrase has faults")
    low, high = work.params["faults"]
    wanted = int(work.rng.integers(low, high + 1))
    lines: Lines = found.lines
    for number in range(wanted):
        lines, observed = plant(task, lines, work, number)
    return sheet, task, lines, observed


def _numerals(sheet: Sheet) -> str:
    return " ".join(slot.numeral for slot in sheet.slots)


def _blank() -> dict[str, str]:
    names = ("count", "key", "first", "voices", "rule", "answer", "most")
    return dict.fromkeys(names, "")


def plant(task: Task, lines: Lines, work: Work, already: int) -> tuple[Lines, Observed]:
    """Lines with one fault more.

    Args:
        task: the exercise.
        lines: with so many root faults already.
        work: whose level says which rules may be broken, `rules`; whose rubric finds them.
        already: root faults.

    Raises:
        DiscardError: no note was found that makes such a fault.
    """
    style = rubric_style(load_rubric(work.kind.rubric), task.style)
    wanted = set(work.params["rules"])
    before = {fault_of(each, task) for each in grave(observe(task, task.score(lines), style))}
    for moved in _moves(task, lines, work.rng):
        observed = observe(task, task.score(moved), style)
        found = {fault_of(each, task) for each in grave(observed)}
        roots = [each for each in found if each.cause]
        new = [each for each in roots if each not in before]
        if before <= found and len(roots) == already + 1 and new and new[0].name in wanted:
            return moved, observed
    raise DiscardError("no note makes a fault of the level")


def twins(task: Task, lines: Lines, rubric: str, rng: np.random.Generator) -> list[Distractor]:
    """Rule-breaking twins of a model answer: one note elsewhere, exactly one root fault each.

    Args:
        task: the exercise.
        lines: the model, by voice.
        rubric: whose rules find the fault.
        rng: order in which notes are tried.
    """
    style = rubric_style(load_rubric(rubric), task.style)
    found: dict[str, Distractor] = {}
    for moved in _moves(task, lines, rng):
        roots = [
            each for each in grave(observe(task, task.score(moved), style)) if each.cause is None
        ]
        if len(roots) == 1 and roots[0].finding.rule not in found:
            rule = roots[0].finding.rule
            text = voices_text(task.voices, _pitches(moved))
            found[rule] = Distractor(SCORE, text, "D12", rule, term(rule))
        if len(found) == TWINS:
            break
    return list(found.values())


def _moves(task: Task, lines: Lines, rng: np.random.Generator) -> Iterator[Lines]:
    """Lines with one note elsewhere, in an order by chance."""
    places = [
        (voice, number, pitch)
        for voice, line in enumerate(lines)
        for number in range(min(1, len(line) - 1), len(line))
        for pitch in _others(task, lines, voice, number)
    ]
    for at in rng.permutation(len(places))[:ATTEMPTS]:
        voice, number, pitch = places[at]
        line = list(lines[voice])
        line[number] = replace(line[number], pitch=pitch)
        yield (*lines[:voice], tuple(line), *lines[voice + 1 :])


def _others(task: Task, lines: Lines, voice: int, number: int) -> Sequence[Pitch]:
    """Other tones of the chord near a note and in the voice's range."""
    here = lines[voice][number].pitch
    span = voice_range(task.voices[voice].lower())
    low, high = span.extended_low.semitone, span.extended_high.semitone
    found = []
    for tone in sorted(chord_tones_at(task, number), key=lambda each: each.fifths):
        for octave in range(here.octave - 1, here.octave + 2):
            pitch = Pitch.of(tone, octave)
            near = 0 < abs(pitch.semitone - here.semitone) <= FARTHEST
            if near and low <= pitch.semitone <= high:
                found.append(pitch)
    return found
