"""Whose voice is whose: parts as a page has them become the voices of the exercise.

Voices on one staff, two staves or four, for a choir or at the keyboard, have already been set apart
by the readers. Here each gets its place: by its name, by what is given in it, or by its height.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

import numpy as np

from musegen.exercises.grading.task import Task
from musegen.exercises.grading.words import voice_zh
from musegen.exercises.item import Text
from musegen.io.lines import separate
from musegen.score import Note, Part
from theory_kb.errors import UnknownNameError
from theory_kb.numerals import read_symbol
from theory_kb.pitch import Pitch, PitchClass
from theory_kb.rules.records import rule

__all__ = ["Arranged", "arrange", "respelled"]

Line = tuple[Note, ...]

NAMES: Mapping[str, tuple[str, ...]] = {  # how scores call the voices
    "Soprano": ("soprano", "sop", "sopran", "s", "女高音", "高音", "discant", "superius"),
    "Alto": ("alto", "alt", "contralto", "a", "女低音", "中音"),
    "Tenor": ("tenor", "ten", "t", "男高音", "次中音"),
    "Bass": ("bass", "bas", "bassus", "basse", "b", "男低音", "低音"),
    "Counterpoint": ("counterpoint", "cp", "cpt", "ctp", "对位", "对位声部"),
    "Cantus": ("cantus", "cantus firmus", "cf", "c.f.", "定旋律"),
}
RANGES = {"Soprano": "soprano", "Alto": "alto", "Tenor": "tenor", "Bass": "bass"}
ENOUGH = 0.6  # share of a given line by which it is known
FEW = 0.5  # share of the onsets up to which notes too many are slips, not a voice of their own


@dataclass(frozen=True, slots=True)
class Arranged:
    """The voices of an answer."""

    lines: tuple[Line, ...]  # by voice of the exercise; empty where it is missing
    how: str  # names, given notes, or height
    missing: tuple[int, ...]  # voices to be written that have no note
    notes: tuple[Text, ...] = ()


def arrange(task: Task, parts: Sequence[Part]) -> Arranged:
    """Give each part its voice.

    Args:
        task: the exercise.
        parts: of the answer, high to low.
    """
    parts = [part for part in parts if part.notes]
    places, how = _by_names(task, parts), "names"
    crowd: list[Text] = []
    if places is None:
        parts, crowd = _uncrowded(task, parts)
        places, how = _by_notes(task, parts)
    lines: list[Line] = [()] * len(task.voices)
    spare = []
    for number, part in enumerate(parts):
        if number in places:
            lines[places[number]] = part.notes
        else:
            spare.append(part)
    missing = tuple(voice for voice in task.written_voices if not lines[voice])
    notes = [*_missing_notes(task, missing, parts), *_spare_notes(task, spare), *crowd]
    for voice in task.whole_voices:
        lines[voice] = lines[voice] or task.given[voice]
    return Arranged(tuple(lines), how, missing, tuple(notes))


def _by_names(task: Task, parts: Sequence[Part]) -> dict[int, int] | None:
    """Voice of each part by its name; None where the names do not say.

    Beside parts for all voices there may be one that is none of them.
    """
    found: dict[int, int] = {}
    for number, part in enumerate(parts):
        name = part.name.strip().lower()
        for voice, title in enumerate(task.voices):
            if name == title.lower() or name in NAMES.get(title, ()):
                found[number] = voice
    enough = len(found) in (len(parts), len(task.voices))
    return found if enough and len(set(found.values())) == len(found) else None


def _uncrowded(task: Task, parts: list[Part]) -> tuple[list[Part], list[Text]]:
    """Parts without the places where more notes sound than there are voices, if these are few.

    A chord with a note too many makes a line of its own when chords are set apart, and takes notes
    of its neighbours with it. So what is left is set apart anew.
    """
    most = len(task.voices)
    if len(parts) <= most:
        return parts, []
    notes = [note for part in parts for note in part.notes]
    onsets = sorted({note.onset for note in notes})
    crowded = [each for each in onsets if sum(n.onset <= each < n.end for n in notes) > most]
    if len(crowded) > len(onsets) * FEW:
        return parts, []
    kept = [n for n in notes if not any(n.onset <= each < n.end for each in crowded)]
    lines = separate(kept, task.title)
    found = [Part(f"voice {number}", line) for number, line in enumerate(lines, 1) if line]
    return found, [_crowd_note(task, each) for each in crowded]


def _crowd_note(task: Task, onset: Fraction) -> Text:
    slot, (bar, _) = task.slot_at(onset) + 1, task.score(task.given).bar_and_beat(onset)
    en, zh = (f"chord {slot}", f"第 {slot} 个和弦") if slot else (f"bar {bar}", f"第 {bar} 小节")
    most = len(task.voices)
    return Text(
        f"E_VOICES: more than {most} notes sound in {en}; it is not marked",
        f"E_VOICES：{zh}超过 {most} 个音，不评分",
    )


def _by_notes(task: Task, parts: Sequence[Part]) -> tuple[dict[int, int], str]:
    """Voices that are given are known by their notes, the others follow from top to bottom."""
    found: dict[int, int] = {}
    for voice in task.whole_voices:
        shares = [_likeness(part.notes, task.given[voice]) for part in parts]
        best = max(range(len(parts)), key=shares.__getitem__, default=None)
        if best is not None and shares[best] >= ENOUGH and best not in found:
            found[best] = voice
    how = "given notes" if found else "height"
    rest = [number for number in range(len(parts)) if number not in found]
    free = [voice for voice in range(len(task.voices)) if voice not in found.values()]
    if len(rest) > len(free):
        fullest = sorted(rest, key=lambda number: (-len(parts[number].notes), number))
        rest = sorted(fullest[: len(free)])
    chosen = free if len(rest) == len(free) else _nearest(task, [parts[n] for n in rest], free)
    return found | dict(zip(rest, chosen, strict=True)), how


def _likeness(line: Sequence[Note], given: Sequence[Note]) -> float:
    """Share of the given notes that a line has, in their order, wherever they stand."""
    names = [note.pitch for note in line]
    wanted = [note.pitch for note in given]
    same = sum(first == second for first, second in zip(names, wanted, strict=False))
    return same / len(wanted)


def _nearest(task: Task, parts: Sequence[Part], free: Sequence[int]) -> list[int]:
    """Voices for fewer parts than there are, in their order, each near the middle of its range."""
    heights = [float(np.mean([note.pitch.semitone for note in part.notes])) for part in parts]
    middles = {voice: _middle(task, voice) for voice in free}
    return list(
        min(
            combinations(free, len(parts)),
            key=lambda way: sum(
                abs(height - middles[voice]) for height, voice in zip(heights, way, strict=True)
            ),
        )
    )


def _middle(task: Task, voice: int) -> float:
    name = RANGES.get(task.voices[voice])
    if name is None:
        return 72.0 - 8 * voice
    limits = rule("range-core").params
    return (limits[f"{name}_low"] + limits[f"{name}_high"]) / 2


def _missing_notes(task: Task, missing: Sequence[int], parts: Sequence[Part]) -> list[Text]:
    if not missing or not parts:
        return []
    names = [task.voices[voice] for voice in missing]
    return [
        Text(
            f"E_VOICES: nothing is written for {', '.join(names)}; what is there is marked",
            f"E_VOICES：{'、'.join(map(voice_zh, names))}没有音符；其余照常评分",
        )
    ]


def _spare_notes(task: Task, spare: Sequence[Part]) -> list[Text]:
    found = []
    for part in spare:
        onsets = [note.onset for note in part.notes]
        slots = sorted({task.slot_at(onset) + 1 for onset in onsets}) if task.slots else []
        chords = ", ".join(map(str, slots[:8]))
        en, zh = (f" (chords {chords})", f"（和弦 {chords}）") if slots else ("", "")
        found.append(
            Text(
                f"E_VOICES: {part.name} is one voice too many{en} and is not marked",
                f"E_VOICES：{part.name} 是多余的声部{zh}，不评分",
            )
        )
    return found


# --- keys of a keyboard ---------------------------------------------------------------------


def respelled(task: Task, lines: Sequence[Line]) -> tuple[Line, ...]:
    """Lines whose spelling was inferred, spelled as the chords asked for, or the given notes, are."""
    given = {(n.onset, n.pitch.semitone): n.pitch for line in task.given for n in line}
    return tuple(tuple(_respelled(task, note, given) for note in line) for line in lines)


def _respelled(task: Task, note: Note, given: Mapping[tuple[Fraction, int], Pitch]) -> Note:
    known = given.get((note.onset, note.pitch.semitone))
    if known is not None:
        return replace(note, pitch=known)
    slot = task.slots[task.slot_at(note.onset)] if task.slots else None
    if slot is None or not slot.numeral:
        return note
    for member in _members(slot.key.mode, slot.numeral):
        name = PitchClass(slot.key.tonic.fifths + member)
        if (name.semitone - note.pitch.semitone) % 12 == 0:
            octave = note.pitch.octave
            ways = [Pitch.of(name, octave + shift) for shift in (-1, 0, 1)]
            same = [each for each in ways if each.semitone == note.pitch.semitone]
            return replace(note, pitch=same[0])
    return note


def _members(mode: str, numeral: str) -> tuple[int, ...]:
    try:
        return read_symbol(mode, numeral).members
    except UnknownNameError:
        return ()
