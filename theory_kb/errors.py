"""Errors of the house: one base, so that the command line catches one thing.

    MusegenError
      FactError          a fact, rule, style or form file is wrong: names file and entry
      UnknownNameError   a name that is not in a table: names what came and what is allowed

`musegen.errors` continues the tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

__all__ = ["FactError", "MusegenError", "UnknownNameError"]


MOST_LISTED = 80  # names that a refusal lists; of more it names the nearest
NEAREST = 5


class MusegenError(Exception):
    """Anything the user can mend; its text is one line that says what is allowed."""


class FactError(MusegenError):
    """A stored fact is wrong."""

    def __init__(self, file: str, entry: str, problem: str) -> None:
        """Name the file, the entry in it and what is wrong there."""
        super().__init__(f"{file}: {entry}: {problem}")
        self.file, self.entry, self.problem = file, entry, problem


class UnknownNameError(MusegenError):
    """A name that is not in the table it was looked up in."""

    def __init__(self, kind: str, got: str, allowed: Iterable[str]) -> None:
        """Name the kind of thing, what came, and what is allowed."""
        names = sorted(allowed)
        near = get_close_matches(got, names, n=NEAREST)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        super().__init__(f"unknown {kind} {got!r}{hint} (allowed: {_listed(names, near)})")
        self.kind, self.got, self.allowed = kind, got, names


def _listed(names: Sequence[str], near: Sequence[str]) -> str:
    if len(names) <= MOST_LISTED:
        return ", ".join(names)
    shown = near or names[:NEAREST]
    return f"{', '.join(shown)} and {len(names) - len(shown)} more"
