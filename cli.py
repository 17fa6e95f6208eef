"""The command line: every command by name, exit codes, refusals. No algorithm."""

from __future__ import annotations

import sys

import typer

from commands import (
    analysing,
    checking,
    comparing,
    counterpoint,
    editing,
    exercise,
    exporting,
    forms,
    lookup,
    rewriting,
    sampling,
    training,
    writing,
)
from commands.shared import EXIT_ERRORS, EXIT_INTERRUPTED, EXIT_REFUSED, refuse, refuse_explained

__all__ = ["EXIT_ERRORS", "EXIT_INTERRUPTED", "EXIT_REFUSED", "app", "main"]

app = typer.Typer(
    help="Compose symbolic music under the laws of music theory.\n\n"
    "Example: musegen compose --key 'D minor' --seed 7",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for commands in (
    writing,
    rewriting,
    editing,
    counterpoint,
    checking,
    analysing,
    exercise,
    exporting,
    training,
    sampling,
    comparing,
    lookup,
    forms,
):
    commands.register(app)


def main() -> None:
    """Run the command line; every refusal is exit code 2 and one line, or one a fact if it has several."""
    from musegen.errors import DeadEndError, InfeasibleError, MusegenError

    try:
        try:
            code = app(standalone_mode=False)
        except (DeadEndError, InfeasibleError) as error:
            code = refuse_explained(error)
    except MusegenError as error:
        code = refuse(str(error))
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
    return refuse(text)
