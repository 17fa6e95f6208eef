"""What is heard: played, hidden from the sheet, taken down and marked."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import pytest

from musegen.errors import FactError
from musegen.exercises.delivery import paper_files
from musegen.exercises.grading.grade import grade
from musegen.exercises.grading.heard import MELODY, RHYTHM
from musegen.exercises.item import Heard, Item
from musegen.exercises.kinds import Setting, kinds
from musegen.exercises.making import make_item
from musegen.exercises.papers import Paper
from musegen.exercises.playing import sounds, stem_audio
from musegen.exercises.sheet_html import render_sheet
from musegen.io.midi import write_midi
from musegen.io.reading import read_piece

AURAL = [name for name in kinds() if name.startswith("aur.")]


def paper(item: Item) -> Paper:
    """A paper of one question."""
    return Paper("Ear", item.lang, (item,), {})


@pytest.mark.parametrize("name", AURAL)
def test_the_sheet_plays_and_does_not_show(name: str) -> None:
    """The page holds the sound and how often it may be heard; the music is in the key alone."""
    item = make_item(name, 2, 5).item
    assert item.given.heard is not None
    sheet, key = (render_sheet(paper(item), key=each) for each in (False, True))
    assert sheet.count("data:audio/wav;base64,") == 1
    assert f'data-plays="{item.given.heard.plays}"' in sheet
    assert "data-notes" not in sheet
    assert f'id="{item.name}-h-' in key
    assert "data:audio" not in key


def test_tempo_timbre_and_plays_are_the_teachers() -> None:
    """What the setting says is stored; what it leaves out is the kind's."""
    asked = Setting(tempo=40, timbre="flute", plays=7)
    heard = make_item("aur.interval", 1, 0, setting=asked).item.given.heard
    own = make_item("aur.interval", 1, 0).item.given.heard
    assert heard is not None
    assert own is not None
    assert (heard.tempo, heard.timbre, heard.plays) == (40, "flute", 7)
    assert (own.tempo, own.timbre, own.plays) == (60, "piano", 2)
    assert len(stem_audio(heard)) > len(stem_audio(own))


def test_a_tied_note_sounds_once() -> None:
    """Two written notes joined by a tie are one sound; so are they in the page that plays."""
    item = make_item("aur.dict.rhythm", 5, 1).item
    assert item.given.heard is not None
    tie = '<tie type="start"/>', '<tie type="stop"/>'
    first, second = "<duration>1</duration>{}", "<duration>1</duration>{}"
    note = "<note><pitch><step>C</step><octave>4</octave></pitch>{}</note>"
    music = (
        "<score-partwise><part><measure><attributes><divisions>1</divisions></attributes>"
        f"{note.format(first.format(tie[0]))}{note.format(second.format(tie[1]))}"
        "</measure></part></score-partwise>"
    )
    assert sounds(music) == [(60, 0.0, 2.0)]


def test_audio_lies_beside_the_sheet_where_it_is_asked_for() -> None:
    """One file an item that is played, none for others."""
    item = make_item("aur.chord", 1, 0).item
    assert list(paper_files(paper(item), ("audio",))) == [f"{item.name}.wav"]
    assert paper_files(paper(make_item("int.name", 1, 0).item), ("audio",)) == {}


def test_the_same_music_heard_twice_is_one_item() -> None:
    """Two items with one answer differ if what is played differs."""
    from musegen.exercises.making import make_items

    items = [each.item for each in make_items("aur.interval", 1, 0, 12)]
    music = [each.given.heard.musicxml for each in items if each.given.heard]
    assert len(set(music)) == len(music) == 12


# --- dictation ------------------------------------------------------------------------------


def melody() -> Item:
    """A melody of the second level."""
    return make_item("aur.dict.melody", 2, 0).item


def test_a_melody_is_marked_by_segments() -> None:
    """One segment wrong: seven of eight, and one."""
    item = melody()
    right = item.solutions.model[MELODY]
    last = right.split()[-1]
    wrong = right.removesuffix(last) + ("B5:2" if last.endswith(":2") else "B5:1")
    assert grade(item, {MELODY: right}).full
    graded = grade(item, {MELODY: wrong})
    assert graded.points == 8
    assert {each.id: int(each.got) for each in graded.clauses} == {"segments": 7, "any_right": 1}


