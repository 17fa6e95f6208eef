"""Working with themes: what each bar of a unit takes from its theme, and what it draws anew.

A unit is new, or it repeats, varies, fragments, inverts … what was heard, as its template says. What
comes of that is a row of bars, each with its note values and the steps between its notes; where a
theme returns as it was, with its pitches too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from musegen.motive import Motive, in_turn
from musegen.plan.layout import UnitLayout
from musegen.plan.plan import Harmony, Slot
from musegen.score import Note
from musegen.textures.rhythm import Pattern, TuneRhythm, draw_bar, draw_plan
from theory_kb.chords import chord
from theory_kb.errors import UnknownNameError
from theory_kb.metre import beat_ticks
from theory_kb.moment import TICKS
from theory_kb.pitch import Interval, Key, Pitch

__all__ = ["SAME", "Bar", "Statement", "imitated", "moved_harmony", "moved_pitch", "work_out"]

SAME = frozenset({"repeat", "return"})
TRANSFORMS: Mapping[str, Callable[[Motive], Motive]] = {
    "invert": Motive.inverted,
    "retrograde": Motive.retrograde,
    "augment": Motive.augmented,
    "diminish": Motive.diminished,
    "liquidate": Motive.liquidated,
}
WORKED = frozenset({"fragment", "develop", "sequence", *TRANSFORMS})
TAIL = 2  # bars at the end of a unit that a new close takes
IDEA = 2  # bars of a basic idea
PARALLEL = 0.6  # odds that a second phrase begins as the first did
COURSES = ((0, 1, 0, 1), (0, 0, 1, 1), (0, 1, 0, 0), (0, 0, 0, 1))  # bars that a working takes up
FEMININE = 0.5  # odds that a half cadence comes to rest after its strong beat (`cadence-feminine`)
HALF = frozenset({"cad-hc", "cad-phrygian", "cad-dominant-arrival"})
CONTRAST = 1.7  # factor on the density of a tune that contrasts
OCTAVES = (3, 4, 5)
FINEST = Fraction(1, 4)  # quarter notes
DIVIDED = {  # note values that a variation divides, and into how many
    Fraction(2): 2,
    Fraction(3, 2): 3,
    Fraction(1): 2,
    Fraction(1, 2): 2,
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a tune before it has its pitches."""

    pattern: Pattern  # note values, in quarter notes; may be shorter than the bar
    steps: tuple[int | None, ...] = ()  # into each note; None leaves it open
    pitches: tuple[Pitch | None, ...] = ()  # that stand; empty: none
    theme: str = ""  # whose bar it takes over, chords and all
    source: int | None = None  # the bar, from 0
    like: int | None = None  # bar of its own unit whose steps it takes up

    def step(self, place: int) -> int | None:
        """The staff steps into a note."""
        return self.steps[place] if place < len(self.steps) else None

    def pitch(self, place: int) -> Pitch | None:
        """What a note must be."""
        return self.pitches[place] if place < len(self.pitches) else None


@dataclass(frozen=True, slots=True)
class Statement:
    """A unit as it was written: what later units take up."""

    unit: UnitLayout
    kind: str  # of its cadence, or "none"
    slots: tuple[tuple[Slot, Harmony], ...]
    notes: tuple[Note, ...]  # onsets from the start of the unit
    bar: Fraction  # quarter notes of a bar

    def inside(self, bar: int) -> tuple[Note, ...]:
        """The notes that begin in a bar, from 0."""
        return tuple(
            note for note in self.notes if bar * self.bar <= note.onset < (bar + 1) * self.bar
        )

    def motive(self, bars: int = IDEA) -> Motive:
        """The motive of its first bars."""
        return Motive.of([note for note in self.notes if note.onset < bars * self.bar])


def work_out(
    unit: UnitLayout,
    known: Mapping[str, Statement],
    kind: str,
    rhythm: TuneRhythm,
    *,
    rng: np.random.Generator,
    last: Fraction,
    spare: int = 0,
) -> list[Bar]:
    """The bars of a unit.

    Args:
        unit: what is to be filled.
        known: what was stated, by theme.
        kind: the cadence that it closes with, or "none".
        rhythm: of the tune.
        rng: draws what is new.
        last: quarter notes of the last note of a phrase.
        spare: bars at its end that are not taken over though they could be.
    """
    section = unit.section
    source = known.get(section.theme)
    root = known.get(section.theme.partition(".")[0])
    relations = set(section.relations)
    if source is not None and (relations & SAME or not relations):
        bars = _taken_over(unit, source, kind, spare)
    elif source is not None and "vary" in relations:
        bars = _varied(unit, source, kind, spare)
    elif root is not None and relations & WORKED:
        bars = _worked(unit, root, relations, rng)
    elif root is not None and section.theme != root.unit.section.theme:
        bars = _continued(unit, root, rhythm, rng)
    else:
        contrast = "contrast" in relations
        heard = _patterns(known) if contrast else ()
        bars = _new(unit, rhythm, contrast=contrast, rng=rng, known=heard)
    return _with_close(bars, unit, _arrival(kind, last, rhythm, rng))


