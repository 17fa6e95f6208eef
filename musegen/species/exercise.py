"""An exercise in species counterpoint: cantus firmus, mode, and what each other voice shall be.

Every note of the cantus is a whole note and a bar of 2/2, as in Fux's alla breve.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from theory_kb.check import Style
from theory_kb.modes import ChurchMode
from theory_kb.moment import TICKS
from theory_kb.pitch import Key, Pitch, PitchClass
from theory_kb.query import voice_range
from theory_kb.rules.context import Context, GivenNote, combination

__all__ = ["BAR_TICKS", "HIGHEST", "LOWEST", "METRE", "WHOLE_NOTE", "Exercise"]

METRE = (2, 2)
WHOLE_NOTE = Fraction(4)  # quarter notes: a bar, and a note of the cantus
BAR_TICKS = 4 * TICKS
OVERLAP = 4  # semitones that a voice may reach beyond the nearest note of the cantus
REACH = 12  # semitones that the voice next to the cantus may reach beyond its farthest note
APART = 7  # semitones by which the voice after that lies farther off
LOWEST, HIGHEST = voice_range("bass").extended_low, voice_range("soprano").extended_high
CANTUS_NAME, COUNTERPOINT_NAME = "Cantus firmus", "Counterpoint"


@dataclass(frozen=True)
class Exercise:
    """What is to be written: one counterpoint or two around a cantus."""

    cantus: tuple[Pitch, ...]  # one a bar
    mode: ChurchMode
    place: int  # voice of the cantus, 0 = the top one
    species: tuple[int, ...]  # of each voice, high to low; 0 for the cantus
    style: Style
    tonal: bool = False  # named as a major or minor key, not as a church mode
    title: str = ""

    @property
    def voices(self) -> int:
        """Number of voices, the cantus included."""
        return len(self.species)

    @property
    def bars(self) -> int:
        """Number of bars."""
        return len(self.cantus)

    @property
    def free(self) -> tuple[int, ...]:
        """The voices that are to be written, high to low."""
        return tuple(voice for voice in range(self.voices) if voice != self.place)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the parts, high to low."""
        several = len(self.free) > 1
        numbers = {voice: f" {place}" for place, voice in enumerate(self.free, 1)}
        return tuple(
            CANTUS_NAME
            if voice == self.place
            else COUNTERPOINT_NAME + (numbers[voice] if several else "")
            for voice in range(self.voices)
        )

    @cached_property
    def key(self) -> Key:
        """The key whose signature the piece is written with."""
        tonic = min(self.mode.scale).transposed(1)
        if self.mode.scale == minor_scale(self.mode.final):
            return Key(self.mode.final, "minor")
        return Key(tonic, "major")

    @property
    def mode_name(self) -> str:
        """Such as `D dorian`, or `D minor` where a key was asked for."""
        return self.key.name if self.tonal else f"{self.mode.final} {self.mode.name}"

    @property
    def end(self) -> int:
        """Ticks at which the last notes end."""
        return self.bars * BAR_TICKS

    def context(self, bars: int) -> Context:
        """What is declared of the first so many bars."""
        species = {voice: self.species[voice] for voice in self.free}
        return Context(
            cantus=self.place,
            species=species,
            final=self.mode.final.fifths,
            mode=self.mode.name,
            given=tuple(
                GivenNote(self.place, bar * BAR_TICKS, pitch.step, pitch.semitone)
                for bar, pitch in enumerate(self.cantus[:bars])
            ),
            end=bars * BAR_TICKS,
            devices=combination(species),
        )

    def window(self, voice: int) -> tuple[int, int]:
        """Lowest and highest semitone that a voice is offered."""
        semitones = [pitch.semitone for pitch in self.cantus]
        low, high = min(semitones), max(semitones)
        away = abs(self.place - voice)
        near, far = APART * (away - 1) - OVERLAP, REACH + APART * (away - 1)
        above = voice < self.place
        bounds = (low + near, high + far) if above else (low - far, high - near)
        return max(bounds[0], LOWEST.semitone), min(bounds[1], HIGHEST.semitone)

    def choices(self, voice: int, bar: int) -> tuple[Pitch, ...]:
        """The pitches that a voice is offered in a bar, low to high.

        The notes of the mode and its soft note; in the last bar but one the leading tone and the
        raised sixth that rises to it, in the last bar the major third.
        """
        low, high = self.window(voice)
        pitches = {Pitch.of(each, octave) for each in self._classes(bar) for octave in range(1, 7)}
        return tuple(sorted(pitch for pitch in pitches if low <= pitch.semitone <= high))

    def _classes(self, bar: int) -> set[PitchClass]:
        mode = self.mode
        found = {*mode.scale, mode.soft}
        if bar == self.bars - 2:
            found |= {mode.leading_tone, mode.leading_tone.transposed(-2)}
        if bar == self.bars - 1:
            found.add(mode.final.transposed(4))
        return found


def minor_scale(final: PitchClass) -> tuple[PitchClass, ...]:
    """The natural minor scale on a note, from it up."""
    return tuple(final.transposed(fifths) for fifths in (0, 2, -3, -1, 1, -4, -2))
