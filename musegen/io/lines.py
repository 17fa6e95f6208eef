"""Written notes as voices: ties joined, chords and overlapping notes set apart as lines.

A score here holds lines of one note at a time. What a staff holds beyond that (chords of a
keyboard, two layers in one track) is set apart into as few lines as it takes, kept in the order of
pitch, each note in the line whose last note lies nearest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, groupby, pairwise

from musegen.errors import ScoreError
from musegen.score import Note, Part
from theory_kb.moment import MAX_VOICES

__all__ = ["CHOIR", "Staff", "Written", "join_ties", "named_parts", "separate", "staff_lines"]

CHOIR = ("Soprano", "Alto", "Tenor", "Bass")
CROSSED = 100  # semitones that a line out of order is worth


@dataclass(frozen=True, slots=True)
class Written:
    """A note as it is written."""

    note: Note
    tied: bool  # to the next note of its pitch
    place: str  # for refusals and remarks, such as `line 12`


@dataclass(frozen=True, slots=True)
class Staff:
    """A staff or track: its name, if it has one, and its voices, the highest first."""

    name: str
    voices: tuple[tuple[Note, ...], ...]


def join_ties(written: Sequence[Written]) -> tuple[tuple[Note, ...], tuple[str, ...]]:
    """Notes with tied chains made one, in order of time, and a remark for each tie that hangs.

    Args:
        written: the notes of one staff; a tie may lead from one of its voices to another.
    """
    ordered = sorted(written, key=lambda each: (each.note.onset, each.note.pitch.step))
    chains: dict[tuple[Fraction, int, int], int] = {}  # end, step, semitone: a note that goes on
    notes: list[Note] = []
    hanging: dict[int, str] = {}
    for each in ordered:
        pitch = each.note.pitch
        place = chains.pop((each.note.onset, pitch.step, pitch.semitone), None)
        if place is None:
            place = len(notes)
            notes.append(each.note)
        else:
            before = notes[place]
            notes[place] = replace(
                before,
                duration=before.duration + each.note.duration,
                fermata=before.fermata or each.note.fermata,
            )
        hanging.pop(place, None)
        if each.tied:
            chains[notes[place].end, pitch.step, pitch.semitone] = place
            hanging[place] = f"{each.place}: a tie from {pitch} leads to no note"
    return tuple(notes), tuple(hanging.values())


def separate(notes: Sequence[Note], where: str) -> tuple[tuple[Note, ...], ...]:
    """Lines of one note at a time, the highest first.

    Args:
        notes: of one voice, staff or track.
        where: how a refusal calls it.

    Raises:
        ScoreError: more notes sound at once than a score can have voices, or a pitch twice.
    """
    ordered = sorted(notes, key=lambda note: (note.onset, -note.pitch.semitone, note.pitch.step))
    if all(before.end <= after.onset for before, after in pairwise(ordered)):
        return (tuple(ordered),)
    homes = _homes(ordered, where)
    lines: list[list[Note]] = [[] for _ in homes]
    for onset, struck in groupby(ordered, key=lambda note: note.onset):
        chord = tuple(struck)
        free = [place for place, line in enumerate(lines) if not line or line[-1].end <= onset]
        heights = [
            line[-1].pitch.semitone if line else home
            for line, home in zip(lines, homes, strict=True)
        ]
        ways = combinations(free, len(chord))
        chosen = min(ways, key=lambda way: (_distance(heights, chord, way, free), _inner(way), way))
        for place, note in zip(chosen, chord, strict=True):
            lines[place].append(note)
    return tuple(tuple(line) for line in lines)


def staff_lines(voices: Sequence[Sequence[Note]], where: str) -> tuple[tuple[Note, ...], ...]:
    """Lines of a staff: its voices, or if any of them has chords, its notes set apart anew.

    Args:
        voices: of the staff, the highest first; ties joined.
        where: how a refusal calls the staff.

    Raises:
        ScoreError: as `separate`.
    """
    lines = [sorted(voice, key=lambda note: note.onset) for voice in voices if voice]
    single = all(before.end <= after.onset for line in lines for before, after in pairwise(line))
    if single:
        return tuple(tuple(line) for line in lines)
    return separate([note for line in lines for note in line], where)


def _homes(notes: Sequence[Note], where: str) -> list[int]:
    """Heights of the notes, from the top, where the most of them sound for the first time."""
    fullest: list[int] = []
    sounding: list[Note] = []
    for onset, struck in groupby(notes, key=lambda note: note.onset):
        sounding = [*(note for note in sounding if note.end > onset), *struck]
        if len(sounding) > MAX_VOICES:
            place = f"{where}, quarter note {onset} from the start"
            problem = f"{len(sounding)} notes at once, at most {MAX_VOICES} voices are read"
            raise ScoreError(place, problem)
        if len(sounding) > len(fullest):
            fullest = sorted((note.pitch.semitone for note in sounding), reverse=True)
    return fullest


def _inner(way: Sequence[int]) -> int:
    """Of ways equally near, a chord's lowest note takes the lowest line; for a note alone 0."""
    return -way[-1] if len(way) > 1 else 0


def _distance(
    heights: Sequence[int], chord: Sequence[Note], way: Sequence[int], free: Sequence[int]
) -> int:
    """How far a chord's notes lie from the lines they would join, in semitones.

    A line that would cross another one that sounds costs more than any leap.

    Args:
        heights: of the last note of each line.
        chord: notes struck together, the highest first.
        way: the line of each.
        free: lines without a note that goes on.
    """
    taken = {place: note.pitch.semitone for place, note in zip(way, chord, strict=True)}
    total = sum(abs(height - heights[place]) for place, height in taken.items())
    sounding = [
        taken.get(place, height)
        for place, height in enumerate(heights)
        if place in taken or place not in free
    ]
    return total + CROSSED * sum(lower > upper for upper, lower in pairwise(sounding))


# --- names ----------------------------------------------------------------------------------


def named_parts(staves: Sequence[Staff]) -> tuple[Part, ...]:
    """A part for each voice; four voices on staves without names, or on two, are a choir.

    Args:
        staves: from the top of the page down.
    """
    lines = [(staff, voice) for staff in staves for voice in staff.voices if voice]
    shared = len({id(staff) for staff, _ in lines}) < len(lines)
    nameless = not any(staff.name for staff in staves)
    if len(lines) == len(CHOIR) and (shared or nameless):
        names: Iterator[str] = iter(CHOIR)
    else:
        names = _names(staves)
    return tuple(Part(name, voice) for name, (_, voice) in zip(names, lines, strict=True))


def _names(staves: Sequence[Staff]) -> Iterator[str]:
    titles = [staff.name or f"Part {number}" for number, staff in enumerate(staves, 1)]
    for place, (title, staff) in enumerate(zip(titles, staves, strict=True)):
        same = titles.count(title)
        number = f" {titles[: place + 1].count(title)}" if same > 1 else ""
        voices = [voice for voice in staff.voices if voice]
        for count in range(1, len(voices) + 1):
            yield f"{title}{number}" + (f", voice {count}" if len(voices) > 1 else "")
