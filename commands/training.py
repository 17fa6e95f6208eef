"""Commands that train models and read corpora."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from commands.shared import Force, group, print_rows, print_table, progress, whole

__all__ = ["register"]

corpus_app = group("Read and inspect the corpora.\n\nExample: musegen corpus show")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(train)
    app.add_typer(corpus_app, name="corpus")


def train(
    model: Annotated[
        str | None,
        typer.Argument(help="hmm, rbm, lstm, all, analysis, melody-vae, roll-gan; or --config."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the training.", parser=whole, metavar="N")] = 0,
    out: Annotated[Path, typer.Option(help="Folder for the weights.")] = Path("musegen-weights"),
    config: Annotated[
        Path | None, typer.Option(help="Settings of a model of piano-rolls, MODEL.toml.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="With --config: NAME=PATH, such as jsb-pianoroll=FILE.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Train the models on the corpus, as the shipped weights were, or one of piano-rolls on its data.

    Example: musegen train lstm --out my-weights
    """
    from musegen.errors import OptionError
    from musegen.models.latent_models import LATENT_MODELS

    if (model is None) == (config is None):
        allowed = "a model, or --config FILE and no model"
        raise OptionError("train", model or "neither", allowed)
    name = str(model if config is None else config.stem)
    if name in LATENT_MODELS and data is None:
        _train_latent(name, config, out, seed, resume=resume, force=force)
    elif config is not None and data is not None:
        _train_rolls(config, data, out, seed, resume=resume, force=force)
    elif config is not None or data is not None:
        raise OptionError("--data", data, "NAME=PATH with --config, and only with it")
    elif name == "analysis":
        _train_analysis(out, seed, force=force)
    else:
        _train_proposers(name, out, seed, resume=resume, force=force)


def _train_proposers(name: str, out: Path, seed: int, *, resume: bool, force: bool) -> None:
    """Train a model of slots on the corpus, or all of them with the counts of figuration."""
    from corpora.training import training_data, write_figuration
    from musegen.encoding import chord_table
    from musegen.errors import UnknownNameError
    from musegen.models.latent_models import LATENT_MODELS
    from musegen.models.registry import MODELS, train_model

    if name != "all" and name not in MODELS:
        raise UnknownNameError("model", name, [*MODELS, "all", "analysis", *LATENT_MODELS])
    with progress("reading the corpus") as advance:
        splits, about = training_data(progress=advance)
    for each in MODELS if name == "all" else (name,):
        with _monitor(each) as report:
            card = train_model(
                each,
                splits,
                about,
                out,
                chords=chord_table(),
                seed=seed,
                progress=report,
                resume=resume,
                force=force,
            )
        print_table(
            {
                f"{each}, {metric.split}, {metric.name}": f"{metric.value:.3f} {metric.unit}"
                for metric in card.metrics
            }
        )
    if name == "all":
        write_figuration(out / "figuration.json")


def _train_rolls(
    config: Path, data: str, out: Path, seed: int, *, resume: bool, force: bool
) -> None:
    """Train the model that a file of settings is named after on a benchmark's rolls."""
    from corpora.rolls import data_card, read_benchmark
    from musegen.comparison.judging import rule_judge
    from musegen.errors import OptionError
    from musegen.models.roll_models import default_settings, train_to_folder
    from musegen.models.roll_settings import read_settings

    name, chosen = config.stem, read_settings(config, default_settings(config.stem))
    of, _, path = data.partition("=")
    if not path:
        raise OptionError("--data", data, "NAME=PATH, such as jsb-pianoroll=FILE")
    rolls = read_benchmark(of, Path(path))
    with _monitor(name) as report:
        card = train_to_folder(
            name,
            rolls.splits,
            data_card(rolls.entry),
            out,
            chosen,
            seed=seed,
            judging=rule_judge,
            progress=report,
            resume=resume,
            force=force,
        )
    print_table(
        {
            f"{name}, {metric.split}, {metric.name}": f"{metric.value:.3f} {metric.unit}, "
            f"{'exact' if metric.exact else 'estimated'}"
            for metric in card.metrics
        }
    )


