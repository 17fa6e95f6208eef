"""From a seed to an item: drafts are drawn until one is proved.

Proof is by the grader that will judge the students: the model answer gets full marks and every
distractor less. What a maker cannot make of a draw, or what the proof refuses, is discarded and
counted; the next draw of the same seed follows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from musegen.errors import MusegenError, OptionError
from musegen.exercises.item import LEVELS, Item, Lang, alternatives
from musegen.exercises.kinds import DiscardError, Kind, Setting, kind

__all__ = [
    "Fresh",
    "Made",
    "MakingError",
    "make_item",
    "make_items",
    "proof_faults",
    "question",
]

_Q = TypeVar("_Q")

MOST_DRAWS = 60  # of one seed, before it is given up


class MakingError(MusegenError):
    """No item comes of a seed."""


@dataclass(frozen=True, slots=True)
class Made:
    """An item, and what was thrown away on the way."""

    item: Item
    discarded: Mapping[str, int] = field(default_factory=dict)  # draws by reason


def make_item(
    name: str, level: int, seed: int, *, setting: Setting | None = None, lang: Lang = "en"
) -> Made:
    """The item of a seed; the same arguments give the same item.

    Args:
        name: id of the kind.
        level: 1 to 5.
        seed: whole number from 0.
        setting: what the teacher asks for besides.
        lang: language that it will be handed out in; the record holds both.

    Raises:
        UnknownNameError: there is no such kind.
        OptionError: there is no such level, or the seed is negative.
        MakingError: no draw of the seed was proved.
    """
    if level not in LEVELS:
        raise OptionError("--level", level, f"from {LEVELS[0]} to {LEVELS[-1]}")
    if seed < 0:
        raise OptionError("--seed", seed, "a whole number from 0")
    found = kind(name)
    reasons: Counter[str] = Counter()
    for draw in range(MOST_DRAWS):
        rng = np.random.default_rng([seed, draw, level, *found.id.encode()])
        try:
            draft = found.make(level, rng, setting or Setting())
        except DiscardError as error:
            reasons[str(error)] += 1
            continue
        item = Item.of(draft, id=found.id, version=found.version, seed=seed, level=level, lang=lang)
        faults = proof_faults(found, item)
        if not faults:
            return Made(item, dict(reasons))
        reasons.update(faults)
    why = ", ".join(f"{reason} ({count})" for reason, count in reasons.most_common(3))
    raise MakingError(f"{name}, level {level}, seed {seed}: none of {MOST_DRAWS} draws held: {why}")


def make_items(
    name: str,
    level: int,
    seed: int,
    count: int,
    *,
    setting: Setting | None = None,
    lang: Lang = "en",
) -> Iterator[Made]:
    """So many different items, of consecutive seeds; a question that came already is passed over.

    Raises:
        MakingError: a seed gives no item, or the kind has not so many at this level.
    """
    fresh: Fresh[tuple[str, ...]] = Fresh()
    number = seed
    while len(fresh.seen) < count:
        made = make_item(name, level, number, setting=setting, lang=lang)
        number += 1
        item = made.item
        heard = item.given.heard.musicxml if item.given.heard else ""
        if fresh.take(question(item.key, item.given.text, heard, item.solutions.accepted)):
            yield made
        elif fresh.spent:
            raise MakingError(
                f"{name}, level {level}: only {len(fresh.seen)} different items, {count} were asked"
            )


@dataclass(slots=True)
class Fresh(Generic[_Q]):
    """Questions of a kind at a level that came already."""

    seen: set[_Q] = field(default_factory=set)
    misses: int = 0  # seeds in a row whose question had come

    @property
    def spent(self) -> bool:
        """Whether no further question is looked for."""
        return self.misses > MOST_DRAWS

    def take(self, asked: _Q) -> bool:
        """Whether a question is new; none is where no further one is looked for."""
        new = not self.spent and asked not in self.seen
        if new:
            self.seen.add(asked)
        self.misses = 0 if new else self.misses + 1
        return new


def question(
    key: str, given: str, heard: str, accepted: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """What makes two items the same to a student: key, what is read and heard, accepted answers."""
    return (key, given, heard, *(value for values in accepted.values() for value in values))


def proof_faults(found: Kind, item: Item) -> list[str]:
    """What is wrong with an item, by its own grader; empty where it is proved."""
    faults = found.faults(item)
    faults += [
        f"accepted answer to {part} without full marks"
        for part, values in item.solutions.accepted.items()
        for accepted in values
        for value in alternatives(accepted)
        if not found.regrade(item, {**item.solutions.model, part: value}).full
    ]
    for each in item.distractors:
        graded = found.regrade(item, {**item.solutions.model, each.part: each.value})
        if graded.points >= graded.most:
            faults.append(f"distractor {each.op} with full marks")
    faults += [
        f"an option of {part.id} twice"
        for part in item.ask
        if len(set(part.options)) < len(part.options)
    ]
    return faults
