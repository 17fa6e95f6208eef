"""A table over a folder: rows in order, a list of problems, and runs that go on where they stopped."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest
from arro3.io import read_parquet

from musegen.descriptors.table import columns
from musegen.errors import OptionError, OutputError
from musegen.tasks.describe import TEXTS, describe_files, kept_rows, problems_of

TUNES = {"a": "CEGc|", "b": "cBAG|", "c": "GFED|"}


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three tunes, and a file that is none."""
    folder = tmp_path / "tunes"
    folder.mkdir()
    for name, tune in TUNES.items():
        (folder / f"{name}.abc").write_text(f"X:1\nT:{name}\nM:4/4\nL:1/4\nK:C\n{tune}\n")
    (folder / "broken.musicxml").write_text("<score")
    return sorted(folder.iterdir())


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_table_has_a_row_for_each_piece_and_a_list_of_problems(
    files: list[Path], tmp_path: Path
) -> None:
    """Four files, three rows in order; the fourth is told with its reason, and nothing else stays."""
    table = tmp_path / "out.csv"
    report = describe_files(files, table)
    found = rows(table)
    assert [row["title"] for row in found] == ["a", "b", "c"]
    assert list(found[0]) == ["file", "piece", "title", "key", *columns()]
    assert float(found[0]["pitch_highest"]) == 72
    assert found[0]["tempo"] == ""
    (problem,) = rows(problems_of(table))
    assert "broken.musicxml" in problem["problem"]
    assert (report.rows, len(report.problems), report.kept) == (3, 1, 0)
    assert not kept_rows(table).exists()


def test_a_run_that_was_broken_off_goes_on(files: list[Path], tmp_path: Path) -> None:
    """What was finished is kept, a line that was cut is not believed, and the bytes are the same."""
    whole, table = tmp_path / "whole.csv", tmp_path / "out.csv"
    describe_files(files, whole)

    def stop(done: int, total: int) -> None:
        assert total == 4
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        describe_files(files, table, progress=stop)
    assert not table.exists()
    with kept_rows(table).open("a") as file:
        file.write('{"mark": "cut')
    report = describe_files(files, table)
    assert report.kept == 2
    assert table.read_bytes() == whole.read_bytes()


def test_a_file_that_changed_is_described_anew(files: list[Path], tmp_path: Path) -> None:
    """Rows are kept by what the file holds, not by its name."""
    table = tmp_path / "out.csv"

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        describe_files(files, table, progress=stop)
    files[0].write_text(files[0].read_text().replace("CEGc", "CEGe"))
    report = describe_files(files, table)
    assert report.kept == 0
    assert float(rows(table)[0]["pitch_highest"]) == 76


def test_two_processes_make_the_same_table(files: list[Path], tmp_path: Path) -> None:
    """Bytes do not depend on the number of processes."""
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    describe_files(files, one)
    describe_files(files, two, jobs=2)
    assert one.read_bytes() == two.read_bytes()


def test_parquet_holds_what_csv_holds(files: list[Path], tmp_path: Path) -> None:
    """Texts as texts, numbers as doubles, what does not exist as null; the problems stay CSV."""
    plain, table = tmp_path / "plain.csv", tmp_path / "out.parquet"
    describe_files(files, plain)
    describe_files(files, table)
    found = read_parquet(table).read_all()
    assert found.column_names == list(rows(plain)[0])
    for name in found.column_names:
        cells = list(found.column(name).to_pylist())
        text = [row[name] for row in rows(plain)]
        if name in TEXTS:
            assert cells == text
        else:
            assert cells == [float(cell) if cell else None for cell in text]
    assert found.column("tempo").null_count == 3
    assert problems_of(table).name == "out.problems.csv"


def test_parquet_is_the_same_bytes_again(files: list[Path], tmp_path: Path) -> None:
    """No clock and no chance is in the file; a run over no piece leaves a table without rows."""
    one, two, none = (tmp_path / f"{name}.parquet" for name in ("one", "two", "none"))
    describe_files(files, one)
    describe_files(files, two)
    assert one.read_bytes() == two.read_bytes()
    describe_files(files[:0], none)
    assert read_parquet(none).read_all().shape == (0, len(columns()) + 4)


def test_parquet_without_its_library_is_refused(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal names the extra, and comes before any work."""
    monkeypatch.setitem(sys.modules, "arro3.io", None)
    with pytest.raises(OptionError, match=r"install musegen\[parquet\]"):
        describe_files(files, tmp_path / "out.parquet")
    assert not kept_rows(tmp_path / "out.parquet").exists()


def test_what_cannot_be_written_is_refused_before_any_work(
    files: list[Path], tmp_path: Path
) -> None:
    """Another format, a table that is there, no process."""
    with pytest.raises(OptionError, match=r"ends in \.csv or \.parquet"):
        describe_files(files, tmp_path / "out.tsv")
    with pytest.raises(OptionError, match="--jobs"):
        describe_files(files, tmp_path / "out.csv", jobs=0)
    (tmp_path / "there.csv").write_text("mine")
    with pytest.raises(OutputError, match="--force"):
        describe_files(files, tmp_path / "there.csv")
    assert (tmp_path / "there.csv").read_text() == "mine"
