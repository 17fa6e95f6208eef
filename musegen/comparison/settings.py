"""Settings of models from a folder of TOML files, one a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from musegen.errors import StoredFileError
from musegen.models.roll_models import default_settings
from musegen.models.roll_settings import read_settings

__all__ = ["stored_settings"]


def stored_settings(
    folder: Path, models: Sequence[str], *, defaults_of: Callable[[str], Any] = default_settings
) -> dict[str, Any]:
    """The settings of each model that the folder has a file of, such as `lstm.toml`.

    Args:
        folder: of the files.
        models: names.
        defaults_of: gives the settings that a file leaves as they are.

    Raises:
        UnknownNameError: no such model.
        StoredFileError: the folder is none, or a file cannot be read.
        FactError: a field that a model does not have, or a value that it cannot have.
    """
    if not folder.is_dir():
        raise StoredFileError(folder, "is no folder of settings")
    found = {}
    for model in models:
        defaults, path = defaults_of(model), folder / f"{model}.toml"
        if path.exists():
            found[model] = read_settings(path, defaults)
    return found
