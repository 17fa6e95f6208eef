"""How a score is played: loudness, slowing down, slurs, touches. The amounts are facts (`expression.toml`).

Loudness follows the dynamic marks, the arch of each phrase, the metre and the height of the tune, and
voices below the tune stay under it (rules of the KTH system; Friberg, Bresin & Sundberg 2006). At ends
the tempo falls as a runner stops (Friberg & Sundberg 1999). Slurs and touches stand where one player
has a tune over chords; a choir sings as its words would tell it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from musegen.score import Direction, Expression, Hairpin, Note, Score, Slur, Touch
from theory_kb.catalogue import Entry, catalogue, entry
from theory_kb.metre import beat_strength, beat_ticks
from theory_kb.moment import TICKS

__all__ = ["PIANO", "expressed"]

PIANO, CHOIR = 0, 52  # General MIDI instruments, from 0
LOUDEST = 127
STRONGEST = 4  # beat strength of a downbeat
USUAL = "mf"  # where no mark stands
GROWTH = 2  # bars of a crescendo into a louder mark
GROUP = 2  # notes of the shortest slur
LINE = 0.75  # share of the notes of a line that meet the next


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A phrase, the top of its tune, and how it is phrased."""

    start: Fraction
    top: Fraction
    end: Fraction
    manner: Entry
    line: bool  # whether most of its notes meet; else they are a figure that the hands share

    def arch(self, time: Fraction) -> float:
        """From -1/2 at its ends to 1/2 at its top, as a parabola on either side."""
        run = self.top - self.start if time <= self.top else self.end - self.top
        gone = time - self.start if time <= self.top else self.end - time
        x = float(gone / run) if run else 1.0
        return x * (2 - x) - 0.5


@dataclass(frozen=True, slots=True)
class _Reading:
    """A score as its player reads it."""

    score: Score
    phrases: tuple[_Phrase, ...]
    alone: bool  # whether one player has a tune over chords

    @property
    def tune(self) -> tuple[Note, ...]:
        return self.score.parts[0].notes

    def phrase(self, time: Fraction) -> _Phrase:
        return next(each for each in reversed(self.phrases) if each.start <= time)


def expressed(score: Score, *, words: str = "", program: int | None = None) -> Score:
    """The score with its expression; notes, and what is said in words, stay.

    Args:
        score: a piece with its phrase ends; without any it is one phrase.
        words: how all of it is phrased; empty: as the words of each section say.
        program: General MIDI instrument, from 0; None: a piano for two hands or a tune, else a choir.
    """
    if not score.duration:
        return score
    reading = _read(score, words)
    sheet = score.symbols and score.hands is None  # a lead sheet, whose players phrase it
    phrased = reading.alone and not sheet
    slurs = tuple(_slurs(reading)) if phrased else ()
    touches = tuple(_touches(reading, slurs)) if phrased else ()
    hairpins = tuple(_hairpins(reading))
    slowings = _slowings(reading)
    usual = PIANO if reading.alone else CHOIR
    how = Expression(
        tuple(_velocities(reading, part, hairpins, touches) for part in range(len(score.parts))),
        tuple(_tempos(reading, slowings)),
        usual if program is None else program,
        slurs,
        touches,
        hairpins,
    )
    slowed = [
        Direction(start, "words", str(fact["words"]))
        for start, _, fact in slowings
        if fact.get("words")
    ]
    directions = sorted((*score.directions, *slowed), key=lambda each: each.onset)
    return replace(score, directions=tuple(directions), expression=how)


def _read(score: Score, words: str) -> _Reading:
    ends = [end for end in score.phrase_ends if 0 < end < score.duration]
    tune = score.parts[0].notes
    phrases = []
    for start, end in pairwise([Fraction(0), *ends, score.duration]):
        inside = [note for note in tune if start <= note.onset < end]
        top = max(inside, key=lambda note: (note.pitch.semitone, -note.onset), default=None)
        manner = _manner(words or _words(score, start))
        met = sum(before.end == after.onset for before, after in pairwise(inside))
        line = met >= LINE * (len(inside) - 1)
        phrases.append(_Phrase(start, start if top is None else top.onset, end, manner, line))
    alone = score.hands is not None or len(score.parts) == 1
    return _Reading(score, tuple(phrases), alone)


