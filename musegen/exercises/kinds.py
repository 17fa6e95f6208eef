"""The kinds of exercise: rows of the catalogue, each with its maker and its grader.

A row says everything that differs between kinds that share a maker: titles and instructions,
what each level asks for, parameters. The files of `catalogue/` hold the rows, one file a family.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from musegen.errors import FactError, UnknownNameError
from musegen.exercises.grading.graded import Graded
from musegen.exercises.item import LEVELS, Answer, Draft, Form, Item, Text, Uniqueness
from musegen.exercises.records import RecordError, read_record

__all__ = ["DiscardError", "Kind", "Setting", "Work", "kind", "kinds"]

_T = TypeVar("_T")
TRIES = 10  # draws of a part of an exercise, before the whole is drawn anew
NO_TEXT = Text("", "")
CATALOGUE = Path(__file__).parent / "catalogue"


class DiscardError(Exception):
    """A draw that makes no exercise; the next is tried, and the case is counted."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the teacher asks for besides kind, level and seed."""

    key_range: int = 7  # most sharps or flats of a key signature
    tempo: float | None = None  # of what is played, quarter notes a minute; None: the kind's
    timbre: str = "piano"  # of what is played, a key of `musegen.io.audio.TIMBRES`
    plays: int | None = None  # how often it may be heard; None: as often as the kind says
    form: Form | None = None  # of the answer, where a kind has several; None: its first


@dataclass(frozen=True, slots=True)
class Work:
    """What a maker is given."""

    kind: Kind
    level: int  # 1 to 5
    rng: np.random.Generator
    setting: Setting

    @property
    def params(self) -> Mapping[str, Any]:
        """Parameters of the level, over those of the kind."""
        return {**self.kind.params, **self.kind.levels[self.level - 1].params}

    @property
    def form(self) -> Form:
        """Of the answer: what the teacher asks for if the kind has it, else the kind's first."""
        wanted = self.setting.form
        return wanted if wanted is not None and wanted in self.kind.forms else self.kind.forms[0]

    def pick(self, choices: Sequence[_T]) -> _T:
        """One of several, by chance."""
        return choices[int(self.rng.integers(len(choices)))]

    def settle(self, draw: Callable[[], _T]) -> _T:
        """The first of several draws that makes something; raises DiscardError if none does."""
        for _ in range(TRIES - 1):
            try:
                return draw()
            except DiscardError:
                continue
        return draw()


Maker = Callable[[Work], Draft]
Grader = Callable[[Item, Answer], Graded]


@dataclass(frozen=True, slots=True)
class Level:
    """What one level of a kind asks for."""

    said: Text
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of exercise."""

    id: str
    family: str  # letter of the specification
    title: Text
    instruction: Text
    forms: tuple[Form, ...]  # of the parts of the answer
    uniqueness: Uniqueness
    maker: str  # `module:function` under musegen.exercises
    levels: tuple[Level, ...]  # five, from easy to hard
    params: Mapping[str, Any] = field(default_factory=dict)  # of the maker, at every level
    hints: tuple[Text, ...] = ()  # where to look; how; one right element; {names} are filled in
    why: Text = NO_TEXT  # the solution with its reasons
    tolerance: Mapping[str, str] = field(default_factory=dict)  # what is let pass
    grader: str = "grading.typed:grade_typed"
    proof: str = ""  # `module:function`: what else is wrong with an item, such as planted faults
    rubric: str = "typed"
    version: int = 1  # rises when the same seed gives another item
    minutes: int = 1  # that a student needs, about

    def make(self, level: int, rng: np.random.Generator, setting: Setting) -> Draft:
        """Draw a draft; raises DiscardError where the draw makes none."""
        maker: Maker = _function(self.maker)
        return maker(Work(self, level, rng, setting))

    def regrade(self, item: Item, answer: Answer) -> Graded:
        """Grade an answer by the item's own rubric."""
        grader: Grader = _function(self.grader)
        return grader(item, answer)

    def faults(self, item: Item) -> list[str]:
        """What is wrong with an item by the proof of its own kind, if it has one."""
        if not self.proof:
            return []
        prove: Callable[[Item], list[str]] = _function(self.proof)
        return prove(item)


@cache
def _function(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(f"musegen.exercises.{module}"), name)


@cache
def kinds() -> Mapping[str, Kind]:
    """All kinds by id, in the order of the catalogue's files.

    Raises:
        FactError: a file of the catalogue is wrong.
    """
    found: dict[str, Kind] = {}
    for path in sorted(CATALOGUE.glob("*.toml")):
        for name, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
            found[name] = _kind(path.name, name, entry)
    return found


def kind(name: str) -> Kind:
    """A kind by id; raises UnknownNameError."""
    if name not in kinds():
        raise UnknownNameError("kind of exercise", name, kinds())
    return kinds()[name]


def _kind(file: str, name: str, entry: Mapping[str, Any]) -> Kind:
    try:
        levels = [_level(each) for each in entry.get("levels", ())]
        row = read_record(Kind, {**entry, "id": name, "levels": levels}, name)
    except RecordError as error:
        raise FactError(file, error.where, error.problem) from error
    if len(row.levels) != len(LEVELS):
        raise FactError(file, name, f"levels must be {len(LEVELS)}, got {len(row.levels)}")
    return row


def _level(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A level as it is written, its words apart from its parameters."""
    said = {name: entry[name] for name in ("en", "zh") if name in entry}
    return {"said": said, "params": {name: entry[name] for name in entry if name not in said}}
