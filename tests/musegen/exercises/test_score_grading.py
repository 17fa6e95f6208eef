"""Worked acceptance data: part-writing answers with their marks, and what is made of odd ones."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from musegen.errors import MusegenError
from musegen.exercises.grading.class_report import (
    ClassReport,
    class_csv,
    class_page,
    grade_class,
    hand_ins,
)
from musegen.exercises.grading.faults import fault_words, faults_in, grade_faults
from musegen.exercises.grading.graded import Graded
from musegen.exercises.grading.handed_in import grade_handed_in
from musegen.exercises.grading.page import marked_musicxml, marked_page
from musegen.exercises.grading.rubric import load_rubric
from musegen.exercises.grading.score_grader import grade_file, grade_score, mark
from musegen.exercises.grading.scoring import most_points
from musegen.exercises.item import Ask, Given, Item, Solutions, Text
from musegen.io.midi import write_midi
from musegen.io.musicxml import write_musicxml
from musegen.score import Metre, Note, Part, Score
from theory_kb.pitch import Interval, Key, Pitch

NOTHING = Text("", "")
VOICES = "Soprano Alto Tenor Bass"
CLEAN = {  # worked examples 4 to 6, 9, 10 and 11 of the specification: key, chords, voices
    "figured bass": (
        "D minor",
        "i V65 i iio6 cad64 V7 i",
        (
            "S: A4 A4 A4 Bb4 A4 G4 F4 | A: F4 G4 F4 G4 F4 E4 D4 | T: D4 E4 D4 E4 D4 C#4 D4 | "
            "B: D3 C#3 D3 G3 A3 A2 D3"
        ),
    ),
    "numerals": (
        "G major",
        "I V6 vi V65/V V V42 I6",
        (
            "S: B4 D5 E5 E5 D5 D5 D5 | A: G4 A4 G4 G4 F#4 F#4 G4 | T: D4 D4 B3 A3 A3 A3 G3 | "
            "B: G3 F#3 E3 C#3 D3 C3 B2"
        ),
    ),
    "find the faults, clean": (
        "F major",
        "I IV V vi ii6 V7 I",
        (
            "S: C5 D5 C5 A4 Bb4 G4 A4 | A: F4 F4 E4 F4 D4 E4 F4 | T: A3 Bb3 G3 F3 G3 Bb3 A3 | "
            "B: F3 Bb2 C3 D3 Bb2 C3 F2"
        ),
    ),
    "modulation": (
        "C major",
        "I V6 I vi G:V65 G:I G:ii6 G:cad64 G:V7 G:I",
        (
            "S: E5 G5 E5 E5 C5 B4 C5 B4 A4 G4 | A: G4 G4 G4 A4 A4 G4 A4 G4 F#4 G4 | "
            "T: C4 D4 C4 C4 D4 D4 E4 D4 C4 B3 | B: C3 B2 C3 A2 F#2 G2 C3 D3 D3 G2"
        ),
    ),
    "Neapolitan and six-four": (
        "C minor",
        "i N6 cad64 V7 i",
        "S: C5 Db5 C5 B4 C5 | A: G4 Ab4 G4 F4 Eb4 | T: Eb4 F4 Eb4 D4 C4 | B: C3 F3 G3 G2 C3",
    ),
    "Neapolitan": (
        "C minor",
        "i N6 V i",
        "S: C5 Db5 B4 C5 | A: Eb4 F4 D4 Eb4 | T: G3 Ab3 G3 G3 | B: C3 F3 G3 C3",
    ),
    "German sixth": (
        "C minor",
        "i iv6 Ger65 cad64 V7 i",
        (
            "S: G4 F4 F#4 G4 F4 Eb4 | A: C4 C4 C4 C4 B3 C4 | T: Eb3 C3 Eb3 Eb3 D3 C3 | "
            "B: C3 Ab2 Ab2 G2 G2 C3"
        ),
    ),
    "Italian sixth": (
        "C minor",
        "i It6 V i",
        "S: Eb5 C5 B4 C5 | A: G4 F#4 G4 G4 | T: C4 C4 D4 Eb4 | B: C3 Ab2 G2 C3",
    ),
    "French sixth": (
        "C minor",
        "i Fr43 V i",
        "S: C5 C5 B4 C5 | A: Eb4 D4 D4 Eb4 | T: G3 F#3 G3 G3 | B: C3 Ab2 G2 C3",
    ),
}
PHRASES = (
    "D major",
    "I IV I6 vi ii6 cad64 V I I6 vi V7/V V V42 I6 IV V V7 vi IV ii6 cad64 V7 I",
    (
        "S: A4 B4 A4 F#4 G4 F#4 E4 F#4 A4 B4 G#4 A4 C#5 D5 B4 A4 G4 F#4 G4 G4 F#4 E4 D4 | "
        "A: F#4 G4 D4 D4 E4 D4 C#4 D4 D4 F#4 E4 E4 A4 A4 G4 E4 E4 D4 D4 E4 D4 C#4 D4 | "
        "T: D4 D4 D4 D4 B3 A3 A3 A3 D4 D4 D4 C#4 E4 D4 D4 C#4 C#4 D4 B3 B3 A3 G3 F#3 | "
        "B: D3 G3 F#3 B3 G3 A3 A2 D3 F#3 B2 E3 A3 G3 F#3 G3 A3 A3 B3 G3 G2 A2 A2 D3"
    ),
)
FAULTY = (
    "S: C5 D5 E5 F5 D5 C5 A4 | A: F4 F4 E4 F4 G4 E4 F4 | T: A3 Bb3 G3 A3 Bb3 Bb3 C4 | "
    "B: F3 Bb2 C3 D3 G2 C3 F2"
)


def item_of(key: str, chords: str, model: str, rubric: str = "ap6", **facts: str) -> Item:
    """An item in part-writing whose first chord is given."""
    lines = [each.split(":") for each in model.split(" | ")]
    names = dict(zip("SATB", VOICES.split(), strict=True))
    first = "\n".join(f"{names[name]}: {notes.split()[0]}" for name, notes in lines)
    count = len(chords.split())
    points = int(most_points(load_rubric(rubric), count, 1, 0))
    return Item(
        id="pw.rn.satb",
        version=1,
        seed=0,
        level=1,
        lang="en",
        key=key,
        given=Given(),
        ask=(Ask("score", "score", "score", NOTHING, points),),
        prompt=Text("Write the chords.", "写和弦。"),
        uniqueness="R",
        solutions=Solutions({"score": (model,)}),
        hints=(),
        why=NOTHING,
        rubric=rubric,
        facts={"voices": VOICES, "chords": chords, "given": first, **facts},
    )


def marked_as(graded: Graded) -> tuple[str, Fraction, Fraction]:
    """Status and points."""
    return graded.status, graded.points, graded.most


NINE = CLEAN["find the faults, clean"]


def test_faulty_twin_gets_8_5_of_18() -> None:
    """Worked example 9: 4.5 for the chords, 4 for the connections, 8.5 in all."""
    graded = grade_score(item_of(*NINE), {"score": FAULTY})
    assert marked_as(graded) == ("graded", Fraction(17, 2), Fraction(18))
    sections = {
        name: [float(each.got) for each in graded.clauses if each.id == name]
        for name in ("chords", "voice-leading")
    }
    assert sections == {"chords": [1, 0.5, 1, 0, 1, 1], "voice-leading": [2, 2, 0, 0, 0, 0]}
    found = [(each.rule, each.slot, "".join(v[0] for v in each.voices)) for each in graded.findings]
    assert found == [
        ("double-leading-tone", 3, "SA"),
        ("parallel-octave", 4, "SA"),
        ("parallel-fifth", 4, "TB"),
        ("chord-wrong-bass", 5, "B"),
        ("direct-fifth-outer", 5, "SB"),
        ("seventh-resolves-down", 7, "T"),
    ]
    assert [each.cause for each in graded.findings] == [None, 0, None, None, None, None]


@pytest.mark.parametrize("name", CLEAN)
@pytest.mark.parametrize("rubric", ["ap6", "teacher_default", "abrsm_deduct"])
def test_known_good_settings_are_full(name: str, rubric: str) -> None:
    """Settings that are right by the books lose nothing, whatever the rubric."""
    graded = grade_score(item_of(*CLEAN[name], rubric), {"score": CLEAN[name][2]})
    assert graded.full
    assert not [each for each in graded.findings if each.severity != "info"]


def test_four_phrases_and_their_negative_twin() -> None:
    """Worked example 6 is clean; another bass makes a hidden fifth, and a leap of a seventh."""
    item = item_of(*PHRASES)
    assert grade_score(item, {"score": PHRASES[2]}).full
    twin = PHRASES[2].replace("B: D3 G3 F#3 B3 G3", "B: D3 G3 F#3 B2 G3")
    rules = [f.rule for f in grade_score(item, {"score": twin}).findings if f.severity != "info"]
    assert "direct-fifth-outer" in rules
    leap = PHRASES[2].replace("E3 A3 G3 F#3", "E3 A2 G3 F#3")
    rules = [f.rule for f in grade_score(item, {"score": leap}).findings if f.severity != "info"]
    assert "mel-seventh" in rules


def test_hidden_fifths_by_any_similar_motion_can_be_asked_for(tmp_path: Path) -> None:
    """The switch of the specification flags four spots that the soprano enters by step."""
    own = tmp_path / "any.toml"
    own.write_text(
        'id = "any"\ntitle = { en = "a", zh = "a" }\nsource = "x"\nextends = "ap6"\n'
        '[[sections]]\nid = "voice-leading"\ntitle = { en = "v", zh = "v" }\nunit = "connection"\n'
        'award = 2\nreduced_by = ["direct-perfect-any"]\nreduced = 1\n'
        "[[rules.exceptions]]\n"
        'rules = ["direct-perfect-any"]\nwhere = { some_voice = ["inner"] }\nwhy = "outer only"\n'
    )
    for work, wanted in ((PHRASES, [7, 12]), (CLEAN["modulation"], [7, 10])):
        graded = grade_score(item_of(*work, str(own)), {"score": work[2]})
        assert [f.slot for f in graded.findings if f.rule == "direct-perfect-any"] == wanted


def test_five_points_of_the_specification() -> None:
    """A held leading tone, a leap of an octave, voices that do not both move: no faults."""
    prolonged = item_of(
        "C major",
        "I V V6 V7 I",
        "S: E4 D4 D4 D4 C4 | A: C4 B3 G3 B3 C4 | T: G3 G3 G3 F3 E3 | B: C3 G2 B2 G2 C3",
        "teacher_default",
    )
    assert grade_score(prolonged, {"score": prolonged.solutions.accepted["score"][0]}).full
    octave = item_of(
        "C major", "I I V", "S: E5 E5 D5 | A: G4 G4 G4 | T: C4 C4 B3 | B: C4 C3 G3", "ap6"
    )
    graded = grade_score(octave, {"score": octave.solutions.accepted["score"][0]})
    assert "parallel-octave" not in [each.rule for each in graded.findings]


def test_repair_is_one_that_was_tried() -> None:
    """The doubled leading tone is mended by the note that the clean setting has."""
    graded = grade_score(item_of(*NINE), {"score": FAULTY})
    assert "write C5 in Soprano at chord 3" in graded.findings[0].said.en
    assert "第 3 和弦女高音改为 C5" in graded.findings[0].said.zh


def test_another_rubric_has_its_own_most() -> None:
    """The same answer by the teacher's rubric: of twelve points, not of eighteen."""
    graded = grade_handed_in(item_of(*NINE), (NINE[2],), "teacher_default").graded
    assert marked_as(graded) == ("graded", Fraction(12), Fraction(12))


