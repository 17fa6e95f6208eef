"""Harmonise a tune or a bass, or complete any voices: what is given stays as it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from musegen.constraints import VOICE_NAMES
from musegen.errors import DeadEndError, InfeasibleError, OptionError, ScoreError
from musegen.models.protocol import SlotModel
from musegen.plan.plan import ANY, COMMON, CONDITIONAL
from musegen.plan.setting import plan_around
from musegen.score import Note, Score
from musegen.tasks.writing import Draft, Options, solutions, write
from theory_kb.pitch import Key

__all__ = ["harmonise"]

GRADES = (COMMON, CONDITIONAL, ANY)  # of progressions, tried in turn


def harmonise(
    score: Score,
    options: Options,
    *,
    voices: Sequence[str] = ("soprano",),
    key: Key | None = None,
    count: int = 1,
    models: Mapping[str, SlotModel] | None = None,
) -> tuple[Draft, ...]:
    """Write the voices that are missing.

    Args:
        score: its parts are the given voices, high to low.
        options: how; solution number k is drawn with the seed plus k.
        voices: which voice each part is: soprano, alto, tenor or bass.
        key: the key, if it is not the score's.
        count: how many different solutions, best first.
        models: proposers by name, if not those of the shipped weights.

    Raises:
        OptionError: a voice that does not exist, or not one for each part; a count out of range.
        ScoreError: a part without notes, or notes that no chord holds.
        InfeasibleError: the hard rules leave no solution; names the place and the rules.
    """
    given = _given(score, voices)

    def solve(chosen: Options) -> Draft:
        return _solved(score, given, key, chosen, models)

    return solutions(solve, options, count)


def _solved(
    score: Score,
    given: Mapping[int, Sequence[Note]],
    key: Key | None,
    options: Options,
    models: Mapping[str, SlotModel] | None,
) -> Draft:
    """One solution: by common progressions if they carry the notes, else by rarer ones."""
    for grade in GRADES:
        plan = plan_around(score, given, home=key, name="Harmonisation", least_grade=grade)
        try:
            return write(plan, options, rng=np.random.default_rng(options.seed), models=models)
        except (InfeasibleError, DeadEndError):
            if grade == GRADES[-1]:
                raise
    raise AssertionError("the last grade returns or raises")


def _given(score: Score, voices: Sequence[str]) -> dict[int, tuple[Note, ...]]:
    names = [name.lower() for name in VOICE_NAMES]
    for voice in voices:
        if voice not in names:
            raise OptionError("voice", voice, f"one of {', '.join(names)}")
    if len(voices) != len(score.parts) or len(set(voices)) < len(voices):
        raise OptionError("voices", ",".join(voices), f"one for each of {len(score.parts)} parts")
    for voice, part in zip(voices, score.parts, strict=True):
        if not part.notes:
            raise ScoreError(part.name, f"the {voice} that is given has no notes")
    return {names.index(voice): part.notes for voice, part in zip(voices, score.parts, strict=True)}
