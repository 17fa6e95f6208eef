"""The explanation as one page: the score, and for each note that is pointed at, why it stands there.

The page needs no network. All texts are escaped; the data lies in a JSON block that cannot close
its own script element.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any

__all__ = ["render_html"]


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
    page = (resources.files("musegen.io") / "explanation.html").read_text(encoding="utf-8")
    parts = {
        "title": escape(str(document["title"])),
        "audio": f'<audio controls src="{escape(audio, quote=True)}"></audio>' if audio else "",
        "summary": _rows(summary.items()),
        "score": "\n".join(svg_pages),
        "chords": _chords(document["chords"]),
        "findings": _findings(document["findings"]),
        "data": json.dumps(document, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c"),
    }
    for name, text in parts.items():
        page = page.replace(f"<!-- {name} -->", text, 1)
    return page


def _rows(rows: Any) -> str:
    return "\n".join(
        f"<tr><th>{escape(str(name))}</th><td>{escape(str(value))}</td></tr>"
        for name, value in rows
    )


def _chords(chords: Sequence[Mapping[str, Any]]) -> str:
    lines = []
    for chord in chords:
        place = f"bar {chord['bar']}, beat {chord['beat']:g}"
        reasons = "".join(
            f"<li>{escape(reason['text'])} <cite>{escape(reason['source'])}</cite></li>"
            for reason in chord["reasons"]
        )
        lines.append(
            f"<li id='chord-{chord['index']}'><b>{escape(chord['numeral'])}</b> "
            f"<span>{escape(chord['key'])}, {place}</span><ul>{reasons}</ul></li>"
        )
    return "\n".join(lines)


def _findings(findings: Sequence[Mapping[str, Any]]) -> str:
    if not findings:
        return "<p>None.</p>"
    rows = []
    for finding in findings:
        place = f"bar {finding['bar']}, beat {finding['beat']:g}"
        cells = (finding["severity"], place, finding["rule"], finding["message"], finding["source"])
        rows.append("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>")
    return "<table>" + "\n".join(rows) + "</table>"
