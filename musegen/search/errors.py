"""What the search refuses.

MusegenError
  InfeasibleError    no complete path exists under the hard constraints: names the slot
  DeadEndError       rules that look far back left nothing: proved, or within a limit that it names
  SearchInputError   a lattice, an option or an answer of a scorer that search cannot work with
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self

from theory_kb.errors import MusegenError

__all__ = ["DeadEndError", "Explained", "InfeasibleError", "SearchInputError"]


class Explained(Protocol):
    """Why there is no solution, as those tell it who know what the constraints are."""

    @property
    def conflict(self) -> Any:
        """Constraints that cannot hold together."""

    @property
    def relaxations(self) -> tuple[Any, ...]:
        """What to give up, the cheapest first."""

    @property
    def lines(self) -> tuple[str, ...]:
        """All this in words, a fact a line."""

    def as_json(self) -> dict[str, Any]:
        """All this as values of JSON."""


class _ExplainableError(MusegenError):
    """A refusal that can say why, if somebody gave it the means to."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._ask: Callable[[], Explained | None] | None = None
        self._answer: Explained | None = None

    def explained_by(self, ask: Callable[[], Explained | None]) -> Self:
        """The same error, which can say why: `ask` is called once, when somebody wants to know."""
        self._ask = ask
        return self

    @property
    def explanation(self) -> Explained | None:
        """What cannot hold together, and the ways out; takes seconds; None if it is not known."""
        if self._ask is not None:
            self._answer, self._ask = self._ask(), None
        return self._answer

    @property
    def conflict(self) -> Any:
        """Constraints that cannot hold together, None if they are not known."""
        return None if self.explanation is None else self.explanation.conflict

    @property
    def relaxations(self) -> tuple[Any, ...]:
        """What to give up so that a solution exists, the cheapest first; empty if not known."""
        return () if self.explanation is None else self.explanation.relaxations


class InfeasibleError(_ExplainableError):
    """No solution exists under the hard constraints."""

    def __init__(
        self, slot: int, problem: str, *, from_right: int | None = None, placed: bool = False
    ) -> None:
        """Name the first slot (counted from 0) with nothing left, and why.

        Args:
            slot: first slot that cannot be reached from the start.
            problem: what is wrong there.
            from_right: last slot that cannot reach the end, where that was asked.
            placed: whether the problem names its place in other words than a slot.
        """
        super().__init__(problem if placed else f"slot {slot}: {problem}")
        self.slot, self.problem, self.from_right = slot, problem, from_right


class DeadEndError(_ExplainableError):
    """What looks further back than one slot left nothing to go on with.

    `proved` says that every way was tried, so that there is no solution; else the search gave up.
    """

    def __init__(
        self, slot: int, reason: str, *, proved: bool = False, placed: bool = False
    ) -> None:
        """Name the furthest slot (counted from 0) that could not be passed, and why.

        Args:
            slot: furthest slot that was reached.
            reason: what is wrong there.
            proved: whether every way was tried.
            placed: whether the reason names its place in other words than a slot.
        """
        super().__init__(reason if placed else f"slot {slot}: {reason}")
        self.slot, self.reason, self.proved = slot, reason, proved


class SearchInputError(MusegenError):
    """A value that search cannot work with."""

    def __init__(self, what: str, got: object, allowed: str) -> None:
        """Name the value, what came, and what is allowed."""
        super().__init__(f"{what} must be {allowed}, got {got}")
        self.what, self.got, self.allowed = what, got, allowed
