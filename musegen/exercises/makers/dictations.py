"""Dictation: rhythms, melodies and phrases in four parts, heard and taken down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from musegen.exercises.grading.heard import MELODY, RHYTHM
from musegen.exercises.grading.rubric import load_rubric
from musegen.exercises.grading.scoring import most_points
from musegen.exercises.grading.voice_text import write_line
from musegen.exercises.item import Ask, Distractor, Draft, Given, Solutions, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.drafting import Part, Words, draft_of, draw_key, filled
from musegen.exercises.makers.harmony import drawn_phrase, labels_part
from musegen.exercises.makers.hearing import heard, line_example, line_given, rhythm_example
from musegen.exercises.makers.showing import shown_begun, shown_chords
from musegen.exercises.makers.tunes import draw_tune
from musegen.exercises.metres import draw_bar, metre_of
from musegen.exercises.names import key_text
from musegen.exercises.rhythm_text import RhythmValue, rhythm_text, value_of
from musegen.io.blank_sheet import hide_tempo
from musegen.io.examples import Example, write_example
from musegen.io.musicxml import write_musicxml
from musegen.io.notation import beat
from musegen.score import Metre, Note
from musegen.score import Part as ScorePart
from theory_kb.imitation import moved_in_key
from theory_kb.pitch import Key, Pitch

__all__ = ["sing_at_sight", "take_down_chords", "take_down_melody", "take_down_rhythm"]

SEGMENTS = 8
ONE_PITCH = Pitch.parse("B4")


# --- rhythm ---------------------------------------------------------------------------------


def take_down_rhythm(work: Work) -> Draft:
    """A rhythm of eight segments on one note, heard: written down.

    Parameters: `metres`, `cells`, `segment` (in beats).
    """
    metre = metre_of(work.pick(work.params["metres"]))
    beats = int(work.params["segment"])
    segment = beat(metre) * beats
    cells = work.params["cells"]
    values = [draw_bar(metre, cells, work.rng, beats=beats) for _ in range(SEGMENTS - 1)]
    values.append(_long(segment))
    if len({rhythm_text(each) for each in values}) < int(work.params["different"]):
        raise DiscardError("a rhythm that only repeats itself")
    bars = _joined(values, int(metre.bar / segment))
    answer = " | ".join(rhythm_text(bar) for bar in bars)
    words: Words = {
        "metre": str(metre),
        "bars": str(len(bars)),
        "half": " | ".join(rhythm_text(bar) for bar in bars[: len(bars) // 2]),
        "first": rhythm_text(bars[0]),
        "answer": answer,
    }
    music = rhythm_example(bars, metre, ONE_PITCH)
    given = Given(f"a rhythm of {len(bars)} bars in {metre}", heard=heard(work, music))
    label = Text("rhythm", "节奏")
    facts = {"rhythm": answer, "metre": str(metre), "segment": str(segment)}
    part = Part((answer,), "rhythm", label, (), _most(work), id=RHYTHM)
    draft = draft_of(work, given, part, words, kg=(f"metre:{metre}",), facts=facts)
    return replace(draft, distractors=tuple(_evened(bars)))


def _long(length: Fraction) -> tuple[RhythmValue, ...]:
    """One note of a length; raises DiscardError where no single value writes it."""
    found = value_of(length)
    if found is None:
        raise DiscardError("no value for the last note")
    return (found,)


def _joined(segments: list[tuple[RhythmValue, ...]], a_bar: int) -> list[tuple[RhythmValue, ...]]:
    """Segments as bars."""
    return [
        tuple(value for segment in segments[at : at + a_bar] for value in segment)
        for at in range(0, len(segments), a_bar)
    ]


EVENED = Text("listen for the dots: long and short are not alike", "注意附点：长短不等")
HURRIED = Text("a bar was left out", "漏了一小节")


def _evened(bars: list[tuple[RhythmValue, ...]]) -> list[Distractor]:
    """Wrong answers: the dots passed over, and a bar left out."""
    plain = [tuple(replace(value, dots=0, tied=False) for value in bar) for bar in bars]
    found = [" | ".join(rhythm_text(bar) for bar in bars[1:])]
    if plain != bars:
        found.append(" | ".join(rhythm_text(bar) for bar in plain))
    said = (HURRIED, EVENED)
    return [
        Distractor(RHYTHM, value, "D8" if not at else "D5", "D8" if not at else "D5", said[at])
        for at, value in enumerate(found)
    ]


def _most(work: Work) -> int:
    """Points of the whole."""
    return int(most_points(load_rubric(work.kind.rubric), 1, 1, 0))


# --- melody ---------------------------------------------------------------------------------


def take_down_melody(work: Work) -> Draft:
    """A melody of eight segments, heard: written down. Key, metre and first note are told.

    Parameters as of `draw_tune`, and `segment` in beats.
    """
    key = draw_key(work, most=3)
    metre, tune, segment = work.settle(lambda: _melody(work, key))
    bars, first = _bars(tune, metre), tune[0].pitch
    page = Example((), key.signature, metre)
    text = f"{key}, {metre}, first note {first}"
    shown = shown_begun(text, [("treble", tune[:1])], metre.bar * bars, page)
    music = write_example(line_example(tune, metre, key.signature))
    draft = _melody_draft(work, key, (metre, tune, segment))
    third = _third_off(tune, key, metre)
    return replace(draft, given=replace(shown, heard=heard(work, music)), distractors=(third,))


def sing_at_sight(work: Work) -> Draft:
    """A melody of eight segments, printed: sung or played. Parameter `sung`: melody or rhythm."""
    key = draw_key(work, most=3)
    metre, tune, segment = work.settle(lambda: _melody(work, key))
    text = f"{key}, {metre}: {' '.join(str(note.pitch) for note in tune)}"
    given = line_given(text, tune, metre, key.signature)
    draft = _melody_draft(work, key, (metre, tune, segment))
    return replace(draft, given=given, facts={**draft.facts, "sung": work.params["sung"]})


def _melody(work: Work, key: Key) -> tuple[Metre, tuple[Note, ...], Fraction]:
    """A tune of eight segments with a note in each, its metre, and the length of a segment."""
    frame, tune = draw_tune(work, key)
    metre = frame.metre
    segment = beat(metre) * int(work.params["segment"])
    if metre.bar * _bars(tune, metre) != SEGMENTS * segment or not _struck(tune, segment):
        raise DiscardError("not eight segments that each have a note")
    return metre, tune, segment


def _melody_draft(work: Work, key: Key, melody: tuple[Metre, tuple[Note, ...], Fraction]) -> Draft:
    """What a melody asks for, whether it is taken down or sung."""
    metre, tune, segment = melody
    line = f"Melody: {write_line(tune, metre.bar)}"
    first = tune[0].pitch
    words: Words = {
        "key": key_text(key),
        "metre": str(metre),
        "bars": str(_bars(tune, metre)),
        "first": first.name,
        "degree": str((first.step - key.tonic.letter) % 7 + 1),
        "opening": " ".join(note.pitch.name for note in tune if note.onset < metre.bar),
        "high": max(tune, key=lambda note: note.pitch.step).pitch.name,
        "answer": line.removeprefix("Melody: "),
    }
    kind, label = work.kind, Text("melody", "旋律")
    return Draft(
        key=key.name,
        given=Given(),
        ask=(Ask(MELODY, "score", "score", label, _most(work), voices=("Melody",)),),
        prompt=filled(kind.instruction, words),
        uniqueness=kind.uniqueness,
        solutions=Solutions({MELODY: (line,)}, 1),
        hints=tuple(filled(hint, words) for hint in kind.hints),
        why=filled(kind.why, words),
        rubric=kind.rubric,
        kg=(f"key:{key.name}", f"metre:{metre}"),
        facts={"melody": line, "metre": str(metre), "segment": str(segment)},
    )


def _bars(tune: tuple[Note, ...], metre: Metre) -> int:
    return int(-(-tune[-1].end // metre.bar))


def _struck(tune: tuple[Note, ...], segment: Fraction) -> bool:
    """Whether a note begins in each segment."""
    return {int(note.onset // segment) for note in tune} == set(range(SEGMENTS))


THIRD_OFF = Text("all of it lies a third too high", "全部高了三度")


def _third_off(tune: tuple[Note, ...], key: Key, metre: Metre) -> Distractor:
    """The melody a third too high, as one hears it who mistakes the first note."""
    moved = [Note(n.onset, n.duration, moved_in_key(n.pitch, key, 2)) for n in tune]
    return Distractor(MELODY, f"Melody: {write_line(moved, metre.bar)}", "D2", "D2", THIRD_OFF)


# --- chords ---------------------------------------------------------------------------------


def take_down_chords(work: Work) -> Draft:
    """A phrase in four parts, heard: soprano, bass and numerals. The first chord is given."""
    key = draw_key(work)
    phrase = work.settle(lambda: drawn_phrase(work, key))
    lines = (phrase.score.parts[0], phrase.score.parts[-1])
    slots = sorted({note.onset for note in lines[1].notes})
    if any(len(line.notes) != len(slots) for line in lines):
        raise DiscardError("voices that move between the chords")
    names = ["Soprano", "Bass"]
    rows = [" ".join(note.pitch.name for note in line.notes) for line in lines]
    played = "\n".join(f"{name}: {row}" for name, row in zip(names, rows, strict=True))
    symbols = phrase.symbols
    count = len(symbols)
    words = _chord_words(key, symbols, lines, rows)
    first = [line.notes[0].pitch for line in lines]
    shown = shown_chords(f"{key}, {count} chords, the first is {symbols[0]}", [first[::-1]],
                         sharps=key.signature, words=[symbols[0]])  # fmt: skip
    bare = replace(phrase.score, chords=(), figures=(), cadences=(), title="", subtitle="")
    given = replace(shown, heard=heard(work, hide_tempo(write_musicxml(bare).decode())))
    kind, most = work.kind, count - 1
    asked = (
        Ask(
            MELODY,
            "score",
            "score",
            Text("soprano and bass", "高音与低音"),
            2 * most,
            voices=tuple(names),
        ),
        Ask("rn", "text", "labels", Text("Roman numerals", "罗马数字"), most),
    )
    return Draft(
        key=key.name,
        given=given,
        ask=asked,
        prompt=filled(kind.instruction, words),
        uniqueness=kind.uniqueness,
        solutions=Solutions(
            {MELODY: (played,), "rn": labels_part(key, phrase.chords, "roman").accepted}
        ),
        hints=tuple(filled(hint, words) for hint in kind.hints),
        why=filled(kind.why, words),
        rubric=kind.rubric,
        kg=tuple(dict.fromkeys(f"numeral:{each.mode} {each.numeral}" for each in phrase.chords)),
        facts={"played": played, "slots": " ".join(map(str, slots))},
    )


def _chord_words(
    key: Key, symbols: Sequence[str], lines: Sequence[ScorePart], rows: Sequence[str]
) -> Words:
    """What the sentences of the catalogue may name."""
    upper, lower = lines
    return {
        "key": key_text(key),
        "count": str(len(symbols)),
        "first": f"{upper.notes[0].pitch} {lower.notes[0].pitch} ({symbols[0]})",
        "bass": " ".join(note.pitch.name for note in lower.notes[:3]),
        "close": " ".join(symbols[-2:]),
        "answer": f"{' '.join(symbols)}; {rows[0]}; {rows[1]}",
    }
