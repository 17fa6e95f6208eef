"""The command that compares models on the same data."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.shared import (
    EXIT_REFUSED,
    AsJson,
    Quiet,
    print_rows,
    progress,
    refuse,
    whole,
    write_out,
)

if TYPE_CHECKING:
    from musegen.comparison.report import Written
    from musegen.comparison.roll_set import RollSet
    from musegen.comparison.run import Compared, Comparison
    from musegen.comparison.tables import Table
    from musegen.comparison.voices import VoiceSet

    Latent = tuple[dict[str, Any], dict[str, Any]]  # data and settings by model

__all__ = ["register"]

SHOWN = (0, 1, 2, 3, 7)  # columns that fit a terminal: model, kind, validation, test, by tune


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(compare)


def compare(
    models: Annotated[str, typer.Option(help="With commas.")] = "ngram,hmm,rbm",
    data: Annotated[
        list[str] | None,
        typer.Option(help="builtin, or NAME=PATH such as jsb-pianoroll=FILE; repeatable."),
    ] = None,
    split: Annotated[
        str, typer.Option(help="standard, tune (none shared), or both with a comma.")
    ] = "standard,tune",
    config: Annotated[
        Path | None, typer.Option(help="Folder of settings, MODEL.toml each; else the built-in.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of models, figures and report.")] = Path(
        "musegen-compare"
    ),
    seed: Annotated[
        list[int] | None, typer.Option(help="Seed of the trainings; repeatable.")
    ] = None,
    samples: Annotated[
        int, typer.Option(help="Pieces drawn of each model.", parser=whole, metavar="N")
    ] = 20,
    legal: Annotated[
        int, typer.Option(help="Pieces under the rules to weigh.", parser=whole, metavar="N")
    ] = 32,
    ruled: Annotated[
        int,
        typer.Option(help="Pieces each model draws under the rules.", parser=whole, metavar="N"),
    ] = 5,
    jobs: Annotated[
        int, typer.Option("-j", "--jobs", help="Models at a time.", parser=whole, metavar="N")
    ] = 1,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train or load models, judge them on the same pieces, and write a report.

    Example: musegen compare --models ngram,hmm --data builtin
    """
    from musegen.comparison.run import Comparison, check_models
    from musegen.comparison.settings import stored_settings
    from musegen.models.latent_models import LATENT_MODELS

    asked_for = tuple(models.split(","))
    names = tuple(name for name in asked_for if name not in LATENT_MODELS)
    check_models(names, samples=samples, jobs=jobs)
    settings = stored_settings(config, names) if config else {}
    latent = _latent([name for name in asked_for if name in LATENT_MODELS], config)
    rolls, voices = _data_sets(data or ["builtin"], split)
    asked = Comparison(
        names,
        rolls,
        settings,
        tuple(seed or [0]),
        samples=samples,
        legal=legal,
        ruled=ruled,
        jobs=jobs,
    )
    compared, written = _compared(asked, out, voices, latent, quiet=quiet)
    for failure in compared.failures:
        refuse(f"{failure.model} on {failure.data}, {failure.split} split: {failure.problem}")
    _say(written.likelihoods, written.page, as_json=as_json, quiet=quiet)
    if compared.failures:
        raise typer.Exit(EXIT_REFUSED)


def _compared(
    asked: Comparison, out: Path, voices: Sequence[VoiceSet], latent: Latent, *, quiet: bool
) -> tuple[Compared, Written]:
    """Compare, on data sets of voices and in latent spaces too, and write the report."""
    from musegen.comparison.latent import latent_table
    from musegen.comparison.report import write_report
    from musegen.comparison.run import compare as run
    from musegen.comparison.voices import voice_table

    with _monitor(quiet=quiet) as report:
        compared = run(asked, out, report=report)
        more = [voice_table(asked.models, each, out, report=report) for each in voices]
        if latent[0]:
            more.append(latent_table(latent[0], out, latent[1], seeds=asked.seeds, report=report))
    with progress("reading the pieces") as advance:
        written = write_report(compared, out, command=_command(), more=more, progress=advance)
    return compared, written


def _latent(names: Sequence[str], config: Path | None) -> Latent:
    """Data and settings of the models with a latent space, which learn from the built-in chorales."""
    from corpora.segments import latent_splits
    from musegen.comparison.settings import stored_settings
    from musegen.models.latent_models import latent_entry

    def defaults(name: str) -> Any:
        return latent_entry(name).settings()

    settings = stored_settings(config, names, defaults_of=defaults) if config else {}
    with progress("reading the chorales") as advance:
        return {name: latent_splits(name, progress=advance) for name in names}, settings


def _data_sets(
    texts: Sequence[str], split: str
) -> tuple[tuple[RollSet, ...], tuple[VoiceSet, ...]]:
    """The data sets of rolls in each split, and those of voices."""
    from corpora.roll_sets import by_tune, is_of_voices, read_roll_set, read_voice_set
    from musegen.errors import UnknownNameError

    makers: Mapping[str, Callable[[RollSet], RollSet]] = {
        "standard": lambda each: each,
        "tune": by_tune,
    }
    wanted = split.split(",")
    for name in wanted:
        if name not in makers:
            raise UnknownNameError("split", name, makers)
    with progress("reading the data") as advance:
        read = [read_roll_set(text, progress=advance) for text in texts if not is_of_voices(text)]
        voices = tuple(read_voice_set(text) for text in texts if is_of_voices(text))
    return tuple(makers[name](each) for each in read for name in wanted), voices


def _command() -> str:
    return " ".join(["musegen", *sys.argv[1:]])


def _say(tables: Sequence[Table], page: Path, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        write_out(page.with_suffix(".json").read_text(encoding="utf-8"))
    elif not quiet:
        for table in tables:
            sys.stdout.write(f"{table.title}\n")
            print_rows([_row(table, row) for row in table.rows])
        sys.stdout.write(f"{page}\n")


def _row(table: Table, row: Sequence[Any]) -> dict[str, object]:
    from musegen.comparison.report import cell_text

    shown = SHOWN if len(row) > max(SHOWN) else range(len(row))
    return {table.columns[place]: cell_text(row[place]) for place in shown}


@contextmanager
def _monitor(*, quiet: bool) -> Iterator[Callable[[str, Mapping[str, Any]], None]]:
    """A bar for each model at work; finished ones stay."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True, quiet=quiet)) as bar:
        tasks: dict[str, Any] = {}

        def report(name: str, state: Mapping[str, Any]) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=None)
            if state.get("done"):
                bar.update(tasks[name], description=f"{name}: done", completed=1, total=1)
                return
            unit = next((each for each in ("epoch", "restart") if each in state), None)
            if unit is not None:
                bar.update(
                    tasks[name],
                    description=f"{name}: {_figures(state)}",
                    completed=state[unit],
                    total=state.get(f"{unit}s"),
                )

        yield report


def _figures(state: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{key} {value:.3f}" if isinstance(value, float) else f"{key} {value}"
        for key, value in state.items()
        if not key.endswith("s")
    )
