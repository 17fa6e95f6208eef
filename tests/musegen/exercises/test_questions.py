"""Items become questions whose answers the grader of the item agrees with."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import get_args

import pytest

from musegen.exercises.item import LEVELS, Form, Item, Lang
from musegen.exercises.kinds import Setting, kind, kinds
from musegen.exercises.making import make_item
from musegen.exercises.questions import question_of
from musegen.exercises.spellings import spellings
from musegen.io.quizzes.formats import FORMATS, unfit
from musegen.io.quizzes.question import Question, Quiz, check_quiz


@cache
def item_of(name: str, level: int = 1, form: Form | None = None) -> Item:
    """An item of seed 3."""
    return make_item(name, level, 3, setting=Setting(form=form)).item


def texts(question: Question, place: int = 0) -> dict[str, Fraction]:
    """Answers of a field with what they earn."""
    return {each.text: each.share for each in question.fields[place].answers}


def test_an_interval_is_written_in_many_ways() -> None:
    """The inversion of A5 is a diminished fourth: in letters, in English and in Chinese."""
    item = item_of("int.invert", 4, "text")
    found = set(spellings(item, item.ask[0], ("A4",)))
    assert {"A4", "augmented fourth", "aug fourth", "增四度", "增4度"} <= found
    assert not {"a4", "d4", "P4"} & found


def test_notes_are_written_with_printed_signs_and_words() -> None:
    """A flat may be a letter, a sign or a word; a set of three stands in each order."""
    item = item_of("chd.spell")
    assert item.solutions.model["answer"] == "Bb D F"
    found = texts(question_of(item))
    assert {"Bb D F", "B♭ D F", "F D Bb", "Bb, D, F"} <= set(found)
    assert found["Bb Db F"] < 1


def test_a_row_of_labels_is_a_field_a_chord() -> None:
    """Each place is worth its share, takes either view, and half for the numeral alone."""
    question = question_of(item_of("rn.analyse"))
    assert question.shape == "gaps"
    assert [each.model for each in question.fields] == ["I", "vi", "IV", "V", "I"]
    assert [each.points for each in question.fields] == [1] * 5
    assert {each.label for each in question.fields} == {f"labels {n}" for n in range(1, 6)}
    first = texts(question)
    assert (first["I"], first["T"], first["I6"]) == (Fraction(1), Fraction(1), Fraction(1, 2))


def test_words_of_a_list_are_chosen() -> None:
    """Functions are a table to match: every place has the same options."""
    question = question_of(item_of("chd.function.sort"))
    assert question.shape == "match"
    assert texts(question) == {"T": 1, "S": 0, "D": 0}


def test_the_number_of_fields_tells_nothing() -> None:
    """How many signs a key has is what is asked: one field for all of them."""
    question = question_of(item_of("key.signature"))
    assert question.shape == "text"
    assert texts(question)["Bb Eb"] == 1
    assert "one space" in question.stem


def test_large_and_small_letters_count_where_they_must() -> None:
    """`Abm7` is not `AbM7`; a step of the scale may be typed either way."""
    assert question_of(item_of("jz.reharm", 4)).fields[0].case
    assert not question_of(item_of("chd.spell")).fields[0].case
    assert not question_of(item_of("rn.analyse")).fields[0].case


def test_a_number_is_a_number() -> None:
    """A count is compared as a number."""
    question = question_of(item_of("rhy.value.count", 1, "text"))
    assert question.shape == "number"


def test_options_say_what_was_believed() -> None:
    """Each wrong option has the words of its misconception, in the language of the question."""
    item = item_of("int.name", 4)
    for lang in ("en", "zh"):
        question = question_of(replace(item, lang=lang))
        said = {each.value: each.said for each in item.distractors}
        for answer in question.fields[0].answers:
            wanted = said[answer.text].to(lang) if answer.text in said else ""
            assert answer.said == wanted
        assert question.name == f"{item.name}-{lang}"


def test_a_score_is_handed_in_with_rubric_and_model_at_hand() -> None:
    """Whoever marks it has the rubric, the model answer and the command that marks."""
    item = item_of("fb.realise.satb")
    question = question_of(item)
    assert question.shape == "upload"
    assert [each.kind for each in question.media] == ["picture", "file"]
    assert question.media[1].data.decode() == item.given.musicxml
    assert "AP free response 5" in question.marking
    assert "musegen exercise grade" in question.marking
    assert "Soprano: A4" in question.model
    assert question.points == item.points
    assert [each.name for each in question.shown] == [f"{question.name}-model.png"]


def test_what_a_picture_shows_is_not_said_beside_it() -> None:
    """Neither the stem nor the words for who cannot see give the names of the notes away."""
    item = item_of("rud.pitch.name")
    question = question_of(item)
    assert question.given == item.given.text
    assert item.given.text not in question.stem + question.media[0].alt


@pytest.mark.parametrize(
    "name",
    [
        "app.chord",
        "fb.to.rn",
        "jz.symbol.spell",
        "mod.pivot",
        "rhy.convert",
        "scl.write",
        "key.relations",
    ],
)
@pytest.mark.parametrize("level", [1, 5])
def test_shares_are_those_of_the_grader(name: str, level: int) -> None:
    """The whole right answer gets full marks from the grader in each way that is listed, wrong ones less."""
    item = item_of(name, level)
    question = question_of(item)
    assert question.points == item.points
    for part in item.ask:
        own = [each for each in question.fields if each.id.rstrip("0123456789") == part.id]
        rows = [[answer.text for answer in each.right] for each in own]
        longest = max(map(len, rows))
        for place in range(longest):
            text = " ".join(row[min(place, len(row) - 1)] for row in rows)
            graded = kind(name).regrade(item, {**item.solutions.model, part.id: text})
            assert graded.full, text
        for number, each in enumerate(own):
            for answer in each.answers:
                if answer.share < 1:
                    row = [right[0] for right in rows]
                    row[number] = answer.text
                    given = {**item.solutions.model, part.id: " ".join(row)}
                    assert not kind(name).regrade(item, given).full, row


def test_what_is_heard_is_played_and_shown_only_afterwards() -> None:
    """An aural item has its sound in the stem, and its notes with the solution."""
    item = item_of("aur.interval")
    question = question_of(item)
    assert [(each.kind, each.data[:4]) for each in question.media] == [("sound", b"RIFF")]
    assert [each.name for each in question.shown] == [f"{question.name}-heard.png"]
    assert "2 times" in question.stem
    taken_down = question_of(item_of("aur.dict.melody"))
    assert taken_down.shape == "upload"
    assert [each.kind for each in taken_down.media] == ["sound", "picture", "file"]
    assert "melodic dictation" in taken_down.marking


@pytest.mark.slow
@pytest.mark.parametrize("name", kinds())
def test_every_kind_fits_somewhere(name: str) -> None:
    """The easiest in English and the hardest in Chinese are questions that the fullest formats hold."""
    for level, lang in zip((LEVELS[0], LEVELS[-1]), get_args(Lang), strict=True):
        question = question_of(replace(item_of(name, level), lang=lang))
        check_quiz(Quiz("", lang, (question,)))
        assert not unfit(FORMATS["moodle"], question)
        assert not unfit(FORMATS["qti21"], question)
