"""From a plan to a score: candidates, search, surface, check. Every task that writes ends here."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from musegen.candidates import DEAR
from musegen.constraints import Problem, build_problem
from musegen.encoding import chord_table
from musegen.errors import DeadEndError, InfeasibleError, OptionError
from musegen.models.protocol import BoolArray, FloatArray, IntArray, SlotModel
from musegen.models.registry import load_proposers
from musegen.plan.plan import Plan, where
from musegen.score import Score
from musegen.search.protocols import Measure
from musegen.search.strategy import STRATEGIES, Limit, Solution, Strategy, each_solution
from musegen.slices import piece
from musegen.tasks.conflict import explain_conflict
from musegen.tasks.conflict_long import explain_dead_end, explain_surfaces
from musegen.tasks.scorer import ModelScorer, path_log_scores
from musegen.tasks.written_out import write_score
from musegen.textures.figuration import decorate
from musegen.textures.figures import Decoration
from musegen.threads import one_thread
from theory_kb.check import Finding, Report, Style, check, load_style
from theory_kb.moment import TICKS, Moments
from theory_kb.rules.records import rule

__all__ = [
    "DEFAULT_WEIGHTS",
    "MOST_SOLUTIONS",
    "Draft",
    "Options",
    "check_options",
    "new_errors",
    "write",
    "write_several",
]

DEFAULT_WEIGHTS: Mapping[str, float] = {"hmm": 0.6, "rbm": 0.4, "lstm": 1.0}
WIDEST = 4096
MOST_SOLUTIONS = 1000
TEMPERATURE = 1.3
LONGEST = 86_400  # seconds of a time limit
APART = 4  # one note in so many differs between solutions, where nothing else is asked
HARMONIC = ("H2", "P", "W")  # scopes of rules on chords and their order
SPARE = 4  # solutions beyond those asked for, in place of such as no surface fits
NO_WAY_ON = "nothing that may stand here can follow what comes before"
NO_FIGURES = "no figures of this chord can follow those of the one before"
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
    strategy: str = "beam"  # or exact, or sample: see `musegen.search.strategy`
    top_k: int | None = None  # candidates that a sample chooses among; None: all
    top_p: float = 1.0  # share of probability that a sample chooses among
    time_limit: float | None = None  # seconds of search; with one, bytes depend on the machine
    distance: int | None = None  # notes in which solutions differ; None: a quarter of the free ones
    figures: bool = True  # whether the surface is decorated
    constrained: bool = True  # False: no rules, to measure what the models do alone


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that was decided on the way to a score."""

    options: Options
    problem: Problem
    scorer: ModelScorer
    search: Solution
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


Broken = frozenset[tuple[int, str]]  # slots and rules that a surface breaks


class _SurfaceError(InfeasibleError):
    """The chords were found, but what the checker allows on no surface; never leaves this module."""

    def __init__(self, slot: int, problem: str, broken: tuple[Broken, ...]) -> None:
        super().__init__(slot, problem, placed=True)
        self.broken = broken  # of each surface


def _of_surface(plan: Plan, error: InfeasibleError) -> _SurfaceError:
    """An error of the surface, whether the checker found it or no figures fit."""
    if isinstance(error, _SurfaceError):
        return error
    why = NO_FIGURES if error.from_right is not None else error.problem
    return _SurfaceError(error.slot, f"{where(plan.slots[error.slot], plan.metre[1])}: {why}", ())


def check_options(options: Options) -> None:
    """Raise OptionError for an option out of its range."""
    if not 1 <= options.width <= WIDEST:
        raise OptionError("width", options.width, f"from 1 to {WIDEST}")
    if options.seed < 0:
        raise OptionError("seed", options.seed, "0 or more")
    if not 0 <= options.temperature <= 100:
        raise OptionError("temperature", options.temperature, "from 0 to 100")
    _check_strategy(options)
    if len(set(options.models)) < len(options.models):
        raise OptionError("models", ",".join(options.models), "each named once")
    for name, weight in options.weights.items():
        if name not in options.models:
            raise OptionError("weight", name, f"of a model in use ({', '.join(options.models)})")
        if not 0 <= weight <= 100:
            raise OptionError(f"weight {name}", weight, "from 0 to 100")


