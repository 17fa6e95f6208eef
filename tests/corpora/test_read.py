"""Reading through music21."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from corpora.catalogue import entry, verified_files
from corpora.read import VOICE_NAMES, piece_name, read_all, read_score
from musegen.analysis.key import estimate_key
from musegen.errors import ScoreError
from musegen.score import Metre, Note, Part
from theory_kb.pitch import Key, Pitch


def corpus_file(name: str) -> Path:
    """A file of the chorales."""
    return next(path for path in verified_files(entry("bach-chorales")) if path.name == name)


def test_a_chorale_is_read_as_it_is_printed() -> None:
    """BWV 66.6: F sharp minor, an upbeat of a quarter, fermatas, tied notes joined, spelled."""
    score = read_score(corpus_file("bwv66.6.mxl"))
    assert (score.key, score.metres, score.upbeat) == (
        Key.parse("F# minor"),
        (Metre(4, 4),),
        Fraction(1),
    )
    assert tuple(part.name for part in score.parts) == VOICE_NAMES
    soprano = score.parts[0].notes
    assert [note.pitch.name for note in soprano[:5]] == ["C#5", "B4", "A4", "B4", "C#5"]
    assert soprano[4].fermata
    tied = next(note for note in soprano if note.onset == 32)
    assert (tied.pitch.name, tied.duration) == ("F#4", Fraction(2))
    assert soprano[-2].pitch == Pitch.parse("E#4")
    assert score.duration == 36


def test_notes_of_a_part_never_overlap() -> None:
    """Each begins when or after the one before has ended."""
    for part in read_score(corpus_file("bwv269.mxl")).parts:
        assert all(
            one.end <= other.onset for one, other in zip(part.notes, part.notes[1:], strict=False)
        )


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("bwv304.mxl", "mixed metre"),
        ("bwv261.mxl", "do not fill the metre"),
        ("bwv846.mxl", "parts instead of four"),
    ],
)
def test_what_is_no_plain_chorale_is_refused(file: str, problem: str) -> None:
    """The reason is in the text."""
    with pytest.raises(ScoreError, match=problem):
        read_score(corpus_file(file))


def test_reading_all_keeps_the_reasons_and_tells_its_progress() -> None:
    """A refused file is a reading without a score; progress runs from nothing to all."""
    told: list[tuple[int, int]] = []
    paths = [corpus_file("bwv304.mxl"), corpus_file("bwv299.mxl")]
    readings = read_all(paths, progress=lambda done, total: told.append((done, total)))
    assert [reading.score is None for reading in readings] == [True, False]
    assert readings[0].problem is not None
    assert readings[1].remarks == ("grace notes left out: 2",)
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_a_second_encoding_keeps_its_suffix_in_its_name() -> None:
    """Two files of one piece have two names."""
    assert piece_name(Path("bwv277.krn")) == "bwv277.krn"
    assert piece_name(Path("bwv277.mxl")) == "bwv277"


def lines(*texts: str) -> list[Part]:
    """Parts in quarter notes."""
    return [
        Part(
            str(number),
            tuple(
                Note(Fraction(place), Fraction(1), Pitch.parse(name))
                for place, name in enumerate(text.split())
            ),
        )
        for number, text in enumerate(texts)
    ]


@pytest.mark.parametrize(
    ("signature", "soprano", "bass", "key"),
    [
        (0, "G4 A4 B4 C5", "E3 F3 G3 C3", "C major"),
        (0, "C5 B4 G#4 A4", "A3 D3 E3 A2", "A minor"),
        (-1, "A4 G4 C#5 D5", "D3 Bb2 A2 D3", "D minor"),
        (0, "A4 Bb4 C#5 D5", "F3 G3 A3 D3", "D minor"),  # dorian signature
        (0, "C5 B4 A4 G#4", "A3 E3 F3 E3", "A minor"),  # ends on its dominant
    ],
)
def test_the_key_comes_from_signature_content_and_close(
    signature: int, soprano: str, bass: str, key: str
) -> None:
    """Plain and old signatures, authentic and half closes."""
    assert estimate_key(lines(soprano, bass), signature) == Key.parse(key)
