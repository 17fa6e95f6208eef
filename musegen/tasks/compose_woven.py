"""Compose by a form whose technique is imitation or a ground: lines woven, judged, woven anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any
from zlib import crc32

import numpy as np

from musegen.errors import DeadEndError, InfeasibleError
from musegen.plan.layout import Layout, lay_out
from musegen.plan.template import Template
from musegen.score import Direction, Score
from musegen.slices import piece, ticks
from musegen.tasks.compose_form import FormRequest, coloured, home_of, provenance_of, template_of
from musegen.textures.expression import PIANO, expressed
from musegen.weaving.beam import Woven, weave
from musegen.weaving.canon import canon, canon_voices, round_, round_voices
from musegen.weaving.course import course_of
from musegen.weaving.design import Design, Loom
from musegen.weaving.fabric import Timbre
from musegen.weaving.fugue import VOICES as FUGUE_VOICES
from musegen.weaving.fugue import fugue
from musegen.weaving.ground import VOICES as GROUND_VOICES
from musegen.weaving.ground import ground
from musegen.weaving.lines import score_of
from theory_kb.check import Piece, Report, check, load_style
from theory_kb.pitch import Interval, Key
from theory_kb.rules.context import Canon, Entry

__all__ = ["STYLE", "WovenWork", "declared", "woven_work"]

STYLE = "imitation"  # of rules
ATTEMPTS = 8  # pieces that are woven before a form is given up
DECLARED = ("subject", "answer", "countersubject", "imitation")


@dataclass(frozen=True, slots=True)
class _Technique:
    """How a technique is written."""

    write: Callable[[Loom], Design]
    voices: Callable[[Template], tuple[Timbre, ...]]
    program: int | None = PIANO  # General MIDI instrument, from 0; None: a choir


TECHNIQUES: Mapping[str, _Technique] = {
    "canon": _Technique(canon, lambda form: canon_voices(Interval.parse(form.interval))),
    "round": _Technique(round_, lambda _: round_voices(), None),
    "fugue": _Technique(fugue, lambda _: FUGUE_VOICES),
    "ground": _Technique(ground, lambda _: GROUND_VOICES),
}


@dataclass(frozen=True, slots=True)
class WovenWork:
    """A piece by a technique, with every decision on the way."""

    request: FormRequest
    layout: Layout
    design: Design
    woven: Woven
    score: Score
    report: Report
    attempts: int
    choices: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)


def woven_work(request: FormRequest) -> WovenWork:
    """Compose one piece.

    Raises:
        UnknownNameError: form, metre, parameter or ground that does not exist.
        FactError: a template that is wrong.
        OptionError: a setting, key or theme that the technique cannot take.
        InfeasibleError: no piece without an error was found in `ATTEMPTS`; names the place.
    """
    template = template_of(request)
    rng = np.random.default_rng(request.seed)
    home = home_of(request, template, rng)
    template = replace(template, tempo=request.tempo or template.tempo)
    refused: InfeasibleError | DeadEndError | None = None
    for attempt in range(ATTEMPTS):
        numbers = [request.seed, crc32(template.technique.encode()), attempt]
        try:
            return _woven(request, template, home, np.random.default_rng(numbers), attempt)
        except (InfeasibleError, DeadEndError) as error:
            refused = error
    assert refused is not None, "the loop ends by a piece or a refusal"
    raise refused


def _woven(
    request: FormRequest, template: Template, home: Key, rng: np.random.Generator, attempt: int
) -> WovenWork:
    style = load_style(STYLE)
    technique = TECHNIQUES[template.technique]
    layout = lay_out(template, home, rng=rng)
    loom = Loom(layout, course_of(layout), request.theme, style, rng, technique.voices(template))
    design = technique.write(loom)
    woven = weave(design.fabric, style, rng=rng)
    score = score_of(woven, design.fabric, design.course, layout, template.name)
    report = check(declared(score, design), style)
    _refuse_errors(report)
    directions = coloured(tuple(_directions(layout)), request)
    score = replace(score, directions=directions)
    if request.expression is not False:
        score = expressed(
            score, program=request.program if request.program is not None else technique.program
        )
    provenance = provenance_of(request, template, home)
    return WovenWork(
        request, layout, design, woven, score, report, attempt, request.choices, provenance
    )


def _refuse_errors(report: Report) -> None:
    """Refuse a piece with an error.

    Raises:
        InfeasibleError: names the first place.
    """
    for finding in report.findings:
        if finding.severity == "E":
            where = f"bar {finding.bar}, beat {finding.beat:g}"
            raise InfeasibleError(finding.moment, f"{where}: {finding.message} ({finding.rule})")


def declared(score: Score, design: Design) -> Piece:
    """What the checker takes, with the canon or the entries that were meant."""
    bare = piece(score)
    onsets = bare.surface["onset"]

    def index(beat: int) -> int:
        return int(np.searchsorted(onsets, ticks(Fraction(beat))))

    entries = tuple(
        Entry(mark.kind, mark.voice, index(mark.beat), index(mark.beat + mark.beats))
        for mark in design.marks
        if mark.kind in DECLARED and design.canon is None
    )
    context = replace(bare.context, entries=entries, canon=_canon(design))
    return replace(bare, context=context)


def _canon(design: Design) -> Canon | None:
    told = design.canon
    if told is None:
        return None
    return Canon(
        told.leader,
        told.follower,
        told.steps,
        told.semitones,
        ticks(Fraction(told.lag)),
        told.strict,
        None if told.close is None else ticks(Fraction(told.close)),
    )


def _directions(layout: Layout) -> list[Direction]:
    """Sections and loudness as the form has them."""
    found = []
    loudness, beat = "", 0
    for section in layout.template.sections:
        onset = beat * layout.bar / layout.metre[0]
        found.append(Direction(onset, "section", section.words or section.name))
        wanted = section.dynamics or ("" if loudness else layout.template.dynamics)
        if wanted and wanted != loudness:
            loudness = wanted
            found.append(Direction(onset, "dynamics", wanted))
        beat += section.bars * layout.metre[0]
    return found
