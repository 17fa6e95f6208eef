"""What notation needs to know of rhythm and accidentals, apart from any file format.

Sounding notes are cut into written values so that the bar line and the beat stay visible: a value
that begins off the beat ends at the next beat, except the syncopation of exactly one beat, which
readers know (Gould, Behind Bars, 2011, ch. "Rhythm"). Beams follow the beat. An accidental holds
to the bar line in its own octave, and a tie carries it over without a new sign.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from musegen.errors import ScoreError
from musegen.score import Metre, Note, Score
from theory_kb.pitch import LETTER_FIFTHS, Key

__all__ = [
    "ACCIDENTALS",
    "Bar",
    "Piece",
    "Value",
    "bars",
    "beam_states",
    "beat",
    "pieces",
    "shown_accidentals",
    "value",
]

TYPES = {
    Fraction(8): "breve",
    Fraction(4): "whole",
    Fraction(2): "half",
    Fraction(1): "quarter",
    Fraction(1, 2): "eighth",
    Fraction(1, 4): "16th",
    Fraction(1, 8): "32nd",
    Fraction(1, 16): "64th",
    Fraction(1, 32): "128th",
    Fraction(1, 64): "256th",
}
PLAIN = {length: (name, 0) for length, name in TYPES.items()}
PLAIN |= {length * Fraction(3, 2): (name, 1) for length, name in TYPES.items()}
LENGTHS = sorted(PLAIN, reverse=True)  # quarter notes, with and without dot
BEAMS = {"eighth": 1, "16th": 2, "32nd": 3, "64th": 4, "128th": 5, "256th": 6}
ACCIDENTALS = {  # MusicXML's names by alteration in semitones
    -3: "triple-flat",
    -2: "flat-flat",
    -1: "flat",
    0: "natural",
    1: "sharp",
    2: "double-sharp",
    3: "triple-sharp",
}
COMPOUND = 3  # this many units of an eighth or less make one beat


@dataclass(frozen=True, slots=True)
class Value:
    """A written note value."""

    type: str  # MusicXML's name, such as `quarter`
    dots: int  # 0 or 1
    ratio: tuple[int, int] | None  # of a tuplet: (3, 2) is three in the time of two


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the score."""

    number: int  # the upbeat is bar 0
    onset: Fraction  # quarter notes from the start of the piece
    duration: Fraction  # quarter notes
    metre: Metre
    lead: Fraction = Fraction(0)  # quarter notes of the full bar that lie before an upbeat

    def position(self, onset: Fraction) -> Fraction:
        """Quarter notes from the bar line, as if an upbeat's bar were full."""
        return onset - self.onset + self.lead

    @property
    def end(self) -> Fraction:
        """The bar line after it, in quarter notes from the start of the piece."""
        return self.onset + self.duration


@dataclass(frozen=True, slots=True)
class Piece:
    """One written note or rest: a sounding note, or the part of it that notation can write."""

    onset: Fraction
    duration: Fraction
    note: Note | None  # None: rest
    id: str = ""
    tied_from: bool = False  # a tie leads here
    tied_to: bool = False  # a tie leads on

    @property
    def end(self) -> Fraction:
        """Release, in quarter notes from the start."""
        return self.onset + self.duration


def beat(metre: Metre) -> Fraction:
    """Length of a beat in quarter notes; three eighths are one beat."""
    unit = Fraction(4, metre.unit)
    return unit * COMPOUND if metre.unit >= 8 and metre.beats % COMPOUND == 0 else unit


def _odd(number: int) -> int:
    """The odd part of a number: 12 = 4 times 3."""
    return number // (number & -number)


def value(duration: Fraction) -> Value | None:
    """The single written value of a duration, None if it needs a tie."""
    odd = _odd(duration.denominator)
    normal = 1 << (odd.bit_length() - 1)  # 3 in the time of 2, 5 and 7 in the time of 4
    written = duration * Fraction(odd, normal)
    if written not in PLAIN:
        return None
    return Value(*PLAIN[written], None if odd == 1 else (odd, normal))


