"""Compose by a form: tunes with their chords phrase by phrase, then the voices below, then a texture.

What a phrase takes up from its theme stands; the rest is drawn. The lower voices are found by the one
search that writes everything here, under the same rules; where these leave no way, the theme that
stands in the way is drawn anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from zlib import crc32

import numpy as np

from musegen.constraints import build_problem
from musegen.errors import DeadEndError, InfeasibleError, OptionError
from musegen.plan.chord_row import RowTaste, draw_row
from musegen.plan.layout import Layout, PhraseLayout, UnitLayout, lay_out
from musegen.plan.plan import Harmony, Slot
from musegen.plan.template import Template, beats_of_bar
from musegen.score import Note
from musegen.search.reachability import alive
from musegen.tasks.form_judging import (
    refuse_errors,
    refuse_joints,
    resemblance,
    too_alike,
    too_strange,
)
from musegen.tasks.form_plan import plan_of
from musegen.tasks.writing import Draft, Options, write
from musegen.textures.rhythm import TuneRhythm, cells_of
from musegen.textures.tune import Spot, TuneTaste, draw_tune
from musegen.textures.working import (
    Bar,
    Statement,
    imitated,
    moved_harmony,
    work_out,
)
from theory_kb.check import Style, load_style
from theory_kb.metre import beat_strength, beat_ticks
from theory_kb.moment import TICKS
from theory_kb.pitch import Key, Pitch

__all__ = ["Character", "FormDraft", "compose_form"]

STYLES = ("homophony", "song")  # of rules; the latter where the template states chords
ATTEMPTS = 60  # themes drawn anew before a form is given up
RELAID = 12  # draws of one theme before keys and closes are drawn anew
PHRASE_TRIES = 12  # draws of one phrase that may fail
LIKENESS_TRIES = 32  # draws of one phrase in all
SPARING = 7  # that fail before a theme that returns gives up bars at its end
HIGHEST = (0.35, 0.45)  # curve of a tune: where it begins, and how far it rises, of its compass


@dataclass(frozen=True, slots=True)
class Character:
    """What colours a piece beside its form."""

    density: float = 1.1  # notes of the tune a quarter note
    shortest: Fraction = Fraction(1, 4)  # quarter notes
    low: int = 29  # compass of the tune in staff steps, D4
    high: int = 40  # A5
    leaps: float = 1.0  # how dear leaps are
    colour: float = 1.0  # how dear chords from outside the key are
    chords: float = 1.0  # factor on the usual chords a bar


@dataclass(frozen=True, slots=True)
class FormDraft:
    """A form written out, before its texture."""

    layout: Layout
    statements: tuple[Statement, ...]  # one a unit
    draft: Draft  # tune and lower voices, chord by chord
    redraws: int  # themes that were drawn anew
    resemblance: Mapping[str, float]  # of returning and contrasting units, by section


@dataclass(slots=True)
class _Work:
    """What is drawn on the way."""

    layout: Layout
    style: Style
    character: Character
    seed: int
    theme: tuple[Note, ...]
    tries: Counter[str] = field(default_factory=Counter)  # by theme
    known: dict[str, Statement] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    blamed: str = ""


def compose_form(
    template: Template,
    home: Key,
    options: Options,
    *,
    character: Character | None = None,
    theme: Sequence[Note] = (),
) -> FormDraft:
    """Write a form as a tune above chords.

    Args:
        template: the form.
        home: its key.
        options: of the search for the lower voices.
        character: density, compass, colour.
        theme: the beginning of the first theme, if it is given.

    Raises:
        FactError: the template asks for what its keys do not have.
        OptionError: a theme that is longer than the first unit, or a key that the form cannot have.
        InfeasibleError: no way was found in `ATTEMPTS` draws; names the place.
    """
    how = character or Character()
    layout = _laid_out(template, home, options.seed, how)
    _check_theme(layout, theme)
    work = _Work(layout, load_style(form_style(template)), how, options.seed, tuple(theme))
    refused: InfeasibleError | DeadEndError | None = None
    for redraws in range(ATTEMPTS):
        try:
            _draw_all(work)
            plan = plan_of(work.layout, work.layout.phrases, work.statements)
            draft = write(
                plan,
                replace(options, style=work.style.name),
                rng=np.random.default_rng(options.seed),
            )
            refuse_errors(draft)
            refuse_joints(work.layout, draft, work.style)
        except (InfeasibleError, DeadEndError) as error:
            refused = error
            work.blamed = _blamed(work, error)
            work.tries[work.blamed] += 1
            if work.tries[work.blamed] % RELAID == 0:
                work.layout = _laid_out(template, home, options.seed, how, redraws + 1)
                work.statements, work.blamed = [], ""
            continue
        return FormDraft(
            work.layout,
            tuple(work.statements),
            draft,
            redraws,
            resemblance(work.statements, work.known),
        )
    assert refused is not None, "the loop ends by a piece or a refusal"
    raise refused


def _laid_out(template: Template, home: Key, seed: int, how: Character, *again: int) -> Layout:
    """Keys and closes of the form; other ones where those that were drawn leave no way."""
    rng = np.random.default_rng([seed, crc32(b"layout"), *again])
    return lay_out(template, home, rng=rng, chords=how.chords)


def form_style(template: Template) -> str:
    """The style whose rules hold for a form as a tune above chords."""
    return STYLES[any(each.harmony for each in template.sections)]


def _check_theme(layout: Layout, theme: Sequence[Note]) -> None:
    if not theme:
        return
    room = layout.bar * layout.phrases[0].units[0].section.bars
    if theme[-1].end > room:
        raise OptionError(
            "theme", f"{theme[-1].end} quarter notes", f"at most {room}, its first unit"
        )


def _blamed(work: _Work, error: InfeasibleError | DeadEndError) -> str:
    """The theme to draw anew: that of the phrase which no search could finish."""
    if work.blamed:
        return work.blamed
    slot = error.slot
    passed = 0
    for phrase in work.layout.phrases:
        passed += len(phrase.slots)
        if slot < passed:
            return phrase.units[0].section.theme
    return work.layout.phrases[-1].units[0].section.theme


# --- phrase by phrase -----------------------------------------------------------------------


def _draw_all(work: _Work) -> None:
    """Draw the phrases from the first on that states the theme to be drawn anew; all at first."""
    kept = len(work.statements)
    for phrase in work.layout.phrases:
        if any(unit.section.theme == work.blamed for unit in phrase.units):
            kept = min(kept, phrase.units[0].number)
    work.statements, work.blamed = work.statements[:kept], ""
    work.known = {}
    for each in work.statements:
        work.known.setdefault(each.unit.section.theme, each)
    for phrase in work.layout.phrases:
        if phrase.units[0].number >= kept:
            _draw_phrase(work, phrase)


def _draw_phrase(work: _Work, phrase: PhraseLayout) -> None:
    """The chords and the tune of a phrase; drawn again while it is not as like others as it shall be."""
    theme = phrase.units[0].section.theme
    best: tuple[float, list[Statement]] | None = None
    refusals: list[InfeasibleError] = []
    for attempt in range(LIKENESS_TRIES):
        numbers = [work.seed, crc32(theme.encode()), work.tries[theme], attempt]
        rng = np.random.default_rng([*numbers, phrase.units[0].number])
        try:
            made = _tried(work, phrase, rng, spare=max(0, len(refusals) - SPARING))
        except InfeasibleError as error:
            refusals.append(error)
            if len(refusals) == PHRASE_TRIES:
                break
            continue
        fault = too_alike(work.known, made) + too_strange(work.known, made)
        if best is None or fault < best[0]:
            best = (fault, made)
        if not fault:
            break
    if best is None:
        work.blamed = _root(work, theme)
        raise refusals[-1]
    for each in best[1]:
        work.known.setdefault(each.unit.section.theme, each)
        work.statements.append(each)


def _root(work: _Work, theme: str) -> str:
    """What to draw anew: the theme itself, or that which it takes up."""
    return theme if theme not in work.known else theme.partition(".")[0]


def _tried(
    work: _Work, phrase: PhraseLayout, rng: np.random.Generator, spare: int
) -> list[Statement]:
    template, how = work.layout.template, work.character
    cells = cells_of(template.rhythms, template.metre)
    rhythm = TuneRhythm(template.metre, how.density, how.shortest, cells)
    last_phrase = phrase is work.layout.phrases[-1]
    last = _last_note(work.layout, final=last_phrase)
    bars: list[tuple[UnitLayout, Bar]] = []
    begun: dict[str, list[Bar]] = {}  # bars of the themes that begin in this phrase
    for unit in phrase.units:
        kind = phrase.kind if unit.closes else "none"
        own = begun.get(unit.section.theme)
        if own is None or unit.section.theme in work.known:
            worked = work_out(unit, work.known, kind, rhythm, rng=rng, last=last, spare=spare)
            begun.setdefault(unit.section.theme, worked)
        else:
            first = phrase.units[0].bar
            source = next(one for one, bar in bars if bar is own[0])
            worked = imitated(unit, own, source.bar - first, unit.bar - first, last=last)
        bars += [(unit, bar) for bar in worked]
    slots, bars = _with_sources(work, phrase, bars)
    row = draw_row(slots, rng=rng, taste=RowTaste(colour=work.character.colour))
    notes = _tune(work, phrase, bars, row, rng)
    if last_phrase:  # the last note lasts as long as its bar
        notes = (*notes[:-1], _lengthened(notes[-1], phrase.bars * work.layout.bar))
    made = _statements(work, phrase, slots, row, notes)
    first = phrase.units[0].number
    before = [each for each in work.layout.phrases if each.units[-1].number < first][-1:]
    earlier = [each for each in work.statements if before and each.unit in before[0].units]
    joined = plan_of(work.layout, (*before, phrase), (*earlier, *made))
    alive(build_problem(joined, work.style).lattice)
    return made


def _lengthened(note: Note, end: Fraction) -> Note:
    return replace(note, duration=end - note.onset)


def _last_note(layout: Layout, *, final: bool) -> Fraction:
    """The last note of a phrase: a bar at the end of the piece, else room to breathe where there is."""
    beat = Fraction(beat_ticks(*layout.metre), TICKS)
    beats = beats_of_bar(layout.template.metre)
    return layout.bar if final or beats < 3 else layout.bar - beat


def _with_sources(
    work: _Work, phrase: PhraseLayout, bars: Sequence[tuple[UnitLayout, Bar]]
) -> tuple[list[Slot], list[tuple[UnitLayout, Bar]]]:
    """Slots whose chords are the theme's where a bar is taken over; where not, its notes go too."""
    taken: dict[tuple[int, Fraction], Harmony] = {}
    for place, (unit, bar) in enumerate(bars):
        if bar.source is None:
            continue
        source = work.known[bar.theme]
        for slot, harmony in source.slots:
            inside = slot.onset - source.unit.bar * work.layout.bar
            if inside // work.layout.bar == bar.source:
                moved = moved_harmony(harmony, source.unit.start, unit.start)
                if moved is not None:
                    taken[phrase.first_bar + place + 1, inside % work.layout.bar] = moved
    closing = len(phrase.slots) - phrase.fixed
    found = []
    changed: set[int] = set()  # bars whose chords are not those of the theme
    for number, slot in enumerate(phrase.slots):
        wanted = taken.get((slot.bar, Fraction(slot.position, TICKS)))
        settled = number >= closing or len(slot.harmonies) == 1
        if wanted is None or (settled and wanted != slot.harmonies[0]):
            changed.add(slot.bar - 1 - phrase.first_bar)
        found.append(slot if settled or wanted is None else replace(slot, harmonies=(wanted,)))
    kept = [
        (unit, Bar(bar.pattern, bar.steps) if bar.source is not None and place in changed else bar)
        for place, (unit, bar) in enumerate(bars)
    ]
    return found, kept


