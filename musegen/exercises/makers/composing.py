"""Composition over what is given: a variation on a theme, a second violin.

Themes are those of `musegen.exercises.makers.themes`, a chord a bar. Each model answer is found under the
rules of the rubric, and is marked as a student's would be.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from musegen.exercises.grading.asked_tones import wanted_words
from musegen.exercises.grading.observe import observe
from musegen.exercises.grading.rubric import load_rubric, rubric_style
from musegen.exercises.grading.task import Slot, Task
from musegen.exercises.grading.voice_text import write_line
from musegen.exercises.item import Draft
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.decorating import Surface, broad, decorated
from musegen.exercises.makers.drafting import Words, draw_key
from musegen.exercises.makers.part_writing import figured_words, figures_under, is_tune
from musegen.exercises.makers.phrases import draw_phrase, search_style, voiced
from musegen.exercises.makers.score_drafts import Sheet
from musegen.exercises.makers.surfaces import asked_draft, kinds_of
from musegen.exercises.makers.themes import Theme, built_theme
from musegen.exercises.makers.tunes import TuneFrame, tune_over
from musegen.exercises.names import key_text
from musegen.exercises.rhythm_text import read_rhythm
from musegen.plan.ensemble import KEYBOARD_TRIO
from musegen.score import Metre, Note
from theory_kb.chords import spell
from theory_kb.pitch import Key, Pitch

__all__ = ["vary_theme", "write_second_violin"]

Line = tuple[Note, ...]
LOW = Pitch.parse("E2").step  # of a bass


def _theme(work: Work, key: Key) -> Theme:
    """A theme of the level: a row of units of `themes`, in the second key if the level goes to V."""
    plan = str(work.pick(work.params["plans"])).split()
    goal = Key(key.tonic.transposed(1), key.mode) if work.params.get("goal") == "V" else key
    return built_theme(work, "", plan, (key, goal))


def _slots(frame: TuneFrame) -> tuple[Slot, ...]:
    return tuple(
        Slot(each.onset, each.end - each.onset, each.key, each.chord.symbol)
        for each in frame.stretches
    )


def _is_clean(work: Work, slots: Sequence[Slot], lines: Sequence[Line], metre: Metre) -> bool:
    """Whether the rubric has nothing against some voices, high to low."""
    names = tuple(map(str, range(len(lines))))
    task = Task("", slots[0].key, names, tuple(slots), ((),) * len(lines), metre=metre)
    score = task.score(lines, [slot.numeral for slot in slots])
    found = observe(task, score, rubric_style(load_rubric(work.kind.rubric)))
    rubric = load_rubric(work.kind.rubric)
    charged = {name for section in rubric.sections for name, _ in section.named}
    return not any(charged & {*each.names} for each in found.defects)


def _bass(frame: TuneFrame) -> Line:
    """The bass of each chord, a note a bar, as near to the one before as it may be."""
    line: list[Note] = []
    for each in frame.stretches:
        tone = spell(each.chord, each.key)[each.chord.inversion]
        ways = [Pitch.of(tone, octave) for octave in (1, 2, 3, 4)]
        ways = [way for way in ways if LOW <= way.step < LOW + WIDE]
        before = line[-1].pitch.step if line else LOW + WIDE // 2
        _, nearest = min((abs(way.step - before), way) for way in ways)
        line.append(Note(each.onset, each.end - each.onset, nearest))
    return tuple(line)


WIDE = 10  # staff steps that a bass moves in


def _told(key: Key, theme: Theme) -> Words:
    return {
        "key": key_text(key),
        "bars": str(len(theme.roman)),
        "chords": " ".join(theme.roman),
        "goal": key_text(theme.frame.stretches[-1].key),
    }


# --- a variation ----------------------------------------------------------------------------


def vary_theme(work: Work) -> Draft:
    """A theme with its bass: a figural variation over the same bass.

    Parameters: `plans`, `metres`, `cells` (of the theme), `figures` (cells of the variation, a beat each).
    """
    key = draw_key(work, most=3)
    theme, bass, line = work.settle(lambda: work.settle(lambda: _varied(work, key)))
    metre, slots = theme.frame.metre, _slots(theme.frame)
    words = {**_told(key, theme), "opening": _named(line, slots[0].end)}
    words["theme"] = write_line(theme.notes, metre.bar)
    sheet = Sheet(
        key, slots, {}, ((), ()), metre, voices=("Melody", "Bass"), shown_chords=True,
        words=f"theme: {write_line(theme.notes, metre.bar)}\nchords: {' '.join(theme.roman)}",
        begun={1: bass},
    )  # fmt: skip
    facts = {
        "asked": "written=2 theme=4 variety=3 close=2",
        "theme": f"Melody: {write_line(theme.notes, metre.bar)}",
        "review": "human",
    }
    return asked_draft(work, sheet, words, [line, bass], facts, kg=("form:theme-and-variations",))


def _named(line: Sequence[Note], end: Fraction) -> str:
    return " ".join(note.pitch.name for note in line if note.onset < end)


def _varied(work: Work, key: Key) -> tuple[Theme, Line, Line]:
    """A theme, its bass, and a line that strikes its notes on each chord and moves between them."""
    theme = _theme(work, key)
    metre, slots = theme.frame.metre, _slots(theme.frame)
    bass = _bass(theme.frame)
    figure = str(work.pick(work.params["figures"]))
    rhythm = _figured_rhythm(theme, figure)
    onsets = [onset for onset, _ in rhythm]
    starts = {slot.onset for slot in slots}
    pinned = {
        onsets.index(note.onset): note.pitch.step for note in theme.notes if note.onset in starts
    }
    line = tune_over(theme.frame, rhythm, work.rng, pinned=pinned)
    both = ((theme.notes, bass), (line, bass))
    if not all(_is_clean(work, slots, each, metre) for each in both):
        raise DiscardError("a variation that breaks a rule")
    return theme, bass, line


def _figured_rhythm(theme: Theme, figure: str) -> list[tuple[Fraction, Fraction]]:
    """One cell a beat; bars that the theme holds one note through keep it, the other ones move."""
    bar = theme.frame.metre.bar
    held = {note.onset for note in theme.notes if note.duration == bar}
    cell = [value.length for value in read_rhythm(figure)]
    found: list[tuple[Fraction, Fraction]] = []
    for each in theme.frame.stretches:
        time = each.onset
        if each.onset in held:
            found.append((each.onset, bar))
            continue
        while time < each.end:
            for length in cell:
                found.append((time, length))
                time += length
    return found


# --- a trio sonata --------------------------------------------------------------------------

TRIO = ("First", "Second", "Bass")


def write_second_violin(work: Work) -> Draft:
    """First violin and figured bass of a trio sonata: the second violin.

    Parameters: those of `draw_phrase`, `first` (decorations of the first violin, `passing=2`), and
    `wanted` (those asked for in the second).
    """
    surface = work.settle(lambda: work.settle(lambda: _trio(work)))
    phrase, lines = surface.phrase, surface.lines
    wanted = str(work.params["wanted"])
    words: Words = {
        "key": key_text(phrase.key),
        "wanted": wanted_words(wanted),
        "numerals": " ".join(slot.numeral for slot in phrase.slots),
        "opening": " ".join(note.pitch.name for note in lines[1][:2]),
        "answer": " ".join(note.pitch.name for note in lines[1]),
    }
    sheet = Sheet(
        phrase.key, phrase.slots, {}, ((),) * len(TRIO), phrase.metre, voices=TRIO,
        words=f"figured bass: {figured_words(phrase, surface.plain[2])}",
        figures=figures_under(phrase), begun={0: lines[0], 2: lines[2]},
    )  # fmt: skip
    facts = {"asked": "written=2 wanted=6 close=2", "wanted": wanted, "review": "human"}
    return asked_draft(work, sheet, words, lines, facts, kg=("form:trio-sonata",))


def _trio(work: Work) -> Surface:
    """Two violins over a bass, the first decorated as it is given, the second as it is asked for."""
    phrase = broad(draw_phrase(work))
    style = search_style(work.kind.rubric, KEYBOARD_TRIO.style)
    found = voiced(phrase, style, work.rng, ensemble=KEYBOARD_TRIO)
    if not is_tune(found):
        raise DiscardError("the first violin is no tune")
    plain = Surface(phrase, TRIO, found.pitches, work.kind.rubric)
    given = decorated(plain, kinds_of(str(work.params["first"])), (0,), work.rng)
    return decorated(given, kinds_of(str(work.params["wanted"])), (1,), work.rng)
