"""Sequences, wrong notes to be heard, forms and themes, singing at sight."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from musegen.exercises.grading.grade import grade
from musegen.exercises.kinds import kind
from musegen.exercises.making import make_item
from musegen.exercises.playing import sounds
from theory_kb.pitch import Pitch


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_a_tonal_sequence_keeps_its_steps(level: int) -> None:
    """Each leg is the one before, moved by the same staff steps, the given ones included."""
    item = make_item("seq.continue", level, 3).item
    shown = dict(part.strip().split(" ", 1) for part in item.given.text.split(": ")[1].split(";"))
    for voice in ("soprano", "bass"):
        line = f"{shown[voice]} {item.solutions.model[voice]}".split()
        steps = [Pitch.parse(name).step for name in line]
        moves = {after - before for before, after in zip(steps, steps[2:], strict=False)}
        assert len(moves) == 1


def test_the_monte_is_real() -> None:
    """Its legs are exact: d5 to major third over a rising bass, a whole tone higher each time."""
    item = make_item("seq.continue", 5, 1).item
    shown = item.given.text.split(": ")[1]
    soprano = f"{shown.split(';')[0].removeprefix('soprano ')} {item.solutions.model['soprano']}"
    semitones = [Pitch.parse(name).semitone for name in soprano.split()]
    assert {after - before for before, after in zip(semitones, semitones[2:], strict=False)} == {2}


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_what_is_played_is_wrong_where_the_key_says(level: int) -> None:
    """As many sounds differ as there are faults, in the places of the key and nowhere else."""
    item = make_item("err.aural", level, 2).item
    assert item.given.heard is not None
    printed, played = sounds(item.given.musicxml), sounds(item.given.heard.musicxml)
    unit = float(Fraction(item.facts["unit"]))
    apart = {int(onset // unit) + 1 for _, onset, _ in set(printed) ^ set(played)}
    assert apart == {int(each) for each in item.solutions.model["answer"].split()}


def test_an_item_with_another_difference_is_no_item() -> None:
    """If the key names another place, the proof of the kind says so."""
    item = make_item("err.aural", 1, 2).item
    right = item.solutions.model["answer"]
    other = {"answer": ("1" if right != "1" else "2",)}
    wrong = replace(item, solutions=replace(item.solutions, accepted=other))
    assert kind("err.aural").faults(item) == []
    assert kind("err.aural").faults(wrong)


def test_a_false_alarm_costs_what_a_fault_gives() -> None:
    """One right and one wrong number of two is less than one right alone is worth."""
    item = make_item("err.aural", 2, 0).item
    first, second = item.solutions.model["answer"].split()
    other = next(str(n) for n in range(1, 5) if str(n) not in (first, second))
    assert grade(item, {"answer": f"{second} {first}"}).full
    assert grade(item, {"answer": f"{first} {other}"}).points < 1


# --- forms and themes -----------------------------------------------------------------------


def test_plans_of_forms_are_told_apart() -> None:
    """No two forms of the table read the same, at either length."""
    from musegen.exercises.makers.forms import FORMS, _plan, _scaled

    read = [
        "; ".join(each.to("en") for each in _scaled(_plan(form), times))
        for form in FORMS
        for times in (1, 2)
    ]
    assert len(set(read)) == len(read)


def test_a_rondo_comes_home_with_its_last_refrain() -> None:
    """The textbook's five-part rondo in C: home for good in bar 49 of 64."""
    from musegen.exercises.makers.forms import _back, _plan

    plan = _plan("rondo-5")
    assert [each.theme for each in plan if each.theme] == ["A", "B", "A", "C", "A", "A"]
    assert (plan[-1].last, _back(plan)) == (64, 49)


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_a_theme_is_what_it_is_called(level: int) -> None:
    """An idea that comes again has the same notes; only a first half with a dominant close is closed."""
    item = make_item("form.phrase", level, 1).item
    answer = item.solutions.model
    notes, _, chords = item.given.text.partition(": ")[2].rpartition(" (")
    symbols = chords.rstrip(")").split()
    second = int(answer["second"])
    assert (symbols[second - 2] == "V") == (answer["middle"] == "hc")
    names = notes.split()
    if answer["answer"] == "period-parallel":
        assert any(names[at : at + 4] == names[:4] for at in range(4, len(names)))


