"""The lattice of an exercise against trying everything with the checker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from musegen.errors import InfeasibleError
from musegen.score import Metre, Note, Part, Score
from musegen.search.beam import beam_search
from musegen.search.optimum import count_solutions
from musegen.species.constraints import build_problem
from musegen.species.endings import excerpt
from musegen.species.exercise import METRE, WHOLE_NOTE, Exercise
from musegen.species.judge import LineJudge, sounding_moments
from musegen.tasks.counterpoint import counterpoint, declared
from theory_kb.check import check, load_style
from theory_kb.modes import church_mode
from theory_kb.pitch import Pitch, PitchClass
from theory_kb.rule_sets import earlier_notes

Line = tuple[Note, ...]


@dataclass(frozen=True)
class SmallExercise(Exercise):
    """An exercise whose voices are offered a few notes only."""

    offered: tuple[tuple[Pitch, ...], ...] = ()  # of each voice

    def choices(self, voice: int, bar: int) -> tuple[Pitch, ...]:
        """The same notes in every bar."""
        return self.offered[voice]


def pitches(text: str) -> tuple[Pitch, ...]:
    """Pitches by name."""
    return tuple(Pitch.parse(name) for name in text.split())


def small(cantus: str, species: Sequence[int], *offered: str) -> SmallExercise:
    """A small exercise in dorian; the species of the cantus is 0."""
    return SmallExercise(
        pitches(cantus),
        church_mode("dorian", PitchClass.parse("D")),
        list(species).index(0),
        tuple(species),
        load_style(f"fux{len(species)}"),
        offered=tuple(pitches(each) for each in offered),
    )


# --- trying everything ----------------------------------------------------------------------


def bars_of(species: int, bars: int) -> Iterator[tuple[tuple[Fraction, Fraction], ...]]:
    """Onsets and ends of the notes of each way to move through an exercise of a species."""
    half, last = Fraction(2), 4 * Fraction(bars - 1)
    close = (last, last + 4)
    if species == 1:
        yield tuple((Fraction(4 * bar), Fraction(4 * bar + 4)) for bar in range(bars))
    elif species == 2:
        for first, whole in product((0, 1), (False, True)):
            halves = [(half * place, half * place + 2) for place in range(first, 2 * (bars - 1))]
            if whole:
                halves[-2:] = [(last - 4, last)]
            yield (*halves, close)
    else:
        for ties in product((True, False), repeat=bars - 2):
            yield (*_tied(ties, last), close)


def _tied(ties: Sequence[bool], last: Fraction) -> Iterator[tuple[Fraction, Fraction]]:
    """Halves from the second half of the first bar on, tied over some bar lines."""
    for bar, tied in enumerate(ties):
        start = Fraction(4 * bar + 2)
        yield start, start + (4 if tied else 2)
        if not tied:
            yield start + 2, start + 4
    yield last - 2, last


def everything(exercise: SmallExercise) -> Iterator[tuple[Line, ...]]:
    """Every way to fill the voices, right or wrong."""
    cantus = tuple(
        Note(bar * WHOLE_NOTE, WHOLE_NOTE, pitch) for bar, pitch in enumerate(exercise.cantus)
    )
    lines: list[list[Line]] = []
    for voice, species in enumerate(exercise.species):
        if voice == exercise.place:
            lines.append([cantus])
            continue
        lines.append(
            [
                tuple(Note(on, off - on, p) for (on, off), p in zip(spans, chosen, strict=True))
                for spans in bars_of(species, exercise.bars)
                for chosen in product(exercise.offered[voice], repeat=len(spans))
            ]
        )
    yield from product(*lines)


def is_right(exercise: Exercise, lines: Sequence[Line]) -> bool:
    """Whether the checker finds no error."""
    parts = tuple(Part(n, line) for n, line in zip(exercise.names, lines, strict=True))
    score = Score("", exercise.key, parts, (Metre(*METRE),))
    return check(declared(exercise, score), exercise.style).count("E") == 0


def found(exercise: Exercise) -> set[bytes]:
    """Everything that the search finds when it keeps all."""
    try:
        problem = build_problem(exercise)
    except InfeasibleError:
        return set()
    judge = LineJudge(problem)
    size = max(1, count_solutions(problem.lattice))
    result = beam_search(problem.lattice, look_back=judge, width=size, top=size, pool=None)
    return {key_of(judge.surface(path)) for path in result.paths}


def key_of(surface: np.ndarray) -> bytes:
    """What tells two surfaces apart."""
    names = ("onset", "semitone", "step", "attack")
    return b"".join(surface[name].astype(np.int32).tobytes() for name in names)


def right_ones(exercise: SmallExercise) -> set[bytes]:
    """Everything that is right, found by trying all."""
    keys = set()
    for lines in everything(exercise):
        if is_right(exercise, lines):
            parts = tuple(Part(n, line) for n, line in zip(exercise.names, lines, strict=True))
            score = Score("", exercise.key, parts, (Metre(*METRE),))
            keys.add(key_of(declared(exercise, score).surface))
    return keys


SMALL = {
    "first above": small("D4 F4 E4 D4", (1, 0), "A4 B4 C#5 D5", ""),
    "first below": small("D4 F4 E4 D4", (0, 1), "", "B3 A3 C#4 D4"),
    "first, leaps": small("D4 A4 E4 D4", (1, 0), "D5 F4 C#5 C5", ""),
    "second above": small("D4 E4 D4", (2, 0), "A4 B4 C#5", ""),
    "second below": small("D4 E4 D4", (0, 2), "", "D4 A3 C#4"),
    "fourth above": small("D4 E4 D4", (4, 0), "A4 D5 C#5", ""),
    "three voices": small("D4 E4 D4", (1, 1, 0), "D5 C#5 F5", "F4 A4 F#4"),
}


@pytest.mark.parametrize("name", SMALL)
def test_the_search_finds_all_that_is_right_and_nothing_else(name: str) -> None:
    """A beam that keeps everything gives exactly what the checker finds no error in."""
    assert found(SMALL[name]) == right_ones(SMALL[name])


def test_some_small_exercises_have_solutions() -> None:
    """The comparison is not one of empty sets."""
    assert sum(bool(found(each)) for each in SMALL.values()) >= 5


# --- what the search sees is what the checker sees ------------------------------------------


@pytest.mark.parametrize(
    ("species", "voices", "position"),
    [(1, 2, "above"), (3, 2, "below"), (4, 2, "above"), (5, 2, "below"), (2, 3, "around")],
)
def test_a_path_is_the_surface_of_its_score(species: int, voices: int, position: str) -> None:
    """The moments of the lattice are those that the finished score has."""
    (made,) = counterpoint("D4 F4 E4 D4", species=species, voices=voices, position=position)
    seen = declared(made.exercise, made.score)
    judged = excerpt(made.exercise, made.surface, made.exercise.bars)
    assert made.surface.dtype == seen.surface.dtype
    for name in made.surface.dtype.names or ():
        sounds = seen.surface["semitone"] != -1 if name == "step" else slice(None)
        assert (made.surface[name][sounds] == seen.surface[name][sounds]).all(), name
    assert judged.context == seen.context
    assert made.report.count("E") == 0


def test_states_remember_the_note_before() -> None:
    """The note that each state says was left is the one the checker takes for a line's rules."""
    (made,) = counterpoint("fux-aeolian", species=3)
    problem = made.problem
    surface = sounding_moments(problem, made.path)
    after = np.append(surface, surface[-1:])
    earlier = earlier_notes(after)[1:]
    new = [
        slot.earlier[state]
        for slot, state in zip(problem.slots, made.path, strict=True)
        if slot.moments[slot.moment[state]]["onset"] == slot.time.onset
    ]
    for known, expected in zip(new, earlier, strict=True):
        assert known["semitone"][:2].tolist() == expected["semitone"][:2].tolist()
