from __future__ import annotations

import json

import jsonschema
import pytest

from musegen.errors import MusegenError
from musegen.exercises.grading.grade import grade
from musegen.exercises.hints import ladder, with_hints
from musegen.exercises.item import LEVELS, Item, alternatives
from musegen.exercises.kinds import Setting, kind, kinds
from musegen.exercises.makers.chords import in_mode
from musegen.exercises.making import make_item, make_items, proof_faults

CASES = [(name, level) for name in kinds() for level in LEVELS]
SEARCHED = (
    "cp.sp",
    "cp.3v",
    "cp.fault",
    "cp.canon",
)  # seconds an item: a whole counterpoint is looked for
QUICK = [(name, level) for name, level in CASES if not name.startswith(SEARCHED)]


def check_item(item: Item) -> None:
    """Everything that a record promises."""
    assert proof_faults(kind(item.id), item) == []
    assert Item.from_json(item.to_json()) == item
    jsonschema.validate(json.loads(item.to_json()), Item.schema())
    assert grade(item, item.solutions.model).full
    assert grade(item, {}).status == "blank"
    for each in item.distractors:
        answer = {**item.solutions.model, each.part: each.value}
        assert grade(item, answer).points < item.points
    for step in ladder(item):
        assert step.en.strip()
        assert step.zh.strip()
        assert "{" not in step.en + step.zh
    for part in item.ask:
        if part.options:
            right = item.solutions.accepted[part.id]
            assert sum(option in right for option in part.options) == 1


def test_kinds_are_found() -> None:
    """The list that the other tests walk is not empty."""
    assert {"int.name", "rud.terms", "rn.analyse", "mod.pivot"} <= set(kinds())


@pytest.mark.parametrize(("name", "level"), QUICK)
def test_every_kind_makes_proved_items(name: str, level: int) -> None:
    """Each kind at each level: key to full marks, distractors to less, record and schema agree."""
    check_item(make_item(name, level, 0).item)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "level"), CASES)
def test_every_kind_makes_proved_items_of_many_seeds(name: str, level: int) -> None:
    """Forty seeds a level, in every form that the kind has."""
    for seed in range(1, 40):
        forms = kind(name).forms
        setting = Setting(form=forms[seed % len(forms)])
        check_item(make_item(name, level, seed, setting=setting).item)


def test_the_same_seed_gives_the_same_bytes() -> None:
    """An item is a function of kind, level, seed and setting."""
    one, other = (make_item("chd.name", 4, 5).item.to_json() for _ in range(2))
    assert one == other
    assert one != make_item("chd.name", 4, 6).item.to_json()


def test_items_of_a_row_differ() -> None:
    """A question that came already does not come again."""
    questions = [each.item.given.text for each in make_items("int.name", 3, 0, 30)]
    assert len(set(questions)) == 30


def test_the_range_of_keys_is_kept() -> None:
    """No key signature has more accidentals than the teacher asks for."""
    from theory_kb.pitch import Key

    for seed in range(8):
        item = make_item("chd.figure", 4, seed, setting=Setting(key_range=1)).item
        assert abs(Key.parse(item.key).signature) <= 1


def test_a_kind_with_too_few_items_says_so() -> None:
    """Twenty different breve counts there are not."""
    with pytest.raises(MusegenError, match=r"rhy\.tuplet, level 1: only \d+ different items"):
        list(make_items("rhy.tuplet", 1, 0, 50))


@pytest.mark.parametrize(
    ("name", "level", "seed", "said"),
    [
        ("int.nmae", 1, 0, "unknown kind of exercise 'int.nmae'; did you mean 'int.name'"),
        ("int.name", 6, 0, "--level must be from 1 to 5, got 6"),
        ("int.name", 1, -1, "--seed must be a whole number from 0, got -1"),
    ],
)
def test_wrong_requests_are_refused(name: str, level: int, seed: int, said: str) -> None:
    """A refusal says what came and what is allowed."""
    with pytest.raises(MusegenError, match=said):
        make_item(name, level, seed)


def test_slots_with_alternatives_are_unfolded() -> None:
    """The first way of each slot, then each other way alone."""
    assert alternatives("ii6 cad64=I64 V=V7") == (
        "ii6 cad64 V",
        "ii6 I64 V",
        "ii6 cad64 V7",
    )


def test_hints_cost_a_fifth_from_the_second_on() -> None:
    """Restating the goal is free; three more steps leave two fifths."""
    from fractions import Fraction

    assert with_hints(Fraction(5), 1) == 5
    assert with_hints(Fraction(5), 4) == 2
    assert with_hints(Fraction(5), 9) == 0


@pytest.mark.parametrize(
    ("mode", "meant"),
    [
        ("major", ("I", "ii6", "IV", "V", "V7", "vi", "V65/V")),
        ("minor", ("V", "V7", "i", "iv", "iio6", "V65/V", "V65/iv")),
    ],
)
def test_a_pool_for_both_modes_gives_each_its_own_chords(mode: str, meant: tuple[str, ...]) -> None:
    """No major tonic amid a phrase in minor, no minor one in major; V and applied chords are of both."""
    pool = ("I", "ii6", "IV", "V", "V7", "vi", "i", "iv", "iio6", "V65/V", "V65/iv")
    assert in_mode(mode, pool) == meant
