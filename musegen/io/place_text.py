"""A place of a score in words."""

from __future__ import annotations

from collections.abc import Iterator

from musegen.io.findings_text import finding_lines
from musegen.report import Explanation

__all__ = ["place_lines"]


def place_lines(explanation: Explanation) -> Iterator[str]:
    """What sounds, what it is, and what the rules say."""
    yield f"{explanation.place}"
    for note in explanation.notes:
        yield f"  {note.voice}: {_note(note.pitch, note.interval, note.role, held=not note.struck)}"
    if explanation.chord:
        yield f"  chord: {explanation.chord} in {explanation.key}"
    elif explanation.key:
        yield f"  key: {explanation.key}; the chord is not known"
    else:
        yield "  neither key nor chord is known"
    yield "What the rules say:" if explanation.findings else "What the rules say: nothing."
    for finding in explanation.findings:
        yield from finding_lines(finding)
    for each in explanation.excused:
        yield f"  {each.rule} is excused ({each.by}): {each.message}"
    for rule, message in explanation.licences:
        yield f"  licence {rule}: {message}"
    if explanation.kept:
        count = len(explanation.kept)
        yield f"  {count} other rules were judged and say nothing here; --json names them"


def _note(pitch: str, interval: str, role: str, *, held: bool) -> str:
    if not pitch:
        return "rests"
    words = [pitch + (" (held)" if held else "")]
    words += [f"{interval} above the lowest note"] if interval else []
    words += [role] if role else []
    return ", ".join(words)
