from __future__ import annotations

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.errors import OptionError
from musegen.io.musicxml import LAYOUTS, Layout, read_musicxml, write_musicxml
from musegen.io.numerals import numeral_text
from musegen.score import ChordLabel, Metre, Note, Part, Score
from theory_kb.pitch import Key, Pitch

ROOT = Path(__file__).resolve().parents[3]


def part(name: str, text: str) -> Part:
    """A part from `pitch:duration` words; `-` rests, `!` marks a fermata."""
    notes, time = [], Fraction(0)
    for word in text.split():
        pitch, _, duration = word.rstrip("!").partition(":")
        length = Fraction(duration or "1")
        if pitch != "-":
            notes.append(Note(time, length, Pitch.parse(pitch), word.endswith("!")))
        time += length
    return Part(name, tuple(notes))


def chorale() -> Score:
    """A phrase in A minor with upbeat, passing eighths, a suspension over the bar, a fermata."""
    key = Key.parse("A minor")
    chords = ("i", "VI7", "V", "i", "iv", "V", "V7", "i")
    return Score(
        "Phrase",
        key,
        (
            part("Soprano", "A4 C5 B4 C5 D5:1/2 C5:1/2 B4:2 A4!"),
            part("Alto", "E4 E4 E4 E4 F4 E4 E4:1/2 D4:1/2 C4!"),
            part("Tenor", "C4 A3 G#3 A3 A3:3/2 G#3:1/2 G#3 E3!"),
            part("Bass", "A3:1/2 G3:1/2 F3 E3 A2 D3 E3:2 A2!"),
        ),
        (Metre(4, 4),),
        Fraction(1),
        84.0,
        tuple(
            ChordLabel(Fraction(place), Fraction(1), key, numeral)
            for place, numeral in enumerate(chords)
        ),
        subtitle="first phrase",
        credit="A. Nonymous",
    )


def root_of(score: Score, layout: Layout = "two-staff") -> ET.Element:
    """The tree of a written score."""
    return ET.fromstring(write_musicxml(score, layout=layout))


def read_back(score: Score, layout: Layout = "two-staff") -> Score:
    """The score, written and read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "score.musicxml"
        path.write_bytes(write_musicxml(score, layout=layout))
        return read_musicxml(path)


def note(root: ET.Element, name: str) -> ET.Element:
    """A written note by its id."""
    return next(each for each in root.iter("note") if each.get("id") == name)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_chorale_is_read_as_it_was_written(layout: Layout) -> None:
    """Nothing of notes, names, key, metre, upbeat, tempo and texts is lost on the way."""
    score = chorale()
    assert read_back(score, layout) == replace(score, chords=())


def test_two_staves_are_one_part_of_four_voices() -> None:
    """Soprano and alto share the treble staff with stems apart, tenor and bass the bass staff."""
    root = root_of(chorale())
    assert len(root.findall("part")) == 1
    clefs = [(clef.findtext("sign"), clef.findtext("line")) for clef in root.iter("clef")]
    assert clefs == [("G", "2"), ("F", "4")]
    seen = {
        (each.findtext("voice"), each.findtext("staff"), each.findtext("stem"))
        for each in root.iter("note")
    }
    assert seen == {("1", "1", "up"), ("2", "1", "down"), ("3", "2", "up"), ("4", "2", "down")}


def test_four_staves_have_the_clefs_of_a_choir() -> None:
    """Treble, treble, treble an octave down, bass."""
    root = root_of(chorale(), "four-staff")
    clefs = [
        (clef.findtext("sign"), clef.findtext("clef-octave-change")) for clef in root.iter("clef")
    ]
    assert clefs == [("G", None), ("G", None), ("G", "-1"), ("F", None)]
    assert [each.text for each in root.iter("part-name")] == ["Soprano", "Alto", "Tenor", "Bass"]


def test_upbeat_is_an_implicit_bar_0_and_the_last_barline_is_final() -> None:
    """Bars are counted from the first full one."""
    measures = root_of(chorale()).findall("part/measure")
    assert [each.get("number") for each in measures] == ["0", "1", "2"]
    assert [each.get("implicit") for each in measures] == ["yes", None, None]
    assert measures[-1].findtext("barline/bar-style") == "light-heavy"


def test_note_over_the_bar_line_is_tied() -> None:
    """The tenor's suspension is a quarter tied to an eighth."""
    root = root_of(chorale())
    first, second = note(root, "p2n4"), note(root, "p2n4-1")
    assert [each.get("type") for each in first.findall("tie")] == ["start"]
    assert [each.get("type") for each in second.findall("tie")] == ["stop"]
    assert (first.findtext("type"), second.findtext("type")) == ("quarter", "eighth")