def _check_strategy(options: Options) -> None:
    if options.strategy not in STRATEGIES:
        raise OptionError("strategy", options.strategy, f"one of {', '.join(STRATEGIES)}")
    if options.top_k is not None and options.top_k < 1:
        raise OptionError("top-k", options.top_k, "1 or more")
    if not 0 < options.top_p <= 1:
        raise OptionError("top-p", options.top_p, "above 0 and at most 1")
    if options.top_k is not None or options.top_p < 1:
        if options.strategy != "sample" or not options.models:
            how = f"{options.strategy} with {', '.join(options.models) or 'no model'}"
            raise OptionError("strategy with top-k or top-p", how, "sample with a model")
        if options.temperature == 0:
            raise OptionError("temperature with top-k or top-p", 0, "above 0")
    if options.time_limit is not None and not 0 < options.time_limit <= LONGEST:
        raise OptionError("time limit", options.time_limit, f"above 0 and at most {LONGEST} s")
    if options.distance is not None and options.distance < 1:
        raise OptionError("distance", options.distance, "1 note or more")


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
    (draft,) = write_several(plan, options, rng=rng, models=models)
    return draft


def write_several(
    plan: Plan,
    options: Options,
    *,
    rng: np.random.Generator,
    count: int = 1,
    models: Mapping[str, SlotModel] | None = None,
    led_on: bool = True,
) -> tuple[Draft, ...]:
    """Write a plan out in different ways, best first; the first found is what `write` writes.

    Args:
        plan: what is to be written.
        options: how; any two solutions keep the distance.
        rng: draws what the options leave to chance.
        count: how many; fewer if there are no more that differ enough.
        models: proposers by name, if not those of the shipped weights.
        led_on: whether rules give way that given chords force by what went before, see
            `musegen.constraints.build_problem`, and rules on chords that see the whole piece, where
            every surface drawn breaks them.

    Raises:
        UnknownNameError: a style or model that does not exist.
        OptionError: an option or the count out of its range.
        InfeasibleError: the hard rules leave no piece; names the place and the rules.
        DeadEndError: the same of rules that look far back, or the time ended before it was known.
    """
    check_options(options)
    if not 1 <= count <= MOST_SOLUTIONS:
        raise OptionError("number of solutions", count, f"from 1 to {MOST_SOLUTIONS}")
    used = models if models is not None else load_proposers(options.models, chord_table())
    with one_thread(), _placed(plan, load_style(options.style)):
        found = _found(plan, options, used, rng, count, led_on=led_on)
    return tuple(sorted(found, key=lambda draft: -draft.search.score))


def _found(
    plan: Plan,
    options: Options,
    models: Mapping[str, SlotModel],
    rng: np.random.Generator,
    count: int,
    *,
    led_on: bool,
) -> list[Draft]:
    """Solutions as they are found.

    A beam leaves out dear voicings as long as others lead on; rules that given chords force by what
    went before, or in every row that was drawn, give way only where nothing else does.
    """
    style, begin = load_style(options.style), time.monotonic()

    def among(dear: float, *, led_on: bool = False) -> Problem:
        return build_problem(plan, style, constrained=options.constrained, dear=dear, led_on=led_on)

    problem, yields = among(DEAR if options.strategy == "beam" else np.inf), led_on and plan.lenient
    try:
        return list(_drafts(options, problem, models, rng, count))
    except _SurfaceError as error:
        looser = _without_shared(problem, error.broken)
        if not yields or looser is None:
            raise
    except (InfeasibleError, DeadEndError) as error:
        if problem.whole and not (yields and isinstance(error, InfeasibleError)):
            raise
        looser = None
    hurried = options
    if options.time_limit is not None:
        left = options.time_limit - (time.monotonic() - begin)
        hurried = replace(options, time_limit=max(0.0, left))
    looser = looser or among(np.inf, led_on=led_on)
    return [replace(made, options=options) for made in _drafts(hurried, looser, models, rng, count)]