def bars(score: Score, length: Fraction = Fraction(0)) -> tuple[Bar, ...]:
    """All bars of a score; the last is as full as the upbeat leaves it.

    A piece without notes has one bar. A change of metre begins a bar wherever it stands.

    Args:
        score: the score.
        length: quarter notes that they cover, if that is more than the score lasts.
    """
    found = []
    total = max(score.duration, length)
    onset, number = Fraction(0), 1
    if score.upbeat:
        lead = score.metre.bar - score.upbeat
        found.append(Bar(0, onset, score.upbeat, score.metre, lead))
        onset = score.upbeat
    while onset < total or not found:
        place = max(each for each, metre in enumerate(score.metres) if metre.onset <= onset)
        metre = score.metres[place]
        room = metre.bar
        rest_of_last = room - score.upbeat
        if onset + room >= total and total - onset <= rest_of_last:
            room = rest_of_last
        if place + 1 < len(score.metres):
            room = min(room, score.metres[place + 1].onset - onset)
        found.append(Bar(number, onset, room, metre))
        onset += room
        number += 1
    return tuple(found)


# --- written values -------------------------------------------------------------------------


def pieces(
    score: Score, part: int, within: Sequence[Bar], cuts: Sequence[Fraction] = ()
) -> tuple[Piece, ...]:
    """Notes and rests of a part, cut into written values, rests to the end of the last bar.

    Args:
        score: the score.
        part: index of the part; its notes get the ids `p{part}n{number}`.
        within: the bars of the score.
        cuts: times at which a held note or rest is cut in any case.

    Raises:
        ScoreError: a duration is finer than notation can write.
    """
    found: list[Piece] = []
    time, last = Fraction(0), within[-1].end
    for number, note in enumerate(score.parts[part].notes):
        if note.onset > time:
            found.extend(_cut(Piece(time, note.onset - time, None), within, cuts))
        whole = Piece(note.onset, note.duration, note, f"p{part}n{number}")
        found.extend(_cut(whole, within, cuts))
        time = note.end
    if time < last:
        found.extend(_cut(Piece(time, last - time, None), within, cuts))
    return tuple(found)


def _cut(whole: Piece, within: Sequence[Bar], cuts: Sequence[Fraction]) -> Iterator[Piece]:
    ends = [whole.onset]
    while ends[-1] < whole.end:
        bar = within[bisect_right(within, ends[-1], key=lambda each: each.onset) - 1]
        stop = min(whole.end, bar.end, *(cut for cut in cuts if cut > ends[-1]))
        ends.append(ends[-1] + _first_value(bar, ends[-1], stop, rest=whole.note is None))
    last = len(ends) - 2
    sounding = whole.note is not None
    for number, (begin, end) in enumerate(pairwise(ends)):
        yield replace(
            whole,
            onset=begin,
            duration=end - begin,
            id=f"{whole.id}-{number}" if sounding and number else whole.id,
            tied_from=sounding and number > 0,
            tied_to=sounding and number < last,
        )


def _first_value(bar: Bar, begin: Fraction, end: Fraction, *, rest: bool) -> Fraction:
    """Length of the first written value of a span that lies within a bar."""
    if rest and (begin, end) == (bar.onset, bar.end):
        return end - begin  # a rest of a whole bar needs no value
    length, unit, position = end - begin, beat(bar.metre), bar.position(begin)
    into = position % unit
    if rest and not into and length > unit and _odd(unit.numerator) == 1:
        return next(each for each in TYPES if each <= length and position % each == 0)
    if into:
        if length > unit - into and not (_syncopated(bar, begin, length) and not rest):
            length = unit - into
    elif length > unit and not _single(length, unit):
        length = length // unit * unit
    return _fitting(bar, length, unit)


def _keeps_beat(length: Fraction, unit: Fraction) -> bool:
    """Whether a value that begins on a beat may last so long: in compound metre, whole beats."""
    return length <= unit or _odd(unit.numerator) == 1 or length % unit == 0


def _single(length: Fraction, unit: Fraction) -> bool:
    """Whether a value of more than a beat that begins on a beat can be read at once."""
    return length in PLAIN and _keeps_beat(length, unit)


