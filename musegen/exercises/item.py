"""The record of an exercise: what is given, what is asked, the key, and what a wrong answer means.

Answers are texts by part of the question: a typed answer, the value of a choice, or a score (as
MusicXML, or in the plain notation of voices). Pitches are named with their spelling, `F#4` for
the fourth octave, which begins at middle C.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from musegen.exercises.records import read_json, read_record, record_schema, record_values

__all__ = [
    "LEVELS",
    "Answer",
    "Ask",
    "Distractor",
    "Draft",
    "Form",
    "Given",
    "Heard",
    "Item",
    "Lang",
    "Solutions",
    "Text",
    "Uniqueness",
    "alternatives",
]

Answer = Mapping[str, str]  # by id of the part
Form = Literal["choice", "multiple", "text", "number", "score"]
Lang = Literal["en", "zh"]
Uniqueness = Literal["U", "F", "R"]  # one answer; a finite set, all stored; judged by rules
LEVELS = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence in both languages."""

    en: str
    zh: str

    def to(self, lang: Lang) -> str:
        """The sentence in one language."""
        return self.en if lang == "en" else self.zh


@dataclass(frozen=True, slots=True)
class Heard:
    """What the question plays; the student sees none of it, the key shows it engraved."""

    musicxml: str
    tempo: float = 72.0  # quarter notes a minute
    timbre: str = "piano"  # a key of `musegen.io.audio.TIMBRES`
    plays: int = 2  # how often it may be heard in an examination


@dataclass(frozen=True, slots=True)
class Given:
    """What the question shows, and what it plays."""

    text: str = ""  # in words and names of notes; enough to answer without the picture
    musicxml: str = ""  # empty where nothing is shown on staves
    ids: tuple[str, ...] = ()  # ids of the given notes in the MusicXML, in order
    heard: Heard | None = None  # None where nothing is played


@dataclass(frozen=True, slots=True)
class Ask:
    """One part of the question."""

    id: str  # within the item, such as `answer` or `rn`
    form: Form
    reader: str  # how it is read and compared: a row of `musegen.exercises.grading.readers`
    prompt: Text  # what the field is labelled with
    points: int  # most that it gives
    options: tuple[str, ...] = ()  # of a choice, in the order shown; the key is among them
    voices: tuple[str, ...] = ()  # of a score: those to be written
    labels: Mapping[str, Text] = field(default_factory=dict)  # of values that are words

    def shown(self, value: str, lang: Lang) -> str:
        """A value as a student reads it."""
        return self.labels[value].to(lang) if value in self.labels else value


def alternatives(value: str) -> tuple[str, ...]:
    """An accepted answer with the first way of each slot, then with each other way of one slot."""
    if "=" not in value or value.lstrip().startswith("<"):
        return (value,)
    slots = [slot.split("=") for slot in value.split(" ")]
    first = [ways[0] for ways in slots]
    others = [
        [*first[:place], way, *first[place + 1 :]]
        for place, ways in enumerate(slots)
        for way in ways[1:]
    ]
    return tuple(" ".join(each) for each in (first, *others))


@dataclass(frozen=True, slots=True)
class Solutions:
    """The key; in a row of slots `cad64=I64` says that a slot takes either."""

    accepted: Mapping[str, tuple[str, ...]]  # by part: all that give full marks, or the models
    count: int | None = None  # how many full answers there are; None where rules judge, uncounted

    @property
    def model(self) -> dict[str, str]:
        """The answer that is shown: of each part the first, of each slot the first way."""
        return {part: alternatives(values[0])[0] for part, values in self.accepted.items()}


@dataclass(frozen=True, slots=True)
class Distractor:
    """A wrong answer and what one who gives it believes."""

    part: str
    value: str
    op: str  # operator that made it: D1 to D14, a key of `musegen.exercises.distractors`
    misconception: str  # id of what is believed, or of the fault that is in it
    said: Text  # what to tell who gives it


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An exercise as a maker leaves it, without proof and name."""

    key: str  # of the music, such as `D minor`; empty where there is none
    given: Given
    ask: tuple[Ask, ...]
    prompt: Text
    uniqueness: Uniqueness
    solutions: Solutions
    hints: tuple[Text, ...]  # where to look; how, with the first step; one right element
    why: Text  # the solution with its reasons
    rubric: str = "typed"
    tolerance: Mapping[str, str] = field(default_factory=dict)
    distractors: tuple[Distractor, ...] = ()
    kg: tuple[str, ...] = ()  # nodes of the knowledge graph that it exercises
    facts: Mapping[str, str] = field(default_factory=dict)  # what grading must know besides

    @property
    def points(self) -> int:
        """Most that the item gives."""
        return sum(part.points for part in self.ask)

    def part(self, name: str) -> Ask:
        """A part by its id."""
        return next(each for each in self.ask if each.id == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Draft):
    """An exercise that was proved."""

    id: str  # of the kind, such as `int.name`
    version: int  # of the kind: rises when the same seed gives another item
    seed: int
    level: int  # 1 to 5
    lang: Lang

    @property
    def name(self) -> str:
        """What tells it from every other item, fit for the name of a file."""
        return f"{self.id}-l{self.level}-s{self.seed}-v{self.version}"

    @classmethod
    def of(cls, draft: Draft, **identity: Any) -> Item:
        """A draft with its name."""
        return cls(**{each.name: getattr(draft, each.name) for each in fields(draft)}, **identity)

    def to_json(self) -> str:
        """The record as JSON: who it is first, then what it asks."""
        values = record_values(self)
        order = ("id", "version", "seed", "level", "lang")
        ordered = {name: values.pop(name) for name in order} | values
        return json.dumps(ordered, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str = "item") -> Item:
        """An item from JSON.

        Raises:
            RecordError: it is no JSON, or a field is missing, unknown or of another type.
        """
        return read_record(cls, read_json(text, where), where)

    @staticmethod
    def schema() -> dict[str, Any]:
        """JSON Schema of the record."""
        return record_schema(Item, "musegen exercise item")
