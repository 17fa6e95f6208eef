"""The commands: arguments, wiring, progress, exit codes. No algorithm."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from musegen.result import Composition
    from musegen.tasks.compose import Request

__all__ = ["EXIT_INTERRUPTED", "EXIT_REFUSED", "app", "main"]

EXIT_REFUSED = 2  # the request cannot be met; the message says what is allowed
EXIT_INTERRUPTED = 130  # Ctrl-C
MOST_PIECES = 10_000

app = typer.Typer(
    help="Compose symbolic music under the laws of music theory.\n\n"
    "Example: musegen compose --key 'D minor' --seed 7",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
corpus_app = typer.Typer(
    help="Read and inspect the corpora.\n\nExample: musegen corpus show",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(corpus_app, name="corpus")


def main() -> None:
    """Run the command line; every refusal is one line and exit code 2."""
    from musegen.errors import MusegenError

    try:
        code = app(standalone_mode=False)
    except MusegenError as error:
        code = _refuse(str(error))
    except (KeyboardInterrupt, typer.Abort):
        sys.stderr.write(
            "musegen: interrupted; what was finished is kept, and a training goes on with --resume\n"
        )
        code = EXIT_INTERRUPTED
    except typer.TyperException as error:
        code = _refuse_usage(error)
    sys.exit(code or 0)


def _refuse_usage(error: typer.TyperException) -> int:
    """A wrong command line in one line; a command without what it needs shows its help."""
    text = error.format_message()
    if "\n" in text:
        sys.stderr.write(f"{text}\n")
        return EXIT_REFUSED
    return _refuse(text)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no whole number") from None


def _refuse(message: str) -> int:
    sys.stderr.write(f"musegen: {' '.join(message.split())}\n")
    return EXIT_REFUSED


@app.command()
def compose(
    form: Annotated[str, typer.Option(help="Form, or the path of a template (.toml).")] = "chorale",
    key: Annotated[
        str | None, typer.Option(help="Such as 'D minor' or Bb; else the seed's.")
    ] = None,
    metre: Annotated[str | None, typer.Option(help="Such as 3/4; else the form's first.")] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Else the first not yet in --out.", parser=_whole, metavar="N"),
    ] = None,
    style: Annotated[str, typer.Option(help="Style, or the path of a style (.toml).")] = "bach",
    models: Annotated[str, typer.Option(help="Proposers, with commas; or none.")] = "hmm,rbm,lstm",
    weight: Annotated[list[str] | None, typer.Option(help="As lstm=0.5; repeatable.")] = None,
    width: Annotated[
        int, typer.Option(help="Hypotheses of the beam.", parser=_whole, metavar="N")
    ] = 32,
    number: Annotated[
        int,
        typer.Option(
            "-n", "--number", help="Pieces, seeds counting up.", parser=_whole, metavar="N"
        ),
    ] = 1,
    out: Annotated[Path, typer.Option(help="Folder for the pieces.")] = Path("musegen-out"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
    audio: Annotated[bool, typer.Option("--audio/--no-audio", help="Write score.wav.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the table as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also print findings.")] = False,
) -> None:
    """Compose a piece: score, MIDI, picture, audio and explanation in a folder.

    Example: musegen compose --form chorale --key "D minor" --seed 7
    """
    from musegen.errors import OptionError

    if not 1 <= number <= MOST_PIECES:
        raise OptionError("-n", number, f"from 1 to {MOST_PIECES}")
    for count in range(number):
        chosen = _free_seed(out, form, key, metre, style, force) if seed is None else seed + count
        request = _request(form, key, metre, chosen, style, models, weight, width)
        folder = out / _folder_name(request)
        _compose_one(
            request, folder, force=force, audio=audio, as_json=as_json, quiet=quiet, verbose=verbose
        )


def _request(
    form: str,
    key: str | None,
    metre: str | None,
    seed: int,
    style: str,
    models: str,
    weight: list[str] | None,
    width: int,
) -> Request:
    from musegen.tasks.compose import Request

    names = tuple(models.split(",")) if models != "none" else ()
    weights = dict(_weight(text) for text in weight or [])
    return Request(form, key, metre, seed, style, names, weights, width)


def _weight(text: str) -> tuple[str, float]:
    from musegen.errors import OptionError

    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise OptionError("--weight", text, "a model and a number, such as lstm=0.5") from None


def _folder_name(request: Request) -> str:
    parts = [
        Path(request.form).stem,
        request.key,
        request.metre,
        None if request.style == "bach" else Path(request.style).stem,
        "seed",
        request.seed,
    ]
    text = "-".join(str(part) for part in parts if part is not None).lower()
    return text.replace("#", "-sharp").replace("/", "").replace(" ", "-")


def _free_seed(
    out: Path, form: str, key: str | None, metre: str | None, style: str, force: bool
) -> int:
    """The first seed whose folder is not there yet; with --force the first of all."""
    from musegen.tasks.compose import Request

    seed = 0
    while not force and (out / _folder_name(Request(form, key, metre, seed, style))).exists():
        seed += 1
    return seed


def _compose_one(
    request: Request,
    folder: Path,
    *,
    force: bool,
    audio: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    from musegen.io.files import PIECE, check_target

    check_target(folder, force=force, own=PIECE)
    started = time.perf_counter()
    with _status("composing", quiet=quiet or as_json):
        from musegen.result import Composition
        from musegen.tasks.compose import draft

        piece = Composition.of(draft(request))
        piece.save(folder, audio=audio, force=force)
    table = {
        **piece.summary,
        "time": f"{time.perf_counter() - started:.1f} s",
        "folder": str(folder),
    }
    if as_json:
        sys.stdout.write(json.dumps(table, ensure_ascii=False) + "\n")
    elif not quiet:
        _print_table(table)
        if verbose:
            _print_findings(piece)


@contextmanager
def _status(text: str, *, quiet: bool) -> Iterator[None]:
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(text):
        yield


def _print_table(table: dict[str, str]) -> None:
    from rich.console import Console
    from rich.table import Table

    grid = Table(show_header=False, box=None, pad_edge=False)
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in table.items():
        grid.add_row(name, value)
    Console().print(grid)


def _print_findings(piece: Composition) -> None:
    for finding in piece.findings:
        place = f"bar {finding.bar}, beat {finding.beat:g}"
        sys.stdout.write(f"{finding.severity} {place}: {finding.message} [{finding.rule}]\n")


@app.command()
def train(
    model: Annotated[str, typer.Argument(help="hmm, rbm, lstm or all.")],
    seed: Annotated[
        int, typer.Option(help="Seed of the training.", parser=_whole, metavar="N")
    ] = 0,
    out: Annotated[Path, typer.Option(help="Folder for the weights.")] = Path("musegen-weights"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Train the models on the corpus, as the shipped weights were.

    Example: musegen train lstm --out my-weights
    """
    from corpora.training import training_data, write_figuration
    from musegen.encoding import chord_table
    from musegen.errors import UnknownNameError
    from musegen.models.registry import MODELS, train_model

    if model != "all" and model not in MODELS:
        raise UnknownNameError("model", model, [*MODELS, "all"])
    with _progress("reading the corpus") as advance:
        splits, data = training_data(progress=advance)
    for name in MODELS if model == "all" else (model,):
        with _monitor(name) as report:
            card = train_model(
                name,
                splits,
                data,
                out,
                chords=chord_table(),
                seed=seed,
                progress=report,
                resume=resume,
                force=force,
            )
        _print_table(
            {
                f"{name}, {metric.split}, {metric.name}": f"{metric.value:.3f} {metric.unit}"
                for metric in card.metrics
            }
        )
    if model == "all":
        write_figuration(out / "figuration.json")


