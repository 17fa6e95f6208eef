"""What is declared of a piece beside its notes: cantus, form, imitation, what an exercise gives.

Nothing here is guessed. A rule that needs what is not declared is skipped, and reported as skipped.
Places are indices of surface moments; stops are the first moment that no longer belongs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "COMBINED",
    "UNDECLARED",
    "Answer",
    "Canon",
    "Context",
    "Entry",
    "GivenNote",
    "Silence",
    "Syllable",
    "Unit",
    "WrittenNote",
    "combination",
]

COMBINED = "combined-species"  # declared where several voices carry a species


@dataclass(frozen=True, slots=True)
class Unit:
    """A stretch of form; units may lie inside one another."""

    kind: str  # such as antecedent, continuation, basic-idea, theme, variation, return, coda
    start: int
    stop: int
    name: str = ""  # letter of its material, such as A or B


@dataclass(frozen=True, slots=True)
class Entry:
    """A statement of imitated material in one voice."""

    kind: str  # subject, answer, countersubject, imitation
    voice: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Canon:
    """A declared canon: who follows whom, how far off and how late."""

    leader: int
    follower: int
    steps: int  # diatonic steps from leader to follower, signed
    semitones: int  # semitones of the same interval
    delay: int  # ticks
    strict: bool = False  # exact intervals, not only generic ones
    close: int | None = None  # ticks where the free ending begins; None: after the last right note


@dataclass(frozen=True, slots=True)
class GivenNote:
    """A note that an exercise gives and that must stay."""

    voice: int
    onset: int  # ticks
    step: int
    semitone: int


@dataclass(frozen=True, slots=True)
class Silence:
    """A rest that is written in one voice."""

    voice: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A label that a student wrote, and the readings that are right there."""

    kind: str  # roman, figure, key, cadence, form, nct
    moment: int
    came: str
    allowed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Syllable:
    """A syllable sung at a moment."""

    moment: int
    stressed: bool


@dataclass(frozen=True, slots=True)
class WrittenNote:
    """A notehead as it is written: tied notes are several."""

    voice: int
    onset: int  # ticks
    duration: int  # ticks
    tied: bool  # to the next notehead


@dataclass(frozen=True, slots=True)
class Context:
    """What is declared; None, or empty, where nothing is."""

    cantus: int | None = None  # voice of the cantus firmus
    species: Mapping[int, int] = field(default_factory=dict)  # voice: species 1 to 5
    final: int | None = None  # line of fifths of the mode's final
    mode: str | None = None  # church mode, such as dorian
    home: tuple[int, int] | None = None  # the piece's key: tonic on the line of fifths, mode 0 or 1
    units: tuple[Unit, ...] = ()
    entries: tuple[Entry, ...] = ()
    canon: Canon | None = None
    invertible: int | None = None  # 8, 10 or 12: interval of double counterpoint
    given: tuple[GivenNote, ...] = ()
    answers: tuple[Answer, ...] = ()
    vocabulary: frozenset[str] | None = None  # symbols of the chords that a course has reached
    syllables: tuple[Syllable, ...] = ()
    melody: int | None = None  # voice of the tune in a lead sheet
    hands: int | None = None  # voices of the right hand, from the top
    tempo: float | None = None  # quarter notes a minute
    bars: tuple[tuple[int, int], ...] = ()  # number and ticks of each bar as it is filled
    written: tuple[WrittenNote, ...] = ()
    figures: tuple[tuple[int, str], ...] = ()  # moment and figured bass written there
    devices: frozenset[str] = frozenset()  # declared licences, such as divisi or picardy
    doublings: tuple[tuple[int, int], ...] = ()  # a voice and the one that it doubles on purpose
    silences: tuple[Silence, ...] = ()  # written rests
    end: int | None = None  # ticks: where the piece ends; a last note lasts until then


def combination(species: Mapping[int, int]) -> frozenset[str]:
    """The licence that an exercise declares by naming a species above the first for several voices.

    Args:
        species: 1 to 5 by voice; 0 or none for the cantus.
    """
    several = sum(number > 1 for number in species.values()) > 1
    return frozenset({COMBINED}) if several else frozenset()


UNDECLARED = Context()
