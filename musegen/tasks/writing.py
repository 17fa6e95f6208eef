"""From a plan to a score: candidates, search, surface, check. Every task that writes ends here."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial

import numpy as np

from musegen.constraints import Problem, build_problem
from musegen.encoding import chord_table
from musegen.errors import DeadEndError, InfeasibleError, OptionError
from musegen.models.protocol import BoolArray, FloatArray, IntArray, SlotModel
from musegen.models.registry import load_models
from musegen.plan.plan import Plan, Slot, where
from musegen.score import Cadence, ChordLabel, Metre, Note, Part, Score
from musegen.search.protocols import Measure
from musegen.search.strategy import STRATEGIES, Limit, Solution, Strategy, each_solution
from musegen.slices import piece
from musegen.tasks.conflict import explain_conflict
from musegen.tasks.scorer import ModelScorer, path_log_scores
from musegen.textures.figuration import Decoration, decorate
from musegen.threads import one_thread
from theory_kb.check import Finding, Report, Style, check, load_style
from theory_kb.moment import TICKS, Moments
from theory_kb.pitch import Key, Pitch
from theory_kb.rules.phrase import cadence_kind
from theory_kb.rules.records import rule

__all__ = [
    "DEFAULT_WEIGHTS",
    "MOST_SOLUTIONS",
    "Draft",
    "Options",
    "check_options",
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
) -> tuple[Draft, ...]:
    """Write a plan out in different ways, best first; the first found is what `write` writes.

    Args:
        plan: what is to be written.
        options: how; any two solutions keep the distance.
        rng: draws what the options leave to chance.
        count: how many; fewer if there are no more that differ enough.
        models: proposers by name, if not those of the shipped weights.

    Raises:
        UnknownNameError: a style or model that does not exist.
        OptionError: an option or the count out of its range.
        InfeasibleError: the hard rules leave no piece; names the place and the rules.
        DeadEndError: the same of rules that look far back, or the time ended before it was known.
    """
    check_options(options)
    if not 1 <= count <= MOST_SOLUTIONS:
        raise OptionError("number of solutions", count, f"from 1 to {MOST_SOLUTIONS}")
    style = load_style(options.style)
    used = models if models is not None else load_models(options.models, chord_table())
    with one_thread(), _placed(plan, style):
        problem = build_problem(plan, style, constrained=options.constrained)
        scorer = ModelScorer.of(problem, used, _weights(options, used))
        found = list(_drafts(options, problem, scorer, rng, count))
    return tuple(sorted(found, key=lambda draft: -draft.search.score))


@contextmanager
def _placed(plan: Plan, style: Style) -> Iterator[None]:
    """Give refusals of the search, which knows only slots, their bar, their beat and why."""
    ask = partial(explain_conflict, plan, style)
    try:
        yield
    except InfeasibleError as error:
        place = where(plan.slots[error.slot], plan.metre[1])
        told = error.problem.startswith(place)
        problem = error.problem if told else f"{place}: {NO_WAY_ON}"
        refusal = InfeasibleError(error.slot, problem, from_right=error.from_right, placed=True)
        raise refusal.explained_by(ask) from error
    except DeadEndError as error:
        place = where(plan.slots[error.slot], plan.metre[1])
        reason = f"{place}: {error.reason}"
        raise DeadEndError(error.slot, reason, proved=error.proved) from error


def _drafts(
    options: Options,
    problem: Problem,
    scorer: ModelScorer,
    rng: np.random.Generator,
    count: int,
) -> Iterator[Draft]:
    """Solutions with their surface; in place of one that no surface fits another is taken."""
    refused: InfeasibleError | None = None
    written = 0
    for solution in _solved(options, problem, scorer, rng, count):
        try:
            yield _finish(options, problem, scorer, solution, rng)
        except InfeasibleError as error:
            refused = refused or error
            continue
        written += 1
        if written == count:
            return
    if not written and refused is not None:
        raise refused


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
    while True:
        decorations = decorate(
            problem.plan,
            skeleton,
            problem.style,
            rng=rng,
            constrained=options.constrained,
            plain=not options.figures,
            forced=problem.forced,
        )
        score = write_score(problem.plan, skeleton, decorations, options)
        report = check(piece(score), problem.style)
        settled = any(slot.figured is not None for slot in problem.plan.slots)
        if settled or not options.constrained or not _avoidable(problem, report):
            break
        redraws += 1
        stood, lasting = lasting, _of_chords(_avoidable(problem, report))
        if redraws == SURFACE_DRAWS or stood & lasting:
            raise InfeasibleError(*_last_error(problem.plan, _avoidable(problem, report)[0]))
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
        -search.terms["rules"],
        search.account.optimum,
        redraws,
    )


def _avoidable(problem: Problem, report: Report) -> list[Finding]:
    """Errors that other notes would avoid; where the chords are given, theirs are only reported."""
    known = problem.plan.frame.known if problem.plan.frame is not None else frozenset()
    errors = [
        finding
        for finding in report.findings
        if finding.severity == "E" and finding.place not in known
    ]
    if not problem.plan.chords_given or problem.plan.frame is not None:
        return errors
    return [
        finding
        for finding in errors
        if rule(finding.rule).scope not in HARMONIC and finding.rule not in problem.forced
    ]


def _of_chords(findings: Sequence[Finding]) -> frozenset[object]:
    """Where chords or their order are at fault, whatever the surface."""
    return frozenset(each.place for each in findings if rule(each.rule).scope in HARMONIC)


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
        Part(name, _voice(plan, decorations, voice))
        for voice, name in enumerate(plan.ensemble.voices)
    )
    beats, unit = plan.metre
    if plan.frame is not None:
        return _framed(plan.frame.score, parts, _labels(plan, skeleton))
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
        figures=plan.figures,
        hands=plan.ensemble.hands or None,
    )


def _cadences(plan: Plan, skeleton: Moments) -> Iterator[Cadence]:
    """How each phrase closes: as planned, else as its last two chords say."""
    for phrase in plan.phrases:
        last = _begins(plan, phrase.last)
        before = skeleton[last - 1] if last > phrase.first else None
        kind = phrase.cadence or cadence_kind(before, skeleton[phrase.last])
        if kind is not None:
            key, _ = _named(plan.slots[phrase.last], skeleton[phrase.last])
            yield Cadence(plan.slots[last].onset, kind, key)


def _begins(plan: Plan, place: int) -> int:
    """The slot in which the chord of a slot begins."""
    while (figured := plan.slots[place].figured) is not None and figured.continues:
        place -= 1
    return place


def _labels(plan: Plan, skeleton: Moments) -> tuple[ChordLabel, ...]:
    found: list[ChordLabel] = []
    for place, (slot, moment) in enumerate(zip(plan.slots, skeleton, strict=True)):
        if _begins(plan, place) < place:
            found[-1] = replace(found[-1], duration=found[-1].duration + slot.duration)
        else:
            found.append(ChordLabel(slot.onset, slot.duration, *_named(slot, moment)))
    return tuple(found)


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


def _voice(plan: Plan, decorations: Sequence[Decoration], voice: int) -> tuple[Note, ...]:
    """The notes of one voice: those that are given, and ours where they leave room."""
    given = plan.lines.get(voice, ())
    if given and voice not in plan.open_voices:
        return given
    return tuple(sorted((*given, *_line(plan, decorations, voice)), key=lambda note: note.onset))


def _framed(whole: Score, parts: Sequence[Part], labels: Sequence[ChordLabel]) -> Score:
    """A piece with other notes, and other chords where they are named anew."""
    start, end = labels[0].onset, labels[-1].onset + labels[-1].duration
    outside = [
        replace(label, onset=first, duration=last - first)
        for label in whole.chords
        for first, last in (
            (label.onset, min(label.onset + label.duration, start)),
            (max(label.onset, end), label.onset + label.duration),
        )
        if first < last
    ]
    chords = sorted((*outside, *labels), key=lambda label: label.onset)
    named = (replace(old, notes=new.notes) for old, new in zip(whole.parts, parts, strict=True))
    return replace(whole, parts=tuple(named), chords=tuple(chords))


def _line(plan: Plan, decorations: Sequence[Decoration], voice: int) -> tuple[Note, ...]:
    """The notes of one voice where it is free, suspensions tied to their preparation."""
    notes: list[_Pending] = []
    for slot, decoration in zip(plan.slots, decorations, strict=True):
        if voice in plan.lines and slot.given and slot.given[voice] is not None:
            continue
        figure = decoration.figures[voice]
        half = slot.onset + slot.middle
        end = slot.onset + slot.duration
        if figure.kind == "suspension":
            notes[-1].end = half
        elif figure.goes_on:
            notes[-1].end = end
        else:
            notes.append(_Pending(slot.onset, half if figure.moves else end, figure.first))
        if figure.moves:
            notes.append(_Pending(half, end, figure.second))
        notes[-1].fermata = slot.closes and plan.phrases[slot.phrase].fermata
    return tuple(note.note() for note in notes)
