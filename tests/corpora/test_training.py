"""Slots, sequences and figuration."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from corpora import training
from corpora.catalogue import entry, verified_files
from corpora.corpus import Corpus, CorpusPiece
from corpora.read import read_score
from corpora.training import (
    KINDS,
    figuration,
    slot_sequences,
    training_slots,
    write_figuration,
)
from musegen.analysis.label import label
from musegen.encoding import token
from musegen.errors import UnknownNameError
from musegen.models.protocol import FEATURE_SIZES, VOCABULARY
from musegen.score import ChordLabel, Metre, Note, Part, Score
from theory_kb.chords import chord, vocabulary
from theory_kb.pitch import Key, Pitch

HALF = Fraction(1, 2)
HOME = Key.parse("C major")


def part(name: str, *notes: tuple[str, Fraction | int]) -> Part:
    """A line from names and durations in quarter notes."""
    time, made = Fraction(0), []
    for text, length in notes:
        made.append(Note(time, Fraction(length), Pitch.parse(text)))
        time += length
    return Part(name, tuple(made))


def phrase() -> Score:
    """I IV V I, the last chord held for two beats; every voice moves somewhere."""
    parts = (
        part(
            "Soprano", ("G4", HALF), ("A4", HALF), ("A4", 1), ("B4", HALF), ("C5", HALF), ("C5", 2)
        ),
        part("Alto", ("E4", 1), ("F4", 1), ("F4", HALF), ("D4", HALF), ("E4", 2)),
        part("Tenor", ("C4", 2), ("C4", HALF), ("B3", HALF), ("C4", 2)),
        part("Bass", ("E3", HALF), ("C3", HALF), ("F3", HALF), ("F2", HALF), ("G2", 1), ("C3", 2)),
    )
    chords = tuple(
        ChordLabel(Fraction(place), Fraction(length), HOME, numeral)
        for place, length, numeral in ((0, 1, "I6"), (1, 1, "IV"), (2, 1, "V"), (3, 2, "I"))
    )
    return Score("phrase", HOME, parts, (Metre(4, 4),), chords=chords, phrase_ends=(Fraction(5),))


@pytest.fixture
def small_corpus(monkeypatch: pytest.MonkeyPatch) -> Corpus:
    """Two training pieces and one to validate."""
    path = next(
        path for path in verified_files(entry("bach-chorales")) if path.name == "bwv66.6.mxl"
    )
    pieces = (
        CorpusPiece("phrase", "train", phrase()),
        CorpusPiece("bwv66.6", "train", label(read_score(path))),
        CorpusPiece("again", "valid", phrase()),
    )
    corpus = Corpus(entry("bach-chorales"), pieces, ())

    def load(progress: Callable[[int, int], None] | None = None) -> Corpus:
        return corpus

    monkeypatch.setattr(training, "load", load)
    return corpus


def test_a_held_last_chord_is_one_slot() -> None:
    """Five beats, four slots, counted to the end of the phrase and from its start."""
    slots = training_slots(phrase())
    assert [(int(slot.start), int(slot.end)) for slot in slots] == [(0, 1), (1, 2), (2, 3), (3, 5)]
    assert [slot.to_end for slot in slots] == [3, 2, 1, 0]
    assert [slot.from_start for slot in slots] == [0, 1, 2, 3]
    assert [slot.strength for slot in slots] == [4, 2, 3, 2]


def test_the_skeleton_is_the_first_chord_tone() -> None:
    """Over V the alto's F and the tenor's C give way to D and B."""
    names = [
        [note.pitch.name if note else None for note in slot.skeleton]
        for slot in training_slots(phrase())
    ]
    assert names == [
        ["G4", "E4", "C4", "E3"],
        ["A4", "F4", "C4", "F3"],
        ["B4", "D4", "B3", "G2"],
        ["C5", "E4", "C4", "C3"],
    ]


def test_a_sequence_says_what_the_protocol_says(small_corpus: Corpus) -> None:
    """Tokens of the home key, chord indices, features in their sizes."""
    first = slot_sequences("train")[0]
    assert first.name == "phrase"
    assert first.notes[0].tolist() == [
        token(Pitch.parse(name), HOME) for name in ("G4", "E4", "C4", "E3")
    ]
    assert first.chords.tolist() == [chord("major", name).index for name in ("I6", "IV", "V", "I")]
    assert first.features[0].tolist() == [0, 4, 3, 0]
    for sequence in slot_sequences("train"):
        assert sequence.notes.shape == (len(sequence.chords), 4)
        assert ((sequence.notes >= 0) & (sequence.notes < VOCABULARY)).all()
        assert (sequence.features < np.array(FEATURE_SIZES)).all()
        assert (sequence.chords < len(vocabulary())).all()


def test_splits_do_not_mix(small_corpus: Corpus) -> None:
    """Each piece is in its own split only; a split that does not exist is refused."""
    assert [sequence.name for sequence in slot_sequences("train")] == ["phrase", "bwv66.6"]
    assert [sequence.name for sequence in slot_sequences("valid")] == ["again"]
    assert slot_sequences("test") == ()
    with pytest.raises(UnknownNameError):
        slot_sequences("dev")


def test_figures_are_counted_where_they_stand(
    small_corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Soprano anticipations and a repeat of the alto, a suspension, skips of the bass."""
    record = figuration("valid")
    counts = record["counts"]
    assert isinstance(counts, dict)
    assert counts["0|4|1"] == {"anticipation": 1}
    assert counts["0|3|1"] == {"anticipation": 1}
    assert counts["1|3|1"] == {"other": 1}
    assert counts["2|3|1"] == {"suspension": 1}
    assert counts["3|4|1"] == {"chordal-skip": 1}
    assert record["moving"] == {"2": [0, 1, 0, 0], "3": [0, 0, 0, 1], "4": [0, 0, 1, 0]}
    assert record["beats"] == 3