def test_two_staves_show_one_fermata_above_and_one_below() -> None:
    """Inner voices keep theirs unseen; on four staves each shows its own."""
    found = [each.get("type") for each in root_of(chorale()).iter("fermata")]
    assert found == ["upright", "inverted"]
    assert len(list(root_of(chorale(), "four-staff").iter("fermata"))) == 4


def test_inner_fermata_alone_is_shown() -> None:
    """If the soprano has none, the alto shows its fermata."""
    score = chorale()
    bare = replace(
        score.parts[0], notes=tuple(replace(n, fermata=False) for n in score.parts[0].notes)
    )
    changed = score.with_parts((bare, *score.parts[1:]))
    root = root_of(changed)
    assert note(root, "p1n8").find("notations/fermata") is not None
    assert read_back(changed).parts == changed.parts


def test_numerals_stand_under_the_bass_where_harmony_changes() -> None:
    """The first names its key; where the bass holds, the tenor carries the numeral."""
    root = root_of(chorale())
    found = [
        (each.get("id"), each.findtext("lyric/text"))
        for each in root.iter("note")
        if each.find("lyric") is not None
    ]
    assert found == [
        ("p3n0", "a: i"),
        ("p3n2", "VI7"),
        ("p3n3", "V"),
        ("p3n4", "i"),
        ("p3n5", "iv"),
        ("p2n6", "V7"),
        ("p3n6", "V"),
        ("p3n7", "i"),
    ]


def test_numeral_over_a_held_bass_is_not_lost() -> None:
    """Where the lower staff holds all its notes, the bass is tied to carry the numeral."""
    key = Key.parse("F# minor")
    chords = tuple(
        ChordLabel(Fraction(place), Fraction(1), key, numeral)
        for place, numeral in enumerate(("i", "iv64", "i", "VI"))
    )
    score = Score("Pedal", key, (part("Bass", "F#2:4"),), (Metre(4, 4),), chords=chords)
    texts = [each.text for each in root_of(score).iter("text")]
    assert texts == ["f♯: i", "iv64", "i", "VI"]
    assert read_back(score).parts == score.parts


def test_numerals_stand_under_the_chords_of_a_left_hand() -> None:
    """Voices on one stem carry the numeral of their chord."""
    key = Key.parse("C major")
    chords = tuple(
        ChordLabel(Fraction(4 * place), Fraction(4), key, numeral)
        for place, numeral in enumerate(("I", "V"))
    )
    parts = (part("Melody", "E5:4 D5:4"), part("Tenor", "G3:4 G3:4"), part("Bass", "C3:4 B2:4"))
    score = Score("Blocks", key, parts, (Metre(4, 4),), chords=chords, hands=1)
    assert [each.text for each in root_of(score).iter("text")] == ["C: I", "V"]


@pytest.mark.parametrize(
    ("symbol", "printed"),
    [
        ("viio6", "vii°6"),
        ("bVI", "♭VI"),
        ("cad64", "Cad64"),
        ("viio7/V", "vii°7/V"),
        ("V65", "V65"),
    ],
)
def test_numerals_are_printed_as_musicians_write_them(symbol: str, printed: str) -> None:
    """Signs of the field instead of those of the keyboard."""
    assert numeral_text(symbol) == printed


def test_accidentals_are_shown_where_the_signature_has_none() -> None:
    """The leading tone of A minor has its sharp."""
    root = root_of(chorale())
    assert note(root, "p2n2").findtext("accidental") == "sharp"
    assert note(root, "p2n1").find("accidental") is None


