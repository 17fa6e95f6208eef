"""The models with a latent space on the built-in chorales: bounds of the VAE, coverage of the GAN.

    python benchmarks/latent.py [--models vae,gan] [--seeds 1] [--folder FOLDER]

VAE: two bars of soprano in steps of an eighth; both figures are upper bounds of the negative
log-likelihood, nats a segment, on test pieces. GAN: bars of four voices; no likelihood; coverage of
held-out test bars by made bars beside that by as many training bars. With a folder, the weights of the
first seed are kept there, with four melodies on a line between two test melodies and eight bars, as
MusicXML. Seconds are of the processor, one thread.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from musegen.models.cards import Metric
    from musegen.score import Score

LINE, BARS = 4, 8
KEY = "C major"


def _write(score: Score, path: Path) -> None:
    from musegen.io.files import write_file
    from musegen.io.musicxml import write_musicxml

    write_file(path, write_musicxml(score))


def _vae(seed: int, folder: Path | None) -> tuple[Metric, ...]:
    from corpora.segments import EIGHTH, soprano_segments
    from musegen.models.melody_vae import VAESettings, save_vae, train_vae
    from musegen.segments import segment_score
    from theory_kb.pitch import Key

    (train, data), (valid, _), (test, _) = (
        soprano_segments(split) for split in ("train", "valid", "test")
    )
    model = train_vae(train, valid, VAESettings(), seed=seed)
    metrics = model.metrics(test, "test")
    if folder is not None:
        save_vae(folder / "melody-vae.safetensors", model, data, metrics=metrics, seed=seed)
        for number, segment in enumerate(model.interpolate(test[0], test[-1], count=LINE)):
            score = segment_score(f"Line {number + 1}", segment, Key.parse(KEY), grid=EIGHTH)
            _write(score, folder / f"line-{number + 1}.musicxml")
    return metrics


def _gan(seed: int, folder: Path | None) -> tuple[Metric, ...]:
    from corpora.segments import EIGHTH, bars
    from musegen.models.roll_gan import GANSettings, save_gan, train_gan
    from musegen.segments import bar_score
    from theory_kb.pitch import Key

    (train, data), (test, _) = bars("train"), bars("test")
    model = train_gan(train, GANSettings(), seed=seed)
    metrics = model.metrics(train, test, "test")
    if folder is not None:
        save_gan(folder / "roll-gan.safetensors", model, data, metrics=metrics, seed=seed)
        for number, bar in enumerate(model.sample(BARS, np.random.default_rng(seed))):
            score = bar_score(f"Bar {number + 1}", bar, Key.parse(KEY), grid=EIGHTH)
            _write(score, folder / f"bar-{number + 1}.musicxml")
    return metrics


MODELS: Mapping[str, Callable[[int, Path | None], tuple[Metric, ...]]] = {"vae": _vae, "gan": _gan}


def main() -> None:
    """Train, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(
        "| model | seed | figure | value | unit | how | seconds |\n|---|---:|---|---:|---|---|---:|\n"
    )
    for name in options.models.split(","):
        for seed in range(options.seeds):
            begin = time.process_time()
            metrics = MODELS[name](seed, options.folder if seed == 0 else None)
            seconds = time.process_time() - begin
            for metric in metrics:
                sys.stdout.write(
                    f"| {name} | {seed} | {metric.name} | {metric.value:.3f} | {metric.unit} "
                    f"| {metric.convention} | {seconds:.0f} |\n"
                )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
