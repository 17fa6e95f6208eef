"""Papers and items as banks of questions in the formats of learning systems."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from musegen.errors import MusegenError, OptionError, ScoreError
from musegen.exercises.item import Item, Lang
from musegen.exercises.questions import question_of
from musegen.exercises.records import RecordError, read_json, read_record
from musegen.io.limits import text_of
from musegen.io.quizzes.formats import Format, format_of, unfit
from musegen.io.quizzes.question import Question, Quiz, QuizError, check_quiz
from musegen.io.quizzes.schemas import schema_faults

__all__ = ["Bank", "Exported", "export_bank", "read_bank"]

LIST = "items.json"  # of a paper: its title and the names of its items
LARGEST = 5_000_000  # bytes of a record
LARGEST_LIST = 50_000_000  # bytes of a list of records


@dataclass(frozen=True, slots=True)
class Bank:
    """Items to export together."""

    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Exported:
    """A file, and what is not in it."""

    data: bytes
    count: int  # questions
    left_out: tuple[tuple[str, str], ...]  # names of questions and why they do not fit


@dataclass(frozen=True, slots=True)
class _Listed:
    """What this module needs of the list of a paper."""

    title: str
    items: tuple[str, ...]


def read_bank(paths: Sequence[Path]) -> Bank:
    """The items of papers and records in their order; the title is that of the first paper.

    Args:
        paths: folders that `musegen exercise make` wrote, records of items (`.json`), or what it
            prints without a folder, a record a line (`.jsonl`).

    Raises:
        ScoreError: a path that cannot be read, or a folder that is no paper.
        RecordError: a record that is none.
    """
    titles: list[str] = []
    items: list[Item] = []
    for path in paths:
        if path.is_dir():
            listed = _listed(path)
            titles.append(listed.title)
            items += (_record(path / f"{name}.item.json") for name in listed.items)
        elif path.suffix == ".jsonl":
            items += _lines(path)
        else:
            items.append(_record(path))
    return Bank(titles[0] if titles else "", tuple(items))


def _listed(folder: Path) -> _Listed:
    path = folder / LIST
    if not path.is_file():
        raise ScoreError(str(folder), f"is no paper: it has no {LIST}; make it with --format json")
    table = read_json(text_of(path, LARGEST_LIST), str(path))
    if not isinstance(table, dict):
        raise RecordError(str(path), "must be an object with title and items")
    wanted = {name: table[name] for name in ("title", "items") if name in table}
    listed = read_record(_Listed, wanted, str(path))
    for name in listed.items:
        if Path(name).name != name:
            raise RecordError(str(path), f"{name!r} is no name of an item")
    return listed


def _lines(path: Path) -> Iterator[Item]:
    for number, line in enumerate(text_of(path, LARGEST_LIST).splitlines(), start=1):
        if line.strip():
            yield _checked(Item.from_json(line, f"{path}, line {number}"), f"{path}, line {number}")


def _record(path: Path) -> Item:
    return _checked(Item.from_json(text_of(path, LARGEST), str(path)), str(path))


def _checked(item: Item, where: str) -> Item:
    """An item that gives points, each of whose parts has a key."""
    if not item.ask or item.points < 1 or any(part.points < 0 for part in item.ask):
        raise RecordError(f"{where}.ask", f"must give a point at least, gives {item.points}")
    for part in item.ask:
        accepted = item.solutions.accepted.get(part.id, ())
        if not accepted or not all(each.strip() for each in accepted):
            raise RecordError(f"{where}.solutions.accepted", f"{part.id!r} has no answer")
    return item


def export_bank(
    bank: Bank,
    format_name: str,
    *,
    title: str = "",
    lang: Lang | None = None,
    skip_unfit: bool = False,
    schemas: Path | None = None,
    told: Callable[[int, int], None] | None = None,
) -> Exported:
    """A bank in a format; the same items give the same bytes.

    Args:
        bank: the items.
        format_name: a key of `musegen.io.quizzes.formats.FORMATS`.
        title: of the bank, instead of its own.
        lang: instead of each item's own.
        skip_unfit: leave out what the format cannot hold.
        schemas: a folder with the schemas of the format, against which the file is checked.
        told: hears how many items are done, and of how many.

    Raises:
        UnknownNameError: there is no such format.
        OptionError: the format can hold none of the items, or has no schemas.
        QuizError: the format cannot hold a question, and it is not to be left out; two items
            of one name; a character that no text has; the file breaks its schema; a record whose
            kind, music or answers cannot be read.
    """
    form = format_of(format_name)
    if schemas is not None and not form.schemas:
        raise OptionError("--schemas", str(schemas), f"left out: {form.id} has no schema")
    questions: list[Question] = []
    left_out: list[tuple[str, str]] = []
    for number, item in enumerate(bank.items, start=1):
        question = _question(item if lang is None else replace(item, lang=lang))
        why = unfit(form, question)
        if why:
            left_out.append((question.name, why))
        else:
            questions.append(question)
        if told is not None:
            told(number, len(bank.items))
    _refuse_unfit(left_out, form, len(bank.items), skip_unfit=skip_unfit)
    name = title or bank.title or "Exercises"
    quiz = Quiz(name, questions[0].lang, tuple(questions))
    check_quiz(quiz)
    data = form.write(quiz)
    if schemas is not None:
        _check_schema(data, form, schemas)
    return Exported(data, len(questions), tuple(left_out))


def _question(item: Item) -> Question:
    """An item as a question; what is wrong with its record is refused with its name."""
    try:
        return question_of(item)
    except KeyError as error:  # of the facts, which graders and readers look up
        raise QuizError(item.name, f"its record lacks the fact {error}") from error
    except MusegenError as error:
        raise QuizError(item.name, str(error)) from error


def _check_schema(data: bytes, form: Format, folder: Path) -> None:
    faults = schema_faults(data, folder)
    if faults:
        raise QuizError(form.id, f"breaks its schema: {faults[0]} ({len(faults)} faults)")


def _refuse_unfit(
    left_out: Sequence[tuple[str, str]], form: Format, count: int, *, skip_unfit: bool
) -> None:
    if not count:
        raise OptionError("export", "no items", "a paper or a record")
    if left_out and not skip_unfit:
        name, why = left_out[0]
        others = f"{len(left_out)} of {count} do not fit; --skip-unfit leaves them out"
        raise QuizError(name, f"{why} ({others})")
    if len(left_out) == count:
        name, why = left_out[0]
        raise OptionError("--format", form.id, f"one that holds these items; {name}: {why}")