def test_both_rests_of_a_staff_are_one() -> None:
    """Where soprano and alto rest together, one rest is written."""
    rest = part("x", "- C4:3").notes
    parts = tuple(Part(str(number), rest) for number in range(4))
    score = replace(chorale(), parts=parts, chords=())
    staves = [
        each.findtext("staff")
        for each in root_of(score).iter("note")
        if each.find("rest") is not None
    ]
    assert staves == ["1", "2"]


def test_other_scores_get_a_staff_a_part() -> None:
    """Two voices, high and low: treble and bass clef, whatever the layout."""
    parts = (part("Flute", "C5:2/3 D5:2/3 E5:2/3 C5:2"), part("Cello", "C3:4"))
    score = Score("Duo", Key.parse("C"), parts, (Metre(4, 4),))
    for layout in LAYOUTS:
        root = root_of(score, layout)
        assert [each.findtext("sign") for each in root.iter("clef")] == ["G", "F"]
        assert read_back(score, layout).parts == parts
    triplet = note(root, "p0n0").find("time-modification")
    assert triplet is not None
    assert (triplet.findtext("actual-notes"), triplet.findtext("normal-notes")) == ("3", "2")
    assert [each.get("type") for each in root.iter("tuplet")] == ["start", "stop"] * 2


def test_hostile_title_is_text() -> None:
    """Markup and control characters in a title stay harmless."""
    score = replace(chorale(), title="<b>&\x00 x")
    assert root_of(score).findtext("work/work-title") == "<b>& x"


def test_unknown_layout_is_refused() -> None:
    """The message says which layouts there are."""
    with pytest.raises(OptionError, match="two-staff or four-staff"):
        write_musicxml(chorale(), layout="five-staff")  # type: ignore[arg-type]


def test_bytes_are_the_same_in_another_process() -> None:
    """No date, no random id, no order of a hash."""
    code = (
        "import sys, importlib.util as u;"
        f"s = u.spec_from_file_location('t', {__file__!r}); m = u.module_from_spec(s);"
        "s.loader.exec_module(m);"
        "sys.stdout.buffer.write(m.write_musicxml(m.chorale()))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT)
    assert run.stdout == write_musicxml(chorale())


@st.composite
def scores(draw: st.DrawFn) -> Score:
    """Small scores of one to five parts, with rests, triplets, chromatic notes, upbeats."""
    beats, unit = draw(st.sampled_from([(4, 4), (3, 4), (2, 2), (6, 8), (5, 8)]))
    metre = Metre(beats, unit)
    upbeat = draw(st.sampled_from([Fraction(0), Fraction(4, unit)]))
    lengths = st.sampled_from([Fraction(n, 12) for n in (3, 4, 6, 8, 9, 12, 18, 24, 42, 60)])
    parts = []
    for number in range(draw(st.integers(1, 5))):
        notes, time = [], Fraction(0)
        for _ in range(draw(st.integers(1, 5))):
            time += draw(
                st.sampled_from([Fraction(0), Fraction(0), Fraction(1, 2), Fraction(5, 3)])
            )
            length = draw(lengths)
            step, alteration = draw(st.integers(14, 42)), draw(st.integers(-2, 2))
            natural = 12 * (step // 7 + 1) + (0, 2, 4, 5, 7, 9, 11)[step % 7]
            pitch = Pitch(step, natural + alteration)
            notes.append(Note(time, length, pitch, draw(st.booleans())))
            time += length
        parts.append(Part(f"Voice {number + 1}", tuple(notes)))
    key = draw(st.sampled_from([Key.parse(text) for text in ("C", "f#", "Db", "e", "C#", "Cb")]))
    return Score("Random", key, tuple(parts), (metre,), upbeat)


@given(score=scores(), layout=st.sampled_from(LAYOUTS))
@settings(max_examples=40)
def test_reading_gives_back_what_was_written(score: Score, layout: Layout) -> None:
    """Notes with onset, duration, pitch and fermata, key, metre and upbeat survive the file."""
    back = read_back(score, layout)
    assert [each.notes for each in back.parts] == [each.notes for each in score.parts]
    assert (back.key, back.metres, back.upbeat) == (score.key, score.metres, score.upbeat)