def _train_latent(
    name: str, config: Path | None, out: Path, seed: int, *, resume: bool, force: bool
) -> None:
    """Train a model with a latent space on the built-in chorales; its figures say what they are."""
    from corpora.segments import latent_splits
    from musegen.models.latent_models import latent_entry, train_latent
    from musegen.models.roll_settings import read_settings

    chosen = None if config is None else read_settings(config, latent_entry(name).settings())
    with progress("reading the corpus") as advance:
        splits, about = latent_splits(name, progress=advance)
    with _monitor(name) as report:
        card = train_latent(
            name,
            splits,
            about,
            out,
            chosen,
            seed=seed,
            progress=report,
            resume=resume,
            force=force,
        )
    print_rows(
        [
            {
                "figure": f"{each.name}, {each.split}",
                "value": f"{each.value:.3f}",
                "unit": each.unit,
            }
            | {"how": each.convention}
            for each in card.metrics
        ]
    )


def _train_analysis(out: Path, seed: int, *, force: bool) -> None:
    """Learn to analyse; the labels of the corpus, and so the models, depend on what is shipped."""
    from corpora.analysis_training import train as train_analysis
    from musegen.analysis.harmony import WEIGHTS
    from musegen.io.files import check_file_target, write_file
    from musegen.threads import one_thread

    path = out / WEIGHTS
    check_file_target(path, force=force)
    with progress("learning to analyse") as advance, one_thread():
        known, card = train_analysis(seed=seed, progress=advance)
    out.mkdir(parents=True, exist_ok=True)
    write_file(path, known.to_json(card).encode())
    print_table({"analysis": str(path), "temperature": f"{known.temperature:g}"})


@contextmanager
def _monitor(name: str) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A bar over the epochs or restarts of a training, with its latest figures."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None)

        def report(state: dict[str, Any]) -> None:
            unit = "epoch" if "epoch" in state else "restart"
            figures = ", ".join(
                f"{key} {value:.3f}" for key, value in state.items() if isinstance(value, float)
            )
            bar.update(
                task,
                description=f"{name}: {unit} {state[unit]}, {figures}",
                completed=state[unit],
                total=state.get(f"{unit}s"),
            )

        yield report


@corpus_app.command("build")
def corpus_build(
    force: Annotated[bool, typer.Option("--force", help="Read all files again.")] = False,
) -> None:
    """Read, clean and label the chorales that music21 carries; keep them in the cache.

    Example: musegen corpus build --force
    """
    import corpora

    with progress("reading chorales") as advance:
        corpus = corpora.build(force=force, progress=advance)
    print_table({name: str(value) for name, value in corpora.summary(corpus).items()})


@corpus_app.command("split")
def corpus_split(
    by: Annotated[str, typer.Option(help="tune: no tune stands in two splits.")] = "tune",
    data: Annotated[
        str, typer.Option(help="builtin, or NAME=PATH such as jsb-pianoroll=FILE.")
    ] = "builtin",
    seed: Annotated[int, typer.Option(help="Of the dealing out.", parser=whole, metavar="N")] = 0,
    out: Annotated[Path | None, typer.Option(help="Write the names of each split, JSON.")] = None,
    force: Force = False,
) -> None:
    """Split a data set of rolls so that nothing that matters is shared.

    Example: musegen corpus split --by tune
    """
    import json

    from corpora.roll_sets import by_tune, read_roll_set
    from musegen.comparison.tunes import shared_notes
    from musegen.errors import UnknownNameError
    from musegen.io.files import check_file_target, write_file

    if by != "tune":
        raise UnknownNameError("way to split", by, ["tune"])
    if out is not None:
        check_file_target(out, force=force)
    with progress("reading the data") as advance:
        read = read_roll_set(data, progress=advance)
    for each in (read, by_tune(read, seed=seed)):
        counts = {name: len(rolls) for name, rolls in each.splits.items()}
        shared = shared_notes(each.splits["train"], each.splits["test"])
        text = ", ".join(f"{name} {count}" for name, count in counts.items())
        told = f"{text}; test steps in runs of 8 that training has: {shared:.1%}"
        print_table({f"split, {each.split}": told})
    if out is not None:
        names = {name: [roll.name for roll in rolls] for name, rolls in each.splits.items()}
        write_file(out, (json.dumps(names, indent=1) + "\n").encode())


@corpus_app.command("show")
def corpus_show(
    dropped: Annotated[bool, typer.Option("--dropped", help="List what was dropped, why.")] = False,
) -> None:
    """Show what the corpus holds: origin, licence, split, what was dropped and why.

    Example: musegen corpus show --dropped
    """
    import corpora

    with progress("reading chorales") as advance:
        corpus = corpora.load(progress=advance)
    print_table({name: str(value) for name, value in corpora.summary(corpus).items()})
    if dropped:
        for name, reason in corpora.dropped(corpus):
            sys.stdout.write(f"{name}: {reason}\n")
