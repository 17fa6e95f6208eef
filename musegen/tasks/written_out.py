"""From decisions to a score: the notes of the voices, the names of the chords, the cadences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from musegen.plan.plan import Plan, Slot
from musegen.score import Cadence, ChordLabel, Metre, Note, Part, Score
from musegen.textures.figures import Decoration
from theory_kb.moment import Moments
from theory_kb.pitch import Key, Pitch
from theory_kb.rules.phrase import cadence_kind

__all__ = ["write_score"]


def write_score(
    plan: Plan, skeleton: Moments, decorations: Sequence[Decoration], *, seed: int
) -> Score:
    """The score of a skeleton (T,) and its decorations (T,); the seed is named in the credit."""
    parts = tuple(
        Part(name, _voice(plan, decorations, voice))
        for voice, name in enumerate(plan.ensemble.voices)
    )
    beats, unit = plan.metre
    if plan.frame is not None:
        return _framed(plan.frame.score, parts, _labels(plan, skeleton))
    return Score(
        title=plan.title or f"{plan.name} in {plan.home}",
        key=plan.home,
        parts=parts,
        metres=(Metre(beats, unit),),
        upbeat=plan.upbeat,
        tempo=plan.tempo,
        chords=_labels(plan, skeleton),
        cadences=tuple(_cadences(plan, skeleton)),
        phrase_ends=tuple(
            plan.slots[phrase.last].onset + plan.slots[phrase.last].duration
            for phrase in plan.phrases
            if not phrase.runs_on
        ),
        credit=f"musegen, seed {seed}",
        figures=plan.figures,
        hands=plan.ensemble.hands or None,
    )


def _cadences(plan: Plan, skeleton: Moments) -> Iterator[Cadence]:
    """How each phrase closes: as planned, else as its last two chords say."""
    for phrase in plan.phrases:
        if phrase.runs_on:
            continue
        last = _begins(plan, phrase.last)
        before = skeleton[last - 1] if last > phrase.first else None
        kind = phrase.cadence or cadence_kind(before, skeleton[phrase.last])
        if kind is not None:
            key, _ = _named(plan.slots[phrase.last], skeleton[phrase.last])
            yield Cadence(plan.slots[last].onset, kind, key)


def _begins(plan: Plan, place: int) -> int:
    """The slot in which the chord of a slot begins."""
    while (figured := plan.slots[place].figured) is not None and figured.continues:
        place -= 1
    return place


def _labels(plan: Plan, skeleton: Moments) -> tuple[ChordLabel, ...]:
    found: list[ChordLabel] = []
    for place, (slot, moment) in enumerate(zip(plan.slots, skeleton, strict=True)):
        if _begins(plan, place) < place:
            found[-1] = replace(found[-1], duration=found[-1].duration + slot.duration)
        else:
            found.append(ChordLabel(slot.onset, slot.duration, *_named(slot, moment)))
    return tuple(found)


def _named(slot: Slot, moment: np.void) -> tuple[Key, str]:
    for harmony in slot.harmonies:
        tonic = harmony.key.tonic.fifths
        if harmony.chord.index == moment["chord"] and tonic == moment["tonic"]:
            return harmony.key, harmony.chord.symbol
    raise AssertionError("a chosen moment carries one of its slot's harmonies")


@dataclass(slots=True)
class _Pending:
    """A note whose end is not known yet, since a suspension may hold it on."""

    onset: Fraction
    end: Fraction
    pitch: Pitch
    fermata: bool = False

    def note(self) -> Note:
        return Note(self.onset, self.end - self.onset, self.pitch, self.fermata)


def _voice(plan: Plan, decorations: Sequence[Decoration], voice: int) -> tuple[Note, ...]:
    """The notes of one voice: those that are given, and ours where they leave room."""
    given = plan.lines.get(voice, ())
    if given and voice not in plan.open_voices:
        return given
    return tuple(sorted((*given, *_line(plan, decorations, voice)), key=lambda note: note.onset))


def _framed(whole: Score, parts: Sequence[Part], labels: Sequence[ChordLabel]) -> Score:
    """A piece with other notes, and other chords where they are named anew."""
    start, end = labels[0].onset, labels[-1].onset + labels[-1].duration
    outside = [
        replace(label, onset=first, duration=last - first)
        for label in whole.chords
        for first, last in (
            (label.onset, min(label.onset + label.duration, start)),
            (max(label.onset, end), label.onset + label.duration),
        )
        if first < last
    ]
    chords = sorted((*outside, *labels), key=lambda label: label.onset)
    named = (replace(old, notes=new.notes) for old, new in zip(whole.parts, parts, strict=True))
    return replace(whole, parts=tuple(named), chords=tuple(chords))


def _line(plan: Plan, decorations: Sequence[Decoration], voice: int) -> tuple[Note, ...]:
    """The notes of one voice where it is free, suspensions tied to their preparation."""
    notes: list[_Pending] = []
    for slot, decoration in zip(plan.slots, decorations, strict=True):
        stands = voice in plan.lines and slot.given and slot.given[voice] is not None
        if stands or voice in slot.silent:
            continue
        figure = decoration.figures[voice]
        half = slot.onset + slot.middle
        end = slot.onset + slot.duration
        if figure.kind == "suspension":
            notes[-1].end = half
        elif figure.goes_on:
            notes[-1].end = end
        else:
            notes.append(_Pending(slot.onset, half if figure.moves else end, figure.first))
        if figure.moves:
            notes.append(_Pending(half, end, figure.second))
        notes[-1].fermata = slot.closes and plan.phrases[slot.phrase].fermata
    return tuple(note.note() for note in notes)
