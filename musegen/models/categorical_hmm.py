"""Hidden Markov model of sequences of symbols: evaluate, learn and decode (Rabiner 1989).

The same as hmmlearn's `CategoricalHMM` without priors, for many sequences at a time: a step in time is
one matrix product over all sequences that still go on. It learns in float32 and tells likelihoods
in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musegen.errors import TrainingError
from musegen.models.forward_backward import (
    Batch,
    Dense,
    Workspace,
    batch_of,
    forward_log_likelihoods,
    posteriors_by_time,
    viterbi,
)
from musegen.models.rbm_kernels import accumulate_rows

__all__ = ["CategoricalHMM", "Learner", "drawn", "learned"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ONE = np.float32(1)


@dataclass(frozen=True, slots=True)
class CategoricalHMM:
    """Probabilities of S states and K symbols."""

    start: FloatArray  # (S,)
    matrix: FloatArray  # (S, S): from row to column
    emission: FloatArray  # (S, K)

    def log_likelihood(self, sequences: Sequence[IntArray]) -> float:
        """Natural-log probability of all sequences together, exactly."""
        chain, batch = Dense(self.start, self.matrix), _batch(sequences, self.emission.shape[1])
        found = forward_log_likelihoods(chain, self._log_emissions(sequences), batch)
        return float(found.sum())

    def decode(self, sequences: Sequence[IntArray]) -> list[IntArray]:
        """The likeliest states of each sequence; ties fall to the lower state."""
        batch = _batch(sequences, self.emission.shape[1])
        states = viterbi(self.start, self.matrix, self._log_emissions(sequences), batch)
        return np.split(states, np.cumsum([len(each) for each in sequences])[:-1])

    def _log_emissions(self, sequences: Sequence[IntArray]) -> FloatArray:
        with np.errstate(divide="ignore"):
            table: FloatArray = np.log(self.emission.T)
        return table[np.concatenate(sequences)]


def _batch(sequences: Sequence[IntArray], symbols: int) -> Batch:
    """The batch of sequences.

    Raises:
        TrainingError: a sequence is empty, or has a symbol that is none.
    """
    for number, sequence in enumerate(sequences):
        if not len(sequence) or sequence.min() < 0 or sequence.max() >= symbols:
            problem = f"must have symbols from 0 to {symbols - 1}, at least one"
            raise TrainingError(f"sequence {number + 1} of {len(sequences)}: {problem}")
    if not sequences:
        raise TrainingError("there are no sequences, at least one is needed")
    return batch_of([len(sequence) for sequence in sequences])


def drawn(states: int, symbols: int, rng: np.random.Generator) -> CategoricalHMM:
    """A model to begin with, each distribution drawn uniformly."""
    return CategoricalHMM(
        rng.dirichlet(np.ones(states)),
        rng.dirichlet(np.ones(states), states),
        rng.dirichlet(np.ones(symbols), states),
    )


class Learner:
    """Sequences made ready for passes of Baum-Welch, with room for them."""

    def __init__(self, sequences: Sequence[IntArray], states: int, symbols: int) -> None:
        """Put the sequences side by side; raises TrainingError for symbols that are none."""
        self.batch = _batch(sequences, symbols)
        self.symbols = np.concatenate(sequences)[np.concatenate(self.batch.rows)]
        self.work = Workspace.of(self.batch, states, np.dtype(np.float32))
        self.likelihoods = np.empty((len(self.symbols), states), np.float32)

    def step(self, model: CategoricalHMM) -> tuple[CategoricalHMM, float]:
        """The model after one pass (Baum et al. 1970), and log P of the sequences before it.

        A distribution of which nothing is expected stays as it was.
        """
        table = np.ascontiguousarray(model.emission.T, np.float32)
        np.take(table, self.symbols, axis=0, out=self.likelihoods, mode="clip")
        matrix = model.matrix.astype(np.float32)
        chain = Dense(model.start.astype(np.float32), matrix)
        expected = posteriors_by_time(chain, self.likelihoods, self.batch, self.work)
        counts = np.zeros_like(table)
        accumulate_rows(self.symbols[:, None], expected.states, ONE, counts)
        moves = matrix * (expected.before.T @ expected.after)
        after = CategoricalHMM(
            _shares(expected.first[None], model.start[None])[0],
            _shares(moves, model.matrix),
            _shares(counts.T, model.emission),
        )
        return after, expected.log_likelihood


def _shares(counts: NDArray[np.float32], before: FloatArray) -> FloatArray:
    """Rows of counts as distributions; those without any as before."""
    wide = counts.astype(np.float64)
    sums = wide.sum(axis=1, keepdims=True)
    found: FloatArray = np.where(sums > 0, wide / np.where(sums > 0, sums, 1), before)
    return found


def learned(
    model: CategoricalHMM,
    sequences: Sequence[IntArray],
    *,
    passes: int,
    progress: Callable[[int, float], None] | None = None,
) -> CategoricalHMM:
    """The model after so many passes over the sequences.

    Args:
        model: to begin with.
        sequences: (T,) symbols each, of any lengths.
        passes: of Baum-Welch.
        progress: told of each pass and of log P of the sequences before it.

    Raises:
        TrainingError: a sequence is empty, or has a symbol that is none.
    """
    learner = Learner(sequences, *model.emission.shape)
    for number in range(passes):
        model, nats = learner.step(model)
        if progress is not None:
            progress(number + 1, nats)
    return model
