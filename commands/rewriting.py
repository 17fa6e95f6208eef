"""Commands that write some notes of a given piece anew; every other note stays as it is."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.shared import json_refusals, print_rows, status, whole, with_options
from commands.writing import (
    NEARER,
    Delivery,
    Proposals,
    Searching,
    Solving,
    solution_folders,
    write_solutions,
)

if TYPE_CHECKING:
    from musegen.score import Score
    from musegen.tasks.locks import Locks
    from musegen.tasks.vary import Alternative
    from musegen.written import Written

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (infill, vary):
        app.command()(with_options(command))


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a piece stays."""

    lock: Annotated[
        list[str] | None,
        typer.Option(help="Notes that stay: soprano, bars=1-2, alto:3-4, soprano:3.2; repeatable."),
    ] = None
    keep_harmony: Annotated[
        bool, typer.Option("--keep-harmony", help="Each chord stays what it is.")
    ] = False
    key: Annotated[str | None, typer.Option(help="Such as 'D minor'; else the score's.")] = None

    def locks(self, score: Score) -> Locks:
        """The locked notes of a piece."""
        from musegen.plan.window import voice_names
        from musegen.tasks.locks import parse_locks

        return parse_locks(self.lock or [], voice_names(score))

    def read(self, file: Path) -> Score:
        """The piece of a file, in the key that is stated."""
        from musegen.io.reading import read_piece
        from theory_kb.pitch import Key

        score = read_piece(file)
        return score if self.key is None else replace(score, key=Key.parse(self.key))


def infill(
    file: Annotated[Path, typer.Argument(help="Score of two to five voices.")],
    standing: Standing,
    proposals: Proposals,
    searching: Searching,
    solving: Solving,
    delivery: Delivery,
    voices: Annotated[str, typer.Option(help="Which are rewritten, with commas.")],
    bars: Annotated[
        str | None, typer.Option(help="As 3-4, an upbeat is bar 0; else the whole piece.")
    ] = None,
) -> None:
    """Write some voices of some bars anew; the rest of the file stays, byte for byte.

    Example: musegen infill score.musicxml --bars 3-4 --voices alto,tenor
    """
    from musegen.tasks.locks import parse_bars

    options = solving.options(proposals, searching)
    span = None if bars is None else parse_bars(bars)

    def solve() -> Sequence[Written]:
        from musegen.rewritten import Rewritten
        from musegen.tasks.infill import infill as solve_all

        score = standing.read(file)
        found = solve_all(
            score,
            options,
            voices=voices.split(","),
            bars=span,
            locks=standing.locks(score),
            keep_harmony=standing.keep_harmony,
            count=solving.number,
        )
        return [Rewritten(made, score, file) for made in found]

    write_solutions(solve, f"infill-{file.stem}", solving.numbers, delivery, more=NEARER)


def vary(
    file: Annotated[Path, typer.Argument(help="Score of two to five voices.")],
    standing: Standing,
    proposals: Proposals,
    delivery: Delivery,
    bars: Annotated[
        str | None, typer.Option(help="As 3-4, an upbeat is bar 0; else the whole piece.")
    ] = None,
    keep: Annotated[str | None, typer.Option(help="Voices that stay, with commas.")] = None,
    voices: Annotated[
        str | None, typer.Option(help="Voices that may change, with commas; else all but --keep.")
    ] = None,
    number: Annotated[
        int, typer.Option("-n", "--number", help="Alternatives.", parser=whole, metavar="N")
    ] = 3,
    seed: Annotated[int, typer.Option(help="Of the first draw.", parser=whole, metavar="N")] = 0,
) -> None:
    """Write ranked alternatives to a piece or to some bars of it.

    Example: musegen vary score.musicxml --bars 3-4 --keep soprano,bass -n 5
    """
    from musegen.tasks.locks import parse_bars
    from musegen.tasks.writing import Options

    span = None if bars is None else parse_bars(bars)
    options = Options(seed=seed, **proposals.arguments)
    folders = solution_folders(f"vary-{file.stem}", (1, number), delivery)
    started = time.perf_counter()
    quiet = delivery.quiet or delivery.as_json
    with json_refusals(delivery.as_json), status("varying", quiet=quiet):
        from musegen.rewritten import Rewritten
        from musegen.tasks.vary import vary as solve

        score = standing.read(file)
        found = solve(
            score,
            options,
            keep=_kept(keep, voices, score),
            bars=span,
            locks=standing.locks(score),
            keep_harmony=standing.keep_harmony,
            count=number,
        )
    for each, folder in zip(found, folders, strict=False):
        result = Rewritten(each.draft, score, file)
        result.save(folder, audio=delivery.audio, force=delivery.force)
    _tell(found, folders, delivery, time.perf_counter() - started)


def _kept(keep: str | None, voices: str | None, score: Score) -> Sequence[str]:
    """Names of the voices that stay."""
    from musegen.errors import OptionError
    from musegen.plan.window import voice_names
    from musegen.tasks.locks import parse_voices

    if keep is not None and voices is not None:
        raise OptionError("--voices", voices, "left out where --keep is given")
    if voices is None:
        return keep.split(",") if keep is not None else ()
    names = voice_names(score)
    asked = parse_voices(voices, names)
    return [name for voice, name in enumerate(names) if voice not in asked]


# --- what comes of them ---------------------------------------------------------------------


def _tell(
    found: Sequence[Alternative], folders: Sequence[Path], delivery: Delivery, seconds: float
) -> None:
    """The table of alternatives, best first."""
    rows = [
        {
            "rank": rank,
            "score (nats)": round(each.score, 2),
            "differs from the piece": f"{each.distance:.0%}",
            "from those above": f"{each.apart:.0%}" if rank > 1 else "-",
            **{mark: each.draft.report.count(mark) for mark in "EWI"},
            "folder": str(folder),
        }
        for rank, (each, folder) in enumerate(zip(found, folders, strict=False), 1)
    ]
    if delivery.as_json:
        sys.stdout.write(json.dumps(rows, ensure_ascii=False) + "\n")
    elif not delivery.quiet:
        print_rows(rows)
        sys.stdout.write(f"{seconds:.1f} s; shares are of the notes in the window\n")
    if len(found) < len(folders) and not delivery.quiet:
        sys.stderr.write(f"musegen: {len(found)} alternatives were found\n")
