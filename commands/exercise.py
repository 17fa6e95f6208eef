"""Commands for exercises: what there is, making, grading."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.shared import (
    EXIT_ERRORS,
    EXIT_REFUSED,
    AsJson,
    Force,
    Quiet,
    group,
    print_table,
    progress,
    whole,
    with_options,
    write_out,
)

if TYPE_CHECKING:
    from fractions import Fraction

    from musegen.exercises.grading.graded import Graded
    from musegen.exercises.grading.score_grader import Marked
    from musegen.exercises.item import Item, Lang
    from musegen.exercises.kinds import Kind, Setting
    from musegen.exercises.next_set import NextSet
    from musegen.exercises.papers import Order, Paper

__all__ = ["exercise_app", "lang_of", "register"]

exercise_app = group(
    "Make exercises with their keys, and grade answers.\n\n"
    "Example: musegen exercise make int.name --level 3 --count 10 --seed 7 --out week1"
)
LangOption = Annotated[str, typer.Option("--lang", help="en or zh.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(exercise_app, name="exercise")


@dataclass(frozen=True)
class Wanted:
    """What is asked of the items."""

    level: Annotated[
        int, typer.Option(help="1 to 5; a syllabus has its own.", parser=whole, metavar="N")
    ] = 1
    count: Annotated[
        int | None,
        typer.Option(help="Items; else 10, or one a row.", parser=whole, metavar="N"),
    ] = None
    seed: Annotated[int, typer.Option(help="Whole number from 0.", parser=whole, metavar="N")] = 0
    key_range: Annotated[
        int, typer.Option(help="Most sharps or flats, 0 to 7.", parser=whole, metavar="N")
    ] = 7
    form: Annotated[str | None, typer.Option(help="choice or text, where a kind has both.")] = None
    tempo: Annotated[
        float | None, typer.Option(help="Of what is played, quarter notes a minute, 30 to 240.")
    ] = None
    timbre: Annotated[
        str, typer.Option(help="Of what is played: piano, organ, flute or strings.")
    ] = "piano"
    plays: Annotated[
        int | None,
        typer.Option(help="How often it may be heard, 1 to 20.", parser=whole, metavar="N"),
    ] = None
    lang: LangOption = "en"
    syllabus: Annotated[
        str | None, typer.Option(help="Kinds and levels of an examination, such as abrsm5.")
    ] = None
    mix: Annotated[str, typer.Option(help="Kinds by turns, as int.name:3,scl.write, or all.")] = ""


@exercise_app.command("list")
def exercise_list(
    family: Annotated[str | None, typer.Option(help="Letter of a family, such as C.")] = None,
    syllabus: Annotated[str | None, typer.Option(help="Those of an examination.")] = None,
    lang: LangOption = "en",
    as_json: AsJson = False,
) -> None:
    """List the kinds of exercise, or those of a family or syllabus.

    Example: musegen exercise list --family C
    """
    from musegen.errors import OptionError
    from musegen.exercises.kinds import kinds
    from musegen.exercises.papers import rows_of

    tongue = lang_of(lang)
    families = sorted({each.family for each in kinds().values()})
    if family is not None and family.upper() not in families:
        raise OptionError("--family", family, f"one of {', '.join(families)}")
    wanted = None if syllabus is None else {name for name, _ in rows_of(None, 1, syllabus, ())}
    found = [
        each
        for each in kinds().values()
        if (family is None or each.family == family.upper())
        and (wanted is None or each.id in wanted)
    ]
    if as_json:
        records = [_kind_record(each) for each in found]
        write_out(json.dumps(records, ensure_ascii=False, indent=1) + "\n")
        return
    for each in found:
        forms = "/".join(each.forms)
        write_out(
            f"{each.id:<22} {each.family}  {each.uniqueness}  {forms:<12} {each.title.to(tongue)}\n"
        )


def _kind_record(kind: Kind) -> dict[str, Any]:
    from musegen.exercises.records import record_values

    return {
        "id": kind.id,
        "family": kind.family,
        "title": record_values(kind.title),
        "forms": list(kind.forms),
        "uniqueness": kind.uniqueness,
        "levels": [record_values(each.said) for each in kind.levels],
        "version": kind.version,
    }


@exercise_app.command("show")
def exercise_show(
    name: Annotated[str, typer.Argument(help="Id of a kind, such as int.name.")],
    level: Annotated[int, typer.Option(help="Of the example.", parser=whole, metavar="N")] = 1,
    seed: Annotated[int, typer.Option(help="Of the example.", parser=whole, metavar="N")] = 0,
    lang: LangOption = "en",
    as_json: AsJson = False,
) -> None:
    """Show a kind: its levels, and an example with hints, answer and likely errors.

    Example: musegen exercise show int.name --level 3
    """
    from musegen.exercises.hints import ladder
    from musegen.exercises.kinds import kind
    from musegen.exercises.making import make_item

    tongue = lang_of(lang)
    found = kind(name)
    item = make_item(name, level, seed, lang=tongue).item
    if as_json:
        record = {**_kind_record(found), "example": json.loads(item.to_json())}
        write_out(json.dumps(record, ensure_ascii=False, indent=1) + "\n")
        return
    table = {"kind": f"{found.id}: {found.title.to(tongue)}"}
    table |= {f"level {n}": each.said.to(tongue) for n, each in enumerate(found.levels, start=1)}
    steps = ladder(item)
    table["question"] = steps[0].to(tongue)
    table["given"] = item.given.text
    table |= {f"hint {n}": each.to(tongue) for n, each in enumerate(steps[1:-1], start=1)}
    table["answer"] = steps[-1].to(tongue)
    for each in item.distractors[:3]:
        table[f"wrong: {item.part(each.part).shown(each.value, tongue)}"] = each.said.to(tongue)
    print_table(table)


@exercise_app.command("make")
@with_options
def exercise_make(
    wanted: Wanted,
    name: Annotated[str | None, typer.Argument(help="Id of a kind, such as int.name.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; without it items are printed.")] = None,
    formats: Annotated[
        str, typer.Option("--format", help="Of html, pdf, png, musicxml, audio, json, with commas.")
    ] = "html,musicxml,json",
    title: Annotated[str, typer.Option(help="Of the sheet.")] = "",
    bank: Annotated[
        Path | None, typer.Option(help="File (.jsonl): records alone, an item a line.")
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", help="Processes for --bank.", parser=whole, metavar="N")
    ] = 1,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Make exercises: a worksheet and its key, the music, and a record of each item.

    A bank that was interrupted goes on when the same command is run again.

    Example: musegen exercise make int.name --level 3 --count 10 --seed 7 --out week1
    """
    from musegen.exercises.delivery import OWN, check_formats, paper_files
    from musegen.exercises.papers import each_item, make_paper
    from musegen.io.files import check_target, write_files

    order = _order(name, wanted, title)
    wanted_formats = tuple(each.strip() for each in formats.split(","))
    check_formats(wanted_formats, order.lang)
    if bank is not None or jobs != 1:
        _make_bank(order, bank, out, jobs, force=force, quiet=quiet)
        return
    if out is None:
        for item, _ in each_item(order):
            write_out(json.dumps(json.loads(item.to_json()), ensure_ascii=False) + "\n")
        return
    check_target(out, force=force, own=OWN)
    if quiet:
        paper = make_paper(order)
    else:
        with progress("making exercises") as told:
            paper = make_paper(order, told)
    write_files(out, paper_files(paper, wanted_formats), force=force, own=OWN)
    if not quiet:
        write_out(_summary(paper, out))
    if len(paper.items) < order.count:
        raise KeyboardInterrupt


