"""Runs a style's rules over note arrays: costs for the search, findings for a score.

The same kernels do both: what prunes the search is what judges a piece.

    style = load_style("bach")
    hard_and_soft = rule_set(style, "pair", "both")
    indptr, successors, costs = pair_table(hard_and_soft, before, after, gate)
    report = check(Piece(surface, harmonic, ("Soprano", "Alto", "Tenor", "Bass"), 5040), style)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from theory_kb import explain
from theory_kb.errors import UnknownNameError
from theory_kb.moment import MAX_VOICES, NONE, REST, Moments
from theory_kb.rules.engine import address, piece_rules, run_costs, run_offences
from theory_kb.rules.piece import Offence, Piece
from theory_kb.rules.records import Rule, rules
from theory_kb.rules.styles import Style, load_style, style_names

__all__ = [
    "Finding",
    "Piece",
    "Report",
    "RuleSet",
    "Skipped",
    "Style",
    "broken",
    "check",
    "costs",
    "earlier_notes",
    "load_style",
    "pair_table",
    "rule_set",
    "style_names",
]

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

GROUPS = ("unary", "pair", "line")
LEVELS = {"surface": ("surface",), "harmonic": ("harmonic",), "both": ("surface", "harmonic")}
GRAVITY = "EWI"  # gravest first
EXACT_FAMILY = "pair"  # its rules are one defect only on the same two voices

# ------------------------------------------------------------------------------------ search


@dataclass(frozen=True, slots=True, eq=False)
class RuleSet:
    """The compiled rules of one group of a style, hard ones first."""

    ids: tuple[str, ...]
    kernels: Ints  # addresses
    params: Floats  # (rules, most parameters)
    hard: int  # how many of the rules, the first ones, must not be broken
    weights: Floats  # soft cost of breaking each rule


@cache
def rule_set(style: Style, group: str, level: str = "both") -> RuleSet:
    """The rules of a style that look at one group of moments; compiles those that are not off.

    Args:
        style: whose severities, parameters and weights hold.
        group: `unary` (now), `pair` (before and now) or `line` (earlier, before and now).
        level: `surface`, `harmonic` or `both`.
    """
    if group not in GROUPS:
        raise UnknownNameError("group of rules", group, GROUPS)
    if level not in LEVELS:
        raise UnknownNameError("level of rules", level, LEVELS)
    chosen = [
        each
        for each in rules().values()
        if each.group == group and each.level in LEVELS[level] and style.severities[each.id] != "-"
    ]
    chosen.sort(key=lambda each: style.severities[each.id] != "E")
    return _compiled_set(style, chosen)


def _compiled_set(style: Style, chosen: list[Rule]) -> RuleSet:
    params = np.zeros((len(chosen), max([1, *(len(each.params) for each in chosen)])))
    for row, each in enumerate(chosen):
        values = [style.params[each.id][name] for name in each.params]
        params[row, : len(values)] = values
    return RuleSet(
        tuple(each.id for each in chosen),
        np.array([address(each.id) for each in chosen], np.int64),
        params,
        sum(style.severities[each.id] == "E" for each in chosen),
        np.array([style.cost(each.id) for each in chosen], np.float64),
    )


def broken(rule_set: RuleSet, earlier: Moments, before: Moments, now: Moments) -> Bools:
    """Which rules are broken on each moment, (K, rules); the arrays of moments are (K,)."""
    found: Bools = _offences(rule_set, earlier, before, now) != 0
    return found


def costs(rule_set: RuleSet, earlier: Moments, before: Moments, now: Moments) -> Floats:
    """Soft cost of each moment, infinite where a hard rule breaks; all arrays (K,)."""
    same = np.arange(len(now), dtype=np.int64)
    return run_costs(
        rule_set.kernels,
        rule_set.params,
        rule_set.weights,
        rule_set.hard,
        _contiguous(earlier, before, now),
        (same, same),
    )


def pair_table(
    rule_set: RuleSet, before: Moments, after: Moments, gate: Bools
) -> tuple[Ints, NDArray[np.int32], Floats]:
    """Legal successors of each sonority with their soft costs, as compressed rows.

    Args:
        rule_set: of group `pair`.
        before: sonorities of one slot, (N,).
        after: sonorities of the next, (M,).
        gate: pairs to consider, (N, M).

    Returns:
        Row pointers (N + 1,), successors and costs; pairs that break a hard rule are left out.
    """
    rows, columns = (np.ascontiguousarray(each, np.int64) for each in np.nonzero(gate))
    price = run_costs(
        rule_set.kernels,
        rule_set.params,
        rule_set.weights,
        rule_set.hard,
        _contiguous(before, before, after),
        (rows, columns),
    )
    legal = np.isfinite(price)
    counts = np.bincount(rows[legal], minlength=len(before))
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return indptr, columns[legal].astype(np.int32), price[legal]


def _contiguous(
    earlier: Moments, before: Moments, now: Moments
) -> tuple[Moments, Moments, Moments]:
    first, second, third = (np.ascontiguousarray(each) for each in (earlier, before, now))
    return first, second, third


def _offences(rule_set: RuleSet, earlier: Moments, before: Moments, now: Moments) -> Ints:
    return run_offences(rule_set.kernels, rule_set.params, *_contiguous(earlier, before, now))


def earlier_notes(moments: Moments) -> Moments:
    """For each moment, the note that each voice left before the note it held one moment ago.

    That is the `earlier` of `line` rules: the last other pitch of the voice in the same phrase,
    REST where there is none. Row i belongs to before = moments[i - 1], now = moments[i].
    """
    earlier = np.zeros_like(moments)
    earlier["semitone"] = REST
    for index in range(2, len(moments)):
        older, old = moments[index - 2], moments[index - 1]
        if old["boundary"]:
            continue
        left = older["semitone"] != old["semitone"]
        left &= (older["semitone"] != REST) & (old["semitone"] != REST)
        for name in ("step", "semitone"):
            earlier[name][index] = np.where(left, older[name], earlier[name][index - 1])
    return earlier


# ------------------------------------------------------------------------------------ report


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect of a piece."""

    rule: str
    severity: str  # E error, W warning, I information
    onset: int  # ticks from the start of the piece
    bar: int
    beat: float  # from 1
    voices: tuple[int, ...]  # high to low
    message: str
    repair: str
    source: str
    also: tuple[str, ...]  # rules that the same notes break as well
    start: int  # ticks: onset of the moment before, or of the finding itself


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


