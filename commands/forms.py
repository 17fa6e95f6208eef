"""Commands on forms: which there are, what they say, whether a file is right, a new one."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.shared import (
    AsJson,
    Force,
    group,
    print_rows,
    print_table,
    progress,
    whole,
    write_out,
)

if TYPE_CHECKING:
    from musegen.score import Note
    from musegen.tasks.compose_form import FormRequest

__all__ = ["FormFile", "Settings", "Shaping", "register"]

MOST_WORKERS = 64
SUMMARY = "batch.json"
CHORALE_ONLY = ("style", "models", "weights", "strategy", "width", "top_k", "top_p", "time_limit")

form_app = group("Forms: the templates that pieces are composed by.")
FormFile = Annotated[str, typer.Argument(help="Form, or the path of a template (.toml).")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="Of a form, as coda=true or bars=32; repeatable.")
]


@dataclass(frozen=True, slots=True)
class Shaping:
    """What shapes a piece beside its form."""

    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Of the form, as coda=true; repeatable."),
    ] = None
    theme: Annotated[
        str | None, typer.Option(help="First theme: a score, or 'E4:q F4:e G4:e'.")
    ] = None
    emotion: Annotated[str | None, typer.Option(help="Such as tender; see kb ask.")] = None
    valence: Annotated[float | None, typer.Option(help="From -1 to 1, in place of a name.")] = None
    arousal: Annotated[float | None, typer.Option(help="From -1 to 1.")] = None
    max_overlap: Annotated[str, typer.Option(help="Notes as in the corpus, or any.")] = "15"
    play: Annotated[
        str | None, typer.Option(help="plain, expressive, or an instrument of MIDI.")
    ] = None

    def request(self, **asked: Any) -> FormRequest:
        """What is asked for."""
        from musegen.plan.form_text import settings_of
        from musegen.tasks.compose_form import FormRequest, as_played, parted

        asked |= as_played(self.play) | {"most_overlap": self._most_overlap()}
        asked |= parted(settings_of(self.settings), key=asked["key"], metre=asked["metre"])
        return FormRequest(theme=self._theme(), **self._mood(asked["settings"]), **asked)

    def _most_overlap(self) -> int | None:
        """Notes in a row that may stand in the training corpus, None for any number.

        Raises:
            OptionError: neither a number nor `any`.
        """
        from musegen.errors import OptionError

        if self.max_overlap == "any":
            return None
        if not self.max_overlap.isdecimal() or int(self.max_overlap) < 1:
            raise OptionError("--max-overlap", self.max_overlap, "a whole number from 1, or any")
        return int(self.max_overlap)

    def _theme(self) -> tuple[Note, ...]:
        from musegen.motive import read_theme

        if self.theme is None:
            return ()
        if ":" in self.theme and not Path(self.theme).exists():
            return read_theme(self.theme)
        from musegen.io.reading import read_piece
        from musegen.motive import theme_of

        return theme_of(read_piece(Path(self.theme)))

    def _mood(self, settings: dict[str, str]) -> dict[str, Any]:
        """What an emotion chooses; what is asked for by name stays as asked."""
        if self.emotion is None and self.valence is None and self.arousal is None:
            return {}
        from musegen.tasks.compose_form import in_mood

        return in_mood(self.emotion, valence=self.valence, arousal=self.arousal, settings=settings)

    def check(self, request: FormRequest, *, given: Path | None) -> None:
        """Refuse what the texture of the form cannot do.

        Raises:
            OptionError: names the option.
        """
        from musegen.errors import OptionError
        from musegen.tasks.compose_form import FormRequest, is_chorale

        if is_chorale(request):
            for name in ("theme", "emotion", "valence", "arousal"):
                if getattr(self, name) is not None:
                    allowed = "left out for four voices; --set texture=block takes it"
                    raise OptionError(f"--{name}", getattr(self, name), allowed)
            return
        usual = FormRequest()
        changed = [name for name in CHORALE_ONLY if getattr(request, name) != getattr(usual, name)]
        if given is not None:
            changed.append("given")
        for name in changed:
            allowed = "left out: only four voices (--set texture=chorale) take it"
            raise OptionError(f"--{name.replace('_', '-')}", getattr(request, name, given), allowed)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(form_app, name="form")
    app.command()(batch)


def batch(
    jobs: Annotated[Path, typer.Argument(help="File of jobs (.toml).")],
    out: Annotated[Path, typer.Option(help="Folder for the pieces.")] = Path("musegen-out"),
    workers: Annotated[int, typer.Option(help="Processes at work.", parser=whole, metavar="N")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Of a Dask cluster that composes: tcp://HOST:PORT.")
    ] = None,
    audio: Annotated[bool, typer.Option("--audio/--no-audio", help="Write score.wav.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compose many pieces; what is there already is left, so that it can be run again.

    Example: musegen batch jobs.toml --out pieces --workers 2
    """
    from musegen.batch import read_jobs, run_jobs
    from musegen.errors import OptionError
    from musegen.io.files import write_file

    if not 1 <= workers <= MOST_WORKERS:
        raise OptionError("workers", workers, f"from 1 to {MOST_WORKERS}")
    if scheduler is not None and workers > 1:
        raise OptionError("--workers", workers, "left out with --scheduler, which has its own")
    asked = read_jobs(jobs)
    with progress("composing") as told:
        outcomes = run_jobs(
            asked, out, workers=workers, scheduler=scheduler, audio=audio, told=told
        )
    rows = [{"piece": each.folder, "state": each.state, "told": each.told} for each in outcomes]
    write_file(out / SUMMARY, (json.dumps(rows, ensure_ascii=False, indent=1) + "\n").encode())
    if as_json:
        write_out(json.dumps(rows, ensure_ascii=False) + "\n")
    else:
        print_rows(rows)


