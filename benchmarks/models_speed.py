"""Speed of the models' inner loops beside peers and the limits of arithmetic, in one run.

    python benchmarks/models_speed.py [--parts rbm,hmm,lstm] [--rounds 9]

Contestants run in turn, round by round; a ratio is the median over rounds of the ratio in one round.
Times are of the processor, one thread, unless a column says two threads (those are by the clock, and
mean little on a machine with other work). The limit is the time of the matrix products alone, by the
library that we call, in the same floating type, sums of sparse rows counted as if dense.

- rbm: block Gibbs sweeps of binary machines, all units drawn; `dense` has half of the keys on, `sparse`
  one in twenty. Peers: scikit-learn's `BernoulliRBM.gibbs`, the same steps in numpy and in torch.
- hmm: one pass of Baum-Welch over 350 sequences of 60 symbols, and the likeliest states of all. Peers:
  hmmlearn (`scaling` and `log`), pomegranate and dynamax, the latter by the clock after it compiled.
- lstm: training of the model that proposes in `compose`, notes a second with and without bfloat16
  products; one step of a search, 32 hypotheses and 100 candidates, in double precision.

Peers that are not installed are left out; scikit-learn and hmmlearn come with musegen or its extra
`bench`, pomegranate and dynamax have to be installed by themselves.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

Work = Callable[[], object]
Clock = Callable[[], float]

SHAPES = ((88, 128), (512, 256))
CHAINS = (64, 256, 1024)
SPARSE_SHARE = 0.05
STATES = ((32, 500), (64, 1000), (128, 1000))
SEQUENCES, LENGTH = 350, 60
ENOUGH, MOST_REPEATS = 0.03, 1000  # seconds that a repeated work should take
TOGETHER = 20  # sweeps that two threads make before they meet
SLOW_ROUNDS = 2  # of peers that take seconds
HYPOTHESES, CANDIDATES = 32, 100


def timed(works: Mapping[str, Work], rounds: int, clock: Clock) -> dict[str, list[float]]:
    """Seconds of each contestant in each round.

    Before the first round each is run once to warm, and once to see how often it must be repeated
    for the clock to tell.
    """
    repeats = {}
    for name, work in works.items():
        work()
        begin = clock()
        work()
        repeats[name] = max(1, round(ENOUGH / max(clock() - begin, ENOUGH / MOST_REPEATS)))
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            begin = clock()
            for _ in range(repeats[name]):
                work()
            seconds[name].append((clock() - begin) / repeats[name])
    return seconds


def ratio(seconds: Mapping[str, Sequence[float]], name: str, to: str) -> float:
    """Median over rounds of how many times longer one takes than another."""
    pairs = zip(seconds[name], seconds[to], strict=True)
    return statistics.median(one / other for one, other in pairs)


def say(*cells: object) -> None:
    """A line of a table."""
    sys.stdout.write("| " + " | ".join(str(cell) for cell in cells) + " |\n")
    sys.stdout.flush()


def header(*names: str) -> None:
    """The head of a table."""
    sys.stdout.write("\n")
    say(*names)
    say(*("---:" for _ in names))


# --- Gibbs sweeps ---------------------------------------------------------------------------


def _sklearn(weights: Any, visible: Any, hidden: Any, units: Any) -> Work:
    from sklearn.neural_network import BernoulliRBM

    machine = BernoulliRBM(len(hidden), random_state=0)
    machine.components_ = np.ascontiguousarray(weights.T)
    machine.intercept_visible_, machine.intercept_hidden_ = visible, hidden
    machine.random_state_ = np.random.RandomState(0)
    return lambda: machine.gibbs(units)


def _numpy(weights: Any, visible: Any, hidden: Any, units: Any) -> Work:
    rng = np.random.default_rng(0)

    def drawn(odds: Any) -> Any:
        chance = 1 / (1 + np.exp(-odds))
        return (rng.random(odds.shape, np.float32) < chance).astype(np.float32)

    return lambda: drawn(drawn(units @ weights + hidden) @ weights.T + visible)


def _torch(weights: Any, visible: Any, hidden: Any, units: Any) -> Work:
    import torch

    w, b, c, v = (torch.from_numpy(each) for each in (weights, visible, hidden, units))
    return lambda: torch.bernoulli(
        torch.sigmoid(torch.bernoulli(torch.sigmoid(v @ w + c)) @ w.T + b)
    )


def rbm(rounds: int) -> None:
    """The table of Gibbs sweeps."""
    from musegen.models.gibbs import Machine, swept

    header(
        *("units", "chains", "keys", "ours, sweeps/s", "scikit-learn", "numpy", "torch"),
        *("over the limit", "two threads"),
    )
    for (visible, hidden), chains, kind in (
        (shape, chains, kind)
        for shape in SHAPES
        for chains in CHAINS
        for kind in ("dense", "sparse")
    ):
        rng = np.random.default_rng(0)
        share = 0.5 if kind == "dense" else SPARSE_SHARE
        weights = rng.normal(0, 0.01, (visible, hidden)).astype(np.float32)
        biases = np.full(visible, np.log(share / (1 - share)), np.float32)
        odds = np.zeros(hidden, np.float32)
        units = (rng.random((chains, visible)) < share).astype(np.float32)
        on = (rng.random((chains, hidden)) < 0.5).astype(np.float32)
        streams = rng.integers(0, 1 << 64, size=chains, dtype=np.uint64)
        machine = Machine(weights, biases, odds)
        parameters = weights, biases, odds, units
        works: dict[str, Work] = {
            "ours": lambda m=machine, u=units, s=streams: swept(m, u, s),  # type: ignore[misc]
            "limit": lambda u=units, w=weights, h=on: (u @ w, h @ w.T),  # type: ignore[misc]
            "scikit-learn": _sklearn(*parameters),
            "numpy": _numpy(*parameters),
            "torch": _torch(*parameters),
        }
        found = timed(works, rounds, time.process_time)
        pair: dict[str, Work] = {
            f"{threads}": lambda m=machine, u=units, s=streams, n=threads: swept(  # type: ignore[misc]
                m, u, s, sweeps=TOGETHER, threads=n
            )
            for threads in (1, 2)
        }
        both = timed(pair, rounds, time.perf_counter)
        say(
            f"{visible} x {hidden}",
            chains,
            kind,
            f"{1 / statistics.median(found['ours']):,.0f}",
            *(f"{ratio(found, name, 'ours'):.1f}x" for name in ("scikit-learn", "numpy", "torch")),
            f"{ratio(found, 'ours', 'limit'):.2f}",
            f"{ratio(both, '1', '2'):.2f}x",
        )


# --- hidden Markov models -------------------------------------------------------------------


def _hmmlearn(model: Any, symbols: NDArray[np.int64], implementation: str) -> tuple[Any, Work]:
    """hmmlearn's model, and one pass of it from the given parameters."""
    from hmmlearn.hmm import CategoricalHMM

    states, count = model.emission.shape
    peer = CategoricalHMM(
        states, n_iter=1, init_params="", implementation=implementation, tol=-np.inf
    )
    lengths = [LENGTH] * SEQUENCES

    def run() -> None:
        peer.n_features = count
        peer.startprob_, peer.transmat_ = model.start.copy(), model.matrix.copy()
        peer.emissionprob_ = model.emission.copy()
        peer.fit(symbols[:, None], lengths)

    return peer, run


