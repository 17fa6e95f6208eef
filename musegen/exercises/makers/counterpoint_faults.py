"""Finding faults in species counterpoint: a clean one in which notes are moved until rules break."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from musegen.exercises.grading.faults import FAULT_POINTS, Fault, fault_of, fault_words, grave
from musegen.exercises.grading.observe import Observed, observe
from musegen.exercises.grading.rubric import load_rubric, rubric_style
from musegen.exercises.grading.task import Task
from musegen.exercises.grading.voice_text import read_voices, write_line
from musegen.exercises.item import Ask, Draft, Given, Solutions, Text
from musegen.exercises.kinds import NO_TEXT, DiscardError, Work
from musegen.exercises.makers.counterpoint import BAR, write_counterpoint
from musegen.exercises.makers.drafting import filled
from musegen.io.musicxml import write_musicxml
from musegen.score import Note
from theory_kb.pitch import Pitch
from theory_kb.thoroughbass import scale_tone

__all__ = ["find_errors"]

FARTHEST = 5  # staff steps that a note is moved
Lines = tuple[tuple[Note, ...], ...]


def find_errors(work: Work) -> Draft:
    """A counterpoint with so many faults: name them by bar. Parameter `faults`."""
    wordless = replace(work.kind, instruction=NO_TEXT, hints=(), why=NO_TEXT)
    clean = write_counterpoint(replace(work, kind=wordless))
    task = Task.of(clean)
    lines = _lines(task, clean.solutions.model["score"])
    style = rubric_style(load_rubric(work.kind.rubric), task.style)
    if grave(observe(task, task.score(lines), style)):
        raise DiscardError("the counterpoint has a fault of its own")
    observed: Observed | None = None
    for number in range(int(work.params["faults"])):
        lines, observed = _planted(task, lines, work, number)
    assert observed is not None, "every level plants a fault"
    return _draft(work, clean, task, lines, observed)


def _lines(task: Task, text: str) -> Lines:
    written = {part.name: part.notes for part in task.parts(read_voices(text))}
    return tuple(written.get(name, task.given[voice]) for voice, name in enumerate(task.voices))


def _planted(task: Task, lines: Lines, work: Work, already: int) -> tuple[Lines, Observed]:
    """Lines with one error more; raises DiscardError where no note makes one."""
    style = rubric_style(load_rubric(work.kind.rubric), task.style)
    before = _faults(task, observe(task, task.score(lines), style))
    for moved in _moves(task, lines, work.rng):
        observed = observe(task, task.score(moved), style)
        found = _faults(task, observed)
        roots = [each for each in found if each.cause]
        new = [each for each in roots if each not in before]
        one_more = before <= found and len(roots) == already + 1 and len(new) == 1
        if one_more and style.severities[new[0].name] == "E":
            return moved, observed
    raise DiscardError("no note makes an error")


def _faults(task: Task, observed: Observed) -> set[Fault]:
    return {fault_of(each, task) for each in grave(observed)}


def _moves(task: Task, lines: Lines, rng: np.random.Generator) -> Iterator[Lines]:
    """Lines with one note of a counterpoint on another step of the scale, in an order by chance."""
    places = [
        (voice, number, steps)
        for voice in task.species
        for number in range(1, len(lines[voice]) - 1)
        for steps in range(-FARTHEST, FARTHEST + 1)
        if steps
    ]
    for at in rng.permutation(len(places)):
        voice, number, steps = places[at]
        line = list(lines[voice])
        step = line[number].pitch.step + steps
        pitch = Pitch.of(scale_tone(step % 7, task.key.signature), step // 7)
        line[number] = replace(line[number], pitch=pitch)
        yield (*lines[:voice], tuple(line), *lines[voice + 1 :])


def _draft(work: Work, clean: Draft, task: Task, lines: Lines, observed: Observed) -> Draft:
    faults = [fault_of(each, task) for each in grave(observed)]
    roots = [each for each in faults if each.cause]
    key = fault_words(faults, task.voices)
    text = "\n".join(
        f"{name}: {write_line(line, BAR)}" for name, line in zip(task.voices, lines, strict=True)
    )
    words: dict[str, str | Text] = {
        "count": str(len(roots)),
        "first": str(roots[0].last),
        "voices": "-".join(task.voices[voice] for voice in sorted(roots[0].voices)),
        "rule": roots[0].name,
        "answer": key,
    }
    kind = work.kind
    score = replace(observed.score, title="", chords=())
    ids = tuple(f"p{v}n{n}" for v, line in enumerate(lines) for n in range(len(line)))
    label = Text("bar, voices and name of each fault", "小节、声部与名称")
    return replace(
        clean,
        given=Given(text, write_musicxml(score).decode(), ids),
        ask=(Ask("answer", "text", "faults", label, FAULT_POINTS * len(roots)),),
        prompt=filled(kind.instruction, words),
        uniqueness="F",
        solutions=Solutions({"answer": (key,)}, 1),
        hints=tuple(filled(hint, words) for hint in kind.hints),
        why=filled(kind.why, words),
        kg=tuple(dict.fromkeys(f"rule:{each.name}" for each in faults)),
        facts={**clean.facts, "given": text, "planted": str(len(roots))},
    )
