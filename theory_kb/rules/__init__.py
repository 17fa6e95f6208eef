"""The rules: a record in `facts/rules/` and a function here for each, in files by what they see.

Importing this package compiles nothing and reads no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from theory_kb.rules.engine import Kernel, PieceRule, kernels, piece_rules

__all__ = ["files", "functions"]
FOLDER = Path(__file__).parent.parent / "facts" / "rules"


@cache
def files() -> tuple[str, ...]:
    """Names of the files of rules: `line.toml` holds the records of the functions in `line.py`."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def _load() -> None:
    for name in files():
        import_module(f"theory_kb.rules.{name}")


def functions(*, piece: bool = True) -> Mapping[str, Kernel | PieceRule]:
    """Every rule function by id; without those on whole pieces if `piece` is false."""
    _load()
    return {**kernels(), **(piece_rules() if piece else {})}
