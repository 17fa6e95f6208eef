from __future__ import annotations

import io
import warnings
import zipfile
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.errors import ScoreError
from musegen.io.limits import brief
from musegen.io.musicxml import write_musicxml
from musegen.io.musicxml_reading import LARGEST, read_musicxml, read_sheet
from musegen.score import Part
from theory_kb.pitch import Pitch

HEAD = (
    '<score-partwise version="4.0"><part-list><score-part id="P1"><part-name>A</part-name>'
    '</score-part></part-list><part id="P1">'
)
TAIL = "</part></score-partwise>"
CONTAINER = "META-INF/container.xml"


def bar(*contents: str, number: str = "1") -> str:
    """One measure."""
    return f'<measure number="{number}">{"".join(contents)}</measure>'


def attributes(
    divisions: str = "1", fifths: str = "0", beats: str = "4", unit: str = "4", more: str = ""
) -> str:
    """Divisions, key and time of a first measure."""
    return (
        f"<attributes><divisions>{divisions}</divisions><key><fifths>{fifths}</fifths></key>"
        f"<time><beats>{beats}</beats><beat-type>{unit}</beat-type></time>{more}</attributes>"
    )


def note(step: str = "C", octave: str = "4", duration: str = "4", more: str = "") -> str:
    """One note; `more` may begin with an alteration."""
    alter, _, rest = more.rpartition("</alter>")
    return (
        f"<note><pitch><step>{step}</step>{alter}{'</alter>' if alter else ''}"
        f"<octave>{octave}</octave></pitch><duration>{duration}</duration><voice>1</voice>{rest}"
        "</note>"
    )


def sheet(*contents: str) -> str:
    """A file of one part of one measure."""
    return HEAD + bar(*contents) + TAIL


