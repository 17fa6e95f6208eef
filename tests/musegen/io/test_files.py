from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from musegen.errors import OutputError
from musegen.io.files import PIECE, check_target, write_file, write_files


def names(folder: Path) -> list[str]:
    """All names in a folder, hidden ones too."""
    return sorted(each.name for each in folder.iterdir())


class Interrupted(Mapping[str, bytes]):
    """One file, and then the user presses the keys that stop a program."""

    def __getitem__(self, name: str) -> bytes:
        """The file."""
        return b"half"

    def __iter__(self) -> Iterator[str]:
        """One name and no more."""
        yield "one"
        raise KeyboardInterrupt

    def __len__(self) -> int:
        """What was meant."""
        return 2


def deny(*_: object, **__: object) -> bool:
    """A right that nobody has."""
    return False


def full(*_: object, **__: object) -> None:
    """A disk without room."""
    raise OSError(28, "No space left on device")


def test_folder_appears_with_all_its_files(tmp_path: Path) -> None:
    """Parents are made, nothing else is left beside it, and everyone may read it."""
    target = tmp_path / "a" / "b" / "piece"
    write_files(target, {"one": b"1", "two": b"2"}, force=False)
    assert {each.name: each.read_bytes() for each in target.iterdir()} == {"one": b"1", "two": b"2"}
    assert names(target.parent) == ["piece"]
    assert target.stat().st_mode & 0o755 == 0o755


def test_what_exists_is_not_touched_without_force(tmp_path: Path) -> None:
    """The message says how to go on."""
    write_files(tmp_path / "piece", {"one": b"old"}, force=False)
    with pytest.raises(OutputError, match=r"piece: exists; give --force to replace it"):
        write_files(tmp_path / "piece", {"one": b"new"}, force=False)
    assert (tmp_path / "piece" / "one").read_bytes() == b"old"


def test_force_replaces_the_folder_whole(tmp_path: Path) -> None:
    """Files of the old piece that the new one lacks are gone."""
    write_files(tmp_path / "piece", {"one": b"old", "two": b"old"}, force=False)
    write_files(tmp_path / "piece", {"one": b"new"}, force=True)
    assert names(tmp_path / "piece") == ["one"]
    assert (tmp_path / "piece" / "one").read_bytes() == b"new"
    assert names(tmp_path) == ["piece"]


@pytest.mark.parametrize("force", [False, True])
def test_interrupt_leaves_what_was_there(tmp_path: Path, *, force: bool) -> None:
    """Stopped in the middle, the old folder stands whole or nothing does, and no scrap is left."""
    target = tmp_path / "piece"
    if force:
        write_files(target, {"one": b"old", "two": b"old"}, force=False)
    with pytest.raises(KeyboardInterrupt):
        write_files(target, Interrupted(), force=force)
    assert names(tmp_path) == (["piece"] if force else [])
    if force:
        assert [each.read_bytes() for each in target.iterdir()] == [b"old", b"old"]


@pytest.mark.parametrize("failing", ["write_bytes", "rename"])
def test_full_disk_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """If the disk refuses a file, or the last renaming, the old folder is back in its place."""
    target = tmp_path / "piece"
    write_files(target, {"one": b"old"}, force=False)
    monkeypatch.setattr(Path, failing, full)
    with pytest.raises(OutputError, match=r"piece: cannot be written: No space left on device"):
        write_files(target, {"one": b"new"}, force=True)
    monkeypatch.undo()
    assert (target / "one").read_bytes() == b"old"
    assert names(tmp_path) == ["piece"]


def test_folder_that_cannot_be_moved_away_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the system refuses to move the old folder, no scrap is left beside it."""
    write_files(tmp_path / "piece", {"one": b"old"}, force=False)
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError, match="cannot be written"):
        write_files(tmp_path / "piece", {"one": b"new"}, force=True)
    assert names(tmp_path) == ["piece"]
    assert (tmp_path / "piece" / "one").read_bytes() == b"old"


def test_force_never_removes_folders(tmp_path: Path) -> None:
    """A folder that holds folders is no piece of ours; it may be a whole home."""
    (tmp_path / "home" / "letters").mkdir(parents=True)
    for write in (check_target, lambda path, *, force: write_files(path, {}, force=force)):
        with pytest.raises(
            OutputError, match="holds the folder letters, which --force never removes"
        ):
            write(tmp_path / "home", force=True)
    assert names(tmp_path / "home") == ["letters"]


@pytest.mark.parametrize("force", [False, True])
def test_place_below_a_file_is_refused(tmp_path: Path, *, force: bool) -> None:
    """The message names the file that is in the way."""
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(OutputError, match=r"cannot be made: .*file is not a folder"):
        check_target(tmp_path / "file" / "a" / "b", force=force)
    with pytest.raises(OutputError, match=r"file: "):
        check_target(tmp_path / "file", force=force)
    assert (tmp_path / "file").read_bytes() == b"x"


def test_folder_without_right_to_write_is_refused_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any work, by the nearest folder that exists."""
    monkeypatch.setattr(os, "access", deny)
    with pytest.raises(OutputError, match="cannot be made: no right to write in") as caught:
        check_target(tmp_path / "a" / "b", force=False)
    assert str(caught.value).endswith(str(tmp_path))


def test_folder_that_cannot_be_looked_at_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parent that may not be entered is a refusal, not a crash."""

    def refuse(*_: object, **__: object) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", refuse)
    with pytest.raises(OutputError, match=r"b: cannot be made: Permission denied"):
        check_target(tmp_path / "a" / "b", force=False)


@pytest.mark.parametrize("name", ["a" * 300, "a\0b"])
def test_name_that_no_disk_holds_is_refused(tmp_path: Path, name: str) -> None:
    """Too long, or with a letter that no path has."""
    with pytest.raises(OutputError, match="cannot be"):
        write_files(tmp_path / name, {"one": b"1"}, force=False)
    with pytest.raises(OutputError, match="cannot be written"):
        write_file(tmp_path / name, b"1")
    assert names(tmp_path) == []


def test_file_is_replaced_whole(tmp_path: Path) -> None:
    """Parents are made; nothing is left beside it."""
    path = tmp_path / "a" / "file"
    write_file(path, b"old")
    write_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert names(path.parent) == ["file"]


def test_file_below_a_file_is_refused(tmp_path: Path) -> None:
    """The path is named and the file in the way stays."""
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(OutputError, match=r"below: cannot be written: "):
        write_file(tmp_path / "file" / "below", b"1")
    assert (tmp_path / "file").read_bytes() == b"x"


def test_file_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    """A folder is not replaced by a file, and no scrap is left; nor has a file no name."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="cannot be written: Is a directory"):
        write_file(tmp_path / "folder", b"1")
    assert names(tmp_path) == ["folder"]
    with pytest.raises(OutputError, match="cannot be written"):
        write_file(Path(), b"1")


def test_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was there is there, whole."""
    write_file(tmp_path / "file", b"old")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError, match="file: cannot be written: No space left on device"):
        write_file(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_files_of_another_are_never_removed(tmp_path: Path) -> None:
    """A folder that holds a file of another name is refused even with force, and stays whole."""
    target = tmp_path / "piece"
    write_files(target, {"score.mid": b"old"}, force=False, own=PIECE)
    (target / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError, match=r"holds the file thesis\.tex, which --force never"):
        write_files(target, {"score.mid": b"new"}, force=True, own=PIECE)
    assert (target / "thesis.tex").read_text() == "years of work"
    assert (target / "score.mid").read_bytes() == b"old"
