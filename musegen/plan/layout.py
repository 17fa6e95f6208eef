"""Where everything of a form stands: phrases with their keys, closes, slots and allowed chords.

A section's key and close are drawn once from what the template admits; sections that admit the same
keys get the same one, so that a trio stays in its key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import accumulate, groupby

import numpy as np

from musegen.errors import FactError, OptionError
from musegen.plan.form_schema import ARRIVAL, TEXT_CADENCES
from musegen.plan.plan import Harmony, Slot
from musegen.plan.planner import TARGETS, Close, draw, draw_formula, everyday
from musegen.plan.template import Section, Template, phrase_groups, relative_key
from musegen.score import Ending
from theory_kb.cadences import CadenceFormula
from theory_kb.chords import chord
from theory_kb.errors import UnknownNameError
from theory_kb.key_relations import related_keys
from theory_kb.metre import beat_strength, beat_ticks
from theory_kb.moment import TICKS
from theory_kb.pitch import Key

__all__ = ["Layout", "PhraseLayout", "UnitLayout", "bar_split", "lay_out", "stated_chords", "tonic"]

FAR = 0.5  # weight, in per cent, of a key in which the counted chorales never cadence
OPENING_FUNCTIONS = ("T", "D")
LONGEST_CHORD = 64  # bars of a stated chord
CADENCE_CHORDS = 2  # chords in the last bar but one of a phrase


@dataclass(frozen=True, slots=True)
class UnitLayout:
    """One unit of a form in its place."""

    section: Section
    number: int  # in the piece
    bar: int  # its first, from 0
    start: Key
    end: Key
    closes: bool  # whether its phrase ends with it


def _goal_key(unit: UnitLayout) -> Key:
    return unit.end


@dataclass(frozen=True, slots=True)
class PhraseLayout:
    """A phrase: its units, how it closes, and its slots with the chords that may stand there."""

    units: tuple[UnitLayout, ...]
    close: Close | None  # None where the template states the chords
    kind: str  # of the cadence
    slots: tuple[Slot, ...]  # onsets from the start of the piece
    fixed: int  # slots at the end whose chord is settled

    @property
    def stretches(self) -> tuple[tuple[UnitLayout, ...], ...]:
        """Its units, those together that lead to one key."""
        return tuple(tuple(units) for _, units in groupby(self.units, key=_goal_key))

    @property
    def first_bar(self) -> int:
        """From 0."""
        return self.units[0].bar

    @property
    def bars(self) -> int:
        """How many."""
        return sum(unit.section.bars for unit in self.units)


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole form, ready to be filled."""

    template: Template
    home: Key
    metre: tuple[int, int]
    phrases: tuple[PhraseLayout, ...]

    @property
    def bar(self) -> Fraction:
        """Quarter notes of a bar."""
        return Fraction(4 * self.metre[0], self.metre[1])

    @property
    def spans(self) -> tuple[tuple[Section, Fraction, Fraction], ...]:
        """The sections, each with its start and end."""
        sections = self.template.sections
        ends = [self.bar * bars for bars in accumulate(each.bars for each in sections)]
        return tuple(zip(sections, (Fraction(0), *ends), ends, strict=False))

    @property
    def repeats(self) -> tuple[tuple[Fraction, Fraction], ...]:
        """Stretches that are played twice."""
        runs = [
            (name, list(group)) for name, group in groupby(self.spans, lambda each: each[0].repeat)
        ]
        return tuple((inside[0][1], inside[-1][2]) for name, inside in runs if name)

    @property
    def endings(self) -> tuple[Ending, ...]:
        """First and second endings."""
        return tuple(
            Ending(each.ending, start, end) for each, start, end in self.spans if each.ending
        )


@dataclass(slots=True)
class _Drawn:
    """What was drawn already, so that like is like."""

    keys: dict[tuple[str, ...], Key] = field(default_factory=dict)
    formulas: dict[tuple[str, str, str, Key | None], CadenceFormula] = field(default_factory=dict)