def _make_bank(
    order: Order, bank: Path | None, out: Path | None, jobs: int, *, force: bool, quiet: bool
) -> None:
    from musegen.errors import OptionError
    from musegen.exercises.bank import write_bank

    if bank is None:
        raise OptionError("--jobs", jobs, "1 without --bank")
    if out is not None:
        raise OptionError("--out", out, "left out where --bank is given")
    with progress("making exercises", quiet=quiet) as told:
        made = write_bank(order, bank, workers=jobs, force=force, told=told)
    if not quiet:
        write_out(f"{bank}: {order.count} items ({made.kept} of an earlier run)\n")
        for name, level in made.spent:
            write_out(f"{name}, level {level} has run out of different items\n")


def _order(name: str | None, wanted: Wanted, title: str) -> Order:
    from musegen.exercises.kinds import kind
    from musegen.exercises.papers import Order, rows_of, syllabi

    mix = tuple(each.strip() for each in wanted.mix.split(",") if each.strip())
    rows = rows_of(name, wanted.level, wanted.syllabus, mix)
    lang = lang_of(wanted.lang)
    if not title and wanted.syllabus:
        title = syllabi()[wanted.syllabus].title.to(lang)
    elif not title and name:
        title = kind(name).title.to(lang)
    count = wanted.count if wanted.count is not None else (10 if name else len(rows))
    setting = _setting(wanted)
    return Order(
        rows, count, wanted.seed, lang, title or {"en": "Exercises", "zh": "练习"}[lang], setting
    )


SLOWEST, FASTEST, MOST_PLAYS = 30, 240, 20