def check(piece: Piece, style: Style) -> Report:
    """Judge a piece by a style; one defect is reported once, its other breaches attached."""
    lacking = {name: reason for name, (met, reason) in NEEDS.items() if not met(piece)}
    found: list[Finding] = []
    skipped: list[Skipped] = []
    judged: list[Rule] = []
    for each in rules().values():
        reasons = [lacking[need] for need in each.needs if need in lacking]
        if style.severities[each.id] == "-":
            continue
        if each.level == "harmonic" and piece.harmonic is None:
            reasons.append(NEEDS["harmony"][1])
        if reasons:
            skipped.append(Skipped(each.id, reasons[0]))
        else:
            judged.append(each)
    found.extend(_kernel_findings(piece, style, judged))
    found.extend(_piece_findings(piece, style, judged))
    return Report(tuple(_once(found)), tuple(skipped))


def _has_harmony(piece: Piece) -> bool:
    return piece.harmonic is not None and bool((piece.harmonic["root"] != NONE).any())


def _has_phrases(piece: Piece) -> bool:
    surface = piece.surface
    return bool((surface["boundary"] | surface["phrase_end"] | surface["final"]).any())


NEEDS: Mapping[str, tuple[Callable[[Piece], bool], str]] = {
    "voices": (lambda piece: len(piece.surface) > 0, "the piece has no notes"),
    "key": (
        lambda piece: bool((piece.surface["tonic"] != NONE).any()),
        "the key is not known",
    ),
    "harmony": (_has_harmony, "the harmony is not known"),
    "phrase": (_has_phrases, "the phrases are not known"),
    "metre": (lambda piece: piece.beat_ticks > 0, "the metre is not known"),
}


def _moments(piece: Piece, level: str) -> Moments:
    moments = piece.surface if level == "surface" else piece.harmonic
    assert moments is not None, "rules on an unknown harmony are skipped"
    return moments


def _kernel_findings(piece: Piece, style: Style, judged: list[Rule]) -> Iterator[Finding]:
    for level in LEVELS["both"]:
        for group in GROUPS:
            chosen = [each for each in judged if each.level == level and each.group == group]
            if chosen:
                yield from _group_findings(piece, style, chosen)


def _group_findings(piece: Piece, style: Style, chosen: list[Rule]) -> Iterator[Finding]:
    level, group = chosen[0].level, chosen[0].group
    moments = _moments(piece, level)
    earlier = earlier_notes(moments) if group == "line" else moments
    before, now = np.roll(moments, 1), moments
    hits = _offences(_compiled_set(style, chosen), earlier, before, now)
    if group != "unary":
        hits[0] = 0
    for rule, column in zip(chosen, hits.T, strict=True):
        news = _news(rule, column, moments) if group == "unary" else column
        for index in np.flatnonzero(news):
            for voices in _voices(rule, int(news[index])):
                seen = (earlier[index], before[index], now[index])
                yield _finding(piece, style, rule, voices, seen, {})


