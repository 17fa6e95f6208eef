"""The rules: a record in `facts/rules/` and a function here for each, in files by what they see.

Importing this package compiles nothing and reads no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from theory_kb.rules.engine import Kernel, PieceRule, kernels, piece_rules

__all__ = ["FILES", "functions"]

FILES = (
    "sonority",
    "doubling",
    "voice_pair",
    "tendency",
    "line",
    "six_four",
    "harmony",
    "dissonance",
    "phrase",
    "contour",
)


@cache
def _load() -> None:
    for name in FILES:
        import_module(f"theory_kb.rules.{name}")


def functions(*, piece: bool = True) -> Mapping[str, Kernel | PieceRule]:
    """Every rule function by id; without those on whole pieces if `piece` is false."""
    _load()
    return {**kernels(), **(piece_rules() if piece else {})}
