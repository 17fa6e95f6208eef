"""Findings as SARIF 2.1.0, which programs that show the results of checks can read.

SARIF speaks of lines of source files; a score has bars, so a finding is placed by its file and by
a logical location such as `bar 3/beat 2/Soprano`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from string import ascii_letters, digits
from typing import Any

from musegen.report import CheckReport, PlacedFinding, SkippedRule, Unreadable
from theory_kb.rules.records import Rule, rules

__all__ = ["SCHEMA", "sarif"]

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
UNRESERVED = frozenset(f"{ascii_letters}{digits}-._~/".encode())  # RFC 3986, and the path's slash
LEVELS = {"E": "error", "W": "warning", "I": "note"}


def sarif(outcomes: Sequence[CheckReport | Unreadable], version: str) -> dict[str, Any]:
    """A SARIF log of one run over some files.

    Args:
        outcomes: what came of the files.
        version: of musegen.
    """
    reports = [each for each in outcomes if isinstance(each, CheckReport)]
    unreadable = [each for each in outcomes if isinstance(each, Unreadable)]
    used = sorted({name for each in reports for name in each.by_rule})
    index = {name: place for place, name in enumerate(used)}
    results = [
        _result(each, finding, index[finding.rule]) for each in reports for finding in each.findings
    ]
    run = {
        "tool": {
            "driver": {
                "name": "musegen",
                "version": version,
                "rules": [_rule(rules()[name]) for name in used],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not unreadable,
                "toolExecutionNotifications": [*_failures(unreadable), *_skips(reports)],
            }
        ],
        "artifacts": [{"location": {"uri": uri}} for uri in _uris(outcomes)],
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _uris(outcomes: Iterable[CheckReport | Unreadable]) -> list[str]:
    return list(dict.fromkeys(_uri(each.file) for each in outcomes))


def _uri(file: str) -> str:
    """A path as a URI: relative where the path is."""
    path = Path(file)
    if path.is_absolute():
        return path.as_uri()
    return "".join(
        chr(byte) if byte in UNRESERVED else f"%{byte:02X}" for byte in path.as_posix().encode()
    )


def _rule(rule: Rule) -> dict[str, Any]:
    sources = ", ".join(rule.cites)
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": rule.name},
        "fullDescription": {"text": f"{rule.why[0].upper()}{rule.why[1:]}. Sources: {sources}."},
        "help": {"text": f"To mend it: {'; or '.join(rule.repair)}."},
    }


def _result(report: CheckReport, finding: PlacedFinding, index: int) -> dict[str, Any]:
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": LEVELS[finding.severity],
        "message": {"text": f"{finding.message} To mend it: {finding.repair}."},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": _uri(report.file)}},
                "logicalLocations": [
                    {"name": voice, "fullyQualifiedName": f"{_where(finding)}/{voice}"}
                    for voice in finding.voices
                ]
                or [{"fullyQualifiedName": _where(finding)}],
            }
        ],
        "properties": {"piece": report.name, **finding.as_json()},
    }


def _where(finding: PlacedFinding) -> str:
    return str(finding.place).replace(", ", "/")


def _failures(unreadable: Sequence[Unreadable]) -> list[dict[str, Any]]:
    return [
        {
            "level": "error",
            "message": {"text": each.problem},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(each.file)}}}],
        }
        for each in unreadable
    ]


def _skips(reports: Sequence[CheckReport]) -> list[dict[str, Any]]:
    """What was not judged, once for each rule and reason."""
    found: dict[SkippedRule, list[str]] = {}
    for report in reports:
        for each in report.skipped:
            found.setdefault(each, []).append(_uri(report.file))
    return [
        {
            "level": "none",
            "message": {"text": f"{each.rule} was not judged: {each.reason}."},
            "locations": [
                {"physicalLocation": {"artifactLocation": {"uri": uri}}}
                for uri in dict.fromkeys(files)
            ],
        }
        for each, files in found.items()
    ]
