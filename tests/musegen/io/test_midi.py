from __future__ import annotations

import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.errors import OptionError, ScoreError
from musegen.io.midi import LARGEST, read_midi, read_performance, write_midi
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch

ROOT = Path(__file__).resolve().parents[3]


def part(name: str, text: str) -> Part:
    """A part from `pitch:duration` words; `-` rests."""
    notes, time = [], Fraction(0)
    for word in text.split():
        pitch, _, duration = word.partition(":")
        length = Fraction(duration or "1")
        if pitch != "-":
            notes.append(Note(time, length, Pitch.parse(pitch)))
        time += length
    return Part(name, tuple(notes))


def chorale(key: str = "A minor") -> Score:
    """A cadence in A minor with upbeat, eighths and a suspension."""
    return Score(
        "Cadence",
        Key.parse(key),
        (
            part("Soprano", "A4 C5 B4 C5 D5:1/2 C5:1/2 B4:2 A4"),
            part("Alto", "E4 E4 E4 E4 F4 E4 E4:1/2 D4:1/2 C4"),
            part("Tenor", "C4 A3 G#3 A3 A3:3/2 G#3:1/2 G#3 E3"),
            part("Bass", "A3:1/2 G3:1/2 F3 E3 A2 D3 E3:2 A2"),
        ),
        (Metre(4, 4),),
        Fraction(1),
        84.0,
    )


def read(data: bytes, key: Key | None = None, name: str = "piece.mid") -> Score:
    """The score of the bytes of a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        return read_midi(path, key=key)


def length(number: int) -> bytes:
    """A time as MIDI writes it: seven bits a byte."""
    found = [number & 127]
    while number := number >> 7:
        found.insert(0, number & 127 | 128)
    return bytes(found)


def midi(*events: bytes, division: int = 480, tracks: int = 1) -> bytes:
    """A file of one track of raw events."""
    body = b"".join(events) + b"\0\xff\x2f\0"
    head = b"MThd\0\0\0\6\0\1" + tracks.to_bytes(2, "big") + division.to_bytes(2, "big")
    return head + b"MTrk" + len(body).to_bytes(4, "big") + body


def on(key: int, after: int = 0, channel: int = 0) -> bytes:
    """A key pressed some ticks after the event before."""
    return length(after) + bytes([0x90 | channel, key, 80])


def off(key: int, after: int = 480, channel: int = 0) -> bytes:
    """A key let go."""
    return length(after) + bytes([0x80 | channel, key, 0])


def test_chorale_comes_back_with_its_spelling() -> None:
    """Notes, names, key, metre, upbeat and tempo survive; the credit says how it was spelled."""
    score, back = chorale(), read(write_midi(chorale()))
    assert back.parts == score.parts
    assert (back.key, back.metres, back.upbeat, back.tempo) == (
        score.key,
        score.metres,
        score.upbeat,
        score.tempo,
    )
    assert back.title == "piece"
    assert "spelled from MIDI keys in A minor (its key signature)" in back.credit


def test_given_key_decides_the_spelling() -> None:
    """In a key of flats the black keys are flats."""
    score = Score("x", Key.parse("C"), (part("a", "C4 C#4 D4 D#4"),), (Metre(4, 4),))
    back = read(write_midi(score), Key.parse("Db"))
    assert [note.pitch.name for note in back.parts[0].notes] == ["C4", "Db4", "D4", "Eb4"]
    assert "(given)" in back.credit


@pytest.mark.parametrize("key", ["C", "Eb", "A", "c", "f#", "g"])
def test_key_is_estimated_where_the_file_names_none(key: str) -> None:
    """A scale in thirds that ends on the tonic tells its key."""
    home = Key.parse(key)
    third, fifth = (4 if home.mode == "major" else 3), 7
    line = (0, 2, third, 5, fifth, fifth + 1 + (home.mode == "major"), 11, 12)
    base = 60 + home.tonic.semitone
    upper = [event for step in line for event in (on(base + step), off(base + step))]
    back = read(midi(*upper))
    assert back.key == home
    assert "(estimated)" in back.credit


@pytest.mark.parametrize("fifths", range(-6, 7))
@pytest.mark.parametrize("mode", ["major", "minor"])
def test_every_signature_comes_back(fifths: int, mode: str) -> None:
    """Twelve keys a mode; of six sharps and six flats, which sound the same, one is chosen."""
    tonic = fifths + (3 if mode == "minor" else 0)
    names = {-6: "Gb", -5: "Db", -4: "Ab", -3: "Eb", -2: "Bb", -1: "F", 0: "C", 1: "G", 2: "D"}
    names |= {3: "A", 4: "E", 5: "B", 6: "F#", 7: "C#", 8: "G#", 9: "D#"}
    key = Key.parse(f"{names[tonic]} {mode}")
    back = read(write_midi(Score("x", key, (part("a", "C4:4"),), (Metre(4, 4),))))
    assert back.key.tonic.semitone == key.tonic.semitone
    assert back.key.mode == mode
    if abs(fifths) < 6:
        assert back.key == key


def test_releases_that_are_played_early_are_read_as_written() -> None:
    """A staccato eighth and a note let go a little early last as long as they look."""
    data = midi(on(60), off(60, 440), on(62, 40), off(62, 200), on(64, 40), off(64, 470))
    notes = read(data).parts[0].notes
    assert [note.onset for note in notes] == [0, 1, Fraction(3, 2)]
    assert [note.duration for note in notes] == [1, Fraction(1, 2), 1]


def test_division_grows_where_tuplets_need_it() -> None:
    """Septuplets and triplets begin on exact ticks."""
    score = Score(
        "x", Key.parse("C"), (part("a", "C4:1/7 " * 6 + "D4:1/7 E4:1/3 E4:2/3"),), (Metre(4, 4),)
    )
    back = read(write_midi(score))
    assert [n.onset for n in back.parts[0].notes] == [n.onset for n in score.parts[0].notes]


@pytest.mark.parametrize("upbeat", [Fraction(1, 2), Fraction(3, 4), Fraction(1, 16)])
def test_short_upbeats_come_back(upbeat: Fraction) -> None:
    """A bar of eighths or less stands before the first full one."""
    line = (
        Note(Fraction(0), upbeat, Pitch.parse("G4")),
        Note(upbeat, Fraction(3), Pitch.parse("C5")),
    )
    score = Score("x", Key.parse("C"), (Part("a", line),), (Metre(3, 4),), upbeat)
    back = read(write_midi(score))
    assert (back.upbeat, back.metres) == (upbeat, score.metres)


@pytest.mark.parametrize("upbeat", [Fraction(1, 3), Fraction(2, 5), Fraction(1, 32)])
def test_upbeat_that_is_no_bar_of_any_metre_is_written(upbeat: Fraction) -> None:
    """The metre begins anew after a triplet's upbeat, and no note is moved."""
    line = (
        Note(Fraction(0), upbeat, Pitch.parse("G4")),
        Note(upbeat, Fraction(3), Pitch.parse("C5")),
    )
    score = Score("x", Key.parse("C"), (Part("a", line),), (Metre(3, 4),), upbeat)
    back = read(write_midi(score))
    assert [note.onset for note in back.parts[0].notes] == [0, upbeat]
    assert back.metres[-1] == Metre(3, 4, back.metres[-1].onset)


