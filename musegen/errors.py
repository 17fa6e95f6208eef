"""Everything that can be refused, as one tree: catch `MusegenError` and you catch it all.

    MusegenError             one line that says what is wrong and what is allowed
      FactError              a fact, rule, style or form file: names file and entry
      UnknownNameError       a name that is in no table: names what is allowed
      PitchError             a pitch, interval or key text that cannot be read
      OptionError            an option's value: names the option and what is allowed
      ScoreError             a score that cannot be read, or that is not what the task needs
      OutputError            a place that cannot be written to, or where something already is
      StoredFileError        weights, cache or corpus file that is damaged or does not belong here
      InfeasibleError        no piece meets the plan and the hard rules: names the slot
      DeadEndError           rules that look far back left nothing within the search's patience
      TrainingError          a model that cannot be trained on what it was given

An interrupt stays Python's own `KeyboardInterrupt`. Errors of `theory_kb` and `musegen.search` are
defined there and are at hand here too.
"""

from __future__ import annotations

from pathlib import Path

from musegen.search.errors import DeadEndError, InfeasibleError
from theory_kb.errors import FactError, MusegenError, UnknownNameError
from theory_kb.pitch import PitchError

__all__ = [
    "DeadEndError",
    "FactError",
    "InfeasibleError",
    "MusegenError",
    "OptionError",
    "OutputError",
    "PitchError",
    "ScoreError",
    "StoredFileError",
    "TrainingError",
    "UnknownNameError",
]


class OptionError(MusegenError):
    """A value that an option does not take."""

    def __init__(self, option: str, got: object, allowed: str) -> None:
        """Name the option, what came, and what is allowed."""
        super().__init__(f"{option} must be {allowed}, got {got!r}")
        self.option, self.got, self.allowed = option, got, allowed


class ScoreError(MusegenError):
    """A score that cannot be read, or that is not what the task needs."""

    def __init__(self, where: str, problem: str) -> None:
        """Name the file or the place in the piece, and what is wrong there."""
        super().__init__(f"{where}: {problem}")
        self.where, self.problem = where, problem


class OutputError(MusegenError):
    """A file or folder that cannot be written."""

    def __init__(self, path: Path | str, problem: str) -> None:
        """Name the path and what to do about it."""
        super().__init__(f"{path}: {problem}")
        self.path, self.problem = Path(path), problem


class StoredFileError(MusegenError):
    """A stored file (weights, cache, corpus) that is damaged or does not belong here."""

    def __init__(self, path: Path | str, problem: str) -> None:
        """Name the file, what is wrong with it and how to make it anew."""
        super().__init__(f"{path}: {problem}")
        self.path, self.problem = Path(path), problem


class TrainingError(MusegenError):
    """A model that cannot be trained on what it was given."""
