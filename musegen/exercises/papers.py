"""Papers: items of one kind, of a syllabus, or a mix with points to a total."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle, islice
from pathlib import Path

from musegen.errors import OptionError, UnknownNameError
from musegen.exercises.item import LEVELS, Item, Lang, Text
from musegen.exercises.kinds import Setting, kind, kinds
from musegen.exercises.making import make_items
from musegen.exercises.records import read_record

__all__ = [
    "Order",
    "Paper",
    "Syllabus",
    "check_order",
    "each_item",
    "make_paper",
    "rows_of",
    "syllabi",
]

FILE = Path(__file__).parent / "syllabi.toml"
MOST = 100_000  # items of a paper
ALL = "all"  # in place of a mix


@dataclass(frozen=True, slots=True)
class Syllabus:
    """What an examination asks for."""

    title: Text
    rows: tuple[tuple[str, int], ...]  # kinds and levels, in order


@dataclass(frozen=True, slots=True)
class Order:
    """What a teacher asks for."""

    rows: tuple[tuple[str, int], ...]  # kinds with levels, taken in turn
    count: int
    seed: int = 0
    lang: Lang = "en"
    title: str = ""
    setting: Setting = field(default_factory=Setting)


@dataclass(frozen=True, slots=True)
class Paper:
    """Items to hand out together."""

    title: str
    lang: Lang
    items: tuple[Item, ...]
    discarded: Mapping[str, int]  # draws that were thrown away, by kind

    @property
    def points(self) -> int:
        """Most that the paper gives."""
        return sum(item.points for item in self.items)


@cache
def syllabi() -> Mapping[str, Syllabus]:
    """All syllabi by name."""
    table = tomllib.loads(FILE.read_text(encoding="utf-8"))
    found = {}
    for name, entry in table.items():
        rows = tuple((str(row[0]), int(row[1])) for row in entry["rows"])
        title = read_record(Text, entry["title"], f"syllabi.toml: {name}.title")
        for each, level in rows:
            if each not in kinds() or level not in LEVELS:
                raise UnknownNameError(f"kind of exercise in syllabi.toml, {name}", each, kinds())
        found[name] = Syllabus(title, rows)
    return found


def rows_of(
    name: str | None, level: int, syllabus: str | None, mix: Sequence[str]
) -> tuple[tuple[str, int], ...]:
    """Kinds with levels that an order names in one of three ways.

    Args:
        name: a kind, at the level.
        level: 1 to 5.
        syllabus: name of a syllabus, in place of a kind.
        mix: kinds, each with or without its level after a colon, in place of either; `all` alone
            means every kind at every level.

    Raises:
        OptionError: none of them is named, or two.
        UnknownNameError: a kind or syllabus that does not exist.
    """
    named = [bool(name), bool(syllabus), bool(mix)]
    if sum(named) != 1:
        raise OptionError("make", name or "", "one kind, or --syllabus, or --mix")
    if syllabus:
        if syllabus not in syllabi():
            raise UnknownNameError("syllabus", syllabus, syllabi())
        return syllabi()[syllabus].rows
    if name:
        return ((kind(name).id, level),)
    if mix == (ALL,):
        return tuple((each, number) for number in LEVELS for each in kinds())
    return tuple(_row(text, level) for text in mix)


def _row(text: str, level: int) -> tuple[str, int]:
    name, _, own = text.partition(":")
    kind(name)
    if own and not own.isdecimal():
        raise OptionError("--mix", text, "a kind, or a kind and its level as int.name:3")
    return name, int(own) if own else level


def each_item(order: Order) -> Iterator[tuple[Item, int]]:
    """Items of an order one by one, each with the number of draws thrown away for it.

    Raises:
        OptionError: a count out of range.
        MakingError: a kind has not so many different items at its level.
    """
    check_order(order)
    shares = Counter(islice(cycle(order.rows), order.count))
    streams = {row: _stream(order, row, count) for row, count in shares.items()}
    return (next(streams[row]) for row in islice(cycle(order.rows), order.count))


def check_order(order: Order) -> None:
    """Refuse what no order can ask for; raises OptionError."""
    if not 1 <= order.count <= MOST:
        raise OptionError("--count", order.count, f"from 1 to {MOST}")
    for _, level in order.rows:
        if level not in LEVELS:
            raise OptionError("--level", level, f"from {LEVELS[0]} to {LEVELS[-1]}")
    if order.seed < 0:
        raise OptionError("--seed", order.seed, "a whole number from 0")


def make_paper(order: Order, told: Callable[[int, int], None] | None = None) -> Paper:
    """Make the items of an order; the same order gives the same paper.

    An interrupt ends the work; the paper then holds what was finished, if anything was.

    Args:
        order: what is asked for.
        told: hears how many are done, and of how many.

    Raises:
        OptionError: a count out of range.
        MakingError: a kind has not so many different items at its level.
    """
    discarded: Counter[str] = Counter()
    items: list[Item] = []
    try:
        for item, thrown in each_item(order):
            items.append(item)
            discarded[item.id] += thrown
            if told is not None:
                told(len(items), order.count)
    except KeyboardInterrupt:
        if not items:
            raise
    return Paper(order.title, order.lang, tuple(items), dict(discarded))


def _stream(order: Order, row: tuple[str, int], count: int) -> Iterator[tuple[Item, int]]:
    made = make_items(row[0], row[1], order.seed, count, setting=order.setting, lang=order.lang)
    return ((each.item, sum(each.discarded.values())) for each in made)