def _pomegranate(model: Any, symbols: NDArray[np.int64]) -> Work:
    import torch
    from pomegranate.distributions import Categorical
    from pomegranate.hmm import DenseHMM

    peer = DenseHMM(
        [Categorical(row[None].astype(np.float32)) for row in model.emission],
        edges=model.matrix.astype(np.float32),
        starts=model.start.astype(np.float32),
        ends=np.full(len(model.start), 1e-6, np.float32),
    )
    seen = torch.from_numpy(symbols.reshape(SEQUENCES, LENGTH, 1))

    def run() -> None:
        peer.summarize(seen)
        peer.from_summaries()

    return run


def _dynamax(model: Any, symbols: NDArray[np.int64]) -> float:
    """Seconds by the clock of one pass: what three more passes take, so compiling is left out."""
    import jax
    from dynamax.hidden_markov_model import CategoricalHMM

    states, count = model.emission.shape
    peer = CategoricalHMM(states, 1, count)
    parameters, kinds = peer.initialize(jax.random.PRNGKey(0))
    seen = jax.numpy.asarray(symbols.reshape(SEQUENCES, LENGTH, 1))
    took = []
    for passes in (1, 4):
        begin = time.perf_counter()
        peer.fit_em(parameters, kinds, seen, num_iters=passes, verbose=False)
        took.append(time.perf_counter() - begin)
    return (took[1] - took[0]) / 3


