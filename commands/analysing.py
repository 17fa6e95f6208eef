"""The command that says what the harmony of a score is."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.shared import (
    EXIT_REFUSED,
    AsJson,
    Force,
    Quiet,
    progress,
    refuse,
    status,
    whole,
    write_out,
)

if TYPE_CHECKING:
    from musegen.tasks.analyse import Analysed, AnalyseOptions

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(analyse)


def analyse(
    files: Annotated[
        list[Path], typer.Argument(help="MusicXML, MIDI, kern, ABC; folders of such.")
    ],
    key: Annotated[str | None, typer.Option(help="Home key, such as 'D minor'.")] = None,
    notation: Annotated[str, typer.Option(help="roman, function or lead.")] = "roman",
    readings: Annotated[
        int, typer.Option(help="Readings of the whole to rank.", parser=whole, metavar="N")
    ] = 3,
    jobs: Annotated[
        int, typer.Option("-j", "--jobs", help="Files at a time.", parser=whole, metavar="N")
    ] = 1,
    romantext: Annotated[Path | None, typer.Option(help="Write RomanText.")] = None,
    annotated: Annotated[Path | None, typer.Option(help="Write MusicXML with numerals.")] = None,
    against: Annotated[Path | None, typer.Option(help="RomanText to compare with.")] = None,
    table: Annotated[
        Path | None, typer.Option(help="Write descriptors, a row a piece: .csv or .parquet.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with the score.")] = None,
    as_json: AsJson = False,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Tell keys, chords, non-chord tones, cadences and phrases, how sure and why.

    Example: musegen analyse chorale.musicxml --romantext chorale.rntxt
    """
    from musegen.io.reading import score_files
    from musegen.tasks.analyse import (
        AnalyseOptions,
        analyse_files,
        checked_options,
        write_outputs,
    )

    options = AnalyseOptions(key, readings, notation, romantext, annotated, html, against, force)
    paths = list(score_files(files))
    if table is not None:
        _table(paths, table, options, jobs=jobs, quiet=quiet or as_json)
        return
    checked_options(options, paths)
    outcomes = []
    with status("analysing", quiet=quiet or not as_json):
        for each in analyse_files(paths, options, jobs=jobs):
            outcomes.append(each)
            if each.analysis is None:
                refuse(each.problem)
            elif not (as_json or quiet):
                write_out("".join(f"{line}\n" for line in _lines(each, notation)))
    if as_json:
        _write_records(outcomes)
    write_outputs(outcomes, options)
    if any(each.analysis is None for each in outcomes):
        raise typer.Exit(EXIT_REFUSED)


def _lines(each: Analysed, notation: str) -> Iterator[str]:
    """An analysis as text, and how it differs from a given one."""
    from musegen.io.analysis_text import analysis_lines
    from musegen.io.comparison_text import comparison_lines

    assert each.analysis is not None, "what could not be analysed is refused"
    yield from analysis_lines(each.analysis, notation=notation)
    if each.comparison is not None:
        yield from comparison_lines(each.comparison, each.analysis)


def _write_records(outcomes: Sequence[Analysed]) -> None:
    """Write the analyses as JSON."""
    from musegen.io.analysis_text import analysis_record
    from musegen.io.comparison_text import comparison_record

    records = [
        {
            "file": each.file,
            "name": each.name,
            **analysis_record(each.analysis),
            **comparison_record(each.comparison),
        }
        for each in outcomes
        if each.analysis is not None
    ]
    sys.stdout.write(json.dumps(records, ensure_ascii=False, indent=1) + "\n")


def _table(
    paths: Sequence[Path], table: Path, options: AnalyseOptions, *, jobs: int, quiet: bool
) -> None:
    """Describe files, say how far it is, and what could not be described."""
    from musegen.tasks.analyse import check_alone
    from musegen.tasks.describe import describe_files, kept_rows, problems_of

    check_alone(options)
    try:
        with progress("describing", quiet=quiet) as told:
            report = describe_files(paths, table, jobs=jobs, force=options.force, progress=told)
    except KeyboardInterrupt:
        refuse(f"what is finished stands in {kept_rows(table)}; the same command goes on with it")
        raise
    if report.problems:
        count = len(report.problems)
        refuse(f"{count} could not be described; {problems_of(table)} says which and why")
    if not quiet:
        kept = f", {report.kept} files of an earlier run" if report.kept else ""
        write_out(f"{table}: {report.rows} pieces{kept}\n")
    if not report.rows:
        raise typer.Exit(EXIT_REFUSED)
