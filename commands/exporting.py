"""The command that hands exercises over to learning systems and flash cards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.exercise import exercise_app
from commands.shared import Force, Quiet, progress, write_out

if TYPE_CHECKING:
    from musegen.exercises.export import Exported

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command; the group of exercises itself is added with its own commands."""


@exercise_app.command("export")
def exercise_export(
    papers: Annotated[
        list[Path], typer.Argument(help="Folders of papers, or records of items (.json, .jsonl).")
    ],
    form: Annotated[
        str, typer.Option("--format", help="moodle, qti21, qti12, h5p, anki, csv or gift.")
    ],
    out: Annotated[Path, typer.Option(help="File to write.")],
    title: Annotated[str, typer.Option(help="Of the bank; else the first paper's.")] = "",
    lang: Annotated[str | None, typer.Option(help="en or zh; else each item's.")] = None,
    skip_unfit: Annotated[
        bool, typer.Option("--skip-unfit", help="Leave out what the format cannot hold.")
    ] = False,
    schemas: Annotated[
        Path | None, typer.Option(help="Folder of the format's schemas, to check the file against.")
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Export papers and items as one bank of questions.

    Example: musegen exercise export week1 --format moodle --out week1.xml
    """
    from commands.exercise import lang_of
    from musegen.exercises.export import export_bank, read_bank
    from musegen.io.files import check_file_target, write_file
    from musegen.io.quizzes.formats import format_of

    format_of(form)
    tongue = None if lang is None else lang_of(lang)
    check_file_target(out, force=force)
    bank = read_bank(papers)
    with progress("exporting", quiet=quiet) as told:
        found = export_bank(
            bank,
            form,
            title=title,
            lang=tongue,
            skip_unfit=skip_unfit,
            schemas=schemas,
            told=told,
        )
    write_file(out, found.data)
    if not quiet:
        write_out(_summary(found, form, out))


def _summary(found: Exported, form: str, out: Path) -> str:
    """How many questions are in the file, what the format leaves out, and which questions it did."""
    from musegen.io.quizzes.formats import format_of

    remark = format_of(form).remark
    lines = [f"{out}: {found.count} questions{f'; {remark}' if remark else ''}"]
    lines += [f"left out: {name}: {why}" for name, why in found.left_out]
    return "".join(f"{line}\n" for line in lines)
