"""Right answers out of place: in other layouts, late, in other values, keys, octaves and files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from musegen.errors import MusegenError
from musegen.exercises.grading.arrange import arrange
from musegen.exercises.grading.graded import Graded
from musegen.exercises.grading.handed_in import grade_handed_in
from musegen.exercises.grading.score_grader import score_part
from musegen.exercises.grading.submission import read_answer
from musegen.exercises.grading.task import Task
from musegen.exercises.item import Item
from musegen.exercises.making import make_item
from musegen.io.midi import write_midi
from musegen.io.musicxml import write_musicxml
from musegen.score import Note, Part, Score
from theory_kb.pitch import Interval, Pitch

KINDS = (("pw.rn.satb", 3), ("harm.bass.rn", 2), ("cp.sp1", 1), ("fb.realise.keyboard", 2))
PLACED = (("harm.bass.rn", 2), ("cp.sp1", 1))  # with chords to stand by, and without
WRITERS: dict[str, Callable[[Score], bytes]] = {
    ".musicxml": write_musicxml,
    ".xml": lambda score: write_musicxml(score, layout="four-staff"),
    ".mid": write_midi,
}
OCTAVE = Interval.parse("P8")


@cache
def item_of(name: str, level: int) -> Item:
    """The item that a test hands its own key in for."""
    return make_item(name, level, 3).item


def model_of(item: Item) -> Score:
    """The model answer as a score."""
    task = Task.of(item)
    read = read_answer(item.solutions.model[score_part(item).id])
    parts = read.parts if read.text is None else task.parts(read.text)
    return task.score(arrange(task, parts).lines, [slot.numeral or "I" for slot in task.slots])


def changed(score: Score, change: Callable[[Note], Note]) -> Score:
    """A score with every note changed, and nothing else said of it."""
    parts = (replace(part, notes=tuple(map(change, part.notes))) for part in score.parts)
    return replace(score, parts=tuple(parts), phrase_ends=(), chords=())


def graded(item: Item, content: bytes, folder: Path, suffix: str = ".musicxml") -> Graded:
    """The grade of a score in a file, with the typed parts of the key beside it."""
    path = folder / f"answer{suffix}"
    path.write_bytes(content)
    score = score_part(item).id
    typed = (f"{part}={text}" for part, text in item.solutions.model.items() if part != score)
    return grade_handed_in(item, (str(path), *typed)).graded


def said(outcome: Graded) -> str:
    """All notes on an answer as a whole."""
    return "\n".join(note.en for note in outcome.notes)


@pytest.mark.parametrize(("name", "level"), KINDS)
@pytest.mark.parametrize("suffix", WRITERS)
def test_the_key_is_full_in_every_layout(
    name: str, level: int, suffix: str, tmp_path: Path
) -> None:
    """Two staves, four, or MIDI: the model answer handed in as a file gets every point."""
    item = item_of(name, level)
    assert graded(item, WRITERS[suffix](model_of(item)), tmp_path, suffix).full


@pytest.mark.parametrize(("name", "level"), PLACED)
@pytest.mark.parametrize("suffix", [".musicxml", ".mid"])
def test_a_late_key_is_full(name: str, level: int, suffix: str, tmp_path: Path) -> None:
    """A beat late throughout, with or without chords to stand by."""
    item = item_of(name, level)
    late = changed(model_of(item), lambda note: replace(note, onset=note.onset + 1))
    outcome = graded(item, WRITERS[suffix](late), tmp_path, suffix)
    assert outcome.full
    assert "W_SHIFTED: the answer is 1 quarter note late from" in said(outcome)


@pytest.mark.parametrize(("name", "level"), PLACED)
@pytest.mark.parametrize("times", [Fraction(2), Fraction(1, 2)])
def test_a_key_in_other_values_is_full(
    name: str, level: int, times: Fraction, tmp_path: Path
) -> None:
    """All values doubled or halved: right, and said."""
    item = item_of(name, level)

    def scaled(note: Note) -> Note:
        return replace(note, onset=note.onset * times, duration=note.duration * times)

    outcome = graded(item, write_musicxml(changed(model_of(item), scaled)), tmp_path)
    assert outcome.full
    assert f"W_VALUES: all note values are {times} times those of the exercise" in said(outcome)


@pytest.mark.parametrize(("name", "level"), [*PLACED, KINDS[0]])
@pytest.mark.parametrize(
    ("interval", "words"), [("m3", "a minor third"), ("P8", "a perfect octave")]
)
def test_a_transposed_key_gets_half(
    name: str, level: int, interval: str, words: str, tmp_path: Path
) -> None:
    """In another key, or in another octave, which chords alone could not tell."""
    item, up = item_of(name, level), Interval.parse(interval)
    high = changed(model_of(item), lambda note: replace(note, pitch=note.pitch + up))
    outcome = graded(item, write_musicxml(high), tmp_path)
    assert outcome.points == outcome.most / 2
    assert f"W_TRANSPOSED: the whole answer lies {words} too high" in said(outcome)


def test_a_chord_that_lasts_too_long_puts_the_rest_late(tmp_path: Path) -> None:
    """The beat it lasts too long is taken off it when the rest is moved back."""
    item = item_of("pw.rn.satb", 3)
    model = model_of(item)
    third = Task.of(item).slots[2].onset

    def held(note: Note) -> Note:
        if note.onset == third:
            return replace(note, duration=note.duration + 1)
        return replace(note, onset=note.onset + (note.onset > third))

    outcome = graded(item, write_musicxml(changed(model, held)), tmp_path)
    assert outcome.full
    assert "1 quarter note late from chord 4 on" in said(outcome)


def test_a_late_counterpoint_is_told_by_bars(tmp_path: Path) -> None:
    """Where there are no chords the place is a bar."""
    item = item_of("cp.sp1", 1)
    late = changed(model_of(item), lambda note: replace(note, onset=note.onset + 4))
    outcome = graded(item, write_musicxml(late), tmp_path)
    assert "4 quarter notes late from bar 1 on" in said(outcome)
    assert outcome.notes[0].zh.startswith("W_SHIFTED：从第 1 小节起，答案晚了 4 个四分音符")


def test_a_chord_of_five_notes_costs_that_chord_alone(tmp_path: Path) -> None:
    """A note too many in a right hand: its chord is not marked, the others keep their voices."""
    item = item_of("fb.realise.keyboard", 2)
    model = model_of(item)
    onset = Task.of(item).slots[2].onset
    right = [part for part in model.parts[:-1] if part.notes[2].onset == onset]
    above = Note(onset, right[0].notes[2].duration, right[0].notes[2].pitch + OCTAVE)
    crowded = replace(model, parts=(Part("extra", (above,)), *model.parts))
    text = write_musicxml(replace(crowded, hands=4))
    outcome = graded(item, text, tmp_path)
    assert "E_VOICES: more than 4 notes sound in chord 3; it is not marked" in said(outcome)
    lost = {each.place for each in outcome.clauses if each.got < each.most}
    assert lost == {"3", "2-3", "3-4"}


def test_a_chord_left_out_altogether_is_missed(tmp_path: Path) -> None:
    """Where nothing sounds, not even what is given, the chord and its connections earn nothing."""
    item = item_of("fb.realise.keyboard", 2)
    model, onset = model_of(item), Task.of(item).slots[2].onset
    left = (tuple(note for note in part.notes if note.onset != onset) for part in model.parts)
    parts = (replace(part, notes=n) for part, n in zip(model.parts, left, strict=True))
    outcome = graded(item, write_musicxml(replace(model, parts=tuple(parts))), tmp_path)
    assert {each.place for each in outcome.clauses if each.got < each.most} == {"3", "2-3", "3-4"}
    assert "W_GIVEN: 1 given note was changed (Bass)" in said(outcome)


def test_a_part_beside_four_named_ones_is_left_out(tmp_path: Path) -> None:
    """Names tell the voices; one that is none of them is said and not marked."""
    item = item_of("pw.rn.satb", 3)
    model = model_of(item)
    extra = Part("Flute", (Note(Fraction(0), Fraction(1), Pitch.parse("C6")),))
    outcome = graded(item, write_musicxml(replace(model, parts=(extra, *model.parts))), tmp_path)
    assert outcome.points == outcome.most
    assert "E_VOICES: Flute is one voice too many (chords 1) and is not marked" in said(outcome)


# --- symbols beside the notes ---------------------------------------------------------------


def labelled(symbols: str) -> Graded:
    """The key of a bass line with other symbols of its chords."""
    item = item_of("harm.bass.rn", 2)
    answers = {**item.solutions.model, "rn": symbols}
    return grade_handed_in(item, tuple(f"{part}={text}" for part, text in answers.items())).graded


def test_symbols_may_be_parted_and_written_in_any_usual_way() -> None:
    """Commas, bars, full-width and Roman-numeral signs mean the same."""
    symbols = item_of("harm.bass.rn", 2).solutions.model["rn"]
    for sign in (",", " | ", "，"):
        assert labelled(symbols.replace(" ", sign)).full
    assert labelled(symbols.replace("V", "\u2164").replace("6", "\uff16")).full


def test_symbols_that_cannot_be_read_are_listed() -> None:
    """Each with its place; the slot counts as left out."""
    symbols = item_of("harm.bass.rn", 2).solutions.model["rn"].split()
    outcome = labelled(" ".join(["zz", *symbols[1:]]))
    assert outcome.points < outcome.most
    assert "unparsed: symbol 1 'zz' is no chord of E" in said(outcome)


def test_symbols_beyond_the_last_chord_are_said() -> None:
    """The first that come are marked."""
    symbols = item_of("harm.bass.rn", 2).solutions.model["rn"]
    outcome = labelled(f"{symbols} V")
    assert outcome.full
    assert "W_LABELS: 9 symbols for 8 chords" in said(outcome)


# --- files ----------------------------------------------------------------------------------


def test_a_second_file_is_refused(tmp_path: Path) -> None:
    """One score is the answer; which of two is not guessed."""
    item = item_of("pw.rn.satb", 3)
    for name in ("one.musicxml", "two.musicxml"):
        (tmp_path / name).write_bytes(write_musicxml(model_of(item)))
    answers = tuple(str(tmp_path / name) for name in ("one.musicxml", "two.musicxml"))
    with pytest.raises(MusegenError, match=r"two\.musicxml'?$|the only file"):
        grade_handed_in(item, answers)


def test_a_repair_as_a_file_pays_for_changes_beyond_need(tmp_path: Path) -> None:
    """The key is full; the same phrase all anew loses a point for each note too many."""
    item = make_item("err.satb.fix", 1, 0).item
    model = model_of(item)
    assert graded(item, write_musicxml(model), tmp_path).full
    low = changed(model, lambda note: replace(note, pitch=note.pitch + Interval(-7, -12)))
    outcome = graded(item, write_musicxml(low), tmp_path)
    (clause,) = [each for each in outcome.clauses if each.id == "changes"]
    assert clause.got < 0
    assert clause.said is not None
    assert "are enough" in clause.said.en