def _words(score: Score, time: Fraction) -> str:
    """The words that hold at a time: the last ones of its section."""
    before = [each for each in score.directions if each.onset <= time]
    start = max((each.onset for each in before if each.kind == "section"), default=Fraction(0))
    found = [each.text for each in before if each.kind == "words" and each.onset >= start]
    return found[-1] if found else ""


def _manner(words: str) -> Entry:
    """The manner that words name, else the usual one."""
    return entry("manner", words if words in catalogue()["manner"] else "usual")


def _bar(score: Score, time: Fraction) -> tuple[Fraction, Fraction]:
    """The bar line at or before a time, and the length of a bar there."""
    metre = score.metre_at(time)
    start = metre.onset + (score.upbeat if metre is score.metres[0] else 0)
    return start + (time - start) // metre.bar * metre.bar, metre.bar


def _strength(score: Score, time: Fraction) -> int:
    metre = score.metre_at(time)
    line, _ = _bar(score, time)
    return beat_strength(metre.beats, metre.unit, int((time - line) * TICKS))


# --- loudness -------------------------------------------------------------------------------


def _marks(score: Score) -> list[tuple[Fraction, int]]:
    """Velocities of the dynamic marks, from the beginning on."""
    marks = [
        (each.onset, int(entry("dynamic", each.text)["velocity"]))
        for each in score.directions
        if each.kind == "dynamics"
    ]
    usual = int(entry("dynamic", USUAL)["velocity"])
    return marks if marks and marks[0][0] == 0 else [(Fraction(0), usual), *marks]


def _hairpins(reading: _Reading) -> Iterator[Hairpin]:
    """What grows into a louder mark; else a swell about the top of a phrase, if there is room."""
    score = reading.score
    marks = _marks(score)
    louder = {time for (_, before), (time, after) in pairwise(marks) if after > before}
    for phrase in reading.phrases:
        line, bar = _bar(score, phrase.top)
        if phrase.end in louder and phrase.end - phrase.start > GROWTH * bar:
            yield Hairpin(phrase.end - GROWTH * bar, phrase.end, louder=True)
            continue
        wide = phrase.top - line
        wide += bar if wide < bar / 2 else 0
        if phrase.start + bar <= phrase.top <= phrase.end - 2 * bar:
            yield Hairpin(phrase.top - wide, phrase.top, louder=True)
            yield Hairpin(phrase.top, phrase.top + bar, louder=False)


def _velocities(
    reading: _Reading, part: int, hairpins: Sequence[Hairpin], touches: Sequence[Touch]
) -> tuple[int, ...]:
    """The loudness of each note of a part."""
    score = reading.score
    beat, arch, high, under = (
        float(entry("nuance", name)["velocity"]) for name in ("beat", "phrase", "high", "under")
    )
    semitones = [note.pitch.semitone for note in reading.tune]
    middle = sum(semitones) / max(1, len(semitones))
    louder = {
        each.onset: int(entry("touch", each.kind)["louder"])
        for each in touches
        if each.part == part
    }
    found = []
    for note in score.parts[part].notes:
        phrase = reading.phrase(note.onset)
        level = _level(score, hairpins, note.onset) + arch * phrase.arch(note.onset)
        level += beat * (_strength(score, note.onset) / STRONGEST - 0.5)
        level += high * (note.pitch.semitone - middle) if part == 0 else 0.0
        level += under if part and reading.alone else 0.0
        found.append(min(LOUDEST, max(1, round(level + louder.get(note.onset, 0)))))
    return tuple(found)


def _level(score: Score, hairpins: Sequence[Hairpin], time: Fraction) -> float:
    """Velocity of the mark in force, on its way to the next one under a crescendo that leads to it."""
    marks = _marks(score)
    place = max(number for number, (onset, _) in enumerate(marks) if onset <= time)
    level = marks[place][1]
    if place + 1 == len(marks):
        return level
    goal, next_level = marks[place + 1]
    for each in hairpins:
        if each.end == goal and each.start <= time < each.end:
            share = (time - each.start) / (each.end - each.start)
            return level + float(share) * (next_level - level)
    return level


# --- tempo ----------------------------------------------------------------------------------