def _without_shared(problem: Problem, surfaces: Sequence[Broken]) -> Problem | None:
    """The problem without the rules on chords that all surfaces break at the same place, if any.

    They look at the whole piece, so that no place and no step could tell that they are forced.
    """
    shared = frozenset[tuple[int, str]].intersection(*surfaces) if surfaces else frozenset()
    chords = [(slot, name) for slot, name in shared if rule(name).level == "harmonic"]
    if not chords:
        return None
    forced = [set(names) for names in problem.forced_at]
    for slot, name in chords:
        forced[slot].add(name)
    return replace(problem, forced_at=tuple(frozenset(names) for names in forced))


@contextmanager
def _placed(plan: Plan, style: Style) -> Iterator[None]:
    """Give refusals of the search, which knows only slots, their bar, their beat and why."""
    ask = partial(explain_conflict, plan, style)
    try:
        yield
    except _SurfaceError as error:
        refusal = InfeasibleError(error.slot, error.problem, placed=True)
        why = partial(explain_surfaces, plan, style, error.broken)
        raise refusal.explained_by(why) from error
    except InfeasibleError as error:
        place = where(plan.slots[error.slot], plan.metre[1])
        told = error.problem.startswith(place)
        problem = error.problem if told else f"{place}: {NO_WAY_ON}"
        refusal = InfeasibleError(error.slot, problem, from_right=error.from_right, placed=True)
        raise refusal.explained_by(ask) from error
    except DeadEndError as error:
        place = where(plan.slots[error.slot], plan.metre[1])
        reason = f"{place}: {error.reason}"
        refused = DeadEndError(error.slot, reason, proved=error.proved, placed=True)
        if error.proved:
            refused.explained_by(partial(explain_dead_end, plan, style, error.slot))
        raise refused from error


def _drafts(
    options: Options,
    problem: Problem,
    models: Mapping[str, SlotModel],
    rng: np.random.Generator,
    count: int,
) -> Iterator[Draft]:
    """Solutions with their surface; in place of one that no surface fits another is taken.

    Raises:
        InfeasibleError, DeadEndError: there is no solution.
        _SurfaceError: there are solutions, but none with a surface.
    """
    scorer = ModelScorer.of(problem, models, _weights(options, models))
    refused: list[_SurfaceError] = []
    written = 0
    for solution in _solved(options, problem, scorer, rng, count):
        try:
            yield _finish(options, problem, scorer, solution, rng)
        except InfeasibleError as error:
            refused.append(_of_surface(problem.plan, error))
            continue
        written += 1
        if written == count:
            return
    if not written and refused:
        broken = tuple(each for error in refused for each in error.broken)
        raise _SurfaceError(refused[0].slot, refused[0].problem, broken)


