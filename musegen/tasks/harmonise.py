"""Harmonise a tune or a bass, or complete any voices: what is given stays as it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from musegen.errors import DeadEndError, InfeasibleError
from musegen.models.protocol import SlotModel
from musegen.plan.given import given_voices
from musegen.plan.given_notes import pattern_lines, with_notes
from musegen.plan.plan import ANY, COMMON, CONDITIONAL
from musegen.plan.setting import plan_around
from musegen.score import Score
from musegen.tasks.writing import Draft, Options, write_several
from theory_kb.check import load_style
from theory_kb.pitch import Key

__all__ = ["harmonise"]

GRADES = (COMMON, CONDITIONAL, ANY)  # of progressions, tried in turn


def harmonise(
    score: Score,
    options: Options,
    *,
    voices: Sequence[str] = ("soprano",),
    key: Key | None = None,
    phrases: Sequence[int] = (),
    pattern: Score | None = None,
    count: int = 1,
    models: Mapping[str, SlotModel] | None = None,
) -> tuple[Draft, ...]:
    """Write the voices that are missing.

    Args:
        score: its parts are the given voices, high to low.
        options: how.
        voices: which voice each part is: soprano, alto, tenor or bass.
        key: the key; if None, the score's if the notes are in it, else the one that they are in.
        phrases: numbers of the bars in which phrases end; if none, they end where fermatas stand, or
            else where they are found.
        pattern: notes of other voices that must stand, see `musegen.plan.given_notes`.
        count: how many different solutions, best first.
        models: proposers by name, if not those of the shipped weights.

    Raises:
        OptionError: a voice that does not exist, or not one for each part; a bar or a count out of
            range.
        ScoreError: voices that cannot be worked with, see `musegen.plan.given`.
        InfeasibleError: the hard rules leave no solution; names the place and the rules.
    """
    given = given_voices(score, voices)
    notes = {} if pattern is None else pattern_lines(pattern)
    style = load_style(options.style)
    for grade in GRADES:  # by common progressions if they carry the notes, else by rarer ones
        plan = plan_around(
            score,
            given,
            home=key,
            name="Harmonisation",
            least_grade=grade,
            bars=phrases,
            style=style,
        )
        plan = with_notes(plan, notes) if notes else plan
        rng = np.random.default_rng(options.seed)
        try:
            return write_several(plan, options, rng=rng, count=count, models=models)
        except (InfeasibleError, DeadEndError):
            if grade == GRADES[-1]:
                raise
    raise AssertionError("the last grade returns or raises")
