"""Writing whole or not at all: files take their final name only when everything is there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path

from musegen.errors import OutputError

__all__ = ["PIECE", "check_file_target", "check_target", "write_file", "write_files"]

PIECE = (
    "score.*",
    "score-*.*",
    "explanation.*",
    "provenance.json",
)  # names of the files of a composed piece


def check_target(folder: Path, *, force: bool, own: Sequence[str] = ("*",)) -> None:
    """Refuse early what `write_files` would refuse late.

    Raises:
        OutputError: the folder exists and `force` is not set, holds what is not among its `own`
            files, or could not be made.
    """
    try:
        _check_folder(folder, force=force, own=own)
    except (OSError, ValueError) as error:  # the latter: no name that a disk could hold
        raise OutputError(folder, f"cannot be made: {_reason(error)}") from error


def _check_folder(folder: Path, *, force: bool, own: Sequence[str]) -> None:
    if folder.exists() and not force:
        raise OutputError(folder, "exists; give --force to replace it or another --out")
    if folder.exists() and not folder.is_dir():
        raise OutputError(folder, "is not a folder; give another --out")
    strange = _strange(folder, own) if folder.exists() else None
    if strange is not None:
        raise OutputError(folder, f"holds {strange}, which --force never removes")
    parent = next((each for each in folder.absolute().parents if each.exists()), folder)
    if not parent.is_dir():
        raise OutputError(folder, f"cannot be made: {parent} is not a folder")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(folder, f"cannot be made: no right to write in {parent}")


def _strange(folder: Path, own: Sequence[str]) -> str | None:
    """What stands in a folder and was not written there by us."""
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            return f"the folder {entry.name}"
        if not any(fnmatch(entry.name, pattern) for pattern in own):
            return f"the file {entry.name}"
    return None


def write_files(
    folder: Path, contents: Mapping[str, bytes], *, force: bool, own: Sequence[str] = ("*",)
) -> None:
    """Write files into a folder that appears with all of them or not at all.

    Args:
        folder: appears under this name; replaced whole if it is there and `force` is set, unless
            it holds anything but its own files.
        contents: bytes by file name.
        force: replace what is there.
        own: patterns of the names of files that may be replaced.

    Raises:
        OutputError: see `check_target`; or the disk refused.
    """
    check_target(folder, force=force, own=own)
    scratch: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        scratch.chmod(0o755)
        for name, data in contents.items():
            (scratch / name).write_bytes(data)
        _replace(scratch, folder)
    except (OSError, ValueError) as error:
        raise OutputError(folder, f"cannot be written: {_reason(error)}") from error
    finally:
        if scratch is not None and scratch.exists():
            shutil.rmtree(scratch, ignore_errors=True)


def _replace(scratch: Path, folder: Path) -> None:
    """Give a finished folder its name; what stood there goes only then."""
    if not folder.exists():
        scratch.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    try:
        os.replace(folder, old)
    except BaseException:
        old.rmdir()
        raise
    try:
        scratch.rename(folder)
    except BaseException:
        os.replace(old, folder)
        raise
    shutil.rmtree(old)


def check_file_target(path: Path, *, force: bool) -> None:
    """Refuse early a single file that could not be written.

    Raises:
        OutputError: the file exists and `force` is not set, is a folder, or could not be made.
    """
    try:
        if path.is_dir():
            raise OutputError(path, "is a folder; give the name of a file")
        if path.exists() and not force:
            raise OutputError(path, "exists; give --force to replace it, or another name")
        parent = next((each for each in path.absolute().parents if each.exists()), path)
        if not parent.is_dir():
            raise OutputError(path, f"cannot be made: {parent} is not a folder")
        if not os.access(parent, os.W_OK | os.X_OK):
            raise OutputError(path, f"cannot be made: no right to write in {parent}")
    except (OSError, ValueError) as error:
        raise OutputError(path, f"cannot be made: {_reason(error)}") from error


def write_file(path: Path, data: bytes) -> None:
    """Write one file by way of a temporary name.

    Raises:
        OutputError: the disk refused.
    """
    scratch: Path | None = None
    try:
        scratch = path.with_name(f".{path.name}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_bytes(data)
        os.replace(scratch, path)
    except (OSError, ValueError) as error:
        raise OutputError(path, f"cannot be written: {_reason(error)}") from error
    finally:
        with suppress(OSError, ValueError):  # where the folder itself is none, nothing was left
            if scratch is not None:
                scratch.unlink(missing_ok=True)


def _reason(error: OSError | ValueError) -> str:
    """What the system says, without the path."""
    return str(getattr(error, "strerror", None) or error)