def lay_out(
    template: Template, home: Key, *, rng: np.random.Generator, chords: float = 1.0
) -> Layout:
    """Draw keys and closes, and place all slots.

    Args:
        template: the form.
        home: its key.
        rng: draws.
        chords: how fast the harmony is, as a factor on the usual chords a bar.

    Raises:
        FactError: a section may close in no way that its key's mode has, or states no chords.
        OptionError: the form is not to be had in this mode, or begins with an upbeat.
    """
    if template.mode and home.mode != template.mode:
        raise OptionError(
            "key", str(home), f"a {template.mode} key: {template.name} is in that mode"
        )
    if template.upbeat:
        raise OptionError("upbeat", template.upbeat, "0 in this texture; chorales have upbeats")
    beats, unit = (int(part) for part in template.metre.split("/"))
    drawn = _Drawn()
    targets = tuple(TARGETS[place] for place in sorted(rng.permutation(len(TARGETS))[:3]))
    phrases: list[PhraseLayout] = []
    bar = number = 0
    for group in phrase_groups(template.units):
        units = []
        for section in group:
            end = _key(section.keys, home, drawn, rng)
            start = _key(section.start, home, drawn, rng) if section.start else end
            units.append(UnitLayout(section, number, bar, start, end, section is group[-1]))
            bar += section.bars
            number += 1
        maker = _Maker(template, home, (beats, unit), targets, chords)
        phrases.append(maker.phrase(tuple(units), len(phrases), drawn, rng))
    return Layout(template, home, (beats, unit), tuple(phrases))


def _key(
    choices: Mapping[str, Sequence[str]], home: Key, drawn: _Drawn, rng: np.random.Generator
) -> Key:
    romans = tuple(choices[home.mode])
    if romans not in drawn.keys:
        shares = {related.key: related.share for related in related_keys(home)}
        keys = [relative_key(home, roman) for roman in romans]
        drawn.keys[romans] = keys[draw([shares.get(each, 0.0) + FAR for each in keys], rng)]
    return drawn.keys[romans]


def bar_split(metre: tuple[int, int], count: int) -> tuple[Fraction, ...]:
    """The lengths, in quarter notes, of so many chords in a bar: whole beats, the first the longer."""
    beat = Fraction(beat_ticks(*metre), TICKS)
    beats = int(Fraction(4 * metre[0], metre[1]) / beat)
    parts = min(count, beats)
    each, more = divmod(beats, parts)
    return tuple(beat * (each + (place < more)) for place in range(parts))


