"""A table over a folder: rows in order, a list of problems, and runs that go on where they stopped."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from musegen.descriptors.table import columns
from musegen.errors import OptionError, OutputError
from musegen.tasks.describe import describe_files, kept_rows, problems_of

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


def test_what_cannot_be_written_is_refused_before_any_work(
    files: list[Path], tmp_path: Path
) -> None:
    """Another format, a table that is there, no process."""
    with pytest.raises(OptionError, match=r"ends in \.csv"):
        describe_files(files, tmp_path / "out.parquet")
    with pytest.raises(OptionError, match="--jobs"):
        describe_files(files, tmp_path / "out.csv", jobs=0)
    (tmp_path / "there.csv").write_text("mine")
    with pytest.raises(OutputError, match="--force"):
        describe_files(files, tmp_path / "there.csv")
    assert (tmp_path / "there.csv").read_text() == "mine"
