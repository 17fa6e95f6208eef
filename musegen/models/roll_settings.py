"""Settings of models of rolls from files, `MODEL.toml` each, and what values they may have.

A file holds fields of the settings of the model that it is named after, such as `lstm.toml`; what it
leaves out is as by default. So a folder of them is a table of rows that can be trained again.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from musegen.errors import FactError, StoredFileError, TrainingError

__all__ = ["check_settings", "read_settings", "settings_with"]

FROM_ZERO = frozenset({"shift", "transpositions", "warm_up"})  # whole numbers that may be 0
SHARES = ("averaging", "dropout", "momentum")  # endings of what lies below 1


def check_settings(settings: Any) -> None:
    """See that every number of some settings can be used.

    Raises:
        TrainingError: names the setting, what came and what is allowed.
    """
    for name, value in asdict(settings).items():
        least = 0 if name in FROM_ZERO or not isinstance(value, int) else 1
        if isinstance(value, bool | str) or value is None:
            continue
        if not value >= least:
            raise TrainingError(f"setting {name} must be {least} or more, got {value}")
        if name.endswith(SHARES) and value >= 1:
            raise TrainingError(f"setting {name} must lie below 1, got {value}")


def settings_with(defaults: Any, values: Mapping[str, Any], where: str) -> Any:
    """Settings with some fields replaced.

    Raises:
        FactError: a field that there is not, or a value of another type; names the file.
    """
    known = asdict(defaults)
    for name, value in values.items():
        if name not in known:
            raise FactError(where, name, f"no such setting, allowed are {', '.join(known)}")
        wanted = type(known[name])
        fits = type(value) is wanted or (wanted is float and type(value) is int)
        if not fits:
            raise FactError(where, name, f"must be of type {wanted.__name__}, got {value!r}")
    chosen = replace(defaults, **values)
    try:
        check_settings(chosen)
    except TrainingError as error:
        raise FactError(where, "settings", str(error)) from error
    return chosen


def read_settings(path: Path, defaults: Any) -> Any:
    """The settings that a file tells of; what it leaves out is as in the defaults.

    Raises:
        StoredFileError: the file cannot be read.
        FactError: a field that the model does not have, or a value that it cannot have.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StoredFileError(path, f"cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise StoredFileError(path, f"is no TOML: {error}") from error
    return settings_with(defaults, values, str(path))
