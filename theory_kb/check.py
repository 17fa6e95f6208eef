"""Judges a piece by a style: findings in time order, each defect once.

The kernels are those that prune the search (`theory_kb.rule_sets`).

    report = check(Piece(surface, harmonic, ("Soprano", "Alto", "Tenor", "Bass"), 5040), style)
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from theory_kb import explain
from theory_kb.moment import MAX_VOICES, NONE, Moments
from theory_kb.rule_sets import (
    GROUPS,
    LEVELS,
    RuleSet,
    compiled_set,
    earlier_notes,
    exception_rows,
    offences,
)
from theory_kb.rules.engine import PieceFunction, piece_rules, spared
from theory_kb.rules.exceptions import is_spared
from theory_kb.rules.phrase import final_kinds
from theory_kb.rules.piece import Offence, Piece
from theory_kb.rules.records import Rule, rules
from theory_kb.rules.spans import described
from theory_kb.rules.styles import Style, load_style, style_names

__all__ = [
    "Finding",
    "Piece",
    "Report",
    "Skipped",
    "Style",
    "check",
    "final_cadences",
    "load_style",
    "piece_offences",
    "stages",
    "style_names",
]

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

GRAVITY = "EWI"  # gravest first
EXACT_FAMILY = "pair"  # its rules are one defect only on the same two voices


class _Scene(NamedTuple):
    """What the sentence of a finding tells of."""

    moments: Moments  # of the rule's level
    left: Moments  # the same as they are left: a chord with each voice on its last chord tone
    earlier: Moments | None  # for a rule on a line
    names: tuple[str, ...]  # of the voices
    detail: Mapping[str, str]  # fields of the rule's own
    whole: bool  # the rule looked at the whole piece

    def seen(self, index: int) -> tuple[np.void, np.void, np.void]:
        """The earlier moment, the one before and the present one."""
        now = self.moments[index]
        if self.whole:
            before = self.moments[max(0, index - 1)]
            return before, before, now
        earlier = now if self.earlier is None else self.earlier[index]
        return earlier, self.left[index - 1], now


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect of a piece. Its words are made when they are asked for."""

    rule: str
    severity: str  # E error, W warning, I information
    onset: int  # ticks from the start of the piece
    bar: int
    beat: float  # from 1
    voices: tuple[int, ...]  # high to low
    also: tuple[str, ...]  # rules that the same notes break as well
    start: int  # ticks: onset of the moment before, or of the finding itself
    moment: int  # index in the moments of the rule's level
    scene: _Scene = field(repr=False, compare=False)

    @property
    def place(self) -> tuple[str, int, tuple[int, ...]]:
        """What is broken and where: rule, onset in ticks, voices."""
        return self.rule, self.onset, self.voices

    @property
    def message(self) -> str:
        """The sentence that names voices and pitches."""
        scene = self.scene
        seen = scene.seen(self.moment)
        return explain.message(rules()[self.rule], self.voices, seen, scene.names, scene.detail)

    @property
    def repair(self) -> str:
        """What to do about it."""
        return explain.repair(rules()[self.rule])

    @property
    def source(self) -> str:
        """Where the rule is taught."""
        return explain.source(rules()[self.rule])


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rule that could not be judged."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """All that a check found, in time order, and what it could not judge."""

    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]

    def count(self, severity: str) -> int:
        """How many findings have a severity."""
        return sum(finding.severity == severity for finding in self.findings)


def final_cadences(style: Style, mode: str) -> frozenset[str] | None:
    """Kinds of cadence that may close a piece in a mode, None if the style forbids none.

    Args:
        style: whose `cadence-final` counts where it is an error.
        mode: major or minor.
    """
    if style.severities["cadence-final"] != "E":
        return None
    perfect = bool(style.params["cadence-final"]["perfect_only"])
    return final_kinds(minor=mode == "minor", perfect_only=perfect)


def check(piece: Piece, style: Style) -> Report:
    """Judge a piece by a style; one defect is reported once, its other breaches attached."""
    piece = described(piece)
    plan = _plan_of(piece, style)
    found = [each for batch in plan.batches for each in _batch_findings(piece, style, batch)]
    for rule, function in plan.whole:
        found.extend(_piece_findings(piece, style, rule, function))
    return Report(tuple(_once(found)), plan.skipped)


def stages(piece: Piece, style: Style) -> Iterator[tuple[str, Callable[[], object]]]:
    """The parts of a check in their order, to be timed one by one: a name and the work."""
    yield "the spans of its chords", partial(described, piece)
    piece = described(piece)
    plan = _plan_of(piece, style)
    yield "what is known of the piece", partial(_plan_of, piece, style)
    for batch in plan.batches:
        name = f"{len(batch.rules)} kernels, {batch.level} {batch.group}"
        yield name, partial(list, _batch_findings(piece, style, batch))
    for rule, function in plan.whole:
        yield rule.id, partial(list, _piece_findings(piece, style, rule, function))


def piece_offences(
    piece: Piece, style: Style, names: Container[str] | None = None
) -> Iterator[tuple[Rule, Offence]]:
    """What a style's rules on whole pieces find, one by one as they find it.

    Args:
        piece: a piece, or the beginning of one that is still being written.
        style: whose severities, parameters and exceptions hold.
        names: ids of the rules that are asked, all if it is not given.
    """
    for rule, function in _plan_of(piece, style).whole:
        if names is None or rule.id in names:
            for offence in _whole_offences(piece, style, rule, function):
                yield rule, offence


def _plan_of(piece: Piece, style: Style) -> _Plan:
    lacking = frozenset(name for name, (met, _) in NEEDS.items() if not met(piece))
    return _plan(style, lacking, piece.harmonic is not None)


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Kernels that look at the same moments."""

    level: str
    group: str
    rules: tuple[Rule, ...]
    compiled: RuleSet
    by_voice: Bools  # (rules,) whether a voice that strikes anew is a finding anew


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """What is run on the pieces of which the same is known."""

    batches: tuple[_Batch, ...]
    whole: tuple[tuple[Rule, PieceFunction], ...]
    skipped: tuple[Skipped, ...]


