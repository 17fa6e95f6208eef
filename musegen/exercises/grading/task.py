"""What graders of scores know of an exercise: its chords, what is given, what is to be written.

An item holds it in `facts` as texts that a teacher can read and edit:

    voices   names, high to low: `Soprano Alto Tenor Bass`
    chords   a numeral a slot, as `musegen.plan.chord_text` writes them, without the first key: `i V65*2
             F:V7`; `?` where the student names the chord. Counterpoint has none
    given    voices in the plain notation of `voice_text`; a rest is a place that is not given
    metre    such as `3/4`; left out where the exercise is not barred
    upbeat   quarter notes before the first bar line
    unit     length of a note that states none, in quarter notes: 1 where nothing is said
    phrases  numbers of the slots that end phrases
    cantus   voice of the cantus firmus
    species  of each counterpoint: `Counterpoint=2`
    mode     church mode on the last note of the cantus
    final    of the mode, where the cantus is to be written
    style    style of the knowledge base whose rules a rubric takes where it names severities
    hands    voices of the right hand, of an exercise at the keyboard
    named    `no` where chords have no functions that could be named
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache

from musegen.errors import ScoreError
from musegen.exercises.grading.voice_text import Token, VoiceText, read_voices, timed
from musegen.exercises.item import Draft
from musegen.score import ChordLabel, Metre, Note, Part, Score
from musegen.slices import sounding
from theory_kb.pitch import Key, Pitch, PitchClass

__all__ = ["CHOIR", "FREE_CHORD", "Slot", "Task", "chord_words", "given_words"]

CHOIR = ("Soprano", "Alto", "Tenor", "Bass")
FREE_CHORD = "?"
UNBARRED = Metre(4, 4)


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a chord."""

    onset: Fraction  # quarter notes from the start
    duration: Fraction  # quarter notes
    key: Key
    numeral: str  # empty where the student names it

    @property
    def end(self) -> Fraction:
        """Release in quarter notes."""
        return self.onset + self.duration


@dataclass(frozen=True, slots=True)
class Task:
    """An exercise as graders of scores see it."""

    title: str
    key: Key
    voices: tuple[str, ...]  # high to low
    slots: tuple[Slot, ...]  # none in counterpoint
    given: tuple[tuple[Note, ...], ...]  # of each voice, what must stay
    metre: Metre | None = None
    upbeat: Fraction = Fraction(0)  # quarter notes
    unit: Fraction = Fraction(1)  # quarter notes of a note that states no length
    phrase_ends: tuple[Fraction, ...] = ()  # quarter notes
    cantus: int | None = None  # voice
    species: Mapping[int, int] = field(default_factory=dict)  # by voice
    mode: str | None = None
    final: PitchClass | None = None
    style: str = ""  # of the knowledge base
    hands: int | None = None  # voices of the right hand
    named: bool = True  # whether chords of the student's own are given numerals

    @classmethod
    def of(cls, item: Draft) -> Task:
        """What an item says of itself.

        Raises:
            ScoreError: its facts cannot be read; names the entry.
        """
        return _read(item.key, item.prompt.en, tuple(sorted(item.facts.items())))

    @property
    def duration(self) -> Fraction:
        """Length in quarter notes, as far as slots and given notes tell."""
        ends = [slot.end for slot in self.slots]
        ends += [note.end for line in self.given for note in line]
        return max(ends, default=Fraction(0))

    @property
    def whole_voices(self) -> tuple[int, ...]:
        """Voices that are given from first to last."""
        return tuple(voice for voice, line in enumerate(self.given) if self._is_whole(line))

    def _is_whole(self, line: Sequence[Note]) -> bool:
        if self.slots:
            return all(sounding(line, slot.onset) is not None for slot in self.slots)
        return bool(line)

    @property
    def written_voices(self) -> tuple[int, ...]:
        """Voices in which something is to be written."""
        whole = self.whole_voices
        return tuple(voice for voice in range(len(self.voices)) if voice not in whole)

    def slot_at(self, onset: Fraction) -> int:
        """Index of the slot that a time lies in, the last one after the end; -1 without slots."""
        inside = [number for number, slot in enumerate(self.slots) if slot.onset <= onset]
        return inside[-1] if inside else -1

    def parts(self, text: VoiceText) -> tuple[Part, ...]:
        """Typed voices in time: a token a slot unless some note states its length.

        The names are as they were typed.
        """
        plain = all(token.length is None for line in text.voices.values() for token in line)
        by_slot = bool(self.slots) and plain
        return tuple(
            Part(name, self._slot_notes(line) if by_slot else self._timed_notes(line))
            for name, line in text.voices.items()
        )

    def _slot_notes(self, line: Sequence[Token]) -> tuple[Note, ...]:
        """Notes of a line a slot each; those beyond the last slot go on in its length."""
        found: list[Note] = []
        for number, token in enumerate(line):
            onset, length = self._span(number)
            if token.pitch is None:
                continue
            if token.tied and found and found[-1].pitch == token.pitch:
                last = found.pop()
                found.append(Note(last.onset, onset + length - last.onset, token.pitch))
            else:
                found.append(Note(onset, length, token.pitch))
        return tuple(found)

    def _span(self, number: int) -> tuple[Fraction, Fraction]:
        if number < len(self.slots):
            return self.slots[number].onset, self.slots[number].duration
        last = self.slots[-1]
        return last.end + last.duration * (number - len(self.slots)), last.duration

    def _timed_notes(self, line: Sequence[Token]) -> tuple[Note, ...]:
        bar = (self.metre or UNBARRED).bar
        return tuple(
            Note(onset, length, pitch) for pitch, onset, length in timed(line, self.unit, bar)
        )

    def score(self, lines: Sequence[Sequence[Note]], numerals: Sequence[str] = ()) -> Score:
        """Lines of all voices as a score with what the exercise says of its harmony.

        Args:
            lines: notes by voice.
            numerals: of the slots, where the student names the chords.
        """
        named = numerals or [slot.numeral for slot in self.slots]
        labels = tuple(
            ChordLabel(slot.onset, slot.duration, slot.key, numeral)
            for slot, numeral in zip(self.slots, named, strict=True)
            if numeral
        )
        parts = tuple(
            Part(name, tuple(line)) for name, line in zip(self.voices, lines, strict=True)
        )
        return Score(
            self.title,
            self.key,
            parts,
            (self.metre or UNBARRED,),
            upbeat=self.upbeat,
            chords=labels,
            phrase_ends=self.phrase_ends,
            hands=self.hands,
        )


