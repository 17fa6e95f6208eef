"""What is to be written: places for sonorities, the chords that may stand there, phrases."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

from musegen.plan.ensemble import CHOIR, Ensemble
from musegen.score import FigureMark, Note, Score
from theory_kb.cadences import CadenceFormula
from theory_kb.chords import Chord
from theory_kb.moment import TICKS
from theory_kb.pitch import Key, Pitch, PitchClass

__all__ = [
    "ANY",
    "COMMON",
    "CONDITIONAL",
    "Delay",
    "Figured",
    "Frame",
    "Given",
    "Harmony",
    "Phrase",
    "Plan",
    "Slot",
    "Stood",
    "struck_times",
    "where",
]

ANY, CONDITIONAL, COMMON = 0, 1, 2  # grades of progressions; the graph's normative ones are 3


@dataclass(frozen=True, slots=True)
class Harmony:
    """A chord in a local key."""

    key: Key
    chord: Chord

    def __hash__(self) -> int:
        """By few numbers: what is kept of a slot is found by all of its chords."""
        return hash((self.key.tonic.fifths, self.chord.index))


@dataclass(frozen=True, slots=True)
class Given:
    """What a voice is bound to sound in a slot."""

    first: Pitch  # at its onset
    later: tuple[tuple[Fraction, Pitch | None], ...] = ()  # quarter notes from there; None a rest
    struck: bool = True  # whether it begins a note at the onset

    @classmethod
    def heard(cls, line: Sequence[Note], onset: Fraction, end: Fraction) -> Given | None:
        """What a line sounds between two times, every note of it; None if it rests at the onset."""
        place = bisect_right(line, onset, key=lambda note: note.onset) - 1
        if place < 0 or line[place].end <= onset:
            return None
        stop = bisect_left(line, end, key=lambda note: note.onset)
        later: list[tuple[Fraction, Pitch | None]] = []
        for before, note in pairwise(line[place:stop]):
            if before.end < note.onset:
                later.append((before.end - onset, None))
            later.append((note.onset - onset, note.pitch))
        if line[stop - 1].end < end:
            later.append((line[stop - 1].end - onset, None))
        return cls(line[place].pitch, tuple(later), struck=line[place].onset == onset)

    @property
    def pitches(self) -> tuple[Pitch, ...]:
        """What it sounds, in order, each pitch once."""
        sounding = (pitch for _, pitch in self.later if pitch is not None)
        return tuple(dict.fromkeys((self.first, *sounding)))

    @property
    def ornate(self) -> bool:
        """Whether it is more than one note struck at the onset."""
        return bool(self.later) or not self.struck

    @property
    def moves(self) -> bool:
        """Whether the voice leaves its first pitch for another."""
        return len(self.pitches) > 1

    def at(self, time: Fraction) -> tuple[Pitch | None, bool]:
        """What sounds so many quarter notes after the onset, and whether it is struck there."""
        sounding: Pitch | None = self.first
        struck = self.struck and time == 0
        for onset, pitch in self.later:
            if onset <= time:
                sounding, struck = pitch, onset == time and pitch is not None
        return sounding, struck


def struck_times(voices: Iterable[Given | None]) -> tuple[Fraction, ...]:
    """When voices strike in a slot, and its onset: quarter notes from there, ascending.

    A rest is no time at which anything is judged.
    """
    given = (each for each in voices if each is not None)
    struck = {time for each in given for time, pitch in each.later if pitch is not None}
    return tuple(sorted({Fraction(0), *struck}))


@dataclass(frozen=True, slots=True)
class Delay:
    """A chord tone that an upper voice reaches late, from the note above."""

    sounding: PitchClass  # what is heard instead
    tone: PitchClass  # what it gives way to
    prepared: bool  # whether the voice holds it from the slot before


@dataclass(frozen=True, slots=True)
class Figured:
    """What a figured bass says of a slot beyond its chord."""

    bass: Pitch  # of the chord; what sounds below it may be another note
    delays: tuple[Delay, ...] = ()
    continues: bool = False  # the chord of the slot before goes on, the upper voices stand
    struck: tuple[PitchClass, ...] = ()  # chord tones that arrive while it goes on
    free: bool = False  # any of the slot's chords may stand; else they are readings, best first


@dataclass(frozen=True, slots=True)
class Stood:
    """What a piece has at a slot before it is written anew."""

    harmony: Harmony
    voices: tuple[Given | None, ...]  # all of them, high to low; None rests at the onset


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
    figured: Figured | None = None  # where the bass is figured
    stood: Stood | None = None  # in a window of a piece: what was there
    silent: frozenset[int] = frozenset()  # voices that rest at the onset, and do not wait for us

    @property
    def middle(self) -> Fraction:
        """Where a voice that has two notes strikes the second: quarter notes from the onset.

        Halfway; a beat of three parts is divided as two and one.
        """
        numerator = self.duration.numerator
        return self.duration * (Fraction(2, 3) if numerator % 3 == 0 else Fraction(1, 2))

    def times(self) -> tuple[Fraction, ...]:
        """When given voices strike, and the onset: quarter notes from it, ascending."""
        return struck_times(self.given)

    @property
    def free(self) -> frozenset[int]:
        """Voices of a window that are written anew."""
        bare = frozenset(voice for voice, each in enumerate(self.given) if each is None)
        return bare - self.silent

    @property
    def stands(self) -> bool:
        """Whether nothing is written anew here."""
        return self.stood is not None and not self.free

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
    runs_on: bool = False  # whether the next one goes on with it, without a close

    @property
    def cadence(self) -> str | None:
        """Kind of the cadence that it shall close with."""
        return None if self.formula is None else self.formula.kind


@dataclass(frozen=True, slots=True)
class Frame:
    """The piece of which a plan is a window."""

    score: Score  # as it stood
    known: frozenset[tuple[str, int, tuple[int, ...]]]  # its errors: rule, onset in ticks, voices


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
    ensemble: Ensemble = CHOIR  # for whom
    figures: tuple[FigureMark, ...] = ()  # to be written under the bass
    stated: Key | None = None  # the key that the score names, if its notes are in another
    open_voices: frozenset[int] = frozenset()  # of `lines`, those whose gaps are ours to fill
    finals: frozenset[str] | None = None  # kinds of cadence that may close it; None: any
    ends: bool = True  # whether the piece ends with the last slot
    frame: Frame | None = None  # what surrounds the slots, if they are a window
    title: str = ""  # of what is given; empty: the piece is called after its form and key

    @property
    def lenient(self) -> bool:
        """Whether a hard rule that what is given breaks whatever is written is only reported.

        So it is where the chords are given. In a window of a piece what stood is spared instead.
        """
        return self.chords_given and self.frame is None

    @property
    def bars(self) -> int:
        """Number of the last bar."""
        return self.slots[-1].bar


def where(slot: Slot, unit: int) -> str:
    """A slot's place in words, its beat counted in the unit of the metre: `bar 3, beat 2`."""
    return f"bar {slot.bar}, beat {1 + slot.position * unit / (4 * TICKS):g}"
