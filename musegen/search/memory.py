"""What of a path still matters: equal states have equal futures, so each need be tried but once."""

from __future__ import annotations

import numpy as np

from musegen.search.lattice import BoolArray, IntArray
from musegen.search.protocols import LookBack, Stateful

__all__ = ["DeadStates", "states"]


def states(look_back: LookBack | None, paths: IntArray, *, hard: bool = False) -> IntArray:
    """State (B, M) of paths (B, t), t above 0: where it is equal, so is all that may follow.

    The last candidate, and what the long rules remember; the whole path if they do not tell.

    Args:
        look_back: the long rules; None if there are none.
        paths: candidates chosen so far.
        hard: whether only what the rules may still forbid matters, not what it may cost.
    """
    last = paths[:, -1:]
    if look_back is None:
        return last
    if not isinstance(look_back, Stateful):
        return paths
    return np.concatenate([last, look_back.states(paths, hard=hard)], axis=1)


class DeadStates:
    """States from which, as was found out, nothing leads to the end."""

    def __init__(self, look_back: LookBack | None, slots: int) -> None:
        """None so far.

        Args:
            look_back: the long rules that know what a state is.
            slots: of the lattice.
        """
        self.look_back = look_back
        self.dead: list[set[bytes]] = [set() for _ in range(slots + 1)]

    def fresh(self, paths: IntArray) -> BoolArray:
        """Which paths (B, t) stand in a state that is not dead and that no earlier row stands in."""
        dead, seen = self.dead[paths.shape[1]], set[bytes]()
        fresh = np.zeros(len(paths), np.bool_)
        for row, state in enumerate(self._named(paths)):
            fresh[row] = state not in dead and state not in seen
            seen.add(state)
        return fresh

    def bury(self, paths: IntArray) -> None:
        """Nothing leads on from these paths (B, t)."""
        if paths.shape[1]:
            self.dead[paths.shape[1]].update(self._named(paths))

    def _named(self, paths: IntArray) -> list[bytes]:
        rows = np.ascontiguousarray(states(self.look_back, paths, hard=True))
        return [row.tobytes() for row in rows]
