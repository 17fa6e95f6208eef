"""What a piece itself has said so far after each of its contexts, for all places at once.

The distributions are those of `context_mixing.ShortTerm`: each chain of contexts, general to
special, interpolated by Witten and Bell's escape. Here they are products of matrices: which earlier
places have the same context, times which symbol follows them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from musegen.models.context_mixing import Chain, Passage

__all__ = ["short_term_ahead", "short_term_logs"]

Real = NDArray[np.float32]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
HashArray = NDArray[np.uint64]
Steps = tuple[IntArray, IntArray, BoolArray]  # (M, P) after which place, which symbol, if any
ROWS = 512  # places that are told of at once, so that memory does not grow with the square


def short_term_logs(
    passage: Passage, chains: Sequence[Chain], symbols: int, *, escape: float = 1.0, first: int = 0
) -> tuple[Real, IntArray]:
    """Natural logs (N, chains, symbols) of what each chain expects, and the depths (N, chains) found.

    Args:
        passage: a piece as symbols with the columns that the chains name.
        chains: of contexts.
        symbols: size of the alphabet; before anything is counted all are as likely.
        escape: factor of Witten and Bell's escape.
        first: places before this one are counted, and not told of.
    """
    hashes = [passage.hashes(chain) for chain in chains]
    size = len(passage.symbols)
    base = np.full(symbols, 1 / symbols, np.float32)
    found = []
    for begin in range(first, size, ROWS):
        end = min(begin + ROWS, size)
        past = [[contexts[:end] for contexts in levels] for levels in hashes]
        here = [[contexts[begin:end] for contexts in levels] for levels in hashes]
        earlier = np.arange(end) < np.arange(begin, end)[:, None]
        none = np.zeros((end - begin, 0), np.int64)
        own = (none, none, none.astype(np.bool_))
        found.append(_told(passage.symbols[:end], past, here, (earlier, own), (base, escape)))
    return np.concatenate([logs for logs, _ in found]), np.concatenate([deep for _, deep in found])


def short_term_ahead(
    written: Passage,
    ahead: Passage,
    chains: Sequence[Chain],
    smoothing: tuple[FloatArray, float],
    *,
    steps: Steps,
) -> tuple[Real, IntArray]:
    """The same of places (M,) each of which may come: counted is what is written, and what led there.

    Args:
        written: a piece so far, (N,) symbols, N may be 0.
        ahead: the places with their columns.
        chains: of contexts.
        smoothing: distribution (S,) before anything is counted, and the factor of the escape.
        steps: that led from what is written to each place: see `Beginnings.steps`.
    """
    past = [written.hashes(chain) for chain in chains]
    here = [ahead.hashes(chain) for chain in chains]
    earlier = np.ones((len(ahead.limit), len(written.limit)), np.bool_)
    base = smoothing[0].astype(np.float32)
    return _told(written.symbols, past, here, (earlier, steps), (base, smoothing[1]))


def _told(
    spelled: IntArray,
    past: Sequence[Sequence[HashArray]],
    here: Sequence[Sequence[HashArray]],
    counted: tuple[BoolArray, Steps],
    smoothing: tuple[Real, float],
) -> tuple[Real, IntArray]:
    """What places (M,) expect after the contexts `here`; the symbols (N,) had the contexts `past`.

    Hashes are by chain and depth; `counted` says which symbols (M, N) count for which place, and
    which steps between the places themselves; `smoothing` is the distribution without any context,
    and the factor of the escape.
    """
    earlier, (after, came, there) = counted
    base, escape = smoothing
    follows = np.eye(len(base), dtype=np.float32)[spelled]
    logs = np.empty((len(earlier), len(here), len(base)), np.float32)
    depths = np.zeros(logs.shape[:2], np.int64)
    for number, (before, now) in enumerate(zip(past, here, strict=True)):
        table = np.tile(base, (len(earlier), 1))
        rows, same, own = np.arange(len(earlier)), earlier, there
        for depth, (contexts, asked) in enumerate(zip(before, now, strict=True), 1):
            same = same & (contexts == asked[rows, None])
            own = own & (asked[after[rows]] == asked[rows, None])
            seen = same.any(axis=1) | own.any(axis=1)
            rows, same, own = rows[seen], same[seen], own[seen]
            if not len(rows):
                break
            counts = same.astype(np.float32) @ follows
            place, step = np.nonzero(own)
            np.add.at(counts, (place, came[rows[place], step]), 1)
            spared = np.float32(escape) * np.count_nonzero(counts, axis=1)[:, None]
            mass = counts.sum(axis=1, keepdims=True) + spared
            table[rows] = (counts + spared * table[rows]) / mass
            depths[rows, number] = depth
        logs[:, number] = np.log(table)
    return logs, depths
