"""The commands: arguments, wiring, progress, exit codes. No algorithm."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from musegen.report import CheckReport, Unreadable
    from musegen.result import Composition
    from musegen.study import Study
    from musegen.tasks.check import CheckOptions
    from musegen.tasks.compose import Request
    from musegen.tasks.writing import Draft, Options
    from theory_kb.questions import Question

__all__ = ["EXIT_ERRORS", "EXIT_INTERRUPTED", "EXIT_REFUSED", "app", "main"]

EXIT_ERRORS = 1  # a checked score has an error
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
rules_app = typer.Typer(
    help="Look up the rules.\n\nExample: musegen rules list --style strict",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(rules_app, name="rules")


kb_app = typer.Typer(
    help="Look into the knowledge base, and ask it.\n\nExample: musegen kb show rule:parallel-fifth",
    no_args_is_help=True,
    rich_markup_mode=None,
)
ask_app = typer.Typer(
    help="Ask a question of music theory.\n\nExample: musegen kb ask spell Ger6 'F# minor'",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(kb_app, name="kb")
kb_app.add_typer(ask_app, name="ask")


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


# Options that several commands take.
Seed = Annotated[int, typer.Option(help="Of the first solution.", parser=_whole, metavar="N")]
StyleName = Annotated[str, typer.Option("--style", help="Style, or the path of a style (.toml).")]
Models = Annotated[str, typer.Option(help="Proposers, with commas; or none.")]
Weights = Annotated[list[str] | None, typer.Option(help="As lstm=0.5; repeatable.")]
Width = Annotated[int, typer.Option(help="Hypotheses of the beam.", parser=_whole, metavar="N")]
Temperature = Annotated[float, typer.Option(help="0: the best; 1: a draw.")]
Plain = Annotated[bool, typer.Option("--plain", help="No passing tones or ornaments.")]
Solutions = Annotated[
    int, typer.Option("-n", "--number", help="Different solutions.", parser=_whole, metavar="N")
]
Out = Annotated[Path, typer.Option(help="Folder for the pieces.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
Audio = Annotated[bool, typer.Option("--audio/--no-audio", help="Write score.wav.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the table as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")]


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
    style: StyleName = "bach",
    models: Models = "hmm,rbm,lstm",
    weight: Weights = None,
    width: Width = 32,
    number: Annotated[
        int,
        typer.Option(
            "-n", "--number", help="Pieces, seeds counting up.", parser=_whole, metavar="N"
        ),
    ] = 1,
    out: Out = Path("musegen-out"),
    force: Force = False,
    audio: Audio = True,
    as_json: AsJson = False,
    quiet: Quiet = False,
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
        _compose_one(request, folder, _Output(force, audio, as_json, quiet, verbose))


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

    names = _model_names(models)
    weights = dict(_weight(text) for text in weight or [])
    return Request(
        form=form,
        key=key,
        metre=metre,
        seed=seed,
        style=style,
        models=names,
        weights=weights,
        width=width,
    )


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
    while (
        not force
        and (
            out / _folder_name(Request(form=form, key=key, metre=metre, seed=seed, style=style))
        ).exists()
    ):
        seed += 1
    return seed


@dataclass(frozen=True)
class _Output:
    """Where a piece goes, and what is said of it."""

    force: bool
    audio: bool
    as_json: bool
    quiet: bool
    verbose: bool = False


def _compose_one(request: Request, folder: Path, output: _Output) -> None:
    from musegen.io.files import PIECE, check_target

    check_target(folder, force=output.force, own=PIECE)
    started = time.perf_counter()
    with _status("composing", quiet=output.quiet or output.as_json):
        from musegen.tasks.compose import draft

        made = draft(request)
    _save(made, folder, output, started)


def _save(made: Draft, folder: Path, output: _Output, started: float) -> None:
    """Write a piece and print its table."""
    from musegen.result import Composition

    piece = Composition.of(made)
    piece.save(folder, audio=output.audio, force=output.force)
    table = {
        **piece.summary,
        "time": f"{time.perf_counter() - started:.1f} s",
        "folder": str(folder),
    }
    if output.as_json:
        sys.stdout.write(json.dumps(table, ensure_ascii=False) + "\n")
    elif not output.quiet:
        _print_table(table)
        if output.verbose:
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
def harmonise(
    file: Annotated[Path, typer.Argument(help="Score of the given voices.")],
    voice: Annotated[
        str, typer.Option(help="Which voices the parts are, with commas: soprano, ... bass.")
    ] = "soprano",
    key: Annotated[str | None, typer.Option(help="Such as 'D minor'; else the score's.")] = None,
    seed: Seed = 0,
    style: StyleName = "bach",
    models: Models = "hmm,rbm,lstm",
    weight: Weights = None,
    width: Width = 32,
    temperature: Temperature = 0.0,
    plain: Plain = False,
    number: Solutions = 1,
    out: Out = Path("musegen-out"),
    force: Force = False,
    audio: Audio = True,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write the voices that are missing around a tune, a bass or any given voices.

    Example: musegen harmonise tune.musicxml --key "D minor"
    """
    options = _options(seed, style, models, weight, width, temperature, plain)
    output = _Output(force, audio, as_json, quiet)

    def solve() -> tuple[Draft, ...]:
        from musegen.io.reading import read_piece
        from musegen.tasks.harmonise import harmonise as solve_all
        from theory_kb.pitch import Key

        home = Key.parse(key) if key is not None else None
        return solve_all(read_piece(file), options, voices=voice.split(","), key=home, count=number)

    _write_solutions(solve, f"harmonise-{file.stem}", options, number, out, output)


