from __future__ import annotations

import json
from typing import Any

import pytest

from musegen.exercises.item import Item
from musegen.exercises.making import make_item
from musegen.exercises.records import RecordError


def changed(**changes: Any) -> str:
    """The record of an item with some fields set, or left out where the value is None."""
    values = json.loads(make_item("int.name", 2, 3).item.to_json())
    for name, value in changes.items():
        values.pop(name) if value is None else values.update({name: value})
    return json.dumps(values)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"colour": "red"}, r"item: unknown field 'colour' \(allowed: key, given"),
        ({"seed": None}, "item: field 'seed' is missing"),
        ({"seed": "3"}, "item.seed: must be of type integer, got '3'"),
        ({"seed": True}, "item.seed: must be of type integer, got True"),
        ({"lang": "fr"}, "item.lang: must be one of 'en', 'zh', got 'fr'"),
        ({"hints": ["x"]}, r"item.hints\[0\]: must be of type object, got 'x'"),
        ({"given": {"text": 1}}, "item.given.text: must be of type string, got 1"),
    ],
)
def test_wrong_records_are_refused_by_place(changes: dict[str, Any], said: str) -> None:
    """One line that names the field, what came and what is allowed."""
    with pytest.raises(RecordError, match=said):
        Item.from_json(changed(**changes))


def test_json_without_bottom_is_refused() -> None:
    """A record nested beyond reason is refused in one line, not by an overflow."""
    with pytest.raises(RecordError, match=r"x\.json: is nested too deeply"):
        Item.from_json("[" * 200_000, "x.json")


def test_no_json_is_refused() -> None:
    """A text that is no JSON is told with its line."""
    with pytest.raises(RecordError, match=r"x\.json: is no JSON: line 1"):
        Item.from_json("{", "x.json")
