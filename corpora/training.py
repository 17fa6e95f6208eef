"""What models learn from: one slot a beat, and how voices move between the slots.

A slot holds the reduced skeleton of its beat (in each voice the first tone of the beat's chord,
else the first note), as key-relative tokens of the home key. A phrase's held last chord is one slot,
as it is when composing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from corpora.catalogue import entry
from corpora.corpus import DEFAULT, load
from corpora.read import Progress
from corpora.split import check_split_name
from musegen.encoding import tokens
from musegen.io.files import write_file
from musegen.models.cards import DataCard
from musegen.models.protocol import FEATURE_SIZES, IntArray, SlotSequence
from musegen.score import ChordLabel, Note, Score
from musegen.slices import beat_spans, chord_tones, phrase_spans, reduced_note, sounding
from theory_kb.chords import chord
from theory_kb.metre import beat_strength
from theory_kb.moment import REST, TICKS
from theory_kb.pitch import MODES

__all__ = [
    "KINDS",
    "TrainingSlot",
    "figuration",
    "slot_sequences",
    "training_data",
    "training_slots",
    "write_figuration",
]

LEARNED = ("train", "valid", "test")  # splits for training and measuring
SPLIT_ABOUT = "pieces that match the JSB validation or test pieces are kept out of training"
MOST_MOVING = 3  # voices; all four moving at once count as three
KINDS = (
    "plain",
    "repeated",
    "passing",
    "neighbor-upper",
    "neighbor-lower",
    "suspension",
    "anticipation",
    "chordal-skip",
    "escape",
    "two-sixteenths",
    "other",
)
FIGURATION_ABOUT = (
    "Counted in the training pieces. counts: 'voice|beat strength|steps to the next beat' to "
    "figure to number of beats; voice 0 is the soprano. moving: beat strength to number of beats "
    "with 0, 1, 2, 3 or more voices moving."
)


@dataclass(frozen=True, slots=True)
class TrainingSlot:
    """One beat of a labelled piece, or a phrase's held last chord."""

    start: Fraction  # quarter notes
    end: Fraction
    label: ChordLabel
    strength: int
    to_end: int  # slots to the phrase's last
    from_start: int  # slots from the phrase's first
    skeleton: tuple[Note | None, ...]  # of each voice, None in a rest


def training_slots(score: Score) -> tuple[TrainingSlot, ...]:
    """The slots of a labelled score.

    Raises:
        UnknownNameError: a metre or a chord that is not known.
    """
    slots: list[TrainingSlot] = []
    for spans in _phrases_of_beats(score):
        labels = [_label_at(score, start) for start, _ in spans]
        closing = _closing_beat(score, spans, labels)
        merged = [*spans[:closing], (spans[closing][0], spans[-1][1])]
        for place, ((start, end), label) in enumerate(zip(merged, labels, strict=False)):
            skeleton = tuple(
                reduced_note(part.notes, label, span=(start, end)) for part in score.parts
            )
            slots.append(
                TrainingSlot(
                    start,
                    end,
                    label,
                    _strength(score, start),
                    len(merged) - 1 - place,
                    place,
                    skeleton,
                )
            )
    return tuple(slots)


def _phrases_of_beats(score: Score) -> Iterator[list[tuple[Fraction, Fraction]]]:
    sounding_from = score.chords[0].onset  # some pieces begin with a rest in all voices
    spans = [span for span in beat_spans(score) if span[0] >= sounding_from]
    for begin, *_, end in phrase_spans(score):
        inside = [span for span in spans if begin <= span[0] < end]
        if inside:
            yield inside


def _label_at(score: Score, time: Fraction) -> ChordLabel:
    return next(label for label in reversed(score.chords) if label.onset <= time)


def _closing_beat(
    score: Score, spans: list[tuple[Fraction, Fraction]], labels: list[ChordLabel]
) -> int:
    """Index of the beat from which the phrase's last chord and soprano note stay."""
    last = sounding(score.parts[0].notes, spans[-1][0])
    closing = len(spans) - 1
    while (
        closing
        and labels[closing - 1] == labels[-1]
        and (last is not None and last.onset < spans[closing][0])
    ):
        closing -= 1
    return closing


def _strength(score: Score, onset: Fraction) -> int:
    _, beat = score.bar_and_beat(onset)
    metre = score.metre
    position = int((beat - 1) * Fraction(4, metre.unit) * TICKS)
    return beat_strength(metre.beats, metre.unit, position)


def slot_sequences(split: str, *, progress: Progress | None = None) -> tuple[SlotSequence, ...]:
    """One sequence a piece of a split.

    Args:
        split: train, valid, test or held_out.
        progress: called with files done and files in all, if the corpus must be read.

    Raises:
        UnknownNameError: no such split.
        StoredFileError: the corpus files are missing or are not those catalogued.
    """
    check_split_name(split)
    return tuple(_sequence(piece.name, piece.score) for piece in load(progress).scores(split))


def training_data(
    *, progress: Progress | None = None
) -> tuple[dict[str, tuple[SlotSequence, ...]], DataCard]:
    """The sequences of the training, validation and test pieces, and what a card says of them.

    Raises:
        StoredFileError: the corpus files are missing or are not those catalogued.
    """
    splits = {name: slot_sequences(name, progress=progress) for name in LEARNED}
    corpus = entry(DEFAULT)
    card = DataCard(
        corpus.title,
        corpus.licence,
        f"corpora/data/{corpus.split}: {SPLIT_ABOUT}",
        {name: len(pieces) for name, pieces in splits.items()},
        {name: sum(len(piece.notes) for piece in pieces) for name, pieces in splits.items()},
    )
    return splits, card