# --- the tune -------------------------------------------------------------------------------


def _tune(
    work: _Work,
    phrase: PhraseLayout,
    bars: Sequence[tuple[UnitLayout, Bar]],
    row: Sequence[Harmony],
    rng: np.random.Generator,
) -> tuple[Note, ...]:
    """Notes of a phrase, onsets from its start; what imitates its own beginning is drawn after it."""
    taste = TuneTaste(work.character.low, work.character.high, work.character.leaps)
    spots = _spots(work, phrase, bars, row)
    notes = draw_tune(spots, work.style, taste, rng=rng)
    if not any(bar.like is not None for _, bar in bars):
        return notes
    imitating = _spots(work, phrase, bars, row, drawn=notes)
    return draw_tune(imitating, work.style, taste, rng=rng)


def _spots(
    work: _Work,
    phrase: PhraseLayout,
    bars: Sequence[tuple[UnitLayout, Bar]],
    row: Sequence[Harmony],
    *,
    drawn: Sequence[Note] = (),
) -> list[Spot]:
    spots: list[Spot] = []
    length = work.layout.bar
    start = phrase.first_bar * length
    given = _given(work, phrase)
    for place, (unit, bar) in enumerate(bars):
        time = place * length
        own = place - (unit.bar - phrase.first_bar)
        for number, value in enumerate(_values(bar, given, time, length)):
            onset = time if number == 0 else spots[-1].onset + spots[-1].duration
            at = max(k for k, slot in enumerate(phrase.slots) if slot.onset - start <= onset)
            slot = phrase.slots[at]
            spots.append(
                Spot(
                    onset,
                    value,
                    row[at],
                    beat_strength(*work.layout.metre, int((onset - time) * TICKS)),
                    slot.onset - start == onset or _first_of_chord(spots, slot.onset - start),
                    _imitated(bar, number, drawn, place - own, length)
                    if drawn
                    else bar.step(number),
                    _fixed(bar, number, onset, own, given, drawn, place),
                    held=tuple(
                        row[later]
                        for later in range(at + 1, len(row))
                        if phrase.slots[later].onset - start < onset + value
                    ),
                    height=_height(float(onset / (phrase.bars * length))),
                )
            )
    return _closing(spots, phrase)


