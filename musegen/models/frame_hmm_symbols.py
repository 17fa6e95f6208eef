"""Hidden Markov models of rolls note by note: what comes next in a frame.

What is known of the state is a row of weights. Each symbol of a frame multiplies them by its chance
in each state; at the frame's end they are moved a step on. So the chain rule over symbols gives the
same frame probabilities as the forward recursion over frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from musegen.models.frame_emissions import Bernoulli, FactorialBernoulli, SerialNotes
from musegen.models.ngram import passage_of
from musegen.models.rolls import END, KEYS, SYMBOLS, Roll, as_matrix, check_rolls, serial

if TYPE_CHECKING:
    from musegen.models.frame_hmm import FrameHMM

__all__ = ["symbol_tables"]

FloatArray = NDArray[np.float64]
Keys = NDArray[np.bool_]


def symbol_tables(model: FrameHMM, rolls: Sequence[Roll]) -> list[FloatArray]:
    """Natural-log distribution of each symbol of rolls, (N, SYMBOLS) each; -inf where none can be."""
    check_rolls(rolls)
    return [_table(model, roll) for roll in rolls]


def _table(model: FrameHMM, roll: Roll) -> FloatArray:
    spelled, before = serial(roll), np.zeros(KEYS, np.bool_)
    told = None
    if model.teller is not None:
        told = np.exp(model.teller.mixture.distributions(passage_of(roll)))
    weights = np.asarray(model.transition.start, np.float64)
    found = []
    sounding = as_matrix(roll)
    for place, symbol in enumerate(spelled.symbols.tolist()):
        row = None if told is None else told[place]
        rows = _chances(model, before, int(spelled.limit[place]), row)
        found.append(weights @ rows)
        weights = _normalised(weights * rows[:, symbol])
        if symbol == END:
            before = sounding[spelled.frame[place]]
            weights = model.transition.ahead(weights[None])[0]
    with np.errstate(divide="ignore"):  # a symbol that cannot stand there has no chance
        tables: FloatArray = np.log(np.stack(found))
    return tables


def _normalised(weights: FloatArray) -> FloatArray:
    found: FloatArray = weights / weights.sum()
    return found


# --- chances by state -----------------------------------------------------------------------


def _chances(model: FrameHMM, before: Keys, above: int, told: FloatArray | None) -> FloatArray:
    """Chance of each symbol in each state, (S, SYMBOLS), given the frame before and what is above.

    Args:
        model: with its emission.
        before: (88,) keys of the frame before.
        above: symbol above in the frame; 89 if there is none.
        told: (SYMBOLS,) what the frame before says, of serial emissions.
    """
    return CHANCES[type(model.emission)](model.emission, before, above, told)


def _serial(
    emission: SerialNotes, _before: Keys, above: int, told: FloatArray | None
) -> FloatArray:
    assert told is not None  # of serial emissions there always is a teller
    share = emission.share[:, None]
    found: FloatArray = share * emission.tables[:, above] + (1 - share) * told
    return found


def _bernoulli(
    emission: Bernoulli, before: Keys, above: int, _told: FloatArray | None
) -> FloatArray:
    classes = before.astype(np.int64) if len(emission.odds) > 1 else np.zeros(KEYS, np.int64)
    return _hazards(emission.odds[classes, :, np.arange(KEYS)].T, above)


def _factorial(
    emission: FactorialBernoulli, _before: Keys, above: int, _told: FloatArray | None
) -> FloatArray:
    return _hazards(1 / (1 + np.exp(-emission.logits)), above)


def _hazards(odds: FloatArray, above: int) -> FloatArray:
    """The next key that sounds going down: it does, and those between do not."""
    keys = above - 1  # symbol p is key p - 1
    chances = np.zeros((len(odds), SYMBOLS))
    downward = odds[:, :keys][:, ::-1]
    silent = np.cumprod(1 - downward, axis=1)
    passed = np.column_stack([np.ones(len(odds)), silent])
    chances[:, 1 : keys + 1] = (passed[:, :-1] * downward)[:, ::-1]
    chances[:, END] = passed[:, -1]
    return chances


CHANCES: Mapping[type, Callable[..., FloatArray]] = {
    SerialNotes: _serial,
    Bernoulli: _bernoulli,
    FactorialBernoulli: _factorial,
}
