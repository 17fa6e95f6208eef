"""An answer as features of a piece look at it, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from musegen.errors import ScoreError
from musegen.exercises.grading.observe import Observed
from musegen.exercises.item import Item, Text
from musegen.score import Note

__all__ = ["FULL", "Outcome", "Seen", "share_of"]


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer as the rules saw it, and what was asked."""

    item: Item
    observed: Observed

    @property
    def lines(self) -> tuple[tuple[Note, ...], ...]:
        """The notes of each voice, high to low."""
        return tuple(part.notes for part in self.observed.score.parts)

    def bar_of(self, onset: Fraction) -> int:
        """Number of the bar that a time lies in."""
        return self.observed.score.bar_and_beat(onset)[0]

    def fact(self, name: str) -> str:
        """A fact of the item; raises ScoreError where it has none of that name."""
        if name not in self.item.facts:
            raise ScoreError("facts", f"{name!r} is missing")
        return self.item.facts[name]


Outcome = tuple[Fraction, Text]  # share of what was asked, and what is said where it is not all
FULL: Outcome = (Fraction(1), Text("", ""))


def share_of(right: int, count: int, said: Text) -> Outcome:
    """So many of a number, at most all of them; of nothing, all."""
    return (min(Fraction(1), Fraction(right, count)), said) if count else FULL