@lru_cache(maxsize=64)
def _plan(style: Style, lacking: frozenset[str], has_harmonic: bool) -> _Plan:
    skipped: list[Skipped] = []
    judged: list[Rule] = []
    for each in rules().values():
        if style.severities[each.id] == "-":
            continue
        reasons = [NEEDS[need][1] for need in each.needs if need in lacking]
        if each.level == "harmonic" and not has_harmonic:
            reasons.append(NEEDS["harmony"][1])
        if reasons:
            skipped.append(Skipped(each.id, reasons[0]))
        else:
            judged.append(each)
    whole = [each for each in judged if each.group == "piece"]
    return _Plan(
        tuple(_batches(style, judged)),
        tuple((each, piece_rules()[each.id].function) for each in whole),
        tuple(skipped),
    )


def _batches(style: Style, judged: list[Rule]) -> Iterator[_Batch]:
    for level in LEVELS["both"]:
        for group in GROUPS:
            chosen = [each for each in judged if each.level == level and each.group == group]
            if chosen:
                by_voice = np.array([each.reports == "voice" for each in chosen])
                yield _Batch(level, group, tuple(chosen), compiled_set(style, chosen), by_voice)


def _has_harmony(piece: Piece) -> bool:
    return piece.harmonic is not None and bool((piece.harmonic["root"] != NONE).any())


def _has_tonic(piece: Piece) -> bool:
    known = piece.surface["tonic"] != NONE
    return piece.context.final is not None or bool(known.any())


def _has_phrases(piece: Piece) -> bool:
    surface = piece.surface
    return bool((surface["boundary"] | surface["phrase_end"] | surface["final"]).any())


def _is_declared(name: str) -> Callable[[Piece], bool]:
    """Whether a field of the context says something; a declared voice 0 does."""

    def met(piece: Piece) -> bool:
        value = getattr(piece.context, name)
        return value is not None and value not in ((), {})

    return met


