"""A given analysis beside ours, as lines of text and as plain values for JSON."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import Any

from musegen.analysis.comparison import COLUMNS, DEPTHS, Comparison, Difference, f1
from musegen.analysis.places import place_text
from musegen.analysis.result import Analysis
from theory_kb.cadences import cadence_name

__all__ = ["comparison_lines", "comparison_record"]

FITTING = 0.8  # share of what sounds under which a given analysis is said to be of something else


def comparison_lines(comparison: Comparison, analysis: Analysis) -> Iterator[str]:
    """How far two analyses agree, and each place at which they do not."""
    tally = comparison.tally
    yield f"against {comparison.name}: per cent of {tally.beats:g} quarter notes"
    if comparison.fit < FITTING:
        yield (
            f"  note: its chords fit {comparison.fit:.0%} of what sounds; it may be of another "
            "version, or count its bars in another way"
        )
    for column in COLUMNS:
        yield f"  {column:18} {100 * tally.share(column):6.1f}"
    for depth in DEPTHS:
        yield f"  its reading is among our {depth:2} best {100 * tally.near(depth):6.1f}"
    score = f1(comparison.cadences)
    yield f"  cadence kinds, F1  {'none' if isnan(score) else f'{score:.2f}'}"
    yield "differences (where, quarter notes, theirs, ours, rank of theirs among our readings)"
    for each in tally.differences:
        where = place_text(analysis.score, each.onset)
        theirs, ours = (f"{key}: {figure}" for key, figure in (each.theirs, each.ours))
        length = f"{float(each.duration):g}"
        yield f"  {where:18} {length:5} {theirs:22} {ours:22} {_rank(each)}"
    for pair in comparison.cadences:
        if pair.theirs != pair.ours:
            where = place_text(analysis.score, pair.end)
            yield f"  phrase to {where}: {_cadence(pair.theirs)}, ours {_cadence(pair.ours)}"


def _rank(each: Difference) -> str:
    return "none that is weighed" if each.rank is None else str(each.rank)


def _cadence(kind: str | None) -> str:
    return cadence_name(kind) if kind else "no cadence"


def comparison_record(comparison: Comparison | None) -> dict[str, Any]:
    """The comparison as values that JSON can hold under `against`; nothing if there is none."""
    if comparison is None:
        return {}
    tally = comparison.tally
    score = f1(comparison.cadences)
    record = {
        "name": comparison.name,
        "fit": round(comparison.fit, 4),
        "quarters": tally.beats,
        "shares": {column: round(tally.share(column), 4) for column in COLUMNS},
        "within": {str(depth): round(tally.near(depth), 4) for depth in DEPTHS},
        "cadence_f1": None if isnan(score) else round(score, 4),
        "differences": [
            {
                "onset": str(each.onset),
                "duration": str(each.duration),
                "theirs": [each.theirs[0].name, each.theirs[1]],
                "ours": [each.ours[0].name, each.ours[1]],
                "rank": each.rank,
            }
            for each in tally.differences
        ],
        "cadences": [
            {"end": str(each.end), "theirs": each.theirs, "ours": each.ours}
            for each in comparison.cadences
        ],
    }
    return {"against": record}
