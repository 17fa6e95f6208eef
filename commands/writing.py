"""Commands that write music: each ends in a folder with score, MIDI, picture, audio, explanation."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.shared import Force, Quiet, print_table, status, whole, with_options

if TYPE_CHECKING:
    from musegen.result import Composition
    from musegen.tasks.compose import Request
    from musegen.tasks.writing import Draft, Options

__all__ = ["register"]

MOST_PIECES = 10_000


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (compose, harmonise, realise):
        app.command()(with_options(command))


# --- options that come in groups ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proposals:
    """Who proposes notes, and by which rules they are judged."""

    style: Annotated[
        str, typer.Option("--style", help="Style, or the path of a style (.toml).")
    ] = "bach"
    models: Annotated[str, typer.Option(help="Proposers, with commas; or none.")] = "hmm,rbm,lstm"
    weight: Annotated[list[str] | None, typer.Option(help="As lstm=0.5; repeatable.")] = None
    width: Annotated[
        int, typer.Option(help="Hypotheses of the beam.", parser=whole, metavar="N")
    ] = 32

    @property
    def arguments(self) -> dict[str, Any]:
        """As the writing tasks take them."""
        return {
            "style": self.style,
            "models": tuple(self.models.split(",")) if self.models != "none" else (),
            "weights": dict(_weight(text) for text in self.weight or []),
            "width": self.width,
        }


@dataclass(frozen=True, slots=True)
class Solving:
    """Which solutions of a task, and how many."""

    seed: Annotated[int, typer.Option(help="Of the first solution.", parser=whole, metavar="N")] = 0
    temperature: Annotated[float, typer.Option(help="0: the best; 1: a draw.")] = 0.0
    plain: Annotated[bool, typer.Option("--plain", help="No passing tones or ornaments.")] = False
    number: Annotated[
        int, typer.Option("-n", "--number", help="Different solutions.", parser=whole, metavar="N")
    ] = 1

    def options(self, proposals: Proposals) -> Options:
        """How the task is to be solved."""
        from musegen.tasks.writing import Options

        return Options(
            seed=self.seed,
            temperature=self.temperature,
            figures=not self.plain,
            **proposals.arguments,
        )


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a piece goes, and what is said of it."""

    out: Annotated[Path, typer.Option(help="Folder for the pieces.")] = Path("musegen-out")
    force: Force = False
    audio: Annotated[bool, typer.Option("--audio/--no-audio", help="Write score.wav.")] = True
    as_json: Annotated[bool, typer.Option("--json", help="Print the table as JSON.")] = False
    quiet: Quiet = False


def _weight(text: str) -> tuple[str, float]:
    from musegen.errors import OptionError

    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise OptionError("--weight", text, "a model and a number, such as lstm=0.5") from None


# --- the commands ---------------------------------------------------------------------------


def compose(
    proposals: Proposals,
    delivery: Delivery,
    form: Annotated[str, typer.Option(help="Form, or the path of a template (.toml).")] = "chorale",
    key: Annotated[
        str | None, typer.Option(help="Such as 'D minor' or Bb; else the seed's.")
    ] = None,
    metre: Annotated[str | None, typer.Option(help="Such as 3/4; else the form's first.")] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Else the first not yet in --out.", parser=whole, metavar="N"),
    ] = None,
    number: Annotated[
        int,
        typer.Option(
            "-n", "--number", help="Pieces, seeds counting up.", parser=whole, metavar="N"
        ),
    ] = 1,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also print findings.")] = False,
) -> None:
    """Compose a piece: score, MIDI, picture, audio and explanation in a folder.

    Example: musegen compose --form chorale --key "D minor" --seed 7
    """
    from musegen.errors import OptionError
    from musegen.tasks.compose import Request

    if not 1 <= number <= MOST_PIECES:
        raise OptionError("-n", number, f"from 1 to {MOST_PIECES}")
    asked = Request(form=form, key=key, metre=metre, **proposals.arguments)
    first = _free_seed(asked, delivery) if seed is None else seed
    for chosen in range(first, first + number):
        _compose_one(_with_seed(asked, chosen), delivery, verbose=verbose)


def _with_seed(asked: Request, seed: int) -> Request:
    from dataclasses import replace

    return replace(asked, seed=seed)


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


