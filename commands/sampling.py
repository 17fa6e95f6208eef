"""The command that lets stored models write by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.shared import Force, Quiet, progress, whole, write_out

if TYPE_CHECKING:
    from musegen.tasks.sample import Line, Toward

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(sample)


def sample(
    weights: Annotated[Path, typer.Argument(help="Weights that `musegen train` wrote.")],
    number: Annotated[
        int, typer.Option("-n", "--number", help="How many.", parser=whole, metavar="N")
    ] = 4,
    seed: Annotated[int, typer.Option(help="Of what is drawn.", parser=whole, metavar="N")] = 0,
    length: Annotated[
        int | None, typer.Option(help="Frames of a roll; 64.", parser=whole, metavar="N")
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(help="Rolls keep the hard rules of this style, in a chorale's plan."),
    ] = None,
    particles: Annotated[
        int | None,
        typer.Option(
            help="With --style; more are nearer to the model; 32.", parser=whole, metavar="N"
        ),
    ] = None,
    key: Annotated[
        str, typer.Option(help="Of melodies, bars, and rolls with --style.")
    ] = "C major",
    temperature: Annotated[float, typer.Option(help="Of melodies.")] = 1.0,
    start: Annotated[
        Path | None, typer.Option("--from", help="Score of a melody to begin from.")
    ] = None,
    to: Annotated[Path | None, typer.Option(help="Score of the melody to arrive at.")] = None,
    more: Annotated[
        str | None, typer.Option(help="Of notes, height, compass or rise, from step to step.")
    ] = None,
    less: Annotated[str | None, typer.Option(help="The same, with less of it.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the scores.")] = Path("musegen-samples"),
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Let a stored model write by itself, without rules or under those of a style: MusicXML and MIDI.

    Example: musegen sample my-weights/melody-vae.safetensors -n 4
    """
    from musegen.io.files import check_target, write_files
    from musegen.io.midi import write_midi
    from musegen.io.musicxml import write_musicxml
    from musegen.tasks.sample import Sampling, samples

    check_target(out, force=force, own=OWN)
    along = _along(start, to, more, less)
    wanted = Sampling(number, seed, length, key, temperature, along, style, particles)
    contents: dict[str, bytes] = {}
    with progress("drawing", quiet=quiet) as advance:
        for done, score in enumerate(samples(weights, wanted), 1):
            contents[f"{done:04}.musicxml"] = write_musicxml(score)
            contents[f"{done:04}.mid"] = write_midi(score)
            advance(done, number)
    write_files(out, contents, force=force, own=OWN)
    if not quiet:
        write_out(f"{out}\n")


OWN = ("*.musicxml", "*.mid")


def _along(
    start: Path | None, to: Path | None, more: str | None, less: str | None
) -> Line | Toward | None:
    """The way that melodies take, if they are not drawn."""
    from corpora.segments import soprano_segments
    from musegen.errors import OptionError
    from musegen.io.reading import read_piece
    from musegen.tasks.sample import Line, Toward

    ways = [way for way in (to, more, less) if way is not None]
    if start is None and not ways:
        return None
    if start is None or len(ways) != 1:
        given = ", ".join(str(way) for way in ways) or "none"
        raise OptionError("--to, --more, --less", given, "one of them, with --from")
    first = read_piece(start)
    if to is not None:
        return Line(first, read_piece(to))
    with progress("reading the corpus") as advance:
        segments, _ = soprano_segments("train", progress=advance)
    toward = Toward(first, str(ways[0]), segments)
    return toward if less is None else Toward(first, less, segments, -toward.most)