def _first_of_chord(spots: Sequence[Spot], begin: Fraction) -> bool:
    """Whether no note was struck since a chord began."""
    return bool(spots) and spots[-1].onset < begin


def _values(
    bar: Bar, given: Mapping[Fraction, Note], time: Fraction, length: Fraction
) -> tuple[Fraction, ...]:
    """Note values of a bar: those of the given theme where it sounds, else the bar's own."""
    inside = [note for onset, note in given.items() if time <= onset < time + length]
    return tuple(note.duration for note in inside) or bar.pattern


def _given(work: _Work, phrase: PhraseLayout) -> dict[Fraction, Note]:
    """The notes of the given theme, in the first phrase."""
    if phrase is not work.layout.phrases[0]:
        return {}
    return {note.onset: note for note in work.theme}


def _imitated(
    bar: Bar, number: int, drawn: Sequence[Note], first: int, length: Fraction
) -> int | None:
    """The step into a note as the bar that it is like has it."""
    if bar.like is None or number == 0:
        return bar.step(number)
    begin = (first + bar.like) * length
    model = [note for note in drawn if begin <= note.onset < begin + length]
    if number >= len(model):
        return None
    return model[number].pitch.step - model[number - 1].pitch.step


def _fixed(
    bar: Bar,
    number: int,
    onset: Fraction,
    own: int,
    given: Mapping[Fraction, Note],
    drawn: Sequence[Note],
    place: int,
) -> Pitch | None:
    if onset in given:
        return given[onset].pitch
    pitch = bar.pitch(number)
    if pitch is None and drawn and bar.like is None and own < 2 and place < 2:
        return next((note.pitch for note in drawn if note.onset == onset), None)
    return pitch


