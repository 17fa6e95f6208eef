"""The writers of findings: text, SARIF, coloured MusicXML, the page."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from musegen import check_file
from musegen.io.findings_html import render_page
from musegen.io.findings_musicxml import COLOURS, annotated_musicxml, colours
from musegen.io.findings_sarif import sarif
from musegen.io.findings_text import report_lines
from musegen.io.musicxml import read_musicxml
from musegen.io.xml_tree import parse_xml
from musegen.report import CheckReport, Unreadable

FIFTHS = "**kern\t**kern\n*M4/4\t*M4/4\n4F\t4cc\n4G\t4dd\n4A\t4ff\n4G\t4gg\n*-\t*-\n"
TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
URI = {"type": "string", "pattern": r"^[A-Za-z0-9._~/%:-]+$"}
ARTIFACT = {"type": "object", "required": ["uri"], "properties": {"uri": URI}}
LOCATION = {
    "type": "object",
    "properties": {
        "physicalLocation": {
            "required": ["artifactLocation"],
            "properties": {"artifactLocation": ARTIFACT},
        },
        "logicalLocations": {"type": "array", "uniqueItems": True},
    },
    "additionalProperties": False,
}
LOCATIONS = {"type": "array", "items": LOCATION}
RULE = {
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string", "pattern": "^[A-Za-z0-9]+$"},
        "shortDescription": TEXT,
        "fullDescription": TEXT,
        "help": TEXT,
    },
    "additionalProperties": False,
}
RESULT = {
    "required": ["message"],
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": TEXT,
        "locations": LOCATIONS,
        "properties": {"type": "object"},
    },
    "additionalProperties": False,
}
NOTIFICATION = {
    "required": ["message"],
    "properties": {
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": TEXT,
        "locations": LOCATIONS,
    },
    "additionalProperties": False,
}
SHAPE = {  # what SARIF 2.1.0 asks of the objects that are used here
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "required": ["tool"],
                "properties": {
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name"],
                                "properties": {
                                    "name": {"type": "string"},
                                    "version": {"type": "string"},
                                    "rules": {"type": "array", "items": RULE, "uniqueItems": True},
                                },
                                "additionalProperties": False,
                            }
                        },
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "invocations": {
                        "items": {
                            "required": ["executionSuccessful"],
                            "properties": {
                                "executionSuccessful": {"type": "boolean"},
                                "toolExecutionNotifications": {"items": NOTIFICATION},
                            },
                            "additionalProperties": False,
                        }
                    },
                    "artifacts": {
                        "items": {"properties": {"location": ARTIFACT}},
                        "uniqueItems": True,
                    },
                    "results": {"items": RESULT},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}


def schemas() -> list[Any]:
    """The shape above, and the published schema where MUSEGEN_SARIF_SCHEMA names its file."""
    path = os.environ.get("MUSEGEN_SARIF_SCHEMA")
    return [SHAPE, *([json.loads(Path(path).read_text(encoding="utf-8"))] if path else [])]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> CheckReport:
    """A piece with faults, under a name that no URI has as it stands."""
    path = tmp_path_factory.mktemp("scores") / "my päper #1.krn"
    path.write_text(f"!!!OTL: <b>Fifths</b> & more\n{FIFTHS}", encoding="utf-8")
    return check_file(path, style="strict")


def test_text_names_place_rule_message_repair_source_and_what_was_skipped(
    report: CheckReport,
) -> None:
    """One block a finding, then the counts, then the rules that were not judged by reason."""
    text = "\n".join(report_lines(report))
    assert re.search(r"\d+ E bar 1, beat 2, Part 1 and Part 2: parallel-fifth", text)
    assert "to mend it: contrary motion in either voice" in text
    assert "[KP 5" in text
    assert f"  {report.counts}; {report.judged} rules judged, {len(report.skipped)} skipped" in text
    assert "skipped, the harmony is not known: " in text
    assert max(len(line) for line in text.splitlines()[3:] if "skipped," not in line) <= 100


def test_sarif_has_the_shape_of_its_standard(report: CheckReport) -> None:
    """Rules, results by index, places as URIs and logical locations, failures as notifications."""
    log = sarif([report, Unreadable("bad file.krn", "bad file.krn: is no text")], "1.0")
    for schema in schemas():
        kind = jsonschema.validators.validator_for(schema)
        kind(schema, format_checker=jsonschema.FormatChecker()).validate(log)
    (run,) = log["runs"]
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(ids[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    assert len(run["results"]) == len(report.findings)
    assert not run["invocations"][0]["executionSuccessful"]
    assert run["artifacts"][0]["location"]["uri"].endswith("/my%20p%C3%A4per%20%231.krn")
    assert run["artifacts"][1]["location"]["uri"] == "bad%20file.krn"
    assert json.loads(json.dumps(log)) == log


def test_gravest_finding_of_a_note_gives_its_colour(report: CheckReport) -> None:
    """A note of an error is red, whatever else is said of it."""
    marked = colours(report)
    for finding in report.findings:
        for note in finding.notes:
            assert "EWI".index(marked[note]) <= "EWI".index(finding.severity)


def test_annotated_score_is_coloured_and_reads_as_before(
    report: CheckReport, tmp_path: Path
) -> None:
    """Notes of findings have colours, each finding its direction and footnote; notes are the same."""
    data = annotated_musicxml(report)
    root = parse_xml(data, "x")
    coloured = {
        note.get("id", "").partition("-")[0]: note.get("color")
        for note in root.iter("note")
        if note.get("color")
    }
    assert coloured == {name: COLOURS[mark] for name, mark in colours(report).items()}
    words = [each.text for each in root.iter("words")]
    with_notes = [finding for finding in report.findings if finding.notes]
    assert len(words) == len(with_notes)
    footnotes = "".join(each.text or "" for each in root.iter("footnote"))
    assert all(finding.message in footnotes for finding in with_notes)
    path = tmp_path / "annotated.musicxml"
    path.write_bytes(data)
    assert read_musicxml(path).parts == report.score.parts


def test_page_shows_coloured_score_and_every_finding_and_escapes_all_texts(
    report: CheckReport,
) -> None:
    """The page needs no network; a title with markup is shown, not obeyed."""
    page = render_page(report)
    assert "&lt;b&gt;Fifths&lt;/b&gt; &amp; more" in page
    assert "<b>" not in page
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", page)
    for finding in report.findings:
        assert f'id="finding-{finding.number}"' in page
    for note, mark in colours(report).items():
        assert re.search(rf'id="{note}" class="note found-{mark}"', page)
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert len(json.loads(data[1])) == len(report.findings)
    assert "<!-- " not in page