@form_app.command("list")
def form_list(as_json: AsJson = False) -> None:
    """List the forms, with bars, phrases and texture.

    Example: musegen form list
    """
    from musegen.plan.form_text import form_rows

    rows = form_rows()
    if as_json:
        write_out(json.dumps(rows, ensure_ascii=False) + "\n")
    else:
        print_rows(rows)


@form_app.command("show")
def form_show(
    form: FormFile,
    settings: Settings = None,
    metre: Annotated[str | None, typer.Option(help="Such as 3/4; else the form's first.")] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Also draw its timeline: a .svg or .png file.")
    ] = None,
    as_json: AsJson = False,
    force: Force = False,
) -> None:
    """Show the sections of a form: bars, themes, keys, closes, textures.

    Example: musegen form show rondo-5 --picture rondo.png
    """
    from musegen.plan.form_text import section_rows, settings_of
    from musegen.plan.template import Template, load_template

    made: Template = load_template(form, metre=metre, settings=settings_of(settings))
    if picture is not None:
        _draw(made, picture, force=force)
    rows = section_rows(made)
    if as_json:
        head = {"form": made.id, "name": made.name, "bars": made.bars, "metre": made.metre}
        write_out(json.dumps({**head, "sections": rows}, ensure_ascii=False) + "\n")
        return
    print_table(
        {
            "form": f"{made.name}: {made.description}",
            "bars": str(made.bars),
            "metre": made.metre,
            "parameters": ", ".join(f"{k}={v}" for k, v in made.parameters.items()) or "none",
            **_technique(made.technique),
            "sources": ", ".join(made.sources),
        }
    )
    print_rows(rows)


def _technique(name: str) -> dict[str, str]:
    """The row of a table that names a technique, and whether it is written."""
    from musegen.plan.form_schema import IMITATION

    if not name:
        return {}
    return {"needs": f"{name}, not written yet"} if name == IMITATION else {"technique": name}


def _draw(made: object, picture: Path, *, force: bool) -> None:
    from musegen.errors import OptionError
    from musegen.io.engraving import to_png
    from musegen.io.files import check_file_target, write_file
    from musegen.io.timeline import Span, draw_timeline
    from musegen.plan.form_text import span_values
    from musegen.plan.template import Template

    assert isinstance(made, Template)  # kept out of the signature: typer starts without it
    if picture.suffix not in (".svg", ".png"):
        raise OptionError("--picture", str(picture), "a file that ends in .svg or .png")
    check_file_target(picture, force=force)
    svg = draw_timeline(
        f"{made.name}, {made.bars} bars of {made.metre}",
        [Span(**each) for each in span_values(made)],
    )
    write_file(picture, to_png(svg) if picture.suffix == ".png" else svg.encode())


@form_app.command("check")
def form_check(
    form: FormFile,
    settings: Settings = None,
) -> None:
    """Check a template in every metre that it names; what is wrong is told by file and line.

    Example: musegen form check my-form.toml
    """
    from musegen.plan.form_text import settings_of
    from musegen.plan.template import each_metre, phrase_groups

    for made in each_metre(form, settings=settings_of(settings)):
        phrases = len(phrase_groups(made.units))
        sys.stdout.write(
            f"{made.id} in {made.metre}: right, {made.bars} bars, "
            f"{len(made.sections)} sections, {phrases} phrases\n"
        )


@form_app.command("new")
def form_new(
    name: Annotated[str, typer.Argument(help="Of the new form: letters, digits, hyphens.")],
    base: Annotated[
        str, typer.Option("--from", help="The form that is copied.")
    ] = "rounded-binary",
    out: Annotated[Path, typer.Option(help="Folder for the file.")] = Path(),
    force: Force = False,
) -> None:
    """Write a template to edit, as a copy of another.

    Example: musegen form new my-rondo --from rondo-5
    """
    from musegen.io.files import check_file_target, write_file
    from musegen.plan.form_text import new_form

    text = new_form(name, base)
    path = out / f"{name}.toml"
    check_file_target(path, force=force)
    write_file(path, text.encode())
    sys.stdout.write(f"{path}\n")


@form_app.command("schema")
def form_schema() -> None:
    """Print the JSON Schema of a template, for editors.

    Example: musegen form schema
    """
    from musegen.plan.form_schema import form_schema as schema

    write_out(json.dumps(schema(), ensure_ascii=False, indent=2) + "\n")