def test_a_melody_a_step_off_is_told_so() -> None:
    """The whole answer a third too high: rhythm counts by the other guide, and the shift is named."""
    item = melody()
    graded = grade(item, {MELODY: item.distractors[0].value})
    assert graded.points == 2
    assert any("third too high" in note.en for note in graded.notes)


def test_a_melody_may_come_as_a_score_or_from_a_keyboard(tmp_path: object) -> None:
    """MusicXML and MIDI of the right melody get full marks."""
    from pathlib import Path

    from musegen.exercises.grading.handed_in import grade_handed_in
    from musegen.io.musicxml import write_musicxml

    item = melody()
    assert item.given.heard is not None
    path = Path(str(tmp_path)) / "heard.musicxml"
    path.write_text(item.given.heard.musicxml)
    score = read_piece(path)
    for name, data in (("a.musicxml", write_musicxml(score)), ("a.mid", write_midi(score))):
        answer = path.with_name(name)
        answer.write_bytes(data)
        assert grade_handed_in(item, (str(answer),)).graded.full, name


@pytest.mark.parametrize(
    ("text", "status"), [("", "blank"), ("<x>", "refused"), ("nonsense", "refused")]
)
def test_odd_melodies_are_told_apart(text: str, status: str) -> None:
    """Nothing is blank, what cannot be read is refused with a reason."""
    graded = grade(melody(), {MELODY: text})
    assert graded.status == status
    assert bool(graded.notes) == (status == "refused")


def test_a_rhythm_without_its_bar_lines_loses_a_point() -> None:
    """Bar lines elsewhere cost one of nine; none at all are not counted."""
    item = make_item("aur.dict.rhythm", 1, 0).item
    right = item.solutions.model[RHYTHM]
    values = right.replace("|", " ").split()
    shifted = " ".join([values[0], "|", *values[1:]])
    assert grade(item, {RHYTHM: right.replace("|", " ")}).points == 9
    assert grade(item, {RHYTHM: shifted}).points == 8
    assert grade(item, {RHYTHM: "q x"}).status == "refused"


def chords() -> Item:
    """A phrase of five chords."""
    return make_item("aur.dict.harmony", 1, 0).item


def test_chords_taken_down_are_marked_in_three() -> None:
    """Bass an octave off is right, soprano not; a numeral without its figures is half."""
    item = chords()
    played, symbols = item.solutions.model[MELODY], item.solutions.model["rn"]
    lines = dict(line.split(": ") for line in played.split("\n"))
    lower = re.sub(r"\d", lambda match: str(int(match[0]) - 1), lines["Bass"])
    answer = f"Soprano: {lines['Soprano']}\nBass: {lower}"
    assert grade(item, {MELODY: answer, "rn": symbols}).full
    high = re.sub(r"\d", lambda match: str(int(match[0]) + 1), lines["Soprano"])
    graded = grade(item, {MELODY: f"Soprano: {high}\nBass: {lines['Bass']}", "rn": symbols})
    assert graded.points == 8
    assert item.points == 12


def test_halves_of_chords_go_up() -> None:
    """One numeral with wrong figures takes half a point, which is given back in whole points."""
    item = chords()
    symbols = item.solutions.model["rn"].split()
    assert symbols[1] in ("V", "V7", "IV")
    wrong = " ".join([symbols[0], f"{symbols[1].rstrip('7')}6", *symbols[2:]])
    graded = grade(item, {**item.solutions.model, "rn": wrong})
    assert sum(each.got for each in graded.clauses) == Fraction(23, 2)
    assert graded.points == 12


def test_a_rubric_for_other_work_is_refused() -> None:
    """A melody cannot be marked by a rubric that says nothing of melodies."""
    with pytest.raises(FactError, match="what a segment is worth"):
        grade(replace(melody(), rubric="ap6"), melody().solutions.model)


def test_a_record_keeps_what_is_heard() -> None:
    """JSON and back; a record from before has nothing that is heard."""
    item = melody()
    assert Item.from_json(item.to_json()) == item
    assert isinstance(item.given.heard, Heard)
    assert make_item("int.name", 1, 0).item.given.heard is None
