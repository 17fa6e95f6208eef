"""The command that writes species counterpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.shared import whole, with_options
from commands.writing import Delivery, plain_name, write_solutions

if TYPE_CHECKING:
    from musegen.score import Score
    from musegen.written import Written

__all__ = ["register"]

CANTUS_VOICES = {"bass": "above", "top": "below", "middle": "around"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_options(counterpoint))


def counterpoint(
    cantus: Annotated[
        str, typer.Argument(help="Score of one voice, a name such as fux-dorian, or notes.")
    ],
    delivery: Delivery,
    species: Annotated[
        str, typer.Option(help="1 to 5; in three voices also two numbers, high to low: 1,3.")
    ] = "1",
    voices: Annotated[
        int, typer.Option(help="2 or 3, the cantus included.", parser=whole, metavar="N")
    ] = 2,
    above: Annotated[
        bool | None, typer.Option("--above/--below", help="Where the counterpoint lies: above.")
    ] = None,
    cantus_voice: Annotated[
        str | None, typer.Option(help="Or where the cantus lies: bass, middle or top.")
    ] = None,
    mode: Annotated[
        str | None, typer.Option(help="Church mode, major or minor; else found.")
    ] = None,
    style: Annotated[
        str | None, typer.Option(help="Style, or the path of a style (.toml); else fux2 or fux3.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the first.", parser=whole, metavar="N")] = 0,
    temperature: Annotated[float, typer.Option(help="0: the best; 0.4: a draw.")] = 0.0,
    width: Annotated[
        int, typer.Option(help="Hypotheses of the beam.", parser=whole, metavar="N")
    ] = 64,
    number: Annotated[
        int, typer.Option("-n", "--number", help="Different ones.", parser=whole, metavar="N")
    ] = 1,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also print findings.")] = False,
) -> None:
    """Write counterpoint in Fux's species against a cantus firmus, in two voices or three.

    Example: musegen counterpoint fux-dorian --species 3 --below
    """
    position = _position(above, cantus_voice)
    name = f"counterpoint-{plain_name(Path(cantus).stem)}-{species.replace(',', '-')}-{position}"
    numbers = _species(species)

    def solve() -> Sequence[Written]:
        from musegen.species.result import Counterpoint
        from musegen.tasks.counterpoint import CounterpointOptions
        from musegen.tasks.counterpoint import counterpoint as write_all

        options = CounterpointOptions(seed=seed, style=style, width=width, temperature=temperature)
        found = write_all(
            _cantus(cantus),
            options,
            species=numbers,
            voices=voices,
            position=position,
            mode=mode,
            count=number,
        )
        return [Counterpoint(made) for made in found]

    write_solutions(solve, name, (seed, number), delivery, verbose=verbose)


def _position(above: bool | None, cantus_voice: str | None) -> str:
    from musegen.errors import OptionError

    if cantus_voice is None:
        return "below" if above is False else "above"
    if above is not None:
        raise OptionError("--cantus-voice", cantus_voice, "left out beside --above or --below")
    if cantus_voice not in CANTUS_VOICES:
        raise OptionError("--cantus-voice", cantus_voice, f"one of {', '.join(CANTUS_VOICES)}")
    return CANTUS_VOICES[cantus_voice]


def _species(text: str) -> tuple[int, ...]:
    from musegen.errors import OptionError

    parts = text.split(",")
    if not all(part.strip().isdigit() for part in parts):
        raise OptionError("--species", text, "a number from 1 to 5, or two with a comma")
    return tuple(int(part) for part in parts)


def _cantus(text: str) -> Score | str:
    """The cantus as the task takes it: what names a file is read."""
    path = Path(text)
    if not (path.suffix or path.exists()):
        return text
    from dataclasses import replace

    from musegen.io.reading import read_piece

    return replace(read_piece(path), title=path.name)
