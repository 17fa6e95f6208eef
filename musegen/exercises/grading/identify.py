"""Which chord stands in a slot where the exercise does not say: what the student wrote, or named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from musegen.exercises.grading.task import Slot, Task
from musegen.exercises.item import Text
from musegen.io.limits import brief
from musegen.score import Note
from musegen.slices import sounding
from theory_kb.chords import Chord, every_chord, vocabulary
from theory_kb.errors import MusegenError
from theory_kb.labels import read_label
from theory_kb.pitch import Pitch

__all__ = ["identify", "read_numerals", "readings"]

USE: Mapping[str, int] = {"common": 0, "occasional": 1, "rare": 2}
THIRD, FIFTH = 1, 2
LONGEST = 40  # characters of a symbol in a note


def read_numerals(task: Task, labels: Sequence[str]) -> tuple[list[str], list[Text]]:
    """Typed labels as symbols of the knowledge base, and what is said of those that are none.

    Returns:
        A symbol a slot, empty where there is none or it is no chord, and notes.
    """
    found: list[str] = []
    notes: list[Text] = []
    for number, slot in enumerate(task.slots):
        label = labels[number] if number < len(labels) else ""
        try:
            found.append(read_label(slot.key.mode, label).symbol if label else "")
        except MusegenError:
            found.append("")
            notes.append(
                Text(
                    f"unparsed: symbol {number + 1} {brief(label, LONGEST)!r} is no chord of "
                    f"{slot.key}",
                    f"第 {number + 1} 个标记无法识别：{brief(label, LONGEST)}",
                )
            )
    if len(labels) > len(task.slots) > 0:
        came, most = len(labels), len(task.slots)
        notes.append(
            Text(
                f"W_LABELS: {came} symbols for {most} chords; the first {most} are marked",
                f"W_LABELS：{most} 个和弦写了 {came} 个标记，只评前 {most} 个",
            )
        )
    return found, notes


def identify(task: Task, lines: Sequence[Sequence[Note]], labels: Sequence[str]) -> list[str]:
    """The numeral of each slot.

    What the exercise asks for stands. Else it is the label that was typed, where the notes bear it
    out, or the chord of the key that the notes make, or the label all the same.

    Args:
        task: the exercise.
        lines: the answer by voice.
        labels: as `read_numerals` gives them, or none.
    """
    found: list[str] = []
    for number in reversed(range(len(task.slots))):
        slot = task.slots[number]
        typed = labels[number] if number < len(labels) else ""
        following = found[-1] if found else ""
        found.append(slot.numeral or _there(slot, lines, typed, following))
    return found[::-1]


def readings(slot: Slot, lines: Sequence[Sequence[Note]]) -> tuple[str, ...]:
    """Symbols of all chords of a slot's key that hold what sounds there, with its bass."""
    notes = [sounding(line, slot.onset) for line in lines]
    pitches = [note.pitch for note in notes if note is not None]
    chords = [each for each in every_chord() if each.mode == slot.key.mode]
    return tuple(e.symbol for e in chords if pitches and _missing(e, slot, pitches) is not None)


def _there(slot: Slot, lines: Sequence[Sequence[Note]], typed: str, following: str) -> str:
    notes = [sounding(line, slot.onset) for line in lines]
    pitches = [note.pitch for note in notes if note is not None]
    if not pitches:
        return typed
    if typed and _missing(read_label(slot.key.mode, typed), slot, pitches) is not None:
        return typed
    chord = _likeliest(slot, pitches, following)
    return typed if chord is None else chord.symbol


def _likeliest(slot: Slot, pitches: Sequence[Pitch], following: str) -> Chord | None:
    """The chord of a key that holds some notes with its bass, the fullest and the most common."""
    ways = []
    for chord in vocabulary():
        if chord.mode != slot.key.mode:
            continue
        missing = _missing(chord, slot, pitches)
        if missing is not None and chord.cadential == _may_be_cadential(chord, following):
            ways.append((missing, USE[chord.use], chord.index, chord))
    return min(ways, key=lambda way: way[:3])[3] if ways else None


def _may_be_cadential(chord: Chord, following: str) -> bool:
    """Whether a six-four of the tonic goes to the dominant; of any other chord, no."""
    tonic = chord.root == 0 and chord.inversion == FIFTH and chord.seventh is None
    return tonic and following in ("V", "V7")


def _missing(chord: Chord, slot: Slot, pitches: Sequence[Pitch]) -> int | None:
    """How many members are not there, the third counting double; None where a note is foreign."""
    tonic = slot.key.tonic.fifths
    sounding = {pitch.pitch_class.fifths - tonic for pitch in pitches}
    lowest = min(pitches, key=lambda pitch: pitch.semitone).pitch_class.fifths - tonic
    if not sounding <= set(chord.members) or lowest != chord.bass:
        return None
    absent = [place for place, member in enumerate(chord.members) if member not in sounding]
    return len(absent) + (THIRD in absent)
