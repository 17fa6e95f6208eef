"""A checked score as one page: engraved, its notes coloured, beside and below what was found.

The page needs no network and shows everything without its script, which only joins notes and
findings. All texts are escaped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from html import escape
from importlib import resources

from musegen.io.engraving import engrave
from musegen.io.findings_musicxml import COLOURS, colours
from musegen.io.musicxml import write_musicxml
from musegen.report import SEVERITIES, CheckReport, PlacedFinding
from theory_kb.facts import load_facts
from theory_kb.rules.records import rules

__all__ = ["coloured_pages", "render_fragment", "render_page"]

PLACE = re.compile(r"<!-- (\w+) -->")
NOTE = re.compile(r'(<g id="(p\d+n\d+)(?:-\d+)?" class="note)"')
HEADINGS = ("", "", "where", "rule", "what", "what to do", "source")


def render_page(report: CheckReport) -> str:
    """The page of a report.

    Raises:
        ScoreError: a duration is finer than notation can write.
    """
    page, style = (
        (resources.files("musegen.io") / name).read_text(encoding="utf-8")
        for name in ("findings.html", "page.css")
    )
    parts = {
        "title": escape(report.score.title or report.name),
        "style": f"\n{style}",
        "legend": _legend(),
        "score": "\n".join(coloured_pages(report)),
        "summary": _rows(_summary(report)),
        "findings": _findings(report.findings),
        "skipped": _skipped(report),
        "sources": _rows(_sources(report)),
        "data": _data(report),
    }
    return PLACE.sub(lambda match: parts[match[1]], page)


def render_fragment(report: CheckReport) -> str:
    """Score and findings as a piece of HTML, for notebooks."""
    style = "".join(
        f"g.note.found-{mark} {{ fill: {colour}; color: {colour}; }}"
        for mark, colour in COLOURS.items()
    )
    pages = "".join(coloured_pages(report))
    return (
        f"<style>{style}</style>{pages}<p>{escape(report.counts)}</p>{_findings(report.findings)}"
    )


def coloured_pages(report: CheckReport) -> tuple[str, ...]:
    """The engraved score; the notes of a finding have its severity as a class."""
    marked = colours(report)

    def classed(match: re.Match[str]) -> str:
        severity = marked.get(match[2])
        return f'{match[1]} found-{severity}"' if severity else match[0]

    return tuple(NOTE.sub(classed, page) for page in engrave(write_musicxml(report.score)))


def _legend() -> str:
    return "".join(
        f'<span class="found-{mark}"><span class="legend"></span>{word}</span>'
        for mark, word in SEVERITIES.items()
    )


def _rows(rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in rows
    )


def _summary(report: CheckReport) -> list[tuple[str, str]]:
    score = report.score
    return [
        ("file", report.file),
        ("findings", report.counts),
        ("key", score.key.name),
        ("metre", str(score.metre)),
        ("voices", ", ".join(part.name for part in score.parts)),
        ("style", report.style),
        ("harmony", report.harmony),
        ("rules", f"{report.judged} judged, {len(report.skipped)} skipped"),
        *(("note", remark) for remark in report.remarks),
    ]


def _findings(findings: Iterable[PlacedFinding]) -> str:
    rows = [_finding(each) for each in findings]
    if not rows:
        return "<p>None.</p>"
    head = "".join(f'<th scope="col">{heading}</th>' for heading in HEADINGS)
    return "<table>" + "\n".join([f"<tr>{head}</tr>", *rows]) + "</table>"


def _finding(finding: PlacedFinding) -> str:
    severity = SEVERITIES[finding.severity]
    button = f'<button type="button" data-finding="{finding.number}">{finding.number}</button>'
    colour = f'<span class="legend"></span>{severity}'
    also = f" (also {', '.join(finding.also)})" if finding.also else ""
    texts = [_where(finding), finding.rule + also, finding.message, finding.repair, finding.source]
    cells = [button, colour, *(escape(text) for text in texts)]
    filled = "".join(f'<td class="found-{finding.severity}">{cell}</td>' for cell in cells)
    return f'<tr id="finding-{finding.number}">{filled}</tr>'


def _where(finding: PlacedFinding) -> str:
    return ", ".join([str(finding.place), *finding.voices])


def _skipped(report: CheckReport) -> str:
    if not report.skipped:
        return "<p>Every rule of the style was judged.</p>"
    rows = ((reason, ", ".join(names)) for reason, names in report.skipped_by_reason.items())
    return f"<table>{_rows(rows)}</table>"


def _sources(report: CheckReport) -> list[tuple[str, str]]:
    """Author and title of each source that is cited, by its abbreviation."""
    table = load_facts().sources["sources"]
    cited = {
        one.split()[0]
        for finding in report.findings
        for one in finding.source.split(",")
        if one.strip()
    }
    return [
        (name, f"{table[name]['author']}: {table[name]['title']}")
        for name in sorted(cited)
        if name in table
    ]


def _data(report: CheckReport) -> str:
    """What the script needs, so written that it cannot close its own element."""
    data = [
        {
            "number": each.number,
            "name": rules()[each.rule].name,
            "where": _where(each),
            "message": each.message,
            "repair": each.repair,
            "source": each.source,
            "notes": list(each.notes),
        }
        for each in report.findings
    ]
    return json.dumps(data, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c")
