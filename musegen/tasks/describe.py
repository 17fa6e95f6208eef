"""Describing files: a table with a row for each piece, kept as it grows, written whole at the end.

What is finished stands in a file beside the table until the table is written: a run that was broken
off goes on where it stopped. A file that cannot be read is a row in a list of problems.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from musegen.analysis.analyse import analyse
from musegen.descriptors.table import FACTS, columns, describe
from musegen.errors import MusegenError, OutputError, ScoreError
from musegen.io.files import check_file_target, write_file
from musegen.io.pieces import Reading
from musegen.io.reading import read_pieces
from musegen.io.tables import check_format, csv_table, table_bytes
from musegen.tasks.pool import in_order
from musegen.threads import one_thread

__all__ = [
    "TEXTS",
    "Row",
    "TableReport",
    "check_table",
    "describe_files",
    "kept_rows",
    "problems_of",
]

ABOUT = ("file", "piece", "title", "key")  # columns before those of the descriptors
TEXTS = (*ABOUT, FACTS)  # columns of text; all others hold numbers
PROBLEM = ("file", "piece", "problem")


@dataclass(frozen=True, slots=True)
class Row:
    """What came of a piece of a file."""

    file: str
    piece: str
    cells: Mapping[str, float | str]  # by column; empty if there is a problem
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TableReport:
    """What came of a table."""

    rows: int
    problems: tuple[Row, ...]
    kept: int  # files that an earlier run had finished


def kept_rows(table: Path) -> Path:
    """The file that keeps what is finished until the table is written."""
    return table.with_name(f"{table.name}.rows")


def problems_of(table: Path) -> Path:
    """The list of what could not be described, beside the table."""
    return table.with_name(f"{table.stem}.problems.csv")


def check_table(table: Path, *, force: bool) -> None:
    """Refuse a table early that could not be written.

    Raises:
        OptionError: its name does not end as a table's does, or the library of that format is missing.
        OutputError: it is there already, or could not be written.
    """
    check_format(table, "--table")
    for path in (table, problems_of(table)):
        check_file_target(path, force=force)


def describe_files(
    paths: Sequence[Path],
    table: Path,
    *,
    jobs: int = 1,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> TableReport:
    """Describe every piece of every file, and write a table.

    Args:
        paths: files.
        table: CSV or Parquet to write, as its name ends; beside it stand what could not be described, if anything, and while
            the work goes on what is finished.
        jobs: processes at work at a time.
        force: replace what is there.
        progress: takes the number of files that are finished, and of all.

    Raises:
        OptionError: fewer jobs than one, another format, or one whose library is missing.
        OutputError: a file is there already, or cannot be written.
    """
    check_table(table, force=force)
    store = kept_rows(table)
    known = _kept(store)
    marks = {path: _mark(path) for path in paths}
    missing = [path for path in paths if marks[path] not in known]
    found = {mark: known[mark] for mark in marks.values() if mark in known}
    kept = len(found)
    _start(store, found)
    for path, rows in zip(missing, in_order(_described, missing, jobs=jobs), strict=True):
        found[marks[path]] = rows
        _append(store, marks[path], rows)
        if progress is not None:
            progress(len(found), len(marks))
    rows = [row for path in paths for row in found[marks[path]]]
    problems = tuple(row for row in rows if row.problem)
    good = [row for row in rows if not row.problem]
    _write(table, good, problems)
    store.unlink(missing_ok=True)
    return TableReport(len(good), problems, kept)


# --- one file -------------------------------------------------------------------------------


def _described(path: Path) -> list[Row]:
    """The rows of the pieces of a file."""
    try:
        readings = read_pieces(path)
    except ScoreError as error:
        return [Row(str(path), path.name, {}, str(error))]
    return [_row(path, reading) for reading in readings]


def _row(path: Path, reading: Reading | ScoreError) -> Row:
    if isinstance(reading, ScoreError):
        return Row(str(path), path.name, {}, str(reading))
    try:
        with one_thread():
            analysis = analyse(reading.score, readings=1)
            told = describe(reading.score, analysis=analysis, tempo_known=reading.tempo)
    except MusegenError as error:
        return Row(str(path), reading.name, {}, f"{path}: {error}")
    about = {"title": reading.score.title, "key": analysis.home.name}
    return Row(str(path), reading.name, {**about, **told.row})


# --- what is kept ---------------------------------------------------------------------------


def _mark(path: Path) -> str:
    """A name for a file with what it holds: one that has changed is described anew."""
    try:
        content = path.read_bytes()
    except OSError:
        content = b""
    return f"{path} {sha256(content).hexdigest()}"


def _kept(store: Path) -> dict[str, list[Row]]:
    """Rows of an earlier run by mark; none if its columns were others."""
    try:
        lines = store.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    records = list(_whole(lines))
    if not records or records[0] != {"columns": list(columns())}:
        return {}
    return {each["mark"]: [Row(**row) for row in each["rows"]] for each in records[1:]}


def _whole(lines: Sequence[str]) -> Iterator[Any]:
    """The records of lines up to one that was broken off."""
    for line in lines:
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            return


def _start(store: Path, found: Mapping[str, Sequence[Row]]) -> None:
    """Write what is kept with its columns before it."""
    lines = [json.dumps({"columns": list(columns())})]
    lines += [_line(mark, rows) for mark, rows in found.items()]
    write_file(store, "".join(f"{line}\n" for line in lines).encode())


def _line(mark: str, rows: Sequence[Row]) -> str:
    return json.dumps({"mark": mark, "rows": [asdict(row) for row in rows]}, ensure_ascii=False)


def _append(store: Path, mark: str, rows: Sequence[Row]) -> None:
    try:
        with store.open("a", encoding="utf-8") as file:
            file.write(_line(mark, rows) + "\n")
    except OSError as error:
        raise OutputError(store, f"cannot be written: {error.strerror or error}") from error


# --- the table ------------------------------------------------------------------------------


def _write(table: Path, rows: Sequence[Row], problems: Sequence[Row]) -> None:
    told = [{"file": row.file, "piece": row.piece, **row.cells} for row in rows]
    kinds = {name: str if name in TEXTS else float for name in (*ABOUT, *columns())}
    write_file(table, table_bytes(table, kinds, told))
    if problems:
        lines = [{name: getattr(row, name) for name in PROBLEM} for row in problems]
        write_file(problems_of(table), csv_table(dict.fromkeys(PROBLEM, str), lines))
    else:
        problems_of(table).unlink(missing_ok=True)
