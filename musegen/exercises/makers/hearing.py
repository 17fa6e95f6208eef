"""From what is shown to what is heard: the music of a question, played instead of printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from musegen.exercises.item import Draft, Given, Heard
from musegen.exercises.kinds import Work
from musegen.exercises.makers.showing import shown
from musegen.exercises.metres import beams
from musegen.exercises.rhythm_text import RhythmValue
from musegen.io.blank_sheet import hide_tempo
from musegen.io.examples import Example, ExampleStaff, Sign, write_example
from musegen.score import Metre, Note
from theory_kb.pitch import Pitch

__all__ = [
    "barred",
    "heard",
    "heard_instead",
    "heard_notes",
    "line_example",
    "line_given",
    "rhythm_example",
]

SPLIT = Pitch.parse("C4").step
LOWEST_TREBLE = Pitch.parse("G3").step
TEMPO, PLAYS = 72.0, 3  # where neither the teacher nor the kind says


def heard(work: Work, musicxml: str) -> Heard:
    """What is played, in the tempo and timbre and as often as teacher or kind say.

    Parameters of the kind: `tempo` (quarter notes a minute), `plays`.
    """
    setting = work.setting
    tempo = setting.tempo if setting.tempo is not None else float(work.params.get("tempo", TEMPO))
    plays = setting.plays if setting.plays is not None else int(work.params.get("plays", PLAYS))
    return Heard(musicxml, tempo, setting.timbre, plays)


def heard_instead(work: Work, draft: Draft, text: str) -> Draft:
    """A draft whose music is played; the page shows only the words."""
    return replace(draft, given=Given(text, heard=heard(work, hide_tempo(draft.given.musicxml))))


def heard_notes(
    rows: Sequence[Sequence[Pitch]], lengths: Sequence[Fraction], sharps: int = 0
) -> str:
    """Notes and chords one after another, on one staff or two, as MusicXML.

    Args:
        rows: notes of each moment; none is a rest.
        lengths: of each moment, in quarter notes.
        sharps: of the key signature, flats negative.
    """
    pitches = [pitch for row in rows for pitch in row]
    steps = [pitch.step for pitch in pitches]
    if min(steps) >= LOWEST_TREBLE:
        staves = [("treble", rows)]
    elif max(steps) < SPLIT + 2:
        staves = [("bass", rows)]
    else:
        staves = [
            ("treble", [[p for p in row if p.step >= SPLIT] for row in rows]),
            ("bass", [[p for p in row if p.step < SPLIT] for row in rows]),
        ]
    return write_example(
        Example(
            tuple(
                ExampleStaff(
                    clef,
                    (tuple(Sign(tuple(sorted(r)), n) for r, n in zip(part, lengths, strict=True)),),
                )
                for clef, part in staves
            ),
            sharps,
        )
    )


def barred(notes: Sequence[Note], bar: Fraction) -> tuple[tuple[Note, ...], ...]:
    """Notes by bar; each lies within one."""
    last = max(note.end for note in notes)
    count = -(-last // bar)
    return tuple(
        tuple(note for note in notes if bar * place <= note.onset < bar * (place + 1))
        for place in range(int(count))
    )


def line_example(notes: Sequence[Note], metre: Metre, sharps: int, clef: str = "treble") -> Example:
    """A line in its metre."""
    bars = tuple(
        tuple(Sign((note.pitch,), note.duration) for note in bar)
        for bar in barred(notes, metre.bar)
    )
    return Example((ExampleStaff(clef, bars),), sharps, metre)


def line_given(text: str, notes: Sequence[Note], metre: Metre, sharps: int) -> Given:
    """A line in its metre as a question shows it, with words that say the same."""
    middle = sorted(note.pitch.step for note in notes)[len(notes) // 2]
    clef = "treble" if middle >= SPLIT else "bass"
    return shown(text, line_example(notes, metre, sharps, clef))


def rhythm_example(bars: Sequence[Sequence[RhythmValue]], metre: Metre, pitch: Pitch) -> str:
    """A rhythm on one note as MusicXML."""
    written = tuple(
        tuple(
            Sign(() if value.rest else (pitch,), value.length, tied=value.tied, beams=states)
            for value, states in zip(bar, beams(bar, metre), strict=True)
        )
        for bar in bars
    )
    return write_example(Example((ExampleStaff("treble", written),), 0, metre))