def hmm(rounds: int) -> None:
    """The table of Baum-Welch passes and of decoding."""
    from musegen.models.categorical_hmm import Learner, drawn

    header(
        *("states, symbols", "ours, ms", "hmmlearn scaling", "hmmlearn log", "pomegranate"),
        *("dynamax, s", "log P apart, relative", "Viterbi, ms", "hmmlearn Viterbi"),
    )
    logging.getLogger("hmmlearn").setLevel(logging.ERROR)  # it finds the task degenerate
    for states, count in STATES:
        rng = np.random.default_rng(0)
        model, symbols = drawn(states, count, rng), rng.integers(0, count, SEQUENCES * LENGTH)
        sequences = np.split(symbols, SEQUENCES)
        learner = Learner(sequences, states, count)
        scaling, scaling_pass = _hmmlearn(model, symbols, "scaling")
        _, log_pass = _hmmlearn(model, symbols, "log")
        ours: Work = lambda learner=learner, model=model: learner.step(model)  # type: ignore[misc]  # noqa: E731
        near = timed({"ours": ours, "scaling": scaling_pass}, rounds, time.process_time)
        slow: dict[str, Work] = {"ours": ours, "log": log_pass}
        if find_spec("pomegranate"):
            slow["pomegranate"] = _pomegranate(model, symbols)
        far = timed(slow, SLOW_ROUNDS, time.process_time)
        reference = scaling.monitor_.history[0]
        apart = max(
            abs(nats / reference - 1)
            for nats in (learner.step(model)[1], model.log_likelihood(sequences))
        )
        scaling_pass()  # its parameters are moved by a pass: put them back, and decode with ours
        scaling.startprob_, scaling.transmat_ = model.start, model.matrix
        scaling.emissionprob_ = model.emission
        lengths = [LENGTH] * SEQUENCES
        decoding = timed(
            {
                "ours": lambda m=model, s=sequences: m.decode(s),  # type: ignore[misc]
                "hmmlearn": lambda p=scaling, s=symbols, n=lengths: p.decode(s[:, None], n),  # type: ignore[misc]
            },
            rounds,
            time.process_time,
        )
        say(
            f"{states}, {count}",
            f"{1e3 * statistics.median(near['ours']):.1f}",
            f"{ratio(near, 'scaling', 'ours'):.0f}x",
            f"{ratio(far, 'log', 'ours'):.0f}x",
            f"{ratio(far, 'pomegranate', 'ours'):.0f}x" if "pomegranate" in far else "-",
            f"{_dynamax(model, symbols):.2f}" if find_spec("dynamax") and find_spec("jax") else "-",
            f"{apart:.1e}",
            f"{1e3 * statistics.median(decoding['ours']):.1f}",
            f"{ratio(decoding, 'hmmlearn', 'ours'):.1f}x",
        )


# --- the note model -------------------------------------------------------------------------