def _sequence(name: str, score: Score) -> SlotSequence:
    slots = training_slots(score)
    semitones = np.array(
        [
            [REST if note is None else note.pitch.semitone for note in slot.skeleton]
            for slot in slots
        ]
    )
    chords = [chord(slot.label.key.mode, slot.label.numeral).index for slot in slots]
    mode = list(MODES).index(score.key.mode)
    rows = [(mode, slot.strength, slot.to_end, slot.from_start) for slot in slots]
    features: IntArray = np.minimum(np.array(rows, np.int64), np.array(FEATURE_SIZES) - 1)
    return SlotSequence(name, tokens(semitones, score.key), np.array(chords, np.int64), features)


# --- figuration -----------------------------------------------------------------------------


def figuration(split: str = "train", *, progress: Progress | None = None) -> dict[str, object]:
    """How voices move inside a beat, as counts.

    Returns:
        JSON-able: `counts` maps "voice|strength|steps" to kind to number, where steps lead from
        this slot's skeleton note to the next slot's; `moving` maps strength to the number of beats
        with 0, 1, 2 and 3 or more moving voices; `beats` is the number of beats counted.
    """
    check_split_name(split)
    counts: dict[str, Counter[str]] = {}
    moving: dict[str, list[int]] = {}
    for piece in load(progress).scores(split):
        for before, slot, after in _beats(training_slots(piece.score)):
            kinds = [
                _voice_kind(piece.score.parts[voice].notes, voice, before, slot, after)
                for voice in range(len(slot.skeleton))
            ]
            for voice, kind in enumerate(kinds):
                here, there = slot.skeleton[voice], after.skeleton[voice]
                if kind is not None and here is not None and there is not None:
                    place = f"{voice}|{slot.strength}|{there.pitch.step - here.pitch.step}"
                    counts.setdefault(place, Counter())[kind] += 1
            moves = sum(kind not in (None, "plain") for kind in kinds)
            row = moving.setdefault(str(slot.strength), [0] * (MOST_MOVING + 1))
            row[min(moves, MOST_MOVING)] += 1
    return {
        "about": FIGURATION_ABOUT,
        "split": split,
        "beats": sum(map(sum, moving.values())),
        "counts": {place: _in_order(counts[place]) for place in sorted(counts)},
        "moving": {strength: moving[strength] for strength in sorted(moving)},
    }


def _in_order(counter: Counter[str]) -> dict[str, int]:
    return {kind: counter[kind] for kind in KINDS if counter[kind]}


def write_figuration(path: Path, *, progress: Progress | None = None) -> None:
    """Write the counts of the training pieces as JSON, whole or not at all.

    Raises:
        OutputError: the folder cannot be written to.
    """
    text = json.dumps(figuration("train", progress=progress), indent=1, ensure_ascii=False)
    write_file(path, (text + "\n").encode())


def _beats(
    slots: tuple[TrainingSlot, ...],
) -> Iterator[tuple[TrainingSlot | None, TrainingSlot, TrainingSlot]]:
    """Each slot that is not its phrase's last, with its neighbours in the phrase."""
    for place in range(len(slots) - 1):
        if slots[place].to_end > 0:
            before = slots[place - 1] if slots[place].from_start > 0 else None
            yield before, slots[place], slots[place + 1]


def _voice_kind(
    notes: tuple[Note, ...],
    voice: int,
    before: TrainingSlot | None,
    slot: TrainingSlot,
    after: TrainingSlot,
) -> str | None:
    """What a voice does in a beat; None where it rests."""
    inside = [note for note in notes if note.onset < slot.end and note.end > slot.start]
    here, there = slot.skeleton[voice], after.skeleton[voice]
    if here is None or there is None or not inside:
        return None
    if len(inside) == 1:
        return "plain"
    if len(inside) > 2:
        return "two-sixteenths"
    first, second = inside
    if first.pitch == second.pitch:
        return "repeated"
    tones = chord_tones(slot.label.key, slot.label.numeral)
    prepared = before is not None and _holds(notes, first, slot.start)
    return _two_notes(first, second, there, tones, prepared=prepared)


def _holds(notes: tuple[Note, ...], first: Note, start: Fraction) -> bool:
    """Whether a note is held over, or struck again, from before the beat."""
    if first.onset < start:
        return True
    earlier = next((note for note in notes if note.end == first.onset), None)
    return earlier is not None and earlier.pitch == first.pitch


def _two_notes(
    first: Note, second: Note, there: Note, tones: frozenset[int], *, prepared: bool
) -> str:
    """Kind of figure of two notes before the next slot's note."""
    reached = second.pitch.step - first.pitch.step
    left = there.pitch.step - second.pitch.step
    first_fits = first.pitch.pitch_class.fifths in tones
    second_fits = second.pitch.pitch_class.fifths in tones
    if prepared and not first_fits and second_fits and reached == -1:
        return "suspension"
    if not first_fits:
        return "other"
    if second_fits and abs(reached) > 1:
        return "chordal-skip"
    return FIGURES.get((reached, left), _rest_kind(second, there, reached))


FIGURES: Mapping[tuple[int, int], str] = {
    (1, 1): "passing",
    (-1, -1): "passing",
    (1, -1): "neighbor-upper",
    (-1, 1): "neighbor-lower",
}


def _rest_kind(second: Note, there: Note, reached: int) -> str:
    if second.pitch == there.pitch:
        return "anticipation"
    return "escape" if abs(reached) == 1 else "other"
