"""Thorough bass: figures over a bass note, the notes they ask for, the chords those may be.

A figure is an interval above the bass as the key signature has it, changed by a sign: `#`, `b`,
`n`, `##`, `bb` say what stands before the note, `+` (also written as a stroke) raises it by a
semitone. A sign alone belongs to the third. Figures leave out what goes without saying (OMT,
"Figured bass"; Kostka and Payne, ch. 3): `IMPLIED` says what.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from theory_kb.chords import Chord, every_chord, figures, vocabulary
from theory_kb.errors import MusegenError
from theory_kb.pitch import LETTER_FIFTHS, Key, PitchClass

__all__ = [
    "Figure",
    "FigureError",
    "Figures",
    "completed",
    "figures_of",
    "readings",
    "scale_tone",
    "tones",
]

IMPLIED: tuple[
    tuple[set[int], set[int], set[int]], ...
] = (  # figures that stand, figures that do not, figures that are then understood
    ({2}, {5, 7}, {4, 6}),
    ({2, 7}, set(), {4}),
    ({3, 4}, {5}, {6}),
    ({4}, {2, 3, 6}, {5}),
    ({6}, {4, 9}, {3}),
    ({6, 9}, {4}, {3}),
    ({7}, {2, 4}, {3}),
    ({7}, {2, 4, 6}, {5}),
    ({9}, {4}, {3}),
    ({9}, {6}, {5}),
    ({5}, {2, 4, 6}, {3}),
    ({8}, {2, 4, 6, 7}, {3, 5}),
)
SIGNS: Mapping[str, int] = {"##": 2, "#": 1, "n": 0, "b": -1, "bb": -2}  # what stands before a note
RAISED = "+"
WRITTEN = str.maketrans({"♯": "#", "♭": "b", "♮": "n", "x": "##", "\\": "+", ",": "/", "-": "b"})
SIGN = r"##|#|bb|b|n|\+"
ONE = re.compile(rf"({SIGN})?([2-9])({SIGN})?|({SIGN})")
RUN = re.compile(rf"({SIGN})?([2-9])(\+)?")
HELD = ("_", "-", "--", "–", "—")
TASTO = ("ts", "t.s.", "tasto", "0")
MOST_FIGURES = 5
ALLOWED = (
    "figures such as 6, 6/5, 4/2, 7/#, #6, 6+, 4, b; _ holds what sounds, ts leaves the bass alone"
)
AUGMENTED_SIXTH = 10  # fifths up: the widest of the intervals that chords have
FARTHEST = 2  # sharps or flats before a note


class FigureError(MusegenError):
    """Figures that cannot be read, contradict each other, or ask for a note that is none."""


@dataclass(frozen=True, slots=True, order=True)
class Figure:
    """One figure: a generic interval above the bass and its sign."""

    number: int  # 2 to 9
    sign: str = ""  # of SIGNS, or RAISED

    def __str__(self) -> str:
        if self.number == 3 and self.sign:
            return self.sign
        return f"{self.number}+" if self.sign == RAISED else f"{self.sign}{self.number}"


@dataclass(frozen=True, slots=True)
class Figures:
    """What is written at one time over a bass note; nothing at all stands for 5/3."""

    stack: tuple[Figure, ...] = ()  # from the top, as they are written
    held: bool = False  # a line: what sounds goes on
    tasto: bool = False  # the bass alone

    @classmethod
    def parse(cls, text: str) -> Figures:
        """Read `6`, `6/5`, `65`, `#6/4/3`, `7/#`, `6+`, `_` or `ts`; raises FigureError."""
        plain = text.strip()
        if plain in HELD:
            return cls(held=True)
        if plain.lower() in TASTO:
            return cls(tasto=True)
        parts = plain.translate(WRITTEN).split("/") if plain else []
        stack = tuple(each for part in parts for each in _figures(part, text))
        _check(stack, text)
        return cls(stack)

    @property
    def text(self) -> str:
        """As `parse` reads it; empty if nothing is written."""
        if self.held or self.tasto:
            return HELD[0] if self.held else TASTO[0]
        return "/".join(map(str, self.stack))

    @property
    def written(self) -> Mapping[int, str]:
        """Signs by number, as far as they are written."""
        return {each.number: each.sign for each in self.stack}

    def __str__(self) -> str:
        return self.text


def _figures(part: str, text: str) -> list[Figure]:
    """The figures between two strokes: one, or several written together."""
    one = ONE.fullmatch(part.strip())
    if one is not None:
        if one[1] and one[3]:
            raise FigureError(f"figure {part!r} of {text!r} has two signs, allowed is one")
        return [Figure(int(one[2] or 3), one[1] or one[3] or one[4] or "")]
    runs = list(RUN.finditer(part.strip()))
    if not runs or "".join(run[0] for run in runs) != part.strip():
        raise FigureError(f"figures {text!r} cannot be read; allowed are {ALLOWED}")
    return [Figure(int(run[2]), run[1] or run[3] or "") for run in runs]


def _check(stack: Sequence[Figure], text: str) -> None:
    if len(stack) > MOST_FIGURES:
        raise FigureError(f"{len(stack)} figures in {text!r}, at most {MOST_FIGURES} are read")
    seen: dict[int, Figure] = {}
    for each in stack:
        other = seen.setdefault(each.number % 7, each)
        if other is not each:
            problem = f"{other} and {each} stand for the same note; one of them is enough"
            raise FigureError(f"figures {text!r} contradict themselves: {problem}")


# --- from figures to notes ------------------------------------------------------------------


def completed(signs: Mapping[int, str]) -> dict[int, str]:
    """Figures with what they leave out: 6 is 6/3, 2 and a raised 4 are 6/4/2, a sign alone 5/3."""
    full = dict(signs)
    if set(full) == {4} and full[4] in (RAISED, "#"):
        full[2] = ""
    for there, absent, more in IMPLIED:
        if there <= set(full) and not absent & set(full):
            full.update({number: "" for number in more if number not in full})
    if set(full) <= {3}:
        full = {3: "", 5: "", **full}
    return full


def scale_tone(letter: int, signature: int) -> PitchClass:
    """A letter (C = 0) as a key signature of so many sharps (flats negative) has it."""
    fifths = LETTER_FIFTHS[letter]
    lowest = signature - 1
    return PitchClass(lowest + (fifths - lowest) % 7)


def tones(written: Mapping[int, str], bass: PitchClass, signature: int) -> dict[int, PitchClass]:
    """The notes that figures ask for above a bass, by number; 1 is the bass itself.

    A sharp before a note that the signature lowers, or a flat before one that it raises, undoes
    the signature, as thorough-bass players read it: such a sign counts from the signature.

    Raises:
        FigureError: a note with more than two sharps or flats.
    """
    found = {1: bass}
    for number, sign in written.items():
        plain = scale_tone((bass.letter + number - 1) % 7, signature)
        note = bass if number == 8 and not sign else _signed(plain, sign, bass)
        if abs(note.alteration) > FARTHEST:
            raise FigureError(
                f"figure {Figure(number, sign)} over {bass} asks for {note}; a note has at most "
                f"{FARTHEST} sharps or flats"
            )
        found[number] = note
    return found


def _signed(plain: PitchClass, sign: str, bass: PitchClass) -> PitchClass:
    """A note as its sign has it; what is augmented as it stands is not raised further."""
    if not sign:
        return plain
    if sign == RAISED:
        widest = plain.fifths + 7 - bass.fifths > AUGMENTED_SIXTH
        return plain if widest else plain.transposed(7)
    return plain.transposed(7 * (_altered(SIGNS[sign], plain) - plain.alteration))


def _altered(sign: int, plain: PitchClass) -> int:
    """Alteration of a note by a sign; against the signature it counts from there."""
    return sign + plain.alteration if sign * plain.alteration < 0 else sign


# --- from notes to chords and back ----------------------------------------------------------


@cache
def _by_members(mode: str) -> Mapping[tuple[int, frozenset[int]], tuple[Chord, ...]]:
    """Chords of a mode by bass and members, relative to the tonic."""
    table: dict[tuple[int, frozenset[int]], tuple[Chord, ...]] = {}
    for each in every_chord():
        if each.mode == mode:
            place = each.bass, frozenset(each.members)
            table[place] = (*table.get(place, ()), each)
    return table


def readings(
    bass: PitchClass, notes: Iterable[PitchClass], keys: Iterable[Key]
) -> tuple[tuple[Key, Chord], ...]:
    """The chords of some keys that are just these notes over this bass.

    Chords that are composed with come alone where there are any; else those that are only read.
    """
    fifths = frozenset(note.fifths for note in notes) | {bass.fifths}
    found = [
        (key, each)
        for key in keys
        for each in _by_members(key.mode).get(
            (bass.fifths - key.tonic.fifths, frozenset(x - key.tonic.fifths for x in fifths)), ()
        )
    ]
    common = [reading for reading in found if reading[1].index < len(vocabulary())]
    return tuple(common or found)


def figures_of(chord: Chord, key: Key, signature: int | None = None) -> Figures:
    """The figures of a chord of a key: those of its inversion, and a sign for each altered note.

    Args:
        chord: of the key.
        key: the key.
        signature: sharps of the key signature, flats negative, if it is not the key's.

    Raises:
        FigureError: the chord has a note that no sign makes, such as one with three flats.
    """
    sharps = key.signature if signature is None else signature
    bass = key.tonic.transposed(chord.bass)
    above = [key.tonic.transposed(member) for member in chord.members]
    signs = {(note.letter - bass.letter) % 7 + 1: _sign(note, sharps) for note in above}
    del signs[1]
    usual = {int(digit): "" for digit in figures(chord)}
    needed = usual if set(completed(usual)) == set(signs) else signs
    shown = {number: sign for number, sign in signs.items() if sign or number in needed}
    return Figures(tuple(Figure(number, shown[number]) for number in sorted(shown, reverse=True)))


def _sign(note: PitchClass, signature: int) -> str:
    """What stands before a note under a key signature; empty if nothing does."""
    plain = scale_tone(note.letter, signature)
    if note == plain:
        return ""
    for sign, value in SIGNS.items():
        if _altered(value, plain) == note.alteration:
            return sign
    raise FigureError(f"no figure asks for {note} under a signature of {signature} sharps")
