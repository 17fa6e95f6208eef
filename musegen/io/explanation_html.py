"""The explanation as one page: the score, and for each note that is pointed at, why it stands there.

The page needs no network. All texts are escaped; the data lies in a JSON block that cannot close
its own script element. To what the document says the page adds the words of the rules and the
titles of the sources, which the document only names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any

from theory_kb.explain import source
from theory_kb.facts import load_facts
from theory_kb.rules.records import rules

__all__ = ["render_html"]

PLACE = re.compile(r"<!-- (\w+) -->")
SEVERITIES = {"E": "error", "W": "warning", "I": "remark"}
HEADINGS = ("", "where", "what", "what to do", "source")


def render_html(
    document: Mapping[str, Any],
    svg_pages: Sequence[str],
    audio: str | None,
    summary: Mapping[str, str],
) -> str:
    """The page of an explanation document.

    Args:
        document: what `musegen.explain.explanation` gives.
        svg_pages: the engraved score; note ids as in the document.
        audio: name of an audio file beside the page, if there is one.
        summary: the short table.
    """
    page, style = (
        (resources.files("musegen.io") / name).read_text(encoding="utf-8")
        for name in ("explanation.html", "page.css")
    )
    data = _data(document)
    parts = {
        "title": escape(str(document["title"])),
        "style": f"\n{style}",
        "audio": f'<audio controls src="{escape(audio, quote=True)}"></audio>' if audio else "",
        "summary": _rows(summary.items()),
        "score": "\n".join(svg_pages),
        "chords": _chords(document),
        "findings": _findings(data["findings"]),
        "sources": _rows(data["sources"].items()),
        "data": json.dumps(data, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c"),
    }
    return PLACE.sub(lambda match: parts[match[1]], page)


# --- what the page knows --------------------------------------------------------------------


def _data(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document, its findings with their notes, and the rules and sources that it names."""
    known = {name: rules()[name] for name in _rule_names(document) if name in rules()}
    words = {
        name: {"name": rule.name, "why": rule.why, "source": source(rule)}
        for name, rule in known.items()
    }
    findings = [
        {**finding, "notes": _notes_at(document["notes"], finding)}
        for finding in document["findings"]
    ]
    data = {**document, "findings": findings, "rules": words}
    return {**data, "sources": _sources(data)}


def _rule_names(document: Mapping[str, Any]) -> list[str]:
    return sorted({name for note in document["notes"] for name in note["rules"]})


def _notes_at(notes: Sequence[Mapping[str, Any]], finding: Mapping[str, Any]) -> list[str]:
    """Ids of the notes that the voices of a finding sound where it stands."""
    here = finding["bar"], finding["beat"]
    sounding = {
        note["part"]: note["id"]
        for note in sorted(notes, key=lambda note: (note["bar"], note["beat"]))
        if (note["bar"], note["beat"]) <= here
    }
    return [sounding[voice] for voice in finding["voices"] if voice in sounding]


def _sources(data: Mapping[str, Any]) -> dict[str, str]:
    """Author and title of each source that is cited, by its abbreviation."""
    explained = [*data["chords"], *data["notes"]]
    cited = [reason["source"] for each in explained for reason in each["reasons"]]
    cited += [each["source"] for each in (*data["findings"], *data["rules"].values())]
    used = {one.split()[0] for text in set(cited) for one in text.split(",") if one.strip()}
    table = load_facts().sources["sources"]
    return {
        name: f"{table[name]['author']}: {table[name]['title']}"
        for name in sorted(used)
        if name in table
    }


# --- what stands there without a script -----------------------------------------------------


def _rows(rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join(
        f'<tr><th scope="row">{escape(str(name))}</th><td>{escape(str(value))}</td></tr>'
        for name, value in rows
    )


def _place(each: Mapping[str, Any]) -> str:
    bar = f"bar {each['bar']}" if each["bar"] else "upbeat"
    return f"{bar}, beat {each['beat']:g}"


def _pointer(text: object, ids: Iterable[str]) -> str:
    """A text that shows notes of the score when it is pressed."""
    return (
        f'<button type="button" data-notes="{escape(" ".join(ids))}">{escape(str(text))}</button>'
    )


def _chords(document: Mapping[str, Any]) -> str:
    lines = []
    for chord in document["chords"]:
        notes = [note["id"] for note in document["notes"] if note["chord"] == chord["index"]]
        reasons = "".join(
            f"<li>{escape(reason['text'])} <cite>{escape(reason['source'])}</cite></li>"
            for reason in chord["reasons"]
        )
        lines.append(
            f'<li id="chord-{escape(str(chord["index"]))}">{_pointer(chord["numeral"], notes)} '
            f"<span>{escape(chord['key'])}, {_place(chord)}</span><ul>{reasons}</ul></li>"
        )
    return "\n".join(lines)


def _findings(findings: Sequence[Mapping[str, Any]]) -> str:
    if not findings:
        return "<p>None.</p>"
    head = "".join(f'<th scope="col">{heading}</th>' for heading in HEADINGS)
    rows = [f"<tr>{head}</tr>"]
    for finding in findings:
        severity = SEVERITIES.get(finding["severity"], finding["severity"])
        cells = (finding["message"], finding["repair"], finding["source"])
        texts = [escape(severity), _pointer(_place(finding), finding["notes"])]
        texts += [escape(str(cell)) for cell in cells]
        rows.append("<tr>" + "".join(f"<td>{text}</td>" for text in texts) + "</tr>")
    return "<table>" + "\n".join(rows) + "</table>"