# --- finding faults -------------------------------------------------------------------------


def faults_item() -> Item:
    """Worked example 9 as an exercise in finding faults."""
    base = item_of(*NINE[:2], FAULTY, "fault_finding")
    names = dict(zip("SATB", VOICES.split(), strict=True))
    given = "\n".join(f"{names[each[0]]}{each[1:]}" for each in FAULTY.split(" | "))
    item = replace(
        base,
        id="err.satb.find",
        ask=(Ask("answer", "text", "faults", NOTHING, 15),),
        facts={**base.facts, "given": given, "planted": "5"},
    )
    _, key = faults_in(item)
    words = fault_words(key, VOICES.split())
    return replace(item, solutions=Solutions({"answer": (words,)}))


def test_key_of_the_faulty_phrase_is_complete() -> None:
    """The checker lists all six faults of worked example 9, the consequence among them."""
    item = faults_item()
    assert item.solutions.accepted["answer"][0] == (
        "3: S-A double-leading-tone; 3-4: S-A parallel-octave; 3-4: T-B parallel-fifth; "
        "5: B chord-wrong-bass; 4-5: S-B direct-fifth-outer; 6-7: T seventh-resolves-down"
    )
    assert grade_faults(item, {"answer": item.solutions.accepted["answer"][0]}).full