NEEDS: Mapping[str, tuple[Callable[[Piece], bool], str]] = {
    "voices": (lambda piece: len(piece.surface) > 0, "the piece has no notes"),
    "key": (
        lambda piece: bool((piece.surface["tonic"] != NONE).any()),
        "the key is not known",
    ),
    "tonic": (_has_tonic, "neither the key nor the final of the mode is known"),
    "harmony": (_has_harmony, "the harmony is not known"),
    "phrase": (_has_phrases, "the phrases are not known"),
    "metre": (lambda piece: piece.beat_ticks > 0, "the metre is not known"),
    "bar-length": (lambda piece: piece.bar_ticks > 0, "the length of a bar is not known"),
    "exercise": (
        lambda piece: bool(piece.context.given or piece.context.answers),
        "this is no exercise",
    ),
    **{
        name: (_is_declared(name), reason)
        for name, reason in {
            "cantus": "no cantus firmus is declared",
            "species": "no species is declared",
            "final": "the final of the mode is not declared",
            "mode": "the church mode is not declared",
            "units": "the form is not declared",
            "entries": "no entries of a subject are declared",
            "canon": "no canon is declared",
            "invertible": "no invertible counterpoint is declared",
            "given": "nothing is given",
            "answers": "no labels were written",
            "vocabulary": "no vocabulary is declared",
            "syllables": "there is no text",
            "melody": "no tune is declared",
            "hands": "the hands are not declared",
            "tempo": "the tempo is not known",
            "bars": "the bars are not known",
            "written": "the notation is not known",
            "figures": "there are no figures",
            "end": "the end of the last notes is not known",
        }.items()
    },
}


def _moments(piece: Piece, level: str) -> Moments:
    moments = piece.surface if level == "surface" else piece.harmonic
    assert moments is not None, "rules on an unknown harmony are skipped"
    return moments


def _left(piece: Piece, level: str) -> Moments:
    """Moments as they are left: of a chord, each voice on its last chord tone."""
    moments = piece.closing if level == "harmonic" else piece.surface
    assert moments is not None, "a known harmony is described before it is judged"
    return moments


def _batch_findings(piece: Piece, style: Style, batch: _Batch) -> Iterator[Finding]:
    moments = _moments(piece, batch.level)
    earlier = earlier_notes(moments) if batch.group == "line" else None
    left = _left(piece, batch.level)
    hits = _batch_hits(moments, left, earlier, batch, _set_in(moments, style, batch))
    if batch.group == "unary" and batch.level == "surface":
        hits = _news(hits, batch.by_voice, moments)
    scene = _Scene(moments, left, earlier, piece.voices, {}, whole=False)
    back = 0 if batch.group == "unary" else 1
    for index, column in zip(*(each.tolist() for each in np.nonzero(hits)), strict=True):
        rule = batch.rules[column]
        for voices in _voices(rule, int(hits[index, column])):
            yield _finding(piece, style, rule, voices, (index, index - back), scene)


def _set_in(moments: Moments, style: Style, batch: _Batch) -> RuleSet:
    """The compiled rules of a batch, the exceptions by bars set to the last bar of a piece."""
    if not any("last_bars" in each.where for each in style.exceptions):
        return batch.compiled
    rows = [exception_rows(style, each, _last_bar(moments)) for each in batch.rules]
    return replace(batch.compiled, exceptions=spared(rows))


def _last_bar(moments: Moments) -> int:
    return int(moments["bar"].max(initial=0))


def _batch_hits(
    moments: Moments, left: Moments, earlier: Moments | None, batch: _Batch, compiled: RuleSet
) -> Ints:
    """Bits of offending voices, (moments, rules); a move arrives at its later moment."""
    if batch.group == "unary":
        return offences(compiled, moments, moments, moments)
    before, now = left[:-1], moments[1:]
    hits = np.zeros((len(moments), len(compiled.ids)), np.int64)
    hits[1:] = offences(compiled, before if earlier is None else earlier[1:], before, now)
    return hits


def _news(hits: Ints, by_voice: Bools, moments: Moments) -> Ints:
    """What a sonority adds to the one before: a gap that stays open is one defect."""
    news = hits.copy()
    goes_on = moments["boundary"][1:, np.newaxis] == 0
    news[1:] &= ~np.where(goes_on, hits[:-1], 0)
    if by_voice.any():
        bits_of_voices = np.int64(1) << np.arange(0, 9 * MAX_VOICES, 9, dtype=np.int64)
        struck = moments["attack"].astype(bool) @ bits_of_voices
        news |= np.where(by_voice, hits & struck[:, np.newaxis], 0)
    return news


