"""Banks: the bytes of the sequential maker, for any number of processes and any interruption."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from musegen.errors import MusegenError
from musegen.exercises.bank import part_of, write_bank
from musegen.exercises.item import Item
from musegen.exercises.making import Fresh
from musegen.exercises.papers import Order, each_item, rows_of

MIXED = Order((("int.name", 3), ("rud.terms", 1), ("chd.name", 2)), 80, seed=3)
PLAIN = Order((("int.name", 3), ("chd.name", 2)), 30, seed=3)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bank in which one kind runs out."""
    path = tmp_path_factory.mktemp("bank") / "bank.jsonl"
    assert write_bank(MIXED, path).spent == (("rud.terms", 1),)
    return path.read_bytes()


def records(data: Iterable[str]) -> list[tuple[str, int]]:
    """Kind and seed of each line."""
    return [(Item.from_json(line).id, Item.from_json(line).seed) for line in data]


def test_a_bank_is_what_the_sequential_maker_gives(tmp_path: Path) -> None:
    """Line by line the items of an order, each a record that can be read."""
    path = tmp_path / "bank.jsonl"
    write_bank(PLAIN, path)
    lines = path.read_text(encoding="utf-8").splitlines()
    items = [item for item, _ in each_item(PLAIN)]
    assert [Item.from_json(line) for line in lines] == items
    assert [path.name for path in tmp_path.iterdir()] == ["bank.jsonl"]


def test_a_kind_that_has_run_out_is_passed_over(whole: bytes) -> None:
    """The others go on in their turn, and no question comes twice."""
    found = records(whole.decode().splitlines())
    names = [name for name, _ in found]
    assert len(found) == len(set(found)) == 80
    assert names[:6] == ["int.name", "rud.terms", "chd.name"] * 2
    assert names[-4:] in (["int.name", "chd.name"] * 2, ["chd.name", "int.name"] * 2)


def test_processes_do_not_change_the_bytes(whole: bytes, tmp_path: Path) -> None:
    """Two processes give what one gives."""
    path = tmp_path / "bank.jsonl"
    write_bank(MIXED, path, workers=2)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("share", [0.0, 0.1, 0.37, 0.9, 0.999, 1.0])
def test_a_bank_goes_on_where_it_stopped(share: float, whole: bytes, tmp_path: Path) -> None:
    """Wherever it was killed, within a line or after one, the same bytes come in the end."""
    path = tmp_path / "bank.jsonl"
    cut = whole[: int(len(whole) * share)]
    part_of(MIXED, path).write_bytes(cut)
    assert write_bank(MIXED, path).kept == cut.count(b"\n")
    assert path.read_bytes() == whole
    assert not part_of(MIXED, path).exists()


@pytest.mark.parametrize("line", [b"{}\n", b"[1]\n", b"junk\n", b"\xff\n"])
def test_what_is_of_no_bank_is_refused(line: bytes, tmp_path: Path) -> None:
    """With its line; nothing is thrown away."""
    path = tmp_path / "bank.jsonl"
    part_of(PLAIN, path).write_bytes(line)
    with pytest.raises(MusegenError, match="line 1 is not of this bank; remove the file"):
        write_bank(PLAIN, path)
    assert part_of(PLAIN, path).read_bytes() == line


def test_another_order_has_another_unfinished_file(tmp_path: Path) -> None:
    """What one order left is not taken for the beginning of another."""
    path = tmp_path / "bank.jsonl"
    assert part_of(PLAIN, path) != part_of(MIXED, path)


def test_a_bank_that_is_there_is_kept(tmp_path: Path) -> None:
    """Without force nothing is replaced."""
    path = tmp_path / "bank.jsonl"
    path.write_text("mine")
    with pytest.raises(MusegenError, match="exists"):
        write_bank(PLAIN, path)
    assert path.read_text() == "mine"


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """In one line, whatever the disk says."""
    (tmp_path / "file").write_text("")
    with pytest.raises(MusegenError, match="cannot be made"):
        write_bank(PLAIN, tmp_path / "file" / "bank.jsonl")


def test_when_all_kinds_have_run_out_it_is_said(tmp_path: Path) -> None:
    """How many there were, and how many were asked."""
    with pytest.raises(MusegenError, match="only 19 different items, 60 were asked"):
        write_bank(Order((("rud.terms", 1),), 60), tmp_path / "bank.jsonl")


def test_all_means_every_kind_at_every_level() -> None:
    """Five rows a kind."""
    rows = rows_of(None, 1, None, ("all",))
    assert len(rows) == len(set(rows)) == 5 * len({name for name, _ in rows})


def test_a_question_is_new_once() -> None:
    """Repetitions are counted in a row, and after many none is new."""
    fresh: Fresh[str] = Fresh()
    assert [fresh.take(each) for each in "aba"] == [True, True, False]
    assert not any(fresh.take("a") for _ in range(60))
    assert fresh.spent
    assert not fresh.take("c")


def test_lines_are_json(whole: bytes) -> None:
    """One object a line."""
    assert all(isinstance(json.loads(line), dict) for line in whole.splitlines())
