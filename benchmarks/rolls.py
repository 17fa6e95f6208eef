"""Models of piano-rolls on a standard data set, beside published figures.

    python benchmarks/rolls.py --data jsb-pianoroll=PATH [--models ngram,hmm-serial,...] [--starts 1]

Nats per frame on the test split, convention A (all frames over the number of frames, the first frame
scored; Boulanger-Lewandowski, Bengio and Vincent 2012) unless a column says otherwise. All choices are
made on the validation split. `exact` says whether the figure is a likelihood; that of the RBM is an
estimate by annealed importance sampling, with a lower bound by the reverse chain on some frames.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from musegen.models.rolls import FrameModel, Roll

PUBLISHED = {  # test, convention A, read in the source unless marked
    "ngram": "9.74 (BL 2012, N-gram over chords)",
    "hmm-bernoulli": "11.89 (BL 2012, GMM + HMM)",
    "hmm-autoregressive": "9.24 (Allan and Williams, in BL 2012)",
    "hmm-factorial": "",
    "hmm-serial": "",
    "rbm-static": "7.43 (BL 2012, 100 AIS runs)",
}
Splits = Mapping[str, Sequence["Roll"]]
BOUNDED_FRAMES = 60  # test frames of which the reverse chain bounds the probability


def _ngram(splits: Splits, starts: int) -> FrameModel:
    from musegen.models.ngram import NGramSettings, train_ngram

    del starts  # nothing is drawn
    return train_ngram(splits["train"], splits["valid"], NGramSettings())


def _hmm(**settings: object) -> Callable[[Splits, int], FrameModel]:
    def train(splits: Splits, starts: int) -> FrameModel:
        from musegen.models.frame_hmm import FrameHMMSettings, train_frame_hmm

        chosen = FrameHMMSettings(starts=starts, **settings)  # type: ignore[arg-type]
        return train_frame_hmm(splits["train"], splits["valid"], chosen, seed=0)

    return train


def _rbm(splits: Splits, starts: int) -> FrameModel:
    from musegen.models.frame_rbm import FrameRBMSettings, train_frame_rbm

    del starts
    return train_frame_rbm(splits["train"], FrameRBMSettings(), seed=0)


MODELS: Mapping[str, Callable[[Splits, int], FrameModel]] = {
    "ngram": _ngram,
    "hmm-bernoulli": _hmm(emission="bernoulli", states=256, smoothing=0.3),
    "hmm-autoregressive": _hmm(emission="autoregressive", states=256, smoothing=0.3),
    "hmm-factorial": _hmm(emission="factorial", states=32, second=8),
    "hmm-serial": _hmm(emission="serial", states=64, smoothing=3.0, passes=15),
    "rbm-static": _rbm,
}


def _row(name: str, splits: Splits, starts: int) -> str:
    from musegen.models.rolls import CONVENTIONS, negative_log_likelihood
    from musegen.threads import one_thread

    begin = time.perf_counter()
    with one_thread():
        model = MODELS[name](splits, starts)
        seconds = time.perf_counter() - begin
        values = {split: model.frame_log_probs(splits[split]) for split in ("valid", "test")}
        bound = _bound(model, splits["test"])
    cells = [f"{negative_log_likelihood(values['valid']):.3f}"]
    cells += [
        f"{negative_log_likelihood(values['test'], convention=each):.3f}" for each in CONVENTIONS
    ]
    exact = "exact" if model.exact else f"estimate; {bound}"
    return f"| {name} | {' | '.join(cells)} | {exact} | {seconds:.0f} | {PUBLISHED[name]} |"


def _bound(model: FrameModel, rolls: Sequence[Roll]) -> str:
    """Both estimates of some frames, of a model that has no exact likelihood."""
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
        f"on {BOUNDED_FRAMES} frames AIS {annealed:.2f}, reverse bound {reverse:.2f}, "
        f"standard error of log Z {spread:.3f}"
    )


def main() -> None:
    """Train, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", required=True, help="NAME=PATH, such as jsb-pianoroll=FILE")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--starts", type=int, default=1)
    options = parser.parse_args()
    from corpora.rolls import read_benchmark

    name, _, path = options.data.partition("=")
    splits = read_benchmark(name, Path(path)).splits
    sys.stdout.write(
        f"{name}, one thread, {options.starts} start(s) of each HMM, seed 0\n\n"
        "| model | valid A | test A | test B | test C | kind | seconds | best published |\n"
        "|---|---:|---:|---:|---:|---|---:|---|\n"
    )
    for each in options.models.split(","):
        sys.stdout.write(_row(each, splits, options.starts) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
