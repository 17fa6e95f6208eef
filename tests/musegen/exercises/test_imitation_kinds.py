"""Fugue answers, canons and invertible counterpoint: made, proved, graded."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from musegen.errors import ScoreError
from musegen.exercises.grading.grade import grade
from musegen.exercises.grading.imitation import Follower, followers_of, follows
from musegen.exercises.making import make_item
from musegen.score import Note
from theory_kb.pitch import Key, Pitch

KEY = Key.parse("C major")


def notes(text: str) -> tuple[Note, ...]:
    """Half notes."""
    return tuple(
        Note(Fraction(2 * at), Fraction(2), Pitch.parse(name))
        for at, name in enumerate(text.split())
    )


@pytest.mark.parametrize(
    ("follower", "owed"),
    [
        ("F=-7:4:copy", "C4 D4 E4"),
        ("F=-4:4:copy", "F4 G4 A4"),
        ("F=-7:4:mirror", "C4 B3 A3"),
        ("F=-7:4:augment", "C4 D4"),
    ],
)
def test_what_a_follower_owes(follower: str, owed: str) -> None:
    """The leader at the octave, at the fifth, upside down, and twice as long, cut at the end."""
    found = follows(notes("C5 D5 E5 F5 G5"), Follower.parse(follower), KEY, Fraction(10))
    assert " ".join(note.pitch.name for note in found) == owed
    assert max(note.end for note in found) == 10


@pytest.mark.parametrize("text", ["F", "F=1:2", "F=x:4:copy", "F=-7:4:backwards"])
def test_followers_that_cannot_be_read_are_refused(text: str) -> None:
    """Facts of an item that were edited badly name the entry."""
    with pytest.raises(ScoreError, match="Follower=-7:4:copy"):
        Follower.parse(text)


def test_a_note_that_does_not_follow_costs_its_share() -> None:
    """Half the points are for the imitation, a note of seven a seventh of them."""
    item = make_item("cp.canon", 2, 0).item
    model = item.solutions.model["score"]
    assert grade(item, {"score": model}).full
    (follower,) = followers_of(item)
    lines = dict(line.split(": ", 1) for line in model.split("\n"))
    words = lines[follower.name].split()
    words[-1] = "C2:2" if words[-1] != "C2:2" else "D2:2"
    lines[follower.name] = " ".join(words)
    graded = grade(item, {"score": "\n".join(f"{name}: {line}" for name, line in lines.items())})
    clause = next(each for each in graded.clauses if each.id == "imitation")
    assert clause.got == clause.most * 5 / 6
    assert clause.said is not None
    assert "bar 4" in clause.said.en


def test_a_part_is_judged_in_both_places() -> None:
    """Parallel sixths are clean as they stand at the tenth, and parallel fifths when exchanged."""
    item = make_item("cp.invertible", 5, 0).item
    upper = item.facts["given"].removeprefix("Upper: ").replace("|", " ").split()
    sixths = [Pitch(p.step - 5, p.semitone - 9) for p in (Pitch.parse(w[:-2]) for w in upper)]
    lower = " ".join(f"{pitch}:2" for pitch in sixths)
    graded = grade(item, {"score": f"{item.facts['given']}\nLower: {lower}"})
    clauses = {each.id: each for each in graded.clauses}
    assert clauses["exchanged"].got < clauses["counterpoint"].got
    assert clauses["exchanged"].said is not None
    assert "inverted at the 10th" in clauses["exchanged"].said.en


@pytest.mark.parametrize("name", ["cp.canon", "cp.invertible"])
def test_blank_and_broken_answers(name: str) -> None:
    """Nothing is blank, what cannot be read is refused, both of the item's points."""
    item = make_item(name, 3, 1).item
    assert grade(item, {}).status == "blank"
    refused = grade(item, {"score": "nonsense"})
    assert refused.status == "refused"
    assert refused.most == item.points


def test_every_answer_that_theory_allows_is_right() -> None:
    """Above and below, each way of the head: all are accepted, the real one is not."""
    item = make_item("cp.fugue.answer", 2, 0).item
    assert len(item.solutions.accepted["answer"]) >= 2
    assert all(grade(item, {"answer": each}).full for each in item.solutions.accepted["answer"])
    real = next(each for each in item.distractors if each.op == "D12")
    assert grade(item, {"answer": real.value}).points < item.points


def test_a_missing_fact_is_named() -> None:
    """A record whose canon was damaged says so."""
    item = make_item("cp.canon", 1, 0).item
    broken = replace(item, facts={**item.facts, "canon": "Follower"})
    with pytest.raises(ScoreError, match="facts, canon"):
        grade(broken, item.solutions.model)


@pytest.mark.parametrize(
    ("name", "level", "voice"), [("cp.canon", 2, "Leader"), ("cp.invertible", 3, "Lower")]
)
def test_what_is_not_written_earns_nothing(name: str, level: int, voice: str) -> None:
    """One note of eight makes no error, and gets no more than its share."""
    item = make_item(name, level, 0).item
    model = dict(line.split(": ", 1) for line in item.solutions.model["score"].split("\n"))
    answer = f"{item.facts['given']}\n" if voice == "Lower" else ""
    graded = grade(item, {"score": f"{answer}{voice}: {model[voice].split()[0].split('|')[0]}"})
    assert graded.points <= item.points / 4
