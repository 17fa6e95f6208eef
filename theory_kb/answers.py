"""Answers to questions: a sentence, values, the statements they follow from, and sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from theory_kb.errors import MusegenError
from theory_kb.statements import Edge, edge_text

__all__ = ["Answer", "QuestionError", "Value", "answer", "as_json", "render"]

Value = str | int | float | bool | tuple[str, ...] | tuple[int, ...]
MOST_EVIDENCE = 12  # statements that are printed


class QuestionError(MusegenError):
    """A question that cannot be asked so; says what is allowed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the knowledge base says to one question."""

    question: str  # name of the question
    text: str
    values: tuple[Mapping[str, Value], ...]  # rows of one shape
    evidence: tuple[Edge, ...]  # statements that it follows from
    sources: tuple[str, ...]


def answer(
    question: str,
    text: str,
    values: Iterable[Mapping[str, Value]] = (),
    evidence: Iterable[Edge] = (),
    sources: Iterable[str] = (),
) -> Answer:
    """An answer whose sources are those named and those of its evidence, each once."""
    path = tuple(evidence)
    named = (*sources, *(edge.source for edge in path))
    return Answer(question, text, tuple(values), path, tuple(dict.fromkeys(named)))


def as_json(found: Answer) -> dict[str, Any]:
    """An answer as values that JSON knows."""
    return {
        "question": found.question,
        "text": found.text,
        "values": [dict(row) for row in found.values],
        "evidence": [edge_text(edge) for edge in found.evidence],
        "sources": list(found.sources),
    }


def render(found: Answer) -> str:
    """An answer as lines of text: sentence, table, evidence, sources."""
    lines = [found.text, *_table(found.values)]
    shown = found.evidence[:MOST_EVIDENCE]
    if shown:
        lines += ["", "evidence:", *(f"  {edge_text(edge)}" for edge in shown)]
        left = len(found.evidence) - len(shown)
        lines += [f"  and {left} more (--json shows all)"] if left else []
    lines += ["", f"sources: {', '.join(found.sources) or 'the definitions alone'}"]
    return "\n".join(lines)


def _table(rows: Sequence[Mapping[str, Value]]) -> list[str]:
    if not rows:
        return []
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *([_cell(row.get(name, "")) for name in names] for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(names))]
    return ["", *("  " + _line(line, widths) for line in cells)]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


def _cell(value: Value) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
