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
Settle = Callable[[Lines], Lines]

FITS, BETTER = 0.85, 0.15  # how well a shifted answer must fit, and how much better than as it is
LATE = tuple(Fraction(n, 2) for n in (1, -1, 2, -2, 3, -3, 4, -4, 6, -6, 8, -8))  # quarter notes
NOW = Fraction(0)
SCALES = (Fraction(2), Fraction(1, 2), Fraction(4), Fraction(1, 4))  # of all note values
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
TRANSPOSITIONS = ("m2", "M2", "m3", "M3", "P4", "A4", "d5", "P5", "m6", "M6", "m7", "M7", "P8")


@dataclass(frozen=True, slots=True)
class Aligned:
    """An answer moved to where it belongs."""

    lines: Lines
    notes: tuple[Text, ...] = ()
    transposed: bool = False  # the whole of it, or a voice, was in another key or clef
    changed: tuple[tuple[int, Note], ...] = ()  # given notes that are not there: voice, note


def _as_they_are(lines: Lines) -> Lines:
    return lines


def align(task: Task, lines: Lines, settle: Settle = _as_they_are) -> Aligned:
    """Find the one shift that makes an answer fit, if there is one, and undo it.

    Args:
        task: the exercise.
        lines: notes by voice of the exercise.
        settle: spells lines where they lie; of keys of a keyboard it is `respelled` of `arrange`.
    """
    timely, notes = _in_time(task, lines, settle)
    tuned, more, transposed = _in_tune(task, timely, settle)
    found = settle(tuned)
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


def _in_time(task: Task, lines: Lines, settle: Settle) -> tuple[Lines, tuple[Text, ...]]:
    """An answer whose notes stand where the slots are, or the given notes."""
    plain = fit(task, settle(lines))
    if plain >= FITS or not task.duration:
        return lines, ()
    enough = max(FITS, plain + BETTER)
    ways = [(fit(task, settle(way[2])), *way) for way in _later(task, lines)]
    best = max(ways, key=lambda way: (way[0], -way[1], -abs(way[2])), default=None)
    if best is not None and best[0] >= enough:
        return best[3], (_late(task, best[1], best[2]),)
    for scale in SCALES:
        scaled = _unmoved(task, lines, partial(_scaled, scale))
        if fit(task, settle(scaled)) >= enough:
            return scaled, (_scale_note(1 / scale),)
    written = [lines[voice] for voice in task.written_voices if lines[voice]]
    if written and all(len(line) == len(task.slots) for line in written):
        in_order = _slot_by_slot(task, lines)
        if fit(task, settle(in_order)) >= enough:
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


def _later(task: Task, lines: Lines) -> Iterator[tuple[Fraction, Fraction, Lines]]:
    """Answers moved in time from some slot, or given note, on: from when, how late, the answer."""
    onsets = [slot.onset for slot in task.slots]
    onsets = onsets or sorted({note.onset for line in task.given for note in line})
    for start in onsets[:-1]:
        for late in LATE:
            yield start, late, _unmoved(task, lines, partial(_moved, start, late))


def _unmoved(task: Task, lines: Lines, move: Callable[[Line], Iterator[Note]]) -> Lines:
    """Lines each moved, but for given ones that stand in their place."""
    return tuple(
        line if voice in task.whole_voices and line == task.given[voice] else tuple(move(line))
        for voice, line in enumerate(lines)
    )


def _moved(start: Fraction, late: Fraction, line: Line) -> Iterator[Note]:
    begin = start + min(late, NOW)
    for note in line:
        if note.onset < begin:
            yield note
        elif note.onset - late >= 0 and note.onset >= begin + max(late, NOW):
            yield replace(note, onset=note.onset - late)


def _scaled(scale: Fraction, line: Line) -> Iterator[Note]:
    for note in line:
        yield replace(note, onset=note.onset * scale, duration=note.duration * scale)


def _late(task: Task, start: Fraction, late: Fraction) -> Text:
    beats = abs(late)
    plural = "" if beats == 1 else "s"
    en, zh = ("late", "晚") if late > 0 else ("early", "早")
    chord = task.slot_at(start) + 1
    place = f"chord {chord}" if chord else f"quarter note {start + 1}"
    where = f"第 {chord} 个和弦" if chord else f"第 {start + 1} 个四分音符"
    return Text(
        f"W_SHIFTED: the answer is {beats} quarter note{plural} {en} from {place} on; "
        "it is marked as if it stood in its place",
        f"W_SHIFTED：从{where}起，答案{zh}了 {beats} 个四分音符，已按正确位置评分",
    )


def _scale_note(times: Fraction) -> Text:
    return Text(
        f"W_VALUES: all note values are {times} times those of the exercise; they are marked as "
        "if they were its own",
        f"W_VALUES：全部时值为题目的 {times} 倍，按题目时值评分",
    )


# --- pitch ----------------------------------------------------------------------------------


def _in_tune(task: Task, lines: Lines, settle: Settle) -> tuple[Lines, tuple[Text, ...], bool]:
    """An answer in the key and the clefs of the exercise."""
    plain = fit(task, settle(lines))
    if plain >= FITS or not task.written_voices:
        return lines, (), False
    best = _best(task, plain, _settled(settle, _transpositions(task, lines)))
    if best is not None:
        name, moved = best
        said = Text(
            f"W_TRANSPOSED: the whole answer lies {name}; in its key it is right so far as it goes",
            f"W_TRANSPOSED：整份答案移调（{name}），按原调评分",
        )
        return moved, (said,), True
    best = _best(task, plain, _settled(settle, _clefs(task, lines)))
    if best is not None:
        return best[1], (_clef_note(best[0]),), True
    return lines, (), False


def _settled(settle: Settle, ways: Iterator[tuple[str, Lines]]) -> Iterator[tuple[str, Lines]]:
    for name, moved in ways:
        yield name, settle(moved)


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
