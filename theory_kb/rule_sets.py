"""A style's rules, compiled: what moments cost for the search, and which voices offend.

The same kernels prune the search and judge a piece (`theory_kb.check`).

    style = load_style("bach")
    hard_and_soft = rule_set(style, "pair", "both")
    indptr, successors, costs = pair_table(hard_and_soft, before, after, gate)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from theory_kb.errors import FactError, UnknownNameError
from theory_kb.moment import MAX_VOICES, REST, Moments
from theory_kb.rules.engine import Spared, address, run_costs, run_offences, spared
from theory_kb.rules.exceptions import BAR_CONDITIONS, CONDITIONS, exception_table
from theory_kb.rules.records import Rule, rules
from theory_kb.rules.styles import Style

__all__ = [
    "GROUPS",
    "LEVELS",
    "RuleSet",
    "broken",
    "compiled_set",
    "costs",
    "earlier_notes",
    "exception_rows",
    "offences",
    "pair_costs",
    "pair_table",
    "rule_set",
    "spare_known",
    "without",
]

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

GROUPS = ("unary", "pair", "line")
LEVELS = {"surface": ("surface",), "harmonic": ("harmonic",), "both": ("surface", "harmonic")}
BATCH = 50_000  # moves judged at once where only some voices count; bounds the memory

SIEVE = {  # how much of voicing pairs a kernel strikes out for its time, the most first
    name: place
    for place, name in enumerate(  # as `benchmarks/profile_search.py` measures it
        (
            "mel-over-octave",
            "mel-seventh",
            "parallel-octave",
            "direct-fifth-outer",
            "direct-octave-outer",
            "leading-tone-outer",
            "mel-augmented",
            "parallel-unison",
            "seventh-resolves-down",
            "parallel-fifth",
        )
    )
}


@dataclass(frozen=True, slots=True, eq=False)
class RuleSet:
    """The compiled rules of one group of a style, hard ones first."""

    ids: tuple[str, ...]
    kernels: Ints  # addresses
    params: Floats  # (rules, most parameters)
    hard: int  # how many of the rules, the first ones, must not be broken
    weights: Floats  # soft cost of breaking each rule
    exceptions: Spared  # what the style's exceptions take out of the answers
    order: Ints  # in which costs ask them: of the hard ones, those of `SIEVE` first
    known: Ints | None = None  # (rules,) bits of offences that do not count, see `spare_known`


@cache
def rule_set(style: Style, group: str, level: str = "both") -> RuleSet:
    """The rules of a style that look at one group of moments; compiles those that are not off.

    Args:
        style: whose severities, parameters and weights hold.
        group: `unary` (now), `pair` (before and now) or `line` (earlier, before and now).
        level: `surface`, `harmonic` or `both`.

    Raises:
        FactError: the style has an exception by bars. The search shares what it has worked out
            between places that differ in nothing but their bar, and does not know the last bar.
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
    _refuse_bars(style, {each.id for each in chosen})
    return compiled_set(style, chosen)


def _refuse_bars(style: Style, chosen: set[str]) -> None:
    for number, exemption in enumerate(style.exceptions, 1):
        unseen = [name for name in BAR_CONDITIONS if name in exemption.where]
        if unseen and chosen & set(exemption.rules):
            seen = ", ".join(name for name in CONDITIONS if name not in BAR_CONDITIONS)
            problem = f"{unseen[0]} cannot be seen while composing (allowed there: {seen})"
            raise FactError(f"style {style.name}", f"exceptions {number}", problem)


def exception_rows(style: Style, rule: Rule, last_bar: int) -> list[list[int]]:
    """The rows of `exception_table` that spare offences of a rule in a style."""
    whole = rule.reports == "chord"
    return [
        exception_table(exemption, whole=whole, last_bar=last_bar)
        for exemption in style.exceptions
        if rule.id in exemption.rules
    ]


def compiled_set(style: Style, chosen: Sequence[Rule]) -> RuleSet:
    """The compiled rules of a style, hard ones first; exceptions by bars see no last bar."""
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
        spared([exception_rows(style, each, 0) for each in chosen]),
        _sieved([each.id if style.severities[each.id] == "E" else "" for each in chosen]),
    )


def _sieved(hard: Sequence[str]) -> Ints:
    """Places of rules, soft ones without a name, in the order that costs ask them."""
    ranks = [SIEVE.get(name, len(SIEVE)) if name else len(SIEVE) + 1 for name in hard]
    return np.argsort(ranks, kind="stable").astype(np.int64)


def without(rule_set: RuleSet, dropped: frozenset[str], *, soft: bool = False) -> RuleSet:
    """The rules of a set but some hard ones; its soft ones only where they are asked for."""
    if soft and not dropped:
        return rule_set
    hard = [row for row, name in enumerate(rule_set.ids[: rule_set.hard]) if name not in dropped]
    rows = [*hard, *(range(rule_set.hard, len(rule_set.ids)) if soft else ())]
    exceptions = rule_set.exceptions
    spans = [exceptions.rows[exceptions.spans[row] : exceptions.spans[row + 1]] for row in rows]
    return RuleSet(
        tuple(rule_set.ids[row] for row in rows),
        rule_set.kernels[rows],
        rule_set.params[rows],
        len(hard),
        rule_set.weights[rows],
        spared([span.tolist() for span in spans]),
        _sieved([rule_set.ids[row] if row < rule_set.hard else "" for row in rows]),
        None if rule_set.known is None else rule_set.known[rows],
    )


