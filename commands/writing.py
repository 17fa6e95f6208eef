"""Commands that write music: each ends in a folder with score, MIDI, picture, audio, explanation."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.forms import Shaping
from commands.shared import Force, Quiet, json_refusals, print_table, status, whole, with_options

if TYPE_CHECKING:
    from musegen.io.pieces import Reading
    from musegen.score import Score
    from musegen.tasks.compose_form import FormRequest
    from musegen.tasks.writing import Options
    from musegen.written import Written

__all__ = [
    "NEARER",
    "Delivery",
    "Proposals",
    "Searching",
    "Solving",
    "plain_name",
    "register",
    "solution_folders",
    "write_solutions",
]

MOST_PIECES = 10_000
SAMPLE_TEMPERATURE = 1.0  # as the models find notes likely
NEARER = "; a smaller --distance may leave more"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (compose, harmonise, realise):
        app.command()(with_options(command))


# --- options that come in groups ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proposals:
    """Who proposes notes, and by which rules they are judged."""

    style: Annotated[str, typer.Option("--style", help="Style, or the path of one (.toml).")] = (
        "bach"
    )
    models: Annotated[
        str, typer.Option(help="Proposers or their weights, with commas; or none.")
    ] = "hmm,rbm,lstm"
    weight: Annotated[list[str] | None, typer.Option(help="As lstm=0.5; repeatable.")] = None

    @property
    def arguments(self) -> dict[str, Any]:
        """As the writing tasks take them."""
        return {
            "style": self.style,
            "models": tuple(self.models.split(",")) if self.models != "none" else (),
            "weights": dict(_weight(text) for text in self.weight or []),
        }


@dataclass(frozen=True, slots=True)
class Searching:
    """How solutions are searched for."""

    strategy: Annotated[str, typer.Option(help="beam, exact or sample.")] = "beam"
    width: Annotated[
        int, typer.Option(help="Hypotheses of the beam.", parser=whole, metavar="N")
    ] = 32
    temperature: Annotated[
        float | None, typer.Option(help="0: the best; 1: a draw. Else the command's.")
    ] = None
    top_k: Annotated[
        int | None,
        typer.Option(help="A sample chooses among so many.", parser=whole, metavar="N"),
    ] = None
    top_p: Annotated[float, typer.Option(help="A sample chooses among this share.")] = 1.0
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds of search; beams widen until then.")
    ] = None

    def arguments(self, temperature: float) -> dict[str, Any]:
        """As the writing tasks take them; a sample draws, whatever else the command does."""
        usual = SAMPLE_TEMPERATURE if self.strategy == "sample" else temperature
        return {
            "strategy": self.strategy,
            "width": self.width,
            "temperature": usual if self.temperature is None else self.temperature,
            "top_k": self.top_k,
            "top_p": self.top_p,
            "time_limit": self.time_limit,
        }


@dataclass(frozen=True, slots=True)
class Solving:
    """Which solutions of a task, and how many."""

    seed: Annotated[int, typer.Option(help="Of all that is drawn.", parser=whole, metavar="N")] = 0
    plain: Annotated[bool, typer.Option("--plain", help="No passing tones or ornaments.")] = False
    number: Annotated[
        int, typer.Option("-n", "--number", help="Different solutions.", parser=whole, metavar="N")
    ] = 1
    distance: Annotated[
        int | None,
        typer.Option(help="Notes in which solutions differ.", parser=whole, metavar="NOTES"),
    ] = None

    @property
    def numbers(self) -> tuple[int, int]:
        """Number of the first solution, and how many are wanted."""
        return self.seed, self.number

    def options(self, proposals: Proposals, searching: Searching) -> Options:
        """How the task is to be solved."""
        from musegen.tasks.writing import Options

        return Options(
            seed=self.seed,
            figures=not self.plain,
            distance=self.distance,
            **proposals.arguments,
            **searching.arguments(0.0),
        )


@dataclass(frozen=True, slots=True)
class Pattern:
    """Notes that must stand."""

    given: Annotated[
        Path | None,
        typer.Option(help="Score of notes that stand; rests are free."),
    ] = None

    def read(self) -> Score | None:
        """The notes, if there are any."""
        from musegen.io.reading import read_piece

        return None if self.given is None else read_piece(self.given)


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
    searching: Searching,
    pattern: Pattern,
    delivery: Delivery,
    shaping: Shaping,
    name: Annotated[
        str | None, typer.Argument(metavar="FORM", help="As --form.", show_default=False)
    ] = None,
    form: Annotated[str, typer.Option(help="Form, or the path of a template.")] = "chorale",
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
    chosen = {**proposals.arguments, **searching.arguments(Request().temperature)}
    asked = shaping.request(form=name or form, key=key, metre=metre, **chosen)
    shaping.check(asked, given=pattern.given)
    first = _free_seed(asked, delivery) if seed is None else seed
    notes = pattern.read()
    for place in range(first, first + number):
        _compose_one(_with_seed(asked, place), notes, delivery, verbose=verbose)


def _with_seed(asked: FormRequest, seed: int) -> FormRequest:
    from dataclasses import replace

    return replace(asked, seed=seed)


def _folder_name(request: FormRequest) -> str:
    parts = [
        Path(request.form).stem,
        request.key,
        request.metre,
        None if request.style == "bach" else Path(request.style).stem,
        plain_name("-".join(f"{k}-{v}" for k, v in sorted(request.settings.items()))) or None,
        request.feeling or None,
        request.playing or None,
        "seed",
        request.seed,
    ]
    text = "-".join(str(part) for part in parts if part is not None).lower()
    return text.replace("#", "-sharp").replace("/", "").replace(" ", "-")


def _free_seed(asked: FormRequest, delivery: Delivery) -> int:
    """The first seed whose folder is not there yet; with --force the first of all."""
    seed = 0
    while not delivery.force and (delivery.out / _folder_name(_with_seed(asked, seed))).exists():
        seed += 1
    return seed


def _compose_one(
    request: FormRequest, pattern: Score | None, delivery: Delivery, *, verbose: bool
) -> None:
    from musegen.batch import piece_of
    from musegen.io.files import PIECE, check_target

    folder = delivery.out / _folder_name(request)
    check_target(folder, force=delivery.force, own=PIECE)
    started = time.perf_counter()
    quiet = delivery.quiet or delivery.as_json
    with json_refusals(delivery.as_json), status("composing", quiet=quiet):
        made = piece_of(request, pattern=pattern)
    deliver(made, folder, delivery, started, verbose=verbose)


def harmonise(
    file: Annotated[Path, typer.Argument(help="Score of the given voices.")],
    proposals: Proposals,
    searching: Searching,
    solving: Solving,
    pattern: Pattern,
    delivery: Delivery,
    voice: Annotated[
        str, typer.Option(help="Which voices the parts are, with commas: soprano, ... bass.")
    ] = "soprano",
    key: Annotated[
        str | None, typer.Option(help="Such as 'D minor'; else the score's or the notes'.")
    ] = None,
    phrases: Annotated[
        str | None, typer.Option(help="Bars in which phrases end, such as 4,8,12; else found.")
    ] = None,
) -> None:
    """Write the voices that are missing around a tune, a bass or any given voices.

    Example: musegen harmonise tune.musicxml --key "D minor"
    """
    options = solving.options(proposals, searching)

    def solve() -> Sequence[Written]:
        from musegen.io.reading import read_one
        from musegen.result import Composition
        from musegen.tasks.harmonise import harmonise as solve_all
        from theory_kb.pitch import Key

        home = Key.parse(key) if key is not None else None
        reading = read_one(file)
        if not delivery.quiet:
            _tell_reading(reading)
        found = solve_all(
            reading.score,
            options,
            voices=voice.split(","),
            key=home,
            phrases=_bars(phrases),
            pattern=pattern.read(),
            count=solving.number,
        )
        return [Composition.of(made) for made in found]

    write_solutions(solve, f"harmonise-{file.stem}", solving.numbers, delivery, more=NEARER)


def _tell_reading(reading: Reading) -> None:
    """Say what of a file was left out, and what it did not say."""
    told = list(reading.remarks)
    if not reading.metre:
        told.append("no metre is stated, bars are counted as 4/4")
    for line in told:
        sys.stderr.write(f"musegen: {reading.name}: {line}\n")


def _bars(text: str | None) -> tuple[int, ...]:
    """Numbers of bars out of `4,8,12`."""
    from musegen.errors import OptionError

    numbers = [] if text is None else [part.strip() for part in text.split(",")]
    if not all(number.isdecimal() for number in numbers):
        raise OptionError("phrases", text, "numbers of bars with commas, such as 4,8,12")
    return tuple(int(number) for number in numbers)


def realise(
    music: Annotated[
        str,
        typer.Argument(help="File of a figured bass; or a text: numerals, or bass and figures."),
    ],
    proposals: Proposals,
    searching: Searching,
    solving: Solving,
    pattern: Pattern,
    delivery: Delivery,
    texture: Annotated[str, typer.Option(help="chorale or keyboard.")] = "chorale",
    voices: Annotated[
        int | None,
        typer.Option(
            help="4; at the keyboard 3 too, and 3 where 4 cannot.", parser=whole, metavar="N"
        ),
    ] = None,
    unfigured: Annotated[
        str | None,
        typer.Option(help="Notes without figures: triad or free; free if there are none at all."),
    ] = None,
    key: Annotated[str | None, typer.Option(help="Such as 'D minor'; else the score's.")] = None,
    metre: Annotated[str, typer.Option(help="Of a text, such as 3/4.")] = "4/4",
) -> None:
    """Realise a figured bass, an unfigured one, or a row of chords.

    Example: musegen realise "D minor: D3 F3[6] G3[6/5] A3[4 #]*2 D3" --texture keyboard
    """
    options = solving.options(proposals, searching)
    path = _score_path(music)

    def solve() -> Sequence[Written]:
        from musegen.io.figured_bass import read_figured_bass
        from musegen.result import Composition
        from musegen.tasks.realise import realise as solve_all
        from theory_kb.pitch import Key

        found = solve_all(
            music if path is None else read_figured_bass(path),
            options,
            texture=texture,
            voices=voices,
            unfigured=unfigured,
            key=Key.parse(key) if key is not None else None,
            metre=metre,
            pattern=pattern.read(),
            count=solving.number,
        )
        return [Composition.of(made) for made in found]

    name = plain_name(music if path is None else path.stem)
    write_solutions(solve, f"realise-{name}", solving.numbers, delivery, more=NEARER)


def _score_path(given: str) -> Path | None:
    """The file that is meant, or None of a text."""
    from musegen.io.reading import SUFFIXES

    return Path(given) if given.lower().endswith(SUFFIXES) else None


# --- what comes of them ---------------------------------------------------------------------


def write_solutions(
    solve: Callable[[], Sequence[Written]],
    name: str,
    numbers: tuple[int, int],
    delivery: Delivery,
    *,
    more: str = "",
    verbose: bool = False,
) -> None:
    """Solve, then write each solution into a folder of its own, best first.

    Args:
        solve: the work.
        name: of the folders, before their numbers.
        numbers: the first, and how many solutions are wanted.
        delivery: where they go.
        more: what may leave more solutions, where there are fewer than are wanted.
        verbose: whether findings are printed.
    """
    folders = solution_folders(name, numbers, delivery)
    started = time.perf_counter()
    quiet = delivery.quiet or delivery.as_json
    with json_refusals(delivery.as_json), status("solving", quiet=quiet):
        found = solve()
    for made, folder in zip(found, folders, strict=False):
        deliver(made, folder, delivery, started, verbose=verbose)
    if len(found) < numbers[1] and not delivery.quiet:
        sys.stderr.write(f"musegen: found {len(found)} of {numbers[1]} solutions{more}\n")


def solution_folders(name: str, numbers: tuple[int, int], delivery: Delivery) -> list[Path]:
    """The folders of solutions, by first number and how many; refused early if one is there."""
    from musegen.io.files import PIECE, check_target

    first, count = numbers
    folders = [delivery.out / f"{name}-{place}" for place in range(first, first + count)]
    for folder in folders:
        check_target(folder, force=delivery.force, own=PIECE)
    return folders


def deliver(
    piece: Written, folder: Path, delivery: Delivery, started: float, *, verbose: bool = False
) -> None:
    """Write a piece and print its table."""
    piece.save(folder, audio=delivery.audio, force=delivery.force)
    table = {
        **piece.summary,
        "overlap": piece.overlap.text,
        "time": f"{time.perf_counter() - started:.1f} s",
        "folder": str(folder),
    }
    if delivery.as_json:
        sys.stdout.write(json.dumps(table, ensure_ascii=False) + "\n")
    elif not delivery.quiet:
        print_table(table)
        if verbose:
            _print_findings(piece)


def _print_findings(piece: Written) -> None:
    for finding in piece.findings:
        place = f"bar {finding.bar}, beat {finding.beat:g}"
        sys.stdout.write(f"{finding.severity} {place}: {finding.message} [{finding.rule}]\n")


def plain_name(text: str) -> str:
    """A text as a name for a folder."""
    kept = "".join(letter if letter.isalnum() else "-" for letter in text.lower())
    return "-".join(part for part in kept.split("-") if part)[:60]