@pytest.mark.parametrize(
    ("notes", "kind"),
    [
        ((("C5", HALF), ("D5", HALF), ("E5", 1)), "passing"),
        ((("C5", HALF), ("D5", HALF), ("C5", 1)), "neighbor-upper"),
        ((("C5", HALF), ("B4", HALF), ("C5", 1)), "neighbor-lower"),
        ((("C5", HALF), ("D5", HALF), ("D5", 1)), "anticipation"),
        ((("C5", HALF), ("E5", HALF), ("D5", 1)), "chordal-skip"),
        ((("C5", HALF), ("D5", HALF), ("G4", 1)), "escape"),
        ((("C5", HALF), ("C5", HALF), ("D5", 1)), "repeated"),
        ((("D5", HALF), ("C5", HALF), ("D5", 1)), "other"),
        ((("C5", HALF), ("D5", HALF / 2), ("C5", HALF / 2), ("D5", 1)), "two-sixteenths"),
        ((("C5", 1), ("D5", 1)), "plain"),
    ],
)
def test_figures_by_the_book(notes: tuple[tuple[str, Fraction], ...], kind: str) -> None:
    """One example a kind, over a tonic chord."""
    line = part("Soprano", *notes)
    chords = tuple(ChordLabel(Fraction(place), Fraction(1), HOME, "I") for place in range(2))
    score = Score(kind, HOME, (line,), (Metre(4, 4),), chords=chords)
    second = replace(training_slots(score)[-1], skeleton=(line.notes[-1],))
    first = replace(
        second,
        start=Fraction(0),
        end=Fraction(1),
        label=chords[0],
        skeleton=(line.notes[0] if kind != "other" else line.notes[1],),
    )
    assert kind in KINDS
    assert training._voice_kind(line.notes, 0, None, first, second) == kind


def test_the_figuration_file_is_plain_json(small_corpus: Corpus, tmp_path: Path) -> None:
    """Written, read, equal; the counted beats are those of the rows."""
    path = tmp_path / "weights" / "figuration.json"
    write_figuration(path)
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record == figuration("train")
    assert record["beats"] == sum(sum(row) for row in record["moving"].values())
