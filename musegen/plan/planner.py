"""From a form template to what is to be written: slots, keys, cadences, the chords allowed.

The key plan and the cadences come from the knowledge graph: among the keys that a template admits,
near ones are drawn in proportion to how often Bach's chorales cadence there; a cadence is one of
the graph's formulas. What the plan leaves open, the search decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from musegen.plan.form_schema import ARRIVAL
from musegen.plan.plan import Harmony, Phrase, Plan, Slot
from musegen.plan.template import Section, Template, beats_of_bar, phrase_groups, relative_key
from theory_kb.cadences import CadenceFormula, cadence_formulas, cadence_kinds, cadence_share
from theory_kb.chords import chord, spell, vocabulary
from theory_kb.errors import FactError
from theory_kb.key_relations import related_keys
from theory_kb.metre import beat_strength, beat_ticks
from theory_kb.moment import TICKS
from theory_kb.pitch import Key, ScaleDegree

__all__ = ["TARGETS", "Close", "draw", "draw_formula", "everyday", "make_plan"]

EVERYDAY = ("common", "occasional")  # uses of chords that a plan leaves open to the search
TARGETS = ("II", "III", "IV", "V", "VI", "VII")  # of applied dominants, in either mode
COLOURS = 3  # targets that one piece tonicises
OPENING = {"major": ("I", "I", "I", "V", "I6"), "minor": ("i", "i", "i", "V", "i6")}
INNER_OPENING_FUNCTIONS = ("T", "D")
PICARDY_SHARE = 0.9  # Bach closes 131 of 142 minor chorales on a tonic with a major third
UNCOUNTED = 0.5  # phrases by which a formula that was never counted can still be drawn
FAR = 0.5  # weight, in per cent, of a key in which the counted chorales never cadence
FINAL_SOPRANO = 1
PLANNED_AS = {ARRIVAL: "cad-hc", "cad-rock": "cad-plagal", "cad-loop": "cad-hc"}
STRONGEST = 10  # strength of a perfect authentic cadence
ECHO = 0.1  # weight of a close like the one before; so 6 % are, as in Bach's chorales


def make_plan(template: Template, home: Key, *, rng: np.random.Generator) -> Plan:
    """Draw a plan: closes of all units, then their slots with the chords allowed there.

    Raises:
        FactError: a section of the template may close in no way that its key's mode has.
    """
    closes = _draw_closes(template, home, rng)
    targets = tuple(TARGETS[place] for place in sorted(rng.permutation(len(TARGETS))[:COLOURS]))
    slots: list[Slot] = []
    phrases: list[Phrase] = []
    heads: dict[str, int] = {}
    start_key = home
    begin = 0
    for group in phrase_groups(template.units):
        close = closes[len(phrases)]
        fresh = _phrase_slots(template, group, len(phrases), begin_slots=slots)
        phrase = Phrase(
            group[-1].name,
            begin,
            begin + len(fresh) - 1,
            start_key,
            close.key,
            template.fermatas,
            close.formula,
        )
        fresh = _with_harmony(fresh, phrase, close, targets, rng=rng)
        fresh = _with_returns(fresh, group, heads, begin, template)
        slots.extend(fresh)
        phrases.append(phrase)
        start_key = _next_start(phrase, home)
        begin = len(slots)
    beats, unit = (int(part) for part in template.metre.split("/"))
    upbeat = Fraction(template.upbeat * beat_ticks(beats, unit), TICKS)
    return Plan(
        template.name, home, (beats, unit), upbeat, template.tempo, tuple(slots), tuple(phrases)
    )


@dataclass(frozen=True, slots=True)
class Close:
    """How a unit closes."""

    key: Key
    formula: CadenceFormula
    last: bool


def _draw_closes(template: Template, home: Key, rng: np.random.Generator) -> list[Close]:
    groups = phrase_groups(template.units)
    closes: list[Close] = []
    for group in groups:
        last, before = len(closes) == len(groups) - 1, closes[-1] if closes else None
        closes.append(_draw_close(template, group[-1], home, before, last=last, rng=rng))
    return closes


def _draw_close(
    template: Template,
    section: Section,
    home: Key,
    before: Close | None,
    *,
    last: bool,
    rng: np.random.Generator,
) -> Close:
    """A key and a cadence formula for the end of a unit, seldom those of the unit before."""
    shares = {related.key: related.share for related in related_keys(home)}
    keys = [relative_key(home, roman) for roman in section.keys[home.mode]]
    odds = [(shares.get(key, 0.0) + FAR) * _fresh(template, section, key, before) for key in keys]
    key = keys[draw(odds, rng)]
    formula = draw_formula(template, section, key, before, rng=rng)
    picardy = last and key.mode == "minor" and formula.chords[-1] == "i"
    if picardy and rng.random() < PICARDY_SHARE:
        formula = replace(formula, chords=(*formula.chords[:-1], "I"))
    return Close(key, formula, last)


def _fresh(template: Template, section: Section, key: Key, before: Close | None) -> float:
    """How much of a key's weight is left, less that of a close like the one before."""
    kinds = _kinds(template, section, key)
    return sum(_odds(kinds, key, before)) / sum(_odds(kinds, key, None))


