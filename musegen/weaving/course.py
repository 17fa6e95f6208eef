"""From a form's plan to the chords that each beat may have: keys, cadences, arrivals."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from itertools import pairwise

from musegen.errors import OptionError
from musegen.plan.layout import Layout, PhraseLayout, UnitLayout, stated_chords, tonic
from musegen.plan.plan import Harmony
from theory_kb.chords import chord, vocabulary
from theory_kb.pitch import Key

__all__ = ["Course", "chords_of", "course_of"]

ORIGINS = ("diatonic", "minor-form")
BEAT_UNIT = 4  # a beat is a quarter note


@dataclass(slots=True)
class Course:
    """The harmony that a piece runs through, beat by beat, before its lines choose."""

    harmonies: list[tuple[Harmony, ...]]  # one a beat
    keys: list[Key]  # one a beat, where it stands or is on its way to
    cadences: dict[int, str] = field(default_factory=dict)  # beat of an arrival: its kind
    ends: set[int] = field(default_factory=set)  # beats before which a phrase ends without one
    tops: dict[int, frozenset[int]] = field(default_factory=dict)
    starts: dict[str, int] = field(default_factory=dict)  # section: its first beat


@cache
def chords_of(key: Key) -> tuple[Harmony, ...]:
    """The chords that lines may make in a key: common ones, no six-four."""
    return tuple(
        Harmony(key, each)
        for each in vocabulary()
        if each.mode == key.mode
        and each.use == "common"
        and each.origin in ORIGINS
        and (each.inversion < 2 or each.seventh is not None)
    )


def course_of(layout: Layout) -> Course:
    """The course of a form.

    Raises:
        OptionError: a metre whose beat is no quarter note.
    """
    if layout.metre[1] != BEAT_UNIT:
        raise OptionError("metre", layout.template.metre, "one whose beat is a quarter note")
    made = Course([], [])
    for phrase in layout.phrases:
        for unit in phrase.units:
            made.starts.setdefault(unit.section.part or unit.section.id, len(made.harmonies))
            _unit(made, unit, layout.metre[0])
        _close(made, phrase, layout, last=phrase is layout.phrases[-1])
    made.harmonies[0] = (tonic(layout.home),)
    return made


def _unit(made: Course, unit: UnitLayout, per_bar: int) -> None:
    beats = unit.section.bars * per_bar
    for beat in range(beats):
        turns = unit.start != unit.end and beat * 2 >= beats
        key = unit.end if turns or unit.start == unit.end else unit.start
        both = (unit.start, unit.end) if turns and beat * 4 < beats * 3 else (key,)
        chords = tuple(each for one in both for each in chords_of(one))
        made.harmonies.append(_stated(unit, key, beat // per_bar) or chords)
        made.keys.append(key)


def _stated(unit: UnitLayout, key: Key, bar: int) -> tuple[Harmony, ...]:
    """The chords of a bar for which the template states one: that chord in any position."""
    text = unit.section.harmony.get(key.mode)
    if text is None:
        return ()
    row = stated_chords(text, key, unit.section)
    wanted = row[bar % len(row)]
    alike = (each for each in chords_of(key) if each.chord.members[:3] == wanted.chord.members[:3])
    return tuple(dict.fromkeys((wanted, *alike)))


def _close(made: Course, phrase: PhraseLayout, layout: Layout, *, last: bool) -> None:
    """Bind the end of a phrase to its cadence: its last chord on the last downbeat."""
    if phrase.close is None or phrase.kind == "none":
        return
    per_bar = layout.metre[0]
    end = (phrase.first_bar + phrase.bars) * per_bar
    arrival = end - per_bar
    formula = [
        Harmony(phrase.close.key, chord(phrase.close.key.mode, symbol))
        for symbol in phrase.close.formula.chords
    ]
    for beat in range(arrival, end):
        made.harmonies[beat] = (formula[-1],)
    lead = formula[-4:-1] if per_bar > 3 else formula[-3:-1]
    bounds = [arrival - per_bar + place for place in _places(per_bar, len(lead))]
    for each, (start, stop) in zip(lead, pairwise([*bounds, arrival]), strict=True):
        for beat in range(start, stop):
            made.harmonies[beat] = (each,)
    made.cadences[arrival] = phrase.kind
    if last and phrase.kind == "cad-pac":
        made.tops[arrival] = frozenset({phrase.close.key.tonic.semitone})


def _places(per_bar: int, count: int) -> tuple[int, ...]:
    """On which beats of a bar so many chords begin, the longest first."""
    each = Fraction(per_bar, max(count, 1))
    return tuple(-int(-(place * each) // 1) for place in range(count))
