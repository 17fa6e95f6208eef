"""Forward, backward and Viterbi recursions for many sequences at a time.

Sequences stand side by side, the longest first, so that a step in time is one matrix product over
those that still go on: the recursion runs at the speed of BLAS, in the floating type of its input
(float32 to learn, float64 to tell a likelihood). Rabiner 1989, scaled form.

A transition is anything that moves probabilities a step on, a step back, and counts expected moves:
one matrix, or one for each of several chains that run side by side (Ghahramani and Jordan 1997).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from musegen.models import forward_backward_kernels as kernels

__all__ = [
    "Batch",
    "Dense",
    "Expected",
    "Factorial",
    "Transition",
    "Workspace",
    "batch_of",
    "forward_log_likelihoods",
    "posteriors",
    "posteriors_by_time",
    "viterbi",
]

Real = NDArray[Any]  # float32 or float64
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Batch:
    """Where the frames of sequences stand, time by time."""

    order: IntArray  # (B,) sequences, the longest first
    active: IntArray  # (T,) how many of them have a frame at each time
    rows: tuple[IntArray, ...]  # (active[t],) a time: rows of the joined frames
    lengths: IntArray  # (B,) frames of each, the longest first

    @property
    def size(self) -> int:
        """Frames of all sequences together."""
        return int(self.active.sum())


def batch_of(lengths: Sequence[int]) -> Batch:
    """The batch of sequences of these lengths, whose frames are joined one after another."""
    sizes = np.asarray(lengths)
    order = np.argsort(-sizes, kind="stable")
    starts = (np.cumsum(sizes) - sizes)[order]
    active = np.array([int((sizes > time).sum()) for time in range(int(sizes.max()))])
    rows = tuple(starts[:count] + time for time, count in enumerate(active))
    return Batch(order, active, rows, sizes[order])


class Transition(Protocol):
    """How states follow each other."""

    @property
    def start(self) -> Real:
        """Probability of each state at the first frame, (S,)."""

    def ahead(self, before: Real) -> Real:
        """Probabilities (n, S) one step on."""

    def back(self, after: Real) -> Real:
        """Sums (n, S) over what follows, weighted by the way there."""


@dataclass(frozen=True, slots=True)
class Dense:
    """One chain."""

    start: Real  # (S,)
    matrix: Real  # (S, S): from row to column

    def ahead(self, before: Real) -> Real:
        """Probabilities one step on."""
        return before @ self.matrix

    def back(self, after: Real) -> Real:
        """Sums over what follows."""
        return after @ self.matrix.T


@dataclass(frozen=True, slots=True)
class Factorial:
    """Two chains that move on their own; state (i, j) is number i times the second's size plus j."""

    first: Dense
    second: Dense

    @property
    def shape(self) -> tuple[int, int]:
        """States of each chain."""
        return len(self.first.start), len(self.second.start)

    @property
    def start(self) -> Real:
        """Probability of each pair of states at the first frame."""
        pairs: Real = np.outer(self.first.start, self.second.start).ravel()
        return pairs

    def ahead(self, before: Real) -> Real:
        """Probabilities one step on: each chain by its own matrix."""
        return self._moved(before, self.first.matrix.T, self.second.matrix)

    def back(self, after: Real) -> Real:
        """Sums over what follows."""
        return self._moved(after, self.first.matrix, self.second.matrix.T)

    def _moved(self, values: Real, left: Real, right: Real) -> Real:
        pairs = values.reshape(len(values), *self.shape)
        moved: Real = np.matmul(np.matmul(left, pairs), right).reshape(len(values), -1)
        return moved


# --- evaluate -------------------------------------------------------------------------------


def _by_time(log_likelihoods: Real, batch: Batch) -> tuple[Real, Real]:
    """Likelihoods (N, S) time by time, whose largest is 1 in each frame, and the logs taken out."""
    rows = np.concatenate(batch.rows)
    top = log_likelihoods.max(axis=1)[rows]
    return np.exp(log_likelihoods[rows] - top[:, None]), top


