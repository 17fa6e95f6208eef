"""What commands share: exit codes, options, tables, progress, and what is said on refusal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from musegen.errors import DeadEndError, InfeasibleError

__all__ = [
    "EXIT_ERRORS",
    "EXIT_INTERRUPTED",
    "EXIT_REFUSED",
    "AsJson",
    "Force",
    "Quiet",
    "group",
    "json_refusals",
    "print_rows",
    "print_table",
    "progress",
    "refuse",
    "refuse_explained",
    "status",
    "whole",
    "with_options",
    "write_out",
]

EXIT_ERRORS = 1  # a checked score has an error
EXIT_REFUSED = 2  # the request cannot be met; the message says what is allowed
EXIT_INTERRUPTED = 130  # Ctrl-C

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")]


def group(text: str) -> typer.Typer:
    """A command that has commands; without one it shows its help."""
    return typer.Typer(help=text, no_args_is_help=True, rich_markup_mode=None)


def whole(text: str) -> int:
    """A whole number as typed.

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no whole number") from None


def refuse(message: str) -> int:
    """Say in one line what cannot be done; the exit code for it."""
    sys.stderr.write(f"musegen: {' '.join(message.split())}\n")
    return EXIT_REFUSED


def refuse_explained(error: DeadEndError | InfeasibleError) -> int:
    """Say why there is no solution, what cannot hold together and what to do, a fact a line."""
    refuse(str(error))
    with status("looking for what stands in the way", quiet=False):
        explanation = error.explanation
    for line in () if explanation is None else explanation.lines:
        refuse(line)
    return EXIT_REFUSED


@contextmanager
def json_refusals(as_json: bool) -> Iterator[None]:
    """Where JSON is asked for, print why there is no solution as an object, and refuse."""
    from musegen.errors import DeadEndError, InfeasibleError

    try:
        yield
    except (DeadEndError, InfeasibleError) as error:
        if as_json:
            why = {} if error.explanation is None else error.explanation.as_json()
            write_out(json.dumps({"error": str(error), **why}, ensure_ascii=False) + "\n")
        raise


# --- options that come in groups ------------------------------------------------------------


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Let typer read the fields of each argument that is a dataclass as options of the command.

    What several commands take is written once, as a frozen dataclass of annotated fields with
    defaults; a command names it as the type of an argument and gets the value.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}
    own = signature(command).parameters
    parameters = [
        parameter.replace(annotation=hints[name], kind=Parameter.KEYWORD_ONLY)
        for name, parameter in own.items()
        if name not in groups
    ]
    parameters += [each for kind in groups.values() for each in _fields_of(kind)]

    @wraps(command)
    def taken(**given: Any) -> None:
        values = {
            name: kind(**{each.name: given.pop(each.name) for each in fields(kind)})
            for name, kind in groups.items()
        }
        command(**given, **values)

    vars(taken)["__signature__"] = Signature(parameters)
    taken.__annotations__ = {each.name: each.annotation for each in parameters}
    return taken


def _fields_of(kind: Any) -> list[Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    return [
        Parameter(
            each.name, Parameter.KEYWORD_ONLY, default=_default(each), annotation=hints[each.name]
        )
        for each in fields(kind)
    ]


def _default(each: Field[Any]) -> Any:
    return Parameter.empty if each.default is MISSING else each.default


# --- what is said ---------------------------------------------------------------------------


def write_out(text: str) -> None:
    """Write text to the standard output at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def print_table(table: dict[str, str]) -> None:
    """Print names and values in two columns."""
    from rich.console import Console
    from rich.table import Table

    grid = Table(show_header=False, box=None, pad_edge=False)
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in table.items():
        grid.add_row(name, value)
    Console().print(grid)


def print_rows(rows: Sequence[Mapping[str, object]]) -> None:
    """Print values in columns under their names."""
    from rich.console import Console
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        grid.add_column(name, overflow="fold")
    for row in rows:
        grid.add_row(*map(str, row.values()))
    Console().print(grid)


@contextmanager
def status(text: str, *, quiet: bool) -> Iterator[None]:
    """Say what goes on while it does, where somebody looks on."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(text):
        yield


@contextmanager
def progress(text: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A bar; what is yielded takes how much is done, and of how much."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True, quiet=quiet), transient=True) as bar:
        task = bar.add_task(text, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
