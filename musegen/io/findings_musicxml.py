"""A checked score as MusicXML: its notes coloured by what was found, each finding in words above.

The file is the score as musegen writes it, so that it can be read again like any other; the words
are directions, which reading passes over: the number of the finding, with the name of the rule
where it is more than a remark, and in a footnote all that the finding says.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping

from musegen.io.musicxml import DOCTYPE, write_musicxml
from musegen.io.xml_tree import parse_xml
from musegen.io.xml_writing import UNWRITABLE
from musegen.report import CheckReport, PlacedFinding
from theory_kb.rules.records import rules

__all__ = ["COLOURS", "annotated_musicxml", "colours"]

COLOURS = {"E": "#C0281A", "W": "#B36B00", "I": "#1553A8"}


def colours(report: CheckReport) -> Mapping[str, str]:
    """The gravest severity of each note that a finding speaks of, by the note's id."""
    found: dict[str, str] = {}
    for severity in COLOURS:
        for finding in report.findings:
            if finding.severity == severity:
                for note in finding.notes:
                    found.setdefault(note, severity)
    return found


def annotated_musicxml(report: CheckReport) -> bytes:
    """The score with coloured notes and a direction for each finding.

    Raises:
        ScoreError: a duration is finer than notation can write.
    """
    root = parse_xml(write_musicxml(report.score), "MusicXML")
    marked = colours(report)
    pending: dict[str, list[PlacedFinding]] = {}
    for finding in report.findings:
        if finding.notes:
            pending.setdefault(finding.notes[-1], []).append(finding)
    for measure in root.iter("measure"):
        for note in list(measure.iterfind("note[@id]")):
            name = note.get("id", "").partition("-")[0]
            if name in marked:
                note.set("color", COLOURS[marked[name]])
            for finding in pending.pop(name, ()):
                measure.insert(list(measure).index(note), _direction(finding, note))
    ET.indent(root, " ")
    return (DOCTYPE + ET.tostring(root, encoding="unicode") + "\n").encode()


def _direction(finding: PlacedFinding, note: ET.Element) -> ET.Element:
    """The number and name of what was found, the whole of it as a footnote."""
    direction = ET.Element("direction", placement="above")
    kind = ET.SubElement(direction, "direction-type")
    words = ET.SubElement(kind, "words", {"color": COLOURS[finding.severity], "font-size": "7"})
    named = "" if finding.severity == "I" else f" {rules()[finding.rule].name}"
    words.text = f"({finding.number}){named}"
    footnote = ET.SubElement(direction, "footnote")
    footnote.text = UNWRITABLE.sub("", " ".join(_sentences(finding)))
    for tag in ("voice", "staff"):
        text = note.findtext(tag)
        if text is not None:
            ET.SubElement(direction, tag).text = text
    return direction


def _sentences(finding: PlacedFinding) -> Iterator[str]:
    yield f"{finding.place}: {finding.message}"
    yield f"To mend it: {finding.repair}."
    if finding.source:
        yield f"[{finding.source}]"
