"""Spelled pitch: exact, frozen, additive.

A pitch is (diatonic step, semitone), both integers, both additive: F#4-Eb5 is a diminished
seventh, F#4-D#5 a major sixth, although both sound nine semitones wide. A pitch class is one
integer, its place on the line of fifths (C = 0, G = 1, F = -1, one sharp = +7); transposing is
adding. Source: the line of fifths and its arithmetic, Regener, Pitch Notation and Equal
Temperament (1973).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from theory_kb.errors import MusegenError, UnknownNameError

__all__ = ["Interval", "Key", "Pitch", "PitchClass", "PitchError", "ScaleDegree", "inverted_number"]

LETTERS = "CDEFGAB"
LETTER_FIFTHS = (0, 2, 4, -1, 1, 3, 5)  # place of C D E F G A B on the line of fifths
LETTER_SEMITONES = (0, 2, 4, 5, 7, 9, 11)  # semitones of C D E F G A B above C
FIFTHS_LETTER = {fifths: index for index, fifths in enumerate(LETTER_FIFTHS)}
PERFECT_NUMBERS = (0, 3, 4)  # unison, fourth, fifth: steps within the octave that come perfect
INVERSIONS = (8, 10, 12)  # intervals at which two parts change places
ACCIDENTALS = {-3: "bbb", -2: "bb", -1: "b", 0: "", 1: "#", 2: "##", 3: "###"}
PITCH_CLASS_TEXT = re.compile(r"([A-Ga-g])(#{1,3}|x|b{1,3}|-{1,3}|♯{1,3}|♭{1,3})?")
PITCH_TEXT = re.compile(r"([A-Ga-g])(#{1,3}|x|b{1,3}|-{1,3}|♯{1,3}|♭{1,3})?(-?\d+)")
INTERVAL_TEXT = re.compile(r"(-?)(P|M|m|A{1,3}|d{1,3})(\d+)")
KEY_TEXT = re.compile(r"([A-Ga-g])(#|b|-|♯|♭)?\s*(major|minor|maj|min|m|M)?", re.IGNORECASE)


class PitchError(MusegenError):
    """A pitch, interval or key text that cannot be read."""


def _alteration(text: str | None) -> int:
    if not text:
        return 0
    if text == "x":
        return 2
    return len(text) if text[0] in "#♯" else -len(text)


@dataclass(frozen=True, slots=True, order=True)
class PitchClass:
    """A spelled pitch class: its place on the line of fifths."""

    fifths: int  # C = 0, G = 1, F = -1; one sharp = +7

    @classmethod
    def parse(cls, text: str) -> PitchClass:
        """Read `F#`, `Bb`, `B-` or `Fx`; raises PitchError."""
        match = PITCH_CLASS_TEXT.fullmatch(text.strip())
        if match is None:
            raise PitchError(f"pitch class must be a letter A-G with # or b, got {text!r}")
        letter = LETTERS.index(match[1].upper())
        return cls(LETTER_FIFTHS[letter] + 7 * _alteration(match[2]))

    @property
    def letter(self) -> int:
        """Index of the letter, C = 0 to B = 6."""
        return (self.fifths * 4) % 7

    @property
    def alteration(self) -> int:
        """Semitones of alteration, sharp = +1."""
        return (self.fifths - LETTER_FIFTHS[self.letter]) // 7

    @property
    def semitone(self) -> int:
        """Chromatic pitch class, 0 to 11."""
        return (self.fifths * 7) % 12

    @property
    def name(self) -> str:
        """Printed name, such as `F#` or `Bb`."""
        return LETTERS[self.letter] + ACCIDENTALS[self.alteration]

    def __str__(self) -> str:
        return self.name

    def transposed(self, fifths: int) -> PitchClass:
        """The pitch class so many fifths up the line."""
        return PitchClass(self.fifths + fifths)


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A directed spelled interval."""

    steps: int  # staff steps, 0 = unison, 4 = a fifth up
    semitones: int  # chromatic size, same sign convention

    @classmethod
    def parse(cls, text: str) -> Interval:
        """Read `P5`, `m3`, `-A4`; raises PitchError."""
        match = INTERVAL_TEXT.fullmatch(text.strip())
        if match is None or int(match[3]) < 1:
            raise PitchError(f"interval must look like P5, m3 or -A4, got {text!r}")
        steps = int(match[3]) - 1
        quality = match[2]
        perfect = steps % 7 in PERFECT_NUMBERS
        if (perfect and quality in "Mm") or (not perfect and quality == "P"):
            raise PitchError(f"no such interval: {text!r}")
        natural = 12 * (steps // 7) + LETTER_SEMITONES[steps % 7]
        if quality[0] == "A":
            change = len(quality)
        elif quality[0] == "d":
            change = -len(quality) - (0 if perfect else 1)
        else:
            change = -1 if quality == "m" else 0
        sign = -1 if match[1] else 1
        return cls(sign * steps, sign * (natural + change))

    @property
    def number(self) -> int:
        """Generic number, 1 = unison, 5 = fifth, without direction."""
        return abs(self.steps) + 1

    @property
    def quality(self) -> str:
        """P, M, m, A, d, doubled letters further out."""
        steps, semitones = self.steps, self.semitones
        if steps < 0 or (steps == 0 and semitones < 0):
            steps, semitones = -steps, -semitones
        natural = 12 * (steps // 7) + LETTER_SEMITONES[steps % 7]
        change = semitones - natural
        if steps % 7 in PERFECT_NUMBERS:
            return "P" if change == 0 else ("A" * change if change > 0 else "d" * -change)
        if change in (0, -1):
            return "Mm"[-change]
        return "A" * change if change > 0 else "d" * (-change - 1)

    @property
    def name(self) -> str:
        """Printed name, such as `m3` or `-P4`."""
        down = self.steps < 0 or (self.steps == 0 and self.semitones < 0)
        return f"{'-' if down else ''}{self.quality}{self.number}"

    def __str__(self) -> str:
        return self.name

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.steps + other.steps, self.semitones + other.semitones)

    def __neg__(self) -> Interval:
        return Interval(-self.steps, -self.semitones)


def inverted_number(number: int, *, at: int = 8) -> int:
    """What an interval becomes when two parts change places: at the octave a third is a sixth.

    Args:
        number: of the interval, 1 to `at`.
        at: interval of inversion: 8, 10 or 12.

    Raises:
        UnknownNameError: another inversion, or an interval that it does not reach.

    Source: PR, JP.
    """
    if at not in INVERSIONS:
        raise UnknownNameError("interval of inversion", str(at), map(str, INVERSIONS))
    if not 1 <= number <= at:
        raise UnknownNameError("interval", str(number), map(str, range(1, at + 1)))
    return at + 1 - number


@dataclass(frozen=True, slots=True, order=True)
class Pitch:
    """A spelled pitch."""

    step: int  # 7 * octave + letter index; C4 = 28
    semitone: int  # MIDI number; C4 = 60

    @classmethod
    def parse(cls, text: str) -> Pitch:
        """Read `F#4` (octave 4 starts at middle C); raises PitchError."""
        match = PITCH_TEXT.fullmatch(text.strip())
        if match is None:
            raise PitchError(f"pitch must look like F#4, Bb3 or C4, got {text!r}")
        letter, octave = LETTERS.index(match[1].upper()), int(match[3])
        semitone = 12 * (octave + 1) + LETTER_SEMITONES[letter] + _alteration(match[2])
        return cls(7 * octave + letter, semitone)

    @classmethod
    def of(cls, pitch_class: PitchClass, octave: int) -> Pitch:
        """The pitch of this class in the octave of its letter."""
        letter = pitch_class.letter
        semitone = 12 * (octave + 1) + LETTER_SEMITONES[letter] + pitch_class.alteration
        return cls(7 * octave + letter, semitone)

    @property
    def octave(self) -> int:
        """Octave of the letter; middle C begins octave 4."""
        return self.step // 7

    @property
    def alteration(self) -> int:
        """Semitones of alteration, sharp = +1."""
        return self.semitone - 12 * (self.octave + 1) - LETTER_SEMITONES[self.step % 7]

    @property
    def pitch_class(self) -> PitchClass:
        """The pitch class, without octave."""
        return PitchClass(LETTER_FIFTHS[self.step % 7] + 7 * self.alteration)

    @property
    def name(self) -> str:
        """Printed name, such as `F#4`."""
        return f"{self.pitch_class.name}{self.octave}"

    def __str__(self) -> str:
        return self.name

    def __add__(self, interval: Interval) -> Pitch:
        return Pitch(self.step + interval.steps, self.semitone + interval.semitones)

    def __sub__(self, other: Pitch) -> Interval:
        return Interval(self.step - other.step, self.semitone - other.semitone)


@dataclass(frozen=True, slots=True, order=True)
class ScaleDegree:
    """A degree of a key with its alteration against that mode's own scale."""

    number: int  # 1 to 7
    alteration: int = 0  # +1 raised, -1 lowered


MAJOR_DEGREES = (0, 2, 4, -1, 1, 3, 5)  # degrees 1-7 as fifths above the tonic
MINOR_DEGREES = (0, 2, -3, -1, 1, -4, -2)  # natural minor
MODES = {"major": MAJOR_DEGREES, "minor": MINOR_DEGREES}
MODE_WORDS = {"m": "minor", "min": "minor", "minor": "minor", "maj": "major", "major": "major"}
MINOR_SIGNATURE_SHIFT = 3  # a minor key has the signature of the major key three fifths down


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """A tonic and a mode, `major` or `minor`."""

    tonic: PitchClass
    mode: str

    @classmethod
    def parse(cls, text: str) -> Key:
        """Read `D minor`, `Bb major`, `d`, `F#m`, `Eb`; a lone small letter is minor.

        Raises PitchError for anything else and for keys of more than seven accidentals.
        """
        match = KEY_TEXT.fullmatch(text.strip())
        problem = f"key must look like 'D minor', 'Bb major', 'Eb' or 'f#', got {text!r}"
        if match is None:
            raise PitchError(problem)
        tonic = PitchClass.parse(match[1].upper() + (match[2] or ""))
        word = match[3] or ("M" if match[1].isupper() else "m")
        mode = "major" if word == "M" else MODE_WORDS[word.lower()]
        key = cls(tonic, mode)
        if abs(key.signature) > 7:
            raise PitchError(f"{problem}: {key.name} would need {abs(key.signature)} accidentals")
        return key

    @property
    def signature(self) -> int:
        """Sharps of the key signature, flats negative."""
        shift = MINOR_SIGNATURE_SHIFT if self.mode == "minor" else 0
        return self.tonic.fifths - shift

    @property
    def name(self) -> str:
        """Printed name, such as `D minor`."""
        return f"{self.tonic.name} {self.mode}"

    def __str__(self) -> str:
        return self.name

    def degree(self, degree: ScaleDegree) -> PitchClass:
        """The pitch class of a scale degree (minor: natural minor plus the alteration)."""
        fifths = MODES[self.mode][degree.number - 1] + 7 * degree.alteration
        return self.tonic.transposed(fifths)

    @property
    def leading_tone(self) -> PitchClass:
        """Degree 7 a semitone below the tonic, in both modes."""
        return self.tonic.transposed(5)

    @property
    def relative(self) -> Key:
        """The key of the other mode with the same signature."""
        if self.mode == "major":
            return Key(self.tonic.transposed(3), "minor")
        return Key(self.tonic.transposed(-3), "major")

    @property
    def parallel(self) -> Key:
        """The key of the other mode on the same tonic."""
        return Key(self.tonic, "minor" if self.mode == "major" else "major")
