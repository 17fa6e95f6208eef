"""What a piece is: notes, parts, a score. Frozen, spelled, exact.

Time is in quarter notes from the first note of the piece, as fractions; an upbeat is the time
before the first full bar. A rest is the absence of a note.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from theory_kb.pitch import Key, Pitch, PitchClass

__all__ = [
    "Cadence",
    "ChordLabel",
    "ChordSymbol",
    "Direction",
    "Ending",
    "Expression",
    "FigureMark",
    "Hairpin",
    "Metre",
    "Note",
    "Part",
    "Score",
    "Slur",
    "Touch",
]


@dataclass(frozen=True, slots=True)
class Note:
    """One sounding note; a tied chain is one note."""

    onset: Fraction  # quarter notes from the start of the piece
    duration: Fraction  # quarter notes
    pitch: Pitch
    fermata: bool = False

    @property
    def end(self) -> Fraction:
        """Release, in quarter notes from the start."""
        return self.onset + self.duration


@dataclass(frozen=True, slots=True)
class Part:
    """A line of one voice: its notes in order, never overlapping."""

    name: str
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Metre:
    """A time signature from a place on."""

    beats: int  # upper number
    unit: int  # lower number: 4 = quarter
    onset: Fraction = Fraction(0)  # quarter notes from the start of the piece

    @property
    def bar(self) -> Fraction:
        """Length of a bar in quarter notes."""
        return Fraction(4 * self.beats, self.unit)

    def __str__(self) -> str:
        return f"{self.beats}/{self.unit}"


@dataclass(frozen=True, slots=True)
class ChordLabel:
    """A chord of the harmony: a Roman numeral in a local key over a span."""

    onset: Fraction
    duration: Fraction
    key: Key
    numeral: str  # with figures, such as `V65` or `V7/V`


@dataclass(frozen=True, slots=True)
class FigureMark:
    """Figures over a bass note, or over a part of it."""

    onset: Fraction
    duration: Fraction
    text: str  # as `theory_kb.thoroughbass.Figures.parse` reads it


@dataclass(frozen=True, slots=True)
class Direction:
    """What stands above the notes from a time on."""

    onset: Fraction
    kind: str  # dynamics, words, tempo (quarter notes a minute) or section
    text: str


@dataclass(frozen=True, slots=True)
class Slur:
    """Notes of a part under one slur."""

    part: int  # from the top, from 0
    start: Fraction  # onset of its first note
    end: Fraction  # onset of its last note


@dataclass(frozen=True, slots=True)
class Touch:
    """How one note is struck."""

    part: int
    onset: Fraction
    kind: str  # staccato or accent: a touch of the facts (`expression.toml`)


@dataclass(frozen=True, slots=True)
class Hairpin:
    """A stretch that grows louder or softer."""

    start: Fraction
    end: Fraction
    louder: bool


@dataclass(frozen=True, slots=True)
class Expression:
    """How a score is played, as it is written and as it is heard."""

    velocities: tuple[tuple[int, ...], ...]  # of each note of each part, 1 to 127
    tempos: tuple[tuple[Fraction, float], ...]  # quarter notes a minute from a time on, in order
    program: int  # General MIDI instrument, from 0
    slurs: tuple[Slur, ...] = ()
    touches: tuple[Touch, ...] = ()
    hairpins: tuple[Hairpin, ...] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """Bars that are played at one time of a repeat alone."""

    number: int  # 1: the first time, 2: the second, which follows the repeat
    start: Fraction
    end: Fraction


@dataclass(frozen=True, slots=True)
class ChordSymbol:
    """A chord as a lead sheet names it."""

    onset: Fraction
    root: PitchClass
    quality: str  # id of a chord quality
    bass: PitchClass | None = None  # where it is not the root


@dataclass(frozen=True, slots=True)
class Cadence:
    """A phrase end and the cadence it makes."""

    onset: Fraction  # of the arrival chord
    kind: str  # id of a cadence kind, such as `cad-pac`
    key: Key


@dataclass(frozen=True, slots=True)
class Score:
    """A piece: parts from high to low, with what is known of its key, metre, harmony, phrases."""

    title: str
    key: Key
    parts: tuple[Part, ...]
    metres: tuple[Metre, ...]  # the first at onset 0
    upbeat: Fraction = Fraction(0)  # length of the incomplete first bar, 0 if there is none
    tempo: float = 72.0  # quarter notes a minute
    chords: tuple[ChordLabel, ...] = ()  # empty where the harmony is not known
    cadences: tuple[Cadence, ...] = ()  # one a phrase, in order
    phrase_ends: tuple[Fraction, ...] = ()  # releases of the last chords of phrases
    subtitle: str = ""
    credit: str = ""  # who made it, or where it comes from
    figures: tuple[FigureMark, ...] = ()  # of the lowest part, in order; empty where there are none
    directions: tuple[Direction, ...] = ()  # in order
    symbols: tuple[ChordSymbol, ...] = ()  # in order
    repeats: tuple[tuple[Fraction, Fraction], ...] = ()  # what is played twice, whole bars
    endings: tuple[Ending, ...] = ()  # first and second, in order
    expression: Expression | None = None  # None: played as it stands, at one loudness and tempo
    hands: int | None = None  # voices of a player's right hand, from the top; None: no two hands

    @property
    def duration(self) -> Fraction:
        """Length in quarter notes."""
        return max((part.notes[-1].end for part in self.parts if part.notes), default=Fraction(0))

    @property
    def metre(self) -> Metre:
        """The metre at the start."""
        return self.metres[0]

    def place_of(self, onset: Fraction) -> tuple[int, Fraction, Metre]:
        """Bar number (the upbeat is bar 0, without upbeat the first is 1), quarter notes from its start, metre.

        A metre begins a bar wherever it stands.
        """
        bar, start = (0, self.upbeat - self.metres[0].bar) if self.upbeat else (1, Fraction(0))
        for here, following in zip(self.metres, (*self.metres[1:], None), strict=True):
            if following is None or onset < following.onset:
                passed, within = divmod(onset - start, here.bar)
                return bar + passed, within, here
            bar += ceil((following.onset - start) / here.bar)
            start = following.onset
        raise AssertionError("a score has at least one metre")

    def bar_and_beat(self, onset: Fraction) -> tuple[int, Fraction]:
        """Bar number as in `place_of`, and beat from 1."""
        bar, position, metre = self.place_of(onset)
        return bar, position * Fraction(metre.unit, 4) + 1

    def metre_at(self, onset: Fraction) -> Metre:
        """The metre in force at a time."""
        return next(each for each in reversed(self.metres) if each.onset <= onset)

    def with_parts(self, parts: tuple[Part, ...]) -> Score:
        """The same piece with other notes."""
        return replace(self, parts=parts)
