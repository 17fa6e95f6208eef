"""What one voice does in a beat, and a beat as it is decorated."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from musegen.plan.plan import Given
from theory_kb.pitch import Pitch

__all__ = ["DELAYED", "GIVEN", "HOLD", "PLAIN", "REST", "Decoration", "Figure"]

PLAIN = "plain"
GIVEN = {  # kind of a given figure, by whether it moves and is struck
    (False, True): PLAIN,
    (False, False): "given-held",
    (True, True): "given",
    (True, False): "given-suspended",
}
HOLD = "held"  # the note of the slot before goes on
DELAYED = {True: "figured-suspension", False: "figured-appoggiatura"}  # by whether it is prepared
REST = "rest"  # the voice is silent
STILL = frozenset({PLAIN, HOLD, REST, *DELAYED.values(), "given-held"})
HELD = frozenset({HOLD, DELAYED[True], "suspension", "given-held", "given-suspended"})


@dataclass(frozen=True, slots=True)
class Figure:
    """What one voice does in a beat."""

    kind: str
    first: Pitch  # on the beat
    second: Pitch  # in the middle of the beat; the same note goes on if the kind is plain
    goal: Pitch | None = None  # what the voice must sound on the next beat
    cost: float = 0.0  # nats
    source: Given | None = None  # all that the voice sounds, if it was not chosen here

    @property
    def moves(self) -> bool:
        """Whether the voice has two notes in the beat."""
        return self.kind not in STILL

    @property
    def sounds(self) -> bool:
        """Whether the voice does not rest."""
        return self.kind != REST

    @property
    def given(self) -> bool:
        """Whether it was not chosen here."""
        return self.source is not None

    @property
    def goes_on(self) -> bool:
        """Whether the whole of it is the note of the slot before."""
        return self.kind in (HOLD, DELAYED[True])

    @property
    def struck(self) -> bool:
        """Whether the voice begins a note on the beat."""
        return self.kind not in HELD

    def at(self, time: Fraction, middle: Fraction) -> tuple[Pitch | None, bool]:
        """What sounds at a time in the beat, and whether it is struck there.

        Args:
            time: quarter notes from the onset.
            middle: when the second note of a chosen figure is struck.
        """
        if self.source is not None:
            return self.source.at(time)
        if not self.sounds:
            return None, False
        if time < middle:
            return self.first, self.struck and time == 0
        return self.second, self.moves and time == middle


@dataclass(frozen=True, slots=True)
class Decoration:
    """A beat as decorated: one figure a voice."""

    figures: tuple[Figure, ...]
    cost: float  # nats

    @property
    def moving(self) -> int:
        """Voices with two notes."""
        return sum(figure.moves for figure in self.figures)
