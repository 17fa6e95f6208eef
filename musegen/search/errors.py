"""What the search refuses."""

from __future__ import annotations

from theory_kb.errors import MusegenError

__all__ = ["DeadEndError", "InfeasibleError"]


class InfeasibleError(MusegenError):
    """No solution exists under the hard constraints."""

    def __init__(self, slot: int, problem: str) -> None:
        """Name the first slot (counted from 0) with nothing left, and why."""
        super().__init__(f"slot {slot}: {problem}")
        self.slot, self.problem = slot, problem


class DeadEndError(MusegenError):
    """The search gave up: rules that look far back left nothing within its patience."""

    def __init__(self, slot: int, tries: int) -> None:
        """Name the slot that could not be passed and how often it was tried."""
        super().__init__(f"slot {slot}: no way on after {tries} tries; rules that look further "
                         "back than one slot forbid all of them")
        self.slot, self.tries = slot, tries
