"""The command line: every command by name, exit codes, refusals. No algorithm."""

from __future__ import annotations

import sys

import typer

from commands import checking, lookup, training, writing
from commands.shared import EXIT_ERRORS, EXIT_INTERRUPTED, EXIT_REFUSED, refuse

__all__ = ["EXIT_ERRORS", "EXIT_INTERRUPTED", "EXIT_REFUSED", "app", "main"]

app = typer.Typer(
    help="Compose symbolic music under the laws of music theory.\n\n"
    "Example: musegen compose --key 'D minor' --seed 7",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for commands in (writing, checking, training, lookup):
    commands.register(app)


def main() -> None:
    """Run the command line; every refusal is one line and exit code 2."""
    from musegen.errors import MusegenError

    try:
        code = app(standalone_mode=False)
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