@dataclass(frozen=True, slots=True)
class _Maker:
    template: Template
    home: Key
    metre: tuple[int, int]
    targets: tuple[str, ...]
    chords: float

    def phrase(
        self,
        units: tuple[UnitLayout, ...],
        number: int,
        drawn: _Drawn,
        rng: np.random.Generator,
    ) -> PhraseLayout:
        slots = self._slots(units, number)
        last = units[-1]
        if set(last.section.close) <= set(TEXT_CADENCES):
            stated = self._stated(slots, units)
            return PhraseLayout(units, None, last.section.close[0], tuple(stated), 0)
        close = self._close(last, units[0].start, drawn, rng)
        slots = self._stated(slots, units)
        formula = close.formula.chords[-min(len(close.formula.chords), len(slots) - 1) :]
        for back, symbol in enumerate(reversed(formula), 1):
            harmony = Harmony(last.end, chord(last.end.mode, symbol))
            slots[-back] = replace(slots[-back], harmonies=(harmony,))
        kind = ARRIVAL if ARRIVAL in last.section.close else close.formula.kind
        return PhraseLayout(units, close, kind, tuple(slots), len(formula))

    def _close(
        self, unit: UnitLayout, start: Key, drawn: _Drawn, rng: np.random.Generator
    ) -> Close:
        """How a phrase closes; sections of one theme that may close alike do."""
        left = start if start != unit.end else None
        key = (unit.section.theme, "/".join(unit.section.close), unit.end.mode, left)
        if key not in drawn.formulas:
            drawn.formulas[key] = draw_formula(
                self.template, unit.section, unit.end, rng=rng, left=left
            )
        return Close(unit.end, drawn.formulas[key], last=False)

    def _slots(self, units: Sequence[UnitLayout], phrase: int) -> list[Slot]:
        bar_length = Fraction(4 * self.metre[0], self.metre[1])
        bars = [(unit, unit.bar + place) for unit in units for place in range(unit.section.bars)]
        lengths: list[tuple[int, Fraction, Fraction, UnitLayout]] = []
        for place, (unit, bar) in enumerate(bars):
            left = len(bars) - 1 - place
            time = bar * bar_length
            for part in bar_split(self.metre, self._count(unit, bar - unit.bar, left)):
                lengths.append((bar, time, part, unit))
                time += part
        beats, size = self.metre
        return [
            Slot(
                time,
                part,
                bar + 1,
                int((time - bar * bar_length) * TICKS),
                beat_strength(beats, size, int((time - bar * bar_length) * TICKS)),
                phrase,
                len(lengths) - 1 - place,
                place,
                self._free(unit, place, bar - unit.bar),
            )
            for place, (bar, time, part, unit) in enumerate(lengths)
        ]

    def _count(self, unit: UnitLayout, bar: int, left: int) -> int:
        """Chords of a bar: one at the arrival, two before it, else as stated or usual."""
        if left == 0:
            return 1
        if unit.section.harmony:
            return 1
        if left == 1:
            return CADENCE_CHORDS
        usual = 2.0 if bar % 4 == 2 and self.metre[0] % 3 else 1.0
        rate = (unit.section.chords or usual) * self.chords
        return max(1, round((bar + 1) * rate) - round(bar * rate))  # its mean over some bars

    def _free(self, unit: UnitLayout, place: int, bar: int) -> tuple[Harmony, ...]:
        """Chords that may stand at a slot: its unit's keys, an opening at the start."""
        half = bar * 2 >= unit.section.bars
        modulates = unit.start != unit.end
        keys = (unit.start,) if not half or not modulates else (unit.start, unit.end)
        found = tuple(
            each
            for key in keys
            for each in everyday(key, self.targets)
            if each.chord.seventh is not None or each.chord.inversion < 2
        )
        if place:
            return found
        if unit.section.part in ("", unit.section.id.removesuffix(".1")):
            return (tonic(unit.start),)
        return tuple(
            each
            for each in found
            if each.chord.function in OPENING_FUNCTIONS
            and each.chord.seventh is None
            and each.chord.inversion < 2
            and each.chord.origin not in ("applied", "mixture")
        )

    def _stated(self, slots: list[Slot], units: Sequence[UnitLayout]) -> list[Slot]:
        """Slots with the chords that the template states for their unit."""
        found = list(slots)
        for unit in units:
            text = unit.section.harmony.get(self.home.mode)
            if text is None:
                continue
            row = stated_chords(text, unit.end, unit.section)
            for place, slot in enumerate(slots):
                bar = slot.bar - 1 - unit.bar
                if 0 <= bar < unit.section.bars:
                    found[place] = replace(slot, harmonies=(row[bar % len(row)],))
        return found


def tonic(key: Key) -> Harmony:
    """The tonic triad of a key."""
    return Harmony(key, chord(key.mode, "I" if key.mode == "major" else "i"))


def stated_chords(text: str, key: Key, section: Section) -> tuple[Harmony, ...]:
    """The chords that a template states, one a bar: `I vi IV V*2`.

    Raises:
        FactError: a chord that does not exist, or a length that is none.
    """
    found: list[Harmony] = []
    for token in text.replace("|", " ").split():
        symbol, star, bars = token.partition("*")
        if star and not (bars.isdecimal() and 1 <= int(bars) <= LONGEST_CHORD):
            raise FactError(f"section {section.id}", "harmony", f"length of {token!r} is no number")
        try:
            each = Harmony(key, chord(key.mode, symbol))
        except UnknownNameError as error:
            raise FactError(f"section {section.id}", "harmony", str(error)) from error
        found += [each] * (int(bars) if star else 1)
    return tuple(found)