def broken(rule_set: RuleSet, earlier: Moments, before: Moments, now: Moments) -> Bools:
    """Which rules are broken on each moment, (K, rules); the arrays of moments are (K,)."""
    found: Bools = offences(rule_set, earlier, before, now) != 0
    return found


def costs(rule_set: RuleSet, earlier: Moments, before: Moments, now: Moments) -> Floats:
    """Soft cost of each moment, infinite where a hard rule breaks; all arrays (K,)."""
    if rule_set.known is not None:
        return _costs_of_new(rule_set, earlier, before, now)
    same = np.arange(len(now), dtype=np.int64)
    return run_costs(
        rule_set.kernels,
        rule_set.params,
        rule_set.weights,
        rule_set.hard,
        _contiguous(earlier, before, now),
        (same, same),
        exceptions=rule_set.exceptions,
        order=rule_set.order,
    )


def spare_known(
    rule_set: RuleSet, seen: Iterable[tuple[Moments, Moments, Moments]], free: Collection[int]
) -> RuleSet:
    """The same rules, blind to offences that a piece has already among voices that stay.

    Args:
        rule_set: of any group.
        seen: earlier, before and now of the piece as it stands, (1,) each.
        free: voices that are written anew; offences in which one of them takes part count.
    """
    bits = sum(
        1 << 8 * upper + lower
        for upper in range(MAX_VOICES)
        for lower in range(upper, MAX_VOICES)
        if upper not in free and lower not in free
    )
    stays = np.uint64(bits).view(np.int64)
    found = [offences(rule_set, *moments)[0] & stays for moments in seen]
    known: Ints = np.bitwise_or.reduce(found, axis=0)
    return replace(rule_set, known=known) if known.any() else rule_set


def _costs_of_new(rule_set: RuleSet, earlier: Moments, before: Moments, now: Moments) -> Floats:
    """As `costs`, of those offences alone that are not known."""
    assert rule_set.known is not None, "the caller has looked"
    total = np.zeros(len(now))
    for start in range(0, len(now), BATCH):
        rows = slice(start, start + BATCH)
        fired = offences(rule_set, earlier[rows], before[rows], now[rows]) & ~rule_set.known != 0
        soft = fired[:, rule_set.hard :] @ rule_set.weights[rule_set.hard :]
        total[rows] = np.where(fired[:, : rule_set.hard].any(axis=1), np.inf, soft)
    return total


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
    rows, columns = np.nonzero(gate)
    price = pair_costs(rule_set, before, after, rows, columns)
    legal = np.isfinite(price)
    counts = np.bincount(rows[legal], minlength=len(before))
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return indptr, columns[legal].astype(np.int32), price[legal]


def pair_costs(
    rule_set: RuleSet, before: Moments, after: Moments, rows: Ints, columns: Ints
) -> Floats:
    """Soft cost of going from before[rows] to after[columns], (K,); inf if a hard rule breaks."""
    if rule_set.known is not None:
        left = before[rows]
        return _costs_of_new(rule_set, left, left, after[columns])
    return run_costs(
        rule_set.kernels,
        rule_set.params,
        rule_set.weights,
        rule_set.hard,
        _contiguous(before, before, after),
        (np.ascontiguousarray(rows), np.ascontiguousarray(columns)),
        exceptions=rule_set.exceptions,
        order=rule_set.order,
    )


def _contiguous(
    earlier: Moments, before: Moments, now: Moments
) -> tuple[Moments, Moments, Moments]:
    first, second, third = (np.ascontiguousarray(each) for each in (earlier, before, now))
    return first, second, third


def offences(rule_set: RuleSet, earlier: Moments, before: Moments, now: Moments) -> Ints:
    """Which voices break which rule on each moment, (K, rules); the arrays of moments are (K,).

    A number is 0 where a rule is kept; else bit 8 * u + l stands for the voices u < l, and
    bit 9 * v for a single voice.
    """
    moments = _contiguous(earlier, before, now)
    return run_offences(rule_set.kernels, rule_set.params, *moments, exceptions=rule_set.exceptions)


def earlier_notes(moments: Moments) -> Moments:
    """For each moment, the note that each voice left before the note it held one moment ago.

    That is the `earlier` of `line` rules: the last other pitch of the voice in the same phrase,
    REST where there is none. Row i belongs to before = moments[i - 1], now = moments[i].
    """
    earlier = np.zeros_like(moments)
    earlier["semitone"] = REST
    if len(moments) > 2:
        source, known = _left_before(moments)
        for name in ("step", "semitone"):
            left = np.take_along_axis(moments[name], source, axis=0)
            earlier[name] = np.where(known, left, earlier[name])
    return earlier


def _left_before(moments: Moments) -> tuple[Ints, Bools]:
    """For each moment and voice: where the note stood that was left before, and if there is one."""
    semitones = moments["semitone"]
    left = np.zeros(semitones.shape, bool)
    left[2:] = semitones[:-2] != semitones[1:-1]
    left[2:] &= (semitones[:-2] != REST) & (semitones[1:-1] != REST)
    cut = np.zeros(len(moments), bool)
    cut[2:] = moments["boundary"][1:-1] != 0
    places = np.arange(len(moments))[:, np.newaxis]
    last = np.maximum.accumulate(np.where(left | cut[:, np.newaxis], places, 0), axis=0)
    known = np.take_along_axis(left & ~cut[:, np.newaxis], last, axis=0)
    return np.maximum(last - 2, 0), known
