"""Findings as lines of text: where, who, which rule, what, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import fill

from musegen.report import CheckReport, PlacedFinding

__all__ = ["finding_lines", "report_lines"]

WIDTH = 100
MOST_NAMED = 6  # rules that a line of skipped ones names


def report_lines(report: CheckReport) -> Iterator[str]:
    """A report as text: the piece, its findings, the counts, what was not judged."""
    score = report.score
    voices = ", ".join(part.name for part in score.parts)
    yield f"{report.file}: {score.title}"
    yield f"  {score.key}, {score.metre}, {len(score.parts)} voices ({voices}); style {report.style}"
    yield f"  harmony {report.harmony}"
    for remark in report.remarks:
        yield f"  note: {remark}"
    for finding in report.findings:
        yield from finding_lines(finding)
    yield f"  {report.counts}; {report.judged} rules judged, {len(report.skipped)} skipped"
    for reason, rules in report.skipped_by_reason.items():
        named = ", ".join(rules[:MOST_NAMED])
        more = f" and {len(rules) - MOST_NAMED} more" if len(rules) > MOST_NAMED else ""
        yield f"    skipped, {reason}: {named}{more}"


def finding_lines(finding: PlacedFinding) -> Iterator[str]:
    """One finding as text."""
    who = f", {_listed(finding.voices)}" if finding.voices else ""
    yield f"  {finding.number} {finding.severity} {finding.place}{who}: {finding.rule}"
    yield _indented(finding.message)
    if finding.also:
        yield _indented(f"also breaks: {', '.join(finding.also)}")
    source = f" [{finding.source}]" if finding.source else ""
    yield _indented(f"to mend it: {finding.repair}.{source}")


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _indented(text: str) -> str:
    return fill(text, WIDTH, initial_indent="      ", subsequent_indent="      ")