def imitated(
    unit: UnitLayout, bars: Sequence[Bar], source: int, place: int, *, last: Fraction
) -> list[Bar]:
    """A unit that takes up a theme of its own phrase, whose pitches are not known yet.

    Args:
        unit: what is to be filled.
        bars: of the theme.
        source: where these begin in the phrase, in bars.
        place: where the unit begins.
        last: quarter notes of the last note of a phrase.
    """
    count = 1 if set(unit.section.relations) & WORKED else len(bars)
    made = [
        Bar(bars[number % count].pattern, like=source + number % count - place)
        for number in range(unit.section.bars)
    ]
    return _with_close(made, unit, (last,))


# --- as it was ------------------------------------------------------------------------------


def _kept(unit: UnitLayout, source: Statement, kind: str, spare: int) -> int:
    """How many bars of a theme stand unchanged: all, or all but those of a new close."""
    shared = min(unit.section.bars, source.unit.section.bars)
    if source.unit.start.mode != unit.start.mode:
        return 0
    moved = source.unit.start != source.unit.end or unit.start != unit.end
    alike = kind == source.kind and unit.section.bars == source.unit.section.bars
    if moved and _goal(source.unit) != _goal(unit):
        alike = False
    kept = shared if alike else max(1, shared - TAIL)
    return max(0, kept - spare)


def _goal(unit: UnitLayout) -> tuple[int, str]:
    return unit.end.tonic.fifths - unit.start.tonic.fifths, unit.end.mode


def _taken_over(unit: UnitLayout, source: Statement, kind: str, spare: int) -> list[Bar]:
    kept = _kept(unit, source, kind, spare)
    bars = []
    for number in range(unit.section.bars):
        notes = source.inside(number % source.unit.section.bars)
        pattern = _pattern(notes, source.bar)
        steps = _steps(source, notes)
        if number < kept:
            pitches = tuple(
                moved_pitch(note.pitch, source.unit.start, unit.start) for note in notes
            )
            bars.append(Bar(pattern, steps, pitches, source.unit.section.theme, number))
        else:
            bars.append(Bar(pattern, steps))
    return bars


def _pattern(notes: Sequence[Note], bar: Fraction) -> Pattern:
    return tuple(note.duration for note in notes) or (bar,)


def _steps(source: Statement, notes: Sequence[Note]) -> tuple[int | None, ...]:
    before = {
        after.onset: note for note, after in zip(source.notes, source.notes[1:], strict=False)
    }
    return tuple(
        note.pitch.step - before[note.onset].pitch.step if note.onset in before else None
        for note in notes
    )


def moved_pitch(pitch: Pitch, before: Key, after: Key) -> Pitch:
    """A pitch of one key in another of its mode, the nearer way."""
    return pitch + _distance(before, after)


def _distance(before: Key, after: Key) -> Interval:
    ways = [Pitch.of(after.tonic, octave) - Pitch.of(before.tonic, 4) for octave in OCTAVES]
    return min(ways, key=lambda way: (abs(way.semitones), way.semitones))


def moved_harmony(harmony: Harmony, before: Key, after: Key) -> Harmony | None:
    """A chord of one key in another of its mode; None if it belongs to a third key."""
    if harmony.key != before or before.mode != after.mode:
        return None
    try:
        return Harmony(after, chord(after.mode, harmony.chord.symbol))
    except UnknownNameError:
        return None


# --- varied ---------------------------------------------------------------------------------


def _varied(unit: UnitLayout, source: Statement, kind: str, spare: int) -> list[Bar]:
    """The theme with its longer notes divided: what was struck stays, what comes between is new."""
    plain = _taken_over(unit, source, kind, spare)
    finest = max(min((note.duration for note in source.notes), default=Fraction(1)), FINEST)
    varied = []
    for bar in plain:
        pattern: list[Fraction] = []
        pitches: list[Pitch | None] = []
        for place, value in enumerate(bar.pattern):
            parts = DIVIDED.get(value, 1) if value > finest else 1
            pattern += [value / parts] * parts
            pitches += [bar.pitch(place), *[None] * (parts - 1)]
        varied.append(Bar(tuple(pattern), (), tuple(pitches), bar.theme, bar.source))
    return varied


# --- worked with ----------------------------------------------------------------------------