def _voices(rule: Rule, value: int) -> Iterator[tuple[int, ...]]:
    """Voices of each finding that the bits of a kernel amount to."""
    pairs = [divmod(bit, 8) for bit in range(value.bit_length()) if value >> bit & 1]
    sets = [(u,) if u == v else (u, v) for u, v in pairs]
    if rule.reports == "chord":
        yield tuple(sorted({voice for each in sets for voice in each}))
    else:
        yield from sets


def _piece_findings(
    piece: Piece, style: Style, rule: Rule, function: PieceFunction
) -> Iterator[Finding]:
    moments = _moments(piece, rule.level)
    for offence in _whole_offences(piece, style, rule, function):
        scene = _Scene(moments, moments, None, piece.voices, offence.detail, whole=True)
        yield _finding(piece, style, rule, offence.voices, (offence.moment,) * 2, scene)


def _whole_offences(
    piece: Piece, style: Style, rule: Rule, function: PieceFunction
) -> Iterator[Offence]:
    """What a rule on the whole piece finds and no exception spares."""
    found = function(piece, style.params[rule.id])
    if not style.exceptions:
        return found
    return _unspared(found, _moments(piece, rule.level), style, rule)


def _unspared(
    found: Iterator[Offence], moments: Moments, style: Style, rule: Rule
) -> Iterator[Offence]:
    """The offences that no exception of the style spares."""
    rows = exception_rows(style, rule, _last_bar(moments))
    table = np.array(rows, np.int64)
    for offence in found:
        before, now = moments[max(0, offence.moment - 1)], moments[offence.moment]
        if not (rows and is_spared(table, before, now, offence.voices)):
            yield offence


def _finding(
    piece: Piece,
    style: Style,
    rule: Rule,
    voices: tuple[int, ...],
    places: tuple[int, int],
    scene: _Scene,
) -> Finding:
    """A finding at the first of two moments; the other is where the offence begins."""
    index, first = places
    now = scene.moments[index]
    return Finding(
        rule.id,
        style.severities[rule.id],
        int(now["onset"]),
        int(now["bar"]),
        int(now["position"]) / piece.beat_ticks + 1 if piece.beat_ticks else 1.0,
        voices,
        (),
        int(scene.moments["onset"][first]),
        index,
        scene,
    )


# -------------------------------------------------------------------- one defect, one report


def _once(found: list[Finding]) -> list[Finding]:
    """Attach to the first of a family, on the same notes, the breaches that follow from it."""
    known = rules()
    kept: list[Finding] = []
    places: dict[tuple[str, int], list[int]] = {}  # family and onset: findings kept there
    found.sort(key=lambda each: (known[each.rule].rank, each.onset, each.voices))
    for finding in found:
        family = known[finding.rule].family
        if not family:
            kept.append(finding)
            continue
        near = places.get((family, finding.onset), []) + places.get((family, finding.start), [])
        owner = next((each for each in near if _covers(kept[each], finding)), None)
        if owner is None:
            places.setdefault((family, finding.onset), []).append(len(kept))
            kept.append(finding)
        else:
            kept[owner] = _attached(kept[owner], finding)
    kept.sort(key=lambda each: (each.onset, GRAVITY.index(each.severity)))
    return kept


def _covers(first: Finding, other: Finding) -> bool:
    """Whether one finding, near another of its family, already tells of its notes.

    A defect of a move covers what else happens as that move arrives; a defect of a sonority
    covers the moves that leave it.
    """
    if first.rule == other.rule:
        return False
    if rules()[first.rule].family == EXACT_FAMILY:
        return first.onset == other.onset and first.voices == other.voices
    still = first.start == first.onset
    meets = other.start == first.onset if still else other.onset == first.onset
    return meets and bool(set(first.voices) & set(other.voices))


def _attached(first: Finding, other: Finding) -> Finding:
    """A finding with another attached; it is as grave as the graver of the two."""
    severity = min(first.severity, other.severity, key=GRAVITY.index)
    also = first.also if other.rule in first.also else (*first.also, other.rule)
    return replace(first, severity=severity, also=also)
