"""The ladder of hints: the goal again, where to look, how, one right element, the solution.

In practice each step costs a fifth of the item; in an exam there is none.
"""

from __future__ import annotations

from fractions import Fraction

from musegen.exercises.item import Draft, Text

__all__ = ["COST", "ladder", "with_hints"]

COST = Fraction(1, 5)  # of the points, for each step from the second on


def ladder(item: Draft) -> tuple[Text, ...]:
    """All steps of an item, from the goal to the full solution with its reasons."""
    shown = [
        Text(part.shown(value, "en"), part.shown(value, "zh"))
        for part in item.ask
        for value in [item.solutions.model[part.id]]
        if not value.lstrip().startswith("<")
    ]
    key = Text("; ".join(each.en for each in shown), "；".join(each.zh for each in shown))
    solution = Text(
        f"{key.en}. {item.why.en}" if key.en else item.why.en,
        f"{key.zh}。{item.why.zh}" if key.zh else item.why.zh,
    )
    return (item.prompt, *item.hints, solution)


def with_hints(points: Fraction, steps: int) -> Fraction:
    """What is left of the points after so many steps of the ladder; the first is free."""
    return max(Fraction(0), points * (1 - COST * max(0, steps - 1)))
