"""Notes of a MusicXML file are replaced; every other byte stays."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.errors import ScoreError
from musegen.io.musicxml import write_musicxml
from musegen.io.musicxml_editing import edited_file, edited_musicxml
from musegen.io.musicxml_reading import read_musicxml
from musegen.io.musicxml_text import parse_text
from musegen.score import ChordLabel, Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch

TUNES = (
    "C5:1 D5:1/2 E5:1/2 D5:1 C5:1 B4:1 C5:1 D5:2 E5:1 D5:1 C5:1 B4:1 C5:4",
    "E4:1 G4:1 G4:1 E4:3/2 G4:1/2 G4:1 F4:1 G4:1/2 F4:1/2 G4:1 A4:1/2 G4:1/2 E4:1 D4:1 E4:4",
    "G3:1 B3:1 B3:1 C4:1 D4:1 C4:1 B3:2 C4:1 D4:1 E4:1 D4:1 G3:4",
    "C3:1 G3:1 G2:1 C3:1 G3:1 E3:1 G2:2 C3:1 F3:1 G3:1 G2:1 C3:4",
)
NAMES = ("Soprano", "Alto", "Tenor", "Bass")


def line(text: str) -> tuple[Note, ...]:
    """Notes of `C5:1/2` tokens."""
    notes: list[Note] = []
    for token in text.split():
        name, _, length = token.partition(":")
        onset = notes[-1].end if notes else Fraction(0)
        notes.append(Note(onset, Fraction(length), Pitch.parse(name)))
    return tuple(notes)


PIECE = Score(
    "Tune",
    Key.parse("C major"),
    tuple(Part(name, line(text)) for name, text in zip(NAMES, TUNES, strict=True)),
    (Metre(4, 4),),
)


def changed(score: Score, voice: int, notes: str, start: Fraction) -> Score:
    """A score with other notes in a voice from a time on, for as long as they last."""
    new = [replace(note, onset=note.onset + start) for note in line(notes)]
    end = new[-1].end
    part = score.parts[voice]
    kept = [note for note in part.notes if note.end <= start or note.onset >= end]
    notes_ = tuple(sorted([*kept, *new], key=lambda note: note.onset))
    parts = list(score.parts)
    parts[voice] = replace(part, notes=notes_)
    return score.with_parts(tuple(parts))


@cache
def text_of(layout: str) -> bytes:
    """The piece as we write it."""
    return write_musicxml(PIECE, layout=layout)  # type: ignore[arg-type]


@cache
def music21_text() -> bytes:
    """The piece as music21 writes it."""
    from music21 import converter

    stream = converter.parse(text_of("four-staff").decode(), format="musicxml")
    from music21.musicxml.m21ToXml import GeneralObjectExporter

    return bytes(GeneralObjectExporter(stream).parse())


def read_back(data: bytes, folder: Path) -> Score:
    """What a text holds."""
    path = folder / "back.musicxml"
    path.write_bytes(data)
    return read_musicxml(path)


def outside(data: bytes, line_of_file: tuple[int, int, str], measures: range) -> list[bytes]:
    """The bytes of a file without the notes of a voice in some measures."""
    text = parse_text(data, "text")
    cut = [
        (note.child.start, note.child.end)
        for place, measure in enumerate(text.measures[line_of_file[0]])
        if place in measures
        for note in measure.notes
        if note.line == line_of_file
    ]
    found, at = [], 0
    for start, end in cut:
        found.append(data[at:start])
        at = end
    return [each for each in (*found, data[at:]) if each.strip()]


def test_a_note_is_replaced_where_it_stood(tmp_path: Path) -> None:
    """The alto's second bar begins otherwise; what was written is read back."""
    after = changed(PIECE, 1, "D4:1 E4:1", Fraction(5))
    made = edited_musicxml(
        text_of("two-staff"), PIECE, after, (Fraction(4), Fraction(8)), name="tune"
    )
    assert [part.notes for part in read_back(made, tmp_path).parts] == [
        part.notes for part in after.parts
    ]


def test_nothing_changes_where_nothing_differs() -> None:
    """The same notes give the same bytes."""
    for layout in ("two-staff", "four-staff"):
        data = text_of(layout)
        assert edited_musicxml(data, PIECE, PIECE, (Fraction(0), Fraction(16)), name="") == data


