"""Papers and records become banks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

from musegen.errors import MusegenError
from musegen.exercises.delivery import paper_files
from musegen.exercises.export import Bank, export_bank, read_bank
from musegen.exercises.item import Lang
from musegen.exercises.papers import Order, make_paper
from musegen.io.files import write_files
from musegen.io.quizzes.formats import FORMATS


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A paper of one choice, one row of notes and one score."""
    folder = tmp_path_factory.mktemp("papers") / "week"
    rows = (("rud.terms", 1), ("scl.write", 2), ("pw.voicing", 1))
    write_files(
        folder, paper_files(make_paper(Order(rows, 3, 5, "en", "Week")), ("json",)), force=False
    )
    return folder


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("lang", get_args(Lang))
def test_every_format_is_written_the_same_again(paper: Path, name: str, lang: Lang) -> None:
    """The same items give the same bytes; what does not fit is named."""
    bank = read_bank([paper])
    assert (bank.title, len(bank.items)) == ("Week", 3)
    first, second = (export_bank(bank, name, lang=lang, skip_unfit=True) for _ in range(2))
    assert first.data == second.data
    assert first.count + len(first.left_out) == 3
    assert first.count >= 1
    assert all(each.endswith(lang) and why.startswith(name) for each, why in first.left_out)


def test_records_are_read_one_by_one_and_line_by_line(paper: Path, tmp_path: Path) -> None:
    """A paper, its records and a list of them are one bank."""
    bank = read_bank([paper])
    paths = [paper / f"{item.name}.item.json" for item in bank.items]
    assert read_bank(paths).items == bank.items
    lines = tmp_path / "bank.jsonl"
    lines.write_text(
        "".join(json.dumps(json.loads(item.to_json())) + "\n" for item in bank.items),
        encoding="utf-8",
    )
    assert read_bank([lines]).items == bank.items


def test_what_does_not_fit_is_refused(paper: Path) -> None:
    """With the name, the reason and how many there are."""
    bank = read_bank([paper])
    with pytest.raises(MusegenError, match=r"pw\.voicing-l1-s5-v1-en: anki cannot hold a score"):
        export_bank(bank, "anki")
    with pytest.raises(MusegenError, match=r"2 of 3 do not fit; --skip-unfit leaves them out"):
        export_bank(bank, "gift")
    only = Bank("", bank.items[2:])
    with pytest.raises(MusegenError, match=r"--format must be one that holds these items"):
        export_bank(only, "gift", skip_unfit=True)


def test_wrong_banks_are_refused(paper: Path, tmp_path: Path) -> None:
    """No such format, the same item twice, a folder that is no paper, a record without key."""
    bank = read_bank([paper])
    with pytest.raises(
        MusegenError, match="unknown format of an export 'mooodle'; did you mean 'moodle'"
    ):
        export_bank(bank, "mooodle")
    with pytest.raises(MusegenError, match=r"rud\.terms-l1-s5-v1-en: comes twice"):
        export_bank(Bank("", bank.items[:1] * 2), "csv")
    with pytest.raises(MusegenError, match=r"is no paper: it has no items\.json"):
        read_bank([tmp_path])
    (tmp_path / "items.json").write_text('{"title": "x", "items": ["../x"]}', encoding="utf-8")
    with pytest.raises(MusegenError, match=r"'\.\./x' is no name of an item"):
        read_bank([tmp_path])
    record = json.loads(bank.items[0].to_json())
    record["solutions"]["accepted"] = {}
    (tmp_path / "x.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(MusegenError, match="'answer' has no answer"):
        read_bank([tmp_path / "x.json"])
    record = json.loads(bank.items[0].to_json())
    record["why"]["en"] = "\x07"
    (tmp_path / "x.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(MusegenError, match=r"holds the character U\+0007"):
        export_bank(read_bank([tmp_path / "x.json"]), "csv")


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("id",), "no.kind", r"no\.kind-l1-s5-v1: unknown kind of exercise"),
        (("given", "musicxml"), "<score", "is no XML|cannot be engraved"),
        (("ask", 0, "points"), 0, "must give a point at least, gives 0"),
        (("ask", 0, "reader"), "interval", "rud.terms-l1-s5-v1"),
        (("solutions", "accepted", "answer"), ["nothing"], "no answer to 'answer' is right"),
        (("ask", 0, "id"), "1", r"x\.json\.solutions\.accepted: '1' has no answer"),
    ],
)
def test_damaged_records_are_refused_by_name(
    paper: Path, tmp_path: Path, place: tuple[str | int, ...], value: object, said: str
) -> None:
    """Whatever is wrong with a record, one line says so."""
    record = json.loads((paper / "rud.terms-l1-s5-v1.item.json").read_text(encoding="utf-8"))
    inner = record
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    refused(record, tmp_path, said)


def test_a_fact_that_lacks_is_named(paper: Path, tmp_path: Path) -> None:
    """A place on the staff means nothing without its clef."""
    record = json.loads((paper / "rud.terms-l1-s5-v1.item.json").read_text(encoding="utf-8"))
    record["ask"][0] |= {"reader": "places", "options": []}
    record["solutions"]["accepted"]["answer"] = ["l2"]
    refused(record, tmp_path, "its record lacks the fact 'clef'")


def refused(record: object, tmp_path: Path, said: str) -> None:
    """A record is not exported, and the line says why."""
    (tmp_path / "x.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(MusegenError, match=said):
        export_bank(read_bank([tmp_path / "x.json"]), "csv")


def test_schemas_are_only_for_formats_that_have_them(paper: Path, tmp_path: Path) -> None:
    """Moodle has no schema; a folder without those of QTI is refused."""
    bank = read_bank([paper])
    with pytest.raises(MusegenError, match="--schemas must be left out: moodle has no schema"):
        export_bank(bank, "moodle", schemas=tmp_path)
    with pytest.raises(
        MusegenError, match=r"--schemas must be a folder that holds imscp_v1p1\.xsd"
    ):
        export_bank(bank, "qti21", schemas=tmp_path)