@pytest.mark.parametrize(
    ("said", "points"),
    [
        ("3: S-A doubled leading tone", 3),
        ("3-4 T-B parallel fifths", 3),
        ("3-4: T-B parallel octaves", 2),
        ("6-7 T 七音未解决", 3),
        ("5 wrong bass", 3),
        ("3-4: S-A parallel octaves", 0),
        ("1: S-A doubled leading tone", 0),
        ("3: S-A doubled leading tone; 2: T-B parallel fifths", 2),
    ],
)
def test_listed_faults_give_points_for_place_and_name(said: str, points: int) -> None:
    """Two for the place, one for the name, minus one for a false alarm, nothing for what follows."""
    assert grade_faults(faults_item(), {"answer": said}).points == points


# --- layouts and shifts ---------------------------------------------------------------------


def score_of(text: str, key: str = "F major", late: int = 0, up: Interval | None = None) -> Score:
    """The faulty or clean phrase as a score, a beat a chord."""
    parts = []
    for line, name in zip(text.split(" | "), VOICES.split(), strict=True):
        pitches = [Pitch.parse(each) for each in line.split(":")[1].split()]
        moved = [pitch if up is None else pitch + up for pitch in pitches]
        notes = (Note(Fraction(n + late), Fraction(1), p) for n, p in enumerate(moved))
        parts.append(Part(name, tuple(notes)))
    return Score("", Key.parse(key), tuple(parts), (Metre(4, 4),))


