from __future__ import annotations

import json

import pytest

from musegen.errors import MusegenError, OptionError
from musegen.exercises.delivery import paper_files
from musegen.exercises.hand_in import read_hand_in
from musegen.exercises.item import Item
from musegen.exercises.kinds import Setting
from musegen.exercises.making import make_item
from musegen.exercises.papers import Order, Paper, make_paper, rows_of, syllabi
from musegen.exercises.playing import sounds
from musegen.io.reading import read_piece

ROWS = (("int.name", 3), ("rhy.rest.complete", 3), ("scl.write", 2))


@pytest.fixture(scope="module")
def paper() -> Paper:
    """A paper of three kinds."""
    return make_paper(Order(ROWS, 6, 4, "en", "Test <1>"))


def test_kinds_come_by_turns(paper: Paper) -> None:
    """Six items of three kinds, no question twice."""
    assert [item.id for item in paper.items] == [row[0] for row in ROWS] * 2
    assert len({item.name for item in paper.items}) == 6
    assert paper.points == sum(item.points for item in paper.items)


def test_a_paper_is_files(paper: Paper) -> None:
    """The sheet hides the key, the key shows it, each item has its record and its music."""
    files = paper_files(paper, ("html", "json", "musicxml"))
    sheet, key = files["sheet.html"].decode(), files["key.html"].decode()
    assert "Test &lt;1&gt;" in sheet
    assert sheet.count("<section") == key.count("<section") == 6
    scale = paper.items[2].solutions.model["answer"]
    assert scale in key
    assert scale not in sheet
    for item in paper.items:
        assert Item.from_json(files[f"{item.name}.item.json"].decode()) == item
    assert json.loads(files["items.json"])["points"] == paper.points


def test_pages_are_the_same_each_time(paper: Paper) -> None:
    """A PDF holds no clock."""
    one, other = (paper_files(paper, ("pdf",))["sheet.pdf"] for _ in range(2))
    assert one == other
    assert one.startswith(b"%PDF")


def test_pages_in_chinese_are_refused() -> None:
    """The engraver's font has no Chinese; the page for browsers has."""
    chinese = make_paper(Order((("int.name", 1),), 1, 0, "zh", "练习"))
    with pytest.raises(OptionError, match="no Chinese font"):
        paper_files(chinese, ("pdf",))
    assert "识别音程" in paper_files(chinese, ("html",))["sheet.html"].decode()


@pytest.mark.parametrize("name", syllabi())
def test_every_syllabus_makes_a_paper(name: str) -> None:
    """Each row of each syllabus is a kind that works at its level."""
    rows = rows_of(None, 1, name, ())
    assert len(rows) == len(syllabi()[name].rows)


@pytest.mark.parametrize(
    ("name", "syllabus", "mix", "said"),
    [
        (None, None, (), "make must be one kind, or --syllabus, or --mix"),
        ("int.name", "ap", (), "make must be one kind"),
        (None, "abrsm9", (), "unknown syllabus 'abrsm9'"),
        (None, None, ("int.name:x",), "--mix must be a kind"),
        (None, None, ("int.nam",), "unknown kind of exercise 'int.nam'"),
    ],
)
def test_wrong_orders_are_refused(
    name: str | None, syllabus: str | None, mix: tuple[str, ...], said: str
) -> None:
    """What is asked for is named in one way, by names that exist."""
    with pytest.raises(MusegenError, match=said):
        rows_of(name, 1, syllabus, mix)


def test_shown_music_plays(tmp_path: object) -> None:
    """What the page plays is what the picture shows."""
    item = make_item("int.name", 3, 7).item
    keys = [key for key, _, _ in sounds(item.given.musicxml)]
    from theory_kb.pitch import Pitch

    assert sorted(keys) == sorted(Pitch.parse(name).semitone for name in item.given.text.split())


def test_shown_music_is_read_by_music21(tmp_path: object) -> None:
    """The examples are scores that other programs open, with the notes that are named."""
    from pathlib import Path

    item = make_item("trn.melody", 2, 1).item
    path = Path(str(tmp_path)) / "given.musicxml"
    path.write_text(item.given.musicxml, encoding="utf-8")
    notes = [note.pitch.name for part in read_piece(path).parts for note in part.notes]
    assert " ".join(notes) == item.given.text.partition(": ")[2]


def test_a_score_answers_a_part_that_asks_for_notes(tmp_path: object) -> None:
    """The notes of a file are read as the typed answer would be."""
    from pathlib import Path

    from musegen.exercises.grading.grade import grade
    from musegen.exercises.makers.showing import shown_notes
    from theory_kb.pitch import Pitch

    item = make_item("trn.melody", 2, 1).item
    names = item.solutions.model["answer"].split()
    given = shown_notes("", [Pitch.parse(name) for name in names], "treble")
    path = Path(str(tmp_path)) / "answer.musicxml"
    path.write_text(given.musicxml, encoding="utf-8")
    assert grade(item, read_hand_in(item, (str(path),))).full


def test_answers_by_part(tmp_path: object) -> None:
    """Texts by part on the command line, in a text file, in JSON."""
    from pathlib import Path

    item = make_item("app.chord", 2, 1).item
    model = item.solutions.model
    folder = Path(str(tmp_path))
    lines, record = folder / "a.txt", folder / "a.json"
    lines.write_text("".join(f"{part}: {text}\n" for part, text in model.items()), encoding="utf-8")
    record.write_text(json.dumps(model), encoding="utf-8")
    typed = tuple(f"{part}={text}" for part, text in model.items())
    assert read_hand_in(item, typed) == model
    assert read_hand_in(item, (str(lines),)) == model
    assert read_hand_in(item, (str(record),)) == model
    with pytest.raises(OptionError, match=r"given by part: notes=\.\.\., goal=\.\.\."):
        read_hand_in(item, ("G B D",))


def test_a_form_is_what_is_asked_for() -> None:
    """A kind with two forms gives four options or a field."""
    chosen = make_item("int.name", 3, 1, setting=Setting(form="choice")).item
    typed = make_item("int.name", 3, 1, setting=Setting(form="text")).item
    assert len(chosen.ask[0].options) == 4
    assert typed.ask[0].options == ()