def test_program_is_checked() -> None:
    """General MIDI has 128 instruments."""
    assert b"\xc0\x07" in write_midi(chorale(), program=7)
    with pytest.raises(OptionError, match="program must be from 0 to 127, got 128"):
        write_midi(chorale(), program=128)


def test_bytes_are_the_same_in_another_process() -> None:
    """No date, no order of a hash."""
    code = (
        "import sys, importlib.util as u;"
        f"s = u.spec_from_file_location('t', {__file__!r}); m = u.module_from_spec(s);"
        "s.loader.exec_module(m);"
        "sys.stdout.buffer.write(m.write_midi(m.chorale()))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT)
    assert run.stdout == write_midi(chorale())


WHOLE = write_midi(chorale())
TEMPO_OF_0 = b"\0\xff\x51\3\0\0\0"
METRE_OF_4096 = b"\0\xff\x58\4\4\x0c\x18\x08"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "ends too early"),
        (b"hello", "ends too early"),
        (b"\0" * 1000, "Probably not a MIDI file"),
        (WHOLE[: len(WHOLE) // 2], "ends too early"),
        (WHOLE[:20], "ends too early"),
        (b"MThd" + b"\0" * LARGEST, f"is larger than {LARGEST} bytes"),
        (midi(), "holds no note"),
        (midi(tracks=0), "holds no note"),
        (midi(on(60), off(60), tracks=3), "ends too early"),
        (midi(on(60), off(60), division=0), "SMPTE"),
        (midi(on(60), off(60), division=0xE728), "SMPTE"),
        (midi(TEMPO_OF_0, on(60), off(60)), "division by zero"),
        (midi(b"\0\xff\x51\3\0\0\1", on(60), off(60)), "from 5 to 1000 quarter notes a minute"),
        (midi(METRE_OF_4096, on(60), off(60)), "a time signature must have"),
        (midi(on(60), off(60, 0x0FFFFFFF)), "likely corrupt"),
        (midi(on(60), off(60, 20_001), division=1), "lasts longer than 20000 quarter notes"),
        (midi(on(60), off(60), on(62)), "of 2 notes 1 never end or last no time"),
        (midi(on(60), off(60, 0)), "of 1 notes 1 never end or last no time"),
        (midi(*(on(60) + off(60, 1),) * 20_001, division=96), "at most 20000 are read"),
        (midi(on(40, channel=9), off(40, channel=9)), "is percussion"),
        (midi(b"\0\x3c\x50"), "running status"),
        (midi(b"\0\xff\x59\2\x63\0", on(60), off(60)), "Could not decode key"),
    ],
    ids=range(22),
)
def test_file_that_is_no_piece_is_refused_in_one_line(data: bytes, problem: str) -> None:
    """Whatever a file holds, the refusal names it and what is wrong with it."""
    with pytest.raises(ScoreError) as caught:
        read(data, name="odd.mid")
    text = str(caught.value)
    assert text.startswith("odd.mid")
    assert problem in text
    assert len(text.splitlines()) == 1


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """The path is named as it was given."""
    with pytest.raises(ScoreError, match=r"nowhere\.mid: cannot be read: No such file"):
        read_midi(tmp_path / "nowhere.mid")


