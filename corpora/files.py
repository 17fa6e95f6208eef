"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from musegen.errors import OutputError

__all__ = ["write_atomic"]


def write_atomic(path: Path, content: bytes) -> None:
    """Write under a temporary name, then rename; an interrupt leaves nothing behind.

    Raises:
        OutputError: the folder cannot be made or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise OutputError(path, f"cannot be written ({error.strerror})") from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.replace(path)
    except OSError as error:
        raise OutputError(path, f"cannot be written ({error.strerror})") from error
    finally:
        temporary.unlink(missing_ok=True)