def _free_seed(asked: Request, delivery: Delivery) -> int:
    """The first seed whose folder is not there yet; with --force the first of all."""
    seed = 0
    while not delivery.force and (delivery.out / _folder_name(_with_seed(asked, seed))).exists():
        seed += 1
    return seed


def _compose_one(request: Request, delivery: Delivery, *, verbose: bool) -> None:
    from musegen.io.files import PIECE, check_target

    folder = delivery.out / _folder_name(request)
    check_target(folder, force=delivery.force, own=PIECE)
    started = time.perf_counter()
    with status("composing", quiet=delivery.quiet or delivery.as_json):
        from musegen.tasks.compose import draft

        made = draft(request)
    _save(made, folder, delivery, started, verbose=verbose)


def harmonise(
    file: Annotated[Path, typer.Argument(help="Score of the given voices.")],
    proposals: Proposals,
    solving: Solving,
    delivery: Delivery,
    voice: Annotated[
        str, typer.Option(help="Which voices the parts are, with commas: soprano, ... bass.")
    ] = "soprano",
    key: Annotated[str | None, typer.Option(help="Such as 'D minor'; else the score's.")] = None,
) -> None:
    """Write the voices that are missing around a tune, a bass or any given voices.

    Example: musegen harmonise tune.musicxml --key "D minor"
    """
    options = solving.options(proposals)

    def solve() -> tuple[Draft, ...]:
        from musegen.io.reading import read_piece
        from musegen.tasks.harmonise import harmonise as solve_all
        from theory_kb.pitch import Key

        home = Key.parse(key) if key is not None else None
        score = read_piece(file)
        return solve_all(score, options, voices=voice.split(","), key=home, count=solving.number)

    _write_solutions(solve, f"harmonise-{file.stem}", solving, delivery)


def realise(
    chords: Annotated[str, typer.Argument(help="Key and Roman numerals; *2 for two beats.")],
    proposals: Proposals,
    solving: Solving,
    delivery: Delivery,
    metre: Annotated[str, typer.Option(help="Such as 3/4.")] = "4/4",
) -> None:
    """Write a row of chords out in four voices.

    Example: musegen realise "D minor: i iv6 V7*2 i"
    """
    options = solving.options(proposals)

    def solve() -> tuple[Draft, ...]:
        from musegen.tasks.realise import realise as solve_all

        return solve_all(chords, options, metre=metre, count=solving.number)

    _write_solutions(solve, f"realise-{_plain_name(chords)}", solving, delivery)


# --- what comes of them ---------------------------------------------------------------------


def _write_solutions(
    solve: Callable[[], tuple[Draft, ...]], name: str, solving: Solving, delivery: Delivery
) -> None:
    """Solve, then write each solution into a folder of its own, best first."""
    from musegen.io.files import PIECE, check_target

    places = range(solving.seed, solving.seed + solving.number)
    folders = [delivery.out / f"{name}-{place}" for place in places]
    for folder in folders:
        check_target(folder, force=delivery.force, own=PIECE)
    started = time.perf_counter()
    with status("solving", quiet=delivery.quiet or delivery.as_json):
        found = solve()
    for made, folder in zip(found, folders, strict=False):
        _save(made, folder, delivery, started)
    if len(found) < solving.number and not delivery.quiet:
        sys.stderr.write(f"musegen: {len(found)} different solutions were found\n")


def _save(
    made: Draft, folder: Path, delivery: Delivery, started: float, *, verbose: bool = False
) -> None:
    """Write a piece and print its table."""
    from musegen.result import Composition

    piece = Composition.of(made)
    piece.save(folder, audio=delivery.audio, force=delivery.force)
    table = {
        **piece.summary,
        "time": f"{time.perf_counter() - started:.1f} s",
        "folder": str(folder),
    }
    if delivery.as_json:
        sys.stdout.write(json.dumps(table, ensure_ascii=False) + "\n")
    elif not delivery.quiet:
        print_table(table)
        if verbose:
            _print_findings(piece)


def _print_findings(piece: Composition) -> None:
    for finding in piece.findings:
        place = f"bar {finding.bar}, beat {finding.beat:g}"
        sys.stdout.write(f"{finding.severity} {place}: {finding.message} [{finding.rule}]\n")


def _plain_name(text: str) -> str:
    """A text as a name for a folder."""
    kept = "".join(letter if letter.isalnum() else "-" for letter in text.lower())
    return "-".join(part for part in kept.split("-") if part)[:60]