def _syncopated(bar: Bar, begin: Fraction, length: Fraction) -> bool:
    """Whether a note is the plain syncopation: a beat long, from half-beat to half-beat."""
    unit, position = beat(bar.metre), bar.position(begin)
    middle = bar.metre.bar / 2
    hides_middle = bar.metre.beats % 2 == 0 and position < middle < position + length
    return length == unit and length in TYPES and position % unit == unit / 2 and not hides_middle


def _fitting(bar: Bar, length: Fraction, unit: Fraction) -> Fraction:
    """The longest written value in a length, of the same kind of division."""
    odd = _odd(length.denominator)
    scale = Fraction(1 << (odd.bit_length() - 1), odd)
    for plain in LENGTHS:
        if plain * scale <= length and _keeps_beat(plain * scale, unit):
            return plain * scale
    raise ScoreError(f"bar {bar.number}", f"{length} of a quarter note is too short to be written")


# --- accidentals ----------------------------------------------------------------------------


def shown_accidentals(
    voices: Mapping[int, Sequence[Piece]], key: Key
) -> dict[tuple[int, Fraction], int]:
    """Which notes of a bar on one staff show an accidental.

    Args:
        voices: the bar's pieces by voice, for all voices of the staff.
        key: gives the key signature.

    Returns:
        Alteration in semitones by voice and onset.
    """
    state: dict[int, int] = {}
    shown: dict[tuple[int, Fraction], int] = {}
    events = sorted(
        (
            (piece.onset, voice, piece)
            for voice, line in voices.items()
            for piece in line
            if piece.note and not piece.tied_from
        ),
        key=lambda event: event[:2],
    )
    for onset, voice, piece in events:
        assert piece.note is not None  # rests were left out above
        pitch = piece.note.pitch
        if pitch.alteration != state.get(pitch.step, _in_signature(pitch.step % 7, key.signature)):
            shown[voice, onset] = pitch.alteration
            state[pitch.step] = pitch.alteration
    return shown


def _in_signature(letter: int, sharps: int) -> int:
    """Alteration of a letter under a key signature."""
    place = LETTER_FIFTHS[letter] + 1  # F = 0 ... B = 6: the order of sharps
    if sharps > 0:
        return 1 if place < sharps else 0
    return -1 if 7 - place <= -sharps else 0


# --- beams ----------------------------------------------------------------------------------


def beam_states(line: Sequence[Piece], bar: Bar) -> dict[Fraction, tuple[str, ...]]:
    """Beams of the short notes of each beat of a bar: onset -> state of each beam, longest first."""
    found: dict[Fraction, tuple[str, ...]] = {}
    for group in _beam_groups(line, bar):
        levels = [_beams(piece) for piece in group]
        for place, piece in enumerate(group):
            found[piece.onset] = tuple(_states(levels, place))
    return found


def _beam_groups(line: Sequence[Piece], bar: Bar) -> Iterator[list[Piece]]:
    """Neighbouring notes with flags within a beat, two or more."""
    unit = beat(bar.metre)
    groups: list[tuple[Fraction, list[Piece]]] = []
    for piece in line:
        if not _beams(piece):
            continue
        number = bar.position(piece.onset) // unit
        if groups and groups[-1][0] == number and groups[-1][1][-1].end == piece.onset:
            groups[-1][1].append(piece)
        else:
            groups.append((Fraction(number), [piece]))
    return (group for _, group in groups if len(group) > 1)


def _beams(piece: Piece) -> int:
    written = value(piece.duration) if piece.note else None
    return BEAMS.get(written.type, 0) if written else 0


def _states(levels: Sequence[int], place: int) -> Iterator[str]:
    for level in range(1, levels[place] + 1):
        before = place > 0 and levels[place - 1] >= level
        after = place + 1 < len(levels) and levels[place + 1] >= level
        if before and after:
            yield "continue"
        elif before or after:
            yield "end" if before else "begin"
        else:
            yield "forward hook" if place == 0 else "backward hook"