def _blocks(batch: Batch) -> list[slice]:
    """Where each time's frames stand when frames are put time by time."""
    ends = np.cumsum(batch.active)
    return [
        slice(int(end - count), int(end)) for end, count in zip(ends, batch.active, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Workspace:
    """Room for the arrays of a pass; asking the system for it anew would cost as much as the pass."""

    filtered: Real  # (N, S)
    scales: Real  # (N,)
    states: Real  # (N, S)
    before: Real  # (M, S)

    @classmethod
    def of(cls, batch: Batch, states: int, kind: np.dtype[Any]) -> Workspace:
        """Room for a batch of frames in so many states, in a floating type."""
        frames, moves = batch.size, batch.size - len(batch.order)
        sizes = (frames, states), (frames,), (frames, states), (moves, states)
        return cls(*(np.empty(size, kind) for size in sizes))


def _forward(
    transition: Transition, likelihoods: Real, batch: Batch, work: Workspace
) -> tuple[Real, Real]:
    """Filtered states (N, S), and the scale of each frame (N,), time by time."""
    filtered, scales = work.filtered, work.scales
    predicted = np.ascontiguousarray(transition.start[None], likelihoods.dtype)
    before = slice(0)
    for block in _blocks(batch):
        if block.start:
            going_on = filtered[before.start : before.start + block.stop - block.start]
            predicted = transition.ahead(going_on)
        kernels.filter_rows(predicted, likelihoods[block], filtered[block], scales[block])
        before = block
    return filtered, scales


def _in_order(values: Real, batch: Batch) -> Real:
    """Values time by time, put back in the order of the joined sequences."""
    found = np.empty_like(values)
    found[np.concatenate(batch.rows)] = values
    return found


def forward_log_likelihoods(
    transition: Transition, log_likelihoods: Real, batch: Batch
) -> FloatArray:
    """Natural-log probability (N,) of each frame given those before it in its sequence.

    Args:
        transition: of the states.
        log_likelihoods: (N, S) of each frame in each state.
        batch: where the sequences lie.
    """
    likelihoods, top = _by_time(log_likelihoods, batch)
    work = Workspace.of(batch, likelihoods.shape[1], likelihoods.dtype)
    _, scales = _forward(transition, likelihoods, batch, work)
    found: FloatArray = _in_order(np.log(scales) + top, batch).astype(np.float64)
    return found


# --- learn ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Expected:
    """What one pass over the data expects."""

    log_likelihood: float  # nats, all frames together
    states: Real  # (N, S) posterior of each frame
    first: Real  # (S,) expected states of the first frames
    before: Real  # (M, S) filtered states of frames that have a next one
    after: Real  # (M, S) what the next frames weigh; moves are before' after times the matrix


def posteriors(transition: Transition, log_likelihoods: Real, batch: Batch) -> Expected:
    """The E step of Baum-Welch (Baum et al. 1970).

    Args:
        transition: of the states.
        log_likelihoods: (N, S) of each frame in each state.
        batch: where the sequences lie.
    """
    likelihoods, top = _by_time(log_likelihoods, batch)
    work = Workspace.of(batch, likelihoods.shape[1], likelihoods.dtype)
    found = posteriors_by_time(transition, likelihoods, batch, work)
    nats = found.log_likelihood + float(top.sum(dtype=np.float64))
    return replace(found, log_likelihood=nats, states=_in_order(found.states, batch))


def posteriors_by_time(
    transition: Transition, likelihoods: Real, batch: Batch, work: Workspace
) -> Expected:
    """The E step where likelihoods are given as they are, and frames lie time by time.

    Args:
        transition: of the states.
        likelihoods: (N, S) of each frame in each state, in the order of `batch.rows`; they are
            overwritten, and kept in what is found.
        batch: where the sequences lie.
        work: room; what is found lies there until the next pass.
    """
    filtered, scales = _forward(transition, likelihoods, batch, work)
    states, weights = work.states, likelihoods
    onward = weights[:0]
    for block in reversed(_blocks(batch)):
        kernels.smooth_rows(onward, filtered[block], scales[block], weights[block], states[block])
        if block.start:
            onward = transition.back(weights[block])
    nats = float(np.log(scales, dtype=np.float64).sum())
    np.take(filtered, _followed(batch), axis=0, out=work.before, mode="clip")
    firsts = batch.active[0]
    return Expected(nats, states, states[:firsts].sum(axis=0), work.before, weights[firsts:])


def _followed(batch: Batch) -> IntArray:
    """Frames that have a next one, time by time; their next ones are all frames after the firsts."""
    starts = np.cumsum(batch.active) - batch.active
    going_on = zip(starts[:-1], batch.active[1:], strict=True)
    return np.concatenate([starts[:0], *(start + np.arange(count) for start, count in going_on)])


# --- decode ---------------------------------------------------------------------------------


def viterbi(start: FloatArray, matrix: FloatArray, log_likelihoods: Real, batch: Batch) -> IntArray:
    """The likeliest states (N,) of each sequence (Viterbi 1967); ties fall to the lower state.

    Args:
        start: (S,) probabilities.
        matrix: (S, S) probabilities, from row to column.
        log_likelihoods: (N, S) of each frame in each state; the search is in their floating type.
        batch: where the sequences lie.
    """
    with np.errstate(divide="ignore"):
        log_start, log_matrix = np.log(start), np.log(matrix)
    kind = log_likelihoods.dtype
    tables = (
        log_start.astype(kind),
        log_matrix.astype(kind),
        np.ascontiguousarray(log_likelihoods),
    )
    states = np.empty(batch.size, np.int64)
    kernels.best_paths(*tables, batch.rows[0], batch.lengths, states)
    return states
