"""What a technique makes of a form: a fabric, and what is where in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from musegen.plan.layout import Layout
from musegen.plan.template import Template
from musegen.score import Note
from musegen.weaving.course import Course
from musegen.weaving.fabric import Fabric, Free, Silent, Task, Timbre, stated_line
from musegen.weaving.rhythms import HELD, STRUCK
from theory_kb.check import Style
from theory_kb.pitch import Key

__all__ = ["Canonic", "Design", "Loom", "Mark"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A statement of imitated material."""

    kind: str  # subject, answer, countersubject, imitation, ground, variation
    voice: int
    beat: int  # its first
    beats: int
    words: str  # such as "answer, tonal"


@dataclass(frozen=True, slots=True)
class Canonic:
    """That one voice follows another."""

    leader: int
    follower: int
    steps: int
    semitones: int
    lag: int  # beats
    strict: bool
    close: int | None = None  # beat of the free close; None: there is none


@dataclass(frozen=True, slots=True)
class Design:
    """A piece that is ready to be woven."""

    fabric: Fabric
    course: Course
    marks: tuple[Mark, ...]
    canon: Canonic | None = None


@dataclass(slots=True)
class Loom:
    """Where a technique puts together what is to be woven."""

    layout: Layout
    course: Course
    theme: tuple[Note, ...]  # given, or empty
    style: Style
    rng: np.random.Generator
    voices: tuple[Timbre, ...]
    tasks: list[list[Task]] = field(init=False)
    marks: list[Mark] = field(default_factory=list)

    def __post_init__(self) -> None:
        """All voices rest at first."""
        self.tasks = [[Silent()] * self.beats for _ in self.voices]

    @property
    def template(self) -> Template:
        """The form."""
        return self.layout.template

    @property
    def home(self) -> Key:
        """The key of the piece."""
        return self.layout.home

    @property
    def beats(self) -> int:
        """Of the piece."""
        return len(self.course.harmonies)

    @property
    def per_bar(self) -> int:
        """Beats of a bar."""
        return self.layout.metre[0]

    def state(self, voice: int, beat: int, notes: Sequence[Note], beats: int) -> None:
        """Give a voice notes, onsets from the beat on."""
        self.tasks[voice][beat : beat + beats] = stated_line(notes, beats)

    def free(self, voice: int, beats: range, how: Free) -> None:
        """Leave a voice to the search."""
        for beat in beats:
            self.tasks[voice][beat] = how

    def closed(self, *, ends_only: bool = False) -> None:
        """At cadences, or at the last one alone, voices strike the arrival and hold it out."""
        last = max(self.course.cadences)
        for arrival in self.course.cadences:
            if ends_only and arrival != last:
                continue
            for line in self.tasks:
                for beat in range(arrival, arrival + self.per_bar):
                    if isinstance(line[beat], Free):
                        line[beat] = STRUCK if beat == arrival else HELD

    def mark(self, kind: str, voice: int, beat: int, beats: int, words: str) -> None:
        """Note what is where."""
        self.marks.append(Mark(kind, voice, beat, beats, words))

    def design(self, canon: Canonic | None = None, *, crossing: bool = False) -> Design:
        """What was put together."""
        course = self.course
        ends = {beat + self.per_bar - beat % self.per_bar for beat in course.cadences} | course.ends
        fabric = Fabric(
            self.layout.metre,
            self.voices,
            tuple(map(tuple, self.tasks)),
            tuple(course.harmonies),
            course.tops,
            frozenset(course.cadences),
            frozenset(ends - {self.beats}),
            crossing=crossing,
        )
        return Design(fabric, course, tuple(self.marks), canon)
