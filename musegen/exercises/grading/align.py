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

from musegen.exercises.grading.plain import interval_words
from musegen.exercises.grading.task import Task
from musegen.exercises.grading.words import voice_zh
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
        voices = sorted({voice for voice, _ in changed})
        notes = (*notes, _given_note([task.voices[voice] for voice in voices], len(changed)))
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
    sounding_voices = [bool(line) for line in lines]  # none of them may be shifted away
    later = (way for way in _later(task, lines) if [*map(bool, way[2])] == sounding_voices)
    ways = [(fit(task, settle(way[2])), *way) for way in later]
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
    later = [note for note in line if note.onset >= max(late, begin + max(late, NOW))]
    for note in line:
        if note.onset < begin:  # held over, it ends where the first of the moved notes begins
            room = later[0].onset - late - note.onset if later else note.duration
            yield replace(note, duration=min(note.duration, room))
    for note in later:
        yield replace(note, onset=note.onset - late)


def _scaled(scale: Fraction, line: Line) -> Iterator[Note]:
    for note in line:
        yield replace(note, onset=note.onset * scale, duration=note.duration * scale)


def _late(task: Task, start: Fraction, late: Fraction) -> Text:
    beats = abs(late)
    plural = "" if beats == 1 else "s"
    en, zh = ("late", "晚") if late > 0 else ("early", "早")
    chord = task.slot_at(start) + 1
    bar, _ = task.score(task.given).bar_and_beat(start)
    place = f"chord {chord}" if chord else f"bar {bar}"
    where = f"第 {chord} 个和弦" if chord else f"第 {bar} 小节"
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
    """An answer in the key, the octave and the clefs of the exercise."""
    here = settle(lines)
    plain, stand = fit(task, here), _standing(task, here)
    if (plain >= FITS and stand > 0) or not task.written_voices:
        return lines, (), False
    for ways in (_transpositions(task, lines), _clefs(task, lines)):
        tried = ((settle(moved), said) for said, moved in ways)
        score, moved, said = max(
            ((fit(task, moved), moved, said) for moved, said in tried), key=lambda way: way[0]
        )
        anchored = stand == 0 and _standing(task, moved) == 1  # chords alone know no octave
        if score >= FITS and (score >= plain + BETTER or anchored):
            return moved, (said,), True
    return lines, (), False


def _standing(task: Task, lines: Lines) -> float:
    """Share of the given notes that stand where they were given; 1 where none is."""
    count = sum(map(len, task.given))
    return 1 - sum(1 for _ in _changed(task, lines)) / count if count else 1.0


def _transpositions(task: Task, lines: Lines) -> Iterator[tuple[Text, Lines]]:
    """Every note, or every note but the voices that are given, by one interval."""
    for moved_voices in (tuple(range(len(lines))), task.written_voices):
        for name in TRANSPOSITIONS:
            up = Interval.parse(name)
            down = Interval(-up.steps, -up.semitones)
            yield _key_note(up, "high", "高"), _by(lines, moved_voices, partial(_plus, down))
            yield _key_note(up, "low", "低"), _by(lines, moved_voices, partial(_plus, up))


def _key_note(interval: Interval, en: str, zh: str) -> Text:
    said = interval_words(interval)
    article = "an" if said.en[0] in "aeiou" else "a"
    return Text(
        f"W_TRANSPOSED: the whole answer lies {article} {said.en} too {en}; "
        "in its place it is right so far as it goes",
        f"W_TRANSPOSED：整份答案{zh}了{said.zh}，按原位评分",
    )


def _plus(interval: Interval, note: Note) -> Pitch:
    return note.pitch + interval


def _by(lines: Lines, voices: Sequence[int], move: Callable[[Note], Pitch]) -> Lines:
    return tuple(
        tuple(replace(note, pitch=move(note)) for note in line) if voice in voices else line
        for voice, line in enumerate(lines)
    )


def _clefs(task: Task, lines: Lines) -> Iterator[tuple[Text, Lines]]:
    """One voice read in another clef."""
    for voice in task.written_voices:
        for steps, clefs in CLEFS.items():
            said = _clef_note(task.voices[voice], *clefs)
            yield said, _by(lines, (voice,), partial(_stepped, task, steps))


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


def _clef_note(voice: str, read: str, meant: str) -> Text:
    return Text(
        f"W_CLEF: {voice} was written as if its {read} clef were a {meant} clef",
        f"W_CLEF：{voice_zh(voice)}把{CLEFS_ZH[read]}当作{CLEFS_ZH[meant]}来写",
    )


# --- what was given -------------------------------------------------------------------------


def _changed(task: Task, lines: Lines) -> Iterator[tuple[int, Note]]:
    for voice, line in enumerate(lines):
        for note in task.given[voice]:
            there = sounding(line, note.onset)
            if there is None or there.onset != note.onset or there.pitch != note.pitch:
                yield voice, note


def _given_note(voices: Sequence[str], count: int) -> Text:
    plural = "s were" if count > 1 else " was"
    en, zh = ", ".join(voices), "、".join(map(voice_zh, voices))
    return Text(
        f"W_GIVEN: {count} given note{plural} changed ({en}); the rest is marked as it stands",
        f"W_GIVEN：改动了 {count} 个给定音（{zh}），其余照常评分",
    )


def _restored(task: Task, lines: Lines) -> Lines:
    """Lines in which given notes stand again where nothing sounds in their place."""
    return tuple(
        tuple(sorted((*line, *_left_out(line, given)), key=lambda note: note.onset))
        for line, given in zip(lines, task.given, strict=True)
    )


def _left_out(line: Line, given: Line) -> list[Note]:
    return [
        note
        for note in given
        if not any(note.onset < each.end and each.onset < note.end for each in line)
    ]
