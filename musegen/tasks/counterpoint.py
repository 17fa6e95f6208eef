"""Counterpoint in Fux's species against a cantus firmus, in two voices or three."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from musegen.errors import DeadEndError, OptionError
from musegen.score import Metre, Score
from musegen.search.beam import BeamResult, beam_search
from musegen.search.lattice import IntArray
from musegen.search.optimum import count_solutions, first_order_optimum
from musegen.slices import parts_from_moments, piece
from musegen.species.constraints import Problem, build_problem, place_name
from musegen.species.exercise import METRE, WHOLE_NOTE, Exercise
from musegen.species.foresight import Foresight
from musegen.species.given import Cantus, cantus_from_score, cantus_from_text, check_cantus, mode_of
from musegen.species.judge import LineJudge
from theory_kb.check import Report, check, load_style
from theory_kb.moment import Moments
from theory_kb.rules.piece import Piece, write_declared

__all__ = ["POSITIONS", "CounterpointDraft", "CounterpointOptions", "counterpoint", "declared"]

STYLES = {2: "fux2", 3: "fux3"}  # by number of voices
POSITIONS: Mapping[str, Mapping[int, int]] = {  # voice of the cantus by number of voices
    "above": {2: 1, 3: 2},  # the counterpoint lies above: the cantus is the lowest voice
    "below": {2: 0, 3: 0},
    "around": {3: 1},
}
SPECIES = range(1, 6)
ORDINALS = ("", "first", "second", "third", "fourth", "fifth")
WIDEST, MOST_SOLUTIONS = 4096, 1000
DRAWN = 0.4  # temperature of the further solutions, where none is asked for
SOON = 50  # times that the search goes back before it begins anew
TEMPO = 120.0  # quarter notes a minute


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterpointOptions:
    """How a counterpoint is written; the same options give the same bytes."""

    seed: int = 0
    style: str | None = None  # name or path; else Fux's for the number of voices
    width: int = 64  # hypotheses of the beam
    temperature: float = 0.0  # of the draw; 0 takes the best that the beam finds
    patience: int = 1000  # how often the search goes back, all draws together, before it gives up

    def check(self) -> None:
        """Raise OptionError for an option out of its range."""
        for name, low, high in (
            ("seed", 0, np.inf),
            ("width", 1, WIDEST),
            ("temperature", 0, 100),
            ("patience", 0, np.inf),
        ):
            value: float = getattr(self, name)
            if not low <= value <= high:
                top = "or more" if high == np.inf else f"to {high}"
                raise OptionError(name, value, f"{low} {top}")


@dataclass(frozen=True)
class CounterpointDraft:
    """A written counterpoint with every decision on the way."""

    options: CounterpointOptions
    problem: Problem
    beam: BeamResult
    path: IntArray  # (T,) the chosen states
    surface: Moments  # what sounds
    score: Score
    report: Report

    @property
    def exercise(self) -> Exercise:
        """What was to be written."""
        return self.problem.exercise

    @property
    def cost(self) -> float:
        """First-order cost of the path: rules on at most three notes, and taste."""
        return -self.beam.terms[0]["rules"]

    @cached_property
    def optimum(self) -> float:
        """Least first-order cost that any path has, exact."""
        return first_order_optimum(self.problem.lattice).cost

    @cached_property
    def solutions(self) -> int:
        """How many counterpoints break no hard rule on at most three notes of a line, exact."""
        return count_solutions(self.problem.lattice)


def counterpoint(
    cantus: Score | str,
    options: CounterpointOptions | None = None,
    *,
    species: int | Sequence[int] = 1,
    voices: int = 2,
    position: str = "above",
    mode: str | None = None,
    count: int = 1,
) -> tuple[CounterpointDraft, ...]:
    """Write one counterpoint or two against a cantus firmus.

    Args:
        cantus: a score of one voice, notes as text (`"D4 F4 E4 D4"`), or the name of a stored one
            (`"fux-dorian"`).
        options: how; solution number k is drawn with the seed plus k.
        species: 1 to 5. In three voices it is the upper counterpoint's and the other one is of
            the first species, unless both are given, high to low.
        voices: 2 or 3, the cantus included.
        position: where the counterpoint lies: `above` or `below` the cantus, or `around` it.
        mode: church mode, `major` or `minor`; None finds it from the final and the accidentals.
        count: how many different solutions, best first.

    Raises:
        OptionError: an option out of its range.
        ScoreError: the cantus is none; names the bar.
        UnknownNameError: a cantus or style that does not exist.
        InfeasibleError: the hard rules leave no counterpoint; names the place and the rules.
        DeadEndError: rules on whole lines left none within the patience; names the place.
    """
    chosen = options or CounterpointOptions()
    chosen.check()
    if not 1 <= count <= MOST_SOLUTIONS:
        raise OptionError("number of solutions", count, f"from 1 to {MOST_SOLUTIONS}")
    given = cantus_from_text(cantus) if isinstance(cantus, str) else _of_score(cantus)
    exercise = _exercise(given, chosen, species, (voices, position), mode)
    problem = _problem_of(exercise)
    found: dict[bytes, CounterpointDraft] = {}
    for number in range(count):
        warm = chosen.temperature or (DRAWN if number else 0.0)
        made = _solved(problem, replace(chosen, seed=chosen.seed + number, temperature=warm))
        found.setdefault(made.surface.tobytes(), made)
    return tuple(sorted(found.values(), key=lambda each: -each.beam.scores[0]))


def _of_score(score: Score) -> Cantus:
    return cantus_from_score(score, score.title or "the cantus firmus")


def _exercise(
    given: Cantus,
    options: CounterpointOptions,
    species: int | Sequence[int],
    layout: tuple[int, str],
    mode: str | None,
) -> Exercise:
    voices, position = layout
    if voices not in STYLES:
        raise OptionError("voices", voices, "2 or 3")
    if voices not in POSITIONS.get(position, {}):
        allowed = [name for name, places in POSITIONS.items() if voices in places]
        raise OptionError("position", position, f"{' or '.join(allowed)} in {voices} voices")
    place = POSITIONS[position][voices]
    style = load_style(options.style or STYLES[voices])
    check_cantus(given, style)
    scale, tonal = mode_of(given, mode)
    numbers = list(_species(species, voices))
    numbers.insert(place, 0)
    return Exercise(given.pitches, scale, place, tuple(numbers), style, tonal)


def _species(species: int | Sequence[int], voices: int) -> tuple[int, ...]:
    """Species of each voice to be written, high to low."""
    asked = (species,) if isinstance(species, int) else tuple(species)
    for number in asked:
        if number not in SPECIES:
            raise OptionError("species", number, "from 1 to 5")
    if not 1 <= len(asked) <= voices - 1:
        problem = "one number, or one for each voice to be written"
        raise OptionError("species", ",".join(map(str, asked)), problem)
    return asked + (1,) * (voices - 1 - len(asked))


@lru_cache(maxsize=1)
def _problem_of(exercise: Exercise) -> Problem:
    """The lattice of an exercise, kept for the next seed."""
    return build_problem(exercise)


def _solved(problem: Problem, options: CounterpointOptions) -> CounterpointDraft:
    exercise, judge = problem.exercise, LineJudge(problem)
    beam = _searched(judge, options)
    path = beam.paths[0]
    surface = judge.surface(path)
    score = _score(exercise, surface, options)
    report = check(declared(exercise, score), exercise.style)
    return CounterpointDraft(options, problem, beam, path, surface, score, report)


def _searched(judge: LineJudge, options: CounterpointOptions) -> BeamResult:
    """The beam's result; what leads nowhere is drawn anew, each time with twice the patience.

    Rules on the whole line speak at its end, where going back mends little of its beginning:
    restarts after Gomes, Selman and Kautz (Boosting combinatorial search through randomization,
    1998).
    """
    stretch, spent, draw = SOON, 0, 0
    while True:
        patience = min(stretch, options.patience - spent)
        try:
            return beam_search(
                judge.problem.lattice,
                scorer=Foresight(judge),
                look_back=judge,
                width=options.width,
                rng=np.random.default_rng([options.seed, draw] if draw else options.seed),
                temperature=max(options.temperature, DRAWN) if draw else options.temperature,
                patience=patience,
            )
        except DeadEndError as error:
            stretch, spent, draw = 2 * stretch, spent + patience, draw + 1
            if spent >= options.patience:
                place = place_name(judge.problem.slots[error.slot].time)
                told = f"{place}: rules on whole lines left no way on in {draw} draws"
                reason = f"{told}, which went back {spent} times, as often as patience allows"
                raise DeadEndError(error.slot, reason, placed=True) from error


def declared(exercise: Exercise, score: Score) -> Piece:
    """A score as the rules see it, with what the exercise declares."""
    seen = piece(score)
    context = exercise.context(exercise.bars)
    write_declared(seen.surface, context)
    return replace(seen, context=context)


def _score(exercise: Exercise, surface: Moments, options: CounterpointOptions) -> Score:
    end = exercise.bars * WHOLE_NOTE
    numbers = sorted({each for each in exercise.species if each}, reverse=True)
    kinds = " and ".join(ORDINALS[each] for each in numbers)
    return Score(
        title=f"Counterpoint of the {kinds} species in {exercise.mode_name}",
        key=exercise.key,
        parts=parts_from_moments(surface, end, exercise.names),
        metres=(Metre(*METRE),),
        tempo=TEMPO,
        credit=f"musegen, seed {options.seed}",
    )
