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

__all__ = ["short_term_logs"]

Real = NDArray[np.float32]
IntArray = NDArray[np.int64]
HashArray = NDArray[np.uint64]
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
    found = [
        _told(passage.symbols, hashes, symbols, escape, (begin, min(begin + ROWS, size)))
        for begin in range(first, size, ROWS)
    ]
    return np.concatenate([logs for logs, _ in found]), np.concatenate([deep for _, deep in found])


def _told(
    spelled: IntArray,
    hashes: Sequence[Sequence[HashArray]],
    symbols: int,
    escape: float,
    ends: tuple[int, int],
) -> tuple[Real, IntArray]:
    """The same of the places between two ends; hashes by chain and depth."""
    begin, end = ends
    follows = np.eye(symbols, dtype=np.float32)[spelled[:end]]
    earlier = np.arange(end) < np.arange(begin, end)[:, None]
    logs = np.empty((end - begin, len(hashes), symbols), np.float32)
    depths = np.zeros((end - begin, len(hashes)), np.int64)
    for number, levels in enumerate(hashes):
        table = np.full((end - begin, symbols), 1 / symbols, np.float32)
        rows, same = np.arange(end - begin), earlier
        for depth, contexts in enumerate(levels, 1):
            same = same & (contexts[:end] == contexts[begin + rows, None])
            seen = same.any(axis=1)
            rows, same = rows[seen], same[seen]
            if not len(rows):
                break
            counts = same.astype(np.float32) @ follows
            spared = np.float32(escape) * np.count_nonzero(counts, axis=1)[:, None]
            mass = counts.sum(axis=1, keepdims=True) + spared
            table[rows] = (counts + spared * table[rows]) / mass
            depths[rows, number] = depth
        logs[:, number] = np.log(table)
    return logs, depths
