"""What the search refuses.

MusegenError
  InfeasibleError    no complete path exists under the hard constraints: names the slot
  DeadEndError       rules that look far back left nothing within the search's patience
  SearchInputError   a lattice, an option or an answer of a scorer that search cannot work with
"""

from __future__ import annotations

from theory_kb.errors import MusegenError

__all__ = ["DeadEndError", "InfeasibleError", "SearchInputError"]


class InfeasibleError(MusegenError):
    """No solution exists under the hard constraints."""

    def __init__(self, slot: int, problem: str, *, from_right: int | None = None) -> None:
        """Name the first slot (counted from 0) with nothing left, and why.

        Args:
            slot: first slot that cannot be reached from the start.
            problem: what is wrong there.
            from_right: last slot that cannot reach the end, where that was asked.
        """
        super().__init__(f"slot {slot}: {problem}")
        self.slot, self.problem, self.from_right = slot, problem, from_right


class DeadEndError(MusegenError):
    """The search gave up: what looks further back than one slot left nothing to go on with."""

    def __init__(self, slot: int, reason: str) -> None:
        """Name the furthest slot (counted from 0) that could not be passed, and why."""
        super().__init__(f"slot {slot}: {reason}")
        self.slot, self.reason = slot, reason


class SearchInputError(MusegenError):
    """A value that search cannot work with."""

    def __init__(self, what: str, got: object, allowed: str) -> None:
        """Name the value, what came, and what is allowed."""
        super().__init__(f"{what} must be {allowed}, got {got}")
        self.what, self.got, self.allowed = what, got, allowed
