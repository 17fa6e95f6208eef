"""Writing whole or not at all: files take their final name only when everything is there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from musegen.errors import OutputError

__all__ = ["check_target", "write_file", "write_files"]


def check_target(folder: Path, *, force: bool) -> None:
    """Refuse early what `write_files` would refuse late.

    Raises:
        OutputError: the folder exists and `force` is not set, or could not be made.
    """
    if folder.exists() and not force:
        raise OutputError(folder, "exists; give --force to replace it or another --out")
    if folder.exists() and not folder.is_dir():
        raise OutputError(folder, "is not a folder; give another --out")
    parent = next(each for each in folder.absolute().parents if each.exists())
    if not parent.is_dir():
        raise OutputError(folder, f"cannot be made: {parent} is not a folder")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(folder, f"cannot be made: no right to write in {parent}")


def write_files(folder: Path, contents: Mapping[str, bytes], *, force: bool) -> None:
    """Write files into a folder that appears with all of them or not at all.

    Args:
        folder: appears under this name; replaced whole if it is there and `force` is set.
        contents: bytes by file name.
        force: replace what is there.

    Raises:
        OutputError: see `check_target`; or the disk refused.
    """
    check_target(folder, force=force)
    scratch: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        scratch.chmod(0o755)
        for name, data in contents.items():
            (scratch / name).write_bytes(data)
        _replace(scratch, folder)
    except OSError as error:
        raise OutputError(folder, f"cannot be written: {error.strerror or error}") from error
    finally:
        if scratch is not None and scratch.exists():
            shutil.rmtree(scratch, ignore_errors=True)


def _replace(scratch: Path, folder: Path) -> None:
    """Give a finished folder its name; what stood there goes only then."""
    if not folder.exists():
        scratch.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    os.replace(folder, old)
    try:
        scratch.rename(folder)
    except BaseException:
        os.replace(old, folder)
        raise
    shutil.rmtree(old)


def write_file(path: Path, data: bytes) -> None:
    """Write one file by way of a temporary name.

    Raises:
        OutputError: the disk refused.
    """
    scratch = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_bytes(data)
        os.replace(scratch, path)
    except OSError as error:
        raise OutputError(path, f"cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):  # where the folder itself is none, nothing was left
            scratch.unlink(missing_ok=True)