def _setting(wanted: Wanted) -> Setting:
    """What the teacher asks for besides kinds and levels."""
    from musegen.errors import OptionError
    from musegen.exercises.kinds import Setting
    from musegen.io.audio import TIMBRES

    if not 0 <= wanted.key_range <= 7:
        raise OptionError("--key-range", wanted.key_range, "from 0 to 7")
    if wanted.form not in (None, "choice", "text"):
        raise OptionError("--form", wanted.form, "choice or text")
    if wanted.tempo is not None and not SLOWEST <= wanted.tempo <= FASTEST:
        raise OptionError("--tempo", wanted.tempo, f"from {SLOWEST} to {FASTEST}")
    if wanted.timbre not in TIMBRES:
        raise OptionError("--timbre", wanted.timbre, f"one of {', '.join(TIMBRES)}")
    if wanted.plays is not None and not 1 <= wanted.plays <= MOST_PLAYS:
        raise OptionError("--plays", wanted.plays, f"from 1 to {MOST_PLAYS}")
    form = wanted.form
    return Setting(
        wanted.key_range,
        wanted.tempo,
        wanted.timbre,
        wanted.plays,
        form,  # type: ignore[arg-type]
    )


def _summary(paper: Paper, out: Path) -> str:
    thrown = sum(paper.discarded.values())
    return f"{out}: {len(paper.items)} items, {paper.points} points ({thrown} draws discarded)\n"