def _solved(
    options: Options,
    problem: Problem,
    scorer: ModelScorer,
    rng: np.random.Generator,
    count: int,
) -> Iterator[Solution]:
    free = _free_notes(problem)
    return each_solution(
        problem.lattice,
        Strategy(
            name=options.strategy,
            width=options.width,
            temperature=options.temperature,
            top_k=options.top_k,
            top_p=options.top_p,
        ),
        scorer=scorer if scorer.models else None,
        look_back=problem.long_rules,
        rng=rng,
        count=count,
        spare=SPARE,
        distance=options.distance or max(1, int(free.sum()) // APART),
        measure=_notes_apart(problem, free),
        limit=None if options.time_limit is None else Limit(options.time_limit, time.monotonic),
    )


def _free_notes(problem: Problem) -> BoolArray:
    """Which notes (T, voices) are ours to choose."""
    return np.array(
        [
            [
                bool(np.ptp(slot.moments["semitone"][:, voice]))
                and not (place.given and place.given[voice])
                for voice in range(problem.plan.ensemble.size)
            ]
            for slot, place in zip(problem.slots, problem.plan.slots, strict=True)
        ]
    )


def _notes_apart(problem: Problem, free: BoolArray) -> Measure:
    """How many of its free notes differ between each candidate of a slot and a chosen one."""

    def measure(slot: int, chosen: int) -> IntArray:
        semitones = problem.slots[slot].moments["semitone"][:, : problem.plan.ensemble.size]
        differs: IntArray = ((semitones != semitones[chosen]) & free[slot]).sum(axis=1)
        return differs

    return measure


def _weights(options: Options, models: Mapping[str, SlotModel]) -> dict[str, float]:
    return {name: options.weights.get(name, DEFAULT_WEIGHTS.get(name, 1.0)) for name in models}


def _finish(
    options: Options,
    problem: Problem,
    scorer: ModelScorer,
    search: Solution,
    rng: np.random.Generator,
) -> Draft:
    """Surface, score and report; a surface in which the checker finds an error is drawn anew.

    Not if the error is one of chords that stood in the surface before too: it lies below both.
    """
    path = search.path
    skeleton = np.stack(
        [slot.moments[choice] for slot, choice in zip(problem.slots, path, strict=True)]
    )
    redraws = 0
    lasting: frozenset[object] = frozenset()
    broken: list[Broken] = []
    while True:
        decorations = decorate(
            problem.plan,
            skeleton,
            problem.style,
            rng=rng,
            constrained=options.constrained,
            plain=not options.figures,
            forced=problem.forced_at,
        )
        score = write_score(problem.plan, skeleton, decorations, seed=options.seed)
        report = check(piece(score), problem.style)
        if not options.constrained or not _avoidable(problem, report):
            break
        redraws += 1
        broken.append(_broken(problem.plan, _avoidable(problem, report)))
        stood, lasting = lasting, _of_chords(_avoidable(problem, report))
        if redraws == SURFACE_DRAWS or not options.figures or stood & lasting:
            slot, text = _last_error(problem.plan, _avoidable(problem, report)[0])
            raise _SurfaceError(slot, text, tuple(broken))
    return Draft(
        options,
        problem,
        scorer,
        search,
        path,
        skeleton,
        decorations,
        score,
        report,
        path_log_scores(scorer, path),
        0.0 - search.terms["rules"],  # no minus zero
        search.account.optimum,
        redraws,
    )


def _avoidable(problem: Problem, report: Report) -> list[Finding]:
    """Errors that other notes would avoid; where the chords are given, theirs are only reported."""
    errors = new_errors(problem.plan, report)
    if not problem.plan.lenient:
        return errors
    return [
        finding
        for finding in errors
        if rule(finding.rule).scope not in HARMONIC
        and finding.rule not in problem.forced_at[_slot_of(problem.plan, finding)]
    ]


def new_errors(plan: Plan, report: Report) -> list[Finding]:
    """Errors of a piece; in a window those that it did not have, and in which new notes take part."""
    errors = [finding for finding in report.findings if finding.severity == "E"]
    if plan.frame is None:
        return errors
    known = plan.frame.known
    return [each for each in errors if each.place not in known and _is_ours(plan, each)]


def _is_ours(plan: Plan, finding: Finding) -> bool:
    """Whether a voice that a finding names is written anew somewhere in the window.

    A voice that rests where it rested says no more of what was written than where others strike.
    """
    return not finding.voices or bool(plan.open_voices & set(finding.voices))


def _of_chords(findings: Sequence[Finding]) -> frozenset[object]:
    """Where chords or their order are at fault, whatever the surface."""
    return frozenset(each.place for each in findings if rule(each.rule).scope in HARMONIC)


def _broken(plan: Plan, findings: Sequence[Finding]) -> Broken:
    """Slots and rules of errors."""
    return frozenset((_slot_of(plan, each), each.rule) for each in findings)


def _slot_of(plan: Plan, finding: Finding) -> int:
    return max(
        (place for place, slot in enumerate(plan.slots) if slot.onset * TICKS <= finding.onset),
        default=0,
    )


def _last_error(plan: Plan, finding: Finding) -> tuple[int, str]:
    """Slot and text of an error that no surface avoids."""
    return _slot_of(plan, finding), (
        f"bar {finding.bar}, beat {finding.beat:g}: every surface breaks {finding.rule} "
        f"({finding.message})"
    )
