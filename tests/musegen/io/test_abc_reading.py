from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from musegen.errors import ScoreError
from musegen.io.abc_reading import LARGEST, read_abc
from musegen.io.pieces import Reading

HEAD = "X:1\nT:Tune\nM:4/4\nL:1/4\nK:C\n"


def readings(tmp_path: Path, text: str) -> tuple[Reading | ScoreError, ...]:
    """What comes of a text."""
    path = tmp_path / "tune.abc"
    path.write_text(text, encoding="utf-8")
    return read_abc(path)


def read(tmp_path: Path, text: str) -> Reading:
    """The one tune of a text."""
    (reading,) = readings(tmp_path, text)
    assert isinstance(reading, Reading), reading
    return reading


def line(reading: Reading, part: int = 0) -> str:
    """Onset, duration and pitch of the notes of a part."""
    notes = reading.score.parts[part].notes
    return " ".join(f"{each.onset}:{each.duration}:{each.pitch}" for each in notes)


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("C c c' C,", "0:1:C4 1:1:C5 2:1:C6 3:1:C3"),
        ("C2 D/ E// F3/2", "0:2:C4 2:1/2:D4 5/2:1/4:E4 11/4:3/2:F4"),
        ("^C __D =E ^^F", "0:1:C#4 1:1:Dbb4 2:1:E4 3:1:F##4"),
        ("^F F f | F", "0:1:F#4 1:1:F#4 2:1:F#5 3:1:F4"),  # to the bar line, in all octaves
        ("A>B c<d", "0:3/2:A4 3/2:1/2:B4 2:1/2:C5 5/2:3/2:D5"),
        ("A>>B", "0:7/4:A4 7/4:1/4:B4"),
        ("(3CDE F", "0:2/3:C4 2/3:2/3:D4 4/3:2/3:E4 2:1:F4"),
        ("(3:2:2C2D E", "0:4/3:C4 4/3:2/3:D4 2:1:E4"),
        ("C- C | D-|D", "0:2:C4 2:2:D4"),
        ("^C4-|C2 C2", "0:6:C#4 6:2:C4"),  # a tie carries its accidental, and no further
        ("(C D)- D", "0:1:C4 1:2:D4"),
        ("C z D x E", "0:1:C4 2:1:D4 4:1:E4"),
        ("Z C", "4:1:C4"),
        ('"Am"C !trill!D .E {gab}F', "0:1:C4 1:1:D4 2:1:E4 3:1:F4"),
        ("|: C D :|1 E F :|2 G A |]", "0:1:C4 1:1:D4 2:1:E4 3:1:F4 4:1:G4 5:1:A4"),
        ("C [L:1/8] D E [K:D] F", "0:1:C4 1:1/2:D4 3/2:1/2:E4 2:1/2:F#4"),
        ("C % a remark\nD", "0:1:C4 1:1:D4"),
    ],
)
def test_notes_of_a_line(tmp_path: Path, music: str, expected: str) -> None:
    """Pitches, lengths, accidentals, broken rhythm, tuplets, ties, rests, repeats, marks."""
    assert line(read(tmp_path, HEAD + music)) == expected


@pytest.mark.parametrize(
    ("field", "key", "pitch"),
    [
        ("G", "G major", "F#4"),
        ("Gm", "G minor", "F4"),
        ("F#m", "F# minor", "F#4"),
        ("D dor", "D minor", "F4"),
        ("Amix", "A major", "F#4"),
        ("Bb", "Bb major", "F4"),
        ("C ^f", "C major", "F#4"),
        ("D exp", "C major", "F4"),
        ("none", "C major", "F4"),
        ("Eb clef=treble", "Eb major", "F4"),
    ],
)
def test_key_says_tonic_mode_and_signature(
    tmp_path: Path, field: str, key: str, pitch: str
) -> None:
    """The mode's signature colours the notes; old modes are read as the nearest of two."""
    text = f"X:1\nM:4/4\nL:1/4\nK:{field}\nF C"
    reading = read(tmp_path, text)
    assert reading.score.parts[0].notes[0].pitch.name == pitch
    assert reading.score.key.name == key


@pytest.mark.parametrize(
    ("head", "metre", "duration"),
    [
        ("M:4/4", "4/4", "1/2"),
        ("M:2/4", "2/4", "1/4"),
        ("M:C|", "2/2", "1/2"),
        ("M:6/8", "6/8", "1/2"),
    ],
)
def test_unit_follows_from_the_metre(tmp_path: Path, head: str, metre: str, duration: str) -> None:
    """Without L: a note is an eighth, in metres shorter than 3/4 a sixteenth."""
    reading = read(tmp_path, f"X:1\n{head}\nK:C\nC")
    assert str(reading.score.metre) == metre
    assert str(reading.score.parts[0].notes[0].duration) == duration


def test_voices_keep_their_order_and_names(tmp_path: Path) -> None:
    """Fields V: in head and body, inline ones too; a clef an octave lower sounds lower."""
    text = (
        "X:1\nT:Duet\nC:Somebody\nM:2/4\nL:1/4\nQ:1/4=90\nV:1 name=Soprano\n"
        'V:2 name="Low voice" clef=treble-8\nK:C\n[V:1] c d |\n[V:2] c B |\nV:1\ne2 |\nV:2\nc2 |'
    )
    reading = read(tmp_path, text)
    score = reading.score
    assert [part.name for part in score.parts] == ["Soprano", "Low voice"]
    assert line(reading) == "0:1:C5 1:1:D5 2:2:E5"
    assert line(reading, 1) == "0:1:C4 1:1:B3 2:2:C4"
    assert (score.title, score.credit, score.tempo) == ("Duet", "Somebody", 90)


