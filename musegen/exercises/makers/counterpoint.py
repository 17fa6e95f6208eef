"""Exercises in species counterpoint: a cantus firmus of the table, and a counterpoint that is clean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from musegen.errors import DeadEndError, InfeasibleError
from musegen.exercises.grading.rubric import load_rubric
from musegen.exercises.grading.scoring import most_points
from musegen.exercises.grading.voice_text import write_line
from musegen.exercises.item import Ask, Draft, Given, Solutions, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.drafting import filled
from musegen.exercises.makers.score_drafts import SCORE
from musegen.io.blank_sheet import write_blank
from musegen.score import Note, Part, Score
from musegen.species.exercise import Exercise
from musegen.tasks.counterpoint import CounterpointDraft, CounterpointOptions, counterpoint
from theory_kb.catalogue import entry
from theory_kb.check import load_style
from theory_kb.modes import church_mode
from theory_kb.pitch import Interval, Pitch

__all__ = ["write_cantus", "write_counterpoint"]

BAR = Fraction(4)  # quarter notes
UNITS = {1: 4, 2: 2, 3: 1, 4: 2, 5: 1}  # quarter notes of a note that states no length, by species
CANTUS, COUNTERPOINT = "Cantus", ("Counterpoint", "Second")
WIDTH = 24  # hypotheses of the beam
ORDINALS = {
    1: Text("first", "第一类"),
    2: Text("second", "第二类"),
    3: Text("third", "第三类"),
    4: Text("fourth", "第四类"),
    5: Text("fifth", "第五类"),
}


def write_counterpoint(work: Work) -> Draft:
    """A cantus firmus: write against it in a species.

    Parameters: `cantus` (names of the table), `position` (above, below, around), `species`, `voices`.
    """
    params = work.params
    name = work.pick(params["cantus"])
    position = work.pick(params["position"])
    species, voices = int(params["species"]), int(params.get("voices", 2))
    options = CounterpointOptions(
        seed=int(work.rng.integers(1 << 31)), width=WIDTH, temperature=0.1
    )
    try:
        (made,) = counterpoint(name, options, species=species, voices=voices, position=position)
    except (InfeasibleError, DeadEndError):
        raise DiscardError("no counterpoint was found") from None
    if made.report.count("E"):
        raise DiscardError("the counterpoint has an error")
    return _draft(work, name, made)


def _draft(work: Work, name: str, made: CounterpointDraft) -> Draft:
    exercise = made.exercise
    names = _names(exercise.species)
    cantus = exercise.species.index(0)
    species = {names[v]: number for v, number in enumerate(exercise.species) if number}
    highest = max(species.values())
    lines = {n: part.notes for n, part in zip(names, made.score.parts, strict=True)}
    record = entry("cantus-firmus", name)
    words: dict[str, str | Text] = {
        "cantus": " ".join(pitch.name for pitch in exercise.cantus),
        "author": str(record["author"]),
        "mode": str(record["mode"]),
        "species": ORDINALS[highest],
        "place": _place(cantus, len(names)),
        "close": _tokens(lines[_written(names)[0]][-3:]),
        "opening": _tokens(lines[_written(names)[0]][:2]),
        "solutions": f"{made.solutions:,}",
    }
    facts = {
        "voices": " ".join(names),
        "given": f"{CANTUS}: {write_line(lines[CANTUS], BAR)}",
        "metre": "4/4",
        "unit": str(UNITS[highest]),
        "cantus": CANTUS,
        "species": " ".join(f"{each}={number}" for each, number in species.items()),
        "style": exercise.style.name,
        "mode": exercise.mode.name,
    }
    model = "\n".join(f"{n}: {write_line(lines[n], BAR)}" for n in _written(names))
    given = _given(made.score, names, cantus)
    return _scored(work, made.score.key.name, given, model, words, facts, made.solutions)


def _names(species: Sequence[int]) -> tuple[str, ...]:
    """Names of voices by their species; 0 is the cantus."""
    titles = iter(COUNTERPOINT)
    return tuple(next(titles) if number else CANTUS for number in species)


def _written(names: Sequence[str]) -> list[str]:
    return [name for name in names if name != CANTUS]


def _place(cantus: int, voices: int) -> Text:
    if cantus == 0:
        return Text("below", "下方")
    return Text("above", "上方") if cantus == voices - 1 else Text("around", "两侧")


def _tokens(notes: Sequence[Note]) -> str:
    return " ".join(note.pitch.name for note in notes)


def _given(score: Score, names: Sequence[str], cantus: int) -> Given:
    """The cantus on its staff, the others empty."""
    parts = tuple(
        Part(name, part.notes if voice == cantus else ())
        for voice, (name, part) in enumerate(zip(names, score.parts, strict=True))
    )
    shown = replace(score, title="", credit="", parts=parts, chords=())
    line = score.parts[cantus].notes
    ids = tuple(f"p{cantus}n{number}" for number in range(len(line)))
    return Given(f"{CANTUS}: {write_line(line, BAR)}", write_blank(shown).decode(), ids)


def _scored(
    work: Work,
    key: str,
    given: Given,
    model: str,
    words: dict[str, str | Text],
    facts: dict[str, str],
    count: int | None,
) -> Draft:
    kind = work.kind
    points = int(most_points(load_rubric(kind.rubric), 0, 1, 0))
    voices = tuple(each for each in facts["voices"].split() if f"{each}:" not in given.text)
    return Draft(
        key=key,
        given=given,
        ask=(Ask(SCORE, "score", "score", Text("score", "乐谱"), points, voices=voices),),
        prompt=filled(kind.instruction, words),
        uniqueness="R",
        solutions=Solutions({SCORE: (model,)}, count),
        hints=tuple(filled(hint, words) for hint in kind.hints),
        why=filled(kind.why, words),
        rubric=kind.rubric,
        kg=("species",),
        facts=facts,
    )


# --- a cantus firmus ------------------------------------------------------------------------


def write_cantus(work: Work) -> Draft:
    """Mode, final and length are given: write a cantus firmus.

    The model is one of the table, moved by an interval. Parameters: `cantus`, `shifts`.
    """
    name = work.pick(work.params["cantus"])
    record = entry("cantus-firmus", name)
    shift = Interval.parse(work.pick(work.params["shifts"]))
    pitches = [Pitch.parse(each) + shift for each in str(record["notes"]).split()]
    notes = tuple(Note(BAR * n, BAR, pitch) for n, pitch in enumerate(pitches))
    final = pitches[-1].pitch_class.name
    words: dict[str, str | Text] = {
        "mode": str(record["mode"]),
        "final": final,
        "count": str(len(pitches)),
        "fewest": str(len(pitches) - 1),
        "most": str(len(pitches) + 1),
        "author": str(record["author"]),
        "answer": _tokens(notes),
        "close": _tokens(notes[-2:]),
    }
    facts = {
        "voices": CANTUS,
        "metre": "4/4",
        "unit": "4",
        "cantus": CANTUS,
        "mode": str(record["mode"]),
        "final": final,
    }
    mode = church_mode(str(record["mode"]), pitches[-1].pitch_class)
    exercise = Exercise(tuple(pitches), mode, 0, (0,), load_style("fux2"))
    return _scored(
        work,
        exercise.key.name,
        Given(f"{record['mode']} on {final}"),
        f"{CANTUS}: {write_line(notes, BAR)}",
        words,
        facts,
        None,
    )