# --- from the texts of an item --------------------------------------------------------------


@cache
def _read(key: str, title: str, entries: tuple[tuple[str, str], ...]) -> Task:
    facts = dict(entries)
    home = Key.parse(key)
    voices = tuple(facts.get("voices", " ".join(CHOIR)).split())
    slots = tuple(_slots(facts.get("chords", ""), home))
    bare = Task(
        title,
        home,
        voices,
        slots,
        ((),) * len(voices),
        metre=_metre(facts),
        upbeat=_time(facts, "upbeat", "0"),
        unit=_time(facts, "unit", "1"),
        phrase_ends=_ends(facts, slots),
        cantus=_voice(voices, facts["cantus"]) if "cantus" in facts else None,
        species=_species(facts, voices),
        mode=facts.get("mode"),
        final=PitchClass.parse(facts["final"]) if "final" in facts else None,
        style=facts.get("style", ""),
        hands=int(facts["hands"]) if facts.get("hands", "").isdecimal() else None,
        named=facts.get("named") != "no",
    )
    if not facts.get("given"):
        return bare
    parts = bare.parts(read_voices(facts["given"], "facts, given"))
    lines = {_voice(voices, part.name): part.notes for part in parts}
    return replace(bare, given=tuple(lines.get(voice, ()) for voice in range(len(voices))))


def _slots(text: str, key: Key) -> Iterator[Slot]:
    onset = Fraction(0)
    for word in text.split():
        turn, colon, rest = word.rpartition(":")
        key = Key.parse(turn) if colon else key
        numeral, _, length = rest.partition("*")
        try:
            duration = Fraction(length or "1")
        except (ValueError, ZeroDivisionError):
            duration = Fraction(0)
        if duration <= 0:
            raise ScoreError("facts, chords", f"{word!r} must be a numeral with a length, V7*2")
        yield Slot(onset, duration, key, "" if numeral == FREE_CHORD else numeral)
        onset += duration


def _metre(facts: Mapping[str, str]) -> Metre | None:
    if "metre" not in facts:
        return None
    beats, _, unit = facts["metre"].partition("/")
    if not (beats.isdecimal() and unit.isdecimal() and int(beats) and int(unit)):
        raise ScoreError("facts, metre", f"must be such as 3/4, got {facts['metre']!r}")
    return Metre(int(beats), int(unit))


def _time(facts: Mapping[str, str], name: str, usual: str) -> Fraction:
    try:
        return Fraction(facts.get(name, usual))
    except (ValueError, ZeroDivisionError):
        raise ScoreError(f"facts, {name}", f"must be a number, got {facts[name]!r}") from None


def _ends(facts: Mapping[str, str], slots: Sequence[Slot]) -> tuple[Fraction, ...]:
    numbers = facts.get("phrases", "").split()
    if any(not each.isdecimal() or not 1 <= int(each) <= len(slots) for each in numbers):
        allowed = f"numbers of slots from 1 to {len(slots)}"
        raise ScoreError("facts, phrases", f"must be {allowed}, got {facts['phrases']!r}")
    return tuple(slots[int(each) - 1].end for each in numbers)


def _species(facts: Mapping[str, str], voices: Sequence[str]) -> dict[int, int]:
    pairs = [each.partition("=") for each in facts.get("species", "").split()]
    if any(not number.isdecimal() or not 1 <= int(number) <= 5 for _, _, number in pairs):
        raise ScoreError("facts, species", f"must be such as Alto=2, got {facts['species']!r}")
    return {_voice(voices, name): int(number) for name, _, number in pairs}


def _voice(voices: Sequence[str], name: str) -> int:
    if name not in voices:
        raise ScoreError("facts", f"{name!r} must be one of the voices {', '.join(voices)}")
    return voices.index(name)


# --- and back -------------------------------------------------------------------------------


def chord_words(slots: Sequence[Slot], home: Key) -> str:
    """Slots as the entry `chords` writes them."""
    keys = [home, *(slot.key for slot in slots)]
    words = []
    for before, slot in zip(keys, slots, strict=False):
        turn = "" if slot.key == before else f"{_short(slot.key)}:"
        length = "" if slot.duration == 1 else f"*{slot.duration}"
        words.append(f"{turn}{slot.numeral or FREE_CHORD}{length}")
    return " ".join(words)


def _short(key: Key) -> str:
    """A key as one word: `F#` is major, `f#` minor."""
    return key.tonic.name if key.mode == "major" else key.tonic.name.lower()


def given_words(lines: Mapping[str, Sequence[Pitch | None]]) -> str:
    """Notes a slot each as the entry `given` writes them; None is a place that is not given."""
    return "\n".join(
        f"{name}: {' '.join('r' if pitch is None else pitch.name for pitch in line)}"
        for name, line in lines.items()
    )
