"""Chains of contexts, each smoothed by itself, multiplied into one exact distribution.

A chain is a row of contexts from general to special, such as the last note; the last note and the
bass before; both and the alto before. Each context counts what followed it, and the chain's
distribution is built up from the general one (Witten and Bell 1991, interpolated):

    p_d(s) = (n(c_d, s) + e k(c_d) p_{d-1}(s)) / (n(c_d) + e k(c_d))

with n the count, k the number of different symbols seen after the context, e an escape factor.
Long-term chains count the training data; short-term chains count the piece so far, and forget it
when it ends (Conklin and Witten 1995; Pearce 2005). All are mixed by a product of powers, normalised
over the alphabet,

    p(s) ~ product over chains of p_chain(s) ^ w(chain, depth that was found)

whose exponents are fitted on held-out data: a log-linear mixture, convex in its exponents (Klakow
1998, log-linear interpolation of language models).

Contexts are columns of integers: whoever uses this says which, and what they mean. A context is
kept as a 64-bit hash of its columns' values.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count as count_from

import numpy as np
from numpy.typing import NDArray

from musegen.errors import TrainingError

__all__ = [
    "Chain",
    "ContextMixture",
    "Counts",
    "Mixing",
    "Passage",
    "ShortTerm",
    "Told",
    "count_contexts",
    "fit_exponents",
    "fit_powers",
    "mixed_hash",
    "product_of_powers",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
HashArray = NDArray[np.uint64]
BoolArray = NDArray[np.bool_]

Chain = tuple[str, ...]  # columns in the order in which they are added, one context each

CHAINS_BEGIN = np.uint64(0x2545F4914F6CDD1D)  # not 0, where columns that are hashes may begin
BASE_COUNT = 0.1  # of every symbol before anything is counted
START_EXPONENT = 0.2
RIDGE = 1e-5  # weight of the squared distance of exponents from their start, in nats per symbol


@dataclass(frozen=True, slots=True)
class Mixing:
    """Which contexts there are, and how they are smoothed."""

    symbols: int  # size of the alphabet
    long: tuple[Chain, ...]  # chains that count the training data
    short: tuple[Chain, ...]  # chains that count the piece so far
    long_escape: float
    short_escape: float

    @property
    def shape(self) -> tuple[int, int]:
        """Of the exponents: chains, and depths from none to the deepest."""
        chains = (*self.long, *self.short)
        return len(chains), 1 + max(len(chain) for chain in chains)


@dataclass(frozen=True, slots=True)
class Passage:
    """One piece as symbols with what their contexts are made of."""

    symbols: IntArray  # (N,)
    limit: IntArray  # (N,): symbols from here on cannot stand there
    columns: Mapping[str, IntArray]  # by name, (N,) each

    def hashes(self, chain: Chain) -> list[HashArray]:
        """Hash of each context of a chain, (N,) each, general to special."""
        found: list[HashArray] = []
        so_far: HashArray = np.full(len(self.limit), CHAINS_BEGIN)
        for name in chain:
            so_far = mixed_hash(so_far, self.columns[name])
            found.append(so_far)
        return found

    @property
    def last(self) -> Passage:
        """Its last symbol alone, with its contexts."""
        return self.some(slice(-1, None))

    def some(self, rows: slice) -> Passage:
        """Some of its symbols, with their contexts."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        return Passage(self.symbols[rows], self.limit[rows], columns)

    def beyond(self, symbols: int) -> BoolArray:
        """Which symbols of an alphabet of this size cannot stand at each place, (N, S)."""
        return np.arange(symbols) >= self.limit[:, None]