@contextmanager
def _progress(text: str) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def _monitor(name: str) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A bar over the epochs or restarts of a training, with its latest figures."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None)

        def report(state: dict[str, Any]) -> None:
            unit = "epoch" if "epoch" in state else "restart"
            figures = ", ".join(
                f"{key} {value:.3f}" for key, value in state.items() if isinstance(value, float)
            )
            bar.update(
                task,
                description=f"{name}: {unit} {state[unit]}, {figures}",
                completed=state[unit],
                total=state.get(f"{unit}s"),
            )

        yield report


@corpus_app.command("build")
def corpus_build(
    force: Annotated[bool, typer.Option("--force", help="Read all files again.")] = False,
) -> None:
    """Read, clean and label the chorales that music21 carries; keep them in the cache.

    Example: musegen corpus build --force
    """
    import corpora

    with _progress("reading chorales") as advance:
        corpus = corpora.build(force=force, progress=advance)
    _print_table({name: str(value) for name, value in corpora.summary(corpus).items()})


@corpus_app.command("show")
def corpus_show(
    dropped: Annotated[bool, typer.Option("--dropped", help="List what was dropped, why.")] = False,
) -> None:
    """Show what the corpus holds: origin, licence, split, what was dropped and why.

    Example: musegen corpus show --dropped
    """
    import corpora

    with _progress("reading chorales") as advance:
        corpus = corpora.load(progress=advance)
    _print_table({name: str(value) for name, value in corpora.summary(corpus).items()})
    if dropped:
        for name, reason in corpora.dropped(corpus):
            sys.stdout.write(f"{name}: {reason}\n")
