"""Exercises on the figures of a thorough bass, answered in words."""

from __future__ import annotations

from musegen.exercises.distractors import Wrong
from musegen.exercises.item import Draft, Given, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.chords import chords_of, names_of, writable
from musegen.exercises.makers.drafting import Part, Words, draft_of, draw_key
from musegen.exercises.makers.harmony import drawn_phrase, labels_part
from musegen.exercises.makers.scales import climb
from musegen.exercises.makers.showing import shown
from musegen.exercises.names import key_text
from musegen.io.examples import Example, ExampleStaff, Sign
from theory_kb.chords import spell
from theory_kb.pitch import Key, Pitch, PitchClass, ScaleDegree
from theory_kb.thoroughbass import Figures, completed, figures_of, tones

__all__ = ["figures_to_numerals", "read_figures"]

NOTES = Text("notes", "各音")


def read_figures(work: Work) -> Draft:
    """A bass note with figures in a key: the notes above it."""
    key = draw_key(work)
    if work.params.get("suspensions"):
        bass, text = _suspension(work, key)
    else:
        chord = work.pick(chords_of(key, work))
        bass = spell(chord, key)[chord.inversion]
        text = figures_of(chord, key).text or "5/3"
    notes = _above(text, bass, key)
    if not writable([bass, *notes]):
        raise DiscardError("triple accidentals")
    answer = names_of(notes)
    words: Words = {
        "key": key_text(key),
        "bass": bass.name,
        "figures": text,
        "full": _full(text),
        "first": notes[0].name,
        "answer": answer,
    }
    plain = [PitchClass.parse(note.name[0]) for note in notes]
    bare = [part.strip("#bn+x") for part in text.split("/")]
    signature = _above("/".join(part for part in bare if part) or "5/3", bass, key)
    wrong = [Wrong(names_of(signature), "D5"), Wrong(names_of(plain), "D9")]
    below = [note.transposed(-2) for note in notes]
    wrong.append(Wrong(names_of(below), "D2"))
    root_position = _above("5/3", bass, key)
    wrong.append(Wrong(names_of(root_position), "D10"))
    wrong = [each for each in wrong if each.value != answer]
    example = _bass_example(key, [(bass, text)])
    part = Part(
        (answer,), "pitch-set" if "-" not in text else "pitch-classes", NOTES, wrong, len(notes)
    )
    return draft_of(work, example, part, words, key=key, kg=(f"figure:{text}",))


def _above(text: str, bass: PitchClass, key: Key) -> list[PitchClass]:
    """Notes over a bass from its figures, low numbers first; those of a suspension one by one."""
    if "-" in text:
        return [_interval(int(part), bass, key) for part in text.split("-")]
    written = completed(Figures.parse(text).written)
    found = tones(written, bass, key.signature)
    return [found[number] for number in sorted(found) if found[number] != bass]


def _interval(number: int, bass: PitchClass, key: Key) -> PitchClass:
    letter = (bass.letter + number - 1) % 7
    scale = [key.degree(ScaleDegree(degree)) for degree in range(1, 8)]
    return next(note for note in scale if note.letter == letter)


def _full(text: str) -> str:
    if "-" in text:
        return text
    written = completed(Figures.parse(text).written)
    return "/".join(f"{written[number]}{number}" for number in sorted(written, reverse=True))


def _suspension(work: Work, key: Key) -> tuple[PitchClass, str]:
    """A bass degree over which a suspension stands, and its figures."""
    text = work.pick(work.params["suspensions"])
    degrees = {"4-3": (1, 4, 5, 6), "9-8": (1, 4, 6), "7-6": (2, 3, 4, 6)}[text]
    return key.degree(ScaleDegree(int(work.pick(degrees)))), text


def _bass_example(key: Key, notes: list[tuple[PitchClass, str]]) -> Given:
    line = climb([note for note, _ in notes], 3)
    signs = tuple(
        Sign((pitch,), text=_column(text)) for pitch, (_, text) in zip(line, notes, strict=True)
    )
    words = ", ".join(f"{pitch} {text}" for pitch, (_, text) in zip(line, notes, strict=True))
    staff = ExampleStaff("bass", (signs,))
    return shown(f"{key}: {words}", Example((staff,), key.signature))


def _column(text: str) -> str:
    """Figures one above the other."""
    return text.replace("/", "\n")


def figures_to_numerals(work: Work) -> Draft:
    """A figured bass: the chords by label."""
    key = draw_key(work)
    phrase = work.settle(lambda: drawn_phrase(work, key))
    figures = [figures_of(each, key).text for each in phrase.chords]
    bass = [note.pitch for note in phrase.score.parts[-1].notes]
    rows = [f"{pitch}({text or '5/3'})" for pitch, text in zip(bass, figures, strict=True)]
    words: Words = {
        "key": key_text(key),
        "bass": " ".join(rows),
        "second": phrase.symbols[1],
        "answer": " ".join(phrase.symbols),
    }
    signs = tuple(
        Sign((pitch,), text=_column(text)) for pitch, text in zip(bass, figures, strict=True)
    )
    example = Example((ExampleStaff("bass", (signs,)),), key.signature)
    part = labels_part(key, phrase.chords, "roman")
    roots = " ".join(_of_bass(key, pitch) for pitch in bass)
    wrong = [Wrong(roots, "D10"), *part.wrong]
    part = Part(part.accepted, part.reader, part.label, wrong, part.points)
    return draft_of(work, shown(f"{key}: {' '.join(rows)}", example), part, words, key=key)


def _of_bass(key: Key, pitch: Pitch) -> str:
    """The triad that one names who takes every bass note for a root."""
    names = {"major": "I ii iii IV V vi viio", "minor": "i iio III iv V VI viio"}[key.mode].split()
    return names[(pitch.pitch_class.letter - key.tonic.letter) % 7]