def test_chords_and_overlays_are_voices(tmp_path: Path) -> None:
    """Notes of a chord, and music after &, sound together in voices of their own."""
    chords = read(tmp_path, HEAD + "[CEG]2 [DFA]2")
    assert [line(chords, part) for part in range(3)] == [
        "0:2:G4 2:2:A4",
        "0:2:E4 2:2:F4",
        "0:2:C4 2:2:D4",
    ]
    after_bar = read(tmp_path, HEAD + "[CE]4|[DF]4|1[EG]4:|[2[FA]4|]")
    assert line(after_bar) == "0:4:E4 4:4:F4 8:4:G4 12:4:A4"
    overlay = read(tmp_path, HEAD + "c4 & E2 F2 | d4")
    assert [line(overlay, part) for part in range(2)] == ["0:4:C5 4:4:D5", "0:2:E4 2:2:F4"]


def test_fermata_upbeat_and_grace(tmp_path: Path) -> None:
    """A short first bar is an upbeat; fermatas are kept; grace notes are told of."""
    reading = read(tmp_path, HEAD + "G | c d {ef}e !fermata!f | Hg4 |]")
    assert reading.score.upbeat == 1
    assert [note.fermata for note in reading.score.parts[0].notes] == [
        False,
        False,
        False,
        False,
        True,
        True,
    ]
    assert reading.remarks == ("line 6: 2 grace notes left out",)


def test_file_of_many_tunes_gives_each_and_refuses_one_alone(tmp_path: Path) -> None:
    """A tune that cannot be read is refused by its line; the others are there."""
    text = f"{HEAD}C D E F\n\nX:2\nM:4/4\nL:1/4\nK:C\nC D ]] E\n\nX:3\nM:3/4\nL:1/4\nK:D\nF\n"
    first, second, third = readings(tmp_path, text)
    assert isinstance(first, Reading)
    assert isinstance(second, ScoreError)
    assert isinstance(third, Reading)
    assert str(second).startswith("tune.abc, line 12: ")
    assert (first.name, third.name) == ("tune 1", "tune 3")
    assert line(third) == "0:1:F#4"


def test_free_metre_is_known_to_be_unsaid(tmp_path: Path) -> None:
    """M:none, and a metre that is none, leave the metre unknown; the latter with a remark."""
    assert not read(tmp_path, "X:1\nM:none\nL:1/4\nK:C\nC D").metre
    strange = read(tmp_path, "X:1\nM:FREI\nL:1/4\nK:C\nC D")
    assert not strange.metre
    assert strange.remarks == ("line 2: 'FREI' is no metre; it is left out",)


HUGE = "9" * 5000
REFUSED = {
    "bracket": ("C [EG", "line 6: a chord is not closed by ]"),
    "sign": ("C ^ D", "line 6: '\\^ D' cannot be read"),
    "huge length": (f"C{HUGE}", "is no length of a note|lasts longer"),
    "long": ("C9999 C9999 C9999", "lasts longer than 20000"),
    "no time": ("C0", "lasts no time"),
    "high": ("c" + "'" * 50, "none of the MIDI keys"),
    "key": ("C\nK:Gwrong", "line 7: K: must be such as G, Em or Ddor, got 'Gwrong'"),
    "unit": ("C\nL:1/0", "line 7: L: must be such as 1/8"),
    "transposed": ("C\nV:2 transpose=2\nD", "line 7: transpose=2 is not read"),
    "voices": ("\n".join(f"V:{n}\nC" for n in range(40)), "more than 32 voices"),
    "overlays": ("C" + "&C" * 40, "more than 32 voices"),
    "notes": (("C/64" * 1000 + "\n") * 21, "more than 20000 notes"),
    "long line": ("C" * 10_001, "is longer than 10000 letters"),
    "chord": ("[CDEFGABcdef]", "11 notes at once, at most 8"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_score_can_hold_is_refused_by_its_line(tmp_path: Path, name: str) -> None:
    """Broken and hostile tunes cost one short line that names file and place."""
    music, problem = REFUSED[name]
    (refusal,) = readings(tmp_path, HEAD + music)
    assert isinstance(refusal, ScoreError)
    with pytest.raises(ScoreError, match=problem):
        raise refusal
    assert str(refusal).startswith("tune.abc")
    assert len(str(refusal)) < 300


@pytest.mark.parametrize("text", ["", "hello", "X:1\nK:C\n", "X:1\nT:no key\nCDE"])
def test_file_without_a_note_is_refused(tmp_path: Path, text: str) -> None:
    """No tune, or no music in it."""
    with pytest.raises(ScoreError, match="holds no tune"):
        readings(tmp_path, text)


def test_large_file_is_refused(tmp_path: Path) -> None:
    """A file beyond the limit is not read."""
    path = tmp_path / "large.abc"
    path.write_bytes(b"%" * (LARGEST + 1))
    with pytest.raises(ScoreError, match="is larger than"):
        read_abc(path)


def test_durations_of_a_real_tune_fill_its_bars() -> None:
    """A reel of music21's corpus is read to the end, no bar irregular but where it repeats."""
    from music21.common import getCorpusFilePath

    path = Path(getCorpusFilePath()) / "ryansMammoth" / "AcaciaReel.abc"
    (reading,) = read_abc(path)
    assert isinstance(reading, Reading)
    assert reading.score.duration > Fraction(16)