@exercise_app.command("grade")
def exercise_grade(
    answers: Annotated[
        list[str], typer.Argument(help="The answer, as text, part=text, or a file.")
    ],
    item: Annotated[Path, typer.Option(help="The record of the item (.json).")],
    rubric: Annotated[
        str | None, typer.Option(help="Instead of the item's own; a name or a file (.toml).")
    ] = None,
    hints: Annotated[
        int, typer.Option(help="Steps of the hint ladder used.", parser=whole, metavar="N")
    ] = 0,
    lang: Annotated[str | None, typer.Option(help="en or zh; else the item's.")] = None,
    html: Annotated[Path | None, typer.Option(help="Page with the marked score.")] = None,
    annotated: Annotated[Path | None, typer.Option(help="The marked score as MusicXML.")] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Grade an answer: points with the clause that gave or took each, and what to mend.

    The exit code is 1 if not every point was given, 2 if the answer cannot be read; hints, which cost
    a fifth of the points each from the second on, do not change it.

    Example: musegen exercise grade m3 --item int.name-l3-s7-v1.item.json
    """
    from musegen.errors import OptionError
    from musegen.exercises.grading.handed_in import grade_handed_in
    from musegen.exercises.hints import with_hints
    from musegen.io.files import check_file_target

    if hints < 0:
        raise OptionError("--hints", hints, "a whole number from 0")
    record = _item(item)
    for path in (html, annotated):
        if path is not None:
            check_file_target(path, force=force)
    tongue = lang_of(lang or record.lang)
    marked = grade_handed_in(record, tuple(answers), rubric)
    graded = marked.graded
    left = with_hints(graded.points, hints)
    _write_marked(record, marked, tongue, html, annotated)
    if as_json:
        outcome = {**graded.as_json(), "hints": hints, "left": float(left)}
        write_out(json.dumps(outcome, ensure_ascii=False, indent=1) + "\n")
    else:
        write_out("".join(f"{line}\n" for line in _graded_lines(record, graded, tongue, left)))
    if graded.status == "refused":
        raise typer.Exit(EXIT_REFUSED)
    if not graded.full:
        raise typer.Exit(EXIT_ERRORS)


LARGEST = 5_000_000  # bytes of a record


def _item(path: Path) -> Item:
    from musegen.exercises.item import Item
    from musegen.io.limits import text_of

    return Item.from_json(text_of(path, LARGEST), path.name)


def _write_marked(
    item: Item, marked: Marked, lang: Lang, html: Path | None, annotated: Path | None
) -> None:
    """The files that were asked for."""
    from musegen.exercises.grading.page import marked_musicxml, marked_page
    from musegen.io.files import write_file

    if annotated is not None:
        write_file(annotated, marked_musicxml(item, marked))
    if html is not None:
        write_file(html, marked_page(item, marked, lang).encode())


@exercise_app.command("class")
def exercise_class(
    answers: Annotated[
        Path, typer.Argument(help="A folder, a file a student, or a table (.csv) with a row each.")
    ],
    item: Annotated[Path, typer.Option(help="The record of the item (.json).")],
    rubric: Annotated[
        str | None, typer.Option(help="Instead of the item's own; a name or a file (.toml).")
    ] = None,
    lang: Annotated[str | None, typer.Option(help="en or zh; else the item's.")] = None,
    csv: Annotated[Path | None, typer.Option(help="A row a student, for a gradebook.")] = None,
    html: Annotated[Path | None, typer.Option(help="Page: common errors, hard places.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="The same as a record (.json), for exercise next.")
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Grade a class: who got what, which errors are common, what was hard.

    Without --csv, --html and --report the table is printed.

    Example: musegen exercise class answers/ --item pw.rn.satb-l3-s7-v2.item.json --html class.html
    """
    from musegen.exercises.grading.class_record import class_record
    from musegen.exercises.grading.class_report import (
        ClassReport,
        class_csv,
        class_page,
        grade_class,
        hand_ins,
    )
    from musegen.io.files import check_file_target, write_file

    record = _item(item)
    for path in (csv, html, report):
        if path is not None:
            check_file_target(path, force=force)
    tongue = lang_of(lang or record.lang)
    handed = hand_ins(answers, record)
    if quiet:
        rows = grade_class(record, handed, rubric)
    else:
        with progress("grading") as told:
            rows = grade_class(record, handed, rubric, told)
    found = ClassReport(record, rows)
    if csv is not None:
        write_file(csv, class_csv(found, tongue).encode())
    if html is not None:
        write_file(html, class_page(found, tongue).encode())
    if report is not None:
        write_file(report, class_record(found).to_json().encode())
    if csv is None and html is None and report is None:
        write_out(class_csv(found, tongue))


@exercise_app.command("next")
def exercise_next(
    reports: Annotated[
        list[Path], typer.Argument(help="What exercise class --report wrote (.json).")
    ],
    most: Annotated[int, typer.Option(help="Kinds to propose.", parser=whole, metavar="N")] = 5,
    count: Annotated[int, typer.Option(help="Items of each.", parser=whole, metavar="N")] = 10,
    seed: Annotated[
        int | None, typer.Option(help="Of the new items; else past the old.", parser=whole)
    ] = None,
    lang: LangOption = "en",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Propose what a class should do next: kinds and levels for its errors, and why.

    Each proposal ends with the command that makes it.

    Example: musegen exercise next pw.json --most 3
    """
    from musegen.exercises.grading.class_record import ClassRecord
    from musegen.exercises.next_set import next_set
    from musegen.exercises.records import record_values
    from musegen.io.limits import text_of

    tongue = lang_of(lang)
    records = [ClassRecord.from_json(text_of(path, LARGEST), path.name) for path in reports]
    with progress("looking for exercises", quiet=quiet) as told:
        found = next_set(records, most=most, count=count, seed=seed, lang=tongue, told=told)
    if as_json:
        write_out(json.dumps(record_values(found), ensure_ascii=False, indent=1) + "\n")
    else:
        write_out("".join(f"{line}\n" for line in _next_lines(found, tongue)))


def _next_lines(found: NextSet, lang: Lang) -> Iterator[str]:
    level, left = {"en": ("level", "No exercise near serves"), "zh": ("级别", "尚无对应练习")}[lang]
    for each in found.proposals:
        yield f"{each.kind}, {level} {each.level}: {each.title.to(lang)}"
        for served in each.serves:
            yield f"  {served.weight:.0%}  {served.name.to(lang)} ({served.reason.to(lang)})"
        yield f"  {each.command}"
    for need in found.left:
        yield f"{left}: {need.name.to(lang)} ({need.weight:.0%})"


def _graded_lines(item: Item, graded: Graded, lang: Lang, left: Fraction) -> list[str]:
    """The outcome, with what the hints have left of the points, a line a clause, what is said."""
    lines = [f"{item.name}: {graded.status}, {float(left):g}/{float(graded.most):g}"]
    for each in graded.clauses:
        place = f"{each.part} {each.place}".strip()
        said = f"  {each.said.to(lang)}" if each.said else ""
        lines.append(f"  {place}: {float(each.got):g}/{float(each.most):g} ({each.id}){said}")
    lines += [f"  {each.severity} {each.rule}: {each.said.to(lang)}" for each in graded.findings]
    return [*lines, *(f"  {note.to(lang)}" for note in graded.notes)]


@exercise_app.command("schema")
def exercise_schema() -> None:
    """Print the JSON Schema of the record of an item.

    Example: musegen exercise schema > item.schema.json
    """
    from musegen.exercises.item import Item

    write_out(json.dumps(Item.schema(), ensure_ascii=False, indent=1) + "\n")


def lang_of(text: str) -> Lang:
    """The language that an option names; raises OptionError."""
    from musegen.errors import OptionError

    if text == "en":
        return "en"
    if text == "zh":
        return "zh"
    raise OptionError("--lang", text, "en or zh")
