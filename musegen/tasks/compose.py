"""Compose a piece by a form template: a plan is drawn, then written out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from musegen.errors import ScoreError
from musegen.models.protocol import SlotModel
from musegen.plan.given_notes import pattern_lines, with_notes
from musegen.plan.planner import make_plan
from musegen.plan.template import load_template
from musegen.score import Score
from musegen.tasks.writing import Draft, Options, check_options, write
from theory_kb.pitch import Key, PitchClass

__all__ = ["Request", "draft", "draw_key"]

KEY_FIFTHS = (-3, -2, -1, 0, 1, 2, 3)  # signatures that a piece without a given key may have


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Options):
    """What is asked for, and how it is written; the same request gives the same bytes."""

    form: str = "chorale"  # name of a form, or path of a template
    key: str | None = None  # such as "D minor"; None lets the seed choose
    metre: str | None = None  # such as "3/4"; None takes the form's first
    settings: Mapping[str, str] = field(default_factory=dict)  # of the template, as text by name


def draft(
    request: Request, *, pattern: Score | None = None, models: Mapping[str, SlotModel] | None = None
) -> Draft:
    """Compose one piece and keep every decision.

    Args:
        request: what is asked for.
        pattern: notes that the piece must hold, see `musegen.plan.given_notes`; its key and metre
            are the piece's where the request leaves them open.
        models: proposers by name, if not those of the shipped weights.

    Raises:
        UnknownNameError: form, style, metre or model that does not exist.
        OptionError: a weight, width or seed that is not allowed.
        ScoreError: a pattern that the form cannot hold; names the place.
        InfeasibleError: the hard rules leave no piece; names the place and the rules.
    """
    check_options(request)
    metre = request.metre or (None if pattern is None else str(pattern.metre))
    template = load_template(request.form, metre=metre, settings=request.settings)
    rng = np.random.default_rng(request.seed)
    home = _home(request, pattern, rng)
    plan = make_plan(template, home, rng=rng)
    if pattern is not None:
        if pattern.upbeat != plan.upbeat:
            raise ScoreError(
                pattern.title, f"has an upbeat of {pattern.upbeat}, the form one of {plan.upbeat}"
            )
        plan = with_notes(plan, pattern_lines(pattern))
    return write(plan, request, rng=rng, models=models)


def _home(request: Request, pattern: Score | None, rng: np.random.Generator) -> Key:
    if request.key is not None:
        return Key.parse(request.key)
    return pattern.key if pattern is not None else draw_key(rng)


def draw_key(rng: np.random.Generator) -> Key:
    """A home key of at most three signs, major or minor."""
    fifths = int(rng.choice(KEY_FIFTHS))
    if rng.random() < 0.5:
        return Key(PitchClass(fifths), "major")
    return Key(PitchClass(fifths + 3), "minor")
