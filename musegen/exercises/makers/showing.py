"""What a question shows on staves, from the notes that its maker drew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from musegen.exercises.item import Given
from musegen.exercises.metres import beams
from musegen.exercises.rhythm_text import RhythmValue
from musegen.io.blank_sheet import hide_rests
from musegen.io.examples import Example, ExampleStaff, Sign, example_ids, write_example
from musegen.score import Metre, Note
from theory_kb.pitch import Pitch

__all__ = ["shown", "shown_begun", "shown_chords", "shown_notes", "shown_rhythm"]

WHOLE = Fraction(4)
COMMON = Metre(4, 4)
MIDDLE_LINE = Pitch.parse("B4")


def shown(text: str, example: Example) -> Given:
    """A music example with words that say the same."""
    return Given(text, write_example(example), example_ids(example))


def shown_notes(
    text: str, pitches: Sequence[Pitch], clef: str, *, sharps: int = 0, length: Fraction = WHOLE
) -> Given:
    """Notes without metre, one after the other."""
    signs = tuple(Sign((pitch,), length) for pitch in pitches)
    return shown(text, Example((ExampleStaff(clef, (signs,)),), sharps))


def shown_chords(
    text: str, chords: Sequence[Sequence[Pitch]], *, sharps: int = 0, words: Sequence[str] = ()
) -> Given:
    """Chords on two staves, those notes from middle C up in the upper one."""
    split = Pitch.parse("C4").step
    upper, lower = [], []
    for place, chord in enumerate(chords):
        high = tuple(sorted(pitch for pitch in chord if pitch.step >= split))
        low = tuple(sorted(pitch for pitch in chord if pitch.step < split))
        word = words[place] if words else ""
        upper.append(Sign(high, WHOLE, "" if low else word))
        lower.append(Sign(low, WHOLE, word if low else ""))
    staves = [
        ExampleStaff(clef, (tuple(signs),))
        for clef, signs in (("treble", upper), ("bass", lower))
        if any(sign.pitches for sign in signs)
    ]
    return shown(text, Example(tuple(staves), sharps))


def shown_begun(
    text: str, lines: Sequence[tuple[str, Sequence[Note]]], length: Fraction, example: Example
) -> Given:
    """Staves with what is given and room to write.

    Rests that are not seen hold the bars open, an eighth each.

    Args:
        text: words that say the same.
        lines: clef and given notes of each staff, from the start on.
        length: of the whole, in quarter notes.
        example: its key signature and metre; it has no staves of its own.
    """
    bar = (example.metre or COMMON).bar
    staves = tuple(
        ExampleStaff(clef, tuple(_begun(notes, bar, number) for number in range(int(length / bar))))
        for clef, notes in lines
    )
    begun = replace(example, staves=staves)
    return Given(text, hide_rests(write_example(begun)), example_ids(begun))


def _begun(notes: Sequence[Note], bar: Fraction, number: int) -> tuple[Sign, ...]:
    """A bar of given notes, filled up with eighth rests."""
    start, end = bar * number, bar * (number + 1)
    inside = [note for note in notes if start <= note.onset < end]
    found = [Sign((note.pitch,), note.duration) for note in inside]
    left = end - (inside[-1].end if inside else start)
    odd = [Sign((), left % EIGHTH)] if left % EIGHTH else []
    return (*found, *odd, *([Sign((), EIGHTH)] * int(left // EIGHTH)))


EIGHTH = Fraction(1, 2)


def shown_rhythm(
    text: str,
    bars: Sequence[Sequence[RhythmValue]],
    metre: Metre | None,
    *,
    hidden: bool = False,
    upbeat: bool = False,
) -> Given:
    """A rhythm on one note; `hidden` leaves the time signature out and keeps the beams."""
    written = tuple(
        tuple(
            Sign(
                () if value.rest else (MIDDLE_LINE,),
                value.length,
                tied=value.tied,
                beams=states if metre else None,
            )
            for value, states in zip(bar, beams(bar, metre or COMMON), strict=True)
        )
        for bar in bars
    )
    staff = ExampleStaff("treble", written)
    return shown(text, Example((staff,), 0, metre, hidden_metre=hidden, upbeat=upbeat))