def packed(entries: dict[str, str | bytes]) -> bytes:
    """An archive."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return target.getvalue()


def container(path: str) -> str:
    """The table of contents of a compressed file."""
    return f'<container><rootfiles><rootfile full-path="{path}"/></rootfiles></container>'


GOOD = sheet(attributes(), note())
SPACE = " " * (LARGEST + 1)
HUGE = "9" * 5000

NO_SCORE: dict[str, tuple[str | bytes, str]] = {
    "entity bomb": (
        '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><score-partwise>&b;</score-partwise>',
        "entities are not read",
    ),
    "external entity": (
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><score-partwise>&x;</score-partwise>',
        "entities are not read",
    ),
    "parameter entity": (
        '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://localhost:1/x.dtd"> %x;]><score-partwise/>',
        "entities are not read",
    ),
    "deep": ("<score-partwise>" + "<a>" * 100, "nests elements deeper than 64"),
    "very deep": ("<score-partwise>" + "<a>" * 1_000_000, "nests elements deeper than 64"),
    "too large": (f"<score-partwise>{SPACE}</score-partwise>", f"larger than {LARGEST} bytes"),
    "bomb in an archive": (
        packed({CONTAINER: container("s.xml"), "s.xml": f"<a>{SPACE}</a>"}),
        f"larger than {LARGEST} bytes",
    ),
    "bomb of a container": (packed({CONTAINER: f"<a>{SPACE}</a>"}), "larger than"),
    "many files": (packed({str(n): "" for n in range(101)}), "holds 101 files, at most 100"),
    "no container": (packed({"a.xml": GOOD}), "META-INF/container.xml is missing"),
    "path out of the archive": (
        packed({CONTAINER: container("../../etc/passwd")}),
        "its container names ['../../etc/passwd']",
    ),
    "cut archive": (packed({CONTAINER: container("s.xml"), "s.xml": GOOD})[:-30], "is no XML"),
    "wrong root": ("<html/>", "must hold score-partwise, got html"),
    "long root": (f"<{'a' * 9999}/>", "must hold score-partwise, got aaa"),
    "timewise": ("<score-timewise/>", "must hold score-partwise, got score-timewise"),
    "no part": ("<score-partwise/>", "holds no note"),
    "no measure": (HEAD + TAIL, "holds no note"),
    "rests alone": (
        sheet(attributes(), "<note><rest/><duration>4</duration></note>"),
        "holds no note",
    ),
    "unclosed": (HEAD + "<measure>", "is no XML"),
    "empty": ("", "is no XML"),
    "text": ("hello", "is no XML"),
    "zeros": ("\0" * 100, "is no XML"),
    "unknown encoding": (b'<?xml version="1.0" encoding="x-y"?><a/>', "unknown encoding"),
    "no time": (sheet(note()), "has no time signature at its start"),
    "stranger's part": (
        GOOD.replace('<part id="P1"', '<part id="Q"'),
        "only 0 could be understood",
    ),
    "many notes": (
        HEAD + bar(attributes(), note() * 20_001) + TAIL,
        "holds 20001 notes, at most 20000",
    ),
}


@pytest.mark.parametrize("name", NO_SCORE)
def test_file_that_is_no_score_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    """Bombs, lies and rubbish cost nothing and are refused by the name of the file."""
    data, problem = NO_SCORE[name]
    path = tmp_path / "odd.musicxml"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    with pytest.raises(ScoreError) as caught:
        read_musicxml(path)
    text = str(caught.value)
    assert "odd.musicxml" in text
    assert problem in text
    assert len(text.splitlines()) == 1
    assert len(text) < 300 + len(str(path))


def alter(text: str) -> str:
    """A note with an alteration."""
    return sheet(attributes(), note(more=f"<alter>{text}</alter>"))


BAD_BARS: dict[str, tuple[str, str]] = {
    **{
        f"duration {text[:9]}": (sheet(attributes(), note(duration=text)), problem)
        for text, problem in {
            "1000000000": "duration must be from 0 to 20000, got 1000000000",
            HUGE: "duration must be a number, got '999",
            "NaN": "duration must be a number, got 'NaN'",
            "inf": "duration must be a number, got 'inf'",
            "-4": "duration must be from 0 to 20000, got -4",
            "0": "lasts no time",
            "": "duration must be a number, got ''",
        }.items()
    },
    **{
        f"divisions {text}": (sheet(attributes(divisions=text), note()), problem)
        for text, problem in {
            "-1": "divisions must be from 1e-06 to 1000000, got -1",
            "0": "divisions must be from 1e-06 to 1000000, got 0",
            "NaN": "divisions must be a number, got 'NaN'",
            "100000000000": "divisions must be from 1e-06 to 1000000",
        }.items()
    },
    **{
        f"fifths {text}": (sheet(attributes(fifths=text), note()), problem)
        for text, problem in {
            "8": "fifths must be from -7 to 7, got 8",
            "1000000000": "fifths must be from -7 to 7",
            "x": "fifths must be a number, got 'x'",
        }.items()
    },
    "beats 0": (sheet(attributes(beats="0"), note()), "beats must be a number from 1 to 99"),
    "beats 1e9": (sheet(attributes(beats="1000000000"), note()), "beats must be a number"),
    "beat-type 3": (sheet(attributes(unit="3"), note()), "beat-type must be 1, 2, 4, 8"),
    "beat-type -4": (sheet(attributes(unit="-4"), note()), "beat-type must be 1, 2, 4, 8"),
    "octave 99": (sheet(attributes(), note(octave="99")), "octave must be from -1 to 10"),
    "octave 1e9": (sheet(attributes(), note(octave=HUGE)), "octave must be"),
    "step H": (sheet(attributes(), note(step="H")), "step must be a letter from A to G, got 'H'"),
    "no step": (sheet(attributes(), note(step="")), "step must be a letter from A to G, got ''"),
    "alter 99": (alter("99"), "alter must be from -3 to 3, got 99"),
    "alter nan": (alter("nan"), "alter must be a number, got 'nan'"),
    "no pitch": (
        sheet(attributes(), "<note><duration>4</duration></note>"),
        "a note without pitch/step",
    ),
    "no duration": (sheet(attributes(), note().replace("duration>", "x>")), "without duration"),
    "staff ²": (sheet(attributes(), note(more="<staff>²</staff>")), "staff must be a number"),
    "staff huge": (sheet(attributes(), note(more=f"<staff>{HUGE}</staff>")), "staff must be"),
    "staves": (sheet(attributes(more="<staves>1000000</staves>"), note()), "staves must be"),
    "transposition": (
        sheet(attributes(more="<transpose><chromatic>10000</chromatic></transpose>"), note()),
        "chromatic must be from -99 to 99, got 10000",
    ),
    "tuplet": (
        sheet(
            attributes(),
            note(
                more="<time-modification><actual-notes>0</actual-notes>"
                "<normal-notes>2</normal-notes></time-modification>"
            ),
        ),
        "actual-notes must be from 1 to 999, got 0",
    ),
    "back before the start": (
        sheet(attributes(), note(), "<backup><duration>-8</duration></backup>"),
        "duration must be from 0 to 20000, got -8",
    ),
    "chord": (sheet(attributes(), "<note><chord/></note>"), "a chord that has no first note"),
    "grace": (sheet(attributes(), "<note><grace/></note>"), "a grace note"),
}


@pytest.mark.parametrize("name", BAD_BARS)
def test_number_that_no_music_has_is_refused_by_its_bar(name: str, tmp_path: Path) -> None:
    """Nothing is reckoned with it, and the message says what is allowed."""
    text, problem = BAD_BARS[name]
    path = tmp_path / "odd.musicxml"
    path.write_text(text)
    with pytest.raises(ScoreError) as caught:
        read_musicxml(path)
    assert str(caught.value).startswith("odd.musicxml, bar 1: ")
    assert problem in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("mark", "problem"),
    [
        ('<sound tempo="NaN"/>', "tempo must be a number, got 'NaN'"),
        ('<sound tempo="0"/>', "tempo must be from 5 to 1000 quarter notes a minute, got 0"),
        ('<sound tempo="-3"/>', "tempo must be from 5 to 1000"),
        (
            (
                "<direction-type><metronome><beat-unit>half</beat-unit>"
                "<per-minute>600</per-minute></metronome></direction-type>"
            ),
            "tempo must be from 5 to 1000 quarter notes a minute, got 1200",
        ),
    ],
)
def test_tempo_that_nobody_plays_is_refused(mark: str, problem: str, tmp_path: Path) -> None:
    """A tempo of 0 would make the piece last for ever."""
    path = tmp_path / "odd.musicxml"
    path.write_text(sheet(attributes(), f"<direction>{mark}</direction>", note()))
    with pytest.raises(ScoreError) as caught:
        read_musicxml(path)
    assert str(caught.value).startswith(f"odd.musicxml: {problem}")


def test_number_of_a_bar_fits_into_the_line(tmp_path: Path) -> None:
    """A bar whose number holds line breaks and pages of text is still named in one line."""
    path = tmp_path / "odd.musicxml"
    path.write_text(HEAD + bar("<note><chord/></note>", number=f"1&#10;2{'x' * 999}") + TAIL)
    with pytest.raises(ScoreError, match=r"^odd\.musicxml, bar 1 2x+…: a note of a chord"):
        read_musicxml(path)


@pytest.mark.parametrize(
    "more",
    [
        '<barline location="right"><ending number="1-99999999" type="start"/></barline>',
        '<barline location="right"><repeat direction="backward" times="1000000"/></barline>',
        "<barline><bar-style>unknown</bar-style></barline>",
    ],
)
def test_barlines_are_passed_over(more: str, tmp_path: Path) -> None:
    """Repeats are not expanded, however many are asked for."""
    path = tmp_path / "a.musicxml"
    path.write_text(sheet(attributes(), note(), more))
    assert [each.pitch for each in read_musicxml(path).parts[0].notes] == [Pitch.parse("C4")]


@pytest.mark.parametrize(
    "data",
    [
        GOOD.encode(),
        GOOD.encode("utf-16"),
        b'<?xml version="1.0" encoding="latin-1"?>' + GOOD.encode(),
        packed({CONTAINER: container("s.xml"), "s.xml": GOOD}),
        GOOD.replace("<voice>1</voice>", "").encode(),
        GOOD.replace("<voice>1", f"<voice>{HUGE}").encode(),
        sheet(attributes(beats="3+1"), note()).encode(),
        sheet(attributes(divisions="0.5"), note(duration="2")).encode(),
    ],
    ids=range(8),
)
def test_unusual_files_are_read(data: bytes, tmp_path: Path) -> None:
    """Other encodings, archives, voices without number, added metres, broken divisions."""
    path = tmp_path / "a.mxl"
    path.write_bytes(data)
    score = read_musicxml(path)
    assert [(n.onset, n.duration) for n in score.parts[0].notes] == [(Fraction(0), Fraction(4))]
    assert str(score.metre) == "4/4"


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """The path is named as it was given; a folder is no file either."""
    with pytest.raises(ScoreError, match=r"nowhere\.xml: cannot be read: No such file"):
        read_musicxml(tmp_path / "nowhere.xml")
    with pytest.raises(ScoreError, match="cannot be read: Is a directory"):
        read_musicxml(tmp_path)


@given(
    place=st.integers(0, len(GOOD) - 1),
    piece=st.sampled_from(["", "<", ">", "9", "-", "&", "/", "\n", "é", "<note/>", "1e9", "nan"]),
    cut=st.integers(0, 12),
)
@settings(max_examples=80)
def test_damage_never_escapes(
    tmp_path_factory: pytest.TempPathFactory, place: int, piece: str, cut: int
) -> None:
    """A file damaged anywhere is read or refused in one line, without a warning."""
    path = tmp_path_factory.getbasetemp() / "damaged.musicxml"
    path.write_text(GOOD[:place] + piece + GOOD[place + cut :])
    problem, parts = "", tuple[Part, ...]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            parts = read_musicxml(path).parts
        except ScoreError as error:
            problem = str(error)
    assert len(problem.splitlines()) == (0 if parts else 1)
    assert all(each.duration > 0 for part in parts for each in part.notes)


def test_brief_is_one_line_of_bounded_length() -> None:
    """Control characters and line breaks become spaces, the rest is cut."""
    assert brief("a\n\tb\x00c\u2028d") == "a b c d"
    assert brief("x" * 10**6, 20) == "x" * 19 + "…"


def chord(*names: str, duration: str = "4") -> str:
    """Notes of one chord, the first without the mark; names such as E4."""
    notes = [note(name[0], name[1], duration) for name in names]
    marked = [each.replace("<note>", "<note><chord/>", 1) for each in notes[1:]]
    return "".join([notes[0], *marked])


def lines(path: Path) -> list[str]:
    """Onsets and pitches of each part."""
    return [
        " ".join(f"{each.onset}:{each.pitch}" for each in part.notes)
        for part in read_musicxml(path).parts
    ]


def test_chords_of_a_staff_are_set_apart_as_voices(tmp_path: Path) -> None:
    """The highest notes are the first voice; what follows the chord stays in its place."""
    path = tmp_path / "chords.musicxml"
    music = chord("C4", "G4", "E4", duration="2") + chord("B4", "D4", duration="2")
    path.write_text(sheet(attributes(), music))
    assert lines(path) == ["0:G4 2:B4", "0:E4", "0:C4 2:D4"]


def test_chord_in_one_voice_leaves_the_other_voice_in_time(tmp_path: Path) -> None:
    """Two voices of a staff, one with a chord: all notes sound where they are written."""
    path = tmp_path / "voices.musicxml"
    low = note("C", "3", "4").replace("<voice>1", "<voice>2")
    music = chord("C5", "E5", duration="2") + chord("D5", "F5", duration="2")
    path.write_text(sheet(attributes(), music, "<backup><duration>4</duration></backup>", low))
    assert lines(path) == ["0:E5 2:F5", "0:C5 2:D5", "0:C3"]


def test_tied_chords_are_held(tmp_path: Path) -> None:
    """Both notes of two tied chords sound through."""
    tie = "<notations><tied type='{0}'/></notations>"
    first, second = (
        "".join(
            note(step, "4", "4", f"<tie type='{kind}'/>{tie.format(kind)}").replace(
                "<note>", f"<note>{mark}", 1
            )
            for step, mark in (("C", ""), ("E", "<chord/>"))
        )
        for kind in ("start", "stop")
    )
    path = tmp_path / "tied.musicxml"
    path.write_text(HEAD + bar(attributes(), first) + bar(second, number="2") + TAIL)
    assert [[int(each.duration) for each in part.notes] for part in read_musicxml(path).parts] == [
        [8],
        [8],
    ]


def test_grace_and_cue_notes_are_left_out_with_a_remark(tmp_path: Path) -> None:
    """Where remarks are kept they are told by bar; the other notes keep their places."""
    grace = "<note><grace/><pitch><step>D</step><octave>5</octave></pitch><voice>1</voice></note>"
    path = tmp_path / "graces.musicxml"
    path.write_text(sheet(attributes(), note(duration="2"), grace, note("E", duration="2")))
    reading = read_sheet(path)
    assert reading.remarks == ("bar 1: a grace note left out",)
    assert [str(each.pitch) for each in reading.score.parts[0].notes] == ["C4", "E4"]
    assert not reading.tempo
    assert not reading.key_declared


def test_short_bar_leaves_the_next_on_its_downbeat(tmp_path: Path) -> None:
    """After a bar of three quarters in 4/4 the count begins anew, and the file says it again."""
    path = tmp_path / "short.musicxml"
    bars = [bar(attributes(), note()), bar(note(duration="3"), number="2")]
    bars += [bar(note(), number="3"), bar(note(), number="4")]
    path.write_text(HEAD + "".join(bars) + TAIL)
    score = read_musicxml(path)
    places = [score.bar_and_beat(each.onset) for each in score.parts[0].notes]
    assert [bar for bar, _ in places] == [1, 2, 3, 4]
    assert all(beat == 1 for _, beat in places)
    again = tmp_path / "again.musicxml"
    again.write_bytes(write_musicxml(score))
    assert read_musicxml(again).metres == score.metres