def _height(passed: float) -> float:
    begin, rise = HIGHEST
    return begin + rise * float(np.sin(np.pi * min(passed * 1.15, 1.0)))


def _closing(spots: list[Spot], phrase: PhraseLayout) -> list[Spot]:
    """Bind the last notes to the degrees of the cadence's soprano."""
    close = phrase.close
    if close is None or spots[-1].fixed is not None:
        return spots
    endings = close.formula.soprano
    degrees = tuple(sorted({ending[-1] for ending in endings}))
    if close.formula.kind == "cad-pac":
        degrees = (1,)
    spots[-1] = replace(spots[-1], degrees=degrees)
    return spots


# --- what is known, and the plan ------------------------------------------------------------


def _statements(
    work: _Work,
    phrase: PhraseLayout,
    slots: Sequence[Slot],
    row: Sequence[Harmony],
    notes: Sequence[Note],
) -> list[Statement]:
    found = []
    length = work.layout.bar
    for unit in phrase.units:
        begin, end = unit.bar, unit.bar + unit.section.bars
        shift = (begin - phrase.first_bar) * length
        inside = [
            replace(note, onset=note.onset - shift)
            for note in notes
            if shift <= note.onset < shift + unit.section.bars * length
        ]
        own = [
            (slot, harmony)
            for slot, harmony in zip(slots, row, strict=True)
            if begin < slot.bar <= end
        ]
        kind = phrase.kind if unit.closes else "none"
        found.append(Statement(unit, kind, tuple(own), tuple(inside), length))
    return found
