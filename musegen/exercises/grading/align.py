"""Where an answer lies against its exercise: late, in another clef or key, with given notes changed.

A student who is right but a beat late, or a fifth too high, has one fault, not forty. Such a shift
is found by how well the answer fits with it and without it: the chords that are asked for, or the
notes that are given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

from musegen.exercises.grading.task import Task
from musegen.exercises.item import Text
from musegen.score import Note
from musegen.slices import sounding
from theory_kb.numerals import read_symbol
from theory_kb.pitch import LETTER_FIFTHS, Interval, Pitch, PitchClass

__all__ = ["Aligned", "align", "chord_tones_at", "fit"]

Line = tuple[Note, ...]
Lines = tuple[Line, ...]

FITS, BETTER = 0.85, 0.15  # how well a shifted answer must fit, and how much better than as it is
LATE = tuple(Fraction(n, 2) for n in (1, -1, 2, -2, 3, -3, 4, -4, 6, -6, 8, -8))  # quarter notes
NOW = Fraction(0)
CLEFS = {  # staff steps by which a voice is off that was read in another clef
    12: ("bass", "treble"),
    -12: ("treble", "bass"),
    6: ("alto", "treble"),
    -6: ("treble", "alto"),
    8: ("tenor", "treble"),
    -8: ("treble", "tenor"),
    4: ("bass", "tenor"),
    -4: ("tenor", "bass"),
}
CLEFS_ZH = {"treble": "高音谱号", "bass": "低音谱号", "alto": "中音谱号", "tenor": "次中音谱号"}
TRANSPOSITIONS = ("m2", "M2", "m3", "M3", "P4", "A4", "d5", "P5", "m6", "M6", "m7", "M7")


@dataclass(frozen=True, slots=True)
class Aligned:
    """An answer moved to where it belongs."""

    lines: Lines
    notes: tuple[Text, ...] = ()
    transposed: bool = False  # the whole of it, or a voice, was in another key or clef
    changed: tuple[tuple[int, Note], ...] = ()  # given notes that are not there: voice, note


def align(task: Task, lines: Lines) -> Aligned:
    """Find the one shift that makes an answer fit, if there is one, and undo it."""
    found, notes = _in_time(task, lines)
    found, more, transposed = _in_tune(task, found)
    changed = tuple(_changed(task, found))
    if changed:
        said = ", ".join(sorted({task.voices[voice] for voice, _ in changed}))
        notes = (*notes, _given_note(said, len(changed)))
    return Aligned(_restored(task, found), (*notes, *more), transposed, changed)


def fit(task: Task, lines: Lines) -> float:
    """Share of the written notes that fit: chord tones where chords are asked for.

    Given notes count where they stand. Without chords only these tell.
    """
    hits, count = 0, 0
    for voice, line in enumerate(lines):
        for note in task.given[voice]:
            there = sounding(line, note.onset)
            hits += there is not None and there.onset == note.onset and there.pitch == note.pitch
            count += 1
    for voice in task.written_voices:
        for number, slot in enumerate(task.slots):
            tones = chord_tones_at(task, number)
            there = sounding(lines[voice], slot.onset)
            if tones and lines[voice]:
                struck = there is not None and there.onset == slot.onset
                hits += struck and there is not None and there.pitch.pitch_class in tones
                count += 1
    return hits / count if count else 0.0


def chord_tones_at(task: Task, number: int) -> frozenset[PitchClass]:
    """Pitch classes of the chord that a slot asks for; none where the student names it."""
    slot = task.slots[number]
    if not slot.numeral:
        return frozenset()
    members = read_symbol(slot.key.mode, slot.numeral).members
    return frozenset(PitchClass(slot.key.tonic.fifths + member) for member in members)


# --- time -----------------------------------------------------------------------------------


def _in_time(task: Task, lines: Lines) -> tuple[Lines, tuple[Text, ...]]:
    """An answer whose notes stand where the slots are."""
    if not task.slots:
        return lines, ()
    plain = fit(task, lines)
    if plain >= FITS:
        return lines, ()
    ways = [(fit(task, moved), start, late, moved) for start, late, moved in _later(task, lines)]
    best = max(ways, key=lambda way: (way[0], -way[1], -abs(way[2])), default=None)
    if best is not None and best[0] >= max(FITS, plain + BETTER):
        return best[3], (_late(best[1], best[2]),)
    written = [lines[voice] for voice in task.written_voices if lines[voice]]
    if written and all(len(line) == len(task.slots) for line in written):
        in_order = _slot_by_slot(task, lines)
        if fit(task, in_order) >= max(FITS, plain + BETTER):
            return in_order, (_VALUES,)
    return lines, ()


_VALUES = Text(
    "W_VALUES: the notes are right in their order, not in their lengths; they are marked in order",
    "W_VALUES：音符次序正确而时值不同，按次序评分",
)


def _slot_by_slot(task: Task, lines: Lines) -> Lines:
    """The notes of each voice one after the other, a slot each."""
    return tuple(
        tuple(
            replace(note, onset=slot.onset, duration=slot.duration)
            for note, slot in zip(line, task.slots, strict=True)
        )
        if len(line) == len(task.slots)
        else line
        for line in lines
    )


def _later(task: Task, lines: Lines) -> Iterator[tuple[int, Fraction, Lines]]:
    """Answers moved in time from some slot on."""
    for start, slot in enumerate(task.slots[:-1]):
        for late in LATE:
            begin = slot.onset + min(late, NOW)
            yield start, late, tuple(tuple(_moved(line, begin, late)) for line in lines)


def _moved(line: Line, begin: Fraction, late: Fraction) -> Iterator[Note]:
    for note in line:
        if note.onset < begin:
            yield note
        elif note.onset - late >= 0 and note.onset >= begin + max(late, NOW):
            yield replace(note, onset=note.onset - late)


def _late(start: int, late: Fraction) -> Text:
    beats = abs(late)
    plural = "" if beats == 1 else "s"
    en, zh = ("late", "晚") if late > 0 else ("early", "早")
    return Text(
        f"W_SHIFTED: the answer is {beats} quarter note{plural} {en} from chord {start + 1} on; "
        "it is marked as if it stood in its place",
        f"W_SHIFTED：从第 {start + 1} 个和弦起，答案{zh}了 {beats} 个四分音符，已按正确位置评分",
    )


# --- pitch ----------------------------------------------------------------------------------


def _in_tune(task: Task, lines: Lines) -> tuple[Lines, tuple[Text, ...], bool]:
    """An answer in the key and the clefs of the exercise."""
    plain = fit(task, lines)
    if plain >= FITS or not task.written_voices:
        return lines, (), False
    best = _best(task, plain, _transpositions(task, lines))
    if best is not None:
        name, moved = best
        said = Text(
            f"W_TRANSPOSED: the whole answer lies {name}; in its key it is right so far as it goes",
            f"W_TRANSPOSED：整份答案移调（{name}），按原调评分",
        )
        return moved, (said,), True
    best = _best(task, plain, _clefs(task, lines))
    if best is not None:
        return best[1], (_clef_note(best[0]),), True
    return lines, (), False


def _best(task: Task, plain: float, ways: Iterator[tuple[str, Lines]]) -> tuple[str, Lines] | None:
    found = max(((fit(task, moved), name, moved) for name, moved in ways), key=lambda way: way[0])
    good = found[0] >= FITS and found[0] >= plain + BETTER
    return (found[1], found[2]) if good else None


def _transpositions(task: Task, lines: Lines) -> Iterator[tuple[str, Lines]]:
    """Every note, or every note but the voices that are given, by one interval."""
    for moved_voices in (tuple(range(len(lines))), task.written_voices):
        for name in TRANSPOSITIONS:
            interval = Interval.parse(name)
            down = Interval(-interval.steps, -interval.semitones)
            yield f"a {name} too high", _by(lines, moved_voices, partial(_plus, down))
            yield f"a {name} too low", _by(lines, moved_voices, partial(_plus, interval))


def _plus(interval: Interval, note: Note) -> Pitch:
    return note.pitch + interval


def _by(lines: Lines, voices: Sequence[int], move: Callable[[Note], Pitch]) -> Lines:
    return tuple(
        tuple(replace(note, pitch=move(note)) for note in line) if voice in voices else line
        for voice, line in enumerate(lines)
    )


def _clefs(task: Task, lines: Lines) -> Iterator[tuple[str, Lines]]:
    """One voice read in another clef."""
    for voice in task.written_voices:
        for steps in CLEFS:
            yield f"{voice} {steps}", _by(lines, (voice,), partial(_stepped, task, steps))


def _stepped(task: Task, steps: int, note: Note) -> Pitch:
    """A pitch so many staff steps higher, as the chord there or else the signature spells it."""
    step = note.pitch.step + steps
    letter = step % 7
    tones = chord_tones_at(task, task.slot_at(note.onset)) if task.slots else frozenset()
    for tone in tones:
        if tone.letter == letter:
            return Pitch.of(tone, step // 7)
    lowest = task.key.signature - 1  # of the signature's seven notes on the line of fifths
    return Pitch.of(PitchClass(lowest + (LETTER_FIFTHS[letter] - lowest) % 7), step // 7)


def _clef_note(name: str) -> Text:
    _, steps = name.split()
    read, meant = CLEFS[int(steps)]
    return Text(
        f"W_CLEF: a voice was written as if its {read} clef were a {meant} clef",
        f"W_CLEF：有一个声部把{CLEFS_ZH[read]}当作{CLEFS_ZH[meant]}来写",
    )


# --- what was given -------------------------------------------------------------------------


def _changed(task: Task, lines: Lines) -> Iterator[tuple[int, Note]]:
    for voice, line in enumerate(lines):
        for note in task.given[voice]:
            there = sounding(line, note.onset)
            if there is None or there.onset != note.onset or there.pitch != note.pitch:
                yield voice, note


def _given_note(voices: str, count: int) -> Text:
    plural = "s were" if count > 1 else " was"
    return Text(
        f"W_GIVEN: {count} given note{plural} changed ({voices}); the rest is marked as it stands",
        f"W_GIVEN：改动了 {count} 个给定音（{voices}），其余照常评分",
    )


def _restored(task: Task, lines: Lines) -> Lines:
    """Lines in which a given voice that lost all its notes has them back."""
    return tuple(
        line or task.given[voice] if voice in task.whole_voices else line
        for voice, line in enumerate(lines)
    )
