"""A class: every answer of a folder, or of a table, to one item; who got what, and what went wrong.

The outcome is a table a row a student (CSV, for gradebooks) and a page with the errors that are
common, rule by rule, and the parts of the item that were hard.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from importlib import resources
from pathlib import Path

from musegen.errors import MusegenError, ScoreError
from musegen.exercises.grading.graded import Graded
from musegen.exercises.grading.handed_in import grade_handed_in
from musegen.exercises.grading.rubric import load_rubric
from musegen.exercises.grading.words import term
from musegen.exercises.item import Item, Lang, Text
from theory_kb.rules.records import rules

__all__ = [
    "ClassReport",
    "HandIn",
    "Row",
    "class_csv",
    "class_page",
    "grade_class",
    "hand_ins",
]

COLUMNS = ("student", "status", "points", "most", "percent", "errors", "first", "notes", "sha256")
LARGEST_TABLE = 5_000_000  # bytes
STUDENT = "student"


@dataclass(frozen=True, slots=True)
class HandIn:
    """What one student handed in."""

    student: str
    answers: tuple[str, ...]  # a file's path, or part=answer
    digest: str  # of what it holds, SHA-256


@dataclass(frozen=True, slots=True)
class Row:
    """One student's outcome."""

    student: str
    graded: Graded
    digest: str  # of what was handed in


@dataclass(frozen=True, slots=True)
class ClassReport:
    """All outcomes, in the order of the students' names."""

    item: Item
    rows: tuple[Row, ...]

    @property
    def by_rule(self) -> list[tuple[str, int, int]]:
        """Rules that were broken: how many students did, and how often; the most common first."""
        students: Counter[str] = Counter()
        times: Counter[str] = Counter()
        for row in self.rows:
            broken = [f.rule for f in row.graded.findings if f.severity != "info"]
            times.update(broken)
            students.update(set(broken))
        return sorted(
            ((name, students[name], times[name]) for name in times),
            key=lambda each: (-each[1], -each[2], each[0]),
        )

    @property
    def by_clause(self) -> list[tuple[str, str, float]]:
        """Clauses of the marking with the share of points that the class got, hardest first."""
        got: defaultdict[tuple[str, str], list[Fraction]] = defaultdict(list)
        for row in self.rows:
            for each in row.graded.clauses:
                if each.most > 0:
                    got[each.id, each.place].append(each.got / each.most)
        shares = [(name, place, float(sum(v) / len(v))) for (name, place), v in got.items()]
        return sorted(shares, key=lambda each: (each[2], each[0], each[1]))

    @property
    def mean(self) -> float:
        """Mean share of the points, of those who handed in something that can be read."""
        marked = [row.graded for row in self.rows if row.graded.status in ("graded", "partial")]
        shares = [float(each.points / each.most) for each in marked if each.most]
        return sum(shares) / len(shares) if shares else 0.0


def hand_ins(path: Path, item: Item) -> tuple[HandIn, ...]:
    """What a class handed in: a file each of a folder, or a row each of a table (CSV).

    A table has a column `student` and one for each part of the item.

    Raises:
        ScoreError: nothing is there, or the table has not those columns.
    """
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if each.is_file() and each.name[0] != ".")
        if not files:
            raise ScoreError(str(path), "holds no answer")
        return tuple(HandIn(each.stem, (str(each),), _digest_of(each)) for each in files)
    return tuple(_table(path, item))


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _table(path: Path, item: Item) -> Iterator[HandIn]:
    from musegen.io.limits import text_of

    reader = csv.DictReader(io.StringIO(text_of(path, LARGEST_TABLE)))
    parts = [part.id for part in item.ask]
    columns = list(reader.fieldnames or ())
    if STUDENT not in columns or not set(parts) & set(columns):
        allowed = f"{STUDENT} and {', '.join(parts)}"
        raise ScoreError(path.name, f"must have the columns {allowed}, got {', '.join(columns)}")
    for record in reader:
        answers = tuple(f"{p}={record[p]}" for p in parts if p in columns and record[p])
        digest = hashlib.sha256("\n".join(answers).encode()).hexdigest()
        yield HandIn(record[STUDENT] or "", answers, digest)


