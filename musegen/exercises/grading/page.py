"""A marked answer to look at: the score with its faults coloured, as a page and as MusicXML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from importlib import resources

from musegen.errors import OptionError
from musegen.exercises.grading.graded import Clause, Graded
from musegen.exercises.grading.score_grader import Marked
from musegen.exercises.item import Item, Lang, Text
from musegen.io.findings_html import coloured_pages
from musegen.io.findings_musicxml import annotated_musicxml
from musegen.report import CheckReport
from musegen.tasks.check import placed

__all__ = ["marked_musicxml", "marked_page"]

PLACE = re.compile(r"<!-- (\w+) -->")
WORDS = {
    "points": Text("points", "得分"),
    "clause": Text("clause", "评分项"),
    "place": Text("place", "位置"),
    "got": Text("points", "得分"),
    "why": Text("why", "原因"),
    "findings": Text("What was found", "发现的问题"),
    "marking": Text("Marking", "评分"),
    "notes": Text("About the answer", "说明"),
    "none": Text("Nothing to mend.", "没有需要改正的地方。"),
}


def marked_musicxml(item: Item, marked: Marked) -> bytes:
    """The answer as MusicXML, notes at fault coloured, the faults named above them.

    Raises:
        OptionError: nothing was graded that could be shown.
        ScoreError: a duration is finer than notation can write.
    """
    return annotated_musicxml(_report(item, marked))


def _report(item: Item, marked: Marked) -> CheckReport:
    observed = marked.observed
    if observed is None:
        raise OptionError("annotated", item.name, "left out where no score was graded")
    found = [each.finding for each in observed.defects]
    return CheckReport(
        "",
        item.name,
        observed.score,
        observed.style.name,
        tuple(placed(number, each, observed.score) for number, each in enumerate(found, 1)),
        (),
        sum(level != "-" for level in observed.style.severities.values()),
        0,
        "",
        (),
    )


def marked_page(item: Item, marked: Marked, lang: Lang) -> str:
    """The answer as one HTML page that needs no network: score, marking, what was found."""
    page, style = (
        (resources.files(package) / name).read_text(encoding="utf-8")
        for package, name in (("musegen.exercises", "marked.html"), ("musegen.io", "page.css"))
    )
    graded = marked.graded
    shown = "\n".join(coloured_pages(_report(item, marked))) if marked.observed is not None else ""
    parts = {
        "lang": lang,
        "title": escape(f"{item.name}: {graded.status}"),
        "style": f"\n{style}",
        "points": _points(graded, lang),
        "score": shown,
        "marking": escape(WORDS["marking"].to(lang)),
        "clauses": _clauses(graded.clauses, lang),
        "heading": escape(WORDS["findings"].to(lang)),
        "findings": _findings(graded, lang),
        "about": escape(WORDS["notes"].to(lang)) if graded.notes else "",
        "notes": "".join(f"<li>{escape(note.to(lang))}</li>" for note in graded.notes),
    }
    return PLACE.sub(lambda match: parts[match[1]], page)


def _points(graded: Graded, lang: Lang) -> str:
    words = WORDS["points"].to(lang)
    return escape(f"{float(graded.points):g} / {float(graded.most):g} {words}")


def _clauses(clauses: Sequence[Clause], lang: Lang) -> str:
    heads = "".join(
        f'<th scope="col">{escape(WORDS[name].to(lang))}</th>'
        for name in ("clause", "place", "got", "why")
    )
    rows = []
    for each in clauses:
        got = f"{float(each.got):g} / {float(each.most):g}"
        cells = (each.id, each.place, got, each.said.to(lang) if each.said else "")
        rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    return "<table>" + "\n".join([f"<tr>{heads}</tr>", *rows]) + "</table>"


CLASSES = {"error": "E", "style": "W", "info": "I"}


def _findings(graded: Graded, lang: Lang) -> str:
    if not graded.findings:
        return f"<p>{escape(WORDS['none'].to(lang))}</p>"
    rows = [
        f'<li class="found-{CLASSES[each.severity]}">{escape(each.said.to(lang))}</li>'
        for each in graded.findings
    ]
    return "<ol>" + "\n".join(rows) + "</ol>"
