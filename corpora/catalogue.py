"""The catalogue of corpora: what `catalogue.toml` says of each, checked."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

from musegen.errors import FactError, StoredFileError, UnknownNameError

__all__ = ["Entry", "digest", "entry", "entry_names", "verified_files"]

FILE = "catalogue.toml"


@dataclass(frozen=True, slots=True)
class Entry:
    """One corpus of the catalogue."""

    name: str
    title: str
    origin: str
    licence: str
    package: str  # installed Python package that carries the files
    version: str  # of that package, with which the checksum was made
    folder: str  # inside the package
    suffixes: tuple[str, ...]
    checksum: str  # SHA-256 over the sorted lines "name sha256"
    files: int  # scores in the folder
    four_part: int  # of them with exactly four parts
    split: str  # data file
    slips: str  # data file


@cache
def _entries() -> dict[str, Entry]:
    text = (resources.files("corpora") / FILE).read_text(encoding="utf-8")
    return {name: _checked(name, record) for name, record in tomllib.loads(text).items()}


def _checked(name: str, record: dict[str, object]) -> Entry:
    expected = {field.name for field in fields(Entry)} - {"name"}
    wrong = expected ^ set(record)
    if wrong:
        raise FactError(FILE, name, f"missing or unknown fields: {', '.join(sorted(wrong))}")
    suffixes = record.pop("suffixes")
    if not isinstance(suffixes, list):
        raise FactError(FILE, name, f"suffixes must be a list, got {suffixes!r}")
    return Entry(name=name, suffixes=tuple(suffixes), **record)  # type: ignore[arg-type]


def entry_names() -> tuple[str, ...]:
    """Names of the corpora."""
    return tuple(_entries())


def entry(name: str) -> Entry:
    """The corpus of this name; raises UnknownNameError."""
    if name not in _entries():
        raise UnknownNameError("corpus", name, _entries())
    return _entries()[name]


def digest(paths: Sequence[Path]) -> str:
    """SHA-256 over the lines "name sha256", sorted by name."""
    lines = sorted(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in paths)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def verified_files(of: Entry) -> tuple[Path, ...]:
    """The corpus files, sorted by name, after their checksum was compared.

    Raises:
        StoredFileError: the package is missing, or carries other files than those catalogued.
    """
    spec = find_spec(of.package)
    if spec is None or not spec.submodule_search_locations:
        raise StoredFileError(of.package, f"not installed; corpus {of.name} needs {of.version}")
    folder = Path(spec.submodule_search_locations[0]) / of.folder
    if not folder.is_dir():
        raise StoredFileError(folder, f"missing; corpus {of.name} needs {of.package} {of.version}")
    paths = tuple(sorted(path for path in folder.iterdir() if path.suffix in of.suffixes))
    found = digest(paths)
    if found != of.checksum:
        raise StoredFileError(
            folder,
            f"checksum {found[:12]} is not that of the catalogue ({of.checksum[:12]}); "
            f"corpus {of.name} needs {of.package} {of.version}",
        )
    return paths