def _worked(
    unit: UnitLayout, root: Statement, relations: set[str], rng: np.random.Generator
) -> list[Bar]:
    """Bars made of the first two of a theme, in some order, transformed as the relations say."""
    models = [_motive_of(root, place) for place in range(IDEA) if root.inside(place)]
    for name in sorted(relations & set(TRANSFORMS)):
        models = [TRANSFORMS[name](each) for each in models]
    course = COURSES[int(rng.integers(len(COURSES)))]
    whole = in_turn([models[place % len(models)] for place in course], unit.section.bars * root.bar)
    return _in_bars(whole, unit.section.bars, root.bar)


def _motive_of(root: Statement, place: int) -> Motive:
    return Motive.of(root.inside(place)).fragment(root.bar)


def _in_bars(motive: Motive, count: int, bar: Fraction) -> list[Bar]:
    """A motive cut at the bar lines; the step over a bar line is left open."""
    bars: list[tuple[list[Fraction], list[int | None]]] = [([], []) for _ in range(count)]
    time = Fraction(0)
    steps: tuple[int | None, ...] = (None, *motive.steps)
    for value, step in zip(motive.durations, steps, strict=True):
        number = int(time // bar)
        room = (number + 1) * bar - time
        first = time == number * bar
        bars[number][0].append(min(value, room))
        bars[number][1].append(None if first else step)
        if value > room and number + 1 < count:
            bars[number + 1][0].append(value - room)
            bars[number + 1][1].append(0)
        time += value
    return [Bar(tuple(pattern) or (bar,), tuple(steps)) for pattern, steps in bars]


def _patterns(known: Mapping[str, Statement]) -> list[Pattern]:
    """With what the themes begin, bar by bar."""
    heads = [each for name, each in known.items() if "." not in name]
    return [_pattern(each.inside(bar), each.bar) for each in heads for bar in range(IDEA)]


def _continued(
    unit: UnitLayout, root: Statement, rhythm: TuneRhythm, rng: np.random.Generator
) -> list[Bar]:
    """A further phrase of a section: it begins as the first did, or takes up a bar of it."""
    bars = _taken_over(unit, root, "", 0)
    model = bars[int(rng.integers(min(IDEA, len(bars))))]
    own = _new(unit, rhythm, contrast=False, rng=rng, known=[each.pattern for each in bars[:IDEA]])
    if rng.random() < PARALLEL and unit.start == root.unit.start:
        fresh = [Bar(each.pattern) for each in own[IDEA:]]
        return [*bars[:IDEA], *fresh]
    place = int(rng.integers(len(own)))  # all bars of one rhythm with this are like the model
    return [
        Bar(model.pattern, model.steps) if each.pattern == own[place].pattern else each
        for each in own
    ]


def _new(
    unit: UnitLayout,
    rhythm: TuneRhythm,
    *,
    contrast: bool,
    rng: np.random.Generator,
    known: Sequence[Pattern] = (),
) -> list[Bar]:
    """New bars; those of one rhythm go the same way.

    Args:
        unit: what is to be filled.
        rhythm: of the tune.
        contrast: whether it is denser or thinner than the tune.
        rng: draws.
        known: patterns that it shall not have.
    """
    factor = 1.0
    if contrast:
        factor = 1 / CONTRAST if rng.random() < 0.5 else CONTRAST
    how = replace(rhythm, density=rhythm.density * factor)
    plan = draw_plan(rhythm.metre, unit.section.bars, rng=rng)
    patterns: dict[str, Pattern] = {}
    for letter in dict.fromkeys(plan):
        patterns[letter] = draw_bar(how, rng=rng, other_than=(*known, *patterns.values()))
    first = {letter: plan.index(letter) for letter in patterns}
    return [
        Bar(patterns[letter], like=first[letter] if number > first[letter] else None)
        for number, letter in enumerate(plan)
    ]


# --- closes ---------------------------------------------------------------------------------


def _arrival(kind: str, last: Fraction, rhythm: TuneRhythm, rng: np.random.Generator) -> Pattern:
    """The notes of the bar in which a phrase closes: one, or two at a half cadence."""
    beat = Fraction(beat_ticks(*(int(part) for part in rhythm.metre.split("/"))), TICKS)
    feminine = kind in HALF and last > beat and rng.random() < FEMININE
    return (beat, last - beat) if feminine else (last,)


def _with_close(bars: list[Bar], unit: UnitLayout, arrival: Pattern) -> list[Bar]:
    """The last bar of a phrase comes to rest, unless it is the theme's own."""
    if not unit.closes or bars[-1].source is not None:
        return bars
    return [*bars[:-1], Bar(arrival)]