_Slowing = tuple[Fraction, Fraction, Entry]


def _slowings(reading: _Reading) -> list[_Slowing]:
    """Where the tempo falls: before the end, before sections, before phrases, never two at once."""
    score = reading.score
    sections = {each.onset for each in score.directions if each.kind == "section"}
    found: list[_Slowing] = []
    for phrase in reading.phrases:
        name = "phrase"
        if phrase is reading.phrases[-1]:
            name = "final"
        elif phrase.end in sections:
            name = "section"
        fact = entry("slowing", name)
        _, bar = _bar(score, phrase.start)
        length = min(bar * Fraction(fact["bars"]), (phrase.end - phrase.start) / 2)
        line, _ = _bar(score, phrase.end - length)
        found.append((max(line, phrase.start), phrase.end, fact))
    return found


def _tempos(reading: _Reading, slowings: Sequence[_Slowing]) -> Iterator[tuple[Fraction, float]]:
    """Quarter notes a minute, step by step where the tempo falls."""
    score = reading.score
    stated = {Fraction(0): score.tempo}
    stated |= {each.onset: float(each.text) for each in score.directions if each.kind == "tempo"}
    found = dict(stated)
    for start, end, fact in slowings:
        metre = score.metre_at(start)
        step = Fraction(beat_ticks(metre.beats, metre.unit), TICKS) / 2
        least, curve = float(fact["least"]), float(fact["curve"])
        time = start + step
        while time < end:
            share = (1 + (least**curve - 1) * float((time - start) / (end - start))) ** (1 / curve)
            found[time] = round(_stated(stated, time) * share, 2)
            time += step
        if end < score.duration:
            found[end] = _stated(stated, end)
    return iter(sorted(found.items()))


def _stated(stated: dict[Fraction, float], time: Fraction) -> float:
    return stated[max(each for each in stated if each <= time)]


# --- slurs and touches ----------------------------------------------------------------------


def _slurs(reading: _Reading) -> Iterator[Slur]:
    """Runs of the tune under slurs: they end at rests, wide leaps, notes struck again, phrase ends."""
    group: list[Note] = []
    for note in reading.tune:
        if group and not _goes_on(reading, group, note):
            yield from _slurred(group)
            group = []
        group.append(note)
    yield from _slurred(group)


def _slurred(group: Sequence[Note]) -> Iterator[Slur]:
    if len(group) >= GROUP:
        yield Slur(0, group[0].onset, group[-1].onset)


def _goes_on(reading: _Reading, group: Sequence[Note], note: Note) -> bool:
    """Whether a note belongs under the slur of those before it."""
    last = group[-1]
    move = abs(note.pitch.step - last.pitch.step)
    phrase = reading.phrase(note.onset)
    if note.onset > last.end or last.onset < phrase.start or not phrase.line:
        return False
    if not 0 < move <= phrase.manner["widest"]:
        return False
    first, bar = _bar(reading.score, phrase.start)
    stretch = bar * Fraction(phrase.manner["slur"])
    return (note.onset - first) // stretch == (group[0].onset - first) // stretch


def _touches(reading: _Reading, slurs: Sequence[Slur]) -> Iterator[Touch]:
    """Short notes apart, and notes that begin off the beat and are held over it."""
    score = reading.score
    metre = score.metre
    beat = Fraction(beat_ticks(metre.beats, metre.unit), TICKS)
    ends = {phrase.end for phrase in reading.phrases}
    for note in reading.tune:
        under = any(each.start <= note.onset <= each.end for each in slurs)
        phrase = reading.phrase(note.onset)
        manner = phrase.manner
        short = note.duration <= beat * Fraction(manner["longest"]) and note.end not in ends
        if not phrase.line:
            continue
        if _syncopated(score, note, beat):
            yield Touch(0, note.onset, "accent")
        elif manner.get("touch") and short and not under:
            yield Touch(0, note.onset, str(manner["touch"]))


def _syncopated(score: Score, note: Note, beat: Fraction) -> bool:
    """Whether a note is struck on a weaker place than one that it is held over."""
    line, _ = _bar(score, note.onset)
    over = line + ((note.onset - line) // beat + 1) * beat
    return over < note.end and _strength(score, over) > _strength(score, note.onset)