@pytest.mark.parametrize("layout", ["two-staff", "four-staff"])
def test_layouts_make_no_difference(layout: str) -> None:
    """Two staves and four give the same marks as typed voices."""
    text = write_musicxml(score_of(FAULTY), layout=layout).decode()  # type: ignore[arg-type]
    assert grade_score(item_of(*NINE), {"score": text}).points == Fraction(17, 2)


def test_keyboard_staves_make_no_difference() -> None:
    """Chords of a right hand are set apart as voices."""
    text = write_musicxml(replace(score_of(NINE[2]), hands=3)).decode()
    assert grade_score(item_of(*NINE), {"score": text}).full


def test_midi_is_respelled_by_the_chords(tmp_path: Path) -> None:
    """A MIDI file loses nothing for spelling, and the report says that it was inferred."""
    key, chords, voices = CLEAN["figured bass"]
    path = tmp_path / "answer.mid"
    path.write_bytes(write_midi(score_of(voices, "D minor")))
    graded = grade_file(item_of(key, chords, voices), path).graded
    assert graded.points == graded.most
    assert any("spelling=inferred" in note.en for note in graded.notes)


def test_marked_score_and_page_show_the_faults() -> None:
    """The page has each sentence, the score a colour; the same answer gives the same bytes."""
    item = item_of(*NINE)
    marked = mark(item, {"score": FAULTY})
    page = marked_page(item, marked, "en")
    assert all(each.said.en.split(".")[0][:20] in page for each in marked.graded.findings)
    assert b"#C0281A" in marked_musicxml(item, marked)
    assert page == marked_page(item, mark(item, {"score": FAULTY}), "en")
    assert "平行五度" in marked_page(item, marked, "zh")


def test_class_report_counts_errors_and_hard_places(tmp_path: Path) -> None:
    """Three students: one right, one wrong, one who sent a picture."""
    (tmp_path / "anna.txt").write_text(NINE[2])
    (tmp_path / "ben.txt").write_text(FAULTY)
    (tmp_path / "cleo.txt").write_bytes(b"\x89PNG\r\n\x1a\n")
    item = item_of(*NINE)
    rows = grade_class(item, hand_ins(tmp_path, item))
    report = ClassReport(item, rows)
    assert [(row.student, row.graded.status) for row in rows] == [
        ("anna", "graded"),
        ("ben", "graded"),
        ("cleo", "refused"),
    ]
    assert ("parallel-fifth", 1, 1) in report.by_rule
    assert report.by_clause[0][2] == 0.5
    table = class_csv(report, "en").splitlines()
    assert len(table) == 4
    assert table[2].startswith("ben,graded,8.5,18,47.2,6,")
    assert "平行五度" in class_page(report, "zh")


