"""Typed exercises on figures and on the choice of chords."""

from __future__ import annotations

from dataclasses import replace

from musegen.exercises.distractors import Wrong
from musegen.exercises.item import Draft, Given, Text
from musegen.exercises.kinds import Work
from musegen.exercises.makers.drafting import Part, draft_of
from musegen.exercises.makers.phrases import Phrase, draw_phrase, search_style, voiced
from musegen.io.musicxml import write_musicxml
from musegen.score import Part as ScorePart
from musegen.score import Score
from theory_kb.chords import chord
from theory_kb.pitch import Pitch
from theory_kb.query import grade_table
from theory_kb.thoroughbass import figures_of

__all__ = ["add_figures", "choose_chord"]

COMMON = 2  # grade B of a progression
STYLE = "teacher_chords"  # rubric whose rules the voices of what is shown keep


def add_figures(work: Work) -> Draft:
    """Soprano and bass with the numerals: the figures of the bass."""
    phrase = draw_phrase(work)
    found = voiced(phrase, search_style(STYLE), work.rng)
    row = [figure or "5/3" for figure in _figure_row(phrase)]
    lines = (found.lines[0], found.lines[-1])
    parts = tuple(
        ScorePart(name, line) for name, line in zip(("Soprano", "Bass"), lines, strict=True)
    )
    labelled = replace(found.score(""), parts=parts)
    symbols = " ".join(each.chord.symbol for each in phrase.harmonies)
    notes = " ".join(note.pitch.name for note in lines[1])
    given = Given(
        f"{phrase.key.name}: {symbols}\nBass: {notes}",
        write_musicxml(labelled).decode(),
        tuple(f"p{v}n{n}" for v in range(2) for n in range(len(lines[v]))),
    )
    part = Part((" ".join(row),), "figure-row", Text("figures", "数字"), (), len(row))
    words = {**_words(phrase), "answer": " ".join(row), "second": row[1]}
    return draft_of(work, given, part, words, key=phrase.key)


def _figure_row(phrase: Phrase) -> list[str]:
    return [figures_of(e.chord, e.key, phrase.key.signature).text for e in phrase.harmonies]


def _words(phrase: Phrase) -> dict[str, str | Text]:
    symbols = [each.chord.symbol for each in phrase.harmonies]
    return {
        "key": phrase.key.name,
        "answer": " ".join(symbols),
        "second": symbols[1],
        "count": str(len(symbols)),
        "last": symbols[-1],
    }


# --- chords for a melody --------------------------------------------------------------------


def choose_chord(work: Work) -> Draft:
    """A melody with its chords but one: which chord fits there? Parameter `offered`: choices."""
    phrase = draw_phrase(work)
    found = voiced(phrase, search_style(STYLE), work.rng)
    place = int(work.rng.integers(1, len(phrase.harmonies) - 1))
    key, tune = phrase.key, found.lines[0]
    symbols = [each.chord.symbol for each in phrase.harmonies]
    right, note = symbols[place], tune[place].pitch
    fits, wrong = _sorted_out(work, phrase, place, note)
    line = " ".join(each.pitch.name for each in tune)
    words = {
        **_words(phrase),
        "place": str(place + 1),
        "note": note.name,
        "before": symbols[place - 1],
        "after": symbols[place + 1],
        "answer": right,
    }
    symbols[place] = "?"
    score = Score("", key, (ScorePart("Melody", tune),), (phrase.metre,))
    given = Given(
        f"{key.name}: {' '.join(symbols)}\nMelody: {line}",
        write_musicxml(score).decode(),
        tuple(f"p0n{number}" for number in range(len(tune))),
    )
    accepted = (right, *(each for each in fits if each != right))
    part = Part(accepted, "label", Text("chord", "和弦"), wrong)
    return draft_of(work, given, part, words, key=key, count=len(accepted))


def _sorted_out(
    work: Work, phrase: Phrase, place: int, note: Pitch
) -> tuple[list[str], tuple[Wrong, ...]]:
    """Of the chords on offer, those that hold a note and join their neighbours, and the others."""
    mode = phrase.key.mode
    names = f"{work.params[mode]} {work.params.get('offered', '')}".split()
    before, after = (phrase.harmonies[place + step].chord for step in (-1, 1))
    degree = note.pitch_class.fifths - phrase.key.tonic.fifths
    grades = grade_table()
    fits, wrong = [], []
    for each in (chord(mode, name) for name in dict.fromkeys(names)):
        joins = min(grades[before.index, each.index], grades[each.index, after.index]) >= COMMON
        holds = degree in each.members
        if holds and joins:
            fits.append(each.symbol)
        else:
            wrong.append(Wrong(each.symbol, "D11" if holds else "D2", _reason(holds)))
    return fits, tuple(wrong)


def _reason(holds: bool) -> Text:
    if holds:
        return Text("the chords around it do not lead there", "与前后和弦连接不合逻辑")
    return Text("the chord does not hold the note", "该和弦不含此音")