def grade_class(
    item: Item,
    handed: Sequence[HandIn],
    rubric: str | None = None,
    told: Callable[[int, int], None] | None = None,
) -> tuple[Row, ...]:
    """Grade one after the other; what cannot be graded is a row that says so.

    Args:
        item: the exercise.
        handed: what the students handed in.
        rubric: instead of the item's own.
        told: hears how many are done, and of how many.

    Raises:
        UnknownNameError: there is no such rubric.
        FactError: the rubric says what no rubric can say.
    """
    if rubric is not None:
        load_rubric(rubric)
    rows = []
    for done, each in enumerate(handed, 1):
        try:
            graded = grade_handed_in(item, each.answers, rubric).graded
        except MusegenError as error:
            said = Text(str(error), f"无法评分：{error}")
            graded = Graded("refused", Fraction(0), Fraction(item.points), notes=(said,))
        rows.append(Row(each.student, graded, each.digest))
        if told is not None:
            told(done, len(handed))
    return tuple(rows)


# --- how it is told -------------------------------------------------------------------------


def class_csv(report: ClassReport, lang: Lang) -> str:
    """A row a student."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in report.rows:
        writer.writerow(_cells(row, lang))
    return target.getvalue()


def _cells(row: Row, lang: Lang) -> tuple[str, ...]:
    graded = row.graded
    errors = [each for each in graded.findings if each.severity != "info"]
    percent = 100 * float(graded.points / graded.most) if graded.most else 0.0
    return (
        _plain(row.student),
        graded.status,
        f"{float(graded.points):g}",
        f"{float(graded.most):g}",
        f"{percent:.1f}",
        str(len(errors)),
        errors[0].said.to(lang) if errors else "",
        "; ".join(_plain(note.to(lang)) for note in graded.notes),
        row.digest,
    )


def _plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


HEADS: Mapping[str, Text] = {
    "students": Text("Students", "学生"),
    "errors": Text("Common errors", "常见错误"),
    "hard": Text("Hardest first", "由难到易"),
    "mean": Text("mean of those who handed in", "已交者平均"),
}


def class_page(report: ClassReport, lang: Lang) -> str:
    """The report as one HTML page."""
    style = (resources.files("musegen.io") / "page.css").read_text(encoding="utf-8")
    head = {name: escape(text.to(lang)) for name, text in HEADS.items()}
    errors = [(_name(rule, lang), str(n), str(times)) for rule, n, times in report.by_rule]
    clauses = [(name, where, f"{share:.0%}") for name, where, share in report.by_clause]
    body = "\n".join(
        (
            f"<h1>{escape(report.item.name)}</h1>",
            f"<p>{len(report.rows)} {head['students']}, {head['mean']}: {report.mean:.0%}</p>",
            f"<h2>{head['errors']}</h2>",
            _rows(("rule", "students", "times"), errors),
            f"<h2>{head['hard']}</h2>",
            _rows(("clause", "place", "share"), clauses),
            f"<h2>{head['students']}</h2>",
            _rows(COLUMNS[:-1], [_cells(row, lang)[:-1] for row in report.rows]),
        )
    )
    return (
        f'<!doctype html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(report.item.name)}</title>\n<style>\n{style}</style>\n</head>\n"
        f'<body class="check">\n{body}\n</body>\n</html>\n'
    )


def _name(rule: str, lang: Lang) -> str:
    return term(rule).to(lang) if rule in rules() else rule


def _rows(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    first = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    others = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    lines = "\n".join(f"<tr>{row}</tr>" for row in (first, *others))
    return f'<div class="wide"><table>{lines}</table></div>'
