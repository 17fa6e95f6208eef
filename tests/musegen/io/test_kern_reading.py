from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from musegen.errors import ScoreError
from musegen.io.kern_reading import LARGEST, read_kern
from musegen.io.pieces import Reading


def write(path: Path, text: str) -> Path:
    """A kern file; columns are written with blanks."""
    lines = ["\t".join(line.split(" ")) if line[0] != "!" else line for line in text.split("\n")]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def read(tmp_path: Path, text: str) -> Reading:
    """The one piece of a text."""
    (reading,) = read_kern(write(tmp_path / "piece.krn", text))
    return reading


def line(reading: Reading, part: int = 0) -> str:
    """Onset, duration and pitch of the notes of a part."""
    notes = reading.score.parts[part].notes
    return " ".join(f"{each.onset}:{each.duration}:{each.pitch}" for each in notes)


CHORALE = """!!!OTL: Two bars
!!!COM: Somebody
**kern **kern
*Ibass *Isoprn
*k[f#] *k[f#]
*e: *e:
*M3/4 *M3/4
*MM90 *MM90
4E 4g
=1 =1
2BB 4f#
. 4a
4D# 4b;
=2 =2
2.E 2.g;
== ==
*- *-"""


def test_piece_is_read_from_the_top_of_the_page(tmp_path: Path) -> None:
    """The right column is the highest part; names, title, key, metre, upbeat, tempo are kept."""
    reading = read(tmp_path, CHORALE)
    score = reading.score
    assert [part.name for part in score.parts] == ["Soprano", "Bass"]
    assert f"{score.title}, {score.credit}" == "Two bars, Somebody"
    assert f"{score.key}, {score.metre}" == "E minor, 3/4"
    assert score.upbeat == 1
    assert score.tempo == 90
    assert line(reading) == "0:1:G4 1:1:F#4 2:1:A4 3:1:B4 4:3:G4"
    assert line(reading, 1) == "0:1:E3 1:2:B2 3:1:D#3 4:3:E3"
    assert [note.fermata for note in score.parts[0].notes] == [False, False, False, True, True]
    assert reading.metre
    assert reading.tempo
    assert reading.key_declared
    assert reading.remarks == ()


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("4c", "0:1:C4"),
        ("4.cc", "0:3/2:C5"),
        ("8..C", "0:7/8:C3"),
        ("0CC", "0:8:C2"),
        ("3%2c", "0:8/3:C4"),
        ("12e-", "0:1/3:Eb4"),
        ("2F##", "0:2:F##3"),
        ("4dn", "0:1:D4"),
        ("(8b--\\L", "0:1/2:Bbb4"),
    ],
)
def test_token_says_duration_and_spelled_pitch(tmp_path: Path, token: str, expected: str) -> None:
    """Reciprocal durations, dots, octaves by repeated letters, accidentals, marks passed over."""
    assert line(read(tmp_path, f"**kern\n*M4/4\n{token}\n*-")) == expected


def test_ties_are_joined_and_rests_are_gaps(tmp_path: Path) -> None:
    """A chain over two bar lines is one note; a rest is nothing."""
    text = "**kern\n*M2/4\n[2c\n=2\n2_c\n=3\n4c]\n4r\n=4\n2d\n*-"
    assert line(read(tmp_path, text)) == "0:5:C4 6:2:D4"


def test_split_spines_are_voices_of_a_staff(tmp_path: Path) -> None:
    """A staff that splits and joins has two voices, the left one above."""
    text = "**kern\n*M4/4\n4c\n*^\n2e 4c\n. 4d\n*v *v\n4f\n*-"
    reading = read(tmp_path, text)
    assert line(reading) == "0:1:C4 1:2:E4 3:1:F4"
    assert line(reading, 1) == "1:1:C4 2:1:D4"


def test_chord_is_set_apart_as_voices(tmp_path: Path) -> None:
    """Three notes in one cell are three voices."""
    path = tmp_path / "chords.krn"
    path.write_text("**kern\n*M4/4\n4c 4e 4g\n4d 4f 4g\n*-")
    (chords,) = read_kern(path)
    assert [line(chords, part) for part in range(3)] == [
        "0:1:G4 1:1:G4",
        "0:1:E4 1:1:F4",
        "0:1:C4 1:1:D4",
    ]


def test_other_spines_are_passed_over_and_graces_are_told_of(tmp_path: Path) -> None:
    """Text and dynamics change nothing; a grace note is left out with its line."""
    text = "**kern **text\n*M4/4 *\n8qb .\n4c la\n. lu\n4d .\n*- *-"
    reading = read(tmp_path, text)
    assert line(reading) == "0:1:C4 1:1:D4"
    assert reading.remarks == ("line 3: 1 grace note left out",)


def test_phrase_marks_of_a_single_line_end_phrases(tmp_path: Path) -> None:
    """The release of a note with } is a phrase end; in several voices the marks are slurs."""
    one = read(tmp_path, "**kern\n*M2/4\n{4c\n4d}\n{4e\n4f}\n*-")
    assert one.score.phrase_ends == (Fraction(2), Fraction(4))
    two = read(tmp_path, "**kern **kern\n*M2/4 *M2/4\n{4c {4e\n4d} 4f}\n*- *-")
    assert two.score.phrase_ends == ()


