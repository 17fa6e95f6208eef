"""Realise a row of chords in four voices."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from musegen.errors import OptionError
from musegen.models.protocol import SlotModel
from musegen.plan.chord_text import read_chords
from musegen.plan.setting import plan_of_chords
from musegen.score import Metre
from musegen.tasks.writing import Draft, Options, solutions, write
from theory_kb.metre import metre_names

__all__ = ["realise"]


def realise(
    chords: str,
    options: Options,
    *,
    metre: str = "4/4",
    count: int = 1,
    models: Mapping[str, SlotModel] | None = None,
) -> tuple[Draft, ...]:
    """Write chords out in four voices.

    Args:
        chords: as text, see `musegen.plan.chord_text`.
        options: how; solution number k is drawn with the seed plus k.
        metre: such as `"3/4"`.
        count: how many different solutions, best first.
        models: proposers by name, if not those of the shipped weights.

    Raises:
        OptionError: a text that holds no chords, a metre or count out of range.
        UnknownNameError: a chord that is not of the vocabulary.
        InfeasibleError: the hard rules leave no solution; names the place and the rules.
    """
    if metre not in metre_names():
        raise OptionError("metre", metre, f"one of {', '.join(metre_names())}")
    beats, unit = (int(number) for number in metre.split("/"))
    plan = plan_of_chords(read_chords(chords), metre=Metre(beats, unit))

    def solve(chosen: Options) -> Draft:
        return write(plan, chosen, rng=np.random.default_rng(chosen.seed), models=models)

    return solutions(solve, options, count)
