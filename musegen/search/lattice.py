"""What the search sees: candidates with costs, and which may follow which at what cost.

Nothing here knows of music: a slot has N candidates with one cost each, and a table says for each
candidate which of the next slot may follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BoolArray", "FloatArray", "IntArray", "Lattice", "PairTable"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PairTable:
    """Legal successors of each candidate, as compressed rows."""

    indptr: IntArray  # (N + 1,): row i is successors[indptr[i]:indptr[i + 1]]
    successors: NDArray[np.int32]  # (nnz,), ascending in each row
    costs: FloatArray  # (nnz,)


@dataclass(frozen=True, slots=True)
class Lattice:
    """Slots of candidates and the tables between neighbouring slots."""

    unary: tuple[FloatArray, ...]  # cost of each candidate of each slot; inf = removed
    pairs: tuple[PairTable, ...]  # one fewer than slots

    def __post_init__(self) -> None:
        """Check that the tables fit the slots."""
        if len(self.pairs) != len(self.unary) - 1:
            raise ValueError(f"{len(self.unary)} slots need {len(self.unary) - 1} pair tables, "
                             f"got {len(self.pairs)}")
        for place, table in enumerate(self.pairs):
            if len(table.indptr) != len(self.unary[place]) + 1:
                raise ValueError(f"pair table {place} must have {len(self.unary[place])} rows, "
                                 f"got {len(table.indptr) - 1}")
            if len(table.successors) and table.successors.max() >= len(self.unary[place + 1]):
                raise ValueError(f"pair table {place} names a candidate that slot {place + 1} "
                                 f"does not have")
