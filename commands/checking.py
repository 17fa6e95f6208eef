"""Commands that judge scores: check and explain."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.lookup import rules_show
from commands.shared import (
    EXIT_ERRORS,
    EXIT_REFUSED,
    refuse,
    whole,
    write_out,
)

if TYPE_CHECKING:
    from musegen.report import CheckReport, Unreadable
    from musegen.study import Study
    from musegen.tasks.check import CheckOptions

__all__ = ["register"]

StyleOption = Annotated[str, typer.Option(help="Style, or the path of a style (.toml).")]
HarmonyOption = Annotated[
    bool | None,
    typer.Option("--harmony/--no-harmony", help="Analyse; else if like a four-part chorale."),
]
KeyOption = Annotated[str | None, typer.Option(help="Declared key, such as 'D minor'.")]
CantusOption = Annotated[str | None, typer.Option(help="Voice that has the cantus firmus.")]
SpeciesOption = Annotated[
    list[str] | None, typer.Option(help="As Soprano=2; repeatable.", metavar="VOICE=N")
]
ModeOption = Annotated[
    str | None, typer.Option(help="Church mode on the cantus's last note; or major, minor.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (check, explain):
        app.command()(command)


def check(
    files: Annotated[
        list[Path], typer.Argument(help="MusicXML, MIDI, kern, ABC; folders of such.")
    ],
    style: StyleOption = "bach",
    severity: Annotated[str, typer.Option(help="The least grave to tell: E, W or I.")] = "I",
    rule: Annotated[list[str] | None, typer.Option(help="Only this rule; repeatable.")] = None,
    harmony: HarmonyOption = None,
    key: KeyOption = None,
    cantus: CantusOption = None,
    species: SpeciesOption = None,
    mode: ModeOption = None,
    jobs: Annotated[
        int, typer.Option("-j", "--jobs", help="Files at a time.", parser=whole, metavar="N")
    ] = 1,
    summary: Annotated[bool, typer.Option("--summary", help="One line a piece.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_sarif: Annotated[bool, typer.Option("--sarif", help="Print SARIF 2.1.0.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write a page with coloured score.")] = None,
    annotated: Annotated[
        Path | None, typer.Option(help="Write MusicXML with coloured notes.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False,
) -> None:
    """Check scores by the rules of a style; exit code 1 if there is an error.

    Example: musegen check exercise.musicxml --style strict
    """
    from musegen.io.reading import score_files
    from musegen.tasks.check import Output, check_files, checked_output

    output = Output(severity, tuple(rule or ()), html, annotated, force=force)
    paths = list(score_files(files))
    checked_output(output, paths)
    options = _check_options(style, harmony, key, cantus, species, mode)
    printed = not (as_json or as_sarif or quiet)
    outcomes, study = _checked(
        check_files(paths, options, jobs=jobs), len(paths), output, printed=printed, brief=summary
    )
    if as_json or as_sarif:
        _print_json(outcomes, study, sarif_log=as_sarif)
    if html or annotated:
        _write_findings(outcomes, output)
    if study.unreadable:
        raise typer.Exit(EXIT_REFUSED)
    if study.errors:
        raise typer.Exit(EXIT_ERRORS)


def _check_options(
    style: str,
    harmony: bool | None,
    key: str | None,
    cantus: str | None,
    species: list[str] | None,
    mode: str | None,
) -> CheckOptions:
    from musegen.tasks.check import CheckOptions

    named = dict(_species(text) for text in species or [])
    return CheckOptions(style, harmony, key, cantus, named, mode)


def _species(text: str) -> tuple[str, int]:
    from musegen.errors import OptionError

    name, _, number = text.rpartition("=")
    if not name or not number.isdecimal():
        raise OptionError("--species", text, "a voice and a number, such as Soprano=2")
    return name, int(number)


def _checked(
    results: Iterator[tuple[CheckReport | Unreadable, ...]],
    total: int,
    output: Any,
    *,
    printed: bool,
    brief: bool,
) -> tuple[list[CheckReport | Unreadable], Study]:
    """Print what comes of each file as soon as it is there; the table even after Ctrl-C."""
    from musegen.study import Study

    outcomes: list[CheckReport | Unreadable] = []
    study = Study()
    try:
        with _bar_of_files(total, shown=total > 1) as (advance, write):
            for found in results:
                kept = [output.kept(each) for each in found]
                study.add(kept)
                outcomes += kept
                if printed:
                    write(_text_of(kept, brief=brief))
                advance()
    finally:
        if printed and study.pieces + len(study.unreadable) > 1:
            _print_study(study)
        for each in study.unreadable:
            refuse(each.problem)
    return outcomes, study


def _text_of(outcomes: list[Any], *, brief: bool) -> str:
    from musegen.io.findings_text import report_lines
    from musegen.report import CheckReport

    reports = [each for each in outcomes if isinstance(each, CheckReport)]
    if brief:
        return "".join(f"{each.file}: {each.name}: {each.counts}\n" for each in reports)
    return "".join(f"{line}\n" for each in reports for line in report_lines(each))


@contextmanager
def _bar_of_files(
    total: int, *, shown: bool
) -> Iterator[tuple[Callable[[], None], Callable[[str], None]]]:
    """A bar over files that leaves the lines printed meanwhile whole."""
    if not shown or not sys.stderr.isatty():
        yield (lambda: None), write_out
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    columns = ("checking", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("", total=total)

        def write(text: str) -> None:
            if sys.stdout.isatty():
                console.out(text, end="", highlight=False)
            else:
                write_out(text)

        yield (lambda: bar.advance(task)), write


def _print_study(study: Study) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("findings", "pieces", "per 1000 moves"):
        grid.add_column(heading, justify="right")
    grid.add_column("rule", no_wrap=True)
    for row in study.rows:
        grid.add_row(str(row.findings), str(row.pieces), f"{row.rate:.2f}", row.rule)
    if study.rows:
        console.print(grid)
    pieces = f"{study.pieces} piece{'' if study.pieces == 1 else 's'}"
    unreadable = f", {len(study.unreadable)} could not be checked" if study.unreadable else ""
    console.print(f"{pieces} with {study.moves} moves of two voices{unreadable}", highlight=False)


def _print_json(outcomes: list[CheckReport | Unreadable], study: Study, *, sarif_log: bool) -> None:
    from musegen import __version__
    from musegen.io.findings_sarif import sarif
    from musegen.report import CheckReport

    reports = [each.as_json() for each in outcomes if isinstance(each, CheckReport)]
    record = {"musegen": __version__, "pieces": reports, "study": study.as_json()}
    log = sarif(outcomes, __version__) if sarif_log else record
    sys.stdout.write(json.dumps(log, ensure_ascii=False, indent=1) + "\n")


def _write_findings(outcomes: list[CheckReport | Unreadable], output: Any) -> None:
    """Write the page and the coloured score; both are made before either is written."""
    from musegen.io.files import write_file
    from musegen.io.findings_html import render_page
    from musegen.io.findings_musicxml import annotated_musicxml

    report = output.single(outcomes)
    if report is None:
        return
    contents = {}
    if output.html:
        contents[output.html] = render_page(report).encode()
    if output.annotated:
        contents[output.annotated] = annotated_musicxml(report)
    for path, data in contents.items():
        write_file(path, data)


def explain(
    what: Annotated[str, typer.Argument(help="A score, or the id of a rule.")],
    bar: Annotated[
        int | None, typer.Option(help="Bar; the upbeat is 0.", parser=whole, metavar="N")
    ] = None,
    beat: Annotated[float, typer.Option(help="Beat of the bar, from 1.")] = 1.0,
    voice: Annotated[str | None, typer.Option(help="Only what concerns this voice.")] = None,
    finding: Annotated[
        int | None,
        typer.Option(help="A finding by the number that check prints.", parser=whole, metavar="N"),
    ] = None,
    piece: Annotated[
        int | None, typer.Option(help="Which piece of the file.", parser=whole, metavar="N")
    ] = None,
    style: StyleOption = "bach",
    harmony: HarmonyOption = None,
    key: KeyOption = None,
    cantus: CantusOption = None,
    species: SpeciesOption = None,
    mode: ModeOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain a place of a score, a finding of check, or a rule.

    Example: musegen explain chorale.musicxml --bar 3 --beat 2 --voice Tenor
    """
    from musegen.errors import OptionError
    from musegen.io.findings_text import finding_lines
    from musegen.io.place_text import place_lines
    from musegen.tasks.check import check_single
    from musegen.tasks.explain_place import explain_finding, explain_place

    if not Path(what).suffix and not Path(what).exists():
        rules_show(what, as_json=as_json)
        return
    options = _check_options(style, harmony, key, cantus, species, mode)
    if (bar is None) == (finding is None):
        raise OptionError("--bar or --finding", None, "given, one of the two")
    judged = check_single(Path(what), options, number=piece)
    if finding is not None:
        one, explanation = explain_finding(judged, finding)
        if not as_json:
            sys.stdout.writelines(f"{line}\n" for line in finding_lines(one))
            rules_show(one.rule, as_json=False)
    else:
        assert bar is not None  # one of the two is given
        explanation = explain_place(judged, bar, beat, voice)
    if as_json:
        sys.stdout.write(json.dumps(explanation.as_json(), ensure_ascii=False, indent=1) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in place_lines(explanation))