def draw_formula(
    template: Template,
    section: Section,
    key: Key,
    before: Close | None = None,
    *,
    rng: np.random.Generator,
    left: Key | None = None,
) -> CadenceFormula:
    """A cadence formula among those with which a unit may close in a key.

    Args:
        template: the form.
        section: the unit.
        key: in which it closes.
        before: how the unit before it closed.
        rng: draws.
        left: the key that it comes from; a formula with a tone that is not in that key makes the new
            one heard, and has precedence.

    Raises:
        FactError: the mode of the key has none of its kinds.
    """
    kinds = _kinds(template, section, key)
    kind = kinds[draw(_odds(kinds, key, before), rng)]
    every = cadence_formulas(kind, key.mode)
    formulas = [each for each in every if left is None or _leaves(each, key, left)] or every
    return formulas[draw([each.count + UNCOUNTED for each in formulas], rng)]


def _leaves(formula: CadenceFormula, key: Key, left: Key) -> bool:
    """Whether a formula has a tone that is foreign to a key."""
    known = {left.degree(ScaleDegree(number)) for number in range(1, 8)} | {left.leading_tone}
    tones = {tone for symbol in formula.chords for tone in spell(chord(key.mode, symbol), key)}
    return not tones <= known


def _odds(kinds: Sequence[str], key: Key, before: Close | None) -> list[float]:
    """Weights of the kinds of cadence with which a unit may close in a key."""
    heard = before.formula.kind if before is not None and before.key == key else None
    return [(cadence_share(kind) + FAR) * (ECHO if kind == heard else 1.0) for kind in kinds]


def _kinds(template: Template, section: Section, key: Key) -> list[str]:
    planned = [PLANNED_AS.get(kind, kind) for kind in section.close]
    kinds = [kind for kind in planned if cadence_formulas(kind, key.mode)]
    if not kinds:
        known = ", ".join(kind for kind in cadence_kinds() if cadence_formulas(kind, key.mode))
        came = ", ".join(section.close)
        raise FactError(
            f"form {template.id}", f"section {section.id}", f"no {came} in {key}; there are {known}"
        )
    return kinds


def draw(weights: Sequence[float], rng: np.random.Generator) -> int:
    """A place (from 0) with odds in proportion to the weights."""
    shares = np.asarray(weights, dtype=float)
    return int(rng.choice(len(shares), p=shares / shares.sum()))


def _next_start(phrase: Phrase, home: Key) -> Key:
    """A phrase takes up the key of the last cadence if that was home, else mostly home again."""
    near = {related.key for related in related_keys(home)}
    return phrase.key if phrase.key in near and phrase.cadence == "cad-hc" else home


def _phrase_slots(
    template: Template, group: Sequence[Section], phrase: int, *, begin_slots: Sequence[Slot]
) -> list[Slot]:
    """Slots of a phrase, one a beat, the last as long as its hold."""
    beats, unit = (int(part) for part in template.metre.split("/"))
    tick = beat_ticks(beats, unit)
    bar_ticks = 4 * TICKS * beats // unit
    per_bar = bar_ticks // tick
    hold = group[-1].hold
    count = sum(section.bars for section in group) * per_bar - hold + 1
    start = begin_slots[-1].onset + begin_slots[-1].duration if begin_slots else Fraction(0)
    offset = bar_ticks - template.upbeat * tick if template.upbeat else 0
    first_bar = 0 if template.upbeat else 1
    slots = []
    for number in range(count):
        onset = start + Fraction(number * tick, TICKS)
        place = int(onset * TICKS) + offset
        position = place % bar_ticks
        beats_held = hold if number == count - 1 else 1
        slots.append(
            Slot(
                onset,
                Fraction(tick * beats_held, TICKS),
                first_bar + place // bar_ticks,
                position,
                beat_strength(beats, unit, position),
                phrase,
                count - 1 - number,
                number,
                (),
            )
        )
    return slots


