"""From a plan to a score: candidates, search, surface, check. Every task that writes ends here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from musegen.constraints import VOICE_NAMES, Problem, build_problem
from musegen.encoding import chord_table
from musegen.errors import DeadEndError, InfeasibleError, OptionError
from musegen.models.protocol import FloatArray, IntArray, SlotModel
from musegen.models.registry import load_models
from musegen.plan.plan import Plan, Slot, where
from musegen.score import Cadence, ChordLabel, Metre, Note, Part, Score
from musegen.search.beam import BeamResult, beam_search
from musegen.search.optimum import first_order_optimum
from musegen.slices import piece
from musegen.tasks.scorer import ModelScorer, path_log_scores
from musegen.textures.figuration import Decoration, decorate
from musegen.threads import one_thread
from theory_kb.check import Finding, Report, check, load_style
from theory_kb.moment import TICKS, Moments
from theory_kb.pitch import Key, Pitch
from theory_kb.rules.phrase import cadence_kind
from theory_kb.rules.records import rule

__all__ = ["DEFAULT_WEIGHTS", "Draft", "Options", "check_options", "solutions", "write"]

DEFAULT_WEIGHTS: Mapping[str, float] = {"hmm": 0.6, "rbm": 0.4, "lstm": 1.0}
WIDEST = 4096
MOST_SOLUTIONS = 1000
TEMPERATURE = 1.3
HARMONIC = ("H2", "P", "W")  # scopes of rules on chords and their order
SURFACE_DRAWS = 20  # redraws of the surface before a piece is given up


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a piece is written; the same options give the same bytes."""

    seed: int = 0
    style: str = "bach"  # name of a style, or path of a style file
    models: tuple[str, ...] = ("hmm", "rbm", "lstm")
    weights: Mapping[str, float] = field(default_factory=dict)  # by model, over the defaults
    width: int = 32  # hypotheses of the beam
    temperature: float = TEMPERATURE  # of the draw; 0 takes the best that the beam finds
    figures: bool = True  # whether the surface is decorated
    constrained: bool = True  # False: no rules, to measure what the models do alone


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that was decided on the way to a score."""

    options: Options
    problem: Problem
    scorer: ModelScorer
    beam: BeamResult
    path: IntArray  # (T,) the chosen candidates
    skeleton: Moments  # (T,) the chosen moments
    decorations: tuple[Decoration, ...]  # (T,)
    score: Score
    report: Report
    log_scores: Mapping[str, FloatArray]  # by model, (T,) in nats
    cost: float  # first-order cost of the path; what it has above the optimum buys likelier notes
    optimum: float  # least first-order cost that any path has, exact
    redraws: int  # surfaces that the checker refused

    @property
    def plan(self) -> Plan:
        """The plan that was followed."""
        return self.problem.plan


def check_options(options: Options) -> None:
    """Raise OptionError for an option out of its range."""
    if not 1 <= options.width <= WIDEST:
        raise OptionError("width", options.width, f"from 1 to {WIDEST}")
    if options.seed < 0:
        raise OptionError("seed", options.seed, "0 or more")
    if not 0 <= options.temperature <= 100:
        raise OptionError("temperature", options.temperature, "from 0 to 100")
    if len(set(options.models)) < len(options.models):
        raise OptionError("models", ",".join(options.models), "each named once")
    for name, weight in options.weights.items():
        if name not in options.models:
            raise OptionError("weight", name, f"of a model in use ({', '.join(options.models)})")
        if not 0 <= weight <= 100:
            raise OptionError(f"weight {name}", weight, "from 0 to 100")


def write(
    plan: Plan,
    options: Options,
    *,
    rng: np.random.Generator,
    models: Mapping[str, SlotModel] | None = None,
) -> Draft:
    """Write a plan out and keep every decision.

    Args:
        plan: what is to be written.
        options: how.
        rng: draws what the options leave to chance.
        models: proposers by name, if not those of the shipped weights.

    Raises:
        UnknownNameError: a style or model that does not exist.
        OptionError: an option out of its range.
        InfeasibleError: the hard rules leave no piece; names the place and the rules.
    """
    check_options(options)
    style = load_style(options.style)
    used = models if models is not None else load_models(options.models, chord_table())
    with one_thread():
        problem = build_problem(plan, style, constrained=options.constrained)
        scorer = ModelScorer.of(problem, used, _weights(options, used))
        with _placed(plan):
            return _searched(options, problem, scorer, rng)


@contextmanager
def _placed(plan: Plan) -> Iterator[None]:
    """Give refusals of the search, which knows only slots, their bar and beat."""
    try:
        yield
    except InfeasibleError as error:
        place = where(plan.slots[error.slot], plan.metre[1])
        if error.problem.startswith(place):
            raise
        problem = f"{place}: {error.problem}"
        raise InfeasibleError(error.slot, problem, from_right=error.from_right) from error
    except DeadEndError as error:
        place = where(plan.slots[error.slot], plan.metre[1])
        raise DeadEndError(error.slot, f"{place}: {error.reason}") from error


def _searched(
    options: Options, problem: Problem, scorer: ModelScorer, rng: np.random.Generator
) -> Draft:
    beam = beam_search(
        problem.lattice,
        scorer=scorer if scorer.models else None,
        look_back=problem.long_rules,
        width=options.width,
        rng=rng,
        temperature=options.temperature,
    )
    return _finish(options, problem, scorer, beam, rng)


def solutions(solve: Callable[[Options], Draft], options: Options, count: int) -> tuple[Draft, ...]:
    """Different solutions of one task, best first: the first as asked for, the others drawn.

    Args:
        solve: writes one.
        options: how; number k is drawn with the seed plus k, and warm enough to differ.
        count: how many to draw; those that are alike are kept once.

    Raises:
        OptionError: a count out of range.
    """
    if not 1 <= count <= MOST_SOLUTIONS:
        raise OptionError("number of solutions", count, f"from 1 to {MOST_SOLUTIONS}")
    found: dict[bytes, Draft] = {}
    for number in range(count):
        warm = max(options.temperature, TEMPERATURE) if number else options.temperature
        made = solve(replace(options, seed=options.seed + number, temperature=warm))
        found.setdefault(made.path.tobytes(), made)
    return tuple(sorted(found.values(), key=lambda each: -each.beam.scores[0]))


def _weights(options: Options, models: Mapping[str, SlotModel]) -> dict[str, float]:
    return {name: options.weights.get(name, DEFAULT_WEIGHTS.get(name, 1.0)) for name in models}


def _finish(
    options: Options,
    problem: Problem,
    scorer: ModelScorer,
    beam: BeamResult,
    rng: np.random.Generator,
) -> Draft:
    """Surface, score and report; a surface in which the checker finds an error is drawn anew."""
    path = beam.paths[0]
    skeleton = np.stack(
        [slot.moments[choice] for slot, choice in zip(problem.slots, path, strict=True)]
    )
    redraws = 0
    while True:
        decorations = decorate(
            problem.plan,
            skeleton,
            problem.style,
            rng=rng,
            constrained=options.constrained,
            plain=not options.figures,
        )
        score = write_score(problem.plan, skeleton, decorations, options)
        report = check(piece(score), problem.style)
        if not options.constrained or not _avoidable(problem.plan, report):
            break
        redraws += 1
        if redraws == SURFACE_DRAWS:
            raise InfeasibleError(*_last_error(problem.plan, _avoidable(problem.plan, report)[0]))
    return Draft(
        options,
        problem,
        scorer,
        beam,
        path,
        skeleton,
        decorations,
        score,
        report,
        path_log_scores(scorer, path),
        -beam.terms[0]["rules"],
        first_order_optimum(problem.lattice).cost,
        redraws,
    )


def _avoidable(plan: Plan, report: Report) -> list[Finding]:
    """Errors that other notes would avoid; where the chords are given, theirs are only reported."""
    errors = [finding for finding in report.findings if finding.severity == "E"]
    if not plan.chords_given:
        return errors
    return [finding for finding in errors if rule(finding.rule).scope not in HARMONIC]


def _last_error(plan: Plan, finding: Finding) -> tuple[int, str]:
    """Slot and text of an error that no surface avoids."""
    slot = max(
        place for place, slot in enumerate(plan.slots) if slot.onset * TICKS <= finding.onset
    )
    return slot, (
        f"bar {finding.bar}, beat {finding.beat:g}: every surface breaks {finding.rule} "
        f"({finding.message})"
    )


# --- from decisions to a score --------------------------------------------------------------


def write_score(
    plan: Plan, skeleton: Moments, decorations: Sequence[Decoration], options: Options
) -> Score:
    """The score of a skeleton and its decorations."""
    parts = tuple(
        Part(name, plan.lines.get(voice) or _line(plan, decorations, voice))
        for voice, name in enumerate(VOICE_NAMES)
    )
    beats, unit = plan.metre
    return Score(
        title=f"{plan.name} in {plan.home}",
        key=plan.home,
        parts=parts,
        metres=(Metre(beats, unit),),
        upbeat=plan.upbeat,
        tempo=plan.tempo,
        chords=_labels(plan, skeleton),
        cadences=tuple(_cadences(plan, skeleton)),
        phrase_ends=tuple(
            plan.slots[phrase.last].onset + plan.slots[phrase.last].duration
            for phrase in plan.phrases
        ),
        credit=f"musegen, seed {options.seed}",
    )


def _cadences(plan: Plan, skeleton: Moments) -> Iterator[Cadence]:
    """How each phrase closes: as planned, else as its last two chords say."""
    for phrase in plan.phrases:
        before = skeleton[phrase.last - 1] if phrase.last > phrase.first else None
        kind = phrase.cadence or cadence_kind(before, skeleton[phrase.last])
        if kind is not None:
            key, _ = _named(plan.slots[phrase.last], skeleton[phrase.last])
            yield Cadence(plan.slots[phrase.last].onset, kind, key)


def _labels(plan: Plan, skeleton: Moments) -> tuple[ChordLabel, ...]:
    return tuple(
        ChordLabel(slot.onset, slot.duration, *_named(slot, moment))
        for slot, moment in zip(plan.slots, skeleton, strict=True)
    )


def _named(slot: Slot, moment: np.void) -> tuple[Key, str]:
    for harmony in slot.harmonies:
        tonic = harmony.key.tonic.fifths
        if harmony.chord.index == moment["chord"] and tonic == moment["tonic"]:
            return harmony.key, harmony.chord.symbol
    raise AssertionError("a chosen moment carries one of its slot's harmonies")


@dataclass(slots=True)
class _Pending:
    """A note whose end is not known yet, since a suspension may hold it on."""

    onset: Fraction
    end: Fraction
    pitch: Pitch
    fermata: bool = False

    def note(self) -> Note:
        return Note(self.onset, self.end - self.onset, self.pitch, self.fermata)


def _line(plan: Plan, decorations: Sequence[Decoration], voice: int) -> tuple[Note, ...]:
    """The notes of one voice, suspensions tied to their preparation."""
    notes: list[_Pending] = []
    for slot, decoration in zip(plan.slots, decorations, strict=True):
        figure = decoration.figures[voice]
        half = slot.onset + slot.duration / 2
        end = slot.onset + slot.duration
        if figure.kind == "suspension":
            notes[-1].end = half
        else:
            notes.append(_Pending(slot.onset, half if figure.moves else end, figure.first))
        if figure.moves:
            notes.append(_Pending(half, end, figure.second))
        notes[-1].fermata = slot.closes and plan.phrases[slot.phrase].fermata
    return tuple(note.note() for note in notes)
