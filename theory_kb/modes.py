"""The church modes: their finals, their scales, and what musica ficta adds to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import accumulate

from theory_kb.errors import UnknownNameError
from theory_kb.facts import load_facts
from theory_kb.pitch import Interval, Pitch, PitchClass

__all__ = ["ChurchMode", "church_mode", "church_mode_names"]

OCTAVE_OF_SCALE = 4  # any octave will do
LEADING_TONE = 5  # fifths above the final: a semitone below it


@dataclass(frozen=True, slots=True)
class ChurchMode:
    """A mode on its final."""

    name: str
    final: PitchClass
    reciting: PitchClass
    scale: tuple[PitchClass, ...]  # seven, from the final up
    is_raised: bool  # the seventh degree becomes a leading tone at a close
    lowest: int  # staff steps from the final to the lowest note, 0 or -3
    source: str

    @property
    def leading_tone(self) -> PitchClass:
        """The seventh degree at a close; in phrygian a whole tone below the final."""
        return self.final.transposed(LEADING_TONE) if self.is_raised else self.scale[-1]

    @property
    def soft(self) -> PitchClass:
        """The note that ficta lowers against the tritone: B flat where there is no signature."""
        return min(self.scale).transposed(-1)


def church_mode_names() -> tuple[str, ...]:
    """Modes that are known, such as `dorian`."""
    return tuple(load_facts().modes["modes"])


@cache
def church_mode(name: str, final: PitchClass | None = None) -> ChurchMode:
    """A mode on its own final, or transposed to another; raises UnknownNameError."""
    if name not in church_mode_names():
        raise UnknownNameError("church mode", name, church_mode_names())
    fact = load_facts().modes["modes"][name]
    home = PitchClass.parse(fact["final"])
    start = final or home
    return ChurchMode(
        name,
        start,
        PitchClass.parse(fact["reciting"]).transposed(start.fifths - home.fifths),
        _scale(start, load_facts().scales["scales"][fact["scale"]]["steps"]),
        fact["raised"],
        fact["lowest"],
        fact["source"],
    )


def _scale(final: PitchClass, steps: list[int]) -> tuple[PitchClass, ...]:
    first = Pitch.of(final, OCTAVE_OF_SCALE)
    rises = (0, *accumulate(steps[:-1]))
    return tuple((first + Interval(degree, rise)).pitch_class for degree, rise in enumerate(rises))
