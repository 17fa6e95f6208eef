"""Models of piano-rolls on a standard data set, beside published figures.

    python benchmarks/rolls.py --data jsb-pianoroll=PATH [--models ngram,lstm,...] [--seeds 3]
        [--config DIR] [--out DIR]

Nats per frame on the test split, convention A (all frames over the number of frames, the first frame
scored; Boulanger-Lewandowski, Bengio and Vincent 2012) unless a column says otherwise. All choices are
made on the validation split. Settings are the files MODEL.toml of the folder `--config`, those of the
package for the data set if none is given; where there is no file, the defaults. With several seeds a
cell is the mean and the standard deviation. `exact` says whether the figure is a likelihood; those of
Boltzmann machines are estimates by annealed importance sampling, for the static one with a lower
bound by the reverse chain on some frames. `--out` keeps models and checkpoints: what is there is not
trained again, what was interrupted goes on.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from corpora.rolls import Benchmark
    from musegen.models.roll_models import StoredRolls
    from musegen.models.rolls import FrameModel, Roll

BOUNDED_FRAMES = 60  # test frames of which the reverse chain bounds the probability


def _settings(folder: Path, name: str) -> Any:
    from musegen.models.roll_models import default_settings
    from musegen.models.roll_settings import read_settings

    path = folder / f"{name}.toml"
    return read_settings(path, default_settings(name)) if path.exists() else default_settings(name)


def _trained(
    name: str, benchmark: Benchmark, settings: Any, seed: int, folder: Path
) -> StoredRolls:
    """The model of a row and a seed: as the folder holds it, or trained, or trained on."""
    from corpora.rolls import data_card
    from musegen.models.roll_models import load_frame_model, train_to_folder

    path = folder / str(seed) / f"{name}.safetensors"
    if not path.exists():
        about = data_card(benchmark.entry)
        splits = {split: benchmark.splits[split] for split in ("train", "valid")}
        train_to_folder(name, splits, about, path.parent, settings, seed=seed, resume=True)
    return load_frame_model(path, name)


def _row(name: str, benchmark: Benchmark, seeds: int, folders: tuple[Path, Path]) -> str:
    from musegen.models.rolls import CONVENTIONS, negative_log_likelihood
    from musegen.threads import one_thread

    settings = _settings(folders[0], name)
    with one_thread():
        stored = [_trained(name, benchmark, settings, seed, folders[1]) for seed in range(seeds)]
        tests = [each.model.frame_log_probs(benchmark.splits["test"]) for each in stored]
        bound = _bound(stored[0].model, benchmark.splits["test"])
    cells = [_cell([each.card.metrics[0].value for each in stored])]
    cells += [
        _cell([negative_log_likelihood(test, convention=convention) for test in tests])
        for convention in CONVENTIONS
    ]
    kind = "exact" if stored[0].model.exact else f"estimate{bound}"
    seconds = np.mean([each.seconds for each in stored])
    return (
        f"| {name} | {' | '.join(cells)} | {kind} | {len(stored[0].history)} | {seconds:.0f} "
        f"| {_published(benchmark.entry.name, name)} |"
    )


def _published(data: str, name: str) -> str:
    """The best figure of its kind that was published on a data set."""
    from musegen.comparison.published import beside

    best = next(iter(beside(data, name)), None)
    if best is None:
        return "-"
    authors = best.source.partition(")")[0] + ")"
    return f"{best.nats:g} ({best.kind}, {best.convention}; {best.model}, {authors})"


def _cell(values: Sequence[float]) -> str:
    spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"


def _bound(model: FrameModel, rolls: Sequence[Roll]) -> str:
    """Both estimates of some frames, of the machine that has a bound."""
    from musegen.models.frame_rbm import FrameRBM
    from musegen.models.rolls import as_matrix

    if not isinstance(model, FrameRBM):
        return ""
    frames = np.concatenate([as_matrix(roll) for roll in rolls]).astype(np.float32)
    some = frames[np.linspace(0, len(frames) - 1, BOUNDED_FRAMES).astype(np.int64)]
    log_z, spread = model.annealed_log_partition()
    annealed = float(model.free_energy(some).mean()) + log_z
    reverse = -float(model.reverse_log_probs(some).mean())
    return (
        f"; on {BOUNDED_FRAMES} frames AIS {annealed:.2f}, reverse bound {reverse:.2f}, "
        f"standard error of log Z {spread:.3f}"
    )


def _options() -> argparse.Namespace:
    from musegen.models.roll_models import ROLL_MODELS

    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", required=True, help="NAME=PATH, such as jsb-pianoroll=FILE")
    parser.add_argument("--models", default=",".join(ROLL_MODELS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--config", type=Path, help="folder of MODEL.toml")
    parser.add_argument("--out", type=Path, help="folder that keeps models")
    return parser.parse_args()


def main() -> None:
    """Train, measure, print the table."""
    from corpora.rolls import read_benchmark

    options = _options()
    name, _, path = options.data.partition("=")
    benchmark = read_benchmark(name, Path(path))
    packaged = Path(str(resources.files("corpora"))) / "configs" / name
    sys.stdout.write(
        f"{name}, {options.seeds} seed(s) from 0\n\n"
        "| model | valid A | test A | test B | test C | kind | epochs | seconds | published |\n"
        "|---|---:|---:|---:|---:|---|---:|---:|---|\n"
    )
    with tempfile.TemporaryDirectory() as scratch:
        folders = (options.config or packaged, options.out or Path(scratch))
        for each in options.models.split(","):
            sys.stdout.write(_row(each, benchmark, options.seeds, folders) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
