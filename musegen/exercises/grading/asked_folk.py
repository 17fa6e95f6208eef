"""What may be asked of the setting of a modal tune: tones of the mode, open chords, a close on the final.

Functions are not asked for: no chord leads to another by rule.
"""

from __future__ import annotations

from fractions import Fraction

from musegen.exercises.grading.seen import Outcome, Seen, share_of
from musegen.exercises.grading.task import Slot
from musegen.exercises.item import Text
from musegen.slices import sounding
from theory_kb.open_chords import FIFTH, QUARTAL, ROOTED, SUBSTITUTE, TRIAD, open_chord
from theory_kb.pitch import Pitch, PitchClass

__all__ = ["at_home", "coloured", "in_mode", "sounding_well"]


def _below(seen: Seen, time: Fraction) -> list[Pitch]:
    """What the voices below the tune sound at a time, high to low."""
    written = seen.observed.task.written_voices
    return [
        note.pitch for voice in written if (note := sounding(seen.lines[voice], time)) is not None
    ]


def _kind(seen: Seen, slot: Slot) -> str | None:
    """The kind of open chord that is struck in a slot; None for any other, or for silence."""
    notes = _below(seen, slot.onset)
    if not notes:
        return None
    return open_chord((note.pitch_class for note in notes), notes[-1].pitch_class)


def in_mode(seen: Seen) -> Outcome:
    """The share of the written notes that are of the mode."""
    own = {PitchClass.parse(name) for name in seen.fact("notes").split()}
    written = seen.observed.task.written_voices
    notes = [note for voice in written for note in seen.lines[voice]]
    foreign = sorted(
        (note for note in notes if note.pitch.pitch_class not in own), key=lambda note: note.onset
    )
    where = seen.bar_of(foreign[0].onset) if foreign else 0
    said = Text(
        f"{len(foreign)} notes are foreign to {seen.fact('notes')}, the first in bar {where}",
        f"{len(foreign)} 个音不属于 {seen.fact('notes')}，首个在第 {where} 小节",
    )
    return share_of(len(notes) - len(foreign), len(notes), said)


def sounding_well(seen: Seen) -> Outcome:
    """The share of the chords of a kind asked for that hold the tune's note, or are open fifths."""
    slots, kinds = seen.observed.task.slots, seen.fact("kinds").split()
    wrong = [slot for slot in slots if _kind(seen, slot) not in kinds or not _agrees(seen, slot)]
    where = seen.bar_of(wrong[0].onset) if wrong else 0
    said = Text(
        f"{len(wrong)} chords are of another kind, or strange to the tune; the first in bar {where}",
        f"{len(wrong)} 个和弦不属所要求的类型或与旋律音不合，首个在第 {where} 小节",
    )
    return share_of(len(slots) - len(wrong), len(slots), said)


def _agrees(seen: Seen, slot: Slot) -> bool:
    tune = sounding(seen.lines[0], slot.onset)
    if tune is None or _kind(seen, slot) == FIFTH:
        return True
    return tune.pitch.pitch_class in {note.pitch_class for note in _below(seen, slot.onset)}


def coloured(seen: Seen) -> Outcome:
    """Whether there are as many chords of a kind as asked for."""
    name, _, count = seen.fact("colour").partition("=")
    found = sum(_kind(seen, slot) == name for slot in seen.observed.task.slots)
    said = Text(
        f"{found} {KIND_WORDS[name].en} chords, {count} are asked for",
        f"{KIND_WORDS[name].zh} {found} 个，要求 {count} 个",
    )
    return share_of(found, int(count), said)


KIND_WORDS = {
    FIFTH: Text("open fifth", "空五度"),
    TRIAD: Text("triad", "三和弦"),
    SUBSTITUTE: Text("substitute", "替代音和弦"),
    QUARTAL: Text("quartal", "四度叠置和弦"),
}


def at_home(seen: Seen) -> Outcome:
    """Whether the last chord is a fifth or a triad on the final of the mode."""
    slot = seen.observed.task.slots[-1]
    notes = _below(seen, slot.onset)
    final = PitchClass.parse(seen.fact("final"))
    above = {note.pitch_class.fifths - final.fifths for note in notes}
    home = bool(notes) and notes[-1].pitch_class == final and above <= ROOTED
    home = home and _kind(seen, slot) is not None
    said = Text(f"end with a fifth or a triad on {final}", f"应以 {final} 上的空五度或三和弦结束")
    return share_of(int(home), 1, said)