@given(place=st.integers(0, len(WHOLE) - 1), value=st.integers(0, 255))
@settings(max_examples=60)
def test_one_wrong_byte_never_escapes(place: int, value: int) -> None:
    """A damaged file is read or refused, nothing else."""
    data = WHOLE[:place] + bytes([value]) + WHOLE[place + 1 :]
    problem, parts = "", tuple[Part, ...]()
    try:
        parts = read(data).parts
    except ScoreError as error:
        problem = str(error)
    assert len(problem.splitlines()) == (0 if parts else 1)
    assert all(each.duration > 0 for line in parts for each in line.notes)


@given(
    lines=st.lists(
        st.lists(
            st.tuples(st.integers(36, 84), st.integers(1, 16), st.integers(0, 4)),
            min_size=1,
            max_size=12,
        ),
        min_size=1,
        max_size=5,
    ),
    tempo=st.sampled_from([40.0, 60.0, 72.0, 84.0, 120.0, 133.0]),
    grid=st.sampled_from([2, 3, 4]),
)
@settings(max_examples=60)
def test_same_keys_at_same_onsets(
    lines: list[list[tuple[int, int, int]]], tempo: float, grid: int
) -> None:
    """The law of this pair: whatever the spelling, no key and no onset changes."""
    parts = []
    for number, line in enumerate(lines):
        notes, time = [], Fraction(0)
        for semitone, span, pause in line:
            time += Fraction(pause, grid)
            pitch = Pitch(semitone * 7 // 12 - 7, semitone)
            notes.append(Note(time, Fraction(span, grid), pitch))
            time += Fraction(span, grid)
        parts.append(Part(f"Voice {number + 1}", tuple(notes)))
    score = Score("x", Key.parse("D"), tuple(parts), (Metre(3, 4),), tempo=tempo)
    back = read(write_midi(score))
    assert [each.name for each in back.parts] == [each.name for each in parts]
    assert abs(back.tempo - tempo) < 0.01
    for one, other in zip(back.parts, parts, strict=True):
        assert [(n.onset, n.pitch.semitone) for n in one.notes] == [
            (n.onset, n.pitch.semitone) for n in other.notes
        ]


def test_notes_at_once_in_a_track_are_set_apart_as_voices() -> None:
    """A held bass under two melody notes: two voices, each with its own lengths."""
    back = read(midi(on(48), on(64), off(64), on(65, 0), off(65), off(48, 0)))
    assert [
        [(str(note.pitch), int(note.onset), int(note.duration)) for note in part.notes]
        for part in back.parts
    ] == [[("E4", 0, 1), ("F4", 1, 1)], [("C3", 0, 2)]]


def test_chorale_in_one_track_comes_back_in_four_voices() -> None:
    """Four voices that never cross and never fall silent are found again."""
    score = chorale()
    keys = {(note.onset, note.pitch.semitone) for part in score.parts for note in part.notes}
    events = sorted(
        [(note.onset, 1, note.pitch.semitone) for part in score.parts for note in part.notes]
        + [(note.end, 0, note.pitch.semitone) for part in score.parts for note in part.notes]
    )
    track, time = [], Fraction(0)
    for onset, begins, key in events:
        after = int((onset - time) * 480)
        track.append(on(key, after) if begins else off(key, after))
        time = onset
    back = read(midi(*track))
    assert [part.name for part in back.parts] == ["Soprano", "Alto", "Tenor", "Bass"]
    found = {(note.onset, note.pitch.semitone) for part in back.parts for note in part.notes}
    assert found == keys


def test_percussion_beside_other_tracks_is_left_out_with_a_remark(tmp_path: Path) -> None:
    """Where remarks are kept, drums are no reason to refuse; elsewhere they are."""
    path = tmp_path / "band.mid"
    path.write_bytes(midi(on(60), off(60, 96), on(40, channel=9), off(40, 96, channel=9)))
    reading = read_performance(path)
    assert [str(note.pitch) for part in reading.score.parts for note in part.notes] == ["C4"]
    assert any("percussion left out" in each for each in reading.remarks)
    with pytest.raises(ScoreError, match="is percussion"):
        read_midi(path)
