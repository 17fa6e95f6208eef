from __future__ import annotations

from pathlib import Path

import pytest

from musegen.errors import ScoreError
from musegen.io.pieces import Reading
from musegen.io.reading import SUFFIXES, read_pieces, score_files

KERN = "**kern\n*M2/4\n4c\n4d\n*-\n"


def test_format_follows_from_the_suffix_in_any_case(tmp_path: Path) -> None:
    """A suffix in capitals is read too; one that is none names those that are read."""
    path = tmp_path / "PIECE.KRN"
    path.write_text(KERN)
    (reading,) = read_pieces(path)
    assert isinstance(reading, Reading)
    with pytest.raises(ScoreError, match=r"is none of the formats that are read \(\.musicxml"):
        read_pieces(tmp_path / "piece.pdf")


def test_folders_are_walked_in_order_without_what_is_hidden(tmp_path: Path) -> None:
    """Scores of all formats under a folder by name; other and hidden files are passed over."""
    for name in ("b.krn", "a/c.abc", "a/d.MID", ".hidden/e.krn", ".f.krn", "notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    found = [path.relative_to(tmp_path).as_posix() for path in score_files([tmp_path])]
    assert found == ["a/c.abc", "a/d.MID", "b.krn"]


def test_link_to_a_folder_above_does_not_walk_forever(tmp_path: Path) -> None:
    """A folder that holds a link to itself is walked once."""
    (tmp_path / "a.krn").write_text("")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert [path.name for path in score_files([tmp_path])] == ["a.krn"]


def test_named_files_come_as_they_are_named(tmp_path: Path) -> None:
    """A named file is taken whatever its suffix; a missing path or an empty folder is refused."""
    path = tmp_path / "x.txt"
    path.write_text("")
    assert list(score_files([path, path])) == [path, path]
    with pytest.raises(ScoreError, match=r"none\.krn: does not exist"):
        list(score_files([tmp_path / "none.krn"]))
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ScoreError, match=r"holds no score"):
        list(score_files([empty]))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_refuses_an_empty_file_in_one_line(tmp_path: Path, suffix: str) -> None:
    """No reader lets a library's own error through."""
    path = tmp_path / f"empty{suffix}"
    path.write_bytes(b"")
    with pytest.raises(ScoreError) as caught:
        read_pieces(path)
    assert "\n" not in str(caught.value)