def _training(rounds: int) -> None:
    """Notes a second in training: what further epochs take, so beginning and end are left out."""
    import torch

    from corpora.training import training_data
    from musegen.models.lstm import LSTMSettings, train_lstm

    splits, _ = training_data()
    some, valid = splits["train"][:48], splits["valid"][:2]
    notes = sum(piece.notes.size for piece in some)
    epochs = {short: LSTMSettings(epochs=short) for short in (1, 4)}

    def run(settings: LSTMSettings, *, half: bool) -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            train_lstm(some, valid, settings, seed=0)

    works: dict[str, Work] = {
        f"{half} {number}": lambda s=settings, h=half: run(s, half=h)  # type: ignore[misc]
        for half in (False, True)
        for number, settings in epochs.items()
    }
    found = timed(works, rounds, time.process_time)
    speeds = {}
    for half in (False, True):
        pairs = zip(found[f"{half} 4"], found[f"{half} 1"], strict=True)
        speeds[half] = statistics.median(
            3 * notes / (longer - shorter) for longer, shorter in pairs
        )
    header("notes/s, float32", "notes/s, bfloat16 products", "gain")
    say(f"{speeds[False]:,.0f}", f"{speeds[True]:,.0f}", f"{speeds[True] / speeds[False]:.2f}x")


def _step(rounds: int) -> None:
    """One step of a search against the products that it needs."""
    from corpora.training import training_data
    from musegen.models.lstm import LSTM, LSTMSettings, load_lstm
    from musegen.models.protocol import VOCABULARY, VOICES, Candidates
    from musegen.models.registry import WEIGHTS

    splits, _ = training_data()
    rows = np.unique(np.concatenate([piece.notes for piece in splits["valid"]]), axis=0)
    rng = np.random.default_rng(0)
    notes = rows[np.sort(rng.choice(len(rows), CANDIDATES, replace=False))]
    features = splits["valid"][0].features
    model: LSTM = load_lstm(WEIGHTS / "lstm.safetensors")
    slot = Candidates(notes, np.full(CANDIDATES, -1), features[0])
    nought = np.zeros(HYPOTHESES, np.int64)
    some = rng.integers(0, CANDIDATES, HYPOTHESES)
    state = model.advance(model.start(features), slot, nought, some)

    def step() -> None:
        model.log_scores(state, slot)
        model.advance(state, slot, np.arange(HYPOTHESES), some)

    settings: LSTMSettings = model.settings
    order = list(settings.order)
    prefixes = [len(np.unique(notes[:, order[:k]], axis=0)) if k else 1 for k in range(VOICES)]
    shapes = [
        (HYPOTHESES, settings.hidden, 4 * settings.hidden),
        (HYPOTHESES, settings.hidden, VOICES * settings.inner),
        *((HYPOTHESES * count, settings.inner, VOCABULARY) for count in prefixes),
    ]
    pairs = [(rng.normal(size=(n, k)), rng.normal(size=(k, m))) for n, k, m in shapes]
    works: dict[str, Work] = {"step": step, "limit": lambda: [a @ b for a, b in pairs]}
    found = timed(works, 5 * rounds, time.process_time)
    header("hypotheses", "candidates", "step, ms", "products alone, ms", "over the limit")
    say(
        HYPOTHESES,
        CANDIDATES,
        *(f"{1e3 * statistics.median(found[name]):.2f}" for name in ("step", "limit")),
        f"{ratio(found, 'step', 'limit'):.2f}",
    )


def lstm(rounds: int) -> None:
    """The tables of the note model."""
    _training(max(1, rounds // 3))
    _step(rounds)


PARTS: Mapping[str, Callable[[int], None]] = {"rbm": rbm, "hmm": hmm, "lstm": lstm}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    import torch

    from musegen.threads import one_thread

    torch.set_num_threads(1)
    with one_thread():
        for part in options.parts.split(","):
            PARTS[part](options.rounds)


if __name__ == "__main__":
    main()