def _news(rule: Rule, column: Ints, moments: Moments) -> Ints:
    """What a sonority adds to the one before: a gap that stays open is one defect."""
    if rule.level == "harmonic":
        return column
    news = column.copy()
    goes_on = moments["boundary"][1:] == 0
    news[1:] &= ~np.where(goes_on, column[:-1], 0)
    if rule.reports == "voice":
        bits_of_voices = np.int64(1) << np.arange(0, 9 * MAX_VOICES, 9, dtype=np.int64)
        news |= column & (moments["attack"].astype(bool) @ bits_of_voices)
    return news


def _voices(rule: Rule, value: int) -> Iterator[tuple[int, ...]]:
    """Voices of each finding that the bits of a kernel amount to."""
    pairs = [divmod(bit, 8) for bit in range(64) if value >> bit & 1]
    sets = [(u,) if u == v else (u, v) for u, v in pairs]
    if rule.reports == "chord":
        yield tuple(sorted({voice for each in sets for voice in each}))
    else:
        yield from sets


def _piece_findings(piece: Piece, style: Style, judged: list[Rule]) -> Iterator[Finding]:
    for rule in judged:
        if rule.group == "piece":
            moments = _moments(piece, rule.level)
            offences = piece_rules()[rule.id].function(piece, style.params[rule.id])
            for offence in offences:
                yield _piece_finding(piece, style, rule, offence, moments)


def _piece_finding(
    piece: Piece, style: Style, rule: Rule, offence: Offence, moments: Moments
) -> Finding:
    now = moments[offence.moment]
    before = moments[max(0, offence.moment - 1)]
    return _finding(piece, style, rule, offence.voices, (before, before, now), offence.detail)


def _finding(
    piece: Piece,
    style: Style,
    rule: Rule,
    voices: tuple[int, ...],
    seen: tuple[np.void, np.void, np.void],
    detail: Mapping[str, str],
) -> Finding:
    now = seen[2]
    beat = int(now["position"]) / piece.beat_ticks + 1 if piece.beat_ticks else 1.0
    start = seen[1] if rule.group in ("pair", "line") else now
    return Finding(
        rule.id,
        style.severities[rule.id],
        int(now["onset"]),
        int(now["bar"]),
        beat,
        voices,
        explain.message(rule, voices, seen, piece.voices, detail),
        explain.repair(rule),
        explain.source(rule),
        (),
        int(start["onset"]),
    )


# -------------------------------------------------------------------- one defect, one report


def _once(found: list[Finding]) -> list[Finding]:
    """Attach to the first of a family, on the same notes, the breaches that follow from it."""
    kept: list[Finding] = []
    places: dict[tuple[str, int], list[int]] = {}  # family and onset: findings kept there
    for finding in sorted(found, key=_order):
        family = rules()[finding.rule].family
        near = places.get((family, finding.onset), []) + places.get((family, finding.start), [])
        owner = next((each for each in near if _covers(kept[each], finding)), None)
        if owner is None:
            places.setdefault((family, finding.onset), []).append(len(kept))
            kept.append(finding)
        else:
            kept[owner] = _attached(kept[owner], finding)
    return sorted(kept, key=lambda each: (each.onset, GRAVITY.index(each.severity)))


def _order(finding: Finding) -> tuple[int, int, tuple[int, ...]]:
    rank = rules()[finding.rule].rank
    return rank, finding.onset, finding.voices


def _covers(first: Finding, other: Finding) -> bool:
    """Whether one finding, near another of its family, already tells of its notes.

    A defect of a move covers what else happens as that move arrives; a defect of a sonority
    covers the moves that leave it.
    """
    family = rules()[first.rule].family
    if not family or first.rule == other.rule:
        return False
    if family == EXACT_FAMILY:
        return first.onset == other.onset and first.voices == other.voices
    still = first.start == first.onset
    meets = other.start == first.onset if still else other.onset == first.onset
    return meets and bool(set(first.voices) & set(other.voices))


def _attached(first: Finding, other: Finding) -> Finding:
    """A finding with another attached; it is as grave as the graver of the two."""
    severity = min(first.severity, other.severity, key=GRAVITY.index)
    also = first.also if other.rule in first.also else (*first.also, other.rule)
    return replace(first, severity=severity, also=also)