def everyday(key: Key, targets: tuple[str, ...]) -> tuple[Harmony, ...]:
    """Chords that a phrase may use freely; of applied dominants those of a few targets."""
    return tuple(
        Harmony(key, each)
        for each in vocabulary()
        if each.mode == key.mode
        and each.use in EVERYDAY
        and (each.applied_to is None or each.applied_to.upper() in targets)
    )


def _with_harmony(
    slots: list[Slot],
    phrase: Phrase,
    close: Close,
    targets: tuple[str, ...],
    *,
    rng: np.random.Generator,
) -> list[Slot]:
    """The chords allowed at each slot: opening, free, cadence."""
    formula = close.formula.chords[-len(slots) :]
    free = len(slots) - len(formula)
    filled = []
    for number, slot in enumerate(slots):
        if number >= free:
            fixed = Harmony(phrase.key, chord(phrase.key.mode, formula[number - free]))
            harmonies: tuple[Harmony, ...] = (fixed,)
        elif number == 0:
            harmonies = _opening(phrase, slot, targets, rng)
        else:
            harmonies = _free_harmonies(phrase, number, free, targets)
        filled.append(replace(slot, harmonies=harmonies))
    endings = close.formula.soprano
    if close.last and close.formula.strength >= STRONGEST:
        endings = tuple(ending for ending in endings if ending[-1] == FINAL_SOPRANO)
    return _with_soprano(filled, endings)


def _opening(
    phrase: Phrase, slot: Slot, targets: tuple[str, ...], rng: np.random.Generator
) -> tuple[Harmony, ...]:
    key = phrase.start_key
    if phrase.first == 0:
        symbols = OPENING[key.mode]
        symbol = symbols[0] if slot.strength == 4 else symbols[draw([1.0] * len(symbols), rng)]
        return (Harmony(key, chord(key.mode, symbol)),)
    return tuple(
        harmony
        for harmony in everyday(key, targets)
        if harmony.chord.function in INNER_OPENING_FUNCTIONS
        and harmony.chord.seventh is None
        and harmony.chord.inversion < 2
        and harmony.chord.origin != "applied"
    )


def _free_harmonies(
    phrase: Phrase, number: int, free: int, targets: tuple[str, ...]
) -> tuple[Harmony, ...]:
    """Chords of the key; in a phrase that modulates, of both keys in its middle."""
    if phrase.start_key == phrase.key:
        return everyday(phrase.key, targets)
    before, after = everyday(phrase.start_key, targets), everyday(phrase.key, targets)
    if number >= free - 1:
        return after
    return before if number == 1 else (*before, *after)


def _with_soprano(slots: list[Slot], endings: Sequence[Sequence[int]]) -> list[Slot]:
    """Bind the soprano's last degrees to those of the cadence's formulas."""
    length = min(map(len, endings), default=0)
    for back in range(1, length + 1):
        degrees = tuple(sorted({ending[-back] for ending in endings}))
        slots[-back] = replace(slots[-back], soprano=degrees)
    return slots


def _with_returns(
    slots: list[Slot],
    group: Sequence[Section],
    heads: dict[str, int],
    begin: int,
    template: Template,
) -> list[Slot]:
    """Bind the head of a unit to the first unit of the same theme."""
    per_bar = beats_of_bar(template.metre)
    place = 0
    for section in group:
        source = heads.setdefault(section.theme, begin + place)
        count = section.returns if source != begin + place else 0
        for number in range(min(count, len(slots) - place)):
            slot = slots[place + number]
            if not slot.soprano:
                slots[place + number] = replace(slot, repeats=source + number)
        place += section.bars * per_bar
    return slots