def test_what_the_file_does_not_say_is_known_to_be_unsaid(tmp_path: Path) -> None:
    """Without metre, tempo and key the reading says so, and the key follows from the last note."""
    reading = read(tmp_path, "**kern\n*k[]\n4c\n4A\n*-")
    assert not reading.metre
    assert not reading.tempo
    assert not reading.key_declared
    assert reading.score.key.name == "A minor"


def test_file_may_hold_several_pieces(tmp_path: Path) -> None:
    """Each run of spines from ** to *- is a piece with a number."""
    piece = "**kern\n*M2/4\n4c\n4d\n*-"
    first, second = read_kern(write(tmp_path / "two.krn", f"{piece}\n{piece}"))
    assert (first.name, second.name) == ("two 1", "two 2")
    assert line(first) == line(second) == "0:1:C4 1:1:D4"


HUGE = "9" * 5000
REFUSED = {
    "empty": ("", "holds no \\*\\*kern"),
    "text": ("hello", "line 1: 1 columns where 0 are open"),
    "columns": ("**kern **kern\n4c\n*- *-", "line 2: 1 columns where 2 are open"),
    "no duration": ("**kern\nc\n*-", "line 2: 'c' has no duration"),
    "no pitch": ("**kern\n4z\n*-", "line 2: '4z' is neither note nor rest"),
    "zero": ("**kern\n0000c\n*-", "line 2: '0000c': a duration that no note has"),
    "huge": (f"**kern\n{HUGE}c\n*-", "line 2: .*a duration that no note has"),
    "huge part": (f"**kern\n4%{HUGE}c\n*-", "line 2: .*a duration that no note has"),
    "dots": (f"**kern\n4{'.' * 50}c\n*-", "a duration that no note has"),
    "high": (f"**kern\n4{'c' * 20}\n*-", "none of the MIDI keys"),
    "metre": ("**kern\n*M7/5\n4c\n*-", "line 2: a time signature must have"),
    "tempo": ("**kern\n*MM9999\n4c\n*-", "line 2: tempo must be"),
    "times": ("**kern **kern\n4c 2c\n4d 4d\n*- *-", "line 3: spines disagree about the time"),
    "exchange": ("**kern **kern\n4c 2c\n*x *x\n*- *-", "line 3: spines that change places"),
    "spines": ("**kern " * 65 + "**kern", "at most 64 are read"),
    "splits": (
        "**kern\n" + "\n".join(" ".join(["*^"] * 2**n) for n in range(7)),
        "at most 64 are read",
    ),
    "many": ("**kern\n" + "4c\n" * 20_001, "lasts longer|more than 20000 notes"),
    "zeros": ("**kern\n\0", "is no text"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_score_can_hold_is_refused_by_its_line(tmp_path: Path, name: str) -> None:
    """Broken and hostile files cost one short line that names file and place."""
    text, problem = REFUSED[name]
    path = tmp_path / "bad.krn"
    path.write_text(text.replace(" ", "\t"), encoding="utf-8")
    with pytest.raises(ScoreError, match=problem) as caught:
        read_kern(path)
    assert str(caught.value).startswith("bad.krn")
    assert len(str(caught.value)) < 300


def test_large_and_missing_files_are_refused(tmp_path: Path) -> None:
    """A file beyond the limit is not read, a missing one is named."""
    path = tmp_path / "large.krn"
    path.write_bytes(b"!" * (LARGEST + 1))
    with pytest.raises(ScoreError, match="is larger than"):
        read_kern(path)
    with pytest.raises(ScoreError, match="cannot be read"):
        read_kern(tmp_path / "none.krn")


def heard(stream: Any) -> set[tuple[Fraction, int, int]]:
    """Onset, step and semitone of each notehead as music21 reads it, without tied ones."""
    found = set()
    for part in stream.parts:
        for element in part.flatten().notes:
            for note in element.notes if element.isChord else (element,):
                tie = note.tie or element.tie
                if not element.duration.isGrace and (tie is None or tie.type == "start"):
                    onset = Fraction(element.offset).limit_denominator(5040)
                    found.add((onset, note.pitch.diatonicNoteNum - 1, round(note.pitch.ps)))
    return found


@pytest.mark.parametrize("name", ["bach/bwv277.krn", "palestrina/Kyrie_00.krn"])
def test_same_notes_as_music21_reads(name: str) -> None:
    """The slow twin: music21 finds the same notes at the same places in real files."""
    from music21 import converter
    from music21.common import getCorpusFilePath

    path = Path(getCorpusFilePath()) / name
    (reading,) = read_kern(path)
    stream = converter.parse(path, forceSource=True, storePickle=False)
    ours = {
        (note.onset, note.pitch.step, note.pitch.semitone)
        for part in reading.score.parts
        for note in part.notes
    }
    assert ours == heard(stream)