# --- answers that are out of the ordinary ---------------------------------------------------


def archive(name: str, content: bytes) -> bytes:
    """A compressed MusicXML file."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        file.writestr(
            "META-INF/container.xml",
            f'<container><rootfiles><rootfile full-path="{name}"/></rootfiles></container>',
        )
        file.writestr("score.xml", content)
    return target.getvalue()


SHEET = write_musicxml(score_of(NINE[2]))
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    b"<score-partwise>&b;</score-partwise>"
)
FIVE = "S: C5 D5 C5 A4 Bb4 G4 A4\nA: F4 F4 E4 F4 D4 E4 F4\nT: A3 Bb3 G3 F3 G3 Bb3 A3\nB: F3 Bb2 C3 D3 Bb2 C3 F2"
MALFORMED: dict[str, tuple[bytes, str, str]] = {  # content, status, what is said
    "PDF": (b"%PDF-1.7\n...", "refused", "E_FORMAT: answer is a PDF"),
    "PNG": (b"\x89PNG\r\n\x1a\n", "refused", "E_FORMAT: answer is a PNG"),
    "JPEG": (b"\xff\xd8\xff\xe0", "refused", "E_FORMAT: answer is a JPEG"),
    "sound": (b"RIFF\x00\x00\x00\x00WAVE", "refused", "E_FORMAT: answer is a sound file"),
    "MP3": (b"ID3\x03", "refused", "E_FORMAT: answer is a sound file"),
    "bytes": (b"\x00\x01\x02\x03", "refused", "E_FORMAT"),
    "prose": (b"I could not do this one, sorry.", "refused", "E_FORMAT"),
    "HTML": (b"<html><body>hello</body></html>", "refused", "E_XML"),
    "broken XML": (b"<score-partwise><part>", "refused", "E_XML"),
    "cut off XML": (SHEET[: len(SHEET) // 2], "refused", "E_XML"),
    "entities": (BOMB, "refused", "E_ENTITY"),
    "time-wise": (b"<score-timewise version='4.0'/>", "refused", "E_XML"),
    "truncated archive": (archive("score.xml", SHEET)[:200], "refused", "E_ARCHIVE"),
    "archive without score": (archive("other.xml", SHEET), "refused", "E_ARCHIVE"),
    "archive of entities": (archive("score.xml", BOMB), "refused", "E_ENTITY"),
    "not MIDI after all": (b"MThd\x00\x00\x00\x06\x00\x01", "refused", "E_FORMAT"),
    "too large": (b"S: C5\n" + b" " * 5_000_001, "refused", "E_SIZE"),
    "too many notes": (b"S: " + b"C5 " * 2001, "refused", "E_SIZE"),
    "no note": (b"S: C5 H5 D5", "refused", "E_NOTES: answer, voice S, bar 1, token 2"),
    "voice twice": (b"S: C5\nS: D5", "refused", "E_NOTES: answer, voice S: stands there twice"),
    "empty": (b"", "blank", ""),
    "spaces": (b"  \n \n", "blank", ""),
    "only what was given": (b"S: C5\nA: F4\nT: A3\nB: F3", "blank", ""),
    "sheet without notes": (
        write_musicxml(
            replace(score_of(NINE[2]), parts=tuple(Part(n, ()) for n in VOICES.split()))
        ),
        "blank",
        "",
    ),
    "three voices": (FIVE.rpartition("\n")[0].encode(), "partial", "E_VOICES: nothing is written"),
    "a fifth voice": (
        (FIVE + "\nX: C2 C2 C2 C2 C2 C2 C2").encode(),
        "graded",
        "E_VOICES: X is one",
    ),
    "a beat late": (write_musicxml(score_of(NINE[2], late=1)), "graded", "W_SHIFTED"),
    "another key": (
        write_musicxml(score_of(NINE[2], "G major", up=Interval.parse("M2"))),
        "graded",
        "W_TRANSPOSED",
    ),
    "wrong signature": (write_musicxml(score_of(NINE[2], "D major")), "graded", "W_KEY"),
    "enharmonic": (FIVE.replace("Bb", "A#").encode(), "graded", ""),
    "given notes changed": (
        FIVE.replace("S: C5", "S: A4").encode(),
        "graded",
        "W_GIVEN: 1 given note was changed",
    ),
    "clef of another voice": (
        FIVE.replace("B: F3 Bb2 C3 D3 Bb2 C3 F2", "B: D5 G4 A4 B4 G4 A4 D4").encode(),
        "graded",
        "W_CLEF",
    ),
    "another piece": (b"S: C#5 D#5 F#5\nA: G#4 A#4 C#4", "partial", "W_UNRELATED"),
    "half of it": (b"S: C5 D5 C5\nA: F4 F4 E4\nT: A3 Bb3 G3\nB: F3 Bb2 C3", "graded", ""),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_answers_get_their_diagnosis(name: str, tmp_path: Path) -> None:
    """Whatever is handed in has a typed status and its reason, and never a silent nought."""
    content, status, said = MALFORMED[name]
    path = tmp_path / "answer"
    path.write_bytes(content)
    graded = grade_file(item_of(*NINE), path).graded
    assert graded.status == status
    assert any(note.en.startswith(said) for note in graded.notes) or not said
    if status in ("graded", "partial") and graded.points < graded.most:
        assert graded.notes or any(each.said for each in graded.clauses)


def test_there_are_thirty_malformed_answers() -> None:
    """The list of the specification is covered."""
    assert len(MALFORMED) >= 30


def test_a_late_answer_is_marked_as_if_it_stood_in_its_place() -> None:
    """One beat late throughout costs nothing but is said."""
    text = write_musicxml(score_of(NINE[2], late=1)).decode()
    graded = grade_score(item_of(*NINE), {"score": text})
    assert "1 quarter note late" in graded.notes[0].en


def test_a_transposed_answer_gets_the_share_of_the_policy() -> None:
    """All of it a tone too high: half the points."""
    text = write_musicxml(score_of(NINE[2], "G major", up=Interval.parse("M2"))).decode()
    assert grade_score(item_of(*NINE), {"score": text}).points == 9


@pytest.mark.parametrize(
    ("answers", "rubric", "said"),
    [
        (("nowhere.musicxml",), None, "nowhere.musicxml: does not exist"),
        (("S: C5",), "ap99", "unknown rubric 'ap99'"),
    ],
)
def test_wrong_requests_are_refused_in_one_line(
    answers: tuple[str, ...], rubric: str | None, said: str
) -> None:
    """A file that is not there, and a rubric that is none, are no answers."""
    with pytest.raises(MusegenError, match=said):
        grade_handed_in(item_of(*NINE), answers, rubric)


# --- mutated submissions --------------------------------------------------------------------


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Bytes with a few of them changed, cut out, doubled or swapped for signs of the format."""
    found = bytearray(data)
    signs = (b"<", b">", b"&", b"-", b"9" * 12, b"\x00", b":", b"|", "♯".encode(), b"Cb-4", b"#")
    for _ in range(int(rng.integers(1, 6))):
        at = int(rng.integers(len(found) + 1))
        span = int(rng.integers(1, 40))
        way = int(rng.integers(4))
        if way == 0:
            del found[at : at + span]
        elif way == 1:
            found[at:at] = found[max(0, at - span) : at]
        elif way == 2:
            found[at : at + 1] = signs[int(rng.integers(len(signs)))]
        else:
            found[at : at + 1] = bytes([int(rng.integers(256))])
    return bytes(found)


def survived(count: int, folder: Path) -> int:
    """How many mutated answers were graded or refused, of all kinds of files."""
    item = item_of(*NINE)
    midi = write_midi(score_of(NINE[2]))
    seeds = [FAULTY.encode(), SHEET, archive("score.xml", SHEET), midi]
    path = folder / "answer"
    for number in range(count):
        rng = np.random.default_rng(number)
        path.write_bytes(mutated(seeds[number % len(seeds)], rng))
        graded = grade_file(item, path).graded
        assert graded.status in ("graded", "partial", "blank", "refused")
        assert 0 <= graded.points <= graded.most
        assert graded.status != "refused" or graded.notes
    return count


def test_mutated_answers_never_crash(tmp_path: Path) -> None:
    """Forty answers with bytes changed by chance: each has a typed status."""
    assert survived(40, tmp_path) == 40


@pytest.mark.slow
def test_five_hundred_mutated_answers_never_crash(tmp_path: Path) -> None:
    """The same with five hundred."""
    assert survived(500, tmp_path) == 500
