"""What a student hands in, as texts by part: typed on the command line, or in a file.

A file may be plain text (`part: answer` a line, or the answer alone), JSON (an object of texts by
part), or a score, whose notes then answer a part that asks for notes, rhythm or places.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from musegen.errors import OptionError, ScoreError
from musegen.exercises.clefs import place_text
from musegen.exercises.item import Answer, Ask, Item
from musegen.exercises.metres import rhythm_of
from musegen.exercises.records import RecordError, read_json
from musegen.io.limits import text_of
from musegen.score import Score

__all__ = ["read_answers", "read_hand_in"]

LARGEST = 5_000_000  # bytes of a file
SCORES = (".musicxml", ".xml", ".mxl", ".mid", ".midi", ".krn", ".abc")


def read_hand_in(item: Item, answers: tuple[str, ...]) -> Answer:
    """An answer from what was given on the command line.

    Args:
        item: the exercise.
        answers: the path of a file, or texts: `part=answer`, or the answer alone.

    Raises:
        OptionError: a text without its part where there are several.
        ScoreError: a file that cannot be read.
    """
    if len(answers) == 1 and _is_file(answers[0]):
        return read_answers(item, Path(answers[0]))
    found: dict[str, str] = {}
    for text in answers:
        name, mark, answer = text.partition("=")
        if mark and name in (part.id for part in item.ask):
            found[name] = answer
        else:
            found[_only(item, text).id] = text
    return found


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def _only(item: Item, text: str) -> Ask:
    if len(item.ask) == 1:
        return item.ask[0]
    names = ", ".join(f"{part.id}=..." for part in item.ask)
    raise OptionError("answer", text, f"given by part: {names}")


def read_answers(item: Item, path: Path) -> Answer:
    """An answer from a file; raises ScoreError."""
    suffix = path.suffix.lower()
    if suffix == ".json":
        return _json(item, text_of(path, LARGEST), path.name)
    if suffix in SCORES:
        return _score(item, path)
    return _lines(item, text_of(path, LARGEST))


def _json(item: Item, text: str, name: str) -> Answer:
    try:
        table = read_json(text, name)
    except RecordError as error:
        raise ScoreError(name, error.problem) from None
    if isinstance(table, str):
        return {_only(item, table).id: table}
    if not isinstance(table, dict) or not all(isinstance(each, str) for each in table.values()):
        raise ScoreError(name, 'must hold an object of texts by part, such as {"answer": "m3"}')
    return {str(part): answer for part, answer in table.items()}


def _lines(item: Item, text: str) -> Answer:
    names = [part.id for part in item.ask]
    rows = [line.partition(":") for line in text.splitlines() if line.strip()]
    if rows and all(mark and name.strip() in names for name, mark, _ in rows):
        return {name.strip(): answer.strip() for name, _, answer in rows}
    return {_only(item, text).id: text.strip()}


# --- scores ---------------------------------------------------------------------------------


def _score(item: Item, path: Path) -> Answer:
    from musegen.io.reading import read_piece

    score = read_piece(path)
    asked = [part for part in item.ask if part.reader in FROM_NOTES]
    if not asked:
        raise ScoreError(path.name, f"is a score, but {item.name} asks for words")
    return {part.id: FROM_NOTES[part.reader](item, score) for part in asked}


def _pitches(_: Item, score: Score) -> str:
    return " ".join(note.pitch.name for part in score.parts for note in part.notes)


def _classes(_: Item, score: Score) -> str:
    return " ".join(note.pitch.pitch_class.name for part in score.parts for note in part.notes)


def _places(item: Item, score: Score) -> str:
    clef = item.facts["clef"]
    notes = (note.pitch for part in score.parts for note in part.notes)
    return " ".join(place_text(pitch, clef) for pitch in notes)


def _rhythm(_: Item, score: Score) -> str:
    return rhythm_of(score)


def _sheet(_: Item, score: Score) -> str:
    from musegen.io.musicxml import write_musicxml

    return write_musicxml(score).decode()


FROM_NOTES: Mapping[str, Callable[[Item, Score], str]] = {
    "pitch": _pitches,
    "pitches": _pitches,
    "pitch-class": _classes,
    "pitch-classes": _classes,
    "pitch-set": _classes,
    "places": _places,
    "rhythm": _rhythm,
    "score": _sheet,
}
