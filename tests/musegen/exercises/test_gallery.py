"""The gallery of exercises: what a page shows of a kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from musegen.exercises.grading.grade import grade
from musegen.exercises.kinds import kind
from musegen.exercises.making import make_item

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("int.name", ["given"]), ("pw.connect", ["given", "key", "marked"]), ("rud.terms", [])],
)
def test_a_kind_is_shown_with_its_pictures_and_feedback(
    name: str, shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five levels, the question, the key, and what is said of an answer that is wrong."""
    monkeypatch.syspath_prepend(str(DOCS))
    from exercise_pages import kind_page, wrong_answer  # type: ignore[import-not-found]

    page, pictures = kind_page(kind(name))
    assert sorted(pictures) == sorted(f"{name}-{each}.svg" for each in shown)
    assert all(f"](pictures/{each})" in page for each in pictures)
    assert [f"\n{number}. " in page for number in range(1, 6)] == [True] * 5
    item = make_item(name, 2, 0).item
    wrong = grade(item, wrong_answer(item))
    assert not wrong.full
    assert f"Feedback, {float(wrong.points):g} of {float(wrong.most):g} points:" in page


def test_a_wrong_note_is_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without likely errors one written note of the key goes a step up in its scale."""
    monkeypatch.syspath_prepend(str(DOCS))
    from exercise_pages import wrong_answer

    item = make_item("pw.rn.satb", 2, 0).item
    model, wrong = item.solutions.model["score"].split(), wrong_answer(item)["score"].split()
    (change,) = [pair for pair in zip(model, wrong, strict=True) if pair[0] != pair[1]]
    assert change == ("D5", "E5")