def mixed_hash(so_far: HashArray, values: IntArray) -> HashArray:
    """A hash with one more column of values (splitmix64: Steele, Lea and Flood 2014)."""
    state = (so_far ^ values.astype(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: HashArray = state ^ (state >> np.uint64(31))
    return mixed


# --- counts ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counts:
    """What followed each context of one depth of one long-term chain."""

    contexts: HashArray  # (C,) ascending
    starts: IntArray  # (C + 1,): followers of context i are entries starts[i] to starts[i + 1]
    followers: IntArray  # (E,) symbols
    counts: IntArray  # (E,)

    @classmethod
    def of(cls, hashes: HashArray, followers: IntArray, symbols: int) -> Counts:
        """Count the followers (N,) of contexts (N,)."""
        contexts, owner = np.unique(hashes, return_inverse=True)
        entries, counts = np.unique(owner * symbols + followers, return_counts=True)
        starts = np.searchsorted(entries, np.arange(len(contexts) + 1) * symbols)
        return cls(contexts, starts, entries % symbols, counts)

    def interpolate(self, table: FloatArray, hashes: HashArray, escape: float) -> IntArray:
        """Put these counts upon distributions (N, S) in place; the rows whose context is known."""
        at = np.minimum(np.searchsorted(self.contexts, hashes), len(self.contexts) - 1)
        rows = np.flatnonzero(self.contexts[at] == hashes)
        first, last = self.starts[at[rows]], self.starts[at[rows] + 1]
        kinds = last - first
        owner = np.repeat(np.arange(len(rows)), kinds)
        entries = np.arange(len(owner)) + np.repeat(first - (np.cumsum(kinds) - kinds), kinds)
        totals = np.bincount(owner, weights=self.counts[entries], minlength=len(rows))
        mass = totals + escape * kinds
        table[rows] *= (escape * kinds / mass)[:, None]
        table[rows[owner], self.followers[entries]] += self.counts[entries] / mass[owner]
        return rows


class ShortTerm:
    """Counts of one piece so far, for one chain."""

    def __init__(self, chain: Chain, escape: float) -> None:
        """Nothing is counted yet."""
        self.escape = escape
        self.levels: list[dict[int, dict[int, int]]] = [defaultdict(dict) for _ in chain]

    def distribution(self, base: FloatArray, contexts: Sequence[int]) -> tuple[FloatArray, int]:
        """The distribution (S,) after contexts, general to special, and the depth found."""
        table, depth = base.copy(), 0
        for level, context in zip(self.levels, contexts, strict=True):
            seen = level.get(context)
            if seen is None:
                break
            depth += 1
            escape = self.escape * len(seen)
            mass = sum(seen.values()) + escape
            table *= escape / mass
            for symbol, count in seen.items():
                table[symbol] += count / mass
        return table, depth

    def count(self, contexts: Sequence[int], symbol: int) -> None:
        """Take note of what followed."""
        for level, context in zip(self.levels, contexts, strict=True):
            seen = level[context]
            seen[symbol] = seen.get(symbol, 0) + 1


# --- the mixture ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ContextMixture:
    """Counts of all long-term chains, and the exponents that mix the chains."""

    mixing: Mixing
    base: FloatArray  # (S,) distribution without any context
    counts: tuple[tuple[Counts, ...], ...]  # by long-term chain and depth
    exponents: FloatArray  # of the mixing's shape, by chain and depth that was found, 0 = none

    def log_probs(self, passage: Passage) -> FloatArray:
        """Natural-log probability (N,) of each symbol of a piece given those before it."""
        table = self.distributions(passage)
        found: FloatArray = table[np.arange(len(table)), passage.symbols]
        return found

    def distributions(self, passage: Passage) -> FloatArray:
        """Natural-log distribution (N, S) of each symbol of a piece given those before it."""
        return self.mixed(*self.experts(passage), passage.beyond(self.mixing.symbols))

    def mixed(self, logs: FloatArray, depths: IntArray, beyond: BoolArray) -> FloatArray:
        """Natural-log distributions (N, S) of what the chains say; -inf where none can stand."""
        return product_of_powers(self.exponents, logs, depths, beyond)

    def experts(self, passage: Passage) -> tuple[FloatArray, IntArray]:
        """What each chain says: logs (N, chains, S), 0 where none can stand, and depths found."""
        tables, depths = self.long_term(passage)
        for chain in self.mixing.short:
            table, depth = self._short_term(chain, passage)
            tables.append(table)
            depths.append(depth)
        return self.as_logs(np.stack(tables, axis=1), passage), np.stack(depths, axis=1)

    def as_logs(self, tables: FloatArray, passage: Passage) -> FloatArray:
        """Natural logs of distributions (N, chains, S) over what can stand, 0 elsewhere."""
        beyond = np.broadcast_to(passage.beyond(self.mixing.symbols)[:, None], tables.shape)
        tables = np.where(beyond, 0.0, tables)
        tables /= tables.sum(axis=2, keepdims=True)
        return np.log(np.where(beyond, 1.0, tables))

    def long_term(self, passage: Passage) -> tuple[list[FloatArray], list[IntArray]]:
        """Distributions (N, S) and depths found (N,) of each long-term chain."""
        tables, depths = [], []
        for chain, levels in zip(self.mixing.long, self.counts, strict=True):
            table = np.tile(self.base, (len(passage.limit), 1))
            depth = np.zeros(len(table), np.int64)
            for place, hashes in enumerate(passage.hashes(chain)):
                rows = levels[place].interpolate(table, hashes, self.mixing.long_escape)
                depth[rows] = place + 1
            tables.append(table)
            depths.append(depth)
        return tables, depths

    def _short_term(self, chain: Chain, passage: Passage) -> tuple[FloatArray, IntArray]:
        memory = ShortTerm(chain, self.mixing.short_escape)
        table = np.empty((len(passage.symbols), self.mixing.symbols))
        depth = np.zeros(len(table), np.int64)
        rows = zip(*(hashes.tolist() for hashes in passage.hashes(chain)), strict=True)
        for place, (contexts, symbol) in enumerate(
            zip(rows, passage.symbols.tolist(), strict=True)
        ):
            table[place], depth[place] = memory.distribution(self.base, contexts)
            memory.count(contexts, symbol)
        return table, depth


def product_of_powers(
    exponents: FloatArray, logs: FloatArray, cells: IntArray, beyond: BoolArray
) -> FloatArray:
    """Natural-log distributions (N, S) in proportion to products of powers; -inf where `beyond`.

    Args:
        exponents: (C, K) of each of C experts, by cell.
        logs: (N, C, S) what each expert says, 0 where `beyond`.
        cells: (N, C) which exponent of each expert.
        beyond: (N, S) what cannot stand.
    """
    weights = exponents[np.arange(logs.shape[1]), cells]
    return _normalised(np.einsum("nc,ncs->ns", weights, logs), beyond)


def _normalised(scores: FloatArray, beyond: BoolArray) -> FloatArray:
    """Scores (N, S) less the log of their exponentials' sum; -inf where `beyond`."""
    scores = np.where(beyond, -np.inf, scores)
    top = scores.max(axis=1, keepdims=True)
    found: FloatArray = scores - top - np.log(np.exp(scores - top).sum(axis=1, keepdims=True))
    return found


def count_contexts(mixing: Mixing, passages: Sequence[Passage]) -> ContextMixture:
    """Count what followed each context in all passages; the exponents are a plain start.

    Raises:
        TrainingError: there is no symbol to count.
    """
    if not passages:
        raise TrainingError("no piece to count, at least one is needed")
    followers = np.concatenate([each.symbols for each in passages])
    base = np.bincount(followers, minlength=mixing.symbols) + BASE_COUNT
    counts = tuple(
        tuple(Counts.of(hashes, followers, mixing.symbols) for hashes in _joined(passages, chain))
        for chain in mixing.long
    )
    exponents = np.full(mixing.shape, START_EXPONENT)
    return ContextMixture(mixing, base / base.sum(), counts, exponents)


def _joined(passages: Sequence[Passage], chain: Chain) -> Iterator[HashArray]:
    hashes = [each.hashes(chain) for each in passages]
    for depth in range(len(chain)):
        yield np.concatenate([levels[depth] for levels in hashes])


# --- fitting --------------------------------------------------------------------------------


def fit_exponents(
    mixture: ContextMixture,
    passages: Sequence[Passage],
    *,
    progress: Callable[[int, float], None] | None = None,
    rounds: int = 60,
) -> ContextMixture:
    """The same counts with the exponents that make held-out pieces likeliest.

    Args:
        mixture: counted on other pieces.
        passages: held-out pieces.
        progress: told of each round and of its nats per symbol.
        rounds: of L-BFGS at most.
    """
    pieces = [
        Told(*mixture.experts(each), each.symbols, each.beyond(mixture.mixing.symbols))
        for each in passages
    ]
    found = fit_powers(pieces, mixture.exponents, progress=progress, rounds=rounds)
    return replace(mixture, exponents=found)


@dataclass(frozen=True, slots=True)
class Told:
    """What experts say of one piece; see `product_of_powers`."""

    logs: FloatArray  # (N, C, S)
    cells: IntArray  # (N, C)
    symbols: IntArray  # (N,) what came
    beyond: BoolArray  # (N, S)


def fit_powers(
    pieces: Sequence[Told],
    start: FloatArray,
    *,
    progress: Callable[[int, float], None] | None = None,
    rounds: int = 60,
) -> FloatArray:
    """Exponents (C, K) that make what came likeliest; those that nothing tells of stay at the start.

    Args:
        pieces: what experts say of held-out pieces.
        start: exponents to begin with, and to stay near.
        progress: told of each round and of its nats per symbol.
        rounds: of L-BFGS at most.
    """
    from scipy.optimize import minimize

    count = sum(len(each.symbols) for each in pieces)

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        exponents = flat.reshape(start.shape)
        away = exponents - start
        nats, gradient = RIDGE * count * float((away**2).sum()), 2 * RIDGE * count * away
        for told in pieces:
            more, slope = _slope(exponents, told)
            nats, gradient = nats + more, gradient + slope
        return nats / count, gradient.ravel() / count

    calls = count_from(1)

    def tell(state: FloatArray) -> None:
        if progress is not None:
            progress(next(calls), loss(state)[0])

    found = minimize(
        loss,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        callback=tell,
        options={"maxiter": rounds},
    )
    exponents: FloatArray = found.x.reshape(start.shape)
    return exponents


def _slope(exponents: FloatArray, told: Told) -> tuple[float, FloatArray]:
    """Nats of a piece, and their gradient by the exponents."""
    rows = np.arange(len(told.symbols))
    mixed = product_of_powers(exponents, told.logs, told.cells, told.beyond)
    expected = np.einsum("ncs,ns->nc", told.logs, np.exp(mixed))
    slopes = expected - told.logs[rows, :, told.symbols]
    gradient = np.zeros(exponents.shape)
    np.add.at(gradient, (np.arange(told.logs.shape[1]), told.cells), slopes)
    return -float(mixed[rows, told.symbols].sum()), gradient