@settings(max_examples=30)
@given(
    voice=st.integers(0, 3),
    bar=st.integers(0, 2),
    source=st.sampled_from(["two-staff", "four-staff", "music21"]),
    rhythm=st.permutations(["1", "1/2", "1/2", "3/2", "1/2"]),
    shift=st.integers(-2, 2),
)
def test_every_other_byte_stays(
    tmp_path_factory: pytest.TempPathFactory,
    voice: int,
    bar: int,
    source: str,
    rhythm: list[str],
    shift: int,
) -> None:
    """Whatever is written into a bar of a voice, the rest is as it was, and reads as asked."""
    data = music21_text() if source == "music21" else text_of(source)
    base = "EDCB"[voice]
    octave = (5, 4, 4, 2)[voice]
    tokens = [
        f"{'CDEFGAB'[('CDEFGAB'.index(base) + shift + place) % 7]}{octave}:{length}"
        for place, length in enumerate(rhythm)
    ]
    span = (Fraction(4 * bar), Fraction(4 * bar + 4))
    if any(note.onset < each < note.end for each in span for note in PIECE.parts[voice].notes):
        return  # a note across the bar line is never replaced
    after = changed(PIECE, voice, " ".join(tokens), span[0])
    made = edited_musicxml(data, PIECE, after, span, name="tune")
    where = (voice, 1, "1")
    if source == "two-staff":
        where = (0, 1 + voice // 2, str(voice + 1))
    ours = range(bar, bar + 1)
    old, new = (b"".join(outside(each, where, ours)) for each in (data, made))
    assert re.sub(rb"\s+", b" ", new) == re.sub(rb"\s+", b" ", old)
    head = data[: data.index(f'number="{bar + 1}"'.encode())]
    assert made.startswith(head)
    back = read_back(made, tmp_path_factory.mktemp("back"))
    assert [part.notes for part in back.parts] == [part.notes for part in after.parts]


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("crlf", lambda text: text.replace("\n", "\r\n").encode()),
        ("bom", lambda text: b"\xef\xbb\xbf" + text.encode()),
        (
            "utf16",
            lambda text: b"\xff\xfe" + text.replace("UTF-8", "UTF-16").encode("utf-16-le"),
        ),
        (
            "utf16be",
            lambda text: b"\xfe\xff" + text.replace("UTF-8", "UTF-16").encode("utf-16-be"),
        ),
        ("latin", lambda text: text.replace("UTF-8", "ISO-8859-1").encode("latin-1")),
        ("one line", lambda text: re.sub(r">\s+<", "><", text).encode()),
        ("tabs", lambda text: re.sub(r"\n +", "\n\t\t", text).encode()),
        (
            "attributes",
            lambda text: text.replace("<note ", "<note\n  print-dot='a > b'  ").encode(),
        ),
        ("comments", lambda text: text.replace("</note>", "</note><!-- ü > < -->").encode()),
        ("instructions", lambda text: text.replace("</note>", "</note><?x y?>").encode()),
    ],
)
def test_encodings_and_layouts_stay(name: str, make: object, tmp_path: Path) -> None:
    """Byte marks, line ends, encodings, comments and white space are those of the file."""
    text = text_of("two-staff").decode().replace("Tune in", "Tüne in")
    if name == "latin":
        text = text.replace("♯", "#").replace("♭", "b")
    data = make(text)  # type: ignore[operator]
    after = changed(PIECE, 1, "D4:1/2 E4:1/2 F4:1", Fraction(5))
    made = edited_musicxml(data, PIECE, after, (Fraction(4), Fraction(8)), name=name)
    assert [part.notes for part in read_back(made, tmp_path).parts] == [
        part.notes for part in after.parts
    ]
    where, coding = (0, 1, "2"), parse_text(data, name).encoding
    old, new = (b"".join(outside(each, where, range(1, 2))).decode(coding) for each in (data, made))
    assert new.split() == old.split()
    assert made.decode(coding).count("\r") in (0, made.decode(coding).count("\n"))


def test_other_entries_of_a_compressed_file_stay(tmp_path: Path) -> None:
    """The archive keeps its entries, their order, names and bytes."""
    container = (
        b'<?xml version="1.0"?><container><rootfiles><rootfile full-path="a/tune.xml"/>'
        b"</rootfiles></container>"
    )
    path = tmp_path / "tune.mxl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", b"application/vnd.recordare.musicxml", zipfile.ZIP_STORED)
        archive.writestr("META-INF/container.xml", container, zipfile.ZIP_DEFLATED)
        archive.writestr("a/tune.xml", text_of("two-staff"), zipfile.ZIP_DEFLATED)
        archive.writestr("a/picture.png", b"\x89PNG", zipfile.ZIP_STORED)
    after = changed(PIECE, 1, "D4:1 E4:1", Fraction(5))
    span = (Fraction(4), Fraction(8))
    made = edited_file(path, PIECE, after, span)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(io.BytesIO(made)) as new:
        assert new.namelist() == old.namelist()
        for info in old.infolist():
            same = new.getinfo(info.filename)
            assert (same.date_time, same.compress_type) == (info.date_time, info.compress_type)
            if info.filename != "a/tune.xml":
                assert new.read(info.filename) == old.read(info.filename)
        assert new.read("a/tune.xml") == edited_musicxml(
            old.read("a/tune.xml"), PIECE, after, span, name="tune"
        )


