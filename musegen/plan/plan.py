"""What is to be written: places for sonorities, the chords that may stand there, phrases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from musegen.score import Note
from theory_kb.chords import Chord
from theory_kb.moment import TICKS
from theory_kb.pitch import Key, Pitch
from theory_kb.query import CadenceFormula

__all__ = ["ANY", "COMMON", "CONDITIONAL", "Given", "Harmony", "Phrase", "Plan", "Slot", "where"]

ANY, CONDITIONAL, COMMON = 0, 1, 2  # grades of progressions; the graph's normative ones are 3


@dataclass(frozen=True, slots=True)
class Harmony:
    """A chord in a local key."""

    key: Key
    chord: Chord


@dataclass(frozen=True, slots=True)
class Given:
    """What a voice is bound to sound in a slot."""

    first: Pitch  # at its onset
    second: Pitch  # in its middle; the same if the voice stands still
    struck: bool = True  # whether it begins a note at the onset

    @property
    def ornate(self) -> bool:
        """Whether it is more than one note struck at the onset."""
        return self.moves or not self.struck

    @property
    def moves(self) -> bool:
        """Whether the voice has left its first pitch by the middle of the slot."""
        return self.first != self.second


@dataclass(frozen=True, slots=True)
class Slot:
    """One place where a sonority is chosen."""

    onset: Fraction  # quarter notes from the start
    duration: Fraction  # quarter notes
    bar: int  # an upbeat is bar 0
    position: int  # ticks from the start of the bar
    strength: int  # 4 = downbeat
    phrase: int  # index
    to_end: int  # slots to the phrase's last
    from_start: int  # slots from the phrase's first
    harmonies: tuple[Harmony, ...]  # what may stand here
    soprano: tuple[int, ...] = ()  # scale degrees the soprano must be on; empty: any
    repeats: int | None = None  # slot whose soprano this one takes up
    given: tuple[Given | None, ...] = ()  # what each voice is bound to; empty: nothing

    @property
    def opens(self) -> bool:
        """Whether a phrase begins here."""
        return self.from_start == 0

    @property
    def closes(self) -> bool:
        """Whether a phrase ends here."""
        return self.to_end == 0


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase: where it stands, where it goes, how it closes."""

    name: str
    first: int  # slot
    last: int  # slot of the arrival chord
    start_key: Key
    key: Key  # of the cadence
    fermata: bool
    formula: CadenceFormula | None = None  # how it shall close; None leaves that open

    @property
    def cadence(self) -> str | None:
        """Kind of the cadence that it shall close with."""
        return None if self.formula is None else self.formula.kind


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written."""

    name: str  # of the form, or of the task
    home: Key
    metre: tuple[int, int]  # beats of a bar and the unit of a beat
    upbeat: Fraction  # quarter notes
    tempo: float  # quarter notes a minute
    slots: tuple[Slot, ...]
    phrases: tuple[Phrase, ...]
    lines: Mapping[int, tuple[Note, ...]] = field(
        default_factory=dict
    )  # given voices, as they stand
    least_grade: int = COMMON  # of the progressions that may stand anywhere
    chords_given: bool = False  # whether the chords are not ours to choose

    @property
    def bars(self) -> int:
        """Number of the last bar."""
        return self.slots[-1].bar


def where(slot: Slot, unit: int) -> str:
    """A slot's place in words, its beat counted in the unit of the metre: `bar 3, beat 2`."""
    return f"bar {slot.bar}, beat {1 + slot.position * unit / (4 * TICKS):g}"
