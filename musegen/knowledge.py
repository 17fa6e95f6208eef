"""Questions about pieces as they come from files: reads what the knowledge base is asked about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from musegen.errors import OptionError
from theory_kb.questions import ask, question

if TYPE_CHECKING:
    import theory_kb.answers
    import theory_kb.rules.piece
    from musegen.score import Score

__all__ = ["ask_with_files", "read_subject"]

MOST_BYTES = 64 * 1024 * 1024  # of an explanation record
MIDI = (".mid", ".midi")


def ask_with_files(name: str, given: Mapping[str, str | None]) -> theory_kb.answers.Answer:
    """Ask a question whose pieces and records are paths, or lines of example text.

    Raises:
        MusegenError: an argument that cannot be read, or names nothing.
    """
    kinds = {argument.name: argument.kind for argument in question(name).arguments}
    read = {"piece": read_subject, "record": _record}
    values = {
        each: read[kinds[each]](value) if value is not None and kinds[each] in read else value
        for each, value in given.items()
    }
    return ask(name, values)


def read_subject(text: str) -> theory_kb.rules.piece.Piece:
    """A piece from a score file, its harmony labelled if it has none, or from an example line.

    Raises:
        MusegenError: no such file, or a line that cannot be read.
    """
    if "|" in text and ":" in text and not Path(text).exists():
        from theory_kb.rules.examples import read_piece

        return read_piece(text)
    from musegen.slices import piece

    return piece(_labelled(_score(Path(text))))


def _score(path: Path) -> Score:
    if not path.is_file():
        allowed = "the path of a score, or an example line 'key: ... | chords: ... | S: ...'"
        raise OptionError("piece", str(path), allowed)
    if path.suffix.lower() in MIDI:
        from musegen.io.midi import read_midi

        return read_midi(path)
    from musegen.io.musicxml_reading import read_musicxml

    return read_musicxml(path)


def _labelled(score: Score) -> Score:
    if score.chords:
        return score
    from musegen.analysis.harmony import label_chords

    return replace(score, chords=label_chords(score))


def _record(text: str) -> dict[str, Any]:
    path = Path(text)
    if not path.is_file() or path.stat().st_size > MOST_BYTES:
        raise OptionError("record", text, "the path of an explanation.json of at most 64 MiB")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise OptionError("record", text, f"JSON ({error})") from error
    if not isinstance(found, dict):
        raise OptionError("record", text, "an explanation record")
    return found
