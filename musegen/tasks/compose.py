"""Compose a piece by a form template: plan, chords and voices, surface, score, explanation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from musegen.constraints import Problem, build_problem
from musegen.encoding import chord_table
from musegen.errors import InfeasibleError, OptionError
from musegen.models.protocol import FloatArray, SlotModel
from musegen.models.registry import load_models
from musegen.plan.planner import Plan, Slot, make_plan
from musegen.plan.template import Template, load_template
from musegen.score import Cadence, ChordLabel, Metre, Note, Part, Score
from musegen.search.beam import BeamResult, beam_search
from musegen.search.optimum import first_order_optimum
from musegen.slices import piece
from musegen.tasks.scorer import ModelScorer, path_log_scores
from musegen.textures.figuration import Decoration, decorate
from musegen.threads import one_thread
from theory_kb.check import Report, Style, check, load_style
from theory_kb.moment import TICKS, Moments
from theory_kb.pitch import Key, Pitch, PitchClass

__all__ = ["DEFAULT_WEIGHTS", "Draft", "Request", "draft"]

VOICES = ("Soprano", "Alto", "Tenor", "Bass")
DEFAULT_WEIGHTS: Mapping[str, float] = {"hmm": 0.6, "rbm": 0.4, "lstm": 1.0}
KEY_FIFTHS = (-3, -2, -1, 0, 1, 2, 3)  # signatures that a piece without a given key may have
WIDEST = 4096
TEMPERATURE = 1.3
SURFACE_DRAWS = 20  # redraws of the surface before a piece is given up


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for; the same request gives the same bytes."""

    form: str = "chorale"  # name of a form, or path of a template
    key: str | None = None  # such as "D minor"; None lets the seed choose
    metre: str | None = None  # such as "3/4"; None takes the form's first
    seed: int = 0
    style: str = "bach"  # name of a style, or path of a style file
    models: tuple[str, ...] = ("hmm", "rbm", "lstm")
    weights: Mapping[str, float] = field(default_factory=dict)  # by model, over the defaults
    width: int = 32  # hypotheses of the beam
    constrained: bool = True  # False: no rules, to measure what the models do alone


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that was decided on the way to a score."""

    request: Request
    problem: Problem
    scorer: ModelScorer
    beam: BeamResult
    skeleton: Moments  # (T,) the chosen moments
    decorations: tuple[Decoration, ...]  # (T,)
    score: Score
    report: Report
    log_scores: Mapping[str, FloatArray]  # by model, (T,) in nats
    optimum: float  # least first-order cost that any path has, exact
    redraws: int  # surfaces that the checker refused

    @property
    def cost(self) -> float:
        """First-order cost of the chosen path; what it has above the optimum buys likelier notes."""
        return -self.beam.terms[0]["rules"]

    @property
    def plan(self) -> Plan:
        """The plan that was followed."""
        return self.problem.plan


def draft(request: Request, *, models: Mapping[str, SlotModel] | None = None) -> Draft:
    """Compose one piece and keep every decision.

    Args:
        request: what is asked for.
        models: proposers by name, if not those of the shipped weights.

    Raises:
        UnknownNameError: form, style, metre or model that does not exist.
        OptionError: a weight, width or seed that is not allowed.
        InfeasibleError: the hard rules leave no piece; names the place and the rules.
    """
    _check_request(request)
    style = load_style(request.style)
    template = load_template(request.form, metre=request.metre)
    used = models if models is not None else load_models(request.models, chord_table())
    with one_thread():
        return _draft(request, style, template, used)


def _draft(
    request: Request, style: Style, template: Template, used: Mapping[str, SlotModel]
) -> Draft:
    rng = np.random.default_rng(request.seed)
    home = Key.parse(request.key) if request.key is not None else _draw_key(rng)
    plan = make_plan(template, home, rng=rng)
    problem = build_problem(plan, style, constrained=request.constrained)
    scorer = ModelScorer.of(problem, used, _weights(request, used))
    beam = beam_search(
        problem.lattice,
        scorer=scorer if used else None,
        look_back=problem.long_rules,
        width=request.width,
        rng=rng,
        temperature=TEMPERATURE,
    )
    return _finish(request, problem, scorer, beam, style, rng)


def _finish(
    request: Request,
    problem: Problem,
    scorer: ModelScorer,
    beam: BeamResult,
    style: Style,
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
            problem.plan, skeleton, style, rng=rng, constrained=request.constrained
        )
        score = write_score(problem.plan, skeleton, decorations, request)
        report = check(piece(score), style)
        if not request.constrained or not report.count("E"):
            break
        redraws += 1
        if redraws == SURFACE_DRAWS:
            raise InfeasibleError(*_last_error(problem.plan, report))
    return Draft(
        request,
        problem,
        scorer,
        beam,
        skeleton,
        decorations,
        score,
        report,
        path_log_scores(scorer, path),
        first_order_optimum(problem.lattice).cost,
        redraws,
    )


def _last_error(plan: Plan, report: Report) -> tuple[int, str]:
    """Slot and text of the first error that no surface avoids."""
    finding = next(finding for finding in report.findings if finding.severity == "E")
    slot = max(
        place for place, slot in enumerate(plan.slots) if slot.onset * TICKS <= finding.onset
    )
    return slot, (
        f"bar {finding.bar}, beat {finding.beat:g}: every surface breaks {finding.rule} "
        f"({finding.message})"
    )


def _check_request(request: Request) -> None:
    if not 1 <= request.width <= WIDEST:
        raise OptionError("width", request.width, f"from 1 to {WIDEST}")
    if request.seed < 0:
        raise OptionError("seed", request.seed, "0 or more")
    if len(set(request.models)) < len(request.models):
        raise OptionError("models", ",".join(request.models), "each named once")
    for name, weight in request.weights.items():
        if name not in request.models:
            raise OptionError("weight", name, f"of a model in use ({', '.join(request.models)})")
        if not 0 <= weight <= 100:
            raise OptionError(f"weight {name}", weight, "from 0 to 100")


def _weights(request: Request, models: Mapping[str, SlotModel]) -> dict[str, float]:
    return {name: request.weights.get(name, DEFAULT_WEIGHTS.get(name, 1.0)) for name in models}


def _draw_key(rng: np.random.Generator) -> Key:
    fifths = int(rng.choice(KEY_FIFTHS))
    if rng.random() < 0.5:
        return Key(PitchClass(fifths), "major")
    return Key(PitchClass(fifths + 3), "minor")


# --- from decisions to a score --------------------------------------------------------------


def write_score(
    plan: Plan, skeleton: Moments, decorations: Sequence[Decoration], request: Request
) -> Score:
    """The score of a skeleton and its decorations."""
    parts = tuple(Part(name, _line(plan, decorations, voice)) for voice, name in enumerate(VOICES))
    beats, unit = plan.metre
    return Score(
        title=f"{plan.template.name} in {plan.home}",
        key=plan.home,
        parts=parts,
        metres=(Metre(beats, unit),),
        upbeat=plan.upbeat,
        tempo=plan.template.tempo,
        chords=_labels(plan, skeleton),
        cadences=tuple(
            Cadence(plan.slots[phrase.last].onset, phrase.cadence, phrase.key)
            for phrase in plan.phrases
        ),
        phrase_ends=tuple(
            plan.slots[phrase.last].onset + plan.slots[phrase.last].duration
            for phrase in plan.phrases
        ),
        credit=f"musegen, seed {request.seed}",
    )


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
        notes[-1].fermata = slot.closes and plan.template.fermatas
    return tuple(note.note() for note in notes)
