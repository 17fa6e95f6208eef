"""How a fault can be mended: changes of one note or two that were tried on the answer itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

from musegen.exercises.grading.align import chord_tones_at
from musegen.exercises.grading.observe import Defect, Observed, observe
from musegen.exercises.grading.words import voice_zh
from musegen.exercises.item import Text
from musegen.score import Note, Part
from theory_kb.pitch import Pitch

__all__ = ["mend"]

FARTHEST = 7  # semitones that a note is moved
SINGLE, PAIRS = 40, 60  # changes that are tried
NONE = Text("no change of one note or two mends this alone", "改动一两个音不足以改正")
Change = tuple[int, int, Pitch]  # voice, slot, note


def mend(defect: Defect, observed: Observed) -> Text | None:
    """What to write instead, in words; None where the exercise names no chords.

    A change is good if the fault goes and no other comes. The smallest is told; where two notes do
    not suffice, that is said.

    Args:
        defect: one of what was observed.
        observed: the answer.
    """
    task = observed.task
    if not task.slots or not chord_tones_at(task, max(defect.slot, 0)):
        return None
    singles = sorted(_changes(defect, observed), key=lambda each: _size((each,), observed))
    for change in singles[:SINGLE]:
        if _helps((change,), defect, observed):
            return _told((change,), observed)
    pairs = [(one, other) for one, other in product(singles, repeat=2) if one[:2] < other[:2]]
    for both in sorted(pairs, key=lambda each: _size(each, observed))[:PAIRS]:
        if _helps(both, defect, observed):
            return _told(both, observed)
    return NONE


def _changes(defect: Defect, observed: Observed) -> Iterator[Change]:
    """Other chord tones near the notes at fault, of voices that are not given."""
    task = observed.task
    given = {(voice, note.onset) for voice, line in enumerate(task.given) for note in line}
    for slot in dict.fromkeys((defect.slot, defect.left)):
        onset = task.slots[slot].onset
        for voice in defect.finding.voices:
            here = _note(observed.score.parts[voice].notes, observed, slot)
            if here is None or (voice, onset) in given:
                continue
            for tone in sorted(chord_tones_at(task, slot), key=lambda each: each.fifths):
                for octave in range(here.octave - 1, here.octave + 2):
                    pitch = Pitch.of(tone, octave)
                    if 0 < abs(pitch.semitone - here.semitone) <= FARTHEST or (
                        pitch.semitone == here.semitone and pitch != here
                    ):
                        yield voice, slot, pitch


def _note(line: Sequence[Note], observed: Observed, slot: int) -> Pitch | None:
    onset = observed.task.slots[slot].onset
    return next((note.pitch for note in line if note.onset == onset), None)


def _size(changes: Sequence[Change], observed: Observed) -> int:
    total = 0
    for voice, slot, pitch in changes:
        here = _note(observed.score.parts[voice].notes, observed, slot)
        total += abs(pitch.semitone - here.semitone) if here is not None else FARTHEST
    return total


def _helps(changes: Sequence[Change], defect: Defect, observed: Observed) -> bool:
    """Whether a fault goes and no other that counts comes."""
    parts = tuple(
        Part(part.name, tuple(_changed(note, voice, changes, observed) for note in part.notes))
        for voice, part in enumerate(observed.score.parts)
    )
    score = observed.score.with_parts(parts)
    found = _graver(observe(observed.task, score, observed.style))
    return _same(defect) not in found and found <= _graver(observed)


def _graver(observed: Observed) -> set[tuple[str, int, tuple[int, ...]]]:
    """All that costs points."""
    return {_same(each) for each in observed.defects if each.finding.severity != "I"}


def _same(defect: Defect) -> tuple[str, int, tuple[int, ...]]:
    return defect.finding.rule, defect.slot, defect.finding.voices


def _changed(note: Note, voice: int, changes: Sequence[Change], observed: Observed) -> Note:
    for which, slot, pitch in changes:
        if which == voice and note.onset == observed.task.slots[slot].onset:
            return replace(note, pitch=pitch)
    return note


def _told(changes: Sequence[Change], observed: Observed) -> Text:
    en, zh = [], []
    for voice, slot, pitch in changes:
        name = observed.task.voices[voice]
        en.append(f"write {pitch} in {name} at chord {slot + 1}")
        zh.append(f"第 {slot + 1} 和弦{voice_zh(name)}改为 {pitch}")
    return Text(" and ".join(en), "，".join(zh))