# --- singing --------------------------------------------------------------------------------


def test_a_melody_may_be_sung_on_any_tonic() -> None:
    """A whole tone higher is full, and so is another octave; a rest before the end costs the flow."""
    from theory_kb.pitch import Interval

    item = make_item("sing.sight", 1, 0).item
    words = item.facts["melody"].removeprefix("Melody: ")

    def moved(interval: str) -> str:
        def up(word: str) -> str:
            name, _, length = word.partition(":")
            return f"{Pitch.parse(name) + Interval.parse(interval)}:{length}"

        bars = (" ".join(map(up, bar.split())) for bar in words.split("|"))
        return f"Melody: {'|'.join(bars)}"

    assert grade(item, {"score": moved("M2")}).full
    assert grade(item, {"score": moved("-P8")}).full
    first, _, last = words.rpartition(" ")
    graded = grade(item, {"score": f"Melody: {first} r2 {last}"})
    assert {each.id: int(each.got) for each in graded.clauses}["flow"] == 0
    assert graded.points < item.points


def test_of_a_rhythm_pitch_does_not_count() -> None:
    """All on one note is full; even values are not."""
    item = make_item("sing.rhythm", 2, 0).item
    bars = item.facts["melody"].removeprefix("Melody: ").split("|")
    flat = "|".join(
        " ".join(f"C4:{word.partition(':')[2]}" for word in bar.split()) for bar in bars
    )
    assert grade(item, {"score": f"Melody: {flat}"}).full
    even = " ".join("C4:4" for bar in bars for _ in bar.split())
    assert grade(item, {"score": f"Melody: {even}"}).points < item.points


# --- writing --------------------------------------------------------------------------------


def test_a_theme_is_marked_by_what_can_be_counted() -> None:
    """A wrong end, a missing bar and a changed opening each cost what their clause gives."""
    item = make_item("comp.period", 2, 0).item
    line = item.solutions.model["score"].removeprefix("Melody: ")
    bars = line.split("|")

    def lost(text: str) -> set[str]:
        graded = grade(item, {"score": f"Melody: {text}"})
        assert any("human_review" in note.en for note in graded.notes)
        return {each.id for each in graded.clauses if each.got < each.most}

    assert lost(line) == set()
    assert "bars" in lost("|".join(bars[:-1]))
    assert grade(item, {"score": "Melody: C5:4"}).points < item.points / 4
    first = "E6:4" if not bars[0].startswith("E6") else "F6:4"
    assert "opening" in lost("|".join([" ".join([first, *bars[0].split()[1:]]), *bars[1:]]))
    step = Pitch.parse(bars[-1].split(":")[0])
    wrong = "C" if step.name[0] != "C" else "D"
    assert "close" in lost("|".join([*bars[:-1], f"{wrong}4:{bars[-1].split(':')[1]}"]))


@pytest.mark.parametrize(("text", "status"), [("", "blank"), ("nonsense", "refused")])
def test_odd_themes(text: str, status: str) -> None:
    """Blank and unreadable answers are told apart."""
    assert grade(make_item("comp.period", 1, 0).item, {"score": text}).status == status


def test_a_modulation_without_its_close_loses_points() -> None:
    """The model is full; ended on the dominant of the new key it is not."""
    item = make_item("mod.compose", 1, 0).item
    model = item.solutions.model
    assert grade(item, model).full
    lines = [line.split() for line in model["score"].split("\n")]
    cut = "\n".join(" ".join([*line[:-1], line[-2]]) for line in lines)
    symbols = model["rn"].split()
    answer = {"score": cut, "rn": " ".join([*symbols[:-1], symbols[-2]])}
    assert grade(item, answer).points < item.points