def test_a_direction_between_notes_keeps_its_time(tmp_path: Path) -> None:
    """A note that is held over a direction is written before it, and time goes back for it."""
    mark = "<direction><direction-type><words>here</words></direction-type></direction>"
    text = text_of("four-staff").decode()
    place = [match.end() for match in re.finditer("</note>", text)][1]
    data = f"{text[:place]}{mark}{text[place:]}".encode()
    after = changed(PIECE, 0, "C5:2 D5:2", Fraction(0))
    made = edited_musicxml(data, PIECE, after, (Fraction(0), Fraction(4)), name="tune")
    assert mark.encode() in made
    assert read_back(made, tmp_path).parts[0].notes == after.parts[0].notes


def test_lyrics_and_fermatas_stay_with_their_time(tmp_path: Path) -> None:
    """A syllable goes to the note that begins where its note began, a fermata to the one that ends."""
    text = text_of("four-staff").decode()
    lyric = '<lyric number="1"><syllabic>single</syllabic><text>Wach</text></lyric></note>'
    data = text.replace("</note>", lyric, 1).encode()
    after = changed(PIECE, 0, "E5:1/2 F5:1/2 G5:3", Fraction(0))
    made = edited_musicxml(data, PIECE, after, (Fraction(0), Fraction(4)), name="tune")
    assert made.count(b"<text>Wach</text>") == 1
    assert made.index(b"<step>E</step>") < made.index(b"Wach") < made.index(b"<step>F</step>")
    fermatas = replace(
        PIECE,
        parts=tuple(
            replace(part, notes=(*part.notes[:-1], replace(part.notes[-1], fermata=True)))
            for part in PIECE.parts
        ),
    )
    marked = write_musicxml(fermatas, layout="four-staff")
    last = changed(fermatas, 0, "D5:2 C5:2", Fraction(12))
    span = (Fraction(12), Fraction(16))
    back = read_back(edited_musicxml(marked, fermatas, last, span, name="tune"), tmp_path)
    assert [note.fermata for note in back.parts[0].notes[-2:]] == [False, True]


def test_numerals_below_the_bass_are_those_of_the_new_chords() -> None:
    """Where all lyrics of a voice are Roman numerals, new notes carry the new ones."""
    key = PIECE.key
    names = ("I", "V", "V6", "I")
    old, new = (
        replace(
            PIECE,
            chords=tuple(
                ChordLabel(Fraction(place), Fraction(1), key, name)
                for place, name in enumerate((*four, "V", "I"))
            ),
        )
        for four in (names, ("I", "ii6", "viio6", "I"))
    )
    after = changed(new, 3, "F3:1 D3:1 C3:1", Fraction(1))
    data = write_musicxml(old, layout="four-staff")
    made = edited_musicxml(data, old, after, (Fraction(0), Fraction(4)), name="tune").decode()
    assert re.findall("<text>(.*?)</text>", made) == ["C: I", "ii6", "vii°6", "I", "V", "I"]


def test_transposed_parts_are_written_as_they_are_read(tmp_path: Path) -> None:
    """A part that sounds an octave lower than written stays so."""
    text = text_of("four-staff").decode()
    at = text.index("<clef>")
    octave = "<transpose><diatonic>0</diatonic><chromatic>0</chromatic><octave-change>-1</octave-change></transpose>"
    end = text.index("</clef>", at) + len("</clef>")
    path = tmp_path / "low.musicxml"
    path.write_text(text[:end] + octave + text[end:], encoding="utf-8")
    before = read_musicxml(path)
    low = changed(before, 0, "E4:2 D4:2", Fraction(0))
    made = edited_file(path, before, low, (Fraction(0), Fraction(4)))
    assert read_back(made, tmp_path).parts[0].notes == low.parts[0].notes
    assert made.count(b"<octave-change>-1</octave-change>") == 1


def test_chords_on_a_staff_are_refused_by_name() -> None:
    """Two voices that are written as chords cannot be told apart in the text."""
    text = text_of("four-staff").decode()
    chord = "<note><chord/><pitch><step>E</step><octave>4</octave></pitch><duration>2</duration><voice>1</voice></note>"
    place = text.index("</note>") + len("</note>")
    data = f"{text[:place]}{chord}{text[place:]}".encode()
    after = changed(PIECE, 0, "E5:2 D5:2", Fraction(0))
    with pytest.raises(ScoreError, match="Soprano: cannot be edited in place"):
        edited_musicxml(data, PIECE, after, (Fraction(0), Fraction(4)), name="tune")


@pytest.mark.parametrize(
    "data", [b"", b"<a>", b"<score-partwise><part>&x;</part></score-partwise>"]
)
def test_broken_texts_are_refused(data: bytes) -> None:
    """What is no XML is refused in a line."""
    with pytest.raises(ScoreError, match="cannot be edited in place"):
        edited_musicxml(data, PIECE, PIECE, (Fraction(0), Fraction(4)), name="tune")
