"""The command that edits a piece in its folder, where every version is kept."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.shared import AsJson, Quiet, json_refusals, print_rows, status, whole, with_options
from commands.writing import Proposals

if TYPE_CHECKING:
    from musegen.versions import History

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_options(edit))


def edit(
    folder: Annotated[Path, typer.Argument(help="Folder of a piece that compose wrote.")],
    proposals: Proposals,
    regenerate: Annotated[
        str | None, typer.Option(help="What is written anew: bars=5-8, alto, alto:5-8.")
    ] = None,
    lock: Annotated[
        list[str] | None,
        typer.Option(help="Notes that stay: soprano, bars=1-2, alto:3-4, soprano:3.2; repeatable."),
    ] = None,
    keep_harmony: Annotated[
        bool, typer.Option("--keep-harmony", help="Each chord stays what it is.")
    ] = False,
    number: Annotated[
        int, typer.Option("-n", "--number", help="Alternatives.", parser=whole, metavar="N")
    ] = 1,
    seed: Annotated[
        int | None,
        typer.Option(help="Of the draws; else how many versions there are.", parser=whole),
    ] = None,
    diff: Annotated[
        tuple[int, int] | None, typer.Option(help="Print how two versions differ.")
    ] = None,
    use: Annotated[
        int | None, typer.Option(help="Make a version the current one.", parser=whole)
    ] = None,
    audio: Annotated[bool, typer.Option("--audio/--no-audio", help="Write score.wav.")] = True,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write part of a piece anew in its folder; every version is kept. Alone: list the versions.

    Example: musegen edit musegen-out/chorale-seed-0 --regenerate bars=5-8 --lock soprano -n 3
    """
    from musegen.versions import open_history, use_version

    _check_one({"--regenerate": regenerate, "--diff": diff, "--use": use})
    if diff is not None:
        from musegen.tasks.edit import version_diff

        sys.stdout.write(version_diff(folder, *diff))
        return
    history = open_history(folder)
    if regenerate is not None:
        from musegen.tasks.edit import Edit
        from musegen.tasks.edit import edit as write
        from musegen.tasks.writing import Options

        asked = Edit(regenerate, tuple(lock or ()), keep_harmony, number)
        first = len(history.versions) if seed is None else seed
        with json_refusals(as_json), status("writing anew", quiet=quiet or as_json):
            options = Options(seed=first, **proposals.arguments)
            history, found = write(folder, asked, options, audio=audio)
        if len(found) < number and not quiet:
            sys.stderr.write(f"musegen: {len(found)} alternatives were found\n")
    elif use is not None:
        history = use_version(history, use)
    _tell(history, as_json=as_json, quiet=quiet)


def _check_one(given: dict[str, object]) -> None:
    """Raise OptionError where several things are asked for at once."""
    from musegen.errors import OptionError

    asked = [name for name, value in given.items() if value is not None]
    if len(asked) > 1:
        raise OptionError(asked[1], given[asked[1]], f"left out beside {asked[0]}")


def _tell(history: History, *, as_json: bool, quiet: bool) -> None:
    """The versions, the current one marked."""
    rows = [
        {
            "version": each.number,
            "current": "*" if each.number == history.current else "",
            "from": each.parent or "-",
            "how": each.how,
            "rank": each.measures.get("rank", "-"),
            "score (nats)": each.measures.get("score", "-"),
            "differs": _share(each.measures.get("differs")),
            **{mark: each.measures.get(mark, "-") for mark in "EWI"},
        }
        for each in history.versions
    ]
    if as_json:
        sys.stdout.write(json.dumps(rows, ensure_ascii=False) + "\n")
    elif not quiet:
        print_rows(rows)


def _share(value: object) -> str:
    return f"{value:.0%}" if isinstance(value, float) else "-"