@app.command()
def realise(
    chords: Annotated[str, typer.Argument(help="Key and Roman numerals; *2 for two beats.")],
    metre: Annotated[str, typer.Option(help="Such as 3/4.")] = "4/4",
    seed: Seed = 0,
    style: StyleName = "bach",
    models: Models = "hmm,rbm,lstm",
    weight: Weights = None,
    width: Width = 32,
    temperature: Temperature = 0.0,
    plain: Plain = False,
    number: Solutions = 1,
    out: Out = Path("musegen-out"),
    force: Force = False,
    audio: Audio = True,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write a row of chords out in four voices.

    Example: musegen realise "D minor: i iv6 V7*2 i"
    """
    options = _options(seed, style, models, weight, width, temperature, plain)
    output = _Output(force, audio, as_json, quiet)

    def solve() -> tuple[Draft, ...]:
        from musegen.tasks.realise import realise as solve_all

        return solve_all(chords, options, metre=metre, count=number)

    _write_solutions(solve, f"realise-{_plain_name(chords)}", options, number, out, output)


def _options(
    seed: int,
    style: str,
    models: str,
    weight: list[str] | None,
    width: int,
    temperature: float,
    plain: bool,
) -> Options:
    from musegen.tasks.writing import Options

    return Options(
        seed=seed,
        style=style,
        models=_model_names(models),
        weights=dict(_weight(text) for text in weight or []),
        width=width,
        temperature=temperature,
        figures=not plain,
    )


def _write_solutions(
    solve: Callable[[], tuple[Draft, ...]],
    name: str,
    options: Options,
    number: int,
    out: Path,
    output: _Output,
) -> None:
    """Solve, then write each solution into a folder of its own, best first."""
    from musegen.io.files import PIECE, check_target

    last = options.seed + number
    folders = [out / f"{name}-{place}" for place in range(options.seed, last)]
    for folder in folders:
        check_target(folder, force=output.force, own=PIECE)
    started = time.perf_counter()
    with _status("solving", quiet=output.quiet or output.as_json):
        found = solve()
    for made, folder in zip(found, folders, strict=False):
        _save(made, folder, output, started)
    if len(found) < number and not output.quiet:
        sys.stderr.write(f"musegen: {len(found)} different solutions were found\n")


def _plain_name(text: str) -> str:
    """A text as a name for a folder."""
    kept = "".join(letter if letter.isalnum() else "-" for letter in text.lower())
    return "-".join(part for part in kept.split("-") if part)[:60]


def _model_names(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text != "none" else ()


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


# --- checking -------------------------------------------------------------------------------

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


@app.command()
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
    jobs: Annotated[
        int, typer.Option("-j", "--jobs", help="Files at a time.", parser=_whole, metavar="N")
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
    options = _check_options(style, harmony, key, cantus, species)
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
) -> CheckOptions:
    from musegen.tasks.check import CheckOptions

    return CheckOptions(style, harmony, key, cantus, dict(_species(text) for text in species or []))


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
            _refuse(each.problem)
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
        yield (lambda: None), _write_out
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
                _write_out(text)

        yield (lambda: bar.advance(task)), write


def _write_out(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


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


@app.command()
def explain(
    what: Annotated[str, typer.Argument(help="A score, or the id of a rule.")],
    bar: Annotated[
        int | None, typer.Option(help="Bar; the upbeat is 0.", parser=_whole, metavar="N")
    ] = None,
    beat: Annotated[float, typer.Option(help="Beat of the bar, from 1.")] = 1.0,
    voice: Annotated[str | None, typer.Option(help="Only what concerns this voice.")] = None,
    finding: Annotated[
        int | None,
        typer.Option(help="A finding by the number that check prints.", parser=_whole, metavar="N"),
    ] = None,
    piece: Annotated[
        int | None, typer.Option(help="Which piece of the file.", parser=_whole, metavar="N")
    ] = None,
    style: StyleOption = "bach",
    harmony: HarmonyOption = None,
    key: KeyOption = None,
    cantus: CantusOption = None,
    species: SpeciesOption = None,
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
    options = _check_options(style, harmony, key, cantus, species)
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


# --- rules ----------------------------------------------------------------------------------


@rules_app.command("list")
def rules_list(
    style: Annotated[str | None, typer.Option(help="Those that are on in this style.")] = None,
    scope: Annotated[str | None, typer.Option(help="N, V, M1, M2, L3, H2, P or W.")] = None,
    level: Annotated[str | None, typer.Option(help="surface or harmonic.")] = None,
    severity: Annotated[str | None, typer.Option(help="E, W, I or -.")] = None,
    needs: Annotated[str | None, typer.Option(help="What must be known, as harmony.")] = None,
    search: Annotated[str, typer.Option(help="Words that it must say.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the rules, all or those that fit.

    Example: musegen rules list --style strict --severity E --search fifth
    """
    from musegen.tasks.rules import RuleFilter, rule_record, select_rules

    found = select_rules(RuleFilter(style, scope, level, severity, needs, search))
    if as_json:
        records = [rule_record(each.id) for each in found]
        sys.stdout.write(json.dumps(records, ensure_ascii=False, indent=1) + "\n")
        return
    for each in found:
        letters = " ".join(each.severity.values())
        sys.stdout.write(f"{each.id:<32} {letters}  {each.scope:<2}  {each.name}\n")
    sys.stderr.write(f"{len(found)} rule{'' if len(found) == 1 else 's'}\n")


@rules_app.command("show")
def rules_show(
    name: Annotated[str, typer.Argument(help="Id of the rule.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a rule: what it says and why, exceptions, parameters, sources, examples.

    Example: musegen rules show parallel-fifth
    """
    from musegen.tasks.rules import rule_lines, rule_record

    if as_json:
        record = rule_record(name)
        sys.stdout.write(json.dumps(record, ensure_ascii=False, indent=1) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in rule_lines(name))


@rules_app.command("schema")
def rules_schema() -> None:
    """Print the JSON Schema of a style file, for editors and for one's own programs.

    Example: musegen rules schema > style.schema.json
    """
    from theory_kb.rules.styles import style_schema

    sys.stdout.write(json.dumps(style_schema(), ensure_ascii=False, indent=1) + "\n")


# --- the knowledge base ---------------------------------------------------------------------

AS_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@kb_app.command("stats")
def kb_stats(as_json: AS_JSON = False) -> None:
    """Count what the graph holds: nodes by kind, edges by relation.

    Example: musegen kb stats
    """
    from theory_kb.graph import statistics

    found = statistics()
    if as_json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    else:
        for part, counts in found.items():
            _print_table({f"{part}, {name}": str(count) for name, count in counts.items()})


@kb_app.command("show")
def kb_show(
    node: Annotated[str, typer.Argument(help="Such as rule:parallel-fifth or cad-pac.")],
    as_json: AS_JSON = False,
) -> None:
    """Show what is known of a node: its attributes and every statement about it.

    Example: musegen kb show rule:parallel-fifth
    """
    from theory_kb.graph import describe, find_node

    _print_lines(describe(find_node(node)), as_json=as_json)


@kb_app.command("path")
def kb_path(
    start: Annotated[str, typer.Argument(help="A node.")],
    goal: Annotated[str, typer.Argument(help="Another.")],
    as_json: AS_JSON = False,
) -> None:
    """Show a shortest chain of statements from one node to another.

    Example: musegen kb path schema:prinner cadence:cad-pac
    """
    from theory_kb.graph import find_node, path_between
    from theory_kb.statements import edge_text

    chain = path_between(find_node(start), find_node(goal))
    _print_lines([edge_text(edge) for edge in chain], as_json=as_json)


def _print_lines(lines: list[str], *, as_json: bool) -> None:
    text = json.dumps(lines, ensure_ascii=False) if as_json else "\n".join(lines)
    sys.stdout.write(f"{text}\n")


@kb_app.command("export")
def kb_export(
    file: Annotated[Path, typer.Argument(help="File to write.")],
    form: Annotated[str, typer.Option("--format", help="graphml or turtle.")] = "graphml",
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Write the stored graph for other tools, as GraphML or as RDF in Turtle.

    Example: musegen kb export --format turtle theory.ttl
    """
    from musegen.errors import OptionError
    from musegen.io.files import write_file
    from theory_kb.exports import export

    if file.exists() and not force:
        raise OptionError("file", str(file), "a new file, or --force to overwrite")
    write_file(file, export(form))


def _add_questions() -> None:
    """One command a question, with its arguments."""
    from theory_kb.questions import QUESTIONS

    for each in QUESTIONS:
        text = f"{each.help}\n\nExample: musegen kb ask {each.name} {each.example}"
        ask_app.command(each.name, help=text)(_asking(each))


def _asking(question: Question) -> Callable[..., None]:
    """A function that typer reads the question's arguments from."""

    def command(**given: Any) -> None:
        from musegen.knowledge import ask_with_files
        from theory_kb.answers import as_json, render

        wanted = given.pop("as_json")
        found = ask_with_files(question.name, given)
        text = json.dumps(as_json(found), ensure_ascii=False) if wanted else render(found)
        sys.stdout.write(f"{text}\n")

    parameters = [
        Parameter(
            argument.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if argument.default is None else argument.default,
            annotation=Annotated[str, typer.Argument(help=argument.help)],
        )
        for argument in question.arguments
    ]
    parameters.append(
        Parameter("as_json", Parameter.KEYWORD_ONLY, default=False, annotation=AS_JSON)
    )
    vars(command)["__signature__"] = Signature(parameters)
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command


_add_questions()
